//! Visits every state that a model can get into, and gives the shortest way into a bad one.

use std::collections::{HashSet, VecDeque};
use std::fmt::Arguments;
use std::hash::Hash;

/// Something whose states can be listed.
pub trait Model {
    /// All that the future depends on.
    type State: Clone + Eq + Hash;

    /// The first state.
    fn first(&self) -> Self::State;

    /// Gives what can happen next, always in the same order.
    fn steps(&self, steps: &mut Steps<'_, Self::State>);

    /// Forgets what nothing depends on any more, so that fewer states differ.
    fn tidy(&self, _state: &mut Self::State) {}

    /// What is wrong with a state, whatever comes after it.
    fn breach(&self, state: &Self::State) -> Option<&'static str>;

    /// What is wrong with a state after which nothing more needs to happen.
    fn breach_at_end(&self, state: &Self::State) -> Option<&'static str>;
}

/// What can happen in one state.
pub struct Steps<'a, S> {
    /// The state.
    pub state: &'a S,
    /// What comes of each step, and whether that must happen.
    next: Vec<(S, bool)>,
    /// What happens, if that is asked for.
    words: Option<Vec<String>>,
}

impl<S: Clone + Eq> Steps<'_, S> {
    /// A step that happens sooner or later, unless another makes it impossible.
    pub fn will(&mut self, is: Arguments<'_>, change: impl FnOnce(&mut S)) {
        self.add(is, true, change);
    }

    /// A step that may as well never happen, such as a fault.
    pub fn may(&mut self, is: Arguments<'_>, change: impl FnOnce(&mut S)) {
        self.add(is, false, change);
    }

    fn add(&mut self, is: Arguments<'_>, must_happen: bool, change: impl FnOnce(&mut S)) {
        let mut next = self.state.clone();
        change(&mut next);
        self.next.push((next, must_happen));
        self.words.iter_mut().for_each(|words| words.push(is.to_string()));
    }
}

/// What came of visiting the states.
pub struct Explored {
    /// How many were visited: all there are, unless one is bad.
    pub states: usize,
    /// A shortest schedule into a bad state, and what is wrong there.
    pub breach: Option<(Vec<String>, &'static str)>,
}

/// Visits the states of `model` in the order of their distance from the first, up to a bad one.
///
/// # Panics
/// If there are more than `most` states: then the bounds are not what they are said to be.
pub fn explore<M: Model>(model: &M, most: usize) -> Explored {
    // By place: the place of the state before it, and which of its steps leads to it.
    let mut ways: Vec<(u32, u16)> = vec![(0, 0)];
    let mut known: HashSet<M::State> = HashSet::from([model.first()]);
    let mut ahead = VecDeque::from([model.first()]);
    let mut at = 0;
    while let Some(state) = ahead.pop_front() {
        assert!(at < most, "more than {most} states");
        let mut goes_on = false;
        for (step, (next, must_happen)) in (0..).zip(steps_of(model, &state, false).next) {
            goes_on |= must_happen && next != state;
            if !known.contains(&next) {
                known.insert(next.clone());
                ways.push((u32::try_from(at).expect("fewer states than that"), step));
                ahead.push_back(next);
            }
        }
        let at_end = || model.breach_at_end(&state).filter(|_| !goes_on);
        if let Some(wrong) = model.breach(&state).or_else(at_end) {
            return Explored { states: at + 1, breach: Some((way_to(model, &ways, at), wrong)) };
        }
        at += 1;
    }
    Explored { states: at, breach: None }
}

fn steps_of<'a, M: Model>(model: &M, state: &'a M::State, words: bool) -> Steps<'a, M::State> {
    let words = words.then(Vec::new);
    let mut steps = Steps { state, next: Vec::new(), words };
    model.steps(&mut steps);
    steps.next.iter_mut().for_each(|(next, _)| model.tidy(next));
    steps
}

/// What happens between the first state and that at `at`.
fn way_to<M: Model>(model: &M, ways: &[(u32, u16)], mut at: usize) -> Vec<String> {
    let mut taken = Vec::new();
    while at != 0 {
        let (before, step) = ways[at];
        taken.push(usize::from(step));
        at = before as usize;
    }
    let mut state = model.first();
    let happens = taken.into_iter().rev().map(|step| {
        let mut steps = steps_of(model, &state, true);
        let (next, _) = steps.next.swap_remove(step);
        let words = steps.words.expect("they were asked for").swap_remove(step);
        state = next;
        words
    });
    happens.collect()
}

//! Visits every state that a model can get into, and gives the shortest way into a bad one.

use std::collections::HashMap;
use std::hash::Hash;

/// Something whose states can be listed.
pub trait Model {
    /// All that the future depends on.
    type State: Clone + Eq + Hash;

    /// The first state.
    fn first(&self) -> Self::State;

    /// What can happen next, in words and with what comes of it.
    fn steps(&self, state: &Self::State) -> Vec<Step<Self::State>>;

    /// What is wrong with a state, whatever comes after it.
    fn breach(&self, state: &Self::State) -> Option<&'static str>;

    /// What is wrong with a state after which nothing more needs to happen.
    fn breach_at_end(&self, state: &Self::State) -> Option<&'static str>;
}

/// What leads from one state to the next.
pub struct Step<S> {
    /// What happens.
    pub is: String,
    /// May it as well never happen, such as a fault?
    pub is_optional: bool,
    /// What comes of it.
    pub next: S,
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
    // Each state once, with the place of the state before it and what happened between them.
    let mut visited: Vec<(M::State, usize, String)> = vec![(model.first(), 0, String::new())];
    let mut places: HashMap<M::State, usize> = HashMap::from([(model.first(), 0)]);
    let mut at = 0;
    while at < visited.len() {
        assert!(at < most, "more than {most} states");
        let state = visited[at].0.clone();
        let steps = model.steps(&state);
        let is_end = steps.iter().all(|step| step.is_optional);
        let at_end = || model.breach_at_end(&state).filter(|_| is_end);
        if let Some(wrong) = model.breach(&state).or_else(at_end) {
            return Explored { states: at + 1, breach: Some((way_to(&visited, at), wrong)) };
        }
        for Step { is, next, .. } in steps {
            if !places.contains_key(&next) {
                places.insert(next.clone(), visited.len());
                visited.push((next, at, is));
            }
        }
        at += 1;
    }
    Explored { states: visited.len(), breach: None }
}

/// What happens between the first state and that at `at`.
fn way_to<S>(visited: &[(S, usize, String)], mut at: usize) -> Vec<String> {
    let mut way = Vec::new();
    while at != 0 {
        way.push(visited[at].2.clone());
        at = visited[at].1;
    }
    way.reverse();
    way
}

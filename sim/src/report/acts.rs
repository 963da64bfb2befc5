//! The steps in which a defect acts: the same machine, in the same state and with the same input,
//! would do something else without it.
//!
//! Each step of a story is tried out on a copy of the world in which its machine goes on without
//! the defects. Where a system cannot tell how a machine goes on under other settings
//! ([`UnderTest::reconfigured`]), or where a defect has acted outside of the story, the step in
//! which the whole run [parts](super::parting) from the run without the defects takes the place.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use seedbed::machine::Time;

use super::act::Act;
use super::history::{History, past};
use super::parting::{digest, state};
use super::story::Story;
use crate::draw::swarm;
use crate::quiet_panics::quietly;
use crate::run;
use crate::scenario::Scenario;
use crate::subject::{self, Subjects};
use crate::under_test::UnderTest;
use crate::world::{Event, Step, Watcher, World};

/// So many steps are tried out, those that come last.
const TRIED: usize = 4_000;

/// The steps from which `story` follows in which a defect acts: the first and the last of those at
/// the machine of the second fact that are about the same as the violation, or else about what its
/// facts name; else of those at any machine; else the last of all.
pub(super) fn acts<S: UnderTest>(
    scenario: &Scenario<S>,
    seed: u64,
    history: &History<S>,
    story: &Story<S>,
) -> Vec<Act<S>> {
    let told = story.steps.iter().map(|(place, _)| *place);
    let is_past = past(&history.causes(), told);
    let all = (0..history.len()).rev().filter(|place| is_past[*place]);
    let candidates = all.take(TRIED).map(|place| history.at(place).index).collect();
    let config = swarm::for_seed(&scenario.mended(), seed).config.clone();
    let mut trial =
        Trial { history, config, candidates, tried: None, acts: Vec::new(), parts: false };
    run::run(scenario, seed, &mut trial);
    let mut acts = if trial.parts { Vec::new() } else { trial.acts };
    let now = story.facts.last().and_then(|place| history.at(*place).place());
    let is_about = |act: &Act<S>, subjects: &Subjects<S::Subject>, is_here: bool| {
        let step = history.step(act.step);
        step.is_some_and(|step| {
            (!is_here || step.place() == now) && subject::of_step(step).meet(subjects)
        })
    };
    let Story { subjects, named, .. } = story;
    for (subjects, is_here) in [(subjects, true), (named, true), (subjects, false), (named, false)]
    {
        if acts.iter().any(|act| is_about(act, subjects, is_here)) {
            acts.retain(|act| is_about(act, subjects, is_here));
            acts.drain(1..acts.len().max(2) - 1);
            return acts;
        }
    }
    acts.drain(..acts.len().max(1) - 1);
    acts
}

/// Tries out steps without the defects.
struct Trial<'a, S: UnderTest> {
    /// The run that is explained.
    history: &'a History<S>,
    config: Arc<S::Config>,
    /// The steps to be tried, by number.
    candidates: BTreeSet<u64>,
    /// The step under way as it would be, and what its machine would hold after it.
    tried: Option<(Step<S>, Vec<String>)>,
    acts: Vec<Act<S>>,
    /// Is this another run than the one of the history? A machine that draws numbers by itself
    /// draws more of them where steps are tried out.
    parts: bool,
}

impl<S: UnderTest> Watcher<S> for Trial<'_, S> {
    fn begins(&mut self, world: &World<S>, at: Time, event: &Event<S>) {
        self.tried = None;
        if self.candidates.contains(&(world.steps() + 1)) {
            // A machine that goes on in a state that it could not have come to may panic.
            let try_out = AssertUnwindSafe(|| self.tried_out(world, at, event));
            self.tried = quietly(|| catch_unwind(try_out)).0.ok().flatten();
        }
    }

    fn watch(&mut self, world: &World<S>, step: &Step<S>) {
        let Some((without, would_hold)) = self.tried.take() else { return };
        self.parts |= self.history.step(step.index).is_none_or(|it| digest(it) != digest(step));
        let holds = step.place().map_or_else(Vec::new, |node| state(world, node));
        if digest(&without) != digest(step) || holds != would_hold {
            let (without, states) = (Some(without), [holds, would_hold]);
            let (step, later) = (step.index, Vec::new());
            self.acts.push(Act { step, without, states, is_parting: false, later });
        }
    }
}

impl<S: UnderTest> Trial<'_, S> {
    fn tried_out(
        &self,
        world: &World<S>,
        at: Time,
        event: &Event<S>,
    ) -> Option<(Step<S>, Vec<String>)> {
        let node = world.step_of(at, event).place()?;
        let machine = match world.host(node).process() {
            Some(machine) => Some(S::reconfigured(machine, &self.config)?),
            None => None, // it starts in this step
        };
        let mut mended = world.clone();
        mended.reconfigure(node, &self.config, machine);
        let mut step = Step::new();
        mended.apply(at, event.clone(), &mut step);
        let would_hold = state(&mended, node);
        Some((step, would_hold))
    }
}

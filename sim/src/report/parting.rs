//! Where a run parts from another one of the same seed: with defects from without them, a failing
//! one from the nearest that passes.
//!
//! The two part at the first step that differs, or that leaves another state in its machine.
//! Neither run keeps its states: of the first there is a hash for each step, and the one state that
//! is told comes from one run more.

use seedbed::machine::NodeId;
use xxhash_rust::xxh3::xxh3_64;

use super::act::Act;
use super::history::History;
use crate::digest::Digest;
use crate::run;
use crate::scenario::Scenario;
use crate::subject::Subjects;
use crate::trace::Detail;
use crate::under_test::UnderTest;
use crate::world::{Step, Watcher, World};

/// Where the run of `scenario` that `history` has watched parts from that of `other`.
pub(super) fn parting<S: UnderTest>(
    scenario: &Scenario<S>,
    other: &Scenario<S>,
    seed: u64,
    history: &History<S>,
) -> Option<Act<S>> {
    let mut hashes = Hashes::default();
    run::run(scenario, seed, &mut hashes);
    let mut beside = Beside { history, hashes, parting: None, steps: 0 };
    run::run(other, seed, &mut beside);
    let mut parting = beside.finish()?;
    let place = history.step(parting.step).and_then(Step::place);
    let of_place = |world: &World<S>| place.map_or_else(Vec::new, |node| state(world, node));
    parting.states[0] = run::up_to(scenario, seed, parting.step, of_place).unwrap_or_default();
    Some(parting)
}

/// What the machine of `step` holds after it, in words.
fn state_of_place<S: UnderTest>(world: &World<S>, step: &Step<S>) -> Vec<String> {
    step.place().map_or_else(Vec::new, |node| state(world, node))
}

/// What a machine holds, in words.
pub(super) fn state<S: UnderTest>(world: &World<S>, node: NodeId) -> Vec<String> {
    let machine = world.host(node).process();
    let known = S::known(world.config(), &Subjects::default());
    let detail = known.as_ref().map_or(Detail::Brief, Detail::Report);
    let mut state = machine.map_or_else(Vec::new, |machine| S::state(machine, detail));
    let checkpoint = world.host(node).disk().newest_checkpoint().into_iter().flatten();
    state.extend(
        checkpoint.map(|it| format!("a checkpoint with {}", S::record_in_words(it, detail))),
    );
    let next = world.host(node).next_deadline();
    state.extend(next.map(|(at, timer)| format!("next, at {at}: {}", S::timer_in_words(&timer))));
    state
}

fn hash(state: &[String]) -> u64 {
    xxh3_64(state.join("\n").as_bytes())
}

/// Of each step a hash of what happened, and one of the state after it.
#[derive(Debug, Default)]
struct Hashes(Vec<[u64; 2]>);

impl<S: UnderTest> Watcher<S> for Hashes {
    fn watch(&mut self, world: &World<S>, step: &Step<S>) {
        self.0.push([digest(step), hash(&state_of_place(world, step))]);
    }
}

/// Watches the other run, and compares it with what happened in the first.
#[derive(Debug)]
struct Beside<'a, S: UnderTest> {
    history: &'a History<S>,
    hashes: Hashes,
    parting: Option<Act<S>>,
    /// How many steps the other run has.
    steps: u64,
}

impl<S: UnderTest> Beside<'_, S> {
    /// Where they part; `None` if they do not, or in a step that the history does not keep.
    fn finish(self) -> Option<Act<S>> {
        let step = self.steps + 1;
        let (states, later) = (Default::default(), Vec::new());
        let is_over = || Act { step, without: None, states, is_parting: true, later };
        let is_shorter = self.steps < self.hashes.0.len() as u64;
        let parting = self.parting.or_else(|| is_shorter.then(is_over));
        parting.filter(|act| self.history.step(act.step).is_some())
    }
}

impl<S: UnderTest> Watcher<S> for Beside<'_, S> {
    fn watch(&mut self, world: &World<S>, step: &Step<S>) {
        self.steps = step.index;
        if self.parting.is_some() {
            return;
        }
        // A run that has ended has nothing to compare with.
        let Some(with) = self.hashes.0.get(step.index as usize - 1) else { return };
        let state = state_of_place(world, step);
        if *with != [digest(step), hash(&state)] {
            let (without, states) = (Some(step.clone()), [Vec::new(), state]);
            let (step, later) = (step.index, Vec::new());
            self.parting = Some(Act { step, without, states, is_parting: true, later });
        }
    }
}

pub(super) fn digest<S: UnderTest>(step: &Step<S>) -> u64 {
    let mut digest = Digest::default();
    digest.add(step);
    digest.value()
}

//! The steps of one run, kept to look back at.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use seedbed::machine::{NodeId, Time};

use crate::under_test::UnderTest;
use crate::world::{Event, Fact, PacketId, Step, Watcher, World};

/// The steps of one run, the newest [`History::KEPT`] of them. After a panic the last is the one
/// that was under way.
#[derive(Clone, Debug)]
pub struct History<S: UnderTest> {
    steps: VecDeque<Step<S>>,
    /// Every machine that was in any step, kept or not.
    machines: BTreeSet<NodeId>,
    /// Has the last of them begun and is not over? Then it is as much as is known before.
    is_under_way: bool,
}

impl<S: UnderTest> Default for History<S> {
    fn default() -> History<S> {
        History { steps: VecDeque::new(), machines: BTreeSet::new(), is_under_way: false }
    }
}

impl<S: UnderTest> Watcher<S> for History<S> {
    fn begins(&mut self, world: &World<S>, at: Time, event: &Event<S>) {
        self.push(world.step_of(at, event));
        self.is_under_way = true;
    }

    fn watch(&mut self, _world: &World<S>, step: &Step<S>) {
        if std::mem::take(&mut self.is_under_way) {
            self.steps.pop_back();
        }
        self.push(step.clone());
    }
}

impl<S: UnderTest> History<S> {
    /// How many steps are kept: a run that is longer than this is explained by its end.
    pub const KEPT: usize = 500_000;

    /// Takes in the next step.
    pub fn push(&mut self, step: Step<S>) {
        if self.steps.len() == Self::KEPT {
            self.steps.pop_front();
        }
        self.machines.extend(machines_of(&step));
        self.steps.push_back(step);
    }

    /// Every machine that was in any step; of a whole run every machine there is.
    pub(super) fn machines(&self) -> &BTreeSet<NodeId> {
        &self.machines
    }

    /// The steps, in order.
    pub fn steps(&self) -> impl DoubleEndedIterator<Item = &Step<S>> {
        self.steps.iter()
    }

    /// The step of this number, if it is kept.
    pub fn step(&self, index: u64) -> Option<&Step<S>> {
        self.steps.get(self.place(index)?)
    }

    pub(super) fn len(&self) -> usize {
        self.steps.len()
    }

    pub(super) fn at(&self, place: usize) -> &Step<S> {
        &self.steps[place]
    }

    /// Where the step of this number stands.
    pub(super) fn place(&self, index: u64) -> Option<usize> {
        self.steps.binary_search_by_key(&index, |step| step.index).ok()
    }

    /// For each step, those that it follows from at once: the one before at its machine, and the
    /// one that sent the message it is about.
    pub(super) fn causes(&self) -> Vec<Vec<usize>> {
        let mut last: BTreeMap<NodeId, usize> = BTreeMap::new();
        let mut sent: BTreeMap<PacketId, usize> = BTreeMap::new();
        let mut causes = Vec::with_capacity(self.steps.len());
        for (place, step) in self.steps.iter().enumerate() {
            let sender = step.event.packet().and_then(|packet| sent.get(&packet).copied());
            let before = step.place().and_then(|node| last.insert(node, place));
            causes.push(sender.into_iter().chain(before).collect());
            for fact in &step.facts {
                if let Fact::Sent { packet, .. } | Fact::Copied { packet } = fact {
                    sent.insert(*packet, place);
                }
            }
        }
        causes
    }
}

/// The machines at which a step happens, or between which its message goes.
pub(super) fn machines_of<S: UnderTest>(step: &Step<S>) -> impl Iterator<Item = NodeId> {
    let ends = step.packet.iter().flat_map(|packet| [packet.from, packet.to]);
    step.place().into_iter().chain(ends)
}

/// Everything that the steps at `from` follow from, and they themselves.
pub(super) fn past(causes: &[Vec<usize>], from: impl IntoIterator<Item = usize>) -> Vec<bool> {
    let mut is_past = vec![false; causes.len()];
    let mut open: Vec<usize> = from.into_iter().collect();
    while let Some(place) = open.pop() {
        if !std::mem::replace(&mut is_past[place], true) {
            open.extend(&causes[place]);
        }
    }
    is_past
}

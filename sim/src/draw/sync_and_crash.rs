//! Disks: how long a sync takes, and what a crash leaves.
//!
//! Each disk has two streams of its own, one for its syncs and one for its crashes.

use std::collections::BTreeMap;

use seedbed::proto::{NodeId, Span};

use crate::quantity::SpanRange;
use crate::scenario::Scenario;
use crate::seed::{Seed, Stream, code};

/// The disks of a run.
#[derive(Clone, Debug)]
pub struct Disks<'a> {
    scenario: &'a Scenario,
    seed: Seed,
    syncs: BTreeMap<NodeId, Stream>,
    crashes: BTreeMap<NodeId, Stream>,
    /// Disks that are slow for now, by the number of the degradation.
    slow: BTreeMap<u32, (NodeId, SpanRange, Stream)>,
}

/// What a crash leaves on a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// How many of the records that were not synced.
    pub kept: u32,
    /// How many bytes of the record after those.
    pub torn: u32,
    /// Is a checkpoint that was being written in place?
    pub checkpointed: bool,
}

impl<'a> Disks<'a> {
    /// The disks of `scenario` under `seed`.
    pub fn new(scenario: &'a Scenario, seed: Seed) -> Disks<'a> {
        Disks {
            scenario,
            seed,
            syncs: BTreeMap::new(),
            crashes: BTreeMap::new(),
            slow: BTreeMap::new(),
        }
    }

    /// A sync of `node`'s disk takes as long as `range` says, until the degradation `id` is over.
    pub fn slow_down(&mut self, id: u32, node: NodeId, range: SpanRange) {
        let stream = self.seed.stream("storm", id.into());
        self.slow.insert(id, (node, range, stream));
    }

    /// The degradation `id` is over.
    pub fn restore(&mut self, id: u32) {
        self.slow.remove(&id);
    }

    /// No disk is slow any more.
    pub fn heal(&mut self) {
        self.slow.clear();
    }

    /// How long a sync of `node`'s disk takes.
    pub fn sync(&mut self, node: NodeId) -> Span {
        let seed = self.seed;
        let make = || seed.stream("disk", code(node).into());
        let usual = self.syncs.entry(node).or_insert_with(make).span(self.scenario.disk.sync);
        let slow = self.slow.values_mut().find(|(slow, ..)| *slow == node);
        slow.map_or(usual, |(_, range, stream)| stream.span(*range))
    }

    /// What a crash leaves of `pending` records on `node`'s disk.
    pub fn crash(&mut self, node: NodeId, pending: u64) -> Leftover {
        let seed = self.seed;
        let make = || seed.stream("crash", code(node).into());
        let stream = self.crashes.entry(node).or_insert_with(make);
        let kept = stream.below(pending + 1);
        let torn = if kept < pending { stream.below(64) } else { 0 };
        let checkpointed = stream.below(2) == 0;
        Leftover { kept: kept as u32, torn: torn as u32, checkpointed }
    }
}

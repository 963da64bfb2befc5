//! Disks: how long a sync takes, and what a crash leaves.
//!
//! Each disk has streams of its own: for its syncs, for what its crashes leave, and for how that is
//! torn. Rules of the scenario for single syncs come last.

use crate::under_test::UnderTest;
use std::collections::BTreeMap;

use seedbed::machine::{NodeId, Span};

use crate::fault::{Leaves, Torn};
use crate::quantity::SpanRange;
use crate::scenario::{Scenario, SyncRule};
use crate::seed::{Seed, Stream, code};
use crate::world::Disk;
use crate::world::Tear;

/// The disks of a run.
#[derive(Clone, Debug)]
pub struct Disks<'a, S: UnderTest> {
    scenario: &'a Scenario<S>,
    seed: Seed,
    syncs: BTreeMap<NodeId, Stream>,
    crashes: BTreeMap<NodeId, Stream>,
    /// Disks that are slow for now, by the number of the degradation.
    slow: BTreeMap<u32, (NodeId, SpanRange, Stream)>,
    tears: BTreeMap<NodeId, Stream>,
    /// How often each rule for syncs has matched.
    matches: Vec<u32>,
    rules_apply: bool,
}

/// What a crash leaves on a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// How many of the records that were not synced.
    pub kept: u32,
    /// How many bytes of the record after those.
    pub torn: u32,
    /// In which form that one is torn.
    pub tear: Tear,
    /// Is a checkpoint that was being written in place?
    pub checkpointed: bool,
}

impl<'a, S: UnderTest> Disks<'a, S> {
    /// The disks of `scenario` under `seed`.
    pub fn new(scenario: &'a Scenario<S>, seed: Seed) -> Disks<'a, S> {
        Disks {
            scenario,
            seed,
            syncs: BTreeMap::new(),
            crashes: BTreeMap::new(),
            slow: BTreeMap::new(),
            tears: BTreeMap::new(),
            matches: vec![0; scenario.syncs.len()],
            rules_apply: true,
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

    /// No disk is slow any more, and no rule applies.
    pub fn heal(&mut self) {
        self.slow.clear();
        self.rules_apply = false;
    }

    /// For each rule for syncs, whether it has applied, and how many syncs have matched.
    pub fn rules_fired(&self) -> impl Iterator<Item = (bool, u32)> {
        let rules = self.scenario.syncs.iter().zip(&self.matches);
        rules.map(|(rule, matches)| (*matches >= rule.nth.unwrap_or(1), *matches))
    }

    /// How long the sync takes that has begun on `node`'s disk.
    pub fn sync(&mut self, node: NodeId, disk: &Disk<S>) -> Span {
        let usual = self.usual(node);
        self.by_rule(node, disk).unwrap_or(usual)
    }

    fn usual(&mut self, node: NodeId) -> Span {
        let seed = self.seed;
        let make = || seed.stream("disk", code(node).into());
        let usual = self.syncs.entry(node).or_insert_with(make).span(self.scenario.disk.sync);
        let slow = self.slow.values_mut().find(|(slow, ..)| *slow == node);
        slow.map_or(usual, |(_, range, stream)| stream.span(*range))
    }

    /// What the last rule says that applies.
    fn by_rule(&mut self, node: NodeId, disk: &Disk<S>) -> Option<Span> {
        if !self.rules_apply {
            return None;
        }
        let mut takes = None;
        for (number, (rule, matches)) in
            (0..).zip(self.scenario.syncs.iter().zip(&mut self.matches))
        {
            if !applies(rule, node, disk) {
                continue;
            }
            *matches += 1;
            if rule.nth.is_none_or(|nth| nth == *matches) {
                // A stream for each sync of a rule, so that no rule changes what another draws.
                let object = number << 32 | u64::from(*matches);
                takes = Some(self.seed.stream("sync_rule", object).span(rule.takes));
            }
        }
        takes
    }

    /// What a crash leaves of `pending` records on `node`'s disk: what `leaves` says, and what is
    /// drawn.
    pub fn crash(&mut self, node: NodeId, pending: u64, leaves: Leaves) -> Leftover {
        let seed = self.seed;
        let make = || seed.stream("crash", code(node).into());
        let stream = self.crashes.entry(node).or_insert_with(make);
        let kept = stream.below(pending + 1);
        let torn = if kept < pending { stream.below(64) } else { 0 };
        let checkpointed = stream.below(2) == 0;
        let drawn = Leftover {
            kept: kept as u32,
            torn: torn as u32,
            tear: self.tear(node, leaves.torn),
            checkpointed,
        };
        state(drawn, leaves)
    }

    /// A form of this kind, or of any kind.
    fn tear(&mut self, node: NodeId, torn: Option<Torn>) -> Tear {
        let seed = self.seed;
        let make = || seed.stream("tear", code(node).into());
        let stream = self.tears.entry(node).or_insert_with(make);
        let (form, length, behind) = (stream.below(3), stream.below(64), stream.below(3));
        let hole = Tear::Hole { length: 1 + length as u32, behind: behind as u32 };
        match torn {
            Some(Torn::No | Torn::Prefix) => Tear::Prefix,
            Some(Torn::Zeros) => Tear::Zeros,
            Some(Torn::Hole) => hole,
            None => [Tear::Prefix, Tear::Zeros, hole][form as usize],
        }
    }
}

/// What was drawn, but for what the scenario says. A record that is to be torn has lost something
/// and kept something; how much is drawn, or 1 byte.
fn state(drawn: Leftover, leaves: Leaves) -> Leftover {
    let torn = match leaves.torn {
        None => drawn.torn,
        Some(Torn::No) => 0,
        Some(Torn::Prefix | Torn::Zeros | Torn::Hole) => drawn.torn.max(1),
    };
    Leftover { kept: leaves.kept.unwrap_or(drawn.kept), torn, ..drawn }
}

/// Does the sync that has begun on `node`'s disk match?
fn applies<S: UnderTest>(rule: &SyncRule<S>, node: NodeId, disk: &Disk<S>) -> bool {
    let carries = |kind| disk.syncing_records().any(|record| S::record_kind(record) == kind);
    rule.node.is_none_or(|of| of == node) && rule.record.is_none_or(carries)
}

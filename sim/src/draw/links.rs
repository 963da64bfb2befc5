//! What the network and the disks are like: how long a message or a sync takes, what gets lost or
//! doubled.
//!
//! Each link and each disk has a stream of its own. Rules of the scenario for single messages come
//! first.

use std::collections::BTreeMap;

use seedbed::proto::{MessageKind, NodeId, Span};

use crate::quantity::{Ppb, SpanRange};
use crate::scenario::{Fate, Link, MessageRule, Scenario};
use crate::seed::{Seed, Stream, code};

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Course {
    /// How long it is under way.
    pub latency: Span,
    /// Is it lost then?
    pub is_lost: bool,
    /// Does a rule of the scenario lose it, at once?
    pub is_dropped: bool,
    /// When a second copy sets out, after the first did.
    pub copy_after: Option<Span>,
}

/// Something that makes the network or a disk worse for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storm {
    /// A link is slow: this is added to its latency.
    Slow(NodeId, NodeId, SpanRange),
    /// A link loses messages.
    Lossy(NodeId, NodeId, Ppb),
    /// A link delivers messages twice.
    Doubling(NodeId, NodeId, Ppb),
    /// A disk is slow: a sync takes this long.
    SlowDisk(NodeId, SpanRange),
}

/// The conditions of a run.
#[derive(Clone, Debug)]
pub struct Weather<'a> {
    scenario: &'a Scenario,
    seed: Seed,
    links: BTreeMap<(NodeId, NodeId), Stream>,
    disks: BTreeMap<NodeId, Stream>,
    crashes: BTreeMap<NodeId, Stream>,
    /// How often each message rule has matched.
    matches: Vec<u32>,
    rules_apply: bool,
    storms: BTreeMap<u32, (Storm, Stream)>,
    copies: BTreeMap<(NodeId, NodeId), Stream>,
}

impl<'a> Weather<'a> {
    /// The conditions of `scenario` under `seed`.
    pub fn new(scenario: &'a Scenario, seed: Seed) -> Weather<'a> {
        Weather {
            scenario,
            seed,
            links: BTreeMap::new(),
            disks: BTreeMap::new(),
            crashes: BTreeMap::new(),
            matches: vec![0; scenario.messages.len()],
            rules_apply: true,
            storms: BTreeMap::new(),
            copies: BTreeMap::new(),
        }
    }

    /// A storm begins; `id` is its name.
    pub fn begin(&mut self, id: u32, storm: Storm) {
        let stream = self.seed.stream("storm", id.into());
        self.storms.insert(id, (storm, stream));
    }

    /// A storm is over.
    pub fn end(&mut self, id: u32) {
        self.storms.remove(&id);
    }

    /// All storms are over, and no rule applies any more.
    pub fn clear(&mut self) {
        self.storms.clear();
        self.rules_apply = false;
    }

    /// Has every rule for messages applied at least once?
    pub fn rules_fired(&self) -> impl Iterator<Item = bool> {
        let rules = self.scenario.messages.iter().zip(&self.matches);
        rules.map(|(rule, matches)| *matches >= rule.nth.unwrap_or(1))
    }

    /// What becomes of a message of this kind.
    pub fn course(&mut self, from: NodeId, to: NodeId, kind: MessageKind) -> Course {
        let network = &self.scenario.network;
        let link = network.links.iter().find(|link| (link.from, link.to) == (from, to));
        let seed = self.seed;
        let make = || seed.stream("link", object(from, to));
        let stream = self.links.entry((from, to)).or_insert_with(make);
        let mut latency = stream.span(link_latency(link).unwrap_or(network.latency));
        if stream.chance(network.spike) {
            latency = latency + stream.span(network.spike_latency);
        }
        let mut is_lost = stream.chance(link.and_then(|l| l.loss).unwrap_or(network.loss));
        let mut copied = stream.chance(network.duplication);
        for (storm, stream) in self.storms.values_mut() {
            match *storm {
                Storm::Slow(a, b, range) if (a, b) == (from, to) => {
                    latency = latency + stream.span(range);
                }
                Storm::Lossy(a, b, loss) if (a, b) == (from, to) => is_lost |= stream.chance(loss),
                Storm::Doubling(a, b, likely) if (a, b) == (from, to) => {
                    copied |= stream.chance(likely);
                }
                Storm::Slow(..) | Storm::Lossy(..) | Storm::Doubling(..) => {}
                Storm::SlowDisk(..) => {}
            }
        }
        let copy_after = copied.then(|| self.copies(from, to).span(SpanRange::from_millis(0, 200)));
        let course = Course { latency, is_lost, is_dropped: false, copy_after };
        self.by_rule(from, to, kind, course)
    }

    /// What becomes of a copy, which is under way for `after` longer than any first one; no rule
    /// counts it.
    pub fn course_of_copy(&mut self, from: NodeId, to: NodeId, after: Span) -> Course {
        let range = self.scenario.network.latency;
        let latency = self.copies(from, to).span(range) + after;
        Course { latency, is_lost: false, is_dropped: false, copy_after: None }
    }

    fn copies(&mut self, from: NodeId, to: NodeId) -> &mut Stream {
        let seed = self.seed;
        self.copies.entry((from, to)).or_insert_with(|| seed.stream("copies", object(from, to)))
    }

    /// How long a sync of `node`'s disk takes.
    pub fn sync(&mut self, node: NodeId) -> Span {
        let seed = self.seed;
        let make = || seed.stream("disk", code(node).into());
        let stream = self.disks.entry(node).or_insert_with(make);
        let usual = stream.span(self.scenario.disk.sync);
        let slow = self.storms.values_mut().find_map(|(storm, stream)| match storm {
            Storm::SlowDisk(slow, range) if *slow == node => Some(stream.span(*range)),
            Storm::SlowDisk(..) | Storm::Slow(..) => None,
            Storm::Lossy(..) | Storm::Doubling(..) => None,
        });
        slow.unwrap_or(usual)
    }

    /// How much of `pending` records a crash leaves on `node`'s disk, how many bytes of the next,
    /// and whether a checkpoint that was being written got there.
    pub fn crash(&mut self, node: NodeId, pending: u64) -> (u32, u32, bool) {
        let seed = self.seed;
        let make = || seed.stream("crash", code(node).into());
        let stream = self.crashes.entry(node).or_insert_with(make);
        let kept = stream.below(pending + 1);
        let torn = if kept < pending { stream.below(64) } else { 0 };
        (kept as u32, torn as u32, stream.below(2) == 0)
    }

    fn by_rule(
        &mut self,
        from: NodeId,
        to: NodeId,
        kind: MessageKind,
        mut course: Course,
    ) -> Course {
        for (rule, matches) in self.scenario.messages.iter().zip(&mut self.matches) {
            if !self.rules_apply || !applies(rule, from, to, kind) {
                continue;
            }
            *matches += 1;
            if rule.nth.is_some_and(|nth| nth != *matches) {
                continue;
            }
            match rule.fate {
                Fate::Drop => course.is_dropped = true,
                Fate::Delay(by) => course.latency = course.latency + by,
                Fate::Duplicate(after) => course.copy_after = Some(after),
            }
        }
        course
    }
}

/// A number for a link, to name its streams by.
fn object(from: NodeId, to: NodeId) -> u64 {
    u64::from(code(from)) << 16 | u64::from(code(to))
}

fn link_latency(link: Option<&Link>) -> Option<SpanRange> {
    link.and_then(|link| link.latency)
}

fn applies(rule: &MessageRule, from: NodeId, to: NodeId, kind: MessageKind) -> bool {
    rule.kind == kind
        && rule.from.is_none_or(|rule_from| rule_from == from)
        && rule.to.is_none_or(|rule_to| rule_to == to)
}

//! Links: how long a message is under way, and whether it is lost or doubled.
//!
//! Each link has a stream of its own. Rules of the scenario for single messages come last.

use std::collections::BTreeMap;

use seedbed::proto::{MessageKind, NodeId, Span};

use crate::fault::Worse;
use crate::quantity::SpanRange;
use crate::scenario::{Fate, Link, MessageRule, Scenario};
use crate::seed::{Seed, Stream, code};

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Course {
    /// How long it is under way.
    pub latency: Span,
    /// Does it arrive?
    pub arrival: Arrival,
    /// When a second copy sets out, after the first did.
    pub copy_after: Option<Span>,
}

/// Does a message arrive?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// It does, if it still can by then.
    Arrives,
    /// It is lost on its way, and nothing shows before it would have arrived.
    Lost,
    /// A rule of the scenario loses it as soon as it is sent.
    DroppedAtOnce,
}

/// A link that is worse for now, and the draws of how much.
#[derive(Clone, Debug)]
struct Degraded {
    link: (NodeId, NodeId),
    how: Worse,
    stream: Stream,
}

/// The links of a run.
#[derive(Clone, Debug)]
pub struct Links<'a> {
    scenario: &'a Scenario,
    seed: Seed,
    links: BTreeMap<(NodeId, NodeId), Stream>,
    /// How often each message rule has matched.
    matches: Vec<u32>,
    rules_apply: bool,
    /// Does the network neither lose, double nor hold up anything?
    is_calm: bool,
    /// Links that are worse for now, by the number of the degradation.
    degraded: BTreeMap<u32, Degraded>,
    copies: BTreeMap<(NodeId, NodeId), Stream>,
}

impl<'a> Links<'a> {
    /// The links of `scenario` under `seed`.
    pub fn new(scenario: &'a Scenario, seed: Seed) -> Links<'a> {
        Links {
            scenario,
            seed,
            links: BTreeMap::new(),
            matches: vec![0; scenario.messages.len()],
            rules_apply: true,
            is_calm: false,
            degraded: BTreeMap::new(),
            copies: BTreeMap::new(),
        }
    }

    /// The link is worse until the degradation `id` is over.
    pub fn degrade(&mut self, id: u32, link: (NodeId, NodeId), how: Worse) {
        let stream = self.seed.stream("storm", id.into());
        self.degraded.insert(id, Degraded { link, how, stream });
    }

    /// The degradation `id` is over.
    pub fn restore(&mut self, id: u32) {
        self.degraded.remove(&id);
    }

    /// No link is worse any more, and no rule applies.
    pub fn heal(&mut self) {
        self.degraded.clear();
        self.rules_apply = false;
    }

    /// From now on a message takes its latency and no more, arrives, and arrives once.
    pub fn calm(&mut self) {
        self.is_calm = true;
    }

    /// For each rule for messages, whether it has applied, and how many messages matched.
    pub fn rules_fired(&self) -> impl Iterator<Item = (bool, u32)> {
        let rules = self.scenario.messages.iter().zip(&self.matches);
        rules.map(|(rule, matches)| (*matches >= rule.nth.unwrap_or(1), *matches))
    }

    /// What becomes of a message of this kind.
    pub fn course(&mut self, from: NodeId, to: NodeId, kind: MessageKind) -> Course {
        let network = &self.scenario.network;
        let link = network.links.iter().find(|link| (link.from, link.to) == (from, to));
        let seed = self.seed;
        let make = || seed.stream("link", object(from, to));
        let stream = self.links.entry((from, to)).or_insert_with(make);
        let mut latency = stream.span(link_latency(link).unwrap_or(network.latency));
        if self.is_calm {
            return Course { latency, arrival: Arrival::Arrives, copy_after: None };
        }
        if stream.chance(network.spike) {
            latency = latency + stream.span(network.spike_latency);
        }
        let mut is_lost = stream.chance(link.and_then(|l| l.loss).unwrap_or(network.loss));
        let mut copied = stream.chance(network.duplication);
        let worse = self.degraded.values_mut().filter(|worse| worse.link == (from, to));
        for Degraded { how, stream, .. } in worse {
            match *how {
                Worse::Slow(range) => latency = latency + stream.span(range),
                Worse::Lossy(share) => is_lost |= stream.chance(share),
                Worse::Doubling(share) => copied |= stream.chance(share),
            }
        }
        let copy_after = copied.then(|| self.copies(from, to).span(SpanRange::from_millis(0, 200)));
        let arrival = if is_lost { Arrival::Lost } else { Arrival::Arrives };
        self.by_rule(from, to, kind, Course { latency, arrival, copy_after })
    }

    /// What becomes of a copy, which is under way for `after` longer than any first one; no rule
    /// counts it.
    pub fn course_of_copy(&mut self, from: NodeId, to: NodeId, after: Span) -> Course {
        let range = self.scenario.network.latency;
        let latency = self.copies(from, to).span(range) + after;
        Course { latency, arrival: Arrival::Arrives, copy_after: None }
    }

    fn copies(&mut self, from: NodeId, to: NodeId) -> &mut Stream {
        let seed = self.seed;
        self.copies.entry((from, to)).or_insert_with(|| seed.stream("copies", object(from, to)))
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
                Fate::Drop => course.arrival = Arrival::DroppedAtOnce,
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

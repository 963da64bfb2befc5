//! Links: how long a message is under way, and whether it is lost or doubled.
//!
//! Each link has a stream of its own.

use crate::under_test::UnderTest;
use std::collections::BTreeMap;

use seedbed::machine::{NodeId, Span};

use crate::fault::Worse;
use crate::quantity::SpanRange;
use crate::scenario::{Link, Scenario};
use crate::seed::{Seed, Stream, code};

/// The course of a message: whether and when it arrives.
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

/// Links that are worse for now, and the draws of how much.
#[derive(Clone, Debug)]
struct Degraded {
    from: Vec<NodeId>,
    to: Vec<NodeId>,
    how: Worse,
    stream: Stream,
}

/// The network links of one run: draws for each message when it arrives, and whether.
#[derive(Clone, Debug)]
pub struct Links<'a, S: UnderTest> {
    scenario: &'a Scenario<S>,
    seed: Seed,
    links: BTreeMap<(NodeId, NodeId), Stream>,
    /// Does the network neither lose, double nor hold up anything?
    is_calm: bool,
    /// Links that are worse for now, by the number of the degradation.
    degraded: BTreeMap<u32, Degraded>,
    copies: BTreeMap<(NodeId, NodeId), Stream>,
}

impl<'a, S: UnderTest> Links<'a, S> {
    /// The links of `scenario` under `seed`.
    pub fn new(scenario: &'a Scenario<S>, seed: Seed) -> Links<'a, S> {
        Links {
            scenario,
            seed,
            links: BTreeMap::new(),
            is_calm: false,
            degraded: BTreeMap::new(),
            copies: BTreeMap::new(),
        }
    }

    /// The links from these machines to those are worse until the degradation `id` is over.
    pub fn degrade(&mut self, id: u32, (from, to): (Vec<NodeId>, Vec<NodeId>), how: Worse) {
        let stream = self.seed.stream("storm", id.into());
        self.degraded.insert(id, Degraded { from, to, how, stream });
    }

    /// The degradation `id` is over.
    pub fn restore(&mut self, id: u32) {
        self.degraded.remove(&id);
    }

    /// No link is worse any more.
    pub fn heal(&mut self) {
        self.degraded.clear();
    }

    /// From now on a message takes its latency and no more, arrives, and arrives once.
    pub fn calm(&mut self) {
        self.is_calm = true;
    }

    /// How long a message on this link is under way while no fault, spike or rule holds it up.
    pub fn latency(&self, from: NodeId, to: NodeId) -> SpanRange {
        let network = &self.scenario.network;
        link_latency(network.link(from, to)).unwrap_or(network.latency)
    }

    /// The course of a message: whether and when it arrives.
    pub fn course(&mut self, from: NodeId, to: NodeId) -> Course {
        let network = &self.scenario.network;
        let link = network.link(from, to);
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
        let is_worse = |worse: &&mut Degraded| worse.from.contains(&from) && worse.to.contains(&to);
        for Degraded { how, stream, .. } in self.degraded.values_mut().filter(is_worse) {
            match *how {
                Worse::Slow(range) => latency = latency + stream.span(range),
                Worse::Lossy(share) => is_lost |= stream.chance(share),
                Worse::Doubling(share) => copied |= stream.chance(share),
            }
        }
        let copy_after = copied.then(|| self.copies(from, to).span(SpanRange::from_millis(0, 200)));
        let arrival = if is_lost { Arrival::Lost } else { Arrival::Arrives };
        Course { latency, arrival, copy_after }
    }

    /// The course of a copy, which is under way for `after` longer than any first one.
    pub fn course_of_copy(&mut self, from: NodeId, to: NodeId, after: Span) -> Course {
        let range = self.scenario.network.latency;
        let latency = self.copies(from, to).span(range) + after;
        Course { latency, arrival: Arrival::Arrives, copy_after: None }
    }

    fn copies(&mut self, from: NodeId, to: NodeId) -> &mut Stream {
        let seed = self.seed;
        self.copies.entry((from, to)).or_insert_with(|| seed.stream("copies", object(from, to)))
    }
}

/// A number for a link, to name its streams by.
fn object(from: NodeId, to: NodeId) -> u64 {
    u64::from(code(from)) << 16 | u64::from(code(to))
}

fn link_latency(link: Option<&Link>) -> Option<SpanRange> {
    link.and_then(|link| link.latency)
}

//! How messages travelled: which of them were late, and which came twice.

use std::collections::{BTreeMap, BTreeSet};

use seedbed::machine::{Span, Time};

use super::history::History;
use crate::text::Nanoseconds;
use crate::under_test::UnderTest;
use crate::world::{Event, Fact, PacketId, Step};

/// The way of each message of a run.
#[derive(Debug)]
pub(super) struct Journeys {
    /// The step that sent it, and when.
    sent: BTreeMap<PacketId, (u64, Time)>,
    /// The step in which it arrived, and when.
    arrived: BTreeMap<PacketId, (u64, Time)>,
    /// What it is a copy of.
    copies: BTreeMap<PacketId, PacketId>,
    /// Messages that were lost.
    lost: BTreeSet<PacketId>,
    /// A message that takes so long is late.
    late: Span,
    /// When the last step was.
    end: Time,
}

impl Journeys {
    /// A message that is late takes so much longer than half of them.
    const TIMES_THE_MEDIAN: u64 = 8;

    /// A message is late only if it takes as long as this.
    const LATE: Span = Span::from_millis(300);

    /// The ways of no message.
    pub fn none() -> Journeys {
        Journeys {
            sent: BTreeMap::new(),
            arrived: BTreeMap::new(),
            copies: BTreeMap::new(),
            lost: BTreeSet::new(),
            late: Span::ZERO,
            end: Time::ZERO,
        }
    }

    pub fn of<S: UnderTest>(history: &History<S>) -> Journeys {
        let mut journeys = Journeys::none();
        history.steps().for_each(|step| journeys.take(step));
        journeys.late = Self::LATE.max(journeys.median().times(Self::TIMES_THE_MEDIAN));
        journeys
    }

    fn take<S: UnderTest>(&mut self, step: &Step<S>) {
        let here = (step.index, step.at);
        self.end = step.at;
        match step.event {
            Event::Deliver(packet) => drop(self.arrived.insert(packet, here)),
            Event::Drop(packet, _) => drop(self.lost.insert(packet)),
            _ => {} // no message ends its way
        }
        for fact in &step.facts {
            match fact {
                Fact::Sent { packet, .. } => {
                    self.sent.insert(*packet, here);
                }
                Fact::Copied { packet } => {
                    self.sent.insert(*packet, here);
                    self.copies.extend(step.event.packet().map(|of| (*packet, of)));
                }
                _ => {} // no message begins its way
            }
        }
    }

    fn median(&self) -> Span {
        let took =
            |(packet, (_, at)): (&PacketId, &(u64, Time))| Some(at.since(self.sent.get(packet)?.1));
        let mut took: Vec<Span> = self.arrived.iter().filter_map(took).collect();
        took.sort_unstable();
        took.get(took.len() / 2).copied().unwrap_or(Span::ZERO)
    }

    /// What is unusual about the way of the message that arrives in `step`.
    pub fn on_arrival<S: UnderTest>(&self, step: &Step<S>) -> Option<String> {
        let Event::Deliver(packet) = step.event else { return None };
        let original = self.copies.get(&packet);
        let first = original.and_then(|original| self.arrived.get(original));
        if let Some((first, _)) = first.filter(|(first, _)| *first < step.index) {
            return Some(format!("the same message as in step {first}"));
        }
        let (sender, sent) = self.sent.get(&packet)?;
        let took = step.at.since(*sent);
        (took >= self.late)
            .then(|| format!("sent in step {sender}, {} before", Nanoseconds(took.as_nanos())))
    }

    /// When the message arrives, if it is late.
    pub fn on_sending(&self, packet: PacketId, at: Time) -> Option<String> {
        let Some((step, arrived)) = self.arrived.get(&packet) else {
            let is_late = self.end >= at && self.end.since(at) >= self.late;
            let is_under_way = is_late && !self.lost.contains(&packet);
            return is_under_way.then(|| "it is under way still at the end".to_owned());
        };
        let took = arrived.since(at);
        (took >= self.late)
            .then(|| format!("arrives in step {step}, {} later", Nanoseconds(took.as_nanos())))
    }
}

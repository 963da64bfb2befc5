//! How many events a second of simulated time may have.

use crate::under_test::UnderTest;
use std::collections::BTreeMap;

use seedbed::machine::{Class, Span, Time};

use crate::name::Name;
use crate::verdict::Spinning;
use crate::world::{Event, Step};

/// Events of one machine in one second of simulated time, at most.
///
/// The busiest second of the committed files has 106 events for each machine. What exceeds the
/// limit is a timer that goes round without a pause, or messages that multiply.
const PER_MACHINE: u64 = 10_000;

/// Events that are looked at once the limit is exceeded, at most: they say what goes round.
const SAMPLE: u64 = 4_096;

/// How many kinds of event are told.
const KINDS: usize = 8;

/// Counts what is due in the second of simulated time under way. Time that stands still does not
/// end the second, so a run that makes no progress of time exceeds the limit as well.
#[derive(Debug)]
pub(super) struct Pace {
    machines: u64,
    limit: u64,
    since: Time,
    count: u64,
    /// Kinds of event since the limit was exceeded.
    sample: BTreeMap<String, u64>,
}

impl Pace {
    /// The pace of a cluster of so many machines.
    pub fn new(machines: usize) -> Pace {
        let machines = machines as u64;
        let limit = PER_MACHINE * machines;
        Pace { machines, limit, since: Time::ZERO, count: 0, sample: BTreeMap::new() }
    }

    /// Takes note of what was due at `now`, and of the step that followed, if one did. Gives the
    /// finding once enough is known.
    pub fn observe<S: UnderTest>(&mut self, now: Time, step: Option<&Step<S>>) -> Option<Spinning> {
        if now.since(self.since) >= Span::from_secs(1) {
            if self.count > self.limit {
                return self.finding();
            }
            (self.since, self.count) = (now, 0);
        }
        self.count += 1;
        if self.count <= self.limit { None } else { self.sample(step) }
    }

    /// What there is to say at the end of the run.
    pub fn at_end(&mut self) -> Option<Spinning> {
        if self.count > self.limit { self.finding() } else { None }
    }

    /// Looks at one event too many.
    fn sample<S: UnderTest>(&mut self, step: Option<&Step<S>>) -> Option<Spinning> {
        *self.sample.entry(step.map_or_else(|| "nothing".to_owned(), kind)).or_default() += 1;
        if self.count < self.limit + SAMPLE { None } else { self.finding() }
    }

    fn finding(&mut self) -> Option<Spinning> {
        let mut kinds: Vec<_> = std::mem::take(&mut self.sample).into_iter().collect();
        kinds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let sampled = kinds.iter().map(|(_, count)| count).sum();
        kinds.truncate(KINDS);
        let (limit, machines) = (self.limit, self.machines);
        Some(Spinning { since: self.since, limit, machines, sampled, kinds })
    }
}

/// What kind of event a step is.
fn kind<S: UnderTest>(step: &Step<S>) -> String {
    let at = step.place().map_or("", |node| match node.class() {
        Class::Control => " at the control node",
        Class::Node => " at a node",
        Class::Client => " at a client",
    });
    let message = || match &step.packet {
        Some(packet) => S::message_kind(&packet.message).name(),
        None => "message",
    };
    match &step.event {
        Event::Deliver(_) => format!("`{}` received{at}", message()),
        Event::Drop(..) => format!("`{}` lost", message()),
        Event::Duplicate(_) => format!("`{}` duplicated", message()),
        Event::Wake(_) => {
            let timer = step.timer.as_ref().map_or(String::new(), |timer| format!("{timer:?}"));
            let name = timer.split('(').next().unwrap_or_default();
            format!("timer `{}`{at}", name.to_lowercase())
        }
        Event::Synced(_) => format!("sync{at}"),
        Event::Start { .. } => format!("start{at}"),
        Event::Crash { .. } | Event::Wipe { .. } => format!("crash{at}"),
        Event::Pause(_) | Event::Resume(_) => format!("pause{at}"),
        Event::Cut(_) | Event::Mend(_) => "cut".to_owned(),
        Event::Stall(_) | Event::Unstall(_) => format!("stall of the disk{at}"),
        Event::FillUp(_) | Event::MakeRoom(_) => format!("full disk{at}"),
        Event::ClockJump { .. } | Event::ClockDrift { .. } => format!("clock change{at}"),
        Event::Request { .. } => format!("request{at}"),
        Event::Command(_) => "command of the operator".to_owned(),
    }
}

#[cfg(all(test, feature = "file-service"))]
mod tests {
    use super::*;
    use crate::file_service::Step;
    use seedbed::machine::NodeId;

    fn step() -> Step {
        Step { event: Event::Synced(NodeId::node(1)), ..Step::new() }
    }

    /// What is found of so many events at `gap` from each other.
    fn found(events: u64, gap: Span) -> Option<Spinning> {
        let (mut pace, step) = (Pace::new(2), step());
        let mut at = Time::ZERO;
        for _ in 0..events {
            at = at + gap;
            if let Some(spinning) = pace.observe(at, Some(&step)) {
                return Some(spinning);
            }
        }
        pace.at_end()
    }

    #[test]
    fn a_second_may_have_so_many_events_for_each_machine() {
        assert_eq!(found(2 * PER_MACHINE, Span::ZERO), None);
        let spinning = found(2 * PER_MACHINE + 3, Span::ZERO).expect("time stands still");
        assert_eq!((spinning.limit, spinning.machines), (2 * PER_MACHINE, 2));
        assert_eq!(spinning.kinds, [("sync at a node".to_owned(), 3)]);
        let spinning = found(u64::MAX, Span::from_nanos(1)).expect("much happens");
        assert_eq!(spinning.sampled, SAMPLE);
    }

    #[test]
    fn the_next_second_begins_anew() {
        let gap = Span::from_nanos(1_000_000_000 / PER_MACHINE);
        assert_eq!(found(10 * PER_MACHINE, gap), None);
        assert!(found(10 * PER_MACHINE, Span::from_nanos(gap.as_nanos() / 3)).is_some());
    }
}

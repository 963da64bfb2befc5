//! Rules for single messages and syncs, so that a run is what it was where those that no rule is
//! about take the same time each.

use std::collections::BTreeMap;

use seedbed::machine::{NodeId, Span, Time};
use toml::{Table, Value};

use crate::draw::message_delivery::{Arrival, Course};
use crate::name::Name as _;
use crate::scenario::written;
use crate::simulation::{DrawnCourse, Recording};
use crate::under_test::UnderTest;

/// A rule for each message that was lost, came twice or did not take `latency`, of those that were
/// sent before everything is healed: then rules end.
pub(super) fn for_messages<S: UnderTest>(
    recording: &Recording<S>,
    latency: Span,
    healed: Span,
) -> Vec<Table> {
    let mut rules = Vec::new();
    let is_before = |message: &DrawnCourse<S>| message.at.since(Time::ZERO) < healed;
    for (nth, message) in numbered(&recording.messages).filter(|(_, it)| is_before(it)) {
        let arrives = |course: &Course| course.arrival == Arrival::Arrives;
        let course = Some(message.course).filter(arrives);
        let copy = message.copy.filter(arrives);
        // Of a message that is lost the copy is the first that arrives.
        let Some(first) = course.or(copy) else {
            rules.push(for_message(message, nth, "drop", true.into()));
            continue;
        };
        if first.latency != latency {
            rules.push(for_message(message, nth, "latency", written::duration(first.latency)));
        }
        if let (Some(_), Some(copy)) = (course, copy) {
            // It sets out later, and then takes as long as any message. One that came sooner than
            // that after the message was sent comes a little late.
            let after = copy.latency - latency;
            rules.push(for_message(message, nth, "duplicate", written::duration(after)));
        }
    }
    rules
}

/// A rule for each message that a drawn fault has lost in flight.
pub(super) fn for_dropped<S: UnderTest>(recording: &Recording<S>) -> Vec<Table> {
    let all: Vec<_> = numbered(&recording.messages).collect();
    let dropped = recording.dropped.iter().map(|place| all[*place]);
    dropped.map(|(nth, message)| for_message(message, nth, "drop", true.into())).collect()
}

/// A rule for each sync that did not take `usual`.
pub(super) fn for_syncs<S: UnderTest>(recording: &Recording<S>, usual: Span) -> Vec<Table> {
    let mut rules = Vec::new();
    let mut counts: BTreeMap<NodeId, i64> = BTreeMap::new();
    for (node, takes) in &recording.syncs {
        let nth = counts.entry(*node).or_default();
        *nth += 1;
        if *takes != usual {
            rules.push(written::keys([
                ("node", written::name(*node)),
                ("nth", (*nth).into()),
                ("takes", written::duration(*takes)),
            ]));
        }
    }
    rules
}

/// Each message with its number among those of its kind from the same machine to the same one that
/// were sent in the same second: what was sent before may go, and the number stays.
fn numbered<S: UnderTest>(
    messages: &[DrawnCourse<S>],
) -> impl Iterator<Item = (i64, &DrawnCourse<S>)> {
    let mut counts = BTreeMap::new();
    messages.iter().map(move |message| {
        let DrawnCourse { kind, from, to, at, .. } = *message;
        let nth = counts.entry((kind, from, to, second(at))).or_insert(0);
        *nth += 1;
        (*nth, message)
    })
}

/// When the second begins that `at` is in. Seconds begin at a half: a script that asks at a full
/// one comes before a rule that begins then.
fn second(at: Time) -> Span {
    const SECOND: u64 = 1_000_000_000;
    let behind = (at.since(Time::ZERO).as_nanos() + SECOND / 2) % SECOND;
    at.since(Time::ZERO) - Span::from_nanos(behind)
}

fn for_message<S: UnderTest>(
    DrawnCourse { kind, from, to, at, .. }: &DrawnCourse<S>,
    nth: i64,
    fate: &str,
    value: Value,
) -> Table {
    let mut rule = written::keys([
        ("kind", kind.name().into()),
        ("from", written::name(*from)),
        ("to", written::name(*to)),
        ("nth", nth.into()),
        (fate, value),
    ]);
    let begins = second(*at);
    if begins > Span::ZERO {
        rule.extend(written::keys([("at", written::duration(begins))]));
    }
    rule
}

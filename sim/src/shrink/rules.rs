//! Rules for single messages and syncs, so that a run is what it was where those that no rule is
//! about take the same time each.

use std::collections::BTreeMap;

use seedbed::machine::{NodeId, Span};
use toml::{Table, Value};

use crate::draw::message_delivery::Arrival;
use crate::name::Name as _;
use crate::scenario::written;
use crate::simulation::{DrawnCourse, Recording};
use crate::under_test::UnderTest;

/// A rule for each message that was lost, came twice or did not take `latency`.
pub(super) fn for_messages<S: UnderTest>(recording: &Recording<S>, latency: Span) -> Vec<Table> {
    let mut rules = Vec::new();
    for (nth, message) in numbered(&recording.messages) {
        let course = message.course;
        // A rule that drops a message also drops its copy.
        if course.arrival != Arrival::Arrives && course.copy_after.is_none() {
            rules.push(for_message(message, nth, "drop", true.into()));
            continue;
        }
        if course.latency != latency {
            rules.push(for_message(message, nth, "latency", written::duration(course.latency)));
        }
        if let Some(after) = course.copy_after {
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

/// Each message with its number among those of its kind from the same machine to the same one.
fn numbered<S: UnderTest>(
    messages: &[DrawnCourse<S>],
) -> impl Iterator<Item = (i64, &DrawnCourse<S>)> {
    let mut counts = BTreeMap::new();
    messages.iter().map(move |message| {
        let nth = counts.entry((message.kind, message.from, message.to)).or_insert(0);
        *nth += 1;
        (*nth, message)
    })
}

fn for_message<S: UnderTest>(
    DrawnCourse { kind, from, to, .. }: &DrawnCourse<S>,
    nth: i64,
    fate: &str,
    value: Value,
) -> Table {
    written::keys([
        ("kind", kind.name().into()),
        ("from", written::name(*from)),
        ("to", written::name(*to)),
        ("nth", nth.into()),
        (fate, value),
    ])
}

//! Every linearization of a small history is tried: Wing and Gong, "Testing and Verifying
//! Concurrent Objects", 1993. It knows no points, and has an execution of its own.

use std::collections::BTreeMap;

use super::{Event, Id, Op, Operation, Outcome, Told};

/// A search through so many requests at most.
pub const MOST_REQUESTS: usize = 8;

/// A request of a history.
struct Call {
    operations: Vec<Op>,
    /// The places of asking and telling among the events.
    asked: usize,
    told: usize,
    /// The answer; `None` if it may have happened or not.
    answer: Option<Vec<Outcome<u8>>>,
}

type Files = BTreeMap<u8, (u64, Option<u8>)>;

/// Is there an order of the requests that respects real time and gives every answer?
pub fn is_linearizable(history: &[Event]) -> bool {
    let calls = calls(history);
    assert!(calls.len() <= MOST_REQUESTS, "{} requests", calls.len());
    let mut left: Vec<&Call> = calls.values().collect();
    search(&mut left, &Files::new())
}

fn search(left: &mut Vec<&Call>, files: &Files) -> bool {
    if left.iter().all(|call| call.answer.is_none()) {
        return true;
    }
    // The next one must not be preceded by one that is left and has happened for certain.
    let certain = left.iter().filter(|call| call.answer.is_some());
    let first_told = certain.map(|call| call.told).min().expect("one is certain");
    for place in 0..left.len() {
        let call = left[place];
        if call.asked > first_told {
            continue;
        }
        let mut after = files.clone();
        let outcomes: Vec<_> = call.operations.iter().map(|op| apply(op, &mut after)).collect();
        if call.answer.as_ref().is_some_and(|answer| *answer != outcomes) {
            continue;
        }
        left.remove(place);
        let is_one = search(left, &after);
        left.insert(place, call);
        if is_one {
            return true;
        }
    }
    false
}

fn apply(operation: &Op, files: &mut Files) -> Outcome<u8> {
    let mut change = |path: u8, contents: Option<u8>| {
        let file = files.entry(path).or_default();
        *file = (file.0 + 1, contents);
        Outcome::Changed(file.0)
    };
    match *operation {
        Operation::Write(path, contents) => change(path, Some(contents)),
        Operation::Delete(path) => change(path, None),
        Operation::Rename(from, to) => {
            let moved = files.get(&from).and_then(|file| file.1);
            files.entry(from).or_default().0 += 1;
            files.entry(from).or_default().1 = None;
            let target = files.entry(to).or_default();
            *target = (target.0 + 1, moved);
            Outcome::Changed(target.0)
        }
        Operation::Read(path) => {
            let (version, contents) = files.get(&path).copied().unwrap_or_default();
            Outcome::Found(version, contents)
        }
        Operation::Touch(path) => Outcome::Changed(files.get(&path).map_or(0, |file| file.0)),
    }
}

/// The requests that may have happened.
fn calls(history: &[Event]) -> BTreeMap<Id, Call> {
    let mut calls = BTreeMap::new();
    for (place, event) in history.iter().enumerate() {
        match event {
            Event::Asked(id, operations) => {
                let (operations, told) = (operations.clone(), usize::MAX);
                calls.insert(*id, Call { operations, asked: place, told, answer: None });
            }
            Event::Told(id, Told::Done(answer)) => {
                let call = calls.get_mut(id).expect("it was asked");
                (call.told, call.answer) = (place, Some(answer.clone()));
            }
            Event::Told(id, Told::Refused) => {
                calls.remove(id);
            }
            Event::Told(_, Told::Unknown) | Event::Point(_) => {}
        }
    }
    calls
}

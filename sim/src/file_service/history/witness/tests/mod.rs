//! The checker is held against a search over every linearization.

mod brute_force;
mod drawn;
mod single;

use super::{Contradiction, Operation, Outcome, Told, Witness};

type Id = usize;
type Op = Operation<u8, u8>;

/// Something that happens in a history.
#[derive(Clone, Debug, PartialEq)]
enum Event {
    Asked(Id, Vec<Op>),
    Point(Id),
    Told(Id, Told<u8>),
}

/// Does the witness that the points are explain the history?
fn check(history: &[Event]) -> Result<(), Contradiction<u8>> {
    let mut witness = Witness::default();
    history.iter().try_for_each(|event| match event {
        Event::Asked(id, operations) => {
            witness.asked(*id, operations.clone());
            Ok(())
        }
        Event::Point(id) => witness.point(id),
        Event::Told(id, told) => witness.told(id, told),
    })
}

fn found(version: u64, contents: Option<u8>) -> Outcome<u8> {
    Outcome::Found(version, contents)
}

fn done(outcomes: &[Outcome<u8>]) -> Told<u8> {
    Told::Done(outcomes.to_vec())
}

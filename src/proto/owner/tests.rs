//! Which transaction gets a pin, waits for it, or gives way.

use super::*;
use crate::machine::{Incarnation, NodeId, RequestId, Span};
use crate::proto::Admission;

fn txn(counter: u32) -> TxnId {
    let (coordinator, admission) = (NodeId::node(1), Admission(1));
    TxnId { coordinator, admission, incarnation: Incarnation(1), counter }
}

fn age(client: u16, waited: u64) -> Age {
    let (client, incarnation) = (NodeId::client(client), Incarnation(1));
    let request = RequestId { client, incarnation, number: 1 };
    Age { waited: Span::from_nanos(waited), request }
}

fn paths() -> Arc<[Path]> {
    [Path::new("/a").expect("a path")].into()
}

#[test]
fn an_attempt_waits_for_a_younger_one_and_is_refused_by_an_older_one() {
    let mut owner = Owner::default();
    assert_eq!(owner.pin(Defects::NONE, txn(1), age(2, 8), &paths()), Pinned::All);
    assert_eq!(owner.pin(Defects::NONE, txn(2), age(1, 7), &paths()), Pinned::Conflict);
    assert_eq!(owner.pin(Defects::NONE, txn(3), age(3, 16), &paths()), Pinned::Wait);
    assert_eq!(
        owner.pin(Defects::NONE, txn(4), age(4, 15), &paths()),
        Pinned::Conflict,
        "one waits"
    );
}

#[test]
fn of_two_that_have_waited_about_as_long_the_name_decides() {
    let mut owner = Owner::default();
    assert_eq!(owner.pin(Defects::NONE, txn(1), age(2, 8), &paths()), Pinned::All);
    assert_eq!(owner.pin(Defects::NONE, txn(2), age(3, 15), &paths()), Pinned::Conflict);
    assert_eq!(owner.pin(Defects::NONE, txn(3), age(1, 8), &paths()), Pinned::Wait);
}

#[test]
fn waiting_attempts_are_looked_at_when_a_pin_or_an_older_wish_goes() {
    let mut owner = Owner::default();
    assert_eq!(owner.pin(Defects::NONE, txn(1), age(2, 8), &paths()), Pinned::All);
    assert_eq!(owner.pin(Defects::NONE, txn(2), age(3, 16), &paths()), Pinned::Wait);
    assert!(!owner.take_released());
    owner.unpin(txn(2), Some(age(3, 16)), &[]);
    assert!(owner.take_released(), "younger ones may have been kept away by it");
    owner.unpin(txn(1), None, &paths());
    owner.unpin(txn(3), Some(age(4, 1)), &[]);
    assert!(owner.take_released(), "a pin has gone, whatever came after it");
}

#[test]
fn an_attempt_yields_to_an_earlier_one_until_it_has_waited_twice_as_long() {
    let mut owner = Owner::default();
    assert_eq!(owner.pin(Defects::NONE, txn(9), age(1, 8), &paths()), Pinned::All);
    assert_eq!(owner.pin(Defects::NONE, txn(2), age(1, 15), &paths()), Pinned::Conflict);
    assert_eq!(owner.pin(Defects::NONE, txn(2), age(1, 16), &paths()), Pinned::Wait);
}

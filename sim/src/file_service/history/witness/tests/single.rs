//! One history for each row of the table, and for what it refuses.

use super::{Contradiction, Event, Op, Operation, Told, Witness, check, done, found};
use crate::file_service::history::witness::{Outcome, State};
use Event::{Asked, Point};

fn told(id: usize, told: Told<u8>) -> Event {
    Event::Told(id, told)
}

fn read(path: u8) -> Op {
    Operation::Read(path)
}

fn write(path: u8, contents: u8) -> Op {
    Operation::Write(path, contents)
}

fn changed(version: u64) -> Told<u8> {
    done(&[Outcome::Changed(version)])
}

/// Request 1 writes 7 into file 0 and then request 2 writes 8, each for itself.
fn two_writes() -> Vec<Event> {
    let first = [Asked(1, vec![write(0, 7)]), Point(1), told(1, changed(1))];
    let second = [Asked(2, vec![write(0, 8)]), Point(2), told(2, changed(2))];
    [first, second].concat()
}

#[test]
fn a_read_finds_what_was_current_while_it_was_open() {
    for (version, contents) in [(0, None), (1, Some(7)), (2, Some(8))] {
        let read_it = told(3, done(&[found(version, contents)]));
        let history = [vec![Asked(3, vec![read(0)])], two_writes(), vec![read_it]].concat();
        assert_eq!(check(&history), Ok(()));
    }
}

#[test]
fn a_read_of_what_was_replaced_before_it_was_asked_is_refused() {
    let late = [Asked(3, vec![read(0)]), told(3, done(&[found(1, Some(7))]))];
    let history = [two_writes(), late.to_vec()].concat();
    assert_eq!(check(&history), Err(Contradiction::NeverCurrent { place: 0 }));
}

#[test]
fn of_two_reads_the_later_finds_nothing_older() {
    let history = |first: (u64, Option<u8>), second: (u64, Option<u8>)| {
        let reads = [
            Asked(1, vec![write(0, 7)]),
            Point(1),
            Asked(3, vec![read(0)]),
            told(3, done(&[found(first.0, first.1)])),
            Asked(4, vec![read(0)]),
            told(4, done(&[found(second.0, second.1)])),
            told(1, changed(1)),
        ];
        check(&reads)
    };
    assert_eq!(history((1, Some(7)), (1, Some(7))), Ok(()));
    let never = Err(Contradiction::NeverCurrent { place: 0 });
    assert_eq!(history((1, Some(7)), (0, None)), never);
}

#[test]
fn reads_of_one_request_are_of_one_moment() {
    let history = |first: u64, second: u64| {
        let contents = |version: u64| (version == 1).then_some(7);
        check(&[
            Asked(3, vec![read(0), read(1)]),
            Asked(1, vec![write(0, 7)]),
            Asked(2, vec![write(1, 7)]),
            Point(1),
            Point(2),
            told(3, done(&[found(first, contents(first)), found(second, contents(second))])),
        ])
    };
    assert_eq!(history(0, 0), Ok(()));
    assert_eq!(history(1, 0), Ok(()));
    assert_eq!(history(1, 1), Ok(()));
    assert_eq!(history(0, 1), Err(Contradiction::NeverCurrentTogether));
}

#[test]
fn a_point_outside_its_request_is_refused() {
    let (asked, answer) = (Asked(1, vec![write(0, 7)]), told(1, changed(1)));
    let early = [Point(1), asked.clone(), answer.clone()];
    assert_eq!(check(&early), Err(Contradiction::PointOutsideTheRequest));
    let late = [asked.clone(), answer, Point(1)];
    assert_eq!(check(&late), Err(Contradiction::DoneWithoutAPoint));
    let refused = [asked.clone(), told(1, Told::Refused), Point(1)];
    assert_eq!(check(&refused), Err(Contradiction::PointOutsideTheRequest));
    let twice = [asked.clone(), Point(1), Point(1)];
    assert_eq!(check(&twice), Err(Contradiction::SecondPoint));
    let refused = [asked, Point(1), told(1, Told::Refused)];
    assert_eq!(check(&refused), Err(Contradiction::RefusedWithAPoint));
}

#[test]
fn an_answer_follows_the_order_of_the_points() {
    let history = |first: u64, second: u64| {
        check(&[
            Asked(1, vec![write(0, 7)]),
            Asked(2, vec![write(0, 8)]),
            Point(2),
            Point(1),
            told(1, changed(first)),
            told(2, changed(second)),
        ])
    };
    assert_eq!(history(2, 1), Ok(()));
    let expected = Some(Outcome::Changed(2));
    assert_eq!(history(1, 2), Err(Contradiction::OtherOutcome { place: 0, expected }));
}

#[test]
fn what_is_unknown_happens_whenever_it_likes_or_never() {
    let begins = [Asked(1, vec![write(0, 7)]), told(1, Told::Unknown), Asked(2, vec![read(0)])];
    let never = told(2, done(&[found(0, None)]));
    assert_eq!(check(&[&begins[..], &[never]].concat()), Ok(()));
    let later = [Point(1), told(2, done(&[found(1, Some(7))]))];
    assert_eq!(check(&[&begins[..], &later].concat()), Ok(()));
}

#[test]
fn a_file_in_an_uncertain_state_agrees_with_every_read_until_it_is_certain() {
    let mut witness = Witness::default();
    witness.replaced(0, State::UNCERTAIN);
    for (id, version) in [(1, 5), (2, 3)] {
        witness.asked(id, vec![read(0)]);
        assert_eq!(witness.told(&id, &done(&[found(version, Some(7))])), Ok(()));
    }
    witness.asked(3, vec![write(0, 8)]);
    witness.point(&3).expect("it has one point");
    witness.asked(4, vec![read(0)]);
    let other = done(&[found(6, Some(7))]);
    let never = Err(Contradiction::NeverCurrent { place: 0 });
    assert_eq!(witness.told(&4, &other), never, "the contents are certain");
    assert_eq!(witness.told(&3, &changed(6)), Ok(()), "any version is as good");
    witness.replaced(0, State { version: Some(6), contents: Some(Some(8)) });
    witness.asked(5, vec![read(0)]);
    assert_eq!(witness.told(&5, &done(&[found(7, Some(8))])), never);
}

#[test]
fn a_state_is_corrected_from_its_point_on_and_not_before() {
    let mut witness = Witness::default();
    witness.replaced(0, State::UNCERTAIN);
    assert!(!witness.is_certain(&0) && witness.is_certain(&1));
    for id in [1, 2, 3] {
        witness.asked(id, vec![read(1)]);
    }
    witness.asked(4, vec![Operation::Rename(0, 1)]);
    witness.point(&4).expect("it has one point");
    assert!(!witness.is_certain(&1), "the contents came from the uncertain file");
    witness.corrected(1, State { version: Some(1), contents: Some(Some(7)) });
    assert!(witness.is_certain(&1));
    assert_eq!(witness.told(&1, &done(&[found(0, None)])), Ok(()));
    assert_eq!(witness.told(&2, &done(&[found(1, Some(7))])), Ok(()));
    let never = Err(Contradiction::NeverCurrent { place: 0 });
    assert_eq!(witness.told(&3, &done(&[found(1, Some(8))])), never);
}

#[test]
fn memory_is_bounded_by_what_is_open() {
    let mut witness = Witness::default();
    witness.asked(0, vec![read(0)]);
    for id in 1..1_000 {
        witness.asked(id, vec![write(0, 7), read(1)]);
        witness.point(&id).expect("it has one point");
        let answer = done(&[Outcome::Changed(id as u64), found(0, None)]);
        assert_eq!(witness.told(&id, &answer), Ok(()));
        witness.asked(id + 1_000, vec![read(0)]);
        if id > 1 {
            let (last, contents) = (id as u64, Some(7));
            assert_eq!(witness.told(&(id + 999), &done(&[found(last, contents)])), Ok(()));
        }
        if id == 500 {
            assert!(witness.kept() > 500, "the oldest read may have found any of them");
            assert_eq!(witness.told(&0, &done(&[found(499, Some(7))])), Ok(()));
        }
    }
    assert!(witness.kept() < 10, "{}", witness.kept());
    witness.asked(3_000, vec![read(0)]);
    witness.abandoned(|_| true);
    assert!(witness.told(&3_000, &done(&[found(999, Some(7))])).is_err());
}

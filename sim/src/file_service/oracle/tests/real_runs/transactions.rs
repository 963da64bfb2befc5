//! The protocols that ship, on transactions: which milestones they pass, which machine plays which
//! role there, and which waits for which.

use seedbed::machine::Span;
use seedbed::proto::{MessageKind, Operation, Reply};

use crate::file_service::Event;
use crate::file_service::Milestone;
use crate::file_service::oracle::blocked::Wait;
use crate::file_service::oracle::tests::real_runs::{Run, ms};
use crate::file_service::oracle::tests::{c, delete, files_at, n, path, request, write};
use crate::file_service::scenario::Part;
use crate::world::Tear;

/// Writes to so many paths that every node owns one.
fn three() -> [Operation; 3] {
    [write("/a", "1"), write("/b", "2"), write("/c", "3")]
}

#[test]
fn a_decision_that_a_crash_leaves_on_the_disk_is_one() {
    let mut run = Run::starting(&[]);
    run.asks(10, 1, files_at(n(1), &three()));
    let ms = run.until_reached(Milestone::ALL_VOTED);
    run.plan_at(
        ms,
        Event::Crash { node: n(1), kept: 1, torn: 0, tear: Tear::Prefix, checkpointed: false },
    );
    run.start_at(ms + 50, n(1));
    run.until(40_000).ends().holds();
    assert!(matches!(run.reply(request(1, 1)), Some(Reply::Done(_))));
    assert_eq!((run.count(Milestone::DECIDED), run.count(Milestone::RECORDS_LOST)), (1, 0));
    assert_eq!(run.count(Milestone::TRANSACTION_OVER), 1);
}

#[test]
fn a_transaction_passes_its_milestones() {
    let mut run = Run::starting(&[]);
    run.asks(10, 1, files_at(n(1), &three()));
    run.until(2_000).ends().holds();
    assert!(matches!(run.reply(request(1, 1)), Some(Reply::Done(_))));
    for milestone in [
        Milestone::TRANSACTION_BEGUN,
        Milestone::ALL_READY,
        Milestone::ALL_VOTED,
        Milestone::DECIDED,
        Milestone::TRANSACTION_OVER,
    ] {
        assert_eq!(run.count(milestone), 1, "{milestone}");
        assert_eq!(run.bind(Part::Coordinator, milestone), Some(n(1)));
        assert_eq!(run.bind(Part::Participant, milestone), Some(n(2)));
        let owner = run.world.config().first_layout().ring().owners(&path("/a"))[0];
        assert_eq!(run.bind(Part::Owner, milestone), Some(owner));
        assert_eq!(run.bind(Part::Holder, milestone), None);
    }
    let participants = run.count(Milestone::PARTICIPANT_IN_DOUBT);
    assert_eq!(participants, 2);
    assert_eq!(run.count(Milestone::TRANSACTION_ABORTED), 0);
    let prepared = Milestone::Sent(MessageKind::Prepare);
    assert_eq!(run.count(prepared), participants);
    let first_step = |milestone| run.watcher.milestones.first_step(milestone);
    assert!(first_step(prepared) < first_step(Milestone::ALL_READY));
}

/// A coordinator that crashes at this milestone of its first transaction, and the run up to two
/// seconds later.
fn coordinator_crashes_at(milestone: Milestone) -> Run {
    let mut run = Run::starting(&[]);
    run.asks(10, 1, files_at(n(1), &three()));
    let ms = run.until_reached(milestone);
    let coordinator = run.bind(Part::Coordinator, milestone).unwrap();
    run.crash_at(ms, coordinator);
    run.until(2_000).holds();
    run
}

#[test]
fn a_coordinator_crashes_in_each_phase() {
    for (milestone, crashed) in [
        (Milestone::TRANSACTION_BEGUN, Milestone::CRASHED_PREPARING),
        (Milestone::ALL_READY, Milestone::CRASHED_VOTING),
        (Milestone::DECIDED, Milestone::CRASHED_COMMITTING),
    ] {
        let run = coordinator_crashes_at(milestone);
        assert_eq!(run.count(crashed), 1, "{milestone}");
        let phases = [
            Milestone::CRASHED_PREPARING,
            Milestone::CRASHED_VOTING,
            Milestone::CRASHED_COMMITTING,
        ];
        assert_eq!(phases.iter().map(|phase| run.count(*phase)).sum::<u64>(), 1, "{milestone}");
    }
}

#[test]
fn participants_in_doubt_wait_for_their_coordinator() {
    let mut run = coordinator_crashes_at(Milestone::PARTICIPANT_IN_DOUBT);
    let waits = run.waits();
    let in_doubt: Vec<&Wait> =
        waits.iter().filter(|wait| wait.for_what.contains("the decision")).collect();
    assert_eq!(in_doubt.iter().map(|wait| wait.machine).collect::<Vec<_>>(), [n(2), n(3)]);
    for wait in in_doubt {
        assert!(wait.released_by.contains("n1, which coordinates it, starting again"));
        assert!(wait.released_by.contains("every other participant is in doubt"), "{wait:?}");
        assert!(wait.since > ms(10) && wait.since < ms(30));
    }
    run.crash_at(2_001, n(2)).until(2_011);
    assert_eq!(run.count(Milestone::CRASHED_IN_DOUBT), 1);
    run.start_at(2_021, n(2)).start_at(2_031, n(1)).until(60_000).ends().holds();
    assert_eq!(run.waits(), []);
}

#[test]
fn a_coordinator_waits_for_an_acknowledgement() {
    let mut run = Run::starting(&[]);
    run.asks(10, 1, files_at(n(1), &three()));
    let ms = run.until_reached(Milestone::DECIDED);
    run.crash_at(ms, n(3));
    run.until(1_000).holds();
    let waits = run.waits();
    assert_eq!(waits.len(), 1, "{waits:#?}");
    assert_eq!(waits[0].machine, n(1));
    assert!(waits[0].for_what.contains("n3 to acknowledge"));
    assert_eq!(waits[0].released_by, "n3 starting again");
}

#[test]
fn a_participant_is_told_by_another() {
    let mut run = Run::starting(&[]);
    run.asks(10, 1, files_at(n(1), &three()));
    let ms = run.until_reached(Milestone::DECIDED);
    run.plan_at(ms, Event::Cut([(n(1), n(3))].into())).crash_at(ms + 5, n(1));
    run.until(10_000).holds();
    assert_eq!(run.count(Milestone::TOLD_BY_PARTICIPANT), 1);
    let (_, told) = run.first(Milestone::TOLD_BY_PARTICIPANT);
    assert_eq!(told.node, n(3));
    assert_eq!(run.bind(Part::Participant, Milestone::TOLD_BY_PARTICIPANT), Some(n(3)));
    assert_eq!(run.bind(Part::Coordinator, Milestone::TOLD_BY_PARTICIPANT), Some(n(1)));
    assert!(run.count(Milestone::MESSAGE_LOST) > 0);
    assert_eq!(run.count(Milestone::PARTITIONED), 1);
    assert!(run.waits().iter().all(|wait| !wait.for_what.contains("the decision")));
}

#[test]
fn two_transactions_meet() {
    let mut run = Run::starting(&[]);
    run.asks(10, 1, files_at(n(1), &three())).asks(11, 2, files_at(n(2), &three()));
    run.until(10_000).ends().holds();
    assert!(run.count(Milestone::CONFLICT) > 0);
    assert_eq!(run.count(Milestone::CONFLICT), run.count(Milestone::TRANSACTION_ABORTED));
    assert!(run.count(Milestone::REQUEST_RETRIED) > 0);
    assert_eq!(run.count(Milestone::TRANSACTION_OVER), 2);
    let begun = run.count(Milestone::DECIDED) + run.count(Milestone::TRANSACTION_ABORTED);
    assert_eq!(run.count(Milestone::TRANSACTION_BEGUN), begun);
}

#[test]
fn what_happens_to_machines_is_counted() {
    let mut run = Run::starting(&[]);
    run.asks(10, 1, files_at(n(1), &three()));
    run.plan_at(5, Event::ClockJump { node: c(1), by: Span::from_millis(1) });
    run.plan_at(12, Event::Pause(c(1))).plan_at(13, Event::Resume(c(1)));
    let ms = run.until_reached(Milestone::ALL_READY) + 1;
    run.until(ms).plan_at(
        ms,
        Event::Crash { node: n(2), kept: 0, torn: 5, tear: Tear::Prefix, checkpointed: false },
    );
    run.until(200).holds();
    for milestone in [
        Milestone::CRASHED,
        Milestone::RECORDS_LOST,
        Milestone::RECORD_TORN,
        Milestone::CLOCK_JUMPED,
        Milestone::PAUSED,
        Milestone::RESUMED,
    ] {
        assert_eq!(run.count(milestone), 1, "{milestone}");
    }
    assert_eq!(run.count(Milestone::CRASHED_IN_DOUBT), 0);
}

#[test]
fn two_copies_of_the_news_of_another_session_are_one_attempt() {
    let mut run = Run::starting(&[]);
    for other in [2, 3] {
        run.times.slow.insert((n(1), n(other)), Span::from_millis(100));
    }
    run.asks(10, 1, files_at(n(1), &[delete("/a")])).until(10);
    let packets = run.in_flight(c(1), n(1));
    run.plan_at(10, Event::Duplicate(packets[0])).until(30);
    // The first news made c1 send the attempt again. If the second did so too, that would be slow.
    run.times.slow.insert((c(1), n(1)), Span::from_secs(1));
    run.asks(600, 2, files_at(n(2), &[write("/a", "1")]));
    run.until(10_000).holds();
    assert!(matches!(run.reply(request(1, 1)), Some(Reply::Refused(_))));
    assert!(matches!(run.reply(request(2, 1)), Some(Reply::Done(_))));
}

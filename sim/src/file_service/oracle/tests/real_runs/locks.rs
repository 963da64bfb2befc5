//! The protocols that ship, on locks: what is lawful, which milestones a run passes, and which
//! mistakes are caught.

use seedbed::machine::Span;
use seedbed::proto::{Defect, LockRequest, Message, Reply};

use crate::file_service::Event;
use crate::file_service::Milestone;
use crate::file_service::oracle::tests::real_runs::Run;
use crate::file_service::oracle::tests::{
    CONTROL, c, files_at, lock, n, path, request, try_lock, unlock, write,
};
use crate::file_service::scenario::Part;
use crate::file_service::subject_of::Subjects;
use crate::world::{Clock, PacketId};

#[test]
fn two_clients_contend() {
    let mut run = Run::starting(&[]);
    run.asks(10, 1, lock("/a")).asks(20, 2, lock("/a"));
    run.asks(5_000, 1, unlock("/a")).asks(9_000, 2, unlock("/a"));
    run.until(30_000).ends().holds();
    assert!(matches!(run.reply(request(1, 1)), Some(Reply::Acquired(_))));
    assert!(matches!(run.reply(request(2, 1)), Some(Reply::Acquired(_))));
    assert_eq!(run.reply(request(2, 2)), Some(&Reply::Released));
    assert_eq!(run.count(Milestone::LOCK_GRANTED), 2);
    assert_eq!(run.count(Milestone::LOCK_QUEUED), 1);
    assert_eq!(run.count(Milestone::LOCK_RELEASED), 2);
    assert_eq!(run.count(Milestone::CLAIM_COMMITTED), 2);
    assert_eq!(run.count(Milestone::LEASE_EXPIRED), 0);
    assert_eq!(run.count(Milestone::REQUEST_DONE), 4);
    assert_eq!(run.count(Milestone::REQUEST_RETRIED), 0);
    let (_, queued) = run.first(Milestone::LOCK_QUEUED);
    assert_eq!(queued.about, Subjects::of(&path("/a")).and(request(2, 1)));
}

#[test]
fn a_silent_holder_loses_its_lease() {
    let mut run = Run::starting(&[]);
    run.asks(10, 1, lock("/a")).asks(20, 2, lock("/a"));
    run.crash_at(1_000, c(1)).start_at(2_000, c(1));
    run.asks(15_000, 2, unlock("/a"));
    run.until(4_000).holds();
    let waits = run.waits();
    assert_eq!(waits.len(), 1, "{waits:#?}");
    assert!(waits[0].for_what.contains("the lock of /a, which c1.1#1 held under t1"));
    assert!(waits[0].released_by.contains("end of the lease of c1"), "{waits:#?}");
    run.until(40_000).ends().holds();
    assert_eq!(run.count(Milestone::LEASE_EXPIRED), 1);
    assert_eq!(run.count(Milestone::LOCK_RELEASED), 1);
    // Only the next in line brought the second grant about, one lease after the first.
    assert_eq!(run.first(Milestone::LEASE_EXPIRED).0.as_nanos() / 1_000_000, 10_016);
    assert_eq!(run.bind(Part::Holder, Milestone::LEASE_EXPIRED), Some(c(1)));
    assert_eq!(run.waits(), []);
}

#[test]
fn control_crashes_and_starts_again_under_a_holder_and_a_waiter() {
    let mut run = Run::starting(&[]);
    run.asks(10, 1, lock("/a")).asks(20, 2, lock("/a"));
    run.crash_at(1_000, CONTROL).start_at(3_000, CONTROL);
    run.asks(8_000, 1, unlock("/a")).asks(12_000, 2, unlock("/a"));
    run.until(40_000).ends().holds();
    assert_eq!(run.reply(request(2, 2)), Some(&Reply::Released));
    assert_eq!(run.count(Milestone::LEASE_EXPIRED), 0);
    assert_eq!(run.count(Milestone::RESTARTED), 1);
}

#[test]
fn all_clients_crash_and_none_waits_for_the_dead() {
    let mut run = Run::starting(&[]);
    run.asks(10, 1, lock("/a")).asks(20, 2, lock("/a"));
    run.crash_at(1_000, CONTROL).crash_at(1_001, c(1)).crash_at(1_002, c(2));
    run.start_at(3_000, CONTROL).start_at(3_001, c(1)).start_at(3_002, c(2));
    run.asks(4_000, 2, lock("/a")).asks(20_000, 2, unlock("/a"));
    run.until(60_000).ends().holds();
    assert_eq!(run.count(Milestone::LEASE_EXPIRED), 1);
    assert_eq!(run.count(Milestone::WAITER_EXPIRED), 1);
    assert_eq!(run.count(Milestone::LOCK_GRANTED), 2);
}

#[test]
fn trying_once_is_refused_while_the_lock_is_held() {
    let mut run = Run::starting(&[]);
    run.asks(10, 1, lock("/a")).asks(100, 2, try_lock("/a"));
    run.asks(200, 1, unlock("/a")).asks(300, 2, try_lock("/a"));
    run.until(5_000).holds();
    assert!(matches!(run.reply(request(2, 1)), Some(Reply::Refused(_))));
    assert!(matches!(run.reply(request(2, 2)), Some(Reply::Acquired(_))));
    assert_eq!(run.count(Milestone::REQUEST_REFUSED), 1);
    assert_eq!(run.count(Milestone::LOCK_QUEUED), 0);
}

#[test]
fn a_paused_holder_stops_before_the_next_one_starts_on_clocks_at_the_bound() {
    let mut run = Run::starting(&[]);
    *run.world.clock_mut(c(1)) = Clock::new(Span::ZERO, -500);
    *run.world.clock_mut(CONTROL) = Clock::new(Span::ZERO, 500);
    run.asks(10, 1, lock("/a")).asks(20, 2, lock("/a"));
    run.plan_at(7_000, Event::Pause(c(1))).plan_at(30_000, Event::Resume(c(1)));
    run.asks(31_000, 2, unlock("/a"));
    run.until(60_000).ends().holds();
    assert_eq!(run.count(Milestone::LEASE_EXPIRED), 1);
}

#[test]
fn a_clock_beyond_the_bound_is_caught() {
    let mut run = Run::starting(&[]);
    *run.world.clock_mut(c(1)) = Clock::new(Span::ZERO, -200_000);
    run.asks(10, 1, lock("/a")).asks(20, 2, lock("/a"));
    run.plan_at(6_000, Event::Pause(c(1)));
    run.until(60_000).breaks("holders_stop_believing_first");
}

#[test]
fn a_lease_counted_from_the_reply_is_caught() {
    let mut run = Run::starting(&[Defect::LeaseCountedFromTheReply]);
    run.times.slow.insert((CONTROL, c(1)), Span::from_secs(4));
    run.asks(10, 1, lock("/a")).asks(20, 2, lock("/a"));
    run.plan_at(100, Event::Cut([(c(1), CONTROL)].into()));
    run.until(60_000).breaks("only_its_own_keep_alive_moves_a_lease");
}

#[test]
fn the_same_delay_does_no_harm_to_a_lease_counted_from_the_request() {
    let mut run = Run::starting(&[]);
    run.times.slow.insert((CONTROL, c(1)), Span::from_secs(4));
    run.asks(10, 1, lock("/a")).asks(20, 2, lock("/a"));
    run.plan_at(100, Event::Cut([(c(1), CONTROL)].into()));
    run.until(60_000).holds();
    assert_eq!(run.count(Milestone::LEASE_EXPIRED), 1);
}

#[test]
fn a_grant_that_is_not_forced_is_caught() {
    let mut run = Run::starting(&[Defect::GrantNotForced]);
    // The first grant shares its sync with the place in line, which is forced; the second has none.
    run.asks(10, 1, lock("/a")).asks(20, 2, lock("/a")).asks(500, 1, unlock("/a"));
    run.until(400).holds();
    run.until(1_000).breaks("grant_is_durable_before_it_leaves");
}

#[test]
fn tokens_that_start_again_are_caught() {
    let mut run = Run::starting(&[Defect::TokenRestarts]);
    run.asks(10, 1, lock("/a")).crash_at(100, CONTROL).start_at(200, CONTROL).asks(
        300,
        2,
        lock("/b"),
    );
    run.until(1_000).breaks("tokens_grow");
}

/// A client releases its lock, and copies of that arrive while the next one holds it.
fn releases_are_copied(defects: &[Defect]) -> Run {
    let mut run = Run::starting(defects);
    run.times.slow.insert((c(1), CONTROL), Span::from_millis(60));
    run.asks(10, 1, lock("/a")).asks(200, 1, unlock("/a"));
    run.asks(210, 2, lock("/a")).asks(300, 1, lock("/a"));
    duplicate_releases(&mut run);
    run
}

#[test]
fn an_unchecked_release_is_caught() {
    releases_are_copied(&[Defect::ReleaseUnchecked]).breaks("only_the_holder_releases");
}

/// Copies every release in flight, as long as the run goes.
fn duplicate_releases(run: &mut Run) {
    for ms in 1..2_000 {
        run.until(ms);
        let packets = run.world.network().packets();
        let releases = packets.filter(|(_, packet)| {
            matches!(*packet.message, Message::LockRequest(LockRequest::Release { .. }))
        });
        let releases: Vec<PacketId> = releases.map(|(id, _)| id).collect();
        if run.count(Milestone::MESSAGE_DUPLICATED) < 3 {
            for release in releases {
                run.plan_at(ms, Event::Duplicate(release));
            }
        }
    }
}

#[test]
fn copies_of_a_release_do_no_harm() {
    let mut run = releases_are_copied(&[]);
    run.until(3_000).holds();
    assert_eq!(run.count(Milestone::MESSAGE_DUPLICATED), 3);
    let (_, copied) = run.first(Milestone::MESSAGE_DUPLICATED);
    assert_eq!(
        (copied.node, &copied.about),
        (CONTROL, &Subjects::of(&path("/a")).and(request(1, 2)))
    );
}

#[test]
fn a_grant_to_a_dead_waiter_is_caught() {
    let mut run = Run::starting(&[Defect::DeadWaiterGranted]);
    run.asks(10, 1, lock("/a")).asks(20, 2, lock("/a"));
    run.crash_at(1_000, c(2)).asks(20_000, 1, unlock("/a"));
    run.until(30_000).breaks("grants_go_to_live_waiters");
}

#[test]
fn only_what_is_watched_is_named() {
    let mut run = Run::starting(&[]);
    run.watcher.milestones =
        crate::oracle::milestones::Milestones::watching([Milestone::LOCK_GRANTED]);
    run.asks(10, 1, lock("/a")).until(1_000).holds();
    let named: Vec<Milestone> =
        run.watcher.reached.iter().map(|(_, reached)| reached.milestone).collect();
    assert_eq!(named, [Milestone::LOCK_GRANTED]);
    assert_eq!(run.bind(Part::Holder, Milestone::LOCK_GRANTED), Some(c(1)));
    assert!(run.count(Milestone::CLAIM_COMMITTED) > 0);
}

#[test]
fn a_write_without_the_lock_is_fenced() {
    let mut run = Run::starting(&[]);
    run.asks(10, 1, lock("/a")).asks(1_000, 2, files_at(n(1), &[write("/a", "1")]));
    run.asks(1_100, 2, files_at(n(2), &[write("/a", "1")]));
    run.asks(1_200, 2, files_at(n(3), &[write("/a", "1")]));
    run.until(5_000).holds();
    // Once each where the coordinator is an owner, and by both owners where it is none.
    assert_eq!(run.count(Milestone::WRITE_FENCED), 4);
    assert_eq!(run.count(Milestone::REQUEST_REFUSED), 3);
    assert_eq!(run.count(Milestone::TRANSACTION_ABORTED), 3);
    assert_eq!(run.bind(Part::Holder, Milestone::WRITE_FENCED), Some(c(1)));
}

#[test]
fn a_copy_of_a_refused_acquire_is_refused_when_the_lock_is_free() {
    let mut run = Run::starting(&[]);
    run.asks(10, 1, lock("/a")).asks(100, 2, try_lock("/a")).asks(110, 1, unlock("/a")).until(100);
    let packets = run.in_flight(c(2), CONTROL);
    run.plan_at(100, Event::Duplicate(packets[0]));
    run.until(5_000).holds();
    assert!(matches!(run.reply(request(2, 1)), Some(Reply::Refused(_))));
}

#[test]
fn a_client_whose_claim_no_node_answers_gives_the_lock_back() {
    let mut run = Run::starting(&[]);
    for number in [1, 2, 3] {
        run.crash_at(5, n(number)).start_at(50_000, n(number));
    }
    run.asks(10, 1, lock("/a")).asks(60_000, 2, lock("/a"));
    run.until(120_000).holds();
    assert_eq!(run.reply(request(1, 1)), Some(&Reply::Unknown));
    assert!(matches!(run.reply(request(2, 1)), Some(Reply::Acquired(_))));
}

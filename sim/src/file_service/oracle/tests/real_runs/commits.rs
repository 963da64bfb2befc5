//! The protocols that ship, on files: lawful in both commit modes, whatever crashes, and mistakes
//! are caught.

use seedbed::machine::{NodeId, RequestId, Span};
use seedbed::proto::{
    CommitMode, Defect, Defects, MessageKind, Record, RecordKind, Reply, Settings, Version,
};

use crate::file_service::Event;
use crate::file_service::oracle::tests::real_runs::Run;
use crate::file_service::oracle::tests::{c, delete, lock, n, path, read, rename, unlock, write};
use crate::file_service::oracle::{Seen, seen};
use crate::world::Rot;

pub(super) const MODES: [CommitMode; 2] = [CommitMode::Staged, CommitMode::TwoPhase];

const SECOND: Span = Span::from_secs(1);

pub(super) fn started(settings: Settings) -> Run {
    let mut run = Run::judged(settings);
    run.start_all();
    run
}

pub(super) fn settings(commit: CommitMode) -> Settings {
    Settings { commit, checkpoint_records: 20, ..Settings::default() }
}

#[track_caller]
fn done(run: &mut Run, request: RequestId) {
    run.run(Span::from_secs(3));
    run.holds();
    let reply = run.reply(request);
    assert!(matches!(reply, Some(Reply::Done(_) | Reply::Acquired(_))), "{reply:?}");
}

#[track_caller]
fn stores(run: &Run, at: &str, version: u64, contents: Option<&str>) {
    let at = path(at);
    for &owner in run.world.config().first_layout().ring().owners(&at) {
        let Some(storage) = run.world.host(owner).storage() else { continue };
        let file = storage.files().get(&at).cloned().unwrap_or_default();
        let expected = (Version(version), contents.map(Into::into));
        assert_eq!((file.version, file.contents), expected, "{at} at {owner}");
    }
}

#[track_caller]
fn ends_well(run: &mut Run) {
    run.run(Span::from_secs(30));
    run.holds();
    run.ends().holds();
}

#[test]
fn everything_a_client_can_ask_for_is_lawful_in_both_commit_modes() {
    for mode in MODES {
        let mut run = started(settings(mode));
        for (request, operations) in [
            (1, vec![write("/a", "1")]),
            (2, vec![read("/a")]),
            (1, vec![read("/a"), write("/b", "2"), read("/b"), write("/b", "3")]),
            (2, vec![read("/a"), read("/b")]),
            (1, vec![rename("/a", "/c")]),
            (2, vec![delete("/b")]),
            (1, vec![read("/b")]),
            (2, vec![write("/a", "again"), delete("/c")]),
        ] {
            let id = run.ask(request, &operations);
            done(&mut run, id);
        }
        let id = run.request(c(1), lock("/l"));
        done(&mut run, id);
        let id = run.ask(1, &[write("/l", "mine")]);
        done(&mut run, id);
        let refused = run.ask(2, &[write("/l", "not mine")]);
        run.run(SECOND);
        assert!(matches!(run.reply(refused), Some(Reply::Refused(_))));
        let release = run.request(c(1), unlock("/l"));
        run.run(SECOND);
        assert_eq!(run.reply(release), Some(&Reply::Released));
        ends_well(&mut run);
        stores(&run, "/a", 3, Some("again"));
        stores(&run, "/b", 3, None);
        stores(&run, "/c", 2, None);
        stores(&run, "/l", 1, Some("mine"));
        assert!(run.model().commits >= 8);
    }
}

#[test]
fn conflicting_requests_and_refusals_are_lawful() {
    for mode in MODES {
        let mut run = started(settings(mode));
        for round in 0..20 {
            let (one, two) = (format!("one {round}"), format!("two {round}"));
            run.ask(1, &[read("/b"), write("/a", &one), write("/b", &one)]);
            run.ask(2, &[read("/a"), write("/b", &two), write("/a", &two)]);
            run.ask(1, &[read("/a"), read("/b")]);
            run.ask(2, &[rename("/missing", "/x"), write("/a", "never")]);
            run.ask(1, &[read("/a")]);
            run.ask(2, &[read("/b")]);
            run.run(Span::from_millis(7 * round));
        }
        ends_well(&mut run);
        stores(&run, "/x", 0, None);
        assert!(run.model().commits > 40);
    }
}

/// Runs transactions and crashes `victim` after the `nth` step of them, with `kept` unsynced
/// records left; `None` once there are no more steps.
fn crash_at(settings: Settings, victim: NodeId, kept: u32, nth: usize) -> Option<Run> {
    let mut run = started(settings);
    let first = run.ask(1, &[write("/a", "0"), write("/b", "0"), write("/c", "0")]);
    run.run(SECOND);
    assert!(run.reply(first).is_some());
    run.ask_at(n(1), 1, &[read("/c"), write("/a", "1"), write("/b", "1")]);
    run.ask(2, &[read("/a")]);
    run.ask(2, &[read("/a"), read("/b"), read("/c")]);
    let mut steps = 0;
    let happens = run.run_until(run.now() + SECOND, |_, _| {
        steps += 1;
        steps == nth
    });
    if !happens {
        return None;
    }
    run.crash_keeping(victim, kept);
    run.run(Span::from_secs(3));
    run.start(victim);
    Some(run)
}

#[test]
fn a_crash_at_any_step_of_a_transaction_is_lawful() {
    for mode in MODES {
        for victim in [n(1), n(2), n(3)] {
            for kept in [0, 1, 9] {
                let mut nth = 1;
                while let Some(mut run) = crash_at(settings(mode), victim, kept, nth) {
                    run.ask(2, &[read("/a"), read("/b")]);
                    run.ask(1, &[write("/a", "2"), write("/b", "2")]);
                    ends_well(&mut run);
                    nth += 1;
                }
                assert!(nth > 30, "{nth}");
            }
        }
    }
}

pub(super) fn with_defect(defect: Defect) -> Settings {
    Settings { defects: Defects::NONE.with(defect), ..settings(CommitMode::Staged) }
}

#[test]
fn a_vote_or_decision_that_is_not_forced_is_caught() {
    for (defect, name) in [
        (Defect::VoteNotForced, "vote_is_durable_before_it_leaves"),
        (Defect::DecisionNotForced, "decision_is_durable_before_it_leaves"),
    ] {
        let mut run = started(with_defect(defect));
        run.ask(1, &[write("/a", "1"), write("/b", "1")]);
        run.run(SECOND);
        run.breaks(name);
    }
}

#[test]
fn judging_after_the_commit_is_caught() {
    let mut run = started(with_defect(Defect::JudgeAfterCommit));
    // The coordinator is no owner of the path that is missing, so the refusal comes as a vote.
    let missing = ["/p", "/q", "/r", "/s", "/t", "/u", "/v"].into_iter();
    let mut missing =
        missing.filter(|p| !run.world.config().first_layout().ring().owns(n(1), &path(p)));
    let at = missing.next().expect("a path that n1 does not own");
    run.ask_at(n(1), 1, &[write("/a", "1"), delete(at)]);
    run.run(SECOND);
    run.breaks("commit_needs_every_yes");
}

/// Runs until `kind` is appended somewhere.
#[track_caller]
fn run_until_appended(run: &mut Run, kind: RecordKind) {
    let happens = run.run_until(run.now() + SECOND, |_, step| {
        seen(step).any(|seen| match seen {
            Seen::Appended { record, .. } => record.kind() == kind,
            _ => false,
        })
    });
    assert!(happens, "no {} record", kind.name());
}

#[test]
fn forgetting_a_commit_after_the_first_acknowledgement_is_caught() {
    let mut run = started(with_defect(Defect::ForgetCommitAfterFirstAck));
    run.ask_at(n(1), 1, &[write("/a", "1"), write("/b", "1"), write("/c", "1")]);
    run_until_appended(&mut run, RecordKind::Decided);
    run.crash_keeping(n(3), 0);
    run.run(SECOND);
    run.breaks("commit_is_remembered_until_acknowledged");
}

#[test]
fn an_id_that_comes_back_is_caught() {
    let mut run = started(with_defect(Defect::TransactionIdReused));
    for _ in 0..2 {
        run.ask_at(n(1), 1, &[write("/a", "1"), write("/b", "1")]);
        run.run(SECOND);
        run.crash_keeping(n(1), 0);
        run.start(n(1));
    }
    run.breaks("transaction_ids_are_used_once");
}

#[test]
fn an_abort_while_in_doubt_is_caught() {
    let mut run = started(with_defect(Defect::AbortWhileInDoubt));
    run.ask_at(n(1), 1, &[write("/a", "1"), write("/b", "1")]);
    run_until_appended(&mut run, RecordKind::Decided);
    // The decision survives, but no participant has heard of it.
    run.crash_keeping(n(1), 9);
    run.run(Span::from_secs(10));
    run.breaks("participants_agree");
}

#[test]
fn recovery_without_pins_is_caught() {
    let mut run = started(with_defect(Defect::RecoveryWithoutPins));
    run.ask_at(n(1), 1, &[write("/a", "1"), write("/b", "1"), write("/c", "1")]);
    run_until_appended(&mut run, RecordKind::Decided);
    for node in [n(1), n(2), n(3)] {
        run.crash_keeping(node, 9);
    }
    run.start(n(2));
    run.start(n(3));
    for at in ["/a", "/b", "/c"] {
        run.ask(2, &[read(at)]);
    }
    run.run(Span::from_secs(5));
    run.breaks("in_doubt_keeps_its_pins");
}

#[test]
fn an_outcome_that_a_participant_forgets_is_caught() {
    let mut run = started(with_defect(Defect::OutcomeForgottenByParticipant));
    run.ask_at(n(1), 1, &[write("/a", "1"), write("/b", "1"), write("/c", "1")]);
    run_until_appended(&mut run, RecordKind::Decided);
    run.crash_keeping(n(3), 0);
    run_until_appended(&mut run, RecordKind::Applied);
    run.run(Span::from_millis(3));
    run.crash_keeping(n(1), 0);
    run.start(n(3)); // in doubt, and only n2 can tell
    run.run(Span::from_secs(5));
    run.breaks("decisions_are_final");
}

#[test]
fn a_promise_that_is_not_durable_is_caught() {
    let mut run = started(with_defect(Defect::AbortToldBeforeItIsDurable));
    run.ask_at(n(1), 1, &[write("/a", "1"), write("/b", "1"), write("/c", "1")]);
    // One participant has voted when the other, and then the coordinator, go.
    let happens = run.run_until(run.now() + SECOND, |_, step| {
        seen(step).any(|seen| match seen {
            Seen::Sent { message, .. } => message.kind() == MessageKind::Execute,
            _ => false,
        })
    });
    assert!(happens);
    run.crash_keeping(n(3), 0);
    run_until_appended(&mut run, RecordKind::Voted);
    run.run(Span::from_millis(2));
    run.crash_keeping(n(1), 0);
    run.start(n(3));
    run.run(Span::from_secs(5));
    run.breaks("promise_is_durable_before_it_leaves");
}

#[test]
fn a_record_that_recovery_skips_is_caught() {
    let settings = with_defect(Defect::CorruptRecordSkipped);
    let mut run = started(Settings { checkpoint_records: 1000, replicas: 3, ..settings });
    for number in 0..3 {
        run.ask_at(n(1), 1, &[write("/a", "1"), write("/b", &number.to_string())]);
        run.run(SECOND);
    }
    // Its records prove that those before were durable.
    run.ask_at(n(1), 1, &[write("/c", "1")]);
    run.run(SECOND);
    run.crash_keeping(n(2), 0);
    let kinds = run.world.host(n(2)).disk().durable_records().map(Record::kind);
    let applied = (0..).zip(kinds).filter(|(_, kind)| *kind == RecordKind::Applied);
    let applied: Vec<u32> = applied.map(|(record, _)| record).collect();
    let [.., record, _] = applied[..] else { panic!("it has applied something") };
    run.apply(Event::Start { node: n(2), rot: Some(Rot { record, bit: 200 }) });
    run.breaks("acknowledged_writes_survive");
}

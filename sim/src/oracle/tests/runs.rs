//! The whole oracle over real runs: silent where nothing goes wrong, and not silent where something
//! does.

use seedbed::proto::{
    CommitMode, Defect, Defects, MessageKind, NodeId, Operation, Record, RecordKind, Reply,
    Request, RequestId, Settings, Span, Version,
};

use crate::oracle::tests::testing::{Draw, Drive, acquire, delete, n, path, read, rename, write};
use crate::oracle::{Seen, seen};
use crate::world::Rot;

const MODES: [CommitMode; 2] = [CommitMode::Staged, CommitMode::TwoPhase];

fn started(settings: Settings) -> Drive {
    let mut drive = Drive::new(settings, 2);
    drive.start_all();
    drive
}

fn settings(commit: CommitMode) -> Settings {
    Settings { commit, checkpoint_records: 20, ..Settings::default() }
}

#[track_caller]
fn done(drive: &mut Drive, request: RequestId) {
    drive.run(Span::from_secs(3));
    assert_eq!(drive.violation, None);
    let reply = drive.reply(request);
    assert!(matches!(reply, Some(Reply::Done(_) | Reply::Acquired(_))), "{reply:?}");
}

#[track_caller]
fn stores(drive: &Drive, at: &str, version: u64, contents: Option<&str>) {
    let at = path(at);
    for &owner in drive.world.config().first_layout().ring().owners(&at) {
        let Some(storage) = drive.world.host(owner).storage() else { continue };
        let file = storage.files().get(&at).cloned().unwrap_or_default();
        let expected = (Version(version), contents.map(Into::into));
        assert_eq!((file.version, file.contents), expected, "{at} at {owner}");
    }
}

#[track_caller]
fn ends_well(drive: &mut Drive) {
    drive.run(Span::from_secs(30));
    assert_eq!(drive.violation, None);
    let world = drive.world.clone();
    assert_eq!(drive.oracle.at_end(&world), Ok(()));
}

#[test]
fn everything_a_client_can_ask_for_is_lawful_in_both_commit_modes() {
    for mode in MODES {
        let mut drive = started(settings(mode));
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
            let id = drive.ask(request, operations);
            done(&mut drive, id);
        }
        let id = drive.request(1, acquire("/l"));
        done(&mut drive, id);
        let id = drive.ask(1, vec![write("/l", "mine")]);
        done(&mut drive, id);
        let refused = drive.ask(2, vec![write("/l", "not mine")]);
        drive.run(Span::from_secs(1));
        assert!(matches!(drive.reply(refused), Some(Reply::Refused(_))));
        let release = drive.request(1, Request::Release { path: path("/l") });
        drive.run(Span::from_secs(1));
        assert_eq!(drive.reply(release), Some(&Reply::Released));
        ends_well(&mut drive);
        stores(&drive, "/a", 3, Some("again"));
        stores(&drive, "/b", 3, None);
        stores(&drive, "/c", 2, None);
        stores(&drive, "/l", 1, Some("mine"));
        assert!(drive.oracle.model().commits >= 8);
    }
}

#[test]
fn conflicting_requests_and_refusals_are_lawful() {
    for mode in MODES {
        let mut drive = started(settings(mode));
        for round in 0..20 {
            let (one, two) = (format!("one {round}"), format!("two {round}"));
            drive.ask(1, vec![read("/b"), write("/a", &one), write("/b", &one)]);
            drive.ask(2, vec![read("/a"), write("/b", &two), write("/a", &two)]);
            drive.ask(1, vec![read("/a"), read("/b")]);
            drive.ask(2, vec![rename("/missing", "/x"), write("/a", "never")]);
            drive.ask(1, vec![read("/a")]);
            drive.ask(2, vec![read("/b")]);
            drive.run(Span::from_millis(7 * round));
        }
        ends_well(&mut drive);
        stores(&drive, "/x", 0, None);
        assert!(drive.oracle.model().commits > 40);
    }
}

/// Runs transactions and crashes `victim` after the `nth` step of them, with `kept` unsynced
/// records left; `None` once there are no more steps.
fn crash_at(settings: Settings, victim: NodeId, kept: u32, nth: usize) -> Option<Drive> {
    let mut drive = started(settings);
    let first = drive.ask(1, vec![write("/a", "0"), write("/b", "0"), write("/c", "0")]);
    drive.run(Span::from_secs(1));
    assert!(drive.reply(first).is_some());
    drive.ask_at(1, vec![read("/c"), write("/a", "1"), write("/b", "1")], Some(n(1)));
    drive.ask(2, vec![read("/a")]);
    drive.ask(2, vec![read("/a"), read("/b"), read("/c")]);
    let mut steps = 0;
    let happens = drive.run_until(|_| {
        steps += 1;
        steps == nth
    });
    if !happens {
        return None;
    }
    drive.crash_keeping(victim, kept);
    drive.run(Span::from_secs(3));
    drive.start(victim);
    Some(drive)
}

#[test]
fn a_crash_at_any_step_of_a_transaction_is_lawful() {
    for mode in MODES {
        for victim in [n(1), n(2), n(3)] {
            for kept in [0, 1, 9] {
                let mut nth = 1;
                while let Some(mut drive) = crash_at(settings(mode), victim, kept, nth) {
                    drive.ask(2, vec![read("/a"), read("/b")]);
                    drive.ask(1, vec![write("/a", "2"), write("/b", "2")]);
                    ends_well(&mut drive);
                    nth += 1;
                }
                assert!(nth > 30, "{nth}");
            }
        }
    }
}

fn with_defect(defect: Defect) -> Settings {
    Settings { defects: Defects::NONE.with(defect), ..settings(CommitMode::Staged) }
}

#[track_caller]
fn violates(drive: &Drive, name: &str) {
    let violation = drive.violation.as_ref().expect("a violation");
    assert_eq!(violation.invariant.name(), name, "{violation:#?}");
}

#[test]
fn a_vote_or_decision_that_is_not_forced_is_caught() {
    for (defect, name) in [
        (Defect::VoteNotForced, "vote_is_durable_before_it_leaves"),
        (Defect::DecisionNotForced, "decision_is_durable_before_it_leaves"),
    ] {
        let mut drive = started(with_defect(defect));
        drive.ask(1, vec![write("/a", "1"), write("/b", "1")]);
        drive.run(Span::from_secs(1));
        violates(&drive, name);
    }
}

#[test]
fn judging_after_the_commit_is_caught() {
    let mut drive = started(with_defect(Defect::JudgeAfterCommit));
    // The coordinator is no owner of the path that is missing, so the refusal comes as a vote.
    let missing = ["/p", "/q", "/r", "/s", "/t", "/u", "/v"].into_iter();
    let mut missing =
        missing.filter(|p| !drive.world.config().first_layout().ring().owns(n(1), &path(p)));
    let at = missing.next().expect("a path that n1 does not own");
    drive.ask_at(1, vec![write("/a", "1"), delete(at)], Some(n(1)));
    drive.run(Span::from_secs(1));
    violates(&drive, "commit_needs_every_yes");
}

/// Runs until `kind` is appended somewhere.
#[track_caller]
fn run_until_appended(drive: &mut Drive, kind: RecordKind) {
    let happens = drive.run_until(|step| {
        seen(step).any(|seen| match seen {
            Seen::Appended { record, .. } => record.kind() == kind,
            _ => false,
        })
    });
    assert!(happens, "no {} record", kind.name());
}

#[test]
fn forgetting_a_commit_after_the_first_acknowledgement_is_caught() {
    let mut drive = started(with_defect(Defect::ForgetCommitAfterFirstAck));
    drive.ask_at(1, vec![write("/a", "1"), write("/b", "1"), write("/c", "1")], Some(n(1)));
    run_until_appended(&mut drive, RecordKind::Decided);
    drive.crash(n(3));
    drive.run(Span::from_secs(1));
    violates(&drive, "commit_is_remembered_until_acknowledged");
}

#[test]
fn an_id_that_comes_back_is_caught() {
    let mut drive = started(with_defect(Defect::TransactionIdReused));
    for _ in 0..2 {
        drive.ask_at(1, vec![write("/a", "1"), write("/b", "1")], Some(n(1)));
        drive.run(Span::from_secs(1));
        drive.crash(n(1));
        drive.start(n(1));
    }
    violates(&drive, "transaction_ids_are_used_once");
}

#[test]
fn an_abort_while_in_doubt_is_caught() {
    let mut drive = started(with_defect(Defect::AbortWhileInDoubt));
    drive.ask_at(1, vec![write("/a", "1"), write("/b", "1")], Some(n(1)));
    run_until_appended(&mut drive, RecordKind::Decided);
    // The decision survives, but nobody has heard of it.
    drive.crash_keeping(n(1), 9);
    drive.run(Span::from_secs(10));
    violates(&drive, "participants_agree");
}

#[test]
fn recovery_without_pins_is_caught() {
    let mut drive = started(with_defect(Defect::RecoveryWithoutPins));
    drive.ask_at(1, vec![write("/a", "1"), write("/b", "1"), write("/c", "1")], Some(n(1)));
    run_until_appended(&mut drive, RecordKind::Decided);
    for node in [n(1), n(2), n(3)] {
        drive.crash_keeping(node, 9);
    }
    drive.start(n(2));
    drive.start(n(3));
    for at in ["/a", "/b", "/c"] {
        drive.ask(2, vec![read(at)]);
    }
    drive.run(Span::from_secs(5));
    violates(&drive, "in_doubt_keeps_its_pins");
}

#[test]
fn an_outcome_that_a_participant_forgets_is_caught() {
    let mut drive = started(with_defect(Defect::OutcomeForgottenByParticipant));
    drive.ask_at(1, vec![write("/a", "1"), write("/b", "1"), write("/c", "1")], Some(n(1)));
    run_until_appended(&mut drive, RecordKind::Decided);
    drive.crash(n(3));
    run_until_appended(&mut drive, RecordKind::Applied);
    drive.run(Span::from_millis(3));
    drive.crash(n(1));
    drive.start(n(3)); // in doubt, and only n2 can tell
    drive.run(Span::from_secs(5));
    violates(&drive, "decisions_are_final");
}

#[test]
fn a_promise_that_is_not_durable_is_caught() {
    let mut drive = started(with_defect(Defect::NoToldBeforeItIsDurable));
    drive.ask_at(1, vec![write("/a", "1"), write("/b", "1"), write("/c", "1")], Some(n(1)));
    // One participant has voted when the other, and then the coordinator, go.
    let happens = drive.run_until(|step| {
        seen(step).any(|seen| match seen {
            Seen::Sent { message, .. } => message.kind() == MessageKind::Execute,
            _ => false,
        })
    });
    assert!(happens);
    drive.crash(n(3));
    run_until_appended(&mut drive, RecordKind::Voted);
    drive.run(Span::from_millis(2));
    drive.crash(n(1));
    drive.start(n(3));
    drive.run(Span::from_secs(5));
    violates(&drive, "promise_is_durable_before_it_leaves");
}

/// Ten seconds of requests, losses, copies, reordering and crashes, then quiet.
fn storm(settings: Settings, seed: u64) -> Drive {
    let mut drive = started(settings);
    let mut draw = Draw(seed);
    drive.weather = Some(Draw(seed ^ 0xabcd));
    let mut down: Vec<NodeId> = Vec::new();
    for _ in 0..150 {
        if drive.violation.is_some() {
            return drive;
        }
        let client = 1 + draw.below(2) as u16;
        match draw.below(40) {
            0..30 => {
                let (operations, coordinator) = (drawn(&mut draw), 1 + draw.below(3) as u16);
                drive.ask_at(client, operations, Some(n(coordinator)));
            }
            30..33 => {
                drive.request(client, acquire("/a"));
            }
            33..35 => {
                drive.request(client, Request::Release { path: path("/a") });
            }
            35..=37 => {
                let victim = [NodeId::CONTROL, n(1), n(2), n(3)][draw.below(4) as usize];
                if !down.contains(&victim) {
                    drive.crash_keeping(victim, draw.below(4) as u32);
                    down.push(victim);
                }
            }
            38 => drive.run(Span::from_secs(1)),
            _ => down.drain(..).for_each(|node| drive.start(node)),
        }
        drive.run(Span::from_micros(draw.below(140_000)));
    }
    drive.weather = None;
    drive.start_all();
    drive
}

fn drawn(draw: &mut Draw) -> Vec<Operation> {
    let paths = ["/a", "/b", "/c", "/d"];
    let count = 1 + draw.below(3);
    let one = |_| {
        let at = paths[draw.below(4) as usize];
        match draw.below(10) {
            0..4 => read(at),
            4..8 => write(at, &draw.below(1000).to_string()),
            8 => delete(at),
            _ => rename(at, paths[draw.below(4) as usize]),
        }
    };
    (0..count).map(one).collect()
}

#[test]
fn a_storm_is_lawful() {
    let seeds = 20;
    let mut commits = 0;
    for mode in MODES {
        for seed in 0..seeds {
            let mut drive = storm(settings(mode), seed);
            drive.run(Span::from_secs(60));
            assert_eq!(drive.violation, None, "{mode:?} {seed}");
            let world = drive.world.clone();
            assert_eq!(drive.oracle.at_end(&world), Ok(()), "{mode:?} {seed}");
            commits += drive.oracle.model().commits;
        }
    }
    assert!(commits > 60 * seeds, "{commits}");
}

/// The name that some storm under `defect` shows, and no storm another.
#[track_caller]
fn storms_violate(defect: Defect, name: &str) {
    let mut caught = 0;
    for seed in 0..20 {
        let drive = storm(with_defect(defect), seed);
        if drive.violation.is_some() {
            violates(&drive, name);
            caught += 1;
        }
    }
    assert!(caught > 0, "{defect}");
}

#[test]
fn a_write_that_the_fence_should_stop_is_caught() {
    storms_violate(Defect::FenceKeptInMemory, "no_write_below_the_claimed_token");
    storms_violate(Defect::ClaimSkipped, "no_write_below_the_claimed_token");
}

#[test]
fn a_record_that_recovery_skips_is_caught() {
    let settings = with_defect(Defect::CorruptRecordSkipped);
    let mut drive = started(Settings { checkpoint_records: 1000, replicas: 3, ..settings });
    for number in 0..3 {
        drive.ask_at(1, vec![write("/a", "1"), write("/b", &number.to_string())], Some(n(1)));
        drive.run(Span::from_secs(1));
    }
    // Its records prove that those before were durable.
    drive.ask_at(1, vec![write("/c", "1")], Some(n(1)));
    drive.run(Span::from_secs(1));
    drive.crash(n(2));
    let kinds = drive.world.host(n(2)).disk().durable_records().map(Record::kind);
    let applied = (0..).zip(kinds).filter(|(_, kind)| *kind == RecordKind::Applied);
    let applied: Vec<u32> = applied.map(|(record, _)| record).collect();
    let [.., record, _] = applied[..] else { panic!("it has applied something") };
    drive.start_rotten(n(2), Rot { record, bit: 200 });
    let violation = drive.violation.expect("a violation");
    assert_eq!(violation.invariant.name(), "acknowledged_writes_survive", "{:?}", violation.breach);
}

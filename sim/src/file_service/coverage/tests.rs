//! What real runs have tried.

use seedbed::proto::{MessageKind, RecordKind};

use super::*;
use crate::cell::{MessageFate, RecordFate};
use crate::file_service::scenario::WishKind;
use crate::file_service::{Cell, ChaosKind, RunReport, Simulation, Verdict};
use crate::name::Name;

/// A file on three nodes, of which /a lives on n3, /c on n1 and /d on n2.
const WRITE: &str = "[cluster]\nnodes = 3\nreplicas = 1\nclients = 2\n\
    [[script]]\nclient = 'c1'\nat = '1s'\ncoordinator = 'n3'\n\
    transaction = [{ write = '/a', data = '1' }, { write = '/c', data = '1' }]\n";

fn scenario(text: &str) -> Scenario {
    Scenario::parse("x.toml", &format!("title = 'x'\n{text}")).unwrap_or_else(|e| panic!("{e}"))
}

fn run(text: &str, seed: u64) -> RunReport {
    let scenario = scenario(text);
    let mut simulation = Simulation::new(&scenario, seed).covered();
    while simulation.next_at().is_some() {
        simulation.advance(&mut ());
    }
    simulation.finish()
}

/// The phases that faults of a kind met.
fn met(text: &str, kind: FaultKind) -> Vec<Phase> {
    let run = run(text, 1);
    assert_eq!(run.verdict, Verdict::Pass);
    let of_kind = run.covered.iter().filter_map(|cell| match cell {
        Cell::Strike(of, phase) if *of == kind => Some(*phase),
        Cell::Strike(..) | Cell::Pair(..) | Cell::Message(..) => None,
        Cell::Record(..) | Cell::Refused(_) | Cell::Situation(_) => None,
    });
    of_kind.collect()
}

/// What a pause meets that strikes at a milestone at one machine.
fn met_at(base: &str, milestone: &str, node: &str, kind: &str) -> Vec<Phase> {
    let when = format!("when = {{ milestone = '{milestone}', node = '{node}' }}");
    let (fault, of) = match kind {
        "crash" => ("crash", FaultKind::General(GeneralFault::Crash)),
        _ => ("pause", FaultKind::General(GeneralFault::Pause)),
    };
    met(&format!("{base}[[fault]]\n{when}\n{fault} = '{node}'\n"), of)
}

#[test]
fn a_transaction_is_met_in_each_of_its_phases() {
    let steps = [
        ("prepare_sent", "n3", vec![Phase::CoordinatorPreparing]),
        ("ready_sent", "n1", vec![Phase::ParticipantReady]),
        ("execute_sent", "n3", vec![Phase::CoordinatorVoting]),
        ("voted_appended", "n1", vec![Phase::ParticipantVoting, Phase::DiskSyncing]),
        ("voted_durable", "n1", vec![Phase::ParticipantInDoubt]),
        ("decided_appended", "n3", vec![Phase::CoordinatorDeciding, Phase::DiskSyncing]),
        ("decided_durable", "n3", vec![Phase::CoordinatorCommitting]),
        ("applied_appended", "n1", vec![Phase::ParticipantApplying, Phase::DiskSyncing]),
        ("applied_durable", "n1", vec![Phase::Idle]),
    ];
    for (milestone, node, phases) in steps {
        assert_eq!(met_at(WRITE, milestone, node, "pause"), phases, "{milestone}");
        assert_eq!(met_at(WRITE, milestone, node, "crash"), phases, "{milestone}");
    }
}

#[test]
fn a_lock_is_met_at_its_client_and_at_the_lock_server() {
    let locks = "[cluster]\nclients = 2\n\
        [[script]]\nclient = 'c1'\nat = '1s'\nacquire = '/a'\n\
        [[script]]\nclient = 'c2'\nat = '2s'\nacquire = '/a'\n\
        [[script]]\nclient = 'c1'\nat = '4s'\nrelease = '/a'\n\
        [[script]]\nclient = 'c2'\nat = '8s'\nrelease = '/a'\n";
    let pause = |milestone, node| met_at(locks, milestone, node, "pause");
    assert_eq!(pause("acquire_sent", "c1"), [Phase::ClientWaiting]);
    assert_eq!(pause("granted_received", "c1"), [Phase::ClientClaiming]);
    assert_eq!(pause("release_sent", "c1"), [Phase::ClientHolding, Phase::ClientAsking]);
    let granting = [Phase::LockServerGranting, Phase::DiskSyncing];
    assert_eq!(pause("grant_appended", "control"), granting);
    assert_eq!(pause("lock_queued", "control"), [Phase::LockServerLine]);
}

/// n4 joins and pulls one path at a time.
const JOIN: &str = "[cluster]\nmembership = 'managed'\nnodes = 3\nspare = 1\nclients = 2\n\
    virtual_nodes = 20\nchunk_paths = 1\n[timing]\nchunk_pause = '50ms'\n\
    [workload]\nkind = 'files'\npaths = 24\n[[fault]]\nat = '10s'\njoin = 'n4'\n";

#[test]
fn a_view_and_its_hand_overs_are_met_at_every_machine_that_takes_part() {
    let bump = |milestone: &str, node: &str| {
        let when = format!("when = {{ milestone = '{milestone}' }}");
        met(
            &format!("{JOIN}[[fault]]\n{when}\nbump = '{node}'\nby = '1us'\n"),
            FaultKind::General(GeneralFault::Bump),
        )
    };
    let has = |milestone: &str, node: &str, phase: Phase| {
        let met = bump(milestone, node);
        assert!(met.contains(&phase), "{milestone} at {node}: {met:?} lacks {}", phase.name());
    };
    has("node_joined", "control", Phase::CentreAnnounced);
    has("hand_over_done", "control", Phase::CentreActive);
    has("hand_over_begun", "receiver", Phase::ReceiverAsking);
    has("hand_over_begun", "receiver", Phase::Joiner);
    has("hand_over_begun", "source", Phase::Source);
    has("hand_over_begun", "source", Phase::MemberUnsettled);
    has("chunk_sent", "receiver", Phase::ReceiverChunk);
    let after = bump("hand_over_done", "source");
    assert!(!after.contains(&Phase::Source), "{after:?}");
    let join = met(JOIN, FaultKind::Operator(WishKind::Join));
    assert!(!join.contains(&Phase::MemberUnsettled), "{join:?}");
}

#[test]
fn a_node_that_leaves_is_a_leaver_until_the_view_has_settled() {
    let leave = JOIN.replace("spare = 1", "spare = 0").replace("nodes = 3", "nodes = 4");
    let leave = leave.replace("join = 'n4'", "leave = 'n4'");
    let when = "when = { milestone = 'hand_over_begun' }";
    let bump = format!("{leave}[[fault]]\n{when}\nbump = 'n4'\nby = '1us'\n");
    assert!(met(&bump, FaultKind::General(GeneralFault::Bump)).contains(&Phase::Leaver));
}

#[test]
fn a_vote_for_a_coordinator_without_a_disk_is_orphaned() {
    let text = "[cluster]\nmembership = 'managed'\nnodes = 4\nclients = 2\nreplicas = 3\n\
        virtual_nodes = 8\n[workload]\nkind = 'bank'\npaths = 4\n\
        [[fault]]\nwhen = { milestone = 'all_voted', nth = 20 }\nwipe = 'coordinator'\n\
        restart_after = '3s'\n\
        [[fault]]\nwhen = { milestone = 'resolve_sent' }\npause = 'participant'\nfor = '1ms'\n";
    let orphaned = met(text, FaultKind::General(GeneralFault::Pause));
    assert!(orphaned.contains(&Phase::ParticipantOrphaned), "{orphaned:?}");
    assert!(!orphaned.contains(&Phase::ParticipantInDoubt), "{orphaned:?}");
    assert!(situations(text).contains(&Situation::Orphaned));
}

/// The pairs of faults that a file with these faults has.
fn pairs(faults: &str) -> Vec<String> {
    let run = run(&format!("{JOIN}{faults}"), 1);
    let pairs = run.covered.iter().filter(|cell| matches!(cell, Cell::Pair(..)));
    pairs.map(Cell::to_string).collect()
}

#[test]
fn a_fault_is_in_effect_until_it_ends() {
    let fault = |at: &str, what: &str| format!("[[fault]]\nat = '{at}'\n{what}\n");
    let crash = fault("2s", "crash = 'n1'\nrestart_after = '1s'");
    let later = |at: &str| fault(at, "pause = 'c1'\nfor = '1ms'");
    assert_eq!(pairs(&format!("{crash}{}", later("2900ms"))), ["crash+pause"]);
    assert_eq!(pairs(&format!("{crash}{}", later("3100ms"))), [""; 0]);
    let isolate = fault("2s", "isolate = 'n1'\nfor = '1s'");
    assert_eq!(pairs(&format!("{isolate}{}", later("2900ms"))), ["isolate+pause"]);
    assert_eq!(pairs(&format!("{isolate}{}", later("3100ms"))), [""; 0]);
    let bump = fault("2s", "bump = 'n1'\nby = '1us'");
    assert_eq!(pairs(&format!("{bump}{}", later("2s"))), [""; 0]);
    assert_eq!(
        pairs(&format!("{}{bump}", fault("1s", "pause = 'c1'\nfor = '2s'"))),
        ["pause+bump"]
    );
    // A machine that crashes while it is paused goes on no more.
    let both = [fault("1s", "pause = 'n2'"), fault("2s", "crash = 'n2'\nrestart_after = '1s'")];
    let all = pairs(&format!("{}{}", both.concat(), fault("4s", "bump = 'n1'\nby = '1us'")));
    assert_eq!(all, ["pause+crash"]);
}

#[test]
fn a_fault_until_a_milestone_ends_there_and_not_before() {
    let faults = [
        "crash = 'n1'",
        "bit_rot = 'n1'",
        "pause = 'n1'",
        "isolate = 'n1'",
        "partition = [['n1'], ['n2', 'n3']]",
        "clog = { from = 'n1', to = 'n2' }",
        "delay = { from = 'n1', to = 'n2' }\nby = ['1s', '1s']",
        "loss = { from = 'n1', to = 'n2' }\nshare = 0.5",
        "duplicate = { from = 'n1', to = 'n2' }\nshare = 0.5",
        "drift = 'n1'\nppm = 100",
        "slow_disk = 'n1'\nsync = ['1s', '1s']",
        "stalled_disk = 'n1'",
        "full_disk = 'n1'",
        "majorities_ring = true",
    ];
    // The pause at 1 s comes before the fault strikes and does not count.
    let pause = |at: &str| format!("[[fault]]\nat = '{at}'\npause = 'c1'\nfor = '1ms'\n");
    let marks = ["1s", "3s", "5s"].map(pause).concat();
    for fault in faults {
        let until = "until = { milestone = 'paused', node = 'c1', nth = 2, after = '500ms' }";
        let text = format!("{marks}[[fault]]\nat = '2s'\n{fault}\n{until}\n");
        let meets = |at: &str| {
            let bump = format!("[[fault]]\nat = '{at}'\nbump = 'c2'\nby = '1us'\n");
            pairs(&format!("{text}{bump}")).iter().any(|pair| pair.ends_with("+bump"))
        };
        assert!(meets("5400ms"), "{fault} has ended before");
        // A start that reads a wrong bit is refused, and tried again a second later.
        let over = if fault.starts_with("bit_rot") { "7s" } else { "5600ms" };
        assert!(!meets(over), "{fault} goes on");
    }
}

#[test]
fn a_disk_is_lost_until_its_node_is_a_member_and_complete_again() {
    let wipe = "[[fault]]\nat = '12s'\nwipe = 'n2'\nrestart_after = '1s'\n";
    let at = |at: &str| format!("{wipe}[[fault]]\nat = '{at}'\npause = 'c1'\nfor = '1ms'\n");
    assert_eq!(pairs(&at("13100ms")), ["wipe+pause"], "it is up and has pulled nothing");
    assert_eq!(pairs(&at("29s")), [""; 0], "it is complete");
}

#[test]
fn each_crash_of_a_series_is_of_the_kind_of_the_series() {
    let text = "[workload]\nkind = 'files'\n[[fault]]\nat = '1s'\nrolling_restart = true\n";
    assert!(!met(text, FaultKind::General(GeneralFault::RollingRestart)).is_empty());
    assert_eq!(met(text, FaultKind::General(GeneralFault::Crash)), []);
    let drawn = "[workload]\nkind = 'files'\n[chaos]\nkinds = ['attrition']\n";
    assert!(!met(drawn, FaultKind::General(GeneralFault::Attrition)).is_empty());
    assert_eq!(met(drawn, FaultKind::General(GeneralFault::Crash)), []);
}

#[test]
fn both_ends_of_a_degraded_link_are_struck_and_what_it_delays_is_seen() {
    let text =
        "[workload]\nkind = 'files'\n[chaos]\nkinds = ['delay']\ninterval = ['50ms', '200ms']\n";
    let run = run(text, 1);
    let met =
        |phase| run.covered.contains(&Cell::Strike(FaultKind::General(GeneralFault::Delay), phase));
    assert!(met(Phase::ClientAsking) && met(Phase::ParticipantReady), "{:?}", run.covered);
    let delayed = |kind| run.covered.contains(&Cell::Message(MessageFate::Delayed, kind));
    assert!(delayed(MessageKind::Begin) && delayed(MessageKind::Prepare));
    let lost =
        run.covered.iter().filter(|cell| matches!(cell, Cell::Message(MessageFate::Lost, _)));
    assert_eq!(lost.count(), 0);
}

#[test]
fn records_that_a_crash_takes_and_tears_and_refusals_are_seen() {
    let crash = "[[fault]]\nwhen = { milestone = 'voted_appended', node = 'n1' }\ncrash = 'n1'\n";
    let refused = "[[script]]\nclient = 'c2'\nat = '9s'\ndelete = '/no'\n";
    let text = format!("{WRITE}{crash}restart_after = '1s'\n{refused}");
    let seen: BTreeSet<Cell> = (0..40).flat_map(|seed| run(&text, seed).covered).collect();
    for fate in RecordFate::ALL {
        assert!(seen.contains(&Cell::Record(*fate, RecordKind::Voted)), "{fate:?}");
    }
    let records = seen.iter().filter(|cell| matches!(cell, Cell::Record(..)));
    assert_eq!(records.count(), 2, "{seen:?}");
    let refusals: Vec<&Cell> = seen.iter().filter(|c| matches!(c, Cell::Refused(_))).collect();
    assert_eq!(refusals, [&Cell::Refused(Reason::NotFound)]);
}

/// The situations that a run gets into.
fn situations(text: &str) -> Vec<Situation> {
    let covered = run(text, 1).covered.into_iter();
    let situations = covered.filter_map(|cell| match cell {
        Cell::Situation(situation) => Some(situation),
        Cell::Strike(..) | Cell::Pair(..) | Cell::Message(..) => None,
        Cell::Record(..) | Cell::Refused(_) => None,
    });
    situations.collect()
}

#[test]
fn a_run_is_in_a_situation_if_all_of_it_is_there_at_once() {
    let at = |at: &str, what: &str| format!("[[fault]]\nat = '{at}'\n{what}\n");
    let on = |milestone: &str, what: &str| {
        format!("[[fault]]\nwhen = {{ milestone = '{milestone}', nth = 5 }}\n{what}\n")
    };
    let is_seen = |faults: &str, expected: &[Situation]| {
        assert_eq!(situations(&format!("{JOIN}{faults}")), expected, "{faults}");
    };
    let down = at("2s", "crash = 'n1'\nrestart_after = '2s'");
    let crash = |time| format!("{down}{}", at(time, "crash = 'control'\nrestart_after = '1s'"));
    is_seen("", &[]);
    is_seen(&at("2s", "pause = 'c1'\nfor = '1s'"), &[]);
    is_seen(&at("2s", "partition = [['n1'], ['n2', 'n3']]\nfor = '1s'"), &[]);
    is_seen(&crash("5s"), &[Situation::NodeAway]);
    is_seen(&crash("3s"), &[Situation::NodeAway, Situation::CrashBesideAnother]);
    is_seen(&at("10010ms", "leave = 'n4'"), &[Situation::ViewOverUnsettled]);
    let wipe = |milestone| on(milestone, "wipe = 'there'\nrestart_after = '1s'");
    let wiped = situations(&format!("{JOIN}{}", wipe("participant_in_doubt")));
    assert!(wiped.contains(&Situation::WipeInDoubt), "{wiped:?}");
    assert!(!wiped.contains(&Situation::WipeInHandOver), "{wiped:?}");
    let wiped = situations(&format!("{JOIN}{}", wipe("chunk_sent")));
    assert!(wiped.contains(&Situation::WipeInHandOver), "{wiped:?}");
}

#[test]
fn a_last_copy_is_lost_with_the_disk_of_the_only_owner() {
    let is_lost = |replicas: u16| {
        let wipes = ["n1", "n2", "n3"]
            .map(|node| format!("[[fault]]\nat = '2s'\nwipe = '{node}'\nrestart_after = '1s'\n"));
        // With two owners the first loss leaves another copy.
        let wipes = if replicas == 1 { wipes.concat() } else { wipes[0].clone() };
        let cluster = format!("[cluster]\nmembership = 'managed'\nreplicas = {replicas}\n");
        let script = "[[script]]\nclient = 'c1'\nat = '1s'\nwrite = '/a'\ndata = 'x'\n";
        situations(&format!("{cluster}{script}{wipes}")).contains(&Situation::LastCopyLost)
    };
    assert!(is_lost(1) && !is_lost(2));
}

#[test]
fn a_checkpoint_that_is_being_written_is_met() {
    let text = "[cluster]\ncheckpoint_records = 5\n[workload]\nkind = 'files'\n\
        [chaos]\nkinds = ['slow_disk']\ninterval = ['1ms', '2ms']\n";
    assert!(
        met(text, FaultKind::General(GeneralFault::SlowDisk)).contains(&Phase::DiskCheckpointing)
    );
}

#[test]
fn to_watch_changes_no_run_and_what_a_file_rules_out_is_not_seen() {
    let all = ChaosKind::all().map(|kind| format!("'{}'", kind.name()));
    let kinds = all.collect::<Vec<_>>().join(", ");
    let text = format!(
        "[cluster]\nmembership = 'managed'\nnodes = 4\nspare = 1\nclients = 3\n\
         [workload]\nkind = 'files'\n[chaos]\nkinds = [{kinds}]\n\
         budget = {{ nodes_down = 1, wipes = 1 }}\n"
    );
    let scenario = scenario(&text);
    for seed in 0..10 {
        let watched = run(&text, seed);
        let mut plain = Simulation::new(&scenario, seed);
        while plain.next_at().is_some() {
            plain.advance(&mut ());
        }
        let plain = plain.finish();
        assert_eq!((plain.digest, plain.steps), (watched.digest, watched.steps));
        assert!(plain.covered.is_empty() && !watched.covered.is_empty());
        for cell in watched.covered {
            assert_eq!(scenario.why_never_covered(cell), None, "{cell} with seed {seed}");
        }
    }
}

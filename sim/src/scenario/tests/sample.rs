//! A file with every table, key by key.

use seedbed::proto::ring::HashKind;
use seedbed::proto::{
    Action, Command, CommitMode, Contents, Defect, Membership, MessageKind, NodeId, Operation,
    Request, Settings, Span, Version,
};

use super::*;
use crate::fault::{ChaosKind, Cut, Fault, Restart};
use crate::milestone::Milestone;
use crate::quantity::{Ppb, SpanRange};

fn n(number: u16) -> NodeId {
    NodeId::storage(number)
}

fn c(number: u16) -> NodeId {
    NodeId::client(number)
}

fn millis(min: u64, max: u64) -> SpanRange {
    SpanRange::from_millis(min, max)
}

fn operation(path: &str, action: Action) -> Operation {
    Operation { path: path_of(path), action, token: None }
}

fn path_of(path: &str) -> seedbed::proto::Path {
    seedbed::proto::Path::new(path).unwrap()
}

#[test]
fn the_cluster_and_what_it_runs_on() {
    let Scenario { title, about, seeds, cast, config, network, disk, clocks, .. } = sample();
    assert_eq!((&*title, &*about), ("every table once", "What a file may say."));
    assert_eq!(seeds, Seeds { start: 7, count: 20 });
    assert_eq!(cast, Cast { nodes: 4, spare: 2, clients: 2 });
    assert_eq!((cast.machines().count(), cast.storage()), (9, 6));
    assert_eq!((config.members.len(), config.replicas, config.virtual_nodes), (4, 3, 50));
    assert_eq!((config.hash, config.commit), (HashKind::Md5, CommitMode::TwoPhase));
    let defects = [Defect::VoteNotForced, Defect::ReadOnlyLeavesEarly];
    assert_eq!(config.defects.iter().collect::<Vec<_>>(), defects);
    assert_eq!(config.attempt_timeout, Span::from_millis(1_500));
    assert_eq!((config.drift_max_ppm, config.checkpoint_records), (200, 500));
    assert_eq!(config.membership, Membership::Managed);
    assert_eq!((config.ring_bits, config.chunk_paths), (16, 3));
    let spans = [config.membership_lease, config.chunk_pause];
    assert_eq!(spans, [1_000, 1].map(Span::from_millis));
    assert_eq!((network.latency, network.spike_latency), (millis(2, 20), millis(1_000, 2_000)));
    assert_eq!([network.loss, network.spike].map(Ppb::get), [10_000_000, 1_000_000]);
    let control = NodeId::CONTROL;
    let there = Link { from: c(1), to: control, latency: Some(millis(50, 80)), loss: None };
    let back = Link { from: control, to: c(1), latency: None, loss: Some(Ppb::ONE) };
    assert_eq!(network.links, [there, back]);
    assert_eq!(disk.sync.min, Span::from_micros(200));
    let ahead = Clock { node: c(1), offset: Span::from_secs(5), drift_ppm: -200 };
    assert_eq!(clocks, [ahead, Clock { node: n(1), offset: Span::ZERO, drift_ppm: 5_000 }]);
}

#[test]
fn the_requests() {
    let Scenario { workload, script, .. } = sample();
    let read_fraction = Ppb::new(500_000_000).unwrap();
    let kind = WorkloadKind::Files { read_fraction, contents_bytes: 0 };
    assert_eq!(workload, Some(Workload { kind, operations: 1_000, paths: 4, think: millis(1, 1) }));
    let operations = [
        operation("/a", Action::Write(Contents::from("1"), None)),
        operation("/b", Action::Read),
        operation("/c", Action::Create(Contents::from(""))),
        operation("/d", Action::Delete(Some(Version(3)))),
        operation("/e", Action::Rename(path_of("/f"), None)),
    ];
    let files = |operations: &[Operation], coordinator| Request::Files {
        operations: operations.into(),
        coordinator,
    };
    assert_eq!(script[0].request, files(&operations, Some(n(2))));
    assert_eq!((script[0].client, script[0].at), (c(1), Span::from_secs(1)));
    let write = operation("/a", Action::Write(Contents::from("x"), Some(Version(3))));
    assert_eq!(script[1].request, files(&[write], None));
    assert_eq!(script[2].request, Request::Acquire { path: path_of("/a"), wait: true });
    assert_eq!(script[3].request, Request::Acquire { path: path_of("/a"), wait: false });
    assert_eq!(script[4].request, Request::Release { path: path_of("/a") });
    assert_eq!(script.len(), 7);
    let answers: Vec<_> = script.iter().filter_map(|script| script.answer.clone()).collect();
    let found = Answer::Finds(Some(Contents::from("x")));
    let exists = Answer::Refused(Some(Reason::Exists));
    assert_eq!(answers, [Answer::Done, Answer::Unknown, found, exists]);
}

#[test]
fn the_faults() {
    let lasts = |secs| Some(Span::from_secs(secs));
    let at = |secs| Trigger::At(Span::from_secs(secs));
    let when = |milestone| Trigger::When { milestone, nth: 1, node: None };
    let second = Trigger::When {
        milestone: Milestone::received(MessageKind::Prepare),
        nth: 2,
        node: Some(n(1)),
    };
    let coordinator = Target::Role(Role::Coordinator);
    let crash = |target, restart| Fault::Crash { node: target, restart };
    let after = |secs| Restart::After(Span::from_secs(secs));
    let one_way = Cut::OneWay { from: vec![n(1), NodeId::CONTROL], to: vec![n(2), c(1)] };
    let clogged = Cut::OneWay { from: vec![c(1)], to: vec![NodeId::CONTROL] };
    let control = Target::Node(NodeId::CONTROL);
    let set = Command::Set {
        replicas: Some(2),
        virtual_nodes: Some(8),
        lock_lease: Some(Span::from_secs(5)),
        membership_lease: Some(Span::from_millis(500)),
    };
    let expected = [
        (when(Milestone::ALL_VOTED), crash(coordinator, after(20))),
        (second, crash(Target::Node(n(1)), Restart::Never)),
        (at(1), crash(Target::Node(c(2)), Restart::WhenHealed)),
        (
            when(Milestone::LOCK_GRANTED),
            Fault::Pause { node: Target::Role(Role::Holder), lasts: lasts(15) },
        ),
        (at(4), Fault::Cut { links: Cut::Isolate(control), lasts: None }),
        (at(5), Fault::Cut { links: one_way, lasts: lasts(5) }),
        (at(5), Fault::Cut { links: clogged, lasts: lasts(60) }),
        (at(6), Fault::Cut { links: Cut::MajoritiesRing, lasts: lasts(2) }),
        (when(Milestone::CRASHED), Fault::ClockJump { node: control, by: Span::from_secs(5) }),
        (at(7), Fault::BitRot { node: Target::Node(n(3)), rot: None, restart: after(0) }),
        (
            when(Milestone::ALL_VOTED),
            Fault::Wipe { node: Target::Role(Role::Participant), restart: after(1) },
        ),
        (at(8), Fault::RollingRestart { down: Span::from_millis(100), pause: Span::from_secs(1) }),
        (at(8), Fault::Attrition { count: 2, pause: Span::from_millis(10), restart: after(3) }),
        (at(9), Fault::Operator(Command::Join(n(6)))),
        (at(9), Fault::Operator(Command::Leave(n(1)))),
        (at(9), Fault::Operator(set)),
        (at(10), Fault::Operator(Command::AcceptLoss)),
    ];
    assert_eq!(sample().faults, expected.map(|(trigger, fault)| ScriptedFault { trigger, fault }));
}

#[test]
fn the_rest() {
    let Scenario { messages, chaos, phases, expect, .. } = sample();
    let rule = |kind, from, to, nth, fate| MessageRule { kind, from, to, nth, fate };
    let span = Span::from_secs(5);
    let rules = [
        rule(MessageKind::Commit, None, Some(n(2)), Some(1), Fate::Drop),
        rule(MessageKind::Granted, None, None, None, Fate::Delay(span)),
        rule(MessageKind::Acquire, Some(c(1)), None, None, Fate::Duplicate(span)),
    ];
    assert_eq!(messages, rules);
    let chaos = chaos.expect("chaos");
    assert_eq!(chaos.kinds, [ChaosKind::Crash, ChaosKind::SlowDisk, ChaosKind::Wipe]);
    let budget = Budget { storage_nodes_down: 2, control_down: true, clients_down: 1, wipes: 2 };
    assert_eq!((chaos.budget, chaos.duration), (budget, millis(1_000, 3_000)));
    let (safety, liveness) = (Span::from_secs(20), Span::from_secs(40));
    assert_eq!(phases, Phases { safety, liveness, probes: false });
    assert_eq!(expect.verdict, Expected::Blocks(Milestone::PARTICIPANT_IN_DOUBT));
    let reach = |milestone, at_least| Reach { milestone, at_least };
    let expected = [reach(Milestone::ALL_VOTED, 1), reach(Milestone::LOCK_GRANTED, 2)];
    assert_eq!(expect.reached, expected);
    let stored = [("/a", Some(Contents::from("gold"))), ("/e", None)];
    let stored = stored.map(|(path, contents)| Stored { path: path_of(path), contents });
    assert_eq!((&expect.stored[..], expect.unknown.get()), (&stored[..], 400_000_000));
}

#[test]
fn what_is_left_out_has_the_documented_value() {
    let scenario = Scenario::parse("x.toml", &around("")).unwrap();
    let usual = Config::new(Settings::default()).unwrap();
    assert_eq!(scenario.config, usual);
    assert_eq!(scenario.cast, Cast { nodes: 3, spare: 0, clients: 1 });
    assert_eq!(scenario.seeds, Seeds { start: 0, count: 100 });
    assert_eq!((scenario.network.latency, scenario.network.loss), (millis(1, 10), Ppb::ZERO));
    assert_eq!(scenario.disk.sync.max, Span::from_millis(2));
    let workload = scenario.workload.unwrap();
    assert_eq!((workload.operations, workload.paths, workload.think), (200, 8, millis(0, 50)));
    let read_fraction = Ppb::new(300_000_000).unwrap();
    assert_eq!(workload.kind, WorkloadKind::Files { read_fraction, contents_bytes: 16 });
    assert_eq!(scenario.expect, Expect::only(Expected::Pass));
    assert_eq!((scenario.chaos, scenario.swarm), (None, None));
    assert!(scenario.phases.probes);
    let one = Scenario::parse("x.toml", &around("cluster.nodes = 1")).unwrap();
    assert_eq!(one.config.replicas, 1);
}

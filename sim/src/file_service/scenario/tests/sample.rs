//! A file with every table, key by key.

use seedbed::machine::{NodeId, Span};
use seedbed::proto::ring::HashKind;
use seedbed::proto::{
    Action, Command, CommitMode, Config, Contents, Defect, Membership, MessageKind, Operation,
    RecordKind, Request, Settings, Version,
};

use super::*;
use crate::cast::Cast;
use crate::cell::GeneralFault;
use crate::fault::{
    Cut, Degradation, DiskTrouble, Fault, GeneralChaos, Leaves, Restart, Torn, Worse,
};
use crate::file_service::coverage::Phase;
use crate::file_service::refusal::Reason;
use crate::file_service::{Cell, ChaosKind, FaultKind, Milestone};
use crate::quantity::{Ppb, SpanRange};
use crate::scenario::{
    About, Asked, Budget, Clock, Expect, Expected, Fate, Link, MessageRule, Next, Occasion,
    Ordinals, Phases, Reach, Rounds, Seeds, SyncRule, Trigger,
};

fn n(number: u16) -> NodeId {
    NodeId::node(number)
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
    assert_eq!(cast, Cast { control: true, nodes: 4, spare: 2, clients: 2 });
    assert_eq!((cast.machines().count(), cast.all_nodes()), (9, 6));
    assert_eq!((config.members.len(), config.replicas, config.virtual_nodes), (4, 3, 50));
    assert_eq!((config.hash, config.commit), (HashKind::Md5, CommitMode::TwoPhase));
    let defects = [Defect::VoteNotForced, Defect::ReadOnlyLeavesEarly];
    assert_eq!(config.defects.iter().collect::<Vec<_>>(), defects);
    assert_eq!(config.attempt_timeout, Span::from_millis(1_500));
    assert_eq!((config.drift_max_ppm, config.checkpoint_records), (200, 500));
    assert_eq!(config.membership, Membership::Managed);
    assert_eq!((config.ring_bits, config.chunk_paths), (16, 3));
    let limits = &config.limits;
    let sizes = [limits.path_bytes, limits.contents_bytes, limits.operations, limits.queue];
    assert_eq!((sizes, limits.nodes), ([32, 100, 8, 2], Settings::default().limits.nodes));
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
    let workload = workload.expect("a workload");
    assert_eq!((workload.kind, workload.operations, workload.paths), (kind, 1_000, 4));
    assert_eq!((workload.think, workload.at_once), (millis(1, 1), 3));
    let shares = [workload.beyond_limits, workload.named].map(Ppb::get);
    assert_eq!(shares, [100_000_000, 1_000_000_000]);
    let operations = [
        operation("/a", Action::Write(Contents::from("1"), None)),
        operation("/b", Action::Read),
        operation("/c", Action::Create(Contents::from(""))),
        operation("/d", Action::Delete(Some(Version(3)))),
        operation("/e", Action::Rename(path_of("/f"), None)),
    ];
    let files = |operations: &[Operation]| Request::Files {
        operations: operations.into(),
        coordinator: None,
    };
    let request = |number: usize| &script[number].steps[0].request;
    assert_eq!(*request(0), files(&operations));
    assert_eq!(script[0].steps[0].first, Some(Target::Node(n(2))));
    let at = Trigger::At(Span::from_secs(1));
    assert_eq!((script[0].client, &script[0].begins), (Target::Node(c(1)), &at));
    assert!(script[..7].iter().all(|script| script.rounds == Rounds::ONCE));
    let write = operation("/a", Action::Write(Contents::from("x"), Some(Version(3))));
    assert_eq!(*request(1), files(&[write]));
    assert_eq!(*request(2), Request::Acquire { path: path_of("/a"), wait: true });
    assert_eq!(*request(3), Request::Acquire { path: path_of("/a"), wait: false });
    assert_eq!(*request(4), Request::Release { path: path_of("/a") });
    assert_eq!(script.len(), 10);
    let answers = script[..7].iter().filter_map(|script| script.steps[0].answer.clone());
    let found = Answer::Finds(vec![Some(Contents::from("x"))]);
    let exists = Answer::Refused(Some(Reason::Exists));
    let expected = [Answer::Done, Answer::Unknown, found, exists];
    assert_eq!(answers.collect::<Vec<_>>(), expected);
}

#[test]
fn scripts_that_wait_have_steps_and_are_repeated() {
    let Scenario { script, .. } = sample();
    let [waits, sequence, repeated] = &script[7..] else { panic!("three more scripts") };
    let about = About {
        of_system: Filter { lock: Some(path_of("/a")), ..Filter::default() },
        ..About::default()
    };
    let occasion = Occasion { about, ..Occasion::first(Milestone::LEASE_EXPIRED) };
    assert_eq!(waits.begins, Trigger::When(occasion));
    assert_eq!(waits.client, Target::Role(Part::Waiter));
    assert_eq!(waits.steps[0].first, Some(Target::Node(n(3))));
    assert_eq!(sequence.name.as_deref(), Some("ten times"));
    let pauses = sequence.steps.iter().map(|step| step.pause);
    let expected = [0, 100, 0].map(Span::from_millis);
    assert_eq!(pauses.collect::<Vec<_>>(), expected);
    assert_eq!(sequence.steps[1].answer, Some(Answer::Done));
    let next = Next::AfterAnswer(Span::from_secs(1));
    assert_eq!(sequence.rounds, Rounds { count: 10, next });
    let next = Next::Every(Span::from_millis(10));
    assert_eq!(repeated.rounds, Rounds { count: 3, next });
}

#[test]
fn the_faults() {
    let lasts = |secs| Some(Span::from_secs(secs));
    let at = |secs| Trigger::At(Span::from_secs(secs));
    let when = |milestone| Trigger::When(Occasion::first(milestone));
    let second = Trigger::When(Occasion {
        times: Ordinals { nth: 2, every: None },
        node: Some(Target::Node(n(1))),
        ..Occasion::first(Milestone::Received(MessageKind::Prepare))
    });
    let coordinator = Target::Role(Part::Coordinator);
    let leaves = Leaves::default();
    let crash = |target, restart| Fault::Crash { node: target, leaves, restart };
    let disk = |node, trouble, lasts| Fault::Disk { node: Target::Node(node), trouble, lasts };
    let after = |secs| Restart::After(Span::from_secs(secs));
    let named = |nodes: &[NodeId]| nodes.iter().copied().map(Target::Node).collect::<Vec<_>>();
    let one_way = Cut::OneWay { from: named(&[n(1), NodeId::CONTROL]), to: named(&[n(2), c(1)]) };
    let clogged = Cut::OneWay { from: named(&[c(1)]), to: named(&[NodeId::CONTROL]) };
    let control = Target::Node(NodeId::CONTROL);
    let wish = |wish, node| Fault::Operator { wish, node };
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
            Fault::Pause { node: Target::Role(Part::Holder), lasts: lasts(15) },
        ),
        (at(4), Fault::Cut { links: Cut::Isolate(control), lasts: None }),
        (at(5), Fault::Cut { links: one_way, lasts: lasts(5) }),
        (at(5), Fault::Cut { links: clogged, lasts: lasts(60) }),
        (at(6), Fault::Cut { links: Cut::MajoritiesRing, lasts: lasts(2) }),
        (at(6), Fault::Drop(Target::Node(n(2)))),
        (when(Milestone::CRASHED), Fault::ClockJump { node: control, by: Span::from_secs(5) }),
        (
            at(7),
            Fault::BitRot {
                node: Target::Node(n(3)),
                record: Some(1),
                bit: Some(7),
                restart: after(0),
            },
        ),
        (
            when(Milestone::ALL_VOTED),
            Fault::Wipe { node: Target::Role(Part::Participant), restart: after(1) },
        ),
        (at(8), Fault::RollingRestart { down: Span::from_millis(100), pause: Span::from_secs(1) }),
        (at(8), Fault::Attrition { count: 2, pause: Span::from_millis(10), restart: after(3) }),
        (at(9), wish(Wish::Join, Some(Target::Node(n(6))))),
        (at(9), wish(Wish::Leave, Some(Target::Node(n(1))))),
        (at(9), wish(Wish::Other(set), None)),
        (at(10), wish(Wish::Other(Command::AcceptLoss([].into())), None)),
        (
            at(11),
            Fault::Crash {
                node: Target::Node(n(2)),
                leaves: Leaves { kept: Some(2), torn: Some(Torn::Hole) },
                restart: after(1),
            },
        ),
        (at(11), disk(n(2), DiskTrouble::Slow(millis(50, 80)), lasts(3))),
        (at(12), disk(NodeId::CONTROL, DiskTrouble::Stalled, None)),
        (at(13), disk(n(3), DiskTrouble::Full, lasts(2))),
    ];
    let expected = expected.map(|(trigger, fault)| ScriptedFault { trigger, until: None, fault });
    assert_eq!(sample().faults[..22], expected);
}

#[test]
fn the_faults_at_roles() {
    let role = Target::Role;
    let lasts = |secs| Some(Span::from_secs(secs));
    let at = Trigger::At(Span::from_secs(11));
    let fifth = Occasion {
        times: Ordinals { nth: 5, every: Some(5) },
        after: Span::from_millis(100),
        about: About {
            of_system: Filter { path: Some(path_of("/a")), ..Filter::default() },
            ..About::default()
        },
        ..Occasion::first(Milestone::DECIDED)
    };
    let voted = Occasion {
        node: Some(role(Part::Participant)),
        about: About { request: Some(Asked::Script(8)), ..About::default() },
        ..Occasion::first(Milestone::durable(seedbed::proto::RecordKind::Voted).unwrap())
    };
    let txn = TxnName { coordinator: n(1), incarnation: 1, counter: 2 };
    let sent = Occasion {
        about: About {
            of_system: Filter { transaction: Some(txn), ..Filter::default() },
            ..About::default()
        },
        ..Occasion::first(Milestone::Sent(MessageKind::Commit))
    };
    let groups = vec![
        vec![role(Part::Coordinator), Target::Node(c(1))],
        vec![Target::All(Part::Participant)],
        vec![Target::Rest],
    ];
    let links = |from, to, how| Degradation { from, to, how };
    let slow = links(
        vec![role(Part::Participant)],
        vec![role(Part::Coordinator), Target::Node(c(1))],
        Worse::Slow(millis(1_000, 2_000)),
    );
    let half = Ppb::new(500_000_000).unwrap();
    let lossy =
        links(vec![Target::Node(n(1)), Target::Node(n(2))], vec![Target::Rest], Worse::Lossy(half));
    let doubling = links(
        vec![role(Part::Coordinator)],
        vec![role(Part::Participant)],
        Worse::Doubling(Ppb::ONE),
    );
    let expected = [
        (Trigger::When(fifth), Fault::Cut { links: Cut::Groups(groups), lasts: None }),
        (Trigger::When(voted), Fault::Degrade { what: slow, lasts: lasts(3) }),
        (at.clone(), Fault::Degrade { what: lossy, lasts: None }),
        (Trigger::When(sent), Fault::Degrade { what: doubling, lasts: None }),
        (at, Fault::ClockDrift { node: Target::Node(n(2)), ppm: -100, lasts: None }),
        (
            Trigger::When(Occasion::first(Milestone::NODE_DEPARTED)),
            Fault::Operator { wish: Wish::Join, node: Some(role(Part::Leaver)) },
        ),
    ];
    let expected = expected.map(|(trigger, fault)| ScriptedFault { trigger, until: None, fault });
    assert_eq!(sample().faults[22..], expected);
}

#[test]
fn the_rest() {
    let Scenario { messages, syncs, chaos, phases, expect, .. } = sample();
    let span = Span::from_secs(5);
    let rule = |kind, fate| MessageRule {
        kind,
        from: None,
        to: None,
        about: About::default(),
        times: Ordinals::all(),
        begins: None,
        lasts: None,
        fate,
    };
    let rules = [
        MessageRule {
            to: Some(Target::Node(n(2))),
            times: Ordinals { nth: 1, every: None },
            ..rule(MessageKind::Commit, Fate::Drop)
        },
        rule(MessageKind::Granted, Fate::Delay(span)),
        MessageRule {
            from: Some(Target::Node(c(1))),
            ..rule(MessageKind::Acquire, Fate::Duplicate(span))
        },
        MessageRule {
            from: Some(Target::Role(Part::Coordinator)),
            about: About {
                of_system: Filter { path: Some(path_of("/a")), ..Filter::default() },
                ..About::default()
            },
            times: Ordinals { nth: 2, every: Some(3) },
            begins: Some(Trigger::At(Span::from_secs(2))),
            lasts: Some(Span::from_secs(1)),
            ..rule(MessageKind::Prepare, Fate::Latency(Span::from_millis(7)))
        },
        MessageRule {
            from: Some(Target::Role(Part::Holder)),
            begins: Some(Trigger::When(Occasion::first(Milestone::LOCK_GRANTED))),
            ..rule(MessageKind::KeepAlive, Fate::Drop)
        },
    ];
    assert_eq!(messages, rules);
    let takes = SpanRange { min: Span::from_millis(300), max: Span::from_millis(300) };
    let vote = SyncRule { node: Some(n(1)), record: Some(RecordKind::Voted), nth: Some(2), takes };
    let any = SyncRule { node: None, record: None, nth: None, takes: millis(5, 9) };
    assert_eq!(syncs, [vote, any]);
    let chaos = chaos.expect("chaos");
    assert_eq!(
        chaos.kinds,
        [GeneralChaos::Crash, GeneralChaos::SlowDisk, GeneralChaos::Wipe].map(ChaosKind::General)
    );
    let budget = Budget { nodes_down: 2, control_down: true, clients_down: 1, wipes: 2 };
    assert_eq!((chaos.budget, chaos.duration), (budget, millis(1_000, 3_000)));
    assert!(chaos.options.last_copies);
    let (safety, liveness) = (Span::from_secs(20), Span::from_secs(40));
    assert_eq!(phases, Phases { safety, liveness, probes: false });
    assert_eq!(expect.verdict, Expected::Blocks(Milestone::PARTICIPANT_IN_DOUBT));
    let reach = |milestone, at_least, at_most| Reach { milestone, at_least, at_most };
    let expected =
        [reach(Milestone::ALL_VOTED, 1, None), reach(Milestone::LOCK_GRANTED, 2, Some(9))];
    assert_eq!(expect.reached, expected);
    let stored = [("/a", Some(Contents::from("gold"))), ("/e", None)];
    let stored = stored.map(|(path, contents)| Stored { path: path_of(path), contents });
    assert_eq!((&expect.at_end[..], expect.unknown.get()), (&stored[..], 400_000_000));
    let [crash, pause] = [GeneralFault::Crash, GeneralFault::Pause].map(FaultKind::General);
    let in_doubt = Cell::Strike(crash, Phase::ParticipantInDoubt);
    assert_eq!(expect.covered, [in_doubt, Cell::Pair(pause, crash)]);
}

#[test]
fn what_is_left_out_has_the_documented_value() {
    let scenario = Scenario::parse("x.toml", &around("")).unwrap();
    let usual = Config::new(Settings::default()).unwrap();
    assert_eq!(scenario.config, usual);
    assert_eq!(scenario.cast, Cast { control: true, nodes: 3, spare: 0, clients: 1 });
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

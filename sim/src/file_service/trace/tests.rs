//! How events, messages and records are told.

use std::sync::Arc;

use seedbed::machine::{Incarnation, NodeId, Span, Time};
use seedbed::proto::{
    Admission, Arcs, Chunk, Command, Epoch, FromCentre, Member, Message, Outcome, Pull, PullEnd,
    Record, Timer, ToCentre, TxnId, TxnMessage, Version, View, Views, Vote,
};

use super::*;
use crate::file_service::{Event, Fact, Packet, Scenario, Simulation, Step, World};
use crate::world::PacketId;

fn txn(counter: u32) -> TxnId {
    let coordinator = NodeId::node(1);
    TxnId { coordinator, admission: Admission(1), incarnation: Incarnation(1), counter }
}

#[test]
fn a_vote_arrives_and_something_comes_of_it() {
    let (n1, n2) = (NodeId::node(1), NodeId::node(2));
    let results = Arc::from([(0, Outcome::Changed(Version(3)))]);
    let message = Message::Txn(TxnMessage::Executed { txn: txn(4), vote: Vote::Yes(results) });
    let step = Step {
        index: 7,
        at: Time::from_nanos(1_204_310_000),
        event: Event::Deliver(PacketId(9)),
        packet: Some(Packet { from: n2, to: n1, message: message.into() }),
        facts: vec![
            Fact::Appended {
                node: n1,
                position: 17,
                record: Record::Over { txn: txn(3) },
                forced: false,
            },
            Fact::Sent {
                packet: PacketId(10),
                from: n1,
                to: n2,
                message: Message::Txn(TxnMessage::Inquire { txn: txn(4), asked: Admission(1) })
                    .into(),
            },
        ],
        ..Step::new()
    };
    let expected = [
        "     7    1.204310s  n1       <- n2 Executed yes n1.1/4; 0: v3 now",
        "     7    1.204310s  n1       log #17 n1.1/3 is over (lazy)",
        "     7    1.204310s  n1       -> n2 Inquire n1.1/4",
    ];
    assert_eq!(lines(&step), expected);
}

#[test]
fn a_wake_says_what_it_is_for() {
    let event = Event::Wake(NodeId::node(2));
    let step = Step { event, timer: Some(Timer::Inquire(txn(4))), ..Step::new() };
    assert_eq!(lines(&step), ["     0    0.000000s  n2       wakes: is in doubt about n1.1/4"]);
}

fn view(epoch: u32, nodes: &[u16], replicas: u16) -> View {
    let member = |node: &u16| Member {
        node: NodeId::node(*node),
        admission: Admission(u32::from(*node) + 10),
    };
    let members = nodes.iter().map(member).collect();
    let (lock_lease, membership_lease) = (Span::from_secs(10), Span::from_secs(2));
    let epoch = Epoch(epoch);
    let (virtual_nodes, given_up) = (20, [].into());
    View { epoch, members, replicas, virtual_nodes, lock_lease, membership_lease, given_up }
}

#[test]
fn views_name_their_members_and_the_settings_once() {
    let views = [view(2, &[1, 2], 3), view(3, &[1, 2, 3], 3), view(4, &[1], 2)];
    let message = Message::Views(Views {
        asked: None,
        views: views.into(),
        settled: Epoch(2),
        lost: [].into(),
    });
    assert_eq!(super::message(&message, Detail::Brief), "Views e2 to e4");
    assert_eq!(
        super::message(&message, Detail::Whole),
        "Views e2 to e4; e2: n1 under a11, n2 under a12; e3: n1 under a11, n2 under a12, n3 under \
         a13 with 3 replicas, 20 virtual nodes, lock leases of 10s, membership leases of 2s; e4: \
         n1 under a11 with 2 replicas, 20 virtual nodes, lock leases of 10s, membership leases of \
         2s; e2 has settled"
    );
    let announced = Record::Announced { view: view(3, &[1, 2, 3], 3) };
    assert_eq!(durable::<FileService>(7, &announced), "log #7 announced e3 of n1 n2 n3 is durable");
    let many: Vec<u16> = (1..=20).collect();
    let announced = Record::Announced { view: view(4, &many, 3) };
    assert_eq!(
        durable::<FileService>(8, &announced),
        "log #8 announced e4 of 20 members is durable"
    );
}

#[test]
fn a_hand_over_is_told_as_question_and_answer() {
    let (epoch, pull, incarnation) = (Epoch(3), 2, Incarnation(1));
    let (level, owner, arcs) = (Epoch(2), Admission(5), Arcs::all());
    let ask = Message::Pull(Pull { epoch, pull, incarnation, level, owner, arcs, after: None });
    assert_eq!(message(&ask, Detail::Brief), "Pull #2 for e3 of what e2 had");
    assert_eq!(
        message(&ask, Detail::Whole),
        "Pull #2 for e3 of what e2 had; by i1 from a5, on 1 arc, 100.0 %"
    );
    let chunk = |complete: &Arcs, witnessed: &Arcs| {
        Message::Chunk(Chunk {
            epoch,
            pull,
            incarnation,
            after: None,
            files: [].into(),
            doubtful: Arcs::default(),
            answers: [].into(),
            end: Some(PullEnd { complete: complete.clone(), witnessed: witnessed.clone() }),
        })
    };
    let (all, none) = (Arcs::all(), Arcs::default());
    let brief = |answer: &Message| message(answer, Detail::Brief);
    assert_eq!(brief(&chunk(&all, &none)), "Chunk #2 for e3, 0 paths: the last");
    assert_eq!(brief(&chunk(&none, &all)), "Chunk #2 for e3, 0 paths: only witnessed");
    assert_eq!(brief(&chunk(&all, &all)), "Chunk #2 for e3, 0 paths: the last, part is witnessed");
    assert_eq!(
        message(&chunk(&none, &all), Detail::Whole),
        "Chunk #2 for e3, 0 paths: only witnessed; for i1: none; 0 words on requests; complete \
         nowhere, witness on 1 arc, 100.0 %"
    );
}

#[test]
fn leases_are_told_by_what_they_count_from() {
    let (admission, incarnation, asked) = (Admission(5), Incarnation(1), Time::from_nanos(5_000));
    let beat = |known| {
        Message::ToCentre(ToCentre::Heartbeat {
            admission,
            incarnation,
            known,
            asked,
            answered: None,
        })
    };
    assert_eq!(message(&beat(Epoch(0)), Detail::Brief), "Heartbeat, knows no view");
    assert_eq!(
        message(&beat(Epoch(3)), Detail::Whole),
        "Heartbeat, knows e3; under a5 in i1, asked 0.000005s; last answered: none"
    );
    let (epoch, settled, lost) = (Epoch(3), Epoch(2), [].into());
    let alive = Message::FromCentre(FromCentre::Alive { incarnation, asked, epoch, settled, lost });
    assert_eq!(
        message(&alive, Detail::Whole),
        "Alive: a lease for e3; counts from 0.000005s of i1; e2 has settled"
    );
}

fn check_words_of_a_run(file: &str, text: &str) {
    let scenario = Scenario::parse(file, text).unwrap();
    let mut seen = 0;
    let mut watcher = |_: &World, step: &Step| {
        for line in lines(step) {
            seen += 1;
            assert!(!line.contains(['{', '}', '[', ']']), "{line}");
            assert!(!line.contains("Some(") && !line.contains("Id("), "{line}");
            assert!(!line.contains('\n') && line.trim_end() == line, "{line}");
        }
    };
    let mut simulation = Simulation::new(&scenario, 1);
    while simulation.next_at().is_some() {
        simulation.advance(&mut watcher);
    }
    assert!(seen > 1000, "{seen} lines");
}

#[test]
fn nothing_of_a_managed_run_is_spelled_as_code() {
    let text = "title = 'views'\n[cluster]\nnodes = 5\nclients = 2\nmembership = 'managed'\n\
                [workload]\nkind = 'files'\noperations = 60\n\
                [chaos]\nkinds = ['crash', 'pause', 'isolate']\n\
                [phases]\nsafety = '20s'\nliveness = '40s'";
    check_words_of_a_run("views.toml", text);
}

#[test]
fn nothing_of_a_run_is_spelled_as_code() {
    let text = "title = 'all sorts'\n[cluster]\nnodes = 3\nclients = 3\n\
                [workload]\nkind = 'locked_counter'\noperations = 60\npaths = 2\n\
                [chaos]\nkinds = ['crash', 'pause', 'partition', 'clog', 'duplicate', 'loss']\n\
                budget = { nodes_down = 1, control_down = true }\n\
                [phases]\nsafety = '10s'\nliveness = '40s'";
    check_words_of_a_run("all_sorts.toml", text);
}

#[test]
fn an_operator_and_a_lost_disk_are_told() {
    let node = NodeId::node(4);
    let said = |command| {
        let step = Step { event: Event::Command(command), ..Step::new() };
        lines(&step).concat().split_off(21)
    };
    let set = Command::Set {
        replicas: Some(3),
        virtual_nodes: None,
        lock_lease: Some(Span::from_secs(5)),
        membership_lease: None,
    };
    assert_eq!(said(Command::Join(node)), "control  operator: join n4");
    assert_eq!(said(Command::Leave(node)), "control  operator: leave n4");
    assert_eq!(said(set), "control  operator: set replicas 3, lock lease 5s");
    assert_eq!(said(Command::AcceptLoss([].into())), "control  operator: accept the loss");
    let facts = vec![Fact::Wiped { node }];
    let wiped = Step { event: Event::Wipe { node }, facts, ..Step::new() };
    let expected = [
        "     0    0.000000s  n4       crashes, and its disk is gone",
        "     0    0.000000s  n4       log and checkpoint are gone",
    ];
    assert_eq!(lines(&wiped), expected);
}

use std::sync::Arc;

use seedbed::proto::{
    Admission, Command, Incarnation, Message, NodeId, Outcome, Record, Span, Time, Timer, TxnId,
    Version, Vote,
};

use super::*;
use crate::scenario::Scenario;
use crate::simulation::Simulation;
use crate::world::{Packet, World};

fn txn(counter: u32) -> TxnId {
    let coordinator = NodeId::storage(1);
    TxnId { coordinator, admission: Admission(1), incarnation: Incarnation(1), counter }
}

#[test]
fn a_vote_arrives_and_something_comes_of_it() {
    let (n1, n2) = (NodeId::storage(1), NodeId::storage(2));
    let results = Arc::from([(0, Outcome::Changed(Version(3)))]);
    let message = Message::Executed { txn: txn(4), vote: Vote::Yes(results) };
    let step = Step {
        index: 7,
        at: Time::from_nanos(1_204_310_000),
        event: Event::Deliver(PacketId(9)),
        packet: Some(Packet { from: n2, to: n1, message }),
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
                message: Message::Inquire { txn: txn(4), asked: Admission(1), orphaned: false },
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
    let event = Event::Wake(NodeId::storage(2));
    let step = Step { event, timer: Some(Timer::Inquire(txn(4))), ..Step::new() };
    assert_eq!(lines(&step), ["     0    0.000000s  n2       wakes: is in doubt about n1.1/4"]);
}

#[test]
fn an_operator_and_a_lost_disk_are_told() {
    let node = NodeId::storage(4);
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
    assert_eq!(said(Command::AcceptLoss), "control  operator: accept the loss");
    let facts = vec![Fact::Wiped { node }];
    let wiped = Step { event: Event::Wipe { node }, facts, ..Step::new() };
    let expected = [
        "     0    0.000000s  n4       crashes, and its disk is gone",
        "     0    0.000000s  n4       log and checkpoint are gone",
    ];
    assert_eq!(lines(&wiped), expected);
}

#[test]
fn nothing_of_a_run_is_spelled_as_code() {
    let text = "title = 'all sorts'\n[cluster]\nnodes = 3\nclients = 3\n\
                [workload]\nkind = 'locked_counter'\noperations = 60\npaths = 2\n\
                [chaos]\nkinds = ['crash', 'pause', 'partition', 'clog', 'duplicate', 'loss']\n\
                budget = { storage_nodes_down = 1, control_down = true }\n\
                [phases]\nsafety = '10s'\nliveness = '40s'";
    let scenario = Scenario::parse("all_sorts.toml", text).unwrap();
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
    simulation.start(&mut watcher);
    while simulation.next_at().is_some() {
        simulation.advance(&mut watcher);
    }
    assert!(seen > 1000, "{seen} lines");
}

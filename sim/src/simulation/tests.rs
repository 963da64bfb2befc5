//! Faults that change which machines are up or members.

use seedbed::machine::Incarnation;
use seedbed::proto::Command;

use super::*;
use crate::file_service::{Fact, Scenario, Simulation, Step, World};

fn n(number: u16) -> NodeId {
    NodeId::node(number)
}

/// What happens in the first ten seconds, in which no user asks for anything.
fn first_steps(cluster: &str, faults: &str, mut see: impl FnMut(&World, &Step)) {
    let text = format!(
        "title = 't'\n[cluster]\nmembership = 'managed'\n{cluster}\n{faults}\n\
         [[script]]\nclient = 'c1'\nat = '20s'\nread = '/a'\n"
    );
    let scenario = Scenario::parse("x.toml", &text).unwrap_or_else(|error| panic!("{error}"));
    let mut simulation = Simulation::new(&scenario, 1);
    while simulation.next_at().is_some_and(|at| at < Time::ZERO + Span::from_secs(10)) {
        simulation.advance(&mut see);
    }
}

fn millis(at: Time) -> u64 {
    at.as_nanos() / 1_000_000
}

#[test]
fn an_operator_tries_until_the_control_node_is_there_and_keeps_the_order() {
    let faults = "[[fault]]\nat = '1s'\ncrash = 'control'\nrestart_after = '2500ms'\n\
                  [[fault]]\nat = '2s'\njoin = 'n4'\n\
                  [[fault]]\nat = '2s'\nleave = 'n1'\n\
                  [[fault]]\nat = '3700ms'\nset = { replicas = 1 }\n\
                  [[fault]]\nat = '5s'\naccept_loss = true\n";
    let mut told = Vec::new();
    first_steps("spare = 1", faults, |_, step| {
        if let Event::Command(command) = &step.event {
            told.push((millis(step.at), command.clone()));
        }
    });
    let set = Command::Set {
        replicas: Some(1),
        virtual_nodes: None,
        lock_lease: None,
        membership_lease: None,
    };
    let expected = [
        (4_000, Command::Join(n(4))),
        (4_000, Command::Leave(n(1))),
        (4_000, set),
        (5_000, Command::AcceptLoss([].into())),
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_machine_whose_disk_is_lost_begins_with_an_empty_log_in_a_new_life() {
    let fault = "[[fault]]\nat = '5s'\nwipe = 'n2'\nrestart_after = '1s'\n";
    let (mut before, mut after, mut lives) = (0, None, Vec::new());
    first_steps("", fault, |world, step| {
        let host = world.host(n(2));
        match &step.event {
            Event::Wipe { node } => {
                assert_eq!((*node, millis(step.at)), (n(2), 5_000));
                assert_eq!(step.facts, [Fact::Wiped { node: n(2) }]);
                assert!(!host.is_up() && host.disk().end() == 0);
                assert_eq!(host.disk().durable_records().count(), 0);
                after = Some(host.disk().forced_records());
            }
            Event::Start { node, .. } if *node == n(2) => lives.push(host.incarnation()),
            _ => before = if after.is_none() { host.disk().forced_records() } else { before },
        }
    });
    assert_eq!(lives, [Incarnation(1), Incarnation(2)]);
    assert!(before > 0 && after == Some(before), "what was forced stays counted");
}

/// Which machines crash, and when.
fn crashes(faults: &str) -> Vec<(u64, NodeId)> {
    let mut crashes = Vec::new();
    first_steps("spare = 1", faults, |_, step| {
        if let Event::Crash { node, .. } = step.event {
            crashes.push((millis(step.at), node));
        }
    });
    crashes
}

#[test]
fn a_rolling_restart_takes_every_node_in_turn() {
    let found = crashes("[[fault]]\nat = '1s'\nrolling_restart = true\npause = '1s'\n");
    assert_eq!(found, [(1_000, n(1)), (2_500, n(2)), (4_000, n(3)), (5_500, n(4))]);
}

#[test]
fn an_attrition_takes_different_nodes() {
    let fault = "[[fault]]\nat = '1s'\nattrition = 4\npause = '10ms'\nrestart_after = '1s'\n";
    let found = crashes(fault);
    assert!(found.iter().map(|(at, _)| *at).eq([1_000, 1_010, 1_020, 1_030]), "{found:?}");
    let mut nodes: Vec<NodeId> = found.into_iter().map(|(_, node)| node).collect();
    nodes.sort_unstable();
    assert_eq!(nodes, [n(1), n(2), n(3), n(4)]);
}

#[test]
fn a_machine_that_crashes_as_it_restarts_is_down_as_long_as_that_crash_says() {
    let faults = "[[fault]]\nat = '1s'\ncrash = 'n1'\nrestart_after = '1s'\n\
                  [[fault]]\nwhen = { milestone = 'restarted', node = 'n1' }\ncrash = 'n1'\n\
                  restart_after = '4s'\n";
    let mut starts = Vec::new();
    first_steps("", faults, |_, step| {
        if matches!(step.event, Event::Start { node, .. } if node == n(1)) {
            starts.push(millis(step.at));
        }
    });
    assert_eq!(starts, [0, 2_000, 6_000]);
}

#[test]
fn a_fault_that_waits_for_another_strikes_before_the_rest_of_that_one() {
    let faults = "[[fault]]\nat = '1s'\nisolate = 'n1'\n\
                  [[fault]]\nwhen = { milestone = 'message_lost' }\npause = 'n2'\nfor = '1s'\n\
                  [[fault]]\nwhen = { milestone = 'paused' }\nbump = 'n3'\nby = '1s'\n";
    let mut struck = Vec::new();
    first_steps("", faults, |_, step| match &step.event {
        Event::Cut(_) => struck.push("cut"),
        Event::Drop(..) => struck.push("lost"),
        Event::Pause(_) => struck.push("pause"),
        Event::ClockJump { .. } => struck.push("jump"),
        _ => {}
    });
    assert_eq!(struck[..5], ["cut", "lost", "pause", "jump", "lost"]);
}

/// How many disks are lost in a run in which every file has one owner, and when the operator
/// accepts that.
fn losses(last_copies: bool) -> (usize, Vec<u64>) {
    let text = format!(
        "title = 't'\n[cluster]\nmembership = 'managed'\nreplicas = 1\n\
         [phases]\nsafety = '20s'\nliveness = '40s'\n\
         [chaos]\nkinds = ['wipe']\nbudget = {{ wipes = 2 }}\n\
         duration = ['1s', '1s']\ninterval = ['5s', '5s']\n\
         last_copies = {last_copies}\n\
         [[script]]\nclient = 'c1'\nat = '1s'\nwrite = '/a'\ndata = 'x'\n"
    );
    let scenario = Scenario::parse("x.toml", &text).unwrap_or_else(|error| panic!("{error}"));
    let mut simulation = Simulation::new(&scenario, 1);
    let (mut lost, mut accepted) = (0, Vec::new());
    let mut see = |_: &World, step: &Step| match step.event {
        Event::Wipe { .. } => lost += 1,
        Event::Command(Command::AcceptLoss(_)) => accepted.push(millis(step.at)),
        _ => {}
    };
    while simulation.next_at().is_some() {
        simulation.advance(&mut see);
    }
    (lost, accepted)
}

#[test]
fn only_with_last_copies_a_disk_is_lost_that_has_the_last_copy_and_the_operator_accepts_it() {
    assert_eq!(losses(true), (2, vec![25_000, 40_000]));
    assert_eq!(losses(false), (0, vec![]));
}

#[test]
fn a_drop_loses_some_of_what_a_machine_has_in_flight() {
    let fault = "[[fault]]\nwhen = { milestone = 'view_announced' }\ndrop = 'there'\n";
    let (mut struck, mut lost) = (None, Vec::new());
    first_steps("nodes = 8", fault, |world, step| {
        if let (Event::Drop(_, Loss::Network), Some(packet)) = (&step.event, &step.packet) {
            lost.push(packet.from);
            let left = world.network().packets().map(|(_, packet)| packet.from);
            struck = Some((step.at, left.filter(|from| *from == NodeId::CONTROL).count()));
        }
    });
    let left = struck.map_or(0, |(_, left)| left);
    assert!(lost.iter().all(|from| *from == NodeId::CONTROL) && lost.len() > 1, "{lost:?}");
    assert!(left > 1, "{left} are left");
}

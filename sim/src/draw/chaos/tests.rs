//! Plans keep to their budget.

use seedbed::proto::{Command, Config, FileService, Membership, Settings};

use super::*;
use crate::aimed_moment::AimedMoment;
use crate::file_service::scenario::{Options, Wish, WishKind};
use crate::file_service::{ChaosKind, Milestone};
use crate::scenario::Budget;

const SAFETY: Span = Span::from_secs(60);
const CAST: Cast = Cast { control: true, nodes: 4, spare: 2, clients: 3 };

type Planned = super::Planned<FileService>;
type Chaos = crate::scenario::Chaos<FileService>;
type Target = crate::scenario::Target<FileService>;

fn config() -> std::sync::Arc<Config> {
    let settings = Settings {
        members: CAST.first_nodes().collect(),
        membership: Membership::Managed,
        replicas: 3,
        membership_lease: Span::from_millis(300),
        ..Settings::default()
    };
    Config::new(settings).unwrap()
}

fn chaos_of(kinds: &[ChaosKind], aimed: Ppb) -> Chaos {
    Chaos {
        kinds: kinds.to_vec(),
        budget: Budget { nodes_down: 2, control_down: true, clients_down: 1, wipes: 2 },
        interval: SpanRange::from_millis(1, 600),
        duration: SpanRange::from_millis(1, 3000),
        aimed,
        moments: vec![Milestone::DECIDED, Milestone::VIEW_ANNOUNCED],
        together: Ppb::ZERO,
        options: Options::default(),
    }
}

fn plan_of(seed: u64, kinds: &[ChaosKind], aimed: Ppb) -> Vec<Planned> {
    plan_with(seed, &chaos_of(kinds, aimed))
}

fn plan_with(seed: u64, chaos: &Chaos) -> Vec<Planned> {
    let (config, seed) = (config(), Seed(seed));
    let plan = Plan::new(chaos, CAST, &config, Time::ZERO + SAFETY);
    let moment = |group, at| AimedMoment { group, at, loses_disks: group == 0 };
    let aims = Aims::at([moment(0, Milestone::DECIDED), moment(1, Milestone::VIEW_ANNOUNCED)]);
    plan.drawn(&aims, &mut Streams::new(seed))
}

fn all() -> Vec<ChaosKind> {
    ChaosKind::all().collect()
}

const HALF: Ppb = Ppb::new(500_000_000).unwrap();

/// How many machines of each role are away with `planned`.
fn away_with(plan: &[Planned], planned: &Planned) -> [usize; 3] {
    let now = plan.iter().filter(|p| p.aim.is_none());
    let now = now.filter(|p| p.at <= planned.at && planned.at <= p.until);
    let away: BTreeSet<NodeId> = now.filter_map(Planned::away).collect();
    [Class::Control, Class::Node, Class::Client]
        .map(|role| away.iter().filter(|node| node.class() == role).count())
}

#[test]
fn a_plan_never_exceeds_its_budget() {
    let mut most = [0; 3];
    for seed in 0..50 {
        let plan = plan_of(seed, &all(), Ppb::ZERO);
        assert!(plan.iter().all(|planned| planned.at < Time::ZERO + SAFETY));
        for planned in &plan {
            let away = away_with(&plan, planned);
            most = [0, 1, 2].map(|role| most[role].max(away[role]));
        }
    }
    assert_eq!(most, [1, 2, 1], "the budget is used up, and no more");
}

#[test]
fn a_disk_that_stalls_takes_its_machine_from_the_budget_and_a_full_one_does_not() {
    let most = |kind| {
        let mut most = 0;
        for seed in 0..20 {
            let plan = plan_of(seed, &[kind], Ppb::ZERO);
            assert!(plan.iter().all(|planned| matches!(planned.fault, Fault::Disk { .. })));
            for planned in &plan {
                let now = plan.iter().filter(|p| p.at <= planned.at && planned.at <= p.until);
                let nodes = now.filter_map(|planned| match &planned.fault {
                    Fault::Disk { node, .. } => node.node(),
                    _ => None,
                });
                let nodes: BTreeSet<NodeId> =
                    nodes.filter(|node| node.class() == Class::Node).collect();
                most = nodes.len().max(most);
            }
        }
        most
    };
    assert_eq!(
        most(ChaosKind::General(GeneralChaos::StalledDisk)),
        2,
        "the budget is used up, and no more"
    );
    assert!(most(ChaosKind::General(GeneralChaos::FullDisk)) > 2);
}

#[test]
fn an_aimed_fault_finds_room_beside_those_whose_time_is_known() {
    let budget = Budget { nodes_down: 1, control_down: false, clients_down: 0, wipes: 1 };
    let second = Span::from_secs(1);
    let n = NodeId::node;
    let leaves = Leaves::default();
    let crash = Fault::Crash { node: Target::Node(n(1)), leaves, restart: Restart::WhenHealed };
    let at = Time::ZERO + second.times(10);
    let kind = FaultKind::General(GeneralFault::Crash);
    let planned = Planned { at, until: at + second, aim: None, fault: crash, kind };
    let mut away = Away::new(budget, &[planned]);
    let begins = |seconds| Time::ZERO + second.times(seconds);
    assert!(!away.has_room(n(2), begins(8), second), "n1 would go before n2 has caught up");
    assert!(!away.has_room(n(2), begins(11), second), "n1 has not caught up");
    assert!(away.has_room(n(1), begins(10), second), "it is away already");
    assert!(!away.has_room(NodeId::CONTROL, begins(0), second));
    assert!(away.has_room(n(2), begins(1), second));
    away.take(n(2), begins(1), second);
    assert!(!away.has_room(n(3), begins(2), second));
    assert!(away.take_disk() && !away.take_disk());
}

#[test]
fn as_many_faults_are_aimed_as_the_share_says() {
    let aimed = |share| {
        let plan = plan_of(3, &all(), share);
        (plan.iter().filter(|planned| planned.aim.is_some()).count(), plan.len())
    };
    let (some, of) = aimed(HALF);
    assert!((of / 4..of * 3 / 4).contains(&some), "{some} of {of}");
    assert_eq!(aimed(Ppb::ZERO).0, 0);
}

#[test]
fn so_many_stay_that_a_path_finds_its_owners() {
    let mut fewest = usize::MAX;
    for seed in 0..50 {
        let plan = plan_of(
            seed,
            &[ChaosKind::Operator(WishKind::Join), ChaosKind::Operator(WishKind::Leave)],
            HALF,
        );
        let mut wanted: BTreeSet<Target> = CAST.first_nodes().map(Target::Node).collect();
        for planned in &plan {
            match (&planned.fault, &planned.aim) {
                // A node that joins at a milestone may never do so, one that leaves may do so at
                // once.
                (Fault::Operator { wish: Wish::Join, .. }, Some(_)) => {}
                (Fault::Operator { wish: Wish::Join, node: Some(node) }, None) => {
                    assert!(wanted.insert(*node), "{node:?} is out")
                }
                (Fault::Operator { wish: Wish::Leave, node: Some(node) }, _) => {
                    assert!(wanted.remove(node), "{node:?} is in")
                }
                (other, _) => panic!("{other:?} is neither"),
            }
            fewest = fewest.min(wanted.len());
        }
    }
    assert_eq!(fewest, 3);
}

#[test]
fn an_attrition_takes_what_the_budget_has_left_within_a_moment() {
    let plan = plan_of(1, &[ChaosKind::General(GeneralChaos::Attrition)], Ppb::ZERO);
    let together = |pair: &&[Planned]| {
        let apart = pair[0].at.as_nanos().abs_diff(pair[1].at.as_nanos());
        apart <= MOMENT.max.as_nanos() && pair[0].away() != pair[1].away()
    };
    let waves = plan.windows(2).filter(together).count();
    assert!(waves > 5, "{waves} of {plan:?}");
}

#[test]
fn a_rolling_restart_takes_every_node_down_in_turn() {
    let mut whole = 0;
    for seed in 0..20 {
        let plan = plan_of(seed, &[ChaosKind::General(GeneralChaos::RollingRestart)], Ppb::ZERO);
        let nodes: Vec<_> = plan.iter().take(6).filter_map(Planned::away).collect();
        let is_in_order = nodes.is_sorted() && nodes.len() == 6;
        whole += usize::from(is_in_order && nodes.windows(2).all(|pair| pair[0] != pair[1]));
    }
    assert!(whole > 10, "{whole} of 20 begin with all six");
}

#[test]
fn no_clock_of_the_central_node_of_the_file_service_jumps() {
    for seed in 0..20 {
        for planned in plan_of(seed, &[ChaosKind::General(GeneralChaos::Bump)], HALF) {
            let Fault::ClockJump { node, .. } = planned.fault else { panic!("{planned:?}") };
            assert!(node != Target::Node(NodeId::CONTROL));
            assert!(node != Target::There);
        }
    }
}

#[test]
fn losses_of_last_copies_are_accepted_after_the_safety_phase() {
    let usual = chaos_of(
        &[ChaosKind::General(GeneralChaos::Wipe), ChaosKind::General(GeneralChaos::Crash)],
        HALF,
    );
    let chaos = Chaos { options: Options { last_copies: true }, ..usual.clone() };
    for seed in 0..20 {
        let (before, plan) = (plan_with(seed, &usual), plan_with(seed, &chaos));
        let (drawn, added) = plan.split_at(before.len());
        assert_eq!(drawn, before, "nothing else changes");
        let times = added.iter().map(|planned| planned.at);
        assert!(times.eq([65, 80].map(|at| Time::ZERO + Span::from_secs(at))));
        let accepts = Fault::Operator {
            wish: Wish::Other(Command::AcceptLoss(Default::default())),
            node: None,
        };
        assert!(added.iter().all(|planned| planned.fault == accepts && planned.aim.is_none()));
    }
}

#[test]
fn faults_that_strike_together_wait_for_one_moment() {
    let kinds = [
        ChaosKind::General(GeneralChaos::Crash),
        ChaosKind::General(GeneralChaos::Delay),
        ChaosKind::General(GeneralChaos::Drop),
    ];
    let alone = chaos_of(&kinds, HALF);
    let chaos = Chaos { together: HALF, ..alone.clone() };
    let mut most = 0;
    for seed in 0..20 {
        let (before, plan) = (plan_with(seed, &alone), plan_with(seed, &chaos));
        let mut before = before.iter().peekable();
        let mut first: Option<&Planned> = None;
        let mut beside = Vec::new();
        for planned in &plan {
            if before.next_if_eq(&planned).is_some() {
                (first, beside) = (Some(planned), Vec::new());
                continue;
            }
            let first = first.expect("one that they strike beside");
            assert_eq!((&planned.aim, planned.at), (&first.aim, first.at));
            match &planned.fault {
                Fault::Crash { node, .. } => assert!(!matches!(node, Target::Role(_))),
                Fault::Drop(node) => {
                    let is_bound = matches!(node, Target::Role(_) | Target::There);
                    assert!(beside.is_empty() && is_bound)
                }
                other => panic!("{other:?} keeps no machine away"),
            }
            beside.push(planned);
            most = most.max(beside.len());
        }
        assert!(before.next().is_none(), "nothing else changes");
    }
    assert_eq!(most, 1 + MOST_TOGETHER as usize);
}

//! Faults drawn from the seed, within a budget.
//!
//! The plan is drawn before the run. It never has more machines away at once than the budget says,
//! so a run that gets stuck is a bug and not bad luck. A machine is *away* while it is down, paused
//! or isolated. Cuts between machines that are all there are not in the budget: whatever they keep
//! apart meets again when they are mended.

use seedbed::proto::{NodeId, Role, Span, Time};

use crate::scenario::{Budget, Cast, Chaos, ChaosKind, Ppb, SpanRange};
use crate::seed::Stream;

/// A fault of the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// When it begins.
    pub at: Time,
    /// When it is over.
    pub until: Time,
    /// What it is.
    pub fault: Drawn,
}

/// A drawn fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Drawn {
    /// A machine is down.
    Crash(NodeId),
    /// A machine is down, and finds a bit of its log wrong when it starts: (record, bit).
    BitRot(NodeId, u32, u32),
    /// A machine is stopped.
    Pause(NodeId),
    /// A machine is cut off from all others.
    Isolate(NodeId),
    /// These and the others do not reach each other.
    Partition(Vec<NodeId>),
    /// The first does not reach the second.
    Clog(NodeId, NodeId),
    /// The link from the first to the second is slow by this much.
    Delay(NodeId, NodeId, SpanRange),
    /// The link from the first to the second loses this share.
    Loss(NodeId, NodeId, Ppb),
    /// The link from the first to the second doubles this share.
    Duplicate(NodeId, NodeId, Ppb),
    /// A sync of the machine's disk takes this long.
    SlowDisk(NodeId, SpanRange),
    /// The machine's clock gains this many microseconds a second.
    Drift(NodeId, i32),
}

/// Draws the faults of a run that is `safety` long.
pub fn plan(
    chaos: &Chaos,
    cast: Cast,
    drift_max_ppm: u32,
    safety: Span,
    stream: &mut Stream,
) -> Vec<Planned> {
    let end = Time::ZERO + safety;
    let machines: Vec<NodeId> = cast.machines().collect();
    let mut plan: Vec<Planned> = Vec::new();
    let mut at = Time::ZERO + stream.span(chaos.interval);
    while at < end {
        let until = at + stream.span(chaos.duration);
        let kind = *stream.pick(&chaos.kinds).expect("at least one kind");
        let drawn = draw(kind, &machines, drift_max_ppm, stream);
        if fits(&plan, &drawn, at, &chaos.budget) {
            plan.push(Planned { at, until, fault: drawn });
        }
        at = at + stream.span(chaos.interval);
    }
    plan
}

fn draw(kind: ChaosKind, machines: &[NodeId], drift_max_ppm: u32, stream: &mut Stream) -> Drawn {
    let (node, other) = two(machines, stream);
    let share = |stream: &mut Stream, most: u32| {
        Ppb::new(stream.below(u64::from(most) * 1_000_000) as u32).unwrap_or(Ppb::ZERO)
    };
    match kind {
        ChaosKind::Crash => Drawn::Crash(node),
        ChaosKind::BitRot => {
            let log = if node.role() == Role::Client { NodeId::CONTROL } else { node };
            Drawn::BitRot(log, stream.below(1 << 20) as u32, stream.below(1 << 20) as u32)
        }
        ChaosKind::Pause => Drawn::Pause(node),
        ChaosKind::Isolate => Drawn::Isolate(node),
        ChaosKind::Partition => {
            // `node` is on one side and `other` is not, so there are two.
            let mut side: Vec<NodeId> =
                machines.iter().copied().filter(|_| stream.below(2) == 0).collect();
            side.retain(|machine| *machine != node && *machine != other);
            side.push(node);
            Drawn::Partition(side)
        }
        ChaosKind::Clog => Drawn::Clog(node, other),
        ChaosKind::Delay => {
            let most = 1 + stream.below(3_000);
            Drawn::Delay(node, other, SpanRange::from_millis(0, most))
        }
        ChaosKind::Loss => Drawn::Loss(node, other, share(stream, 900)),
        ChaosKind::Duplicate => Drawn::Duplicate(node, other, share(stream, 900)),
        ChaosKind::SlowDisk => {
            let most = 1 + stream.below(1_000);
            Drawn::SlowDisk(node, SpanRange::from_millis(most / 2, most))
        }
        ChaosKind::Drift => {
            let ppm =
                stream.below(2 * u64::from(drift_max_ppm) + 1) as i64 - i64::from(drift_max_ppm);
            Drawn::Drift(node, ppm as i32)
        }
    }
}

/// Two different machines.
fn two(machines: &[NodeId], stream: &mut Stream) -> (NodeId, NodeId) {
    let first = stream.below(machines.len() as u64) as usize;
    let other = stream.below(machines.len() as u64 - 1) as usize;
    (machines[first], machines[if other < first { other } else { other + 1 }])
}

/// Is the budget large enough for this fault beside those that are not over at `at`?
fn fits(plan: &[Planned], drawn: &Drawn, at: Time, budget: &Budget) -> bool {
    let Some(node) = away(drawn) else { return true };
    let others = plan.iter().filter(|planned| at <= planned.until + RECOVERY);
    let others: Vec<NodeId> = others.filter_map(|planned| away(&planned.fault)).collect();
    let same = others.iter().filter(|other| other.role() == node.role()).count();
    let most = match node.role() {
        Role::Control => usize::from(budget.control_down),
        Role::Storage => budget.storage_nodes_down.into(),
        Role::Client => budget.clients_down.into(),
    };
    same < most
}

/// The machine that the fault takes away.
fn away(drawn: &Drawn) -> Option<NodeId> {
    match drawn {
        Drawn::Crash(node) | Drawn::BitRot(node, ..) => Some(*node),
        Drawn::Pause(node) | Drawn::Isolate(node) => Some(*node),
        Drawn::Partition(_) | Drawn::Clog(..) | Drawn::Delay(..) | Drawn::Loss(..) => None,
        Drawn::Duplicate(..) | Drawn::SlowDisk(..) | Drawn::Drift(..) => None,
    }
}

/// How long after a fault its machine still counts as away: it has to catch up, and to read again
/// what came back wrong the first time.
pub const RECOVERY: Span = Span::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    #[test]
    fn a_plan_never_exceeds_its_budget() {
        let chaos = Chaos {
            kinds: ChaosKind::ALL.to_vec(),
            budget: Budget { storage_nodes_down: 2, control_down: true, clients_down: 1 },
            interval: SpanRange::from_millis(1, 300),
            duration: SpanRange::from_millis(1, 3000),
        };
        let cast = Cast { nodes: 5, clients: 3 };
        let mut most = [0; 3];
        for seed in 0..50 {
            let mut stream = Seed(seed).stream("chaos", 0);
            let plan = plan(&chaos, cast, 500, Span::from_secs(30), &mut stream);
            for planned in &plan {
                let at = planned.at;
                let now = plan.iter().filter(|p| p.at <= at && at <= p.until);
                let away: Vec<NodeId> = now.filter_map(|p| away(&p.fault)).collect();
                for (i, role) in
                    [Role::Control, Role::Storage, Role::Client].into_iter().enumerate()
                {
                    most[i] = away.iter().filter(|n| n.role() == role).count().max(most[i]);
                }
            }
        }
        assert_eq!(most, [1, 2, 1], "the budget is used up, and no more");
    }
}

//! Faults drawn from the seed, within a budget.
//!
//! The plan is drawn before the run. It never has more machines away at once than the budget says,
//! so a run that gets stuck is a bug and not bad luck. A machine is *away* while it is down, paused
//! or isolated, or its disk stalls. Cuts between machines that are all there are not in the budget: whatever they keep
//! apart meets again when they are mended.
//!
//! A lost disk is worse than a machine that is away, for what was on it has to be copied from the
//! owners that are left. So it is lost only while every machine is there, none is taken away until
//! there was time to copy, and the next disk is lost much later. The plan knows whom the operator
//! wants as members, and lets so many of them leave that `replicas` stay.

use std::collections::BTreeSet;

use seedbed::proto::{Command, Config, NodeId, Role, Span, Time};

use crate::fault::{ChaosKind, Cut, Degradation, DiskTrouble, Fault, Leaves, Restart, Worse};
use crate::quantity::{Ppb, SpanRange};
use crate::scenario::{Budget, Cast, Chaos};
use crate::seed::Stream;
use crate::world::Rot;

/// A fault of the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// When it begins.
    pub at: Time,
    /// When it is over.
    pub until: Time,
    /// What it is; it lasts until then.
    pub fault: Fault,
}

/// Draws the faults of a run that is `safety` long.
pub fn plan(
    chaos: &Chaos,
    cast: Cast,
    config: &Config,
    safety: Span,
    stream: &mut Stream,
) -> Vec<Planned> {
    let end = Time::ZERO + safety;
    let machines: Vec<NodeId> = cast.machines().collect();
    let mut plan = Plan::new(chaos.budget, cast, config, end);
    let mut at = Time::ZERO + stream.span(chaos.interval);
    while at < end {
        let until = at + stream.span(chaos.duration);
        match *stream.pick(&chaos.kinds).expect("at least one kind") {
            ChaosKind::Join => plan.join(at, stream),
            ChaosKind::Leave => plan.leave(at, stream),
            ChaosKind::Wipe => plan.wipe(at, until, stream),
            ChaosKind::Attrition => plan.attrition(at, until, stream),
            kind => {
                let lasts = until.since(at);
                plan.add(at, until, draw(kind, lasts, &machines, config.drift_max_ppm, stream));
            }
        }
        at = at + stream.span(chaos.interval);
    }
    plan.faults
}

/// A plan as it grows.
struct Plan<'a> {
    budget: Budget,
    config: &'a Config,
    faults: Vec<Planned>,
    /// Nothing begins at this time or later.
    end: Time,
    storage: Vec<NodeId>,
    /// Whom the operator wants as members.
    wanted: BTreeSet<NodeId>,
    wipes: u16,
    /// Nobody is taken away before this.
    quiet_until: Time,
    /// No disk is lost before this.
    disks_until: Time,
}

impl Plan<'_> {
    fn new(budget: Budget, cast: Cast, config: &Config, end: Time) -> Plan<'_> {
        Plan {
            budget,
            config,
            faults: Vec::new(),
            end,
            storage: cast.storage_nodes().collect(),
            wanted: cast.members().collect(),
            wipes: 0,
            quiet_until: Time::ZERO,
            disks_until: Time::ZERO,
        }
    }

    /// Adds a fault, if the budget is large enough for it beside those that are not over at `at`.
    fn add(&mut self, at: Time, until: Time, fault: Fault) {
        if fault.away().is_none_or(|node| self.has_room(at, node.role())) {
            self.faults.push(Planned { at, until, fault });
        }
    }

    fn has_room(&self, at: Time, role: Role) -> bool {
        let most = match role {
            Role::Control => usize::from(self.budget.control_down),
            Role::Storage => self.budget.storage_nodes_down.into(),
            Role::Client => self.budget.clients_down.into(),
        };
        let same = self.away_at(at).filter(|node| node.role() == role).count();
        at >= self.quiet_until && same < most
    }

    /// Whoever is away at `at` or has not caught up by then.
    fn away_at(&self, at: Time) -> impl Iterator<Item = NodeId> {
        let open = self.faults.iter().filter(move |planned| at <= planned.until + RECOVERY);
        open.filter_map(|planned| planned.fault.away())
    }

    fn join(&mut self, at: Time, stream: &mut Stream) {
        let out: Vec<NodeId> =
            self.storage.iter().copied().filter(|node| !self.wanted.contains(node)).collect();
        if let Some(&node) = stream.pick(&out) {
            self.wanted.insert(node);
            self.add(at, at, Fault::Operator(Command::Join(node)));
        }
    }

    fn leave(&mut self, at: Time, stream: &mut Stream) {
        let wanted: Vec<NodeId> = self.wanted.iter().copied().collect();
        let can = wanted.len() > self.config.replicas;
        if let Some(&node) = stream.pick(&wanted).filter(|_| can) {
            self.wanted.remove(&node);
            self.add(at, at, Fault::Operator(Command::Leave(node)));
        }
    }

    fn wipe(&mut self, at: Time, until: Time, stream: &mut Stream) {
        let node = *stream.pick(&self.storage).expect("at least one storage node");
        let can = self.wipes < self.budget.wipes && self.config.replicas > 1;
        let is_calm = at >= self.disks_until && self.away_at(at).next().is_none();
        if can && is_calm && self.has_room(at, Role::Storage) {
            self.wipes += 1;
            let restart = Restart::After(until.since(at));
            self.add(at, until, Fault::Wipe { node, restart });
            self.quiet_until = until + self.quiet_after();
            self.disks_until = until + self.quiet_after().times(4);
        }
    }

    /// How long nobody is taken away after a machine with a new disk has started. A lease later it
    /// is a member again, and then it copies what it owns.
    fn quiet_after(&self) -> Span {
        self.config.membership_lease.times(4)
    }

    fn attrition(&mut self, at: Time, until: Time, stream: &mut Stream) {
        let away: BTreeSet<NodeId> = self.away_at(at).collect();
        let mut there: Vec<NodeId> =
            self.storage.iter().copied().filter(|node| !away.contains(node)).collect();
        while !there.is_empty() && self.has_room(at, Role::Storage) {
            let node = there.swap_remove(stream.below(there.len() as u64) as usize);
            let after = stream.span(MOMENT);
            // Whoever crashes a moment later counts as away from now on.
            let restart = Restart::After(until.since(at));
            let fault = Fault::Crash { node, leaves: Leaves::default(), restart };
            let crash = Planned { at: at + after, until: until + after, fault };
            if crash.at < self.end {
                self.faults.push(crash);
            }
        }
    }
}

/// How far apart the crashes of an attrition are at most.
const MOMENT: SpanRange = SpanRange::from_millis(0, 300);

fn draw(
    kind: ChaosKind,
    lasts: Span,
    machines: &[NodeId],
    drift_max_ppm: u32,
    stream: &mut Stream,
) -> Fault {
    let (node, other) = two(machines, stream);
    let restart = Restart::After(lasts);
    let cut = |links| Fault::Cut { links, lasts: Some(lasts) };
    let degrade = |what| Fault::Degrade { what, lasts: Some(lasts) };
    let worse = |how| degrade(Degradation::Link(node, other, how));
    let share = |stream: &mut Stream, most: u32| {
        Ppb::new(stream.below(u64::from(most) * 1_000_000) as u32).unwrap_or(Ppb::ZERO)
    };
    match kind {
        ChaosKind::Crash => Fault::Crash { node, leaves: Leaves::default(), restart },
        ChaosKind::BitRot => {
            Fault::BitRot { node: logged(node), rot: Some(any_bit(stream)), restart }
        }
        ChaosKind::Pause => Fault::Pause { node, lasts: Some(lasts) },
        ChaosKind::Isolate => cut(Cut::Isolate(node)),
        ChaosKind::Partition => {
            // `node` is on one side and `other` is not, so there are two.
            let (side, rest) = machines.iter().copied().partition(|machine| {
                let is_drawn = stream.below(2) == 0;
                *machine == node || is_drawn && *machine != other
            });
            cut(Cut::Groups(vec![side, rest]))
        }
        ChaosKind::Clog => cut(Cut::OneWay { from: vec![node], to: vec![other] }),
        ChaosKind::Delay => {
            let most = 1 + stream.below(3_000);
            worse(Worse::Slow(SpanRange::from_millis(0, most)))
        }
        ChaosKind::Loss => worse(Worse::Lossy(share(stream, 900))),
        ChaosKind::Duplicate => worse(Worse::Doubling(share(stream, 900))),
        ChaosKind::SlowDisk => {
            let most = 1 + stream.below(1_000);
            let slow = DiskTrouble::Slow(SpanRange::from_millis(most / 2, most));
            Fault::Disk { node, trouble: slow, lasts: Some(lasts) }
        }
        ChaosKind::StalledDisk => {
            Fault::Disk { node: logged(node), trouble: DiskTrouble::Stalled, lasts: Some(lasts) }
        }
        ChaosKind::FullDisk => {
            Fault::Disk { node: logged(node), trouble: DiskTrouble::Full, lasts: Some(lasts) }
        }
        ChaosKind::Drift => {
            let ppm =
                stream.below(2 * u64::from(drift_max_ppm) + 1) as i64 - i64::from(drift_max_ppm);
            Fault::ClockDrift { node, ppm: ppm as i32, lasts: Some(lasts) }
        }
        ChaosKind::Join | ChaosKind::Leave | ChaosKind::Wipe | ChaosKind::Attrition => {
            unreachable!("what depends on the faults before it is drawn by the plan")
        }
    }
}

/// `node`, or the central node in place of a client, which has no log.
fn logged(node: NodeId) -> NodeId {
    if node.role() == Role::Client { NodeId::CONTROL } else { node }
}

/// Any bit of a log.
pub fn any_bit(stream: &mut Stream) -> Rot {
    let (record, bit) = (stream.below(1 << 20) as u32, stream.below(1 << 20) as u32);
    Rot { record, bit }
}

/// Two different machines.
fn two(machines: &[NodeId], stream: &mut Stream) -> (NodeId, NodeId) {
    let first = stream.below(machines.len() as u64) as usize;
    let other = stream.below(machines.len() as u64 - 1) as usize;
    (machines[first], machines[if other < first { other } else { other + 1 }])
}

/// How long after a fault its machine still counts as away: it has to catch up, and to read again
/// what came back wrong the first time.
pub const RECOVERY: Span = Span::from_secs(1);

#[cfg(test)]
mod tests {
    use seedbed::proto::{Membership, Settings};

    use super::*;
    use crate::seed::Seed;

    const SAFETY: Span = Span::from_secs(60);
    const CAST: Cast = Cast { nodes: 4, spare: 2, clients: 3 };

    fn config() -> std::sync::Arc<Config> {
        let settings = Settings {
            members: CAST.members().collect(),
            membership: Membership::Managed,
            replicas: 3,
            membership_lease: Span::from_millis(300),
            ..Settings::default()
        };
        Config::new(settings).unwrap()
    }

    fn plan_of(seed: u64, kinds: &[ChaosKind]) -> Vec<Planned> {
        let chaos = Chaos {
            kinds: kinds.to_vec(),
            budget: Budget { storage_nodes_down: 2, control_down: true, clients_down: 1, wipes: 2 },
            interval: SpanRange::from_millis(1, 600),
            duration: SpanRange::from_millis(1, 3000),
        };
        plan(&chaos, CAST, &config(), SAFETY, &mut Seed(seed).stream("chaos", 0))
    }

    #[test]
    fn a_plan_never_exceeds_its_budget() {
        let mut most = [0; 3];
        for seed in 0..50 {
            let plan = plan_of(seed, ChaosKind::ALL);
            assert!(plan.iter().all(|planned| planned.at < Time::ZERO + SAFETY));
            for planned in &plan {
                let at = planned.at;
                let now = plan.iter().filter(|p| p.at <= at && at <= p.until);
                let away: Vec<NodeId> = now.filter_map(|p| p.fault.away()).collect();
                for (i, role) in
                    [Role::Control, Role::Storage, Role::Client].into_iter().enumerate()
                {
                    most[i] = away.iter().filter(|n| n.role() == role).count().max(most[i]);
                }
            }
        }
        assert_eq!(most, [1, 2, 1], "the budget is used up, and no more");
    }

    #[test]
    fn a_disk_that_stalls_takes_its_machine_from_the_budget_and_a_full_one_does_not() {
        let most = |kind| {
            let mut most = 0;
            for seed in 0..20 {
                let plan = plan_of(seed, &[kind]);
                assert!(plan.iter().all(|p| matches!(p.fault, Fault::Disk { .. })));
                for planned in &plan {
                    let at = planned.at;
                    let now = plan.iter().filter(|p| p.at <= at && at <= p.until);
                    let nodes = now.filter_map(|p| match &p.fault {
                        Fault::Disk { node, .. } => Some(*node),
                        _ => None,
                    });
                    let storage: BTreeSet<NodeId> =
                        nodes.filter(|node| node.role() == Role::Storage).collect();
                    most = storage.len().max(most);
                }
            }
            most
        };
        assert_eq!(most(ChaosKind::StalledDisk), 2, "the budget is used up, and no more");
        assert!(most(ChaosKind::FullDisk) > 2);
    }

    #[test]
    fn a_disk_is_lost_only_while_everyone_is_there_and_stays_until_it_is_copied() {
        let mut most = 0;
        for seed in 0..100 {
            let plan = plan_of(seed, ChaosKind::ALL);
            let wipes = plan.iter().filter(|p| matches!(p.fault, Fault::Wipe { .. }));
            for wipe in wipes.clone() {
                let others = plan.iter().filter(|p| *p != wipe && p.fault.away().is_some());
                let quiet = wipe.until + Span::from_millis(4 * 300);
                for other in others {
                    assert!(other.until < wipe.at || quiet <= other.at, "seed {seed}: {other:?}");
                }
            }
            most = most.max(wipes.count());
        }
        assert_eq!(most, 2, "the budget is used up, and no more");
    }

    #[test]
    fn so_many_stay_that_a_path_finds_its_owners() {
        let mut fewest = usize::MAX;
        for seed in 0..50 {
            let mut wanted: BTreeSet<NodeId> = CAST.members().collect();
            for planned in plan_of(seed, ChaosKind::ALL) {
                match planned.fault {
                    Fault::Operator(Command::Join(node)) => {
                        assert!(wanted.insert(node), "{node} is out")
                    }
                    Fault::Operator(Command::Leave(node)) => {
                        assert!(wanted.remove(&node), "{node} is in")
                    }
                    _ => {}
                }
                fewest = fewest.min(wanted.len());
            }
        }
        assert_eq!(fewest, 3);
    }

    #[test]
    fn an_attrition_takes_what_the_budget_has_left_within_a_moment() {
        let plan = plan_of(1, &[ChaosKind::Attrition]);
        let together = |pair: &&[Planned]| {
            let apart = pair[0].at.as_nanos().abs_diff(pair[1].at.as_nanos());
            apart <= MOMENT.max.as_nanos() && pair[0].fault.away() != pair[1].fault.away()
        };
        let waves = plan.windows(2).filter(together).count();
        assert!(waves > 5, "{waves} of {plan:?}");
    }
}

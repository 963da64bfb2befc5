//! Faults drawn from the seed, within a budget.
//!
//! The plan is drawn before the run. Some of its faults strike at a time, others are *aimed*: they
//! wait for a milestone and strike a machine that plays a part in it.
//!
//! Of machines that are *away* (down, paused, isolated, or with a disk that stalls) there are never
//! more at once than the budget says. The plan sees to that for faults whose time it knows. An
//! aimed one is held against the budget when it strikes ([`Away`]). Cuts between machines that are
//! all there are not in the budget: whatever they keep apart meets again when they are mended.
//!
//! With `together` several faults are aimed at one moment, most of them at different machines: what
//! one machine alone may lose, or be late with, a second often makes good. One that cannot strike
//! then, because its machine is down or the budget has no room, waits for the next such moment.
//!
//! A disk is lost only where the system keeps what it promises; that is looked up when the fault
//! strikes ([`Operator::keeps_the_promise`]). What the operator wants goes with what it has wanted
//! before ([`Operator::draw`]).

mod aim;
mod away;
#[cfg(all(test, feature = "file-service"))]
mod tests;

use crate::under_test::{Operator, UnderTest, WishKind};
use std::collections::BTreeSet;

use seedbed::machine::{Class, NodeId, Span, Time};

use crate::cast::Cast;
use crate::cell::{FaultKind, GeneralFault};
use crate::fault::{
    ChaosKind, Cut, Degradation, DiskTrouble, Fault, GeneralChaos, Leaves, Restart, Worse,
};
use crate::quantity::{Ppb, SpanRange};
use crate::scenario::{Chaos, Occasion, Scenario, Target};
use crate::seed::{Seed, Stream};
use crate::world::Rot;

use aim::{Aim, Aims};
pub use away::Away;

/// A fault of the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned<S: UnderTest> {
    /// When it begins, or begins to wait for its occasion.
    pub at: Time,
    /// When it is over, if it begins at once.
    pub until: Time,
    /// What it waits for, if it is aimed.
    pub aim: Option<Occasion<S>>,
    /// What it is.
    pub fault: Fault<S, Target<S>>,
    /// Of which kind: the crashes of an attrition are of that.
    pub kind: FaultKind<S>,
}

impl<S: UnderTest> Planned<S> {
    /// The machine that it takes away, if that is known before it strikes.
    pub fn away(&self) -> Option<NodeId> {
        self.fault.away().and_then(|target| target.node())
    }
}

/// Draws the faults of a run of `scenario` under `seed`.
pub fn plan<S: UnderTest>(scenario: &Scenario<S>, seed: Seed) -> Vec<Planned<S>> {
    let Some(chaos) = &scenario.chaos else { return Vec::new() };
    let Scenario { cast, config, phases, .. } = scenario;
    let plan = Plan::new(chaos, *cast, config, Time::ZERO + phases.safety);
    let aims = Aims::of(scenario);
    plan.drawn(&aims, &mut Streams::new(seed))
}

/// What is drawn for one of these changes nothing that is drawn for another.
struct Streams {
    /// When and what.
    chaos: Stream,
    /// What aimed faults are aimed at.
    aim: Stream,
    /// What strikes at the same moment as they do.
    together: Stream,
}

impl Streams {
    fn new(seed: Seed) -> Streams {
        let stream = |purpose| seed.stream(purpose, 0);
        Streams { chaos: stream("chaos"), aim: stream("aim"), together: stream("together") }
    }
}

/// A plan as it grows.
struct Plan<'a, S: UnderTest> {
    chaos: &'a Chaos<S>,
    config: &'a S::Config,
    faults: Vec<Planned<S>>,
    /// Nothing but what the operator wants afterwards begins at this time or later.
    end: Time,
    machines: Vec<NodeId>,
    nodes: Vec<NodeId>,
    operator: S::Operator,
    /// Disks that are lost at a time that is known.
    wipes: u16,
}

/// The two machines of a fault, the second for those that have two ends.
struct Struck<S: UnderTest> {
    node: Target<S>,
    other: Target<S>,
}

impl<'a, S: UnderTest> Plan<'a, S> {
    fn new(chaos: &'a Chaos<S>, cast: Cast, config: &'a S::Config, end: Time) -> Plan<'a, S> {
        Plan {
            chaos,
            config,
            faults: Vec::new(),
            end,
            machines: cast.machines().collect(),
            nodes: cast.every_node().collect(),
            operator: S::Operator::new(cast, config),
            wipes: 0,
        }
    }

    fn drawn(mut self, aims: &Aims<S>, streams: &mut Streams) -> Vec<Planned<S>> {
        let Streams { chaos: stream, aim: aiming, together } = streams;
        let mut at = Time::ZERO + stream.span(self.chaos.interval);
        while at < self.end {
            let until = at + stream.span(self.chaos.duration);
            let kind = *stream.pick(&self.chaos.kinds).expect("at least one kind");
            match kind {
                ChaosKind::General(GeneralChaos::Attrition) => self.attrition(at, until, stream),
                ChaosKind::General(GeneralChaos::RollingRestart) => {
                    self.rolling_restart(at, until, stream);
                }
                kind if self.is_aimed(kind, aiming) => {
                    if let Some(aim) = aims.draw(kind, aiming) {
                        let (occasion, target) = (aim.occasion.clone(), aim.target);
                        self.aim(kind, at, until, aim, aiming);
                        self.aim_together(target, at, &occasion, together);
                    }
                }
                kind => self.strike(kind, at, until, stream),
            }
            at = at + stream.span(self.chaos.interval);
        }
        self.wishes_afterwards();
        self.faults
    }

    /// What the operator wants after the safety phase.
    fn wishes_afterwards(&mut self) {
        for (after, wish) in S::Operator::afterwards(&self.chaos.options) {
            let at = self.end + after;
            self.add(at, at, Fault::Operator { wish, node: None });
        }
    }

    /// What the operator wants next; `may_come_late` where it is told at a milestone.
    fn wish(
        &mut self,
        kind: WishKind<S>,
        may_come_late: bool,
        stream: &mut Stream,
    ) -> Option<Fault<S, Target<S>>> {
        let (wish, node) = self.operator.draw(kind, may_come_late, self.config, stream)?;
        Some(Fault::Operator { wish, node: node.map(Target::Node) })
    }

    /// Does this one wait for a moment? A disk is lost seldom, so that always does, where any fault
    /// may.
    fn is_aimed(&self, kind: ChaosKind<S>, aiming: &mut Stream) -> bool {
        let is_drawn = aiming.chance(self.chaos.aimed);
        is_drawn || kind.loses_a_disk() && self.chaos.aimed != Ppb::ZERO
    }

    /// Adds a fault that strikes at a time.
    fn strike(&mut self, kind: ChaosKind<S>, at: Time, until: Time, stream: &mut Stream) {
        let lasts = until.since(at);
        match kind {
            ChaosKind::General(GeneralChaos::Wipe) => self.wipe(at, until, stream),
            ChaosKind::Operator(kind) => {
                if let Some(fault) = self.wish(kind, false, stream) {
                    self.add(at, at, fault);
                }
            }
            ChaosKind::General(kind) => {
                let (node, other) = two(&self.machines, stream);
                let fault = match kind {
                    GeneralChaos::Partition => {
                        let links = sides(&self.machines, node, other, stream);
                        Fault::Cut { links, lasts: Some(lasts) }
                    }
                    kind => {
                        let struck = named(kind, node, other);
                        one(kind, lasts, struck, S::drift_max_ppm(self.config), stream)
                    }
                };
                self.add(at, until, fault);
            }
        }
    }

    /// Adds a fault that waits for its aim.
    fn aim(&mut self, kind: ChaosKind<S>, at: Time, until: Time, aim: Aim<S>, stream: &mut Stream) {
        let lasts = until.since(at);
        let Aim { occasion, target, other } = aim;
        let fault = match kind {
            ChaosKind::Operator(kind) => self.wish(kind, true, stream),
            // It may be reached at `control`.
            ChaosKind::General(GeneralChaos::Bump)
                if target == Target::There && !S::CONTROL_CLOCK_JUMPS =>
            {
                None
            }
            ChaosKind::General(GeneralChaos::Partition) => {
                let links = Cut::Groups(vec![vec![target], vec![Target::Rest]]);
                Some(Fault::Cut { links, lasts: Some(lasts) })
            }
            ChaosKind::General(kind) => {
                let struck = Struck { node: target, other };
                Some(one(kind, lasts, struck, S::drift_max_ppm(self.config), stream))
            }
        };
        if let Some(fault) = fault {
            let kind = FaultKind::of(&fault);
            self.faults.push(Planned { at, until, aim: Some(occasion), fault, kind });
        }
    }

    /// Adds what happens at the same moment as an aimed fault: what its machine, `first`, has in
    /// flight is lost in part, and other machines are kept away.
    fn aim_together(
        &mut self,
        first: Target<S>,
        at: Time,
        moment: &Occasion<S>,
        stream: &mut Stream,
    ) {
        let Chaos { together, duration, ref kinds, .. } = *self.chaos;
        let drop = ChaosKind::General(GeneralChaos::Drop);
        if kinds.contains(&drop) && stream.chance(together) {
            let aim = Aim { occasion: moment.clone(), target: first, other: Target::Rest };
            self.aim(drop, at, at, aim, stream);
        }
        let kinds: Vec<ChaosKind<S>> =
            kinds.iter().copied().filter(|kind| kind.keeps_away()).collect();
        let mut others = 0;
        while others < MOST_TOGETHER && !kinds.is_empty() && stream.chance(together) {
            let until = at + stream.span(duration);
            let kind = kinds[stream.below(kinds.len() as u64) as usize];
            let aim = Aim::beside(moment.clone(), stream);
            self.aim(kind, at, until, aim, stream);
            others += 1;
        }
    }

    /// Adds a fault, if the budget is large enough for it beside those that are not over at `at`.
    fn add(&mut self, at: Time, until: Time, fault: Fault<S, Target<S>>) {
        let kind = FaultKind::of(&fault);
        let planned = Planned { at, until, aim: None, fault, kind };
        if planned.away().is_none_or(|node| self.has_room(at, node.class())) {
            self.faults.push(planned);
        }
    }

    fn has_room(&self, at: Time, role: Class) -> bool {
        let same = self.away_at(at).filter(|node| node.class() == role).count();
        same < self.chaos.budget.most_away(role)
    }

    /// Machines that are away at `at` or have not caught up by then.
    fn away_at(&self, at: Time) -> impl Iterator<Item = NodeId> {
        let timed = self.faults.iter().filter(|planned| planned.aim.is_none());
        let open = timed.filter(move |planned| at <= planned.until + RECOVERY);
        open.filter_map(Planned::away)
    }

    fn wipe(&mut self, at: Time, until: Time, stream: &mut Stream) {
        let node = *stream.pick(&self.nodes).expect("at least one node");
        if self.wipes < self.chaos.budget.wipes && self.has_room(at, Class::Node) {
            self.wipes += 1;
            let restart = Restart::After(until.since(at));
            self.add(at, until, Fault::Wipe { node: Target::Node(node), restart });
        }
    }

    fn attrition(&mut self, at: Time, until: Time, stream: &mut Stream) {
        let away: BTreeSet<NodeId> = self.away_at(at).collect();
        let mut there: Vec<NodeId> =
            self.nodes.iter().copied().filter(|node| !away.contains(node)).collect();
        while !there.is_empty() && self.has_room(at, Class::Node) {
            let node = there.swap_remove(stream.below(there.len() as u64) as usize);
            let after = stream.span(MOMENT);
            // A machine that crashes a moment later counts as away from now on.
            self.push_crash(node, at + after, until + after, GeneralFault::Attrition);
        }
    }

    /// Every node in turn is down as long as the fault would last, within a fifth of it.
    fn rolling_restart(&mut self, at: Time, until: Time, stream: &mut Stream) {
        let down = until.since(at).fraction(5);
        let pause = stream.span(SpanRange { min: Span::ZERO, max: Span::from_secs(2) });
        let mut at = at;
        for node in self.nodes.clone() {
            if self.has_room(at, Class::Node) {
                self.push_crash(node, at, at + down, GeneralFault::RollingRestart);
            }
            at = at + down + pause;
        }
    }

    fn push_crash(&mut self, node: NodeId, at: Time, until: Time, kind: GeneralFault) {
        let restart = Restart::After(until.since(at));
        let fault = Fault::Crash { node: Target::Node(node), leaves: Leaves::default(), restart };
        if at < self.end {
            let kind = FaultKind::General(kind);
            self.faults.push(Planned { at, until, aim: None, fault, kind });
        }
    }
}

/// How many other machines are kept away at the same moment at most.
const MOST_TOGETHER: u32 = 3;

/// How far apart the crashes of an attrition are at most.
const MOMENT: SpanRange = SpanRange::from_millis(0, 300);

/// The machines of a fault that strikes at a time.
fn named<S: UnderTest>(kind: GeneralChaos, node: NodeId, other: NodeId) -> Struck<S> {
    let node = match kind {
        // A client has no log.
        GeneralChaos::BitRot | GeneralChaos::StalledDisk | GeneralChaos::FullDisk
            if node.class() == Class::Client =>
        {
            if S::HAS_CONTROL {
                NodeId::CONTROL
            } else {
                NodeId::node(1)
            }
        }
        GeneralChaos::Bump if node == NodeId::CONTROL && !S::CONTROL_CLOCK_JUMPS => other,
        _ => node,
    };
    Struck { node: Target::Node(node), other: Target::Node(other) }
}

/// A fault of a kind that is about one machine or one link.
fn one<S: UnderTest>(
    kind: GeneralChaos,
    lasts: Span,
    Struck { node, other }: Struck<S>,
    drift_max_ppm: u32,
    stream: &mut Stream,
) -> Fault<S, Target<S>> {
    let restart = Restart::After(lasts);
    let cut = |links| Fault::Cut { links, lasts: Some(lasts) };
    let worse = |how| {
        let what = Degradation { from: vec![node], to: vec![other], how };
        Fault::Degrade { what, lasts: Some(lasts) }
    };
    let disk = |trouble| Fault::Disk { node, trouble, lasts: Some(lasts) };
    let share = |stream: &mut Stream, most: u32| {
        Ppb::new(stream.below(u64::from(most) * 1_000_000) as u32).unwrap_or(Ppb::ZERO)
    };
    match kind {
        GeneralChaos::Crash => Fault::Crash { node, leaves: Leaves::default(), restart },
        GeneralChaos::BitRot => {
            let Rot { record, bit } = any_bit(stream);
            Fault::BitRot { node, record: Some(record), bit: Some(bit), restart }
        }
        GeneralChaos::Wipe => Fault::Wipe { node, restart },
        GeneralChaos::Pause => Fault::Pause { node, lasts: Some(lasts) },
        GeneralChaos::Isolate => cut(Cut::Isolate(node)),
        GeneralChaos::Clog => cut(Cut::OneWay { from: vec![node], to: vec![other] }),
        GeneralChaos::MajoritiesRing => cut(Cut::MajoritiesRing),
        GeneralChaos::Delay => {
            let most = 1 + stream.below(3_000);
            worse(Worse::Slow(SpanRange::from_millis(0, most)))
        }
        GeneralChaos::Loss => worse(Worse::Lossy(share(stream, 900))),
        GeneralChaos::Duplicate => worse(Worse::Doubling(share(stream, 900))),
        GeneralChaos::Drop => Fault::Drop(node),
        GeneralChaos::SlowDisk => {
            let most = 1 + stream.below(1_000);
            disk(DiskTrouble::Slow(SpanRange::from_millis(most / 2, most)))
        }
        GeneralChaos::StalledDisk => disk(DiskTrouble::Stalled),
        GeneralChaos::FullDisk => disk(DiskTrouble::Full),
        GeneralChaos::Drift => {
            let ppm =
                stream.below(2 * u64::from(drift_max_ppm) + 1) as i64 - i64::from(drift_max_ppm);
            Fault::ClockDrift { node, ppm: ppm as i32, lasts: Some(lasts) }
        }
        GeneralChaos::Bump => {
            Fault::ClockJump { node, by: Span::from_millis(1 + stream.below(20_000)) }
        }
        GeneralChaos::Partition | GeneralChaos::RollingRestart | GeneralChaos::Attrition => {
            unreachable!("it is about more than one machine or one link")
        }
    }
}

/// Two sides, `node` on one and `other` on the other.
fn sides<S: UnderTest>(
    machines: &[NodeId],
    node: NodeId,
    other: NodeId,
    stream: &mut Stream,
) -> Cut<Target<S>> {
    let (side, rest): (Vec<NodeId>, Vec<NodeId>) = machines.iter().copied().partition(|machine| {
        let is_drawn = stream.below(2) == 0;
        *machine == node || is_drawn && *machine != other
    });
    let named = |nodes: Vec<NodeId>| nodes.into_iter().map(Target::Node).collect();
    Cut::Groups(vec![named(side), named(rest)])
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

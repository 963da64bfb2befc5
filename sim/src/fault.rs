//! The one vocabulary of faults.
//!
//! A `[[fault]]` of a scenario is a [`Fault`] whose machine may still be a role: it is bound to a
//! machine when it strikes. What `[chaos]` draws is a [`Fault`] from the start. How long a fault
//! lasts, or when its machine starts again, is part of it.

use seedbed::machine::{NodeId, Span};

use crate::name::Name;
use crate::names;
use crate::quantity::{Ppb, SpanRange};
use crate::under_test::{UnderTest, Wish, WishKind};

/// A fault. `N` is how a machine is named: a role, or the machine itself once the role is bound.
/// `lasts` is how long it lasts, and `None` is until the run heals.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Fault<S: UnderTest, N = NodeId> {
    /// The machine loses its memory and part of what its disk had not synced.
    Crash {
        /// Which machine.
        node: N,
        /// What is left of that part.
        leaves: Leaves,
        /// When it starts again.
        restart: Restart,
    },
    /// The machine crashes, and at its next start one bit of its log reads wrong
    /// ([`Rot`](crate::world::Rot)).
    BitRot {
        /// Which machine: one that has a log.
        node: N,
        /// Which record; `None` is drawn when the fault strikes.
        record: Option<u32>,
        /// Which bit of it; `None` is drawn when the fault strikes.
        bit: Option<u32>,
        /// When it starts again; never [`Restart::Never`].
        restart: Restart,
    },
    /// The machine crashes and loses its disk: it starts with an empty one.
    Wipe {
        /// Which machine: a node.
        node: N,
        /// When it starts again; never [`Restart::Never`].
        restart: Restart,
    },
    /// The machine stops and goes on later: its timers pass, its messages wait.
    Pause {
        /// Which machine.
        node: N,
        /// How long.
        lasts: Option<Span>,
    },
    /// Links are cut, also for what is in flight.
    Cut {
        /// Which links.
        links: Cut<N>,
        /// How long.
        lasts: Option<Span>,
    },
    /// Of the messages that the machine has in flight each is lost or not, drawn when it strikes:
    /// as where a machine dies in the middle of its sends.
    Drop(N),
    /// The machine's clock jumps forward.
    ClockJump {
        /// Which machine.
        node: N,
        /// How far.
        by: Span,
    },
    /// The machine's clock runs at another rate.
    ClockDrift {
        /// Which machine.
        node: N,
        /// How many microseconds it gains each second.
        ppm: i32,
        /// How long.
        lasts: Option<Span>,
    },
    /// A disk does not do what it should.
    Disk {
        /// The machine: one that has a log.
        node: N,
        /// What is wrong with it.
        trouble: DiskTrouble,
        /// How long.
        lasts: Option<Span>,
    },
    /// A link gets worse.
    Degrade {
        /// Which, and how.
        what: Degradation<N>,
        /// How long.
        lasts: Option<Span>,
    },
    /// Every node in turn crashes and starts again.
    RollingRestart {
        /// How long each is down.
        down: Span,
        /// How long it is from the start of one to the crash of the next.
        pause: Span,
    },
    /// Some nodes, drawn when the fault strikes, crash one after the other.
    Attrition {
        /// How many: none twice.
        count: u16,
        /// How long it is from one crash to the next.
        pause: Span,
        /// When each starts again; never [`Restart::Never`].
        restart: Restart,
    },
    /// No failure: the operator gives the control node a command, and tries again while that node
    /// is down or paused.
    Operator {
        /// What it wants.
        wish: Wish<S>,
        /// The machine that this is about, if it is about one.
        node: Option<N>,
    },
}

/// When a machine that crashed starts again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Restart {
    /// This long after the crash, or when the run heals if that is earlier.
    After(Span),
    /// When the run heals.
    WhenHealed,
    /// Not in this run, healed or not.
    Never,
}

/// What a crash leaves of the records that were not synced; what is not said is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Leaves {
    /// How many of them are on the disk all the same, or all that there are if that is less.
    pub kept: Option<u32>,
    /// How the record after those is torn.
    pub torn: Option<Torn>,
}

/// How a crash tears a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Torn {
    /// Nothing of it is left.
    No,
    /// It ends early.
    Prefix,
    /// It is as long as it was, and its end is zeros.
    Zeros,
    /// A block of it is zeros, and what is behind that is there.
    Hole,
}

/// What is wrong with a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DiskTrouble {
    /// A sync takes this long.
    Slow(SpanRange),
    /// No sync ends.
    Stalled,
    /// There is room only for what was begun or promised.
    Full,
}

/// Which links are cut.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Cut<N = NodeId> {
    /// All links from and to this machine.
    Isolate(N),
    /// All links between these groups; a machine in no group talks to all.
    Groups(Vec<Vec<N>>),
    /// The links from these machines to those, and not the other way.
    OneWay {
        /// The machines that send.
        from: Vec<N>,
        /// The machines that would receive.
        to: Vec<N>,
    },
    /// Each node talks to a majority of them, each to a different one.
    MajoritiesRing,
}

/// Links that are worse than the scenario says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Degradation<N = NodeId> {
    /// The machines that send.
    pub from: Vec<N>,
    /// The machines that receive.
    pub to: Vec<N>,
    /// How the links from those to these are worse.
    pub how: Worse,
}

/// How a link is worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Worse {
    /// It is slow: this is added to its latency.
    Slow(SpanRange),
    /// It loses this share of its messages.
    Lossy(Ppb),
    /// It delivers this share of its messages twice.
    Doubling(Ppb),
}

impl<S: UnderTest, N> Fault<S, N> {
    /// The same fault with the machines that `named` finds for each `N`: where it takes one
    /// machine, the first of them. `None` if it takes one and finds none.
    pub fn bind<M: Copy + PartialEq>(
        &self,
        mut named: impl FnMut(&N) -> Vec<M>,
    ) -> Option<Fault<S, M>> {
        let mut one = |node: &N| named(node).first().copied();
        Some(match self {
            Fault::Crash { node, leaves, restart } => {
                Fault::Crash { node: one(node)?, leaves: *leaves, restart: *restart }
            }
            Fault::BitRot { node, record, bit, restart } => {
                let (record, bit) = (*record, *bit);
                Fault::BitRot { node: one(node)?, record, bit, restart: *restart }
            }
            Fault::Wipe { node, restart } => Fault::Wipe { node: one(node)?, restart: *restart },
            Fault::Pause { node, lasts } => Fault::Pause { node: one(node)?, lasts: *lasts },
            Fault::Cut { links, lasts } => Fault::Cut { links: links.bind(named)?, lasts: *lasts },
            Fault::Drop(node) => Fault::Drop(one(node)?),
            Fault::ClockJump { node, by } => Fault::ClockJump { node: one(node)?, by: *by },
            Fault::ClockDrift { node, ppm, lasts } => {
                Fault::ClockDrift { node: one(node)?, ppm: *ppm, lasts: *lasts }
            }
            Fault::Degrade { what, lasts } => {
                let (from, to) = one_way(&what.from, &what.to, named);
                Fault::Degrade { what: Degradation { from, to, how: what.how }, lasts: *lasts }
            }
            Fault::Disk { node, trouble, lasts } => {
                Fault::Disk { node: one(node)?, trouble: *trouble, lasts: *lasts }
            }
            Fault::RollingRestart { down, pause } => {
                Fault::RollingRestart { down: *down, pause: *pause }
            }
            Fault::Attrition { count, pause, restart } => {
                Fault::Attrition { count: *count, pause: *pause, restart: *restart }
            }
            Fault::Operator { wish, node: None } => {
                Fault::Operator { wish: wish.clone(), node: None }
            }
            Fault::Operator { wish, node: Some(node) } => {
                Fault::Operator { wish: wish.clone(), node: Some(one(node)?) }
            }
        })
    }
}

impl<N> Cut<N> {
    fn bind<M: Copy + PartialEq>(&self, mut named: impl FnMut(&N) -> Vec<M>) -> Option<Cut<M>> {
        Some(match self {
            Cut::Isolate(node) => Cut::Isolate(named(node).first().copied()?),
            Cut::Groups(groups) => Cut::Groups(disjoint(groups.iter().map(Vec::as_slice), named)),
            Cut::OneWay { from, to } => {
                let (from, to) = one_way(from, to, named);
                Cut::OneWay { from, to }
            }
            Cut::MajoritiesRing => Cut::MajoritiesRing,
        })
    }
}

/// The machines of two sides. One that plays a role on both sends.
fn one_way<N, M: Copy + PartialEq>(
    from: &[N],
    to: &[N],
    named: impl FnMut(&N) -> Vec<M>,
) -> (Vec<M>, Vec<M>) {
    let [from, to] = <[Vec<M>; 2]>::try_from(disjoint([from, to], named))
        .unwrap_or_else(|_| unreachable!("as many groups as there were"));
    (from, to)
}

/// The machines of each group. One that several groups name, because it plays more than one role,
/// is in the first of them.
fn disjoint<'n, N: 'n, M: Copy + PartialEq>(
    groups: impl IntoIterator<Item = &'n [N]>,
    mut named: impl FnMut(&N) -> Vec<M>,
) -> Vec<Vec<M>> {
    let mut disjoint: Vec<Vec<M>> = Vec::new();
    for group in groups {
        let mut machines = Vec::new();
        for machine in group.iter().flat_map(&mut named) {
            if !disjoint.iter().chain([&machines]).any(|group| group.contains(&machine)) {
                machines.push(machine);
            }
        }
        disjoint.push(machines);
    }
    disjoint
}

impl<S: UnderTest, N> Fault<S, N> {
    /// The machine that is down, paused or cut off while the fault lasts, or whose disk stalls:
    /// nothing that it is asked to promise gets done.
    pub fn away(&self) -> Option<&N> {
        match self {
            Fault::Crash { node, .. } | Fault::BitRot { node, .. } | Fault::Wipe { node, .. } => {
                Some(node)
            }
            Fault::Pause { node, .. } | Fault::Cut { links: Cut::Isolate(node), .. } => Some(node),
            Fault::Disk { node, trouble: DiskTrouble::Stalled, .. } => Some(node),
            // It answers.
            Fault::Disk { trouble: DiskTrouble::Slow(_) | DiskTrouble::Full, .. } => None,
            Fault::Cut { links: Cut::Groups(_) | Cut::OneWay { .. }, .. } => None,
            Fault::Cut { links: Cut::MajoritiesRing, .. } => None,
            Fault::ClockJump { .. } | Fault::ClockDrift { .. } | Fault::Degrade { .. } => None,
            Fault::Drop(_) => None,
            // Their crashes are faults of their own.
            Fault::RollingRestart { .. } | Fault::Attrition { .. } => None,
            Fault::Operator { .. } => None,
        }
    }
}

names! {
    /// A kind of drawn fault that any system may meet.
    pub enum GeneralChaos {
        /// A machine crashes and starts again.
        Crash = "crash",
        /// A machine stops and goes on.
        Pause = "pause",
        /// Links between groups are cut.
        Partition = "partition",
        /// A machine is cut off.
        Isolate = "isolate",
        /// One direction of a link is cut.
        Clog = "clog",
        /// A link is slow.
        Delay = "delay",
        /// A link loses messages.
        Loss = "loss",
        /// A link delivers messages twice.
        Duplicate = "duplicate",
        /// Of what a machine has in flight each message is lost or not.
        Drop = "drop",
        /// A disk is slow.
        SlowDisk = "slow_disk",
        /// A disk stalls.
        StalledDisk = "stalled_disk",
        /// A disk is full.
        FullDisk = "full_disk",
        /// A machine crashes and finds a bit of its log wrong.
        BitRot = "bit_rot",
        /// A clock runs fast or slow, within the bound.
        Drift = "drift",
        /// Each node talks to a majority of them, each to a different one.
        MajoritiesRing = "majorities_ring",
        /// A clock jumps forward; that of `control` only where the system says that it may.
        Bump = "bump",
        /// A node crashes and loses its disk: at most `budget.wipes` times in a run, and
        /// only where the system may lose it.
        Wipe = "wipe",
        /// Every node in turn crashes and starts again.
        RollingRestart = "rolling_restart",
        /// As many nodes as the budget has left crash within a moment; at least one.
        Attrition = "attrition",
    }
}

/// A kind of drawn fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChaosKind<S: UnderTest> {
    /// That any system may meet.
    General(GeneralChaos),
    /// The operator wants something.
    Operator(WishKind<S>),
}

impl<S: UnderTest> ChaosKind<S> {
    /// Every kind.
    pub fn all() -> impl Iterator<Item = ChaosKind<S>> {
        let general = GeneralChaos::ALL.iter().map(|it| ChaosKind::General(*it));
        general.chain(WishKind::<S>::ALL.iter().map(|it| ChaosKind::Operator(*it)))
    }

    /// The name used in scenario files.
    pub fn name(self) -> &'static str {
        match self {
            ChaosKind::General(it) => it.name(),
            ChaosKind::Operator(it) => it.name(),
        }
    }

    /// Does it keep a machine from the others?
    pub fn keeps_away(self) -> bool {
        match self {
            ChaosKind::General(it) => it.keeps_away(),
            ChaosKind::Operator(_) => false,
        }
    }

    /// Does it take a disk from the budget?
    pub fn loses_a_disk(self) -> bool {
        self == ChaosKind::General(GeneralChaos::Wipe)
    }
}

impl GeneralChaos {
    fn keeps_away(self) -> bool {
        match self {
            GeneralChaos::Crash | GeneralChaos::BitRot | GeneralChaos::Wipe => true,
            GeneralChaos::Pause | GeneralChaos::StalledDisk | GeneralChaos::Isolate => true,
            GeneralChaos::Partition | GeneralChaos::Clog => true,
            GeneralChaos::Delay | GeneralChaos::Loss | GeneralChaos::Duplicate => false,
            GeneralChaos::SlowDisk | GeneralChaos::FullDisk | GeneralChaos::Drift => false,
            GeneralChaos::MajoritiesRing | GeneralChaos::Bump | GeneralChaos::Drop => false,
            GeneralChaos::Attrition | GeneralChaos::RollingRestart => false,
        }
    }
}

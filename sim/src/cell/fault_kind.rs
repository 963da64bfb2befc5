//! Kinds of fault, as coverage tells them apart.
//!
//! A [`Fault`] says all that there is to a fault; its kind is what is left when machine, length and
//! strength are taken away. A kind has the name that files use for the fault.

use std::fmt;

use seedbed::machine::Class;

use crate::fault::{ChaosKind, Cut, DiskTrouble, Fault, GeneralChaos, Worse};
use crate::name::Name;
use crate::under_test::{Operator, UnderTest, WishKind};

macro_rules! kinds {
    ($($(#[doc = $doc:literal])* $kind:ident = $name:literal, $lasts:literal, [$($role:ident),+];)*) => {
        crate::names! {
            /// A kind of fault that any system may meet.
            pub enum GeneralFault {
                $($(#[doc = $doc])* $kind = $name,)*
            }
        }

        impl GeneralFault {
            /// Is it in effect for some time, so that another fault can strike meanwhile?
            fn lasts(self) -> bool {
                match self { $(GeneralFault::$kind => $lasts,)* }
            }

            /// The roles of the machines that it can strike.
            fn strikes(self) -> &'static [Class] {
                match self { $(GeneralFault::$kind => &[$(Class::$role),+],)* }
            }
        }
    };
}

kinds! {
    /// a machine crashes and starts again
    Crash = "crash", true, [Control, Node, Client];
    /// a machine crashes, and at its next start a bit of its log reads wrong
    BitRot = "bit_rot", true, [Control, Node];
    /// a machine crashes and starts with an empty disk
    Wipe = "wipe", true, [Node];
    /// a machine crashes, one of several drawn ones
    Attrition = "attrition", true, [Node];
    /// a machine crashes in its turn of a rolling restart
    RollingRestart = "rolling_restart", true, [Node];
    /// a machine stops and goes on
    Pause = "pause", true, [Control, Node, Client];
    /// a machine is cut off
    Isolate = "isolate", true, [Control, Node, Client];
    /// links between groups of machines are cut
    Partition = "partition", true, [Control, Node, Client];
    /// links are cut in one direction
    Clog = "clog", true, [Control, Node, Client];
    /// each node talks to a majority, each to a different one
    MajoritiesRing = "majorities_ring", true, [Node];
    /// a link is slow
    Delay = "delay", true, [Control, Node, Client];
    /// a link loses messages
    Loss = "loss", true, [Control, Node, Client];
    /// a link delivers messages twice
    Duplicate = "duplicate", true, [Control, Node, Client];
    /// of what a machine has in flight each message is lost or not
    Drop = "drop", false, [Control, Node, Client];
    /// a disk is slow
    SlowDisk = "slow_disk", true, [Control, Node];
    /// a disk stalls: no sync ends
    StalledDisk = "stalled_disk", true, [Control, Node];
    /// a disk is full
    FullDisk = "full_disk", true, [Control, Node];
    /// a clock jumps forward
    Bump = "bump", false, [Control, Node, Client];
    /// a clock runs at another rate
    Drift = "drift", true, [Control, Node, Client];
}

impl GeneralFault {
    /// The kind of a fault. Crashes that a rolling restart or an attrition makes count as that
    /// kind.
    fn of<S: UnderTest, N>(fault: &Fault<S, N>) -> Option<GeneralFault> {
        Some(match fault {
            Fault::Crash { .. } => GeneralFault::Crash,
            Fault::BitRot { .. } => GeneralFault::BitRot,
            Fault::Wipe { .. } => GeneralFault::Wipe,
            Fault::Pause { .. } => GeneralFault::Pause,
            Fault::Cut { links, .. } => match links {
                Cut::Isolate(_) => GeneralFault::Isolate,
                Cut::Groups(_) => GeneralFault::Partition,
                Cut::OneWay { .. } => GeneralFault::Clog,
                Cut::MajoritiesRing => GeneralFault::MajoritiesRing,
            },
            Fault::Drop(_) => GeneralFault::Drop,
            Fault::ClockJump { .. } => GeneralFault::Bump,
            Fault::ClockDrift { .. } => GeneralFault::Drift,
            Fault::Degrade { what, .. } => match what.how {
                Worse::Slow(_) => GeneralFault::Delay,
                Worse::Lossy(_) => GeneralFault::Loss,
                Worse::Doubling(_) => GeneralFault::Duplicate,
            },
            Fault::Disk { trouble, .. } => match trouble {
                DiskTrouble::Slow(_) => GeneralFault::SlowDisk,
                DiskTrouble::Stalled => GeneralFault::StalledDisk,
                DiskTrouble::Full => GeneralFault::FullDisk,
            },
            Fault::RollingRestart { .. } => GeneralFault::RollingRestart,
            Fault::Attrition { .. } => GeneralFault::Attrition,
            Fault::Operator { .. } => return None,
        })
    }

    /// What kind of fault a kind of drawn fault is.
    fn of_drawn(kind: GeneralChaos) -> GeneralFault {
        match kind {
            GeneralChaos::Crash => GeneralFault::Crash,
            GeneralChaos::Pause => GeneralFault::Pause,
            GeneralChaos::Partition => GeneralFault::Partition,
            GeneralChaos::Isolate => GeneralFault::Isolate,
            GeneralChaos::Clog => GeneralFault::Clog,
            GeneralChaos::Delay => GeneralFault::Delay,
            GeneralChaos::Loss => GeneralFault::Loss,
            GeneralChaos::Duplicate => GeneralFault::Duplicate,
            GeneralChaos::Drop => GeneralFault::Drop,
            GeneralChaos::SlowDisk => GeneralFault::SlowDisk,
            GeneralChaos::StalledDisk => GeneralFault::StalledDisk,
            GeneralChaos::FullDisk => GeneralFault::FullDisk,
            GeneralChaos::BitRot => GeneralFault::BitRot,
            GeneralChaos::Drift => GeneralFault::Drift,
            GeneralChaos::Wipe => GeneralFault::Wipe,
            GeneralChaos::Attrition => GeneralFault::Attrition,
            GeneralChaos::RollingRestart => GeneralFault::RollingRestart,
            GeneralChaos::MajoritiesRing => GeneralFault::MajoritiesRing,
            GeneralChaos::Bump => GeneralFault::Bump,
        }
    }

    /// Is it a crash that takes from a log what was not durable, and leaves the rest?
    fn crashes(self) -> bool {
        match self {
            GeneralFault::Crash | GeneralFault::BitRot => true,
            GeneralFault::Attrition | GeneralFault::RollingRestart => true,
            GeneralFault::Wipe
            | GeneralFault::Pause
            | GeneralFault::Isolate
            | GeneralFault::Partition => false,
            GeneralFault::Clog | GeneralFault::MajoritiesRing | GeneralFault::Delay => false,
            GeneralFault::Loss | GeneralFault::Duplicate | GeneralFault::Drop => false,
            GeneralFault::SlowDisk => false,
            GeneralFault::Bump | GeneralFault::Drift => false,
            GeneralFault::StalledDisk | GeneralFault::FullDisk => false,
        }
    }

    /// Does it take its machine away: down, paused, cut off, or with a disk that stalls?
    fn takes_away(self) -> bool {
        match self {
            GeneralFault::Crash | GeneralFault::BitRot | GeneralFault::Wipe => true,
            GeneralFault::Attrition | GeneralFault::RollingRestart => true,
            GeneralFault::Pause | GeneralFault::Isolate | GeneralFault::StalledDisk => true,
            GeneralFault::Partition | GeneralFault::Clog | GeneralFault::MajoritiesRing => false,
            GeneralFault::Delay | GeneralFault::Loss | GeneralFault::Duplicate => false,
            GeneralFault::Drop => false,
            GeneralFault::SlowDisk | GeneralFault::FullDisk | GeneralFault::Bump => false,
            GeneralFault::Drift => false,
        }
    }

    /// Can it keep a message from arriving?
    fn loses_messages(self) -> bool {
        match self {
            GeneralFault::Crash | GeneralFault::BitRot | GeneralFault::Wipe => true,
            GeneralFault::Attrition | GeneralFault::RollingRestart => true,
            GeneralFault::Isolate | GeneralFault::Partition | GeneralFault::Clog => true,
            GeneralFault::MajoritiesRing | GeneralFault::Loss | GeneralFault::Drop => true,
            GeneralFault::Pause | GeneralFault::Delay | GeneralFault::Duplicate => false,
            GeneralFault::SlowDisk | GeneralFault::Bump | GeneralFault::Drift => false,
            GeneralFault::StalledDisk | GeneralFault::FullDisk => false,
        }
    }
}

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultKind<S: UnderTest> {
    /// That any system may meet.
    General(GeneralFault),
    /// The operator tells a machine something.
    Operator(WishKind<S>),
}

impl<S: UnderTest> FaultKind<S> {
    /// Every kind.
    pub fn all() -> impl Iterator<Item = FaultKind<S>> {
        let general = GeneralFault::ALL.iter().map(|it| FaultKind::General(*it));
        general.chain(WishKind::<S>::ALL.iter().map(|it| FaultKind::Operator(*it)))
    }

    /// The kind of a fault. Crashes that a rolling restart or an attrition makes count as that
    /// kind.
    pub fn of<N>(fault: &Fault<S, N>) -> FaultKind<S> {
        match fault {
            Fault::Operator { wish, .. } => FaultKind::Operator(S::Operator::kind(wish)),
            fault => GeneralFault::of(fault).map(FaultKind::General).expect("no wish"),
        }
    }

    /// What kind of fault a kind of drawn fault is.
    pub fn of_drawn(kind: ChaosKind<S>) -> FaultKind<S> {
        match kind {
            ChaosKind::General(it) => FaultKind::General(GeneralFault::of_drawn(it)),
            ChaosKind::Operator(it) => FaultKind::Operator(it),
        }
    }

    /// The name used in scenario files and matrices.
    pub fn name(self) -> &'static str {
        match self {
            FaultKind::General(it) => it.name(),
            FaultKind::Operator(it) => it.name(),
        }
    }

    /// What it does, in one line.
    pub fn summary(self) -> &'static str {
        match self {
            FaultKind::General(it) => it.summary(),
            FaultKind::Operator(it) => it.summary(),
        }
    }

    /// Is it in effect for some time, so that another fault can strike meanwhile?
    pub fn lasts(self) -> bool {
        matches!(self, FaultKind::General(it) if it.lasts())
    }

    /// The classes of the machines that it can strike.
    pub fn strikes(self) -> &'static [Class] {
        match self {
            FaultKind::General(it) => it.strikes(),
            FaultKind::Operator(it) => S::Operator::strikes(it),
        }
    }

    /// Is it a crash that takes from a log what was not durable, and leaves the rest?
    pub fn crashes(self) -> bool {
        matches!(self, FaultKind::General(it) if it.crashes())
    }

    /// Does it take its machine away: down, paused, cut off, or with a disk that stalls?
    pub fn takes_away(self) -> bool {
        matches!(self, FaultKind::General(it) if it.takes_away())
    }

    /// Can it keep a message from arriving?
    pub fn loses_messages(self) -> bool {
        matches!(self, FaultKind::General(it) if it.loses_messages())
    }
}

impl<S: UnderTest> fmt::Display for FaultKind<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

//! Kinds of fault, as coverage tells them apart.
//!
//! A [`Fault`] says all that there is to a fault; its kind is what is left when machine, length and
//! strength are taken away. A kind has the name that files use for the fault.

use std::fmt;

use seedbed::machine::Class;
use seedbed::proto::Command;

use crate::fault::{ChaosKind, Cut, DiskTrouble, Fault, Worse};

macro_rules! kinds {
    ($($(#[doc = $doc:literal])* $kind:ident = $name:literal, $lasts:literal, [$($role:ident),+];)*) => {
        /// A kind of fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FaultKind {
            $($(#[doc = $doc])* $kind,)*
        }

        impl FaultKind {
            /// Every kind.
            pub const ALL: &[FaultKind] = &[$(FaultKind::$kind,)*];

            /// The name used in scenario files and matrices.
            pub fn name(self) -> &'static str {
                match self { $(FaultKind::$kind => $name,)* }
            }

            /// What it does, in one line.
            pub fn summary(self) -> &'static str {
                match self { $(FaultKind::$kind => concat!($($doc,)*).trim_ascii(),)* }
            }

            /// Is it in effect for some time, so that another fault can strike meanwhile?
            pub fn lasts(self) -> bool {
                match self { $(FaultKind::$kind => $lasts,)* }
            }

            /// The roles of the machines that it can strike.
            pub fn strikes(self) -> &'static [Class] {
                match self { $(FaultKind::$kind => &[$(Class::$role),+],)* }
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
    /// each storage node talks to a majority, each to a different one
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
    /// the operator lets a storage node in
    Join = "join", false, [Control, Node];
    /// the operator tells a storage node to leave
    Leave = "leave", false, [Control, Node];
    /// the operator changes settings
    Set = "set", false, [Control];
    /// the operator accepts that what lost disks had is lost
    AcceptLoss = "accept_loss", false, [Control];
}

impl FaultKind {
    /// What kind of fault it is. The crashes that follow from a series are of the kind of the
    /// series.
    pub fn of<N>(fault: &Fault<N>) -> FaultKind {
        match fault {
            Fault::Crash { .. } => FaultKind::Crash,
            Fault::BitRot { .. } => FaultKind::BitRot,
            Fault::Wipe { .. } => FaultKind::Wipe,
            Fault::Pause { .. } => FaultKind::Pause,
            Fault::Cut { links, .. } => match links {
                Cut::Isolate(_) => FaultKind::Isolate,
                Cut::Groups(_) => FaultKind::Partition,
                Cut::OneWay { .. } => FaultKind::Clog,
                Cut::MajoritiesRing => FaultKind::MajoritiesRing,
            },
            Fault::Drop(_) => FaultKind::Drop,
            Fault::ClockJump { .. } => FaultKind::Bump,
            Fault::ClockDrift { .. } => FaultKind::Drift,
            Fault::Degrade { what, .. } => match what.how {
                Worse::Slow(_) => FaultKind::Delay,
                Worse::Lossy(_) => FaultKind::Loss,
                Worse::Doubling(_) => FaultKind::Duplicate,
            },
            Fault::Disk { trouble, .. } => match trouble {
                DiskTrouble::Slow(_) => FaultKind::SlowDisk,
                DiskTrouble::Stalled => FaultKind::StalledDisk,
                DiskTrouble::Full => FaultKind::FullDisk,
            },
            Fault::RollingRestart { .. } => FaultKind::RollingRestart,
            Fault::Attrition { .. } => FaultKind::Attrition,
            Fault::Join(_) => FaultKind::Join,
            Fault::Leave(_) => FaultKind::Leave,
            Fault::Operator(command) => FaultKind::of_command(command),
        }
    }

    /// What kind of fault it is that the operator says this.
    pub fn of_command(command: &Command) -> FaultKind {
        match command {
            Command::Join(_) => FaultKind::Join,
            Command::Leave(_) => FaultKind::Leave,
            Command::Set { .. } => FaultKind::Set,
            Command::AcceptLoss(_) => FaultKind::AcceptLoss,
        }
    }

    /// What kind of fault a kind of drawn fault is.
    pub fn of_drawn(kind: ChaosKind) -> FaultKind {
        match kind {
            ChaosKind::Crash => FaultKind::Crash,
            ChaosKind::Pause => FaultKind::Pause,
            ChaosKind::Partition => FaultKind::Partition,
            ChaosKind::Isolate => FaultKind::Isolate,
            ChaosKind::Clog => FaultKind::Clog,
            ChaosKind::Delay => FaultKind::Delay,
            ChaosKind::Loss => FaultKind::Loss,
            ChaosKind::Duplicate => FaultKind::Duplicate,
            ChaosKind::Drop => FaultKind::Drop,
            ChaosKind::SlowDisk => FaultKind::SlowDisk,
            ChaosKind::StalledDisk => FaultKind::StalledDisk,
            ChaosKind::FullDisk => FaultKind::FullDisk,
            ChaosKind::BitRot => FaultKind::BitRot,
            ChaosKind::Drift => FaultKind::Drift,
            ChaosKind::Join => FaultKind::Join,
            ChaosKind::Leave => FaultKind::Leave,
            ChaosKind::Wipe => FaultKind::Wipe,
            ChaosKind::Attrition => FaultKind::Attrition,
            ChaosKind::RollingRestart => FaultKind::RollingRestart,
            ChaosKind::MajoritiesRing => FaultKind::MajoritiesRing,
            ChaosKind::Bump => FaultKind::Bump,
            ChaosKind::Set => FaultKind::Set,
            ChaosKind::AcceptLoss => FaultKind::AcceptLoss,
        }
    }

    /// Is it a crash that takes from a log what was not durable, and leaves the rest?
    pub fn crashes(self) -> bool {
        match self {
            FaultKind::Crash | FaultKind::BitRot => true,
            FaultKind::Attrition | FaultKind::RollingRestart => true,
            FaultKind::Wipe | FaultKind::Pause | FaultKind::Isolate | FaultKind::Partition => false,
            FaultKind::Clog | FaultKind::MajoritiesRing | FaultKind::Delay => false,
            FaultKind::Loss | FaultKind::Duplicate | FaultKind::Drop => false,
            FaultKind::SlowDisk => false,
            FaultKind::Bump | FaultKind::Drift | FaultKind::Join | FaultKind::Leave => false,
            FaultKind::Set | FaultKind::AcceptLoss => false,
            FaultKind::StalledDisk | FaultKind::FullDisk => false,
        }
    }

    /// Does it take its machine away: down, paused, cut off, or with a disk that stalls?
    pub fn takes_away(self) -> bool {
        match self {
            FaultKind::Crash | FaultKind::BitRot | FaultKind::Wipe => true,
            FaultKind::Attrition | FaultKind::RollingRestart => true,
            FaultKind::Pause | FaultKind::Isolate | FaultKind::StalledDisk => true,
            FaultKind::Partition | FaultKind::Clog | FaultKind::MajoritiesRing => false,
            FaultKind::Delay | FaultKind::Loss | FaultKind::Duplicate => false,
            FaultKind::Drop => false,
            FaultKind::SlowDisk | FaultKind::FullDisk | FaultKind::Bump => false,
            FaultKind::Drift | FaultKind::Join | FaultKind::Leave => false,
            FaultKind::Set | FaultKind::AcceptLoss => false,
        }
    }

    /// Can it keep a message from arriving?
    pub fn loses_messages(self) -> bool {
        match self {
            FaultKind::Crash | FaultKind::BitRot | FaultKind::Wipe => true,
            FaultKind::Attrition | FaultKind::RollingRestart => true,
            FaultKind::Isolate | FaultKind::Partition | FaultKind::Clog => true,
            FaultKind::MajoritiesRing | FaultKind::Loss | FaultKind::Drop => true,
            FaultKind::Pause | FaultKind::Delay | FaultKind::Duplicate => false,
            FaultKind::SlowDisk | FaultKind::Bump | FaultKind::Drift => false,
            FaultKind::StalledDisk | FaultKind::FullDisk => false,
            FaultKind::Join | FaultKind::Leave | FaultKind::Set | FaultKind::AcceptLoss => false,
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

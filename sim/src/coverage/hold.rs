//! What the simulation tells of faults: which take hold of which machines, and when they let go.

use seedbed::machine::NodeId;

use crate::cell::FaultKind;
use crate::under_test::UnderTest;

/// A fault takes hold of machines, or lets go of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hold<S: UnderTest> {
    /// It takes hold, before its first event.
    Takes {
        /// What kind of fault.
        kind: FaultKind<S>,
        /// By what it is known when it lets go.
        grip: Grip,
        /// The machines; for a link both of its ends.
        machines: Vec<NodeId>,
    },
    /// It lets go.
    LetsGo(Grip),
    /// Everything is healed.
    AllEnd,
}

/// How long a fault has hold of its machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grip {
    /// No longer than it takes to strike.
    Moment,
    /// Until the machine is up again. Steps show that, so nothing tells it.
    Down(NodeId),
    /// Until the machine, which lost its disk, has again all that it should have
    /// ([`made_good`](crate::under_test::Coverage::made_good)). Steps show that.
    Bereft(NodeId),
    /// Until the machine goes on, or crashes. Steps show that.
    Paused(NodeId),
    /// Until the machine's disk goes on. Steps show that.
    Stalled(NodeId),
    /// Until the machine's disk has room. Steps show that.
    Full(NodeId),
    /// Until the machine's clock runs as it did before.
    Drifting(NodeId),
    /// Until the cut or the degradation of this number ends.
    Numbered(u32),
}

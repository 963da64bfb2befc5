//! What the simulation tells the oracle of what no step shows.

use seedbed::proto::{NodeId, Time};

use super::model::probes::Probe;

/// Something that the simulation knows before the steps show it, or that they never show.
#[derive(Clone, Debug)]
pub enum Told {
    /// The next request is a probe.
    Probe(Probe),
    /// A message from the one to the other is under way until then, longer than a commit can afford.
    HeldUp(NodeId, NodeId, Time),
    /// A sync of this machine's disk goes on until then, longer than a commit can afford.
    SlowSync(NodeId, Time),
    /// Everything is healed at this time.
    Healed(Time),
}

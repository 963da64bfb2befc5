//! Facts that the simulation hands to the oracle because no step carries them.

use seedbed::machine::{NodeId, Time};

use crate::under_test::UnderTest;

/// One such fact.
#[derive(Clone, Debug)]
pub enum Told<S: UnderTest> {
    /// The next request is asked by the user of this number, from 0, among those of its client.
    Asker(u16),
    /// The next request is a probe.
    Probe(S::Probe),
    /// A message from the one to the other is under way until then, longer than is
    /// [affordable](UnderTest::affordable).
    HeldUp(NodeId, NodeId, Time),
    /// A sync of this machine's disk goes on until then, longer than is affordable.
    SlowSync(NodeId, Time),
    /// Everything is healed at this time.
    Healed(Time),
}

//! What the simulation tells the oracle of what no step shows.

use super::model::probes::Probe;

/// Something that the simulation knows before the steps show it, or that they never show.
#[derive(Clone, Debug)]
pub enum Told {
    /// The next request is a probe.
    Probe(Probe),
}

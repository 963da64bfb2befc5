//! The invariants, by what they are about. One invariant is one file.

pub(super) mod commit;
pub(super) mod files;
pub(super) mod locks;
pub(super) mod membership;
pub(super) mod progress;
pub(super) mod requests;
pub(super) mod simulator;
pub(super) mod transfer;

use super::{Breach, Model, Seen, SeenKinds};
use crate::file_service::World;

/// A rule that must hold after every step.
pub trait Invariant {
    /// What it looks at. The narrower, the less a step costs.
    fn interest(&self) -> SeenKinds {
        SeenKinds::ALL
    }

    /// Looks at one thing that happened; the model has taken it over already.
    fn see(&mut self, seen: &Seen<'_>, model: &Model, world: &World) -> Result<(), Breach>;

    /// Looks at the end of a run, when all faults are over and everything had its time.
    fn at_end(&mut self, _model: &Model, _world: &World) -> Result<(), Breach> {
        Ok(())
    }
}

//! The oracle: watches every step from outside and says when a promise is broken.
//!
//! It judges durable records, messages on the wire, what storage holds and what clients answer, kept in its
//! own [`Model`]; it never believes a node's summary of itself. One invariant is one file. Each sees only
//! what the step touched, so that its cost does not grow with the cluster.

#![deny(clippy::disallowed_types, clippy::disallowed_methods)]

mod model;
mod seen;

use crate::world::{Step, World};

pub use model::{Asked, At, FileHistory, LockHistory, Model, Txn, only_reads};
pub use seen::{Seen, seen};

/// A rule that must hold after every step.
pub trait Invariant {
    /// Its name, a sentence in the field's terms, as used in `violates = "..."`.
    fn name(&self) -> &'static str;

    /// Looks at one thing that happened; the model has taken it over already.
    fn see(&mut self, seen: &Seen<'_>, model: &Model, world: &World) -> Result<(), Breach>;

    /// Looks at the end of a run, when all faults are over and everything had its time.
    fn at_end(&mut self, _model: &Model, _world: &World) -> Result<(), Breach> {
        Ok(())
    }
}

/// The two facts that contradict each other, each with the step that made it one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// What was promised or done before.
    pub earlier: At<String>,
    /// What has happened now.
    pub now: At<String>,
}

/// A broken invariant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub invariant: &'static str,
    /// The first bad step; at the end of a run its last.
    pub step: u64,
    /// How.
    pub breach: Breach,
}
pub mod blocked;
pub mod milestones;
/// stub
#[derive(Debug, Default)]
pub struct Oracle {
    model: Model,
}
impl Oracle {
    /// n
    pub fn new(_: &World) -> Oracle {
        Oracle::default()
    }
    /// o
    pub fn observe(&mut self, _: &World, step: &Step) -> Result<(), Violation> {
        self.model.step = step.index;
        self.model.now = step.at;
        for s in seen(step) {
            self.model.update(&s);
        }
        Ok(())
    }
    /// e
    pub fn at_end(&mut self, _: &World) -> Result<(), Violation> {
        Ok(())
    }
    /// m
    pub fn model(&self) -> &Model {
        &self.model
    }
}

//! The oracle: watches every step from outside and says when a promise is broken.
//!
//! It judges durable records, messages on the wire, what storage holds and what clients answer,
//! kept in its own [`Model`]; it never believes a node's summary of itself. One invariant is one
//! file, and [`registry`] binds it to its name. Each sees only what the step touched and what it
//! has said that it wants to see ([`SeenKinds`]), so that the cost of a step grows neither with the
//! cluster nor with the run.
//!
//! # Which moment counts
//!
//! A node goes on in memory from the moment at which it *appends* a record, but whatever it says
//! from then on waits until that record is *durable*. So what a node may say is judged by what is
//! durable when the message leaves; what it may do next is judged by what it has appended; and a
//! message may have been put together earlier than it leaves, if a forced record held it back
//! ([`LogSeen`] knows how long).

#![deny(clippy::disallowed_types, clippy::disallowed_methods)]

pub mod blocked;
pub mod copies;
mod evidence;
mod invariants;
pub mod milestones;
mod model;
mod per_node;
mod per_request;
pub mod registry;
mod seen;
mod seen_kinds;
#[cfg(test)]
mod tests;
mod told;

use std::fmt;

use crate::file_service::{Step, World};
use crate::invariant::InvariantName;
use crate::scenario::Workload;

pub use evidence::{At, Breach, Evidence};
pub use invariants::Invariant;
pub use model::disks::{Disk, Disks, Promise};
pub use model::leases::{Lease, Leases};
pub use model::placement::Placement;
pub use model::probes::{Probe, ProbeAnswer};
pub use model::txns::{Begun, Heard, Txn, Txns};
pub use model::views::Views;
pub use model::{
    Asked, Committed, FileHistory, Lock, LockHistory, LogSeen, Model, answer_in_words,
    changes_path, contents_in_words, is_alive, reads, single_read,
};
pub use seen::{Seen, seen};
pub use seen_kinds::SeenKinds;
pub use told::Told;

/// A broken invariant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub invariant: InvariantName,
    /// The first bad step; at the end of a run its last.
    pub step: u64,
    /// How. Every step has a result that may be a violation, so what is seldom there is behind a
    /// box.
    pub breach: Box<Breach>,
}

/// Everything that watches one run.
pub struct Oracle {
    model: Model,
    invariants: Vec<(InvariantName, Box<dyn Invariant>)>,
    /// By slot of what is seen: the numbers of the invariants that want to see it.
    interested: Vec<Vec<u16>>,
}

impl Oracle {
    /// An oracle with every registered invariant, for a run that starts with `world`.
    /// Those about a workload are left out where there is none of its kind.
    pub fn new(world: &World, workload: Option<&Workload>) -> Oracle {
        let make = |name: &InvariantName| {
            registry::make(*name, world, workload).map(|invariant| (*name, invariant))
        };
        Oracle::of(world, InvariantName::ALL.iter().filter_map(make).collect())
    }

    /// An oracle that judges by these invariants.
    fn of(world: &World, invariants: Vec<(InvariantName, Box<dyn Invariant>)>) -> Oracle {
        let mut interested = vec![Vec::new(); SeenKinds::SLOTS];
        for (number, (_, invariant)) in (0..).zip(&invariants) {
            let kinds = invariant.interest();
            for slot in (0..SeenKinds::SLOTS).filter(|slot| kinds.has(*slot)) {
                interested[slot].push(number);
            }
        }
        Oracle { model: Model::new(world.config()), invariants, interested }
    }

    /// How many invariants watch.
    pub fn invariants(&self) -> usize {
        self.invariants.len()
    }

    /// Takes over what happened in `step`, after which `world` is as it is, and judges it.
    ///
    /// # Errors
    /// The first invariant that is broken, in the order of the names.
    pub fn observe(&mut self, world: &World, step: &Step) -> Result<(), Violation> {
        self.model.step = step.index;
        self.model.now = step.at;
        seen(step).try_for_each(|seen| self.see(&seen, world))
    }

    /// Takes over what the simulation knows and no step shows.
    pub fn tell(&mut self, told: Told) {
        self.model.on_told(told);
    }

    /// Judges the end of a run. It may go on after that, and end again.
    ///
    /// # Errors
    /// The first invariant that is broken, in the order of the names.
    pub fn at_end(&mut self, world: &World) -> Result<(), Violation> {
        for (name, invariant) in &mut self.invariants {
            if let Err(breach) = invariant.at_end(&self.model, world) {
                return Err(violation(*name, &self.model, breach));
            }
        }
        Ok(())
    }

    /// What has happened so far.
    pub fn model(&self) -> &Model {
        &self.model
    }

    fn see(&mut self, seen: &Seen<'_>, world: &World) -> Result<(), Violation> {
        self.model.update(seen, world);
        for &number in &self.interested[seen.slot()] {
            let (name, invariant) = &mut self.invariants[usize::from(number)];
            if let Err(breach) = invariant.see(seen, &self.model, world) {
                return Err(violation(*name, &self.model, breach));
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Oracle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Oracle { model, invariants, interested: _ } = self;
        let names: Vec<_> = invariants.iter().map(|(name, _)| name.name()).collect();
        f.debug_struct("Oracle").field("model", model).field("invariants", &names).finish()
    }
}

fn violation(invariant: InvariantName, model: &Model, breach: Breach) -> Violation {
    let step = breach.now.step.min(model.step);
    Violation { invariant, step, breach: Box::new(breach) }
}

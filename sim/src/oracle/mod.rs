//! The oracle: watches every step from outside and says when a promise is broken.
//!
//! It judges durable records, messages on the wire, what storage holds and what clients answer, kept in its
//! own [`Model`]; it never believes a node's summary of itself. One invariant is one file. Each sees only
//! what the step touched, so that its cost does not grow with the cluster.

#![deny(clippy::disallowed_types, clippy::disallowed_methods)]

pub mod bank_total_never_changes;
pub mod blocked;
pub mod done_means_effect;
mod effects;
pub mod every_lock_is_free_or_held_by_the_living;
pub mod every_request_ends;
pub mod grant_is_durable_before_it_leaves;
pub mod grants_follow_the_line;
pub mod grants_go_to_the_living;
pub mod holders_stop_believing_first;
mod lock_log;
#[cfg(test)]
mod lock_tests_support;
pub mod messages_are_conserved;
pub mod milestones;
mod model;
pub mod no_free_lock_with_a_live_waiter;
pub mod no_increment_is_lost;
pub mod one_answer_per_request;
pub mod one_effect_per_request;
pub mod one_holder_per_lock;
pub mod only_the_holder_releases;
pub mod owners_agree;
mod per_node;
#[cfg(test)]
mod reality;
pub mod refused_means_no_effect;
mod seen;
pub mod time_never_goes_back;
pub mod tokens_grow;
#[cfg(test)]
mod txn_tests_support;
mod wording;

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

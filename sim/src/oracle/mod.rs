//! The oracle: watches every step from outside and says when a promise is broken.
//!
//! It judges durable records, messages on the wire, what storage holds and what clients answer,
//! kept in its own [`Model`]; it never believes a node's summary of itself. One invariant is one
//! file, and [`registry`] lists them all. Each sees only what the step touched and what it has said
//! that it wants to see ([`SeenKinds`]), so that the cost of a step grows neither with the cluster
//! nor with the run.
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
mod disks;
mod kinds;
mod leases;
pub mod milestones;
mod model;
mod placement;
pub mod registry;
mod seen;
mod txns;
mod views;

mod effects;
mod lock_log;
mod per_node;
mod service;
mod wording;

mod a_checkpoint_keeps_what_it_replaces;
mod a_serving_owner_has_the_last_decided_contents;
mod a_view_is_active_after_all_have_left;
mod a_yes_is_kept_until_the_decision;
mod abort_needs_a_reason;
mod acknowledged_writes_survive;
mod acknowledgement_is_durable_before_it_leaves;
mod acquired_means_held;
mod admissions_are_used_once;
mod bank_total_never_changes;
mod claimed_copies_are_kept;
mod commit_is_remembered_until_acknowledged;
mod commit_needs_every_yes;
mod complete_owners_have_every_decided_write;
mod decision_is_durable_before_it_leaves;
mod decisions_are_final;
mod deleted_files_stay_deleted;
mod done_means_effect;
mod epochs_of_a_node_only_grow;
mod every_arc_is_complete_and_settled_at_the_end;
mod every_lock_is_free_or_held_by_the_living;
mod every_request_ends;
mod grant_is_durable_before_it_leaves;
mod grants_follow_the_line;
mod grants_go_to_the_living;
mod hand_overs_keep_tokens_and_answers;
mod holders_stop_believing_first;
mod in_doubt_keeps_its_pins;
mod keys_move_only_to_joiners_and_from_leavers;
#[cfg(test)]
mod lock_tests_support;
mod messages_are_conserved;
mod no_claim_without_what_it_claims;
mod no_copies_elsewhere_at_the_end;
mod no_free_lock_with_a_live_waiter;
mod no_increment_is_lost;
mod no_path_is_handed_over_in_doubt;
mod no_pin_is_orphaned;
mod no_view_change_without_a_cause;
mod no_write_below_the_claimed_token;
mod nobody_is_in_doubt_at_the_end;
mod one_answer_per_request;
mod one_effect_per_request;
mod one_epoch_is_served_at_once;
mod one_holder_per_lock;
mod only_complete_owners_serve_and_vote;
mod only_leased_members_serve_and_vote;
mod only_settled_epochs_give_up_copies;
mod only_the_holder_releases;
mod owners_agree;
mod participants_agree;
mod promise_is_durable_before_it_leaves;
mod reads_of_one_transaction_are_one_moment;
mod reads_see_only_what_was_committed;
#[cfg(test)]
mod reality;
mod refused_means_no_effect;
mod replicas_agree;
mod replicas_are_equal_at_the_end;
#[cfg(test)]
mod runs;
#[cfg(test)]
mod testing;
mod time_never_goes_back;
mod tokens_grow;
mod transaction_ids_are_used_once;
#[cfg(test)]
mod txn_tests_support;
mod versions_grow;
mod views_are_decided_once_and_in_order;
mod vote_is_durable_before_it_leaves;

use std::fmt;

use crate::scenario::Workload;
use crate::world::{Step, World};

pub use disks::{Disk, Disks, Promise};
pub use kinds::SeenKinds;
pub use leases::{Lease, Leases};
pub use model::{
    Asked, At, Committed, FileHistory, LockHistory, LogSeen, Model, changes_path, reads,
    single_read,
};
pub use placement::Placement;
pub use seen::{Seen, seen};
pub use txns::{Begun, Heard, Txn, Txns};
pub use views::Views;

/// A rule that must hold after every step.
pub trait Invariant {
    /// Its name, a sentence in the field's terms, as used in `violates = "..."`.
    fn name(&self) -> &'static str;

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

/// The two facts that contradict each other, each with the step that made it one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// What was promised or done before.
    pub earlier: At<String>,
    /// What has happened now.
    pub now: At<String>,
}

impl Breach {
    /// `now` contradicts what `earlier` says of an earlier step.
    pub fn new<T>(
        (step, earlier): (u64, impl Into<String>),
        model: &Model,
        now: impl Into<String>,
    ) -> Result<T, Breach> {
        let earlier = At { step, is: earlier.into() };
        Err(Breach { earlier, now: At { step: model.step, is: now.into() } })
    }
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

/// Everything that watches one run.
pub struct Oracle {
    model: Model,
    invariants: Vec<Box<dyn Invariant>>,
    /// By slot of what is seen: who wants to see it, in the order of the registry.
    interested: Vec<Vec<u16>>,
}

impl Oracle {
    /// An oracle with every registered invariant, for a run that starts with `world`.
    /// Those about a workload are left out where there is none of its kind.
    pub fn new(world: &World, workload: Option<&Workload>) -> Oracle {
        let make = |entry: &registry::Entry| (entry.make)(world, workload);
        let invariants: Vec<Box<dyn Invariant>> = registry::ALL.iter().filter_map(make).collect();
        let wants = |slot: usize| -> Vec<u16> {
            let numbered = (0..).zip(&invariants);
            let wanting = numbered.filter(|(_, invariant)| invariant.interest().has(slot));
            wanting.map(|(number, _)| number).collect()
        };
        let interested = (0..SeenKinds::SLOTS).map(wants).collect();
        Oracle { model: Model::new(world.config()), invariants, interested }
    }

    /// How many invariants watch.
    pub fn invariants(&self) -> usize {
        self.invariants.len()
    }

    /// Takes over what happened in `step`, after which `world` is as it is, and judges it.
    ///
    /// # Errors
    /// The first invariant that is broken, in the order of the registry.
    pub fn observe(&mut self, world: &World, step: &Step) -> Result<(), Violation> {
        self.model.step = step.index;
        self.model.now = step.at;
        seen(step).try_for_each(|seen| self.see(&seen, world))
    }

    /// Judges the end of a run.
    ///
    /// # Errors
    /// The first invariant that is broken, in the order of the registry.
    pub fn at_end(&mut self, world: &World) -> Result<(), Violation> {
        for invariant in &mut self.invariants {
            if let Err(breach) = invariant.at_end(&self.model, world) {
                return Err(violation(invariant.name(), &self.model, breach));
            }
        }
        Ok(())
    }

    /// What has happened so far.
    pub fn model(&self) -> &Model {
        &self.model
    }

    fn see(&mut self, seen: &Seen<'_>, world: &World) -> Result<(), Violation> {
        self.model.update(seen);
        for &number in &self.interested[kinds::slot_of(seen)] {
            let invariant = &mut self.invariants[usize::from(number)];
            if let Err(breach) = invariant.see(seen, &self.model, world) {
                return Err(violation(invariant.name(), &self.model, breach));
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Oracle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Oracle { model, invariants, interested: _ } = self;
        let names: Vec<&str> = invariants.iter().map(|invariant| invariant.name()).collect();
        f.debug_struct("Oracle").field("model", model).field("invariants", &names).finish()
    }
}

fn violation(invariant: &'static str, model: &Model, breach: Breach) -> Violation {
    let step = breach.now.step.min(model.step);
    Violation { invariant, step, breach }
}

//! The oracle of the file service: its ground-truth [`Model`], its invariants and milestones, and
//! the account of which machine waits for what.
//!
//! One invariant is one file, and [`registry`] binds it to its name.
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
mod invariants;
pub mod milestones;
mod model;
mod per_request;
pub mod registry;
#[cfg(test)]
mod tests;

use seedbed::proto::FileService;

use crate::oracle;

pub use crate::oracle::{At, Invariant, PerNode, SeenKinds, seen};
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

/// The oracle of a run of the file service.
pub type Oracle = oracle::Oracle<FileService>;
/// One thing that the oracle sees happen.
pub type Seen<'a> = oracle::Seen<'a, FileService>;
/// The moment in which an invariant judges.
pub type Moment<'a> = oracle::Moment<'a, FileService>;
/// A fact in words, and what it is about.
pub type Evidence = oracle::Evidence<FileService>;
/// The two facts that contradict each other.
pub type Breach = oracle::Breach<FileService>;
/// A broken invariant.
pub type Violation = oracle::Violation<FileService>;
/// What the simulation tells the oracle.
pub type Told = oracle::Told<FileService>;

//! The bench for tests of single invariants, and tests of the whole oracle on real runs.

mod behind;
mod bench;
mod cluster;
mod commits;
mod judged;
mod locks;
mod messages;
mod records;
mod storms;
mod transactions;

pub(in crate::oracle) use bench::Play;
pub(in crate::oracle) use messages::*;
pub(in crate::oracle) use records::*;

//! The bench for tests of single invariants, and tests of the whole oracle on real runs.

mod behind;
mod bench;
mod cluster;
pub(in crate::oracle) mod lock_tests_support;
mod messages;
mod reality;
mod records;
mod runs;
pub(in crate::oracle) mod testing;
pub(in crate::oracle) mod txn_tests_support;

pub(in crate::oracle) use bench::Play;
pub(in crate::oracle) use messages::*;
pub(in crate::oracle) use records::*;

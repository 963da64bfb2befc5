//! The bench for tests of single invariants, and tests of the whole oracle on real runs.

mod bench;
mod general_invariants;
mod real_runs;

pub(in crate::file_service::oracle) use bench::Play;
pub(in crate::file_service::oracle) use bench::messages::*;
pub(in crate::file_service::oracle) use bench::records::*;

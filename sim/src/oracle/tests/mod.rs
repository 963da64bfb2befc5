//! The bench for tests of single invariants, and tests of the whole oracle on real runs.

mod bench;
mod real_runs;

pub(in crate::oracle) use bench::Play;
pub(in crate::oracle) use bench::messages::*;
pub(in crate::oracle) use bench::records::*;

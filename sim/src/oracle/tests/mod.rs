//! What the tests of invariants share, and tests of the oracle on real runs.

pub(in crate::oracle) mod lock_tests_support;
mod reality;
mod runs;
pub(in crate::oracle) mod testing;
pub(in crate::oracle) mod txn_tests_support;

//! The invariants, by what they are about. One invariant is one file.

pub(super) mod commit;
pub(super) mod files;
pub(super) mod locks;
pub(super) mod membership;
pub(super) mod progress;
pub(super) mod requests;
pub(super) mod transfer;

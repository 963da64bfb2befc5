//! Every test of the root package but those that are one test for each file: one binary, because each
//! links the whole testbed.
//!
//! `cargo test --test suite ring` runs those of `ring.rs`.

mod arrows;
mod catalogue;
mod costs;
mod determinism;
mod imports;
mod lease;
mod lock;
mod log;
mod membership;
mod mutated_files;
mod mutation;
mod mutations;
mod ring;
mod scope;

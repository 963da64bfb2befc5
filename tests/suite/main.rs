//! Every test of the root package but those that are one test for each file: one binary, because
//! each links the whole testbed.
//!
//! `cargo test --test suite ring::` runs those of `ring.rs`.

mod arrows;
mod costs;
mod determinism;
mod documents;
mod every_name_is_shown;
mod imports;
mod lease;
mod lock;
mod log;
mod membership;
mod mutation;
mod mutations;
mod own_protocol;
mod planted_mistakes;
mod ring;
mod scenario_fuzz;
mod scenario_reference;
mod swarms;
mod which_cases;

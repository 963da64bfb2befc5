//! The simulated world that tests `seedbed`.

pub mod chaos;
#[cfg(feature = "command")]
pub mod command;
pub mod digest;
pub mod figures;
pub mod milestone;
pub mod oracle;
pub mod report;
pub mod rules;
#[cfg(feature = "madsim")]
pub mod run;
pub mod scenario;
pub mod seed;
pub mod simulation;
pub mod trace;
pub mod verdict;
pub mod weather;
pub mod workload;
pub mod world;

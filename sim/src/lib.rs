//! The simulated world that tests a system, and the command that runs scenarios in it.
//!
//! How a run flows, which is also the order in which to read the files:
//!
//! ```text
//! scenario file -> scenario                  names, times and probabilities, checked
//!               -> seed -> draw              one stream for each purpose: the cluster where the
//!                                            file leaves it open, what users ask, what breaks, how
//!                                            long things take
//!               -> simulation                a queue of what is due; the earliest becomes an event
//!               -> world                     applies one event to a whole cluster, and gives all
//!                                            its effects as a step
//!               -> digest, oracle            one number for all of it; is every promise kept?
//!               -> coverage                  where it is asked for: what did the faults meet?
//!               -> run                       the same inside madsim's runtime
//!               -> verdict -> report, trace  how it ended, explained
//! ```
//!
//! Below all of it lie the vocabulary and small helpers: `quantity`, `text`, [`fault`], [`cell`],
//! [`invariant`], [`milestone`] with [`figures`], and [`subject`], which says what each step is
//! about. All of it is generic over the system under test, of which [`under_test`] says what the
//! testbed needs to know; [`file_service`] says it of the file service.
//!
//! Only [`run`] needs madsim (feature `madsim`) and only the command needs a terminal (feature
//! `command`); the rest compiles without either.

pub mod aimed_moment;
pub mod artifact;
pub mod cast;
pub mod cell;
#[cfg(feature = "command")]
pub mod command;
pub mod coverage;
pub mod digest;
pub mod draw;
pub mod fault;
pub mod figures;
#[cfg(feature = "file-service")]
pub mod file_service;
pub mod invariant;
pub mod milestone;
pub mod name;
pub mod oracle;
pub mod outcome;
pub mod quantity;
#[cfg(feature = "madsim")]
mod quiet_panics;
pub mod reference;
pub mod report;
pub mod role;
#[cfg(feature = "madsim")]
pub mod run;
pub mod scenario;
#[cfg(feature = "madsim")]
pub mod scenario_test;
pub mod seed;
#[cfg(feature = "madsim")]
pub mod shrink;
pub mod simulation;
pub mod subject;
pub mod terms;
pub mod text;
pub mod trace;
pub mod under_test;
pub mod verdict;
pub mod world;

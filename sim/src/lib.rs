//! The simulated world that tests `seedbed`.

pub mod milestone;
pub mod world;

//! The simulated world that tests `seedbed`.

pub mod milestone;

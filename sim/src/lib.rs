//! The simulated world that tests `seedbed`.

pub mod milestone;
pub mod oracle;
pub mod world;

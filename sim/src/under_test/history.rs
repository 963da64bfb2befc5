//! What writes down what users asked and were told.

use std::fmt::Debug;
use std::io::{self, Write};

use super::UnderTest;
use crate::world::Watcher;

/// Keeps what users of a run asked and were told, in a form that other checkers read.
pub trait WrittenHistory<S: UnderTest>: Watcher<S> + Debug + Send {
    /// Writes all of it.
    ///
    /// # Errors
    /// It cannot be written.
    fn write(&mut self, to: &mut dyn Write) -> io::Result<()>;
}

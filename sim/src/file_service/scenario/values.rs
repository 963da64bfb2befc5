//! Values of a file that only the file service has.

use seedbed::machine::Span;
use seedbed::proto::{Config, Path};

use crate::scenario::reading::{Result, Value};

impl Value<'_> {
    /// A path.
    pub(in crate::file_service) fn path(&self) -> Result<Path> {
        Path::new(self.string()?)
            .map_err(|_| self.not("a path: it starts with `/` and has no control characters"))
    }

    /// How long a membership lease runs.
    pub(super) fn membership_lease(&self) -> Result<Span> {
        let span = self.span()?;
        let is_long_enough = span >= Config::LEAST_MEMBERSHIP_LEASE;
        if is_long_enough { Ok(span) } else { Err(self.not("10ms to one day")) }
    }
}

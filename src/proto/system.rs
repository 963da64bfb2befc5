//! The file service as one system of machines, and the names of what these are handed. Its types
//! are put together in `process`, which knows all of them.

use serde::Serialize;

use super::Timer;
use crate::machine;

/// The file service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct FileService;

/// What happens to a machine of the file service.
pub type Input<'a> = machine::Input<'a, FileService>;
/// What a machine of the file service does.
pub type Effect = machine::Effect<FileService>;
/// A queue of effects with a barrier behind each forced record.
pub type Outbox = machine::Outbox<FileService>;
/// A record on its way to the log.
pub type Append = machine::Append<FileService>;
/// What replaces the log up to a position.
pub type Snapshot = machine::Snapshot<FileService>;
/// The deadlines of one machine.
pub(super) type Timers = machine::Timers<Timer>;

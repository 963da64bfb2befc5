//! What the central node has at hand in one step, lent to its lock server and to its centre of
//! views.

use std::sync::Arc;

use super::Timers;
use super::{Config, Outbox};
use crate::machine::Time;

/// What the central node has at hand in one step.
pub(super) struct Turn<'a> {
    pub config: &'a Arc<Config>,
    pub now: Time,
    pub disk_is_full: bool,
    pub timers: &'a mut Timers,
    pub out: &'a mut Outbox,
}

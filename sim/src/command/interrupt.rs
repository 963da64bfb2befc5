//! Ctrl-C: a search ends early and tells what it has found so far. The second one ends the process
//! at once.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::SIGINT;
use signal_hook::flag;

/// What a shell reports of a process that SIGINT has ended.
pub(super) const STATUS: u8 = 130;

static HAS_COME: AtomicBool = AtomicBool::new(false);

/// From here on Ctrl-C is noticed instead of ending the process. Where it cannot be, it goes on
/// ending the process.
pub(super) fn listen() {
    // In this order: the first one to come finds the flag unset, and then sets it.
    let listening: io::Result<()> =
        flag::register_conditional_shutdown(SIGINT, STATUS.into(), &HAS_COME)
            .and_then(|_| flag::register(SIGINT, &HAS_COME))
            .map(drop);
    drop(listening);
}

/// Has Ctrl-C come?
pub(super) fn has_come() -> bool {
    HAS_COME.load(Ordering::Relaxed)
}

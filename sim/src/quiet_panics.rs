//! Panics that are caught: nothing is printed of them, but it is remembered where they struck.

use std::cell::{Cell, RefCell};
use std::panic;
use std::sync::Once;

static HOOK: Once = Once::new();

thread_local! {
    static IS_QUIET: Cell<bool> = const { Cell::new(false) };
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Puts itself in front of the panic hook there is.
fn install() {
    let loud = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !IS_QUIET.get() {
            return loud(info);
        }
        let place = info.location().map(ToString::to_string);
        PLACE.with_borrow_mut(|kept| *kept = place);
    }));
}

/// Panics are as loud again as they were.
struct Restore {
    was_quiet: bool,
}

impl Drop for Restore {
    fn drop(&mut self) {
        IS_QUIET.set(self.was_quiet);
    }
}

/// Does `work` without a word of any panic in it, if it catches them itself. Gives the place of the
/// last one.
pub(crate) fn quietly<T>(work: impl FnOnce() -> T) -> (T, Option<String>) {
    HOOK.call_once(install);
    let _restore = Restore { was_quiet: IS_QUIET.replace(true) };
    PLACE.with_borrow_mut(|kept| *kept = None);
    let done = work();
    (done, PLACE.with_borrow_mut(Option::take))
}

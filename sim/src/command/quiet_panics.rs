//! Panics of a run are verdicts: nothing is printed of them, but it is remembered where they
//! struck.

use std::cell::{Cell, RefCell};
use std::panic;

thread_local! {
    static IS_QUIET: Cell<bool> = const { Cell::new(false) };
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Puts itself in front of the panic hook there is; once for the process.
pub(super) fn install() {
    let loud = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !IS_QUIET.get() {
            return loud(info);
        }
        let place = info.location().map(ToString::to_string);
        PLACE.with_borrow_mut(|kept| *kept = place);
    }));
}

/// Does `work` without a word of any panic in it, if it catches them itself. Gives the place of the
/// last one.
pub(super) fn quietly<T>(work: impl FnOnce() -> T) -> (T, Option<String>) {
    IS_QUIET.set(true);
    PLACE.with_borrow_mut(|kept| *kept = None);
    let done = work();
    IS_QUIET.set(false);
    (done, PLACE.with_borrow_mut(Option::take))
}

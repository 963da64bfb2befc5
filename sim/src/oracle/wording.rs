//! How two facts become a [`Breach`].

use super::{At, Breach};

/// What was so in step `step`, in words.
pub(super) fn fact(step: u64, is: String) -> At<String> {
    At { step, is }
}

/// Says that two facts contradict each other.
pub(super) fn breach(earlier: At<String>, now: At<String>) -> Result<(), Breach> {
    Err(Breach { earlier, now })
}

//! What a violation is shown with: two facts, each with the step that made it one.

use super::Model;

/// A fact and the step that made it one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct At<T> {
    /// The step.
    pub step: u64,
    /// The fact.
    pub is: T,
}

/// The two facts that contradict each other, each with the step that made it one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// What was promised or done before.
    pub earlier: At<String>,
    /// What has happened now.
    pub now: At<String>,
}

impl Breach {
    /// `now` contradicts what `earlier` says of an earlier step.
    pub fn new<T>(
        (step, earlier): (u64, impl Into<String>),
        model: &Model,
        now: impl Into<String>,
    ) -> Result<T, Breach> {
        let earlier = At { step, is: earlier.into() };
        Err(Breach { earlier, now: At { step: model.step, is: now.into() } })
    }
}

/// What was so in step `step`, in words.
pub(in crate::oracle) fn fact(step: u64, is: String) -> At<String> {
    At { step, is }
}

/// Says that two facts contradict each other.
pub(in crate::oracle) fn breach(earlier: At<String>, now: At<String>) -> Result<(), Breach> {
    Err(Breach { earlier, now })
}

//! What a violation is shown with: two facts, each with the step that made it one.

use super::Model;
use crate::subject::Subject;

/// A fact and the step that made it one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct At<T> {
    /// The step.
    pub step: u64,
    /// The fact.
    pub is: T,
}

/// A fact in words, the step that made it one, and what it is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// The step.
    pub step: u64,
    /// The fact, in words.
    pub is: String,
    /// What the words name: a report shows the steps that are about the same.
    pub about: Vec<Subject>,
}

impl Evidence {
    /// What was so in step `step`.
    pub fn at(step: u64, is: impl Into<String>) -> Evidence {
        Evidence { step, is: is.into(), about: Vec::new() }
    }

    /// The same fact, which is about `subject` as well.
    #[must_use]
    pub fn about(mut self, subject: impl Into<Subject>) -> Evidence {
        self.about.push(subject.into());
        self
    }
}

/// The two facts that contradict each other, each with the step that made it one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// What was promised or done before.
    pub earlier: Evidence,
    /// What has happened now.
    pub now: Evidence,
}

impl Breach {
    /// `now` contradicts what `earlier` says of an earlier step.
    pub fn new<T>(
        (step, earlier): (u64, impl Into<String>),
        model: &Model,
        now: impl Into<String>,
    ) -> Result<T, Breach> {
        breach_of(Evidence::at(step, earlier), Evidence::at(model.step, now))
    }
}

fn breach_of<T>(earlier: Evidence, now: Evidence) -> Result<T, Breach> {
    Err(Breach { earlier, now })
}

/// What was so in step `step`, in words.
pub(in crate::oracle) fn fact(step: u64, is: String) -> Evidence {
    Evidence::at(step, is)
}

/// Says that two facts contradict each other.
pub(in crate::oracle) fn breach(earlier: Evidence, now: Evidence) -> Result<(), Breach> {
    breach_of(earlier, now)
}

//! What a violation is shown with: two facts, each with the step that made it one.
//!
//! An invariant states each of the two in words, with what the words are about. Say that c1.1#4 is
//! counted, and now counted again:
//!
//! ```text
//! Err(Breach::of(
//!     Evidence::at(first.step, format!("{request} is counted")).about(request),
//!     Evidence::at(model.step, format!("{request} is counted again")).about(request),
//! ))
//! ```
//!
//! - *The step* of the earlier fact is the one that made it true; that of the later one is the step
//!   under way, `model.step`, unless the judgement is about a step that is over.
//! - *The words* are a sentence with the names of nodes in it. They are built when there is a
//!   breach, never before: where several breaches share a fact, it is a closure.
//! - *The subjects* are all that the words name, also where they say "it". A machine is one only if
//!   the words name nothing else.
//!
//! A helper that states a fact for several invariants returns [`Evidence`] with its subjects; its
//! caller adds what it adds in words ([`Evidence::about`], [`Evidence::reworded`]).

use crate::under_test::UnderTest;

/// A fact and the step that made it one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct At<T> {
    /// The step.
    pub step: u64,
    /// The fact.
    pub is: T,
}

/// A fact in words, the step that made it one, and what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence<S: UnderTest> {
    /// The step.
    pub step: u64,
    /// The fact, in words.
    pub is: String,
    /// What the words name: a report shows the steps that are about the same. In a box, as every
    /// look of an invariant has a result with room for two of these.
    pub about: Box<[S::Subject]>,
    /// Is it that something is missing? Then the breach is a danger, and no harm may have come of
    /// it: a report looks for the moment at which it does.
    pub is_absence: bool,
}

impl<S: UnderTest> Evidence<S> {
    /// What was so in step `step`.
    pub fn at(step: u64, is: impl Into<String>) -> Evidence<S> {
        Evidence { step, is: is.into(), about: Box::default(), is_absence: false }
    }

    /// The same fact, which is that something is missing.
    #[must_use]
    pub fn absent(self) -> Evidence<S> {
        Evidence { is_absence: true, ..self }
    }

    /// The same fact, which is about `subject` as well.
    #[must_use]
    pub fn about(self, subject: impl Into<S::Subject>) -> Evidence<S> {
        self.about_all([subject])
    }

    /// The same fact, which is about all of `subjects` as well.
    #[must_use]
    pub fn about_all<T: Into<S::Subject>>(
        self,
        subjects: impl IntoIterator<Item = T>,
    ) -> Evidence<S> {
        let others = subjects.into_iter().map(Into::into);
        let about = self.about.into_iter().chain(others).collect();
        Evidence { about, ..self }
    }

    /// The same fact as part of a longer sentence: `words` makes it out of the shorter one.
    #[must_use]
    pub fn reworded(self, words: impl FnOnce(String) -> String) -> Evidence<S> {
        Evidence { is: words(self.is), ..self }
    }
}

/// The two facts that contradict each other, each with the step that made it one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach<S: UnderTest> {
    /// What was promised or done before.
    pub earlier: Evidence<S>,
    /// What has happened now.
    pub now: Evidence<S>,
}

impl<S: UnderTest> Breach<S> {
    /// `now` contradicts `earlier`.
    pub fn of(earlier: Evidence<S>, now: Evidence<S>) -> Breach<S> {
        Breach { earlier, now }
    }

    /// Is one of them that something is missing?
    pub fn is_of_absence(&self) -> bool {
        self.earlier.is_absence || self.now.is_absence
    }
}

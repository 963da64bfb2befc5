//! The invariants by name: what a scenario may say is violated, and a violation is reported under.
//!
//! Where two invariants break in the same step, the one that stands first is reported: the two
//! about the simulated world itself, without which no verdict is worth anything, then those of the
//! system under test in the order of its list, the more specific of two first.

use std::fmt;

use crate::name::Name;
use crate::names;
use crate::under_test::UnderTest;

/// What is listed of an invariant.
pub trait ListedInvariant: Name {
    /// What it is known as, and where it comes from.
    fn source(self) -> &'static str;

    /// Why it is a rule: what harm comes of it where it does not hold, in one sentence.
    fn why(self) -> &'static str {
        ""
    }

    /// Is it about getting things done? Nothing wrong was said or stored where only it is broken.
    fn is_of_progress(self) -> bool {
        false
    }
}

names! {
    /// An invariant of the simulated world itself.
    pub enum General {
        /// neither true time nor any clock of a machine goes back
        TimeNeverGoesBack = "time_never_goes_back",
        /// every message sent or copied is received, lost or in flight
        MessagesAreConserved = "messages_are_conserved",
    }
}

/// The name of an invariant of the system `S`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InvariantName<S: UnderTest> {
    /// Of the simulated world.
    General(General),
    /// Of the system.
    System(S::Invariant),
}

impl<S: UnderTest> InvariantName<S> {
    /// Every invariant, in the order in which they are judged.
    pub fn all() -> impl Iterator<Item = InvariantName<S>> {
        let general = General::ALL.iter().map(|it| InvariantName::General(*it));
        general.chain(S::Invariant::ALL.iter().map(|it| InvariantName::System(*it)))
    }

    /// A sentence in the field's terms, as used in `violates = "..."`.
    pub fn name(self) -> &'static str {
        match self {
            InvariantName::General(it) => it.name(),
            InvariantName::System(it) => it.name(),
        }
    }

    /// What must hold, in one line.
    pub fn summary(self) -> &'static str {
        match self {
            InvariantName::General(it) => it.summary(),
            InvariantName::System(it) => it.summary(),
        }
    }

    /// What it is known as, and where it comes from.
    pub fn source(self) -> &'static str {
        match self {
            InvariantName::General(General::TimeNeverGoesBack) => "Lamport 1978",
            InvariantName::General(General::MessagesAreConserved) => "conservation of messages",
            InvariantName::System(it) => it.source(),
        }
    }

    /// Why it is a rule, in one sentence; nothing where no report says it.
    pub fn why(self) -> &'static str {
        match self {
            InvariantName::General(_) => "",
            InvariantName::System(it) => it.why(),
        }
    }

    /// Is it about getting things done? Nothing wrong was said or stored where only it is broken.
    pub fn is_of_progress(self) -> bool {
        match self {
            InvariantName::General(_) => false,
            InvariantName::System(it) => it.is_of_progress(),
        }
    }
}

impl<S: UnderTest> fmt::Display for InvariantName<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

//! When progress stops: which machine waits for what, since when, and what would release it.
//!
//! Being blocked is a result and not a time-out: a report that names what is waited for is worth
//! more than one that says that nothing happened.

use seedbed::machine::{NodeId, Time};

use crate::under_test::UnderTest;
use crate::world::{Fact, Step};

/// A machine that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// What kind of thing it waits for.
    pub kind: WaitKind,
    /// The machine.
    pub machine: NodeId,
    /// For what, in words.
    pub for_what: String,
    /// Since when, in true time.
    pub since: Time,
    /// What would end it, in words.
    pub released_by: String,
}

/// What a machine waits for, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitKind(pub &'static str);

impl WaitKind {
    /// A client, for an answer.
    pub const UNANSWERED: WaitKind = WaitKind("unanswered");
    /// Users, for each other in a circle.
    pub const DEADLOCK: WaitKind = WaitKind("deadlock");
}

/// When the steps were that wrote something down or made it durable: a model knows facts by their
/// steps.
#[derive(Clone, Debug, Default)]
pub struct StepTimes(Vec<(u64, Time)>);

impl StepTimes {
    /// Takes note of a step.
    pub fn observe<S: UnderTest>(&mut self, step: &Step<S>) {
        let is_written = |fact: &Fact<S>| matches!(fact, Fact::Appended { .. });
        if !step.durable.is_empty() || step.facts.iter().any(is_written) {
            self.0.push((step.index, step.at));
        }
    }

    /// When `step` was, if it wrote something down or made it durable; else the last one before it
    /// that did.
    pub fn of(&self, step: u64) -> Time {
        let after = self.0.partition_point(|(index, _)| *index <= step);
        after.checked_sub(1).map_or(Time::ZERO, |last| self.0[last].1)
    }
}

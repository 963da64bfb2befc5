//! What a file writes out and a run may or may not come to.

use crate::milestone::Milestone;
use crate::scenario::{Occasion, Scenario};
use crate::under_test::UnderTest;

/// An effect of one table of a file, by the place of that table among its like, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// The fault strikes.
    Strikes(usize),
    /// The rule applies to a message.
    Applies(usize),
    /// The rule applies to a sync.
    Syncs(usize),
    /// The script begins.
    Begins(usize),
    /// What the fault does ends with its `until`.
    Ends(usize),
}

impl Effect {
    /// Every effect of a file, in the order in which a run reports them.
    pub fn all<S: UnderTest>(scenario: &Scenario<S>) -> impl Iterator<Item = Effect> + '_ {
        let Scenario { faults, messages, syncs, script, .. } = scenario;
        let ends = faults.iter().enumerate().filter(|(_, fault)| fault.until.is_some());
        (0..faults.len())
            .map(Effect::Strikes)
            .chain((0..messages.len()).map(Effect::Applies))
            .chain((0..syncs.len()).map(Effect::Syncs))
            .chain((0..script.len()).map(Effect::Begins))
            .chain(ends.map(|(number, _)| Effect::Ends(number)))
    }

    /// The key of the file, as errors name it.
    pub fn key(self) -> String {
        match self {
            Effect::Strikes(number) => format!("fault[{number}]"),
            Effect::Applies(number) => format!("message[{number}]"),
            Effect::Syncs(number) => format!("sync[{number}]"),
            Effect::Begins(number) => format!("script[{number}]"),
            Effect::Ends(number) => format!("fault[{number}].until"),
        }
    }

    /// That no run came to it.
    pub(super) fn missing(self) -> String {
        match self {
            Effect::Strikes(number) => format!("fault number {} never struck", number + 1),
            Effect::Applies(number) => format!("message rule number {} never applied", number + 1),
            Effect::Syncs(number) => format!("sync rule number {} never applied", number + 1),
            Effect::Begins(number) => format!("script number {} never began", number + 1),
            Effect::Ends(number) => {
                format!("fault number {} never ended: its `until` did not come", number + 1)
            }
        }
    }

    /// The milestone that it waits for, and which of its times; a rule waits for a message.
    pub(super) fn waits_for<S: UnderTest>(
        self,
        scenario: &Scenario<S>,
    ) -> Option<(Milestone<S>, u32)> {
        let of = |occasion: &Occasion<S>| (occasion.milestone, occasion.times.nth);
        match self {
            Effect::Strikes(number) => scenario.faults[number].trigger.occasion().map(of),
            Effect::Applies(number) => {
                let rule = &scenario.messages[number];
                Some((Milestone::Sent(rule.kind), rule.times.nth))
            }
            Effect::Syncs(_) => None,
            Effect::Begins(number) => scenario.script[number].begins.occasion().map(of),
            Effect::Ends(number) => scenario.faults[number].until.as_ref().map(of),
        }
    }
}

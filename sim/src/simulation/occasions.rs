//! What waits for milestones: faults, rules for messages, scripts.
//!
//! Each waits for one milestone, about something or at some machine perhaps, and counts how often
//! that was reached.

use crate::oracle::milestones::Reached;
use crate::scenario::{Occasion, Scenario, Trigger};

/// What happens when its milestone has been reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// The fault of this number strikes.
    Strike(usize),
    /// The message rule of this number begins to apply.
    Apply(usize),
    /// The script of this number begins.
    Begin(usize),
}

/// All that waits, in the order of the file: rules, faults, scripts.
#[derive(Debug)]
pub(super) struct Occasions<'a> {
    waiting: Vec<Waiting<'a>>,
}

#[derive(Debug)]
struct Waiting<'a> {
    occasion: &'a Occasion,
    then: Then,
    /// How often the milestone was reached.
    reached: u32,
}

impl<'a> Occasions<'a> {
    /// What waits in `scenario`.
    pub fn new(scenario: &'a Scenario) -> Occasions<'a> {
        let rules = scenario.messages.iter().map(|rule| rule.begins.as_ref());
        let rules = rules.enumerate().map(|(number, begins)| (begins, Then::Apply(number)));
        let faults = scenario.faults.iter().map(|fault| Some(&fault.trigger));
        let faults = faults.enumerate().map(|(number, begins)| (begins, Then::Strike(number)));
        let scripts = scenario.script.iter().map(|script| Some(&script.begins));
        let scripts = scripts.enumerate().map(|(number, begins)| (begins, Then::Begin(number)));
        let waiting = rules.chain(faults).chain(scripts).filter_map(|(begins, then)| {
            let occasion = begins.and_then(Trigger::occasion)?;
            Some(Waiting { occasion, then, reached: 0 })
        });
        Occasions { waiting: waiting.collect() }
    }

    /// The milestones that something waits for.
    pub fn milestones(&self) -> impl Iterator<Item = crate::milestone::Milestone> {
        self.waiting.iter().map(|waiting| waiting.occasion.milestone)
    }

    /// What has waited for what was just reached; `is_meant` says whether an occasion is about it.
    pub fn observe(
        &mut self,
        just_reached: &[Reached],
        is_meant: impl Fn(&Occasion, &Reached) -> bool,
    ) -> Vec<(Then, Reached)> {
        let mut begun = Vec::new();
        for reached in just_reached {
            for Waiting { occasion, then, reached: times } in &mut self.waiting {
                if occasion.milestone != reached.milestone || !is_meant(occasion, reached) {
                    continue;
                }
                *times += 1;
                if occasion.times.has(*times) {
                    begun.push((*then, reached.clone()));
                }
            }
        }
        begun
    }
}

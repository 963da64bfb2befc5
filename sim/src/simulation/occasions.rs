//! What waits for milestones: faults, rules for messages, scripts.
//!
//! Each waits for one milestone, about something or at some machine perhaps, and counts how often
//! that was reached.

use crate::under_test::UnderTest;
use seedbed::machine::Time;

use crate::draw::chaos::Planned;
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
    /// The fault of the plan of this number strikes, if the budget has room.
    Aim(usize),
    /// What the fault of this number has done is over.
    End(usize),
}

/// All that waits: rules, faults, scripts and the ends of faults in the order of the file, then
/// aimed faults.
#[derive(Debug)]
pub(super) struct Occasions<S: UnderTest> {
    waiting: Vec<Waiting<S>>,
}

#[derive(Debug)]
struct Waiting<S: UnderTest> {
    occasion: Occasion<S>,
    then: Then,
    /// It does not count before.
    from: Time,
    /// How often the milestone was reached.
    reached: u32,
}

impl<S: UnderTest> Occasions<S> {
    /// What waits in `scenario` and in the plan that was drawn for it.
    pub fn new(scenario: &Scenario<S>, plan: &[Planned<S>]) -> Occasions<S> {
        let rules = scenario.messages.iter().map(|rule| rule.begins.as_ref());
        let rules = rules.enumerate().map(|(number, begins)| (begins, Then::Apply(number)));
        let faults = scenario.faults.iter().map(|fault| Some(&fault.trigger));
        let faults = faults.enumerate().map(|(number, begins)| (begins, Then::Strike(number)));
        let scripts = scenario.script.iter().map(|script| Some(&script.begins));
        let scripts = scripts.enumerate().map(|(number, begins)| (begins, Then::Begin(number)));
        let waiting = rules.chain(faults).chain(scripts).filter_map(|(begins, then)| {
            let occasion = begins.and_then(Trigger::occasion)?.clone();
            Some(Waiting { occasion, then, from: Time::ZERO, reached: 0 })
        });
        let ends = scenario.faults.iter().enumerate().filter_map(|(number, fault)| {
            let occasion = fault.until.clone()?;
            // It waits once the fault has struck.
            Some(Waiting { occasion, then: Then::End(number), from: Time::MAX, reached: 0 })
        });
        let waiting = waiting.chain(ends);
        let aims = plan.iter().enumerate().filter_map(|(number, planned)| {
            let occasion = planned.aim.clone()?;
            Some(Waiting { occasion, then: Then::Aim(number), from: planned.at, reached: 0 })
        });
        Occasions { waiting: waiting.chain(aims).collect() }
    }

    /// It waits from now on, and counts anew.
    pub fn wait(&mut self, then: Then, now: Time) {
        let its = self.waiting.iter_mut().filter(|waiting| waiting.then == then);
        its.for_each(|waiting| (waiting.from, waiting.reached) = (now, 0));
    }

    /// How often came what this waits for.
    pub fn times(&self, then: Then) -> u32 {
        let its = self.waiting.iter().find(|waiting| waiting.then == then);
        its.map_or(0, |waiting| waiting.reached)
    }

    /// It waits no more.
    pub fn remove(&mut self, then: Then) {
        self.waiting.retain(|waiting| waiting.then != then);
    }

    /// The milestones that something waits for.
    pub fn milestones(&self) -> impl Iterator<Item = crate::milestone::Milestone<S>> {
        self.waiting.iter().map(|waiting| waiting.occasion.milestone)
    }

    /// What has waited for what was just reached; `is_meant` says whether an occasion is about it.
    pub fn observe(
        &mut self,
        now: Time,
        just_reached: &[Reached<S>],
        is_meant: impl Fn(&Occasion<S>, &Reached<S>) -> bool,
    ) -> Vec<(Then, Reached<S>)> {
        let mut begun = Vec::new();
        for reached in just_reached {
            for Waiting { occasion, then, from, reached: times } in &mut self.waiting {
                let is_its = occasion.milestone == reached.milestone && now >= *from;
                if !is_its || !is_meant(occasion, reached) {
                    continue;
                }
                *times += 1;
                if occasion.times.has(*times) {
                    begun.push((*then, reached.meaning(&occasion.about.of_system)));
                }
            }
        }
        begun
    }
}

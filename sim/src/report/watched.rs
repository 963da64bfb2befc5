//! A run that was watched, and what it takes to explain it.

use std::time::Duration;

use super::act::Act;
use super::harm::Harm;
use super::history::History;
use super::one_less::OneLess;
use crate::under_test::UnderTest;
use crate::verdict::RunReport;
#[cfg(feature = "madsim")]
use {
    super::acts::acts, super::compose::compose, super::facts::Facts, super::harm::harm,
    super::later, super::one_less::one_less, super::parting::parting, crate::quiet_panics::quietly,
    crate::run, crate::scenario::Scenario, crate::verdict::Verdict,
};

/// A run that was watched, with what is needed to explain it.
#[derive(Clone, Debug)]
pub struct Watched<S: UnderTest> {
    /// How it ended.
    pub run: RunReport<S>,
    /// Its steps.
    pub history: History<S>,
    /// Where a defect acts, if one is on and the run goes wrong.
    pub acts: Vec<Act<S>>,
    /// The nearest run that passes, if none is on and the run goes wrong.
    pub one_less: Option<OneLess<S>>,
    /// What comes of the violation, if it is a danger only.
    pub harm: Option<Harm<S>>,
    /// How long it really took, where that is known.
    pub took: Option<Duration>,
}

#[cfg(feature = "madsim")]
impl<S: UnderTest> Watched<S> {
    /// Runs `scenario` under `seed`, and where it goes wrong other runs that explain it: without
    /// the defects, or with one thing less.
    pub fn of(scenario: &Scenario<S>, seed: u64) -> Watched<S> {
        let mut history = History::default();
        let (run, _) = quietly(|| run::run(scenario, seed, &mut history));
        Watched::new(scenario, run, history, None)
    }

    /// The same of a run that is over: `history` has watched it.
    pub fn new(
        scenario: &Scenario<S>,
        run: RunReport<S>,
        history: History<S>,
        took: Option<Duration>,
    ) -> Watched<S> {
        quietly(|| Watched::only(run, history, took).compared(scenario)).0
    }

    /// With the runs beside it that explain it.
    fn compared(mut self, scenario: &Scenario<S>) -> Watched<S> {
        let has_defects = !scenario.defects.is_empty();
        match self.run.verdict {
            Verdict::Pass => {}
            _ if has_defects => self.acts = self.acts_of_defects(scenario),
            // Another run is not expected to end like this one.
            Verdict::Unexpected(_) | Verdict::RuledOut { .. } => {}
            _ => self.one_less = one_less(scenario, self.run.seed, &self.history),
        }
        if let Verdict::Violation(violation) = &self.run.verdict {
            self.harm = harm(scenario, self.run.seed, &self.history, violation);
        }
        self
    }

    fn acts_of_defects(&self, scenario: &Scenario<S>) -> Vec<Act<S>> {
        let (history, seed) = (&self.history, self.run.seed);
        let mut found = Facts::of(&self.run.verdict, history)
            .map(|facts| acts(scenario, seed, history, &compose(&facts, history, &[])))
            .unwrap_or_default();
        if found.is_empty() {
            found.extend(parting(scenario, &scenario.mended(), seed, history));
        }
        later::add(scenario, seed, history, &mut found);
        found
    }
}

impl<S: UnderTest> Watched<S> {
    /// A run with its steps, and nothing beside.
    #[cfg(feature = "madsim")]
    pub(super) fn only(
        run: RunReport<S>,
        history: History<S>,
        took: Option<Duration>,
    ) -> Watched<S> {
        Watched { run, history, acts: Vec::new(), one_less: None, harm: None, took }
    }

    /// The steps in which another run would go another way.
    pub(super) fn differing(&self) -> Vec<Act<S>> {
        let parting = self.one_less.iter().filter_map(|one_less| one_less.act.clone());
        self.acts.iter().cloned().chain(parting).collect()
    }
}

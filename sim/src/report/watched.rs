//! A run that was watched, and what it takes to explain it.

use std::time::Duration;

use super::act::Act;
use super::history::History;
use crate::under_test::UnderTest;
use crate::verdict::RunReport;
#[cfg(feature = "madsim")]
use {
    super::acts::acts, super::compose::compose, super::parting::parting, crate::run,
    crate::scenario::Scenario,
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
    /// How long it really took, where that is known.
    pub took: Option<Duration>,
}

#[cfg(feature = "madsim")]
impl<S: UnderTest> Watched<S> {
    /// Runs `scenario` under `seed`, and once more without its defects where that explains more.
    pub fn of(scenario: &Scenario<S>, seed: u64) -> Watched<S> {
        let mut history = History::default();
        let run = run::run(scenario, seed, &mut history);
        Watched::new(scenario, run, history, None)
    }

    /// The same of a run that is over: `history` has watched it.
    pub fn new(
        scenario: &Scenario<S>,
        run: RunReport<S>,
        history: History<S>,
        took: Option<Duration>,
    ) -> Watched<S> {
        let found = match run.verdict.violation() {
            Some(violation) if !scenario.defects.is_empty() => {
                let story = compose(&violation.breach, &history, &[]);
                let found = acts(scenario, run.seed, &history, &story);
                let parts = || parting(scenario, run.seed, &history).into_iter().collect();
                if found.is_empty() { parts() } else { found }
            }
            Some(_) | None => Vec::new(),
        };
        Watched { acts: found, run, history, took }
    }
}

//! Candidates are tried, several at a time; what comes out does not depend on how many.
//!
//! Candidates stand in an order, and the first that fails in the same way is taken. Those behind it
//! may have been tried in vain: they are not counted.

use std::thread;

use super::draft::Draft;
use super::{Kind, Shrinking, SoFar};
use crate::quiet_panics::quietly;
use crate::run;
use crate::scenario::Scenario;
use crate::under_test::UnderTest;
use crate::verdict::{RunReport, Verdict};

/// What has come of a candidate.
struct Tried<S: UnderTest> {
    /// How many runs it took: none if it is no scenario.
    runs: u64,
    /// Its run, if that fails in the same way.
    same: Option<RunReport<S>>,
}

impl<S: UnderTest> Shrinking<S> {
    /// Is nothing more to be tried?
    pub(super) fn is_over(&self) -> bool {
        self.runs >= self.most_runs || (self.is_over)()
    }

    /// Takes `candidate` for the best one, if it fails in the same way.
    pub(super) fn accepts(&mut self, candidate: Draft) -> bool {
        self.first_of([candidate])
    }

    /// Takes the first of `candidates` that fails in the same way.
    pub(super) fn first_of(&mut self, candidates: impl IntoIterator<Item = Draft>) -> bool {
        self.first(candidates.into_iter().map(|draft| ((), draft))).is_some()
    }

    /// The same of candidates that have names: says which it is.
    pub(super) fn first<P>(
        &mut self,
        candidates: impl IntoIterator<Item = (P, Draft)>,
    ) -> Option<P> {
        let mut candidates = candidates.into_iter();
        while !self.is_over() {
            let batch: Vec<_> = candidates.by_ref().take(self.jobs.get()).collect();
            if batch.is_empty() {
                return None;
            }
            let tried = self.try_all(batch.iter().map(|(_, draft)| (draft, self.seed)));
            for ((place, draft), tried) in batch.into_iter().zip(tried) {
                if self.runs >= self.most_runs {
                    return None;
                }
                self.runs += tried.runs;
                if let Some(report) = tried.same {
                    (self.best, self.report) = (draft, report);
                    self.tell();
                    return Some(place);
                }
            }
            self.tell();
        }
        None
    }

    /// Goes through `places` once: at each the first of `smaller` candidates is taken that fails in
    /// the same way. They are made of the best scenario so far.
    pub(super) fn at_each<P, D: IntoIterator<Item = Draft>>(
        &mut self,
        places: &[P],
        smaller: impl Fn(&Draft, &P) -> D,
    ) {
        let mut next = 0;
        while next < places.len() && !self.is_over() {
            let best = self.best.clone();
            let candidates = (next..places.len()).flat_map(|place| {
                let all = smaller(&best, &places[place]).into_iter();
                all.map(move |draft| (place, draft))
            });
            match self.first(candidates) {
                Some(place) => next = place + 1,
                None => return,
            }
        }
    }

    /// Do the runs of `draft` under all these seeds fail in the same way? When the search is over
    /// this is not looked at: no is the careful answer.
    pub(super) fn fails_with(&self, seeds: impl IntoIterator<Item = u64>, draft: &Draft) -> bool {
        let mut seeds = seeds.into_iter();
        loop {
            if (self.is_over)() {
                return false;
            }
            let batch: Vec<_> = seeds.by_ref().take(self.jobs.get()).collect();
            if batch.is_empty() {
                return true;
            }
            let tried = self.try_all(batch.into_iter().map(|seed| (draft, seed)));
            if tried.iter().any(|tried| tried.same.is_none()) {
                return false;
            }
        }
    }

    /// Does the best one pass without its defects under `seed`? `None` if it has none.
    pub(super) fn passes_without_defects(&self, seed: u64) -> Option<bool> {
        let mended = self.best.without_defects()?;
        let run: Option<RunReport<S>> = run_of(&self.name, &mended, seed);
        Some(run.is_some_and(|run| run.verdict == Verdict::Pass))
    }

    /// Tries each in a thread of its own.
    fn try_all<'d>(&self, all: impl Iterator<Item = (&'d Draft, u64)>) -> Vec<Tried<S>> {
        let attempt = Attempt {
            name: &self.name,
            kind: &self.kind,
            must_pass_without_defects: self.must_pass_without_defects,
        };
        let mut all: Vec<_> = all.collect();
        let Some((draft, seed)) = all.pop() else { return Vec::new() };
        thread::scope(|scope| {
            let begin = |(draft, seed)| scope.spawn(move || attempt.at(draft, seed));
            let others: Vec<_> = all.into_iter().map(begin).collect();
            let last = attempt.at(draft, seed);
            let over = others.into_iter().map(|other| other.join().expect("its panics are caught"));
            over.chain([last]).collect()
        })
    }

    fn tell(&mut self) {
        let (runs, size) = (self.runs, self.size());
        (self.tell)(SoFar { runs, size });
    }
}

/// What a candidate is measured by.
#[derive(Clone, Copy)]
struct Attempt<'a> {
    name: &'a str,
    kind: &'a Kind,
    must_pass_without_defects: bool,
}

impl Attempt<'_> {
    fn at<S: UnderTest>(self, draft: &Draft, seed: u64) -> Tried<S> {
        let Some(report) = run_of(self.name, draft, seed) else {
            return Tried { runs: 0, same: None };
        };
        if Kind::of(&report.verdict).as_ref() != Some(self.kind) {
            return Tried { runs: 1, same: None };
        }
        if !self.must_pass_without_defects {
            return Tried { runs: 1, same: Some(report) };
        }
        let mended = draft.without_defects().and_then(|mended| run_of(self.name, &mended, seed));
        let passes = mended.is_some_and(|run: RunReport<S>| run.verdict == Verdict::Pass);
        Tried { runs: 2, same: passes.then_some(report) }
    }
}

/// The run of `draft`, if that is a scenario.
fn run_of<S: UnderTest>(name: &str, draft: &Draft, seed: u64) -> Option<RunReport<S>> {
    let scenario = Scenario::<S>::parse(name, &draft.text()).ok()?;
    Some(quietly(|| run::run(&scenario, seed, &mut ())).0)
}

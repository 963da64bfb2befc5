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
use crate::verdict::RunReport;

/// What has come of a candidate.
enum Tried<S: UnderTest> {
    /// It is no scenario: nothing was run.
    Refused,
    /// It passes, or fails in another way.
    Other,
    /// It fails in the same way.
    Same(RunReport<S>),
}

impl<S: UnderTest> Shrinking<S> {
    /// Is nothing more to be tried?
    pub(super) fn is_over(&self) -> bool {
        self.runs >= self.most_runs || (self.is_over)()
    }

    /// Takes `candidate` for the best one, if it fails in the same way.
    pub(super) fn accepts(&mut self, candidate: Draft) -> bool {
        self.first([((), candidate)]).is_some()
    }

    /// Takes the first of `candidates` that fails in the same way, and says which it is.
    pub(super) fn first<P>(
        &mut self,
        candidates: impl IntoIterator<Item = (P, Draft)>,
    ) -> Option<P> {
        let mut candidates = candidates.into_iter();
        while !self.is_over() {
            let left = usize::try_from(self.most_runs - self.runs).unwrap_or(usize::MAX);
            let batch: Vec<_> = candidates.by_ref().take(self.jobs.get().min(left)).collect();
            if batch.is_empty() {
                return None;
            }
            let tried = self.try_all(batch.iter().map(|(_, draft)| (draft, self.seed)));
            for ((place, draft), tried) in batch.into_iter().zip(tried) {
                match tried {
                    Tried::Refused => continue,
                    Tried::Other => self.runs += 1,
                    Tried::Same(report) => {
                        self.runs += 1;
                        (self.best, self.report) = (draft, report);
                        self.tell();
                        return Some(place);
                    }
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
            if !tried.iter().all(|tried| matches!(tried, Tried::Same(_))) {
                return false;
            }
        }
    }

    /// Tries each in a thread of its own.
    fn try_all<'d>(&self, all: impl Iterator<Item = (&'d Draft, u64)>) -> Vec<Tried<S>> {
        let (name, kind) = (self.name.as_str(), &self.kind);
        let mut all: Vec<_> = all.collect();
        let Some((draft, seed)) = all.pop() else { return Vec::new() };
        thread::scope(|scope| {
            let begin = |(draft, seed)| scope.spawn(move || tried(name, draft, seed, kind));
            let others: Vec<_> = all.into_iter().map(begin).collect();
            let last = tried(name, draft, seed, kind);
            let over = others.into_iter().map(|other| other.join().expect("its panics are caught"));
            over.chain([last]).collect()
        })
    }

    fn tell(&mut self) {
        let (runs, size) = (self.runs, self.size());
        (self.tell)(SoFar { runs, size });
    }
}

fn tried<S: UnderTest>(name: &str, draft: &Draft, seed: u64, kind: &Kind) -> Tried<S> {
    let Ok(scenario) = Scenario::<S>::parse(name, &draft.text()) else { return Tried::Refused };
    let report = quietly(|| run::run(&scenario, seed, &mut ())).0;
    match Kind::of(&report.verdict) {
        Some(is) if is == *kind => Tried::Same(report),
        Some(_) | None => Tried::Other,
    }
}

//! A run beside the one that an artifact has recorded: up to which step are they the same?

use seedbed::machine::Time;

use super::recorder::recorded;
use super::{Artifact, Ending, Hex, RecordedStep};
use crate::digest::Digest;
use crate::trace;
use crate::under_test::UnderTest;
use crate::verdict::RunReport;
use crate::world::{Event, Step, Watcher, World};

/// Watches a run and compares it with a recorded one.
#[derive(Debug)]
pub struct Replay<'a, S: UnderTest> {
    artifact: &'a Artifact,
    /// Which of the recorded steps comes next.
    next: usize,
    digest: Digest,
    /// The last step up to which both are known to be the same.
    same: u64,
    parting: Option<Parting>,
    /// The step that has begun and is not over.
    under_way: Option<Step<S>>,
}

/// How a run differs from the recorded one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Their steps differ.
    Steps(Parting),
    /// All steps are the same, and the verdict is another.
    Verdict,
}

/// Where two runs part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parting {
    /// The last step up to which both are known to be the same; 0 if none.
    pub same: u64,
    /// The first step in which they are known to differ: the next one, unless steps in between were
    /// not kept.
    pub differs: u64,
    /// What was recorded there, in words.
    pub recorded: String,
    /// What happened now, in words.
    pub now: String,
    /// The step of now with all that followed from it, line by line; empty if there was none.
    pub followed: Vec<String>,
}

impl Parting {
    /// Is the event the same in both, so that they differ in what followed from it?
    pub fn is_of_what_followed(&self) -> bool {
        self.recorded == self.now
    }
}

impl<S: UnderTest> Watcher<S> for Replay<'_, S> {
    fn begins(&mut self, world: &World<S>, at: Time, event: &Event<S>) {
        self.under_way = Some(world.step_of(at, event));
    }

    fn watch(&mut self, _world: &World<S>, step: &Step<S>) {
        self.under_way = None;
        self.digest.add(step);
        if self.parting.is_some() {
            return;
        }
        match self.artifact.steps.get(self.next) {
            Some(next) if next.step > step.index => {} // not kept
            Some(next) if next.digest == Some(Hex(self.digest.value())) => {
                self.same = step.index;
                self.next += 1;
            }
            next => {
                let recorded = next.map_or_else(|| self.recorded_end(), said);
                self.part(step.index, recorded, step);
            }
        }
    }
}

impl<'a, S: UnderTest> Replay<'a, S> {
    /// Compares with `artifact`.
    pub fn new(artifact: &'a Artifact) -> Replay<'a, S> {
        let digest = Digest::default();
        Replay { artifact, next: 0, digest, same: 0, parting: None, under_way: None }
    }

    /// How the run, which is over and is reported by `run`, has ended; and how it differs from the
    /// recorded one, if it does.
    pub fn finish(mut self, run: &RunReport<S>) -> (Ending, Option<Difference>) {
        let ending = Ending::of(run, Hex(self.digest.value()));
        if self.parting.is_none() {
            self.part_at_end(&ending);
        }
        let is_same = ending.is_same(&self.artifact.header.ending);
        let verdict = (!is_same).then_some(Difference::Verdict);
        (ending, self.parting.map(Difference::Steps).or(verdict))
    }

    /// The run is over: are there recorded steps that it has not come to?
    fn part_at_end(&mut self, ending: &Ending) {
        let under_way = self.under_way.take();
        match (self.artifact.steps.get(self.next), under_way) {
            (None, None) => {}
            // Both have panicked in this step.
            (Some(RecordedStep { step, digest: None, .. }), Some(now)) if *step == now.index => {}
            (Some(next), None) => {
                let now = format!("the run has ended: {}", ending.said());
                let (same, differs) = (self.same, next.step);
                let recorded = said(next);
                self.parting = Some(Parting { same, differs, recorded, now, followed: Vec::new() });
            }
            (next, Some(now)) => {
                let recorded = next.map_or_else(|| self.recorded_end(), said);
                self.part(now.index, recorded, &now);
                if let Some(parting) = &mut self.parting {
                    parting.now = panics(&parting.now);
                    parting.followed.clear();
                }
            }
        }
    }

    fn part(&mut self, differs: u64, recorded: String, step: &Step<S>) {
        let (now, followed) = (self::recorded(step).said(), trace::lines(step));
        self.parting = Some(Parting { same: self.same, differs, recorded, now, followed });
    }

    fn recorded_end(&self) -> String {
        format!("the run has ended: {}", self.artifact.header.ending.said())
    }
}

fn said(step: &RecordedStep) -> String {
    match step.digest {
        Some(_) => step.said(),
        None => panics(&step.said()),
    }
}

fn panics(said: &str) -> String {
    format!("{said}; in this step the run has panicked")
}

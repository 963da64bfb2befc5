//! The steps of a run as an artifact keeps them.

use std::collections::VecDeque;

use seedbed::machine::Time;

use super::words::shortened;
use super::{Hex, RecordedStep};
use crate::digest::Digest;
use crate::trace::{self, Detail};
use crate::under_test::UnderTest;
use crate::world::{Event, Step, Watcher, World};

/// How many steps are kept in full, the last of a run.
pub const KEPT: usize = 20_000;

/// Of the steps before those, at first one in so many is kept.
const ONE_IN: u64 = 1_000;

/// If more are kept of those, every second one goes.
const MOST_OLD: usize = 10_000;

/// Watches a run and keeps its steps as lines of an artifact.
#[derive(Clone, Debug)]
pub struct Recorder<S: UnderTest> {
    digest: Digest,
    /// Steps of which the digest alone is kept.
    old: Vec<RecordedStep>,
    one_in: u64,
    /// The steps after those.
    new: VecDeque<RecordedStep>,
    /// The step that has begun and is not over.
    under_way: Option<Step<S>>,
}

impl<S: UnderTest> Default for Recorder<S> {
    fn default() -> Recorder<S> {
        let (old, new) = (Vec::new(), VecDeque::new());
        Recorder { digest: Digest::default(), old, one_in: ONE_IN, new, under_way: None }
    }
}

impl<S: UnderTest> Watcher<S> for Recorder<S> {
    fn begins(&mut self, world: &World<S>, at: Time, event: &Event<S>) {
        self.under_way = Some(world.step_of(at, event));
    }

    fn watch(&mut self, _world: &World<S>, step: &Step<S>) {
        self.under_way = None;
        self.digest.add(step);
        let digest = Some(Hex(self.digest.value()));
        self.push(RecordedStep { digest, ..recorded(step) });
    }
}

impl<S: UnderTest> Recorder<S> {
    /// The digest after the last step that was completed.
    pub fn digest(&self) -> Hex {
        Hex(self.digest.value())
    }

    /// The steps that are kept, in order. The last has no digest if it was not completed.
    pub fn steps(&self) -> impl Iterator<Item = RecordedStep> {
        let under_way = self.under_way.as_ref().map(recorded);
        self.old.iter().chain(&self.new).cloned().chain(under_way)
    }

    fn push(&mut self, step: RecordedStep) {
        self.new.push_back(step);
        if self.new.len() <= KEPT {
            return;
        }
        let oldest = self.new.pop_front().filter(|step| step.step.is_multiple_of(self.one_in));
        self.old.extend(oldest.map(|step| RecordedStep { machine: None, event: None, ..step }));
        if self.old.len() > MOST_OLD {
            self.one_in *= 2;
            self.old.retain(|step| step.step.is_multiple_of(self.one_in));
        }
    }
}

/// A step without its digest.
pub(super) fn recorded<S: UnderTest>(step: &Step<S>) -> RecordedStep {
    RecordedStep {
        step: step.index,
        at_ns: step.at.as_nanos(),
        machine: step.place().map(|node| node.to_string()),
        event: Some(shortened(&trace::event(step, Detail::Whole))),
        digest: None,
    }
}

#[cfg(all(test, feature = "file-service"))]
mod tests {
    use seedbed::proto::FileService;

    use super::*;

    fn recorder_of(steps: u64) -> Recorder<FileService> {
        let mut recorder = Recorder::default();
        for step in 1..=steps {
            let event = Some("starts".to_owned());
            let digest = Some(Hex(step));
            recorder.push(RecordedStep { step, at_ns: step, machine: None, event, digest });
        }
        recorder
    }

    #[test]
    fn a_short_run_is_kept_in_full() {
        let kept: Vec<RecordedStep> = recorder_of(KEPT as u64).steps().collect();
        assert!(kept.len() == KEPT && kept.iter().all(|step| step.event.is_some()));
    }

    #[test]
    fn of_a_long_run_the_end_is_kept_in_full_and_one_step_in_a_thousand_before() {
        let kept: Vec<RecordedStep> = recorder_of(KEPT as u64 + 3_500).steps().collect();
        let old: Vec<u64> =
            kept.iter().take_while(|step| step.event.is_none()).map(|step| step.step).collect();
        assert_eq!(old, [1_000, 2_000, 3_000]);
        assert_eq!((kept.len(), kept[3].step), (KEPT + 3, 3_501));
        assert!(kept.iter().all(|step| step.digest == Some(Hex(step.step))));
    }

    #[test]
    fn of_a_run_without_end_no_more_is_kept() {
        let recorder = recorder_of(ONE_IN * (MOST_OLD as u64 + 10) + KEPT as u64);
        assert!(recorder.old.len() <= MOST_OLD && recorder.one_in > ONE_IN);
        assert!(recorder.steps().map(|step| step.step).is_sorted());
    }
}

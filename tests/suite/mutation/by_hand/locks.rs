//! Mistakes of the lock server and of holders that need code.

use seedbed::proto::{Notice, Record};
use seedbed_sim::file_service::Fact;
use seedbed_sim::file_service::oracle::Model;

use crate::mutation::altered_replay::Shown;

/// The last in line is granted first.
pub fn grants_the_last_in_line(model: &Model, shown: &mut Shown<'_>) -> bool {
    shown.step.facts.iter_mut().any(|fact| match fact {
        Fact::Appended { record: Record::Granted { path, request, .. }, .. } => {
            let last = model.locks.get(path).and_then(|lock| lock.durable.line.last());
            let other = last.filter(|last| last.is != *request);
            other.map(|other| *request = other.is).is_some()
        }
        _ => false,
    })
}

/// A lock was never given back in the log that a checkpoint replaces, so the checkpoint would have
/// to say which request holds it.
pub fn leaves_a_holder_out_of_a_checkpoint(_: &Model, shown: &mut Shown<'_>) -> bool {
    let replaced = &mut shown.step.replaced;
    let left = replaced.iter().position(|record| matches!(record, Record::Left { .. }));
    left.map(|left| replaced.remove(left)).is_some()
}

/// A client that gives a lock back does not stop believing in it.
pub fn goes_on_believing_after_a_release(_: &Model, shown: &mut Shown<'_>) -> bool {
    let is_lost = |fact: &Fact| matches!(fact, Fact::Noticed { notice: Notice::Lost { .. }, .. });
    let lost = shown.step.facts.iter().position(is_lost);
    lost.map(|lost| shown.step.facts.remove(lost)).is_some()
}

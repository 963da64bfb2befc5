//! Mistakes of the lock server and of holders that need code.

use seedbed::proto::Record;
use seedbed_sim::oracle::Model;
use seedbed_sim::world::Fact;

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

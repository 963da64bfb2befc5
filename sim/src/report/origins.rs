//! What has made the things that a breach is about what they are: the last changes of a file, or of
//! whatever object it names, and the requests that asked for them.

use std::collections::BTreeSet;

use seedbed::machine::NodeId;

use super::history::History;
use crate::oracle::Breach;
use crate::subject::{self, Standing, Subject as _, Subjects};
use crate::under_test::UnderTest;
use crate::world::{Fact, Step};

/// Where the state of the objects of a breach comes from.
#[derive(Debug)]
pub(super) struct Origins<S: UnderTest> {
    /// The steps at the machines of the two facts that changed one of the objects.
    pub steps: BTreeSet<usize>,
    /// What was done there: requests, and attempts at them.
    pub deeds: Subjects<S::Subject>,
    /// The objects themselves.
    pub objects: Subjects<S::Subject>,
}

/// So many changes of an object are looked back at, at each machine.
const CHANGES: usize = 2;

impl<S: UnderTest> Origins<S> {
    /// Of the objects of `breach`, whose facts stand at `facts`; `each` says of each step what it
    /// is about.
    pub fn of(
        breach: &Breach<S>,
        history: &History<S>,
        facts: &[usize],
        each: &[Subjects<S::Subject>],
    ) -> Origins<S> {
        let mut origins = Origins {
            steps: BTreeSet::new(),
            deeds: Subjects::default(),
            objects: objects(breach, facts, each),
        };
        for &fact in facts {
            origins.take(history.at(fact));
            let Some(machine) = history.at(fact).place() else { continue };
            let here: Vec<usize> = (0..fact)
                .rev()
                .filter(|place| history.at(*place).place() == Some(machine))
                .collect();
            let is_about =
                |place: usize, it: &Subjects<S::Subject>| changes(history.at(place), machine, it);
            let changing = here.iter().filter(|place| is_about(**place, &origins.objects));
            let changing: Vec<usize> = changing.copied().take(CHANGES).collect();
            for &place in &changing {
                origins.take(history.at(place));
            }
            // What is applied names its transaction, and not the file.
            let applied = here.into_iter().find(|place| is_about(*place, &origins.deeds));
            origins.steps.extend(changing.into_iter().chain(applied));
        }
        origins
    }

    /// Takes in what was done in `step` about the objects.
    fn take(&mut self, step: &Step<S>) {
        let appended = step.facts.iter().filter_map(|fact| match fact {
            Fact::Appended { node, record, .. } => Some((*node, record)),
            _ => None, // only records change an object
        });
        let durable = step.durable.iter().map(|(node, _, record)| (*node, record));
        for (node, record) in appended.chain(durable) {
            let about = subject::of_record::<S>(node, record);
            if about.meet(&self.objects) {
                self.deeds.extend(about.iter().filter(|it| it.standing().is_deed()).cloned());
            }
        }
    }
}

/// Did the step put a record about one of the objects into the log of its machine?
fn changes<S: UnderTest>(step: &Step<S>, machine: NodeId, objects: &Subjects<S::Subject>) -> bool {
    step.facts.iter().any(|fact| match fact {
        Fact::Appended { node, record, .. } => {
            *node == machine && subject::of_record::<S>(*node, record).meet(objects)
        }
        _ => false, // only records change an object
    })
}

/// The objects that the breach names; where it names none, those of its two steps.
fn objects<S: UnderTest>(
    breach: &Breach<S>,
    facts: &[usize],
    each: &[Subjects<S::Subject>],
) -> Subjects<S::Subject> {
    let is_object = |subject: &&S::Subject| subject.standing() == Standing::Object;
    let named = breach.earlier.about.iter().chain(&breach.now.about);
    let named: Subjects<S::Subject> = named.filter(is_object).cloned().collect();
    if !named.is_empty() {
        return named;
    }
    let of_steps = facts.iter().flat_map(|place| each[*place].iter());
    of_steps.filter(is_object).cloned().collect()
}

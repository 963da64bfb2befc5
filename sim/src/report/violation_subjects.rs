//! What a violation is about: what its two facts name, else what their steps have in common.

use super::history::History;
use crate::oracle::Breach;
use crate::subject::{self, Standing, Subject, Subjects};
use crate::under_test::UnderTest;

/// What `breach` is about. Its facts stand at `facts`, as far as they are kept; `steps` says of
/// each step what that is about.
pub(super) fn about<S: UnderTest>(
    breach: &Breach<S>,
    history: &History<S>,
    facts: &[usize],
    steps: &[Subjects<S::Subject>],
) -> Subjects<S::Subject> {
    let named: Subjects<S::Subject> =
        breach.earlier.about.iter().chain(&breach.now.about).cloned().collect();
    let mut subjects =
        if named.is_empty() { in_common(facts, steps) } else { central(named, facts, steps) };
    link(&mut subjects, history, facts);
    subjects
}

/// Of what is named, what the two steps are about too, if anything is. What is kept up all the
/// time stays at first: its messages stand before the two steps. Where a request or what is done
/// for one is named, their circumstances go. Where anything else is, a machine is only where it
/// happens.
fn central<T: Subject>(
    mut named: Subjects<T>,
    facts: &[usize],
    steps: &[Subjects<T>],
) -> Subjects<T> {
    let is_machine = |subject: &T| subject.standing() == Standing::Machine;
    let is_upkeep = |subject: &T| subject.standing() == Standing::Upkeep;
    if !named.iter().all(is_machine) {
        named.retain(|subject| !is_machine(subject));
    }
    let of_a_fact = |subject: &T| facts.iter().any(|place| steps[*place].has(subject));
    if named.iter().any(of_a_fact) {
        named.retain(|subject| of_a_fact(subject) || is_upkeep(subject));
    }
    if named.iter().any(is_deed) {
        named.retain(|it| !matches!(it.standing(), Standing::Object | Standing::Upkeep));
    }
    named
}

/// What the two steps have in common, else all that they are about.
fn in_common<T: Subject>(facts: &[usize], steps: &[Subjects<T>]) -> Subjects<T> {
    let mut all = Subjects::default();
    facts.iter().for_each(|place| all.extend(steps[*place].iter().cloned()));
    all.retain(|subject: &T| match subject.standing() {
        Standing::Request | Standing::Attempt | Standing::Object | Standing::Undertaking => true,
        Standing::Exchange | Standing::Upkeep | Standing::Machine => false,
    });
    let of_both = |subject: &&T| facts.iter().all(|place| steps[*place].has(subject));
    let common: Subjects<T> = all.iter().filter(of_both).cloned().collect();
    let mut subjects = if common.is_empty() { all } else { common };
    if subjects.iter().any(is_deed) {
        subjects.retain(is_deed);
    }
    subjects
}

/// Is it a request, or what is done for one?
fn is_deed<T: Subject>(subject: &T) -> bool {
    subject.standing().is_deed()
}

/// What is done for a request goes with that request, a request with what is done for it, anything
/// else with what is done in the two facts.
fn link<S: UnderTest>(subjects: &mut Subjects<S::Subject>, history: &History<S>, facts: &[usize]) {
    let is_attempt = |subject: &S::Subject| subject.standing() == Standing::Attempt;
    let has_attempt = subjects.iter().any(is_attempt);
    let wanted = |subject: &S::Subject| match subject.standing() {
        Standing::Attempt => !has_attempt,
        Standing::Request => has_attempt,
        Standing::Object | Standing::Undertaking | Standing::Exchange => false,
        Standing::Upkeep | Standing::Machine => false,
    };
    let mut linked = Vec::new();
    let mut link = |together: &Subjects<S::Subject>| {
        if together.meet(subjects) {
            linked.extend(together.iter().filter(|subject| wanted(subject)).cloned());
        }
    };
    let only_facts = !subjects.iter().any(is_deed);
    for (place, step) in history.steps().enumerate() {
        if only_facts && !facts.contains(&place) {
            continue;
        }
        link(&subject::of_event(step));
        step.facts.iter().for_each(|fact| link(&subject::of_fact(fact)));
        let durable = step.durable.iter();
        durable.for_each(|(node, _, record)| link(&subject::of_record::<S>(*node, record)));
    }
    subjects.extend(linked);
}

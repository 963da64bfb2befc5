//! What a violation is about: what its two facts name, else what their steps have in common.

use super::history::History;
use crate::file_service::oracle::Breach;
use crate::file_service::subject_of::{Subject, Subjects};
use crate::subject;

/// What `breach` is about. Its facts stand at `facts`, as far as they are kept; `steps` says of
/// each step what that is about.
pub(super) fn about(
    breach: &Breach,
    history: &History,
    facts: &[usize],
    steps: &[Subjects],
) -> Subjects {
    let named: Subjects = breach.earlier.about.iter().chain(&breach.now.about).cloned().collect();
    let mut subjects =
        if named.is_empty() { in_common(facts, steps) } else { central(named, facts, steps) };
    link(&mut subjects, history, facts);
    subjects
}

/// Of what is named, what the two steps are about too, if anything is. Leases stay at first:
/// their heartbeats stand before the two steps. Where a transaction or request is named, paths
/// and leases are only its circumstances, and go. Where anything else is, a machine is only where
/// it happens.
fn central(mut named: Subjects, facts: &[usize], steps: &[Subjects]) -> Subjects {
    let is_machine = |subject: &Subject| matches!(subject, Subject::Machine(_));
    if !named.iter().all(is_machine) {
        named.retain(|subject| !is_machine(subject));
    }
    let of_a_fact = |subject: &Subject| facts.iter().any(|place| steps[*place].has(subject));
    if named.iter().any(of_a_fact) {
        named.retain(|subject| of_a_fact(subject) || matches!(subject, Subject::Lease(_)));
    }
    if named.iter().any(is_deed) {
        named.retain(|subject| !matches!(subject, Subject::Path(_) | Subject::Lease(_)));
    }
    named
}

/// What the two steps have in common, else all that they are about.
fn in_common(facts: &[usize], steps: &[Subjects]) -> Subjects {
    let mut all = Subjects::default();
    facts.iter().for_each(|place| all.extend(steps[*place].iter().cloned()));
    all.retain(|subject| match subject {
        Subject::Txn(_) | Subject::Request(_) | Subject::Path(_) | Subject::Epoch(_) => true,
        Subject::Lease(_) | Subject::Machine(_) | Subject::Transfer(_) => false,
    });
    let of_both = |subject: &&Subject| facts.iter().all(|place| steps[*place].has(subject));
    let common: Subjects = all.iter().filter(of_both).cloned().collect();
    let mut subjects = if common.is_empty() { all } else { common };
    if subjects.iter().any(is_deed) {
        subjects.retain(is_deed);
    }
    subjects
}

/// Is it a transaction or a request?
fn is_deed(subject: &Subject) -> bool {
    match subject {
        Subject::Txn(_) | Subject::Request(_) => true,
        Subject::Path(_) | Subject::Epoch(_) | Subject::Lease(_) => false,
        Subject::Machine(_) | Subject::Transfer(_) => false,
    }
}

/// A transaction goes with its request, a request with its transactions, anything else with the
/// transactions of the two facts.
fn link(subjects: &mut Subjects, history: &History, facts: &[usize]) {
    let has_txn = subjects.txn().is_some();
    let wanted = |subject: &Subject| match subject {
        Subject::Txn(_) => !has_txn,
        Subject::Request(_) => has_txn,
        Subject::Path(_) | Subject::Epoch(_) | Subject::Lease(_) => false,
        Subject::Machine(_) | Subject::Transfer(_) => false,
    };
    let mut linked = Vec::new();
    let mut link = |together: &Subjects| {
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
        durable.for_each(|(node, _, record)| link(&Subjects::of_record(*node, record)));
    }
    subjects.extend(linked);
}

//! What a violation is about: what its two facts name, else what their steps have in common.

use super::history::History;
use crate::oracle::Breach;
use crate::subject::{Subject, Subjects};

/// What `breach` is about. Its facts stand at `facts`, as far as they are kept; `steps` says of
/// each step what that is about.
pub(super) fn about(
    breach: &Breach,
    history: &History,
    facts: &[usize],
    steps: &[Subjects],
) -> Subjects {
    let named: Subjects = breach.earlier.about.iter().chain(&breach.now.about).cloned().collect();
    let mut subjects = found(&named, facts, steps);
    // A lease is about heartbeats, which stand before the two facts.
    let is_lease = |subject: &&Subject| matches!(subject, Subject::Lease(_));
    subjects.extend(named.iter().filter(is_lease).cloned());
    narrow(&mut subjects, &named);
    link(&mut subjects, history, facts);
    subjects
}

/// Of what is named, what the two steps are about too, if anything is. Where nothing is named, what
/// the two steps have in common, else all that they are about.
fn found(named: &Subjects, facts: &[usize], steps: &[Subjects]) -> Subjects {
    let mut at_facts = Subjects::default();
    facts.iter().for_each(|place| at_facts.extend(steps[*place].iter().cloned()));
    let of_both = |subject: &&Subject| facts.iter().all(|place| steps[*place].has(subject));
    let in_common: Subjects = at_facts.iter().filter(of_both).cloned().collect();
    let named_there = named.iter().filter(|subject| at_facts.has(subject)).cloned().collect();
    let choices = [named_there, named.clone(), in_common, at_facts];
    choices.into_iter().find(|choice| !choice.is_empty()).unwrap_or_default()
}

/// Where a transaction or request is named, paths are only its circumstances, and so are epochs
/// that are not named as well. Leases, machines and data transfers have to be named.
fn narrow(subjects: &mut Subjects, named: &Subjects) {
    let has_deed = subjects.iter().any(is_deed);
    subjects.retain(|subject| match subject {
        Subject::Txn(_) | Subject::Request(_) => true,
        Subject::Path(_) => !has_deed,
        Subject::Epoch(_) => !has_deed || named.has(subject),
        Subject::Lease(_) | Subject::Machine(_) | Subject::Transfer(_) => named.has(subject),
    });
}

/// Is it something that is done, not something that it is done to?
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
        link(&Subjects::of_event(step));
        step.facts.iter().for_each(|fact| link(&Subjects::of_fact(fact)));
        let durable = step.durable.iter();
        durable.for_each(|(node, _, record)| link(&Subjects::of_record(*node, record)));
    }
    subjects.extend(linked);
}

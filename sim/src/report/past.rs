//! Which steps explain a violation: those that the two facts follow from, about the same thing.

use std::collections::BTreeSet;

use seedbed::proto::NodeId;

use super::history::{History, past};
use super::subject::{Subject, Subjects, only_answers_a_heartbeat};
use crate::oracle::Breach;
use crate::world::{Event, Fact, Loss, Step};

/// The steps that explain a violation.
#[derive(Debug)]
pub(super) struct Past {
    /// What they are about.
    pub subjects: BTreeSet<Subject>,
    /// Where the two facts stand, as far as they are kept.
    pub facts: Vec<usize>,
    /// The steps, in order, each with how much would be missed without it: the lower the more.
    pub steps: Vec<(usize, usize)>,
}

impl Past {
    /// What led to `breach`.
    pub fn of(breach: &Breach, history: &History) -> Past {
        let facts: BTreeSet<usize> = [breach.earlier.step, breach.now.step]
            .iter()
            .filter_map(|i| history.place(*i))
            .collect();
        let facts: Vec<usize> = facts.into_iter().collect();
        let about: Vec<Subjects> = history.steps().map(Subjects::of_step).collect();
        let subjects = subjects(breach, history, &facts, &about);
        let causes = history.causes();
        let is_past = past(&causes, ends(&facts, history, &about, &subjects));
        let mut steps = Vec::new();
        let (Some(&earliest), Some(&last)) = (facts.first(), facts.last()) else {
            return Past { subjects, facts, steps };
        };
        let is_about = |place: usize| about[place].meet(&subjects);
        let first = (0..history.len()).find(|place| is_past[*place] && is_about(*place));
        let window = first.unwrap_or(last).min(earliest)..=last;
        let involved: BTreeSet<NodeId> = window
            .clone()
            .filter(|place| is_past[*place] && is_about(*place))
            .filter_map(|place| history.at(place).place())
            .collect();
        for place in window {
            let step = history.at(place);
            let is_fact = facts.contains(&place);
            let explains = if is_past[place] {
                is_about(place) || breaks(step, &involved)
            } else {
                let was_sent = causes[place].iter().any(|cause| is_past[*cause]);
                breaks(step, &involved) || (is_loss(step) && was_sent && is_about(place))
            };
            if is_fact || explains {
                steps.push((place, if is_fact { 0 } else { weight(step, &subjects) }));
            }
        }
        Past { subjects, facts, steps }
    }
}

/// From where to look back: the facts, and where a fact is about the end of a run, the last each
/// machine had to do with it.
fn ends(
    facts: &[usize],
    history: &History,
    about: &[Subjects],
    subjects: &BTreeSet<Subject>,
) -> Vec<usize> {
    let mut ends = facts.to_vec();
    let Some(&last) = facts.last() else { return ends };
    if !about[last].meet(subjects) {
        let mut seen = BTreeSet::new();
        let back = (0..last).rev().filter(|place| about[*place].meet(subjects));
        ends.extend(
            back.filter(|place| history.at(*place).place().is_some_and(|node| seen.insert(node))),
        );
    }
    ends
}

/// What the violation is about: what its words name, else what its two steps have in common.
fn subjects(
    breach: &Breach,
    history: &History,
    facts: &[usize],
    about: &[Subjects],
) -> BTreeSet<Subject> {
    let said = format!("{} {}", breach.earlier.is, breach.now.is);
    let at_facts: BTreeSet<Subject> =
        facts.iter().flat_map(|place| about[*place].0.iter().cloned()).collect();
    let named = |all: &BTreeSet<Subject>| -> BTreeSet<Subject> {
        all.iter().filter(|subject| names(&said, subject)).cloned().collect()
    };
    let mut subjects = named(&at_facts);
    if subjects.is_empty() {
        subjects = named(&about.iter().flat_map(|about| about.0.iter().cloned()).collect());
    }
    if subjects.is_empty() {
        let everywhere = |subject: &&Subject| facts.iter().all(|f| about[*f].0.contains(subject));
        subjects = at_facts.iter().filter(everywhere).cloned().collect();
    }
    if subjects.is_empty() {
        subjects = at_facts;
    }
    if said.contains("lease") {
        let is_lease = |subject: &&Subject| matches!(subject, Subject::Lease(_));
        let leases = about.iter().flat_map(|about| about.0.iter().filter(is_lease));
        subjects.extend(leases.filter(|lease| names(&said, lease)).cloned());
    }
    narrow(&mut subjects, &said);
    link(&mut subjects, history, facts);
    subjects
}

/// Where a transaction or request is named, paths are only its circumstances, and epochs are unless
/// they are named as well. A lease is what it is about only where no lock can be meant.
fn narrow(subjects: &mut BTreeSet<Subject>, said: &str) {
    let has_deed = subjects.iter().any(is_deed);
    let has_epoch = subjects.iter().any(|subject| matches!(subject, Subject::Epoch(_)));
    let has_path = subjects.iter().any(|subject| matches!(subject, Subject::Path(_)));
    subjects.retain(|subject| match subject {
        Subject::Txn(_) | Subject::Request(_) => true,
        Subject::Path(_) => !has_deed,
        Subject::Epoch(_) => !has_deed || names(said, subject),
        Subject::Lease(_) => names(said, subject) && (has_epoch || !has_deed && !has_path),
    });
}

/// Something that is done, not something that it is done to.
fn is_deed(subject: &Subject) -> bool {
    match subject {
        Subject::Txn(_) | Subject::Request(_) => true,
        Subject::Path(_) | Subject::Epoch(_) | Subject::Lease(_) => false,
    }
}

/// A transaction goes with its request, a request with its transactions, anything else with the
/// transactions of the two facts.
fn link(subjects: &mut BTreeSet<Subject>, history: &History, facts: &[usize]) {
    let has_txn = subjects.iter().any(|subject| matches!(subject, Subject::Txn(_)));
    let wanted = |subject: &Subject| match subject {
        Subject::Txn(_) => !has_txn,
        Subject::Request(_) => has_txn,
        Subject::Path(_) | Subject::Epoch(_) | Subject::Lease(_) => false,
    };
    let mut linked = Vec::new();
    let mut link = |together: &Subjects| {
        if together.meet(subjects) {
            linked.extend(together.0.iter().filter(|subject| wanted(subject)).cloned());
        }
    };
    let only_facts = !subjects.iter().any(is_deed);
    for (place, step) in history.steps().enumerate() {
        if only_facts && !facts.contains(&place) {
            continue;
        }
        link(&Subjects::of_event(step));
        step.facts.iter().for_each(|fact| link(&Subjects::of_fact(fact)));
        step.durable.iter().for_each(|(_, _, record)| link(&Subjects::of_record(record)));
    }
    subjects.extend(linked);
}

/// Does `text` name `subject`?
fn names(text: &str, subject: &Subject) -> bool {
    match subject {
        Subject::Lease(node) => text.contains("lease") && mentions(text, &node.to_string()),
        subject => mentions(text, &subject.to_string()),
    }
}

/// Does `text` name `name`, and not something longer?
fn mentions(text: &str, name: &str) -> bool {
    let goes_on = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '/' | '#');
    text.match_indices(name).any(|(at, _)| {
        let mut after = text[at + name.len()..].chars();
        let longer = match after.next() {
            Some('.') => after.next().is_some_and(goes_on),
            next => next.is_some_and(goes_on),
        };
        let before = text[..at].chars().next_back();
        !longer && !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-'))
    })
}

fn is_loss(step: &Step) -> bool {
    matches!(step.event, Event::Drop(..))
}

/// Does it break or mend one of these machines or a link between two of them?
fn breaks(step: &Step, involved: &BTreeSet<NodeId>) -> bool {
    if let Some(node) = step.event.changes_machine() {
        return involved.contains(&node);
    }
    match &step.event {
        Event::Cut(links) | Event::Mend(links) => {
            links.iter().any(|(a, b)| involved.contains(a) && involved.contains(b))
        }
        // Whoever is told to come or to go changes who owns what, wherever that is.
        Event::Command(_) => true,
        _ => false, // it is what machines do that work
    }
}

/// How much would be missed without the step: the lower the more.
fn weight(step: &Step, subjects: &BTreeSet<Subject>) -> usize {
    const BACKGROUND: usize = 9;
    if only_answers_a_heartbeat(step) {
        return BACKGROUND;
    }
    if step.event.takes_down().is_some() {
        return 1;
    }
    match &step.event {
        Event::Drop(_, Loss::Cut | Loss::Network | Loss::Rule) => 1,
        Event::Drop(_, Loss::Down) | Event::Cut(_) => 2,
        Event::Synced(_) => 2,
        Event::Deliver(_) if has_effect(step, subjects) => 3,
        Event::Command(_) => 3,
        Event::Request { .. } | Event::Duplicate(_) | Event::Pause(_) => 3,
        Event::Start { .. } | Event::Resume(_) | Event::ClockJump { .. } => 4,
        Event::Wake(_) if has_effect(step, subjects) => 4,
        Event::Mend(_) | Event::ClockDrift { .. } => 5,
        _ => 6,
    }
}

/// Did it lead to more than the beginning of a sync?
fn has_effect(step: &Step, subjects: &BTreeSet<Subject>) -> bool {
    step.facts.iter().any(|fact| match fact {
        Fact::SyncBegan { .. } => false,
        fact => Subjects::of_fact(fact).meet(subjects),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_where_it_stands_alone() {
        assert!(mentions("n2 voted yes on n1.1/4.", "n1.1/4"));
        assert!(mentions("/a, at v3", "/a"));
        assert!(!mentions("n2 voted yes on n1.1/41", "n1.1/4"));
        assert!(!mentions("on n11.1/4", "n1.1/4"));
        assert!(!mentions("/a/b is gone", "/a"));
        assert!(!mentions("/a.txt is gone", "/a"));
        assert!(!mentions("on n1.1/4", "/4"));
    }
}

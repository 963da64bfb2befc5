//! Which steps explain a violation: those that the two facts follow from, about the same thing.

use std::collections::BTreeSet;

use seedbed::machine::NodeId;

use super::heartbeats::only_answers_a_heartbeat;
use super::history::{History, past};
use super::violation_subjects::about;
use crate::oracle::Breach;
use crate::subject::{self, Subjects};
use crate::under_test::UnderTest;
use crate::world::{Event, Fact, Loss, Step};

/// The steps that explain a violation.
#[derive(Debug)]
pub(super) struct Past<S: UnderTest> {
    /// What they are about.
    pub subjects: Subjects<S::Subject>,
    /// Where the two facts stand, as far as they are kept.
    pub facts: Vec<usize>,
    /// The steps, in order, each with how much would be missed without it: the lower the more.
    pub steps: Vec<(usize, usize)>,
}

impl<S: UnderTest> Past<S> {
    /// What led to `breach`.
    pub fn of(breach: &Breach<S>, history: &History<S>) -> Past<S> {
        let facts: BTreeSet<usize> = [breach.earlier.step, breach.now.step]
            .iter()
            .filter_map(|i| history.place(*i))
            .collect();
        let facts: Vec<usize> = facts.into_iter().collect();
        let each: Vec<Subjects<S::Subject>> = history.steps().map(subject::of_step).collect();
        let subjects = about(breach, history, &facts, &each);
        let causes = history.causes();
        let is_past = past(&causes, ends(&facts, history, &each, &subjects));
        let mut steps = Vec::new();
        let (Some(&earliest), Some(&last)) = (facts.first(), facts.last()) else {
            return Past { subjects, facts, steps };
        };
        let is_about = |place: usize| each[place].meet(&subjects);
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
fn ends<S: UnderTest>(
    facts: &[usize],
    history: &History<S>,
    each: &[Subjects<S::Subject>],
    subjects: &Subjects<S::Subject>,
) -> Vec<usize> {
    let mut ends = facts.to_vec();
    let Some(&last) = facts.last() else { return ends };
    if !each[last].meet(subjects) {
        let mut seen = BTreeSet::new();
        let back = (0..last).rev().filter(|place| each[*place].meet(subjects));
        ends.extend(
            back.filter(|place| history.at(*place).place().is_some_and(|node| seen.insert(node))),
        );
    }
    ends
}

fn is_loss<S: UnderTest>(step: &Step<S>) -> bool {
    matches!(step.event, Event::Drop(..))
}

/// Does it break or mend one of these machines or a link between two of them?
fn breaks<S: UnderTest>(step: &Step<S>, involved: &BTreeSet<NodeId>) -> bool {
    if let Some(node) = step.event.changes_machine() {
        return involved.contains(&node);
    }
    match &step.event {
        Event::Cut(links) | Event::Mend(links) => {
            links.iter().any(|(a, b)| involved.contains(a) && involved.contains(b))
        }
        // What the operator says may concern any machine, whichever is told.
        Event::Command(_) => true,
        _ => false, // it is what machines do that work
    }
}

/// How much would be missed without the step: the lower the more.
fn weight<S: UnderTest>(step: &Step<S>, subjects: &Subjects<S::Subject>) -> usize {
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
        Event::Stall(_) | Event::FillUp(_) => 2,
        Event::Synced(_) => 2,
        Event::Deliver(_) if has_effect(step, subjects) => 3,
        Event::Command(_) => 3,
        Event::Request { .. } | Event::Duplicate(_) | Event::Pause(_) => 3,
        Event::Start { .. } | Event::Resume(_) | Event::ClockJump { .. } => 4,
        Event::Wake(_) if has_effect(step, subjects) => 4,
        Event::Mend(_) | Event::ClockDrift { .. } => 5,
        Event::Unstall(_) | Event::MakeRoom(_) => 5,
        _ => 6,
    }
}

/// Did it lead to more than the beginning of a sync?
fn has_effect<S: UnderTest>(step: &Step<S>, subjects: &Subjects<S::Subject>) -> bool {
    step.facts.iter().any(|fact| match fact {
        Fact::SyncBegan { .. } => false,
        fact => subject::of_fact(fact).meet(subjects),
    })
}

//! Which steps explain a violation.
//!
//! Of the causal past of the two facts, those that are about the same thing; where a defect acts,
//! and the messages by which that led to the second fact; the last changes of the files that the
//! facts are about, with the requests that asked for them; and what broke the machines concerned.

use std::collections::BTreeSet;

use super::act::Act;
use super::chain;
use super::choice::{Choice, is_first_start, rank};
use super::facts::Facts;
use super::heartbeats::is_background;
use super::history::{History, past};
use super::origins::Origins;
use super::story::Story;
use super::violation_subjects::about;
use crate::subject::{self, Subjects};
use crate::under_test::UnderTest;

/// A defect that led to a fact by more steps than this is not followed step by step.
const LONGEST_CHAIN: usize = 12;

/// What led to `facts`.
pub(super) fn compose<S: UnderTest>(
    Facts { breach, others }: &Facts<S>,
    history: &History<S>,
    acts: &[Act<S>],
) -> Story<S> {
    let steps = [breach.earlier.step, breach.now.step].into_iter().chain(others.iter().copied());
    let facts: BTreeSet<usize> = steps.filter_map(|step| history.place(step)).collect();
    let facts: Vec<usize> = facts.into_iter().collect();
    let each: Vec<Subjects<S::Subject>> = history.steps().map(subject::of_step).collect();
    let subjects = about(breach, history, &facts, &each);
    let origins = Origins::of(breach, history, &facts, &each);
    let mut wider = subjects.clone();
    wider.extend(origins.deeds.iter().cloned());
    let causes = history.causes();
    let of_defect = acted(acts, history, &causes, &facts);
    let mut ends = ends(&facts, history, &each, &subjects);
    ends.extend(&origins.steps);
    let is_past = past(&causes, ends);
    let mut named = wider.clone();
    named.extend(breach.earlier.about.iter().chain(&breach.now.about).cloned());
    named.extend(origins.objects.iter().cloned());
    let origins = origins.steps;
    let mut story = Story {
        heading: "What led to it",
        subjects,
        wider,
        named,
        facts,
        origins,
        acts: acts.iter().filter_map(|act| history.place(act.step)).collect(),
        of_defect,
        steps: Vec::new(),
    };
    story.steps = Choice::new(&story, history, &each, &causes, &is_past).steps();
    story
}

/// Everything that happened but for heartbeats and the first starts.
pub(super) fn compose_whole<S: UnderTest>(history: &History<S>) -> Story<S> {
    let each: Vec<Subjects<S::Subject>> = history.steps().map(subject::of_step).collect();
    let all: Subjects<S::Subject> = each.iter().flat_map(|it| it.iter().cloned()).collect();
    let steps = history.steps().enumerate();
    let told = steps.filter(|(_, step)| !is_background(step) && !is_first_start(step));
    let steps = told.map(|(place, step)| (place, rank(step, &all))).collect();
    Story {
        heading: "The run",
        subjects: Subjects::default(),
        wider: all.clone(),
        named: all,
        facts: Vec::new(),
        origins: BTreeSet::new(),
        acts: Vec::new(),
        of_defect: BTreeSet::new(),
        steps,
    }
}

/// Where a defect acts, and the messages by which the first of that led to the last of `facts`.
fn acted<S: UnderTest>(
    acts: &[Act<S>],
    history: &History<S>,
    causes: &[Vec<usize>],
    facts: &[usize],
) -> BTreeSet<usize> {
    let Some(&last) = facts.last() else { return BTreeSet::new() };
    let at = acts.iter().filter_map(|act| history.place(act.step));
    let mut acted: BTreeSet<usize> = at.filter(|place| *place <= last).collect();
    let is_message = |from: usize, to: usize| {
        history.at(from).place() != history.at(to).place() || history.at(from).place().is_none()
    };
    if let Some(&first) = acted.first() {
        let led_to = chain::between(causes, is_message, first, last);
        acted.extend(led_to.iter().take(LONGEST_CHAIN));
    }
    acted
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

//! The facts that an explanation starts from, whatever the verdict.

use seedbed::machine::Class;

use super::history::History;
use crate::oracle::blocked::{Wait, WaitKind};
use crate::oracle::{Breach, Evidence};
use crate::subject::{self, Subject as _, Subjects};
use crate::under_test::UnderTest;
use crate::verdict::Verdict;
use crate::world::{Fact, Step};

/// Facts, each with its step.
#[derive(Clone, Debug)]
pub(super) struct Facts<S: UnderTest> {
    /// The two facts that contradict each other; of a wait, where it began and the last about it;
    /// of a panic, twice the step in which it struck.
    pub breach: Breach<S>,
    /// The steps of more facts: where the other waits of a circle began.
    pub others: Vec<u64>,
}

impl<S: UnderTest> Facts<S> {
    /// The facts of a run that ended with `verdict`; `None` if it rests on no single steps, or on
    /// none that the history keeps.
    pub fn of(verdict: &Verdict<S>, history: &History<S>) -> Option<Facts<S>> {
        match verdict {
            Verdict::Violation(violation) | Verdict::Starved(violation) => {
                Some(Facts::of_breach(&violation.breach))
            }
            Verdict::Blocked(waits) => of_waits(waits, history),
            Verdict::Panic(_) => {
                let step = history.steps().next_back()?;
                let about = subject::of_step(step);
                let in_it = evidence(step, &about);
                Some(Facts { breach: Breach::of(in_it.clone(), in_it), others: Vec::new() })
            }
            Verdict::Pass | Verdict::Spinning(_) => None,
            Verdict::Unexpected(_) | Verdict::RuledOut { .. } => None,
        }
    }

    /// The two facts of `breach`.
    pub fn of_breach(breach: &Breach<S>) -> Facts<S> {
        Facts { breach: breach.clone(), others: Vec::new() }
    }
}

/// Where the first of `waits` began, and all that are in a circle with it, and the last step of one
/// of their machines about any of it.
fn of_waits<S: UnderTest>(waits: &[Wait], history: &History<S>) -> Option<Facts<S>> {
    let first = waits.first()?;
    let in_circle = |wait: &&Wait| wait.kind == WaitKind::DEADLOCK && wait.kind == first.kind;
    let others = waits[1..].iter().filter(in_circle);
    let begun: Vec<&Step<S>> =
        [first].into_iter().chain(others).filter_map(|wait| begun(wait, history)).collect();
    let about: Subjects<S::Subject> = begun.iter().flat_map(|step| deeds(step)).collect();
    let is_last = |step: &&Step<S>| {
        let is_of_one_that_waits = begun.iter().any(|begun| begun.place() == step.place());
        is_of_one_that_waits && subject::of_step(step).meet(&about)
    };
    let last = history.steps().rev().find(is_last);
    let (earlier, others) = begun.split_first()?;
    let breach = Breach::of(evidence(earlier, &about), evidence(last.unwrap_or(earlier), &about));
    Some(Facts { breach, others: others.iter().map(|step| step.index).collect() })
}

/// Where a client was last asked for anything before it waits; else the last step of the machine
/// before the wait that was about what is done for a request.
fn begun<'h, S: UnderTest>(wait: &Wait, history: &'h History<S>) -> Option<&'h Step<S>> {
    let mut here = history.steps().filter(|step| step.place() == Some(wait.machine));
    if wait.machine.class() == Class::Client {
        let is_asked = |fact: &Fact<S>| matches!(fact, Fact::Requested { .. });
        return here.rfind(|step| step.at <= wait.since && step.facts.iter().any(is_asked));
    }
    here.rfind(|step| step.at <= wait.since && deeds(step).next().is_some())
}

fn deeds<S: UnderTest>(step: &Step<S>) -> impl Iterator<Item = S::Subject> {
    let about = subject::of_step(step);
    let deeds: Vec<_> =
        about.iter().filter(|subject| subject.standing().is_deed()).cloned().collect();
    deeds.into_iter()
}

fn evidence<S: UnderTest>(step: &Step<S>, about: &Subjects<S::Subject>) -> Evidence<S> {
    Evidence::at(step.index, String::new()).about_all(about.iter().cloned())
}

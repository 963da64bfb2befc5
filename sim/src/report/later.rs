//! When a run without the defects sends what a defect has sent too early, and the last way that
//! leads there: of each step only one cause is followed.

use std::iter;

use seedbed::machine::NodeId;

use super::act::Act;
use super::history::History;
use super::parting::digest;
use crate::run;
use crate::scenario::Scenario;
use crate::subject;
use crate::trace::Detail;
use crate::under_test::UnderTest;
use crate::world::{Fact, Step};

/// Adds to each of `acts`, steps of `history`, when the run without the defects sends what the
/// defect sends in the step.
pub(super) fn add<S: UnderTest>(
    scenario: &Scenario<S>,
    seed: u64,
    history: &History<S>,
    acts: &mut [Act<S>],
) {
    let early: Vec<Vec<String>> = acts.iter().map(|act| only_with(history, act)).collect();
    if early.iter().all(Vec::is_empty) {
        return;
    }
    let mut mended = History::default();
    run::run(&scenario.mended(), seed, &mut mended);
    for (act, early) in acts.iter_mut().zip(early) {
        let place = history.step(act.step).and_then(Step::place);
        act.later = steps_until(&mended, act, place, &early).unwrap_or_default();
    }
}

/// The messages that are sent in the step of `act` with the defects only.
fn only_with<S: UnderTest>(history: &History<S>, act: &Act<S>) -> Vec<String> {
    let (Some(with), Some(without)) = (history.step(act.step), &act.without) else {
        return Vec::new();
    };
    let without = sent(without);
    let mut with = sent(with);
    with.retain(|message| !without.contains(message));
    with
}

/// The step of the run without the defects in which the machine at `place` sends one of `early`,
/// and before it the last way from the step of `act` to it; `None` if it never does.
fn steps_until<S: UnderTest>(
    mended: &History<S>,
    act: &Act<S>,
    place: Option<NodeId>,
    early: &[String],
) -> Option<Vec<Step<S>>> {
    let without = act.without.as_ref().filter(|without| without.place() == place)?;
    let is_it = |step: &&Step<S>| {
        let is_later = step.at > without.at && step.place() == place;
        is_later && sent(step).iter().any(|message| early.contains(message))
    };
    let until = mended.steps().find(is_it)?;
    let last = mended.place(until.index)?;
    let mut way = vec![last];
    // Before the step of the act the two runs may have been different already.
    if let Some(first) =
        mended.place(act.step).filter(|at| digest(mended.at(*at)) == digest(without))
    {
        let about = subject::of_step(until);
        let causes = mended.causes();
        let all = way_back(&causes, first, last);
        way.extend(all.filter(|place| subject::of_step(mended.at(*place)).meet(&about)));
    }
    Some(way.into_iter().rev().map(|place| mended.at(place).clone()).collect())
}

/// From `last` back to `first`, without them: of a message the step that sent it, else the step
/// before at the same machine.
fn way_back(causes: &[Vec<usize>], first: usize, last: usize) -> impl Iterator<Item = usize> + '_ {
    let before = move |place: &usize| causes[*place].first().copied().filter(|it| *it > first);
    iter::successors(before(&last), before)
}

/// The messages that are sent in `step`, each with its receiver, in words: numbers of attempts may
/// differ between two runs.
fn sent<S: UnderTest>(step: &Step<S>) -> Vec<String> {
    let facts = step.facts.iter().filter_map(|fact| match fact {
        Fact::Sent { to, message, .. } => {
            Some(format!("{to} {}", S::message_in_words(message, Detail::Brief)))
        }
        _ => None,
    });
    facts.collect()
}

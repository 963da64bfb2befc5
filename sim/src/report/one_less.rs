//! A run that passes next to one that fails without a defect: the same file and seed with one rule
//! for a message or a sync less, or one fault.
//!
//! Only of a file that says all of it: where a seed draws requests or faults, one less changes what
//! comes after it, and the two runs have little in common. `shrink` makes such a file.

use super::act::Act;
use crate::scenario::Scenario;
use crate::under_test::UnderTest;
#[cfg(feature = "madsim")]
use {
    super::history::History,
    super::parting::parting,
    crate::cell::FaultKind,
    crate::name::Name as _,
    crate::run,
    crate::scenario::{Expect, Expected, Fate},
    crate::verdict::Verdict,
};

/// So many runs are tried.
#[cfg(feature = "madsim")]
pub(super) const TRIED: usize = 12;

/// A run that passes.
#[derive(Clone, Debug)]
pub struct OneLess<S: UnderTest> {
    /// What its file has less, in words.
    pub left_out: String,
    /// Its file.
    pub scenario: Scenario<S>,
    /// Where the run that fails parts from it; `None` in a step that is not kept.
    pub act: Option<Act<S>>,
}

/// Does the file leave requests or faults to the seed?
#[cfg(feature = "madsim")]
pub(super) fn is_drawn<S: UnderTest>(scenario: &Scenario<S>) -> bool {
    scenario.workload.is_some() || scenario.chaos.is_some() || scenario.swarm.is_some()
}

/// The first of the runs with one thing less that passes: first the rules for messages, then those
/// for syncs, then the faults, in the order of the file.
#[cfg(feature = "madsim")]
pub(super) fn one_less<S: UnderTest>(
    scenario: &Scenario<S>,
    seed: u64,
    history: &History<S>,
) -> Option<OneLess<S>> {
    if is_drawn(scenario) {
        return None;
    }
    let whole = without_expectations(scenario, scenario.expect.verdict.clone());
    let (messages, syncs, faults) = (whole.messages.len(), whole.syncs.len(), whole.faults.len());
    let all = (0..messages).map(|place| without_message(&whole, place));
    let all = all.chain((0..syncs).map(|place| without_sync(&whole, place)));
    let mut all = all.chain((0..faults).map(|place| without_fault(&whole, place))).take(TRIED);
    let (left_out, other) =
        all.find(|(_, other)| run::run(other, seed, &mut ()).verdict == Verdict::Pass)?;
    let act = parting(scenario, &other, seed, history);
    Some(OneLess { left_out, scenario: other, act })
}

/// The same but for what is answered and reached: that is expected of this run, and not of others.
#[cfg(feature = "madsim")]
pub(super) fn without_expectations<S: UnderTest>(
    scenario: &Scenario<S>,
    verdict: Expected<S>,
) -> Scenario<S> {
    let mut other = scenario.clone();
    other.script.iter_mut().flat_map(|script| &mut script.steps).for_each(|it| it.answer = None);
    other.expect = Expect::only(verdict);
    other
}

#[cfg(feature = "madsim")]
fn without_message<S: UnderTest>(whole: &Scenario<S>, place: usize) -> (String, Scenario<S>) {
    let mut other = whole.clone();
    let rule = other.messages.remove(place);
    let fate = match rule.fate {
        Fate::Drop => "is lost".to_owned(),
        Fate::Delay(by) => format!("is {by} late"),
        Fate::Duplicate(_) => "comes twice".to_owned(),
        Fate::Latency(latency) => format!("takes {latency}"),
    };
    let is = format!("{} {fate}", rule.kind.name());
    (named("message", place, whole.messages.len(), &is), other)
}

#[cfg(feature = "madsim")]
fn without_sync<S: UnderTest>(whole: &Scenario<S>, place: usize) -> (String, Scenario<S>) {
    let mut other = whole.clone();
    let rule = other.syncs.remove(place);
    let node = rule.node.map_or(String::new(), |node| format!("of {node} "));
    let is = match (rule.takes.min, rule.takes.max) {
        (min, max) if min == max => format!("{node}takes {max}"),
        (min, max) => format!("{node}takes {min} to {max}"),
    };
    (named("sync", place, whole.syncs.len(), &is), other)
}

#[cfg(feature = "madsim")]
fn without_fault<S: UnderTest>(whole: &Scenario<S>, place: usize) -> (String, Scenario<S>) {
    let mut other = whole.clone();
    let kind = FaultKind::<S>::of(&other.faults.remove(place).fault);
    (named("fault", place, whole.faults.len(), kind.name()), other)
}

/// `the [[message]] (commit is lost)`, `[[fault]] 2 of 3 (crash)`
#[cfg(feature = "madsim")]
fn named(list: &str, place: usize, of: usize, is: &str) -> String {
    match of {
        1 => format!("the [[{list}]] ({is})"),
        _ => format!("[[{list}]] {} of {of} ({is})", place + 1),
    }
}

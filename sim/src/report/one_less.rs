//! The nearest run that passes of one that fails without a defect: the same file and seed with one
//! rule for a message or a sync less, or one fault.
//!
//! Only of a file that says all of it: where a seed draws requests or faults, one less changes what
//! comes after it, and the two runs have little in common. `shrink` makes such a file.

use super::act::Act;
use crate::scenario::Scenario;
use crate::under_test::UnderTest;
#[cfg(feature = "madsim")]
use {
    super::history::History, super::parting::parting, crate::cell::FaultKind,
    crate::name::Name as _, crate::run, crate::scenario::Fate, crate::verdict::Verdict,
};

/// So many runs are tried.
#[cfg(feature = "madsim")]
const TRIED: usize = 12;

/// A run that passes.
#[derive(Clone, Debug)]
pub struct OneLess<S: UnderTest> {
    /// What its file has less, in words.
    pub left_out: String,
    /// Its file.
    pub scenario: Scenario<S>,
    /// Where the run that fails parts from it.
    pub act: Act<S>,
}

/// The first of the runs with one thing less that passes.
#[cfg(feature = "madsim")]
pub(super) fn one_less<S: UnderTest>(
    scenario: &Scenario<S>,
    seed: u64,
    history: &History<S>,
) -> Option<OneLess<S>> {
    if scenario.workload.is_some() || scenario.chaos.is_some() || scenario.swarm.is_some() {
        return None;
    }
    let passes = |(_, other): &(String, Scenario<S>)| {
        run::run(other, seed, &mut ()).verdict == Verdict::Pass
    };
    let (left_out, other) = all(scenario).into_iter().take(TRIED).find(passes)?;
    let act = parting(scenario, &other, seed, history)?;
    Some(OneLess { left_out, scenario: other, act })
}

/// The same file with one thing less, and what that is.
#[cfg(feature = "madsim")]
fn all<S: UnderTest>(scenario: &Scenario<S>) -> Vec<(String, Scenario<S>)> {
    let mut all = Vec::new();
    let mut scenario = scenario.clone();
    // What is answered is expected of this run, and not of others.
    scenario.script.iter_mut().flat_map(|script| &mut script.steps).for_each(|it| it.answer = None);
    for (place, rule) in scenario.messages.iter().enumerate() {
        let mut other = scenario.clone();
        other.messages.remove(place);
        let fate = match rule.fate {
            Fate::Drop => "is lost",
            Fate::Delay(_) => "is late",
            Fate::Duplicate(_) => "comes twice",
            Fate::Latency(_) => "takes its time",
        };
        let kind = rule.kind.name();
        all.push((
            named("message", place, scenario.messages.len(), &format!("{kind} {fate}")),
            other,
        ));
    }
    for (place, rule) in scenario.syncs.iter().enumerate() {
        let mut other = scenario.clone();
        other.syncs.remove(place);
        let takes = format!("takes {}", rule.takes.max);
        all.push((named("sync", place, scenario.syncs.len(), &takes), other));
    }
    for (place, fault) in scenario.faults.iter().enumerate() {
        let mut other = scenario.clone();
        other.faults.remove(place);
        let kind = FaultKind::<S>::of(&fault.fault);
        all.push((named("fault", place, scenario.faults.len(), kind.name()), other));
    }
    all
}

/// `the [[message]] (commit is lost)`, `[[fault]] 2 of 3 (crash)`
#[cfg(feature = "madsim")]
fn named(list: &str, place: usize, of: usize, is: &str) -> String {
    match of {
        1 => format!("the [[{list}]] ({is})"),
        _ => format!("[[{list}]] {} of {of} ({is})", place + 1),
    }
}

//! What comes of a violation that is a danger only: where it says that something is missing, such as
//! a record that a message speaks of, harm comes later, and often only with one fault more.
//!
//! So the run goes on, as if the invariant were none, until another one breaks: first as it is, then
//! with a crash of the machine just after the violation, then with a crash that takes its disk.

use seedbed::machine::Time;

use crate::oracle::Violation;
use crate::under_test::UnderTest;
#[cfg(feature = "madsim")]
use {
    super::history::History,
    super::parting::digest,
    crate::fault::{Fault, Leaves, Restart, Torn},
    crate::run,
    crate::scenario::{Expect, Expected, Scenario, ScriptedFault, Target, Trigger},
    crate::verdict::Verdict,
    crate::world::Step,
    seedbed::machine::{NodeId, Span},
};

/// How long a machine is down.
#[cfg(feature = "madsim")]
const DOWN: Span = Span::from_secs(1);

/// What comes of a violation.
#[derive(Clone, Debug)]
pub struct Harm<S: UnderTest> {
    /// What happens then, in words.
    pub with: String,
    /// When the other invariant breaks.
    pub at: Time,
    /// How.
    pub violation: Violation<S>,
}

/// What comes of `violation`, the end of the run of `scenario` that `history` has watched, if it is
/// a danger only.
#[cfg(feature = "madsim")]
pub(super) fn harm<S: UnderTest>(
    scenario: &Scenario<S>,
    seed: u64,
    history: &History<S>,
    violation: &Violation<S>,
) -> Option<Harm<S>> {
    if !violation.breach.is_of_absence() {
        return None;
    }
    let step = history.step(violation.step)?;
    let node = step.place()?;
    let mut longer = scenario.clone();
    // The probes ask for what should be there.
    longer.expect = Expect::only(Expected::Pass);
    longer.phases.probes = true;
    let beside = [
        (format!("{node} crashes right then"), Some(crash(node))),
        ("the run goes on".to_owned(), None),
        (format!("{node} loses its disk right then"), Some(wipe(node))),
    ];
    beside.into_iter().find_map(|(with, fault)| {
        let mut longer = longer.clone();
        longer.faults.extend(fault.map(|fault| ScriptedFault {
            trigger: Trigger::At((step.at + Span::from_nanos(1)).since(Time::ZERO)),
            until: None,
            fault,
        }));
        later(&longer, seed, step, violation).map(|(at, violation)| Harm { with, at, violation })
    })
}

/// Where an invariant breaks in the run of `longer`, which is the same up to `step`, and not only
/// because something is missing. Without the defects that run passes.
#[cfg(feature = "madsim")]
fn later<S: UnderTest>(
    longer: &Scenario<S>,
    seed: u64,
    step: &Step<S>,
    violation: &Violation<S>,
) -> Option<(Time, Violation<S>)> {
    let mut forgiven = vec![violation.invariant];
    loop {
        let mut history = History::default();
        let run = run::forgiving(longer, seed, &forgiven, &mut history);
        history.step(step.index).filter(|same| digest(same) == digest(step))?;
        match run.verdict {
            Verdict::Violation(later) if later.breach.is_of_absence() => {
                forgiven.push(later.invariant);
            }
            Verdict::Violation(later) if later.step > step.index && passes(longer, seed) => {
                let at = history.step(later.step)?.at;
                return Some((at, *later));
            }
            _ => return None,
        }
    }
}

/// Does the run pass without the defects, if there are any?
#[cfg(feature = "madsim")]
fn passes<S: UnderTest>(longer: &Scenario<S>, seed: u64) -> bool {
    let has_defects = !longer.defects.is_empty();
    !has_defects || run::run(&longer.mended(), seed, &mut ()).verdict == Verdict::Pass
}

#[cfg(feature = "madsim")]
fn crash<S: UnderTest>(node: NodeId) -> Fault<S, Target<S>> {
    let leaves = Leaves { kept: Some(0), torn: Some(Torn::No) };
    Fault::Crash { node: Target::Node(node), leaves, restart: Restart::After(DOWN) }
}

#[cfg(feature = "madsim")]
fn wipe<S: UnderTest>(node: NodeId) -> Fault<S, Target<S>> {
    Fault::Wipe { node: Target::Node(node), restart: Restart::After(DOWN) }
}

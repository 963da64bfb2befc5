//! What comes of a violation that is a danger only: where it says that something is missing, such
//! as a record that a message speaks of, harm comes later, and often only with one fault more.
//!
//! So the run goes on, as if the invariant were none, until another one breaks: first as it is,
//! then with a crash of the machine just after the violation, then with a crash that takes its
//! disk. An invariant that breaks because something is missing is passed over as well. Clients are
//! asked once more at the end, which shows what is lost. Where faults are drawn, a crash more may
//! draw other ones: then it is not told.

use seedbed::machine::Time;

use crate::oracle::Violation;
use crate::under_test::UnderTest;
#[cfg(feature = "madsim")]
use {
    super::history::History,
    super::one_less::without_expectations,
    super::parting::digest,
    crate::draw::swarm,
    crate::fault::{Fault, Leaves, Restart, Torn},
    crate::run,
    crate::scenario::{Expected, Scenario, ScriptedFault, Target, Trigger},
    crate::verdict::Verdict,
    crate::world::Step,
    seedbed::machine::{Class, NodeId, Span},
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
    let mut longer = without_expectations(scenario, Expected::Pass);
    longer.phases.probes = true;
    let at = (step.at + Span::from_nanos(1)).since(Time::ZERO);
    let may_strike = at < swarm::for_seed(scenario, seed).phases.safety;
    let crash = may_strike.then(|| (format!("{node} crashes right then"), crash(node)));
    let has_disk = may_strike && node.class() == Class::Node;
    let wipe = has_disk.then(|| (format!("{node} loses its disk right then"), wipe(node)));
    let known = longer.faults.len();
    let as_it_is = || {
        let (at, violation) = breaks(&longer, known, seed, step, violation)?;
        Some(Harm { with: "the run goes on".to_owned(), at, violation })
    };
    as_it_is().or_else(|| {
        crash.into_iter().chain(wipe).find_map(|(with, fault)| {
            let trigger = Trigger::At(at);
            let mut longer = longer.clone();
            longer.faults.push(ScriptedFault { trigger, until: None, fault });
            let (at, violation) = breaks(&longer, known, seed, step, violation)?;
            Some(Harm { with, at, violation })
        })
    })
}

/// Where an invariant breaks in the run of `longer`, which is the same up to `step`, and not only
/// because something is missing. The fault that is added to the `known` ones has struck, and
/// without the defects the run passes.
#[cfg(feature = "madsim")]
fn breaks<S: UnderTest>(
    longer: &Scenario<S>,
    known: usize,
    seed: u64,
    step: &Step<S>,
    violation: &Violation<S>,
) -> Option<(Time, Violation<S>)> {
    let mut forgiven = vec![violation.invariant];
    loop {
        let mut history = History::default();
        let run = run::forgiving(longer, seed, &forgiven, &mut history);
        history.step(step.index).filter(|same| digest(same) == digest(step))?;
        let added = known..longer.faults.len();
        let has_struck = run.fired.get(added).is_some_and(|it| it.iter().all(|it| it.has_fired));
        match run.verdict {
            Verdict::Violation(other) if other.breach.is_of_absence() => {
                forgiven.push(other.invariant);
            }
            Verdict::Violation(other) | Verdict::Starved(other)
                if other.step > step.index && has_struck && passes(longer, seed) =>
            {
                let at = history.step(other.step)?.at;
                return Some((at, *other));
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

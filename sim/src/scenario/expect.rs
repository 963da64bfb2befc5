//! `seeds`, `[phases]` and `[expect]`: how a file is run, and what must come of it.

use seedbed::proto::lease::LeaseTerms;
use seedbed::proto::{Command, Config, Span, Time};

use super::fault::ScriptedFault;
use super::reader::{Form, Result, Table};
use super::value::Value;
use crate::fault::{Fault, Restart};
use crate::invariant::InvariantName;
use crate::milestone::Milestone;

/// The seeds that a file is run with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Seeds {
    /// The first.
    pub start: u64,
    /// How many, at least 1.
    pub count: u64,
}

/// How long the two parts of a run are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Phases {
    /// Things break, and nothing bad may happen.
    pub safety: Span,
    /// Everything is healed, and everything must get done.
    pub liveness: Span,
    /// Is the cluster probed after that?
    pub probes: bool,
}

/// What must come of a file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Expect {
    /// How its runs end.
    pub verdict: Expected,
    /// Milestones that some of its runs must reach.
    pub reached: Vec<Milestone>,
    /// Milestones that none of its runs may reach.
    pub never: Vec<Milestone>,
}

/// How the runs of a file end.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Expected {
    /// No invariant is violated and everything gets done.
    Pass,
    /// Some run violates this invariant, and none another.
    Violates(InvariantName),
    /// Some run reaches this milestone, and what follows from it never comes.
    Blocks(Milestone),
}

#[derive(Clone, Copy)]
enum Kind {
    Verdict,
    Violates,
    Blocks,
}

const FORMS: [Form<Kind>; 3] = [
    Form { key: "verdict", beside: &[], is: Kind::Verdict },
    Form { key: "violates", beside: &[], is: Kind::Violates },
    Form { key: "blocks", beside: &[], is: Kind::Blocks },
];

pub(super) fn seeds(root: &Table<'_>) -> Result<Seeds> {
    let table = root.section("seeds", &["start", "count"])?;
    Ok(Seeds {
        start: table.or("start", 0, |value| value.integer(0..=i64::MAX))?,
        count: table.or("count", 100, |value| value.integer(1..=i64::MAX))?,
    })
}

pub(super) fn phases(root: &Table<'_>, config: &Config) -> Result<Phases> {
    let table = root.section("phases", &["safety", "liveness", "probes"])?;
    let phase = |key, usual| table.or(key, usual, |value| value.some_span());
    let safety = phase("safety", Span::from_secs(30))?;
    let usual = Span::from_secs(30).max(config.request_timeout.times(2));
    let liveness = phase("liveness", usual)?;
    // A request that is asked in the last moment of the safety phase has its whole time after it,
    // by a clock that may be slow.
    let length = config.request_timeout;
    let terms = LeaseTerms { length, drift_max_ppm: config.drift_max_ppm };
    if liveness < terms.giver_until(Time::ZERO).since(Time::ZERO) {
        let message = format!("{liveness} is too short for requests, which may take {length}");
        return Err(table.error("liveness", message));
    }
    let probes = table.or("probes", true, |value| value.boolean())?;
    Ok(Phases { safety, liveness, probes })
}

pub(super) fn expect(root: &Table<'_>, faults: &[ScriptedFault]) -> Result<Expect> {
    let table = root.section("expect", &["verdict", "violates", "blocks", "reached", "never"])?;
    let told = FORMS.iter().any(|form| table.get(form.key).is_some());
    let verdict = if told { verdict(&table, faults)? } else { Expected::Pass };
    let read = |value: Value<'_>| value.distinct(|value| value.milestone());
    let reached = table.or("reached", Vec::new(), read)?;
    let never: Vec<Milestone> = table.or("never", Vec::new(), read)?;
    match never.iter().find(|milestone| reached.contains(milestone)) {
        Some(both) => Err(table.error("never", format!("`{both}` stands in `reached` as well"))),
        None => Ok(Expect { verdict, reached, never }),
    }
}

fn verdict(table: &Table<'_>, faults: &[ScriptedFault]) -> Result<Expected> {
    let (kind, value) = table.form(&["reached", "never"], &FORMS)?;
    match kind {
        Kind::Verdict => value.pick("verdict", [("pass", Expected::Pass)]),
        Kind::Violates => {
            let names = InvariantName::ALL.iter().map(|name| (name.name(), *name));
            value.pick_listed("invariant", "invariants", names).map(Expected::Violates)
        }
        Kind::Blocks if faults.iter().any(stays_down) || is_bereft(faults) => {
            value.milestone().map(Expected::Blocks)
        }
        Kind::Blocks => Err(value.error(
            "nothing blocks for good where every machine restarts: \
             expected a crash with `restart = \"never\"`, or a `wipe` without an `accept_loss`",
        )),
    }
}

/// Is a disk lost, and the operator never says that what only it could prove is given up?
fn is_bereft(faults: &[ScriptedFault]) -> bool {
    let is_wipe = |fault: &ScriptedFault| matches!(fault.fault, Fault::Wipe { .. });
    let accepts = |fault: &ScriptedFault| fault.fault == Fault::Operator(Command::AcceptLoss);
    faults.iter().any(is_wipe) && !faults.iter().any(accepts)
}

fn stays_down(fault: &ScriptedFault) -> bool {
    matches!(fault.fault, Fault::Crash { restart: Restart::Never, .. })
}

//! `seeds`, `[phases]` and `[expect]`: how a file is run, and what must come of it.

pub(in crate::scenario) mod answer;
mod asked;
mod coverable;
pub(in crate::scenario) mod grammar;
pub(in crate::scenario) mod possible;

use std::fmt;

use seedbed::machine::{Span, Time};
use seedbed::proto::lease::LeaseTerms;
use seedbed::proto::{Command, Config, Contents, Path, Request};

use crate::cell::Cell;
use crate::fault::{Fault, Restart};
use crate::file_service::InvariantName;
use crate::file_service::Milestone;
use crate::quantity::Ppb;
use crate::scenario::fault::ScriptedFault;
use crate::scenario::reader::{Result, Table};
use crate::scenario::script::Script;
use crate::scenario::value::Value;
use crate::text::Thousands;
use grammar::{EXPECT, PHASES, REACHED, SEEDS, STORED};

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
    /// Milestones that some of its runs must reach, or that none may reach too often.
    pub reached: Vec<Reach>,
    /// Milestones that none of its runs may reach.
    pub never: Vec<Milestone>,
    /// What every owner must store at the end of each run.
    pub stored: Vec<Stored>,
    /// Cells that some of its runs must see.
    pub covered: Vec<Cell>,
    /// Share of users' requests that may be answered unknown, over all seeds.
    pub unknown: Ppb,
}

impl Expect {
    /// The share of unknown that a file may have without saying so. The committed files that say
    /// nothing have 0.6 % at most; a service that cannot answer one request in twenty is of no use.
    pub const UNKNOWN: Ppb = Ppb::new(50_000_000).unwrap();

    /// That a run ends like this, and nothing else.
    pub fn only(verdict: Expected) -> Expect {
        let (reached, never, stored) = (Vec::new(), Vec::new(), Vec::new());
        let covered = Vec::new();
        Expect { verdict, reached, never, stored, covered, unknown: Expect::UNKNOWN }
    }
}

/// How often runs reach a milestone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reach {
    /// Which.
    pub milestone: Milestone,
    /// How often some run must reach it; 0 if none must.
    pub at_least: u64,
    /// How often a run may reach it; `None` is no bound.
    pub at_most: Option<u64>,
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at_least {
            1 => write!(f, "`{}`", self.milestone),
            often => write!(f, "`{}` {} times", self.milestone, Thousands(often)),
        }
    }
}

/// What every owner of a path must store.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Stored {
    /// The path.
    pub path: Path,
    /// The contents; `None` for no file.
    pub contents: Option<Contents>,
}

/// How the runs of a file end.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Expected {
    /// No invariant is violated, and nothing waits for ever.
    Pass,
    /// Some run violates this invariant, and none another.
    Violates(InvariantName),
    /// Some run reaches this milestone, and what follows from it never comes.
    Blocks(Milestone),
}

#[derive(Clone, Copy)]
pub(in crate::scenario) enum Kind {
    Verdict,
    Violates,
    Blocks,
}

pub(in crate::scenario) fn seeds(root: &Table<'_>) -> Result<Seeds> {
    let table = root.section(&SEEDS);
    let start = table.or("start", 0, |value| value.integer(0..=i64::MAX));
    let count = table.or("count", 100, |value| value.integer(1..=i64::MAX));
    Ok(Seeds { start: start?, count: count? })
}

/// The phases, and the safety phase alone, which other tables look at.
pub(in crate::scenario) fn phases(
    root: &Table<'_>,
    config: Result<&Config>,
) -> (Result<Span>, Result<Phases>) {
    let table = root.section(&PHASES);
    let phase = |key, usual| table.or(key, usual, |value| value.some_span());
    let safety = phase("safety", Span::from_secs(30));
    let liveness = liveness(&table, config);
    let probes = table.or("probes", true, |value| value.boolean());
    let phases = || Ok(Phases { safety: safety?, liveness: liveness?, probes: probes? });
    (safety, phases())
}

fn liveness(table: &Table<'_>, config: Result<&Config>) -> Result<Span> {
    let usual = config.map_or(Span::ZERO, |config| config.request_timeout.times(2));
    let usual = Span::from_secs(30).max(usual);
    let liveness = table.or("liveness", usual, |value| value.some_span())?;
    // A request that is asked in the last moment of the safety phase has its whole time after it,
    // by a clock that may be slow.
    let config = config?;
    let length = config.request_timeout;
    let terms = LeaseTerms { length, drift_max_ppm: config.drift_max_ppm };
    if liveness < terms.giver_until(Time::ZERO).since(Time::ZERO) {
        let message = format!("{liveness} is too short for requests, which may take {length}");
        return Err(table.error("liveness", message));
    }
    Ok(liveness)
}

pub(in crate::scenario) fn expect(
    root: &Table<'_>,
    faults: Result<&[ScriptedFault]>,
    script: Result<&[Script]>,
) -> Result<Expect> {
    let table = root.section(&EXPECT);
    let told = EXPECT.forms.iter().any(|form| table.get(form.key.name).is_some());
    let verdict = if told { verdict(&table, faults, script) } else { Ok(Expected::Pass) };
    let milestones = |value: Value<'_>| value.distinct(|value| value.milestone());
    let reached = table.or("reached", Vec::new(), reached);
    let never = table.or("never", Vec::new(), milestones);
    let stored = table.or("stored", Vec::new(), stored);
    let covered = table.or("covered", Vec::new(), |value| value.distinct(|value| value.cell()));
    let unknown = table.or("unknown", Expect::UNKNOWN, |value| value.probability());
    let (reached, never) = (reached?, never?);
    let is_reached = |never: &&Milestone| reached.iter().any(|reach| reach.milestone == **never);
    for both in never.iter().filter(is_reached) {
        table.error("never", format!("`{both}` stands in `reached` as well"));
    }
    let (verdict, stored, covered, unknown) = (verdict?, stored?, covered?, unknown?);
    Ok(Expect { verdict, reached, never, stored, covered, unknown })
}

/// Milestones, each once, by name or with how often a run must reach it.
fn reached(value: Value<'_>) -> Result<Vec<Reach>> {
    let mut all: Vec<Reach> = Vec::new();
    value.distinct(|value| {
        let reach = reach(value)?;
        if all.iter().any(|other| other.milestone == reach.milestone) {
            let table = format!("`{}`", reach.milestone);
            let name = if value.value.is_table() { table } else { value.found() };
            return Err(value.error(format!("{name} is there twice")));
        }
        all.push(reach);
        Ok(reach)
    })
}

fn reach(value: &Value<'_>) -> Result<Reach> {
    if !value.value.is_table() {
        return Ok(Reach { milestone: value.milestone()?, at_least: 1, at_most: None });
    }
    let table = value.table(&REACHED)?;
    let milestone = table.need("milestone", "what must be reached");
    let milestone = milestone.and_then(|value| value.milestone());
    let often = |name: &'static str| table.maybe(name, |value| value.integer::<u64>(1..=i64::MAX));
    let (at_least, at_most) = (often("at_least")?, often("at_most")?);
    if at_least.is_none() && at_most.is_none() {
        return Err(value.error("expected `at_least`, `at_most` or both"));
    }
    if at_least > at_most.or(at_least) {
        return Err(value.error("`at_most` is below `at_least`"));
    }
    Ok(Reach { milestone: milestone?, at_least: at_least.unwrap_or(0), at_most })
}

/// Paths, each once, with what must be stored there.
fn stored(value: Value<'_>) -> Result<Vec<Stored>> {
    let mut paths: Vec<Path> = Vec::new();
    value.distinct(|value| {
        let table = value.table(&STORED)?;
        let path = stored_at(&table, &mut paths);
        let contents = match (table.get("contents"), table.get("absent")) {
            (Some(contents), None) => contents.string().map(|text| Some(Contents::from(text))),
            (None, Some(absent)) => absent.yes().map(|()| None),
            (Some(_), Some(_)) | (None, None) => {
                table.is_understood()?;
                Err(value.error("expected exactly one of `contents` or `absent`"))
            }
        };
        Ok(Stored { path: path?, contents: contents? })
    })
}

/// A path that is none of `paths` yet.
fn stored_at(table: &Table<'_>, paths: &mut Vec<Path>) -> Result<Path> {
    let value = table.need("path", "a path")?;
    let path = value.path()?;
    if paths.contains(&path) {
        return Err(value.error(format!("{} is there twice", value.found())));
    }
    paths.push(path.clone());
    Ok(path)
}

fn verdict(
    table: &Table<'_>,
    faults: Result<&[ScriptedFault]>,
    script: Result<&[Script]>,
) -> Result<Expected> {
    let (kind, value) = table.form(&EXPECT)?;
    match kind {
        Kind::Verdict => value.pick("verdict", [("pass", Expected::Pass)]),
        Kind::Violates => {
            let names = InvariantName::all().map(|name| (name.name(), name));
            value.pick_listed("invariant", "invariants", names).map(Expected::Violates)
        }
        Kind::Blocks => {
            let milestone = value.milestone();
            if !may_block(faults?, script?) {
                return Err(value.error(
                    "nothing blocks for good where every machine restarts: expected a crash with \
                     `restart = \"never\"`, a `wipe` without an `accept_loss`, or two clients that \
                     acquire two locks",
                ));
            }
            milestone.map(Expected::Blocks)
        }
    }
}

fn may_block(faults: &[ScriptedFault], script: &[Script]) -> bool {
    faults.iter().any(stays_down) || is_bereft(faults) || may_deadlock(script)
}

fn stays_down(fault: &ScriptedFault) -> bool {
    matches!(fault.fault, Fault::Crash { restart: Restart::Never, .. })
}

/// Is a disk lost, and the operator never accepts that?
fn is_bereft(faults: &[ScriptedFault]) -> bool {
    let is_wipe = |fault: &ScriptedFault| matches!(fault.fault, Fault::Wipe { .. });
    let accepts =
        |fault: &ScriptedFault| matches!(fault.fault, Fault::Operator(Command::AcceptLoss(_)));
    faults.iter().any(is_wipe) && !faults.iter().any(accepts)
}

/// Can users wait for each other in a circle? It takes two locks and a client that waits for one of
/// them while another client holds it.
fn may_deadlock(script: &[Script]) -> bool {
    let all: Vec<_> = script
        .iter()
        .flat_map(|script| script.steps.iter().map(|step| (script.client, &step.request)))
        .filter_map(|(client, request)| match request {
            Request::Acquire { path, wait: true } => Some((client, path)),
            Request::Acquire { .. } | Request::Release { .. } | Request::Files { .. } => None,
        })
        .collect();
    all.iter().any(|(client, path)| all.iter().any(|(c, p)| c != client && p != path))
}

impl Value<'_> {
    /// A cell of what a run can try.
    fn cell(&self) -> Result<Cell> {
        self.pick_listed("cell", "cells", Cell::names())
    }
}

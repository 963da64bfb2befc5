//! `seeds`, `[phases]` and `[expect]`: how a file is run, and how its runs must end.

pub(in crate::scenario) mod grammar;

use std::cell::LazyCell;
use std::fmt;

use seedbed::machine::Span;

use crate::cell::Cell;
use crate::fault::{Fault, Restart};
use crate::invariant::InvariantName;
use crate::milestone::Milestone;
use crate::quantity::{Ppb, by_a_slow_clock};
use crate::scenario::error::Result;
use crate::scenario::fault::ScriptedFault;
use crate::scenario::reader::Table;
use crate::scenario::script::Script;
use crate::scenario::value::Value;
use crate::text::Thousands;
use crate::under_test::UnderTest;
use grammar::{EXPECT, PHASES, REACHED, SEEDS};

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
pub struct Expect<S: UnderTest> {
    /// How its runs end.
    pub verdict: Expected<S>,
    /// Milestones that some of its runs must reach, or that none may reach too often.
    pub reached: Vec<Reach<S>>,
    /// Milestones that none of its runs may reach.
    pub never: Vec<Milestone<S>>,
    /// What must be so at the end of each run.
    pub at_end: S::AtEnd,
    /// Cells that some of its runs must see.
    pub covered: Vec<Cell<S>>,
    /// Share of users' requests that may be answered unknown, over all seeds.
    pub unknown: Ppb,
}

impl<S: UnderTest> Expect<S> {
    /// The share of unknown that a file may have without saying so. The committed files that say
    /// nothing have 0.6 % at most; a system that cannot answer one request in twenty is of no use.
    pub const UNKNOWN: Ppb = Ppb::new(50_000_000).unwrap();

    /// That a run ends like this, and nothing else.
    pub fn only(verdict: Expected<S>) -> Expect<S> {
        let (reached, never, covered) = (Vec::new(), Vec::new(), Vec::new());
        let (at_end, unknown) = (S::AtEnd::default(), Expect::<S>::UNKNOWN);
        Expect { verdict, reached, never, at_end, covered, unknown }
    }
}

/// How often runs reach a milestone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reach<S: UnderTest> {
    /// Which.
    pub milestone: Milestone<S>,
    /// How often some run must reach it; 0 if none must.
    pub at_least: u64,
    /// How often a run may reach it; `None` is no bound.
    pub at_most: Option<u64>,
}

impl<S: UnderTest> fmt::Display for Reach<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at_least {
            1 => write!(f, "`{}`", self.milestone),
            often => write!(f, "`{}` {} times", self.milestone, Thousands(often)),
        }
    }
}

/// How the runs of a file end.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Expected<S: UnderTest> {
    /// No invariant is violated, and nothing waits for ever.
    Pass,
    /// Some run violates this invariant, and none another.
    Violates(InvariantName<S>),
    /// Some run reaches this milestone, and what follows from it never comes.
    Blocks(Milestone<S>),
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
pub(in crate::scenario) fn phases<S: UnderTest>(
    root: &Table<'_>,
    config: Result<&S::Config>,
) -> (Result<Span>, Result<Phases>) {
    let table = root.section(&PHASES.of::<S>());
    let phase = |key, usual| table.or(key, usual, |value| value.some_span());
    let safety = phase("safety", Span::from_secs(30));
    let liveness = liveness::<S>(&table, config);
    let probes = table.or("probes", true, |value| value.boolean());
    let phases = || Ok(Phases { safety: safety?, liveness: liveness?, probes: probes? });
    (safety, phases())
}

fn liveness<S: UnderTest>(table: &Table<'_>, config: Result<&S::Config>) -> Result<Span> {
    let usual = config.map_or(Span::ZERO, |config| S::request_timeout(config).times(2));
    let usual = Span::from_secs(30).max(usual);
    let liveness = table.or("liveness", usual, |value| value.some_span())?;
    // A request that is asked in the last moment of the safety phase has its whole time after it,
    // by a clock that may be slow.
    let config = config?;
    let length = S::request_timeout(config);
    if liveness < by_a_slow_clock(length, S::drift_max_ppm(config)) {
        let message = format!("{liveness} is too short for requests, which may take {length}");
        return Err(table.error("liveness", message));
    }
    Ok(liveness)
}

pub(in crate::scenario) fn expect<S: UnderTest>(
    root: &Table<'_>,
    faults: Result<&[ScriptedFault<S>]>,
    script: Result<&[Script<S>]>,
) -> Result<Expect<S>> {
    let table = root.section(&EXPECT.of::<S>());
    let told = EXPECT.forms.iter().any(|form| table.get(form.key.name).is_some());
    let verdict = if told { verdict(&table, faults, script) } else { Ok(Expected::Pass) };
    let milestones = |value: Value<'_>| value.distinct(|value| value.milestone());
    let reached = table.or("reached", Vec::new(), reached);
    let never = table.or("never", Vec::new(), milestones);
    let at_end = S::read_at_end(&table);
    // There are many cells: a file that demands some has them spelled once.
    let cells = LazyCell::new(|| Cell::names().collect::<Vec<_>>());
    let covered =
        table.or("covered", Vec::new(), |value| value.distinct(|value| value.cell(&cells)));
    let unknown = table.or("unknown", Expect::<S>::UNKNOWN, |value| value.probability());
    let (reached, never) = (reached?, never?);
    let is_reached = |never: &&Milestone<S>| reached.iter().any(|reach| reach.milestone == **never);
    for both in never.iter().filter(is_reached) {
        table.error("never", format!("`{both}` stands in `reached` as well"));
    }
    let (verdict, at_end, covered, unknown) = (verdict?, at_end?, covered?, unknown?);
    Ok(Expect { verdict, reached, never, at_end, covered, unknown })
}

/// Milestones, each once, by name or with how often a run must reach it.
fn reached<S: UnderTest>(value: Value<'_>) -> Result<Vec<Reach<S>>> {
    let mut all: Vec<Reach<S>> = Vec::new();
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

fn reach<S: UnderTest>(value: &Value<'_>) -> Result<Reach<S>> {
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

fn verdict<S: UnderTest>(
    table: &Table<'_>,
    faults: Result<&[ScriptedFault<S>]>,
    script: Result<&[Script<S>]>,
) -> Result<Expected<S>> {
    let (kind, value) = table.form(&EXPECT.of::<S>())?;
    match kind {
        Kind::Verdict => value.pick("verdict", [("pass", Expected::Pass)]),
        Kind::Violates => {
            let names = InvariantName::all().map(|name| (name.name(), name));
            value.pick_listed("invariant", "invariants", names).map(Expected::Violates)
        }
        Kind::Blocks => {
            let milestone = value.milestone();
            let (faults, script) = (faults?, script?);
            if !faults.iter().any(stays_down) && !S::may_block(faults, script) {
                let other = S::BLOCKS_BESIDE;
                return Err(value.error(format!(
                    "nothing blocks for good where every machine restarts: expected a crash with \
                     `restart = \"never\"`{other}"
                )));
            }
            milestone.map(Expected::Blocks)
        }
    }
}

fn stays_down<S: UnderTest>(fault: &ScriptedFault<S>) -> bool {
    matches!(fault.fault, Fault::Crash { restart: Restart::Never, .. })
}

impl Value<'_> {
    /// A cell of what a run can try.
    fn cell<S: UnderTest>(&self, cells: &[(String, Cell<S>)]) -> Result<Cell<S>> {
        self.pick_listed("cell", "cells", cells.iter().map(|(name, cell)| (name, *cell)))
    }
}

//! Scenario files as tests: the seeds of a file are run, and must end as the file expects.
//!
//! A crate with scenarios of its own has a test target without the usual harness:
//!
//! ```text
//! datatest_stable::harness! {
//!     { test = holds, root = "scenarios", pattern = r"\.toml$" },
//! }
//!
//! fn holds(file: &Path) -> datatest_stable::Result<()> {
//!     Ok(seedbed_sim::scenario_test::holds::<MySystem>(file)?)
//! }
//! ```
//!
//! [`is_explained`] and [`examples_are_read`] make such tests too: of each text that is kept of how
//! a scenario ends, and of what the reference of the system shows.
//!
//! | variable | what it does |
//! |---|---|
//! | `MADSIM_TEST_SEED=N` | only seed N; with `MADSIM_TEST_NUM` that many from N |
//! | `MADSIM_TEST_NUM=N` | so many seeds, from the file's first |
//! | `MADSIM_TEST_JOBS=N` | seeds of one file at a time; 1 where it is not set |
//! | `MADSIM_TEST_CHECK_DETERMINISM` | set to anything: each seed runs twice, and the digests must be equal |
//! | `UPDATE_EXPECT` | set to anything: the texts that are kept are written anew |
//! | `SEEDBED_ARTIFACTS=DIR` | failing runs are kept there, and nowhere if it is empty; without it, in `target/seedbed` |
//!
//! Of each file the first runs that fail are kept as [artifacts](crate::artifact), which the
//! command `replay` of the system runs again.
//!
//! A file that says nothing with its own seeds (a fault never struck, a milestone was never
//! reached) fails. Where the seeds were chosen from outside it does not: they may be too few to
//! show anything.

use std::fmt::{self, Write as _};
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;

use crate::artifact::{self, Failing, Folder, Recorder};
use crate::cell::Cell;
use crate::milestone::Milestone;
use crate::report::{self, History, Layout, Line, Watched, replay_line};
use crate::run;
use crate::scenario::tables::{TableReference, tables};
use crate::scenario::{Expected, Scenario, ScenarioErrors, text_of};
use crate::under_test::UnderTest;
use crate::verdict::{FileReport, FileVerdict, RunReport};

/// Why a test fails. Test harnesses show errors by their debug form, which is the text here.
pub struct Failure(pub String);

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

/// Runs the seeds of `file`.
///
/// # Errors
/// A run does not end as the file expects, or the file is wrong: a text that says which seed, how
/// it ended and how to replay it.
pub fn holds<S: UnderTest>(file: &Path) -> Result<(), Failure> {
    holds_or_is_kept::<S>(file, Folder::of_environment())
}

/// The same, with failing runs kept in `folder`, or nowhere.
///
/// # Errors
/// As for [`holds`].
pub fn holds_or_is_kept<S: UnderTest>(file: &Path, folder: Option<Folder>) -> Result<(), Failure> {
    let (scenario, text) = load::<S>(file)?;
    let wanted = Wanted::from_environment().map_err(Failure)?;
    let report = run_all(&scenario, wanted.seeds(&scenario), &wanted).map_err(Failure)?;
    is_as_declared(&scenario, &report)?;
    match report.verdict(&scenario) {
        FileVerdict::AsExpected => Ok(()),
        FileVerdict::Vacuous { .. } if wanted.are_seeds_chosen() => Ok(()),
        FileVerdict::Vacuous { why, nearest } => {
            let near = nearest.map(|near| format!("; nearest: {near}")).unwrap_or_default();
            Err(Failure(format!("vacuous: {why}{near}")))
        }
        FileVerdict::FallsShort { why, seed } => {
            Err(Failure(format!("{why}, most of all with seed {seed}")))
        }
        FileVerdict::Failed => {
            let all = format!("{} of {} seeds", report.failed, report.runs);
            let failing = Failed { scenario: &scenario, text: &text, folder };
            let first = failing.told(&report.failures[0]);
            let others = failing.others(&report.failures[1..]);
            Err(Failure(format!("{all}, first:\n{first}{others}")))
        }
    }
}

/// The report of one run of `scenario`, as text without the time it took. It is the run of the
/// first seed that ends as the file expects; of the file's first seed if none does, or if the file
/// expects a pass. [`is_explained`] compares it with a text that is kept.
pub fn explained<S: UnderTest>(scenario: &Scenario<S>) -> String {
    let expected = &scenario.expect.verdict;
    let start = scenario.seeds.start;
    let tells = |seed: &u64| run::run(scenario, *seed, &mut ()).is_as_expected(expected);
    let seed = match expected {
        Expected::Pass => start,
        Expected::Violates(_) | Expected::Blocks(_) => {
            (start..start + scenario.seeds.count).find(tells).unwrap_or(start)
        }
    };
    explain(scenario, seed)
}

/// What `run` prints of a scenario is what is kept beside it: `explained` is the path of
/// `name.explained`, beside `name.toml`. With `UPDATE_EXPECT` set to anything, it is written anew.
///
/// # Errors
/// It is not, or the file is wrong: a text that shows what `run` prints.
pub fn is_explained<S: UnderTest>(explained: &Path) -> Result<(), Failure> {
    let printed = self::explained(&load::<S>(&explained.with_extension("toml"))?.0);
    let failed = |error| Failure(format!("{}: {error}", explained.display()));
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(explained, &printed).map_err(failed)?;
    }
    if std::fs::read_to_string(explained).map_err(failed)? == printed {
        return Ok(());
    }
    Err(Failure(format!("with `UPDATE_EXPECT=1` the file would say:\n{printed}")))
}

/// The examples of the reference of `S` are read, each in place of what the scenario in `file` says
/// there. That scenario has the machines which the examples name.
///
/// # Errors
/// The first that is refused, with the reason and its table.
pub fn examples_are_read<S: UnderTest>(file: &Path) -> Result<(), Failure> {
    let failed = |error: &dyn fmt::Display| Failure(format!("{}: {error}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| failed(&error))?;
    let scenario: toml::Table = text.parse().map_err(|error| failed(&error))?;
    tables::<S>().iter().try_for_each(|table| is_read::<S>(table, scenario.clone()))
}

fn is_read<S: UnderTest>(table: &TableReference, mut scenario: toml::Table) -> Result<(), Failure> {
    let failed =
        |error: &dyn fmt::Display| Failure(format!("the example of `{}`: {error}", table.name));
    scenario.remove("expect"); // what it expects of its own faults
    scenario.extend(table.example.parse::<toml::Table>().map_err(|error| failed(&error))?);
    let text = toml::to_string(&scenario).map_err(|error| failed(&error))?;
    Scenario::<S>::parse(table.name, &text).map(|_| ()).map_err(|error| failed(&error))
}

/// Reads a file; gives what it says as well. Tests run in the folder of their package, commands in
/// that of the workspace: a path that leads out of the first is shown as seen from the second.
fn load<S: UnderTest>(file: &Path) -> Result<(Scenario<S>, String), Failure> {
    let failed = |error: ScenarioErrors| Failure(error.to_string());
    let text = text_of(file).map_err(failed)?;
    let name = file.display().to_string();
    let mut scenario = Scenario::parse(&name, &text).map_err(failed)?;
    scenario.file = name.trim_start_matches("../").to_owned();
    Ok((scenario, text))
}

/// What was called impossible was not reached, and nothing was reached before what leads to it.
fn is_as_declared<S: UnderTest>(
    scenario: &Scenario<S>,
    report: &FileReport<S>,
) -> Result<(), Failure> {
    if let Some(milestone) =
        Milestone::all().find(|it| is_reached_all_the_same(*it, scenario, report))
    {
        return Err(Failure(format!("`{milestone}` is called impossible and was reached")));
    }
    let is_seen_all_the_same = |cell: &Cell<S>| {
        report.covered.of(*cell) > 0 && scenario.why_never_covered(*cell).is_some()
    };
    if let Some(cell) = Cell::all().find(is_seen_all_the_same) {
        return Err(Failure(format!("`{cell}` is called impossible and was seen")));
    }
    if let Some(milestone) = out_of_story(scenario, report) {
        let message = format!("`{milestone}` was reached and nothing that comes before it");
        return Err(Failure(message));
    }
    Ok(())
}

/// Was a milestone reached that the reader of files takes for impossible?
fn is_reached_all_the_same<S: UnderTest>(
    milestone: Milestone<S>,
    scenario: &Scenario<S>,
    report: &FileReport<S>,
) -> bool {
    let is_reached = report.counts.get(milestone.index()).is_some_and(|count| *count > 0);
    is_reached && scenario.why_never(milestone).is_some()
}

/// A milestone that was reached, and none of those that come before it in its story, though one
/// could have been.
fn out_of_story<S: UnderTest>(
    scenario: &Scenario<S>,
    report: &FileReport<S>,
) -> Option<Milestone<S>> {
    let count = |it: Milestone<S>| report.counts.get(it.index()).copied().unwrap_or_default();
    let story = |it: Milestone<S>| {
        let before = std::iter::successors(it.follows(), |before| before.follows());
        before.filter(|before| scenario.why_never(*before).is_none()).collect::<Vec<_>>()
    };
    let is_alone = |milestone: &Milestone<S>| {
        let story = story(*milestone);
        !story.is_empty() && story.iter().all(|before| count(*before) == 0)
    };
    Milestone::all().filter(|milestone| count(*milestone) > 0).find(is_alone)
}

/// What the environment asks for.
struct Wanted {
    seed: Option<u64>,
    num: Option<u64>,
    jobs: u64,
    checks_determinism: bool,
}

impl Wanted {
    fn from_environment() -> Result<Wanted, String> {
        Ok(Wanted {
            seed: number("MADSIM_TEST_SEED")?,
            num: some(number("MADSIM_TEST_NUM")?)?,
            jobs: number("MADSIM_TEST_JOBS")?.unwrap_or(1).max(1),
            checks_determinism: std::env::var_os("MADSIM_TEST_CHECK_DETERMINISM").is_some(),
        })
    }

    fn are_seeds_chosen(&self) -> bool {
        self.seed.is_some() || self.num.is_some()
    }

    fn seeds<S: UnderTest>(&self, scenario: &Scenario<S>) -> Range<u64> {
        let first = self.seed.unwrap_or(scenario.seeds.start);
        let count = match (self.num, self.seed) {
            (Some(num), _) => num,
            (None, Some(_)) => 1,
            (None, None) => scenario.seeds.count,
        };
        first..first.saturating_add(count)
    }
}

/// A test of no seed would pass and show nothing.
fn some(num: Option<u64>) -> Result<Option<u64>, String> {
    match num {
        Some(0) => Err("MADSIM_TEST_NUM is 0, expected at least 1".to_owned()),
        num => Ok(num),
    }
}

fn number(name: &str) -> Result<Option<u64>, String> {
    let Some(value) = std::env::var_os(name) else { return Ok(None) };
    let number = value.to_str().and_then(|text| text.parse().ok());
    number.map(Some).ok_or_else(|| format!("{name} is {value:?}, expected a whole number"))
}

/// Runs all seeds and takes their reports in, in the order of seeds whatever the number of jobs.
fn run_all<S: UnderTest>(
    scenario: &Scenario<S>,
    seeds: Range<u64>,
    wanted: &Wanted,
) -> Result<FileReport<S>, String> {
    let next = AtomicU64::new(seeds.start);
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..wanted.jobs {
            let (sender, next, end) = (sender.clone(), &next, seeds.end);
            scope.spawn(move || {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        return;
                    }
                    let run = run_one(scenario, seed, wanted.checks_determinism);
                    sender.send(run).expect("the receiver outlives the threads");
                }
            });
        }
    });
    drop(sender);
    let mut runs = receiver.into_iter().collect::<Result<Vec<RunReport<S>>, String>>()?;
    runs.sort_by_key(|run| run.seed);
    let mut report = FileReport::default();
    runs.into_iter().for_each(|run| report.add(scenario, run));
    Ok(report)
}

fn run_one<S: UnderTest>(
    scenario: &Scenario<S>,
    seed: u64,
    checks_determinism: bool,
) -> Result<RunReport<S>, String> {
    let run = run::run(scenario, seed, &mut ());
    if checks_determinism {
        let again = run::run(scenario, seed, &mut ());
        if run.covered != again.covered {
            return Err(format!("seed {seed} covered other cells again\n{}", again_with(seed)));
        }
        if run.digest != again.digest {
            let digests = format!("{:016x} and {:016x}", run.digest, again.digest);
            return Err(format!("seed {seed} gave two digests, {digests}\n{}", again_with(seed)));
        }
    }
    Ok(run)
}

/// A file of which runs have failed.
struct Failed<'a, S: UnderTest> {
    scenario: &'a Scenario<S>,
    text: &'a str,
    /// Where the runs are kept.
    folder: Option<Folder>,
}

impl<S: UnderTest> Failed<'_, S> {
    /// What is said of a run that contradicts its file: it is run once more, explained and kept.
    fn told(&self, run: &RunReport<S>) -> String {
        let mut watcher = (History::default(), Recorder::default());
        let again = run::run(self.scenario, run.seed, &mut watcher);
        let (history, recorder) = watcher;
        let kept = self.keep(run, &again, &recorder);
        let watched = Watched::new(self.scenario, again, history, None);
        let mut text = lines_of(&report::explain(self.scenario, &watched, Layout::default()));
        let line = replay_line::<S>(&self.scenario.file, run.seed);
        write!(text, "{}\n{line}{kept}", again_with(run.seed)).expect("a string takes everything");
        text
    }

    /// Keeps the other runs that are known to contradict the file.
    fn others(&self, runs: &[RunReport<S>]) -> String {
        if self.folder.is_none() {
            return String::new();
        }
        runs.iter().map(|run| self.other(run)).collect()
    }

    fn other(&self, run: &RunReport<S>) -> String {
        let mut recorder = Recorder::default();
        let again = run::run(self.scenario, run.seed, &mut recorder);
        self.keep(run, &again, &recorder)
    }

    /// Keeps the run that `again` reports, and says how to replay it, or why not.
    fn keep(&self, first: &RunReport<S>, again: &RunReport<S>, recorder: &Recorder<S>) -> String {
        let Some(folder) = &self.folder else { return String::new() };
        let Failed { scenario, text, .. } = *self;
        let failing = Failing { scenario, text, run: again, recorder };
        let not_the_same = failing.not_the_same(first);
        let warning = not_the_same.map_or(String::new(), |why| format!("\nwarning: {why}"));
        let said = match folder.put(&failing.file_name(), &failing.artifact()) {
            Ok(path) => artifact::replay_line::<S>(&path),
            Err(error) => format!("warning: seed {}: no artifact is kept: {error}", first.seed),
        };
        format!("{warning}\n{said}")
    }
}

/// The line that madsim's users know.
fn again_with(seed: u64) -> String {
    format!("note: run with `MADSIM_TEST_SEED={seed}` environment variable to reproduce this error")
}

/// How the run ended, explained: it is run once more, and every step is kept.
fn explain<S: UnderTest>(scenario: &Scenario<S>, seed: u64) -> String {
    lines_of(&report::explain(scenario, &Watched::of(scenario, seed), Layout::default()))
}

fn lines_of(lines: &[Line]) -> String {
    lines.iter().map(|line| format!("{}\n", line.text)).collect()
}

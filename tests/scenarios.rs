//! One test for each file under `scenarios/`: its seeds are run, and what must come of them does.
//!
//! | variable | what it does |
//! |---|---|
//! | `MADSIM_TEST_SEED=N` | only seed N; with `MADSIM_TEST_NUM` that many from N |
//! | `MADSIM_TEST_NUM=N` | so many seeds, from the file's first |
//! | `MADSIM_TEST_JOBS=N` | seeds of one file at a time; 1 where it is not set |
//! | `MADSIM_TEST_CHECK_DETERMINISM` | set to anything: each seed runs twice, and the digests must be equal |
//!
//! A file that says nothing with its own seeds (a fault never struck, a milestone was never
//! reached) fails. Where the seeds were chosen from outside it does not: they may be too few to
//! show anything.

mod failure;

use std::fmt::Write as _;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;

use failure::Failure;
use seedbed_sim::file_service::Cell;
use seedbed_sim::file_service::History;
use seedbed_sim::file_service::Milestone;
use seedbed_sim::file_service::Scenario;
use seedbed_sim::file_service::{FileReport, FileVerdict, RunReport};
use seedbed_sim::report;
use seedbed_sim::run;

datatest_stable::harness! {
    { test = holds, root = "scenarios", pattern = r"\.toml$" },
}

fn holds(file: &Path) -> datatest_stable::Result<()> {
    let scenario = Scenario::load(file).map_err(|error| Failure(error.to_string()))?;
    let wanted = Wanted::from_environment().map_err(Failure)?;
    let report = run_all(&scenario, wanted.seeds(&scenario), &wanted).map_err(Failure)?;
    if let Some(milestone) =
        Milestone::all().find(|it| is_reached_all_the_same(*it, &scenario, &report))
    {
        return Err(Failure(format!("`{milestone}` is called impossible and was reached")).into());
    }
    let is_seen_all_the_same =
        |cell: &Cell| report.covered.of(*cell) > 0 && scenario.why_never_covered(*cell).is_some();
    if let Some(cell) = Cell::all().find(is_seen_all_the_same) {
        return Err(Failure(format!("`{cell}` is called impossible and was seen")).into());
    }
    if let Some(milestone) = out_of_story(&scenario, &report) {
        let message = format!("`{milestone}` was reached and nothing that comes before it");
        return Err(Failure(message).into());
    }
    match report.verdict(&scenario) {
        FileVerdict::AsExpected => Ok(()),
        FileVerdict::Vacuous { .. } if wanted.are_seeds_chosen() => Ok(()),
        FileVerdict::Vacuous { why, nearest } => {
            let near = nearest.map(|near| format!("; nearest: {near}")).unwrap_or_default();
            Err(Failure(format!("vacuous: {why}{near}")).into())
        }
        FileVerdict::FallsShort { why, seed } => {
            Err(Failure(format!("{why}, most of all with seed {seed}")).into())
        }
        FileVerdict::Failed => {
            let all = format!("{} of {} seeds", report.failed, report.runs);
            let first = failed(&scenario, &report.failures[0]);
            Err(Failure(format!("{all}, first:\n{first}")).into())
        }
    }
}

/// Was a milestone reached that the reader of files takes for impossible?
fn is_reached_all_the_same(milestone: Milestone, scenario: &Scenario, report: &FileReport) -> bool {
    let is_reached = report.counts.get(milestone.index()).is_some_and(|count| *count > 0);
    is_reached && scenario.why_never(milestone).is_some()
}

/// A milestone that was reached, and none of those that come before it in its story, though one
/// could have been.
fn out_of_story(scenario: &Scenario, report: &FileReport) -> Option<Milestone> {
    let count = |it: Milestone| report.counts.get(it.index()).copied().unwrap_or_default();
    let story = |it: Milestone| {
        let before = std::iter::successors(it.follows(), |before| before.follows());
        before.filter(|before| scenario.why_never(*before).is_none()).collect::<Vec<_>>()
    };
    let is_alone = |milestone: &Milestone| {
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
            num: number("MADSIM_TEST_NUM")?,
            jobs: number("MADSIM_TEST_JOBS")?.unwrap_or(1).max(1),
            checks_determinism: std::env::var_os("MADSIM_TEST_CHECK_DETERMINISM").is_some(),
        })
    }

    fn are_seeds_chosen(&self) -> bool {
        self.seed.is_some() || self.num.is_some()
    }

    fn seeds(&self, scenario: &Scenario) -> Range<u64> {
        let first = self.seed.unwrap_or(scenario.seeds.start);
        let count = match (self.num, self.seed) {
            (Some(num), _) => num,
            (None, Some(_)) => 1,
            (None, None) => scenario.seeds.count,
        };
        first..first.saturating_add(count)
    }
}

fn number(name: &str) -> Result<Option<u64>, String> {
    let Some(value) = std::env::var_os(name) else { return Ok(None) };
    let number = value.to_str().and_then(|text| text.parse().ok());
    number.map(Some).ok_or_else(|| format!("{name} is {value:?}, expected a whole number"))
}

/// Runs all seeds and takes their reports in, in the order of seeds whatever the number of jobs.
fn run_all(scenario: &Scenario, seeds: Range<u64>, wanted: &Wanted) -> Result<FileReport, String> {
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
    let mut runs = receiver.into_iter().collect::<Result<Vec<RunReport>, String>>()?;
    runs.sort_by_key(|run| run.seed);
    let mut report = FileReport::default();
    runs.into_iter().for_each(|run| report.add(scenario, run));
    Ok(report)
}

fn run_one(scenario: &Scenario, seed: u64, checks_determinism: bool) -> Result<RunReport, String> {
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

/// What is said of a run that contradicts its file.
fn failed(scenario: &Scenario, run: &RunReport) -> String {
    let mut text = explain(scenario, run);
    let line = format!("cargo run --release -- run {} --seed {}", scenario.file, run.seed);
    write!(text, "{}\n{line}", again_with(run.seed)).expect("a string takes everything");
    text
}

/// The line that madsim's users know.
fn again_with(seed: u64) -> String {
    format!("note: run with `MADSIM_TEST_SEED={seed}` environment variable to reproduce this error")
}

/// How the run ended, explained: it is run once more with somebody who remembers.
fn explain(scenario: &Scenario, run: &RunReport) -> String {
    let mut history = History::default();
    let again = run::run(scenario, run.seed, &mut history);
    let lines = report::explain(scenario, &again, &history, None);
    lines.iter().map(|line| format!("{}\n", line.text)).collect()
}

//! Sweeps the general scenarios until a run ends otherwise than with a pass.
//!
//! The seeds come in rounds over all files, so that a mistake that any file shows is found early.
//! What is found does not depend on the number of jobs: it is the first run in this order.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use seedbed_sim::file_service::Scenario;
use seedbed_sim::file_service::Verdict;
use seedbed_sim::run;

use super::Failed;

/// The general scenarios: folders, each with all its files, and files. They say nothing of one
/// situation; everything breaks in them.
const GENERAL: &[&str] = &[
    "scenarios/mixed",
    "scenarios/swarm",
    "scenarios/commit/two_phase_under_chaos.toml",
    "scenarios/lock/counters_with_one_owner.toml",
    "scenarios/membership/a_bank_on_moving_arcs.toml",
    "scenarios/membership/counters_on_moving_arcs.toml",
];

/// Where a round ends; the seeds of one file up to there come before the next file's.
const ROUNDS: &[u64] = &[5, 20, 50, 200, 500, 1_000];

/// How long one run may take. The longest takes a second.
const PATIENCE: Duration = Duration::from_secs(60);

/// The first run that does not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub scenario: String,
    pub seed: u64,
    /// How it ended: the verdict's name, or what happened to the process.
    pub verdict: String,
    /// The invariant or the milestone, or what the verdict says.
    pub what: String,
}

/// Sweeps, prints what it finds, and gives the exit status: 1 if it finds anything. Runs that do
/// not pass as the code is, with the program `healthy`, do not count.
pub fn sweep(seeds: Range<u64>, jobs: usize, healthy: Option<&Path>) -> Result<u8, Failed> {
    let scenarios = general()?;
    let mut runs = in_rounds(scenarios.len(), seeds);
    // A mistake makes many runs panic; the verdict says so.
    std::panic::set_hook(Box::new(|_| {}));
    let found = loop {
        let Some((place, found)) = first_found(&scenarios, &runs, jobs) else { break None };
        match healthy {
            Some(program) if fails(program, &found)? => drop(runs.drain(..=place)),
            Some(_) | None => break Some(found),
        }
    };
    let _ = std::panic::take_hook();
    match found {
        Some(found) => {
            println!("{}", found.line());
            Ok(1)
        }
        None => Ok(0),
    }
}

/// Does this run end otherwise than with a pass with `program` too?
fn fails(program: &Path, found: &Found) -> Result<bool, Failed> {
    let ran = Command::new(program)
        .args(["run", &found.scenario, &found.seed.to_string()])
        .output()
        .map_err(|error| format!("{}: {error}", program.display()))?;
    match ran.status.code() {
        Some(0) => Ok(false),
        Some(1) => Ok(true),
        _ => Err(format!("{}: {}", program.display(), String::from_utf8_lossy(&ran.stderr))),
    }
}

/// Runs one file with one seed; the exit status is 1 if it does not pass.
pub fn run_one(scenario: &str, seed: u64) -> Result<u8, Failed> {
    let scenario = Scenario::load(Path::new(scenario)).map_err(|error| error.to_string())?;
    std::panic::set_hook(Box::new(|_| {}));
    Ok(u8::from(play(&[scenario], (0, seed)).is_some()))
}

fn general() -> Result<Vec<Scenario>, Failed> {
    let mut files = Vec::new();
    for path in GENERAL.iter().map(Path::new) {
        if path.is_dir() {
            let folder = std::fs::read_dir(path).map_err(|e| format!("{}: {e}", path.display()))?;
            let mut here: Vec<_> = folder.filter_map(|entry| Some(entry.ok()?.path())).collect();
            here.retain(|file| file.extension().is_some_and(|end| end == "toml"));
            here.sort();
            files.extend(here);
        } else {
            files.push(path.to_owned());
        }
    }
    files.iter().map(|file| Scenario::load(file).map_err(|error| error.to_string())).collect()
}

/// Each run, as a file's place and a seed, in the order in which they count.
fn in_rounds(files: usize, seeds: Range<u64>) -> Vec<(usize, u64)> {
    let inner = ROUNDS.iter().copied().filter(|end| *end > seeds.start && *end < seeds.end);
    let ends: Vec<u64> = inner.chain([seeds.end]).collect();
    let mut runs = Vec::new();
    let mut start = seeds.start;
    for end in ends {
        runs.extend((0..files).flat_map(|file| (start..end).map(move |seed| (file, seed))));
        start = end;
    }
    runs
}

/// The first of `runs` that does not pass, with its place.
fn first_found(
    scenarios: &[Scenario],
    runs: &[(usize, u64)],
    jobs: usize,
) -> Option<(usize, Found)> {
    let next = AtomicUsize::new(0);
    // The place of the first that was found so far.
    let bound = AtomicUsize::new(runs.len());
    let under_way: Mutex<BTreeMap<usize, Instant>> = Mutex::default();
    let found: Mutex<BTreeMap<usize, Found>> = Mutex::default();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs)
            .map(|_| {
                scope.spawn(|| {
                    loop {
                        let place = next.fetch_add(1, Ordering::SeqCst);
                        if place >= bound.load(Ordering::SeqCst) {
                            return;
                        }
                        under_way.lock().expect("no panic").insert(place, Instant::now());
                        if let Some(this) = play(scenarios, runs[place]) {
                            bound.fetch_min(place, Ordering::SeqCst);
                            found.lock().expect("no panic").insert(place, this);
                        }
                        under_way.lock().expect("no panic").remove(&place);
                    }
                })
            })
            .collect();
        while workers.iter().any(|worker| !worker.is_finished()) {
            std::thread::sleep(Duration::from_millis(20));
            let under_way = under_way.lock().expect("no panic");
            if let Some((place, _)) = under_way.iter().find(|(_, began)| began.elapsed() > PATIENCE)
            {
                let (file, seed) = runs[*place];
                let what = format!("after {} s", PATIENCE.as_secs());
                println!("{}", Found::new(&scenarios[file], seed, "endless", what).line());
                std::process::exit(1); // it cannot be stopped otherwise
            }
        }
    });
    found.into_inner().expect("no panic").into_iter().next()
}

fn play(scenarios: &[Scenario], (file, seed): (usize, u64)) -> Option<Found> {
    let scenario = &scenarios[file];
    let verdict = run::run(scenario, seed, &mut ()).verdict;
    let what = match &verdict {
        Verdict::Pass => return None,
        Verdict::Violation(broken) | Verdict::Starved(broken) => broken.invariant.to_string(),
        Verdict::Panic(text) => text.lines().next().unwrap_or_default().to_owned(),
        Verdict::RuledOut { milestone, .. } => milestone.to_string(),
        Verdict::Unexpected(finding) => finding.to_string(),
        Verdict::Spinning(spinning) => spinning.to_string(),
        Verdict::Blocked(waits) => match waits.first() {
            Some(wait) => format!("{} waits for {}", wait.machine, wait.for_what),
            None => String::new(),
        },
    };
    Some(Found::new(scenario, seed, verdict.name(), what))
}

impl Found {
    fn new(scenario: &Scenario, seed: u64, verdict: &str, what: String) -> Found {
        let what = what.replace(['\t', '\n'], " ").chars().take(200).collect();
        Found { scenario: scenario.file.clone(), seed, verdict: verdict.to_owned(), what }
    }

    /// As it is printed for the process that started this one.
    fn line(&self) -> String {
        let Found { scenario, seed, verdict, what } = self;
        format!("found\t{scenario}\t{seed}\t{verdict}\t{what}")
    }

    /// From what such a process has printed.
    pub fn of(printed: &str) -> Option<Found> {
        let line = printed.lines().find_map(|line| line.strip_prefix("found\t"))?;
        let mut parts = line.splitn(4, '\t').map(str::to_owned);
        let scenario = parts.next()?;
        let seed = parts.next()?.parse().ok()?;
        Some(Found { scenario, seed, verdict: parts.next()?, what: parts.next()? })
    }
}

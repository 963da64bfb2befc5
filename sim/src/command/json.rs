//! What `--json` prints: one object in a line.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde::Serialize;

use super::output::Output;
use super::timed_run::Played;
use crate::draw::swarm;
use crate::figures::Figures;
use crate::invariant::InvariantName;
use crate::milestone::Milestone;
use crate::report::Explained;
use crate::scenario::Scenario;
use crate::under_test::UnderTest;
use crate::verdict::{Nearest, RunReport, Verdict};

/// A run.
#[derive(Debug, Serialize)]
struct Run<'a> {
    scenario: &'a str,
    seed: u64,
    /// What the seed has drawn for a file that has a `[swarm]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    drawn: Option<String>,
    /// `pass`, `violation`, `starved`, `blocked`, `spinning`, `unexpected`, `ruled_out` or
    /// `panic`.
    verdict: &'static str,
    /// The invariant that was broken.
    invariant: Option<&'static str>,
    /// The first bad step.
    step: Option<u64>,
    /// How the run ended, in one line, as a sweep prints it; null on a pass.
    why: Option<String>,
    /// Users' requests, and those of them answered done, refused and unknown.
    asked: u64,
    done: u64,
    refused: u64,
    unknown: u64,
    steps: u64,
    sim_ns: u64,
    wall_ns: u64,
    /// Sixteen hexadecimal digits: not every reader of JSON has 64-bit integers.
    digest: String,
    messages: u64,
    forced_writes: u64,
    /// The file that a sweep has kept of a run that fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact: Option<String>,
    /// Of a violation, or of a run that is blocked: what `run` says without `--json`.
    #[serde(skip_serializing_if = "Option::is_none")]
    explained: Option<Explained>,
}

/// All runs of a file.
#[derive(Debug, Serialize)]
pub(super) struct File<'a> {
    pub scenario: &'a str,
    /// `as_expected`, `failed`, `falls_short`, `vacuous` or `interrupted`.
    pub verdict: &'static str,
    /// Why it is not `as_expected`.
    pub reason: Option<String>,
    /// Of a vacuous file, how near some run came.
    pub nearest: Option<Near>,
    pub runs: u64,
    pub as_expected: u64,
    pub failed: u64,
    /// The first seed that shows what the file, or the sweep, is about.
    pub first_seed: Option<u64>,
    /// The invariant that it breaks.
    pub invariant: Option<&'static str>,
    /// The defect that the sweep has switched on.
    pub defect: Option<&'static str>,
    /// Users' requests of all runs, and those of them answered done, refused and unknown.
    pub asked: u64,
    pub done: u64,
    pub refused: u64,
    pub unknown: u64,
    pub steps: u64,
    pub sim_ns: u64,
    pub wall_ns: u64,
    /// The milestones that a sweep counts, by name.
    pub counts: BTreeMap<String, u64>,
}

/// How near the runs of a file came to what none of them showed.
#[derive(Debug, Serialize)]
pub(super) struct Near {
    /// What came up: what was wanted itself, or the last that comes before it in its story.
    milestone: String,
    /// How often, in the run that had most of it.
    times: u64,
    /// How often it was wanted; null if something else was.
    wanted: Option<u64>,
    seed: u64,
}

impl Near {
    pub(super) fn of<S: UnderTest>(Nearest { milestone, most, wanted }: Nearest<S>) -> Near {
        Near {
            milestone: milestone.name().into_owned(),
            times: most.times,
            wanted,
            seed: most.seed,
        }
    }
}

/// What all runs of a sweep have covered.
#[derive(Debug, Serialize)]
struct Coverage {
    runs: u64,
    /// In how many of them each cell was seen, by its name; null where it cannot be.
    covered: BTreeMap<String, Option<u64>>,
}

/// Prints the object of what a sweep has covered.
pub(super) fn coverage(
    output: &mut Output,
    runs: u64,
    covered: BTreeMap<String, Option<u64>>,
) -> io::Result<()> {
    object(output, &Coverage { runs, covered })
}

/// Prints the object of one run.
pub(super) fn run<S: UnderTest>(
    output: &mut Output,
    scenario: &Scenario<S>,
    played: &Played<S>,
    artifact: Option<&Path>,
    explained: Option<Explained>,
) -> io::Result<()> {
    let RunReport {
        seed, verdict, steps, sim_ns, digest, messages, forced_writes, requests, ..
    } = &played.run;
    let step = verdict.violation().map(|violation| violation.step);
    object(
        output,
        &Run {
            scenario: &scenario.file,
            seed: *seed,
            drawn: swarm::drawn(scenario, *seed),
            verdict: verdict.name(),
            invariant: verdict.invariant().map(InvariantName::name),
            step,
            why: (*verdict != Verdict::Pass).then(|| verdict.to_string()),
            asked: requests.asked,
            done: requests.done,
            refused: requests.refused,
            unknown: requests.unknown,
            steps: *steps,
            sim_ns: *sim_ns,
            wall_ns: u64::try_from(played.took.as_nanos()).unwrap_or(u64::MAX),
            digest: format!("{digest:016x}"),
            messages: *messages,
            forced_writes: *forced_writes,
            artifact: artifact.map(|path| path.display().to_string()),
            explained,
        },
    )
}

/// Prints one object.
pub(super) fn object(output: &mut Output, object: &impl Serialize) -> io::Result<()> {
    output.line(&serde_json::to_string(object)?)
}

/// The figures of a sweep, by the names of their milestones.
pub(super) fn counts<S: UnderTest>(
    figures: &[Figures<S>],
    of: impl Fn(Milestone<S>) -> u64,
) -> BTreeMap<String, u64> {
    let counted = figures.iter().flat_map(|figures| &figures.counted);
    counted.map(|(_, milestone)| (milestone.to_string(), of(*milestone))).collect()
}

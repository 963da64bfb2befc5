//! `sweep`: many seeds of many files.

mod tally;

use std::io::{self, IsTerminal};
use std::ops::{ControlFlow, Range};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::arguments::SweepArguments;
use super::files::load_all;
use super::jobs::{cores, in_order};
use super::output::Output;
use super::timed_run::{Played, play, play_covered};
use super::{Done, Status, json};
use crate::cell::Seeds;
use crate::coverage::table::Covered;
use crate::report::{Line, Tone, replay_line};
use crate::scenario::Scenario;
use crate::under_test::UnderTest;
use crate::verdict::FileReport;
use tally::Tally;

pub(super) fn sweep<S: UnderTest>(arguments: &SweepArguments<S>, output: &mut Output) -> Done {
    let Some(mut scenarios) = load_all::<S>(&arguments.files) else {
        return Ok(Status::WrongInput);
    };
    if let Some(defect) = arguments.defect {
        for scenario in &mut scenarios {
            *scenario = scenario.with_defect(defect);
        }
    }
    let mut tallies = Vec::new();
    for scenario in &scenarios {
        let tally = sweep_file(arguments, scenario, output)?;
        if !arguments.json {
            tally.lines(scenario).iter().try_for_each(|line| output.toned(line))?;
            output.flush()?;
        }
        let is_over = tally.caught.is_some() || output.is_broken();
        tallies.push(tally);
        if is_over {
            break;
        }
    }
    if arguments.json {
        for (scenario, tally) in scenarios.iter().zip(&tallies) {
            json::object(output, &tally.object(scenario))?;
        }
    }
    if arguments.coverage {
        tell_coverage(arguments, &scenarios, &tallies, output)?;
    }
    // A sweep whose reader has gone ends early and has shown nothing.
    let all_done = tallies.len() == scenarios.len() && !output.is_broken();
    Ok(match arguments.defect {
        Some(_) if tallies.iter().any(|tally| tally.caught.is_some()) => Status::AsExpected,
        None if all_done && scenarios.iter().zip(&tallies).all(|(s, t)| t.is_as_expected(s)) => {
            Status::AsExpected
        }
        Some(_) | None => Status::NotAsExpected,
    })
}

/// What the seeds of all files have covered.
fn tell_coverage<S: UnderTest>(
    arguments: &SweepArguments<S>,
    scenarios: &[Scenario<S>],
    tallies: &[Tally<S>],
    output: &mut Output,
) -> io::Result<()> {
    let mut seeds = Seeds::default();
    tallies.iter().for_each(|tally| seeds.merge(&tally.file.covered));
    let covered = Covered::of(&seeds, scenarios);
    if arguments.json {
        return json::coverage(output, seeds.runs(), covered.counts());
    }
    covered.lines().iter().try_for_each(|line| output.line(line))
}

fn sweep_file<S: UnderTest>(
    arguments: &SweepArguments<S>,
    scenario: &Scenario<S>,
    output: &mut Output,
) -> io::Result<Tally<S>> {
    let own = scenario.seeds.start..scenario.seeds.start + scenario.seeds.count;
    let seeds = arguments.seeds.clone().unwrap_or(own);
    let jobs = arguments.jobs.unwrap_or_else(cores);
    let mut tally = Tally::new(arguments.defect, seeds.clone(), jobs);
    let bar = progress_bar(scenario, &seeds);
    let began = Instant::now();
    let mut written = Ok(());
    in_order(
        seeds,
        jobs,
        |seed| match arguments.coverage {
            true => play_covered(scenario, seed),
            false => play(scenario, seed, &mut ()),
        },
        |played| {
            bar.inc(1);
            if is_told(arguments, scenario, &played, &tally.file) {
                written = bar.suspend(|| tell(arguments, scenario, &played, output));
            }
            let is_over = tally.add(scenario, played) || written.is_err() || output.is_broken();
            if is_over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        },
    );
    bar.finish_and_clear();
    tally.took = began.elapsed();
    written.map(|()| tally)
}

/// Is something to be said of one run at once? With `--json` always, else of the first that fail.
fn is_told<S: UnderTest>(
    arguments: &SweepArguments<S>,
    scenario: &Scenario<S>,
    played: &Played<S>,
    before: &FileReport<S>,
) -> bool {
    let fails = arguments.defect.is_none() && played.run.contradicts(&scenario.expect.verdict);
    arguments.json || (fails && before.failed < FileReport::<S>::KEPT as u64)
}

fn tell<S: UnderTest>(
    arguments: &SweepArguments<S>,
    scenario: &Scenario<S>,
    played: &Played<S>,
    output: &mut Output,
) -> io::Result<()> {
    if arguments.json {
        return json::run(output, scenario, played);
    }
    let run = &played.run;
    let text = format!("seed {}: {}", run.seed, run.verdict);
    output.toned(&Line { tone: Tone::Bad, text })?;
    output.line(&format!("  {}", replay_line::<S>(&scenario.file, run.seed)))?;
    output.flush()
}

/// A bar on standard error, if that is a terminal.
fn progress_bar<S: UnderTest>(scenario: &Scenario<S>, seeds: &Range<u64>) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(seeds.end - seeds.start);
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {per_sec} {eta}");
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar.set_message(scenario.file.clone());
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

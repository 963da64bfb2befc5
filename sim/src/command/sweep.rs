//! `sweep`: many seeds of many files.

mod tally;

use std::io::{self, IsTerminal};
use std::ops::{ControlFlow, Range};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::arguments::SweepArguments;
use super::artifacts;
use super::files::{Loaded, load_all};
use super::jobs::{cores, in_order};
use super::output::{Output, complain};
use super::timed_run::{Played, play, play_covered};
use super::{Done, Status, interrupt, json};
use crate::artifact::{self, Folder};
use crate::cell::Seeds;
use crate::coverage::table::Covered;
use crate::report::{Line, Tone, run_line};
use crate::scenario::Scenario;
use crate::text::Thousands;
use crate::under_test::UnderTest;
use crate::verdict::FileReport;
use tally::Tally;

pub(super) fn sweep<S: UnderTest>(arguments: &SweepArguments<S>, output: &mut Output) -> Done {
    let Some(mut files) = load_all::<S>(&arguments.files) else {
        return Ok(Status::WrongInput);
    };
    if let Some(defect) = arguments.defect {
        for Loaded { scenario, .. } in &mut files {
            *scenario = scenario.with_defect(defect);
        }
    }
    interrupt::listen();
    let folder = artifacts::folder(arguments);
    let mut tallies = Vec::new();
    for file in &files {
        let tally = sweep_file(&Sweep { arguments, file, folder: folder.as_ref() }, output)?;
        let scenario = &file.scenario;
        if !arguments.json {
            tally.lines(scenario).iter().try_for_each(|line| output.toned(line))?;
            output.flush()?;
        }
        let is_over = tally.caught.is_some() || output.is_broken() || interrupt::has_come();
        tallies.push(tally);
        if is_over {
            break;
        }
    }
    let scenarios: Vec<Scenario<S>> = files.into_iter().map(|file| file.scenario).collect();
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
    if interrupt::has_come() && is_cut_short(arguments, &scenarios, &tallies) {
        return Ok(Status::Interrupted);
    }
    Ok(match arguments.defect {
        Some(_) if tallies.iter().any(|tally| tally.caught.is_some()) => Status::AsExpected,
        None if all_done && scenarios.iter().zip(&tallies).all(|(s, t)| t.is_as_expected(s)) => {
            Status::AsExpected
        }
        Some(_) | None => Status::NotAsExpected,
    })
}

/// Has Ctrl-C come before all was done? Then it is said how much was.
fn is_cut_short<S: UnderTest>(
    arguments: &SweepArguments<S>,
    scenarios: &[Scenario<S>],
    tallies: &[Tally<S>],
) -> bool {
    let seeds = scenarios.iter().map(|scenario| seeds_of(arguments, scenario));
    let wanted = seeds.fold(0_u64, |sum, seeds| sum.saturating_add(seeds.end - seeds.start));
    let done: u64 = tallies.iter().map(|tally| tally.file.runs).sum();
    let is_cut_short = done < wanted && tallies.iter().all(|tally| tally.caught.is_none());
    if is_cut_short {
        let (done, wanted) = (Thousands(done), Thousands(wanted));
        complain(&format!("interrupted: after {done} of {wanted} runs"));
    }
    is_cut_short
}

fn seeds_of<S: UnderTest>(arguments: &SweepArguments<S>, scenario: &Scenario<S>) -> Range<u64> {
    let own = scenario.seeds.start..scenario.seeds.start + scenario.seeds.count;
    arguments.seeds.clone().unwrap_or(own)
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

/// One file of a sweep.
struct Sweep<'a, S: UnderTest> {
    arguments: &'a SweepArguments<S>,
    file: &'a Loaded<S>,
    /// Where failing runs are kept.
    folder: Option<&'a Folder>,
}

fn sweep_file<S: UnderTest>(sweep: &Sweep<'_, S>, output: &mut Output) -> io::Result<Tally<S>> {
    let Sweep { arguments, file: Loaded { scenario, .. }, .. } = sweep;
    let seeds = seeds_of(arguments, scenario);
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
            let fails = sweep.is_one_of_the_first_that_fail(&played, &tally.file);
            if fails || arguments.json {
                written = bar.suspend(|| sweep.tell(&played, fails, output));
            }
            let is_over = tally.add(scenario, played) || written.is_err() || output.is_broken();
            if is_over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        },
    );
    bar.finish_and_clear();
    tally.took = began.elapsed();
    tally.is_interrupted = interrupt::has_come();
    written.map(|()| tally)
}

impl<S: UnderTest> Sweep<'_, S> {
    /// Of these something is said at once, and they are kept. With `--defect` runs are meant to
    /// fail.
    fn is_one_of_the_first_that_fail(&self, played: &Played<S>, before: &FileReport<S>) -> bool {
        let expected = &self.file.scenario.expect.verdict;
        let fails = self.arguments.defect.is_none() && played.run.contradicts(expected);
        fails && before.failed < FileReport::<S>::KEPT as u64
    }

    /// Says how one run has ended, and keeps it if it `fails`.
    fn tell(&self, played: &Played<S>, fails: bool, output: &mut Output) -> io::Result<()> {
        let Sweep { arguments, file, folder } = *self;
        let folder = folder.filter(|_| fails);
        let artifact = folder.and_then(|folder| artifacts::keep(folder, file, &played.run));
        if arguments.json {
            return json::run(output, &file.scenario, played, artifact.as_deref(), None);
        }
        let run = &played.run;
        let text = format!("seed {}: {}", run.seed, run.verdict);
        output.toned(&Line { tone: Tone::Bad, text })?;
        output.line(&format!("  {}", run_line(&file.scenario, run.seed)))?;
        if let Some(path) = artifact {
            output.line(&format!("  {}", artifact::replay_line::<S>(&path)))?;
        }
        output.flush()
    }
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

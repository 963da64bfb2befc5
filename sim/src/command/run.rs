//! `run`: one run, explained.

use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use seedbed::machine::{NodeId, Time};

use super::arguments::RunArguments;
use super::files::load_one;
use super::history_file::HistoryFile;
use super::jobs::{cores, in_order};
use super::output::{Output, complain};
use super::timed_run::{Played, play};
use super::{Done, Status, json};
use crate::quiet_panics::quietly;
use crate::report::{History, Layout, Watched, compare, explain, explained, snapshot};
use crate::run;
use crate::scenario::{Expected, Scenario};
use crate::text::Thousands;
use crate::trace;
use crate::under_test::{UnderTest, WrittenHistory};
use crate::world::{Event, Step, Watcher, World};

pub(super) fn run<S: UnderTest>(arguments: &RunArguments<S>, output: &mut Output) -> Done {
    let Some(mut scenario) = load_one::<S>(&arguments.file) else { return Ok(Status::WrongInput) };
    if let Some(defect) = arguments.defect {
        scenario = scenario.with_defect(defect);
    }
    if arguments.history.is_some() && S::HISTORY.is_none() {
        complain("error: --history: nothing writes down a history of this system");
        return Ok(Status::WrongInput);
    }
    let file = match &arguments.history {
        None => None,
        Some(path) => match history_file(arguments, path) {
            Some(file) => Some(file),
            None => return Ok(Status::WrongInput),
        },
    };
    let is_stdout = file.as_ref().is_some_and(HistoryFile::is_stdout);
    let seed = arguments.seed.unwrap_or_else(|| telling_seed(&scenario));
    if let Some(step) = arguments.at {
        return show(&scenario, seed, step, &arguments.show, output);
    }
    let mut asked = S::HISTORY.filter(|_| file.is_some()).map(|option| (option.empty)());
    let mut as_data = None;
    let played = match () {
        () if arguments.json => {
            let mut watcher = (History::default(), asked);
            let played = play(&scenario, seed, &mut watcher);
            let watched = watched(&scenario, &played, watcher.0);
            (asked, as_data) = (watcher.1, explained(&scenario, &watched));
            played
        }
        () if is_stdout => play(&scenario, seed, &mut asked),
        () => match in_words(&scenario, seed, arguments, &mut asked, output)? {
            Some(played) => played,
            None => return Ok(Status::WrongInput),
        },
    };
    let is_written = match file.zip(asked.as_mut()) {
        Some((file, asked)) => file.write(&mut **asked, output)?,
        None => true,
    };
    if arguments.json {
        json::run(output, &scenario, &played, None, as_data)?;
    }
    Ok(match played.run.is_as_expected(&scenario.expect.verdict) {
        _ if !is_written => Status::WrongInput,
        true => Status::AsExpected,
        false => Status::NotAsExpected,
    })
}

/// Where the history goes; none if it would take the place of something else, which is said.
fn history_file<S: UnderTest>(arguments: &RunArguments<S>, path: &Path) -> Option<HistoryFile> {
    if path == Path::new("-") {
        for (is_asked, option) in [(arguments.trace, "--trace"), (arguments.json, "--json")] {
            if is_asked {
                complain(&format!("error: {option} and --history -: both are for standard output"));
                return None;
            }
        }
    } else if is_same_file(path, &arguments.file) {
        complain(&format!("error: --history {0}: {0} is the scenario file", path.display()));
        return None;
    }
    HistoryFile::open(path)
}

/// Do both paths lead to one file that exists?
fn is_same_file(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        (Err(_), _) | (_, Err(_)) => false,
    }
}

/// Shows the world after one step.
fn show<S: UnderTest>(
    scenario: &Scenario<S>,
    seed: u64,
    step: u64,
    machines: &[NodeId],
    output: &mut Output,
) -> Done {
    if let Some(unknown) = machines.iter().find(|machine| !scenario.cast.has(**machine)) {
        complain(&format!("error: --show {unknown}: the scenario has no such machine"));
        return Ok(Status::WrongInput);
    }
    let layout = layout();
    match run::up_to(scenario, seed, step, |world| snapshot(world, machines, layout)) {
        Ok(lines) => {
            lines.iter().try_for_each(|line| output.toned(line))?;
            Ok(Status::AsExpected)
        }
        Err(steps) => {
            let steps = Thousands(steps);
            complain(&format!("error: --at {step}: the run has {steps} steps, counted from 1"));
            Ok(Status::WrongInput)
        }
    }
}

/// What explains a run that is over.
pub(super) fn watched<S: UnderTest>(
    scenario: &Scenario<S>,
    played: &Played<S>,
    history: History<S>,
) -> Watched<S> {
    let Played { run, took } = played.clone();
    Watched::new(scenario, run, history, Some(took))
}

/// As wide as the terminal, if the report goes to one.
pub(super) fn layout() -> Layout {
    let terminal = terminal_size::terminal_size_of(io::stdout());
    terminal.map_or_else(Layout::default, |(width, _)| Layout::of_terminal(width.0.into()))
}

/// Explains one run, or shows how it parts from the run without the defects; nothing, which is
/// said, if it cannot be compared.
fn in_words<S: UnderTest>(
    scenario: &Scenario<S>,
    seed: u64,
    arguments: &RunArguments<S>,
    asked: &mut Option<Box<dyn WrittenHistory<S>>>,
    output: &mut Output,
) -> io::Result<Option<Played<S>>> {
    let is_traced = arguments.trace;
    let history = History::default();
    let mut recorder = Recorder { history, asked, output, is_traced, written: Ok(()) };
    let played = play(scenario, seed, &mut recorder);
    let Recorder { history, output, written, .. } = recorder;
    written?;
    if is_traced {
        output.line("")?;
    }
    let watched = watched(scenario, &played, history);
    let layout = Layout { is_full: arguments.full, is_charted: arguments.chart, ..layout() };
    let lines = match arguments.compare {
        false => explain(scenario, &watched, layout),
        true => match quietly(|| compare(scenario, &watched, layout)).0 {
            Ok(lines) => lines,
            Err(why) => {
                complain(&format!("error: --compare: {why}"));
                return Ok(None);
            }
        },
    };
    lines.iter().try_for_each(|line| output.toned(line))?;
    Ok(Some(played))
}

/// Keeps every step, and prints it if it is asked to.
struct Recorder<'a, S: UnderTest> {
    history: History<S>,
    asked: &'a mut Option<Box<dyn WrittenHistory<S>>>,
    output: &'a mut Output,
    is_traced: bool,
    written: io::Result<()>,
}

impl<S: UnderTest> Watcher<S> for Recorder<'_, S> {
    fn begins(&mut self, world: &World<S>, at: Time, event: &Event<S>) {
        self.history.begins(world, at, event);
    }

    fn watch(&mut self, world: &World<S>, step: &Step<S>) {
        self.history.watch(world, step);
        self.asked.watch(world, step);
        if !self.is_traced || self.output.is_broken() || self.written.is_err() {
            return;
        }
        self.written = trace::lines(step).iter().try_for_each(|line| self.output.line(line));
    }
}

/// The first seed that shows what the file expects, where that is not just to pass; else its first.
fn telling_seed<S: UnderTest>(scenario: &Scenario<S>) -> u64 {
    let expected = &scenario.expect.verdict;
    let seeds = scenario.seeds;
    let mut telling = None;
    if *expected != Expected::Pass {
        let all = seeds.start..seeds.start + seeds.count;
        in_order(
            all,
            cores(),
            |seed| play(scenario, seed, &mut ()).run,
            |run| {
                if run.is_as_expected(expected) {
                    telling = Some(run.seed);
                    return ControlFlow::Break(());
                }
                ControlFlow::Continue(())
            },
        );
    }
    telling.unwrap_or(seeds.start)
}

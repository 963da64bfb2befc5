//! `run`: one run, explained.

use std::io;
use std::ops::ControlFlow;

use super::arguments::RunArguments;
use super::jobs::{cores, in_order};
use super::output::Output;
use super::timed_run::{Played, play};
use super::{Done, Status, json, load};
use crate::report::{History, explain};
use crate::scenario::{Expected, Scenario};
use crate::trace;
use crate::world::Watcher;
use crate::world::{Step, World};

pub(super) fn run(arguments: &RunArguments, output: &mut Output) -> Done {
    let Some(scenario) = load(&arguments.file) else { return Ok(Status::WrongInput) };
    let seed = arguments.seed.unwrap_or_else(|| telling_seed(&scenario));
    let played = if arguments.json {
        let played = play(&scenario, seed, &mut ());
        json::run(output, &scenario, &played)?;
        played
    } else {
        explained(&scenario, seed, arguments.trace, output)?
    };
    Ok(match played.run.is_as_expected(&scenario.expect.verdict) {
        true => Status::AsExpected,
        false => Status::NotAsExpected,
    })
}

fn explained(
    scenario: &Scenario,
    seed: u64,
    is_traced: bool,
    output: &mut Output,
) -> io::Result<Played> {
    let mut recorder = Recorder { history: History::default(), output, is_traced, written: Ok(()) };
    let played = play(scenario, seed, &mut recorder);
    let Recorder { history, output, written, .. } = recorder;
    written?;
    if is_traced {
        output.line("")?;
    }
    for line in explain(scenario, &played.run, &history, Some(played.took)) {
        output.toned(&line)?;
    }
    Ok(played)
}

/// Keeps every step, and prints it if it is asked to.
struct Recorder<'a> {
    history: History,
    output: &'a mut Output,
    is_traced: bool,
    written: io::Result<()>,
}

impl Watcher for Recorder<'_> {
    fn watch(&mut self, world: &World, step: &Step) {
        self.history.watch(world, step);
        if !self.is_traced || self.output.is_broken() || self.written.is_err() {
            return;
        }
        self.written = trace::lines(step).iter().try_for_each(|line| self.output.line(line));
    }
}

/// The first seed that shows what the file expects, where that is not just to pass; else its first.
fn telling_seed(scenario: &Scenario) -> u64 {
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

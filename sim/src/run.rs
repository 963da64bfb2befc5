//! A run inside madsim's runtime: the only module that names madsim.
//!
//! The runtime virtualizes what code under test could reach behind our back: clocks and every
//! source of entropy. Its clock is moved forward to each event, so code that asks it for the time
//! is told the simulated one.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use seedbed::machine::Time;

use crate::draw::swarm;
use crate::invariant::InvariantName;
use crate::scenario::Scenario;
use crate::simulation::{Recording, Simulation};
use crate::under_test::UnderTest;
use crate::verdict::{RunReport, Verdict};
use crate::world::{Watcher, World};

#[cfg(not(madsim))]
compile_error!(
    "feature `madsim` needs `--cfg madsim`: it stands in .cargo/config.toml, but a RUSTFLAGS in the \
     environment replaces it; unset RUSTFLAGS, or add `--cfg madsim` to it"
);

/// Runs what `scenario` is under `seed` and lets `watcher` see every step. A panic of the code
/// under test is a verdict. What the run tries is watched if the file demands anything of it.
pub fn run<S: UnderTest>(
    scenario: &Scenario<S>,
    seed: u64,
    watcher: &mut (impl Watcher<S> + Send),
) -> RunReport<S> {
    let is_covered = !scenario.expect.covered.is_empty();
    caught(seed, |progress| run_inside(scenario, seed, is_covered, watcher, progress))
}

/// The same run, of which is watched what it tries, whatever the file says.
pub fn covered<S: UnderTest>(
    scenario: &Scenario<S>,
    seed: u64,
    watcher: &mut (impl Watcher<S> + Send),
) -> RunReport<S> {
    caught(seed, |progress| run_inside(scenario, seed, true, watcher, progress))
}

/// The same run, in which some invariants may be broken.
pub fn forgiving<S: UnderTest>(
    scenario: &Scenario<S>,
    seed: u64,
    forgiven: &[InvariantName<S>],
    watcher: &mut (impl Watcher<S> + Send),
) -> RunReport<S> {
    caught(seed, |progress| {
        with_runtime(seed, || {
            let scenario = swarm::for_seed(scenario, seed);
            let simulation = Simulation::new(&scenario, seed).forgiving(forgiven);
            to_the_end(simulation, watcher, progress)
        })
    })
}

/// Runs `scenario` under `seed` up to its step number `step`, and lets `look` see the world after
/// that.
///
/// # Errors
/// The run is over before that step, or panics: how many steps it has.
pub fn up_to<S: UnderTest, T>(
    scenario: &Scenario<S>,
    seed: u64,
    step: u64,
    look: impl FnOnce(&World<S>) -> T,
) -> Result<T, u64> {
    let progress = Progress::default();
    let seen = catch_unwind(AssertUnwindSafe(|| {
        with_runtime(seed, || {
            let scenario = swarm::for_seed(scenario, seed);
            let mut simulation = Simulation::new(&scenario, seed);
            let is_before = |simulation: &Simulation<'_, S>| simulation.world().steps() < step;
            go_on_while(is_before, &mut simulation, &mut (), &progress);
            match simulation.world().steps() {
                steps if steps == step => Ok(look(simulation.world())),
                steps => Err(steps),
            }
        })
    }));
    seen.unwrap_or_else(|_| Err(progress.get().0))
}

/// The same run, of which is recorded what it draws.
pub fn recorded<S: UnderTest>(scenario: &Scenario<S>, seed: u64) -> (RunReport<S>, Recording<S>) {
    let mut recording = Recording::default();
    let report = caught(seed, |progress| {
        with_runtime(seed, || {
            let scenario = swarm::for_seed(scenario, seed);
            let simulation = Simulation::new(&scenario, seed).recorded(&mut recording);
            to_the_end(simulation, &mut (), progress)
        })
    });
    (report, recording)
}

/// How far a run has come: steps that are over, and true time. It outlives a panic.
type Progress = Cell<(u64, Time)>;

fn caught<S: UnderTest>(seed: u64, run: impl FnOnce(&Progress) -> RunReport<S>) -> RunReport<S> {
    let progress = Cell::new((0, Time::ZERO));
    catch_unwind(AssertUnwindSafe(|| run(&progress))).unwrap_or_else(|panic| {
        let (steps, now) = progress.get();
        RunReport { steps, sim_ns: now.as_nanos(), ..panicked(seed, &*panic) }
    })
}

fn run_inside<S: UnderTest>(
    scenario: &Scenario<S>,
    seed: u64,
    is_covered: bool,
    watcher: &mut impl Watcher<S>,
    progress: &Progress,
) -> RunReport<S> {
    with_runtime(seed, || {
        let scenario = swarm::for_seed(scenario, seed);
        let mut simulation = Simulation::new(&scenario, seed);
        if is_covered {
            simulation = simulation.covered();
        }
        to_the_end(simulation, watcher, progress)
    })
}

fn with_runtime<T>(seed: u64, run: impl FnOnce() -> T) -> T {
    let runtime = madsim::runtime::Runtime::with_seed_and_config(seed, madsim::Config::default());
    runtime.block_on(async { run() })
}

fn to_the_end<S: UnderTest>(
    mut simulation: Simulation<'_, S>,
    watcher: &mut impl Watcher<S>,
    progress: &Progress,
) -> RunReport<S> {
    go_on_while(|_| true, &mut simulation, watcher, progress);
    simulation.finish()
}

fn go_on_while<S: UnderTest>(
    may_go_on: impl Fn(&Simulation<'_, S>) -> bool,
    simulation: &mut Simulation<'_, S>,
    watcher: &mut impl Watcher<S>,
    progress: &Progress,
) {
    let clock = madsim::time::TimeHandle::current();
    let mut now = Time::ZERO;
    while let Some(at) = simulation.next_at().filter(|_| may_go_on(simulation)) {
        if at > now {
            clock.advance(Duration::from_nanos(at.since(now).as_nanos()));
            now = at;
        }
        progress.set((simulation.world().steps(), at));
        simulation.advance(watcher);
    }
}

fn panicked<S: UnderTest>(seed: u64, panic: &(dyn std::any::Any + Send)) -> RunReport<S> {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    let text = text.unwrap_or_else(|| "no message".to_owned());
    RunReport::without_figures(seed, Verdict::Panic(text))
}

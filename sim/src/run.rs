//! A run inside madsim's runtime: the only module that names madsim.
//!
//! The runtime virtualizes what code under test could reach behind our back: clocks and every
//! source of entropy. Its clock is moved forward to each event, so whoever asks it the time is told
//! the simulated one.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use seedbed::machine::Time;

use crate::draw::swarm;
use crate::scenario::Scenario;
use crate::simulation::Simulation;
use crate::under_test::UnderTest;
use crate::verdict::{RunReport, Verdict};
use crate::world::Watcher;

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
    caught(seed, || run_inside(scenario, seed, !scenario.expect.covered.is_empty(), watcher))
}

/// The same run, of which is watched what it tries, whatever the file says.
pub fn covered<S: UnderTest>(
    scenario: &Scenario<S>,
    seed: u64,
    watcher: &mut (impl Watcher<S> + Send),
) -> RunReport<S> {
    caught(seed, || run_inside(scenario, seed, true, watcher))
}

fn caught<S: UnderTest>(seed: u64, run: impl FnOnce() -> RunReport<S>) -> RunReport<S> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| panicked(seed, &*panic))
}

fn run_inside<S: UnderTest>(
    scenario: &Scenario<S>,
    seed: u64,
    is_covered: bool,
    watcher: &mut impl Watcher<S>,
) -> RunReport<S> {
    let runtime = madsim::runtime::Runtime::with_seed_and_config(seed, madsim::Config::default());
    runtime.block_on(async {
        let clock = madsim::time::TimeHandle::current();
        let mut now = Time::ZERO;
        let scenario = swarm::for_seed(scenario, seed);
        let mut simulation = Simulation::new(&scenario, seed);
        if is_covered {
            simulation = simulation.covered();
        }
        while let Some(at) = simulation.next_at() {
            if at > now {
                clock.advance(Duration::from_nanos(at.since(now).as_nanos()));
                now = at;
            }
            simulation.advance(watcher);
        }
        simulation.finish()
    })
}

fn panicked<S: UnderTest>(seed: u64, panic: &(dyn std::any::Any + Send)) -> RunReport<S> {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    let text = text.unwrap_or_else(|| "no message".to_owned());
    RunReport::without_figures(seed, Verdict::Panic(text))
}

//! One run, with the time that it really took.

use std::time::{Duration, Instant};

use crate::quiet_panics::quietly;
use crate::run;
use crate::scenario::Scenario;
use crate::under_test::UnderTest;
use crate::verdict::{RunReport, Verdict};
use crate::world::Watcher;

/// A run that is over.
#[derive(Clone, Debug)]
pub(super) struct Played<S: UnderTest> {
    pub run: RunReport<S>,
    /// How long it really took, measured outside the runtime, in which no time passes for real.
    pub took: Duration,
}

/// Runs `scenario` under `seed`. A panic is a verdict that says where it struck.
pub(super) fn play<S: UnderTest>(
    scenario: &Scenario<S>,
    seed: u64,
    watcher: &mut (impl Watcher<S> + Send),
) -> Played<S> {
    timed(|| run::run(scenario, seed, watcher))
}

/// The same, and what the run tries is watched.
pub(super) fn play_covered<S: UnderTest>(scenario: &Scenario<S>, seed: u64) -> Played<S> {
    timed(|| run::covered(scenario, seed, &mut ()))
}

fn timed<S: UnderTest>(run: impl FnOnce() -> RunReport<S>) -> Played<S> {
    let began = Instant::now();
    let (mut run, place) = quietly(run);
    let took = began.elapsed();
    if let (Verdict::Panic(text), Some(place)) = (&mut run.verdict, place) {
        *text = format!("{text}, at {place}");
    }
    Played { run, took }
}

#[cfg(all(test, feature = "file-service"))]
mod tests {
    use super::*;
    use crate::file_service::{Scenario, Step, World};

    #[test]
    fn a_panic_is_a_verdict_that_says_where_it_struck() {
        let text = "title = 'x'\n[workload]\nkind = 'files'";
        let scenario = Scenario::parse("x.toml", text).unwrap();
        let mut watcher = |_: &World, step: &Step| assert!(step.index < 5, "step five");
        let played = play(&scenario, 7, &mut watcher);
        let Verdict::Panic(text) = &played.run.verdict else { panic!("{:?}", played.run.verdict) };
        assert!(text.starts_with("step five, at ") && text.contains("timed_run.rs:"), "{text}");
        assert_eq!(played.run.seed, 7);
        assert_eq!(play(&scenario, 7, &mut ()).run.verdict, Verdict::Pass);
    }
}

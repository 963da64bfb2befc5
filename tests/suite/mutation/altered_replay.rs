//! A healthy run, shown to a new oracle once more.

use std::borrow::Cow;

use seedbed::machine::Time;
use seedbed_sim::file_service::Scenario;
use seedbed_sim::file_service::Verdict;
use seedbed_sim::file_service::oracle::{Model, Oracle, Violation};
use seedbed_sim::file_service::{Event, Step, World};
use seedbed_sim::run;

/// What the oracle is shown: a step and the world after it, to be told otherwise.
pub struct Shown<'a> {
    pub world: Cow<'a, World>,
    pub step: Step,
}

/// How a step was told.
pub enum Told {
    AsItWas,
    /// From here on there is nothing more to alter.
    Otherwise,
    /// It was the last one.
    AsTheLast,
}

/// A run, to be looked at again.
pub struct Recording<'a> {
    scenario: &'a Scenario,
    /// The world before the first event.
    before: World,
    events: Vec<(Time, Event)>,
}

impl Recording<'_> {
    pub fn of(scenario: &Scenario) -> Recording<'_> {
        let before =
            World::with_spare(scenario.config.clone(), scenario.cast.spare, scenario.cast.clients);
        assert!(scenario.swarm.is_none(), "the world is what the file says");
        assert!(scenario.clocks.is_empty(), "every clock shows true time");
        let mut events = Vec::new();
        let mut watcher = |_: &World, step: &Step| events.push((step.at, step.event.clone()));
        let report = run::run(scenario, scenario.seeds.start, &mut watcher);
        assert_eq!(report.verdict, Verdict::Pass, "{} before the mistake", scenario.file);
        Recording { scenario, before, events }
    }

    /// Lets all happen again, told to a new oracle by `tell` until something is told otherwise.
    pub fn judge(
        &self,
        mut tell: impl FnMut(&Model, &mut Shown<'_>) -> Told,
    ) -> Result<(), Violation> {
        let mut world = self.before.clone();
        let mut oracle = Oracle::new(&world, self.scenario.workload.as_ref());
        let mut step = Step::new();
        let mut told = Told::AsItWas;
        for (at, event) in &self.events {
            world.apply(*at, event.clone(), &mut step);
            if matches!(told, Told::Otherwise) {
                oracle.observe(&world, &step)?;
                continue;
            }
            let mut shown = Shown { world: Cow::Borrowed(&world), step: step.clone() };
            told = tell(oracle.model(), &mut shown);
            oracle.observe(&shown.world, &shown.step)?;
            if matches!(told, Told::AsTheLast) {
                break;
            }
        }
        oracle.at_end(&world)
    }
}

/// What the oracle says of a run of a scenario.
pub fn violation_of(scenario: &Scenario) -> Result<(), Violation> {
    match run::run(scenario, scenario.seeds.start, &mut ()).verdict {
        Verdict::Pass => Ok(()),
        Verdict::Violation(violation) | Verdict::Starved(violation) => Err(*violation),
        other => panic!("{}: {other:?}", scenario.file),
    }
}

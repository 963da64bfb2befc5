//! Real runs: a world with the protocols that ship, the whole oracle over it, and the milestones.

mod commits;
mod locks;
mod random_faults;
mod transactions;

use std::sync::Arc;

use seedbed::machine::{NodeId, RequestId, Span, Time};
use seedbed::proto::{Config, Defect, Defects, FileService, Operation, Request, Settings};

use crate::file_service::Milestone;
use crate::file_service::oracle::blocked::{self, Wait};
use crate::file_service::oracle::milestones::Reached;
use crate::file_service::oracle::tests::{c, files, files_at};
use crate::file_service::oracle::{Model, Oracle, Violation};
use crate::file_service::scenario::Part;
use crate::file_service::{Event, Stage, Step, World};
use crate::oracle::blocked::StepTimes;
use crate::oracle::milestones::Milestones;
use crate::world::{PacketId, Tear, Watcher};

/// So many milliseconds after the start.
pub fn ms(ms: u64) -> Time {
    Time::ZERO + Span::from_millis(ms)
}

/// What watches a real run.
pub struct Judge {
    pub oracle: Oracle,
    /// The first invariant that was broken.
    pub violation: Option<Violation>,
    pub milestones: Milestones<FileService>,
    pub times: StepTimes,
    /// Every milestone, with its time.
    pub reached: Vec<(Time, Reached)>,
}

impl Watcher<FileService> for Judge {
    fn watch(&mut self, world: &World, step: &Step) {
        if self.violation.is_none() {
            self.violation = self.oracle.observe(world, step).err();
        }
        self.times.observe(step);
        self.milestones.observe(world, step, self.oracle.model());
        self.reached.extend(self.milestones.reached().iter().map(|r| (step.at, r.clone())));
    }
}

/// A run with a judge. What is planned is planned by milliseconds.
pub type Run = Stage<Judge>;

impl Stage<Judge> {
    /// The default cluster and two clients, with these defects. All machines start at 0.
    pub(super) fn starting(defects: &[Defect]) -> Run {
        let defects: Defects = defects.iter().copied().collect();
        let mut run = Stage::judged(Settings { defects, ..Settings::default() });
        let nodes: Vec<NodeId> = run.world.machines().collect();
        for node in nodes {
            run.start_at(0, node);
        }
        run
    }

    /// A cluster as `settings` say and two clients, all of it down. Copies take their time.
    pub(super) fn judged(settings: Settings) -> Run {
        let world = World::of_config(Config::new(settings).expect("good settings"), 2);
        let (oracle, milestones) = (Oracle::new(&world, None), Milestones::new());
        let times = StepTimes::default();
        let judge = Judge { oracle, violation: None, milestones, times, reached: Vec::new() };
        let mut run = Stage::new(world, judge);
        run.times.copy = Span::from_millis(50);
        run
    }

    pub(super) fn model(&self) -> &Model {
        self.watcher.oracle.model()
    }

    pub(super) fn plan_at(&mut self, ms: u64, event: Event) -> &mut Run {
        self.plan(self::ms(ms), event);
        self
    }

    /// Client `client` asks for this, now.
    pub(super) fn ask(&mut self, client: u16, operations: &[Operation]) -> RequestId {
        self.request(c(client), files(operations))
    }

    pub(super) fn ask_at(
        &mut self,
        node: NodeId,
        client: u16,
        operations: &[Operation],
    ) -> RequestId {
        self.request(c(client), files_at(node, operations))
    }

    pub(super) fn asks(&mut self, ms: u64, client: u16, wanted: Request) -> &mut Run {
        self.plan_at(ms, Event::Request { client: c(client), request: Arc::new(wanted) })
    }

    pub(super) fn crash_at(&mut self, ms: u64, node: NodeId) -> &mut Run {
        self.plan_at(
            ms,
            Event::Crash { node, kept: 0, torn: 0, tear: Tear::Prefix, checkpointed: false },
        )
    }

    pub(super) fn start_at(&mut self, ms: u64, node: NodeId) -> &mut Run {
        self.plan_at(ms, Event::Start { node, rot: None })
    }

    /// Goes on until this many milliseconds, or the first violation.
    pub(super) fn until(&mut self, ms: u64) -> &mut Run {
        let mut steps = 0;
        if self.watcher.violation.is_none() {
            self.run_until(self::ms(ms), |judge, _| {
                steps += 1;
                assert!(steps < 100_000, "the run does not come to an end");
                judge.violation.is_some()
            });
        }
        self
    }

    /// Goes on, looking every millisecond, until a milestone has been reached, and at most a tenth
    /// of a second. Says when.
    #[track_caller]
    pub(super) fn until_reached(&mut self, milestone: Milestone) -> u64 {
        let reached = (1..100).find(|ms| self.until(*ms).count(milestone) > 0);
        reached.unwrap_or_else(|| panic!("{milestone} was not reached"))
    }

    /// The invariants of the end.
    pub(super) fn ends(&mut self) -> &mut Run {
        if self.watcher.violation.is_none() {
            self.watcher.violation = self.watcher.oracle.at_end(&self.world).err();
        }
        self
    }

    #[track_caller]
    pub(super) fn holds(&self) {
        assert_eq!(self.watcher.violation, None);
    }

    #[track_caller]
    pub(super) fn breaks(&self, name: &str) {
        let violation = self.watcher.violation.as_ref().expect("a violation");
        assert_eq!(violation.invariant.name(), name, "{violation:#?}");
    }

    pub(super) fn count(&self, milestone: Milestone) -> u64 {
        self.watcher.milestones.count(milestone)
    }

    /// The first time that a milestone was reached.
    #[track_caller]
    pub(super) fn first(&self, milestone: Milestone) -> (Time, &Reached) {
        let found = self.watcher.reached.iter().find(|(_, r)| r.milestone == milestone);
        let (at, reached) = found.unwrap_or_else(|| panic!("{milestone} was not reached"));
        (*at, reached)
    }

    pub(super) fn bind(&self, role: Part, milestone: Milestone) -> Option<NodeId> {
        let reached = self.first(milestone).1;
        self.watcher.milestones.of_system().bind(role, reached, &self.world, self.model())
    }

    /// What is in flight from one machine to another, the oldest first.
    pub(super) fn in_flight(&self, from: NodeId, to: NodeId) -> Vec<PacketId> {
        let packets = self.world.network().packets();
        packets.filter(|(_, p)| (p.from, p.to) == (from, to)).map(|(id, _)| id).collect()
    }

    pub(super) fn waits(&self) -> Vec<Wait> {
        blocked::waits(&self.world, self.model(), &self.watcher.times)
    }
}

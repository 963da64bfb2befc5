//! A seeded run: what is due is applied to the world, one event at a time.
//!
//! ```text
//!  queue -> turn -> event -> World::apply -> step -> digest, oracle, milestones -> watcher
//!   ^  ^    ^ |                              |                        |
//!   |  |    | +-> inject: a fault gives      |                        |
//!   |  |    +---- turns, in order            |                        |
//!   |  +---------------------------------------- faults `when` -------+
//!   +------ latency, sync time, users -------+
//! ```
//!
//! Everything random is drawn here, before it becomes an event. A run has two phases: in the
//! *safety phase* users ask and faults strike, and nothing bad may happen; then everything is
//! *healed*, and in the *liveness phase* everything must get done. If it did, *probes* show that
//! the cluster goes on working.

mod begin;
mod binding;
mod disk_trouble;
mod ending;
mod follow_up;
mod holds;
mod inject;
mod message_rules;
mod occasions;
mod operator;
mod pace;
mod partition_links;
mod queue;
mod recording;
mod requests;
mod scheduled;
mod scripts;
mod series;
mod strike;
#[cfg(all(test, feature = "file-service"))]
mod tests;
mod users;

use crate::under_test::{Probes, UnderTest};
use seedbed::machine::{NodeId, Span, Time};

use crate::coverage::Coverage;
use crate::digest::Digest;
use crate::draw::chaos;
use crate::draw::message_delivery::Links;
use crate::draw::sync_and_crash::Disks;
use crate::invariant::InvariantName;
use crate::oracle::blocked::StepTimes;
use crate::oracle::milestones::Milestones;
use crate::oracle::{Oracle, Told, seen};
use crate::scenario::Scenario;
use crate::seed::Seed;
use crate::verdict::{Fired, RunReport, Verdict};
use crate::world::{Clock, Loss, Watcher};
use crate::world::{Event, Step, World};

use ending::Ending;
use inject::{Inject, Scene};
use message_rules::MessageRules;
use occasions::{Occasions, Then};
use pace::Pace;
use queue::{Queue, Turn};
pub use recording::{DrawnCourse, DrawnFault, Recording};
use requests::Requests;
use scheduled::{Cause, Due, Pending};
use scripts::Scripts;
use users::Users;

/// A run under way.
#[derive(Debug)]
pub struct Simulation<'a, S: UnderTest> {
    scenario: &'a Scenario<S>,
    seed: Seed,
    world: World<S>,
    step: Step<S>,
    queue: Queue<S>,
    links: Links<'a, S>,
    disks: Disks<'a, S>,
    users: Users<S>,
    scripts: Scripts<'a, S>,
    rules: MessageRules<'a, S>,
    occasions: Occasions<S>,
    inject: Inject<'a, S>,
    probes: S::Probes,
    requests: Requests<S>,
    /// When the run is over.
    ends: Time,
    oracle: Oracle<S>,
    milestones: Milestones<S>,
    /// When steps made something durable.
    times: StepTimes,
    /// What the run has tried, if that is asked for.
    coverage: Option<Coverage<S>>,
    /// What the run has drawn, if that is asked for.
    recording: Option<&'a mut Recording<S>>,
    digest: Digest,
    /// How long a message or a sync may take if ten of them are to fit into an attempt.
    affordable: Span,
    messages: u64,
    pace: Pace,
    verdict: Option<Verdict<S>>,
}

impl<'a, S: UnderTest> Simulation<'a, S> {
    /// The run of `scenario` under `seed`; the first thing due is that every machine starts. What a
    /// `[swarm]` draws is not drawn here: [`for_seed`](crate::draw::swarm::for_seed) comes first.
    pub fn new(scenario: &'a Scenario<S>, seed: u64) -> Simulation<'a, S> {
        let seed = Seed(seed);
        let cast = scenario.cast;
        let mut world = World::new(scenario.config.clone(), cast);
        for clock in &scenario.clocks {
            *world.clock_mut(clock.node) = Clock::new(clock.offset, clock.drift_ppm);
        }
        let safety = scenario.phases.safety;
        let plan = chaos::plan(scenario, seed);
        let occasions = Occasions::new(scenario, &plan);
        let mut simulation = Simulation {
            scenario,
            seed,
            step: Step::new(),
            queue: Queue::new(world.machines().count()),
            links: Links::new(scenario, seed),
            disks: Disks::new(scenario, seed),
            users: Users::new(scenario, seed),
            scripts: Scripts::new(scenario),
            rules: MessageRules::new(&scenario.messages),
            inject: Inject::new(scenario, seed, plan),
            probes: S::Probes::new(scenario, seed),
            requests: Requests::default(),
            times: StepTimes::default(),
            ends: Time::ZERO + safety + scenario.phases.liveness,
            oracle: Oracle::new(&world, scenario.workload.as_ref()),
            milestones: Milestones::watching(occasions.milestones()),
            occasions,
            coverage: None,
            recording: None,
            digest: Digest::default(),
            affordable: S::affordable(scenario),
            messages: 0,
            pace: Pace::new(world.machines().count()),
            verdict: None,
            world,
        };
        simulation.put_schedule();
        simulation
    }

    /// The same run, of which is watched what it tries.
    #[must_use]
    pub fn covered(mut self) -> Simulation<'a, S> {
        self.coverage = Some(Coverage::default());
        self
    }

    /// The same run, in which some invariants may be broken.
    #[must_use]
    pub fn forgiving(mut self, forgiven: &[InvariantName<S>]) -> Simulation<'a, S> {
        self.oracle = Oracle::forgiving(forgiven, &self.world, self.scenario.workload.as_ref());
        self
    }

    /// The same run, of which is recorded what it draws.
    #[must_use]
    pub fn recorded(mut self, recording: &'a mut Recording<S>) -> Simulation<'a, S> {
        self.inject.is_recording = true;
        self.recording = Some(recording);
        self
    }

    /// When the next thing is due; `None` when the run is over.
    pub fn next_at(&self) -> Option<Time> {
        let at = self.queue.next_at()?;
        (self.verdict.is_none() && at <= self.ends).then_some(at)
    }

    /// Does what is due next, which is one event at most.
    pub fn advance(&mut self, watcher: &mut impl Watcher<S>) {
        if self.verdict.is_some() {
            return;
        }
        let pending = self.queue.pop().and_then(|turn| self.take(turn));
        let is_step = pending.is_some();
        if let Some(Pending { event, cause }) = pending {
            watcher.begins(&self.world, self.queue.now(), &event);
            self.apply(event, cause);
            watcher.watch(&self.world, &self.step);
        }
        let step = is_step.then_some(&self.step);
        if let Some(spinning) = self.pace.observe(self.queue.now(), step) {
            self.verdict.get_or_insert(Verdict::Spinning(Box::new(spinning)));
        }
    }

    /// Ends the run: what has not got done by now never will.
    pub fn finish(mut self) -> RunReport<S> {
        let verdict = self.verdict.take().unwrap_or_else(|| self.judge_end());
        if let Some(recording) = self.recording.take().filter(|it| it.requests.is_empty()) {
            // A file must ask for something.
            recording.requests.extend(self.queue.first_ask());
        }
        let disks = self.world.machines().map(|node| self.world.host(node).disk());
        RunReport {
            seed: self.seed.0,
            verdict,
            steps: self.world.steps(),
            sim_ns: self.world.now().as_nanos(),
            digest: self.digest.value(),
            messages: self.messages,
            forced_writes: disks.map(|disk| disk.forced_records()).sum(),
            counts: self.milestones.counts().to_vec(),
            fired: self.fired(),
            requests: self.ending().counts(),
            unstated: self.ending().unstated(),
            shares: self.ending().shares(),
            given_up: S::given_up(self.oracle.model()),
            covered: self.coverage.map(Coverage::into_cells).unwrap_or_default(),
        }
    }

    /// The world as it is.
    pub fn world(&self) -> &World<S> {
        &self.world
    }

    fn judge_end(&mut self) -> Verdict<S> {
        if let Some(spinning) = self.pace.at_end() {
            return Verdict::Spinning(Box::new(spinning));
        }
        if let Err(violation) = self.oracle.at_end(&self.world) {
            return Verdict::of_violation(violation);
        }
        let mut waits = S::waits(&self.world, self.oracle.model(), &self.times);
        waits.extend(self.requests.unanswered(&self.world));
        self.ending().verdict(waits, self.milestones.counts())
    }

    fn ending(&self) -> Ending<'_, S> {
        let Simulation { scenario, world, oracle, requests, scripts, .. } = self;
        let is_probed = self.probes.have_begun();
        Ending { scenario, world, model: oracle.model(), requests, scripts, is_probed }
    }

    /// Whether each effect of the file has struck, in the order of
    /// [`Effect::all`](crate::verdict::Effect).
    fn fired(&self) -> Vec<Fired> {
        let faults = self.inject.fired().enumerate();
        let faults = faults.map(|(n, has)| (has, self.occasions.times(Then::Strike(n))));
        let rules = self.rules.fired().chain(self.disks.rules_fired());
        let scripts = self.scripts.begun().enumerate();
        let scripts = scripts.map(|(n, has)| (has, self.occasions.times(Then::Begin(n))));
        let ends = self.inject.ended();
        let ends = ends.map(|(n, has)| (has, self.occasions.times(Then::End(n))));
        let all = faults.chain(rules).chain(scripts).chain(ends);
        all.map(|(has_fired, times)| Fired { has_fired, times }).collect()
    }

    /// Puts everything into the queue whose time is known from the start.
    fn put_schedule(&mut self) {
        self.put_scripts_and_rules();
        for (at, act) in self.inject.schedule() {
            self.queue.put(at, Due::Inject(act));
        }
        self.queue.put(Time::ZERO + self.scenario.phases.safety, Due::Heal);
        if self.scenario.is_probed() {
            // After all that is due by then.
            self.ends = self.ends + Span::from_nanos(1);
            self.queue.put(self.ends, Due::Probe);
        }
        let starts: Vec<NodeId> = self.world.machines().collect();
        let starts = starts.into_iter().map(|node| Turn::Event(Event::Start { node, rot: None }));
        self.queue.first(starts);
    }

    /// What has its turn; the event that it is, if it is one.
    fn take(&mut self, turn: Turn<S>) -> Option<Pending<S>> {
        match turn {
            Turn::Due(due) => return self.come_due(due),
            Turn::Event(event) => return Some(Pending::of(event)),
            Turn::Begin(then, reached) => self.begin(then, &reached),
            Turn::LoseInFlight(links) => {
                let lost = partition_links::in_flight(&links, self.world.network());
                self.queue.first(lost.into_iter().map(|id| Turn::Lose(id, Loss::Cut)));
            }
            Turn::Lose(packet, loss) => return scheduled::loss(packet, loss, &self.world),
            Turn::Release(node) => self.queue.release(node),
            Turn::Later(at, due) => self.queue.put(at, due),
            Turn::Probe(number) => return Some(self.probe(number)),
        }
        None
    }

    /// What is due happens, if it still makes sense.
    fn come_due(&mut self, due: Due<S>) -> Option<Pending<S>> {
        if let Some(node) = due.held_by(&self.world) {
            // It waits at the door until the machine, or its disk, goes on.
            self.queue.defer(node, due);
            return None;
        }
        match due {
            Due::Arrive(packet) => scheduled::arrival(packet, &self.world),
            Due::Lose(packet) => scheduled::loss(packet, Loss::Network, &self.world),
            Due::Copy(packet, after) => scheduled::copy(packet, after, &self.world),
            Due::Wake(node) => self.wake(node),
            Due::Synced(node, life) => scheduled::synced(node, life, &self.world),
            Due::Ask(user, life, request) => {
                let pending = scheduled::ask(user, life, request, &self.world)?;
                self.oracle.tell(Told::Asker(user.place));
                Some(pending)
            }
            Due::Script(_, performance) if !self.is_healed() => {
                self.scripts.ask(performance, &self.world)
            }
            Due::Script(..) => None,
            Due::Apply(number) => {
                self.apply_rule(number);
                None
            }
            Due::Unapply(number) => {
                self.rules.end(number);
                None
            }
            Due::Inject(act) => {
                self.inject(|inject, scene| inject.act(act, scene));
                None
            }
            Due::Heal => {
                self.users.stop();
                self.rules.heal();
                self.oracle.tell(Told::Healed(self.queue.now()));
                self.inject(Inject::heal);
                None
            }
            Due::Probe => {
                self.begin_probes();
                None
            }
        }
    }

    fn wake(&mut self, node: NodeId) -> Option<Pending<S>> {
        self.queue.took_wake(self.world.index(node));
        match self.world.next_wake(node) {
            Some(due) if due <= self.queue.now() => Some(Pending::of(Event::Wake(node))),
            Some(_) | None => {
                self.put_wake(node); // the deadline has moved
                None
            }
        }
    }

    /// What `ask` makes of faults comes next; does it make anything?
    fn inject(
        &mut self,
        ask: impl FnOnce(&mut Inject<'a, S>, &mut Scene<'_, 'a, S>) -> Vec<Turn<S>>,
    ) -> bool {
        let mut scene = Scene {
            now: self.queue.now(),
            world: &self.world,
            model: self.oracle.model(),
            milestones: &self.milestones,
            scripts: &self.scripts,
            links: &mut self.links,
            disks: &mut self.disks,
        };
        let turns = ask(&mut self.inject, &mut scene);
        let (now, holds) = (scene.now, self.inject.take_holds());
        for number in self.inject.take_just_struck() {
            self.occasions.wait(Then::End(number), now);
        }
        if let Some(coverage) = &mut self.coverage {
            let (world, model) = (&self.world, self.oracle.model());
            let milestones = self.milestones.of_system();
            for hold in holds {
                coverage.on_hold(hold, now, world, model, milestones);
            }
        }
        if let Some(recording) = &mut self.recording {
            let scripted = self.inject.take_scripted().into_iter();
            recording.scripted.extend(scripted.map(|number| (number, now)));
            let drawn = self.inject.take_drawn();
            if !drawn.is_empty() {
                recording.on_struck(now, drawn, &turns);
            }
        }
        let has_struck = !turns.is_empty();
        self.queue.first(turns);
        has_struck
    }

    /// Applies one event, lets the oracle judge it, and puts what follows into the queue.
    fn apply(&mut self, event: Event<S>, cause: Cause) {
        self.world.apply(self.queue.now(), event, &mut self.step);
        self.digest.add(&self.step);
        self.times.observe(&self.step);
        self.requests.observe(&self.step, cause);
        let verdict = self.oracle.observe(&self.world, &self.step);
        self.watch_step();
        if let Err(violation) = verdict {
            self.verdict = Some(Verdict::of_violation(violation));
            return;
        }
        self.requests.are_answered_once();
        let begun = self.begun();
        // What is sent in the step that a rule has waited for is under the rule already.
        begun.rules.iter().for_each(|(number, reached)| self.begin_rule(*number, reached));
        self.follow_up(cause);
        self.queue.first(begun.turns);
    }

    /// Milestones and coverage look at the step; the model has taken it over already.
    fn watch_step(&mut self) {
        let Simulation { step, milestones, coverage, .. } = self;
        let (model, config) = (self.oracle.model(), self.world.config());
        milestones.begin(step.index);
        seen(step).for_each(|seen| {
            milestones.see(&seen, model, config);
            if let Some(coverage) = coverage {
                coverage.see(&seen, step, model);
            }
        });
        milestones.end_step(step);
        if let Some(coverage) = coverage {
            coverage.end_step(step);
        }
    }

    fn is_healed(&self) -> bool {
        self.queue.now() >= Time::ZERO + self.scenario.phases.safety
    }
}

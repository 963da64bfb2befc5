//! A seeded run: a queue of what is due, applied to the world one event at a time.
//!
//! ```text
//!  due -> event -> World::apply -> step -> digest, oracle, milestones -> watcher
//!   ^                                |                        |
//!   |   latency, sync time, users    |        faults `when`   |
//!   +--------------------------------+------------------------+
//! ```
//!
//! Everything random is drawn here, before it becomes an event. A run has two phases: in the
//! *safety phase* users ask and faults strike, and nothing bad may happen; then everything is
//! *healed*, and in the *liveness phase* everything must get done.

mod strike;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;

use seedbed::proto::{Incarnation, NodeId, Request, RequestId, Span, Time};

use crate::digest::Digest;
use crate::draw::chaos::{self, Planned};
use crate::draw::disks::Disks;
use crate::draw::links::{Arrival, Course, Links};
use crate::draw::workload::User;
use crate::milestone::Milestone;
use crate::oracle::Oracle;
use crate::oracle::milestones::Milestones;
use crate::scenario::{Restart, Scenario, Trigger};
use crate::seed::{Seed, code};
use crate::verdict::{RunReport, Verdict};
use crate::world::{Clock, Event, Fact, Loss, Packet, PacketId, Step, Watcher, World};

/// A run under way.
#[derive(Debug)]
pub struct Simulation<'a> {
    scenario: &'a Scenario,
    seed: Seed,
    world: World,
    step: Step,
    queue: BinaryHeap<Reverse<Entry>>,
    order: u64,
    /// By host: the wake that stands in the queue.
    wakes: Vec<Option<Time>>,
    /// What was due at machines that are paused.
    deferred: BTreeMap<NodeId, Vec<Due>>,
    links: Links<'a>,
    disks: Disks<'a>,
    users: BTreeMap<NodeId, Asker>,
    plan: Vec<Planned>,
    strikes: strike::Strikes,
    oracle: Oracle,
    milestones: Milestones,
    digest: Digest,
    messages: u64,
    /// How much longer than the first the copy that appears now is under way.
    copy_after: Span,
    /// Is it a user of the workload who asks now?
    user_asks: bool,
    verdict: Option<Verdict>,
}

/// A user and the request that it waits for.
#[derive(Debug)]
struct Asker {
    user: User,
    awaits: Option<RequestId>,
}

/// What is due at some time; ties go in the order of putting.
#[derive(Debug)]
struct Entry {
    at: Time,
    order: u64,
    due: Due,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Entry) -> bool {
        self.order == other.order
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Entry) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Entry) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

/// Something that is due.
#[derive(Clone, Debug)]
enum Due {
    /// A message arrives, or is lost there.
    Arrive(PacketId, bool),
    /// A second copy of a message appears, and is under way for so much longer.
    Copy(PacketId, Span),
    /// A machine's deadline may have come.
    Wake(NodeId),
    /// A sync of this life is done.
    Synced(NodeId, Incarnation),
    /// A user asks, if the client is still in this life.
    Ask(NodeId, Incarnation, Arc<Request>),
    /// The scenario's request of this number is asked.
    Script(usize),
    /// The scenario's fault of this number strikes.
    Strike(usize),
    /// The drawn fault of this number strikes.
    Chaos(usize),
    /// A machine crashes, in a series of crashes.
    TakeDown(NodeId, Restart),
    /// The operator tries again.
    Operator,
    /// A fault is over.
    Undo(strike::Undo),
    /// Everything is healed.
    Heal,
}

impl<'a> Simulation<'a> {
    /// The run of `scenario` under `seed`, with nothing started yet. What a `[swarm]` draws is not
    /// drawn here: [`Scenario::for_seed`] comes first.
    pub fn new(scenario: &'a Scenario, seed: u64) -> Simulation<'a> {
        let seed = Seed(seed);
        let cast = scenario.cast;
        let mut world = World::with_spare(scenario.config.clone(), cast.spare, cast.clients);
        for clock in &scenario.clocks {
            *world.clock_mut(clock.node) = Clock::new(clock.offset, clock.drift_ppm);
        }
        let safety = scenario.phases.safety;
        let plan = scenario.chaos.as_ref().map_or_else(Vec::new, |chaos| {
            let stream = &mut seed.stream("chaos", 0);
            chaos::plan(chaos, cast, &scenario.config, safety, stream)
        });
        let mut simulation = Simulation {
            scenario,
            seed,
            step: Step::new(),
            queue: BinaryHeap::new(),
            order: 0,
            wakes: vec![None; world.nodes().count()],
            deferred: BTreeMap::new(),
            links: Links::new(scenario, seed),
            disks: Disks::new(scenario, seed),
            users: users(scenario, seed),
            plan,
            strikes: strike::Strikes::new(scenario.faults.len()),
            oracle: Oracle::new(&world, scenario.workload.as_ref()),
            milestones: Milestones::watching(awaited(scenario)),
            digest: Digest::default(),
            messages: 0,
            copy_after: Span::ZERO,
            user_asks: false,
            verdict: None,
            world,
        };
        simulation.put_schedule();
        simulation
    }

    /// When the next thing is due; `None` when the run is over.
    pub fn next_at(&self) -> Option<Time> {
        let end = Time::ZERO + self.scenario.phases.safety + self.scenario.phases.liveness;
        let Reverse(entry) = self.queue.peek()?;
        (self.verdict.is_none() && entry.at <= end).then_some(entry.at)
    }

    /// Starts every machine; the first thing to do.
    pub fn start(&mut self, watcher: &mut impl Watcher) {
        let nodes: Vec<NodeId> = self.world.nodes().collect();
        for node in nodes {
            self.apply(Time::ZERO, Event::Start { node, rot: None }, watcher);
        }
    }

    /// Does what is due next.
    pub fn advance(&mut self, watcher: &mut impl Watcher) {
        if let Some(Reverse(Entry { at, due, .. })) = self.queue.pop() {
            self.handle(at, due, watcher);
        }
    }

    /// Ends the run: what has not got done by now never will.
    pub fn finish(mut self) -> RunReport {
        let verdict = self.verdict.take().unwrap_or_else(|| self.judge_end());
        let disks = self.world.nodes().map(|node| self.world.host(node).disk());
        RunReport {
            seed: self.seed.0,
            verdict,
            steps: self.world.steps(),
            sim_ns: self.world.now().as_nanos(),
            digest: self.digest.value(),
            messages: self.messages,
            forced_writes: disks.map(|disk| disk.forced_records()).sum(),
            counts: self.milestones.counts().to_vec(),
            fired: self.strikes.fired().chain(self.links.rules_fired()).collect(),
            given_up: self.oracle.model().given_up().cloned().collect(),
        }
    }

    /// The world as it is.
    pub fn world(&self) -> &World {
        &self.world
    }

    fn judge_end(&mut self) -> Verdict {
        if let Err(violation) = self.oracle.at_end(&self.world) {
            return Verdict::Violation(Box::new(violation));
        }
        match self.milestones.who_waits(&self.world, self.oracle.model()) {
            waits if waits.is_empty() => self.judge_milestones(),
            waits => Verdict::Blocked(waits),
        }
    }

    fn judge_milestones(&self) -> Verdict {
        let counts = self.milestones.counts();
        let was_reached = |milestone: &&Milestone| counts[milestone.index()] > 0;
        let ruled_out = self.scenario.expect.never.iter().find(was_reached);
        ruled_out.map_or(Verdict::Pass, |milestone| Verdict::RuledOut(*milestone))
    }

    /// Puts everything into the queue whose time is known from the start.
    fn put_schedule(&mut self) {
        for (i, script) in self.scenario.script.iter().enumerate() {
            self.put(Time::ZERO + script.at, Due::Script(i));
        }
        for (i, fault) in self.scenario.faults.iter().enumerate() {
            if let Trigger::At(at) = fault.trigger {
                self.put(Time::ZERO + at, Due::Strike(i));
            }
        }
        for i in 0..self.plan.len() {
            self.put(self.plan[i].at, Due::Chaos(i));
        }
        self.put(Time::ZERO + self.scenario.phases.safety, Due::Heal);
    }

    fn put(&mut self, at: Time, due: Due) {
        self.order += 1;
        self.queue.push(Reverse(Entry { at, order: self.order, due }));
    }

    fn handle(&mut self, at: Time, due: Due, watcher: &mut impl Watcher) {
        if let Some(node) = self.whose(&due).filter(|node| self.world.host(*node).is_paused()) {
            // It waits at the door until the machine goes on.
            self.deferred.entry(node).or_default().push(due);
            return;
        }
        match due {
            Due::Arrive(packet, is_lost) => self.arrive(at, packet, is_lost, watcher),
            Due::Copy(packet, after) => {
                if self.world.network().get(packet).is_some() {
                    self.copy_after = after;
                    self.apply(at, Event::Duplicate(packet), watcher);
                }
            }
            Due::Wake(node) => self.wake(at, node, watcher),
            Due::Synced(node, life) => {
                let host = self.world.host(node);
                if host.is_up() && host.incarnation() == life {
                    self.apply(at, Event::Synced(node), watcher);
                }
            }
            Due::Ask(client, life, request) => {
                let host = self.world.host(client);
                if host.is_up() && host.incarnation() == life {
                    self.user_asks = true;
                    self.apply(at, Event::Request { client, request }, watcher);
                    self.user_asks = false;
                }
            }
            Due::Script(i) => {
                let script = &self.scenario.script[i];
                if self.world.host(script.client).is_up() {
                    let (client, request) = (script.client, Arc::new(script.request.clone()));
                    self.apply(at, Event::Request { client, request }, watcher);
                }
            }
            Due::Strike(i) => self.strike(at, i, None, watcher),
            Due::Chaos(i) => self.strike_drawn(at, i, watcher),
            Due::TakeDown(node, restart) => self.take_down(at, node, restart, watcher),
            Due::Operator => self.operate(at, watcher),
            Due::Undo(undo) => self.undo(at, undo, watcher),
            Due::Heal => self.heal(at, watcher),
        }
    }

    /// The machine that has to be running for this to happen.
    fn whose(&self, due: &Due) -> Option<NodeId> {
        match due {
            Due::Arrive(packet, false) => self.world.network().get(*packet).map(|packet| packet.to),
            Due::Wake(node) | Due::Synced(node, _) | Due::Ask(node, ..) => Some(*node),
            Due::Script(i) => Some(self.scenario.script[*i].client),
            Due::Arrive(_, true) | Due::Copy(..) | Due::Strike(_) | Due::Chaos(_) => None,
            Due::TakeDown(..) | Due::Operator | Due::Undo(_) | Due::Heal => None,
        }
    }

    fn is_healed(&self, at: Time) -> bool {
        at >= Time::ZERO + self.scenario.phases.safety
    }

    fn arrive(&mut self, at: Time, id: PacketId, is_lost: bool, watcher: &mut impl Watcher) {
        let Some(packet) = self.world.network().get(id) else { return };
        let loss = if is_lost {
            Some(Loss::Network)
        } else if !self.world.is_linked(packet.from, packet.to) {
            Some(Loss::Cut)
        } else if !self.world.host(packet.to).is_up() {
            Some(Loss::Down)
        } else {
            None
        };
        let event = loss.map_or(Event::Deliver(id), |loss| Event::Drop(id, loss));
        self.apply(at, event, watcher);
    }

    fn wake(&mut self, at: Time, node: NodeId, watcher: &mut impl Watcher) {
        let index = self.world.index(node);
        self.wakes[index].take_if(|wake| *wake <= at);
        match self.world.next_wake(node) {
            Some(due) if due <= at => self.apply(at, Event::Wake(node), watcher),
            Some(_) | None => self.put_wake(node), // the deadline has moved
        }
    }

    /// Applies one event, lets everyone see it, and puts what follows from it into the queue.
    fn apply(&mut self, at: Time, event: Event, watcher: &mut impl Watcher) {
        if self.verdict.is_some() {
            return;
        }
        self.world.apply(at, event, &mut self.step);
        self.digest.add(&self.step);
        let verdict = self.oracle.observe(&self.world, &self.step);
        self.milestones.observe(&self.world, &self.step, self.oracle.model());
        watcher.watch(&self.world, &self.step);
        if let Err(violation) = verdict {
            self.verdict = Some(Verdict::Violation(Box::new(violation)));
            return;
        }
        self.follow_up(at);
        self.strike_at_milestones(at, watcher);
    }

    /// Puts what follows from the step into the queue.
    fn follow_up(&mut self, at: Time) {
        let facts = std::mem::take(&mut self.step.facts);
        for fact in &facts {
            match fact {
                Fact::Sent { packet, from, to, message } => {
                    self.messages += 1;
                    let course = self.links.course(*from, *to, message.kind());
                    self.send(at, *packet, *from, *to, course);
                }
                Fact::Copied { packet } => {
                    if let Some(Packet { from, to, .. }) = self.world.network().get(*packet) {
                        let (from, to) = (*from, *to);
                        let course = self.links.course_of_copy(from, to, self.copy_after);
                        self.send(at, *packet, from, to, course);
                    }
                }
                Fact::SyncBegan { node } => {
                    let life = self.world.host(*node).incarnation();
                    let span = self.disks.sync(*node);
                    self.put(at + span, Due::Synced(*node, life));
                }
                Fact::Requested { request } => self.on_requested(*request),
                Fact::Replied { request, reply } => {
                    let asker = self.users.get_mut(&request.client);
                    if let Some(asker) = asker.filter(|asker| asker.awaits == Some(*request)) {
                        asker.awaits = None;
                        let next = asker.user.on_reply(reply);
                        self.put_ask(at, request.client, next);
                    }
                }
                Fact::Started { node, .. } => {
                    if let Some(asker) = self.users.get_mut(node) {
                        asker.awaits = None;
                        let next = asker.user.begin();
                        self.put_ask(at, *node, next);
                    }
                }
                Fact::Appended { .. } | Fact::Durable { .. } | Fact::Checkpointed { .. } => {}
                Fact::Forgot { .. } | Fact::RefusedToStart { .. } | Fact::Noticed { .. } => {}
                Fact::Wiped { .. } => {}
            }
        }
        self.step.facts = facts;
        match self.step.event {
            Event::Deliver(_) => {
                if let Some(to) = self.step.packet.as_ref().map(|packet| packet.to) {
                    self.put_wake(to);
                }
            }
            Event::Wake(node) | Event::Start { node, .. } | Event::ClockJump { node, .. } => {
                self.put_wake(node);
            }
            Event::ClockDrift { node, .. } | Event::Resume(node) => self.put_wake(node),
            Event::Request { client, .. } => self.put_wake(client),
            Event::Command(_) => self.put_wake(NodeId::CONTROL),
            Event::Drop(..) | Event::Duplicate(_) | Event::Synced(_) => {}
            Event::Wipe { .. } => {}
            Event::Crash { .. } | Event::Pause(_) | Event::Cut(_) | Event::Mend(_) => {}
        }
    }

    fn send(&mut self, at: Time, packet: PacketId, from: NodeId, to: NodeId, course: Course) {
        let is_dropped = course.arrival == Arrival::DroppedAtOnce;
        if is_dropped || !self.world.is_linked(from, to) {
            return self.put(at, Due::Arrive(packet, is_dropped));
        }
        if let Some(after) = course.copy_after {
            self.put(at, Due::Copy(packet, after));
        }
        let is_lost = course.arrival == Arrival::Lost;
        self.put(at + course.latency, Due::Arrive(packet, is_lost));
    }

    fn on_requested(&mut self, request: RequestId) {
        let user_asks = self.user_asks;
        if let Some(asker) = self.users.get_mut(&request.client).filter(|_| user_asks) {
            asker.awaits = Some(request);
        }
    }

    fn put_ask(&mut self, at: Time, client: NodeId, next: Option<(Span, Request)>) {
        if let Some((think, request)) = next {
            let life = self.world.host(client).incarnation();
            self.put(at + think, Due::Ask(client, life, Arc::new(request)));
        }
    }

    /// Sees to it that a machine is woken in time.
    fn put_wake(&mut self, node: NodeId) {
        let Some(due) = self.world.next_wake(node) else { return };
        let due = due.max(self.world.now());
        let index = self.world.index(node);
        if self.wakes[index].is_none_or(|wake| due < wake) {
            self.wakes[index] = Some(due);
            self.put(due, Due::Wake(node));
        }
    }
}

/// The milestones that faults wait for.
fn awaited(scenario: &Scenario) -> impl Iterator<Item = Milestone> {
    scenario.faults.iter().filter_map(|fault| match fault.trigger {
        Trigger::When { milestone, .. } => Some(milestone),
        Trigger::At(_) => None,
    })
}

fn users(scenario: &Scenario, seed: Seed) -> BTreeMap<NodeId, Asker> {
    let Some(workload) = &scenario.workload else { return BTreeMap::new() };
    let clients = scenario.cast.clients;
    let user = |client: NodeId| {
        let stream = seed.stream("user", code(client).into());
        let user = User::new(workload, stream, client.number(), clients);
        (client, Asker { user, awaits: None })
    };
    scenario.cast.clients().map(user).collect()
}

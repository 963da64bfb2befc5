//! One plain scheduler of a [`World`], for golden plays, for costs and for tests of the oracle.
//!
//! The stage draws nothing. A message, a copy and a sync take the [`Times`] of the stage, unless
//! a [`DelayPolicy`] says otherwise, which comes from outside. A test may let any of them come
//! earlier, later or never, and may plan events for later.
//!
//! What is due at one moment comes in this order: planned events as they were planned, messages as
//! they were sent, syncs and wakes by machine.
//!
//! ```
//! # #[cfg(feature = "file-service")] {
//! use seedbed::machine::NodeId;
//! use seedbed::proto::{Action, Config, Contents, Operation, Path, Reply, Request, Settings};
//! use seedbed_sim::file_service::{Stage, World};
//!
//! let config = Config::new(Settings::default())?;
//! let mut stage = Stage::new(World::of_config(config, 1), ());
//! stage.start_all();
//! let write = Action::Write(Contents::from("x"), None);
//! let operation = Operation { path: Path::new("/a")?, action: write, token: None };
//! let wanted = Request::Files { operations: [operation].into(), coordinator: None };
//! let request = stage.request(NodeId::client(1), wanted);
//! stage.settle();
//! assert!(matches!(stage.reply(request), Some(Reply::Done(_))));
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(all(test, feature = "file-service"))]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use seedbed::machine::{NodeId, RequestId, Span, System, Time};

use super::{DelayPolicy, Event, Fact, Fate, Loss, PacketId, Step, Tear, Times, Watcher, World};

/// What comes next, of what comes by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    /// An event that was planned, by its number.
    Planned(u64),
    /// A message arrives.
    Arrive(PacketId),
    /// A sync is done.
    Synced(NodeId),
    /// A deadline has come.
    Wake(NodeId),
}

/// A world, and what is due in it.
pub struct Stage<S: System, W> {
    /// The cluster.
    pub world: World<S>,
    /// Sees every step.
    pub watcher: W,
    /// How long messages and syncs take. A change holds for what begins after it.
    pub times: Times,
    /// Where there is a policy, it has the say in place of the times.
    pub policy: Option<Box<dyn DelayPolicy>>,
    step: Step<S>,
    /// True time; the world's own is that of its last step.
    now: Time,
    planned: BTreeMap<u64, (Time, Event<S>)>,
    plans: u64,
    under_way: BTreeMap<PacketId, Time>,
    /// What is under way and will be lost.
    doomed: BTreeSet<PacketId>,
    held: BTreeSet<PacketId>,
    syncing: BTreeMap<NodeId, Time>,
    replies: BTreeMap<RequestId, S::Reply>,
}

impl<S: System, W> Stage<S, W> {
    /// `world` as it is, in which nothing is under way.
    ///
    /// # Panics
    /// If a message is in flight or a sync under way.
    pub fn new(world: World<S>, watcher: W) -> Stage<S, W> {
        assert_eq!(world.network().in_flight(), 0, "the stage does not know when it would arrive");
        let syncs = world.machines().any(|node| world.host(node).disk().is_syncing());
        assert!(!syncs, "the stage does not know when the sync would be done");
        let now = world.now();
        Stage {
            world,
            watcher,
            times: Times::default(),
            policy: None,
            step: Step::new(),
            now,
            planned: BTreeMap::new(),
            plans: 0,
            under_way: BTreeMap::new(),
            doomed: BTreeSet::new(),
            held: BTreeSet::new(),
            syncing: BTreeMap::new(),
            replies: BTreeMap::new(),
        }
    }

    /// True time.
    pub fn now(&self) -> Time {
        self.now
    }

    /// Nothing happens until `time`.
    pub fn pass_to(&mut self, time: Time) {
        self.now = self.now.max(time);
    }

    /// `event` will happen at `at`, or now if that has passed.
    pub fn plan(&mut self, at: Time, event: Event<S>) {
        self.plans += 1;
        self.planned.insert(self.plans, (at, event));
    }

    /// The network keeps `packet` until it is told to deliver it.
    pub fn hold(&mut self, packet: PacketId) {
        self.held.insert(packet);
    }

    /// Does this disk sync now?
    pub fn is_syncing(&self, node: NodeId) -> bool {
        self.syncing.contains_key(&node)
    }

    /// The first answer to a request, if it has been answered.
    pub fn reply(&self, request: RequestId) -> Option<&S::Reply> {
        self.replies.get(&request)
    }

    /// What is next, and when.
    pub fn next_due(&self) -> Option<(Time, Due)> {
        let planned = self.planned.iter().map(|(number, (at, _))| (*at, Due::Planned(*number)));
        let begun = planned.chain(self.arrivals()).chain(self.syncs()).min();
        let begun = begun.map(|(at, due)| (self.now.max(at), due));
        begun.into_iter().chain(self.next_wake()).min()
    }

    /// The next machine to be woken.
    pub fn next_wake(&self) -> Option<(Time, Due)> {
        let awake = self.world.machines().filter(|node| !self.world.host(*node).is_paused());
        let wakes = awake
            .filter_map(|node| Some((self.now.max(self.world.next_wake(node)?), Due::Wake(node))));
        wakes.min()
    }

    /// Messages that arrive by themselves.
    fn arrivals(&self) -> impl Iterator<Item = (Time, Due)> {
        let comes = |id: &PacketId| {
            let packet = self.world.network().get(*id).expect("it is in flight");
            !self.held.contains(id) && !self.world.host(packet.to).is_paused()
        };
        let packets = self.under_way.iter().filter(move |(id, _)| comes(id));
        packets.map(|(id, at)| (self.now.max(*at), Due::Arrive(*id)))
    }

    /// Syncs that will be done.
    fn syncs(&self) -> impl Iterator<Item = (Time, Due)> {
        let ends = |node: NodeId| {
            let host = self.world.host(node);
            !host.is_paused() && !host.disk().is_stalled()
        };
        let syncs = self.syncing.iter().filter(move |(node, _)| ends(**node));
        syncs.map(|(node, at)| (self.now.max(*at), Due::Synced(*node)))
    }

    /// Is nothing due but timers?
    fn is_quiet(&self) -> bool {
        self.planned.is_empty() && self.arrivals().chain(self.syncs()).next().is_none()
    }
}

impl<S: System, W: Watcher<S>> Stage<S, W> {
    /// Applies `event` now.
    pub fn apply(&mut self, event: Event<S>) -> &Step<S> {
        self.apply_at(self.now, event)
    }

    /// Starts every machine that is down, except spare ones.
    pub fn start_all(&mut self) {
        let cast = self.world.cast();
        let down = |node: &NodeId| !self.world.host(*node).is_up() && !cast.is_spare(*node);
        let nodes: Vec<NodeId> = self.world.machines().filter(down).collect();
        for node in nodes {
            self.start(node);
        }
    }

    /// Starts a machine on what its disk holds.
    pub fn start(&mut self, node: NodeId) {
        self.apply(Event::Start { node, rot: None });
    }

    /// A machine stops; so many of the records that were not durable stay.
    pub fn crash_keeping(&mut self, node: NodeId, kept: u32) {
        let tear = Tear::default();
        self.apply(Event::Crash { node, kept, torn: 0, tear, checkpointed: false });
    }

    /// A user asks `client` for something, now.
    pub fn request(&mut self, client: NodeId, request: S::Request) -> RequestId {
        let step = self.apply(Event::Request { client, request: Arc::new(request) });
        let id = step.facts.iter().find_map(|fact| match fact {
            Fact::Requested { request } => Some(*request),
            _ => None,
        });
        id.expect("a request has an id")
    }

    /// Delivers `packet`, or loses it where it cannot arrive.
    pub fn arrive(&mut self, packet: PacketId) -> &Step<S> {
        self.arrive_at(self.now, packet)
    }

    /// Wakes `node` for its next deadline, which has come.
    pub fn wake(&mut self, node: NodeId) -> &Step<S> {
        self.apply(Event::Wake(node))
    }

    /// Lets `due` come at `at`.
    pub fn let_come(&mut self, at: Time, due: Due) -> &Step<S> {
        match due {
            Due::Planned(number) => {
                let (_, event) = self.planned.remove(&number).expect("it is planned");
                self.apply_at(at, event)
            }
            Due::Arrive(packet) if self.doomed.contains(&packet) => {
                self.apply_at(at, Event::Drop(packet, Loss::Network))
            }
            Due::Arrive(packet) => self.arrive_at(at, packet),
            Due::Synced(node) => self.apply_at(at, Event::Synced(node)),
            Due::Wake(node) => self.apply_at(at, Event::Wake(node)),
        }
    }

    /// Lets everything come that is due within `span`.
    pub fn run(&mut self, span: Span) {
        self.run_until(self.now + span, |_, _| false);
    }

    /// Lets everything come until `stop` says so of a step, or else until `end`; says whether it
    /// was stopped.
    pub fn run_until(&mut self, end: Time, mut stop: impl FnMut(&W, &Step<S>) -> bool) -> bool {
        while let Some((at, due)) = self.next_due().filter(|(at, _)| *at <= end) {
            self.let_come(at, due);
            if stop(&self.watcher, &self.step) {
                return true;
            }
        }
        self.pass_to(end);
        false
    }

    /// Lets everything come until nothing is due but timers of later. Timers that fall due on the
    /// way come too.
    pub fn settle(&mut self) {
        self.settle_until(|_, _| false);
    }

    /// The same until `stop` says so of a step; says whether it was stopped.
    pub fn settle_until(&mut self, mut stop: impl FnMut(&W, &Step<S>) -> bool) -> bool {
        while let Some((at, due)) = self.next_due() {
            if matches!(due, Due::Wake(_)) && at > self.now && self.is_quiet() {
                break;
            }
            self.let_come(at, due);
            if stop(&self.watcher, &self.step) {
                return true;
            }
        }
        false
    }

    fn arrive_at(&mut self, at: Time, id: PacketId) -> &Step<S> {
        let packet = self.world.network().get(id).expect("the message is in flight");
        let event = if !self.world.is_linked(packet.from, packet.to) {
            Event::Drop(id, Loss::Cut)
        } else if !self.world.host(packet.to).is_up() {
            Event::Drop(id, Loss::Down)
        } else {
            Event::Deliver(id)
        };
        self.apply_at(at, event)
    }

    fn apply_at(&mut self, at: Time, event: Event<S>) -> &Step<S> {
        self.now = at;
        self.world.apply(at, event, &mut self.step);
        self.forget_what_is_over();
        let facts = std::mem::take(&mut self.step.facts);
        facts.iter().for_each(|fact| self.note(at, fact));
        self.step.facts = facts;
        self.watcher.watch(&self.world, &self.step);
        &self.step
    }

    fn forget_what_is_over(&mut self) {
        let event = &self.step.event;
        if let Event::Deliver(packet) | Event::Drop(packet, _) = event {
            self.under_way.remove(packet);
            self.doomed.remove(packet);
            self.held.remove(packet);
        }
        let synced = if let Event::Synced(node) = event { Some(*node) } else { event.takes_down() };
        if let Some(node) = synced {
            self.syncing.remove(&node);
        }
    }

    /// Works out when what has begun at `at` is over.
    fn note(&mut self, at: Time, fact: &Fact<S>) {
        match fact {
            Fact::Sent { packet, from, to, .. } => self.send(at, *packet, *from, *to),
            Fact::Copied { packet } => {
                let takes = self.policy.as_mut().map_or(self.times.copy, |w| w.copy());
                self.under_way.insert(*packet, at + takes);
            }
            Fact::SyncBegan { node } => {
                let takes = self.policy.as_mut().map_or(self.times.sync, |w| w.sync(*node));
                self.syncing.insert(*node, at + takes);
            }
            Fact::Replied { request, reply } => {
                self.replies.entry(*request).or_insert_with(|| reply.clone());
            }
            _ => {}
        }
    }

    fn send(&mut self, at: Time, packet: PacketId, from: NodeId, to: NodeId) {
        let fate = match &mut self.policy {
            Some(policy) => policy.message(from, to),
            None => Fate::Arrives(self.times.message(from, to)),
        };
        let (Fate::Arrives(takes) | Fate::IsLost(takes) | Fate::IsCopied(takes)) = fate;
        self.under_way.insert(packet, at + takes);
        match fate {
            Fate::Arrives(_) => {}
            Fate::IsLost(_) => {
                self.doomed.insert(packet);
            }
            Fate::IsCopied(_) => self.plan(at, Event::Duplicate(packet)),
        }
    }
}

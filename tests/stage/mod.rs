//! A cluster without randomness: every message takes the same time, every sync too, and whoever
//! directs it may let any of them come earlier, later or never.
//!
//! What is due at one moment comes in this order: messages as they were sent, syncs and wakes by
//! machine.

#![allow(dead_code, reason = "each of the tests that share it uses its part")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use seedbed::proto::{Config, NodeId, Request, Role, Span, Time};
use seedbed_sim::world::{Event, Fact, Loss, PacketId, Step, Watcher, World};

/// A world, and what is due in it.
pub struct Stage<W> {
    pub world: World,
    /// Sees every step.
    pub watcher: W,
    /// How long a message is under way.
    pub latency: Span,
    /// How long a sync takes.
    pub sync: Span,
    step: Step,
    /// True time; the world's own is that of its last step.
    now: Time,
    sent: BTreeMap<PacketId, Time>,
    syncing: BTreeMap<NodeId, Time>,
    held: BTreeSet<PacketId>,
}

/// What comes next, of what comes by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    Arrive(PacketId),
    Synced(NodeId),
    Wake(NodeId),
}

impl<W: Watcher> Stage<W> {
    /// A cluster in which every machine is up and every storage node has written down that it is a
    /// member; nobody has seen that.
    pub fn new(config: Arc<Config>, clients: u16, latency: Span, sync: Span, watcher: W) -> Self {
        Stage::with_spare(config, 0, clients, (latency, sync), watcher)
    }

    /// The same with `spare` machines, which are down. Where membership is managed, the first view
    /// has settled.
    pub fn with_spare(
        config: Arc<Config>,
        spare: u16,
        clients: u16,
        (latency, sync): (Span, Span),
        watcher: W,
    ) -> Self {
        let members = config.members.len() as u16;
        let is_spare = |node: &NodeId| node.role() == Role::Storage && node.number() > members;
        let world = World::with_spare(config, spare, clients);
        let mut first = Stage::with((), world, latency, sync);
        let nodes: Vec<NodeId> = first.world.nodes().filter(|node| !is_spare(node)).collect();
        for node in nodes {
            first.apply(Event::Start { node, rot: None });
        }
        first.settle();
        Stage::with(watcher, first.world, latency, sync)
    }

    fn with(watcher: W, world: World, latency: Span, sync: Span) -> Self {
        let (sent, syncing, held) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
        let (step, now) = (Step::new(), world.now());
        Stage { world, watcher, latency, sync, step, now, sent, syncing, held }
    }

    /// True time.
    pub fn now(&self) -> Time {
        self.now
    }

    /// Nothing happens until `time`.
    pub fn pass_to(&mut self, time: Time) {
        self.now = self.now.max(time);
    }

    /// Applies `event` now.
    pub fn apply(&mut self, event: Event) -> &Step {
        self.apply_at(self.now, event)
    }

    /// A user asks `client` for something, now.
    pub fn request(&mut self, client: NodeId, request: Request) {
        self.apply(Event::Request { client, request: Arc::new(request) });
    }

    fn apply_at(&mut self, at: Time, event: Event) -> &Step {
        self.now = at;
        self.world.apply(at, event, &mut self.step);
        match self.step.event {
            Event::Deliver(packet) | Event::Drop(packet, _) => {
                self.sent.remove(&packet);
                self.held.remove(&packet);
            }
            Event::Synced(node) | Event::Crash { node, .. } | Event::Wipe { node } => {
                self.syncing.remove(&node);
            }
            _ => {}
        }
        for fact in &self.step.facts {
            match fact {
                Fact::Sent { packet, .. } | Fact::Copied { packet } => {
                    self.sent.insert(*packet, at);
                }
                Fact::SyncBegan { node } => {
                    self.syncing.insert(*node, at);
                }
                _ => {}
            }
        }
        self.watcher.watch(&self.world, &self.step);
        &self.step
    }

    /// The network keeps `packet` until it is told to deliver it.
    pub fn hold(&mut self, packet: PacketId) {
        self.held.insert(packet);
    }

    /// Delivers `packet`, or loses it where it cannot arrive.
    pub fn arrive(&mut self, packet: PacketId) -> &Step {
        self.arrive_at(self.now, packet)
    }

    fn arrive_at(&mut self, at: Time, id: PacketId) -> &Step {
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

    /// Wakes `node` for its next deadline, which has come.
    pub fn wake(&mut self, node: NodeId) -> &Step {
        self.apply(Event::Wake(node))
    }

    /// What is next, and when.
    pub fn next_due(&self) -> Option<(Time, Due)> {
        let sync = self.next_sync();
        self.next_arrival().into_iter().chain(sync).chain(self.next_wake()).min()
    }

    /// The next message that arrives by itself.
    pub fn next_arrival(&self) -> Option<(Time, Due)> {
        let now = self.now;
        let comes = |id: &PacketId| {
            let packet = self.world.network().get(*id).expect("it is in flight");
            !self.held.contains(id) && !self.world.host(packet.to).is_paused()
        };
        let packets = self.sent.iter().filter(|(id, _)| comes(id));
        packets.map(|(id, at)| (now.max(*at + self.latency), Due::Arrive(*id))).min()
    }

    /// The next sync that is done.
    pub fn next_sync(&self) -> Option<(Time, Due)> {
        let now = self.now;
        let syncs = self.syncing.iter().filter(|(node, _)| !self.world.host(**node).is_paused());
        syncs.map(|(node, at)| (now.max(*at + self.sync), Due::Synced(*node))).min()
    }

    /// The next machine to be woken.
    pub fn next_wake(&self) -> Option<(Time, Due)> {
        let now = self.now;
        let awake = self.world.nodes().filter(|node| !self.world.host(*node).is_paused());
        awake.filter_map(|node| Some((now.max(self.world.next_wake(node)?), Due::Wake(node)))).min()
    }

    /// Lets `due` come at `at`.
    pub fn let_come(&mut self, at: Time, due: Due) -> &Step {
        match due {
            Due::Arrive(packet) => self.arrive_at(at, packet),
            Due::Synced(node) => self.apply_at(at, Event::Synced(node)),
            Due::Wake(node) => self.apply_at(at, Event::Wake(node)),
        }
    }

    /// Lets everything come in time until `stop` says so or nothing is due but timers, or, with
    /// `until`, until then. Timers that fall due on the way come too.
    pub fn run(&mut self, until: Option<Time>, mut stop: impl FnMut(&Step) -> bool) {
        loop {
            let is_quiet = self.next_arrival().or(self.next_sync()).is_none();
            let next = self.next_due().filter(|(at, due)| match (until, due) {
                (Some(until), _) => *at <= until,
                (None, Due::Wake(_)) => !is_quiet || *at <= self.now,
                (None, Due::Arrive(_) | Due::Synced(_)) => true,
            });
            let Some((at, due)) = next else { break };
            if stop(self.let_come(at, due)) {
                return;
            }
        }
        until.into_iter().for_each(|until| self.pass_to(until));
    }

    /// Lets everything come in time until nothing is due but timers of later.
    pub fn settle(&mut self) {
        self.run(None, |_| false);
    }

    /// Is this message kept by the network?
    pub fn is_held(&self, packet: PacketId) -> bool {
        self.held.contains(&packet)
    }

    /// Where a sync is under way.
    pub fn syncing(&self) -> Vec<NodeId> {
        self.syncing.keys().copied().collect()
    }
}

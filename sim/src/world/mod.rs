//! The simulated world: a whole cluster as one value.
//!
//! [`World::apply`] takes one [`Event`] and writes the facts that follow from it into a [`Step`].
//! That is all there is: a seeded run, a golden play and a replay differ only in what chooses the
//! events. The world holds no random stream and reads no clock; what was drawn, such as how many
//! records a crash left on a disk, stands in the event. So equal worlds that get equal events stay
//! equal, and a world can be cloned and taken two ways.
//!
//! | part | file | stands for |
//! |---|---|---|
//! | [`Host`] | `host` | one machine: its process, its outbox, its disk, its clock |
//! | [`Disk`] | `disk` | the log: durable, pending, torn; a stall, and no room |
//! | [`Clock`] | `clock` | what the machine believes the time is |
//! | [`Network`] | `network` | messages in flight, links that are cut |
//!
//! [`Stage`] is the plainest way to choose the events; seeded runs have a scheduler of their own.

#![deny(clippy::disallowed_types, clippy::disallowed_methods)]

mod clock;
mod delay_policy;
mod disk;
mod event;
mod host;
mod network;
mod stage;
mod tear;
mod watcher;

use std::sync::Arc;

use seedbed::machine::{Effect, Input, NodeId, System, Time};

use crate::cast::Cast;
pub use clock::Clock;
pub use delay_policy::{DelayPolicy, Fate, Times};
pub use disk::{Disk, Rot};
pub use event::{Event, Fact, Loss, Step};
pub use host::Host;
pub use network::{Network, Packet, PacketId};
pub use stage::{Due, Stage};
pub use tear::Tear;
pub use watcher::Watcher;

/// A cluster: hosts, the network between them, and true time.
#[derive(Clone, Debug)]
pub struct World<S: System> {
    config: Arc<S::Config>,
    hosts: Vec<Host<S>>,
    cast: Cast,
    network: Network<S>,
    now: Time,
    steps: u64,
}

impl<S: System> World<S> {
    /// The machines of `cast`, all down, with empty disks.
    pub fn new(config: Arc<S::Config>, cast: Cast) -> World<S> {
        let host = |id| Host::new(config.clone(), id);
        let hosts: Vec<Host<S>> = cast.machines().map(host).collect();
        let network = Network::new(hosts.len());
        World { config, hosts, cast, network, now: Time::ZERO, steps: 0 }
    }

    /// True time.
    pub fn now(&self) -> Time {
        self.now
    }

    /// Steps taken.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The configuration of the cluster.
    pub fn config(&self) -> &Arc<S::Config> {
        &self.config
    }

    /// Its machines.
    pub fn cast(&self) -> Cast {
        self.cast
    }

    /// Every machine: the control node, the nodes, the clients.
    pub fn machines(&self) -> impl Iterator<Item = NodeId> {
        self.hosts.iter().map(|host| host.id())
    }

    /// The machine `id`.
    ///
    /// # Panics
    /// If there is none; [`World::has`] tells.
    pub fn host(&self, id: NodeId) -> &Host<S> {
        &self.hosts[self.index(id)]
    }

    /// Is there a machine `id`?
    pub fn has(&self, id: NodeId) -> bool {
        self.cast.has(id)
    }

    /// The machine `id`, to set its clock before the first step.
    pub fn clock_mut(&mut self, id: NodeId) -> &mut Clock {
        let index = self.index(id);
        self.hosts[index].clock_mut()
    }

    /// The machine `id` goes on under other settings, with this process.
    ///
    /// # Panics
    /// If it is up and there is no process, or down and there is one.
    pub fn reconfigure(
        &mut self,
        id: NodeId,
        config: &Arc<S::Config>,
        process: Option<S::Machine>,
    ) {
        let index = self.index(id);
        self.hosts[index].reconfigure(config, process);
    }

    /// The network.
    pub fn network(&self) -> &Network<S> {
        &self.network
    }

    /// May a message go from `from` to `to` now?
    pub fn is_linked(&self, from: NodeId, to: NodeId) -> bool {
        self.network.is_linked(self.index(from), self.index(to))
    }

    /// When, in true time, `id` wants to be woken next; `None` if never or if it is down.
    pub fn next_wake(&self, id: NodeId) -> Option<Time> {
        self.host(id).next_wake()
    }

    /// The step that `event` begins at true time `at`, as much of it as is known before: if
    /// [`World::apply`] panics, this is what there is to tell.
    pub fn step_of(&self, at: Time, event: &Event<S>) -> Step<S> {
        let packet = event.packet().and_then(|packet| self.network.get(packet)).cloned();
        let timer = match event {
            Event::Wake(node) => self.host(*node).next_deadline().map(|(_, timer)| timer),
            _ => None,
        };
        Step { index: self.steps + 1, at, event: event.clone(), packet, timer, ..Step::new() }
    }

    /// Applies `event` at true time `at` and writes the facts that follow from it into `step`.
    ///
    /// # Panics
    /// If `at` lies in the past, or the event makes no sense now: a delivery to a machine that is
    /// down, a start of one that is up. The caller, which chooses the events, looks first.
    pub fn apply(&mut self, at: Time, event: Event<S>, step: &mut Step<S>) {
        assert!(at >= self.now, "time goes back: {at} after {}", self.now);
        self.now = at;
        self.steps += 1;
        step.begin(self.steps, at, event);
        match step.event.clone() {
            Event::Deliver(packet) => self.deliver(packet, step),
            Event::Drop(packet, _) => step.packet = self.network.take(packet),
            Event::Duplicate(packet) => self.duplicate(packet, step),
            Event::Wake(node) => self.wake(node, step),
            Event::Synced(node) => self.synced(node, step),
            Event::Start { node, rot } => self.start(node, rot, step),
            Event::Crash { node, kept, torn, tear, checkpointed } => {
                self.host_mut(node).crash((kept, torn, tear), checkpointed, step);
            }
            Event::Wipe { node } => self.host_mut(node).wipe(step),
            Event::Pause(node) => self.host_mut(node).set_paused(true),
            Event::Resume(node) => {
                self.host_mut(node).set_paused(false);
                self.tell_of_disk(node, step);
            }
            Event::Stall(node) => self.host_mut(node).disk_mut().set_stalled(true),
            Event::Unstall(node) => self.host_mut(node).disk_mut().set_stalled(false),
            Event::FillUp(node) => self.fill_up(node, true, step),
            Event::MakeRoom(node) => self.fill_up(node, false, step),
            Event::Cut(links) => self.change_links(&links, true),
            Event::Mend(links) => self.change_links(&links, false),
            Event::ClockJump { node, by } => self.host_mut(node).clock_mut().jump(at, by),
            Event::ClockDrift { node, ppm } => {
                self.host_mut(node).clock_mut().set_drift(at, ppm);
            }
            Event::Request { client, request } => {
                let id = self.host_mut(client).next_request();
                step.facts.push(Fact::Requested { request: id });
                self.drive(client, Input::Request(id, request.as_ref()), step);
            }
            Event::Command(command) => {
                self.drive(S::commanded(&command), Input::Command(&command), step);
            }
        }
    }

    fn deliver(&mut self, id: PacketId, step: &mut Step<S>) {
        let packet = self.network.take(id).expect("the packet is in flight");
        step.packet = Some(packet.clone());
        let Packet { from, to, message } = packet;
        self.drive(to, Input::Message(from, message.as_ref()), step);
    }

    fn duplicate(&mut self, id: PacketId, step: &mut Step<S>) {
        let packet = self.network.get(id).expect("the packet is in flight").clone();
        step.packet = Some(packet.clone());
        let copy = self.network.send(packet);
        step.facts.push(Fact::Copied { packet: copy });
    }

    fn wake(&mut self, node: NodeId, step: &mut Step<S>) {
        let now = self.now;
        let host = self.host_mut(node);
        let (deadline, timer) =
            host.next_deadline().expect("a machine that is woken has a deadline");
        assert!(deadline <= host.clock().reading(now), "{node} is woken too early");
        step.timer = Some(timer.clone());
        self.drive(node, Input::Wake(timer), step);
    }

    fn synced(&mut self, node: NodeId, step: &mut Step<S>) {
        let index = self.index(node);
        self.hosts[index].synced(step);
        self.carry_out(index, step);
    }

    fn start(&mut self, node: NodeId, rot: Option<Rot>, step: &mut Step<S>) {
        let (index, now) = (self.index(node), self.now);
        self.hosts[index].start(now, rot, step);
        self.tell_of_disk(node, step);
    }

    fn fill_up(&mut self, node: NodeId, is_full: bool, step: &mut Step<S>) {
        self.host_mut(node).disk_mut().set_full(is_full);
        self.tell_of_disk(node, step);
    }

    /// Tells `node` whether its disk is full, if it is there to be told and does not know.
    fn tell_of_disk(&mut self, node: NodeId, step: &mut Step<S>) {
        if let Some(is_full) = self.host_mut(node).take_news_of_disk() {
            step.facts.push(Fact::ToldOfDisk { node, is_full });
            self.drive(node, Input::DiskFull(is_full), step);
        }
    }

    fn change_links(&mut self, links: &[(NodeId, NodeId)], cut: bool) {
        for &(from, to) in links {
            let (from, to) = (self.index(from), self.index(to));
            self.network.change_link(from, to, cut);
        }
    }

    /// Gives `node` an input and does what it asks for.
    fn drive(&mut self, node: NodeId, input: Input<'_, S>, step: &mut Step<S>) {
        let (index, now) = (self.index(node), self.now);
        self.hosts[index].step(now, input, step);
        self.carry_out(index, step);
    }

    /// Carries out what the outbox of a host releases.
    fn carry_out(&mut self, index: usize, step: &mut Step<S>) {
        let from = self.hosts[index].id();
        while let Some(effect) = self.hosts[index].pop_effect() {
            match effect {
                Effect::Send(to, message) => {
                    assert!(self.has(to), "{from} sends to {to}, which is no machine: {message:?}");
                    let packet = self.network.send(Packet { from, to, message: message.clone() });
                    step.facts.push(Fact::Sent { packet, from, to, message });
                }
                Effect::Checkpoint(snapshot) => self.hosts[index].write_checkpoint(snapshot),
                Effect::Reply(request, reply) => step.facts.push(Fact::Replied { request, reply }),
                Effect::Notice(notice) => step.facts.push(Fact::Noticed { client: from, notice }),
            }
        }
        self.hosts[index].sync_if_needed(step);
    }

    fn host_mut(&mut self, id: NodeId) -> &mut Host<S> {
        let index = self.index(id);
        &mut self.hosts[index]
    }

    /// Where the machine `id` stands among all: the control node, the nodes, the clients.
    pub(crate) fn index(&self, id: NodeId) -> usize {
        let Some(place) = self.cast.place(id) else { panic!("{id} is no machine of this world") };
        place
    }
}

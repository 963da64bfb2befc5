//! Messages in flight, and links that are cut.

use std::collections::VecDeque;
use std::sync::Arc;

use seedbed::machine::{NodeId, System};
use serde::Serialize;

/// Counts the messages that were put on the network, copies included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct PacketId(pub u64);

/// A message in flight.
#[derive(Clone, Debug, PartialEq)]
pub struct Packet<S: System> {
    /// Its sender.
    pub from: NodeId,
    /// The machine that it was sent to.
    pub to: NodeId,
    /// What it says.
    pub message: Arc<S::Message>,
}

/// What is in flight between the machines, and which links are cut. Latency and loss are decided
/// elsewhere: by itself it loses nothing.
#[derive(Clone, Debug)]
pub struct Network<S: System> {
    /// What is in flight, by number; those that have arrived leave a hole until all before them
    /// have.
    packets: VecDeque<Option<Packet<S>>>,
    first: u64,
    in_flight: usize,
    hosts: usize,
    /// For each (from, to) how many cuts hold it.
    cuts: Vec<u16>,
}

impl<S: System> Network<S> {
    pub(super) fn new(hosts: usize) -> Network<S> {
        let packets = VecDeque::new();
        Network { packets, first: 0, in_flight: 0, hosts, cuts: vec![0; hosts * hosts] }
    }

    /// How many messages are in flight.
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// The message `id`, if it is in flight.
    pub fn get(&self, id: PacketId) -> Option<&Packet<S>> {
        let at = id.0.checked_sub(self.first)?;
        self.packets.get(at as usize)?.as_ref()
    }

    /// Every message in flight, in the order of sending.
    pub fn packets(&self) -> impl Iterator<Item = (PacketId, &Packet<S>)> {
        let numbered = (self.first..).zip(&self.packets);
        numbered.filter_map(|(id, packet)| Some((PacketId(id), packet.as_ref()?)))
    }

    pub(super) fn send(&mut self, packet: Packet<S>) -> PacketId {
        let id = PacketId(self.first + self.packets.len() as u64);
        self.packets.push_back(Some(packet));
        self.in_flight += 1;
        id
    }

    pub(super) fn take(&mut self, id: PacketId) -> Option<Packet<S>> {
        let at = id.0.checked_sub(self.first)?;
        let packet = self.packets.get_mut(at as usize)?.take()?;
        self.in_flight -= 1;
        while let Some(None) = self.packets.front() {
            self.packets.pop_front();
            self.first += 1;
        }
        Some(packet)
    }

    pub(super) fn is_linked(&self, from: usize, to: usize) -> bool {
        self.cuts[from * self.hosts + to] == 0
    }

    pub(super) fn change_link(&mut self, from: usize, to: usize, cut: bool) {
        let cuts = &mut self.cuts[from * self.hosts + to];
        *cuts = if cut { *cuts + 1 } else { cuts.saturating_sub(1) };
    }
}

//! What is due, and in which order.
//!
//! There is a queue of (time, order) and, before anything in it, a stack of *turns*. The turns are
//! what happens right now: the events of a fault, and the faults that wait for what the last event
//! reached. It is a stack and no queue, because what an event leads to comes before what its own
//! fault does next: a fault that waits for `message_lost` strikes at the first message that a cut
//! loses, before the cut loses the second.

use crate::under_test::UnderTest;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;

use seedbed::machine::{NodeId, Time};

use super::occasions::Then;
use super::scheduled::Due;
use crate::oracle::milestones::Reached;
use crate::world::Event;
use crate::world::{Loss, PacketId};

/// What is due.
#[derive(Debug)]
pub(super) struct Queue<S: UnderTest> {
    /// The time of what was taken last.
    now: Time,
    /// What comes before anything in `heap`; the last is the first.
    turns: Vec<Turn<S>>,
    /// What is due at some time: the queue.
    heap: BinaryHeap<Reverse<Entry<S>>>,
    order: u64,
    /// By host: the wake that stands in the queue.
    wakes: Vec<Option<Time>>,
    /// What was due at machines that are paused.
    deferred: BTreeMap<NodeId, Vec<Due<S>>>,
}

/// What has its turn now.
#[derive(Debug)]
pub(super) enum Turn<S: UnderTest> {
    /// An event.
    Event(Event<S>),
    /// Something that is due, from the queue or from a fault.
    Due(Due<S>),
    /// Something that waited for this. Roles are bound when its turn has come, not before.
    Begin(Then, Box<Reached<S>>),
    /// What is in flight on these links is lost. It is looked for when its turn has come, after
    /// the cut.
    LoseInFlight(Arc<[(NodeId, NodeId)]>),
    /// This message is lost, if nothing has lost it since.
    Lose(PacketId, Loss),
    /// What waited at this machine's door goes into the queue.
    Release(NodeId),
    /// Something goes into the queue.
    Later(Time, Due<S>),
    /// The probe of this number in its round is asked.
    Probe(usize),
}

/// What is due at some time; ties go in the order of putting.
#[derive(Debug)]
struct Entry<S: UnderTest> {
    at: Time,
    order: u64,
    due: Due<S>,
}

impl<S: UnderTest> PartialEq for Entry<S> {
    fn eq(&self, other: &Entry<S>) -> bool {
        self.order == other.order
    }
}

impl<S: UnderTest> Eq for Entry<S> {}

impl<S: UnderTest> PartialOrd for Entry<S> {
    fn partial_cmp(&self, other: &Entry<S>) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<S: UnderTest> Ord for Entry<S> {
    fn cmp(&self, other: &Entry<S>) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

impl<S: UnderTest> Queue<S> {
    /// Nothing is due yet at any of so many machines.
    pub fn new(hosts: usize) -> Queue<S> {
        Queue {
            now: Time::ZERO,
            turns: Vec::new(),
            heap: BinaryHeap::new(),
            order: 0,
            wakes: vec![None; hosts],
            deferred: BTreeMap::new(),
        }
    }

    /// The first request of a user that is still to be asked: when, by which client, and for what.
    pub fn first_ask(&self) -> Option<(Time, NodeId, Arc<S::Request>)> {
        let asks = self.heap.iter().filter_map(|Reverse(entry)| match &entry.due {
            Due::Ask(user, _, request) => Some((entry.at, entry.order, user.client, request)),
            _ => None, // no user asks
        });
        let (at, _, client, request) = asks.min_by_key(|(at, order, ..)| (*at, *order))?;
        Some((at, client, request.clone()))
    }

    /// The time of what was taken last.
    pub fn now(&self) -> Time {
        self.now
    }

    /// When the next thing is due: now, as long as there are turns.
    pub fn next_at(&self) -> Option<Time> {
        if !self.turns.is_empty() {
            return Some(self.now);
        }
        self.heap.peek().map(|Reverse(entry)| entry.at)
    }

    /// Takes what is due next.
    pub fn pop(&mut self) -> Option<Turn<S>> {
        if let Some(turn) = self.turns.pop() {
            return Some(turn);
        }
        let Reverse(Entry { at, due, .. }) = self.heap.pop()?;
        self.now = at;
        Some(Turn::Due(due))
    }

    /// These come next, in this order, before all other turns.
    pub fn first(
        &mut self,
        turns: impl IntoIterator<Item = Turn<S>, IntoIter: DoubleEndedIterator>,
    ) {
        self.turns.extend(turns.into_iter().rev());
    }

    /// Puts `due` into the queue.
    pub fn put(&mut self, at: Time, due: Due<S>) {
        self.order += 1;
        self.heap.push(Reverse(Entry { at, order: self.order, due }));
    }

    /// Sees to it that the machine at `place` is woken at `at`, if it is not woken before.
    pub fn put_wake(&mut self, place: usize, node: NodeId, at: Time) {
        if self.wakes[place].is_none_or(|wake| at < wake) {
            self.wakes[place] = Some(at);
            self.put(at, Due::Wake(node));
        }
    }

    /// The wake that stood in the queue for the machine at `place` has been taken, if it is due.
    pub fn took_wake(&mut self, place: usize) {
        let now = self.now;
        self.wakes[place].take_if(|wake| *wake <= now);
    }

    /// `due` waits at the door of a machine.
    pub fn defer(&mut self, node: NodeId, due: Due<S>) {
        self.deferred.entry(node).or_default().push(due);
    }

    /// What waited at the door of a machine is due now.
    pub fn release(&mut self, node: NodeId) {
        for due in self.deferred.remove(&node).unwrap_or_default() {
            self.put(self.now, due);
        }
    }
}

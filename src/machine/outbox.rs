//! What a step asks its driver to do, and the one place where "make it durable, then say so" is
//! written.
//!
//! A step fills the outbox in order. The driver does two things with it, in any rhythm it likes:
//!
//! 1. appends every record from [`Outbox::take_record`] to the node's log, at once and in order;
//! 2. carries out every effect from [`Outbox::pop`], to which it says how far the log is durable.
//!
//! A forced record is a *barrier*: `pop` holds back every effect that was put in behind it until
//! the log is durable up to and including that record. Records themselves are not held back,
//! because the log is ordered: one that follows can never be durable before one that leads, and
//! appending early lets one sync cover many. So a protocol cannot send too early, and a driver
//! cannot either. [`Outbox::send_now`] is the one door around the barrier.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::Serialize;

use super::{NodeId, RequestId, System};

/// Something for the driver to do, once everything that was forced before it is durable.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(bound = "")]
pub enum Effect<S: System> {
    /// Send a message. Sender, network and receiver share the one value.
    Send(NodeId, Arc<S::Message>),
    /// Replace the log up to the snapshot's position, atomically.
    Checkpoint(Snapshot<S>),
    /// Answer a user (clients only).
    Reply(RequestId, S::Reply),
    /// Tell a user something unasked (clients only).
    Notice(S::Notice),
}

/// A record on its way to the log.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(bound = "")]
pub struct Append<S: System> {
    /// The record.
    pub record: S::Record,
    /// Does anything wait for it?
    pub forced: bool,
}

/// What replaces the log up to a position: records that, replayed, give the same state.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(bound = "")]
pub struct Snapshot<S: System> {
    /// The position in the log of the first record that the snapshot does not hold.
    pub covers: u64,
    /// The state.
    pub records: Arc<[S::Record]>,
}

/// A queue of effects with a barrier behind each forced record.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Outbox<S: System> {
    records: VecDeque<Append<S>>,
    /// Each effect with the position up to which the log must be durable before it is carried out.
    effects: VecDeque<(u64, Effect<S>)>,
    /// Effects that wait for nothing.
    urgent: VecDeque<Effect<S>>,
    /// The log's length once all that was put in is appended.
    next: u64,
    /// The log's length up to and including the last forced record.
    barrier: u64,
}

impl<S: System> Outbox<S> {
    /// An empty outbox of a node whose log is `length` records long.
    pub fn new(length: u64) -> Outbox<S> {
        Outbox {
            records: VecDeque::new(),
            effects: VecDeque::new(),
            urgent: VecDeque::new(),
            next: length,
            barrier: 0,
        }
    }

    /// Makes `record` durable before anything that is put in after it leaves.
    pub fn force(&mut self, record: S::Record) {
        self.append(record, true);
        self.barrier = self.next;
    }

    /// Makes `record` durable some time: with the next forced one, or never if a crash comes first.
    pub fn write_lazily(&mut self, record: S::Record) {
        self.append(record, false);
    }

    /// Sends `message` to `to`.
    pub fn send(&mut self, to: NodeId, message: impl Into<Arc<S::Message>>) {
        self.put(Effect::Send(to, message.into()));
    }

    /// Sends `message` to `to` at once, whatever is not durable: for what promises nothing and must
    /// not wait for a slow disk.
    pub fn send_now(&mut self, to: NodeId, message: impl Into<Arc<S::Message>>) {
        self.urgent.push_back(Effect::Send(to, message.into()));
    }

    /// Answers a user's request.
    pub fn reply(&mut self, request: RequestId, reply: S::Reply) {
        self.put(Effect::Reply(request, reply));
    }

    /// Tells a user something unasked.
    pub fn notice(&mut self, notice: S::Notice) {
        self.put(Effect::Notice(notice));
    }

    /// Replaces everything logged so far by `records`.
    pub fn checkpoint(&mut self, records: Vec<S::Record>) {
        self.put(Effect::Checkpoint(Snapshot { covers: self.next, records: records.into() }));
    }

    /// The driver's first duty: the next record to append.
    pub fn take_record(&mut self) -> Option<Append<S>> {
        self.records.pop_front()
    }

    /// The driver's second duty: the next effect, if the log, durable for its first `durable`
    /// records, allows it.
    pub fn pop(&mut self, durable: u64) -> Option<Effect<S>> {
        if let Some(effect) = self.urgent.pop_front() {
            return Some(effect);
        }
        let (needs, _) = self.effects.front()?;
        if *needs > durable {
            return None;
        }
        self.effects.pop_front().map(|(_, effect)| effect)
    }

    /// How many records have been put in, with those the log held before.
    pub fn appended(&self) -> u64 {
        self.next
    }

    /// Effects that are held back.
    pub fn held(&self) -> usize {
        self.effects.len()
    }

    fn append(&mut self, record: S::Record, forced: bool) {
        self.records.push_back(Append { record, forced });
        self.next += 1;
    }

    fn put(&mut self, effect: Effect<S>) {
        self.effects.push_back((self.barrier, effect));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::{Boot, Input, Machine, Never, Time};

    /// Messages and records are numbers, and nothing is done with them.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
    struct Numbers;

    impl System for Numbers {
        type Config = ();
        type Message = u32;
        type Record = u32;
        type Request = Never;
        type Reply = Never;
        type Notice = Never;
        type Command = Never;
        type Timer = Never;
        type Machine = Idle;

        fn recover(_config: &Arc<()>, _boot: Boot<'_, Numbers>) -> Idle {
            Idle
        }
    }

    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    struct Idle;

    impl Machine<Numbers> for Idle {
        fn step(&mut self, _now: Time, _input: Input<'_, Numbers>, _out: &mut Outbox<Numbers>) {}

        fn next_deadline(&self) -> Option<(Time, &Never)> {
            None
        }
    }

    #[test]
    fn a_forced_record_holds_back_what_follows_and_nothing_that_leads() {
        let mut out = Outbox::<Numbers>::new(5);
        out.send(NodeId::CONTROL, 1);
        out.force(1);
        out.send(NodeId::CONTROL, 2);
        assert!(out.pop(5).is_some());
        assert_eq!(out.pop(5), None);
        assert_eq!(out.held(), 1);
        assert!(out.pop(6).is_some());
    }

    #[test]
    fn what_promises_nothing_waits_for_nothing() {
        let mut out = Outbox::<Numbers>::new(0);
        out.force(1);
        out.send(NodeId::CONTROL, 1);
        out.send_now(NodeId::CONTROL, 2);
        assert_eq!(out.pop(0), Some(Effect::Send(NodeId::CONTROL, 2.into())));
        assert_eq!(out.pop(0), None);
        assert_eq!(out.pop(1), Some(Effect::Send(NodeId::CONTROL, 1.into())));
    }

    #[test]
    fn a_lazy_record_holds_back_nothing_but_takes_a_position() {
        let mut out = Outbox::<Numbers>::new(0);
        out.write_lazily(1);
        out.send(NodeId::CONTROL, 1);
        assert!(out.pop(0).is_some());
        out.force(2);
        out.send(NodeId::CONTROL, 2);
        assert_eq!(out.pop(1), None);
        assert!(out.pop(2).is_some());
    }
}

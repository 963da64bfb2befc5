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

use serde::{Deserialize, Serialize};

use super::{Message, NodeId, Notice, Record, Reply, RequestId, Snapshot};

/// Something for the driver to do, once everything that was forced before it is durable.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Effect {
    /// Send a message.
    Send(NodeId, Message),
    /// Replace the log up to the snapshot's position, atomically.
    Checkpoint(Snapshot),
    /// Answer a user (clients only).
    Reply(RequestId, Reply),
    /// Tell a user something unasked (clients only).
    Notice(Notice),
}

/// A record on its way to the log.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Append {
    /// The record.
    pub record: Record,
    /// Does anything wait for it?
    pub forced: bool,
}

/// A queue of effects with a barrier behind each forced record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Outbox {
    records: VecDeque<Append>,
    /// Each effect with the position up to which the log must be durable before it is carried out.
    effects: VecDeque<(u64, Effect)>,
    /// Effects that wait for nothing.
    urgent: VecDeque<Effect>,
    /// The log's length once all that was put in is appended.
    next: u64,
    /// The log's length up to and including the last forced record.
    barrier: u64,
}

impl Outbox {
    /// An empty outbox of a node whose log is `length` records long.
    pub fn new(length: u64) -> Outbox {
        Outbox { next: length, ..Outbox::default() }
    }

    /// Makes `record` durable before anything that is put in after it leaves.
    pub fn force(&mut self, record: Record) {
        self.append(record, true);
        self.barrier = self.next;
    }

    /// Makes `record` durable some time: with the next forced one, or never if a crash comes first.
    pub fn write_lazily(&mut self, record: Record) {
        self.append(record, false);
    }

    /// Sends `message` to `to`.
    pub fn send(&mut self, to: NodeId, message: Message) {
        self.put(Effect::Send(to, message));
    }

    /// Sends `message` to `to` at once, whatever is not durable: for what promises nothing and must
    /// not wait for a slow disk.
    pub fn send_now(&mut self, to: NodeId, message: Message) {
        self.urgent.push_back(Effect::Send(to, message));
    }

    /// Answers a user's request.
    pub fn reply(&mut self, request: RequestId, reply: Reply) {
        self.put(Effect::Reply(request, reply));
    }

    /// Tells a user something unasked.
    pub fn notice(&mut self, notice: Notice) {
        self.put(Effect::Notice(notice));
    }

    /// Replaces everything logged so far by `records`.
    pub fn checkpoint(&mut self, records: Vec<Record>) {
        self.put(Effect::Checkpoint(Snapshot { covers: self.next, records: records.into() }));
    }

    /// The driver's first duty: the next record to append.
    pub fn take_record(&mut self) -> Option<Append> {
        self.records.pop_front()
    }

    /// The driver's second duty: the next effect, if the log, durable for its first `durable`
    /// records, allows it.
    pub fn pop(&mut self, durable: u64) -> Option<Effect> {
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

    fn append(&mut self, record: Record, forced: bool) {
        self.records.push_back(Append { record, forced });
        self.next += 1;
    }

    fn put(&mut self, effect: Effect) {
        self.effects.push_back((self.barrier, effect));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::{Incarnation, Path, Refusal, Token};

    fn message(n: u32) -> Message {
        let client = NodeId::client(1);
        let request = RequestId { client, incarnation: Incarnation(1), number: n };
        let path = Path::new("/a").unwrap();
        Message::LockRefused { request, path, refusal: Refusal::Held }
    }

    #[test]
    fn a_forced_record_holds_back_what_follows_and_nothing_that_leads() {
        let mut out = Outbox::new(5);
        out.send(NodeId::CONTROL, message(1));
        out.force(Record::LastToken { token: Token(1) });
        out.send(NodeId::CONTROL, message(2));
        assert!(out.pop(5).is_some());
        assert_eq!(out.pop(5), None);
        assert_eq!(out.held(), 1);
        assert!(out.pop(6).is_some());
    }

    #[test]
    fn what_promises_nothing_waits_for_nothing() {
        let mut out = Outbox::new(0);
        out.force(Record::LastToken { token: Token(1) });
        out.send(NodeId::CONTROL, message(1));
        out.send_now(NodeId::CONTROL, message(2));
        assert_eq!(out.pop(0), Some(Effect::Send(NodeId::CONTROL, message(2))));
        assert_eq!(out.pop(0), None);
        assert_eq!(out.pop(1), Some(Effect::Send(NodeId::CONTROL, message(1))));
    }

    #[test]
    fn a_lazy_record_holds_back_nothing_but_takes_a_position() {
        let mut out = Outbox::new(0);
        out.write_lazily(Record::LastToken { token: Token(1) });
        out.send(NodeId::CONTROL, message(1));
        assert!(out.pop(0).is_some());
        out.force(Record::LastToken { token: Token(2) });
        out.send(NodeId::CONTROL, message(2));
        assert_eq!(out.pop(1), None);
        assert!(out.pop(2).is_some());
    }
}

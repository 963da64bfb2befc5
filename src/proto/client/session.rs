//! The session with each node, in which each message has a number of its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::attempts::RETRY_OFFSET;
use super::{AttemptId, Client, Pending};
use crate::machine::{Incarnation, NodeId, Time};
use crate::proto::{Defect, FileRequest, Operation, Outbox, Session};

/// The session with one node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Talk {
    /// The node's life, as far as it is known.
    pub node: Incarnation,
    pub next: u32,
    /// The numbers that wait for an answer, and for which attempt.
    pub open: BTreeMap<u32, AttemptId>,
}

impl Client {
    /// Sends a transaction to `to`, as the next message of the session with it.
    pub(super) fn begin(
        &mut self,
        now: Time,
        to: NodeId,
        number: u32,
        operations: Arc<[Operation]>,
        out: &mut Outbox,
    ) {
        let lowest = self.lowest();
        let pending = self.pending.get_mut(&number).expect("it is not answered");
        let age = pending.age(now);
        let Pending { mut request, attempt, .. } = *pending;
        if self.config.defects.has(Defect::RetryUnderNewId) {
            request.number += (attempt - 1) * RETRY_OFFSET;
        }
        let talk = self.sessions.entry(to).or_default();
        talk.next += 1;
        talk.open.insert(talk.next, AttemptId { number, attempt });
        let oldest =
            *talk.open.keys().next().expect("the message that is sent waits for an answer");
        let session = Session { node: talk.node, number: talk.next, lowest: oldest };
        let epoch = self.layout.epoch();
        out.send(
            to,
            FileRequest::Begin { session, epoch, request, attempt, lowest, age, operations },
        );
    }

    /// The node is in another life than the session was with, and took nothing.
    pub(super) fn on_other_session(
        &mut self,
        now: Time,
        from: NodeId,
        id: AttemptId,
        node: Incarnation,
        out: &mut Outbox,
    ) {
        let talk = self.sessions.entry(from).or_default();
        if talk.node < node {
            *talk = Talk { node, ..Talk::default() };
        }
        // This is the same attempt still. It is sent again once, however often the network brings
        // the news: sent twice, it could become two transactions. In a newer view it may have been
        // sent to another node.
        let is_on_its_way = |talk: &Talk| talk.open.values().any(|open| *open == id);
        let is_sent_again = self.sessions.values().any(is_on_its_way);
        let pending = self.pending.get(&id.number);
        let is_open = pending.is_some_and(|p| p.attempt == id.attempt && p.is_asking);
        if is_open && !is_sent_again {
            self.send_attempt(now, id.number, out);
        }
    }

    pub(super) fn close(&mut self, node: NodeId, id: AttemptId) {
        if let Some(talk) = self.sessions.get_mut(&node) {
            talk.open.retain(|_, open| *open != id);
        }
    }
}

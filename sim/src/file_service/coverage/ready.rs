//! Participants that have said that they are ready and have not voted: pinned, and free to let go.

use std::collections::BTreeSet;

use seedbed::machine::NodeId;
use seedbed::proto::{Message, Record, Timer, TxnId, TxnMessage, Vote, Voted};

use crate::file_service::{Event, Step};

/// Which participants are ready, and for which transactions.
#[derive(Clone, Debug, Default)]
pub(super) struct Ready(BTreeSet<(NodeId, TxnId)>);

impl Ready {
    /// Is `node` ready for any transaction?
    pub fn has(&self, node: NodeId) -> bool {
        self.0.iter().any(|(ready, _)| *ready == node)
    }

    pub fn on_sent(&mut self, from: NodeId, message: &Message) {
        match message {
            Message::Txn(TxnMessage::Ready { txn, .. }) => {
                self.0.insert((from, *txn));
            }
            Message::Txn(TxnMessage::Executed { txn, vote: Vote::No(_) }) => {
                self.0.remove(&(from, *txn));
            }
            _ => {} // it neither pins nor lets go
        }
    }

    pub fn on_received(&mut self, to: NodeId, message: &Message) {
        if let Message::Txn(TxnMessage::Abort { header } | TxnMessage::Decline { header, .. }) =
            message
        {
            self.0.remove(&(to, header.txn));
        }
    }

    pub fn on_appended(&mut self, node: NodeId, record: &Record) {
        match record {
            Record::Voted(Voted { txn, .. }) | Record::Promised { txn } => {
                self.0.remove(&(node, *txn));
            }
            // In another epoch it starts with nothing but what it has promised.
            Record::Entered { .. } => self.on_crashed(node),
            _ => {} // it neither pins nor lets go
        }
    }

    /// A participant that waits too long for the coordinator lets its pins go.
    pub fn on_step(&mut self, step: &Step) {
        if let (Event::Wake(node), Some(Timer::Ready(txn))) = (&step.event, &step.timer) {
            self.0.remove(&(*node, *txn));
        }
    }

    pub fn on_crashed(&mut self, node: NodeId) {
        self.0.retain(|(ready, _)| *ready != node);
    }
}

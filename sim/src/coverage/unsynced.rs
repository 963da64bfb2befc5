//! Records that are appended and not durable.

use std::collections::BTreeMap;

use seedbed::machine::NodeId;
use seedbed::proto::{Record, RecordKind, TxnId};

/// A record that a crash may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pending {
    kind: RecordKind,
    /// The transaction that it decides.
    decides: Option<TxnId>,
}

/// Records that a crash may take, by the machine and the position in its log.
#[derive(Clone, Debug, Default)]
pub(super) struct Unsynced(BTreeMap<NodeId, BTreeMap<u64, Pending>>);

impl Unsynced {
    pub fn on_appended(&mut self, node: NodeId, position: u64, record: &Record) {
        let decides = match record {
            Record::Decided { txn, .. } => Some(*txn),
            _ => None, // of other records the kind is enough
        };
        let pending = Pending { kind: record.kind(), decides };
        self.0.entry(node).or_default().insert(position, pending);
    }

    pub fn on_durable(&mut self, node: NodeId, position: u64) {
        if let Some(log) = self.0.get_mut(&node) {
            log.remove(&position);
        }
    }

    /// The log has no such records any more: they are lost, or as good as durable.
    pub fn forget(&mut self, node: NodeId) {
        self.0.remove(&node);
    }

    /// The records of `node` from a position on.
    pub fn from(&self, node: NodeId, from: u64) -> impl Iterator<Item = (u64, RecordKind)> {
        let log = self.0.get(&node).into_iter();
        log.flat_map(move |log| log.range(from..).map(|(at, pending)| (*at, pending.kind)))
    }

    /// Has `node` such a record of one of these kinds?
    pub fn has(&self, node: NodeId, kinds: &[RecordKind]) -> bool {
        self.from(node, 0).any(|(_, kind)| kinds.contains(&kind))
    }

    /// Has `node` appended its decision on `txn`, and is that not durable?
    pub fn decides(&self, node: NodeId, txn: TxnId) -> bool {
        let mut log = self.0.get(&node).into_iter().flat_map(BTreeMap::values);
        log.any(|pending| pending.decides == Some(txn))
    }
}

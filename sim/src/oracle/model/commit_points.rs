//! The moment at which a transaction commits, whichever node makes it durable.
//!
//! That is its coordinator, with the decision; or, if the coordinator's disk is lost, the first
//! participant that applies it because the centre says so.

use std::collections::BTreeSet;

use seedbed::proto::{Answer, NodeId, Path, Record, RecordKind, TxnId};

use super::Model;
use super::txns::Txn;
use crate::oracle::{Seen, SeenKinds};

/// What may be a commit point.
pub(in crate::oracle) const COMMIT_POINTS: SeenKinds =
    SeenKinds::durable(&[RecordKind::Decided, RecordKind::Applied]);

/// A transaction that has just committed.
#[derive(Clone, Copy, Debug)]
pub struct CommitPoint<'a> {
    /// Which.
    pub id: TxnId,
    /// What is known of it.
    pub txn: &'a Txn,
    /// The node whose record commits it.
    pub node: NodeId,
    /// The whole answer.
    pub answer: &'a Answer,
}

impl Model {
    /// The files for which the newest commit comes too late: they have begun again since it was
    /// voted for, while a former owner was in doubt about it.
    pub fn too_late(&self) -> &BTreeSet<Path> {
        &self.too_late
    }

    /// The commit that `seen`, the newest thing that was seen, is, if it is one.
    pub fn committed_by<'a>(&'a self, seen: &Seen<'a>) -> Option<CommitPoint<'a>> {
        let newly = self.newly_committed?;
        let Seen::Durable { node, record, .. } = *seen else { return None };
        let (Record::Decided { txn: id, answer, .. } | Record::Applied { txn: id, answer, .. }) =
            record
        else {
            return None;
        };
        let txn = self.txns.get(id).filter(|_| *id == newly)?;
        Some(CommitPoint { id: *id, txn, node, answer })
    }
}

//! Records that are appended and not durable.

use std::collections::VecDeque;

use seedbed::machine::NodeId;

use crate::oracle::{PerNode, Seen};
use crate::under_test::UnderTest;

/// Records that a crash may take: of each machine the end of its log, with positions.
#[derive(Clone, Debug)]
pub struct Unsynced<S: UnderTest>(PerNode<VecDeque<(u64, S::RecordKind)>>);

impl<S: UnderTest> Default for Unsynced<S> {
    fn default() -> Unsynced<S> {
        Unsynced(PerNode::default())
    }
}

impl<S: UnderTest> Unsynced<S> {
    /// Takes over what was seen.
    pub fn see(&mut self, seen: &Seen<'_, S>) {
        match *seen {
            Seen::Appended { node, position, record, .. } => {
                self.0.slot(node).push_back((position, S::record_kind(record)));
            }
            Seen::Durable { node, position, .. } => {
                // Records become durable in the order of the log.
                let log = self.0.slot(node);
                while log.front().is_some_and(|(at, _)| *at <= position) {
                    log.pop_front();
                }
            }
            // The log has no such records any more: they are lost, or as good as durable.
            Seen::Forgot { node, .. } | Seen::Wiped { node } | Seen::Started { node, .. } => {
                self.0.slot(node).clear();
            }
            _ => {} // it touches no log
        }
    }

    /// The records of `node` from a position on.
    pub fn from(&self, node: NodeId, from: u64) -> impl Iterator<Item = (u64, S::RecordKind)> {
        let log = self.0.get(node).into_iter().flatten().copied();
        log.filter(move |(at, _)| *at >= from)
    }

    /// Has `node` such a record of one of these kinds?
    pub fn has(&self, node: NodeId, kinds: &[S::RecordKind]) -> bool {
        self.from(node, 0).any(|(_, kind)| kinds.contains(&kind))
    }
}

//! Records that are appended and not durable.

use std::collections::BTreeMap;

use seedbed::machine::NodeId;

use crate::oracle::Seen;
use crate::under_test::UnderTest;

/// Records that a crash may take, by the machine and the position in its log.
#[derive(Clone, Debug)]
pub struct Unsynced<S: UnderTest>(BTreeMap<NodeId, BTreeMap<u64, S::RecordKind>>);

impl<S: UnderTest> Default for Unsynced<S> {
    fn default() -> Unsynced<S> {
        Unsynced(BTreeMap::new())
    }
}

impl<S: UnderTest> Unsynced<S> {
    /// Takes over what was seen.
    pub fn see(&mut self, seen: &Seen<'_, S>) {
        match *seen {
            Seen::Appended { node, position, record, .. } => {
                self.0.entry(node).or_default().insert(position, S::record_kind(record));
            }
            Seen::Durable { node, position, .. } => {
                if let Some(log) = self.0.get_mut(&node) {
                    log.remove(&position);
                }
            }
            // The log has no such records any more: they are lost, or as good as durable.
            Seen::Forgot { node, .. } | Seen::Wiped { node } | Seen::Started { node, .. } => {
                self.0.remove(&node);
            }
            _ => {} // it touches no log
        }
    }

    /// The records of `node` from a position on.
    pub fn from(&self, node: NodeId, from: u64) -> impl Iterator<Item = (u64, S::RecordKind)> {
        let log = self.0.get(&node).into_iter();
        log.flat_map(move |log| log.range(from..).map(|(at, kind)| (*at, *kind)))
    }

    /// Has `node` such a record of one of these kinds?
    pub fn has(&self, node: NodeId, kinds: &[S::RecordKind]) -> bool {
        self.from(node, 0).any(|(_, kind)| kinds.contains(&kind))
    }
}

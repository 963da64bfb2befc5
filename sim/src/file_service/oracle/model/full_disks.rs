//! Which disks are full, and which machines know that theirs is.

use std::collections::BTreeMap;

use seedbed::machine::NodeId;

/// The disks that were ever full.
#[derive(Clone, Debug, Default)]
pub struct FullDisks(BTreeMap<NodeId, FullDisk>);

/// A disk that was full at some time.
#[derive(Clone, Copy, Debug, Default)]
struct FullDisk {
    /// Is it now?
    is_full: bool,
    /// The last step in which it was.
    last: u64,
    /// The step in which the life of its machine was told that it is.
    told: Option<u64>,
}

impl FullDisks {
    /// Was the disk of `node` full in that step, or at some time after it?
    pub fn was_full_since(&self, node: NodeId, step: u64) -> bool {
        self.0.get(&node).is_some_and(|disk| disk.is_full || disk.last >= step)
    }

    /// In which step `node` was told that its disk is full, if it has to believe so now.
    pub fn knows(&self, node: NodeId) -> Option<u64> {
        self.0.get(&node)?.told
    }

    /// Every machine whose disk was full at some time.
    pub fn nodes(&self) -> impl Iterator<Item = NodeId> {
        self.0.keys().copied()
    }

    pub(super) fn on_filled(&mut self, step: u64, node: NodeId, is_full: bool) {
        let disk = self.0.entry(node).or_default();
        (disk.is_full, disk.last) = (is_full, step);
    }

    pub(super) fn on_told(&mut self, step: u64, node: NodeId, is_full: bool) {
        self.0.entry(node).or_default().told = is_full.then_some(step);
    }

    /// What runs on the machine next knows nothing.
    pub(super) fn on_crashed(&mut self, node: NodeId) {
        if let Some(disk) = self.0.get_mut(&node) {
            disk.told = None;
        }
    }

    /// Another disk is in its place.
    pub(super) fn on_wiped(&mut self, step: u64, node: NodeId) {
        if let Some(disk) = self.0.get_mut(&node).filter(|disk| disk.is_full) {
            (disk.is_full, disk.last) = (false, step);
        }
    }
}

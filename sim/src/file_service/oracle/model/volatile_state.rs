//! What each node should have in its memory, which is ahead of its disk and goes back to it in a
//! crash: the paths that its votes pin, what it is in doubt about, the epoch that it has entered.

use std::collections::{BTreeMap, BTreeSet};

use seedbed::machine::NodeId;
use seedbed::proto::{Arcs, Changes, Config, Epoch, Path, Record, TxnId};

use super::disks::Disk;
use super::txns::Txns;
use crate::file_service::oracle::At;

/// The paths that undecided yes votes of a node would change, each with the step of the vote.
type Pins = BTreeMap<Path, At<TxnId>>;

/// The memories of all nodes.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    pins: BTreeMap<NodeId, Pins>,
    /// The transactions of which the log of a node has a yes and no outcome.
    in_doubt: BTreeMap<NodeId, BTreeSet<TxnId>>,
    /// Outcomes that a node has appended and a crash can still make it forget.
    outcomes: BTreeMap<NodeId, BTreeSet<TxnId>>,
    epochs: BTreeMap<NodeId, At<Epoch>>,
}

/// What is asked of it.
impl Memory {
    /// The paths that undecided yes votes of `node` would change.
    pub fn pins(&self, node: NodeId) -> Option<&BTreeMap<Path, At<TxnId>>> {
        self.pins.get(&node)
    }

    /// The transactions of which the durable log of `node` has a yes and no outcome.
    pub fn durable_doubts(&self, node: NodeId) -> Option<&BTreeSet<TxnId>> {
        self.in_doubt.get(&node)
    }

    /// The transactions that `node` is in doubt about: it has not even appended the
    /// outcome.
    pub fn doubts(&self, node: NodeId) -> impl Iterator<Item = TxnId> {
        let outcomes = self.outcomes.get(&node);
        let in_doubt = self.in_doubt.get(&node).into_iter().flatten().copied();
        in_doubt.filter(move |txn| outcomes.is_none_or(|outcomes| !outcomes.contains(txn)))
    }

    /// Is `node` in doubt about `txn`?
    pub fn is_in_doubt_about(&self, node: NodeId, txn: TxnId) -> bool {
        let has = |of: &BTreeMap<NodeId, BTreeSet<TxnId>>| {
            of.get(&node).is_some_and(|txns| txns.contains(&txn))
        };
        has(&self.in_doubt) && !has(&self.outcomes)
    }

    /// The epoch that `node` has entered.
    pub fn epoch(&self, node: NodeId) -> Option<&At<Epoch>> {
        self.epochs.get(&node)
    }
}

/// What happens.
impl Memory {
    /// A node appends its yes. The first to pin a path has it; that another takes it is for an
    /// invariant to say.
    pub(super) fn on_voted(&mut self, step: u64, node: NodeId, txn: TxnId, changes: &Changes) {
        let pins = self.pins.entry(node).or_default();
        for (path, _) in changes.iter() {
            pins.entry(path.clone()).or_insert(At { step, is: txn });
        }
    }

    /// A node appends the outcome of its vote.
    pub(super) fn on_outcome(&mut self, node: NodeId, txn: TxnId) {
        if let Some(pins) = self.pins.get_mut(&node) {
            pins.retain(|_, pin| pin.is != txn);
        }
        self.outcomes.entry(node).or_default().insert(txn);
    }

    pub(super) fn on_entered(&mut self, step: u64, node: NodeId, epoch: Epoch) {
        self.epochs.insert(node, At { step, is: epoch });
    }

    /// A node appends that paths have moved: its votes on those count no more.
    pub(super) fn on_moved(&mut self, node: NodeId, record: &Record, config: &Config) {
        let is_in = |arcs: &Arcs, path: &Path| arcs.contains(config.position(path));
        match record {
            Record::Pulled { files, replaced, .. } => self.void(node, |path| {
                is_in(replaced, path) || files.iter().any(|(pulled, _)| pulled == path)
            }),
            Record::GaveUp { keeps, .. } => self.void(node, |path| !is_in(keeps, path)),
            Record::Reset { arcs, .. } => self.void(node, |path| is_in(arcs, path)),
            _ => {} // it moves no path
        }
    }

    fn void(&mut self, node: NodeId, is_replaced: impl Fn(&Path) -> bool) {
        if let Some(pins) = self.pins.get_mut(&node) {
            pins.retain(|path, _| !is_replaced(path));
        }
    }

    /// A yes is durable.
    pub(super) fn on_durable_vote(&mut self, node: NodeId, txn: TxnId) {
        self.in_doubt.entry(node).or_default().insert(txn);
    }

    /// An outcome is durable.
    pub(super) fn on_durable_outcome(&mut self, node: NodeId, txn: TxnId) {
        if let Some(in_doubt) = self.in_doubt.get_mut(&node) {
            in_doubt.remove(&txn);
        }
        if let Some(outcomes) = self.outcomes.get_mut(&node) {
            outcomes.remove(&txn);
        }
    }

    /// The memory goes back to what is durable; where membership is fixed, the transactions say
    /// what that is.
    pub(super) fn on_crashed_with_fixed_members(&mut self, node: NodeId, txns: &Txns) {
        self.outcomes.remove(&node);
        let pins = self.pins.entry(node).or_default();
        pins.clear();
        for txn in self.in_doubt.get(&node).into_iter().flatten() {
            let Some(yes) = txns.get(txn).and_then(|txn| txn.yes.get(&node)) else { continue };
            for (path, _) in yes.is.iter() {
                pins.insert(path.clone(), At { step: yes.step, is: *txn });
            }
        }
    }

    /// The memory goes back to what is durable; where membership is managed, the disk says what
    /// that is.
    pub(super) fn on_crashed(&mut self, node: NodeId, disk: Option<&Disk>) {
        self.outcomes.remove(&node);
        let pins = self.pins.entry(node).or_default();
        pins.clear();
        for (txn, promise) in disk.into_iter().flat_map(|disk| &disk.votes) {
            for (path, _) in &promise.changes {
                pins.insert(path.clone(), At { step: promise.step, is: *txn });
            }
        }
        let epoch = disk.map(|disk| disk.epoch.clone()).unwrap_or_default();
        self.epochs.insert(node, epoch);
    }

    /// The disk is gone, and what the node had promised with it: gives what it was in doubt about.
    pub(super) fn on_wiped(&mut self, node: NodeId) -> BTreeSet<TxnId> {
        self.outcomes.remove(&node);
        self.pins.remove(&node);
        self.epochs.remove(&node);
        self.in_doubt.remove(&node).unwrap_or_default()
    }
}

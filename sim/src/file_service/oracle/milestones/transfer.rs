//! The milestones of hand-overs: which node pulls from which, and what comes in between.
//!
//! A *hand-over* is what one node pulls in one epoch, in one life: it begins with the first chunk
//! that is asked for and is done when the node says that it is complete. A *pull* is one source's
//! part in it.

use std::collections::{BTreeMap, BTreeSet};

use seedbed::machine::{Incarnation, NodeId};
use seedbed::proto::{
    Arcs, Chunk, Config, Epoch, FromCentre, Known, Message, Path, Pull, Record, ToCentre, TxnId,
    TxnMessage, Voted,
};

use super::{Hits, Milestones};
use crate::file_service::Milestone;
use crate::file_service::oracle::Model;
use crate::file_service::subject_of::{Subjects, Transfer};

/// What was seen of hand-overs.
#[derive(Clone, Debug, Default)]
pub(super) struct Moves {
    /// By receiver.
    under_way: BTreeMap<NodeId, HandOver>,
    /// The newest epoch that each node's memory has entered in its present life.
    entered: BTreeMap<NodeId, Epoch>,
    /// Votes that are not decided at their voter and have lost paths to a hand-over.
    voided: BTreeSet<(NodeId, TxnId)>,
    /// Votes of which the centre has told the voter what becomes of them.
    resolved: BTreeSet<(NodeId, TxnId)>,
    /// Votes that were seen to be undecided on paths that move.
    doubts: BTreeSet<(NodeId, TxnId)>,
}

/// What one node pulls in one epoch.
#[derive(Clone, Debug)]
struct HandOver {
    epoch: Epoch,
    /// The newest pull, and whether anything more is to come of it.
    pull: PullId,
    is_open: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct PullId {
    incarnation: Incarnation,
    number: u32,
    source: NodeId,
}

/// A pull of which more is to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenPull {
    /// The node that pulls.
    pub receiver: NodeId,
    /// The node that it pulls from.
    pub source: NodeId,
}

impl Moves {
    /// The node that `receiver` pulls from, or pulled from last.
    pub fn source_of(&self, receiver: NodeId) -> Option<NodeId> {
        Some(self.under_way.get(&receiver)?.pull.source)
    }

    /// Ends what `receiver` pulls in an epoch before `epoch`.
    fn end_before(&mut self, receiver: NodeId, epoch: Epoch) -> Option<HandOver> {
        let older = self.under_way.get(&receiver).is_some_and(|pulled| pulled.epoch < epoch);
        if older { self.under_way.remove(&receiver) } else { None }
    }

    /// The receivers that wait for something from `source`, which will not come.
    fn close_all(&mut self, source: NodeId) -> Vec<NodeId> {
        let open = self
            .under_way
            .iter_mut()
            .filter(|(_, pulled)| pulled.is_open && pulled.pull.source == source);
        open.map(|(receiver, pulled)| {
            pulled.is_open = false;
            *receiver
        })
        .collect()
    }

    /// Nothing that `node` voted for is known to it any more.
    pub fn forget_all(&mut self, node: NodeId) {
        for votes in [&mut self.voided, &mut self.resolved, &mut self.doubts] {
            votes.retain(|(voter, _)| *voter != node);
        }
    }

    /// A vote is decided at its voter.
    fn forget(&mut self, vote: (NodeId, TxnId)) {
        self.voided.remove(&vote);
        self.doubts.remove(&vote);
    }
}

impl Milestones {
    /// The pulls of which more is to come.
    pub fn open_pulls(&self) -> impl Iterator<Item = OpenPull> {
        let open = self.moves.under_way.iter().filter(|(_, pulled)| pulled.is_open);
        open.map(|(receiver, of)| OpenPull { receiver: *receiver, source: of.pull.source })
    }

    fn hit_move(
        &mut self,
        hits: &mut Hits,
        milestone: Milestone,
        at: NodeId,
        receiver: NodeId,
        source: NodeId,
    ) {
        hits.hit(milestone, at, || Subjects::of(Transfer { receiver, source: Some(source) }));
    }

    pub(super) fn move_on_sent(
        &mut self,
        hits: &mut Hits,
        from: NodeId,
        to: NodeId,
        message: &Message,
    ) {
        match message {
            Message::Pull(Pull { epoch, pull, incarnation, .. }) => {
                let pull = PullId { incarnation: *incarnation, number: *pull, source: to };
                self.on_pull(hits, from, *epoch, pull);
            }
            Message::Chunk(Chunk { doubtful, end, .. }) => {
                if end.as_ref().is_some_and(|end| !end.witnessed.is_empty()) {
                    self.hit_move(hits, Milestone::WITNESS_ANSWERED, from, to, from);
                }
                if !doubtful.is_empty() {
                    self.hit_move(hits, Milestone::HAND_OVER_WAITS_FOR_DECISION, from, to, from);
                }
            }
            Message::ToCentre(ToCentre::Completed { epoch, .. }) => {
                let done = self.moves.under_way.get(&from).filter(|pulled| pulled.epoch == *epoch);
                if let Some(source) = done.map(|pulled| pulled.pull.source) {
                    self.moves.under_way.remove(&from);
                    self.hit_move(hits, Milestone::HAND_OVER_DONE, from, from, source);
                }
            }
            _ => {}
        }
    }

    fn on_pull(&mut self, hits: &mut Hits, receiver: NodeId, epoch: Epoch, pull: PullId) {
        if self.moves.entered.get(&receiver).is_some_and(|newest| *newest > epoch) {
            return; // it had waited for the disk, and the node has left that epoch meanwhile
        }
        let is_new = self.moves.under_way.get(&receiver).is_none_or(|old| old.epoch < epoch);
        self.moves.under_way.insert(receiver, HandOver { epoch, pull, is_open: true });
        if is_new {
            self.hit_move(hits, Milestone::HAND_OVER_BEGUN, receiver, receiver, pull.source);
        }
    }

    pub(super) fn move_on_received(
        &mut self,
        hits: &mut Hits,
        from: NodeId,
        to: NodeId,
        message: &Message,
    ) {
        match message {
            Message::Chunk(Chunk { pull, incarnation, files, end, .. }) => {
                let pull = PullId { incarnation: *incarnation, number: *pull, source: from };
                let pulled = self.moves.under_way.get_mut(&to).filter(|now| now.pull == pull);
                if let Some(pulled) = pulled {
                    pulled.is_open &= end.is_none() && !files.is_empty();
                }
            }
            Message::Txn(
                TxnMessage::Commit { header, .. }
                | TxnMessage::Abort { header }
                | TxnMessage::Decline { header, .. },
            ) => {
                self.on_late_decision(hits, to, header.txn);
            }
            Message::Txn(TxnMessage::Told { txn, known: Known::Committed(_) | Known::Aborted }) => {
                self.on_late_decision(hits, to, *txn);
            }
            Message::FromCentre(FromCentre::Resolved { txn, .. }) => {
                if self.in_doubt.slot(to).contains_key(txn) {
                    self.moves.resolved.insert((to, *txn));
                }
                self.on_late_decision(hits, to, *txn);
            }
            _ => {}
        }
    }

    fn on_late_decision(&mut self, hits: &mut Hits, node: NodeId, txn: TxnId) {
        if self.moves.voided.remove(&(node, txn)) {
            hits.hit_txn(Milestone::LATE_DECISION, node, txn);
        }
    }

    /// A node's memory is in another epoch: what it has pulled for an older one is for nothing.
    pub(super) fn move_on_appended(&mut self, hits: &mut Hits, node: NodeId, record: &Record) {
        let Record::Entered { epoch, .. } = record else { return };
        self.moves.entered.insert(node, *epoch);
        if let Some(pulled) = self.moves.end_before(node, *epoch) {
            self.hit_move(hits, Milestone::HAND_OVER_INTERRUPTED, node, node, pulled.pull.source);
        }
    }

    pub(super) fn move_on_durable(
        &mut self,
        hits: &mut Hits,
        node: NodeId,
        record: &Record,
        model: &Model,
        config: &Config,
    ) {
        match record {
            Record::Complete { arcs, .. } => {
                // No node is asked for what was there before the first epoch: nothing.
                if let Some(source) = self.moves.source_of(node) {
                    self.hit_move(hits, Milestone::ARC_COMPLETED, node, node, source);
                }
                self.void(node, model, |path| is_on(config, arcs, path));
            }
            Record::Pulled { files, .. } => {
                self.void(node, model, |path| files.iter().any(|(pulled, _)| pulled == path));
            }
            Record::GaveUp { keeps, .. } => {
                self.void(node, model, |path| !is_on(config, keeps, path));
            }
            Record::Voted(Voted { txn, paths, .. }) if self.views.is_moving() => {
                self.find_moving_doubt(hits, node, *txn, paths.iter());
            }
            Record::Applied { txn, .. } | Record::RolledBack { txn } => {
                self.moves.forget((node, *txn));
                if self.moves.resolved.remove(&(node, *txn)) {
                    hits.hit_txn(Milestone::DOUBT_RESOLVED, node, *txn);
                }
            }
            _ => {}
        }
    }

    /// The votes of `node` that are undecided have lost those of their paths that are `replaced`.
    fn void(&mut self, node: NodeId, model: &Model, replaced: impl Fn(&Path) -> bool) {
        let undecided = self.in_doubt.slot(node).iter().filter(|(_, learnt)| !**learnt);
        let voided = undecided.filter(|(txn, _)| model.paths_pinned(node, **txn).any(&replaced));
        self.moves.voided.extend(voided.map(|(txn, _)| (node, *txn)));
    }

    /// Looks which nodes are in doubt about paths that the newest view moves.
    pub(super) fn move_on_announced(&mut self, hits: &mut Hits, model: &Model) {
        if !self.views.is_moving() {
            return;
        }
        for node in self.views.known().clone() {
            let undecided = self.in_doubt.slot(node).iter().filter(|(_, learnt)| !**learnt);
            let undecided: Vec<TxnId> = undecided.map(|(txn, _)| *txn).collect();
            for txn in undecided {
                self.find_moving_doubt(hits, node, txn, model.paths_pinned(node, txn));
            }
        }
    }

    fn find_moving_doubt<'a>(
        &mut self,
        hits: &mut Hits,
        node: NodeId,
        txn: TxnId,
        mut paths: impl Iterator<Item = &'a Path>,
    ) {
        let moves = paths.any(|path| self.views.moves(path));
        if moves && self.moves.doubts.insert((node, txn)) {
            hits.hit_txn(Milestone::IN_DOUBT_ON_A_MOVING_ARC, node, txn);
        }
    }

    pub(super) fn move_on_crashed(&mut self, hits: &mut Hits, node: NodeId) {
        self.moves.entered.remove(&node);
        if let Some(pulled) = self.moves.under_way.remove(&node) {
            let source = pulled.pull.source;
            self.hit_move(hits, Milestone::RECEIVER_CRASHED, node, node, source);
            self.hit_move(hits, Milestone::HAND_OVER_INTERRUPTED, node, node, source);
        }
        for receiver in self.moves.close_all(node) {
            self.hit_move(hits, Milestone::SOURCE_CRASHED, node, receiver, node);
            self.hit_move(hits, Milestone::HAND_OVER_INTERRUPTED, receiver, receiver, node);
        }
    }
}

fn is_on(config: &Config, arcs: &Arcs, path: &Path) -> bool {
    arcs.contains(config.position(path))
}

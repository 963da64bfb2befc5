//! The moment at which a transaction commits, whichever node makes it durable.
//!
//! That is its coordinator, with the decision; or, if the coordinator's disk is lost, the first
//! participant that applies it because the centre says so.

use std::collections::BTreeSet;
use std::sync::Arc;

use seedbed::machine::{NodeId, RequestId};
use seedbed::proto::{Answer, Config, Decided, File, Path, Record, RecordKind, TxnId};

use super::Model;
use super::files::Committed;
use super::reference::{Commit, operations, paths};
use super::txns::Txn;
use crate::file_service::oracle::{At, Seen, SeenKinds};

/// What may be a commit point.
pub(in crate::file_service::oracle) fn commit_points() -> SeenKinds {
    SeenKinds::durable(&[RecordKind::Decided, RecordKind::Applied])
}

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
        let (Record::Decided(Decided { txn: id, answer, .. })
        | Record::Applied { txn: id, answer, .. }) = record
        else {
            return None;
        };
        let txn = self.txns.get(id).filter(|_| *id == newly)?;
        Some(CommitPoint { id: *id, txn, node, answer })
    }
}

impl Model {
    /// The centre resolves a transaction whose coordinator's disk is gone: the first participant
    /// that applies it is the commit point.
    pub(super) fn resolve(&mut self, id: TxnId, answer: &Answer, config: &Arc<Config>) {
        let is_gone = self.coordinator_is_gone(id).is_some();
        let Some(txn) = self.txns.get(&id).filter(|txn| is_gone && txn.decided.is_none()) else {
            return;
        };
        if let Some(request) = txn.request {
            self.commit(id, request, answer, config);
        }
    }

    /// The commit point: what every yes vote and the coordinator's own part would change is
    /// committed now. That part is not known if a lost disk had it.
    pub(super) fn commit(
        &mut self,
        id: TxnId,
        request: RequestId,
        answer: &Answer,
        config: &Arc<Config>,
    ) {
        let (step, origin) = (self.step, self.origin(request));
        let is_again = self.effects.of(origin).is_some_and(|first| self.is_undone(first));
        let is_orphan = self.coordinator_is_gone(id).is_some();
        self.commits += 1;
        let order = self.commits;
        let txn = self.txns.entry(id);
        txn.order = Some(order);
        txn.decided = Some(At { step, is: answer.clone() });
        self.newly_committed = Some(id);
        let (epoch, origin) = (txn.epoch, *txn.origin.get_or_insert(origin));
        let parts = txn.parts(id.coordinator);
        let placement = self.views.placement(config, epoch);
        let owners = |path: &Path| Some(placement.as_ref()?.owners(config, path));
        let (disks, views, members) = (&self.disks, &self.views, txn.members.clone());
        // Of a commit without a decision, what only lost owners would have stored is lost.
        let is_gone = |node: &NodeId| match *node == id.coordinator {
            true => is_orphan,
            false => members.iter().any(|of| {
                of.node == *node && (disks.gone(*of).is_some() || views.is_given_up(*of))
            }),
        };
        let asked = self.requests.get(&origin).and_then(operations);
        let of_orphan = asked.iter().filter(|_| is_orphan).flat_map(|of| paths(of));
        // A former owner may have been in doubt all that time.
        let has_begun_again =
            |path: &&Path| self.files.has_begun_again(config.position(path), epoch);
        let too_late: BTreeSet<Path> = of_orphan.filter(has_begun_again).cloned().collect();
        let is_too_late = |path: &Path| too_late.contains(path);
        let is_lost = |path: &Path| {
            let all_are_gone = || owners(path).is_some_and(|of| of.iter().all(is_gone));
            is_orphan && !is_too_late(path) && all_are_gone()
        };
        self.reference.on_commit(&Commit {
            step,
            txn: id,
            request: origin,
            operations: asked.clone(),
            parts: &parts[usize::from(is_orphan)..],
            pinned: &txn.pinned,
            owners: &owners,
            answer,
            is_lost: &is_lost,
            is_too_late: &is_too_late,
            is_again,
        });
        let committed = |file: &File| Committed { step, order, txn: id, epoch, file: file.clone() };
        self.files.on_committed(&parts, committed, is_too_late);
        let asked = asked.iter().flat_map(|of| paths(of));
        let lost: Vec<Path> = asked.filter(|path| is_lost(path)).cloned().collect();
        lost.iter().for_each(|path| self.files.lose(step, path));
        self.too_late = too_late;
        self.requests.on_committed(origin, id);
    }

    pub(super) fn on_effect(&mut self, txn: TxnId, request: RequestId, answer: &Answer) {
        let origin = self.origin(request);
        let at = At { step: self.step, is: (txn, answer.clone()) };
        let is_undone = self.effects.of(origin).is_some_and(|first| self.is_undone(first));
        let is_lost = self.is_undone(&at);
        self.effects.on_effect(origin, at, is_undone, is_lost);
    }

    /// Has everything that the transaction changed been given up since, or in the step in which it
    /// was committed? Then no owner need remember that its request is done, and it may be done
    /// again.
    pub fn is_undone(&self, effect: &At<(TxnId, Answer)>) -> bool {
        let Some(txn) = self.txns.get(&effect.is.0) else { return false };
        let is_given_up = |path: &Path| self.files.is_undone(path, effect.step, effect.is.0);
        match txn.changes().next() {
            Some(_) => txn.changes().all(|(path, _)| is_given_up(path)),
            // One that only reads leaves nothing but the memory of those that took part, or of the
            // owners that have pulled it.
            None => {
                let mut members = txn.members.iter().copied().chain([effect.is.0.begun_by()]);
                members.all(|member| self.is_out(member)) || self.is_an_owner_given_up(effect, txn)
            }
        }
    }

    /// Has an owner of what the request asked for, in a view since, been given up since?
    fn is_an_owner_given_up(&self, effect: &At<(TxnId, Answer)>, txn: &Txn) -> bool {
        let Some(config) = self.disks.managed() else { return false };
        let asked = txn.origin.and_then(|origin| self.requests.get(&origin)).and_then(operations);
        let given_up = self.views.gave_up_since(effect.step);
        given_up.into_iter().any(|member| {
            self.views.with(member, txn.epoch).any(|view| {
                let placement = self.views.placement(config, view.epoch);
                let owns = |path| {
                    placement
                        .as_ref()
                        .is_some_and(|of| of.owners(config, path).contains(&member.node))
                };
                asked.iter().flat_map(|of| paths(of)).any(owns)
            })
        })
    }

    /// Is this the step in which a transaction of a lost coordinator is resolved?
    pub(super) fn is_resolved_now(&self, txn: TxnId) -> bool {
        let is_new = || self.txns.get(&txn).is_some_and(|known| known.decided_in(self.step));
        self.coordinator_is_gone(txn).is_some() && is_new()
    }
}

//! Which machine plays which role in what a milestone is about.

use seedbed::machine::{NodeId, RequestId};
use seedbed::proto::{Path, Request, TxnId};

use super::transactions::Run;
use super::views::{Changed, ViewsSeen};
use super::{Milestones, Reached};
use crate::file_service::Milestone;
use crate::file_service::World;
use crate::file_service::oracle::model::reference::program::paths;
use crate::file_service::oracle::{Lock, Model};
use crate::file_service::scenario::Part;
use crate::file_service::subject_of::{Subject, Topic};

/// Roles.
impl Milestones {
    /// Which machine plays `role` in what a milestone is about; `None` if none does.
    pub fn bind(
        &self,
        role: Part,
        reached: &Reached,
        world: &World,
        model: &Model,
    ) -> Option<NodeId> {
        match role {
            Part::Coordinator => Some(self.txn_of(reached, model)?.coordinator),
            Part::Participant => self.participant(reached, world, model),
            Part::Owner => {
                let path =
                    reached.meant.path.as_ref().or_else(|| self.first_path(reached, model))?;
                let layout = model.views.layout(world.config());
                first_unless(layout.ring().owners(path), reached.node)
            }
            Part::Holder => held(reached).or_else(|| {
                let lock = self.lock(reached, model)?;
                Some(lock.holder.as_ref()?.is.0.client)
            }),
            Part::Waiter => waited(reached).or_else(|| {
                let lock = self.lock(reached, model)?;
                let line: Vec<NodeId> = lock.line.iter().map(|place| place.is.client).collect();
                first_unless(&line, reached.node)
            }),
            Part::Source => {
                let transfer = reached.about.transfer()?;
                transfer.source.or_else(|| self.moves.source_of(transfer.receiver))
            }
            Part::Receiver => Some(reached.about.transfer()?.receiver),
            Part::Joiner => self.changed(reached, ViewsSeen::joiners),
            Part::Leaver => self.changed(reached, ViewsSeen::leavers),
        }
    }

    /// The first node that the view adds or drops, unless the milestone was reached at one.
    fn changed(&self, reached: &Reached, of: Changed) -> Option<NodeId> {
        if let Some(node) = reached.about.machine() {
            return Some(node); // it is admitted, or has departed
        }
        let epoch = reached.about.epoch()?;
        let nodes = || of(&self.views, epoch).map(|member| member.node);
        nodes().find(|node| *node == reached.node).or_else(|| nodes().next())
    }

    /// The first in the order of nodes, unless the milestone was reached at one. Where a file is
    /// meant, only those count that own it in the transaction's epoch.
    fn participant(&self, reached: &Reached, world: &World, model: &Model) -> Option<NodeId> {
        let id = self.txn_of(reached, model)?;
        let txn = model.txns.get(&id);
        let of_run = self.runs.get(&id).map(|run| &run.participants[..]);
        let of_model = txn.map(|txn| &txn.participants[..]);
        let participants = of_run.filter(|all| !all.is_empty()).or(of_model)?;
        let owners = reached.meant.path.as_ref().map(|path| {
            let placement = model.views.placement(world.config(), txn?.epoch)?;
            Some(placement.owners(world.config(), path))
        });
        let is_meant = |node: &NodeId| match &owners {
            None => true,
            Some(owners) => owners.as_ref().is_some_and(|owners| owners.contains(node)),
        };
        match participants.contains(&reached.node) && is_meant(&reached.node) {
            true => Some(reached.node),
            false => {
                let others = participants.iter().copied().filter(|n| *n != id.coordinator);
                others.filter(is_meant).min()
            }
        }
    }

    /// The transaction: that of the milestone, or the one under way for its request.
    pub fn txn_of(&self, reached: &Reached, model: &Model) -> Option<TxnId> {
        if let Some(txn) = reached.about.txn() {
            return Some(txn);
        }
        let request = reached.about.request()?;
        let serves = |run: &Run| run.attempt.is_some_and(|(served, _)| served == request);
        let under_way = self.runs.iter().rev().find(|(_, run)| serves(run)).map(|(txn, _)| *txn);
        under_way.or_else(|| model.requests.get(&request)?.effects.last().copied())
    }

    /// The lock: that of the milestone, or the one that its request is for.
    fn lock<'a>(&self, reached: &'a Reached, model: &'a Model) -> Option<&'a Lock> {
        let path = reached.about.path().or_else(|| self.first_path(reached, model));
        model.locks.get(path?).map(|lock| &lock.durable)
    }

    /// The first path of the request.
    fn first_path<'a>(&self, reached: &Reached, model: &'a Model) -> Option<&'a Path> {
        match model.requests.wanted(self.request_of(reached, model)?)? {
            Request::Files { operations, .. } => Some(&operations.first()?.path),
            Request::Acquire { path, .. } | Request::Release { path } => Some(path),
        }
    }

    /// The request: that of the milestone, or the one that its transaction serves.
    pub fn request_of(&self, reached: &Reached, model: &Model) -> Option<RequestId> {
        let Some(txn) = reached.about.txn() else { return reached.about.request() };
        let known = model.txns.get(&txn).and_then(|known| known.origin.or(known.request));
        known.or_else(|| Some(self.runs.get(&txn)?.attempt?.0))
    }

    /// Is what was reached about this file, or the lock of its name?
    pub fn concerns(&self, path: &Path, reached: &Reached, model: &Model) -> bool {
        let wanted = || model.requests.wanted(self.request_of(reached, model)?);
        reached.about.has(&Subject::from(path))
            || wanted().is_some_and(|request| match request {
                Request::Files { operations, .. } => paths(operations).any(|used| used == path),
                Request::Acquire { path: lock, .. } | Request::Release { path: lock } => {
                    lock == path
                }
            })
    }

    /// Is what was reached about the lock of this name?
    pub fn concerns_lock(&self, path: &Path, reached: &Reached, model: &Model) -> bool {
        let wanted = || model.requests.wanted(self.request_of(reached, model)?);
        let is_of_lock = match reached.milestone.topic() {
            Topic::Lock => true,
            _ => matches!(wanted(), Some(Request::Acquire { .. } | Request::Release { .. })),
        };
        is_of_lock && self.concerns(path, reached, model)
    }
}

/// The machine at which something was reached, if it is among those, else the first of them.
fn first_unless(machines: &[NodeId], there: NodeId) -> Option<NodeId> {
    machines.iter().copied().find(|machine| *machine == there).or(machines.first().copied())
}

/// The client that had the lock, if the milestone is that it has it no more.
fn held(reached: &Reached) -> Option<NodeId> {
    let ended = [Milestone::LOCK_RELEASED, Milestone::LEASE_EXPIRED];
    let request = ended.contains(&reached.milestone).then(|| reached.about.request())??;
    Some(request.client)
}

/// The client that stood in line, if the milestone is that it does so no more.
fn waited(reached: &Reached) -> Option<NodeId> {
    let is_over = reached.milestone == Milestone::WAITER_EXPIRED;
    let request = is_over.then(|| reached.about.request())??;
    Some(request.client)
}

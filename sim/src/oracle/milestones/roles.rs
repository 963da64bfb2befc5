//! Who plays which part in what a milestone is about.

use seedbed::proto::{NodeId, Path, Request, RequestId, TxnId};

use super::transactions::Run;
use super::views::{Changed, ViewsSeen};
use super::{About, Milestones, Reached};
use crate::milestone::Milestone;
use crate::oracle::Model;
use crate::scenario::Role;
use crate::world::World;

/// Roles.
impl Milestones {
    /// Which machine plays `role` in what a milestone is about; `None` if nobody does.
    pub fn bind(
        &self,
        role: Role,
        reached: &Reached,
        world: &World,
        model: &Model,
    ) -> Option<NodeId> {
        match role {
            Role::Coordinator => Some(self.txn_of(reached, model)?.coordinator),
            Role::Participant => self.participant(reached, model),
            Role::Owner => {
                let path = self.path_of(reached, model)?;
                model.views.layout(world.config()).ring().owners(path).first().copied()
            }
            Role::Holder => held(reached).or_else(|| {
                let lock = model.locks.get(self.path_of(reached, model)?)?;
                Some(lock.durable.holder.as_ref()?.is.0.client)
            }),
            Role::Waiter => waited(reached).or_else(|| {
                let lock = model.locks.get(self.path_of(reached, model)?)?;
                Some(lock.durable.line.first()?.is.client)
            }),
            Role::Source => match reached.about {
                About::Move { receiver, source } => {
                    source.or_else(|| self.moves.source_of(receiver))
                }
                _ => None,
            },
            Role::Receiver => match reached.about {
                About::Move { receiver, .. } => Some(receiver),
                _ => None,
            },
            Role::Joiner => self.changed(reached, ViewsSeen::joiners),
            Role::Leaver => self.changed(reached, ViewsSeen::leavers),
        }
    }

    /// The first node that the view adds or drops, unless the milestone was reached at one.
    fn changed(&self, reached: &Reached, of: Changed) -> Option<NodeId> {
        match reached.about {
            About::Member => Some(reached.node),
            About::View(epoch) => {
                let nodes = || of(&self.views, epoch).map(|member| member.node);
                nodes().find(|node| *node == reached.node).or_else(|| nodes().next())
            }
            _ => None,
        }
    }

    /// The first in the order of nodes, unless the milestone was reached at one.
    fn participant(&self, reached: &Reached, model: &Model) -> Option<NodeId> {
        let txn = self.txn_of(reached, model)?;
        let of_run = self.runs.get(&txn).map(|run| &run.participants[..]);
        let of_model = model.txns.get(&txn).map(|txn| &txn.participants[..]);
        let participants = of_run.filter(|all| !all.is_empty()).or(of_model)?;
        match participants.contains(&reached.node) {
            true => Some(reached.node),
            false => participants.iter().copied().filter(|n| *n != txn.coordinator).min(),
        }
    }

    /// The transaction: that of the milestone, or the one under way for its request.
    fn txn_of(&self, reached: &Reached, model: &Model) -> Option<TxnId> {
        let request = match &reached.about {
            About::Txn(txn) => return Some(*txn),
            About::Request(request) | About::Lock(_, Some(request)) => *request,
            About::Lock(_, None) | About::Nothing => return None,
            About::View(_) | About::Member | About::Move { .. } => return None,
        };
        let serves = |run: &Run| run.attempt.is_some_and(|(served, _)| served == request);
        let under_way = self.runs.iter().rev().find(|(_, run)| serves(run)).map(|(txn, _)| *txn);
        under_way.or_else(|| model.requests.get(&request)?.effects.last().copied())
    }

    /// The path: that of the lock, or the first of the request.
    fn path_of<'a>(&self, reached: &'a Reached, model: &'a Model) -> Option<&'a Path> {
        match &reached.about {
            About::Lock(path, _) => Some(path),
            About::Txn(_) | About::Request(_) => {
                match wanted(self.request_of(reached, model)?, model)? {
                    Request::Files { operations, .. } => Some(&operations.first()?.path),
                    Request::Acquire { path, .. } | Request::Release { path } => Some(path),
                }
            }
            About::View(_) | About::Member | About::Move { .. } | About::Nothing => None,
        }
    }

    fn request_of(&self, reached: &Reached, model: &Model) -> Option<RequestId> {
        match &reached.about {
            About::Txn(txn) => {
                let known = model.txns.get(txn).and_then(|known| known.origin.or(known.request));
                known.or_else(|| Some(self.runs.get(txn)?.attempt?.0))
            }
            About::Request(request) => Some(*request),
            About::Lock(_, request) => *request,
            About::View(_) | About::Member | About::Move { .. } | About::Nothing => None,
        }
    }
}

/// Who had the lock, if the milestone is that it has it no more.
fn held(reached: &Reached) -> Option<NodeId> {
    let About::Lock(_, Some(request)) = reached.about else { return None };
    let ended = [Milestone::LOCK_RELEASED, Milestone::LEASE_EXPIRED];
    ended.contains(&reached.milestone).then_some(request.client)
}

/// Who stood in line, if the milestone is that it does so no more.
fn waited(reached: &Reached) -> Option<NodeId> {
    let About::Lock(_, Some(request)) = reached.about else { return None };
    (reached.milestone == Milestone::WAITER_EXPIRED).then_some(request.client)
}

pub(super) fn wanted(request: RequestId, model: &Model) -> Option<&Request> {
    Some(&model.requests.get(&request)?.wanted)
}

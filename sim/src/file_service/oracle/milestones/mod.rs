//! Which milestones only the file service has, and when a run has reached them.
//!
//! Everything here is worked out from what is to be seen of a step: the steps of a transaction from
//! its messages and records, the state of a lock from the lock server's log, views from the
//! centre's log, hand-overs from what is asked and sent. With fixed membership the last two cost
//! nothing: none of their messages and records comes up.

mod locks;
mod roles;
#[cfg(test)]
mod tests;
mod transactions;
mod transfer;
mod views;

use std::collections::BTreeMap;

use seedbed::machine::{NodeId, RequestId};
use seedbed::proto::{Config, FileService, Notice, Record, TxnId};

use super::{Model, PerNode, Seen};
use crate::file_service::scenario::{Filter, Part};
use crate::file_service::{Milestone, Subjects, World};
use crate::oracle::milestones;
use crate::under_test::MilestoneWatcher;

pub use transactions::Phase;
use transactions::Run;
use transfer::Moves;
pub use transfer::OpenPull;
use views::ViewsSeen;

/// A milestone that was reached.
pub type Reached = milestones::Reached<FileService>;
/// What a run has reached.
pub type Hits = milestones::Hits<FileService>;

/// What is known of a run that its milestones follow from.
#[derive(Clone, Debug, Default)]
pub struct Milestones {
    runs: BTreeMap<TxnId, Run>,
    /// By node the transactions it has voted yes in, and whether it has learnt the decision.
    in_doubt: PerNode<BTreeMap<TxnId, bool>>,
    /// Requests that are not answered, with the newest attempt seen.
    attempts: BTreeMap<RequestId, u32>,
    views: ViewsSeen,
    moves: Moves,
    /// Is the step one in which a release reached the lock server?
    release: bool,
    /// The attempt that the step brought to a storage node.
    begun: Option<(NodeId, RequestId, u32)>,
}

impl Hits {
    /// `node` has reached a milestone of a transaction.
    pub fn hit_txn(&mut self, milestone: Milestone, node: NodeId, txn: TxnId) {
        self.hit(milestone, node, || Subjects::of(txn));
    }
}

impl MilestoneWatcher<FileService> for Milestones {
    fn on_step(&mut self) {
        (self.release, self.begun) = (false, None);
    }

    fn see(&mut self, seen: &Seen<'_>, model: &Model, config: &Config, hits: &mut Hits) {
        match *seen {
            Seen::Sent { from, to, message, .. } => {
                self.txn_on_sent(hits, from, message);
                self.move_on_sent(hits, from, to, message);
            }
            Seen::Received { from, to, message, .. } => {
                self.txn_on_received(hits, from, to, message);
                self.view_on_received(hits, from, to, message);
                self.move_on_received(hits, from, to, message);
            }
            Seen::Appended { node, position, record, .. } => {
                self.txn_on_appended(hits, node, record, model);
                self.lock_on_appended(hits, node, position, record, model);
                self.view_on_appended(record);
                self.move_on_appended(hits, node, record);
            }
            Seen::Durable { node, record, .. } => {
                self.txn_on_durable(hits, node, record, model);
                self.lock_on_durable(hits, node, record, model);
                self.move_on_durable(hits, node, record, model, config);
                self.view_on_durable(hits, node, record, config);
                if let Record::Announced { .. } = record {
                    self.move_on_announced(hits, model);
                }
            }
            Seen::Crashed { node } => {
                self.txn_on_crashed(hits, node);
                self.view_on_crashed(node);
                self.move_on_crashed(hits, node);
            }
            Seen::Requested { request, .. } => {
                self.attempts.insert(request, 0);
            }
            Seen::Replied { request, .. } => self.on_replied(request),
            Seen::Wiped { node } => self.on_wiped(node),
            Seen::Noticed { client, notice: Notice::View(view) } => {
                hits.hit(Milestone::VIEW_LEARNT, client, || Subjects::of(view.epoch));
            }
            _ => {} // no milestone of the file service follows from it
        }
    }

    fn bind(&self, role: Part, reached: &Reached, world: &World, model: &Model) -> Option<NodeId> {
        self.bind(role, reached, world, model)
    }

    fn request_of(&self, reached: &Reached, model: &Model) -> Option<RequestId> {
        self.request_of(reached, model)
    }

    fn is_about(&self, filter: &Filter, reached: &Reached, model: &Model) -> bool {
        let Filter { path, lock, transaction } = filter;
        path.as_ref().is_none_or(|path| self.concerns(path, reached, model))
            && lock.as_ref().is_none_or(|path| self.concerns_lock(path, reached, model))
            && transaction.is_none_or(|name| {
                let is_it = |txn: TxnId| {
                    let named = (txn.coordinator, txn.incarnation.0, txn.counter);
                    named == (name.coordinator, name.incarnation, name.counter)
                };
                self.txn_of(reached, model).is_some_and(is_it)
            })
    }
}

impl Milestones {
    /// A disk is gone: its node has promised nothing any more and will learn no decision.
    fn on_wiped(&mut self, node: NodeId) {
        self.in_doubt.slot(node).clear();
        self.moves.forget_all(node);
    }
}

//! The milestones of locks: granted, queued, and by what a request leaves a lock or its line.

use seedbed::machine::{NodeId, RequestId};
use seedbed::proto::Record;

use super::{Hits, Milestones};
use crate::file_service::Milestone;
use crate::file_service::oracle::{Lock, Model};
use crate::file_service::subject_of::Subjects;

impl Milestones {
    /// The lock server's memory changes; the lock as it was before tells what that means. Behind a
    /// violation the model takes nothing over; the run is over then, and these counts with it.
    pub(super) fn lock_on_appended(
        &mut self,
        hits: &mut Hits,
        node: NodeId,
        position: u64,
        record: &Record,
        model: &Model,
    ) {
        let Record::Left { path, request } = record else { return };
        let before = model.locks.before(position).or_else(|| model.locks.appended(path));
        let milestone = before.and_then(|lock| self.how_it_left(lock, *request));
        let about = || Subjects::of(path).and(*request);
        milestone.into_iter().for_each(|milestone| hits.hit(milestone, node, about));
    }

    /// By what a request leaves a lock or its line.
    fn how_it_left(&self, lock: &Lock, request: RequestId) -> Option<Milestone> {
        match &lock.holder {
            Some(holder) if holder.is.0 == request => Some(match self.release {
                true => Milestone::LOCK_RELEASED,
                false => Milestone::LEASE_EXPIRED,
            }),
            Some(_) | None => lock.waits(request).then_some(Milestone::WAITER_EXPIRED),
        }
    }

    /// The lock server's log says so for good. A request that has the lock by then was not queued.
    pub(super) fn lock_on_durable(
        &mut self,
        hits: &mut Hits,
        node: NodeId,
        record: &Record,
        model: &Model,
    ) {
        match record {
            Record::Queued { path, request } => {
                let lock = model.locks.before_step(model.step, path);
                if lock.is_some_and(|lock| lock.waits(*request)) {
                    let about = || Subjects::of(path).and(*request);
                    hits.hit(Milestone::LOCK_QUEUED, node, about);
                }
            }
            Record::Granted { path, request, .. } => {
                let about = || Subjects::of(path).and(*request);
                hits.hit(Milestone::LOCK_GRANTED, node, about);
            }
            _ => {} // not of locks
        }
    }
}

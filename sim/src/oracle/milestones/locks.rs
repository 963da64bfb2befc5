//! The milestones of locks: granted, queued, and by what a request leaves a lock or its line.

use seedbed::proto::{NodeId, Path, Record, RequestId};

use super::Milestones;
use crate::milestone::Milestone;
use crate::oracle::model::lock_log::LoggedLock;
use crate::subject::Subjects;

impl Milestones {
    /// The lock server's memory changes; its log as it was before tells what that means.
    pub(super) fn lock_on_appended(&mut self, node: NodeId, record: &Record) {
        let Record::Left { path, request } = record else { return };
        let milestone = self.how_it_left(path, *request);
        let about = || Subjects::of(path).and(*request);
        milestone.into_iter().for_each(|milestone| self.hit(milestone, node, about));
    }

    /// By what a request leaves a lock or its line.
    fn how_it_left(&self, path: &Path, request: RequestId) -> Option<Milestone> {
        let lock = self.log.lock(path)?;
        match &lock.holder {
            Some(holder) if holder.is.0 == request => Some(match self.release {
                true => Milestone::LOCK_RELEASED,
                false => Milestone::LEASE_EXPIRED,
            }),
            Some(_) | None => {
                let waits = lock.line.iter().any(|waiting| waiting.is == request);
                waits.then_some(Milestone::WAITER_EXPIRED)
            }
        }
    }

    /// The lock server's log says so for good.
    pub(super) fn lock_on_durable(&mut self, node: NodeId, record: &Record) {
        match record {
            Record::Queued { path, request } => {
                let lock = self.log.lock(path);
                let waits =
                    |lock: &LoggedLock| lock.line.iter().any(|waiting| waiting.is == *request);
                if lock.is_some_and(waits) {
                    let about = || Subjects::of(path).and(*request);
                    self.hit(Milestone::LOCK_QUEUED, node, about);
                }
            }
            Record::Granted { path, request, .. } => {
                let about = || Subjects::of(path).and(*request);
                self.hit(Milestone::LOCK_GRANTED, node, about);
            }
            _ => {} // not of locks
        }
    }
}

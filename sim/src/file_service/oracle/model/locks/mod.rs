//! Locks, as the lock server's log has them: what it has appended, and what of that is durable.
//!
//! A record counts once it is durable. That is too late to judge a grant: which clients stood in
//! line, and which were alive, is a question about the moment in which the server made up its mind,
//! and that is when it appends the record. A log is ordered, so what is appended is what will be
//! durable, but for the tail that a crash takes.

pub(in crate::file_service::oracle) mod grants;
pub(in crate::file_service::oracle) mod heard_by_lock_server;

use std::collections::{BTreeMap, VecDeque};

use seedbed::machine::RequestId;
use seedbed::proto::{Path, Record, Token};

use crate::file_service::oracle::At;
use grants::Grants;

/// A lock, as far as some records of the log say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// The requests in line, in the order of the log.
    pub line: Vec<At<RequestId>>,
    /// The request that holds it, and its token.
    pub holder: Option<At<(RequestId, Token)>>,
    /// The last grant there was, over or not.
    pub newest: Option<At<(RequestId, Token)>>,
}

impl Lock {
    /// Is `request` in the line?
    pub fn waits(&self, request: RequestId) -> bool {
        self.line.iter().any(|waiting| waiting.is == request)
    }

    /// Does `request` hold it?
    pub fn is_held_by(&self, request: RequestId) -> bool {
        self.holder.as_ref().is_some_and(|holder| holder.is.0 == request)
    }

    fn take(&mut self, step: u64, record: &Record) {
        match *record {
            Record::Queued { request, .. } => self.line.push(At { step, is: request }),
            Record::Granted { request, token, .. } => {
                self.line.retain(|waiting| waiting.is != request);
                self.holder = Some(At { step, is: (request, token) });
                self.newest = self.holder.clone();
            }
            Record::Left { request, .. } => {
                self.line.retain(|waiting| waiting.is != request);
                self.holder.take_if(|holder| holder.is.0 == request);
            }
            _ => {} // not of locks
        }
    }
}

/// A lock, by all that the log has of it and by what of that is durable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LockHistory {
    /// With the records that a crash may still take.
    pub appended: Lock,
    /// Without them.
    pub durable: Lock,
}

/// All locks that the log ever named.
#[derive(Clone, Debug, Default)]
pub struct Locks {
    locks: BTreeMap<Path, LockHistory>,
    /// The grants among their records.
    pub grants: Grants,
    /// For each record that is not durable, in their order.
    undo: VecDeque<Undo>,
    /// The step of the last crash that took records, and the locks that they were about, as the
    /// server's memory had them before.
    forgotten: At<BTreeMap<Path, Lock>>,
}

/// A record that a crash may take, and what its lock was before it.
#[derive(Clone, Debug)]
struct Undo {
    step: u64,
    position: u64,
    path: Path,
    before: Lock,
}

/// What is asked of them.
impl Locks {
    /// The lock of `path`, if the log ever named it.
    pub fn get(&self, path: &Path) -> Option<&LockHistory> {
        self.locks.get(path)
    }

    /// Every lock that the log ever named.
    pub fn iter(&self) -> impl Iterator<Item = (&Path, &LockHistory)> {
        self.locks.iter()
    }

    /// The lock of `path` with all that is appended.
    pub fn appended(&self, path: &Path) -> Option<&Lock> {
        self.locks.get(path).map(|lock| &lock.appended)
    }

    /// The lock that the record at `position` is about, as it was before that was appended. It is
    /// known until the record is durable.
    pub fn before(&self, position: u64) -> Option<&Lock> {
        let undo = self.undo.iter().rev().find(|undo| undo.position == position);
        undo.map(|undo| &undo.before)
    }

    /// The lock of `path` with all that was appended before `step`, the newest one.
    pub fn before_step(&self, step: u64, path: &Path) -> Option<&Lock> {
        let forgotten = || self.forgotten.is.get(path).filter(|_| self.forgotten.step == step);
        let undo = self.undo.iter().find(|undo| undo.step == step && undo.path == *path);
        undo.map(|undo| &undo.before).or_else(forgotten).or_else(|| self.appended(path))
    }
}

/// What happens.
impl Locks {
    /// The lock server appends a record of a lock.
    pub(super) fn on_appended(&mut self, step: u64, position: u64, record: &Record) {
        let Some(path) = lock_of(record) else { return };
        let lock = &mut self.locks.entry(path.clone()).or_default().appended;
        let (path, before) = (path.clone(), lock.clone());
        self.undo.push_back(Undo { step, position, path, before });
        lock.take(step, record);
        self.grants.on_appended(step, position, record);
    }

    /// A record of the lock server's log is durable, of a lock or not.
    pub(super) fn on_durable(&mut self, step: u64, position: u64, record: &Record) {
        while self.undo.front().is_some_and(|undo| undo.position <= position) {
            self.undo.pop_front();
        }
        self.grants.on_durable(position);
        let Some(path) = lock_of(record) else { return };
        self.locks.entry(path.clone()).or_default().durable.take(step, record);
    }

    /// A crash takes the records of the lock server's log from a position on.
    pub(super) fn on_forgot(&mut self, step: u64, from: u64) {
        self.grants.on_forgot(from);
        self.forgotten = At { step, is: BTreeMap::new() };
        while self.undo.back().is_some_and(|undo| undo.position >= from) {
            let Some(Undo { path, before, .. }) = self.undo.pop_back() else { return };
            let lock = &mut self.locks.entry(path.clone()).or_default().appended;
            let after = std::mem::replace(lock, before);
            self.forgotten.is.entry(path).or_insert(after);
        }
    }

    /// The lock server starts: what a crash has left is as good as durable.
    pub(super) fn on_started(&mut self) {
        self.grants.on_started();
        self.undo.clear();
    }
}

/// The lock that a record is about.
pub(in crate::file_service::oracle) fn lock_of(record: &Record) -> Option<&Path> {
    match record {
        Record::Queued { path, .. } | Record::Granted { path, .. } | Record::Left { path, .. } => {
            Some(path)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{path, request};

    /// The first request is granted the lock, and nothing of that is durable.
    fn granted() -> Locks {
        let mut locks = Locks::default();
        let queued = Record::Queued { path: path("/a"), request: request(1, 1) };
        let granted = Record::Granted { path: path("/a"), request: request(1, 1), token: Token(1) };
        for (position, record) in [(0, &queued), (1, &granted)] {
            locks.on_appended(position, position, record);
        }
        locks
    }

    #[test]
    fn a_crash_takes_back_what_was_only_appended() {
        let mut locks = granted();
        assert!(locks.appended(&path("/a")).is_some_and(|lock| lock.holder.is_some()));
        locks.on_forgot(2, 1);
        let lock = locks.appended(&path("/a")).expect("it was named");
        assert_eq!((lock.line.len(), &lock.holder, &lock.newest), (1, &None, &None));
        locks.on_forgot(2, 0);
        assert_eq!(locks.appended(&path("/a")), Some(&Lock::default()));
    }

    #[test]
    fn a_crash_leaves_what_is_durable() {
        let mut locks = granted();
        let record = Record::Left { path: path("/a"), request: request(1, 1) };
        locks.on_durable(2, 1, &record);
        let before = locks.appended(&path("/a")).cloned();
        locks.on_forgot(2, 0);
        assert_eq!(locks.appended(&path("/a")).cloned(), before);
    }

    #[test]
    fn a_lock_is_known_as_it_was_before_a_record() {
        let locks = granted();
        assert_eq!(locks.before(0), Some(&Lock::default()));
        let queued = locks.before(1).expect("it is not durable");
        assert!(queued.waits(request(1, 1)) && queued.holder.is_none());
        assert_eq!(locks.before(2), None);
    }

    #[test]
    fn a_lock_is_known_as_it_was_before_the_step() {
        let mut locks = granted();
        let holds = |locks: &Locks, step| {
            let lock = locks.before_step(step, &path("/a"));
            lock.is_some_and(|lock| lock.holder.is_some())
        };
        assert!(!holds(&locks, 1) && holds(&locks, 2));
        locks.on_forgot(2, 1);
        assert!(holds(&locks, 2) && !holds(&locks, 3));
    }
}

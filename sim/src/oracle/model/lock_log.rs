//! What the lock server has written, records on their way to the disk included, and whom it has
//! heard.
//!
//! The model counts a record once it is durable. That is too late to judge a grant: who stood in
//! line and who was alive is a question about the moment in which the server made up its mind, and
//! that is when it appends the record. A log is ordered, so what is appended is what will be
//! durable, but for the tail that a crash takes.

use std::collections::{BTreeMap, VecDeque};

use seedbed::proto::{Config, Keep, Message, NodeId, Path, Record, RequestId, Span, Time, Token};

use crate::oracle::{At, Model, Seen};
use crate::world::World;

/// A lock, as far as the log goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::oracle) struct LoggedLock {
    /// Who stands in line, in the order of the log.
    pub line: Vec<At<RequestId>>,
    /// Who holds it.
    pub holder: Option<At<(RequestId, Token)>>,
    /// The last grant there was, over or not.
    pub newest: Option<At<(RequestId, Token)>>,
}

/// The lock server's log.
#[derive(Clone, Debug, Default)]
pub(in crate::oracle) struct LockLog {
    locks: BTreeMap<Path, LoggedLock>,
    /// For each record that is not durable: its position, and what its lock was before it.
    undo: VecDeque<(u64, Path, LoggedLock)>,
}

impl LockLog {
    /// The lock of `path`, if the log ever named it.
    pub fn lock(&self, path: &Path) -> Option<&LoggedLock> {
        self.locks.get(path)
    }

    /// Every lock that the log ever named.
    pub fn locks(&self) -> impl Iterator<Item = (&Path, &LoggedLock)> {
        self.locks.iter()
    }

    /// Takes over what was seen. Judge a record first: afterwards its lock is as the record leaves
    /// it.
    pub fn see(&mut self, seen: &Seen<'_>, step: u64) {
        match *seen {
            Seen::Appended { node: NodeId::CONTROL, position, record, .. } => {
                self.append(position, record, step);
            }
            Seen::Durable { node: NodeId::CONTROL, position, .. } => {
                while self.undo.front().is_some_and(|(at, ..)| *at <= position) {
                    self.undo.pop_front();
                }
            }
            Seen::Forgot { node: NodeId::CONTROL, from, .. } => self.forget(from),
            // What a crash has left is as good as durable.
            Seen::Started { node: NodeId::CONTROL, .. } => self.undo.clear(),
            _ => {}
        }
    }

    fn append(&mut self, position: u64, record: &Record, step: u64) {
        let Some(path) = lock_of(record) else { return };
        let lock = self.locks.entry(path.clone()).or_default();
        self.undo.push_back((position, path.clone(), lock.clone()));
        lock.append(record, step);
    }

    fn forget(&mut self, from: u64) {
        while self.undo.back().is_some_and(|(at, ..)| *at >= from) {
            if let Some((_, path, before)) = self.undo.pop_back() {
                self.locks.insert(path, before);
            }
        }
    }
}

impl LoggedLock {
    fn append(&mut self, record: &Record, step: u64) {
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
            _ => {}
        }
    }
}

/// The lock that a record is about.
pub(in crate::oracle) fn lock_of(record: &Record) -> Option<&Path> {
    match record {
        Record::Queued { path, .. } | Record::Granted { path, .. } | Record::Left { path, .. } => {
            Some(path)
        }
        _ => None,
    }
}

/// When something was heard, by true time and by the lock server's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::oracle) struct HeardAt {
    pub step: u64,
    pub time: Time,
    pub reading: Time,
    /// Until when, by its clock, the lock server owes what it then gave.
    pub until: Time,
}

impl HeardAt {
    /// Now, by the lock server's clock.
    pub fn now(model: &Model, world: &World) -> HeardAt {
        let reading = world.host(NodeId::CONTROL).clock().reading(model.now);
        let lease = model.views.lock_lease(world.config());
        let until = reading + owed(lease, world.config());
        HeardAt { step: model.step, time: model.now, reading, until }
    }

    /// Has the lock server to count a lease that it gave then as running at `reading`?
    pub fn is_within_a_lease(self, reading: Time) -> bool {
        reading < self.until
    }

    /// The lease of a holder that runs is never cut short.
    pub fn after(self, before: Option<HeardAt>) -> HeardAt {
        let until = before.map_or(self.until, |before| before.until.max(self.until));
        HeardAt { until, ..self }
    }
}

/// Which waiters the lock server has heard in its present life.
#[derive(Clone, Debug, Default)]
pub(in crate::oracle) struct Heard {
    newest: BTreeMap<RequestId, HeardAt>,
    /// The step in which that life began.
    since: u64,
}

impl Heard {
    /// When `request` was last heard.
    pub fn last(&self, request: RequestId) -> Option<HeardAt> {
        self.newest.get(&request).copied()
    }

    /// The step in which the lock server's present life began; 0 for the first.
    pub fn since(&self) -> u64 {
        self.since
    }

    /// Was `request` heard within a lease, as the server counts it?
    pub fn is_live(&self, request: RequestId, reading: Time) -> bool {
        self.last(request).is_some_and(|heard| heard.is_within_a_lease(reading))
    }

    /// Takes over what was seen.
    pub fn see(&mut self, seen: &Seen<'_>, model: &Model, world: &World) {
        match *seen {
            Seen::Received { to: NodeId::CONTROL, message, .. } => {
                if let Some(request) = keeps_request(message) {
                    self.newest.insert(request, HeardAt::now(model, world));
                }
            }
            Seen::Appended {
                node: NodeId::CONTROL, record: Record::Left { request, .. }, ..
            } => {
                self.newest.remove(request);
            }
            Seen::Started { node: NodeId::CONTROL, .. } => {
                self.newest.clear();
                self.since = model.step;
            }
            _ => {}
        }
    }
}

/// The request whose place in line the message asks for or keeps.
pub(in crate::oracle) fn keeps_request(message: &Message) -> Option<RequestId> {
    match message {
        Message::Acquire { request, .. } => Some(*request),
        Message::KeepAlive { keep: Keep::Waiting(request), .. } => Some(*request),
        _ => None,
    }
}

/// How long the lock server must wait on its own clock before it may take a lock back: the length
/// of a lease and the drift bound, rounded up, and one nanosecond because a reading is cut to whole
/// ones.
fn owed(lease: Span, config: &Config) -> Span {
    const MILLION: u128 = 1_000_000;
    let length = u128::from(lease.as_nanos());
    let drift = (length * u128::from(config.drift_max_ppm)).div_ceil(MILLION);
    Span::from_nanos(u64::try_from(length + drift + 1).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::tests::{path, request};

    const CONTROL: NodeId = NodeId::CONTROL;

    /// The first request is granted the lock, and nothing of that is durable.
    fn granted() -> LockLog {
        let mut log = LockLog::default();
        let queued = Record::Queued { path: path("/a"), request: request(1, 1) };
        let granted = Record::Granted { path: path("/a"), request: request(1, 1), token: Token(1) };
        for (position, record) in [(0, &queued), (1, &granted)] {
            log.see(&Seen::Appended { node: CONTROL, position, record, forced: true }, position);
        }
        log
    }

    fn crashes(log: &mut LockLog, from: u64) {
        log.see(&Seen::Forgot { node: CONTROL, from, count: 2 - from, torn: 0 }, 2);
    }

    #[test]
    fn a_crash_takes_back_what_was_only_appended() {
        let mut log = granted();
        assert!(log.lock(&path("/a")).is_some_and(|lock| lock.holder.is_some()));
        crashes(&mut log, 1);
        let lock = log.lock(&path("/a")).expect("it was named");
        assert_eq!((lock.line.len(), &lock.holder, &lock.newest), (1, &None, &None));
        crashes(&mut log, 0);
        assert_eq!(log.lock(&path("/a")), Some(&LoggedLock::default()));
    }

    #[test]
    fn a_crash_leaves_what_is_durable() {
        let mut log = granted();
        let record = Record::Left { path: path("/a"), request: request(1, 1) };
        log.see(&Seen::Durable { node: CONTROL, position: 1, record: &record }, 2);
        let before = log.lock(&path("/a")).cloned();
        crashes(&mut log, 0);
        assert_eq!(log.lock(&path("/a")).cloned(), before);
    }

    #[test]
    fn the_lock_server_waits_longer_than_the_lease_is() {
        let settings = seedbed::proto::Settings { drift_max_ppm: 500, ..Default::default() };
        let config = Config::new(settings).expect("sound settings");
        let lease = Span::from_secs(2);
        assert_eq!(owed(lease, &config), lease + Span::from_millis(1) + Span::from_nanos(1));
    }
}

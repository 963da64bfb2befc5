//! The lock server: one lock per path, granted in line, as a lease, with a fencing token.
//!
//! | client | server |
//! |---|---|
//! | `Acquire(wait)` | forces `Queued`; grants at once if the lock is free |
//! | `Acquire(try once)` | the same if the lock is free, else forces `Left`, `LockRefused` |
//! | a new `Acquire` while the disk is full | forces `Declined`, `LockRefused` |
//! | `KeepAlive(Waiting)` | is heard, and so stays in line and may be granted to; a holder gets its `Granted` again |
//! | `KeepAlive(Holding)` | extends the lease, `KeptAlive` |
//! | `Release(token)` | frees the lock if the client holds it under this token; `Released` in any case |
//!
//! ```text
//!            force Queued              force Granted, token + 1
//!  (nothing) ------------> in line ------------------------------> holding
//!                             |  not heard                            |  released, or not
//!                             |  for a lease                          |  kept for a lease
//!                             +-----------> gone (write Left) <-------+
//! ```
//!
//! The state of a lock is L(t) = held or free, nothing else. The rules:
//!
//! - The line is in the order in which requests were made durable; a grant goes to the first *live*
//!   waiter. A waiter is live if it was heard within a lease, and after a restart of the server
//!   only if it was heard *again*: a grant to a client that is down would cost all other waiters a
//!   lease, and a client that is merely slow would wake up with a grant that has run out (etcd
//!   issue 11456).
//! - A grant carries the next value of one counter, and is durable before it is sent: the token
//!   grows across crashes too.
//! - After a restart every logged grant counts as held for one full lease, because its holder may
//!   believe so.
//! - Release names holder and token. Anything else, such as a late copy, is ignored.
//! - Leaving the line or the lock is written lazily: if it is lost in a crash, the lock counts as
//!   held a little longer.
//!
//! A request is served once: one that held the lock, or was refused, is remembered until its client
//! does not wait for it any more. One that left the line has got nothing, and may queue again.

mod over;
mod queue;
mod recovery;

use std::collections::BTreeMap;

use super::Timer;
use super::lease::LeaseTerms;
use super::turn::Turn;
use super::{Defect, Keep, LockAnswer, Path, Record, Refusal, Token};
use crate::machine::{NodeId, RequestId, Time};
use over::{Over, Overs};
use queue::{Holder, Lock, Waiter};

/// All locks, and what is remembered of requests that are over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct LockServer {
    // Volatile:
    /// Under which locks are granted now.
    terms: LeaseTerms,

    // Rebuilt from the log:
    locks: BTreeMap<Path, Lock>,
    last_token: Token,
    over: BTreeMap<NodeId, Overs>,
}

/// A client asks for a lock.
pub(super) struct Acquire {
    pub request: RequestId,
    pub lowest: u32,
    pub path: Path,
    pub wait: bool,
    pub asked: Time,
}

impl LockServer {
    /// The locks that are held: each with its request, its token and the end of its lease.
    pub fn held(&self) -> impl Iterator<Item = (&Path, RequestId, Token, Time)> {
        self.locks.iter().filter_map(|(path, lock)| {
            let holder = lock.holder.as_ref()?;
            Some((path, holder.request, holder.token, holder.until))
        })
    }

    /// From now on locks are granted and kept under these terms; a lease that runs is never cut
    /// short.
    pub fn grant_under(&mut self, terms: LeaseTerms) {
        self.terms = terms;
    }

    pub fn on_acquire(&mut self, turn: &mut Turn<'_>, acquire: Acquire) {
        let Acquire { request, lowest, path, wait, asked } = acquire;
        let RequestId { client, incarnation, .. } = request;
        let overs = self.over.entry(client).or_default();
        overs.forget_below(incarnation, lowest);
        let refuse = |refusal| LockAnswer::LockRefused { request, path: path.clone(), refusal };
        let why = if wait { Refusal::QueueFull } else { Refusal::Held };
        match overs.get(request) {
            Some(Over::Held) => return turn.out.send(client, refuse(Refusal::Forgotten)),
            Some(Over::Refused) => return turn.out.send(client, refuse(why)),
            Some(Over::Declined(why)) => return turn.out.send(client, refuse(why)),
            None => {}
        }
        if path.as_str().len() > turn.config.limits.path_bytes {
            return turn.out.send(client, refuse(Refusal::PathTooLong));
        }
        if self.hear(turn, &path, request, asked) {
            return self.bring_up_to_date(turn, &path);
        }
        if turn.disk_is_full {
            // For good, as below. The record says why, because a copy must be told the same.
            let refusal = Refusal::DiskFull;
            self.over.entry(client).or_default().insert(request, Over::Declined(refusal));
            turn.out.force(Record::Declined { request, refusal });
            return turn.out.send(client, refuse(refusal));
        }
        // A waiter that was not heard for a lease fills no line, also if its timer is late.
        self.bring_up_to_date(turn, &path);
        let lock = self.locks.entry(path.clone()).or_default();
        let now = turn.now;
        let is_free =
            lock.holder.is_none() && !lock.line.iter().any(|w| w.is_live(turn.config, now));
        let is_full = lock.line.len() >= turn.config.limits.queue;
        let is_refused =
            turn.config.defects.has(Defect::FreeLockRefused) && request.number == lowest;
        if is_full || is_refused || (!wait && !is_free) {
            // For good: a copy of the message must not be granted after the client has been told.
            self.over.entry(client).or_default().insert(request, Over::Refused);
            turn.out.force(Record::Left { path: path.clone(), request });
            return turn.out.send(client, refuse(why));
        }
        assert!(!lock.has(request), "{request} queues twice for {path}");
        turn.out.force(Record::Queued { path: path.clone(), request });
        let until = self.terms.giver_until(now);
        lock.line.push(Waiter { request, heard: Some(asked), until });
        self.bring_up_to_date(turn, &path);
    }

    pub fn on_keep_alive(
        &mut self,
        turn: &mut Turn<'_>,
        from: NodeId,
        path: Path,
        keep: Keep,
        asked: Time,
    ) {
        let kept = match keep {
            Keep::Waiting(request) => self.hear(turn, &path, request, asked),
            Keep::Holding(token) => self.extend(turn, from, &path, token, asked),
        };
        match kept {
            true => self.bring_up_to_date(turn, &path),
            false => turn.out.send(from, LockAnswer::NotKept { path, keep }),
        }
    }

    pub fn on_release(
        &mut self,
        turn: &mut Turn<'_>,
        from: NodeId,
        request: RequestId,
        path: Path,
        token: Token,
    ) {
        let unchecked = turn.config.defects.has(Defect::ReleaseUnchecked);
        let may_release =
            |holder: &Holder| unchecked || (holder.request.client == from && holder.token == token);
        let ignores = turn.config.defects.has(Defect::ReleaseIgnored);
        if self.holder(&path).is_some_and(may_release) && !ignores {
            self.end_hold(turn, &path);
        }
        turn.out.send(from, LockAnswer::Released { request, path: path.clone() });
        self.bring_up_to_date(turn, &path);
    }

    /// A lease has run out.
    pub fn on_lease_time(&mut self, turn: &mut Turn<'_>, path: &Path) {
        if self.holder(path).is_some_and(|holder| holder.until <= turn.now) {
            self.end_hold(turn, path);
        }
        self.bring_up_to_date(turn, path);
    }

    /// Counts every logged grant as held for the longest lease that there was, and gives every
    /// waiter one to be heard again.
    pub fn on_start(&mut self, turn: &mut Turn<'_>, longest: LeaseTerms) {
        let until = longest.giver_until(turn.now);
        let mut holders = self.locks.values().filter_map(|lock| lock.holder.as_ref());
        let grows = holders.all(|holder| holder.token <= self.last_token);
        assert!(grows || !turn.config.defects.is_empty(), "{} was granted before", self.last_token);
        for (path, lock) in &mut self.locks {
            lock.holder.iter_mut().for_each(|holder| holder.until = until);
            lock.line.iter_mut().for_each(|waiter| waiter.until = until);
            turn.timers.set(Timer::Lease(path.clone()), until);
        }
    }

    /// Hears of a request: true if it stands in line or holds.
    fn hear(&mut self, turn: &mut Turn<'_>, path: &Path, request: RequestId, asked: Time) -> bool {
        let Some(lock) = self.locks.get_mut(path) else { return false };
        let until = self.terms.giver_until(turn.now);
        if let Some(waiter) = lock.line.iter_mut().find(|waiter| waiter.request == request) {
            waiter.heard = waiter.heard.max(Some(asked));
            waiter.until = until;
            return true;
        }
        match &mut lock.holder {
            Some(holder) if holder.request == request => {
                holder.asked = holder.asked.max(asked);
                holder.until = holder.until.max(until);
                let grant = holder.grant(path, self.terms.length);
                turn.out.send(request.client, grant);
                true
            }
            Some(_) | None => false,
        }
    }

    fn extend(
        &mut self,
        turn: &mut Turn<'_>,
        from: NodeId,
        path: &Path,
        token: Token,
        asked: Time,
    ) -> bool {
        let Some(holder) = self.locks.get_mut(path).and_then(|lock| lock.holder.as_mut()) else {
            return false;
        };
        let any_will_do = turn.config.defects.has(Defect::StaleKeepAliveAcknowledged);
        let is_the_holder = holder.request.client == from && holder.token == token;
        if !is_the_holder && !any_will_do {
            return false;
        }
        holder.asked = holder.asked.max(asked);
        holder.until = holder.until.max(self.terms.giver_until(turn.now));
        let lease = self.terms.length;
        turn.out.send(from, LockAnswer::KeptAlive { path: path.clone(), token, asked, lease });
        true
    }

    /// Brings a lock up to date: drops waiters that are silent, grants if it is free, and sets the
    /// timer.
    fn bring_up_to_date(&mut self, turn: &mut Turn<'_>, path: &Path) {
        let Some(lock) = self.locks.get_mut(path) else { return };
        let now = turn.now;
        let is_silent = |waiter: &Waiter| waiter.until <= now && !waiter.is_live(turn.config, now);
        for silent in lock.line.extract_if(.., |waiter| is_silent(waiter)) {
            turn.out.write_lazily(Record::Left { path: path.clone(), request: silent.request });
        }
        if lock.holder.is_none() {
            let first = lock.line.iter().position(|waiter| waiter.is_live(turn.config, now));
            if let Some(first) = first {
                let waiter = lock.line.remove(first);
                self.last_token = self.last_token.next();
                let holder = grant(turn, self.terms, path, waiter, self.last_token);
                lock.give(holder);
            }
        }
        let line = lock.line.iter().map(|waiter| waiter.until);
        if turn.config.defects.has(Defect::SilentHolderKept) && !lock.line.is_empty() {
            let next = line.filter(|until| *until > now).min();
            return turn.timers.set(Timer::Lease(path.clone()), next.unwrap_or(now));
        }
        let next =
            line.filter(|until| *until > now).chain(lock.holder.iter().map(|h| h.until)).min();
        let is_idle = lock.holder.is_none() && lock.line.is_empty();
        match next {
            Some(until) => turn.timers.set(Timer::Lease(path.clone()), until),
            None => turn.timers.cancel(&Timer::Lease(path.clone())),
        }
        if is_idle {
            self.locks.remove(path);
        }
    }

    fn end_hold(&mut self, turn: &mut Turn<'_>, path: &Path) {
        let holder = self.locks.get_mut(path).and_then(|lock| lock.holder.take());
        let Holder { request, .. } = holder.expect("the lock is held");
        turn.out.write_lazily(Record::Left { path: path.clone(), request });
        self.over.entry(request.client).or_default().insert(request, Over::Held);
    }

    fn holder(&self, path: &Path) -> Option<&Holder> {
        self.locks.get(path)?.holder.as_ref()
    }
}

/// Grants to `waiter`: durable first, then sent.
fn grant(
    turn: &mut Turn<'_>,
    terms: LeaseTerms,
    path: &Path,
    waiter: Waiter,
    token: Token,
) -> Holder {
    let Waiter { request, heard, .. } = waiter;
    assert!(heard.is_some() || !turn.config.defects.is_empty(), "{request} was not heard again");
    let record = Record::Granted { path: path.clone(), request, token };
    match turn.config.defects.has(Defect::GrantNotForced) {
        true => turn.out.write_lazily(record),
        false => turn.out.force(record),
    }
    let until = terms.giver_until(turn.now);
    let holder = Holder { request, token, asked: heard.unwrap_or_default(), until };
    turn.out.send(request.client, holder.grant(path, terms.length));
    holder
}

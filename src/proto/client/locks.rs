//! Locks: granted, claimed, kept alive, lost and given back.

use std::collections::BTreeSet;

use super::{Client, Wanted};
use crate::machine::{NodeId, RequestId, Span, Time};
use crate::proto::lease::LeaseTerms;
use crate::proto::{
    Action, Defect, Keep, LockAnswer, LockRequest, Notice, Operation, Outbox, Path, Refusal, Reply,
    Timer, Token,
};

/// A lock that is held.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Holding {
    pub token: Token,
    pub request: RequestId,
    pub until: Time,
    /// The lease of the newest answer: the lock server may have another one in force than the view
    /// that the client knows.
    pub lease: Lease,
}

/// The lease that an answer names; of two, the one that was asked for later is the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Lease {
    /// When the message that is answered was sent.
    pub asked: Time,
    pub length: Span,
}

/// The news that a lock is granted.
struct Grant<'a> {
    request: RequestId,
    path: &'a Path,
    token: Token,
    lease: Lease,
}

impl Client {
    pub(super) fn on_lock_answer(&mut self, now: Time, answer: &LockAnswer, out: &mut Outbox) {
        match answer {
            LockAnswer::Granted { request, path, token, asked, lease } => {
                let (request, token) = (*request, *token);
                let lease = Lease { asked: *asked, length: *lease };
                self.on_granted(now, Grant { request, path, token, lease }, out);
            }
            LockAnswer::KeptAlive { path, token, asked, lease } => {
                let lease = Lease { asked: *asked, length: *lease };
                self.on_kept_alive(now, path, *token, lease, out);
            }
            LockAnswer::NotKept { path, keep } => self.on_not_kept(now, path, *keep, out),
            LockAnswer::LockRefused { request, refusal, .. } => {
                self.on_lock_refused(*request, *refusal, out);
            }
            LockAnswer::Released { request, .. } => self.on_released(*request, out),
        }
    }

    /// Adds the token of the lock of the operation's path, if it is held.
    pub(super) fn with_token(&self, now: Time, operation: &Operation) -> Operation {
        let token = |path| self.locks.get(path).filter(|h| now < h.until).map(|h| h.token);
        let mut operation = operation.clone();
        if let Action::Rename(to, target_token) = &mut operation.action {
            *target_token = token(to);
        }
        operation.token = token(&operation.path);
        operation
    }

    fn on_granted(&mut self, now: Time, grant: Grant<'_>, out: &mut Outbox) {
        let Grant { request, path, token, lease } = grant;
        let wanted = match self.pending.get(&request.number) {
            Some(pending) if pending.request == request => Some(&pending.wanted),
            Some(_) | None => None,
        };
        let is_wanted = matches!(wanted, Some(Wanted::Lock { .. }));
        let is_held = self.locks.get(path).is_some_and(|holding| holding.token == token);
        if !is_wanted && !is_held {
            // No request wants this lock any more: other clients need not wait for its lease.
            let path = path.clone();
            return out.send(NodeId::CONTROL, LockRequest::Release { request, path, token });
        }
        let until = self.lease_until(now, lease);
        if until <= now {
            // The lease ran out on the way. The timer of the keep-alive or of the attempt asks
            // again. A question sent here would be answered by another late grant, and so on
            // without end.
            return;
        }
        if is_held {
            return self.on_kept_alive(now, path, token, lease, out); // a copy
        }
        let holding = Holding { token, request, until, lease };
        self.hold(now, path, holding, out);
        self.claim(now, request.number, path.clone(), token, out);
    }

    /// Raises the fence of the path before anything is done under its lock.
    fn claim(&mut self, now: Time, number: u32, path: Path, token: Token, out: &mut Outbox) {
        let pending = self.pending.get_mut(&number).expect("the lock is wanted");
        let claim = Operation { path: path.clone(), action: Action::Claim, token: Some(token) };
        pending.wanted = Wanted::Claim { path, token, operations: [claim].into() };
        (pending.attempt, pending.epoch, pending.first_of_epoch) = (0, self.layout.epoch(), 1);
        if self.config.defects.has(Defect::ClaimSkipped) {
            return self.end(number, Reply::Acquired(token), out);
        }
        self.attempt(now, number, out);
    }

    fn on_kept_alive(
        &mut self,
        now: Time,
        path: &Path,
        token: Token,
        lease: Lease,
        out: &mut Outbox,
    ) {
        let until = self.lease_until(now, lease);
        match self.locks.get_mut(path) {
            Some(holding) if holding.token == token => {
                holding.lease = holding.lease.max(lease);
                if until > holding.until {
                    let holding = Holding { until, ..holding.clone() };
                    self.hold(now, path, holding, out);
                }
            }
            Some(_) | None => {}
        }
    }

    pub(super) fn on_not_kept(&mut self, now: Time, path: &Path, keep: Keep, out: &mut Outbox) {
        match keep {
            Keep::Holding(token) => {
                if self.locks.get(path).is_some_and(|holding| holding.token == token) {
                    self.lose(path, out);
                }
            }
            Keep::Waiting(request) => {
                let pending = self.pending.get(&request.number);
                let waits = pending.is_some_and(|pending| {
                    pending.request == request && matches!(pending.wanted, Wanted::Lock { .. })
                });
                if waits {
                    self.attempt(now, request.number, out); // the request, or its place, was lost
                }
            }
        }
    }

    pub(super) fn on_lock_refused(
        &mut self,
        request: RequestId,
        refusal: Refusal,
        out: &mut Outbox,
    ) {
        let is_wanted = self.pending.get(&request.number).is_some_and(|pending| {
            pending.request == request && matches!(pending.wanted, Wanted::Lock { .. })
        });
        if !is_wanted {
            return;
        }
        let reply = match refusal == Refusal::Forgotten {
            true => Reply::Unknown, // it was granted, and is over
            false => Reply::Refused(refusal),
        };
        self.end(request.number, reply, out);
    }

    pub(super) fn on_released(&mut self, request: RequestId, out: &mut Outbox) {
        let is_wanted = self.pending.get(&request.number).is_some_and(|pending| {
            pending.request == request && matches!(pending.wanted, Wanted::Release { .. })
        });
        if is_wanted {
            self.end(request.number, Reply::Released, out);
        }
    }

    /// Believes in a lease until it ends.
    fn hold(&mut self, now: Time, path: &Path, holding: Holding, out: &mut Outbox) {
        let Holding { token, request, until, .. } = holding;
        self.timers.set(Timer::LeaseEnd(path.clone()), until);
        if self.locks.insert(path.clone(), holding).is_none() {
            let next = now + self.keep_interval(path);
            self.timers.set_by(Timer::KeepAlive(path.clone()), next);
        }
        out.notice(Notice::Holding { path: path.clone(), request, token, until });
    }

    /// Stops believing in a lock; gives its token.
    pub(super) fn lose(&mut self, path: &Path, out: &mut Outbox) -> Option<Token> {
        let Holding { token, .. } = self.locks.remove(path)?;
        self.timers.cancel(&Timer::LeaseEnd(path.clone()));
        if !self.waits_for(path) {
            self.timers.cancel(&Timer::KeepAlive(path.clone()));
        }
        out.notice(Notice::Lost { path: path.clone(), token });
        Some(token)
    }

    pub(super) fn keep_alive(&mut self, now: Time, path: &Path, out: &mut Outbox) {
        let waiting = self.pending.values().filter(|pending| pending.waits_for(path));
        let waiting = waiting.map(|pending| Keep::Waiting(pending.request));
        let holding = self.locks.get(path).map(|holding| Keep::Holding(holding.token));
        let keeps: BTreeSet<Keep> = waiting.chain(holding).collect();
        if !keeps.is_empty() {
            let next = now + self.keep_interval(path);
            self.timers.set(Timer::KeepAlive(path.clone()), next);
        }
        for keep in keeps {
            let path = path.clone();
            out.send(NodeId::CONTROL, LockRequest::KeepAlive { path, keep, asked: now });
        }
    }

    fn waits_for(&self, path: &Path) -> bool {
        self.pending.values().any(|pending| pending.waits_for(path))
    }

    /// Until when the client may believe in the lease.
    fn lease_until(&self, now: Time, lease: Lease) -> Time {
        let Lease { asked, length } = lease;
        let from = match self.config.defects.has(Defect::LeaseCountedFromTheReply) {
            true => now,
            false => asked,
        };
        let terms = LeaseTerms { length, drift_max_ppm: self.config.drift_max_ppm };
        terms.holder_until(from)
    }

    /// Often enough that two keep-alives may be lost before a lease runs out.
    pub(super) fn keep_interval(&self, path: &Path) -> Span {
        let known = self.layout.view().lock_lease;
        let granted = self.locks.get(path).map_or(known, |holding| holding.lease.length);
        known.min(granted).fraction(4)
    }
}

//! Attempts at requests: made, ended, and made again after a pause.

use super::{AttemptId, Client, Pending, Wanted};
use crate::machine::{NodeId, Span, Time};
use crate::proto::{
    Answer, AttemptEnd, Defect, Ended, FileRequest, LockRequest, Outbox, Path, Reply, Retry, Timer,
};

impl Client {
    /// Makes the next attempt at a request.
    pub(super) fn attempt(&mut self, now: Time, number: u32, out: &mut Outbox) {
        let pending = self.pending.get_mut(&number).expect("it is not answered");
        pending.attempt += 1;
        self.send_attempt(now, number, out);
    }

    /// Sends the request's current attempt.
    pub(super) fn send_attempt(&mut self, now: Time, number: u32, out: &mut Outbox) {
        let lowest = self.lowest();
        let pending = self.pending.get_mut(&number).expect("it is not answered");
        pending.is_asking = true;
        if pending.epoch != self.layout.epoch() {
            (pending.epoch, pending.first_of_epoch) = (self.layout.epoch(), pending.attempt);
        }
        let Pending { request, attempt, .. } = *pending;
        let timeout = self.config.attempt_timeout;
        self.timers.set(Timer::Attempt(number), now + timeout);
        match pending.wanted.clone() {
            Wanted::Read { path, node } => {
                // Only an owner can answer; a coordinator that is none would pass nothing on.
                let is_asked =
                    |node: &NodeId| attempt == 1 && self.layout.ring().owners(&path).contains(node);
                let to = node.filter(is_asked).unwrap_or_else(|| self.owner_to_ask(&path, attempt));
                out.send(
                    to,
                    FileRequest::Read { epoch: self.layout.epoch(), request, attempt, path },
                );
            }
            Wanted::Files { operations, coordinator } => {
                let to = match (coordinator, attempt) {
                    (Some(coordinator), 1) => coordinator,
                    _ => match operations.first() {
                        Some(first) => self.owner_to_ask(&first.path, attempt),
                        None => self.layout.view().members[0].node,
                    },
                };
                self.begin(now, to, number, operations, out);
            }
            Wanted::Claim { path, operations, .. } => {
                let to = self.owner_to_ask(&path, attempt);
                self.begin(now, to, number, operations, out);
            }
            Wanted::Lock { path, wait } => {
                if wait {
                    // From now on keep-alives carry the request. Another request of this client
                    // that waits in the same line still needs its own in time.
                    self.timers.cancel(&Timer::Attempt(number));
                    let next = now + self.keep_interval(&path);
                    self.timers.set_by(Timer::KeepAlive(path.clone()), next);
                }
                out.send(
                    NodeId::CONTROL,
                    LockRequest::Acquire { request, lowest, path, wait, asked: now },
                );
            }
            Wanted::Release { path, token } => {
                out.send(NodeId::CONTROL, LockRequest::Release { request, path, token });
            }
        }
    }

    pub(super) fn on_ended(&mut self, now: Time, from: NodeId, ended: &Ended, out: &mut Outbox) {
        let Ended { request, attempt, ref end } = *ended;
        if request.incarnation != self.incarnation {
            return;
        }
        let number = match self.config.defects.has(Defect::RetryUnderNewId) {
            true => request.number % RETRY_OFFSET,
            false => request.number,
        };
        if let AttemptEnd::Retry(Retry::Session(node)) = end {
            return self.on_other_session(now, from, AttemptId { number, attempt }, *node, out);
        }
        self.close(from, AttemptId { number, attempt });
        let Some(pending) = self.pending.get(&number) else { return };
        let is_newest = attempt == pending.attempt;
        match end {
            AttemptEnd::Done(answer) => self.on_done(now, number, answer.clone(), out),
            AttemptEnd::Refused { refusal, recorded } => {
                let believes = self.config.defects.has(Defect::LateRefusalBelieved);
                let holds_for_all = *recorded && attempt >= pending.first_of_epoch;
                if holds_for_all || pending.attempt == 1 || believes {
                    self.end(number, Reply::Refused(*refusal), out);
                } else if is_newest {
                    self.pause(now, number);
                }
            }
            AttemptEnd::Retry(why) => {
                if matches!(why, Retry::Epoch(epoch) if *epoch > self.known) {
                    self.watch(out);
                }
                if is_newest {
                    self.pause(now, number);
                }
            }
        }
    }

    fn on_done(&mut self, now: Time, number: u32, answer: Answer, out: &mut Outbox) {
        let pending = self.pending.get(&number).expect("it is not answered");
        let reply = match &pending.wanted {
            // The fence is up; the lease may have run out meanwhile.
            Wanted::Claim { path, token, .. } => {
                let holding = self.locks.get(path).filter(|held| held.token == *token);
                match holding.is_some_and(|held| now < held.until) {
                    true => Reply::Acquired(*token),
                    false => Reply::Unknown,
                }
            }
            Wanted::Read { .. } | Wanted::Files { .. } => Reply::Done(answer),
            Wanted::Lock { .. } | Wanted::Release { .. } => Reply::Unknown,
        };
        self.end(number, reply, out);
    }

    /// Answers a request, once.
    pub(super) fn end(&mut self, number: u32, reply: Reply, out: &mut Outbox) {
        let Pending { request, wanted, .. } = self.take(number).expect("it is answered once");
        let reply = match wanted {
            Wanted::Claim { path, token, .. } if reply != Reply::Acquired(token) => {
                // The lock was granted but its path could not be claimed. The user is not told of a
                // lock and never gives it back: the client does.
                if self.locks.get(&path).is_some_and(|holding| holding.token == token) {
                    self.lose(&path, out);
                }
                out.send(NodeId::CONTROL, LockRequest::Release { request, path, token });
                Reply::Unknown
            }
            Wanted::Claim { .. } | Wanted::Read { .. } | Wanted::Files { .. } => reply,
            Wanted::Lock { .. } | Wanted::Release { .. } => reply,
        };
        out.reply(request, reply);
    }

    /// Waits a while before the next attempt: longer each time, and each request differently, so
    /// that two that met once do not meet for ever.
    fn pause(&mut self, now: Time, number: u32) {
        let pending = self.pending.get_mut(&number).expect("it is not answered");
        if !std::mem::take(&mut pending.is_asking) {
            return; // a copy of the news must not put the next attempt off
        }
        let key = u64::from(pending.request.client.number()) << 48
            ^ u64::from(pending.request.incarnation.0) << 40
            ^ u64::from(number) << 8
            ^ u64::from(pending.attempt);
        let spread = self.config.retry_delay.times(1 << pending.attempt.min(5)).as_nanos();
        let pause = self.config.retry_delay + Span::from_nanos(scramble(key) % spread);
        self.timers.set(Timer::Attempt(number), now + pause);
    }

    /// Ends a request, with its timers.
    fn take(&mut self, number: u32) -> Option<Pending> {
        self.timers.cancel(&Timer::Attempt(number));
        self.timers.cancel(&Timer::GiveUp(number));
        for talk in self.sessions.values_mut() {
            talk.open.retain(|_, open| open.number != number);
        }
        self.pending.remove(&number)
    }

    pub(super) fn lowest(&self) -> u32 {
        self.pending.keys().next().copied().unwrap_or(self.next_number)
    }

    pub(super) fn owner_to_ask(&self, path: &Path, attempt: u32) -> NodeId {
        let owners = self.layout.ring().owners(path);
        // Clients start at different owners, so that reads are spread over all of them.
        let first = usize::from(self.id.number());
        let attempt = if self.config.defects.has(Defect::RetriesAskOneOwner) { 1 } else { attempt };
        owners[(first + attempt as usize) % owners.len()]
    }
}

/// Added to a request's number by the defect that retries under new ids.
pub(super) const RETRY_OFFSET: u32 = 1 << 20;

/// Spreads keys evenly over all numbers (the finalizer of SplitMix64: Steele, Lea, Flood, 2014).
fn scramble(key: u64) -> u64 {
    let mut x = key.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

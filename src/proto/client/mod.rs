//! The client: it alone retries, and it answers each of its user's requests once.
//!
//! A request keeps its id over all attempts, so that the owners can tell a second attempt from a
//! second request. What the client may say at the end:
//!
//! | what is known | answer |
//! |---|---|
//! | some attempt committed | done, with the answer of the committed transaction |
//! | the only attempt was refused | refused |
//! | an attempt was refused, an owner has forced that under the request's id, and no attempt was made in a later epoch | refused: no attempt can get that owner's vote any more |
//! | an attempt was refused, and another may still be on its way | go on |
//! | the time is up | unknown |
//!
//! A refusal is forced at an owner of the epoch of its attempt. In a later epoch others may be the
//! owners, which got the path from one that never heard of it, and they may commit.
//!
//! "Timed out" is not "failed": an attempt without an answer may have taken effect, or may yet.
//!
//! # Locks
//!
//! `Acquire` goes to the lock server; keep-alives keep the place in line, then the lock. The lease
//! is counted from the *sending* of the message that a grant or acknowledgement names, so the
//! client stops believing before the server may grant to the next. The first thing a new holder
//! does is to *claim* the path: a transaction that raises its fence at all owners. Only then is the
//! lock acquired. Because: if only the holder's writes raised it, the new holder could *read*
//! before a delayed write of the old one arrives, and one of the two would be lost. Every change of
//! a path under its lock carries the token.

mod attempts;
mod locks;
mod session;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{
    Age, Config, Defect, Epoch, Input, Layout, Membership, Message, Notice, Operation, Outbox,
    Path, Refusal, Reply, Request, ToCentre, Token, View, Views,
};
use super::{Timer, Timers};
use crate::machine::{Incarnation, NodeId, RequestId, Span, Time};
use locks::Holding;
use session::Talk;

/// A client. It has no log, so all of it is volatile: a new life knows nothing of the requests of
/// the one before.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Client {
    config: Arc<Config>,
    id: NodeId,
    incarnation: Incarnation,
    /// The view that the client goes by.
    layout: Arc<Layout>,
    /// The newest view that the centre has told of; none yet at the start.
    known: Epoch,
    timers: Timers,
    /// The number after the highest that the user has used.
    next_number: u32,
    pending: BTreeMap<u32, Pending>,
    locks: BTreeMap<Path, Holding>,
    sessions: BTreeMap<NodeId, Talk>,
}

/// A request that is not answered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Pending {
    request: RequestId,
    wanted: Wanted,
    first_attempt: Time,
    /// How long it had waited when a transaction was last begun for it.
    waited: Option<Span>,
    /// The newest attempt, from 1.
    attempt: u32,
    /// The epoch of the newest attempt.
    epoch: Epoch,
    /// The first attempt in that epoch.
    first_of_epoch: u32,
    /// Is the newest attempt still unanswered?
    is_asking: bool,
}

/// One attempt at a request of this client's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct AttemptId {
    number: u32,
    attempt: u32,
}

/// What a pending request is after.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Wanted {
    /// One file's contents, from any owner, or first from this one.
    Read { path: Path, node: Option<NodeId> },
    /// A transaction.
    Files { operations: Arc<[Operation]>, coordinator: Option<NodeId> },
    /// A lock that is not granted yet.
    Lock { path: Path, wait: bool },
    /// A lock that is granted; its path is being claimed with these operations.
    Claim { path: Path, token: Token, operations: Arc<[Operation]> },
    /// To be rid of a lock.
    Release { path: Path, token: Token },
}

impl Client {
    /// A client that starts a life; `incarnation` is used for no other.
    pub fn start(config: Arc<Config>, id: NodeId, incarnation: Incarnation) -> Client {
        Client {
            layout: config.first_layout().clone(),
            known: Epoch::default(),
            config,
            id,
            incarnation,
            timers: Timers::default(),
            next_number: 1,
            pending: BTreeMap::new(),
            locks: BTreeMap::new(),
            sessions: BTreeMap::new(),
        }
    }

    /// Takes one input; what it leads to goes into `out`, in order.
    pub fn step(&mut self, now: Time, input: Input, out: &mut Outbox) {
        match input {
            Input::Request(id, request) => self.on_request(now, id, request, out),
            Input::Message(from, message) => self.on_message(now, from, message, out),
            Input::Wake(timer) => self.on_wake(now, timer, out),
            Input::Command(_) | Input::DiskFull(_) => {} // a client has no operator and no disk
        }
    }

    /// The requests that are not answered, each with the number of its newest attempt.
    pub fn open_requests(&self) -> impl Iterator<Item = (RequestId, u32)> {
        self.pending.values().map(|pending| (pending.request, pending.attempt))
    }

    /// The locks that it believes to hold, each with its token and when its lease ends by this
    /// client's clock.
    pub fn held_locks(&self) -> impl Iterator<Item = (&Path, Token, Time)> {
        self.locks.iter().map(|(path, held)| (path, held.token, held.until))
    }

    /// The same state under other settings.
    pub(super) fn reconfigured(&self, config: Arc<Config>) -> Client {
        Client { config, ..self.clone() }
    }

    /// When to wake the client next, and for what.
    pub fn next_deadline(&self) -> Option<(Time, &Timer)> {
        self.timers.next()
    }

    fn on_request(&mut self, now: Time, request: RequestId, wanted: &Request, out: &mut Outbox) {
        let wanted = match wanted {
            Request::Files { operations, coordinator }
                if operations.len() == 1 && operations[0].action.is_read() =>
            {
                Wanted::Read { path: operations[0].path.clone(), node: *coordinator }
            }
            Request::Files { operations, coordinator } => {
                let operations = operations.iter().map(|op| self.with_token(now, op)).collect();
                Wanted::Files { operations, coordinator: *coordinator }
            }
            Request::Acquire { path, wait } => Wanted::Lock { path: path.clone(), wait: *wait },
            Request::Release { path } => match self.lose(path, out) {
                Some(token) => Wanted::Release { path: path.clone(), token },
                None => return out.reply(request, Reply::Refused(Refusal::NotHeld)),
            },
        };
        if self.known == Epoch::default() {
            self.watch(out);
        }
        self.next_number = self.next_number.max(request.number + 1);
        let pending = Pending {
            request,
            wanted,
            first_attempt: now,
            waited: None,
            attempt: 0,
            epoch: self.layout.epoch(),
            first_of_epoch: 1,
            is_asking: false,
        };
        let number = request.number;
        self.timers.set(Timer::GiveUp(number), now + self.config.request_timeout);
        self.pending.insert(number, pending);
        let is_lazy = self.config.defects.has(Defect::UnknownWithoutAnAttempt);
        if is_lazy && number.is_multiple_of(3) {
            return self.end(number, Reply::Unknown, out);
        }
        self.attempt(now, number, out);
    }

    fn on_message(&mut self, now: Time, from: NodeId, message: &Message, out: &mut Outbox) {
        match message {
            Message::Ended(ended) => self.on_ended(now, from, ended, out),
            Message::LockAnswer(answer) => self.on_lock_answer(now, answer, out),
            Message::Views(Views { views, .. }) => self.on_views(views, out),
            // To storage nodes and to the central node.
            Message::FileRequest(_) | Message::Txn(_) | Message::Pull(_) | Message::Chunk(_) => {}
            Message::LockRequest(_) | Message::ToCentre(_) | Message::FromCentre(_) => {}
        }
    }

    fn on_wake(&mut self, now: Time, timer: Timer, out: &mut Outbox) {
        self.timers.cancel(&timer);
        match timer {
            Timer::Attempt(number) => {
                if self.pending.get(&number).is_some_and(|pending| pending.is_asking) {
                    self.watch(out); // the node that was asked may be no member any more
                }
                self.attempt(now, number, out);
            }
            Timer::GiveUp(number) => self.end(number, Reply::Unknown, out),
            Timer::KeepAlive(path) => self.keep_alive(now, &path, out),
            Timer::LeaseEnd(_) if self.config.defects.has(Defect::LeaseEndIgnored) => {}
            Timer::LeaseEnd(path) => {
                self.lose(&path, out);
            }
            // Of storage nodes and of the central node; a client says nothing when it starts.
            Timer::Start | Timer::Collect(_) | Timer::Resend(_) | Timer::Ready(_) => {}
            Timer::Inquire(_) | Timer::Lease(_) | Timer::Members => {}
            Timer::Heartbeat | Timer::Pull => {}
        }
    }
}

/// Views.
impl Client {
    /// Asks the centre to be told of every view from now on, at once if there is a newer one.
    fn watch(&self, out: &mut Outbox) {
        if self.config.membership == Membership::Managed {
            out.send(NodeId::CONTROL, ToCentre::Watch { known: self.known });
        }
    }

    fn on_views(&mut self, views: &[View], out: &mut Outbox) {
        let Some(view) = views.last().filter(|view| view.epoch > self.known) else { return };
        self.known = view.epoch;
        self.layout = Layout::new(&self.config, view.clone(), &self.layout);
        out.notice(Notice::View(view.clone()));
    }
}

impl Pending {
    /// The age of an attempt that is sent now: the wait is longer than at every attempt before it,
    /// also if the clock was set back.
    fn age(&mut self, now: Time) -> Age {
        let least = self.waited.map_or(Span::ZERO, |waited| waited + Span::from_nanos(1));
        let waited = now.since(self.first_attempt).max(least);
        self.waited = Some(waited);
        Age { waited, request: self.request }
    }

    /// Does it wait in line for the lock of `path`?
    fn waits_for(&self, path: &Path) -> bool {
        match &self.wanted {
            Wanted::Lock { path: wanted, wait } => *wait && wanted == path,
            Wanted::Read { .. } | Wanted::Files { .. } => false,
            Wanted::Claim { .. } | Wanted::Release { .. } => false,
        }
    }
}

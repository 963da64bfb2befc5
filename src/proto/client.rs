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
//! owners, who got the path from one that never heard of it, and they may commit.
//!
//! "Timed out" is not "failed": an attempt that nobody answered may have taken effect, or may yet.
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

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::lease::LeaseTerms;
use super::{
    Action, Age, AttemptEnd, Config, Defect, Epoch, Input, Keep, Layout, Membership, Message,
    Notice, Operation, Outbox, Path, Refusal, Reply, Request, Retry, Session, Token, View,
};
use super::{Timer, Timers};
use crate::machine::{Class, Incarnation, NodeId, RequestId, Span, Time};

/// A client. It has no log: a new life knows nothing of the requests of the one before.
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

/// A lock that is held.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Holding {
    token: Token,
    request: RequestId,
    until: Time,
    /// The lease that the newest answer names, and when that was asked for: the lock server may have
    /// another one in force than the view that the client knows.
    lease: (Time, Span),
}

/// The session with one node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Talk {
    /// The node's life, as far as it is known.
    node: Incarnation,
    next: u32,
    /// The numbers that wait for an answer, and for which attempt.
    open: BTreeMap<u32, (u32, u32)>,
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
            Input::Command(_) | Input::DiskFull(_) => {} // nobody commands a client; it has no disk
        }
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
            Message::Ended { request, attempt, end } => {
                self.on_ended(now, from, *request, *attempt, end, out);
            }
            Message::Granted { request, path, token, asked, lease } => {
                self.on_granted(now, *request, path, *token, (*asked, *lease), out);
            }
            Message::KeptAlive { path, token, asked, lease } => {
                self.on_kept_alive(now, path, *token, (*asked, *lease), out);
            }
            Message::Views { views, .. } => self.on_views(views, out),
            Message::NotKept { path, keep } => self.on_not_kept(now, path, *keep, out),
            Message::LockRefused { request, refusal, .. } => {
                self.on_lock_refused(*request, *refusal, out);
            }
            Message::Released { request, .. } => self.on_released(*request, out),
            other => assert!(!other.kind().is_to(Class::Client), "nothing handles {other:?}"),
        }
    }

    fn on_wake(&mut self, now: Time, timer: Timer, out: &mut Outbox) {
        self.timers.cancel(&timer);
        match timer {
            Timer::Attempt(number) => {
                if self.pending.get(&number).is_some_and(|pending| pending.is_asking) {
                    self.watch(out); // whoever was asked may be a member no more
                }
                self.attempt(now, number, out);
            }
            Timer::GiveUp(number) => self.end(number, Reply::Unknown, out),
            Timer::KeepAlive(path) => self.keep_alive(now, &path, out),
            Timer::LeaseEnd(_) if self.config.defects.has(Defect::LeaseEndIgnored) => {}
            Timer::LeaseEnd(path) => {
                self.lose(&path, out);
            }
            _ => {} // for storage nodes and the central node
        }
    }
}

/// Views.
impl Client {
    /// Asks the centre to be told of every view from now on, at once if there is a newer one.
    fn watch(&self, out: &mut Outbox) {
        if self.config.membership == Membership::Managed {
            out.send(NodeId::CONTROL, Message::Watch { known: self.known });
        }
    }

    fn on_views(&mut self, views: &[View], out: &mut Outbox) {
        let Some(view) = views.last().filter(|view| view.epoch > self.known) else { return };
        self.known = view.epoch;
        self.layout = Layout::new(&self.config, view.clone(), &self.layout);
        out.notice(Notice::View(view.clone()));
    }
}

/// Attempts.
impl Client {
    /// Makes the next attempt at a request.
    fn attempt(&mut self, now: Time, number: u32, out: &mut Outbox) {
        let Some(pending) = self.pending.get_mut(&number) else { return };
        pending.attempt += 1;
        self.send_attempt(now, number, out);
    }

    /// Sends the request's current attempt.
    fn send_attempt(&mut self, now: Time, number: u32, out: &mut Outbox) {
        let lowest = self.lowest();
        let Some(pending) = self.pending.get_mut(&number) else { return };
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
                out.send(to, Message::Read { epoch: self.layout.epoch(), request, attempt, path });
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
                    // From now on keep-alives carry the request. Another request of this client that
                    // waits in the same line still needs its own in time.
                    self.timers.cancel(&Timer::Attempt(number));
                    let next = now + self.keep_interval(&path);
                    self.timers.set_by(Timer::KeepAlive(path.clone()), next);
                }
                out.send(
                    NodeId::CONTROL,
                    Message::Acquire { request, lowest, path, wait, asked: now },
                );
            }
            Wanted::Release { path, token } => {
                out.send(NodeId::CONTROL, Message::Release { request, path, token });
            }
        }
    }

    /// Sends a transaction to `to`, as the next message of the session with it.
    fn begin(
        &mut self,
        now: Time,
        to: NodeId,
        number: u32,
        operations: Arc<[Operation]>,
        out: &mut Outbox,
    ) {
        let lowest = self.lowest();
        let Some(pending) = self.pending.get_mut(&number) else { return };
        let age = pending.age(now);
        let Pending { mut request, attempt, .. } = *pending;
        if self.config.defects.has(Defect::RetryUnderNewId) {
            request.number += (attempt - 1) * RETRY_OFFSET;
        }
        let talk = self.sessions.entry(to).or_default();
        talk.next += 1;
        talk.open.insert(talk.next, (number, attempt));
        let oldest = talk.open.keys().next().copied().unwrap_or(talk.next);
        let session = Session { node: talk.node, number: talk.next, lowest: oldest };
        let epoch = self.layout.epoch();
        out.send(to, Message::Begin { session, epoch, request, attempt, lowest, age, operations });
    }

    fn on_ended(
        &mut self,
        now: Time,
        from: NodeId,
        request: RequestId,
        attempt: u32,
        end: &AttemptEnd,
        out: &mut Outbox,
    ) {
        if request.incarnation != self.incarnation {
            return;
        }
        let number = match self.config.defects.has(Defect::RetryUnderNewId) {
            true => request.number % RETRY_OFFSET,
            false => request.number,
        };
        if let AttemptEnd::Retry(Retry::Session(node)) = end {
            return self.on_other_session(now, from, number, attempt, *node, out);
        }
        self.close(from, number, attempt);
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

    /// The node is in another life than the session was with, and took nothing.
    fn on_other_session(
        &mut self,
        now: Time,
        from: NodeId,
        number: u32,
        attempt: u32,
        node: Incarnation,
        out: &mut Outbox,
    ) {
        let talk = self.sessions.entry(from).or_default();
        if talk.node < node {
            *talk = Talk { node, ..Talk::default() };
        }
        // This is the same attempt still. It is sent again once, however often the network brings
        // the news: sent twice, it could become two transactions. In a newer view it may have been
        // sent to another node.
        let is_on_its_way = |talk: &Talk| talk.open.values().any(|open| *open == (number, attempt));
        let is_sent_again = self.sessions.values().any(is_on_its_way);
        let pending = self.pending.get(&number);
        let is_open = pending.is_some_and(|p| p.attempt == attempt && p.is_asking);
        if is_open && !is_sent_again {
            self.send_attempt(now, number, out);
        }
    }

    fn on_done(&mut self, now: Time, number: u32, answer: super::Answer, out: &mut Outbox) {
        let Some(pending) = self.pending.get(&number) else { return };
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
    fn end(&mut self, number: u32, reply: Reply, out: &mut Outbox) {
        let Some(Pending { request, wanted, .. }) = self.take(number) else { return };
        let reply = match wanted {
            Wanted::Claim { path, token, .. } if reply != Reply::Acquired(token) => {
                // The lock was granted but its path could not be claimed. The user is not told of a
                // lock, so nobody would ever give it back: the client does.
                if self.locks.get(&path).is_some_and(|holding| holding.token == token) {
                    self.lose(&path, out);
                }
                out.send(NodeId::CONTROL, Message::Release { request, path, token });
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
        let Some(pending) = self.pending.get_mut(&number) else { return };
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
            talk.open.retain(|_, (open, _)| *open != number);
        }
        self.pending.remove(&number)
    }

    fn close(&mut self, node: NodeId, number: u32, attempt: u32) {
        if let Some(talk) = self.sessions.get_mut(&node) {
            talk.open.retain(|_, open| *open != (number, attempt));
        }
    }

    fn lowest(&self) -> u32 {
        self.pending.keys().next().copied().unwrap_or(self.next_number)
    }

    fn owner_to_ask(&self, path: &Path, attempt: u32) -> NodeId {
        let owners = self.layout.ring().owners(path);
        // Clients start at different owners, so that reads are spread over all of them.
        let first = usize::from(self.id.number());
        let attempt = if self.config.defects.has(Defect::RetriesAskOneOwner) { 1 } else { attempt };
        owners[(first + attempt as usize) % owners.len()]
    }

    /// Adds the token of the lock of the operation's path, if it is held.
    fn with_token(&self, now: Time, operation: &Operation) -> Operation {
        let token = |path| self.locks.get(path).filter(|h| now < h.until).map(|h| h.token);
        let mut operation = operation.clone();
        if let Action::Rename(to, target_token) = &mut operation.action {
            *target_token = token(to);
        }
        operation.token = token(&operation.path);
        operation
    }
}

/// Locks.
impl Client {
    fn on_granted(
        &mut self,
        now: Time,
        request: RequestId,
        path: &Path,
        token: Token,
        (asked, lease): (Time, Span),
        out: &mut Outbox,
    ) {
        let wanted = match self.pending.get(&request.number) {
            Some(pending) if pending.request == request => Some(&pending.wanted),
            Some(_) | None => None,
        };
        let is_wanted = matches!(wanted, Some(Wanted::Lock { .. }));
        let is_held = self.locks.get(path).is_some_and(|holding| holding.token == token);
        if !is_wanted && !is_held {
            // Nobody wants this lock any more: do not keep others waiting for a lease.
            let path = path.clone();
            return out.send(NodeId::CONTROL, Message::Release { request, path, token });
        }
        let until = self.lease_until(now, asked, lease);
        if until <= now {
            // The lease ran out on the way. The timer of the keep-alive or of the attempt asks again. A
            // question sent here would be answered by another late grant, and so on without end.
            return;
        }
        if is_held {
            return self.on_kept_alive(now, path, token, (asked, lease), out); // a copy
        }
        let holding = Holding { token, request, until, lease: (asked, lease) };
        self.hold(now, path, holding, out);
        self.claim(now, request.number, path.clone(), token, out);
    }

    /// Raises the fence of the path before anything is done under its lock.
    fn claim(&mut self, now: Time, number: u32, path: Path, token: Token, out: &mut Outbox) {
        let Some(pending) = self.pending.get_mut(&number) else { return };
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
        (asked, lease): (Time, Span),
        out: &mut Outbox,
    ) {
        let until = self.lease_until(now, asked, lease);
        match self.locks.get_mut(path) {
            Some(holding) if holding.token == token => {
                holding.lease = holding.lease.max((asked, lease));
                if until > holding.until {
                    let holding = Holding { until, ..holding.clone() };
                    self.hold(now, path, holding, out);
                }
            }
            Some(_) | None => {}
        }
    }

    fn on_not_kept(&mut self, now: Time, path: &Path, keep: Keep, out: &mut Outbox) {
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

    fn on_lock_refused(&mut self, request: RequestId, refusal: Refusal, out: &mut Outbox) {
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

    fn on_released(&mut self, request: RequestId, out: &mut Outbox) {
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
    fn lose(&mut self, path: &Path, out: &mut Outbox) -> Option<Token> {
        let Holding { token, .. } = self.locks.remove(path)?;
        self.timers.cancel(&Timer::LeaseEnd(path.clone()));
        if !self.waits_for(path) {
            self.timers.cancel(&Timer::KeepAlive(path.clone()));
        }
        out.notice(Notice::Lost { path: path.clone(), token });
        Some(token)
    }

    fn keep_alive(&mut self, now: Time, path: &Path, out: &mut Outbox) {
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
            out.send(NodeId::CONTROL, Message::KeepAlive { path, keep, asked: now });
        }
    }

    fn waits_for(&self, path: &Path) -> bool {
        self.pending.values().any(|pending| pending.waits_for(path))
    }

    /// Until when a lease of that length lasts that was asked for at `asked`.
    fn lease_until(&self, now: Time, asked: Time, length: Span) -> Time {
        let from = match self.config.defects.has(Defect::LeaseCountedFromTheReply) {
            true => now,
            false => asked,
        };
        let terms = LeaseTerms { length, drift_max_ppm: self.config.drift_max_ppm };
        terms.holder_until(from)
    }

    /// Often enough that two keep-alives may be lost before a lease runs out.
    fn keep_interval(&self, path: &Path) -> Span {
        let known = self.layout.view().lock_lease;
        let granted = self.locks.get(path).map_or(known, |holding| holding.lease.1);
        known.min(granted).fraction(4)
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

/// Added to a request's number by the defect that retries under new ids.
const RETRY_OFFSET: u32 = 1 << 20;

/// Spreads keys evenly over all numbers (the finalizer of SplitMix64: Steele, Lea, Flood, 2014).
fn scramble(key: u64) -> u64 {
    let mut x = key.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::{Effect, Settings};

    /// A client that has made an attempt at a request in the first epoch and one in each of these.
    fn attempts_in(epochs: &[u32]) -> (Client, RequestId) {
        let settings = Settings { membership: Membership::Managed, ..Settings::default() };
        let config = Config::new(settings).expect("sound settings");
        let first = config.first_layout().view().clone();
        let (id, incarnation) = (NodeId::client(1), Incarnation(1));
        let mut client = Client::start(config, id, incarnation);
        let request = RequestId { client: id, incarnation, number: 1 };
        let path = Path::new("/a").expect("a path");
        let action = Action::Write("x".into(), None);
        let operations = [Operation { path, action, token: None }].into();
        let wanted = Request::Files { operations, coordinator: None };
        take(&mut client, Input::Request(request, &wanted));
        for &epoch in epochs {
            let views = [View { epoch: Epoch(epoch), ..first.clone() }].into();
            let (settled, lost) = (Epoch::default(), [].into());
            let news = Message::Views { asked: None, views, settled, lost };
            take(&mut client, Input::Message(NodeId::CONTROL, &news));
            let effects = take(&mut client, Input::Wake(Timer::Attempt(1)));
            let begin = effects.iter().find_map(|effect| match effect {
                Effect::Send(_, message) => match **message {
                    Message::Begin { epoch, .. } => Some(epoch),
                    _ => None,
                },
                _ => None,
            });
            assert_eq!(begin, Some(Epoch(epoch)));
        }
        (client, request)
    }

    /// What comes of the news that an owner has recorded the refusal of this attempt.
    fn refuse(client: &mut Client, request: RequestId, attempt: u32) -> Vec<Effect> {
        let end = AttemptEnd::Refused { refusal: Refusal::Exists, recorded: true };
        let ended = Message::Ended { request, attempt, end };
        take(client, Input::Message(NodeId::storage(1), &ended))
    }

    fn take(client: &mut Client, input: Input<'_>) -> Vec<Effect> {
        let mut out = Outbox::new(0);
        client.step(Time::ZERO, input, &mut out);
        std::iter::from_fn(|| out.pop(0)).collect()
    }

    #[test]
    fn each_attempt_has_waited_longer_than_the_one_before_also_if_the_clock_was_set_back() {
        let (mut client, _) = attempts_in(&[]);
        let mut age_at = |nanos| {
            let pending = client.pending.get_mut(&1).expect("it is not answered");
            pending.age(Time::from_nanos(nanos))
        };
        let ages = [age_at(5), age_at(5), age_at(3), age_at(9)];
        assert_eq!(ages.map(|age| age.waited.as_nanos()), [5, 6, 7, 9]);
    }

    /// A client with one request for the lock of /a, which waits in line or holds the lock.
    fn acquires(is_granted: bool) -> (Client, RequestId) {
        let config = Config::new(Settings::default()).expect("sound settings");
        let (id, incarnation) = (NodeId::client(1), Incarnation(2));
        let mut client = Client::start(config, id, incarnation);
        let request = RequestId { client: id, incarnation, number: 1 };
        let path = Path::new("/a").expect("a path");
        let wanted = Request::Acquire { path: path.clone(), wait: true };
        take(&mut client, Input::Request(request, &wanted));
        if is_granted {
            let (token, asked, lease) = (Token(1), Time::ZERO, Span::from_millis(1_000));
            let granted = Message::Granted { request, path, token, asked, lease };
            take(&mut client, Input::Message(NodeId::CONTROL, &granted));
        }
        (client, request)
    }

    #[test]
    fn a_lock_is_not_held_in_the_moment_in_which_its_lease_ends() {
        let (client, _) = acquires(true);
        let path = Path::new("/a").expect("a path");
        let until = client.locks[&path].until;
        let write = Operation { path, action: Action::Write("x".into(), None), token: None };
        let before = Time::from_nanos(until.as_nanos() - 1);
        assert_eq!(client.with_token(before, &write).token, Some(Token(1)));
        assert_eq!(client.with_token(until, &write).token, None);
    }

    #[test]
    fn a_refusal_of_a_lock_is_for_the_request_that_waits_for_it() {
        let refused = |request| {
            let path = Path::new("/a").expect("a path");
            Message::LockRefused { request, path, refusal: Refusal::Held }
        };
        let (mut client, request) = acquires(false);
        let told = Effect::Reply(request, Reply::Refused(Refusal::Held));
        assert!(
            take(&mut client, Input::Message(NodeId::CONTROL, &refused(request))).contains(&told)
        );
        let (mut client, request) = acquires(false);
        let earlier = RequestId { incarnation: Incarnation(1), ..request };
        assert_eq!(take(&mut client, Input::Message(NodeId::CONTROL, &refused(earlier))), []);
        let (mut client, request) = acquires(true);
        assert_eq!(take(&mut client, Input::Message(NodeId::CONTROL, &refused(request))), []);
    }

    #[test]
    fn a_copy_of_the_news_puts_the_next_attempt_off_no_further() {
        let (mut client, request) = attempts_in(&[]);
        let mut next_after_news_at = |millis| {
            let end = AttemptEnd::Retry(Retry::Conflict);
            let ended = Message::Ended { request, attempt: 1, end };
            let now = Time::ZERO + Span::from_millis(millis);
            let news = Input::Message(NodeId::storage(1), &ended);
            client.step(now, news, &mut Outbox::new(0));
            client.next_deadline().map(|(at, _)| at)
        };
        let next = next_after_news_at(1);
        assert_eq!([2, 3].map(&mut next_after_news_at), [next; 2]);
    }

    #[test]
    fn a_recorded_refusal_of_any_attempt_in_the_newest_epoch_is_believed() {
        for attempt in 2..=3 {
            let (mut client, request) = attempts_in(&[2, 2, 2]);
            let refused = Effect::Reply(request, Reply::Refused(Refusal::Exists));
            assert!(refuse(&mut client, request, attempt).contains(&refused));
        }
    }

    #[test]
    fn the_news_of_another_session_sends_an_attempt_again_once_also_to_another_owner() {
        let (mut client, request) = attempts_in(&[]);
        let asked = client.owner_to_ask(&Path::new("/a").expect("a path"), 1);
        let mut view = client.layout.view().clone();
        view.epoch = Epoch(2);
        view.members = view.members.iter().copied().filter(|m| m.node != asked).collect();
        let (settled, lost) = (Epoch::default(), [].into());
        let news = Message::Views { asked: None, views: [view].into(), settled, lost };
        take(&mut client, Input::Message(NodeId::CONTROL, &news));
        let mut begins = || {
            let end = AttemptEnd::Retry(Retry::Session(Incarnation(2)));
            let ended = Message::Ended { request, attempt: 1, end };
            let effects = take(&mut client, Input::Message(asked, &ended));
            let is_begin = |effect: &&Effect| match effect {
                Effect::Send(to, message) => {
                    *to != asked && matches!(**message, Message::Begin { .. })
                }
                _ => false,
            };
            effects.iter().filter(is_begin).count()
        };
        assert_eq!([begins(), begins()], [1, 0]);
    }

    #[test]
    fn a_view_is_told_once() {
        let (mut client, _) = attempts_in(&[2]);
        let views = [client.layout.view().clone()].into();
        let (settled, lost) = (Epoch::default(), [].into());
        let news = Message::Views { asked: None, views, settled, lost };
        assert_eq!(take(&mut client, Input::Message(NodeId::CONTROL, &news)), []);
    }

    #[test]
    fn a_recorded_refusal_from_before_the_newest_epoch_is_not() {
        let (mut client, request) = attempts_in(&[2, 2, 3]);
        assert_eq!(refuse(&mut client, request, 2), []);
        assert_eq!(refuse(&mut client, request, 3), []);
        let refused = Effect::Reply(request, Reply::Refused(Refusal::Exists));
        assert!(refuse(&mut client, request, 4).contains(&refused));
    }
}

//! Which milestones a run has reached: what faults strike at and scenarios demand.
//!
//! Everything here is worked out from what is to be seen of a step, like the invariants: the steps
//! of a transaction from its messages and records, the state of a lock from the lock server's log.

use std::collections::{BTreeMap, BTreeSet};

use seedbed::proto::{
    AttemptEnd, Keep, Known, Message, No, NodeId, Path, Record, Refusal, Reply, Request, RequestId,
    Retry, TxnId, Vote,
};

use super::blocked::{StepTimes, Wait, who_waits};
use super::lock_log::{LockLog, LoggedLock};
use super::per_node::PerNode;
use super::{Model, Seen, seen};
use crate::milestone::Milestone;
use crate::scenario::Role;
use crate::world::{Event, Step, World};

/// A milestone that was reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    /// Which.
    pub milestone: Milestone,
    /// Where: who did it, or to whom it happened. For a lost message who should have got it.
    pub node: NodeId,
    /// What it belongs to.
    pub about: About,
}

/// What a milestone belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// A transaction.
    Txn(TxnId),
    /// A lock, and which request wants, has or had it.
    Lock(Path, Option<RequestId>),
    /// A request.
    Request(RequestId),
    /// A machine or a link.
    Nothing,
}

/// Counts what a run reaches.
#[derive(Clone, Debug)]
pub struct Milestones {
    counts: Vec<u64>,
    /// The first step of each; 0 for none.
    first: Vec<u64>,
    watched: Vec<bool>,
    reached: Vec<Reached>,
    runs: BTreeMap<TxnId, Run>,
    /// By node the transactions it has voted yes in, and whether it has learnt the decision.
    in_doubt: PerNode<BTreeMap<TxnId, bool>>,
    /// Requests that are not answered, with the newest attempt seen.
    attempts: BTreeMap<RequestId, u32>,
    log: LockLog,
    times: StepTimes,
    /// The step under way.
    step: u64,
    /// Is the step one in which a release reached the lock server?
    release: bool,
    /// The attempt that the step brought to a storage node.
    begun: Option<(NodeId, RequestId, u32)>,
}

/// A transaction whose coordinator is at work on it.
#[derive(Clone, Debug, Default)]
struct Run {
    attempt: Option<(RequestId, u32)>,
    phase: Phase,
    participants: Vec<NodeId>,
    ready: BTreeSet<NodeId>,
    yes: BTreeSet<NodeId>,
    /// Has a participant refused it for a token?
    fenced: bool,
}

/// How far a transaction is, as its messages and records show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    /// No participant has heard of it.
    #[default]
    Alone,
    /// Its participants are to pin their paths.
    Preparing,
    /// Its participants are to vote.
    Voting,
    /// Its decision is durable.
    Committing,
}

impl Default for Milestones {
    fn default() -> Milestones {
        Milestones::new()
    }
}

/// What is asked of it.
impl Milestones {
    /// Counts all milestones and says of each that was reached what it is about.
    pub fn new() -> Milestones {
        Milestones {
            counts: vec![0; Milestone::COUNT],
            first: vec![0; Milestone::COUNT],
            watched: vec![true; Milestone::COUNT],
            reached: Vec::new(),
            runs: BTreeMap::new(),
            in_doubt: PerNode::default(),
            attempts: BTreeMap::new(),
            log: LockLog::default(),
            times: StepTimes::default(),
            step: 0,
            release: false,
            begun: None,
        }
    }

    /// Counts all milestones, and says only of these what they are about: a run with few triggers
    /// need not name every message.
    pub fn watching(milestones: impl IntoIterator<Item = Milestone>) -> Milestones {
        let mut watched = vec![false; Milestone::COUNT];
        for milestone in milestones {
            watched[milestone.index()] = true;
        }
        Milestones { watched, ..Milestones::new() }
    }

    /// Looks at a step that was applied to `world`; the model has taken it over already.
    pub fn observe(&mut self, _world: &World, step: &Step, model: &Model) {
        self.reached.clear();
        (self.step, self.release, self.begun) = (step.index, false, None);
        self.times.observe(step);
        for seen in seen(step) {
            self.see(&seen, model);
        }
        if let (Event::Duplicate(_), Some(packet)) = (&step.event, &step.packet) {
            let about = || about_message(&packet.message);
            self.hit(Milestone::MESSAGE_DUPLICATED, packet.to, about);
        }
    }

    /// Who is up and waits.
    pub fn who_waits(&self, world: &World, model: &Model) -> Vec<Wait> {
        who_waits(world, model, &self.log, &self.times)
    }

    /// What the last step has reached, in order.
    pub fn reached(&self) -> &[Reached] {
        &self.reached
    }

    /// How often each milestone was reached, by [`Milestone::index`].
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// How often `milestone` was reached.
    pub fn count(&self, milestone: Milestone) -> u64 {
        self.counts[milestone.index()]
    }

    /// The first step that reached `milestone`.
    pub fn first_step(&self, milestone: Milestone) -> Option<u64> {
        Some(self.first[milestone.index()]).filter(|step| *step > 0)
    }
}

/// What happens.
impl Milestones {
    fn hit(&mut self, milestone: Milestone, node: NodeId, about: impl FnOnce() -> About) {
        let at = milestone.index();
        self.counts[at] += 1;
        if self.counts[at] == 1 {
            self.first[at] = self.step;
        }
        if self.watched[at] {
            self.reached.push(Reached { milestone, node, about: about() });
        }
    }

    fn hit_txn(&mut self, milestone: Milestone, node: NodeId, txn: TxnId) {
        self.hit(milestone, node, || About::Txn(txn));
    }

    fn hit_node(&mut self, milestone: Milestone, node: NodeId) {
        self.hit(milestone, node, || About::Nothing);
    }

    fn see(&mut self, seen: &Seen<'_>, model: &Model) {
        match *seen {
            Seen::Sent { from, message, .. } => {
                self.hit(Milestone::sent(message.kind()), from, || about_message(message));
                self.on_sent(from, message);
            }
            Seen::Received { from, to, message, .. } => {
                self.hit(Milestone::received(message.kind()), to, || about_message(message));
                self.on_received(from, to, message);
            }
            Seen::Lost { to, message, .. } => {
                self.hit(Milestone::lost(message.kind()), to, || about_message(message));
                self.hit(Milestone::MESSAGE_LOST, to, || about_message(message));
            }
            Seen::Appended { node, record, .. } => {
                self.hit(Milestone::appended(record.kind()), node, || about_record(record));
                self.on_appended(node, record, model);
                self.log.see(seen, self.step);
            }
            Seen::Durable { node, record, .. } => {
                self.hit(Milestone::durable(record.kind()), node, || about_record(record));
                self.on_durable(node, record, model);
                self.log.see(seen, self.step);
            }
            Seen::Forgot { node, torn, .. } => {
                self.log.see(seen, self.step);
                self.hit_node(Milestone::RECORDS_LOST, node);
                if torn > 0 {
                    self.hit_node(Milestone::RECORD_TORN, node);
                }
            }
            Seen::Started { node, incarnation } => {
                self.log.see(seen, self.step);
                if incarnation.0 > 1 {
                    self.hit_node(Milestone::RESTARTED, node);
                }
            }
            Seen::Crashed { node } => self.on_crashed(node),
            Seen::Requested { request, .. } => {
                self.attempts.insert(request, 0);
            }
            Seen::Replied { request, reply } => self.on_replied(request, reply),
            Seen::Checkpointed { node } => self.hit_node(Milestone::CHECKPOINT_WRITTEN, node),
            Seen::RefusedToStart { node } => self.hit_node(Milestone::REFUSED_TO_START, node),
            Seen::Paused { node } => self.hit_node(Milestone::PAUSED, node),
            Seen::Resumed { node } => self.hit_node(Milestone::RESUMED, node),
            Seen::Cut { links } => {
                let from = links.first().map_or(NodeId::CONTROL, |(from, _)| *from);
                self.hit_node(Milestone::PARTITIONED, from);
            }
            Seen::ClockJumped { node } => self.hit_node(Milestone::CLOCK_JUMPED, node),
            Seen::Copied { .. } | Seen::Mended { .. } => {}
            Seen::Woken { .. } | Seen::Noticed { .. } => {}
            Seen::Wiped { .. } | Seen::Commanded { .. } => {}
        }
    }

    fn on_sent(&mut self, from: NodeId, message: &Message) {
        match message {
            Message::Begin { age, attempt, .. } => {
                if *attempt == 1 {
                    self.attempts.insert(age.request, 0); // the claim of a lock counts anew
                }
                self.on_attempt(from, age.request, *attempt);
            }
            Message::Read { request, attempt, .. } => self.on_attempt(from, *request, *attempt),
            Message::Acquire { request, .. } | Message::Release { request, .. } => {
                let attempt = self.attempts.get(request).map_or(1, |newest| newest + 1);
                self.on_attempt(from, *request, attempt);
            }
            Message::Fetch { txn, .. } => {
                self.run(*txn);
            }
            Message::Prepare { header, terms, work, .. } => {
                let run = self.run(header.txn);
                run.attempt = Some((terms.request, terms.attempt));
                if run.phase == Phase::Alone {
                    run.participants =
                        terms.participants.iter().map(|member| member.node).collect();
                    run.phase = match work {
                        Some(_) => Phase::Voting,
                        None => Phase::Preparing,
                    };
                }
            }
            Message::Execute { header, .. } => self.run(header.txn).phase = Phase::Voting,
            Message::Executed { txn, vote: Vote::No(No::Refused { refusal, .. }) }
                if is_fenced(*refusal) =>
            {
                self.hit_txn(Milestone::WRITE_FENCED, from, *txn);
            }
            Message::Abort { header } => self.on_aborted(from, header.txn),
            Message::Ended { request, attempt, end } => {
                self.on_ended(from, *request, *attempt, end);
            }
            _ => {}
        }
    }

    /// The transaction `txn`, which begins here if it is new.
    fn run(&mut self, txn: TxnId) -> &mut Run {
        if !self.runs.contains_key(&txn) {
            self.hit_txn(Milestone::TRANSACTION_BEGUN, txn.coordinator, txn);
            let begun = self.begun.filter(|(node, ..)| *node == txn.coordinator);
            let attempt = begun.map(|(_, request, attempt)| (request, attempt));
            self.runs.insert(txn, Run { attempt, ..Run::default() });
        }
        self.runs.entry(txn).or_default()
    }

    fn on_attempt(&mut self, from: NodeId, request: RequestId, attempt: u32) {
        let Some(newest) = self.attempts.get_mut(&request) else { return };
        if attempt > *newest {
            *newest = attempt;
            if attempt > 1 {
                self.hit(Milestone::REQUEST_RETRIED, from, || About::Request(request));
            }
        }
    }

    fn on_ended(&mut self, from: NodeId, request: RequestId, attempt: u32, end: &AttemptEnd) {
        let txn = self.runs_of(from).find(|(_, run)| run.attempt == Some((request, attempt)));
        let (txn, fenced) = (txn.map(|(txn, _)| *txn), txn.is_some_and(|(_, run)| run.fenced));
        let about = || txn.map_or(About::Request(request), About::Txn);
        match end {
            AttemptEnd::Done(_) => return,
            AttemptEnd::Retry(Retry::Conflict) => self.hit(Milestone::CONFLICT, from, about),
            // With a record and without a transaction it is an old refusal, told again.
            AttemptEnd::Refused { refusal, recorded }
                if is_fenced(*refusal) && !fenced && (txn.is_some() || !recorded) =>
            {
                self.hit(Milestone::WRITE_FENCED, from, about);
            }
            AttemptEnd::Refused { .. } => {}
            AttemptEnd::Retry(Retry::NoAnswer | Retry::Epoch(_) | Retry::Session(_)) => {}
            AttemptEnd::Retry(Retry::NotReady) => {}
        }
        if let Some(txn) = txn {
            self.on_aborted(from, txn);
        }
    }

    /// A coordinator says that a transaction has aborted: the first time it counts.
    fn on_aborted(&mut self, from: NodeId, txn: TxnId) {
        if from == txn.coordinator && self.runs.remove(&txn).is_some() {
            self.hit_txn(Milestone::TRANSACTION_ABORTED, from, txn);
        }
    }

    fn on_received(&mut self, from: NodeId, to: NodeId, message: &Message) {
        match message {
            Message::Begin { request, attempt, .. } => {
                self.begun = Some((to, *request, *attempt));
            }
            Message::Ready { txn, .. } => {
                let Some(run) = self.runs.get_mut(txn) else { return };
                if run.phase == Phase::Preparing && run.takes(from) && run.ready.insert(from) {
                    self.hit_if_all(Milestone::ALL_READY, *txn, |run| &run.ready);
                }
            }
            Message::Executed { txn, vote } => self.on_vote(from, *txn, vote),
            Message::Told { txn, known: Known::Committed(_) | Known::Aborted } => {
                let is_in_doubt = self.in_doubt.slot(to).get(txn) == Some(&false);
                if from != txn.coordinator && is_in_doubt {
                    self.hit_txn(Milestone::TOLD_BY_PARTICIPANT, to, *txn);
                }
            }
            Message::Release { .. } => self.release = to == NodeId::CONTROL,
            _ => {}
        }
    }

    fn on_vote(&mut self, from: NodeId, txn: TxnId, vote: &Vote) {
        let Some(run) = self.runs.get_mut(&txn) else { return };
        match vote {
            Vote::Yes(_) => {
                if run.phase == Phase::Voting && run.takes(from) && run.yes.insert(from) {
                    self.hit_if_all(Milestone::ALL_VOTED, txn, |run| &run.yes);
                }
            }
            Vote::No(No::Refused { refusal, .. }) => run.fenced |= is_fenced(*refusal),
            Vote::No(No::Answered(_) | No::Conflict | No::Lost | No::Epoch(_) | No::NotReady) => {}
        }
    }

    fn hit_if_all(&mut self, milestone: Milestone, txn: TxnId, of: fn(&Run) -> &BTreeSet<NodeId>) {
        if self.runs.get(&txn).is_some_and(|run| of(run).len() == run.participants.len()) {
            self.hit_txn(milestone, txn.coordinator, txn);
        }
    }

    fn on_appended(&mut self, node: NodeId, record: &Record, model: &Model) {
        match record {
            Record::Decided { txn, participants, .. } => {
                let run = self.run(*txn);
                run.participants = participants.iter().map(|member| member.node).collect();
            }
            Record::Over { txn } => {
                let run = self.runs.remove(txn).map(|run| !run.participants.is_empty());
                let known = model.txns.get(txn).map(|txn| !txn.participants.is_empty());
                if run.or(known).unwrap_or_default() {
                    self.hit_txn(Milestone::TRANSACTION_OVER, node, *txn);
                }
            }
            Record::Applied { txn, .. } | Record::RolledBack { txn } => {
                if let Some(learnt) = self.in_doubt.slot(node).get_mut(txn) {
                    *learnt = true;
                }
            }
            Record::Left { path, request } => {
                let milestone = self.how_it_left(path, *request);
                let about = || About::Lock(path.clone(), Some(*request));
                milestone.into_iter().for_each(|milestone| self.hit(milestone, node, about));
            }
            _ => {}
        }
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

    fn on_durable(&mut self, node: NodeId, record: &Record, model: &Model) {
        match record {
            Record::Decided { txn, request, .. } => {
                if let Some(run) = self.runs.get_mut(txn) {
                    run.phase = Phase::Committing;
                }
                self.hit_txn(Milestone::DECIDED, node, *txn);
                let origin = model.txns.get(txn).and_then(|txn| txn.origin).unwrap_or(*request);
                if let Some(Request::Acquire { .. }) = wanted(origin, model) {
                    self.hit_txn(Milestone::CLAIM_COMMITTED, node, *txn);
                }
            }
            Record::Voted { txn, .. } => {
                self.in_doubt.slot(node).insert(*txn, false);
                self.hit_txn(Milestone::PARTICIPANT_IN_DOUBT, node, *txn);
            }
            Record::Applied { txn, .. } | Record::RolledBack { txn } => {
                self.in_doubt.slot(node).remove(txn);
            }
            Record::Queued { path, request } => {
                let lock = self.log.lock(path);
                let waits =
                    |lock: &LoggedLock| lock.line.iter().any(|waiting| waiting.is == *request);
                if lock.is_some_and(waits) {
                    let about = || About::Lock(path.clone(), Some(*request));
                    self.hit(Milestone::LOCK_QUEUED, node, about);
                }
            }
            Record::Granted { path, request, .. } => {
                let about = || About::Lock(path.clone(), Some(*request));
                self.hit(Milestone::LOCK_GRANTED, node, about);
            }
            _ => {}
        }
    }

    fn on_crashed(&mut self, node: NodeId) {
        self.hit_node(Milestone::CRASHED, node);
        let runs: Vec<(TxnId, Phase)> =
            self.runs_of(node).map(|(txn, run)| (*txn, run.phase)).collect();
        for (txn, phase) in runs {
            let milestone = match phase {
                Phase::Alone => None,
                Phase::Preparing => Some(Milestone::CRASHED_PREPARING),
                Phase::Voting => Some(Milestone::CRASHED_VOTING),
                Phase::Committing => Some(Milestone::CRASHED_COMMITTING),
            };
            milestone.into_iter().for_each(|milestone| self.hit_txn(milestone, node, txn));
            if phase != Phase::Committing {
                self.runs.remove(&txn); // its coordinator will know nothing of it
            }
        }
        let in_doubt = std::mem::take(self.in_doubt.slot(node));
        for (txn, _) in in_doubt.iter().filter(|(_, learnt)| !**learnt) {
            self.hit_txn(Milestone::CRASHED_IN_DOUBT, node, *txn);
        }
        // What it had learnt and not made durable it will have to learn again.
        *self.in_doubt.slot(node) = in_doubt.into_keys().map(|txn| (txn, false)).collect();
        self.attempts.retain(|request, _| request.client != node);
    }

    fn on_replied(&mut self, request: RequestId, reply: &Reply) {
        self.attempts.remove(&request);
        let milestone = match reply {
            Reply::Done(_) | Reply::Acquired(_) | Reply::Released => Milestone::REQUEST_DONE,
            Reply::Refused(_) => Milestone::REQUEST_REFUSED,
            Reply::Unknown => Milestone::REQUEST_UNKNOWN,
        };
        self.hit(milestone, request.client, || About::Request(request));
    }

    /// The transactions that `node` coordinates and is at work on.
    fn runs_of(&self, node: NodeId) -> impl Iterator<Item = (&TxnId, &Run)> {
        // A transaction's name begins with its coordinator, so they stand together.
        let (admission, incarnation) = Default::default();
        let first = TxnId { coordinator: node, admission, incarnation, counter: 0 };
        self.runs.range(first..).take_while(move |(txn, _)| txn.coordinator == node)
    }
}

impl Run {
    fn takes(&self, node: NodeId) -> bool {
        self.participants.contains(&node)
    }
}

fn is_fenced(refusal: Refusal) -> bool {
    matches!(refusal, Refusal::Fenced(_))
}

/// Roles.
impl Milestones {
    /// Which machine plays `role` in what a milestone is about; `None` if nobody does.
    pub fn bind(
        &self,
        role: Role,
        reached: &Reached,
        world: &World,
        model: &Model,
    ) -> Option<NodeId> {
        match role {
            Role::Coordinator => Some(self.txn_of(reached, model)?.coordinator),
            Role::Participant => self.participant(reached, model),
            Role::Owner => {
                let path = self.path_of(reached, model)?;
                model.views.layout(world.config()).ring().owners(path).first().copied()
            }
            Role::Holder => held(reached).or_else(|| {
                let lock = model.locks.get(self.path_of(reached, model)?)?;
                Some(lock.holder.as_ref()?.is.0.client)
            }),
            Role::Waiter => waited(reached).or_else(|| {
                let lock = model.locks.get(self.path_of(reached, model)?)?;
                Some(lock.line.first()?.is.client)
            }),
        }
    }

    /// The first in the order of nodes, unless the milestone was reached at one.
    fn participant(&self, reached: &Reached, model: &Model) -> Option<NodeId> {
        let txn = self.txn_of(reached, model)?;
        let of_run = self.runs.get(&txn).map(|run| &run.participants[..]);
        let of_model = model.txns.get(&txn).map(|txn| &txn.participants[..]);
        let participants = of_run.filter(|all| !all.is_empty()).or(of_model)?;
        match participants.contains(&reached.node) {
            true => Some(reached.node),
            false => participants.iter().copied().filter(|n| *n != txn.coordinator).min(),
        }
    }

    /// The transaction: that of the milestone, or the one under way for its request.
    fn txn_of(&self, reached: &Reached, model: &Model) -> Option<TxnId> {
        let request = match &reached.about {
            About::Txn(txn) => return Some(*txn),
            About::Request(request) | About::Lock(_, Some(request)) => *request,
            About::Lock(_, None) | About::Nothing => return None,
        };
        let serves = |run: &Run| run.attempt.is_some_and(|(served, _)| served == request);
        let under_way = self.runs.iter().rev().find(|(_, run)| serves(run)).map(|(txn, _)| *txn);
        under_way.or_else(|| model.requests.get(&request)?.effects.last().copied())
    }

    /// The path: that of the lock, or the first of the request.
    fn path_of<'a>(&self, reached: &'a Reached, model: &'a Model) -> Option<&'a Path> {
        match &reached.about {
            About::Lock(path, _) => Some(path),
            About::Txn(_) | About::Request(_) => {
                match wanted(self.request_of(reached, model)?, model)? {
                    Request::Files { operations, .. } => Some(&operations.first()?.path),
                    Request::Acquire { path, .. } | Request::Release { path } => Some(path),
                }
            }
            About::Nothing => None,
        }
    }

    fn request_of(&self, reached: &Reached, model: &Model) -> Option<RequestId> {
        match &reached.about {
            About::Txn(txn) => {
                let known = model.txns.get(txn).and_then(|known| known.origin.or(known.request));
                known.or_else(|| Some(self.runs.get(txn)?.attempt?.0))
            }
            About::Request(request) => Some(*request),
            About::Lock(_, request) => *request,
            About::Nothing => None,
        }
    }
}

/// Who had the lock, if the milestone is that it has it no more.
fn held(reached: &Reached) -> Option<NodeId> {
    let About::Lock(_, Some(request)) = reached.about else { return None };
    let ended = [Milestone::LOCK_RELEASED, Milestone::LEASE_EXPIRED];
    ended.contains(&reached.milestone).then_some(request.client)
}

/// Who stood in line, if the milestone is that it does so no more.
fn waited(reached: &Reached) -> Option<NodeId> {
    let About::Lock(_, Some(request)) = reached.about else { return None };
    (reached.milestone == Milestone::WAITER_EXPIRED).then_some(request.client)
}

fn wanted(request: RequestId, model: &Model) -> Option<&Request> {
    Some(&model.requests.get(&request)?.wanted)
}

/// What a message belongs to.
fn about_message(message: &Message) -> About {
    match message {
        Message::Begin { request, .. }
        | Message::Read { request, .. }
        | Message::Ended { request, .. } => About::Request(*request),
        Message::Prepare { header, .. }
        | Message::Execute { header, .. }
        | Message::Commit { header, .. }
        | Message::Abort { header } => About::Txn(header.txn),
        Message::Fetch { txn, .. }
        | Message::Fetched { txn, .. }
        | Message::Ready { txn, .. }
        | Message::Executed { txn, .. }
        | Message::Committed { txn }
        | Message::Inquire { txn, .. }
        | Message::Told { txn, .. } => About::Txn(*txn),
        Message::Acquire { path, request, .. }
        | Message::Release { path, request, .. }
        | Message::Granted { path, request, .. }
        | Message::LockRefused { path, request, .. }
        | Message::Released { path, request } => About::Lock(path.clone(), Some(*request)),
        Message::KeepAlive { path, keep, .. } | Message::NotKept { path, keep } => {
            let request = match keep {
                Keep::Waiting(request) => Some(*request),
                Keep::Holding(_) => None,
            };
            About::Lock(path.clone(), request)
        }
        Message::KeptAlive { path, .. } => About::Lock(path.clone(), None),
        Message::Admit { .. } | Message::Admitted { .. } | Message::Heartbeat { .. } => {
            About::Nothing
        }
        Message::Alive { .. } | Message::Entered { .. } | Message::Completed { .. } => {
            About::Nothing
        }
        Message::Departed { .. } | Message::Watch { .. } | Message::Views { .. } => About::Nothing,
        Message::Pull { .. } | Message::Chunk { .. } => About::Nothing,
    }
}

/// What a record belongs to.
fn about_record(record: &Record) -> About {
    match record {
        Record::Voted { txn, .. }
        | Record::Promised { txn }
        | Record::Decided { txn, .. }
        | Record::Applied { txn, .. }
        | Record::RolledBack { txn }
        | Record::Over { txn }
        | Record::Orphaned { txn }
        | Record::Settled { txn, .. } => About::Txn(*txn),
        Record::Declined { request, .. } | Record::Answered { request, .. } => {
            About::Request(*request)
        }
        Record::Queued { path, request }
        | Record::Granted { path, request, .. }
        | Record::Left { path, request } => About::Lock(path.clone(), Some(*request)),
        Record::Born { .. } | Record::Stored { .. } | Record::Mark { .. } => About::Nothing,
        Record::LockOver { request, .. } => About::Request(*request),
        Record::Forgotten { .. } | Record::LastToken { .. } => About::Nothing,
        Record::Entered { .. } | Record::Pulled { .. } | Record::Complete { .. } => About::Nothing,
        Record::GaveUp { .. } | Record::Admitted { .. } | Record::Wanted { .. } => About::Nothing,
        Record::Announced { .. } | Record::Activated { .. } => About::Nothing,
        Record::Converged { .. } | Record::LossAccepted { .. } => About::Nothing,
        Record::LongestLease { .. } => About::Nothing,
    }
}

//! What has happened so far, as far as the outside can tell.
//!
//! The model believes durable records, messages on the wire, and answers of clients. What a node
//! thinks of itself does not count. A record counts once it is durable, or once it has survived a
//! crash. Only pins are counted from the moment at which a record is appended, because a node's
//! memory is ahead of its disk, and go back to what is durable in a crash.

pub(in crate::oracle) mod disks;
pub(in crate::oracle) mod effects;
pub(in crate::oracle) mod leases;
pub(in crate::oracle) mod lock_log;
pub(in crate::oracle) mod per_node;
pub(in crate::oracle) mod placement;
pub(in crate::oracle) mod service;
pub(in crate::oracle) mod txns;
pub(in crate::oracle) mod views;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use seedbed::proto::{
    Action, Answer, Changes, Config, Contents, Epoch, File, Header, Incarnation, Known, LowWater,
    Member, Membership, Message, NodeId, Operation, Outcome, Path, Record, Refusal, Reply, Request,
    RequestId, Time, Token, TxnId, Version, Vote,
};

use crate::oracle::model::disks::Disks;
use crate::oracle::model::leases::Leases;
use crate::oracle::model::txns::{Begun, Txns};
use crate::oracle::model::views::Views;
use crate::oracle::{At, Evidence, Seen};
use crate::world::World;

/// Everything the invariants share.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// The step under way, and its true time.
    pub step: u64,
    /// True time.
    pub now: Time,
    /// Views, as the centre's log has them.
    pub views: Views,
    /// Transactions.
    pub txns: Txns,
    /// Decisions that are durable.
    pub commits: u64,
    /// Requests of users.
    pub requests: BTreeMap<RequestId, Asked>,
    /// Files, as committed.
    pub files: BTreeMap<Path, FileHistory>,
    /// Locks, as the lock server's log has them.
    pub locks: BTreeMap<Path, LockHistory>,
    /// Which machines are up.
    pub up: BTreeSet<NodeId>,
    /// The newest life of each machine.
    pub lives: BTreeMap<NodeId, Incarnation>,
    /// How far each machine's log reaches.
    pub logs: BTreeMap<NodeId, LogSeen>,
    /// The highest low-water mark that each coordinator has sent.
    pub marks: BTreeMap<Member, LowWater>,
    /// By node: the paths that an undecided yes vote of its own would change, as its memory should
    /// have them, each with the step of the vote.
    pub pins: BTreeMap<NodeId, BTreeMap<Path, At<TxnId>>>,
    /// By node: the transactions of which its log has a yes and no outcome.
    pub in_doubt: BTreeMap<NodeId, BTreeSet<TxnId>>,
    /// By node: outcomes that it has appended and a crash can still make it forget.
    pub settled: BTreeMap<NodeId, BTreeSet<TxnId>>,
    /// The request that the user made, for attempts that go under another id.
    pub origins: BTreeMap<RequestId, RequestId>,
    /// What storage nodes have durably, where membership is managed.
    pub disks: Disks,
    /// Membership leases.
    pub leases: Leases,
    /// By node: the epoch that it has entered, as its memory should have it.
    pub epochs: BTreeMap<NodeId, At<Epoch>>,
    /// Nodes whose disk is gone, under the admission that it held.
    pub gone: BTreeMap<Member, u64>,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Asked {
    /// What was asked.
    pub wanted: Request,
    /// The step in which it was asked, and the true time.
    pub asked: At<Time>,
    /// What its attempts ask the storage nodes to do, tokens included, once one has been sent.
    pub operations: Option<Arc<[Operation]>>,
    /// The answer.
    pub reply: Option<At<Reply>>,
    /// Transactions that committed for it.
    pub effects: Vec<TxnId>,
    /// A refusal that an owner has forced.
    pub declined: Option<At<Refusal>>,
}

/// What was committed to a path.
#[derive(Clone, Debug, Default)]
pub struct FileHistory {
    /// Every committed state, in the order of commitment, so usually with growing versions.
    pub committed: Vec<Committed>,
    /// When the operator has given up what only lost disks had of it. What was committed before
    /// does not count any more, and all that was said of it is forgotten.
    pub given_up: Option<u64>,
    /// What was committed before that: whatever old copy is left may be seen again.
    pub lost: Vec<Committed>,
    /// Versions of changes that a client was told of, as far as each is higher than all before.
    pub acknowledged: Vec<At<Version>>,
    /// Versions of deletions that a client was told of, likewise.
    pub deleted: Vec<At<Version>>,
    /// The highest token claimed: by a commit, or by a client's word that it has the lock.
    pub claimed: Option<At<Token>>,
    /// The token claimed before the newest commit.
    pub claimed_before: Option<At<Token>>,
}

/// A committed state of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The step that made the decision durable.
    pub step: u64,
    /// The decision's place among all.
    pub order: u64,
    /// Whose.
    pub txn: TxnId,
    /// The epoch in which it was voted for.
    pub epoch: Epoch,
    /// The state.
    pub file: File,
}

/// What the lock server's durable records say of a lock.
#[derive(Clone, Debug, Default)]
pub struct LockHistory {
    /// Who stands in line, in durable order.
    pub line: Vec<At<RequestId>>,
    /// Who holds it.
    pub holder: Option<At<(RequestId, Token)>>,
    /// The last token granted.
    pub last_token: Option<At<Token>>,
}

/// How far a machine's log reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogSeen {
    /// Behind the last record that holds back what follows it.
    pub forced: u64,
    /// Behind the last durable record.
    pub durable: u64,
    /// The step that brought it there.
    pub synced: u64,
    /// Where that was before that step.
    pub durable_before: u64,
}

impl LogSeen {
    /// How far the log was durable before `step`, the newest one.
    pub fn durable_before(&self, step: u64) -> u64 {
        if self.synced == step { self.durable_before } else { self.durable }
    }

    fn on_durable(&mut self, step: u64, position: u64) {
        if self.synced != step {
            (self.synced, self.durable_before) = (step, self.durable);
        }
        self.durable = position + 1;
    }
}

impl FileHistory {
    /// The committed state of `version`: the first one, where a claim left the version as it was.
    pub fn at_version(&self, version: Version) -> Option<&Committed> {
        let at = self.committed.partition_point(|state| state.file.version < version);
        let state = self.committed.get(at).filter(|state| state.file.version == version);
        state.or_else(|| self.lost.iter().find(|state| state.file.version == version))
    }

    /// The first committed state with a higher version.
    pub fn after_version(&self, version: Version) -> Option<&Committed> {
        let at = self.committed.partition_point(|state| state.file.version <= version);
        self.committed.get(at)
    }

    /// What `txn` committed as the newest state, and the state before.
    pub fn newest(&self, txn: TxnId) -> Option<(&Committed, Option<&Committed>)> {
        let (last, before) = self.committed.split_last()?;
        (last.txn == txn).then_some((last, before.last()))
    }
}

/// The newest of `facts`, which are in the order of their steps, that is older than `step`.
pub fn before<T>(facts: &[At<T>], step: u64) -> Option<&At<T>> {
    facts[..facts.partition_point(|fact| fact.step < step)].last()
}

impl Model {
    /// What is known before anything has happened to a cluster of this configuration.
    pub fn new(config: &Arc<Config>) -> Model {
        match config.membership {
            Membership::Fixed => Model::default(),
            Membership::Managed => Model { disks: Disks::of(config.clone()), ..Model::default() },
        }
    }

    /// What the user wants with `request`.
    pub fn wanted(&self, request: RequestId) -> Option<&Request> {
        Some(&self.requests.get(&request)?.wanted)
    }

    /// The paths of which the operator has given up what only lost disks had.
    pub fn given_up(&self) -> impl Iterator<Item = &Path> {
        let given_up = self.files.iter().filter(|(_, history)| history.given_up.is_some());
        given_up.map(|(path, _)| path)
    }

    /// Takes over what was seen.
    pub fn update(&mut self, seen: &Seen<'_>) {
        match *seen {
            Seen::Requested { request, wanted } => self.on_requested(request, wanted),
            Seen::Sent { from, to, message, .. } => self.on_sent(from, to, message),
            Seen::Received { from, to, message, .. } => self.on_received(from, to, message),
            Seen::Appended { node, position, record, forced } => {
                if forced {
                    self.logs.entry(node).or_default().forced = position + 1;
                }
                self.on_appended(node, record);
            }
            Seen::Durable { node, position, record } => {
                self.logs.entry(node).or_default().on_durable(self.step, position);
                self.on_durable(node, record);
            }
            Seen::Replied { request, reply } => self.on_replied(request, reply),
            Seen::Started { node, incarnation } => {
                self.up.insert(node);
                self.lives.insert(node, incarnation);
            }
            Seen::Crashed { node } => self.on_crashed(node),
            Seen::Wiped { node } => self.on_wiped(node),
            Seen::Lost { .. } | Seen::Copied { .. } => {}
            Seen::Checkpointed { .. } | Seen::Forgot { .. } => {}
            Seen::RefusedToStart { .. } | Seen::Paused { .. } | Seen::Resumed { .. } => {}
            Seen::Cut { .. } | Seen::Mended { .. } | Seen::ClockJumped { .. } => {}
            Seen::Woken { .. } | Seen::Noticed { .. } | Seen::Commanded { .. } => {}
        }
    }

    /// The request that the user made, given the id that an attempt at it goes under.
    pub fn origin(&self, request: RequestId) -> RequestId {
        self.origins.get(&request).copied().unwrap_or(request)
    }

    /// The user's request that a transaction serves.
    pub fn asked_by(&self, txn: TxnId) -> Option<&Asked> {
        let txn = self.txns.get(&txn)?;
        self.requests.get(&txn.origin.or(txn.request)?)
    }

    /// How far `node`'s log reaches.
    pub fn log(&self, node: NodeId) -> LogSeen {
        self.logs.get(&node).copied().unwrap_or_default()
    }

    /// That `node`'s log lacks something, since the step since which it is as it is. The caller
    /// says what `what` is about.
    pub fn log_lacks(&self, node: NodeId, what: impl std::fmt::Display) -> Evidence {
        let log = self.log(node);
        let durable = log.durable;
        let is = format!("{node}'s log is durable for {durable} records and has no {what}");
        Evidence::at(log.synced, is)
    }

    /// Is `txn` one that the coordinator has called over?
    pub fn is_below_the_mark(&self, txn: TxnId) -> bool {
        self.marks.get(&coordinator(txn)).is_some_and(|mark| mark.covers(txn))
    }

    /// The transactions that `node` is in doubt about: it has not even appended what became of
    /// them.
    pub fn doubts(&self, node: NodeId) -> impl Iterator<Item = TxnId> {
        let settled = self.settled.get(&node);
        let in_doubt = self.in_doubt.get(&node).into_iter().flatten().copied();
        in_doubt.filter(move |txn| settled.is_none_or(|settled| !settled.contains(txn)))
    }

    /// The paths that `node`'s yes to `txn` pins.
    pub fn paths_pinned(&self, node: NodeId, txn: TxnId) -> impl Iterator<Item = &Path> {
        let left = self.disks.get(node).and_then(|disk| disk.votes.get(&txn));
        let given = self.txns.get(&txn).and_then(|txn| txn.pinned.get(&node));
        let paths = left.map(|promise| &promise.paths[..]).or(given.map(|paths| &paths[..]));
        paths.into_iter().flatten()
    }

    /// When the disk of whoever coordinated `txn` was lost, if it was.
    pub fn coordinator_is_gone(&self, txn: TxnId) -> Option<u64> {
        self.gone.get(&coordinator(txn)).copied()
    }

    /// Is `txn` one that nobody who is left can settle?
    pub fn is_lost(&self, txn: TxnId) -> bool {
        let known = self.coordinator_is_gone(txn).and_then(|_| self.txns.get(&txn));
        known.is_some_and(|known| known.is_lost())
    }

    /// What was committed to `path` last, of what still counts.
    pub fn last(&self, path: &Path) -> Option<&Committed> {
        let history = self.files.get(path)?;
        let counts = |last: &&Committed| history.given_up.is_none_or(|step| last.step > step);
        history.committed.last().filter(counts)
    }

    /// Since which step `node` claims, durably, to be complete on `path` in the epoch in force.
    pub fn claims(&self, node: NodeId, path: &Path) -> Option<u64> {
        let (config, disk) = (self.disks.managed()?, self.disks.get(node)?);
        disk.claims(self.views.active(), config.position(path))
    }

    /// What was committed to `path` last in `epoch` and before, of what still counts.
    pub fn last_in(&self, path: &Path, epoch: Epoch) -> Option<&Committed> {
        let history = self.files.get(path)?;
        let counts = |last: &&Committed| history.given_up.is_none_or(|step| last.step > step);
        history.committed.iter().rev().find(|last| last.epoch <= epoch).filter(counts)
    }

    /// The epoch that `node` has entered, as its memory should have it.
    pub fn epoch(&self, node: NodeId) -> Epoch {
        self.epochs.get(&node).map_or(Epoch::default(), |epoch| epoch.is)
    }

    /// Was a message that leaves `node` now put together in this very step? If a sync has let it
    /// go, then it is older.
    pub fn is_put_together_now(&self, node: NodeId) -> bool {
        self.log(node).synced != self.step
    }

    /// Is `node` in doubt about `txn`?
    pub fn is_in_doubt_about(&self, node: NodeId, txn: TxnId) -> bool {
        let has = |of: &BTreeMap<NodeId, BTreeSet<TxnId>>| {
            of.get(&node).is_some_and(|txns| txns.contains(&txn))
        };
        has(&self.in_doubt) && !has(&self.settled)
    }

    fn at<T>(&self, is: T) -> At<T> {
        At { step: self.step, is }
    }

    fn on_requested(&mut self, request: RequestId, wanted: &Request) {
        let asked = Asked {
            wanted: wanted.clone(),
            asked: self.at(self.now),
            operations: None,
            reply: None,
            effects: Vec::new(),
            declined: None,
        };
        self.requests.insert(request, asked);
    }

    fn on_replied(&mut self, request: RequestId, reply: &Reply) {
        let at = self.at(reply.clone());
        let Some(asked) = self.requests.get_mut(&request) else { return };
        let asked = match asked.reply {
            Some(_) => return,
            None => {
                asked.reply = Some(at);
                &*asked
            }
        };
        let step = self.step;
        match (reply, &asked.wanted) {
            (Reply::Done(answer), Request::Files { operations, .. }) => {
                for (operation, outcome) in operations.iter().zip(answer.iter()) {
                    let Outcome::Changed(version) = outcome else { continue };
                    acknowledge(&mut self.files, step, operation, *version);
                }
            }
            (Reply::Acquired(token), Request::Acquire { path, .. }) => {
                self.files.entry(path.clone()).or_default().claim(step, *token);
            }
            _ => {}
        }
    }

    fn on_sent(&mut self, from: NodeId, to: NodeId, message: &Message) {
        let step = self.step;
        match message {
            Message::Begin { request, age, operations, .. } => {
                if age.request != *request {
                    self.origins.insert(*request, age.request);
                }
                if let Some(asked) = self.requests.get_mut(&age.request) {
                    asked.operations.get_or_insert_with(|| operations.clone());
                }
            }
            Message::Prepare { header, terms, .. } => {
                self.on_mark(header);
                let life = self.lives.get(&from).copied().unwrap_or_default();
                let begun = Begun { request: terms.request, attempt: terms.attempt, life };
                let txn = self.txns.entry(header.txn);
                if txn.begun.is_none() {
                    txn.begun = Some(At { step, is: begun });
                    txn.request = Some(terms.request);
                    txn.origin = Some(terms.age.request);
                    txn.participants = names(&terms.participants);
                }
            }
            Message::Execute { header, .. } | Message::Commit { header, .. } => {
                self.on_mark(header);
            }
            Message::Abort { header } => {
                self.on_mark(header);
                self.txns.entry(header.txn).aborted.get_or_insert(step);
            }
            Message::Told { txn, known: Known::Aborted } if from == txn.coordinator => {
                self.txns.entry(*txn).aborted.get_or_insert(step);
            }
            Message::Executed { txn, vote: Vote::No(no) } => {
                self.txns.entry(*txn).no.insert(from, At { step, is: no.clone() });
            }
            Message::Heartbeat { .. } | Message::Alive { .. } => {
                self.leases.on_sent((step, self.now), from, to, message, &self.views);
            }
            _ => {}
        }
    }

    fn on_mark(&mut self, header: &Header) {
        let mark = self.marks.entry(coordinator(header.txn)).or_default();
        *mark = header.low_water.max(*mark);
    }

    /// A vote arrives at the coordinator, or a lease at its holder.
    fn on_received(&mut self, from: NodeId, to: NodeId, message: &Message) {
        if let Message::Alive { .. } = message {
            let life = self.lives.get(&to).copied().unwrap_or_default();
            return self.leases.on_received(self.step, to, life, message, &self.views);
        }
        let Message::Executed { txn: id, vote } = message else { return };
        let life = self.lives.get(&to).copied().unwrap_or_default();
        let forced = self.log(to).forced;
        let txn = self.txns.entry(*id);
        if txn.begun.as_ref().is_none_or(|begun| begun.is.life != life) {
            return; // a later life knows nothing of it and does not count votes
        }
        let heard = &mut txn.heard;
        heard.life = life;
        match vote {
            Vote::No(_) => heard.no = true,
            Vote::Yes(_) if heard.yes.contains(&from) => {}
            Vote::Yes(_) => {
                heard.yes.push(from);
                if txn.participants.iter().all(|node| heard.yes.contains(node)) {
                    heard.all = Some(At { step: self.step, is: forced });
                }
            }
        }
    }

    /// What a node's memory does with a record that it appends.
    fn on_appended(&mut self, node: NodeId, record: &Record) {
        match record {
            Record::Voted { txn, changes, .. } => {
                let (step, pins) = (self.step, self.pins.entry(node).or_default());
                for (path, _) in changes.iter() {
                    // The first to pin has the path; that another takes it is for an invariant to
                    // say.
                    pins.entry(path.clone()).or_insert(At { step, is: *txn });
                }
            }
            Record::Applied { txn, .. } | Record::RolledBack { txn } => {
                if let Some(pins) = self.pins.get_mut(&node) {
                    pins.retain(|_, pin| pin.is != *txn);
                }
                self.settled.entry(node).or_default().insert(*txn);
            }
            Record::Announced { .. } | Record::Activated { .. } => self.views.on_appended(record),
            Record::Entered { epoch, .. } => {
                self.epochs.insert(node, At { step: self.step, is: *epoch });
            }
            Record::Pulled { files, replaced, .. } => {
                self.void(node, |config, path| {
                    let is_in = replaced.contains(config.position(path));
                    is_in || files.iter().any(|(pulled, _)| pulled == path)
                });
            }
            Record::GaveUp { keeps, .. } => {
                self.void(node, |config, path| !keeps.contains(config.position(path)));
            }
            _ => {}
        }
    }

    /// Votes of `node` on the paths that `is_replaced` names count no more.
    fn void(&mut self, node: NodeId, is_replaced: impl Fn(&Config, &Path) -> bool) {
        let Some(config) = self.disks.managed() else { return };
        if let Some(pins) = self.pins.get_mut(&node) {
            pins.retain(|path, _| !is_replaced(config, path));
        }
    }

    fn on_crashed(&mut self, node: NodeId) {
        self.up.remove(&node);
        if node == NodeId::CONTROL {
            self.views.on_crashed();
        }
        let log = self.logs.entry(node).or_default();
        log.forced = log.forced.min(log.durable);
        self.settled.remove(&node);
        let pins = self.pins.entry(node).or_default();
        pins.clear();
        if self.disks.managed().is_some() {
            let disk = self.disks.get(node);
            let epoch = disk.map(|disk| disk.epoch.clone()).unwrap_or_default();
            self.epochs.insert(node, epoch);
            for (txn, promise) in disk.into_iter().flat_map(|disk| &disk.votes) {
                for (path, _) in &promise.changes {
                    pins.insert(path.clone(), At { step: promise.step, is: *txn });
                }
            }
            return;
        }
        for txn in self.in_doubt.get(&node).into_iter().flatten() {
            let Some(yes) = self.txns.get(txn).and_then(|txn| txn.yes.get(&node)) else { continue };
            for (path, _) in yes.is.iter() {
                pins.insert(path.clone(), At { step: yes.step, is: *txn });
            }
        }
    }

    /// A disk is gone, and what only it could tell. Whoever comes back under its name is another.
    fn on_wiped(&mut self, node: NodeId) {
        let step = self.step;
        self.settled.remove(&node);
        self.pins.remove(&node);
        self.epochs.remove(&node);
        self.logs.remove(&node);
        for txn in self.in_doubt.remove(&node).into_iter().flatten() {
            self.txns.entry(txn).gone.push(node);
        }
        let born = self.disks.remove(node).and_then(|disk| disk.born);
        if let Some(At { is: admission, .. }) = born {
            self.gone.insert(Member { node, admission }, step);
        }
    }

    /// The operator gives up what only lost disks had: nobody has the last committed state, and
    /// nobody has promised it.
    fn on_loss_accepted(&mut self) {
        for (path, history) in &mut self.files {
            let Some(last) = history.committed.last() else { continue };
            let (txn, file) = (&last.txn, &last.file);
            let has = |disk: &crate::oracle::model::disks::Disk| {
                let stored = disk.files.get(path).is_some_and(|stored| stored.is == *file);
                stored || disk.is_in_doubt(*txn, path)
            };
            if !self.disks.iter().any(|(_, disk)| has(disk)) {
                let mut lost = std::mem::take(&mut history.lost);
                lost.append(&mut history.committed);
                let given_up = Some(self.step);
                *history = FileHistory { given_up, lost, ..FileHistory::default() };
            }
        }
    }

    fn on_durable(&mut self, node: NodeId, record: &Record) {
        let step = self.step;
        match record {
            Record::Voted {
                txn: id,
                epoch,
                participants,
                request,
                paths,
                changes,
                results,
                operations,
                ..
            } => {
                let txn = self.txns.entry(*id);
                if self.disks.managed().is_some() {
                    txn.told.0 = *operations;
                    txn.told.1.extend(results.iter().map(|(place, _)| *place));
                }
                txn.request.get_or_insert(*request);
                txn.epoch = *epoch;
                if txn.participants.is_empty() {
                    txn.participants = names(participants);
                }
                txn.yes.insert(node, At { step, is: changes.clone() });
                txn.pinned.insert(node, paths.clone());
                self.in_doubt.entry(node).or_default().insert(*id);
            }
            Record::Promised { txn } | Record::RolledBack { txn } => {
                self.on_outcome(node, *txn, false);
            }
            Record::Applied { txn, answer, .. } => {
                self.settle_orphan(*txn, answer);
                self.on_outcome(node, *txn, true);
            }
            Record::Decided { .. } => self.on_decided(record),
            Record::Over { txn } => {
                self.txns.entry(*txn).over.get_or_insert(step);
            }
            Record::Declined { request, refusal } => {
                let request = self.origin(*request);
                if let Some(asked) = self.requests.get_mut(&request) {
                    asked.declined.get_or_insert(At { step, is: *refusal });
                }
            }
            Record::Queued { path, request } => {
                let lock = self.locks.entry(path.clone()).or_default();
                lock.line.push(At { step, is: *request });
            }
            Record::Granted { path, request, token } => {
                let lock = self.locks.entry(path.clone()).or_default();
                lock.line.retain(|waiting| waiting.is != *request);
                lock.holder = Some(At { step, is: (*request, *token) });
                lock.last_token = Some(At { step, is: *token });
            }
            Record::Left { path, request } => {
                let lock = self.locks.entry(path.clone()).or_default();
                lock.line.retain(|waiting| waiting.is != *request);
                lock.holder.take_if(|holder| holder.is.0 == *request);
            }
            Record::Stored { .. } | Record::Answered { .. } | Record::LockOver { .. } => {}
            Record::Settled { .. } | Record::Mark { .. } | Record::Presumed { .. } => {}
            Record::Forgotten { .. } => {}
            Record::LastToken { .. } | Record::LongestLease { .. } | Record::Wanted { .. } => {}
            Record::Announced { .. } | Record::Activated { .. } | Record::Converged { .. } => {
                self.views.on_durable(step, record);
            }
            Record::Admitted { .. } => self.views.on_durable(step, record),
            Record::LossAccepted { .. } => {
                self.views.on_durable(step, record);
                self.on_loss_accepted();
            }
            Record::Born { .. } | Record::Entered { .. } | Record::Pulled { .. } => {}
            Record::Complete { .. } | Record::GaveUp { .. } | Record::Orphaned { .. } => {}
        }
        self.disks.on_durable(step, node, record);
    }

    fn on_outcome(&mut self, node: NodeId, id: TxnId, applied: bool) {
        let step = self.step;
        self.txns.entry(id).outcomes.entry(node).or_insert(At { step, is: applied });
        if let Some(in_doubt) = self.in_doubt.get_mut(&node) {
            in_doubt.remove(&id);
        }
        if let Some(settled) = self.settled.get_mut(&node) {
            settled.remove(&id);
        }
    }

    /// The commit point: what every yes vote and the coordinator's own part would change is
    /// committed now.
    fn on_decided(&mut self, record: &Record) {
        let Record::Decided { txn: id, epoch, request, participants, changes, answer } = record
        else {
            return;
        };
        let txn = self.txns.entry(*id);
        if txn.decided.is_none() {
            txn.request = Some(*request);
            txn.participants = names(participants);
            txn.own = changes.clone();
            txn.epoch = *epoch;
            self.commit(*id, *request, answer);
        }
    }

    /// The participants of a transaction whose coordinator's disk is gone settle it among
    /// themselves: the first of them that applies it is the commit point.
    fn settle_orphan(&mut self, id: TxnId, answer: &Answer) {
        if self.gone.is_empty() {
            return;
        }
        let is_gone = self.coordinator_is_gone(id).is_some();
        let Some(txn) = self.txns.get(&id).filter(|txn| is_gone && txn.decided.is_none()) else {
            return;
        };
        if let Some(request) = txn.request {
            self.commit(id, request, answer);
        }
    }

    fn commit(&mut self, id: TxnId, request: RequestId, answer: &Answer) {
        let (step, origin) = (self.step, self.origin(request));
        self.commits += 1;
        let order = self.commits;
        let txn = self.txns.entry(id);
        txn.order = Some(order);
        txn.decided = Some(At { step, is: answer.clone() });
        let epoch = txn.epoch;
        let origin = *txn.origin.get_or_insert(origin);
        let votes = txn.yes.values().map(|yes| &yes.is);
        let parts: Vec<Changes> = std::iter::once(&txn.own).chain(votes).cloned().collect();
        for (path, file) in committed_once(&parts) {
            let history = self.files.entry(path.clone()).or_default();
            history.claimed_before = history.claimed.clone();
            history.claim(step, file.fence);
            let file = file.clone();
            history.committed.push(Committed { step, order, txn: id, epoch, file });
        }
        if let Some(asked) = self.requests.get_mut(&origin) {
            asked.effects.push(id);
        }
    }
}

impl FileHistory {
    fn claim(&mut self, step: u64, token: Token) {
        if token > self.claimed.as_ref().map_or(Token::default(), |claimed| claimed.is) {
            self.claimed = Some(At { step, is: token });
        }
    }
}

/// Who coordinates a transaction: a name under an admission.
fn coordinator(txn: TxnId) -> Member {
    Member { node: txn.coordinator, admission: txn.admission }
}

fn names(members: &[Member]) -> Arc<[NodeId]> {
    members.iter().map(|member| member.node).collect()
}

/// The changes of all parts, each path once: that all owners of a path agree is for an invariant to
/// say.
fn committed_once(parts: &[Changes]) -> impl Iterator<Item = &(Path, File)> {
    parts.iter().enumerate().flat_map(move |(number, part)| {
        let is_new = move |path: &Path| {
            parts[..number].iter().all(|part| part.iter().all(|(other, _)| other != path))
        };
        part.iter().filter(move |(path, _)| is_new(path))
    })
}

/// A client was told that `operation` made `version`.
fn acknowledge(
    files: &mut BTreeMap<Path, FileHistory>,
    step: u64,
    operation: &Operation,
    version: Version,
) {
    let path = match &operation.action {
        Action::Rename(to, _) => to,
        Action::Read | Action::Create(_) | Action::Write(..) | Action::Delete(_) => &operation.path,
        Action::Place(_) | Action::Remove(_) | Action::Claim => &operation.path,
    };
    let history = files.entry(path.clone()).or_default();
    raise(&mut history.acknowledged, step, version);
    if matches!(operation.action, Action::Delete(_)) {
        raise(&mut history.deleted, step, version);
    }
}

fn raise(versions: &mut Vec<At<Version>>, step: u64, version: Version) {
    if versions.last().is_none_or(|last| last.is < version) {
        versions.push(At { step, is: version });
    }
}

/// The path of a request that reads one file, without a transaction.
pub fn single_read(request: &Request) -> Option<&Path> {
    match request {
        Request::Files { operations, .. } if operations.len() == 1 => {
            operations[0].action.is_read().then_some(&operations[0].path)
        }
        Request::Files { .. } | Request::Acquire { .. } | Request::Release { .. } => None,
    }
}

/// How often `operation` changes the contents of `path`.
pub fn changes_path(operation: &Operation, path: &Path) -> u64 {
    let here = u64::from(operation.path == *path);
    match &operation.action {
        Action::Read | Action::Claim => 0,
        Action::Rename(to, _) => here + u64::from(to == path),
        Action::Create(_) | Action::Write(..) | Action::Delete(_) => here,
        Action::Place(_) | Action::Remove(_) => here,
    }
}

/// The reads among `operations`, each with its outcome: those that see what was there before, not a
/// change made by an operation that precedes them.
pub fn reads<'a>(
    operations: &'a [Operation],
    answer: &'a [Outcome],
) -> impl Iterator<Item = (&'a Path, Version, Option<&'a Contents>)> {
    operations.iter().zip(answer).enumerate().filter_map(|(place, (operation, outcome))| {
        let Outcome::Found(version, contents) = outcome else { return None };
        let path = &operation.path;
        let own = operations[..place].iter().any(|earlier| changes_path(earlier, path) > 0);
        (!own).then_some((path, *version, contents.as_ref()))
    })
}

/// A state of a file in words.
pub(in crate::oracle) fn in_words(version: Version, contents: Option<&Contents>) -> String {
    match contents {
        Some(contents) => format!("{contents} at {version}"),
        None if version == Version::default() => "no file yet".to_owned(),
        None => format!("no file at {version}"),
    }
}

/// Does the life of the client that made the request go on?
pub(in crate::oracle) fn is_alive(client: NodeId, request: RequestId, world: &World) -> bool {
    let host = world.host(client);
    host.is_up() && host.incarnation() == request.incarnation
}

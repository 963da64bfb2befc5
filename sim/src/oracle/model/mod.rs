//! What has happened so far, as far as the outside can tell.
//!
//! The model believes durable records, messages on the wire, and answers of clients. What a node
//! thinks of itself does not count. A record counts once it is durable, or once it has survived a
//! crash. Only pins are counted from the moment at which a record is appended, because a node's
//! memory is ahead of its disk, and go back to what is durable in a crash.

pub(in crate::oracle) mod disks;
pub(in crate::oracle) mod effects;
pub(in crate::oracle) mod files;
pub(in crate::oracle) mod hearing;
pub(in crate::oracle) mod leases;
pub(in crate::oracle) mod locks;
pub(in crate::oracle) mod logs;
pub(in crate::oracle) mod memory;
pub(in crate::oracle) mod per_node;
pub(in crate::oracle) mod placement;
pub(in crate::oracle) mod requests;
pub(in crate::oracle) mod service;
pub(in crate::oracle) mod txns;
pub(in crate::oracle) mod views;

use std::collections::BTreeMap;
use std::sync::Arc;

use seedbed::proto::{
    Answer, Config, Epoch, Incarnation, Membership, Message, NodeId, Path, Record, Reply, Request,
    RequestId, Time, TxnId,
};

use crate::oracle::{At, Breach, Seen};
use crate::world::World;
use disks::Disks;
use effects::Effects;
use files::Files;
use hearing::{HeardAt, Hearing, keeps_request};
use leases::Leases;
use locks::Locks;
use logs::Logs;
use memory::Memory;
use requests::Requests;
use service::Services;
use txns::{Txns, coordinator};
use views::Views;

pub use files::{Committed, FileHistory, before};
pub use locks::{Lock, LockHistory};
pub use logs::LogSeen;
pub use requests::{Asked, changes_path, reads, single_read};

pub(in crate::oracle) use files::in_words;
pub(in crate::oracle) use requests::is_alive;

/// Everything the invariants share.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// The step under way, and its true time.
    pub step: u64,
    /// True time.
    pub now: Time,
    /// Requests of users.
    pub requests: Requests,
    /// Transactions.
    pub txns: Txns,
    /// Decisions that are durable.
    pub commits: u64,
    /// Which of them took effect for which request.
    pub effects: Effects,
    /// Files, as committed.
    pub files: Files,
    /// Locks, as the lock server's log has them.
    pub locks: Locks,
    /// Whom the lock server has heard.
    pub hearing: Hearing,
    /// The newest life of each machine.
    pub lives: BTreeMap<NodeId, Incarnation>,
    /// How far each machine's log reaches.
    pub logs: Logs,
    /// What each node's memory should hold.
    pub memory: Memory,
    /// What storage nodes have durably, where membership is managed.
    pub disks: Disks,
    /// Views, as the centre's log has them.
    pub views: Views,
    /// Membership leases.
    pub leases: Leases,
    /// What storage nodes serve, where membership is managed.
    pub services: Services,
}

/// What is asked of it that takes more than one of its parts.
impl Model {
    /// What is known before anything has happened to a cluster of this configuration.
    pub fn new(config: &Arc<Config>) -> Model {
        match config.membership {
            Membership::Fixed => Model::default(),
            Membership::Managed => Model { disks: Disks::of(config.clone()), ..Model::default() },
        }
    }

    /// The paths of which the operator has given up what only lost disks had.
    pub fn given_up(&self) -> impl Iterator<Item = &Path> {
        self.files.given_up()
    }

    /// The request that the user made, given the id that an attempt at it goes under.
    pub fn origin(&self, request: RequestId) -> RequestId {
        self.requests.origin(request)
    }

    /// The user's request that a transaction serves.
    pub fn asked_by(&self, txn: TxnId) -> Option<&Asked> {
        let txn = self.txns.get(&txn)?;
        self.requests.get(&txn.origin.or(txn.request)?)
    }

    /// The newest life of `node`.
    pub fn life(&self, node: NodeId) -> Incarnation {
        self.lives.get(&node).copied().unwrap_or_default()
    }

    /// How far `node`'s log reaches.
    pub fn log(&self, node: NodeId) -> LogSeen {
        self.logs.of(node)
    }

    /// That `node`'s log lacks something, as a fact with the step since which it is as it is.
    pub fn log_lacks(&self, node: NodeId, what: impl std::fmt::Display) -> (u64, String) {
        let log = self.log(node);
        let durable = log.durable;
        (log.synced, format!("{node}'s log is durable for {durable} records and has no {what}"))
    }

    /// Was a message that leaves `node` now put together in this very step? If a sync has let it
    /// go, then it is older.
    pub fn is_put_together_now(&self, node: NodeId) -> bool {
        self.log(node).synced != self.step
    }

    /// Is `txn` one that the coordinator has called over?
    pub fn is_below_the_mark(&self, txn: TxnId) -> bool {
        self.txns.is_below_the_mark(txn)
    }

    /// The transactions that `node` is in doubt about.
    pub fn doubts(&self, node: NodeId) -> impl Iterator<Item = TxnId> {
        self.memory.doubts(node)
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
        self.disks.gone(coordinator(txn))
    }

    /// Is `txn` one that nobody who is left can settle?
    pub fn is_lost(&self, txn: TxnId) -> bool {
        let known = self.coordinator_is_gone(txn).and_then(|_| self.txns.get(&txn));
        known.is_some_and(|known| known.is_lost())
    }

    /// What was committed to `path` last, of what still counts.
    pub fn last(&self, path: &Path) -> Option<&Committed> {
        self.files.last(path)
    }

    /// What was committed to `path` last in `epoch` and before, of what still counts.
    pub fn last_in(&self, path: &Path, epoch: Epoch) -> Option<&Committed> {
        self.files.last_in(path, epoch)
    }

    /// Since which step `node` claims, durably, to be complete on `path` in the epoch in force.
    pub fn claims(&self, node: NodeId, path: &Path) -> Option<u64> {
        let (config, disk) = (self.disks.managed()?, self.disks.get(node)?);
        disk.claims(self.views.active(), config.position(path))
    }

    /// The epoch that `node` has entered, as its memory should have it.
    pub fn epoch(&self, node: NodeId) -> Epoch {
        self.memory.epoch(node).map_or(Epoch::default(), |epoch| epoch.is)
    }

    /// This moment, as the lock server counts leases from it.
    pub fn heard_now(&self, world: &World) -> HeardAt {
        let reading = world.host(NodeId::CONTROL).clock().reading(self.now);
        let lease = self.views.lock_lease(world.config());
        HeardAt::new((self.step, self.now), reading, lease, world.config())
    }

    /// Contradicts an earlier fact with one of this step.
    pub(in crate::oracle) fn breach<T>(
        &self,
        step: u64,
        earlier: impl Into<String>,
        now: impl Into<String>,
    ) -> Result<T, Breach> {
        Breach::new((step, earlier), self, now)
    }
}

/// What happens: each thing goes to the parts that it concerns.
impl Model {
    /// Takes over what was seen in a step, after which `world` is as it is.
    pub fn update(&mut self, seen: &Seen<'_>, world: &World) {
        match *seen {
            Seen::Requested { request, wanted } => {
                let at = At { step: self.step, is: self.now };
                self.requests.on_requested(request, wanted, at);
            }
            Seen::Sent { from, to, message, .. } => self.on_sent(from, to, message),
            Seen::Received { from, to, message, .. } => {
                self.on_received(from, to, message, world);
            }
            Seen::Appended { node, position, record, forced } => {
                if forced {
                    self.logs.on_forced(node, position);
                }
                self.on_appended(node, position, record);
            }
            Seen::Durable { node, position, record } => {
                self.logs.on_durable(self.step, node, position);
                self.on_durable(node, position, record);
            }
            Seen::Forgot { node: NodeId::CONTROL, from, .. } => {
                self.locks.on_forgot(self.step, from);
            }
            Seen::Replied { request, reply } => self.on_replied(request, reply),
            Seen::Started { node, incarnation } => {
                self.lives.insert(node, incarnation);
                if node == NodeId::CONTROL {
                    self.locks.on_started();
                    self.hearing.on_started(self.step);
                }
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

    fn on_replied(&mut self, request: RequestId, reply: &Reply) {
        let step = self.step;
        let at = At { step, is: reply.clone() };
        let Some(asked) = self.requests.on_replied(request, at) else { return };
        match (reply, &asked.wanted) {
            (Reply::Done(answer), Request::Files { operations, .. }) => {
                self.files.on_done(step, operations, answer);
            }
            (Reply::Acquired(token), Request::Acquire { path, .. }) => {
                self.files.on_acquired(step, path, *token);
            }
            _ => {} // it says nothing of a file
        }
    }

    fn on_sent(&mut self, from: NodeId, to: NodeId, message: &Message) {
        let step = self.step;
        match message {
            Message::Begin { request, age, operations, .. } => {
                self.requests.on_begin(*request, age.request, operations);
            }
            Message::Prepare { header, terms, .. } => {
                self.txns.on_prepare(step, self.life(from), header, terms);
            }
            Message::Execute { .. } | Message::Commit { .. } | Message::Abort { .. } => {
                self.txns.on_sent(step, from, message);
            }
            Message::Told { .. } | Message::Executed { .. } => {
                self.txns.on_sent(step, from, message);
            }
            Message::Ended { .. } if self.disks.managed().is_some() => {
                let is_now = self.is_put_together_now(from);
                self.services.on_ended(step, from, message, is_now);
            }
            Message::Heartbeat { .. } | Message::Alive { .. } => {
                self.leases.on_sent((step, self.now), from, to, message, &self.views);
            }
            _ => {} // no part keeps what it says
        }
    }

    fn on_received(&mut self, from: NodeId, to: NodeId, message: &Message, world: &World) {
        match message {
            Message::Alive { .. } => {
                let life = self.life(to);
                self.leases.on_received(self.step, to, life, message, &self.views);
            }
            Message::Executed { txn, vote } => {
                let forced = At { step: self.step, is: self.log(to).forced };
                self.txns.on_vote(*txn, from, vote, self.life(to), forced);
            }
            Message::Read { .. } if self.disks.managed().is_some() => {
                self.services.on_read(self.step, to, message);
            }
            Message::Acquire { .. } | Message::KeepAlive { .. } => {
                if let Some(request) = keeps_request(message).filter(|_| to == NodeId::CONTROL) {
                    self.hearing.on_heard(request, self.heard_now(world));
                }
            }
            _ => {} // no part keeps what arrives
        }
    }

    /// What a node's memory does with a record that it appends.
    fn on_appended(&mut self, node: NodeId, position: u64, record: &Record) {
        match record {
            Record::Voted { txn, changes, .. } => {
                self.memory.on_voted(self.step, node, *txn, changes);
                self.on_service(node, record);
            }
            Record::Decided { .. } => self.on_service(node, record),
            Record::Applied { txn, .. } | Record::RolledBack { txn } => {
                self.memory.on_settled(node, *txn);
            }
            Record::Announced { .. } | Record::Activated { .. } => self.views.on_appended(record),
            Record::Entered { epoch, .. } => self.memory.on_entered(self.step, node, *epoch),
            Record::Pulled { .. } | Record::GaveUp { .. } => {
                if let Some(config) = self.disks.managed() {
                    self.memory.on_moved(node, record, config);
                }
            }
            Record::Queued { .. } | Record::Granted { .. } => {
                self.locks.on_appended(self.step, position, record);
            }
            Record::Left { request, .. } => {
                self.locks.on_appended(self.step, position, record);
                self.hearing.on_left(*request);
            }
            _ => {} // it counts once it is durable: see there
        }
    }

    fn on_crashed(&mut self, node: NodeId) {
        if node == NodeId::CONTROL {
            self.views.on_crashed();
        }
        self.logs.on_crashed(node);
        match self.disks.managed() {
            Some(_) => self.memory.on_crashed(node, self.disks.get(node)),
            None => self.memory.on_crashed_with_fixed_members(node, &self.txns),
        }
        self.services.on_crashed(node);
    }

    /// A disk is gone, and what only it could tell. Whoever comes back under its name is another.
    fn on_wiped(&mut self, node: NodeId) {
        self.logs.on_wiped(node);
        for txn in self.memory.on_wiped(node) {
            self.txns.entry(txn).gone.push(node);
        }
        self.disks.on_wiped(self.step, node);
    }

    /// Each kind of record stands here: so a new one does not go unnoticed, the parts need not name
    /// those that are not theirs.
    fn on_durable(&mut self, node: NodeId, position: u64, record: &Record) {
        let step = self.step;
        match record {
            Record::Voted { txn, .. } => {
                self.txns.on_voted(step, node, record, self.disks.managed().is_some());
                self.memory.on_durable_vote(node, *txn);
                self.on_service(node, record);
            }
            Record::Promised { txn } | Record::RolledBack { txn } => {
                self.on_outcome(node, *txn, false);
            }
            Record::Applied { txn, request, answer } => {
                self.settle_orphan(*txn, answer);
                self.on_outcome(node, *txn, true);
                match self.is_settled_now(*txn) {
                    true => self.on_effect(*txn, *request, answer),
                    false => self.effects.on_none(),
                }
            }
            Record::Decided { txn, request, answer, .. } => {
                if self.txns.on_decided(record) {
                    self.commit(*txn, *request, answer);
                }
                self.on_effect(*txn, *request, answer);
                self.on_service(node, record);
            }
            Record::Over { txn } => self.txns.on_over(step, *txn),
            Record::Declined { request, refusal } => {
                self.requests.on_declined(*request, At { step, is: *refusal });
            }
            Record::Announced { .. } | Record::Activated { .. } | Record::Converged { .. } => {
                self.views.on_durable(step, record);
            }
            Record::Admitted { .. } => self.views.on_durable(step, record),
            Record::LossAccepted { .. } => {
                self.views.on_durable(step, record);
                self.files.on_loss_accepted(step, &self.disks);
            }
            // What of these is to be known the locks and the disks say, below.
            Record::Queued { .. } | Record::Granted { .. } | Record::Left { .. } => {}
            Record::Born { .. } | Record::Entered { .. } | Record::Pulled { .. } => {}
            Record::Complete { .. } | Record::GaveUp { .. } | Record::Orphaned { .. } => {}
            // A checkpoint writes these: they say what was known before.
            Record::Stored { .. } | Record::Answered { .. } | Record::LockOver { .. } => {}
            Record::Settled { .. } | Record::Mark { .. } | Record::Presumed { .. } => {}
            Record::Forgotten { .. } | Record::LastToken { .. } => {}
            Record::LongestLease { .. } | Record::Wanted { .. } => {}
        }
        match node == NodeId::CONTROL {
            true => self.locks.on_durable(step, position, record),
            false => self.disks.on_durable(step, node, record),
        }
    }

    /// A vote or a decision is one service when it is appended and one when it is durable.
    fn on_service(&mut self, node: NodeId, record: &Record) {
        if self.disks.managed().is_some() {
            self.services.on_record(self.step, node, record);
        }
    }

    fn on_effect(&mut self, txn: TxnId, request: RequestId, answer: &Answer) {
        let origin = self.origin(request);
        self.effects.on_effect(self.step, txn, origin, answer);
    }

    /// Is this the step in which the participants of a lost coordinator settle its transaction?
    fn is_settled_now(&self, txn: TxnId) -> bool {
        let is_new = || self.txns.get(&txn).is_some_and(|known| known.decided_in(self.step));
        self.coordinator_is_gone(txn).is_some() && is_new()
    }

    fn on_outcome(&mut self, node: NodeId, txn: TxnId, applied: bool) {
        self.txns.on_outcome(node, txn, At { step: self.step, is: applied });
        self.memory.on_durable_outcome(node, txn);
    }

    /// The participants of a transaction whose coordinator's disk is gone settle it among
    /// themselves: the first of them that applies it is the commit point.
    fn settle_orphan(&mut self, id: TxnId, answer: &Answer) {
        if self.disks.gone.is_empty() {
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

    /// The commit point: what every yes vote and the coordinator's own part would change is
    /// committed now.
    fn commit(&mut self, id: TxnId, request: RequestId, answer: &Answer) {
        let (step, origin) = (self.step, self.origin(request));
        self.commits += 1;
        let order = self.commits;
        let txn = self.txns.entry(id);
        txn.order = Some(order);
        txn.decided = Some(At { step, is: answer.clone() });
        let (epoch, origin) = (txn.epoch, *txn.origin.get_or_insert(origin));
        self.files.on_committed(&txn.parts(), |file| Committed {
            step,
            order,
            txn: id,
            epoch,
            file: file.clone(),
        });
        self.requests.on_committed(origin, id);
    }
}

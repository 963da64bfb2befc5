//! A storage node: coordinator of some transactions, participant in others, owner of files.
//!
//! It takes a client's attempt once: a session names the life of the node it is with, and within a
//! session each number is taken once, so that a message that the network doubled cannot become two
//! transactions.
//!
//! A single file is read without a transaction. Every change is committed at all owners of its
//! path, and an owner that has the path pinned makes the reader wait, so any owner without a pin
//! has what was last committed: had a later change been decided, this owner would have voted for it
//! and would have it pinned still.
//!
//! # In and out of views
//!
//! With managed membership a node does nothing before it has been admitted, serves and votes only
//! while its membership lease runs (`standing`), and pulls what it newly owns
//! (`handover`):
//!
//! ```text
//!             Admit,                 Views,
//!             force Born             force Entered               Alive
//!  empty log ------------> admitted --------------> in an epoch -------> serving
//!                                        ^               | pull, force Complete
//!                                        +- newer view --+
//! ```
//!
//! It leaves an epoch as soon as it hears of a newer one: what it has not promised it gives up,
//! what it has promised it keeps. What it owned before it keeps too, for new owners that pull it,
//! until the new epoch has settled.

mod dispatch;
mod membership;
mod reads;
mod recovery;
mod session;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::handover::{Handover, Move};
use super::owner::Owner;
use super::ring::Ring;
use super::standing::Standing;
use super::txn::Turn;
use super::txn::coordinator::Coordinator;
use super::txn::participant::Participant;
use super::{
    Age, Config, Defect, Epoch, File, Input, Membership, Outbox, Path, Record, Token, TxnId,
};
use super::{Timer, Timers};
use crate::machine::{Incarnation, NodeId, RequestId, Time};
use reads::Waiting;
use session::Taken;

/// A storage node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    config: Arc<Config>,
    id: NodeId,
    incarnation: Incarnation,

    // Rebuilt from the log, but for what each of them says is volatile:
    standing: Standing,
    owner: Owner,
    coordinator: Coordinator,
    participant: Participant,

    // Volatile:
    handover: Handover,
    /// The newest epoch of which the centre has said to this life that it has recorded the entry.
    noted: Epoch,
    timers: Timers,
    sessions: BTreeMap<NodeId, Taken>,
    /// Reads that wait for a pin to go.
    waiting_reads: BTreeMap<RequestId, Waiting>,
    disk_is_full: bool,
    records_since_checkpoint: u32,
}

impl Node {
    /// A node as its log left it; the first boot has an empty log. Emits nothing: what there is to
    /// say is said at the first step.
    pub fn recover(
        config: Arc<Config>,
        id: NodeId,
        incarnation: Incarnation,
        now: Time,
        log: &[Record],
    ) -> Node {
        let mut node = Node {
            standing: Standing::new(&config, id),
            handover: Handover::default(),
            noted: Epoch::default(),
            config,
            id,
            incarnation,
            timers: Timers::default(),
            owner: Owner::default(),
            coordinator: Coordinator::default(),
            participant: Participant::default(),
            sessions: BTreeMap::new(),
            waiting_reads: BTreeMap::new(),
            disk_is_full: false,
            records_since_checkpoint: 0,
        };
        for record in log {
            node.replay(record);
        }
        // The first record says so, and is forced before anything else is said.
        let is_born = log.is_empty() || node.standing.member().is_some();
        assert!(is_born || !node.config.defects.is_empty(), "{id} has a log and no admission");
        if node.config.defects.has(Defect::FenceKeptInMemory) {
            node.owner.files.values_mut().for_each(|file| file.fence = Token::default());
        }
        node.owner.take_released();
        node.timers.set(Timer::Start, now);
        node
    }

    /// Takes one input; what it leads to goes into `out`, in order.
    pub fn step(&mut self, now: Time, input: Input, out: &mut Outbox) {
        if let Input::DiskFull(is_full) = input {
            // Nothing follows from it: it may come right at a start.
            let is_ignored = self.config.defects.has(Defect::FullDiskIgnored);
            self.disk_is_full = is_full && !is_ignored;
            return;
        }
        let before = out.appended();
        if self.timers.is_set(&Timer::Start) {
            self.on_start(now, out);
        }
        match input {
            Input::Message(from, message) => self.on_message(now, from, message, out),
            Input::Wake(timer) => self.on_wake(now, timer, out),
            Input::DiskFull(_) => unreachable!("taken note of above"),
            Input::Request(..) | Input::Command(_) => {} // a storage node is asked by message
        }
        self.on_released(now, out);
        self.checkpoint_if_due(out.appended() - before, out);
    }

    /// The same state under other settings.
    pub(super) fn reconfigured(&self, config: Arc<Config>) -> Node {
        Node { config, ..self.clone() }
    }

    /// When to wake the node next, and for what.
    pub fn next_deadline(&self) -> Option<(Time, &Timer)> {
        self.timers.next()
    }

    /// What is stored, by path.
    pub fn files(&self) -> &BTreeMap<Path, File> {
        &self.owner.files
    }

    /// The paths that transactions have pinned, by name.
    pub fn pinned(&self) -> impl Iterator<Item = &Path> {
        self.owner.pinned()
    }

    /// Is `path` pinned by a transaction?
    pub fn is_pinned(&self, path: &Path) -> bool {
        self.owner.is_pinned(path)
    }

    /// The requests whose answers the node remembers.
    pub fn remembered_answers(&self) -> impl Iterator<Item = RequestId> + '_ {
        self.owner.answers.requests()
    }

    /// The transactions of others of which the node remembers the outcome.
    pub fn remembered_outcomes(&self) -> impl Iterator<Item = TxnId> + '_ {
        self.participant.remembered_outcomes()
    }

    /// The transactions that wait for pins, oldest first, each with the paths that it wants.
    pub fn waiting(&self) -> impl Iterator<Item = (Age, TxnId, &[Path])> {
        self.owner.waiting()
    }

    /// The transaction that has `path` pinned, with its age.
    pub fn pin_of(&self, path: &Path) -> Option<(Age, TxnId)> {
        self.owner.pin_of(path)
    }

    /// The epoch that the node has entered.
    pub fn epoch(&self) -> Epoch {
        self.standing.epoch()
    }

    /// The epoch that it has entered, until this life hears that the centre has recorded that.
    pub fn unrecorded_entry(&self) -> Option<Epoch> {
        let is_managed = self.config.membership == Membership::Managed;
        Some(self.epoch()).filter(|epoch| is_managed && *epoch > self.noted)
    }

    /// The ring of the epoch that the node has entered, if this life knows that view.
    pub fn ring(&self) -> Option<&Ring> {
        self.standing.layout().map(|layout| layout.ring())
    }

    /// When its lease as a member ends, by its own clock; `None` if it has none, or one that never
    /// ends.
    pub fn leased_until(&self) -> Option<Time> {
        self.standing.leased_until()
    }

    /// The first step of a life. An empty log claims nothing: a node that only the configuration
    /// admits writes that down before anything else.
    fn on_start(&mut self, now: Time, out: &mut Outbox) {
        self.timers.cancel(&Timer::Start);
        match self.config.membership {
            Membership::Fixed if self.standing.member().is_none() => {
                self.be_born(Config::FIRST_ADMISSION, out);
            }
            Membership::Fixed => {}
            Membership::Managed => self.heartbeat(now, out),
        }
        let (coordinator, participant, mut turn) = self.machines(now, out);
        coordinator.on_start(&mut turn);
        participant.on_start(&mut turn);
    }

    fn machines<'a>(
        &'a mut self,
        now: Time,
        out: &'a mut Outbox,
    ) -> (&'a mut Coordinator, &'a mut Participant, Turn<'a>) {
        let turn = Turn {
            config: &self.config,
            id: self.id,
            incarnation: self.incarnation,
            now,
            standing: &self.standing,
            disk_is_full: self.disk_is_full,
            owner: &mut self.owner,
            timers: &mut self.timers,
            out,
        };
        (&mut self.coordinator, &mut self.participant, turn)
    }

    fn moving<'a>(&'a mut self, now: Time, out: &'a mut Outbox) -> (Move<'a>, &'a mut Handover) {
        let turn = Move {
            config: &self.config,
            incarnation: self.incarnation,
            now,
            is_noted: self.noted >= self.standing.epoch(),
            standing: &mut self.standing,
            owner: &mut self.owner,
            participant: &mut self.participant,
            timers: &mut self.timers,
            out,
        };
        (turn, &mut self.handover)
    }
}

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

use std::collections::{BTreeMap, BTreeSet};

use super::owner::{Answered, Owner};
use super::timers::{Timer, Timers};
use super::txn::Turn;
use super::txn::coordinator::{Attempt, Coordinator, check_path};
use super::txn::participant::Participant;
use super::{
    AttemptEnd, Config, Defect, Epoch, Incarnation, Input, Message, NodeId, Outbox, Outcome, Path,
    Record, RequestId, Retry, Session, Time, Token, TxnId,
};
use std::sync::Arc;

/// A storage node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    config: Arc<Config>,
    id: NodeId,
    incarnation: Incarnation,
    born: bool,
    timers: Timers,
    owner: Owner,
    coordinator: Coordinator,
    participant: Participant,
    sessions: BTreeMap<NodeId, Taken>,
    /// Reads that wait for a pin to go.
    waiting_reads: BTreeMap<RequestId, (u32, Path)>,
    records_since_checkpoint: u32,
}

/// Which messages of a client's session have been taken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Taken {
    client_life: Incarnation,
    lowest: u32,
    numbers: BTreeSet<u32>,
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
            config,
            id,
            incarnation,
            born: false,
            timers: Timers::default(),
            owner: Owner::default(),
            coordinator: Coordinator::default(),
            participant: Participant::default(),
            sessions: BTreeMap::new(),
            waiting_reads: BTreeMap::new(),
            records_since_checkpoint: 0,
        };
        for record in log {
            node.replay(record);
        }
        if node.config.defects.has(Defect::FenceKeptInMemory) {
            node.owner.files.values_mut().for_each(|file| file.fence = Token::default());
        }
        node.owner.take_released();
        node.timers.set(Timer::Start, now);
        node
    }

    /// Takes one input; what it leads to goes into `out`, in order.
    pub fn step(&mut self, now: Time, input: Input, out: &mut Outbox) {
        let before = out.appended();
        if self.timers.is_set(&Timer::Start) {
            self.on_start(now, out);
        }
        match input {
            Input::Message(from, message) => self.on_message(now, from, message, out),
            Input::Wake(timer) => self.on_wake(now, timer, out),
            Input::Request(..) => {} // nobody asks a storage node but by message
        }
        self.on_released(now, out);
        self.checkpoint_if_due(out.appended() - before, out);
    }

    /// When to wake the node next, and for what.
    pub fn next_deadline(&self) -> Option<(Time, &Timer)> {
        self.timers.next()
    }

    /// What is stored, by path.
    pub fn files(&self) -> &BTreeMap<Path, super::File> {
        &self.owner.files
    }

    /// Is `path` pinned by a transaction?
    pub fn is_pinned(&self, path: &Path) -> bool {
        self.owner.is_pinned(path)
    }

    fn on_message(&mut self, now: Time, from: NodeId, message: Message, out: &mut Outbox) {
        let (coordinator, participant, mut turn) = self.machines(now, out);
        let turn = &mut turn;
        match message {
            Message::Begin { session, epoch, request, attempt, lowest, age, operations } => {
                let attempt = Attempt { client: from, request, attempt, lowest, age, operations };
                self.on_begin(now, session, epoch, attempt, out);
            }
            Message::Read { epoch, request, attempt, path } => {
                self.on_read(epoch, request, attempt, path, out);
            }
            Message::Fetch { txn, epoch, path } => self.on_fetch(from, txn, epoch, path, out),
            Message::Fetched { txn, path, file } => coordinator.on_fetched(turn, txn, &path, file),
            Message::Prepare { header, epoch, terms, paths, work } => {
                participant.on_prepare(turn, header, epoch, terms, paths, work);
            }
            Message::Ready { txn, pinned_in } => coordinator.on_ready(turn, from, txn, pinned_in),
            Message::Execute { header, epoch, pinned_in, work } => {
                participant.on_execute(turn, header, epoch, pinned_in, work);
            }
            Message::Executed { txn, vote } => coordinator.on_executed(turn, from, txn, vote),
            Message::Commit { header, answer } => participant.on_commit(turn, &header, answer),
            Message::Committed { txn } => coordinator.on_committed(turn, from, txn),
            Message::Abort { header } => participant.on_abort(turn, &header),
            Message::Inquire { txn } if txn.coordinator == turn.id => {
                coordinator.on_inquire(turn, from, txn);
            }
            Message::Inquire { txn } => participant.on_inquire(turn, from, txn),
            Message::Told { txn, known } => participant.on_told(turn, txn, known),
            Message::Ended { .. } | Message::Acquire { .. } | Message::KeepAlive { .. } => {}
            Message::Release { .. } | Message::Granted { .. } | Message::KeptAlive { .. } => {}
            Message::NotKept { .. } | Message::LockRefused { .. } | Message::Released { .. } => {}
        }
    }

    fn on_wake(&mut self, now: Time, timer: Timer, out: &mut Outbox) {
        self.timers.cancel(&timer);
        let (coordinator, participant, mut turn) = self.machines(now, out);
        match timer {
            Timer::Start => {}
            Timer::Collect(txn) => coordinator.on_collect_timeout(&mut turn, txn),
            Timer::Resend(txn) => coordinator.on_resend_time(&mut turn, txn),
            Timer::Ready(txn) => participant.on_ready_timeout(&mut turn, txn),
            Timer::Inquire(txn) => participant.on_inquiry_time(&mut turn, txn),
            Timer::Lease(_) | Timer::Attempt(_) | Timer::GiveUp(_) => {}
            Timer::KeepAlive(_) | Timer::LeaseEnd(_) => {}
        }
    }

    /// The first step of a life. An empty log claims nothing: membership is written down before
    /// anything else.
    fn on_start(&mut self, now: Time, out: &mut Outbox) {
        self.timers.cancel(&Timer::Start);
        if !self.born {
            out.force(Record::Born { admission: Config::ADMISSION, epoch: Config::EPOCH });
            self.born = true;
        }
        let (coordinator, participant, mut turn) = self.machines(now, out);
        coordinator.on_start(&mut turn);
        participant.on_start(&mut turn);
    }

    fn on_begin(
        &mut self,
        now: Time,
        session: Session,
        epoch: Epoch,
        attempt: Attempt,
        out: &mut Outbox,
    ) {
        let Attempt { client, request, attempt: number, .. } = attempt;
        let retry = |why| {
            let end = AttemptEnd::Retry(why);
            Message::Ended { request, attempt: number, end }
        };
        if session.node != self.incarnation {
            return out.send(client, retry(Retry::Session(self.incarnation)));
        }
        if !self.sessions.entry(client).or_default().take(request.incarnation, session) {
            return; // a copy
        }
        if epoch != Config::EPOCH {
            return out.send(client, retry(Retry::Epoch(Config::EPOCH)));
        }
        let (coordinator, _, mut turn) = self.machines(now, out);
        coordinator.on_begin(&mut turn, attempt);
    }

    fn on_read(
        &mut self,
        epoch: Epoch,
        request: RequestId,
        attempt: u32,
        path: Path,
        out: &mut Outbox,
    ) {
        let end = match check_path(&self.config, &path) {
            Err(refusal) => AttemptEnd::Refused { refusal, recorded: true },
            Ok(()) if epoch != Config::EPOCH || !self.config.ring().owns(self.id, &path) => {
                AttemptEnd::Retry(Retry::Epoch(Config::EPOCH))
            }
            Ok(()) if self.owner.is_pinned(&path) => {
                self.waiting_reads.insert(request, (attempt, path));
                return;
            }
            Ok(()) => self.read(&path),
        };
        out.send(request.client, Message::Ended { request, attempt, end });
    }

    fn read(&self, path: &Path) -> AttemptEnd {
        let file = self.owner.file(path);
        AttemptEnd::Done([Outcome::Found(file.version, file.contents)].into())
    }

    /// Shows a file to a coordinator that will move it. The two halves of the rename check what
    /// they find under their pins, so this look needs none.
    fn on_fetch(&self, from: NodeId, txn: TxnId, epoch: Epoch, path: Path, out: &mut Outbox) {
        if epoch == Config::EPOCH && self.config.ring().owns(self.id, &path) {
            let file = self.owner.file(&path);
            out.send(from, Message::Fetched { txn, path, file });
        }
    }

    /// Whenever pins have gone, those who wait for them get another chance, until nothing moves any
    /// more: first the reads, which keep nobody waiting, then the transactions, oldest first.
    fn on_released(&mut self, now: Time, out: &mut Outbox) {
        while self.owner.take_released() {
            self.answer_waiting_reads(out);
            for txn in self.owner.waiting() {
                let (coordinator, participant, mut turn) = self.machines(now, out);
                match txn.coordinator == turn.id {
                    true => coordinator.on_released(&mut turn, txn),
                    false => participant.on_released(&mut turn, txn),
                }
            }
        }
    }

    fn answer_waiting_reads(&mut self, out: &mut Outbox) {
        for (request, (attempt, path)) in std::mem::take(&mut self.waiting_reads) {
            if self.owner.is_pinned(&path) {
                self.waiting_reads.insert(request, (attempt, path));
            } else {
                let end = self.read(&path);
                out.send(request.client, Message::Ended { request, attempt, end });
            }
        }
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
            owner: &mut self.owner,
            timers: &mut self.timers,
            out,
        };
        (&mut self.coordinator, &mut self.participant, turn)
    }

    fn replay(&mut self, record: &Record) {
        match record {
            Record::Born { .. } => self.born = true,
            Record::Declined { request, refusal } => {
                self.owner.answers.insert(*request, Answered::Declined(*refusal));
            }
            Record::Stored { path, file } => {
                self.owner.files.insert(path.clone(), file.clone());
            }
            Record::Answered { request, answer } => {
                self.owner.answers.insert(*request, Answered::Done(answer.clone()));
            }
            Record::Forgotten { client, incarnation, lowest } => {
                self.owner.answers.forget_below(*client, *incarnation, *lowest);
            }
            Record::Decided { .. } | Record::Over { .. } => {
                self.coordinator.replay(&mut self.owner, record);
            }
            Record::Voted { .. } | Record::Applied { .. } | Record::RolledBack { .. } => {
                self.participant.replay(&self.config, &mut self.owner, record);
            }
            Record::Promised { .. } | Record::Settled { .. } | Record::Mark { .. } => {
                self.participant.replay(&self.config, &mut self.owner, record);
            }
            Record::Queued { .. } | Record::Granted { .. } | Record::Left { .. } => {}
            Record::LockOver { .. } | Record::LastToken { .. } => {}
        }
    }

    fn checkpoint_if_due(&mut self, appended: u64, out: &mut Outbox) {
        self.records_since_checkpoint += appended as u32;
        if self.records_since_checkpoint >= self.config.checkpoint_records {
            self.records_since_checkpoint = 0;
            out.checkpoint(self.snapshot());
        }
    }

    /// The records that give this node's durable state again.
    fn snapshot(&self) -> Vec<Record> {
        let mut records = vec![Record::Born { admission: Config::ADMISSION, epoch: Config::EPOCH }];
        for (path, file) in &self.owner.files {
            records.push(Record::Stored { path: path.clone(), file: file.clone() });
        }
        for (client, incarnation, lowest) in self.owner.answers.marks() {
            records.push(Record::Forgotten { client, incarnation, lowest });
        }
        for (&request, answered) in self.owner.answers.iter() {
            records.push(match answered {
                Answered::Done(answer) => Record::Answered { request, answer: answer.clone() },
                Answered::Declined(refusal) => Record::Declined { request, refusal: *refusal },
            });
        }
        self.coordinator.snapshot(&mut records);
        self.participant.snapshot(&mut records);
        records
    }
}

impl Taken {
    /// Takes the message of `session`, once.
    fn take(&mut self, client_life: Incarnation, session: Session) -> bool {
        if client_life < self.client_life {
            return false;
        }
        if client_life > self.client_life {
            *self = Taken { client_life, ..Taken::default() };
        }
        let fresh = session.number >= self.lowest && self.numbers.insert(session.number);
        self.lowest = self.lowest.max(session.lowest);
        self.numbers = self.numbers.split_off(&self.lowest);
        fresh
    }
}

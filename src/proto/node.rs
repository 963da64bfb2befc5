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
//!  empty log --Admit, force Born--> admitted --Views, force Entered--> in an epoch --Alive--> serving
//!                                                 ^                        | pull, force Complete
//!                                                 +--- a newer view -------+
//! ```
//!
//! It leaves an epoch as soon as it hears of a newer one: what it has not promised it gives up,
//! what it has promised it keeps. What it owned before it keeps too, for those who pull it, until
//! the new epoch has settled.

use std::collections::{BTreeMap, BTreeSet};

use super::handover::{self, Chunk, Handover, Move};
use super::owner::{Answered, Owner};
use super::standing::Standing;
use super::txn::Turn;
use super::txn::coordinator::{Attempt, Coordinator};
use super::txn::operations::check_path;
use super::txn::participant::Participant;
use super::{
    Admission, Age, Arcs, AttemptEnd, Config, Defect, Defects, Epoch, Input, Known, Lost,
    Membership, Message, No, Open, Outbox, Outcome, Path, Record, Retry, Session, Token, TxnId,
    View,
};
use super::{Timer, Timers};
use crate::machine::{Class, Incarnation, NodeId, RequestId, Span, Time};
use std::sync::Arc;

/// A storage node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    config: Arc<Config>,
    id: NodeId,
    incarnation: Incarnation,
    standing: Standing,
    handover: Handover,
    /// The newest epoch of which the centre has said to this life that it has recorded the entry.
    noted: Epoch,
    timers: Timers,
    owner: Owner,
    coordinator: Coordinator,
    participant: Participant,
    sessions: BTreeMap<NodeId, Taken>,
    /// Reads that wait for a pin to go.
    waiting_reads: BTreeMap<RequestId, (u32, Path)>,
    disk_is_full: bool,
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
            Input::Request(..) | Input::Command(_) => {} // nobody asks a storage node but by message
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

    /// The transactions of others of which the node remembers what became of them.
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

    fn on_message(&mut self, now: Time, from: NodeId, message: &Message, out: &mut Outbox) {
        let ignores_clients = self.config.defects.has(Defect::ClientsIgnoredAfterARestart);
        let turns_away = self.config.defects.has(Defect::ClientsTurnedAwayAfterARestart);
        let is_from_client_after_restart = self.incarnation.0 > 1 && from.class() == Class::Client;
        if is_from_client_after_restart && ignores_clients {
            return;
        }
        // A node without an admission has promised nothing and knows no other.
        let is_admitted = self.standing.member().is_some();
        if !is_admitted && !matches!(message, Message::Admitted { .. })
            || is_from_client_after_restart && turns_away
        {
            return turn_away(from, message, out);
        }
        let (coordinator, participant, mut turn) = self.machines(now, out);
        let turn = &mut turn;
        match message {
            Message::Begin { session, epoch, request, attempt, lowest, age, operations } => {
                let attempt = Attempt {
                    client: from,
                    request: *request,
                    attempt: *attempt,
                    lowest: *lowest,
                    age: *age,
                    operations: operations.clone(),
                };
                self.on_begin(now, *session, *epoch, attempt, out);
            }
            Message::Read { epoch, request, attempt, path } => {
                self.on_read(now, *epoch, *request, *attempt, path, out);
            }
            Message::Fetch { txn, epoch, path } => {
                self.on_fetch(now, from, *txn, *epoch, path, out);
            }
            Message::Fetched { txn, path, file } => {
                coordinator.on_fetched(turn, *txn, path, file.clone());
            }
            Message::Prepare { header, epoch, terms, paths, work } => {
                let terms = terms.clone();
                participant.on_prepare(turn, header, *epoch, terms, paths.clone(), work.clone());
            }
            Message::Ready { txn, pinned_in } => coordinator.on_ready(turn, from, *txn, *pinned_in),
            Message::Execute { header, epoch, pinned_in, work } => {
                participant.on_execute(turn, header, *epoch, *pinned_in, work.clone());
            }
            Message::Executed { txn, vote } => {
                coordinator.on_executed(turn, from, *txn, vote.clone())
            }
            Message::Commit { header, voter, answer } => {
                participant.on_commit(turn, header, *voter, answer.clone());
            }
            Message::Committed { txn } => coordinator.on_committed(turn, from, *txn),
            Message::Abort { header } => participant.on_abort(turn, header),
            Message::Decline { header, epoch, request, refusal, paths } => {
                participant.on_decline(turn, header, *epoch, (*request, *refusal), paths);
            }
            Message::Declined { txn } => coordinator.on_declined(turn, from, *txn),
            Message::Inquire { txn, .. } if txn.coordinator == turn.id => {
                coordinator.on_inquire(turn, from, *txn);
            }
            Message::Inquire { txn, asked } => participant.on_inquire(turn, from, *txn, *asked),
            Message::Told { txn, known: Known::Gone } if txn.coordinator == turn.id => {
                coordinator.on_gone(turn, from, *txn);
            }
            Message::Told { txn, known } => participant.on_told(turn, *txn, known),
            Message::Resolved { admission, txn, verdict } => {
                if *admission == turn.standing.admission() {
                    participant.on_resolved(turn, *txn, verdict);
                }
            }
            Message::Admitted { incarnation, admission } => {
                self.on_admitted(now, *incarnation, *admission, out);
            }
            Message::Noted { admission, epoch } => {
                if *admission == self.standing.admission() && *epoch > self.noted {
                    self.noted = *epoch;
                    self.proceed(now, out);
                }
            }
            Message::Alive { incarnation, asked, epoch, settled, lost } => {
                self.on_alive(now, *incarnation, *asked, *epoch, *settled, out);
                if self.standing.learn_lost(lost) {
                    self.proceed(now, out);
                }
            }
            Message::Views { asked, views, settled, lost } => {
                let (epoch, answered) = (self.standing.epoch(), self.standing.up_to_date());
                let asked = asked.filter(|(life, _)| *life == self.incarnation);
                asked.into_iter().for_each(|(_, asked)| self.standing.learn_up_to_date(asked));
                self.on_views(now, views, *settled, lost, out);
                let is_first = answered.is_none() && self.standing.up_to_date().is_some();
                if is_first && self.standing.epoch() == epoch {
                    self.heartbeat(now, out); // now it counts: a lease can be given
                }
            }
            Message::Pull { epoch, pull, incarnation, level, owner, arcs, after } => {
                let (mut turn, _) = self.moving(now, out);
                let ask = (*epoch, *pull, *incarnation);
                handover::on_pull(&mut turn, from, ask, (*level, *owner), arcs, after.clone());
            }
            Message::Chunk { epoch, pull, incarnation, after, files, doubtful, answers, end } => {
                let chunk = Chunk {
                    epoch: *epoch,
                    pull: *pull,
                    incarnation: *incarnation,
                    after: after.clone(),
                    files: files.clone(),
                    doubtful: doubtful.clone(),
                    answers: answers.clone(),
                    end: end.clone(),
                };
                let (mut turn, handover) = self.moving(now, out);
                handover.on_chunk(&mut turn, from, chunk);
                self.on_moved(now, out);
            }
            other => assert!(!other.kind().is_to(Class::Node), "nothing handles {other:?}"),
        }
    }

    fn on_wake(&mut self, now: Time, timer: Timer, out: &mut Outbox) {
        self.timers.cancel(&timer);
        match timer {
            Timer::Heartbeat => return self.heartbeat(now, out),
            Timer::Pull => {
                let (mut turn, handover) = self.moving(now, out);
                handover.on_pull_time(&mut turn);
                return self.on_moved(now, out);
            }
            _ => {}
        }
        let (coordinator, participant, mut turn) = self.machines(now, out);
        match timer {
            Timer::Start => {}
            Timer::Collect(txn) => coordinator.on_collect_timeout(&mut turn, txn),
            Timer::Resend(txn) => coordinator.on_resend_time(&mut turn, txn),
            Timer::Ready(txn) => participant.on_ready_timeout(&mut turn, txn),
            Timer::Inquire(txn) => participant.on_inquiry_time(&mut turn, txn),
            Timer::Lease(_) | Timer::Attempt(_) | Timer::GiveUp(_) => {}
            Timer::KeepAlive(_) | Timer::LeaseEnd(_) | Timer::Members => {}
            Timer::Heartbeat | Timer::Pull => {}
        }
    }

    /// The first step of a life. An empty log claims nothing: who is admitted by nobody but the
    /// configuration writes that down before anything else.
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
        let (coordinator, participant, mut turn) = self.machines(now, out);
        let is_in_doubt = participant.is_in_doubt_about(request);
        coordinator.on_begin(&mut turn, epoch, attempt, is_in_doubt);
    }

    fn on_read(
        &mut self,
        now: Time,
        epoch: Epoch,
        request: RequestId,
        attempt: u32,
        path: &Path,
        out: &mut Outbox,
    ) {
        let end = match check_path(&self.config, path) {
            Err(refusal) => AttemptEnd::Refused { refusal, recorded: true },
            Ok(()) => match self.standing.check(&self.config, now, epoch, [path]) {
                Err(closed) => AttemptEnd::Retry(closed.into()),
                Ok(()) if self.owner.is_pinned(path) => {
                    self.waiting_reads.insert(request, (attempt, path.clone()));
                    return;
                }
                Ok(()) => self.read(path),
            },
        };
        out.send(request.client, Message::Ended { request, attempt, end });
    }

    fn read(&self, path: &Path) -> AttemptEnd {
        let mut file = self.owner.file(path);
        if self.config.defects.has(Defect::ReadCutShort)
            && let Some((_, rest)) = file.contents.as_ref().and_then(|c| c.as_bytes().split_last())
        {
            file.contents = Some(rest.into());
        }
        AttemptEnd::Done([Outcome::Found(file.version, file.contents)].into())
    }

    /// Shows a file to a coordinator that will move it, or says why not, so that the attempt ends
    /// at once. The two halves of the rename check what they find under their pins, so this look
    /// needs none.
    fn on_fetch(
        &self,
        now: Time,
        from: NodeId,
        txn: TxnId,
        epoch: Epoch,
        path: &Path,
        out: &mut Outbox,
    ) {
        let may_show = self.standing.check(&self.config, now, epoch, [path]);
        let file = may_show.map(|()| self.owner.file(path)).map_err(No::from);
        out.send(from, Message::Fetched { txn, path: path.clone(), file });
    }

    /// Whenever pins have gone, those who wait for them get another chance, until nothing moves any
    /// more: first the reads, which keep nobody waiting, then the transactions, oldest first.
    fn on_released(&mut self, now: Time, out: &mut Outbox) {
        while self.owner.take_released() {
            self.answer_waiting_reads(now, out);
            let waiting: Vec<TxnId> = self.owner.waiting().map(|(_, txn, _)| txn).collect();
            for txn in waiting {
                let (coordinator, participant, mut turn) = self.machines(now, out);
                match txn.coordinator == turn.id {
                    true => coordinator.on_released(&mut turn, txn),
                    false => participant.on_released(&mut turn, txn),
                }
            }
        }
    }

    fn answer_waiting_reads(&mut self, now: Time, out: &mut Outbox) {
        for (request, (attempt, path)) in std::mem::take(&mut self.waiting_reads) {
            let epoch = self.standing.epoch();
            let end = match self.standing.check(&self.config, now, epoch, [&path]) {
                Err(closed) => AttemptEnd::Retry(closed.into()),
                Ok(()) if self.owner.is_pinned(&path) => {
                    self.waiting_reads.insert(request, (attempt, path));
                    continue;
                }
                Ok(()) => self.read(&path),
            };
            out.send(request.client, Message::Ended { request, attempt, end });
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

    fn replay(&mut self, record: &Record) {
        match record {
            Record::Born { admission } => self.standing.replay_born(*admission),
            Record::Entered { epoch, complete } => self.standing.replay_entered(*epoch, complete),
            Record::Pulled { files, answers, replaced } => {
                let (owner, participant) = (&mut self.owner, &mut self.participant);
                let pulled = (&files[..], &answers[..], replaced);
                handover::replay_pulled(&self.config, owner, participant, pulled);
            }
            Record::Complete { epoch, arcs } => self.standing.replay_complete(*epoch, arcs),
            Record::Reset { epoch, arcs } => {
                self.standing.replay_complete(*epoch, arcs);
                let (owner, participant) = (&mut self.owner, &mut self.participant);
                handover::replay_reset(&self.config, owner, participant, arcs);
            }
            Record::GaveUp { epoch, keeps } => {
                self.standing.replay_gave_up(*epoch);
                self.drop_all_but(keeps);
            }
            Record::Declined { request, refusal } => {
                if !self.config.defects.has(Defect::RefusalForgottenAtAStart) {
                    self.owner.answers.insert(*request, Answered::Declined(*refusal));
                }
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
            // The participant's. Those of the central node are in no log of a storage node.
            _ => self.participant.replay(&self.config, &mut self.owner, record),
        }
    }

    fn checkpoint_if_due(&mut self, appended: u64, out: &mut Outbox) {
        self.records_since_checkpoint += appended as u32;
        if self.records_since_checkpoint >= self.config.checkpoint_records {
            self.records_since_checkpoint = 0;
            out.checkpoint(self.snapshot(self.config.defects));
        }
    }

    /// The records that give this node's durable state again, as a checkpoint writes them.
    pub fn durable_state(&self) -> Vec<Record> {
        self.snapshot(Defects::default())
    }

    fn snapshot(&self, defects: Defects) -> Vec<Record> {
        let mut records = Vec::new();
        self.standing.snapshot(&mut records);
        for (path, file) in &self.owner.files {
            let mut file = file.clone();
            if defects.has(Defect::CheckpointWithoutFences) {
                file.fence = Token::default();
            }
            records.push(Record::Stored { path: path.clone(), file });
        }
        for (client, incarnation, lowest) in self.owner.answers.marks() {
            records.push(Record::Forgotten { client, incarnation, lowest });
        }
        for (&request, answered) in self.owner.answers.iter() {
            records.push(match answered {
                Answered::Done(answer) => Record::Answered { request, answer: answer.clone() },
                Answered::Declined(_) if defects.has(Defect::CheckpointWithoutRefusals) => continue,
                Answered::Declined(refusal) => Record::Declined { request, refusal: *refusal },
            });
        }
        self.coordinator.snapshot(&mut records);
        self.participant.snapshot(defects, &mut records);
        records
    }
}

/// Membership.
impl Node {
    fn on_admitted(
        &mut self,
        now: Time,
        incarnation: Incarnation,
        admission: Admission,
        out: &mut Outbox,
    ) {
        // A number that another life asked for may be in use on the disk that this life lost.
        if incarnation == self.incarnation && self.standing.member().is_none() {
            self.be_born(admission, out);
            self.heartbeat(now, out);
        }
    }

    fn be_born(&mut self, admission: Admission, out: &mut Outbox) {
        out.force(Record::Born { admission });
        self.standing.replay_born(admission);
    }

    /// Says that the node is there, and again what the centre may not have heard.
    fn heartbeat(&mut self, now: Time, out: &mut Outbox) {
        self.timers.set(Timer::Heartbeat, now + self.heartbeat_interval());
        let incarnation = self.incarnation;
        let Some(member) = self.standing.member() else {
            return out.send(NodeId::CONTROL, Message::Admit { incarnation });
        };
        let (admission, epoch) = (member.admission, self.standing.epoch());
        let known = self.standing.known();
        let answered = self.standing.up_to_date();
        let beat = Message::Heartbeat { admission, incarnation, known, asked: now, answered };
        match answered {
            Some(_) => out.send_now(NodeId::CONTROL, beat),
            // Not before the number is durable: a crash that lost it would leave a member behind
            // that nobody can ever speak for.
            None => out.send(NodeId::CONTROL, beat),
        }
        if self.noted < epoch {
            let open = self.open();
            out.send(NodeId::CONTROL, Message::Entered { admission, epoch, open });
        }
        self.report_complete(out);
    }

    /// Often enough that two heartbeats may be lost before a lease runs out.
    fn heartbeat_interval(&self) -> Span {
        let layout = self.standing.layout().unwrap_or(self.config.first_layout());
        layout.view().membership_lease.fraction(4)
    }

    fn on_alive(
        &mut self,
        now: Time,
        incarnation: Incarnation,
        asked: Time,
        epoch: Epoch,
        settled: Epoch,
        out: &mut Outbox,
    ) {
        let Some(layout) = self.standing.layout().filter(|layout| layout.epoch() == epoch) else {
            return;
        };
        if incarnation == self.incarnation {
            let until = layout.membership_terms(&self.config).holder_until(asked);
            self.standing.extend_lease(epoch, until);
            self.standing.learn_up_to_date(asked); // or it would not have been given
        }
        self.standing.learn_settled(settled);
        self.on_settled(now, out);
    }

    fn on_views(
        &mut self,
        now: Time,
        views: &[View],
        settled: Epoch,
        lost: &[Lost],
        out: &mut Outbox,
    ) {
        let entered = self.standing.learn(&self.config, views, settled, lost);
        match entered {
            Some(record) => self.enter(now, record, out),
            None => self.proceed(now, out),
        }
        self.on_settled(now, out);
    }

    /// The transactions of the epochs that the node has left that are open at it.
    fn open(&self) -> Arc<[Open]> {
        self.coordinator.open().chain(self.participant.open(self.config.defects)).collect()
    }

    /// Goes on pulling, if anything is missing.
    fn proceed(&mut self, now: Time, out: &mut Outbox) {
        let (mut turn, handover) = self.moving(now, out);
        handover.proceed(&mut turn);
        self.on_moved(now, out);
    }

    /// Leaves the epoch: what is not promised is given up, what is promised stays.
    fn enter(&mut self, now: Time, record: Record, out: &mut Outbox) {
        match self.config.defects.has(Defect::EpochNotForced) {
            true => out.write_lazily(record),
            false => out.force(record),
        }
        let (coordinator, participant, mut turn) = self.machines(now, out);
        coordinator.on_leave(&mut turn);
        participant.on_leave(&mut turn);
        self.answer_waiting_reads(now, out);
        self.heartbeat(now, out);
        if self.config.defects.has(Defect::CopiesDroppedTooEarly) {
            let layout = self.standing.layout().zip(self.standing.member());
            let owned = layout.map(|(layout, member)| layout.owned_by(member)).unwrap_or_default();
            self.drop_all_but(&owned);
        }
        let (mut turn, handover) = self.moving(now, out);
        handover.on_enter(&mut turn);
        self.on_moved(now, out);
    }

    /// Something was pulled, or the node has only now learnt what it owns.
    fn on_moved(&mut self, now: Time, out: &mut Outbox) {
        if self.standing.layout().is_some() {
            self.report_complete(out);
        }
        self.on_released(now, out);
    }

    /// Tells the centre when everything owned is there, until the epoch has settled.
    fn report_complete(&mut self, out: &mut Outbox) {
        let (admission, epoch) = (self.standing.admission(), self.standing.epoch());
        let is_complete = self.standing.is_member() && self.standing.missing().is_empty();
        if is_complete && self.standing.settled() < epoch {
            out.send(NodeId::CONTROL, Message::Completed { admission, epoch });
        }
    }

    /// Everyone is complete in the node's epoch: what it had beyond that is needed no more.
    fn on_settled(&mut self, now: Time, out: &mut Outbox) {
        if let Some(record) = self.standing.give_up() {
            out.force(record.clone());
            if let Record::GaveUp { keeps, .. } = &record {
                self.drop_all_but(keeps);
            }
            self.on_released(now, out);
        }
        // What it has reported, others need not ask it for.
        let is_free = self.coordinator.is_idle()
            && !self.participant.is_in_doubt()
            && self.noted >= self.standing.epoch();
        if self.standing.is_out() && is_free {
            let (admission, epoch) = (self.standing.admission(), self.standing.epoch());
            out.send(NodeId::CONTROL, Message::Departed { admission, epoch });
        }
    }

    /// Drops every copy outside `keeps`, and the votes there.
    fn drop_all_but(&mut self, keeps: &Arcs) {
        let Node { config, owner, participant, .. } = self;
        let is_dropped = |path: &Path| !keeps.contains(config.position(path));
        participant.void(config, owner, is_dropped);
        owner.files.retain(|path, _| !is_dropped(path));
    }
}

/// Tells a client that the node is not ready, so that its next attempt goes to another at once.
fn turn_away(from: NodeId, message: &Message, out: &mut Outbox) {
    if let Message::Begin { request, attempt, .. } | Message::Read { request, attempt, .. } =
        *message
    {
        let end = AttemptEnd::Retry(Retry::NotReady);
        out.send(from, Message::Ended { request, attempt, end });
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

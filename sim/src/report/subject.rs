//! What a step is about: transactions, requests, paths with their locks, epochs, leases.

use std::collections::BTreeSet;

use seedbed::proto::{
    AcceptedLoss, Epoch, Keep, Message, NodeId, Notice, Operation, Path, Record, Request,
    RequestId, Timer, TxnId,
};

use crate::subject::Subject;
use crate::world::{Event, Fact, Step};

/// A set of subjects that is put together piece by piece.
#[derive(Debug, Default)]
pub(super) struct Subjects(pub BTreeSet<Subject>);

impl Subjects {
    /// What `step` is about, all in all.
    pub fn of_step(step: &Step) -> Subjects {
        let mut subjects = Subjects::of_event(step);
        step.durable.iter().for_each(|(_, _, record)| subjects.add_record(record));
        step.facts.iter().for_each(|fact| subjects.add_fact(fact));
        subjects
    }

    /// What the event of `step` is about.
    pub fn of_event(step: &Step) -> Subjects {
        let mut subjects = Subjects::default();
        if let Some(packet) = &step.packet {
            subjects.add_message(packet.from, packet.to, &packet.message);
        }
        if let Some(timer) = &step.timer {
            subjects.add_timer(timer);
        }
        if let Event::Request { request, .. } = &step.event {
            subjects.add_request(request);
        }
        subjects
    }

    /// What one fact is about.
    pub fn of_fact(fact: &Fact) -> Subjects {
        let mut subjects = Subjects::default();
        subjects.add_fact(fact);
        subjects
    }

    /// What one record is about.
    pub fn of_record(record: &Record) -> Subjects {
        let mut subjects = Subjects::default();
        subjects.add_record(record);
        subjects
    }

    /// Is one of them among `wanted`?
    pub fn meet(&self, wanted: &BTreeSet<Subject>) -> bool {
        !self.0.is_disjoint(wanted)
    }

    fn txn(&mut self, txn: TxnId) {
        self.0.insert(Subject::Txn(txn));
    }

    fn request(&mut self, request: RequestId) {
        self.0.insert(Subject::Request(request));
    }

    fn path(&mut self, path: &Path) {
        self.0.insert(Subject::Path(path.clone()));
    }

    fn epoch(&mut self, epoch: Epoch) {
        self.0.insert(Subject::Epoch(epoch));
    }

    fn lease(&mut self, node: NodeId) {
        self.0.insert(Subject::Lease(node));
    }

    fn paths<'a>(&mut self, operations: impl IntoIterator<Item = &'a Operation>) {
        operations.into_iter().for_each(|operation| self.path(&operation.path));
    }

    fn add_request(&mut self, request: &Request) {
        match request {
            Request::Files { operations, .. } => self.paths(operations.iter()),
            Request::Acquire { path, .. } | Request::Release { path } => self.path(path),
        }
    }

    fn add_fact(&mut self, fact: &Fact) {
        match fact {
            Fact::Requested { request } | Fact::Replied { request, .. } => self.request(*request),
            Fact::Sent { from, to, message, .. } => self.add_message(*from, *to, message),
            Fact::Appended { record, .. } => self.add_record(record),
            Fact::Noticed { notice: Notice::Holding { path, request, .. }, .. } => {
                self.path(path);
                self.request(*request);
            }
            Fact::Noticed { notice: Notice::Lost { path, .. }, .. } => self.path(path),
            Fact::Noticed { notice: Notice::View(view), .. } => self.epoch(view.epoch),
            Fact::Copied { .. } | Fact::SyncBegan { .. } | Fact::Durable { .. } => {}
            Fact::Checkpointed { .. } | Fact::Forgot { .. } | Fact::Started { .. } => {}
            Fact::RefusedToStart { .. } | Fact::Wiped { .. } => {}
        }
    }

    fn add_timer(&mut self, timer: &Timer) {
        match timer {
            Timer::Collect(txn) | Timer::Resend(txn) => self.txn(*txn),
            Timer::Ready(txn) | Timer::Inquire(txn) => self.txn(*txn),
            Timer::Lease(path) | Timer::KeepAlive(path) | Timer::LeaseEnd(path) => self.path(path),
            Timer::Start | Timer::Attempt(_) | Timer::GiveUp(_) => {}
            Timer::Members | Timer::Heartbeat | Timer::Pull => {}
        }
    }

    fn add_message(&mut self, from: NodeId, to: NodeId, message: &Message) {
        match message {
            Message::Begin { request, operations, .. } => {
                self.request(*request);
                self.paths(operations.iter());
            }
            Message::Ended { request, .. } => self.request(*request),
            Message::Fetch { txn, path, .. } | Message::Fetched { txn, path, .. } => {
                self.txn(*txn);
                self.path(path);
            }
            Message::Prepare { header, terms, paths, .. } => {
                self.txn(header.txn);
                self.request(terms.request);
                paths.iter().for_each(|path| self.path(path));
            }
            Message::Execute { header, work, .. } => {
                self.txn(header.txn);
                self.paths(work.iter().map(|(_, operation)| operation));
            }
            Message::Ready { txn, .. } | Message::Executed { txn, .. } => self.txn(*txn),
            Message::Commit { header, .. } | Message::Abort { header } => self.txn(header.txn),
            Message::Committed { txn } | Message::Inquire { txn, .. } => self.txn(*txn),
            Message::Told { txn, .. } => self.txn(*txn),
            Message::Recall { txn, .. } | Message::Recalled { txn, .. } => self.txn(*txn),
            Message::Read { request, path, .. }
            | Message::Acquire { request, path, .. }
            | Message::Release { request, path, .. }
            | Message::Granted { request, path, .. }
            | Message::LockRefused { request, path, .. }
            | Message::Released { request, path } => {
                self.request(*request);
                self.path(path);
            }
            Message::KeepAlive { path, keep, .. } | Message::NotKept { path, keep } => {
                self.path(path);
                match keep {
                    Keep::Waiting(request) => self.request(*request),
                    Keep::Holding(_) => {}
                }
            }
            Message::KeptAlive { path, .. } => self.path(path),
            Message::Entered { epoch, .. }
            | Message::Completed { epoch, .. }
            | Message::Departed { epoch, .. }
            | Message::Pull { epoch, .. } => self.epoch(*epoch),
            Message::Chunk { epoch, files, .. } => {
                self.epoch(*epoch);
                files.iter().for_each(|(path, _)| self.path(path));
            }
            Message::Views { views, .. } => {
                views.last().into_iter().for_each(|newest| self.epoch(newest.epoch));
            }
            Message::Heartbeat { .. } => self.lease(from),
            Message::Alive { .. } => self.lease(to),
            Message::Admit { .. } | Message::Admitted { .. } | Message::Watch { .. } => {}
        }
    }

    fn add_record(&mut self, record: &Record) {
        match record {
            Record::Voted { txn, request, paths, .. } => {
                self.txn(*txn);
                self.request(*request);
                paths.iter().for_each(|path| self.path(path));
            }
            Record::Decided { txn, request, changes, .. } => {
                self.txn(*txn);
                self.request(*request);
                changes.iter().for_each(|(path, _)| self.path(path));
            }
            Record::Applied { txn, request, .. } => {
                self.txn(*txn);
                self.request(*request);
            }
            Record::Promised { txn } | Record::RolledBack { txn } => self.txn(*txn),
            Record::Over { txn } | Record::Settled { txn, .. } => self.txn(*txn),
            Record::Declined { request, .. } | Record::Answered { request, .. } => {
                self.request(*request);
            }
            Record::Stored { path, .. } => self.path(path),
            Record::Queued { path, request }
            | Record::Granted { path, request, .. }
            | Record::Left { path, request } => {
                self.path(path);
                self.request(*request);
            }
            Record::Born { .. } | Record::Mark { .. } | Record::Forgotten { .. } => {}
            Record::Presumed { .. } => {}
            Record::LockOver { .. } | Record::LastToken { .. } => {}
            Record::Orphaned { txn } => self.txn(*txn),
            Record::Pulled { files, .. } => files.iter().for_each(|(path, _)| self.path(path)),
            Record::Announced { view } => self.epoch(view.epoch),
            Record::Entered { epoch, .. }
            | Record::Complete { epoch, .. }
            | Record::GaveUp { epoch, .. }
            | Record::Activated { epoch }
            | Record::Converged { epoch }
            | Record::LossAccepted { accepted: AcceptedLoss { epoch, .. } } => self.epoch(*epoch),
            Record::Admitted { .. } | Record::Wanted { .. } | Record::LongestLease { .. } => {}
        }
    }
}

/// Is it only about who is there? Such steps are many and tell little.
pub(super) fn is_background(step: &Step) -> bool {
    let is_answer = |fact: &Fact| match fact {
        Fact::Sent { message, .. } => asks_who_is_there(message),
        _ => true,
    };
    only_answers_a_heartbeat(step) && step.facts.iter().all(is_answer)
}

/// Is it a heartbeat, or the time for one, that makes nobody do more than answer?
pub(super) fn only_answers_a_heartbeat(step: &Step) -> bool {
    let of_event = match &step.event {
        Event::Deliver(_) | Event::Drop(..) | Event::Duplicate(_) => {
            step.packet.as_ref().is_some_and(|packet| asks_who_is_there(&packet.message))
        }
        Event::Wake(_) => matches!(step.timer, Some(Timer::Heartbeat | Timer::Members)),
        _ => false,
    };
    let says = |fact: &Fact| matches!(fact, Fact::Sent { .. } | Fact::Copied { .. });
    of_event && step.durable.is_empty() && step.facts.iter().all(says)
}

fn asks_who_is_there(message: &Message) -> bool {
    matches!(message, Message::Heartbeat { .. } | Message::Alive { .. } | Message::Watch { .. })
}

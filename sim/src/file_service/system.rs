//! What the testbed needs to know of the file service.

use seedbed::machine::NodeId;
use seedbed::proto::{
    Config, FileService, Message, MessageKind, Notice, Record, RecordKind, Request, Timer,
};

use std::sync::Arc;

use super::World;
use super::invariant::FileInvariant;
use super::milestone::{self, Milestone};
use super::oracle::{Invariant, Model, Probe, registry};
use super::subject_of::{Subject, Subjects};
use crate::name::Name;
use crate::scenario::Workload;
use crate::under_test::UnderTest;

impl Name for MessageKind {
    const ALL: &'static [MessageKind] = MessageKind::ALL;

    fn name(self) -> &'static str {
        MessageKind::name(self)
    }

    fn index(self) -> usize {
        self as usize
    }
}

impl Name for RecordKind {
    const ALL: &'static [RecordKind] = RecordKind::ALL;

    fn name(self) -> &'static str {
        RecordKind::name(self)
    }

    fn index(self) -> usize {
        self as usize
    }
}

impl UnderTest for FileService {
    type MessageKind = MessageKind;
    type RecordKind = RecordKind;
    type Milestone = milestone::Named;
    type Subject = Subject;
    type Invariant = FileInvariant;
    type Model = Model;
    type Workload = Workload;
    type Probe = Probe;

    fn message_kind(message: &Message) -> MessageKind {
        message.kind()
    }

    fn record_kind(record: &Record) -> RecordKind {
        record.kind()
    }

    fn is_logged(kind: RecordKind) -> bool {
        milestone::is_logged(kind)
    }

    fn follows(milestone: milestone::Named) -> Option<Milestone> {
        milestone.follows()
    }

    fn about_message(from: NodeId, to: NodeId, message: &Message, subjects: &mut Subjects) {
        subjects.add_message(from, to, message);
    }

    fn about_record(node: NodeId, record: &Record, subjects: &mut Subjects) {
        subjects.add_record(node, record);
    }

    fn about_request(request: &Request, subjects: &mut Subjects) {
        match request {
            Request::Files { operations, .. } => subjects.add_paths(operations.iter()),
            Request::Acquire { path, .. } | Request::Release { path } => subjects.add(path),
        }
    }

    fn about_timer(timer: &Timer, subjects: &mut Subjects) {
        match timer {
            Timer::Collect(txn) | Timer::Resend(txn) => subjects.add(*txn),
            Timer::Ready(txn) | Timer::Inquire(txn) => subjects.add(*txn),
            Timer::Lease(path) | Timer::KeepAlive(path) | Timer::LeaseEnd(path) => {
                subjects.add(path);
            }
            Timer::Start | Timer::Attempt(_) | Timer::GiveUp(_) => {}
            Timer::Members | Timer::Heartbeat | Timer::Pull => {}
        }
    }

    fn about_notice(notice: &Notice, subjects: &mut Subjects) {
        match notice {
            Notice::Holding { path, request, .. } => {
                subjects.add(path);
                subjects.add(*request);
            }
            Notice::Lost { path, .. } => subjects.add(path),
            Notice::View(view) => subjects.add(view.epoch),
        }
    }

    fn model(config: &Arc<Config>) -> Model {
        Model::new(config)
    }

    fn invariant(
        name: FileInvariant,
        world: &World,
        workload: Option<&Workload>,
    ) -> Option<Box<dyn Invariant<FileService>>> {
        registry::make(name, world, workload)
    }
}

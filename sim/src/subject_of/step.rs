//! What a step, its event and each of its facts are about.

use seedbed::proto::{Notice, Request, Timer};

use super::Subjects;
use crate::file_service::{Event, Fact, Step};

impl Subjects {
    /// What `step` is about.
    pub fn of_step(step: &Step) -> Subjects {
        let mut subjects = Subjects::of_event(step);
        step.durable.iter().for_each(|(node, _, record)| subjects.add_record(*node, record));
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
        subjects.add_event(&step.event);
        subjects
    }

    /// What one fact is about.
    pub fn of_fact(fact: &Fact) -> Subjects {
        let mut subjects = Subjects::default();
        subjects.add_fact(fact);
        subjects
    }

    /// The message, the timer and the facts say the rest.
    fn add_event(&mut self, event: &Event) {
        if let Some(node) = event.changes_machine() {
            self.add(node);
        }
        if let Event::Request { request, .. } = event {
            self.add_request(request);
        }
    }

    fn add_request(&mut self, request: &Request) {
        match request {
            Request::Files { operations, .. } => self.add_paths(operations.iter()),
            Request::Acquire { path, .. } | Request::Release { path } => self.add(path),
        }
    }

    fn add_timer(&mut self, timer: &Timer) {
        match timer {
            Timer::Collect(txn) | Timer::Resend(txn) => self.add(*txn),
            Timer::Ready(txn) | Timer::Inquire(txn) => self.add(*txn),
            Timer::Lease(path) | Timer::KeepAlive(path) | Timer::LeaseEnd(path) => self.add(path),
            Timer::Start | Timer::Attempt(_) | Timer::GiveUp(_) => {}
            Timer::Members | Timer::Heartbeat | Timer::Pull => {}
        }
    }

    fn add_fact(&mut self, fact: &Fact) {
        match fact {
            Fact::Requested { request } | Fact::Replied { request, .. } => self.add(*request),
            Fact::Sent { from, to, message, .. } => self.add_message(*from, *to, message),
            Fact::Appended { node, record, .. } => self.add_record(*node, record),
            Fact::Noticed { notice: Notice::Holding { path, request, .. }, .. } => {
                self.add(path);
                self.add(*request);
            }
            Fact::Noticed { notice: Notice::Lost { path, .. }, .. } => self.add(path),
            Fact::Noticed { notice: Notice::View(view), .. } => self.add(view.epoch),
            Fact::Checkpointed { node, .. }
            | Fact::Forgot { node, .. }
            | Fact::Started { node, .. }
            | Fact::RefusedToStart { node, .. }
            | Fact::ToldOfDisk { node, .. }
            | Fact::Wiped { node } => self.add(*node),
            Fact::Copied { .. } | Fact::SyncBegan { .. } | Fact::Durable { .. } => {}
        }
    }
}

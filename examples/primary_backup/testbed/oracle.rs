//! What is known from outside, and the three promises of the register.

use std::collections::BTreeMap;

use seedbed::machine::{NodeId, RequestId, Time};
use seedbed_sim::oracle::{self, At, Breach, Evidence, Moment, Seen, SeenKinds};
use seedbed_sim::world::World;

use super::about_view;
use super::names::{Invariant, MessageKind, RecordKind};
use crate::protocol::{Message, Record, Register, Reply, Request, State, View, first_view};

/// What has happened so far.
#[derive(Debug)]
pub struct Model {
    step: u64,
    /// The newest view that its primary has entered.
    newest: At<View>,
    /// What each replica has on disk.
    stored: BTreeMap<NodeId, State>,
    /// By replica and write, when the replica first took it, from a client or from a primary.
    taken: BTreeMap<(NodeId, RequestId), u64>,
    /// Of each client its last write that is done.
    done: BTreeMap<NodeId, At<RequestId>>,
    /// The newest version that a client was told, and in answer to what.
    told: Option<Told>,
    /// Of each request whether it is a write, and the newest version told before it.
    asked: BTreeMap<RequestId, (bool, Option<Told>)>,
}

/// A version that a client was told in answer to a request.
type Told = At<(u64, RequestId)>;

impl Default for Model {
    fn default() -> Model {
        let newest = At { step: 0, is: first_view() };
        let (step, told) = (0, None);
        let (stored, taken, done, asked) = Default::default();
        Model { step, newest, stored, taken, done, told, asked }
    }
}

impl oracle::Model<Register> for Model {
    fn on_step(&mut self, step: u64, _now: Time) {
        self.step = step;
    }

    fn update(&mut self, seen: &Seen<'_, Register>, _world: &World<Register>) {
        match *seen {
            Seen::Requested { request, wanted } => {
                let is_write = matches!(wanted, Request::Write(_));
                self.asked.insert(request, (is_write, self.told.clone()));
            }
            Seen::Appended { node, record: Record::State(state), .. } => {
                for request in state.written.values() {
                    self.taken.entry((node, *request)).or_insert(self.step);
                }
            }
            Seen::Durable { node, record: Record::State(state), .. } => {
                self.stored.insert(node, state.clone());
            }
            Seen::Durable { node, record: Record::View(view), .. }
                if view.primary == node && view.number > self.newest.is.number =>
            {
                self.newest = At { step: self.step, is: *view };
            }
            Seen::Replied { request, reply: Reply::Done { version, .. } } => {
                if self.is_write(request) {
                    self.done.insert(request.client, At { step: self.step, is: request });
                }
                if self.told.as_ref().is_none_or(|told| told.is.0 < *version) {
                    self.told = Some(At { step: self.step, is: (*version, request) });
                }
            }
            _ => {}
        }
    }
}

impl Model {
    fn is_write(&self, request: RequestId) -> bool {
        self.asked.get(&request).is_some_and(|(is_write, _)| *is_write)
    }

    /// The primary of the newest view has entered it.
    fn entered(&self) -> Evidence<Register> {
        let View { number, primary, .. } = self.newest.is;
        Evidence::at(
            self.newest.step,
            format!("{primary} has entered view {number} as its primary"),
        )
        .about(about_view(&self.newest.is))
    }

    /// Fails if `node` answers a write that it first took when it was deposed.
    fn is_answered_in_time(&self, node: NodeId, request: RequestId) -> Judged {
        let taken = self.taken.get(&(node, request)).copied().unwrap_or_default();
        if node == self.newest.is.primary || taken <= self.newest.step {
            return Ok(());
        }
        let now = format!("{node} answers {request}, which it took in step {taken}");
        Err(Breach::of(self.entered(), Evidence::at(self.step, now).about(request)))
    }

    /// Fails if the primary of the newest view lacks the last write of `client` that is done.
    fn is_stored(&self, client: NodeId) -> Judged {
        let (Some(done), primary) = (self.done.get(&client), self.newest.is.primary) else {
            return Ok(());
        };
        let last = self.stored.get(&primary).and_then(|state| state.written.get(&client));
        if last >= Some(&done.is) {
            return Ok(());
        }
        let told = Evidence::at(done.step, format!("{client} was told that {} is done", done.is));
        let lost = self.entered().reworded(|entered| format!("{entered} without {}", done.is));
        let lost = Evidence { step: self.step, ..lost };
        Err(Breach::of(told.about(done.is), lost.about(done.is)))
    }

    /// Fails if `request` was answered with a version older than one told before it was asked.
    fn is_fresh(&self, request: RequestId, version: u64) -> Judged {
        let Some((_, Some(told))) = self.asked.get(&request) else { return Ok(()) };
        let (newest, earlier) = told.is;
        if version >= newest {
            return Ok(());
        }
        let earlier = Evidence::at(told.step, format!("{earlier} was answered with v{newest}"))
            .about(earlier);
        let now = format!("{request}, asked later, is answered with v{version}");
        Err(Breach::of(earlier, Evidence::at(self.step, now).about(request)))
    }
}

type Judged = Result<(), Breach<Register>>;

impl oracle::Invariant<Register> for Invariant {
    fn interest(&self) -> SeenKinds {
        match self {
            Invariant::OnePrimaryAnswersWrites => SeenKinds::sent(&[MessageKind::Answer]),
            Invariant::AcknowledgedWritesSurvive => {
                SeenKinds::durable(&[RecordKind::View]) | SeenKinds::REPLIED
            }
            Invariant::AnswersAreNotStale => SeenKinds::REPLIED,
        }
    }

    fn see(&mut self, seen: &Seen<'_, Register>, moment: &Moment<'_, Register>) -> Judged {
        let model = moment.model;
        match (self, *seen) {
            (Invariant::OnePrimaryAnswersWrites, Seen::Sent { from, message, .. }) => match message
            {
                Message::Answer { request, reply: Reply::Done { .. } }
                    if model.is_write(*request) =>
                {
                    model.is_answered_in_time(from, *request)
                }
                _ => Ok(()),
            },
            (Invariant::AcknowledgedWritesSurvive, Seen::Replied { request, .. }) => {
                model.is_stored(request.client)
            }
            (Invariant::AcknowledgedWritesSurvive, _) => {
                model.done.keys().try_for_each(|client| model.is_stored(*client))
            }
            (
                Invariant::AnswersAreNotStale,
                Seen::Replied { request, reply: Reply::Done { version, .. } },
            ) => model.is_fresh(request, *version),
            _ => Ok(()),
        }
    }
}

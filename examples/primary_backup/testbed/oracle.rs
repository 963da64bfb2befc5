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
    /// Of each request what it writes, if it does, and the newest version told before it.
    asked: BTreeMap<RequestId, (Option<String>, Option<Told>)>,
    /// By version the value that a client was told, and in answer to what.
    values: BTreeMap<u64, At<(String, RequestId)>>,
}

/// A version that a client was told in answer to a request.
type Told = At<(u64, RequestId)>;

impl Default for Model {
    fn default() -> Model {
        let newest = At { step: 0, is: first_view() };
        let (step, told) = (0, None);
        let (stored, taken, done, asked, values) = Default::default();
        Model { step, newest, stored, taken, done, told, asked, values }
    }
}

impl oracle::Model<Register> for Model {
    fn on_step(&mut self, step: u64, _now: Time) {
        self.step = step;
    }

    fn update(&mut self, seen: &Seen<'_, Register>, _world: &World<Register>) {
        match *seen {
            Seen::Requested { request, wanted } => {
                let written = match wanted {
                    Request::Write(value) => Some(value.clone()),
                    Request::Read => None,
                };
                self.asked.insert(request, (written, self.told.clone()));
            }
            Seen::Appended { node, record: Record::State(state), .. } => {
                for (request, _) in state.written.values() {
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
            Seen::Replied { request, reply: Reply::Done { version, value } } => {
                let told = At { step: self.step, is: (value.clone(), request) };
                self.values.entry(*version).or_insert(told);
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
        self.asked.get(&request).is_some_and(|(written, _)| written.is_some())
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
    fn must_be_taken_in_time(&self, node: NodeId, request: RequestId) -> Judged {
        let taken = self.taken.get(&(node, request)).copied().unwrap_or_default();
        if node == self.newest.is.primary || taken <= self.newest.step {
            return Ok(());
        }
        let now = format!("{node} answers {request}, which it took in step {taken}");
        Err(Breach::of(self.entered(), Evidence::at(self.step, now).about(request)))
    }

    /// Fails if the primary of the newest view lacks the last write of `client` that is done.
    fn must_be_stored(&self, client: NodeId) -> Judged {
        let (Some(done), primary) = (self.done.get(&client), self.newest.is.primary) else {
            return Ok(());
        };
        let last = self.stored.get(&primary).and_then(|state| state.written.get(&client));
        if last.map(|(request, _)| request) >= Some(&done.is) {
            return Ok(());
        }
        let told = Evidence::at(done.step, format!("{client} was told that {} is done", done.is));
        let lost = format!("{primary}, the primary of view {}, lacks it", self.newest.is.number);
        let lost = Evidence::at(self.step, lost).about(about_view(&self.newest.is));
        Err(Breach::of(told.about(done.is), lost.about(done.is)))
    }

    /// Fails if the answer to `request` does not fit those that were given before: its version is
    /// older than one told before the request was asked, or was told with another value.
    fn must_fit(&self, request: RequestId, version: u64, value: &str) -> Judged {
        let now = format!("{request} is answered with v{version} {value:?}");
        let now = Evidence::at(self.step, now).about(request);
        let Some((written, told)) = self.asked.get(&request) else { return Ok(()) };
        if let Some(written) = written.as_ref().filter(|written| *written != value) {
            let earlier = format!("{request} asks to write {written:?}");
            return Err(Breach::of(Evidence::at(0, earlier).about(request), now));
        }
        if let Some(At { step, is: (newest, of) }) = told {
            // A write makes a version of its own.
            if version < *newest || (written.is_some() && version == *newest) {
                let earlier = format!("{of}, answered before it was asked, was told v{newest}");
                return Err(Breach::of(Evidence::at(*step, earlier).about(*of), now));
            }
        }
        match self.values.get(&version) {
            Some(At { step, is: (first, of) }) if first != value => {
                let earlier = format!("{of} was told v{version} {first:?}");
                Err(Breach::of(Evidence::at(*step, earlier).about(*of), now))
            }
            _ => Ok(()),
        }
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
            Invariant::AnswersFitOneRegister => SeenKinds::REPLIED,
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
                    model.must_be_taken_in_time(from, *request)
                }
                _ => Ok(()),
            },
            (Invariant::AcknowledgedWritesSurvive, Seen::Replied { request, .. }) => {
                model.must_be_stored(request.client)
            }
            (Invariant::AcknowledgedWritesSurvive, _) => {
                model.done.keys().try_for_each(|client| model.must_be_stored(*client))
            }
            (
                Invariant::AnswersFitOneRegister,
                Seen::Replied { request, reply: Reply::Done { version, value } },
            ) => model.must_fit(request, *version, value),
            _ => Ok(()),
        }
    }
}

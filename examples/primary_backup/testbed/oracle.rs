//! What is known from outside, and the three promises of the register.

use std::collections::BTreeMap;

use seedbed::machine::{NodeId, RequestId, Time};
use seedbed_sim::oracle::{self, At, Breach, Evidence, Moment, Seen, SeenKinds};
use seedbed_sim::world::World;

use super::about_view;
use super::names::{Invariant, MessageKind, RecordKind};
use crate::protocol::{Message, Record, Register, Reply, Request, State, View};

/// What has happened so far.
#[derive(Debug, Default)]
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
    /// By version the value that a client was told first, and in answer to what.
    told: BTreeMap<u64, At<(String, RequestId)>>,
    asked: BTreeMap<RequestId, At<Asked>>,
}

/// What a user asks.
#[derive(Clone, Debug, Default)]
struct Asked {
    /// The value to write; none of a read.
    written: Option<String>,
    /// The newest version that was told before.
    newest: Option<u64>,
}

impl oracle::Model<Register> for Model {
    fn on_step(&mut self, step: u64, _now: Time) {
        self.step = step;
    }

    fn update(&mut self, seen: &Seen<'_, Register>, _world: &World<Register>) {
        match *seen {
            Seen::Requested { request, wanted } => {
                let newest = self.told.last_key_value().map(|(version, _)| *version);
                let written = match wanted {
                    Request::Write(value) => Some(value.clone()),
                    Request::Read => None,
                };
                self.asked.insert(request, At { step: self.step, is: Asked { written, newest } });
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
                self.told.entry(*version).or_insert(told);
                if self.is_write(request) {
                    self.done.insert(request.client, At { step: self.step, is: request });
                }
            }
            _ => {}
        }
    }
}

impl Model {
    fn is_write(&self, request: RequestId) -> bool {
        self.asked.get(&request).is_some_and(|asked| asked.is.written.is_some())
    }

    /// The primary of the newest view has entered it.
    fn entered(&self) -> Evidence<Register> {
        let At { step, is: View { number, primary, .. } } = self.newest;
        let entered = format!("{primary} has entered view {number} as its primary");
        Evidence::at(step, entered).about(about_view(&self.newest.is))
    }

    /// Fails if `node` answers a write that it first took when it was deposed.
    fn must_be_taken_in_time(&self, node: NodeId, answer: &Message) -> Judged {
        let &Message::Answer { request, reply: Reply::Done { .. } } = answer else { return Ok(()) };
        let taken = self.taken.get(&(node, request)).copied().unwrap_or_default();
        let is_primary = node == self.newest.is.primary;
        if is_primary || taken <= self.newest.step || !self.is_write(request) {
            return Ok(());
        }
        let now = format!("{node} answers {request}, which it took in step {taken}");
        Err(Breach::of(self.entered(), Evidence::at(self.step, now).about(request)))
    }

    /// Fails if the primary of the newest view lacks the last write of `client` that is done.
    fn must_be_stored(&self, client: NodeId) -> Judged {
        let Some(done) = self.done.get(&client) else { return Ok(()) };
        let View { number, primary, .. } = self.newest.is;
        let last = self.stored.get(&primary).and_then(|state| state.written.get(&client));
        if last.is_some_and(|(request, _)| *request >= done.is) {
            return Ok(());
        }
        let told = Evidence::at(done.step, format!("{client} was told that {} is done", done.is));
        let lost = format!("{primary}, the primary of view {number}, lacks it");
        let lost = Evidence::at(self.step, lost).about(about_view(&self.newest.is));
        Err(Breach::of(told.about(done.is), lost.about(done.is)))
    }

    /// Fails if the answer to `request` is not what it writes, or does not fit those that were
    /// given before: a newer version was told before the request was asked, or this one was told
    /// with another value.
    fn must_fit(&self, request: RequestId, version: u64, value: &str) -> Judged {
        let Some(At { step: asked, is: Asked { written, newest } }) = self.asked.get(&request)
        else {
            return Ok(());
        };
        let now = format!("{request} is answered with v{version} {value:?}");
        let now = Evidence::at(self.step, now).about(request);
        if let Some(written) = written.as_ref().filter(|written| *written != value) {
            let wanted = format!("{request} asks to write {written:?}");
            return Err(Breach::of(Evidence::at(*asked, wanted).about(request), now));
        }
        // A write makes a version of its own.
        let is_old = |newest: &u64| version < *newest || (written.is_some() && version == *newest);
        let (told, because) = match newest.filter(is_old) {
            Some(newest) => (newest, ", answered before it was asked,"),
            None if self.told[&version].is.0 != value => (version, ""),
            None => return Ok(()),
        };
        let At { step, is: (first, of) } = &self.told[&told];
        let earlier = format!("{of}{because} was told v{told} {first:?}");
        Err(Breach::of(Evidence::at(*step, earlier).about(*of), now))
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
        // Only replies are in the interest of two.
        match *seen {
            Seen::Sent { from, message, .. } => model.must_be_taken_in_time(from, message),
            Seen::Durable { .. } => {
                model.done.keys().try_for_each(|client| model.must_be_stored(*client))
            }
            Seen::Replied { request, .. } if *self == Invariant::AcknowledgedWritesSurvive => {
                model.must_be_stored(request.client)
            }
            Seen::Replied { request, reply: Reply::Done { version, value } } => {
                model.must_fit(request, *version, value)
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
#[allow(unused_imports)] // the harness of the scenarios runs no unit tests
mod tests {
    use seedbed::machine::Incarnation;

    use super::*;

    #[test]
    fn a_write_is_answered_with_its_own_value() {
        let (client, incarnation) = (NodeId::client(1), Incarnation(1));
        let request = RequestId { client, incarnation, number: 1 };
        let mut model = Model::default();
        let asked = Asked { written: Some("mine".to_owned()), newest: None };
        model.asked.insert(request, At { step: 1, is: asked });
        model.told.insert(3, At { step: 2, is: ("another".to_owned(), request) });
        model.told.insert(4, At { step: 2, is: ("mine".to_owned(), request) });
        assert!(model.must_fit(request, 3, "another").is_err());
        assert!(model.must_fit(request, 4, "mine").is_ok());
    }
}

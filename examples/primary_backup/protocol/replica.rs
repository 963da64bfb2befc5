//! A replica: primary, backup, or neither, as the newest view says that it has heard of.

use std::sync::Arc;

use seedbed::machine::{Boot, Input, NodeId, Outbox, RequestId, Time, Timers};

use super::{
    Config, HEARTBEAT, Message, Record, Register, Reply, Request, Round, State, Timer, View,
};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Replica {
    config: Arc<Config>,
    id: NodeId,
    pub view: View,
    state: State,
    /// The last round that this replica has begun as a primary.
    round: Round,
    /// Has the backup of this view confirmed it?
    is_confirmed: bool,
    /// Answers, each with the round that the backup must confirm first.
    waiting: Vec<(Round, RequestId, Reply)>,
    pub(super) timers: Timers<Timer>,
}

impl Replica {
    pub fn recover(config: &Arc<Config>, boot: Boot<'_, Register>) -> Replica {
        let (mut view, mut state) = (View::default(), State::default());
        for record in boot.log {
            match record {
                Record::View(entered) => view = *entered,
                Record::State(stored) => state = stored.clone(),
            }
        }
        let mut timers = Timers::default();
        timers.set(Timer::Heartbeat, boot.now);
        let (config, round) = (config.clone(), Round(boot.incarnation, 0));
        let (id, is_confirmed, waiting) = (boot.id, false, Vec::new());
        Replica { config, id, view, state, round, is_confirmed, waiting, timers }
    }

    pub fn step(&mut self, now: Time, input: Input<'_, Register>, out: &mut Outbox<Register>) {
        match input {
            Input::Message(_, Message::View(view)) if view.number > self.view.number => {
                self.enter(*view, out);
            }
            Input::Message(_, Message::Ask { request, wanted }) if self.is_primary() => {
                self.on_ask(*request, wanted, out);
            }
            Input::Message(from, Message::Copy { view, round, state })
                if *view == self.view.number =>
            {
                self.take_over(state, out);
                out.send(from, Message::Copied { view: *view, round: *round });
            }
            Input::Message(_, Message::Copied { view, round }) if *view == self.view.number => {
                self.is_confirmed |= *round == self.round;
                self.answer_up_to(*round, out);
            }
            Input::Wake(_) => self.heartbeat(now, out),
            _ => {}
        }
    }

    pub fn is_primary(&self) -> bool {
        self.view.primary == self.id
    }

    fn enter(&mut self, view: View, out: &mut Outbox<Register>) {
        self.view = view;
        out.force(Record::View(view));
        if self.is_primary() {
            self.replicate(out);
        } else {
            self.waiting.clear(); // another replica answers now
        }
    }

    fn on_ask(&mut self, request: RequestId, wanted: &Request, out: &mut Outbox<Register>) {
        let State { version, value, .. } = self.state.clone();
        let reply = match wanted {
            Request::Read => Reply::Done { version, value },
            Request::Write(value) => match self.state.written.get(&request.client) {
                Some((last, _)) if *last > request => return, // a late copy of an old request
                Some((last, version)) if *last == request => {
                    Reply::Done { version: *version, value: value.clone() }
                }
                _ => self.write(request, value, out),
            },
        };
        self.round.1 += 1;
        match wanted {
            Request::Read if self.config.reads_alone => answer(request, reply, out),
            Request::Write(_) if self.config.answers_before_copied => answer(request, reply, out),
            _ => self.waiting.push((self.round, request, reply)),
        }
        self.replicate(out);
    }

    fn write(&mut self, request: RequestId, value: &str, out: &mut Outbox<Register>) -> Reply {
        let version = self.state.version + 1;
        self.state.written.insert(request.client, (request, version));
        (self.state.version, self.state.value) = (version, value.to_owned());
        self.store(out);
        Reply::Done { version, value: value.to_owned() }
    }

    /// A backup takes the primary's state in place of its own. Within a view the versions of its
    /// primary only grow, so a late copy changes nothing.
    fn take_over(&mut self, state: &State, out: &mut Outbox<Register>) {
        if self.state.view < self.view.number || self.state.version < state.version {
            self.state = state.clone();
            self.store(out);
        }
    }

    fn store(&mut self, out: &mut Outbox<Register>) {
        self.state.view = self.view.number;
        out.force(Record::State(self.state.clone()));
    }

    /// A primary asks its backup to confirm the last round; alone, it answers at once.
    fn replicate(&mut self, out: &mut Outbox<Register>) {
        self.is_confirmed = false;
        let Some(backup) = self.view.backup else { return self.answer_up_to(self.round, out) };
        let (view, round, state) = (self.view.number, self.round, self.state.clone());
        out.send(backup, Message::Copy { view, round, state });
    }

    fn answer_up_to(&mut self, round: Round, out: &mut Outbox<Register>) {
        for (_, request, reply) in self.waiting.extract_if(.., |(needed, ..)| *needed <= round) {
            answer(request, reply, out);
        }
    }

    fn heartbeat(&mut self, now: Time, out: &mut Outbox<Register>) {
        self.timers.set(Timer::Heartbeat, now + HEARTBEAT);
        out.send(NodeId::CONTROL, Message::Ping { state_of: self.state.view });
        if self.is_primary() && !self.is_confirmed {
            self.replicate(out); // the copy, or its confirmation, may be lost
            if self.config.goes_on_alone {
                self.answer_up_to(self.round, out);
            }
        }
    }
}

fn answer(request: RequestId, reply: Reply, out: &mut Outbox<Register>) {
    out.send(request.client, Message::Answer { request, reply });
}

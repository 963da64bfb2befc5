//! A client: asks for one thing at a time, of one replica and then of the other.

use std::sync::Arc;

use seedbed::machine::{Input, NodeId, Outbox, RequestId, Time, Timers};

use super::{Config, Message, Register, Reply, Request, Timer, View, other};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Client {
    config: Arc<Config>,
    asked: NodeId,
    /// Only one, so that a replica knows an old copy of a request by its number.
    current: Option<(RequestId, Request)>,
    pub(super) timers: Timers<Timer>,
}

impl Client {
    pub fn new(config: &Arc<Config>) -> Client {
        let (asked, timers) = (View::default().primary, Timers::default());
        Client { config: config.clone(), asked, current: None, timers }
    }

    pub fn step(&mut self, now: Time, input: Input<'_, Register>, out: &mut Outbox<Register>) {
        match input {
            Input::Request(request, _) if self.current.is_some() => out.reply(request, Reply::Busy),
            Input::Request(request, wanted) => {
                self.current = Some((request, wanted.clone()));
                self.timers.set(Timer::GiveUp, now + self.config.request_timeout);
                self.ask(now, out);
            }
            Input::Message(_, Message::Answer { request, reply }) if self.awaits(*request) => {
                self.end(reply.clone(), out);
            }
            Input::Wake(Timer::GiveUp) => self.end(Reply::Unknown, out),
            Input::Wake(_) => {
                self.asked = other(self.asked);
                self.ask(now, out);
            }
            _ => {}
        }
    }

    fn awaits(&self, request: RequestId) -> bool {
        self.current.as_ref().is_some_and(|(current, _)| *current == request)
    }

    fn ask(&mut self, now: Time, out: &mut Outbox<Register>) {
        if let Some((request, wanted)) = self.current.clone() {
            self.timers.set(Timer::Retry, now + self.config.retry);
            out.send(self.asked, Message::Ask { request, wanted });
        }
    }

    fn end(&mut self, reply: Reply, out: &mut Outbox<Register>) {
        self.timers = Timers::default();
        if let Some((request, _)) = self.current.take() {
            out.reply(request, reply);
        }
    }
}

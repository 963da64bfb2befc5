//! The lock server against a model of ten lines: a line, a holder, and which clients are alive.

use std::collections::BTreeSet;

use proptest::prelude::*;
use seedbed::machine::{Incarnation, NodeId, RequestId, Time};
use seedbed::proto::control::Control;
use seedbed::proto::{
    Config, Effect, Input, Keep, LockAnswer, LockRequest, Message, Outbox, Path, Record, Settings,
    Token,
};

#[derive(Clone, Debug)]
enum Act {
    /// A client that wants nothing yet wants the lock.
    Acquire { client: u16, wait: bool },
    /// A client that holds it gives it back, or a client sends a release with an old token.
    Release { client: u16, stale: bool },
    /// A client that waits keeps its place alive.
    Heard { client: u16 },
    /// The server crashes, with everything durable, and starts again.
    Restart,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        5 => (1..5u16, prop::bool::weighted(0.8))
            .prop_map(|(client, wait)| Act::Acquire { client, wait }),
        4 => (1..5u16, prop::bool::weighted(0.2))
            .prop_map(|(client, stale)| Act::Release { client, stale }),
        3 => (1..5u16).prop_map(|client| Act::Heard { client }),
        1 => Just(Act::Restart),
    ];
    prop::collection::vec(act, 1..80)
}

/// What the lock server should be: no leases run out, because no time passes.
#[derive(Default)]
struct Model {
    holder: Option<(RequestId, Token)>,
    line: Vec<RequestId>,
    live: BTreeSet<RequestId>,
    last: Token,
}

impl Model {
    fn settle(&mut self) -> Option<(RequestId, Token)> {
        let first = self.line.iter().position(|request| self.live.contains(request))?;
        if self.holder.is_some() {
            return None;
        }
        self.last = self.last.next();
        self.holder = Some((self.line.remove(first), self.last));
        self.holder
    }

    fn request_of(&self, client: NodeId) -> Option<RequestId> {
        let holder = self.holder.iter().map(|(request, _)| *request);
        self.line.iter().copied().chain(holder).find(|request| request.client == client)
    }
}

/// The lock server, whose disk is as fast as it is.
struct Server {
    config: std::sync::Arc<Config>,
    control: Control,
    log: Vec<Record>,
}

impl Server {
    fn start(log: Vec<Record>) -> Server {
        Server::of(Settings::default(), log)
    }

    fn of(settings: Settings, log: Vec<Record>) -> Server {
        let config = Config::new(settings).unwrap();
        Server { control: Control::recover(config.clone(), Time::ZERO, &log), config, log }
    }

    /// The messages that one message leads to.
    fn step(&mut self, from: NodeId, message: Message) -> Vec<Message> {
        self.step_at(Time::ZERO, from, message)
    }

    /// The messages that one message leads to that arrives then.
    fn step_at(&mut self, now: Time, from: NodeId, message: Message) -> Vec<Message> {
        let mut out = Outbox::new(self.log.len() as u64);
        self.control.step(now, Input::Message(from, &message), &mut out);
        while let Some(append) = out.take_record() {
            self.log.push(append.record);
        }
        let effects = std::iter::from_fn(|| out.pop(self.log.len() as u64));
        let sent = effects.map(|effect| match effect {
            Effect::Send(_, message) => (*message).clone(),
            Effect::Checkpoint(_) | Effect::Reply(..) | Effect::Notice(_) => {
                panic!("a lock server that is not due for a checkpoint only sends")
            }
        });
        sent.collect()
    }

    fn restart(&mut self) {
        self.control = Control::recover(self.config.clone(), Time::ZERO, &self.log);
    }
}

proptest! {
    #[test]
    fn grants_are_those_of_the_model(acts in acts()) {
        let path = Path::new("/a").unwrap();
        let (mut server, mut model, mut number) = (Server::start(Vec::new()), Model::default(), 0);
        for act in acts {
            let mut refused = false;
            let sent = match act {
                Act::Acquire { client, wait } => {
                    let client = NodeId::client(client);
                    if model.request_of(client).is_some() {
                        continue;
                    }
                    number += 1;
                    let request = RequestId { client, incarnation: Incarnation(1), number };
                    let someone_lives = model.line.iter().any(|other| model.live.contains(other));
                    refused = !wait && (model.holder.is_some() || someone_lives);
                    if !refused {
                        model.line.push(request);
                        model.live.insert(request);
                    }
                    let (path, lowest, asked) = (path.clone(), 0, Time::ZERO);
                    server.step(client, Message::LockRequest(LockRequest::Acquire { request, lowest, path, wait, asked }))
                }
                Act::Release { client, stale } => {
                    let client = NodeId::client(client);
                    let held = model.holder.filter(|(request, _)| request.client == client);
                    let token = match held {
                        Some((_, token)) if !stale => {
                            model.holder = None;
                            token
                        }
                        _ => Token(model.last.0.saturating_sub(1)),
                    };
                    number += 1;
                    let request = RequestId { client, incarnation: Incarnation(1), number };
                    server.step(client, Message::LockRequest(LockRequest::Release { request, path: path.clone(), token }))
                }
                Act::Heard { client } => {
                    let client = NodeId::client(client);
                    let waiting = model.line.iter().find(|request| request.client == client);
                    let Some(&request) = waiting else { continue };
                    model.live.insert(request);
                    let (path, keep, asked) = (path.clone(), Keep::Waiting(request), Time::ZERO);
                    server.step(client, Message::LockRequest(LockRequest::KeepAlive { path, keep, asked }))
                }
                Act::Restart => {
                    server.restart();
                    model.live.clear();
                    continue;
                }
            };
            let granted = sent.iter().find_map(|message| match message {
                Message::LockAnswer(LockAnswer::Granted { request, token, .. }) => Some((*request, *token)),
                _ => None,
            });
            prop_assert_eq!(granted, model.settle());
            let was_refused = sent.iter().any(|m| matches!(m, Message::LockAnswer(LockAnswer::LockRefused { .. })));
            prop_assert_eq!(was_refused, refused);
        }
    }
}

/// The timer of a lock server that was paused comes late: what arrives before it must not be
/// refused because of a waiter that is gone.
#[test]
fn a_waiter_that_was_not_heard_for_a_lease_fills_no_line() {
    let refused_at = |ms: u64| {
        let mut settings = Settings::default();
        settings.limits.queue = 1;
        let (mut server, now) =
            (Server::of(settings, Vec::new()), Time::from_nanos(ms * 1_000_000));
        let mut acquire = |at, client| {
            let (client, path) = (NodeId::client(client), Path::new("/a").unwrap());
            let request = RequestId { client, incarnation: Incarnation(1), number: 1 };
            let (lowest, wait, asked) = (1, true, Time::ZERO);
            server.step_at(
                at,
                client,
                Message::LockRequest(LockRequest::Acquire { request, lowest, path, wait, asked }),
            )
        };
        acquire(Time::ZERO, 1); // holds it
        acquire(Time::ZERO, 2); // stands in line
        acquire(now, 3)
            .iter()
            .any(|message| matches!(message, Message::LockAnswer(LockAnswer::LockRefused { .. })))
    };
    assert!(refused_at(10_005));
    assert!(!refused_at(10_006));
}

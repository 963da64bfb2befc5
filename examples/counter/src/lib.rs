//! A counter on one server. A client retries until it is answered, so the server must count each
//! request once, however often it arrives.
//!
//! | message | from, to | says |
//! |---|---|---|
//! | `Add` | client, server | add this much |
//! | `Added` | server, client | done; the total after it, or after a later request |

pub mod testbed;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use seedbed::machine::{
    Boot, Class, Input, Machine, Never, NodeId, Outbox, RequestId, Span, System, Time, Timers,
};
use serde::{Deserialize, Serialize};

/// The protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Counter;

/// Settings that all machines share.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    /// After which a client asks again.
    pub retry: Span,
    /// After which a client answers that it does not know.
    pub request_timeout: Span,
    /// A mistake: the server counts a request as often as it arrives.
    pub counts_copies: bool,
    /// A mistake: the server answers before its record is durable.
    pub answers_early: bool,
}

/// What machines say to each other.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Message {
    Add { request: RequestId, by: u64 },
    Added { request: RequestId, total: u64 },
}

/// What survives a crash of the server.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Record {
    Counted { request: RequestId, by: u64 },
}

/// What a user asks a client for: add this much.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Add(pub u64);

/// What a client answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Reply {
    Done {
        total: u64,
    },
    /// No answer came in time. The request may have been counted, or may be later.
    Unknown,
}

impl System for Counter {
    type Config = Config;
    type Message = Message;
    type Record = Record;
    type Request = Add;
    type Reply = Reply;
    type Notice = Never;
    type Command = Never;
    type Timer = Timer;
    type Machine = Process;

    fn recover(config: &Arc<Config>, boot: Boot<'_, Counter>) -> Process {
        match boot.id.class() {
            Class::Client => Process::Client(Client::new(config)),
            Class::Node | Class::Control => Process::Server(Server::recover(config, boot)),
        }
    }
}

/// Any machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Process {
    Server(Server),
    Client(Client),
}

impl Machine<Counter> for Process {
    fn step(&mut self, now: Time, input: Input<'_, Counter>, out: &mut Outbox<Counter>) {
        match self {
            Process::Server(server) => server.step(input, out),
            Process::Client(client) => client.step(now, input, out),
        }
    }

    fn next_deadline(&self) -> Option<(Time, &Timer)> {
        match self {
            Process::Server(_) => None,
            Process::Client(client) => client.timers.next(),
        }
    }
}

/// The server, `n1`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Server {
    config: Arc<Config>,
    total: u64,
    counted: BTreeSet<RequestId>,
}

impl Server {
    fn recover(config: &Arc<Config>, boot: Boot<'_, Counter>) -> Server {
        let mut server = Server { config: config.clone(), total: 0, counted: BTreeSet::new() };
        boot.log.iter().for_each(|record| server.apply(record));
        server
    }

    fn apply(&mut self, record: &Record) {
        let Record::Counted { request, by } = record;
        self.total += by;
        self.counted.insert(*request);
    }

    fn step(&mut self, input: Input<'_, Counter>, out: &mut Outbox<Counter>) {
        let Input::Message(from, Message::Add { request, by }) = input else { return };
        if self.config.counts_copies || !self.counted.contains(request) {
            let record = Record::Counted { request: *request, by: *by };
            self.apply(&record);
            out.force(record);
        }
        let answer = Message::Added { request: *request, total: self.total };
        match self.config.answers_early {
            true => out.send_now(from, answer),
            false => out.send(from, answer), // it waits until the record is durable
        }
    }
}

/// A client.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Client {
    config: Arc<Config>,
    open: BTreeMap<RequestId, u64>,
    timers: Timers<Timer>,
}

/// What a client is woken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    Retry(RequestId),
    GiveUp(RequestId),
}

impl Client {
    fn new(config: &Arc<Config>) -> Client {
        Client { config: config.clone(), open: BTreeMap::new(), timers: Timers::default() }
    }

    fn step(&mut self, now: Time, input: Input<'_, Counter>, out: &mut Outbox<Counter>) {
        match input {
            Input::Request(request, Add(by)) => {
                self.open.insert(request, *by);
                self.timers.set(Timer::GiveUp(request), now + self.config.request_timeout);
                self.ask(now, request, out);
            }
            Input::Wake(Timer::Retry(request)) => self.ask(now, request, out),
            Input::Wake(Timer::GiveUp(request)) => self.end(request, Reply::Unknown, out),
            Input::Message(_, Message::Added { request, total }) => {
                self.end(*request, Reply::Done { total: *total }, out);
            }
            Input::Message(..) | Input::Command(_) | Input::DiskFull(_) => {}
        }
    }

    fn ask(&mut self, now: Time, request: RequestId, out: &mut Outbox<Counter>) {
        self.timers.set(Timer::Retry(request), now + self.config.retry);
        out.send(NodeId::node(1), Message::Add { request, by: self.open[&request] });
    }

    fn end(&mut self, request: RequestId, reply: Reply, out: &mut Outbox<Counter>) {
        self.timers.cancel(&Timer::Retry(request));
        self.timers.cancel(&Timer::GiveUp(request));
        // The answer to a second copy of the request finds nothing to end.
        if self.open.remove(&request).is_some() {
            out.reply(request, reply);
        }
    }
}

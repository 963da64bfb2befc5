//! Hand-made sequences of what an invariant sees, for its tests.

use std::collections::VecDeque;

use seedbed::proto::{
    Config, Incarnation, Keep, Message, NodeId, Notice, Path, Record, Reply, Request, RequestId,
    Settings, Time, Token,
};

use crate::oracle::{Breach, Invariant, Model, Seen};
use crate::world::{Event, Loss, PacketId, Step, World};

pub(in crate::oracle) const CONTROL: NodeId = NodeId::CONTROL;

/// An invariant, and what it has seen. The first breach ends the play.
pub(in crate::oracle) struct Play<I> {
    pub invariant: I,
    pub model: Model,
    pub world: World,
    pub breach: Option<Breach>,
    next: u64,
    pending: VecDeque<(u64, Record)>,
}

impl<I: Invariant> Play<I> {
    /// A play in a world of two clients and three storage nodes with true clocks, all down, and
    /// leases of 10 s.
    pub fn new(invariant: I) -> Play<I> {
        let config = Config::new(Settings::default()).expect("the defaults are right");
        let world = World::new(config, 2);
        let (model, pending) = (Model::default(), VecDeque::new());
        Play { invariant, model, world, breach: None, next: 0, pending }
    }

    /// Begins a step at this many milliseconds.
    pub fn at(&mut self, ms: u64) -> &mut Self {
        self.at_nanos(ms * 1_000_000)
    }

    /// Begins a step at this many nanoseconds.
    pub fn at_nanos(&mut self, ns: u64) -> &mut Self {
        self.model.step += 1;
        self.model.now = Time::from_nanos(ns);
        self
    }

    /// Shows it something.
    pub fn sees(&mut self, seen: Seen<'_>) -> &mut Self {
        if self.breach.is_none() {
            self.model.update(&seen, &self.world);
            self.breach = self.invariant.see(&seen, &self.model, &self.world).err();
        }
        self
    }

    /// Control appends a record.
    pub fn appends(&mut self, record: Record) -> &mut Self {
        let position = self.next;
        self.next += 1;
        self.pending.push_back((position, record.clone()));
        self.sees(Seen::Appended { node: CONTROL, position, record: &record, forced: true })
    }

    /// Control's disk has synced.
    pub fn all_durable(&mut self) -> &mut Self {
        while let Some((position, record)) = self.pending.pop_front() {
            self.sees(Seen::Durable { node: CONTROL, position, record: &record });
        }
        self
    }

    /// A storage node's record is durable.
    pub fn durable(&mut self, node: NodeId, record: Record) -> &mut Self {
        self.sees(Seen::Durable { node, position: 0, record: &record })
    }

    pub fn sends(&mut self, from: NodeId, to: NodeId, message: Message) -> &mut Self {
        self.sees(Seen::Sent { packet: PacketId(0), from, to, message: &message })
    }

    pub fn receives(&mut self, from: NodeId, to: NodeId, message: Message) -> &mut Self {
        self.sees(Seen::Received { packet: PacketId(0), from, to, message: &message })
    }

    pub fn loses(&mut self, from: NodeId, to: NodeId, message: Message) -> &mut Self {
        let (packet, loss) = (PacketId(0), Loss::Network);
        self.sees(Seen::Lost { packet, from, to, message: &message, loss })
    }

    pub fn wakes(&mut self, node: NodeId) -> &mut Self {
        self.sees(Seen::Woken { node })
    }

    pub fn crashes(&mut self, node: NodeId) -> &mut Self {
        self.sees(Seen::Crashed { node })
    }

    /// Control's crash has lost what lay at `from` and behind.
    pub fn forgets(&mut self, from: u64) -> &mut Self {
        let count = self.next - from;
        self.next = from;
        self.pending.retain(|(position, _)| *position < from);
        self.sees(Seen::Forgot { node: CONTROL, from, count, torn: 0 })
    }

    pub fn starts(&mut self, node: NodeId) -> &mut Self {
        self.pending.clear();
        self.sees(Seen::Started { node, incarnation: Incarnation(2) })
    }

    pub fn requests(&mut self, request: RequestId, wanted: Request) -> &mut Self {
        self.sees(Seen::Requested { request, wanted: &wanted })
    }

    pub fn replies(&mut self, request: RequestId, reply: Reply) -> &mut Self {
        self.sees(Seen::Replied { request, reply: &reply })
    }

    /// A client says that it holds a lock until its clock shows this many milliseconds.
    pub fn believes(&mut self, path: &str, request: RequestId, token: u64, ms: u64) -> &mut Self {
        let until = Time::from_nanos(ms * 1_000_000);
        let token = Token(token);
        let notice = Notice::Holding { path: self::path(path), request, token, until };
        self.sees(Seen::Noticed { client: request.client, notice: &notice })
    }

    /// A client says that it does not hold a lock any more.
    pub fn gives_up(&mut self, path: &str, request: RequestId, token: u64) -> &mut Self {
        let notice = Notice::Lost { path: self::path(path), token: Token(token) };
        self.sees(Seen::Noticed { client: request.client, notice: &notice })
    }

    /// A machine of the world really starts.
    pub fn boots(&mut self, node: NodeId) -> &mut Self {
        self.world.apply(self.model.now, Event::Start { node, rot: None }, &mut Step::new());
        self
    }

    /// The run is over.
    pub fn ends(&mut self) -> &mut Self {
        if self.breach.is_none() {
            self.breach = self.invariant.at_end(&self.model, &self.world).err();
        }
        self
    }

    /// Nothing was broken.
    #[track_caller]
    pub fn holds(&self) {
        assert_eq!(self.breach, None);
    }

    /// The invariant `name` was broken by two facts, of these steps and with these words.
    #[track_caller]
    pub fn breaks(&self, name: &str, earlier: (u64, &str), now: (u64, &str)) {
        assert_eq!(self.invariant.name(), name);
        let breach = self.breach.as_ref().expect("a breach");
        for (found, expected) in [(&breach.earlier, earlier), (&breach.now, now)] {
            assert_eq!(found.step, expected.0, "{breach:#?}");
            assert!(found.is.contains(expected.1), "no `{}` in {breach:#?}", expected.1);
        }
    }
}

pub(in crate::oracle) fn client(number: u16) -> NodeId {
    NodeId::client(number)
}

pub(in crate::oracle) fn path(text: &str) -> Path {
    Path::new(text).expect("a path")
}

/// The request `number` of a client's first life.
pub(in crate::oracle) fn request(client: u16, number: u32) -> RequestId {
    RequestId { client: NodeId::client(client), incarnation: Incarnation(1), number }
}

pub(in crate::oracle) fn queued(at: &str, request: RequestId) -> Record {
    Record::Queued { path: path(at), request }
}

pub(in crate::oracle) fn granted(at: &str, request: RequestId, token: u64) -> Record {
    Record::Granted { path: path(at), request, token: Token(token) }
}

pub(in crate::oracle) fn left(at: &str, request: RequestId) -> Record {
    Record::Left { path: path(at), request }
}

/// The message that grants.
pub(in crate::oracle) fn grant(at: &str, request: RequestId, token: u64) -> Message {
    let (asked, lease) = (Time::ZERO, Settings::default().lock_lease);
    Message::Granted { request, path: path(at), token: Token(token), asked, lease }
}

pub(in crate::oracle) fn acquire(at: &str, request: RequestId) -> Message {
    let (path, asked) = (path(at), Time::ZERO);
    Message::Acquire { request, lowest: 1, path, wait: true, asked }
}

pub(in crate::oracle) fn keeps_waiting(at: &str, request: RequestId) -> Message {
    Message::KeepAlive { path: path(at), keep: Keep::Waiting(request), asked: Time::ZERO }
}

pub(in crate::oracle) fn keeps_holding(at: &str, token: u64) -> Message {
    Message::KeepAlive { path: path(at), keep: Keep::Holding(Token(token)), asked: Time::ZERO }
}

pub(in crate::oracle) fn release(at: &str, request: RequestId, token: u64) -> Message {
    Message::Release { request, path: path(at), token: Token(token) }
}

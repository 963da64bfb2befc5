//! A register on a primary and a backup, with a monitor that says which replica is which.
//!
//! The monitor announces *views*: one replica is the primary, the other its backup, or there is
//! none. It promotes the backup of a primary that it has not heard from, which may be a false
//! suspicion: the old primary may still run. What keeps a deposed primary harmless is that a
//! primary with a backup answers nothing before the backup has confirmed it *in the same view*.
//!
//! | message | from, to | says |
//! |---|---|---|
//! | `Ask` | client, replica | read or write |
//! | `Copy` | primary, backup | the state as of this round; the backup makes it durable |
//! | `Copied` | backup, primary | round confirmed: the primary answers what waited for it |
//! | `Answer` | primary, client | the reply |
//! | `Ping` | replica, monitor | it is up; the view of which it has the state |
//! | `View` | monitor, replica | the newest view |
//!
//! A replica that is not the primary of the newest view it has heard of does not answer a client:
//! the client asks the other one.
//!
//! A primary without a backup is never replaced, because no other replica has all that it answered.
//! Where only the link between the replicas is cut, the monitor hears both, and nothing is answered
//! until the link is whole again.
//!
//! Sources: Alsberg and Day 1976 (primary and backup), Budhiraja et al. 1993, and the view service
//! of MIT 6.824, lab 2.

mod client;
mod monitor;
mod replica;

use std::collections::BTreeMap;
use std::sync::Arc;

use seedbed::machine::{
    Boot, Class, Incarnation, Input, Machine, Never, NodeId, Outbox, RequestId, Span, System, Time,
};
use serde::{Deserialize, Serialize};

/// The protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Register;

/// Settings of all machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    /// After which a client asks the other replica.
    pub retry: Span,
    /// After which a client answers that it does not know.
    pub request_timeout: Span,
    /// A mistake: a primary that its backup has not confirmed by the next heartbeat takes it for
    /// dead, and answers without asking the monitor.
    pub goes_on_alone: bool,
    /// A mistake: a primary answers a write that only its own disk has.
    pub answers_before_copied: bool,
    /// A mistake: a primary answers a read without asking whether it still is the primary.
    pub reads_alone: bool,
}

/// From one ping of a replica to the next; how often the monitor looks which are silent; and after
/// which a primary sends again what its backup has not confirmed.
const HEARTBEAT: Span = Span::from_millis(100);
/// Silence after which the monitor takes a replica for dead.
const SUSPECT_AFTER: Span = Span::from_millis(500);

/// Which replica is the primary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct View {
    pub number: u64,
    pub primary: NodeId,
    pub backup: Option<NodeId>,
}

/// The first view, which needs no monitor.
impl Default for View {
    fn default() -> View {
        View { number: 1, primary: NodeId::node(1), backup: Some(NodeId::node(2)) }
    }
}

/// The other one of `n1` and `n2`.
fn other(replica: NodeId) -> NodeId {
    NodeId::node(3 - replica.number())
}

/// What a replica stores.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct State {
    /// The view in which a primary wrote it, or a backup took it over.
    pub view: u64,
    /// Counts the writes.
    pub version: u64,
    pub value: String,
    /// The last write of each client, and its version: a retry writes nothing again. One is
    /// enough, because a client has one request under way.
    pub written: BTreeMap<NodeId, (RequestId, u64)>,
}

/// Counts what a primary asks its backup to confirm, over all its starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Round(Incarnation, u32);

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Message {
    Ask { request: RequestId, wanted: Request },
    Answer { request: RequestId, reply: Reply },
    Copy { view: u64, round: Round, state: State },
    Copied { view: u64, round: Round },
    Ping { state_of: u64 },
    View(View),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Record {
    /// The newest view that the monitor announced, or that a replica entered.
    View(View),
    /// The whole state of a replica.
    State(State),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Request {
    Read,
    Write(String),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Reply {
    /// The version that was written or read.
    Done { version: u64, value: String },
    /// No answer came in time: a write may have happened, or happen later.
    Unknown,
    /// The client has another request under way.
    Busy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// A replica pings; the monitor looks which replicas are silent.
    Heartbeat,
    /// A client asks again.
    Retry,
    /// A client answers that it does not know.
    GiveUp,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Process {
    Monitor(monitor::Monitor),
    Replica(replica::Replica),
    Client(client::Client),
}

impl System for Register {
    type Config = Config;
    type Message = Message;
    type Record = Record;
    type Request = Request;
    type Reply = Reply;
    type Notice = Never;
    type Command = Never;
    type Timer = Timer;
    type Machine = Process;

    fn recover(config: &Arc<Config>, boot: Boot<'_, Register>) -> Process {
        match boot.id.class() {
            Class::Control => Process::Monitor(monitor::Monitor::recover(&boot)),
            Class::Node => Process::Replica(replica::Replica::recover(config, boot)),
            Class::Client => Process::Client(client::Client::new(config)),
        }
    }
}

impl Machine<Register> for Process {
    fn step(&mut self, now: Time, input: Input<'_, Register>, out: &mut Outbox<Register>) {
        match self {
            Process::Monitor(monitor) => monitor.step(now, input, out),
            Process::Replica(replica) => replica.step(now, input, out),
            Process::Client(client) => client.step(now, input, out),
        }
    }

    fn next_deadline(&self) -> Option<(Time, &Timer)> {
        match self {
            Process::Monitor(monitor) => monitor.timers.next(),
            Process::Replica(replica) => replica.timers.next(),
            Process::Client(client) => client.timers.next(),
        }
    }
}

//! The protocols: three kinds of machine, pure, and what they say to each other.
//!
//! | machine | file | what it does |
//! |---|---|---|
//! | [`node::Node`] | `node` | a storage node: stores files, coordinates and takes part in transactions |
//! | [`control::Control`] | `control` | the central node: runs the lock server, lays down the views |
//! | [`client::Client`] | `client` | asks, retries, holds locks, answers its user once |
//!
//! Each is driven the same way. One [`Input`] in, an ordered list of effects out; time is told,
//! never asked; the same state and the same input give the same effects:
//!
//! ```text
//! let mut node = Node::recover(config, id, incarnation, now, &log);    // an empty log at the first boot
//! loop {
//!     let input = /* a message, or Wake(timer) when node.next_deadline() has come */;
//!     node.step(now, input, &mut outbox);
//!     while let Some(record) = outbox.take_record() { /* append it to the log */ }
//!     while let Some(effect) = outbox.pop(durable) { /* send it, answer with it */ }
//! }
//! ```
//!
//! A driver owes the machines four things. It forces a new [`Incarnation`] before it calls
//! `recover`, so that a number is used by one life only. It appends records in order, and calls
//! [`Outbox::pop`] with how far the log is durable: an effect behind a forced record waits there
//! until that record is. It never tells a time that is earlier than one it told before. And a wake
//! is for [`next_deadline`](node::Node::next_deadline) as it stands now: one that was meant for a
//! deadline that has moved is not delivered.
//!
//! What the machines share, in the order in which one reads it:
//!
//! | file | what |
//! |---|---|
//! | `time`, `id`, `file` | time, names, operations and answers |
//! | `message`, `record` | everything that is said, everything that survives a crash |
//! | `outbox`, [`log`] | effects and their barrier; the binary form of the log |
//! | [`ring`], [`lease`] | where paths belong; how long a lease is believed by either side |
//! | [`txn`], `owner`, [`lock`] | two-phase commit; files, pins and answers; locks |
//! | `view`, `arcs` | views and their rings; sets of positions on a ring |
//! | `membership`, `standing`, `handover` | views at the centre; a node's part in them; moving paths |
//! | `reports` | what the centre settles when a disk is lost |
//! | `config`, `defect` | settings, checked; defects, by name |
//!
//! Every state is `Clone + Eq + Hash + Debug` and uses ordered collections only, so that a whole
//! cluster can be copied, compared and printed.

#![deny(clippy::disallowed_types, clippy::disallowed_methods)]

mod arcs;
pub mod client;
mod config;
pub mod control;
mod defect;
mod file;
mod handover;
mod id;
pub mod lease;
pub mod lock;
pub mod log;
mod membership;
mod message;
pub mod node;
mod outbox;
mod owner;
mod record;
mod reports;
pub mod ring;
mod standing;
mod time;
mod timers;
mod turn;
pub mod txn;
mod view;

pub use arcs::Arcs;
pub use config::{CommitMode, Config, ConfigError, Limits, Membership, Settings};
pub use defect::{Defect, Defects, UnknownDefect};
pub use file::{
    Action, Answer, AttemptEnd, Contents, File, Notice, Operation, Outcome, Refusal, Reply,
    Request, Retry,
};
pub use id::{
    Admission, Age, Epoch, Incarnation, Member, NodeId, NotANode, NotAPath, Path, RequestId, Role,
    Token, TxnId, Version,
};
pub use message::{
    Handed, Header, Keep, Known, LowWater, Message, MessageKind, No, Open, PullEnd, Results,
    Session, Terms, Verdict, Vote, Work,
};
pub use outbox::{Append, Effect, Outbox};
pub use record::{Changes, Record, RecordKind, Snapshot};
pub use time::{Span, Time};
pub use timers::Timer;
pub use view::{Command, Layout, Lost, View, Wanted};

/// What happens to a machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Input {
    /// A message has arrived.
    Message(NodeId, Message),
    /// The machine's next deadline has come.
    Wake(Timer),
    /// A user asks (clients only).
    Request(RequestId, Request),
    /// The operator tells the central node something.
    Command(Command),
    /// The machine's disk is full, or has room again. A machine that starts believes that there is
    /// room until it is told. What is left on a full disk is for what was begun or promised before;
    /// new work is refused.
    DiskFull(bool),
}

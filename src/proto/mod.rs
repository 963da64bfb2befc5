//! The protocols.

#![deny(clippy::disallowed_types, clippy::disallowed_methods)]

pub mod client;
mod config;
pub mod control;
mod defect;
mod file;
mod id;
pub mod lease;
pub mod lock;
pub mod log;
mod message;
pub mod node;
mod outbox;
mod owner;
mod record;
pub mod ring;
mod time;
mod timers;
pub mod txn;

pub use config::{CommitMode, Config, ConfigError, Limits, Settings};
pub use defect::{Defect, Defects, UnknownDefect};
pub use file::{
    Action, Answer, AttemptEnd, Contents, File, Notice, Operation, Outcome, Refusal, Reply,
    Request, Retry,
};
pub use id::{
    Admission, Age, Epoch, Incarnation, NodeId, NotANode, NotAPath, Path, RequestId, Role, Token,
    TxnId, Version,
};
pub use message::{
    Header, Keep, Known, LowWater, Message, MessageKind, No, Results, Session, Terms, Vote, Work,
};
pub use outbox::{Append, Effect, Outbox};
pub use record::{Changes, Record, RecordKind, Snapshot};
pub use time::{Span, Time};
pub use timers::Timer;

/// What happens to a machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Input {
    /// A message has arrived.
    Message(NodeId, Message),
    /// The machine's next deadline has come.
    Wake(Timer),
    /// A user asks (clients only).
    Request(RequestId, Request),
}

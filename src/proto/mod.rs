//! The protocols.

mod config;
mod defect;
mod file;
mod id;
pub mod lease;
pub mod log;
mod message;
mod outbox;
mod record;
pub mod ring;
mod time;

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

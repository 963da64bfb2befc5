//! The file service: three kinds of machine, pure, and what they say to each other.
//!
//! | machine | file | what it does |
//! |---|---|---|
//! | [`node::Node`] | `node` | a storage node: stores files, coordinates and takes part in transactions |
//! | [`control::Control`] | `control` | the central node: runs the lock server, lays down the views |
//! | [`client::Client`] | `client` | asks, retries, holds locks, answers its user once |
//!
//! Each is a [`Machine`](crate::machine::Machine), and [`FileService`] is their
//! [`System`](crate::machine::System): one input in, an ordered list of effects out.
//!
//! What the machines share, in the order in which one reads it:
//!
//! | file | what |
//! |---|---|
//! | `system`, `process` | the file service as one system of machines; their types put together |
//! | `id`, `file` | names, operations and answers |
//! | `message`, `record` | everything that is said, everything that survives a crash |
//! | [`ring`], [`lease`] | where paths belong; how long a lease is believed by either side |
//! | [`txn`], `owner`, [`lock`] | two-phase commit; files, pins and answers; locks |
//! | `view`, `arcs` | views and their rings; sets of positions on a ring |
//! | `membership`, `standing`, `handover` | views at the centre; a node's part in them; moving paths |
//! | `reports` | how the centre resolves transactions when a disk is lost |
//! | `config`, `defect` | settings, checked; defects, by name |

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
mod membership;
mod message;
pub mod node;
mod owner;
mod process;
mod record;
mod reports;
pub mod ring;
mod standing;
mod system;
mod timer;
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
pub use id::{Admission, Age, Epoch, Member, NotAPath, Path, Token, TxnId, Version};
pub use message::{
    Chunk, Ended, FileRequest, FromCentre, Handed, Header, Keep, Known, LockAnswer, LockRequest,
    LowWater, Message, MessageKind, No, Open, Pull, PullEnd, Results, Session, Terms, ToCentre,
    TxnMessage, Verdict, Views, Vote, Work,
};
pub use process::Process;
pub use record::{Changes, Decided, Record, RecordKind, Voted};
use system::Timers;
pub use system::{Append, Effect, FileService, Input, Outbox, Snapshot};
pub use timer::Timer;
pub use view::{Command, Layout, Lost, View, Wanted};

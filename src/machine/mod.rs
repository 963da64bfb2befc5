//! The contract of a pure protocol machine, and what every such machine needs.
//!
//! A machine takes one [`Input`] and gives an ordered list of [`Effect`]s. Time is told, never
//! asked. The same state and the same input give the same effects. A machine does no I/O, reads no
//! clock and draws no number; its driver does all of that:
//!
//! ```text
//! let boot = Boot { id, incarnation, now, log: &records };      // an empty log at the first boot
//! let mut machine = S::recover(&config, boot);
//! loop {
//!     let input = /* a message, or Wake(timer) when machine.next_deadline() has come */;
//!     machine.step(now, input, &mut outbox);
//!     while let Some(record) = outbox.take_record() { /* append it to the log */ }
//!     while let Some(effect) = outbox.pop(durable) { /* send it, answer with it */ }
//! }
//! ```
//!
//! A [`System`] names the types of one protocol. All machines of a system share one config; the
//! [`Class`] of its address says what each of them is.
//!
//! # What a driver owes
//!
//! - It forces a new [`Incarnation`] before it calls [`System::recover`], so that each number
//!   belongs to one start.
//! - It appends records in order, and tells [`Outbox::pop`] how far the log is durable: an effect
//!   behind a forced record waits there until that record is durable.
//! - It never tells a time that is earlier than one it told before.
//! - It wakes a machine for its [`next_deadline`](Machine::next_deadline) as that stands when it
//!   wakes it. A wake for a deadline that has moved is not delivered.
//!
//! # What a machine owes
//!
//! - `recover` emits nothing: what a restarted machine has to say it says at its first step, for
//!   which it sets a deadline that has come.
//! - After a wake its deadline has moved.
//! - Its state is `Clone + Eq + Hash + Debug` and uses ordered collections only, so that a whole
//!   cluster can be copied, compared and printed.
//!
//! | file | what |
//! |---|---|
//! | `time`, `id` | times and spans in nanoseconds; names of machines and requests |
//! | `outbox` | effects, and the barrier behind a forced record |
//! | [`log`] | the binary form of a log, and what a restart makes of it |
//! | `timers` | the deadlines of one machine |

#![deny(clippy::disallowed_types, clippy::disallowed_methods)]

mod id;
pub mod log;
mod outbox;
mod time;
mod timers;

use std::fmt::{self, Debug};
use std::hash::Hash;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use id::{Class, Incarnation, NodeId, NotANode, NotARequest, RequestId};
pub use outbox::{Append, Effect, Outbox, Snapshot};
pub use time::{Span, Time};
pub use timers::Timers;

/// What messages, records, requests and answers of a protocol have to be.
pub trait Data: Clone + Debug + Eq + Hash + Serialize + Send + Sync + 'static {}

impl<T: Clone + Debug + Eq + Hash + Serialize + Send + Sync + 'static> Data for T {}

/// The types of one protocol, named by a unit struct.
///
/// [`Never`] stands for what a system does not have: notices, commands.
pub trait System: Data + Copy + Default + Ord {
    /// Settings that all machines share.
    type Config: Clone + Debug + Eq + Hash + Send + Sync + 'static;
    /// What machines say to each other.
    type Message: Data;
    /// What survives a crash.
    type Record: Data + DeserializeOwned;
    /// What a user asks a client for.
    type Request: Data;
    /// What a client answers, once for each request.
    type Reply: Data;
    /// What a client tells its user unasked.
    type Notice: Data;
    /// What the operator tells a machine.
    type Command: Data;
    /// What a machine is woken for.
    type Timer: Clone + Debug + Ord + Hash + Send + Sync + 'static;
    /// Any machine of the system: an enum where there are several kinds.
    type Machine: Machine<Self>;

    /// A machine as its log left it.
    fn recover(config: &Arc<Self::Config>, boot: Boot<'_, Self>) -> Self::Machine;

    /// The machine that a command of the operator goes to.
    fn commanded(_command: &Self::Command) -> NodeId {
        NodeId::CONTROL
    }

    /// May a machine that knows that its disk is full append this record? One that may not is a
    /// panic of the run. Usually those may that finish what was begun or promised before.
    fn fits_on_a_full_disk(_config: &Self::Config, _record: &Self::Record) -> bool {
        true
    }

    /// What a start does about a record that is damaged although it was durable. Anything but
    /// [`Refuse`](log::OnCorruption::Refuse) is a deliberate bug.
    fn on_corruption(_config: &Self::Config) -> log::OnCorruption {
        log::OnCorruption::Refuse
    }
}

/// A state that takes inputs.
pub trait Machine<S: System>: Clone + Debug + Eq + Hash + Send + Sync + 'static {
    /// Takes one input; what it leads to goes into `out`, in order.
    fn step(&mut self, now: Time, input: Input<'_, S>, out: &mut Outbox<S>);

    /// When to wake the machine next, and for what.
    fn next_deadline(&self) -> Option<(Time, &S::Timer)>;
}

/// What a start has to go on.
#[derive(Clone, Copy, Debug)]
pub struct Boot<'a, S: System> {
    /// The machine's name.
    pub id: NodeId,
    /// Which start this is, from 1.
    pub incarnation: Incarnation,
    /// The machine's clock.
    pub now: Time,
    /// The records of its last checkpoint and all after it that are left; none at the first boot.
    pub log: &'a [S::Record],
}

/// What happens to a machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Input<'a, S: System> {
    /// A message has arrived from this machine.
    Message(NodeId, &'a S::Message),
    /// The machine's next deadline has come.
    Wake(S::Timer),
    /// A user asks (clients only).
    Request(RequestId, &'a S::Request),
    /// The operator commands.
    Command(&'a S::Command),
    /// The machine's disk is full (`true`), or has room again. A machine that starts takes it that
    /// there is room until it is told. What a machine does about a full disk is its own affair:
    /// usually it refuses new work, and finishes what it has begun or promised with what is left.
    DiskFull(bool),
}

/// A value that does not exist: the notices of a system without notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Never {}

impl fmt::Display for Never {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

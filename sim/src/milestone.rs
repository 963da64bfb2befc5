//! What can happen in a run, by name: what a fault may wait for and a scenario may demand.
//!
//! Some happen in any system: a machine crashes, a message is lost. Every kind of message gives
//! `<kind>_sent`, `<kind>_received` and `<kind>_lost`, every kind of record `<kind>_appended` and
//! `<kind>_durable`. The rest is what the system under test lists.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use crate::name::Name;
use crate::names;
use crate::under_test::UnderTest;

names! {
    /// A milestone that any system may reach.
    pub enum General {
        /// a client answered: done
        RequestDone = "request_done",
        /// a client answered: refused
        RequestRefused = "request_refused",
        /// a client answered: unknown
        RequestUnknown = "request_unknown",
        /// a machine crashed
        Crashed = "crashed",
        /// a machine started again
        Restarted = "restarted",
        /// a machine found its log corrupt and refused to start
        RefusedToStart = "refused_to_start",
        /// a crash lost records that were not durable
        RecordsLost = "records_lost",
        /// a crash tore a record in the middle
        RecordTorn = "record_torn",
        /// a crash left a record as long as it was, with zeros at its end
        RecordZeroFilled = "record_zero_filled",
        /// a crash left a record with a hole, and what is behind that
        RecordHoled = "record_holed",
        /// a disk stalled: no sync ends
        DiskStalled = "disk_stalled",
        /// a disk is full
        DiskFull = "disk_full",
        /// a disk that was full has room again
        DiskHasRoom = "disk_has_room",
        /// a machine replaced the head of its log by a checkpoint
        CheckpointWritten = "checkpoint_written",
        /// a machine stopped for a while
        Paused = "paused",
        /// a machine goes on
        Resumed = "resumed",
        /// links were cut
        Partitioned = "partitioned",
        /// a message was lost on the network
        MessageLost = "message_lost",
        /// a copy of a message in flight appeared
        MessageDuplicated = "message_duplicated",
        /// a machine's clock jumped
        ClockJumped = "clock_jumped",
    }
}

impl General {
    /// The one that comes before it in its story, if any does.
    fn follows(self) -> Option<General> {
        match self {
            General::Restarted | General::RefusedToStart | General::RecordsLost => {
                Some(General::Crashed)
            }
            General::RecordTorn => Some(General::RecordsLost),
            General::RecordZeroFilled | General::RecordHoled => Some(General::RecordTorn),
            General::DiskHasRoom => Some(General::DiskFull),
            General::Resumed => Some(General::Paused),
            General::RequestDone | General::RequestRefused | General::RequestUnknown => None,
            General::Crashed | General::DiskStalled | General::DiskFull => None,
            General::CheckpointWritten | General::Paused | General::Partitioned => None,
            General::MessageLost | General::MessageDuplicated | General::ClockJumped => None,
        }
    }
}

/// Something that can happen in a run of the system `S`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Milestone<S: UnderTest> {
    /// In any system.
    General(General),
    /// In this one only.
    System(S::Milestone),
    /// A message of this kind was sent.
    Sent(S::MessageKind),
    /// A message of this kind was received.
    Received(S::MessageKind),
    /// A message of this kind was lost.
    Lost(S::MessageKind),
    /// A record of this kind was appended to a log.
    Appended(S::RecordKind),
    /// A record of this kind became durable.
    Durable(S::RecordKind),
}

macro_rules! constants {
    ($($const:ident = $general:ident;)*) => {
        /// The general ones.
        #[allow(missing_docs)]
        impl<S: UnderTest> Milestone<S> {
            $(pub const $const: Milestone<S> = Milestone::General(General::$general);)*
        }
    };
}

constants! {
    REQUEST_DONE = RequestDone;
    REQUEST_REFUSED = RequestRefused;
    REQUEST_UNKNOWN = RequestUnknown;
    CRASHED = Crashed;
    RESTARTED = Restarted;
    REFUSED_TO_START = RefusedToStart;
    RECORDS_LOST = RecordsLost;
    RECORD_TORN = RecordTorn;
    RECORD_ZERO_FILLED = RecordZeroFilled;
    RECORD_HOLED = RecordHoled;
    DISK_STALLED = DiskStalled;
    DISK_FULL = DiskFull;
    DISK_HAS_ROOM = DiskHasRoom;
    CHECKPOINT_WRITTEN = CheckpointWritten;
    PAUSED = Paused;
    RESUMED = Resumed;
    PARTITIONED = Partitioned;
    MESSAGE_LOST = MessageLost;
    MESSAGE_DUPLICATED = MessageDuplicated;
    CLOCK_JUMPED = ClockJumped;
}

impl<S: UnderTest> Milestone<S> {
    const GENERAL: usize = General::ALL.len();
    const NAMED: usize = Self::GENERAL + S::Milestone::ALL.len();
    const MESSAGES: usize = S::MessageKind::ALL.len();
    const RECORDS: usize = S::RecordKind::ALL.len();

    /// How many places a table of all has: [`Milestone::index`] is below it.
    pub const PLACES: usize = Self::NAMED + 3 * Self::MESSAGES + 2 * Self::RECORDS;

    /// A record of this kind was appended to a log; `None` for one that only a checkpoint holds.
    pub fn appended(kind: S::RecordKind) -> Option<Milestone<S>> {
        S::is_logged(kind).then_some(Milestone::Appended(kind))
    }

    /// A record of this kind became durable; `None` for one that only a checkpoint holds.
    pub fn durable(kind: S::RecordKind) -> Option<Milestone<S>> {
        S::is_logged(kind).then_some(Milestone::Durable(kind))
    }

    /// Every milestone.
    pub fn all() -> impl Iterator<Item = Milestone<S>> {
        let general = General::ALL.iter().map(|it| Milestone::General(*it));
        let system = S::Milestone::ALL.iter().map(|it| Milestone::System(*it));
        let messages = S::MessageKind::ALL.iter();
        let messages = messages.flat_map(|kind| {
            [Milestone::Sent(*kind), Milestone::Received(*kind), Milestone::Lost(*kind)]
        });
        let records = S::RecordKind::ALL.iter().filter(|kind| S::is_logged(**kind));
        let records =
            records.flat_map(|kind| [Milestone::Appended(*kind), Milestone::Durable(*kind)]);
        general.chain(system).chain(messages).chain(records)
    }

    /// Its place in a table of all.
    pub fn index(self) -> usize {
        let message = |kind: S::MessageKind| Self::NAMED + 3 * kind.index();
        let record = |kind: S::RecordKind| Self::NAMED + 3 * Self::MESSAGES + 2 * kind.index();
        match self {
            Milestone::General(it) => it.index(),
            Milestone::System(it) => Self::GENERAL + it.index(),
            Milestone::Sent(kind) => message(kind),
            Milestone::Received(kind) => message(kind) + 1,
            Milestone::Lost(kind) => message(kind) + 2,
            Milestone::Appended(kind) => record(kind),
            Milestone::Durable(kind) => record(kind) + 1,
        }
    }

    /// The milestone that comes before it in its story: what is received comes after what is sent.
    /// A run that has not come to one may have come to the other. A story may leave one out.
    pub fn follows(self) -> Option<Milestone<S>> {
        match self {
            Milestone::General(it) => it.follows().map(Milestone::General),
            Milestone::System(it) => S::follows(it),
            Milestone::Sent(_) | Milestone::Appended(_) => None,
            Milestone::Received(kind) | Milestone::Lost(kind) => Some(Milestone::Sent(kind)),
            Milestone::Durable(kind) => Milestone::appended(kind),
        }
    }

    /// The name used in scenario files.
    pub fn name(self) -> Cow<'static, str> {
        let of = |kind: &str, end: &str| Cow::Owned(format!("{kind}_{end}"));
        match self {
            Milestone::General(it) => Cow::Borrowed(it.name()),
            Milestone::System(it) => Cow::Borrowed(it.name()),
            Milestone::Sent(kind) => of(kind.name(), "sent"),
            Milestone::Received(kind) => of(kind.name(), "received"),
            Milestone::Lost(kind) => of(kind.name(), "lost"),
            Milestone::Appended(kind) => of(kind.name(), "appended"),
            Milestone::Durable(kind) => of(kind.name(), "durable"),
        }
    }

    /// What happened, in one line.
    pub fn summary(self) -> String {
        match self {
            Milestone::General(it) => it.summary().to_owned(),
            Milestone::System(it) => it.summary().to_owned(),
            Milestone::Sent(kind) => format!("a `{}` message: sent", kind.name()),
            Milestone::Received(kind) => format!("a `{}` message: received", kind.name()),
            Milestone::Lost(kind) => format!("a `{}` message: lost", kind.name()),
            Milestone::Appended(kind) => format!("a `{}` record: appended", kind.name()),
            Milestone::Durable(kind) => format!("a `{}` record: durable", kind.name()),
        }
    }
}

impl<S: UnderTest> fmt::Display for Milestone<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name())
    }
}

/// A name that no milestone has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown milestone `{0}`")]
pub struct UnknownMilestone(pub String);

impl<S: UnderTest> FromStr for Milestone<S> {
    type Err = UnknownMilestone;
    fn from_str(name: &str) -> Result<Milestone<S>, UnknownMilestone> {
        let known = Milestone::all().find(|m| m.name() == name);
        known.ok_or_else(|| UnknownMilestone(name.to_owned()))
    }
}

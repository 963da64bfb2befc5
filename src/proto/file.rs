//! What clients ask for and what they are told: files, operations, answers, refusals.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Epoch, Path, Token, Version, View};
use crate::machine::{Incarnation, NodeId, RequestId, Time};

/// The bytes of a file. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Contents(Arc<[u8]>);

impl Contents {
    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl<B: AsRef<[u8]>> From<B> for Contents {
    fn from(bytes: B) -> Contents {
        Contents(bytes.as_ref().into())
    }
}

impl Serialize for Contents {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Contents {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Contents, D::Error> {
        struct Bytes;
        impl serde::de::Visitor<'_> for Bytes {
            type Value = Contents;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Contents, E> {
                Ok(Contents::from(bytes))
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}

impl fmt::Display for Contents {
    /// Text as text, shortened; anything else as its length.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match std::str::from_utf8(&self.0) {
            Ok(text) if text.len() <= 24 => write!(f, "{text:?}"),
            _ => write!(f, "{} bytes", self.0.len()),
        }
    }
}

impl fmt::Debug for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What an owner stores for one path.
///
/// A deleted file stays as a tombstone: contents gone, version kept, so that the next create
/// continues the count and an old copy can never pass for newer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct File {
    /// 0 before the first change.
    pub version: Version,
    /// `None` before the first create and after a delete.
    pub contents: Option<Contents>,
    /// The highest fencing token that was ever claimed here; a change must bring at least this one.
    pub fence: Token,
}

/// One operation on one path; `rename` is on two.
///
/// The names are the keys of the scenario file.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Operation {
    /// The path that is read or changed; for a rename the source.
    pub path: Path,
    /// What to do with it.
    pub action: Action,
    /// The fencing token of the lock under which the client works on `path`, if it holds one.
    pub token: Option<Token>,
}

/// What an [`Operation`] does.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Action {
    /// Reads the contents.
    Read,
    /// Makes the file; refused if it exists.
    Create(Contents),
    /// Replaces the contents, making the file where there is none. With a version: only if the path
    /// is still at that version.
    Write(Contents, Option<Version>),
    /// Deletes the file; refused if there is none. With a version: as for `Write`.
    Delete(Option<Version>),
    /// Moves the contents to this path, under the token of its lock if the client holds it; refused
    /// if the source is missing or the target exists.
    Rename(Path, Option<Token>),
    /// The target's half of a rename, with what the coordinator found at the source.
    Place(Contents),
    /// The source's half of a rename: deletes it if it is still at this version.
    Remove(Version),
    /// Raises the path's fence to the operation's token: the first act of a new lock holder.
    Claim,
}

impl Action {
    /// Does it leave everything as it is?
    pub fn is_read(&self) -> bool {
        matches!(self, Action::Read)
    }
}

/// What one operation gave.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Outcome {
    /// What a read found: `None` where there is no file.
    Found(Version, Option<Contents>),
    /// The version after a change.
    Changed(Version),
    /// The operation took effect, and its answer is lost with a disk. No client is told this.
    Lost,
}

/// The answer to a request that took effect: one outcome for each of its operations, in their
/// order.
pub type Answer = Arc<[Outcome]>;

/// Why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Refusal {
    /// No file there.
    NotFound,
    /// A file is there already.
    Exists,
    /// The path is at this version, not at the one the request names.
    VersionIs(Version),
    /// The path is fenced with this token, and the change brought a lower one or none.
    Fenced(Token),
    /// Another client holds the lock, and the request did not want to wait.
    Held,
    /// The client does not hold the lock that it wants to give back.
    NotHeld,
    /// Too many are waiting for the lock.
    QueueFull,
    /// The path is longer than the configured limit.
    PathTooLong,
    /// The contents are longer than the configured limit.
    ContentsTooLong,
    /// More operations than the configured limit, or none.
    BadOperationCount,
    /// A claim without a token, an operation that only a coordinator may send, a rename to itself,
    /// or one whose source another operation of the request uses.
    Malformed,
    /// The client does not wait for this request any more.
    Forgotten,
    /// The disk of an owner, or of the lock server, is full: it keeps what is left for what it has
    /// promised.
    DiskFull,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NotFound => f.write_str("no file there"),
            Refusal::Exists => f.write_str("a file is there already"),
            Refusal::VersionIs(version) => write!(f, "the path is at {version}"),
            Refusal::Fenced(token) => write!(f, "the path is fenced with {token}"),
            Refusal::Held => f.write_str("the lock is held"),
            Refusal::NotHeld => f.write_str("the lock is not held"),
            Refusal::QueueFull => f.write_str("too many wait for the lock"),
            Refusal::PathTooLong => f.write_str("the path is too long"),
            Refusal::ContentsTooLong => f.write_str("the contents are too long"),
            Refusal::BadOperationCount => f.write_str("too many operations or none"),
            Refusal::Malformed => f.write_str("the request makes no sense"),
            Refusal::Forgotten => f.write_str("its client waits for this request no more"),
            Refusal::DiskFull => f.write_str("the disk of an owner is full"),
        }
    }
}

/// How one attempt at a request ended, as a storage node tells it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AttemptEnd {
    /// It took effect.
    Done(Answer),
    /// It did not, for a reason that a further attempt meets too.
    Refused {
        /// Why.
        refusal: Refusal,
        /// Has an owner forced the refusal under the request's id? Then no attempt, not even one
        /// still under way, can take effect.
        recorded: bool,
    },
    /// This attempt did not, another may.
    Retry(Retry),
}

/// Why another attempt is worth making.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Retry {
    /// It met an older transaction.
    Conflict,
    /// Some participant did not answer in time, or had lost what it had promised.
    NoAnswer,
    /// The request named another epoch; this is the node's.
    Epoch(Epoch),
    /// The session belongs to another life of the node; this is the node's incarnation.
    Session(Incarnation),
    /// The node has no running lease, or has not yet pulled the path.
    NotReady,
}

/// What a user asks of a client.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Request {
    /// One or more operations, all or nothing.
    Files {
        /// What to do, in this order.
        operations: Arc<[Operation]>,
        /// Which node to ask first; without one, an owner of the first path. A request that only
        /// reads one path goes there only if the node is an owner of it.
        coordinator: Option<NodeId>,
    },
    /// The lock of a path; `wait` says whether to wait in line for it.
    Acquire {
        /// The path whose lock it is.
        path: Path,
        /// Wait in line, or be refused if it is held.
        wait: bool,
    },
    /// Gives a lock back.
    Release {
        /// The path whose lock it is.
        path: Path,
    },
}

/// What a client answers its user, once for each request.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Reply {
    /// The operations took effect.
    Done(Answer),
    /// The lock is held, and the path is fenced with this token.
    Acquired(Token),
    /// The lock is not held under the token any more.
    Released,
    /// Nothing happened and nothing will.
    Refused(Refusal),
    /// The client cannot say: it may have happened, or may still.
    Unknown,
}

/// What a client tells its user unasked.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Notice {
    /// The client believes that it holds the lock of `path` until its own clock reads `until`:
    /// said at the grant, before the path is claimed, and whenever `until` moves.
    Holding {
        /// The path whose lock it is.
        path: Path,
        /// Which request acquired it.
        request: RequestId,
        /// Under which token.
        token: Token,
        /// Until when, in nanoseconds of the client's clock.
        until: Time,
    },
    /// The client has learnt of a newer view.
    View(View),
    /// The client no longer believes that it holds the lock of `path`: its lease is over, the
    /// lock server says so, or the user gives it back.
    Lost {
        /// The path whose lock it was.
        path: Path,
        /// Under which token.
        token: Token,
    },
}

//! Names of the file service's things: transactions, admissions, tokens, versions, paths.

use std::cmp::{Ordering, Reverse};
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

use crate::machine::{Incarnation, NodeId, RequestId, Span};

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident($int:ty) $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        pub struct $name(pub $int);

        impl $name {
            /// The number after this one.
            #[must_use]
            pub fn next(self) -> $name {
                $name(self.0 + 1)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }
    )*};
}

numbers! {
    /// Number of an admission to the cluster: a storage node whose disk is gone comes back under a
    /// new one.
    Admission(u32) "a";
    /// Number of a view of the cluster.
    Epoch(u32) "e";
    /// Fencing token of a lock: one counter for all locks, which only grows. 0 is never granted.
    Token(u64) "t";
    /// Version of a path: 0 before the first write, one more with each change, deletions included.
    Version(u64) "v";
}

/// How old an attempt at a request is. The order is that of going first: the older one is the
/// lesser.
///
/// An age is how long the request has waited when the attempt is sent, by its client's clock. Ages
/// are compared by powers of two: a request that has waited for at least 2^n nanoseconds is older
/// than all that have waited for less. Among those of one power the lower number of a request goes
/// first, then the lower client, its earlier life, and the earlier attempt. So two requests that
/// came at about the same time compare alike, but for the short times in which only one of them
/// has reached the next power, and the first of them gets through. By the exact length of the wait
/// the attempt that was sent last would be the oldest, and each would drive out those before it.
///
/// Each attempt is stamped once, and its stamp is the same at every owner: so two attempts compare
/// the same wherever they meet. That a request which is refused for a conflict again and again is
/// served in the end is argued in `owner`. A length of time is the same on every clock, but for its
/// drift, where a reading is not: a client whose clock is ahead would otherwise yield to all others
/// for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Age {
    /// How long the request has waited; strictly more than at the attempt before.
    pub waited: Span,
    /// Which request.
    pub request: RequestId,
}

impl Age {
    /// What it is compared by, the oldest first.
    fn place(&self) -> (Reverse<u32>, u32, RequestId, Span) {
        let power = u64::BITS - self.waited.as_nanos().leading_zeros();
        (Reverse(power), self.request.number, self.request, self.waited)
    }
}

impl Ord for Age {
    fn cmp(&self, other: &Age) -> Ordering {
        self.place().cmp(&other.place())
    }
}

impl PartialOrd for Age {
    fn partial_cmp(&self, other: &Age) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A storage node under one admission. A name alone is not enough: a node whose disk is gone comes
/// back under its old name and knows nothing of what it promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Member {
    /// Its name.
    pub node: NodeId,
    /// Which admission of that name.
    pub admission: Admission,
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.node.fmt(f)
    }
}

/// Names a transaction for ever.
///
/// The incarnation is what makes the counter safe: it restarts with each life of the coordinator,
/// and a decision about an old transaction must never meet a new one of the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TxnId {
    /// The coordinator.
    pub coordinator: NodeId,
    /// Under which admission.
    pub admission: Admission,
    /// In which life.
    pub incarnation: Incarnation,
    /// Counts the transactions of that life, from 1.
    pub counter: u32,
}

impl TxnId {
    /// The coordinator: a name under an admission.
    pub fn begun_by(self) -> Member {
        Member { node: self.coordinator, admission: self.admission }
    }
}

impl fmt::Display for TxnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}/{}", self.coordinator, self.incarnation.0, self.counter)
    }
}

/// The name of a file: starts with `/`, without control characters. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Path(Arc<str>);

/// A text that is not a path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a path: it must start with `/` and have no control characters")]
pub struct NotAPath(pub String);

impl Path {
    /// Checks `text`; its length is checked against the configured limit when it is used.
    pub fn new(text: &str) -> Result<Path, NotAPath> {
        if !text.starts_with('/') || text.chars().any(char::is_control) {
            return Err(NotAPath(text.to_owned()));
        }
        Ok(Path(text.into()))
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Path {
    type Error = NotAPath;
    fn try_from(text: String) -> Result<Path, NotAPath> {
        Path::new(&text)
    }
}

// By hand: each step is serialized for the digest, and serde's `into` copies the text first.
impl Serialize for Path {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

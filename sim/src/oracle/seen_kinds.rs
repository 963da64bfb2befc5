//! A set of kinds of things seen, so that a step costs only the invariants that it concerns.

use std::ops::BitOr;

use crate::name::Name;

/// A set of kinds of [`Seen`](super::Seen); messages and records count by their own kind as well,
/// of which there are 64 at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeenKinds {
    /// Neither messages nor records, each by its place.
    pub(super) others: u64,
    pub(super) sent: u64,
    pub(super) received: u64,
    pub(super) appended: u64,
    pub(super) durable: u64,
}

impl SeenKinds {
    /// Nothing: an invariant of the end of a run.
    pub const NONE: SeenKinds =
        SeenKinds { others: 0, sent: 0, received: 0, appended: 0, durable: 0 };

    /// Everything.
    pub const ALL: SeenKinds = SeenKinds {
        others: u64::MAX,
        sent: u64::MAX,
        received: u64::MAX,
        appended: u64::MAX,
        durable: u64::MAX,
    };

    /// [`Seen::Sent`](super::Seen::Sent) of any message
    pub const SENT: SeenKinds = SeenKinds { sent: u64::MAX, ..SeenKinds::NONE };
    /// [`Seen::Received`](super::Seen::Received) of any message
    pub const RECEIVED: SeenKinds = SeenKinds { received: u64::MAX, ..SeenKinds::NONE };
    /// [`Seen::Appended`](super::Seen::Appended) of any record
    pub const APPENDED: SeenKinds = SeenKinds { appended: u64::MAX, ..SeenKinds::NONE };
    /// [`Seen::Durable`](super::Seen::Durable) of any record
    pub const DURABLE: SeenKinds = SeenKinds { durable: u64::MAX, ..SeenKinds::NONE };

    /// [`Seen::Sent`](super::Seen::Sent) of these messages.
    pub fn sent<K: Name>(kinds: &[K]) -> SeenKinds {
        SeenKinds { sent: places(kinds), ..SeenKinds::NONE }
    }

    /// [`Seen::Received`](super::Seen::Received) of these messages.
    pub fn received<K: Name>(kinds: &[K]) -> SeenKinds {
        SeenKinds { received: places(kinds), ..SeenKinds::NONE }
    }

    /// [`Seen::Appended`](super::Seen::Appended) of these records.
    pub fn appended<K: Name>(kinds: &[K]) -> SeenKinds {
        SeenKinds { appended: places(kinds), ..SeenKinds::NONE }
    }

    /// [`Seen::Durable`](super::Seen::Durable) of these records.
    pub fn durable<K: Name>(kinds: &[K]) -> SeenKinds {
        SeenKinds { durable: places(kinds), ..SeenKinds::NONE }
    }
}

fn places<K: Name>(kinds: &[K]) -> u64 {
    kinds.iter().fold(0, |places, kind| places | 1 << kind.index())
}

/// The kinds of both.
impl BitOr for SeenKinds {
    type Output = SeenKinds;
    fn bitor(self, other: SeenKinds) -> SeenKinds {
        SeenKinds {
            others: self.others | other.others,
            sent: self.sent | other.sent,
            received: self.received | other.received,
            appended: self.appended | other.appended,
            durable: self.durable | other.durable,
        }
    }
}

//! Which kinds of things an invariant wants to see, so that a step costs only those whom it
//! concerns.

use std::ops::BitOr;

use seedbed::proto::{MessageKind, RecordKind};

use super::Seen;

/// A set of kinds of [`Seen`]; messages and records count by their own kind as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeenKinds {
    plain: u64,
    sent: u64,
    received: u64,
    appended: u64,
    durable: u64,
}

const NONE: SeenKinds = SeenKinds { plain: 0, sent: 0, received: 0, appended: 0, durable: 0 };
const PLAIN: usize = 18;
const MESSAGES: usize = MessageKind::ALL.len();
const RECORDS: usize = RecordKind::ALL.len();

const fn plain(bit: usize) -> SeenKinds {
    SeenKinds { plain: 1 << bit, ..NONE }
}

const fn mask_of_messages(kinds: &[MessageKind]) -> u64 {
    let (mut mask, mut i) = (0, 0);
    while i < kinds.len() {
        mask |= 1 << kinds[i] as u64;
        i += 1;
    }
    mask
}

const fn mask_of_records(kinds: &[RecordKind]) -> u64 {
    let (mut mask, mut i) = (0, 0);
    while i < kinds.len() {
        mask |= 1 << kinds[i] as u64;
        i += 1;
    }
    mask
}

impl SeenKinds {
    /// Nothing: an invariant of the end of a run.
    pub const NONE: SeenKinds = NONE;
    /// Everything.
    pub const ALL: SeenKinds = SeenKinds {
        plain: (1 << PLAIN) - 1,
        sent: (1 << MESSAGES) - 1,
        received: (1 << MESSAGES) - 1,
        appended: (1 << RECORDS) - 1,
        durable: (1 << RECORDS) - 1,
    };
    /// [`Seen::Requested`].
    pub const REQUESTED: SeenKinds = plain(0);
    /// [`Seen::Lost`].
    pub const LOST: SeenKinds = plain(1);
    /// [`Seen::Copied`].
    pub const COPIED: SeenKinds = plain(2);
    /// [`Seen::Checkpointed`].
    pub const CHECKPOINTED: SeenKinds = plain(3);
    /// [`Seen::Crashed`].
    pub const CRASHED: SeenKinds = plain(4);
    /// [`Seen::Forgot`].
    pub const FORGOT: SeenKinds = plain(5);
    /// [`Seen::Started`].
    pub const STARTED: SeenKinds = plain(6);
    /// [`Seen::RefusedToStart`].
    pub const REFUSED_TO_START: SeenKinds = plain(7);
    /// [`Seen::Paused`].
    pub const PAUSED: SeenKinds = plain(8);
    /// [`Seen::Resumed`].
    pub const RESUMED: SeenKinds = plain(9);
    /// [`Seen::Cut`].
    pub const CUT: SeenKinds = plain(10);
    /// [`Seen::Mended`].
    pub const MENDED: SeenKinds = plain(11);
    /// [`Seen::ClockJumped`].
    pub const CLOCK_JUMPED: SeenKinds = plain(12);
    /// [`Seen::Woken`].
    pub const WOKEN: SeenKinds = plain(13);
    /// [`Seen::Replied`].
    pub const REPLIED: SeenKinds = plain(14);
    /// [`Seen::Noticed`].
    pub const NOTICED: SeenKinds = plain(15);
    /// [`Seen::Wiped`].
    pub const WIPED: SeenKinds = plain(16);
    /// [`Seen::Commanded`].
    pub const COMMANDED: SeenKinds = plain(17);
    /// [`Seen::Sent`] of any message.
    pub const SENT: SeenKinds = SeenKinds { sent: (1 << MESSAGES) - 1, ..NONE };
    /// [`Seen::Received`] of any message.
    pub const RECEIVED: SeenKinds = SeenKinds { received: (1 << MESSAGES) - 1, ..NONE };
    /// [`Seen::Appended`] of any record.
    pub const APPENDED: SeenKinds = SeenKinds { appended: (1 << RECORDS) - 1, ..NONE };
    /// [`Seen::Durable`] of any record.
    pub const DURABLE: SeenKinds = SeenKinds { durable: (1 << RECORDS) - 1, ..NONE };

    /// [`Seen::Sent`] of these messages.
    pub const fn sent(kinds: &[MessageKind]) -> SeenKinds {
        SeenKinds { sent: mask_of_messages(kinds), ..NONE }
    }

    /// [`Seen::Received`] of these messages.
    pub const fn received(kinds: &[MessageKind]) -> SeenKinds {
        SeenKinds { received: mask_of_messages(kinds), ..NONE }
    }

    /// [`Seen::Appended`] of these records.
    pub const fn appended(kinds: &[RecordKind]) -> SeenKinds {
        SeenKinds { appended: mask_of_records(kinds), ..NONE }
    }

    /// [`Seen::Durable`] of these records.
    pub const fn durable(kinds: &[RecordKind]) -> SeenKinds {
        SeenKinds { durable: mask_of_records(kinds), ..NONE }
    }

    /// The kinds of both.
    pub const fn and(self, other: SeenKinds) -> SeenKinds {
        SeenKinds {
            plain: self.plain | other.plain,
            sent: self.sent | other.sent,
            received: self.received | other.received,
            appended: self.appended | other.appended,
            durable: self.durable | other.durable,
        }
    }

    /// How many slots there are: one for each kind, messages and records told apart.
    pub(super) const SLOTS: usize = PLAIN + 2 * MESSAGES + 2 * RECORDS;

    /// Is what falls into `slot` one of these kinds?
    pub(super) fn has(self, slot: usize) -> bool {
        let parts = [
            (self.plain, PLAIN),
            (self.sent, MESSAGES),
            (self.received, MESSAGES),
            (self.appended, RECORDS),
            (self.durable, RECORDS),
        ];
        let mut bit = slot;
        for (mask, length) in parts {
            if bit < length {
                return mask & 1 << bit != 0;
            }
            bit -= length;
        }
        false
    }
}

const LOCKS: &[RecordKind] = &[RecordKind::Queued, RecordKind::Granted, RecordKind::Left];

/// The lock server's log, and what a crash does to it.
pub(super) const LOCK_LOG: SeenKinds = SeenKinds::appended(LOCKS)
    .and(SeenKinds::durable(LOCKS))
    .and(SeenKinds::FORGOT)
    .and(SeenKinds::STARTED);

/// What asks for a place in line or keeps one.
pub(super) const KEEPS: SeenKinds =
    SeenKinds::received(&[MessageKind::Acquire, MessageKind::KeepAlive]);

impl BitOr for SeenKinds {
    type Output = SeenKinds;
    fn bitor(self, other: SeenKinds) -> SeenKinds {
        self.and(other)
    }
}

/// The slot of what was seen.
pub(super) fn slot_of(seen: &Seen<'_>) -> usize {
    match seen {
        Seen::Requested { .. } => 0,
        Seen::Lost { .. } => 1,
        Seen::Copied { .. } => 2,
        Seen::Checkpointed { .. } => 3,
        Seen::Crashed { .. } => 4,
        Seen::Forgot { .. } => 5,
        Seen::Started { .. } => 6,
        Seen::RefusedToStart { .. } => 7,
        Seen::Paused { .. } => 8,
        Seen::Resumed { .. } => 9,
        Seen::Cut { .. } => 10,
        Seen::Mended { .. } => 11,
        Seen::ClockJumped { .. } => 12,
        Seen::Woken { .. } => 13,
        Seen::Replied { .. } => 14,
        Seen::Noticed { .. } => 15,
        Seen::Wiped { .. } => 16,
        Seen::Commanded { .. } => 17,
        Seen::Sent { message, .. } => PLAIN + message.kind() as usize,
        Seen::Received { message, .. } => PLAIN + MESSAGES + message.kind() as usize,
        Seen::Appended { record, .. } => PLAIN + 2 * MESSAGES + record.kind() as usize,
        Seen::Durable { record, .. } => PLAIN + 2 * MESSAGES + RECORDS + record.kind() as usize,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use seedbed::proto::{Admission, NodeId, Record};

    #[test]
    fn what_is_seen_falls_into_the_kinds_that_name_it_and_no_others() {
        let (node, position) = (NodeId::storage(1), 0);
        let record = &Record::Born { admission: Admission(1) };
        let appended = slot_of(&Seen::Appended { node, position, record, forced: true });
        let durable = slot_of(&Seen::Durable { node, position, record });
        let crashed = slot_of(&Seen::Crashed { node });
        let kinds = SeenKinds::durable(&[RecordKind::Born]) | SeenKinds::CRASHED;
        assert_eq!([appended, durable, crashed].map(|slot| kinds.has(slot)), [false, true, true]);
        assert!(!SeenKinds::durable(&[RecordKind::Voted]).has(durable));
        for slot in [appended, durable, crashed] {
            assert!(SeenKinds::ALL.has(slot) && !SeenKinds::NONE.has(slot));
            assert!(slot < SeenKinds::SLOTS);
        }
    }
}

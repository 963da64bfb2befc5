//! A set of kinds of things seen, so that a step costs only the invariants that it concerns.

use std::ops::BitOr;

/// A set of kinds of [`Seen`](super::Seen); messages and records count by their own kind as well.
///
/// Every kind has a number, its *slot*. The constants and functions that name the kinds stand with
/// [`Seen`](super::Seen), which they are made from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeenKinds([u64; WORDS]);

const WORDS: usize = 4;
const BITS: usize = u64::BITS as usize;

impl SeenKinds {
    /// So many slots fit in.
    pub(super) const CAPACITY: usize = WORDS * BITS;

    /// Nothing: an invariant of the end of a run.
    pub const NONE: SeenKinds = SeenKinds([0; WORDS]);

    /// The kinds of both; in an expression that need not be constant, `|`.
    pub const fn union(self, other: SeenKinds) -> SeenKinds {
        let (SeenKinds(mut words), mut i) = (self, 0);
        while i < WORDS {
            words[i] |= other.0[i];
            i += 1;
        }
        SeenKinds(words)
    }

    /// These kinds and the one of `slot`.
    pub(super) const fn with(self, slot: usize) -> SeenKinds {
        let SeenKinds(mut words) = self;
        words[slot / BITS] |= 1 << (slot % BITS);
        SeenKinds(words)
    }

    /// The kinds of so many slots, from `first` on.
    pub(super) const fn of_slots(first: usize, count: usize) -> SeenKinds {
        let (mut kinds, mut slot) = (SeenKinds::NONE, first);
        while slot < first + count {
            kinds = kinds.with(slot);
            slot += 1;
        }
        kinds
    }

    /// Is what falls into `slot` one of these kinds?
    pub(super) fn has(self, slot: usize) -> bool {
        self.0[slot / BITS] & 1 << (slot % BITS) != 0
    }
}

impl BitOr for SeenKinds {
    type Output = SeenKinds;
    fn bitor(self, other: SeenKinds) -> SeenKinds {
        self.union(other)
    }
}

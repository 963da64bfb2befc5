//! What became of transactions that are over here, and what the low-water marks say of the others.

use super::{End, Participant};
use crate::proto::txn::Turn;
use crate::proto::{Defect, Header, LowWater, TxnId};

impl Participant {
    /// Remembers how the transaction has ended here. What the mark has passed it has passed for
    /// good: an abort that is heard of only then says no more than the mark does.
    pub(super) fn end(&mut self, txn: TxnId, end: End) {
        let is_said_by_mark = !matches!(end, End::Committed(_)) && self.mark_covers(txn);
        if !is_said_by_mark {
            self.outcomes.insert(txn, end);
        }
    }

    /// The transactions of which it remembers what became of them.
    pub fn remembered_outcomes(&self) -> impl Iterator<Item = TxnId> + '_ {
        self.outcomes.keys().copied()
    }

    pub(super) fn is_over(&self, txn: TxnId) -> bool {
        self.outcomes.contains_key(&txn) || self.mark_covers(txn)
    }

    pub(super) fn mark_covers(&self, txn: TxnId) -> bool {
        self.marks.get(&txn.begun_by()).is_some_and(|mark| mark.covers(txn))
    }

    /// Forgets the outcomes that the coordinator's low-water mark has passed.
    pub(super) fn learn_mark(&mut self, turn: &Turn<'_>, header: &Header) {
        let TxnId { coordinator, admission, .. } = header.txn;
        let known = self.marks.entry(header.txn.begun_by()).or_default();
        if header.low_water <= *known {
            return;
        }
        let (old, new) = (std::mem::replace(known, header.low_water), header.low_water);
        if turn.config.defects.has(Defect::OutcomesKept) {
            return;
        }
        let at = |mark: LowWater| TxnId {
            coordinator,
            admission,
            incarnation: mark.incarnation,
            counter: mark.counter,
        };
        while let Some((&txn, _)) = self.outcomes.range(at(old)..=at(new)).next() {
            self.outcomes.remove(&txn);
        }
    }
}

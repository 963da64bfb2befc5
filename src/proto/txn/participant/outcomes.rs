//! Outcomes of transactions that are over here, and what the low-water marks say of the others.

use std::collections::BTreeMap;

use crate::proto::{Answer, Defect, Defects, Header, LowWater, Member, Record, TxnId};

/// Outcomes of transactions that are over here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Outcomes {
    // Rebuilt from the log:
    /// Of these all but the node's own no.
    ends: BTreeMap<TxnId, End>,
    /// By coordinator: all its transactions up to here are over. Of records only those of a
    /// checkpoint say this.
    marks: BTreeMap<Member, LowWater>,
}

/// A transaction that is over here.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum End {
    Committed(Answer),
    /// By the decision, or by a promise that is forced.
    Aborted,
    /// This node's own no. Volatile.
    VotedNo,
}

impl Outcomes {
    /// Remembers how the transaction has ended here. What the mark has passed it has passed for
    /// good: an abort that is heard of only then says no more than the mark does.
    pub fn end(&mut self, txn: TxnId, end: End) {
        let is_said_by_mark = !matches!(end, End::Committed(_)) && self.mark_covers(txn);
        if !is_said_by_mark {
            self.ends.insert(txn, end);
        }
    }

    /// How the transaction has ended here, if that is remembered.
    pub fn get(&self, txn: TxnId) -> Option<&End> {
        self.ends.get(&txn)
    }

    /// Is it remembered that the transaction has committed?
    pub fn has_committed(&self, txn: TxnId) -> bool {
        matches!(self.get(txn), Some(End::Committed(_)))
    }

    /// Each transaction that is remembered, and how it has ended.
    pub fn iter(&self) -> impl Iterator<Item = (TxnId, &End)> {
        self.ends.iter().map(|(&txn, end)| (txn, end))
    }

    pub fn is_over(&self, txn: TxnId) -> bool {
        self.ends.contains_key(&txn) || self.mark_covers(txn)
    }

    pub fn mark_covers(&self, txn: TxnId) -> bool {
        self.marks.get(&txn.begun_by()).is_some_and(|mark| mark.covers(txn))
    }

    /// Forgets the outcomes that the coordinator's low-water mark has passed.
    pub fn learn_mark(&mut self, defects: Defects, header: &Header) {
        let TxnId { coordinator, admission, .. } = header.txn;
        let known = self.marks.entry(header.txn.begun_by()).or_default();
        if header.low_water <= *known {
            return;
        }
        let (old, new) = (std::mem::replace(known, header.low_water), header.low_water);
        if defects.has(Defect::OutcomesKept) {
            return;
        }
        let at = |mark: LowWater| TxnId {
            coordinator,
            admission,
            incarnation: mark.incarnation,
            counter: mark.counter,
        };
        while let Some((&txn, _)) = self.ends.range(at(old)..=at(new)).next() {
            self.ends.remove(&txn);
        }
    }
}

/// Recovery and checkpoints.
impl Outcomes {
    pub fn replay_mark(&mut self, coordinator: Member, low_water: LowWater) {
        self.marks.insert(coordinator, low_water);
    }

    /// The records that give these outcomes again.
    pub fn snapshot(&self, defects: Defects, records: &mut Vec<Record>) {
        for (&coordinator, &low_water) in &self.marks {
            let one_more = u32::from(defects.has(Defect::CheckpointMarkTooHigh));
            let low_water = LowWater { counter: low_water.counter + one_more, ..low_water };
            records.push(Record::Mark { coordinator, low_water });
        }
        for (&txn, outcome) in &self.ends {
            match outcome {
                End::Committed(answer) => {
                    records.push(Record::Settled { txn, answer: Some(answer.clone()) });
                }
                End::Aborted if defects.has(Defect::CheckpointWithoutPromises) => {}
                End::Aborted => records.push(Record::Settled { txn, answer: None }),
                End::VotedNo => {}
            }
        }
    }
}

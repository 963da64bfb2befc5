//! Recovery and checkpoints.

use super::outcomes::End;
use super::{InDoubt, Part, Participant};
use crate::proto::owner::{Answered, Owner, Pinned};
use crate::proto::{Age, Answer, Config, Defect, Defects, Path, Record, TxnId, Voted};

impl Participant {
    /// Takes over what one record says. What is asserted holds of every log of a sound node; with
    /// a defect a log may say anything.
    pub fn replay(&mut self, config: &Config, owner: &mut Owner, record: &Record) {
        match record {
            Record::Voted(voted) => {
                let is_left = |path: &&Path| !voted.voided.contains(path);
                let paths = voted.paths.iter().filter(is_left).cloned().collect();
                let vote = InDoubt { voted: voted.clone(), paths, inquiries: 0 };
                self.replay_vote(config, owner, vote);
            }
            Record::Applied { txn, request, answer } => {
                self.replay_applied(config, owner, *txn, answer);
                owner.answers.insert(*request, Answered::Done(answer.clone()));
            }
            Record::RolledBack { txn } => self.replay_rolled_back(config, owner, *txn),
            Record::Promised { txn } => self.replay_promised(config, *txn),
            Record::Settled { txn, answer } => {
                let outcome = answer.clone().map_or(End::Aborted, End::Committed);
                self.outcomes.end(*txn, outcome);
            }
            Record::Mark { coordinator, low_water } => {
                self.outcomes.replay_mark(*coordinator, *low_water);
            }
            // The coordinator's.
            Record::Decided(_) | Record::Over { .. } => {}
            // The node's own, in the same log.
            Record::Born { .. } | Record::Entered { .. } | Record::Complete { .. } => {}
            Record::Reset { .. } | Record::GaveUp { .. } | Record::Pulled { .. } => {}
            Record::Stored { .. } | Record::Answered { .. } | Record::Declined { .. } => {}
            Record::Forgotten { .. } => {}
            // Of the central node.
            Record::Queued { .. } | Record::Granted { .. } | Record::Left { .. } => {}
            Record::LockOver { .. } | Record::LastToken { .. } | Record::Admitted { .. } => {}
            Record::Recorded { .. } | Record::Lost { .. } | Record::Wanted { .. } => {}
            Record::Announced { .. } | Record::Activated { .. } | Record::Converged { .. } => {}
            Record::LossAccepted { .. } | Record::LongestLease { .. } => {}
        }
    }

    fn replay_vote(&mut self, config: &Config, owner: &mut Owner, vote: InDoubt) {
        let txn = vote.voted.txn;
        if !config.defects.has(Defect::RecoveryWithoutPins) {
            let age = Age { waited: vote.voted.waited, request: vote.voted.request };
            let pinned = owner.pin(config.defects, txn, age, &vote.paths);
            assert!(
                pinned == Pinned::All || !config.defects.is_empty(),
                "{txn} voted with pins that another had"
            );
        }
        let is_known = self.parts.contains_key(&txn) || self.outcomes.get(txn).is_some();
        assert!(!is_known || !config.defects.is_empty(), "{txn}: a second yes in the log");
        self.parts.insert(txn, Part::InDoubt(vote));
    }

    fn replay_applied(&mut self, config: &Config, owner: &mut Owner, txn: TxnId, answer: &Answer) {
        let part = self.parts.remove(&txn);
        assert!(part.is_some() || !config.defects.is_empty(), "{txn}: applied without a yes");
        if let Some(Part::InDoubt(vote)) = part {
            owner.apply(&vote.voted.changes);
            owner.unpin(txn, None, &vote.paths);
        }
        self.outcomes.end(txn, End::Committed(answer.clone()));
    }

    fn replay_rolled_back(&mut self, config: &Config, owner: &mut Owner, txn: TxnId) {
        let part = self.parts.remove(&txn);
        assert!(part.is_some() || !config.defects.is_empty(), "{txn}: rolled back without a yes");
        if let Some(Part::InDoubt(vote)) = part {
            owner.unpin(txn, None, &vote.paths);
        }
        self.outcomes.end(txn, End::Aborted);
    }

    fn replay_promised(&mut self, config: &Config, txn: TxnId) {
        let has_voted = self.parts.contains_key(&txn);
        assert!(!has_voted || !config.defects.is_empty(), "{txn}: a promise against its own yes");
        self.outcomes.end(txn, End::Aborted);
    }

    /// The records that give this state again.
    pub fn snapshot(&self, defects: Defects, records: &mut Vec<Record>) {
        self.outcomes.snapshot(defects, records);
        for part in self.parts.values() {
            if let Part::InDoubt(vote) = part {
                records.push(vote.record());
            }
        }
    }
}

impl InDoubt {
    pub(super) fn record(&self) -> Record {
        let is_voided = |path: &&Path| !self.paths.contains(path);
        let voided = self.voted.paths.iter().filter(is_voided).cloned().collect();
        Record::Voted(Voted { voided, ..self.voted.clone() })
    }
}

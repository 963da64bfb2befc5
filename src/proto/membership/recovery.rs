//! Recovery and checkpoints.

use super::Centre;
use crate::proto::{Defects, Epoch, Member, Record};

impl Centre {
    /// Takes over what one record says. What is asserted holds of every log of a sound centre; with
    /// a defect a log may say anything.
    pub fn replay(&mut self, defects: Defects, record: &Record) {
        let has_defects = !defects.is_empty();
        match record {
            Record::Admitted { member, incarnation } => {
                let is_new = member.admission > self.last_admission;
                assert!(is_new || has_defects, "{member} has a number that was given before");
                self.replay_admitted(*member, *incarnation);
            }
            Record::Recorded { member, entered, open } => {
                let is_new = !self.has_entered(*member, *entered);
                assert!(is_new || has_defects, "{member} reports on {entered} again");
                self.reports.record(*member, *entered, open);
            }
            Record::Lost { lost } => {
                self.lost.insert(lost.member, *lost);
            }
            Record::Wanted { wanted } => self.wanted = Some(wanted.clone()),
            Record::Announced { view } => {
                let newest = self.newest();
                assert!(view.epoch > newest || has_defects, "{} after {newest}", view.epoch);
                self.views.insert(view.epoch, view.clone());
            }
            Record::Activated { epoch } => {
                assert!(*epoch > self.active || has_defects, "{epoch} after {}", self.active);
                self.active = *epoch;
                let lease = self.views.get(epoch).map(|view| view.lock_lease);
                self.longest_lock_lease = self.longest_lock_lease.max(lease.unwrap_or_default());
            }
            Record::Converged { epoch } => {
                assert!(*epoch > self.settled || has_defects, "{epoch} after {}", self.settled);
                self.replay_converged(*epoch);
            }
            Record::LossAccepted { members } => self.replay_accepted(members),
            Record::LongestLease { span } => self.longest_lock_lease = *span,
            // The lock server's, in the same log.
            Record::Queued { .. } | Record::Granted { .. } | Record::Left { .. } => {}
            Record::LockOver { .. } | Record::LastToken { .. } | Record::Declined { .. } => {}
            Record::Forgotten { .. } => {}
            // Of storage nodes.
            Record::Born { .. } | Record::Entered { .. } | Record::Complete { .. } => {}
            Record::Reset { .. } | Record::GaveUp { .. } | Record::Pulled { .. } => {}
            Record::Stored { .. } | Record::Answered { .. } | Record::Voted(_) => {}
            Record::Promised { .. } | Record::Applied { .. } | Record::RolledBack { .. } => {}
            Record::Settled { .. } | Record::Mark { .. } | Record::Decided(_) => {}
            Record::Over { .. } => {}
        }
    }

    /// The records that give this state again.
    pub fn snapshot(&self) -> Vec<Record> {
        let admissions = self.admissions.iter();
        let mut admissions: Vec<_> = admissions.map(|(node, given)| (*given, *node)).collect();
        admissions.sort_unstable(); // as they were given
        let admitted = admissions.into_iter().map(|((admission, incarnation), node)| {
            Record::Admitted { member: Member { node, admission }, incarnation }
        });
        let mut records: Vec<Record> = admitted.collect();
        records.extend(self.reports.snapshot());
        records.extend(self.lost.values().map(|&lost| Record::Lost { lost }));
        records.extend(self.wanted.clone().map(|wanted| Record::Wanted { wanted }));
        for (&epoch, view) in &self.views {
            records.push(Record::Announced { view: view.clone() });
            if epoch <= self.active {
                records.push(Record::Activated { epoch });
            }
        }
        if self.settled > Epoch::default() {
            records.push(Record::Converged { epoch: self.settled });
        }
        if !self.given_up.is_empty() {
            let members = self.given_up.iter().copied().collect();
            records.push(Record::LossAccepted { members });
        }
        records.push(Record::LongestLease { span: self.longest_lock_lease });
        records
    }
}

//! Recovery and checkpoints.

use super::Centre;
use crate::proto::{Epoch, Member, Record};

impl Centre {
    /// Takes over what one record says.
    pub fn replay(&mut self, record: &Record) {
        match record {
            Record::Admitted { member, incarnation } => {
                self.replay_admitted(*member, *incarnation);
            }
            Record::Recorded { member, entered, open } => {
                self.reports.record(*member, *entered, open);
            }
            Record::Lost { lost } => {
                self.lost.insert(lost.member, *lost);
            }
            Record::Wanted { wanted } => self.wanted = Some(wanted.clone()),
            Record::Announced { view } => {
                self.views.insert(view.epoch, view.clone());
            }
            Record::Activated { epoch } => {
                self.active = *epoch;
                let lease = self.views.get(epoch).map(|view| view.lock_lease);
                self.longest_lock_lease = self.longest_lock_lease.max(lease.unwrap_or_default());
            }
            Record::Converged { epoch } => self.replay_converged(*epoch),
            Record::LossAccepted { members } => self.replay_accepted(members),
            Record::LongestLease { span } => self.longest_lock_lease = *span,
            // The lock server's, in the same log.
            Record::Queued { .. } | Record::Granted { .. } | Record::Left { .. } => {}
            Record::LockOver { .. } | Record::LastToken { .. } | Record::Declined { .. } => {}
            Record::Forgotten { .. } => {}
            // Of storage nodes.
            Record::Born { .. } | Record::Entered { .. } | Record::Complete { .. } => {}
            Record::Reset { .. } | Record::GaveUp { .. } | Record::Pulled { .. } => {}
            Record::Stored { .. } | Record::Answered { .. } | Record::Voted { .. } => {}
            Record::Promised { .. } | Record::Applied { .. } | Record::RolledBack { .. } => {}
            Record::Settled { .. } | Record::Mark { .. } | Record::Decided { .. } => {}
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

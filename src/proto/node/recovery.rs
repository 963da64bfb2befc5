//! Recovery and checkpoints.

use super::Node;
use crate::proto::handover::{self, Pulled};
use crate::proto::owner::Answered;
use crate::proto::{Admission, Arcs, Defect, Defects, Epoch, Outbox, Record, Token};

impl Node {
    /// Takes over what one record says. What is asserted holds of every log of a sound node; with
    /// a defect a log may say anything.
    pub(super) fn replay(&mut self, record: &Record) {
        match record {
            Record::Born { admission } => self.replay_born(*admission),
            Record::Entered { epoch, complete } => self.replay_entered(*epoch, complete),
            Record::Pulled { files, answers, replaced } => {
                let (owner, participant) = (&mut self.owner, &mut self.participant);
                let pulled = Pulled { files, answers, replaced };
                handover::replay_pulled(&self.config, owner, participant, &pulled);
            }
            Record::Complete { epoch, arcs } => self.standing.replay_complete(*epoch, arcs),
            Record::Reset { epoch, arcs } => {
                self.standing.replay_complete(*epoch, arcs);
                let (owner, participant) = (&mut self.owner, &mut self.participant);
                handover::replay_reset(&self.config, owner, participant, arcs);
            }
            Record::GaveUp { epoch, keeps } => {
                self.standing.replay_gave_up(*epoch);
                self.drop_all_but(keeps);
            }
            Record::Declined { request, refusal } => {
                if !self.config.defects.has(Defect::RefusalForgottenAtAStart) {
                    self.owner.answers.insert(*request, Answered::Declined(*refusal));
                }
            }
            Record::Stored { path, file } => {
                self.owner.files.insert(path.clone(), file.clone());
            }
            Record::Answered { request, answer } => {
                self.owner.answers.insert(*request, Answered::Done(answer.clone()));
            }
            Record::Forgotten { client, incarnation, lowest } => {
                self.owner.answers.forget_below(*client, *incarnation, *lowest);
            }
            Record::Decided(_) | Record::Over { .. } => {
                self.coordinator.replay(self.config.defects, &mut self.owner, record);
            }
            Record::Voted(_)
            | Record::Promised { .. }
            | Record::Applied { .. }
            | Record::RolledBack { .. }
            | Record::Settled { .. }
            | Record::Mark { .. } => {
                self.participant.replay(&self.config, &mut self.owner, record);
            }
            // Of the central node, and in no log of a storage node.
            Record::Queued { .. } | Record::Granted { .. } | Record::Left { .. } => {}
            Record::LockOver { .. } | Record::LastToken { .. } | Record::Admitted { .. } => {}
            Record::Recorded { .. } | Record::Lost { .. } | Record::Wanted { .. } => {}
            Record::Announced { .. } | Record::Activated { .. } | Record::Converged { .. } => {}
            Record::LossAccepted { .. } | Record::LongestLease { .. } => {}
        }
    }

    fn replay_born(&mut self, admission: Admission) {
        let (before, has_defects) = (self.standing.member(), !self.config.defects.is_empty());
        assert!(before.is_none() || has_defects, "{} is admitted twice", self.id);
        self.standing.replay_born(admission);
    }

    fn replay_entered(&mut self, epoch: Epoch, complete: &Arcs) {
        let (before, has_defects) = (self.standing.epoch(), !self.config.defects.is_empty());
        assert!(epoch > before || has_defects, "{} enters {epoch} after {before}", self.id);
        self.standing.replay_entered(epoch, complete);
    }

    pub(super) fn checkpoint_if_due(&mut self, appended: u64, out: &mut Outbox) {
        self.records_since_checkpoint += appended as u32;
        if self.records_since_checkpoint >= self.config.checkpoint_records {
            self.records_since_checkpoint = 0;
            out.checkpoint(self.snapshot(self.config.defects));
        }
    }

    /// The records that give this node's durable state again, as a checkpoint writes them.
    pub fn durable_state(&self) -> Vec<Record> {
        self.snapshot(Defects::default())
    }

    fn snapshot(&self, defects: Defects) -> Vec<Record> {
        let mut records = Vec::new();
        self.standing.snapshot(&mut records);
        for (path, file) in &self.owner.files {
            let mut file = file.clone();
            if defects.has(Defect::CheckpointWithoutFences) {
                file.fence = Token::default();
            }
            records.push(Record::Stored { path: path.clone(), file });
        }
        for (client, incarnation, lowest) in self.owner.answers.marks() {
            records.push(Record::Forgotten { client, incarnation, lowest });
        }
        for (&request, answered) in self.owner.answers.iter() {
            records.push(match answered {
                Answered::Done(answer) => Record::Answered { request, answer: answer.clone() },
                Answered::Declined(_) if defects.has(Defect::CheckpointWithoutRefusals) => continue,
                Answered::Declined(refusal) => Record::Declined { request, refusal: *refusal },
            });
        }
        self.coordinator.snapshot(&mut records);
        self.participant.snapshot(defects, &mut records);
        records
    }
}

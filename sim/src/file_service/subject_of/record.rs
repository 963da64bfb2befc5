//! What each record is about.

use seedbed::machine::NodeId;
use seedbed::proto::{Decided, Record, RecordKind, Voted};

use super::{Subject, Subjects, Topic, Transfer};

impl Topic {
    /// What kind of thing the records of `kind` are about.
    pub fn of_record(kind: RecordKind) -> Topic {
        match kind {
            RecordKind::Voted
            | RecordKind::Promised
            | RecordKind::Declined
            | RecordKind::Decided
            | RecordKind::Applied
            | RecordKind::RolledBack
            | RecordKind::Over => Topic::Transaction,
            RecordKind::Queued | RecordKind::Granted | RecordKind::Left => Topic::Lock,
            RecordKind::Pulled | RecordKind::Complete | RecordKind::Reset => Topic::Transfer,
            RecordKind::Entered
            | RecordKind::GaveUp
            | RecordKind::Recorded
            | RecordKind::Announced
            | RecordKind::Activated
            | RecordKind::Converged => Topic::View,
            // What the centre is told, and the numbers that it gives.
            RecordKind::Admitted | RecordKind::Wanted | RecordKind::LossAccepted => Topic::Other,
            // Of a machine's own start, and what only a checkpoint holds.
            RecordKind::Born
            | RecordKind::Stored
            | RecordKind::Answered
            | RecordKind::Settled
            | RecordKind::Mark
            | RecordKind::Forgotten
            | RecordKind::LockOver
            | RecordKind::LastToken
            | RecordKind::Lost
            | RecordKind::LongestLease => Topic::Other,
        }
    }
}

impl Subjects {
    /// What a record in the log of `node` is about.
    pub fn of_record(node: NodeId, record: &Record) -> Subjects {
        let mut subjects = Subjects::default();
        subjects.add_record(node, record);
        subjects
    }

    pub(crate) fn add_record(&mut self, node: NodeId, record: &Record) {
        match record {
            Record::Voted(Voted { txn, request, paths, .. }) => {
                self.add(*txn);
                self.add(*request);
                self.extend(paths.iter().map(Subject::from));
            }
            Record::Decided(Decided { txn, request, changes, .. }) => {
                self.add(*txn);
                self.add(*request);
                self.extend(changes.iter().map(|(path, _)| Subject::from(path)));
            }
            Record::Applied { txn, request, .. } => {
                self.add(*txn);
                self.add(*request);
            }
            Record::Promised { txn }
            | Record::RolledBack { txn }
            | Record::Over { txn }
            | Record::Settled { txn, .. } => self.add(*txn),
            Record::Declined { request, .. }
            | Record::Answered { request, .. }
            | Record::LockOver { request, .. } => self.add(*request),
            Record::Queued { path, request }
            | Record::Granted { path, request, .. }
            | Record::Left { path, request } => {
                self.add(path);
                self.add(*request);
            }
            Record::Stored { path, .. } => self.add(path),
            Record::Pulled { files, .. } => {
                self.add(Transfer { receiver: node, source: None });
                self.extend(files.iter().map(|(path, _)| Subject::from(path)));
            }
            Record::Complete { epoch, .. } | Record::Reset { epoch, .. } => {
                self.add(Transfer { receiver: node, source: None });
                self.add(*epoch);
            }
            Record::Announced { view } => self.add(view.epoch),
            Record::Entered { epoch, .. }
            | Record::GaveUp { epoch, .. }
            | Record::Activated { epoch }
            | Record::Converged { epoch } => self.add(*epoch),
            Record::LossAccepted { members } => {
                self.extend(members.iter().map(|member| Subject::from(member.node)));
            }
            Record::Born { .. } => self.add(node),
            Record::Recorded { member, entered, .. } => {
                self.add(*entered);
                self.add(member.node);
            }
            Record::Lost { lost } => self.add(lost.member.node),
            Record::Admitted { member, .. } => self.add(member.node),
            Record::Wanted { .. } | Record::Mark { .. } => {}
            Record::Forgotten { .. } | Record::LastToken { .. } | Record::LongestLease { .. } => {}
        }
    }
}

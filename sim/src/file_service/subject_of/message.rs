//! What each message is about.

use seedbed::machine::NodeId;
use seedbed::proto::{Keep, Message, MessageKind, Operation};

use super::{Subject, Subjects, Topic, Transfer};

impl Topic {
    /// What kind of thing the messages of `kind` are about.
    pub fn of_message(kind: MessageKind) -> Topic {
        match kind {
            MessageKind::Begin
            | MessageKind::Ended
            | MessageKind::Fetch
            | MessageKind::Fetched
            | MessageKind::Prepare
            | MessageKind::Ready
            | MessageKind::Execute
            | MessageKind::Executed
            | MessageKind::Commit
            | MessageKind::Committed
            | MessageKind::Abort
            | MessageKind::Inquire
            | MessageKind::Decline
            | MessageKind::Declined
            | MessageKind::Told
            | MessageKind::Resolve
            | MessageKind::Resolved => Topic::Transaction,
            MessageKind::Read => Topic::File,
            MessageKind::Acquire
            | MessageKind::KeepAlive
            | MessageKind::Release
            | MessageKind::Granted
            | MessageKind::KeptAlive
            | MessageKind::NotKept
            | MessageKind::LockRefused
            | MessageKind::Released => Topic::Lock,
            MessageKind::Pull | MessageKind::Chunk => Topic::Transfer,
            MessageKind::Entered | MessageKind::Noted => Topic::View,
            MessageKind::Completed | MessageKind::Views => Topic::View,
            MessageKind::Heartbeat | MessageKind::Alive | MessageKind::Watch => Topic::Presence,
            MessageKind::Admit | MessageKind::Admitted | MessageKind::Departed => Topic::Other,
        }
    }
}

impl Subjects {
    /// What a message that goes `from` one machine `to` another is about.
    pub fn of_message(from: NodeId, to: NodeId, message: &Message) -> Subjects {
        let mut subjects = Subjects::default();
        subjects.add_message(from, to, message);
        subjects
    }

    pub(crate) fn add_message(&mut self, from: NodeId, to: NodeId, message: &Message) {
        match message {
            Message::Begin { request, operations, .. } => {
                self.add(*request);
                self.add_paths(operations.iter());
            }
            Message::Ended { request, .. } => self.add(*request),
            Message::Fetch { txn, path, .. } | Message::Fetched { txn, path, .. } => {
                self.add(*txn);
                self.add(path);
            }
            Message::Prepare { header, terms, paths, .. } => {
                self.add(header.txn);
                self.add(terms.request);
                self.extend(paths.iter().map(Subject::from));
            }
            Message::Execute { header, work, .. } => {
                self.add(header.txn);
                self.add_paths(work.iter().map(|(_, operation)| operation));
            }
            Message::Ready { txn, .. } | Message::Executed { txn, .. } => self.add(*txn),
            Message::Commit { header, .. } | Message::Abort { header } => self.add(header.txn),
            Message::Decline { header, request, paths, .. } => {
                self.add(header.txn);
                self.add(*request);
                self.extend(paths.iter().map(Subject::from));
            }
            Message::Declined { txn }
            | Message::Committed { txn }
            | Message::Inquire { txn, .. }
            | Message::Told { txn, .. }
            | Message::Resolve { txn, .. }
            | Message::Resolved { txn, .. } => self.add(*txn),
            Message::Read { request, path, .. }
            | Message::Acquire { request, path, .. }
            | Message::Release { request, path, .. }
            | Message::Granted { request, path, .. }
            | Message::LockRefused { request, path, .. }
            | Message::Released { request, path } => {
                self.add(*request);
                self.add(path);
            }
            Message::KeepAlive { path, keep, .. } | Message::NotKept { path, keep } => {
                self.add(path);
                match keep {
                    Keep::Waiting(request) => self.add(*request),
                    Keep::Holding(_) => {}
                }
            }
            Message::KeptAlive { path, .. } => self.add(path),
            Message::Pull { epoch, .. } => {
                self.add(*epoch);
                self.add(Transfer { receiver: from, source: Some(to) });
            }
            Message::Chunk { epoch, files, .. } => {
                self.add(*epoch);
                self.add(Transfer { receiver: to, source: Some(from) });
                self.extend(files.iter().map(|(path, _)| Subject::from(path)));
            }
            Message::Entered { epoch, .. }
            | Message::Noted { epoch, .. }
            | Message::Completed { epoch, .. }
            | Message::Departed { epoch, .. } => self.add(*epoch),
            Message::Views { views, .. } => {
                self.extend(views.last().map(|newest| Subject::from(newest.epoch)));
            }
            Message::Heartbeat { .. } => self.add(Subject::Lease(from)),
            Message::Alive { .. } => self.add(Subject::Lease(to)),
            Message::Admit { .. } => self.add(from),
            Message::Admitted { .. } => self.add(to),
            Message::Watch { .. } => {}
        }
    }

    pub(crate) fn add_paths<'a>(&mut self, operations: impl IntoIterator<Item = &'a Operation>) {
        self.extend(operations.into_iter().map(|operation| Subject::from(&operation.path)));
    }
}

#[cfg(test)]
mod tests {
    use seedbed::machine::Incarnation;
    use seedbed::proto::{Admission, Arcs, Epoch};

    use super::*;

    #[test]
    fn a_pull_and_its_chunk_are_about_one_transfer() {
        let (new, old) = (NodeId::storage(1), NodeId::storage(2));
        let (epoch, incarnation, pull) = (Epoch(2), Incarnation(1), 1);
        let (level, owner, arcs) = (Epoch(1), Admission(2), Arcs::all());
        let asks = Message::Pull { epoch, pull, incarnation, level, owner, arcs, after: None };
        let told = Message::Chunk {
            epoch,
            pull,
            incarnation,
            after: None,
            files: [].into(),
            doubtful: Arcs::default(),
            answers: [].into(),
            end: None,
        };
        let transfer = Transfer { receiver: new, source: Some(old) };
        let expected = Subjects::of(transfer).and(epoch);
        assert_eq!(Subjects::of_message(new, old, &asks), expected);
        assert_eq!(Subjects::of_message(old, new, &told), expected);
    }

    #[test]
    fn an_admission_is_about_the_node_whichever_way_the_message_goes() {
        let node = NodeId::storage(1);
        let incarnation = Incarnation(1);
        let asked = Message::Admit { incarnation };
        let given = Message::Admitted { incarnation, admission: Admission(1) };
        assert_eq!(Subjects::of_message(node, NodeId::CONTROL, &asked), Subjects::of(node));
        assert_eq!(Subjects::of_message(NodeId::CONTROL, node, &given), Subjects::of(node));
    }
}

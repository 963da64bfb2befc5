//! What each message is about.

use seedbed::machine::NodeId;
use seedbed::proto::{
    Chunk, Ended, FileRequest, FromCentre, Keep, LockAnswer, LockRequest, Message, MessageKind,
    Operation, Path, Pull, ToCentre, TxnMessage, Views,
};

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
            Message::FileRequest(FileRequest::Begin { request, operations, .. }) => {
                self.add(*request);
                self.add_paths(operations.iter());
            }
            Message::FileRequest(FileRequest::Read { request, path, .. }) => {
                self.add(*request);
                self.add(path);
            }
            Message::Ended(Ended { request, .. }) => self.add(*request),
            Message::Txn(message) => self.add_txn_message(message),
            Message::LockRequest(request) => self.add_lock_request(request),
            Message::LockAnswer(answer) => self.add_lock_answer(answer),
            Message::ToCentre(message) => self.add_to_centre(from, message),
            Message::FromCentre(message) => self.add_from_centre(to, message),
            Message::Views(Views { views, .. }) => {
                self.extend(views.last().map(|newest| Subject::from(newest.epoch)));
            }
            Message::Pull(Pull { epoch, .. }) => {
                self.add(*epoch);
                self.add(Transfer { receiver: from, source: Some(to) });
            }
            Message::Chunk(Chunk { epoch, files, .. }) => {
                self.add(*epoch);
                self.add(Transfer { receiver: to, source: Some(from) });
                self.extend(files.iter().map(|(path, _)| Subject::from(path)));
            }
        }
    }

    fn add_txn_message(&mut self, message: &TxnMessage) {
        self.add(message.txn());
        match message {
            TxnMessage::Fetch { path, .. } | TxnMessage::Fetched { path, .. } => self.add(path),
            TxnMessage::Prepare { terms, paths, .. } => {
                self.add(terms.request);
                self.extend(paths.iter().map(Subject::from));
            }
            TxnMessage::Execute { work, .. } => {
                self.add_paths(work.iter().map(|(_, operation)| operation));
            }
            TxnMessage::Decline { request, paths, .. } => {
                self.add(*request);
                self.extend(paths.iter().map(Subject::from));
            }
            TxnMessage::Ready { .. } | TxnMessage::Executed { .. } => {}
            TxnMessage::Commit { .. } | TxnMessage::Committed { .. } => {}
            TxnMessage::Abort { .. } | TxnMessage::Declined { .. } => {}
            TxnMessage::Inquire { .. } | TxnMessage::Told { .. } => {}
        }
    }

    fn add_lock_request(&mut self, request: &LockRequest) {
        match request {
            LockRequest::Acquire { request, path, .. }
            | LockRequest::Release { request, path, .. } => {
                self.add(*request);
                self.add(path);
            }
            LockRequest::KeepAlive { path, keep, .. } => self.add_kept(path, *keep),
        }
    }

    fn add_lock_answer(&mut self, answer: &LockAnswer) {
        match answer {
            LockAnswer::Granted { request, path, .. }
            | LockAnswer::LockRefused { request, path, .. }
            | LockAnswer::Released { request, path } => {
                self.add(*request);
                self.add(path);
            }
            LockAnswer::NotKept { path, keep } => self.add_kept(path, *keep),
            LockAnswer::KeptAlive { path, .. } => self.add(path),
        }
    }

    fn add_kept(&mut self, path: &Path, keep: Keep) {
        self.add(path);
        match keep {
            Keep::Waiting(request) => self.add(request),
            Keep::Holding(_) => {}
        }
    }

    fn add_to_centre(&mut self, from: NodeId, message: &ToCentre) {
        match message {
            ToCentre::Resolve { txn, .. } => self.add(*txn),
            ToCentre::Admit { .. } => self.add(from),
            ToCentre::Heartbeat { .. } => self.add(Subject::Lease(from)),
            ToCentre::Entered { epoch, .. }
            | ToCentre::Completed { epoch, .. }
            | ToCentre::Departed { epoch, .. } => self.add(*epoch),
            ToCentre::Watch { .. } => {}
        }
    }

    fn add_from_centre(&mut self, to: NodeId, message: &FromCentre) {
        match message {
            FromCentre::Resolved { txn, .. } => self.add(*txn),
            FromCentre::Admitted { .. } => self.add(to),
            FromCentre::Alive { .. } => self.add(Subject::Lease(to)),
            FromCentre::Noted { epoch, .. } => self.add(*epoch),
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
        let (new, old) = (NodeId::node(1), NodeId::node(2));
        let (epoch, incarnation, pull) = (Epoch(2), Incarnation(1), 1);
        let (level, owner, arcs) = (Epoch(1), Admission(2), Arcs::all());
        let asks =
            Message::Pull(Pull { epoch, pull, incarnation, level, owner, arcs, after: None });
        let told = Message::Chunk(Chunk {
            epoch,
            pull,
            incarnation,
            after: None,
            files: [].into(),
            doubtful: Arcs::default(),
            answers: [].into(),
            end: None,
        });
        let transfer = Transfer { receiver: new, source: Some(old) };
        let expected = Subjects::of(transfer).and(epoch);
        assert_eq!(Subjects::of_message(new, old, &asks), expected);
        assert_eq!(Subjects::of_message(old, new, &told), expected);
    }

    #[test]
    fn an_admission_is_about_the_node_whichever_way_the_message_goes() {
        let node = NodeId::node(1);
        let incarnation = Incarnation(1);
        let asked = Message::ToCentre(ToCentre::Admit { incarnation });
        let given =
            Message::FromCentre(FromCentre::Admitted { incarnation, admission: Admission(1) });
        assert_eq!(Subjects::of_message(node, NodeId::CONTROL, &asked), Subjects::of(node));
        assert_eq!(Subjects::of_message(NodeId::CONTROL, node, &given), Subjects::of(node));
    }
}

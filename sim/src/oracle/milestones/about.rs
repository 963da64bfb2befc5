//! What a milestone belongs to, and what a message or a record does.

use seedbed::proto::{Epoch, Keep, Message, NodeId, Path, Record, RequestId, TxnId};

/// What a milestone belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// A transaction.
    Txn(TxnId),
    /// A lock, and which request wants, has or had it.
    Lock(Path, Option<RequestId>),
    /// A request.
    Request(RequestId),
    /// A view; where a node comes or goes with it, the milestone is reached at that node.
    View(Epoch),
    /// A node that is admitted or has departed: the one at which the milestone is reached.
    Member,
    /// A hand-over: who pulls, and from whom where that is seen.
    Move {
        /// The new owner.
        receiver: NodeId,
        /// An owner of an earlier epoch.
        source: Option<NodeId>,
    },
    /// A machine or a link.
    Nothing,
}

/// What a message that goes `from` one machine `to` another belongs to.
pub(super) fn about_message(from: NodeId, to: NodeId, message: &Message) -> About {
    match message {
        Message::Begin { request, .. }
        | Message::Read { request, .. }
        | Message::Ended { request, .. } => About::Request(*request),
        Message::Prepare { header, .. }
        | Message::Execute { header, .. }
        | Message::Commit { header, .. }
        | Message::Abort { header } => About::Txn(header.txn),
        Message::Fetch { txn, .. }
        | Message::Fetched { txn, .. }
        | Message::Ready { txn, .. }
        | Message::Executed { txn, .. }
        | Message::Committed { txn }
        | Message::Inquire { txn, .. }
        | Message::Recall { txn, .. }
        | Message::Recalled { txn, .. }
        | Message::Told { txn, .. } => About::Txn(*txn),
        Message::Acquire { path, request, .. }
        | Message::Release { path, request, .. }
        | Message::Granted { path, request, .. }
        | Message::LockRefused { path, request, .. }
        | Message::Released { path, request } => About::Lock(path.clone(), Some(*request)),
        Message::KeepAlive { path, keep, .. } | Message::NotKept { path, keep } => {
            let request = match keep {
                Keep::Waiting(request) => Some(*request),
                Keep::Holding(_) => None,
            };
            About::Lock(path.clone(), request)
        }
        Message::KeptAlive { path, .. } => About::Lock(path.clone(), None),
        Message::Pull { .. } => About::Move { receiver: from, source: Some(to) },
        Message::Chunk { .. } => About::Move { receiver: to, source: Some(from) },
        Message::Entered { epoch, .. } | Message::Completed { epoch, .. } => About::View(*epoch),
        Message::Views { views, .. } => {
            views.last().map_or(About::Nothing, |newest| About::View(newest.epoch))
        }
        Message::Admit { .. } | Message::Admitted { .. } | Message::Heartbeat { .. } => {
            About::Nothing
        }
        Message::Alive { .. } | Message::Departed { .. } | Message::Watch { .. } => About::Nothing,
    }
}

/// What a record in the log of `node` belongs to.
pub(super) fn about_record(node: NodeId, record: &Record) -> About {
    match record {
        Record::Voted { txn, .. }
        | Record::Promised { txn }
        | Record::Decided { txn, .. }
        | Record::Applied { txn, .. }
        | Record::RolledBack { txn }
        | Record::Over { txn }
        | Record::Orphaned { txn }
        | Record::Settled { txn, .. } => About::Txn(*txn),
        Record::Declined { request, .. } | Record::Answered { request, .. } => {
            About::Request(*request)
        }
        Record::Queued { path, request }
        | Record::Granted { path, request, .. }
        | Record::Left { path, request } => About::Lock(path.clone(), Some(*request)),
        Record::Born { .. } | Record::Stored { .. } | Record::Mark { .. } => About::Nothing,
        Record::LockOver { request, .. } => About::Request(*request),
        Record::Presumed { .. } | Record::Forgotten { .. } | Record::LastToken { .. } => {
            About::Nothing
        }
        Record::Pulled { .. } | Record::Complete { .. } => {
            About::Move { receiver: node, source: None }
        }
        Record::Announced { view } => About::View(view.epoch),
        Record::Entered { epoch, .. } | Record::GaveUp { epoch, .. } => About::View(*epoch),
        Record::Activated { epoch } | Record::Converged { epoch } => About::View(*epoch),
        Record::LossAccepted { accepted } => About::View(accepted.epoch),
        Record::Admitted { .. } | Record::Wanted { .. } => About::Nothing,
        Record::LongestLease { .. } => About::Nothing,
    }
}

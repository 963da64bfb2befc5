//! What steps, milestones and the facts of a violation are about.

use std::fmt;

use seedbed::proto::{Epoch, NodeId, Path, RequestId, TxnId};

/// Something that a step, a milestone or a fact of a violation can be about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A transaction.
    Txn(TxnId),
    /// A request of a user.
    Request(RequestId),
    /// A file, or the lock of that name.
    Path(Path),
    /// A view: how it comes into force, who enters it, what is handed over in it.
    Epoch(Epoch),
    /// A node's membership lease: its heartbeats and what they are answered.
    Lease(NodeId),
    /// A machine: its clock, its log, its disk.
    Machine(NodeId),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Txn(txn) => txn.fmt(f),
            Subject::Request(request) => request.fmt(f),
            Subject::Path(path) => path.fmt(f),
            Subject::Epoch(epoch) => epoch.fmt(f),
            Subject::Lease(node) => write!(f, "the lease of {node}"),
            Subject::Machine(node) => node.fmt(f),
        }
    }
}

impl From<TxnId> for Subject {
    fn from(txn: TxnId) -> Subject {
        Subject::Txn(txn)
    }
}

impl From<RequestId> for Subject {
    fn from(request: RequestId) -> Subject {
        Subject::Request(request)
    }
}

impl From<Epoch> for Subject {
    fn from(epoch: Epoch) -> Subject {
        Subject::Epoch(epoch)
    }
}

impl From<NodeId> for Subject {
    fn from(machine: NodeId) -> Subject {
        Subject::Machine(machine)
    }
}

impl From<&Path> for Subject {
    fn from(path: &Path) -> Subject {
        Subject::Path(path.clone())
    }
}

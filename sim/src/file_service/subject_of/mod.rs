//! What messages, records and milestones of the file service are about.
//!
//! `message.rs` says it of each message, `record.rs` of each record. From the [`Topic`] follow the
//! roles that a milestone binds. The [`Subjects`] say which machine plays such a role, and which
//! steps a report shows.

mod message;
mod record;

use std::fmt;

use seedbed::machine::{NodeId, RequestId};
use seedbed::proto::{Epoch, Path, TxnId};

use crate::subject::{self, Standing};

/// Something that a step, a milestone or a fact of a violation can be about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A transaction.
    Txn(TxnId),
    /// A request of a user.
    Request(RequestId),
    /// A file, or the lock of that name: the tokens of the lock guard the file.
    Path(Path),
    /// A view: how it comes into force, which nodes enter it, what is handed over in it.
    Epoch(Epoch),
    /// A node's membership lease: its heartbeats and what they are answered.
    Lease(NodeId),
    /// A machine: its clock, its log, its disk.
    Machine(NodeId),
    /// A data transfer.
    Transfer(Transfer),
}

/// A data transfer: what a new owner pulls from an owner of an earlier epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Transfer {
    /// The new owner.
    pub receiver: NodeId,
    /// The owner of an earlier epoch, where it is seen.
    pub source: Option<NodeId>,
}

impl subject::Subject for Subject {
    fn standing(&self) -> Standing {
        match self {
            Subject::Txn(_) => Standing::Attempt,
            Subject::Request(_) => Standing::Request,
            Subject::Path(_) => Standing::Object,
            Subject::Epoch(_) => Standing::Undertaking,
            Subject::Lease(_) => Standing::Upkeep,
            Subject::Machine(_) => Standing::Machine,
            Subject::Transfer(_) => Standing::Exchange,
        }
    }
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
            Subject::Transfer(Transfer { receiver, source: None }) => {
                write!(f, "the transfer to {receiver}")
            }
            Subject::Transfer(Transfer { receiver, source: Some(source) }) => {
                write!(f, "the transfer from {source} to {receiver}")
            }
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

impl From<&Path> for Subject {
    fn from(path: &Path) -> Subject {
        Subject::Path(path.clone())
    }
}

impl From<NodeId> for Subject {
    fn from(machine: NodeId) -> Subject {
        Subject::Machine(machine)
    }
}

impl From<Transfer> for Subject {
    fn from(transfer: Transfer) -> Subject {
        Subject::Transfer(transfer)
    }
}

/// What kind of thing a milestone, a message or a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// A transaction.
    Transaction,
    /// One file, which is read at one owner without a transaction.
    File,
    /// A lock.
    Lock,
    /// A data transfer.
    Transfer,
    /// A view.
    View,
    /// A node that comes with a view.
    Joiner,
    /// A node that goes with a view.
    Leaver,
    /// Which machines are there and which view they know: heartbeats and their answers.
    Presence,
    /// A machine, a link, a request, or what only a checkpoint holds.
    Other,
}

impl Topic {
    /// Every topic.
    pub const ALL: &[Topic] = &[
        Topic::Transaction,
        Topic::File,
        Topic::Lock,
        Topic::View,
        Topic::Joiner,
        Topic::Leaver,
        Topic::Transfer,
        Topic::Presence,
        Topic::Other,
    ];
}

/// What something is about, all in all.
pub type Subjects = subject::Subjects<Subject>;

/// The first subject of each sort.
impl Subjects {
    /// The first transaction.
    pub fn txn(&self) -> Option<TxnId> {
        self.iter().find_map(|subject| match subject {
            Subject::Txn(txn) => Some(*txn),
            _ => None,
        })
    }

    /// The first request.
    pub fn request(&self) -> Option<RequestId> {
        self.iter().find_map(|subject| match subject {
            Subject::Request(request) => Some(*request),
            _ => None,
        })
    }

    /// The first path.
    pub fn path(&self) -> Option<&Path> {
        self.iter().find_map(|subject| match subject {
            Subject::Path(path) => Some(path),
            _ => None,
        })
    }

    /// The first epoch.
    pub fn epoch(&self) -> Option<Epoch> {
        self.iter().find_map(|subject| match subject {
            Subject::Epoch(epoch) => Some(*epoch),
            _ => None,
        })
    }

    /// The first machine.
    pub fn machine(&self) -> Option<NodeId> {
        self.iter().find_map(|subject| match subject {
            Subject::Machine(node) => Some(*node),
            _ => None,
        })
    }

    /// The first data transfer.
    pub fn transfer(&self) -> Option<Transfer> {
        self.iter().find_map(|subject| match subject {
            Subject::Transfer(transfer) => Some(*transfer),
            _ => None,
        })
    }
}

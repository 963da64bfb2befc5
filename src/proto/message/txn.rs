//! Two-phase commit, between storage nodes.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Header, Known, No, Terms, Vote, Work};
use crate::machine::{Incarnation, RequestId};
use crate::proto::{Admission, Answer, Epoch, File, Path, Refusal, TxnId};

/// Between storage nodes: two-phase commit.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TxnMessage {
    /// Asks an owner for a file that the transaction will move elsewhere.
    Fetch {
        /// Which transaction.
        txn: TxnId,
        /// The epoch of the coordinator.
        epoch: Epoch,
        /// The file.
        path: Path,
    },
    /// The file as it stands, or why the owner does not show it.
    Fetched {
        /// Which transaction.
        txn: TxnId,
        /// The file's name.
        path: Path,
        /// What is stored.
        file: Result<File, No>,
    },
    /// Asks a participant to pin its paths (`staged`) or to execute and vote (`two_phase`).
    Prepare {
        /// Which transaction.
        header: Header,
        /// The epoch of the coordinator.
        epoch: Epoch,
        /// What a voter needs to know.
        terms: Terms,
        /// The paths to pin.
        paths: Arc<[Path]>,
        /// The operations, where Prepare carries them (`two_phase`).
        work: Option<Work>,
    },
    /// The paths are pinned, in this life of the participant.
    Ready {
        /// Which transaction.
        txn: TxnId,
        /// The life that pinned.
        pinned_in: Incarnation,
    },
    /// Asks a participant that is ready to execute and vote.
    Execute {
        /// Which transaction.
        header: Header,
        /// The epoch of the coordinator.
        epoch: Epoch,
        /// The life of the participant whose pin this builds on.
        pinned_in: Incarnation,
        /// The operations.
        work: Work,
    },
    /// The participant's vote.
    Executed {
        /// Which transaction.
        txn: TxnId,
        /// Yes or no.
        vote: Vote,
    },
    /// The decision to commit.
    Commit {
        /// Which transaction.
        header: Header,
        /// Which admission of the participant has voted.
        voter: Admission,
        /// The whole answer to the request.
        answer: Answer,
    },
    /// The participant has applied the transaction, durably.
    Committed {
        /// Which transaction.
        txn: TxnId,
    },
    /// The decision to abort.
    Abort {
        /// Which transaction.
        header: Header,
    },
    /// The transaction aborts because its request is refused: the participant is to promise that no
    /// attempt at it ever gets its yes (managed membership).
    Decline {
        /// Which transaction.
        header: Header,
        /// The epoch of the coordinator.
        epoch: Epoch,
        /// Which request.
        request: RequestId,
        /// Why it is refused.
        refusal: Refusal,
        /// The paths of the request that the participant owns.
        paths: Arc<[Path]>,
    },
    /// The promise that `Decline` asks for is durable, and the participant is in doubt about no
    /// attempt at the request.
    Declined {
        /// Which transaction.
        txn: TxnId,
    },
    /// A participant in doubt asks for the outcome of a transaction.
    Inquire {
        /// Which transaction.
        txn: TxnId,
        /// Which admission of the node that is asked took part.
        asked: Admission,
    },
    /// The outcome of the transaction, as far as the node that was asked knows it.
    Told {
        /// Which transaction.
        txn: TxnId,
        /// What is known.
        known: Known,
    },
}

impl TxnMessage {
    /// Which transaction it is about.
    pub fn txn(&self) -> TxnId {
        match self {
            TxnMessage::Prepare { header, .. }
            | TxnMessage::Execute { header, .. }
            | TxnMessage::Commit { header, .. }
            | TxnMessage::Abort { header }
            | TxnMessage::Decline { header, .. } => header.txn,
            TxnMessage::Fetch { txn, .. }
            | TxnMessage::Fetched { txn, .. }
            | TxnMessage::Ready { txn, .. }
            | TxnMessage::Executed { txn, .. }
            | TxnMessage::Committed { txn }
            | TxnMessage::Declined { txn }
            | TxnMessage::Inquire { txn, .. }
            | TxnMessage::Told { txn, .. } => *txn,
        }
    }
}

//! What must survive a crash: everything else is rebuilt from these.
//!
//! A record is *forced* (nothing behind it leaves the node until it is durable) or *lazy* (durable
//! with the next forced one, and lost only as part of the tail). Which of the two each one is
//! stands beside it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::message::{LowWater, Results};
use super::{
    Admission, Answer, Epoch, File, Incarnation, NodeId, Path, Refusal, RequestId, Token, TxnId,
};

/// New states of paths, as a transaction leaves them: the redo part of a vote or decision.
pub type Changes = Arc<[(Path, File)]>;

macro_rules! records {
    ($($(#[$doc:meta])* $variant:ident $name:literal { $($(#[$fdoc:meta])* $field:ident: $type:ty,)* })*) => {
        /// A record of the log.
        #[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Record {
            $($(#[$doc])* $variant { $($(#[$fdoc])* $field: $type,)* },)*
        }

        /// What kind of record one is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum RecordKind {
            $($(#[$doc])* $variant,)*
        }

        impl Record {
            /// Which kind it is.
            pub fn kind(&self) -> RecordKind {
                match self { $(Record::$variant { .. } => RecordKind::$variant,)* }
            }
        }

        impl RecordKind {
            /// Every kind there is.
            pub const ALL: &[RecordKind] = &[$(RecordKind::$variant,)*];

            /// The name used in scenario files and traces.
            pub fn name(self) -> &'static str {
                match self { $(RecordKind::$variant => $name,)* }
            }
        }
    };
}

records! {
    /// Storage, forced, once: the node is a member since this epoch. An empty log claims nothing.
    Born "born" {
        /// Under which admission.
        admission: Admission,
        /// Since which epoch.
        epoch: Epoch,
    }
    /// Participant, forced: its yes. From here on only the decision releases the pins.
    Voted "voted" {
        /// Which transaction.
        txn: TxnId,
        /// The request that it serves.
        request: RequestId,
        /// Everyone who votes, the coordinator left out.
        participants: Arc<[NodeId]>,
        /// The paths that are pinned.
        paths: Arc<[Path]>,
        /// What a commit does here.
        changes: Changes,
        /// What the vote said of each operation.
        results: Results,
    }
    /// Participant, forced: its promise never to vote for the transaction.
    Promised "promised" {
        /// Which transaction.
        txn: TxnId,
    }
    /// Owner, forced: no attempt at the request will ever get this owner's yes.
    Declined "declined" {
        /// Which request.
        request: RequestId,
        /// Why.
        refusal: Refusal,
    }
    /// Coordinator, forced: the commit point. Holds the coordinator's own part as an owner.
    Decided "decided" {
        /// Which transaction.
        txn: TxnId,
        /// The request that it serves.
        request: RequestId,
        /// Everyone who voted, the coordinator left out.
        participants: Arc<[NodeId]>,
        /// What the commit does at the coordinator itself.
        changes: Changes,
        /// The whole answer.
        answer: Answer,
    }
    /// Participant, forced: it has applied the transaction.
    Applied "applied" {
        /// Which transaction.
        txn: TxnId,
        /// The request that it serves.
        request: RequestId,
        /// The whole answer.
        answer: Answer,
    }
    /// Participant, lazy: the transaction it was in doubt about has aborted.
    RolledBack "rolled_back" {
        /// Which transaction.
        txn: TxnId,
    }
    /// Coordinator, lazy: every participant has acknowledged the commit.
    Over "over" {
        /// Which transaction.
        txn: TxnId,
    }
    /// Checkpoint: a path as stored.
    Stored "stored" {
        /// The path.
        path: Path,
        /// What is stored.
        file: File,
    }
    /// Checkpoint: the answer that a request was given.
    Answered "answered" {
        /// Which request.
        request: RequestId,
        /// The whole answer.
        answer: Answer,
    }
    /// Checkpoint: the outcome of a transaction that its coordinator has not declared over.
    Settled "settled" {
        /// Which transaction.
        txn: TxnId,
        /// The answer of a commit; `None` for an abort.
        answer: Option<Answer>,
    }
    /// Checkpoint: a coordinator's low-water mark.
    Mark "mark" {
        /// Whose.
        coordinator: NodeId,
        /// Up to where everything is over.
        low_water: LowWater,
    }
    /// Checkpoint: what a client does not wait for any more.
    Forgotten "forgotten" {
        /// Which client.
        client: NodeId,
        /// In which life.
        incarnation: Incarnation,
        /// The lowest request number that it still waits for.
        lowest: u32,
    }
    /// Lock server, forced: a request has its place in line.
    Queued "queued" {
        /// The path whose lock it is.
        path: Path,
        /// Which request.
        request: RequestId,
    }
    /// Lock server, forced: the lock is granted.
    Granted "grant" {
        /// The path whose lock it is.
        path: Path,
        /// To which request.
        request: RequestId,
        /// The fencing token.
        token: Token,
    }
    /// Lock server: a request has left the line or the lock (lazy), or never got there (forced).
    Left "left" {
        /// The path whose lock it is.
        path: Path,
        /// Which request.
        request: RequestId,
    }
    /// Checkpoint: a request for a lock that has held it, or was refused.
    LockOver "lock_over" {
        /// Which request.
        request: RequestId,
        /// Was it refused?
        refused: bool,
    }
    /// Checkpoint: the last token granted.
    LastToken "last_token" {
        /// The token.
        token: Token,
    }
}

/// What replaces the log up to a position: records that, replayed, give the same state.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Snapshot {
    /// The position in the log of the first record that the snapshot does not hold.
    pub covers: u64,
    /// The state.
    pub records: Arc<[Record]>,
}

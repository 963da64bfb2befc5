//! What must survive a crash: everything else is rebuilt from these.
//!
//! A record is *forced* (nothing behind it leaves the node until it is durable) or *lazy* (durable
//! with the next forced one, and lost only as part of the tail). Which of the two each one is
//! stands beside it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::message::{Handed, LowWater, Open, Results};
use super::{
    Admission, Answer, Arcs, Epoch, File, Lost, Member, Path, Refusal, Token, TxnId, View, Wanted,
};
use crate::machine::{Incarnation, NodeId, RequestId, Span};

/// New states of paths, as a transaction leaves them: the redo part of a vote or decision.
pub type Changes = Arc<[(Path, File)]>;

/// What a participant promises with its yes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Voted {
    /// Which transaction.
    pub txn: TxnId,
    /// The epoch in which it is given.
    pub epoch: Epoch,
    /// The request that it serves.
    pub request: RequestId,
    /// How long that had waited: with its pins the vote keeps their age.
    pub waited: Span,
    /// The participants, without the coordinator.
    pub participants: Arc<[Member]>,
    /// The paths that are pinned.
    pub paths: Arc<[Path]>,
    /// In a checkpoint: those of them where the vote counts no more.
    pub voided: Arc<[Path]>,
    /// What a commit does here.
    pub changes: Changes,
    /// What the vote said of each operation.
    pub results: Results,
    /// How many operations the request has.
    pub operations: u8,
}

/// The commit record of a coordinator; an abort has none.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Decided {
    /// Which transaction.
    pub txn: TxnId,
    /// The epoch of the attempt, in which the coordinator executed its own operations.
    pub epoch: Epoch,
    /// The request that it serves.
    pub request: RequestId,
    /// The participants, without the coordinator.
    pub participants: Arc<[Member]>,
    /// What the commit does at the coordinator itself.
    pub changes: Changes,
    /// The whole answer.
    pub answer: Answer,
}

macro_rules! records {
    ($($(#[$doc:meta])* $variant:ident $name:literal $fields:tt)*) => {
        /// A record of the log.
        #[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Record {
            $($(#[$doc])* $variant $fields,)*
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
    /// Storage, forced, once: the node's admission. An empty log claims nothing.
    Born "born" {
        /// Under which number.
        admission: Admission,
    }
    /// Storage, forced: the node has left every epoch before this one, and never goes back.
    Entered "entered" {
        /// The epoch.
        epoch: Epoch,
        /// Where it is a complete owner from the start, having been one without interruption.
        complete: Arcs,
    }
    /// Storage, forced: a part of what was pulled from another owner.
    Pulled "pulled" {
        /// Paths as the source had them.
        files: Arc<[(Path, File)]>,
        /// With the last part: what the source knew of requests.
        answers: Arc<[Handed]>,
        /// With the last part: where all of this replaces what the node had, its votes included.
        replaced: Arcs,
    }
    /// Storage, forced: the node is a complete owner here: it has all that was ever committed, or
    /// is in doubt about it.
    Complete "complete" {
        /// In which epoch.
        epoch: Epoch,
        /// Where.
        arcs: Arcs,
    }
    /// Storage, forced: all that was committed here is given up. The node drops what it has, its
    /// votes included, and is a complete owner here: no file exists.
    Reset "reset" {
        /// In which epoch.
        epoch: Epoch,
        /// Where.
        arcs: Arcs,
    }
    /// Storage, forced: the epoch has settled, and the node gives up what it claims of earlier
    /// ones, and its copies of all that it does not own.
    GaveUp "gave_up" {
        /// The epoch.
        epoch: Epoch,
        /// What it owns in that epoch.
        keeps: Arcs,
    }
    /// Participant, forced: its yes. From here on only the decision releases the pins.
    Voted "voted" (Voted)
    /// Participant, forced: its promise never to vote for the transaction.
    Promised "promised" {
        /// Which transaction.
        txn: TxnId,
    }
    /// Owner, forced: no attempt at the request will ever get this owner's yes. Lock server,
    /// forced: the request gets no place in line, because the disk is full.
    Declined "declined" {
        /// Which request.
        request: RequestId,
        /// Why.
        refusal: Refusal,
    }
    /// Coordinator, forced: the commit point. Holds the coordinator's own part as an owner.
    Decided "decided" (Decided)
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
        /// The coordinator whose mark it is.
        coordinator: Member,
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
    /// Centre, forced: a number is given to a node; no two nodes or disks ever have the same one.
    Admitted "admission" {
        /// The node and its number.
        member: Member,
        /// The life that asked, with an empty log; it is given no other number.
        incarnation: Incarnation,
    }
    /// Centre, forced: a member has left every epoch before this one. It gets no lease before.
    Recorded "recorded" {
        /// Which.
        member: Member,
        /// The epoch.
        entered: Epoch,
        /// The transactions of the epochs before that are open at it.
        open: Arc<[Open]>,
    }
    /// Checkpoint: a member that is lost.
    Lost "lost" {
        /// Which, and what is known of it.
        lost: Lost,
    }
    /// Centre, forced: what the operator wants.
    Wanted "wanted" {
        /// All of it.
        wanted: Wanted,
    }
    /// Centre, forced: the next view. From here on no lease of the one before is renewed.
    Announced "announced" {
        /// The view.
        view: View,
    }
    /// Centre, forced: every member of the epoch before has left it, or its lease is over.
    Activated "activated" {
        /// Which epoch is in force now.
        epoch: Epoch,
    }
    /// Centre, forced: every owner in this epoch is complete.
    Converged "converged" {
        /// The epoch.
        epoch: Epoch,
    }
    /// Centre, forced: the operator gives these members up, which are lost. The next view says so.
    LossAccepted "loss_accepted" {
        /// The members, in the order of their names.
        members: Arc<[Member]>,
    }
    /// Checkpoint: the longest lease that a lock was ever granted for.
    LongestLease "longest_lease" {
        /// How long.
        span: Span,
    }
}

//! The milestones of the file service: what they are about, and which comes after which.

#[cfg(test)]
mod tests;

use seedbed::proto::{FileService, MessageKind, RecordKind};

use super::subject_of::Topic;
use crate::milestone;

/// A milestone of a run of the file service.
pub type Milestone = milestone::Milestone<FileService>;

macro_rules! named {
    ($($(#[doc = $doc:literal])* $const:ident $variant:ident = $name:literal, $topic:ident, $follows:expr;)*) => {
        crate::names! {
            /// A milestone that only the file service has.
            pub enum Named {
                $($(#[doc = $doc])* $variant = $name,)*
            }
        }

        impl Milestone {
            $($(#[doc = $doc])* pub const $const: Milestone = Milestone::System(Named::$variant);)*
        }

        impl Named {
            /// What kind of thing it is about.
            fn topic(self) -> Topic {
                match self { $(Named::$variant => Topic::$topic,)* }
            }

            /// The milestone that comes before it in its story, if any does.
            pub(super) fn follows(self) -> Option<Milestone> {
                match self { $(Named::$variant => $follows,)* }
            }
        }
    };
}

named! {
    /// a transaction shows itself for the first time, by a message or by its decision
    TRANSACTION_BEGUN TransactionBegun = "transaction_begun", Transaction, None;
    /// every participant of a staged transaction has answered Ready
    ALL_READY AllReady = "all_ready", Transaction, Some(Milestone::TRANSACTION_BEGUN);
    /// every participant's yes vote has reached the coordinator
    ALL_VOTED AllVoted = "all_voted", Transaction, Some(Milestone::ALL_READY);
    /// a coordinator's decision to commit is durable
    DECIDED Decided = "decided", Transaction, Some(Milestone::ALL_VOTED);
    /// every participant of a committed transaction has acknowledged
    TRANSACTION_OVER TransactionOver = "transaction_over", Transaction, Some(Milestone::DECIDED);
    /// a coordinator has announced an abort
    TRANSACTION_ABORTED TransactionAborted = "transaction_aborted", Transaction, Some(Milestone::TRANSACTION_BEGUN);
    /// a transaction was refused because an older one has its path
    CONFLICT Conflict = "conflict", Transaction, Some(Milestone::TRANSACTION_BEGUN);
    /// a participant's yes vote is durable and it has not learnt the decision
    PARTICIPANT_IN_DOUBT ParticipantInDoubt = "participant_in_doubt", Transaction, Some(Milestone::Durable(RecordKind::Voted));
    /// a participant leaves an epoch while it is in doubt about a transaction
    EPOCH_LEFT_IN_DOUBT EpochLeftInDoubt = "epoch_left_in_doubt", Transaction, Some(Milestone::PARTICIPANT_IN_DOUBT);
    /// a coordinator leaves the epoch of a transaction whose votes it has not got
    EPOCH_LEFT_UNDECIDED EpochLeftUndecided = "epoch_left_undecided", Transaction, Some(Milestone::TRANSACTION_BEGUN);
    /// a participant learnt the decision from another participant
    TOLD_BY_PARTICIPANT ToldByParticipant = "told_by_participant", Transaction, Some(Milestone::PARTICIPANT_IN_DOUBT);
    /// a lock was granted
    LOCK_GRANTED LockGranted = "lock_granted", Lock, Some(Milestone::Received(MessageKind::Acquire));
    /// a request stands in line for a lock
    LOCK_QUEUED LockQueued = "lock_queued", Lock, Some(Milestone::Received(MessageKind::Acquire));
    /// a holder gave its lock back
    LOCK_RELEASED LockReleased = "lock_released", Lock, Some(Milestone::LOCK_GRANTED);
    /// a lock was taken from a holder that did not keep it alive
    LEASE_EXPIRED LeaseExpired = "lease_expired", Lock, Some(Milestone::LOCK_GRANTED);
    /// a waiter that did not keep its place alive was taken out of the line
    WAITER_EXPIRED WaiterExpired = "waiter_expired", Lock, Some(Milestone::LOCK_QUEUED);
    /// a new holder has raised the fence of its path at all owners
    CLAIM_COMMITTED ClaimCommitted = "claim_committed", Lock, Some(Milestone::LOCK_GRANTED);
    /// an owner refused a write for its token
    WRITE_FENCED WriteFenced = "write_fenced", Transaction, Some(Milestone::CLAIM_COMMITTED);
    /// a client tries a request again
    REQUEST_RETRIED RequestRetried = "request_retried", Other, None;
    /// an owner or coordinator refused what came from another epoch than its own
    STALE_EPOCH_REFUSED StaleEpochRefused = "stale_epoch_refused", Transaction, Some(Milestone::VIEW_ANNOUNCED);
    /// a node refused for want of a running lease, or of what it has yet to pull
    NOT_READY_REFUSED NotReadyRefused = "not_ready_refused", Transaction, None;
    /// a decision reached a voter after a hand-over had voided its vote
    LATE_DECISION LateDecision = "late_decision", Transaction, Some(Milestone::PARTICIPANT_IN_DOUBT);
    /// the centre told a participant in doubt how the transaction ends
    DOUBT_RESOLVED DoubtResolved = "doubt_resolved", Transaction, Some(Milestone::PARTICIPANT_IN_DOUBT);
    /// a coordinator crashed while it was waiting for participants to be ready
    CRASHED_PREPARING CrashedPreparing = "crashed_preparing", Other, Some(Milestone::CRASHED);
    /// a coordinator crashed while it was collecting votes
    CRASHED_VOTING CrashedVoting = "crashed_voting", Other, Some(Milestone::CRASHED);
    /// a coordinator crashed after its decision was durable, before all had acknowledged
    CRASHED_COMMITTING CrashedCommitting = "crashed_committing", Other, Some(Milestone::CRASHED);
    /// a participant crashed while it was in doubt
    CRASHED_IN_DOUBT CrashedInDoubt = "crashed_in_doubt", Other, Some(Milestone::CRASHED);
    /// a storage node was given a number that no node has had
    NODE_ADMITTED NodeAdmitted = "node_admitted", Joiner, Some(Milestone::Received(MessageKind::Admit));
    /// a view was laid down
    VIEW_ANNOUNCED ViewAnnounced = "view_announced", View, None;
    /// a view came into force
    VIEW_ACTIVE ViewActive = "view_active", View, Some(Milestone::VIEW_ANNOUNCED);
    /// every owner of a view is complete
    VIEW_SETTLED ViewSettled = "view_settled", View, Some(Milestone::VIEW_ACTIVE);
    /// a client learnt of a view
    VIEW_LEARNT ViewLearnt = "view_learnt", View, Some(Milestone::VIEW_ANNOUNCED);
    /// a view has a node that no view before it had
    NODE_JOINED NodeJoined = "node_joined", Joiner, Some(Milestone::VIEW_ANNOUNCED);
    /// a view has a node again, or under a new admission
    NODE_REJOINED NodeRejoined = "node_rejoined", Joiner, Some(Milestone::VIEW_ANNOUNCED);
    /// a view lacks a node of the view before that is still wanted
    NODE_DECLARED_GONE NodeDeclaredGone = "node_declared_gone", Leaver, Some(Milestone::VIEW_ANNOUNCED);
    /// a view lacks a node of the view before that is wanted no more
    NODE_LEFT NodeLeft = "node_left", Leaver, Some(Milestone::VIEW_ANNOUNCED);
    /// a node that is no member any more is needed for nothing
    NODE_DEPARTED NodeDeparted = "node_departed", Leaver, Some(Milestone::VIEW_SETTLED);
    /// a view came into force without word from a member of the view before: its lease was over
    MEMBERSHIP_LEASE_EXPIRED MembershipLeaseExpired = "membership_lease_expired", View, Some(Milestone::VIEW_ANNOUNCED);
    /// the operator accepted that what lost disks had is lost
    LOSS_ACCEPTED LossAccepted = "loss_accepted", Other, None;
    /// a node asked for the first of what it has to pull in an epoch
    HAND_OVER_BEGUN HandOverBegun = "hand_over_begun", Transfer, Some(Milestone::VIEW_ANNOUNCED);
    /// a node that has pulled said that it is complete in its epoch
    HAND_OVER_DONE HandOverDone = "hand_over_done", Transfer, Some(Milestone::ARC_COMPLETED);
    /// source or receiver crashed in a hand-over, or the receiver entered another epoch
    HAND_OVER_INTERRUPTED HandOverInterrupted = "hand_over_interrupted", Transfer, Some(Milestone::HAND_OVER_BEGUN);
    /// a node crashed that another was pulling from
    SOURCE_CRASHED SourceCrashed = "source_crashed", Transfer, Some(Milestone::HAND_OVER_BEGUN);
    /// a node crashed before it had pulled all that it owns
    RECEIVER_CRASHED ReceiverCrashed = "receiver_crashed", Transfer, Some(Milestone::HAND_OVER_BEGUN);
    /// a node is a complete owner of arcs that it has pulled
    ARC_COMPLETED ArcCompleted = "arc_completed", Transfer, Some(Milestone::HAND_OVER_BEGUN);
    /// an owner testified that nothing was committed on its arcs in an epoch
    WITNESS_ANSWERED WitnessAnswered = "witness_answered", Transfer, Some(Milestone::HAND_OVER_BEGUN);
    /// a participant is in doubt about a path that gets another owner
    IN_DOUBT_ON_A_MOVING_ARC InDoubtOnAMovingArc = "in_doubt_on_a_moving_arc", Transaction, Some(Milestone::PARTICIPANT_IN_DOUBT);
    /// a source handed over without a path that it is in doubt about
    HAND_OVER_WAITS_FOR_DECISION HandOverWaitsForDecision = "hand_over_waits_for_decision", Transfer, Some(Milestone::HAND_OVER_BEGUN);
}

/// Does a log get such a record by itself? Others stand only in checkpoints, and no run reaches
/// anything with them.
pub(super) fn is_logged(kind: RecordKind) -> bool {
    match kind {
        RecordKind::Stored | RecordKind::Answered | RecordKind::Settled => false,
        RecordKind::Mark | RecordKind::Forgotten => false,
        RecordKind::LockOver | RecordKind::LastToken | RecordKind::LongestLease => false,
        RecordKind::Lost => false,
        RecordKind::Born | RecordKind::Entered | RecordKind::Pulled => true,
        RecordKind::Complete | RecordKind::Reset | RecordKind::GaveUp => true,
        RecordKind::Voted => true,
        RecordKind::Promised | RecordKind::Declined | RecordKind::Decided => true,
        RecordKind::Applied | RecordKind::RolledBack => true,
        RecordKind::Over | RecordKind::Queued | RecordKind::Granted => true,
        RecordKind::Left | RecordKind::Admitted | RecordKind::Announced => true,
        RecordKind::Activated | RecordKind::Converged | RecordKind::Wanted => true,
        RecordKind::LossAccepted | RecordKind::Recorded => true,
    }
}

impl Milestone {
    /// What kind of thing it is about.
    pub fn topic(self) -> Topic {
        match self {
            Milestone::General(_) => Topic::Other,
            Milestone::System(named) => named.topic(),
            Milestone::Sent(kind) | Milestone::Received(kind) | Milestone::Lost(kind) => {
                Topic::of_message(kind)
            }
            Milestone::Appended(kind) | Milestone::Durable(kind) => Topic::of_record(kind),
        }
    }
}

//! What can happen in a run, by name: what a fault may wait for and a scenario may demand.
//!
//! Beside the named ones below, every message kind gives `<kind>_sent`, `<kind>_received` and
//! `<kind>_lost`, every record kind `<kind>_appended` and `<kind>_durable`.
//!
//! From the [`Topic`] of a milestone follow the roles that it binds.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use seedbed::proto::{MessageKind, RecordKind};

use crate::subject_of::Topic;

macro_rules! named {
    ($($(#[doc = $doc:literal])* $const:ident = $name:literal, $topic:ident;)*) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        #[repr(u16)]
        enum Index { $($const,)* Count }

        impl Milestone {
            $($(#[doc = $doc])* pub const $const: Milestone = Milestone(Index::$const as u16);)*
        }

        const NAMED: &[(&str, Topic, &str)] =
            &[$(($name, Topic::$topic, concat!($($doc,)*).trim_ascii()),)*];
    };
}

/// Something that can happen in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Milestone(u16);

named! {
    /// a transaction shows itself for the first time, by a message or by its decision
    TRANSACTION_BEGUN = "transaction_begun", Transaction;
    /// every participant of a staged transaction has answered Ready
    ALL_READY = "all_ready", Transaction;
    /// every participant's yes vote has reached the coordinator
    ALL_VOTED = "all_voted", Transaction;
    /// a coordinator's decision to commit is durable
    DECIDED = "decided", Transaction;
    /// every participant of a committed transaction has acknowledged
    TRANSACTION_OVER = "transaction_over", Transaction;
    /// a coordinator has announced an abort
    TRANSACTION_ABORTED = "transaction_aborted", Transaction;
    /// a transaction was refused because an older one has its path
    CONFLICT = "conflict", Transaction;
    /// a participant's yes vote is durable and it has not learnt the decision
    PARTICIPANT_IN_DOUBT = "participant_in_doubt", Transaction;
    /// a participant learnt the decision from another participant
    TOLD_BY_PARTICIPANT = "told_by_participant", Transaction;
    /// a lock was granted
    LOCK_GRANTED = "lock_granted", Lock;
    /// a request stands in line for a lock
    LOCK_QUEUED = "lock_queued", Lock;
    /// a holder gave its lock back
    LOCK_RELEASED = "lock_released", Lock;
    /// a lock was taken from a holder that did not keep it alive
    LEASE_EXPIRED = "lease_expired", Lock;
    /// a waiter that did not keep its place alive was taken out of the line
    WAITER_EXPIRED = "waiter_expired", Lock;
    /// a new holder has raised the fence of its path at all owners
    CLAIM_COMMITTED = "claim_committed", Lock;
    /// an owner refused a write for its token
    WRITE_FENCED = "write_fenced", Transaction;
    /// a client tries a request again
    REQUEST_RETRIED = "request_retried", Other;
    /// a client answered: done, acquired or released
    REQUEST_DONE = "request_done", Other;
    /// a client answered: refused
    REQUEST_REFUSED = "request_refused", Other;
    /// a client answered: unknown
    REQUEST_UNKNOWN = "request_unknown", Other;
    /// an owner or coordinator refused what came from another epoch than its own
    STALE_EPOCH_REFUSED = "stale_epoch_refused", Transaction;
    /// a node refused for want of a running lease, or of what it has yet to pull
    NOT_READY_REFUSED = "not_ready_refused", Transaction;
    /// a decision reached a voter after a hand-over had voided its vote
    LATE_DECISION = "late_decision", Transaction;
    /// a participant whose coordinator's disk is gone learnt the outcome from the others
    ORPHAN_SETTLED = "orphan_settled", Transaction;
    /// a machine crashed
    CRASHED = "crashed", Other;
    /// a coordinator crashed while it was waiting for participants to be ready
    CRASHED_PREPARING = "crashed_preparing", Other;
    /// a coordinator crashed while it was collecting votes
    CRASHED_VOTING = "crashed_voting", Other;
    /// a coordinator crashed after its decision was durable, before all had acknowledged
    CRASHED_COMMITTING = "crashed_committing", Other;
    /// a participant crashed while it was in doubt
    CRASHED_IN_DOUBT = "crashed_in_doubt", Other;
    /// a machine started again
    RESTARTED = "restarted", Other;
    /// a storage node found its log corrupt and refused to start
    REFUSED_TO_START = "refused_to_start", Other;
    /// a crash lost records that were not durable
    RECORDS_LOST = "records_lost", Other;
    /// a crash tore a record in the middle
    RECORD_TORN = "record_torn", Other;
    /// a crash left a record as long as it was, with zeros at its end
    RECORD_ZERO_FILLED = "record_zero_filled", Other;
    /// a crash left a record with a hole, and what is behind that
    RECORD_HOLED = "record_holed", Other;
    /// a disk stalled: no sync ends
    DISK_STALLED = "disk_stalled", Other;
    /// a disk is full: its machine refuses new work
    DISK_FULL = "disk_full", Other;
    /// a disk that was full has room again
    DISK_HAS_ROOM = "disk_has_room", Other;
    /// a node replaced the head of its log by a checkpoint
    CHECKPOINT_WRITTEN = "checkpoint_written", Other;
    /// a storage node was given a number that no node has had
    NODE_ADMITTED = "node_admitted", Joiner;
    /// a view was laid down
    VIEW_ANNOUNCED = "view_announced", View;
    /// a view came into force
    VIEW_ACTIVE = "view_active", View;
    /// every owner of a view is complete
    VIEW_SETTLED = "view_settled", View;
    /// a client learnt of a view
    VIEW_LEARNT = "view_learnt", View;
    /// a view has a node that no view before it had
    NODE_JOINED = "node_joined", Joiner;
    /// a view has a node again, or under a new admission
    NODE_REJOINED = "node_rejoined", Joiner;
    /// a view lacks a node of the view before that is still wanted
    NODE_DECLARED_GONE = "node_declared_gone", Leaver;
    /// a view lacks a node of the view before that is wanted no more
    NODE_LEFT = "node_left", Leaver;
    /// a node that is no member any more is needed for nothing
    NODE_DEPARTED = "node_departed", Leaver;
    /// a view came into force without word from a member of the view before: its lease was over
    MEMBERSHIP_LEASE_EXPIRED = "membership_lease_expired", View;
    /// the operator gave up what only lost disks could prove
    LOSS_ACCEPTED = "loss_accepted", Other;
    /// a node asked for the first of what it has to pull in an epoch
    HAND_OVER_BEGUN = "hand_over_begun", Transfer;
    /// a node that has pulled said that it is complete in its epoch
    HAND_OVER_DONE = "hand_over_done", Transfer;
    /// source or receiver crashed in a hand-over, or the receiver entered another epoch
    HAND_OVER_INTERRUPTED = "hand_over_interrupted", Transfer;
    /// a node crashed that another was pulling from
    SOURCE_CRASHED = "source_crashed", Transfer;
    /// a node crashed before it had pulled all that it owns
    RECEIVER_CRASHED = "receiver_crashed", Transfer;
    /// a node is a complete owner of arcs that it has pulled
    ARC_COMPLETED = "arc_completed", Transfer;
    /// an owner testified that nothing was committed on its arcs in an epoch
    WITNESS_ANSWERED = "witness_answered", Transfer;
    /// a participant is in doubt about a path that gets another owner
    IN_DOUBT_ON_A_MOVING_ARC = "in_doubt_on_a_moving_arc", Transaction;
    /// a source handed over no more than what precedes a path that it is in doubt about
    HAND_OVER_WAITS_FOR_DECISION = "hand_over_waits_for_decision", Transfer;
    /// a machine stopped for a while
    PAUSED = "paused", Other;
    /// a machine goes on
    RESUMED = "resumed", Other;
    /// links were cut
    PARTITIONED = "partitioned", Other;
    /// a message was lost on the network
    MESSAGE_LOST = "message_lost", Other;
    /// a copy of a message in flight appeared
    MESSAGE_DUPLICATED = "message_duplicated", Other;
    /// a node's clock jumped
    CLOCK_JUMPED = "clock_jumped", Other;
}

const MESSAGES: u16 = Index::Count as u16;
const RECORDS: u16 = MESSAGES + 3 * MessageKind::ALL.len() as u16;
const COUNT: u16 = RECORDS + 2 * RecordKind::ALL.len() as u16;

static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let named = NAMED.iter().map(|(name, ..)| (*name).to_owned());
    let messages = MessageKind::ALL
        .iter()
        .flat_map(|kind| ["sent", "received", "lost"].map(|end| format!("{}_{end}", kind.name())));
    let records = RecordKind::ALL
        .iter()
        .flat_map(|kind| ["appended", "durable"].map(|end| format!("{}_{end}", kind.name())));
    named.chain(messages).chain(records).collect()
});

impl Milestone {
    /// How many there are; [`Milestone::index`] is below it.
    pub const COUNT: usize = COUNT as usize;

    /// A message of this kind was sent.
    pub fn sent(kind: MessageKind) -> Milestone {
        Milestone(MESSAGES + 3 * kind as u16)
    }

    /// A message of this kind was received.
    pub fn received(kind: MessageKind) -> Milestone {
        Milestone(MESSAGES + 3 * kind as u16 + 1)
    }

    /// A message of this kind was lost.
    pub fn lost(kind: MessageKind) -> Milestone {
        Milestone(MESSAGES + 3 * kind as u16 + 2)
    }

    /// A record of this kind was appended to a log.
    pub fn appended(kind: RecordKind) -> Milestone {
        Milestone(RECORDS + 2 * kind as u16)
    }

    /// A record of this kind became durable.
    pub fn durable(kind: RecordKind) -> Milestone {
        Milestone(RECORDS + 2 * kind as u16 + 1)
    }

    /// Every milestone.
    pub fn all() -> impl Iterator<Item = Milestone> {
        (0..COUNT).map(Milestone)
    }

    /// Is it about a record that only a checkpoint holds? No log gets one by itself, so no run
    /// reaches it.
    pub fn is_of_checkpoints(self) -> bool {
        let record = self.0.checked_sub(RECORDS).map(|at| RecordKind::ALL[usize::from(at / 2)]);
        record.is_some_and(|kind| match kind {
            RecordKind::Stored | RecordKind::Answered | RecordKind::Settled => true,
            RecordKind::Mark | RecordKind::Presumed | RecordKind::Forgotten => true,
            RecordKind::LockOver | RecordKind::LastToken | RecordKind::LongestLease => true,
            RecordKind::Born | RecordKind::Entered | RecordKind::Pulled => false,
            RecordKind::Complete | RecordKind::GaveUp | RecordKind::Voted => false,
            RecordKind::Promised | RecordKind::Declined | RecordKind::Decided => false,
            RecordKind::Applied | RecordKind::Orphaned | RecordKind::RolledBack => false,
            RecordKind::Over | RecordKind::Queued | RecordKind::Granted => false,
            RecordKind::Left | RecordKind::Admitted | RecordKind::Announced => false,
            RecordKind::Activated | RecordKind::Converged | RecordKind::Wanted => false,
            RecordKind::LossAccepted => false,
        })
    }

    /// Its place in a table of all.
    pub fn index(self) -> usize {
        self.0.into()
    }

    /// The name used in scenario files.
    pub fn name(self) -> &'static str {
        &NAMES[self.index()]
    }

    /// What kind of thing it is about.
    pub fn topic(self) -> Topic {
        if let Some((_, topic, _)) = NAMED.get(self.index()) {
            return *topic;
        }
        match self.0.checked_sub(RECORDS) {
            Some(record) => Topic::of_record(RecordKind::ALL[usize::from(record / 2)]),
            None => Topic::of_message(MessageKind::ALL[usize::from((self.0 - MESSAGES) / 3)]),
        }
    }

    /// What happened, in one line.
    pub fn summary(self) -> String {
        if let Some((.., summary)) = NAMED.get(self.index()) {
            return (*summary).to_owned();
        }
        match self.name().rsplit_once('_') {
            Some((kind, end @ ("appended" | "durable"))) => format!("a `{kind}` record: {end}"),
            Some((kind, end)) => format!("a `{kind}` message: {end}"),
            None => unreachable!("every other name has an ending"),
        }
    }
}

impl fmt::Display for Milestone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that no milestone has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown milestone `{0}`")]
pub struct UnknownMilestone(pub String);

impl FromStr for Milestone {
    type Err = UnknownMilestone;
    fn from_str(name: &str) -> Result<Milestone, UnknownMilestone> {
        let known = Milestone::all().find(|m| m.name() == name);
        known.ok_or_else(|| UnknownMilestone(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_used_once_and_leads_back() {
        for milestone in Milestone::all() {
            assert_eq!(milestone.name().parse(), Ok(milestone));
        }
        assert_eq!(Milestone::sent(MessageKind::Prepare).name(), "prepare_sent");
        assert_eq!(Milestone::durable(RecordKind::Voted).name(), "voted_durable");
        assert_eq!(Milestone::ALL_VOTED.name(), "all_voted");
    }

    #[test]
    fn the_milestones_of_a_kind_are_about_what_the_kind_is_about() {
        for kind in MessageKind::ALL.iter().copied() {
            let of_kind = [Milestone::sent(kind), Milestone::received(kind), Milestone::lost(kind)];
            assert_eq!(of_kind.map(Milestone::topic), [Topic::of_message(kind); 3], "{kind:?}");
        }
        for kind in RecordKind::ALL.iter().copied() {
            let of_kind = [Milestone::appended(kind), Milestone::durable(kind)];
            assert_eq!(of_kind.map(Milestone::topic), [Topic::of_record(kind); 2], "{kind:?}");
        }
    }

    #[test]
    fn of_the_named_milestones_twenty_six_are_about_a_machine_a_link_or_a_request() {
        let named = NAMED.iter().filter(|(_, topic, _)| *topic == Topic::Other);
        assert_eq!(named.count(), 26);
    }
}

//! What can happen in a run, by name: what a fault may wait for and a scenario may demand.
//!
//! Beside the named ones below, every message kind gives `<kind>_sent`, `<kind>_received` and
//! `<kind>_lost`, every record kind `<kind>_appended` and `<kind>_durable`.
//!
//! From the [`Topic`] of a milestone follow the roles that it binds.

#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use seedbed::proto::{MessageKind, RecordKind};

use crate::subject_of::Topic;

macro_rules! named {
    ($($(#[doc = $doc:literal])* $const:ident = $name:literal, $topic:ident, $follows:expr;)*) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        #[repr(u16)]
        enum Index { $($const,)* Count }

        impl Milestone {
            $($(#[doc = $doc])* pub const $const: Milestone = Milestone(Index::$const as u16);)*
        }

        const NAMED: &[Named] = &[$(Named {
            name: $name,
            topic: Topic::$topic,
            follows: $follows,
            summary: concat!($($doc,)*).trim_ascii(),
        },)*];
    };
}

/// Something that can happen in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Milestone(u16);

/// A milestone that is no kind of message or record.
struct Named {
    name: &'static str,
    topic: Topic,
    /// The milestone that comes before it in its story, if any does.
    follows: Option<Milestone>,
    summary: &'static str,
}

/// A story begins with it.
const FIRST: Option<Milestone> = None;

const fn after(milestone: Milestone) -> Option<Milestone> {
    Some(milestone)
}

const fn after_receiving(kind: MessageKind) -> Option<Milestone> {
    Some(Milestone::received(kind))
}

named! {
    /// a transaction shows itself for the first time, by a message or by its decision
    TRANSACTION_BEGUN = "transaction_begun", Transaction, FIRST;
    /// every participant of a staged transaction has answered Ready
    ALL_READY = "all_ready", Transaction, after(Milestone::TRANSACTION_BEGUN);
    /// every participant's yes vote has reached the coordinator
    ALL_VOTED = "all_voted", Transaction, after(Milestone::ALL_READY);
    /// a coordinator's decision to commit is durable
    DECIDED = "decided", Transaction, after(Milestone::ALL_VOTED);
    /// every participant of a committed transaction has acknowledged
    TRANSACTION_OVER = "transaction_over", Transaction, after(Milestone::DECIDED);
    /// a coordinator has announced an abort
    TRANSACTION_ABORTED = "transaction_aborted", Transaction, after(Milestone::TRANSACTION_BEGUN);
    /// a transaction was refused because an older one has its path
    CONFLICT = "conflict", Transaction, after(Milestone::TRANSACTION_BEGUN);
    /// a participant's yes vote is durable and it has not learnt the decision
    PARTICIPANT_IN_DOUBT = "participant_in_doubt", Transaction,
        Milestone::durable(RecordKind::Voted);
    /// a participant leaves an epoch while it is in doubt about a transaction
    EPOCH_LEFT_IN_DOUBT = "epoch_left_in_doubt", Transaction,
        after(Milestone::PARTICIPANT_IN_DOUBT);
    /// a coordinator leaves the epoch of a transaction whose votes it has not got
    EPOCH_LEFT_UNDECIDED = "epoch_left_undecided", Transaction,
        after(Milestone::TRANSACTION_BEGUN);
    /// a participant learnt the decision from another participant
    TOLD_BY_PARTICIPANT = "told_by_participant", Transaction,
        after(Milestone::PARTICIPANT_IN_DOUBT);
    /// a lock was granted
    LOCK_GRANTED = "lock_granted", Lock, after_receiving(MessageKind::Acquire);
    /// a request stands in line for a lock
    LOCK_QUEUED = "lock_queued", Lock, after_receiving(MessageKind::Acquire);
    /// a holder gave its lock back
    LOCK_RELEASED = "lock_released", Lock, after(Milestone::LOCK_GRANTED);
    /// a lock was taken from a holder that did not keep it alive
    LEASE_EXPIRED = "lease_expired", Lock, after(Milestone::LOCK_GRANTED);
    /// a waiter that did not keep its place alive was taken out of the line
    WAITER_EXPIRED = "waiter_expired", Lock, after(Milestone::LOCK_QUEUED);
    /// a new holder has raised the fence of its path at all owners
    CLAIM_COMMITTED = "claim_committed", Lock, after(Milestone::LOCK_GRANTED);
    /// an owner refused a write for its token
    WRITE_FENCED = "write_fenced", Transaction, after(Milestone::CLAIM_COMMITTED);
    /// a client tries a request again
    REQUEST_RETRIED = "request_retried", Other, FIRST;
    /// a client answered: done, acquired or released
    REQUEST_DONE = "request_done", Other, FIRST;
    /// a client answered: refused
    REQUEST_REFUSED = "request_refused", Other, FIRST;
    /// a client answered: unknown
    REQUEST_UNKNOWN = "request_unknown", Other, FIRST;
    /// an owner or coordinator refused what came from another epoch than its own
    STALE_EPOCH_REFUSED = "stale_epoch_refused", Transaction, after(Milestone::VIEW_ANNOUNCED);
    /// a node refused for want of a running lease, or of what it has yet to pull
    NOT_READY_REFUSED = "not_ready_refused", Transaction, FIRST;
    /// a decision reached a voter after a hand-over had voided its vote
    LATE_DECISION = "late_decision", Transaction, after(Milestone::PARTICIPANT_IN_DOUBT);
    /// the centre told a participant in doubt how the transaction ends
    DOUBT_RESOLVED = "doubt_resolved", Transaction, after(Milestone::PARTICIPANT_IN_DOUBT);
    /// a machine crashed
    CRASHED = "crashed", Other, FIRST;
    /// a coordinator crashed while it was waiting for participants to be ready
    CRASHED_PREPARING = "crashed_preparing", Other, after(Milestone::CRASHED);
    /// a coordinator crashed while it was collecting votes
    CRASHED_VOTING = "crashed_voting", Other, after(Milestone::CRASHED);
    /// a coordinator crashed after its decision was durable, before all had acknowledged
    CRASHED_COMMITTING = "crashed_committing", Other, after(Milestone::CRASHED);
    /// a participant crashed while it was in doubt
    CRASHED_IN_DOUBT = "crashed_in_doubt", Other, after(Milestone::CRASHED);
    /// a machine started again
    RESTARTED = "restarted", Other, after(Milestone::CRASHED);
    /// a storage node found its log corrupt and refused to start
    REFUSED_TO_START = "refused_to_start", Other, after(Milestone::CRASHED);
    /// a crash lost records that were not durable
    RECORDS_LOST = "records_lost", Other, after(Milestone::CRASHED);
    /// a crash tore a record in the middle
    RECORD_TORN = "record_torn", Other, after(Milestone::RECORDS_LOST);
    /// a crash left a record as long as it was, with zeros at its end
    RECORD_ZERO_FILLED = "record_zero_filled", Other, after(Milestone::RECORD_TORN);
    /// a crash left a record with a hole, and what is behind that
    RECORD_HOLED = "record_holed", Other, after(Milestone::RECORD_TORN);
    /// a disk stalled: no sync ends
    DISK_STALLED = "disk_stalled", Other, None;
    /// a disk is full: its machine refuses new work
    DISK_FULL = "disk_full", Other, None;
    /// a disk that was full has room again
    DISK_HAS_ROOM = "disk_has_room", Other, after(Milestone::DISK_FULL);
    /// a node replaced the head of its log by a checkpoint
    CHECKPOINT_WRITTEN = "checkpoint_written", Other, FIRST;
    /// a storage node was given a number that no node has had
    NODE_ADMITTED = "node_admitted", Joiner, after_receiving(MessageKind::Admit);
    /// a view was laid down
    VIEW_ANNOUNCED = "view_announced", View, FIRST;
    /// a view came into force
    VIEW_ACTIVE = "view_active", View, after(Milestone::VIEW_ANNOUNCED);
    /// every owner of a view is complete
    VIEW_SETTLED = "view_settled", View, after(Milestone::VIEW_ACTIVE);
    /// a client learnt of a view
    VIEW_LEARNT = "view_learnt", View, after(Milestone::VIEW_ANNOUNCED);
    /// a view has a node that no view before it had
    NODE_JOINED = "node_joined", Joiner, after(Milestone::VIEW_ANNOUNCED);
    /// a view has a node again, or under a new admission
    NODE_REJOINED = "node_rejoined", Joiner, after(Milestone::VIEW_ANNOUNCED);
    /// a view lacks a node of the view before that is still wanted
    NODE_DECLARED_GONE = "node_declared_gone", Leaver, after(Milestone::VIEW_ANNOUNCED);
    /// a view lacks a node of the view before that is wanted no more
    NODE_LEFT = "node_left", Leaver, after(Milestone::VIEW_ANNOUNCED);
    /// a node that is no member any more is needed for nothing
    NODE_DEPARTED = "node_departed", Leaver, after(Milestone::VIEW_SETTLED);
    /// a view came into force without word from a member of the view before: its lease was over
    MEMBERSHIP_LEASE_EXPIRED = "membership_lease_expired", View, after(Milestone::VIEW_ANNOUNCED);
    /// the operator accepted that what lost disks had is lost
    LOSS_ACCEPTED = "loss_accepted", Other, FIRST;
    /// a node asked for the first of what it has to pull in an epoch
    HAND_OVER_BEGUN = "hand_over_begun", Transfer, after(Milestone::VIEW_ANNOUNCED);
    /// a node that has pulled said that it is complete in its epoch
    HAND_OVER_DONE = "hand_over_done", Transfer, after(Milestone::ARC_COMPLETED);
    /// source or receiver crashed in a hand-over, or the receiver entered another epoch
    HAND_OVER_INTERRUPTED = "hand_over_interrupted", Transfer, after(Milestone::HAND_OVER_BEGUN);
    /// a node crashed that another was pulling from
    SOURCE_CRASHED = "source_crashed", Transfer, after(Milestone::HAND_OVER_BEGUN);
    /// a node crashed before it had pulled all that it owns
    RECEIVER_CRASHED = "receiver_crashed", Transfer, after(Milestone::HAND_OVER_BEGUN);
    /// a node is a complete owner of arcs that it has pulled
    ARC_COMPLETED = "arc_completed", Transfer, after(Milestone::HAND_OVER_BEGUN);
    /// an owner testified that nothing was committed on its arcs in an epoch
    WITNESS_ANSWERED = "witness_answered", Transfer, after(Milestone::HAND_OVER_BEGUN);
    /// a participant is in doubt about a path that gets another owner
    IN_DOUBT_ON_A_MOVING_ARC = "in_doubt_on_a_moving_arc", Transaction,
        after(Milestone::PARTICIPANT_IN_DOUBT);
    /// a source handed over without a path that it is in doubt about
    HAND_OVER_WAITS_FOR_DECISION = "hand_over_waits_for_decision", Transfer,
        after(Milestone::HAND_OVER_BEGUN);
    /// a machine stopped for a while
    PAUSED = "paused", Other, FIRST;
    /// a machine goes on
    RESUMED = "resumed", Other, after(Milestone::PAUSED);
    /// links were cut
    PARTITIONED = "partitioned", Other, FIRST;
    /// a message was lost on the network
    MESSAGE_LOST = "message_lost", Other, FIRST;
    /// a copy of a message in flight appeared
    MESSAGE_DUPLICATED = "message_duplicated", Other, FIRST;
    /// a node's clock jumped
    CLOCK_JUMPED = "clock_jumped", Other, FIRST;
}

const MESSAGES: u16 = Index::Count as u16;
const RECORDS: u16 = MESSAGES + 3 * MessageKind::ALL.len() as u16;
const COUNT: u16 = RECORDS + 2 * LOGGED.len() as u16;

/// Does a log get such a record by itself? Others stand only in checkpoints, and no run reaches
/// anything with them.
const fn is_logged(kind: RecordKind) -> bool {
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

/// How many kinds of record before `kind` a log gets.
const fn logged_before(kind: usize) -> usize {
    let (mut count, mut at) = (0, 0);
    while at < kind {
        count += is_logged(RecordKind::ALL[at]) as usize;
        at += 1;
    }
    count
}

/// The kinds of record that a log gets.
const LOGGED: [RecordKind; logged_before(RecordKind::ALL.len())] = {
    let mut logged = [RecordKind::ALL[0]; logged_before(RecordKind::ALL.len())];
    let mut at = 0;
    while at < RecordKind::ALL.len() {
        if is_logged(RecordKind::ALL[at]) {
            logged[logged_before(at)] = RecordKind::ALL[at];
        }
        at += 1;
    }
    logged
};

static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let named = NAMED.iter().map(|named| named.name.to_owned());
    let messages = MessageKind::ALL
        .iter()
        .flat_map(|kind| ["sent", "received", "lost"].map(|end| format!("{}_{end}", kind.name())));
    let records = LOGGED
        .iter()
        .flat_map(|kind| ["appended", "durable"].map(|end| format!("{}_{end}", kind.name())));
    named.chain(messages).chain(records).collect()
});

/// What a milestone is made of.
enum Made {
    Named(&'static Named),
    Sent(MessageKind),
    Received(MessageKind),
    Lost(MessageKind),
    Appended(RecordKind),
    Durable(RecordKind),
}

impl Milestone {
    /// How many there are; [`Milestone::index`] is below it.
    pub const COUNT: usize = COUNT as usize;

    /// A message of this kind was sent.
    pub const fn sent(kind: MessageKind) -> Milestone {
        Milestone(MESSAGES + 3 * kind as u16)
    }

    /// A message of this kind was received.
    pub const fn received(kind: MessageKind) -> Milestone {
        Milestone(MESSAGES + 3 * kind as u16 + 1)
    }

    /// A message of this kind was lost.
    pub const fn lost(kind: MessageKind) -> Milestone {
        Milestone(MESSAGES + 3 * kind as u16 + 2)
    }

    /// A record of this kind was appended to a log; `None` for one that only a checkpoint holds.
    pub const fn appended(kind: RecordKind) -> Option<Milestone> {
        match is_logged(kind) {
            true => Some(Milestone(RECORDS + 2 * logged_before(kind as usize) as u16)),
            false => None,
        }
    }

    /// A record of this kind became durable; `None` for one that only a checkpoint holds.
    pub const fn durable(kind: RecordKind) -> Option<Milestone> {
        match Milestone::appended(kind) {
            Some(Milestone(appended)) => Some(Milestone(appended + 1)),
            None => None,
        }
    }

    /// Every milestone.
    pub fn all() -> impl Iterator<Item = Milestone> {
        (0..COUNT).map(Milestone)
    }

    fn made(self) -> Made {
        if let Some(named) = NAMED.get(self.index()) {
            return Made::Named(named);
        }
        match self.0.checked_sub(RECORDS) {
            Some(record) => {
                let kind = LOGGED[usize::from(record / 2)];
                if record % 2 == 0 { Made::Appended(kind) } else { Made::Durable(kind) }
            }
            None => {
                let message = self.0 - MESSAGES;
                let kind = MessageKind::ALL[usize::from(message / 3)];
                [Made::Sent, Made::Received, Made::Lost][usize::from(message % 3)](kind)
            }
        }
    }

    /// The milestone that comes before it in its story: a decision after all votes, what is
    /// received after what is sent. A run that has not come to one may have come to the other. A
    /// story may leave one out: without participants there are no votes.
    pub fn follows(self) -> Option<Milestone> {
        match self.made() {
            Made::Named(named) => named.follows,
            Made::Sent(_) | Made::Appended(_) => None,
            Made::Received(kind) | Made::Lost(kind) => Some(Milestone::sent(kind)),
            Made::Durable(kind) => Milestone::appended(kind),
        }
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
        match self.made() {
            Made::Named(named) => named.topic,
            Made::Sent(kind) | Made::Received(kind) | Made::Lost(kind) => Topic::of_message(kind),
            Made::Appended(kind) | Made::Durable(kind) => Topic::of_record(kind),
        }
    }

    /// What happened, in one line.
    pub fn summary(self) -> String {
        match self.made() {
            Made::Named(named) => named.summary.to_owned(),
            Made::Sent(kind) => format!("a `{}` message: sent", kind.name()),
            Made::Received(kind) => format!("a `{}` message: received", kind.name()),
            Made::Lost(kind) => format!("a `{}` message: lost", kind.name()),
            Made::Appended(kind) => format!("a `{}` record: appended", kind.name()),
            Made::Durable(kind) => format!("a `{}` record: durable", kind.name()),
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

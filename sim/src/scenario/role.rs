//! Roles: how a fault names a machine by the part it plays in what has just happened.

use std::fmt;

use seedbed::proto::{MessageKind, RecordKind};

use crate::milestone::Milestone;

/// A part that a machine plays in a transaction, for a lock, in a hand-over or in a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Coordinates the transaction.
    Coordinator,
    /// Votes in the transaction: the one that the milestone is about, else the first.
    Participant,
    /// Owns a path of the transaction: the one that the milestone is about, else the first.
    Owner,
    /// Holds the lock, or just did.
    Holder,
    /// Waits for the lock: the one that the milestone is about, else the first in line.
    Waiter,
    /// Hands over, having been an owner in an earlier epoch.
    Source,
    /// Pulls what it newly owns.
    Receiver,
    /// Comes with the view: the one that the milestone is about, else the first.
    Joiner,
    /// Goes with the view: the one that the milestone is about, else the first.
    Leaver,
}

impl Role {
    /// Every role.
    pub const ALL: &[Role] = &[
        Role::Coordinator,
        Role::Participant,
        Role::Owner,
        Role::Holder,
        Role::Waiter,
        Role::Source,
        Role::Receiver,
        Role::Joiner,
        Role::Leaver,
    ];

    /// The name used in scenario files.
    pub fn name(self) -> &'static str {
        match self {
            Role::Coordinator => "coordinator",
            Role::Participant => "participant",
            Role::Owner => "owner",
            Role::Holder => "holder",
            Role::Waiter => "waiter",
            Role::Source => "source",
            Role::Receiver => "receiver",
            Role::Joiner => "joiner",
            Role::Leaver => "leaver",
        }
    }

    /// Is it a client that plays this part? Clients have no log.
    pub fn is_client(self) -> bool {
        match self {
            Role::Coordinator | Role::Participant | Role::Owner => false,
            Role::Source | Role::Receiver | Role::Joiner | Role::Leaver => false,
            Role::Holder | Role::Waiter => true,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

const TRANSACTION: &[Role] = &[Role::Coordinator, Role::Participant, Role::Owner];
const LOCK: &[Role] = &[Role::Holder, Role::Waiter];
const HAND_OVER: &[Role] = &[Role::Source, Role::Receiver];
const VIEW: &[Role] = &[Role::Joiner, Role::Leaver];
const JOINER: &[Role] = &[Role::Joiner];
const LEAVER: &[Role] = &[Role::Leaver];
const NOBODY: &[Role] = &[];

const OF_TRANSACTIONS: &[Milestone] = &[
    Milestone::TRANSACTION_BEGUN,
    Milestone::ALL_READY,
    Milestone::ALL_VOTED,
    Milestone::DECIDED,
    Milestone::TRANSACTION_OVER,
    Milestone::TRANSACTION_ABORTED,
    Milestone::CONFLICT,
    Milestone::PARTICIPANT_IN_DOUBT,
    Milestone::TOLD_BY_PARTICIPANT,
    Milestone::WRITE_FENCED,
    Milestone::STALE_EPOCH_REFUSED,
    Milestone::NOT_READY_REFUSED,
    Milestone::LATE_DECISION,
    Milestone::ORPHAN_SETTLED,
    Milestone::IN_DOUBT_ON_A_MOVING_ARC,
];

const OF_LOCKS: &[Milestone] = &[
    Milestone::LOCK_GRANTED,
    Milestone::LOCK_QUEUED,
    Milestone::LOCK_RELEASED,
    Milestone::LEASE_EXPIRED,
    Milestone::WAITER_EXPIRED,
    Milestone::CLAIM_COMMITTED,
];

const OF_HAND_OVERS: &[Milestone] = &[
    Milestone::HAND_OVER_BEGUN,
    Milestone::HAND_OVER_DONE,
    Milestone::HAND_OVER_INTERRUPTED,
    Milestone::HAND_OVER_WAITS_FOR_DECISION,
    Milestone::SOURCE_CRASHED,
    Milestone::RECEIVER_CRASHED,
    Milestone::ARC_COMPLETED,
    Milestone::WITNESS_ANSWERED,
];

const OF_VIEWS: &[Milestone] = &[
    Milestone::VIEW_ANNOUNCED,
    Milestone::VIEW_ACTIVE,
    Milestone::VIEW_SETTLED,
    Milestone::VIEW_LEARNT,
    Milestone::MEMBERSHIP_LEASE_EXPIRED,
];

const OF_JOINERS: &[Milestone] =
    &[Milestone::NODE_ADMITTED, Milestone::NODE_JOINED, Milestone::NODE_REJOINED];

const OF_LEAVERS: &[Milestone] =
    &[Milestone::NODE_DECLARED_GONE, Milestone::NODE_LEFT, Milestone::NODE_DEPARTED];

const NAMED: &[(&[Milestone], &[Role])] = &[
    (OF_TRANSACTIONS, TRANSACTION),
    (OF_LOCKS, LOCK),
    (OF_HAND_OVERS, HAND_OVER),
    (OF_VIEWS, VIEW),
    (OF_JOINERS, JOINER),
    (OF_LEAVERS, LEAVER),
];

/// The roles that `milestone` binds: those of its transaction, its lock, its hand-over or its view,
/// or none where it is about a machine, a request or a link. The central node is always the same
/// machine and so is no role.
pub fn roles_of(milestone: Milestone) -> &'static [Role] {
    if let Some((_, roles)) = NAMED.iter().find(|(of, _)| of.contains(&milestone)) {
        return roles;
    }
    let of_message =
        |kind| [Milestone::sent(kind), Milestone::received(kind), Milestone::lost(kind)];
    let of_record = |kind| [Milestone::appended(kind), Milestone::durable(kind)];
    let mut messages = MessageKind::ALL.iter().copied();
    let mut records = RecordKind::ALL.iter().copied();
    let message = messages.find(|kind| of_message(*kind).contains(&milestone));
    let record = records.find(|kind| of_record(*kind).contains(&milestone));
    message.map(roles_of_message).or(record.map(roles_of_record)).unwrap_or(NOBODY)
}

fn roles_of_message(kind: MessageKind) -> &'static [Role] {
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
        | MessageKind::Told
        | MessageKind::Recall
        | MessageKind::Recalled => TRANSACTION,
        // One file is read at one owner, without a transaction.
        MessageKind::Read => &[Role::Owner],
        MessageKind::Acquire
        | MessageKind::KeepAlive
        | MessageKind::Release
        | MessageKind::Granted
        | MessageKind::KeptAlive
        | MessageKind::NotKept
        | MessageKind::LockRefused
        | MessageKind::Released => LOCK,
        MessageKind::Pull | MessageKind::Chunk => HAND_OVER,
        MessageKind::Entered | MessageKind::Completed | MessageKind::Views => VIEW,
        MessageKind::Admit
        | MessageKind::Admitted
        | MessageKind::Heartbeat
        | MessageKind::Alive
        | MessageKind::Departed
        | MessageKind::Watch => NOBODY,
    }
}

fn roles_of_record(kind: RecordKind) -> &'static [Role] {
    match kind {
        RecordKind::Voted
        | RecordKind::Promised
        | RecordKind::Declined
        | RecordKind::Decided
        | RecordKind::Applied
        | RecordKind::RolledBack
        | RecordKind::Orphaned
        | RecordKind::Over => TRANSACTION,
        RecordKind::Queued | RecordKind::Granted | RecordKind::Left => LOCK,
        // Of a machine's own start, and what only a checkpoint holds.
        RecordKind::Born
        | RecordKind::Stored
        | RecordKind::Answered
        | RecordKind::Settled
        | RecordKind::Mark
        | RecordKind::Presumed
        | RecordKind::Forgotten
        | RecordKind::LockOver
        | RecordKind::LastToken
        | RecordKind::LongestLease => NOBODY,
        RecordKind::Pulled | RecordKind::Complete => HAND_OVER,
        RecordKind::Entered
        | RecordKind::GaveUp
        | RecordKind::Announced
        | RecordKind::Activated
        | RecordKind::Converged => VIEW,
        // What the centre is told, and whom it has given a number.
        RecordKind::Admitted | RecordKind::Wanted | RecordKind::LossAccepted => NOBODY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milestones_bind_the_roles_of_what_they_are_about() {
        assert_eq!(roles_of(Milestone::ALL_VOTED), TRANSACTION);
        assert_eq!(roles_of(Milestone::LEASE_EXPIRED), LOCK);
        assert_eq!(roles_of(Milestone::CRASHED), NOBODY);
        assert_eq!(roles_of(Milestone::REQUEST_DONE), NOBODY);
        assert_eq!(roles_of(Milestone::lost(MessageKind::Told)), TRANSACTION);
        assert_eq!(roles_of(Milestone::received(MessageKind::KeepAlive)), LOCK);
        assert_eq!(roles_of(Milestone::durable(RecordKind::Granted)), LOCK);
        assert_eq!(roles_of(Milestone::appended(RecordKind::Born)), NOBODY);
        assert_eq!(roles_of(Milestone::SOURCE_CRASHED), HAND_OVER);
        assert_eq!(roles_of(Milestone::lost(MessageKind::Chunk)), HAND_OVER);
        assert_eq!(roles_of(Milestone::durable(RecordKind::Announced)), VIEW);
        assert_eq!(roles_of(Milestone::NODE_REJOINED), JOINER);
        assert_eq!(roles_of(Milestone::NODE_DECLARED_GONE), LEAVER);
        assert_eq!(roles_of(Milestone::sent(MessageKind::Heartbeat)), NOBODY);
    }

    /// A milestone that is added has to be thought about here.
    #[test]
    fn of_the_named_milestones_twenty_one_bind_nobody() {
        let kinds = 3 * MessageKind::ALL.len() + 2 * RecordKind::ALL.len();
        let named = Milestone::all().take(Milestone::COUNT - kinds);
        assert_eq!(named.filter(|milestone| roles_of(*milestone).is_empty()).count(), 21);
    }
}

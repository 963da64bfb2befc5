//! Roles: how a fault names a machine by the part it plays in what has just happened.

use std::fmt;

use crate::file_service::Milestone;
use crate::file_service::subject_of::Topic;

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
    /// Is the machine at which the milestone is reached, whatever it is.
    There,
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
        Role::There,
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
            Role::There => "there",
        }
    }

    /// The name of all machines that play it, where several may.
    pub fn plural(self) -> Option<&'static str> {
        match self {
            Role::Participant => Some("participants"),
            Role::Owner => Some("owners"),
            Role::Waiter => Some("waiters"),
            Role::Joiner => Some("joiners"),
            Role::Leaver => Some("leavers"),
            Role::Coordinator | Role::Holder | Role::Source | Role::Receiver => None,
            Role::There => None,
        }
    }

    /// The role of this name.
    pub(super) fn named(name: &str) -> Option<Role> {
        Role::ALL.iter().copied().find(|role| role.name() == name)
    }

    /// The role of which `name` names all machines that play it.
    pub(super) fn of_plural(name: &str) -> Option<Role> {
        Role::ALL.iter().copied().find(|role| role.plural() == Some(name))
    }

    /// Is it always a client that plays this part? Clients have no log.
    pub fn is_client(self) -> bool {
        match self {
            Role::Coordinator | Role::Participant | Role::Owner => false,
            Role::Source | Role::Receiver | Role::Joiner | Role::Leaver => false,
            Role::There => false,
            Role::Holder | Role::Waiter => true,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The roles that `milestone` binds, beside [`Role::There`]. The central node is always the same
/// machine and so is no role.
pub fn roles_of(milestone: Milestone) -> &'static [Role] {
    match milestone.topic() {
        Topic::Transaction => &[Role::Coordinator, Role::Participant, Role::Owner],
        Topic::File => &[Role::Owner],
        Topic::Lock => &[Role::Holder, Role::Waiter],
        Topic::Transfer => &[Role::Source, Role::Receiver],
        Topic::View => &[Role::Joiner, Role::Leaver],
        Topic::Joiner => &[Role::Joiner],
        Topic::Leaver => &[Role::Leaver],
        Topic::Presence | Topic::Other => &[],
    }
}

#[cfg(test)]
mod tests {
    use seedbed::proto::{MessageKind, RecordKind};

    use super::*;

    const TRANSACTION: &[Role] = &[Role::Coordinator, Role::Participant, Role::Owner];
    const LOCK: &[Role] = &[Role::Holder, Role::Waiter];
    const HAND_OVER: &[Role] = &[Role::Source, Role::Receiver];
    const NO_ROLE: &[Role] = &[];

    #[test]
    fn milestones_bind_the_roles_of_what_they_are_about() {
        assert_eq!(roles_of(Milestone::ALL_VOTED), TRANSACTION);
        assert_eq!(roles_of(Milestone::LEASE_EXPIRED), LOCK);
        assert_eq!(roles_of(Milestone::CRASHED), NO_ROLE);
        assert_eq!(roles_of(Milestone::REQUEST_DONE), NO_ROLE);
        assert_eq!(roles_of(Milestone::Lost(MessageKind::Told)), TRANSACTION);
        assert_eq!(roles_of(Milestone::Received(MessageKind::KeepAlive)), LOCK);
        assert_eq!(roles_of(Milestone::durable(RecordKind::Granted).unwrap()), LOCK);
        assert_eq!(roles_of(Milestone::appended(RecordKind::Born).unwrap()), NO_ROLE);
        assert_eq!(roles_of(Milestone::SOURCE_CRASHED), HAND_OVER);
        assert_eq!(roles_of(Milestone::Lost(MessageKind::Chunk)), HAND_OVER);
        assert_eq!(
            roles_of(Milestone::durable(RecordKind::Announced).unwrap()),
            [Role::Joiner, Role::Leaver]
        );
        assert_eq!(roles_of(Milestone::NODE_REJOINED), [Role::Joiner]);
        assert_eq!(roles_of(Milestone::NODE_DECLARED_GONE), [Role::Leaver]);
        assert_eq!(roles_of(Milestone::Sent(MessageKind::Heartbeat)), NO_ROLE);
        assert_eq!(roles_of(Milestone::Sent(MessageKind::Read)), [Role::Owner]);
    }
}

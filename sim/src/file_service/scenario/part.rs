//! The roles of the file service: which part a machine plays in what has just happened.

use crate::file_service::Milestone;
use crate::file_service::subject_of::Topic;
use crate::names;
use crate::role::Role;

names! {
    /// A part that a machine plays in a transaction, for a lock, in a hand-over or in a view.
    pub enum Part {
        /// Coordinates the transaction.
        Coordinator = "coordinator",
        /// Votes in the transaction: the one that the milestone is about, else the first.
        Participant = "participant",
        /// Owns a path of the transaction: the one that the milestone is about, else the first.
        Owner = "owner",
        /// Holds the lock, or just did.
        Holder = "holder",
        /// Waits for the lock: the one that the milestone is about, else the first in line.
        Waiter = "waiter",
        /// Hands over, having been an owner in an earlier epoch.
        Source = "source",
        /// Pulls what it newly owns.
        Receiver = "receiver",
        /// Comes with the view: the one that the milestone is about, else the first.
        Joiner = "joiner",
        /// Goes with the view: the one that the milestone is about, else the first.
        Leaver = "leaver",
    }
}

impl Role for Part {
    fn plural(self) -> Option<&'static str> {
        match self {
            Part::Participant => Some("participants"),
            Part::Owner => Some("owners"),
            Part::Waiter => Some("waiters"),
            Part::Joiner => Some("joiners"),
            Part::Leaver => Some("leavers"),
            Part::Coordinator | Part::Holder | Part::Source | Part::Receiver => None,
        }
    }

    fn is_client(self) -> bool {
        match self {
            Part::Coordinator | Part::Participant | Part::Owner => false,
            Part::Source | Part::Receiver | Part::Joiner | Part::Leaver => false,
            Part::Holder | Part::Waiter => true,
        }
    }
}

/// The roles that `milestone` binds, beside the machine at which it is
/// reached. The central node is always the same
/// machine and so is no role.
pub fn roles_of(milestone: Milestone) -> &'static [Part] {
    match milestone.topic() {
        Topic::Transaction => &[Part::Coordinator, Part::Participant, Part::Owner],
        Topic::File => &[Part::Owner],
        Topic::Lock => &[Part::Holder, Part::Waiter],
        Topic::Transfer => &[Part::Source, Part::Receiver],
        Topic::View => &[Part::Joiner, Part::Leaver],
        Topic::Joiner => &[Part::Joiner],
        Topic::Leaver => &[Part::Leaver],
        Topic::Presence | Topic::Other => &[],
    }
}

#[cfg(test)]
mod tests {
    use seedbed::proto::{MessageKind, RecordKind};

    use super::*;

    const TRANSACTION: &[Part] = &[Part::Coordinator, Part::Participant, Part::Owner];
    const LOCK: &[Part] = &[Part::Holder, Part::Waiter];
    const HAND_OVER: &[Part] = &[Part::Source, Part::Receiver];
    const NO_ROLE: &[Part] = &[];

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
            [Part::Joiner, Part::Leaver]
        );
        assert_eq!(roles_of(Milestone::NODE_REJOINED), [Part::Joiner]);
        assert_eq!(roles_of(Milestone::NODE_DECLARED_GONE), [Part::Leaver]);
        assert_eq!(roles_of(Milestone::Sent(MessageKind::Heartbeat)), NO_ROLE);
        assert_eq!(roles_of(Milestone::Sent(MessageKind::Read)), [Part::Owner]);
    }
}

//! The milestones that a run and a sweep count in what they print, in groups.

use seedbed::proto::Membership;

use crate::file_service::Milestone;

/// Milestones that belong together.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// What they are about.
    pub name: &'static str,
    /// Can they come up with managed membership only?
    managed: bool,
    /// Each with what it counts.
    pub figures: &'static [(&'static str, Milestone)],
}

/// What is counted, in the order in which it is printed.
pub const GROUPS: &[Group] = &[
    Group {
        name: "requests",
        managed: false,
        figures: &[
            ("done", Milestone::REQUEST_DONE),
            ("refused", Milestone::REQUEST_REFUSED),
            ("unknown", Milestone::REQUEST_UNKNOWN),
        ],
    },
    Group {
        name: "transactions",
        managed: false,
        figures: &[
            ("committed", Milestone::DECIDED),
            ("aborted by conflict", Milestone::CONFLICT),
            ("in-doubt spells", Milestone::PARTICIPANT_IN_DOUBT),
        ],
    },
    Group {
        name: "locks",
        managed: false,
        figures: &[
            ("leases expired", Milestone::LEASE_EXPIRED),
            ("fenced writes", Milestone::WRITE_FENCED),
        ],
    },
    Group {
        name: "crashes",
        managed: false,
        figures: &[
            ("preparing", Milestone::CRASHED_PREPARING),
            ("voting", Milestone::CRASHED_VOTING),
            ("committing", Milestone::CRASHED_COMMITTING),
            ("in doubt", Milestone::CRASHED_IN_DOUBT),
            ("of all", Milestone::CRASHED),
        ],
    },
    Group {
        name: "membership",
        managed: true,
        figures: &[
            ("views in force", Milestone::VIEW_ACTIVE),
            ("nodes declared gone", Milestone::NODE_DECLARED_GONE),
            ("rejoined", Milestone::NODE_REJOINED),
            ("stale epochs refused", Milestone::STALE_EPOCH_REFUSED),
        ],
    },
    Group {
        name: "hand-overs",
        managed: true,
        figures: &[
            ("done", Milestone::HAND_OVER_DONE),
            ("interrupted", Milestone::HAND_OVER_INTERRUPTED),
            ("in-doubt spells on moving arcs", Milestone::IN_DOUBT_ON_A_MOVING_ARC),
        ],
    },
];

/// Those of [`GROUPS`] that can come up with such a membership.
pub fn groups(membership: Membership) -> impl Iterator<Item = &'static Group> {
    GROUPS.iter().filter(move |group| !group.managed || membership == Membership::Managed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_fixed_membership_nothing_is_said_of_it() {
        let names = |membership| groups(membership).map(|group| group.name).collect::<Vec<_>>();
        let fixed = ["requests", "transactions", "locks", "crashes"];
        assert_eq!(names(Membership::Fixed), fixed);
        assert_eq!(names(Membership::Managed)[..4], fixed);
        assert_eq!(names(Membership::Managed)[4..], ["membership", "hand-overs"]);
    }
}

//! What a run or a sweep says of what came up in it: a few milestones, in groups.

use std::fmt;

use seedbed::proto::Membership;

use crate::milestone::Milestone;

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

/// `12,345`
#[derive(Clone, Copy, Debug)]
pub struct Thousands(pub u64);

impl fmt::Display for Thousands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
        for (i, digit) in digits.chars().enumerate() {
            if i > 0 && (digits.len() - i).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        f.pad(&grouped)
    }
}

/// A length of time as one says it: `1.24 s`, `18.3 ms`.
#[derive(Clone, Copy, Debug)]
pub struct Nanoseconds(pub u64);

impl fmt::Display for Nanoseconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, name) = match self.0 {
            1_000_000_000.. => (1_000_000_000, "s"),
            1_000_000.. => (1_000_000, "ms"),
            _ => (1_000, "us"),
        };
        let hundredths = u128::from(self.0) * 100 / unit;
        let (whole, rest) = (hundredths / 100, hundredths % 100);
        f.pad(&format!("{whole}.{rest:02} {name}"))
    }
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

    #[test]
    fn numbers_are_grouped_by_thousands() {
        let spelled = [0, 12, 999, 1000, 12_345, 1_234_567].map(|n| Thousands(n).to_string());
        assert_eq!(spelled, ["0", "12", "999", "1,000", "12,345", "1,234,567"]);
    }

    #[test]
    fn lengths_of_time_have_a_fitting_unit() {
        let spelled = [0, 1_500, 18_300_000, 62_104_000_000].map(|n| Nanoseconds(n).to_string());
        assert_eq!(spelled, ["0.00 us", "1.50 us", "18.30 ms", "62.10 s"]);
        assert_eq!(Nanoseconds(u64::MAX).to_string(), "18446744073.70 s");
    }
}

//! The milestones that a run and a sweep count in what they print, in groups.

use seedbed::proto::{Config, Membership};

use super::Milestone;
use crate::figures;

type Figures = figures::Figures<seedbed::proto::FileService>;

/// What is counted, in the order in which it is printed.
pub fn figures(config: &Config) -> Vec<Figures> {
    let of =
        |name, counted: &[(&'static str, Milestone)]| Figures { name, counted: counted.to_vec() };
    let mut all = vec![
        Figures::requests(),
        of(
            "transactions",
            &[
                ("committed", Milestone::DECIDED),
                ("aborted by conflict", Milestone::CONFLICT),
                ("in-doubt spells", Milestone::PARTICIPANT_IN_DOUBT),
            ],
        ),
        of(
            "locks",
            &[
                ("leases expired", Milestone::LEASE_EXPIRED),
                ("fenced writes", Milestone::WRITE_FENCED),
            ],
        ),
        of(
            "crashes",
            &[
                ("preparing", Milestone::CRASHED_PREPARING),
                ("voting", Milestone::CRASHED_VOTING),
                ("committing", Milestone::CRASHED_COMMITTING),
                ("in doubt", Milestone::CRASHED_IN_DOUBT),
                ("of all", Milestone::CRASHED),
            ],
        ),
    ];
    if config.membership == Membership::Managed {
        all.push(of(
            "membership",
            &[
                ("views in force", Milestone::VIEW_ACTIVE),
                ("nodes declared gone", Milestone::NODE_DECLARED_GONE),
                ("rejoined", Milestone::NODE_REJOINED),
                ("stale epochs refused", Milestone::STALE_EPOCH_REFUSED),
            ],
        ));
        all.push(of(
            "hand-overs",
            &[
                ("done", Milestone::HAND_OVER_DONE),
                ("interrupted", Milestone::HAND_OVER_INTERRUPTED),
                ("in-doubt spells on moving arcs", Milestone::IN_DOUBT_ON_A_MOVING_ARC),
            ],
        ));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use seedbed::proto::Settings;

    #[test]
    fn with_fixed_membership_nothing_is_said_of_it() {
        let names = |membership| {
            let settings = Settings { membership, ..Settings::default() };
            let config = Config::new(settings).unwrap();
            figures(&config).iter().map(|figures| figures.name).collect::<Vec<_>>()
        };
        let fixed = ["requests", "transactions", "locks", "crashes"];
        assert_eq!(names(Membership::Fixed), fixed);
        assert_eq!(names(Membership::Managed)[..4], fixed);
        assert_eq!(names(Membership::Managed)[4..], ["membership", "hand-overs"]);
    }
}

//! The list of all invariants: name, meaning, source.
//!
//! Where two invariants break in the same step, the one that stands first is reported, so the more specific
//! of two stands first.

use super::*;

/// An invariant as it is listed.
pub struct Entry {
    /// Its name, as used in `violates = "..."`.
    pub name: &'static str,
    /// What must hold, in one line.
    pub summary: &'static str,
    /// What it is known as, and where it comes from.
    pub source: &'static str,
    /// Makes it, for a run that starts with this world.
    pub make: fn(&World) -> Box<dyn Invariant>,
}

macro_rules! registry {
    ($($name:literal, $summary:literal, $source:literal, $make:expr;)*) => {
        /// Every invariant there is.
        pub const ALL: &[Entry] = &[$(Entry {
            name: $name,
            summary: $summary,
            source: $source,
            make: |_| Box::new($make),
        },)*];
    };
}

registry! {
    "transaction_ids_are_used_once",
        "a transaction id names one attempt at one request, in one life of its coordinator",
        "W5; R*: Mohan, Lindsay, Obermarck 1986",
        transaction_ids_are_used_once::TransactionIdsAreUsedOnce;
    "vote_is_durable_before_it_leaves",
        "a yes leaves a participant only once the vote is durable",
        "W1, write-ahead; Gray 1978",
        vote_is_durable_before_it_leaves::VoteIsDurableBeforeItLeaves;
    "decision_is_durable_before_it_leaves",
        "nobody hears of a commit before the decision is durable",
        "W1, write-ahead; Gray 1978",
        decision_is_durable_before_it_leaves::DecisionIsDurableBeforeItLeaves;
    "acknowledgement_is_durable_before_it_leaves",
        "a participant acknowledges a commit only once it has durably applied it",
        "W1, write-ahead; R*: Mohan, Lindsay, Obermarck 1986",
        acknowledgement_is_durable_before_it_leaves::AcknowledgementIsDurableBeforeItLeaves;
    "promise_is_durable_before_it_leaves",
        "who has not voted says aborted only once nothing can make it vote any more",
        "W1, cooperative termination; Bernstein, Hadzilacos, Goodman 1987, section 7.4",
        promise_is_durable_before_it_leaves::PromiseIsDurableBeforeItLeaves;
    "decisions_are_final",
        "every node decides a transaction once and stays with it, also across restarts",
        "AC4, stability; Bernstein, Hadzilacos, Goodman 1987, ch. 7",
        decisions_are_final::DecisionsAreFinal;
    "commit_needs_every_yes",
        "a coordinator commits only if every participant's yes is durable",
        "AC2, validity; Bernstein, Hadzilacos, Goodman 1987, ch. 7",
        commit_needs_every_yes::CommitNeedsEveryYes;
    "abort_needs_a_reason",
        "a coordinator that has heard every yes, and no no, does not abort",
        "AC3, non-triviality; Bernstein, Hadzilacos, Goodman 1987, ch. 7",
        abort_needs_a_reason::AbortNeedsAReason;
    "participants_agree",
        "no node commits a transaction while another aborts it",
        "AC1, agreement; Bernstein, Hadzilacos, Goodman 1987, ch. 7",
        participants_agree::ParticipantsAgree;
    "commit_is_remembered_until_acknowledged",
        "a coordinator forgets a commit only when every participant has durably applied it",
        "W2, presumed abort; R*: Mohan, Lindsay, Obermarck 1986, section 3",
        commit_is_remembered_until_acknowledged::CommitIsRememberedUntilAcknowledged;
    "no_pin_is_orphaned",
        "no path stays pinned for a transaction that nobody will ever decide",
        "W4, orphans; Lampson, Lomet 1993",
        no_pin_is_orphaned::NoPinIsOrphaned;
    "in_doubt_keeps_its_pins",
        "who is in doubt about a path serves no read of it and lets no one else change it",
        "W3; R*: Mohan, Lindsay, Obermarck 1986, section 2",
        in_doubt_keeps_its_pins::InDoubtKeepsItsPins::default();
    "no_write_below_the_claimed_token",
        "once a token is claimed for a path, no change under a lower one commits",
        "L-I2, fencing; Burrows 2006 (Chubby), section 2.4; Kleppmann 2016",
        no_write_below_the_claimed_token::NoWriteBelowTheClaimedToken;
    "replicas_agree",
        "all owners of a path have the same bytes under the same version",
        "replica consistency; Schneider 1990",
        replicas_agree::ReplicasAgree;
    "reads_see_only_what_was_committed",
        "a read finds a state that a commit has left behind",
        "G1a, G1b; Adya 1999, section 3.1",
        reads_see_only_what_was_committed::ReadsSeeOnlyWhatWasCommitted;
    "reads_of_one_transaction_are_one_moment",
        "all reads of a transaction come from one point in the order of commits",
        "G2, read skew A5A; Adya 1999; Berenson et al. 1995",
        reads_of_one_transaction_are_one_moment::ReadsOfOneTransactionAreOneMoment;
    "versions_grow",
        "each commit to a path continues its version by the number of its changes",
        "F-I5, version order; Adya 1999, section 3.1",
        versions_grow::VersionsGrow;
    "deleted_files_stay_deleted",
        "after an acknowledged deletion nobody finds the old contents",
        "F-I3, no resurrection; Demers et al. 1987",
        deleted_files_stay_deleted::DeletedFilesStayDeleted;
    "acknowledged_writes_survive",
        "what a client was told of is there for every later read and after every restart",
        "F-I2, durability; Haerder, Reuter 1983; Herlihy, Wing 1990",
        acknowledged_writes_survive::AcknowledgedWritesSurvive::default();
    "nobody_is_in_doubt_at_the_end",
        "when everything had its time, every yes has an outcome",
        "AC5, termination; Bernstein, Hadzilacos, Goodman 1987, ch. 7",
        nobody_is_in_doubt_at_the_end::NobodyIsInDoubtAtTheEnd;
    "replicas_are_equal_at_the_end",
        "when everything had its time, every owner stores what was committed last",
        "convergence; Vogels 2008",
        replicas_are_equal_at_the_end::ReplicasAreEqualAtTheEnd;
}

/// The name of every invariant, in the order of the list.
pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|entry| entry.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use seedbed::proto::{Config, Settings};

    #[test]
    fn every_invariant_goes_by_the_name_it_is_listed_under_and_no_name_comes_twice() {
        let world = World::new(Config::new(Settings::default()).unwrap(), 1);
        for (number, entry) in ALL.iter().enumerate() {
            assert_eq!((entry.make)(&world).name(), entry.name);
            assert!(ALL[..number].iter().all(|other| other.name != entry.name), "{}", entry.name);
        }
    }
}

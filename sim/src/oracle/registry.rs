//! The list of all invariants: name, meaning, source.
//!
//! Where two invariants break in the same step, the one that stands first is reported, so the more
//! specific of two stands first.

use std::sync::LazyLock;

use super::invariants::{commit, files, locks, membership, requests, simulator, transfer};
use super::{Invariant, Workload, World};
use seedbed::proto::Membership;

/// Makes an invariant for one run.
type Make = fn(&World, Option<&Workload>) -> Option<Box<dyn Invariant>>;

/// An invariant as it is listed.
pub struct Entry {
    /// Its name, as used in `violates = "..."`.
    pub name: &'static str,
    /// What must hold, in one line.
    pub summary: &'static str,
    /// What it is known as, and where it comes from.
    pub source: &'static str,
    /// Makes it, for a run that starts with this world and has this workload; `None` where it is
    /// about another workload.
    pub make: Make,
}

macro_rules! registry {
    ($($name:literal, $summary:literal, $source:literal, $make:expr;)*) => {
        /// Every invariant there is.
        pub const ALL: &[Entry] = &[$(Entry {
            name: $name,
            summary: $summary,
            source: $source,
            make: $make,
        },)*];
    };
}

registry! {
    "views_are_decided_once_and_in_order",
        "views have epochs that grow by one, one content each, and come into force one at a time",
        "view synchrony; Birman, Joseph 1987",
        |world, _| managed(world, membership::ViewsAreDecidedOnceAndInOrder::default());
    "admissions_are_used_once",
        "the centre gives a life one number, and a number names one disk",
        "Liskov, Cowling 2012, section 4.3",
        |world, _| managed(world, membership::AdmissionsAreUsedOnce::default());
    "epochs_of_a_node_only_grow",
        "a node says that it has left an epoch once that is durable, and never goes back",
        "promises; Lamport 1998",
        |world, _| managed(world, membership::EpochsOfANodeOnlyGrow::default());
    "a_view_is_active_after_all_have_left",
        "a view comes into force when all of the one before have left it or lost their lease",
        "leases; Gray, Cheriton 1989",
        |world, _| managed(world, membership::AViewIsActiveAfterAllHaveLeft::default());
    "no_view_change_without_a_cause",
        "a view leaves out the silent and the unwanted, takes in the heard and wanted, and no more",
        "accuracy; Chandra, Toueg 1996",
        |world, _| managed(world, membership::NoViewChangeWithoutACause::default());
    "keys_move_only_to_joiners_and_from_leavers",
        "a change of members moves only what those who come and go own",
        "monotonicity; Karger et al. 1997",
        |world, _| managed(world, membership::KeysMoveOnlyToJoinersAndFromLeavers);
    "no_path_is_handed_over_in_doubt",
        "an owner hands no path over about which it is in doubt",
        "Mohan, Lindsay, Obermarck 1986, section 2",
        |world, _| managed(world, transfer::NoPathIsHandedOverInDoubt::default());
    "claimed_copies_are_kept",
        "a node stores what it claims to be complete on until it gives the claim up",
        "Adya et al. 2016 (Slicer)",
        |world, _| managed(world, transfer::ClaimedCopiesAreKept::default());
    "only_settled_epochs_give_up_copies",
        "claims and copies are given up only when everyone has all that it owns",
        "Lamport, Malkhi, Zhou 2010, section 3",
        |world, _| managed(world, transfer::OnlySettledEpochsGiveUpCopies);
    "no_claim_without_what_it_claims",
        "who claims to be complete on a path has what was decided there last, or is in doubt",
        "Lamport, Malkhi, Zhou 2010",
        |world, _| managed(world, transfer::NoClaimWithoutWhatItClaims);
    "hand_overs_keep_tokens_and_answers",
        "a complete owner has the tokens, versions and answers of what it owns, and is told no lie",
        "RIFL: Lee et al. 2015, section 3",
        |world, _| managed(world, transfer::HandOversKeepTokensAndAnswers::default());
    "complete_owners_have_every_decided_write",
        "what is decided, every complete owner in force has or is in doubt about",
        "Lamport, Malkhi, Zhou 2010",
        |world, _| managed(world, transfer::CompleteOwnersHaveEveryDecidedWrite);
    "only_leased_members_serve_and_vote",
        "who serves or votes in an epoch is a member with a lease for it that runs",
        "leases; Gray, Cheriton 1989",
        |world, _| managed(world, membership::OnlyLeasedMembersServeAndVote::default());
    "only_complete_owners_serve_and_vote",
        "who serves or votes on a path owns it and has durably claimed to be complete",
        "Lamport, Malkhi, Zhou 2010",
        |world, _| managed(world, transfer::OnlyCompleteOwnersServeAndVote::default());
    "one_epoch_is_served_at_once",
        "once an epoch is served, no earlier one is",
        "view synchrony; Birman, Joseph 1987",
        |world, _| managed(world, membership::OneEpochIsServedAtOnce::default());
    "a_serving_owner_has_the_last_decided_contents",
        "what an owner answers or votes on is what was decided last",
        "atomic registers; Lamport 1986",
        |world, _| managed(world, transfer::AServingOwnerHasTheLastDecidedContents::default());
    "transaction_ids_are_used_once",
        "a transaction id names one attempt at one request, in one life of its coordinator",
        "W5; R*: Mohan, Lindsay, Obermarck 1986",
        |_, _| boxed(commit::TransactionIdsAreUsedOnce);
    "vote_is_durable_before_it_leaves",
        "a yes leaves a participant only once the vote is durable",
        "W1, write-ahead; Gray 1978",
        |_, _| boxed(commit::VoteIsDurableBeforeItLeaves);
    "decision_is_durable_before_it_leaves",
        "nobody hears of a commit before the decision is durable",
        "W1, write-ahead; Gray 1978",
        |_, _| boxed(commit::DecisionIsDurableBeforeItLeaves);
    "acknowledgement_is_durable_before_it_leaves",
        "a participant acknowledges a commit only once it has durably applied it",
        "W1, write-ahead; R*: Mohan, Lindsay, Obermarck 1986",
        |_, _| boxed(commit::AcknowledgementIsDurableBeforeItLeaves);
    "promise_is_durable_before_it_leaves",
        "a participant says aborted only if that is settled or nothing can make it vote any more",
        "W1, cooperative termination; Bernstein, Hadzilacos, Goodman 1987, section 7.4",
        |_, _| boxed(commit::PromiseIsDurableBeforeItLeaves);
    "decisions_are_final",
        "every node decides a transaction once and stays with it, also across restarts",
        "AC4, stability; Bernstein, Hadzilacos, Goodman 1987, ch. 7",
        |_, _| boxed(commit::DecisionsAreFinal);
    "commit_needs_every_yes",
        "a coordinator commits only if every participant's yes is durable",
        "AC2, validity; Bernstein, Hadzilacos, Goodman 1987, ch. 7",
        |_, _| boxed(commit::CommitNeedsEveryYes);
    "abort_needs_a_reason",
        "a coordinator that has heard every yes, and no no, does not abort",
        "AC3, non-triviality; Bernstein, Hadzilacos, Goodman 1987, ch. 7",
        |_, _| boxed(commit::AbortNeedsAReason);
    "participants_agree",
        "no node commits a transaction while another aborts it",
        "AC1, agreement; Bernstein, Hadzilacos, Goodman 1987, ch. 7",
        |_, _| boxed(commit::ParticipantsAgree);
    "a_yes_is_kept_until_the_decision",
        "who has voted yes neither commits nor aborts until it is told what was decided",
        "the uncertainty period; Bernstein, Hadzilacos, Goodman 1987, section 7.3; Skeen 1981",
        |_, _| boxed(commit::AYesIsKeptUntilTheDecision::default());
    "a_checkpoint_keeps_what_it_replaces",
        "a node that starts from a checkpoint knows what its whole log would have told it",
        "checkpoints; ARIES: Mohan et al. 1992, section 5.4",
        |_, _| boxed(files::ACheckpointKeepsWhatItReplaces::default());
    "commit_is_remembered_until_acknowledged",
        "a coordinator forgets a commit only when every participant has durably applied it",
        "W2, presumed abort; R*: Mohan, Lindsay, Obermarck 1986, section 3",
        |_, _| boxed(commit::CommitIsRememberedUntilAcknowledged);
    "no_pin_is_orphaned",
        "no path stays pinned for a transaction that nobody will ever decide",
        "W4, orphans; Lampson, Lomet 1993",
        |_, _| boxed(commit::NoPinIsOrphaned);
    "in_doubt_keeps_its_pins",
        "who is in doubt about a path serves no read of it and lets no one else change it",
        "W3; R*: Mohan, Lindsay, Obermarck 1986, section 2",
        |_, _| boxed(commit::InDoubtKeepsItsPins::default());
    "no_write_below_the_claimed_token",
        "once a token is claimed for a path, no change under a lower one commits",
        "L-I2, fencing; Burrows 2006 (Chubby), section 2.4; Kleppmann 2016",
        |_, _| boxed(files::NoWriteBelowTheClaimedToken);
    "replicas_agree",
        "all owners of a path have the same bytes under the same version",
        "replica consistency; Schneider 1990",
        |_, _| boxed(files::ReplicasAgree);
    "reads_see_only_what_was_committed",
        "a read finds a state that a commit has left behind",
        "G1a, G1b; Adya 1999, section 3.1",
        |_, _| boxed(files::ReadsSeeOnlyWhatWasCommitted);
    "reads_of_one_transaction_are_one_moment",
        "all reads of a transaction come from one point in the order of commits",
        "G2, read skew A5A; Adya 1999; Berenson et al. 1995",
        |_, _| boxed(commit::ReadsOfOneTransactionAreOneMoment);
    "versions_grow",
        "each commit to a path continues its version by the number of its changes",
        "F-I5, version order; Adya 1999, section 3.1",
        |_, _| boxed(files::VersionsGrow);
    "deleted_files_stay_deleted",
        "after an acknowledged deletion nobody finds the old contents",
        "F-I3, no resurrection; Demers et al. 1987",
        |_, _| boxed(files::DeletedFilesStayDeleted);
    "acknowledged_writes_survive",
        "what a client was told of is there for every later read and after every restart",
        "F-I2, durability; Haerder, Reuter 1983; Herlihy, Wing 1990",
        |_, _| boxed(files::AcknowledgedWritesSurvive::default());
    "nobody_is_in_doubt_at_the_end",
        "when everything had its time, every yes has an outcome",
        "AC5, termination; Bernstein, Hadzilacos, Goodman 1987, ch. 7",
        |_, _| boxed(commit::NobodyIsInDoubtAtTheEnd);
    "every_arc_is_complete_and_settled_at_the_end",
        "when everything had its time, every owner is complete and the view has settled",
        "liveness; Lamport, Malkhi, Zhou 2010",
        |world, _| managed(world, transfer::EveryArcIsCompleteAndSettledAtTheEnd::default());
    "no_copies_elsewhere_at_the_end",
        "when everything had its time, nobody stores what it does not own",
        "Demers et al. 1987",
        |world, _| managed(world, transfer::NoCopiesElsewhereAtTheEnd);
    "replicas_are_equal_at_the_end",
        "when everything had its time, every owner stores what was committed last",
        "convergence; Vogels 2008",
        |_, _| boxed(files::ReplicasAreEqualAtTheEnd);
    "time_never_goes_back",
        "neither true time nor any clock of a machine goes back",
        "D-I2; Lamport 1978",
        |_, _| boxed(simulator::TimeNeverGoesBack::default());
    "messages_are_conserved",
        "every message sent or copied is received, lost or in flight",
        "D-I3, conservation",
        |_, _| boxed(simulator::MessagesAreConserved::default());
    "owners_agree",
        "coordinators and participants of a path are its R distinct owners on the ring",
        "R-I1, R-I2; Karger et al. 1997",
        |_, _| boxed(files::OwnersAgree::default());
    "tokens_grow",
        "each grant has a higher token than every grant before",
        "L-I3; Burrows 2006 (Chubby), section 2.4",
        |_, _| boxed(locks::TokensGrow::default());
    "grant_is_durable_before_it_leaves",
        "a grant leaves the lock server only once it is durable",
        "W1 for locks; Gray 1978",
        |_, _| boxed(locks::GrantIsDurableBeforeItLeaves::default());
    "one_holder_per_lock",
        "a lock has at most one grant that is not over",
        "L-I1, mutual exclusion; Dijkstra 1965",
        |_, _| boxed(locks::OneHolderPerLock::default());
    "only_the_holder_releases",
        "a lock is freed by its holder under its token, or by the end of its lease",
        "L-I7; Redis SET NX with a token",
        |_, _| boxed(locks::OnlyTheHolderReleases::default());
    "grants_go_to_the_living",
        "a lock goes to a waiter that was heard within a lease",
        "L-I6; etcd issue 11456",
        |_, _| boxed(locks::GrantsGoToTheLiving::default());
    "grants_follow_the_line",
        "of the living, the one who stood in line first is granted first",
        "L-I4, first in first out",
        |_, _| boxed(locks::GrantsFollowTheLine::default());
    "no_free_lock_with_a_live_waiter",
        "no lock is free while somebody alive waits for it",
        "L-I5, no lost wake-up; Lampson, Redell 1980",
        |_, _| boxed(locks::NoFreeLockWithALiveWaiter::default());
    "holders_stop_believing_first",
        "a holder stops believing in its lease before the lock goes to another",
        "L-I8; Gray, Cheriton 1989",
        |_, _| boxed(locks::HoldersStopBelievingFirst::default());
    "acquired_means_held",
        "a client answers acquired only while it believes that it holds the lock",
        "L-I8, outcome honesty; Gray, Cheriton 1989",
        |_, _| boxed(locks::AcquiredMeansHeld::default());
    "one_effect_per_request",
        "a request takes effect at most once",
        "at-most-once; Birrell, Nelson 1984",
        |_, _| boxed(requests::OneEffectPerRequest::default());
    "one_answer_per_request",
        "a client answers a request at most once",
        "client outcome honesty",
        |_, _| boxed(requests::OneAnswerPerRequest::default());
    "refused_means_no_effect",
        "what a client called refused never takes effect",
        "F-I7, outcome honesty; Knossos",
        |_, _| boxed(requests::RefusedMeansNoEffect::default());
    "done_means_effect",
        "what a client called done has taken effect, with that answer",
        "F-I7, outcome honesty; Knossos",
        |_, _| boxed(requests::DoneMeansEffect::default());
    "every_request_ends",
        "when everything had its time, every request has an answer",
        "termination",
        |_, _| boxed(requests::EveryRequestEnds);
    "every_lock_is_free_or_held_by_the_living",
        "when everything had its time, no lock is held by the dead",
        "L-I5, L-I6",
        |_, _| boxed(locks::EveryLockIsFreeOrHeldByTheLiving::default());
    "bank_total_never_changes",
        "whoever reads all accounts at once finds the money that was paid in",
        "Jepsen's bank; Gray 1985 (debit-credit)",
        |_, workload| {
            let (accounts, total) = workload?.account_paths()?;
            boxed(files::BankTotalNeverChanges::new(accounts, total))
        };
    "no_increment_is_lost",
        "every acknowledged increment of a counter is in its final value",
        "lost update, P4; Berenson et al. 1995",
        |_, workload| boxed(files::NoIncrementIsLost::new(workload?.counter_paths()?));
}

fn boxed(invariant: impl Invariant + 'static) -> Option<Box<dyn Invariant>> {
    Some(Box::new(invariant))
}

/// One that is about managed membership.
fn managed(world: &World, invariant: impl Invariant + 'static) -> Option<Box<dyn Invariant>> {
    (world.config().membership == Membership::Managed).then(|| Box::new(invariant) as _)
}

/// The invariant of this name.
pub fn find(name: &str) -> Option<&'static Entry> {
    ALL.iter().find(|entry| entry.name == name)
}

/// The name of every invariant, in the order of the list.
pub fn names() -> &'static [&'static str] {
    static NAMES: LazyLock<Vec<&str>> =
        LazyLock::new(|| ALL.iter().map(|entry| entry.name).collect());
    &NAMES
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantity::SpanRange;
    use crate::scenario::WorkloadKind;
    use seedbed::proto::{Config, Settings};

    fn workload(kind: WorkloadKind) -> Workload {
        Workload { kind, operations: 1, paths: 2, think: SpanRange::from_millis(0, 1) }
    }

    #[test]
    fn every_invariant_goes_by_the_name_it_is_listed_under_and_no_name_comes_twice() {
        let settings = Settings { membership: Membership::Managed, ..Settings::default() };
        let world = World::new(Config::new(settings).unwrap(), 1);
        let bank = workload(WorkloadKind::Bank { balance: 1 });
        let workloads = [bank, workload(WorkloadKind::LockedCounter)];
        for (number, entry) in ALL.iter().enumerate() {
            let made = workloads.iter().find_map(|workload| (entry.make)(&world, Some(workload)));
            assert_eq!(made.map(|invariant| invariant.name()), Some(entry.name));
            assert!(ALL[..number].iter().all(|other| other.name != entry.name), "{}", entry.name);
        }
    }
}

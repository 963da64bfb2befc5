//! Which checker stands behind the name of an invariant.
//!
//! The names, their meaning and the order in which they are judged stand in
//! [`invariant`](crate::invariant). A name without a checker does not compile, nor does one with
//! two. The type of a checker has the name of its invariant.

use super::Invariant;
use super::invariants::{commit, files, locks, membership, progress, requests, transfer};
use crate::file_service::InvariantName;
use crate::file_service::World;
use crate::file_service::invariant::FileInvariant;
use crate::file_service::scenario::Workload;
use seedbed::proto::{FileService, Membership};

/// The checker of an invariant; `None` where it is about another run than this one.
type Made = Option<Box<dyn Invariant<FileService>>>;

/// The checker of a listed invariant.
pub trait Named: Invariant<FileService> {
    /// The name that the invariant is listed under.
    const NAME: InvariantName;
}

/// Binds names to checkers: those that need nothing, with the function that says in which runs they
/// are on, and those that are made from the workload.
macro_rules! registry {
    (
        from_nothing { $($when:ident $area:ident::$name:ident$(::$default:ident)?;)* }
        from_workload { $($from:ident::$made:ident = $make:expr;)* }
    ) => {
        $(impl Named for $area::$name {
            const NAME: InvariantName = InvariantName::System(FileInvariant::$name);
        })*
        $(impl Named for $from::$made {
            const NAME: InvariantName = InvariantName::System(FileInvariant::$made);
        })*

        /// Makes the checker of `name`, for a run that starts with `world` and has this workload;
        /// `None` where the invariant is about another kind of membership or workload.
        pub fn make(name: FileInvariant, world: &World, workload: Option<&Workload>) -> Made {
            #[deny(unreachable_patterns)]
            match name {
                $(FileInvariant::$name => $when(world, $area::$name$(::$default())?),)*
                $(FileInvariant::$made => {
                    let make: fn(&Workload) -> Option<$from::$made> = $make;
                    always(world, make(workload?)?)
                })*
            }
        }
    };
}

// With fixed membership these have nothing to look at, and are off:
//
// - those of views, admissions, epochs and membership leases: there is one view that no record
//   announces, no admission is given, no epoch is entered, and no lease is asked for. That requests
//   and transactions go to the owners in that view is for `owners_agree`, which is on;
// - those of transfers and claims: no path moves, and no record claims. That every owner has what
//   was decided is for `replicas_agree` and `owners_store_what_was_committed`;
// - `a_serving_owner_has_the_last_decided_contents` looks at no record of a transfer, and is on.
registry! {
    from_nothing {
        managed membership::ViewsAreDecidedOnceAndInOrder::default;
        managed membership::AdmissionsAreUsedOnce::default;
        managed membership::EpochsOfANodeOnlyGrow::default;
        managed membership::AViewIsActiveAfterAllHaveLeft::default;
        managed membership::LeasesFollowRecordedEntries::default;
        managed membership::NoViewChangeWithoutACause::default;
        managed membership::KeysMoveOnlyToJoinersAndFromLeavers;
        managed transfer::NoPathIsHandedOverInDoubt::default;
        managed transfer::ClaimedCopiesAreKept::default;
        managed transfer::CopiesAreGivenUpOnlyForSettledEpochs;
        managed transfer::AClaimedPathHasTheLastDecidedContents;
        managed transfer::HandOversKeepTokensAndAnswers::default;
        managed transfer::CompleteOwnersHaveEveryDecidedWrite;
        managed membership::OnlyLeasedMembersServeAndVote;
        managed transfer::OnlyCompleteOwnersServeAndVote;
        managed membership::OneEpochIsServedAtOnce::default;
        always transfer::AServingOwnerHasTheLastDecidedContents;
        always commit::TransactionIdsAreUsedOnce;
        always commit::VoteIsDurableBeforeItLeaves;
        always commit::DecisionIsDurableBeforeItLeaves;
        always commit::AcknowledgementIsDurableBeforeItLeaves;
        always commit::PromiseIsDurableBeforeItLeaves;
        always requests::RecordedRefusalIsDurableBeforeItLeaves::default;
        always commit::DecisionsAreFinal;
        always commit::CommitNeedsEveryYes;
        always commit::AbortNeedsAReason;
        always commit::ParticipantsAgree;
        always commit::AYesIsKeptUntilTheDecision::default;
        always files::ACheckpointKeepsWhatItReplaces::default;
        always commit::CommitIsRememberedUntilAcknowledged;
        always commit::ALowWaterMarkCoversOnlyWhatIsOver::default;
        always commit::NoPinIsOrphaned;
        always commit::InDoubtKeepsItsPins::default;
        always files::NoWriteBelowTheClaimedToken;
        always files::ReplicasAgree;
        always commit::ReadsOfOneTransactionAreOneMoment;
        always files::DeletedFilesStayDeleted;
        always files::AcknowledgedWritesSurvive::default;
        always files::CommitsDoWhatWasAsked;
        always files::AnswersFollowFromTheCommits::default;
        always files::RefusalsStateATrueReason;
        always files::AFullDiskTakesNoNewWork::default;
        always files::OwnersStoreWhatWasCommitted::default;
        always files::AStartRecoversWhatTheLogSays::default;
        always commit::NoParticipantIsInDoubtAtTheEnd;
        managed transfer::EveryArcIsCompleteAndSettledAtTheEnd::default;
        managed membership::TheNewestViewIsWhatTheOperatorWants::default;
        managed transfer::NoCopiesElsewhereAtTheEnd;
        always files::OwnersAgree::default;
        always locks::TokensGrow::default;
        always locks::GrantIsDurableBeforeItLeaves;
        always locks::OneHolderPerLock;
        always locks::OnlyTheHolderReleases::default;
        always locks::GrantsGoToLiveWaiters;
        always locks::GrantsFollowTheLine;
        always locks::NoFreeLockWithALiveWaiter::default;
        always locks::ASilentHolderKeepsNoLock::default;
        always locks::HoldersStopBelievingFirst::default;
        always locks::OnlyItsOwnKeepAliveMovesALease::default;
        always locks::ALeaseThatIsOverIsGivenUp::default;
        always locks::AcquiredMeansHeld::default;
        always locks::OperationsCarryTheTokensOfHeldLocks::default;
        always locks::LockRefusalsStateATrueReason::default;
        always locks::EffectsUnderATokenAreRequestedByItsHolder::default;
        always requests::OneEffectPerRequest;
        always requests::OneAnswerPerRequest::default;
        always requests::RefusedMeansNoEffect::default;
        always requests::AToldRefusalHoldsForAllAttempts::default;
        always requests::AClientWaitsForNothingBelowItsMarks::default;
        always requests::DoneMeansEffect;
        always progress::AReleasedLockIsFree::default;
        always progress::AClientKeepsTrying::default;
        always progress::ARetryAsksAnotherOwner::default;
        always progress::ALostAttemptHasACause::default;
        always progress::AttemptsYieldOnlyToOlderOnes::default;
        always progress::AnAttemptWaitsOnlyForYoungerOnes::default;
        always progress::ProbesAreAnswered;
        always progress::UnknownHasACause;
        always requests::HistoriesAreStrictlySerializable::default;
        always requests::EveryRequestEnds;
        always locks::EveryLockIsFreeOrHeldByALiveClient;
        always progress::EveryDecisionIsOver;
        always progress::NodesForgetWhatIsOver::default;
        always progress::SomeRequestIsDoneOrRefused::default;
    }
    from_workload {
        files::BankTotalNeverChanges = |workload| {
            let (accounts, total) = workload.account_paths()?;
            Some(files::BankTotalNeverChanges::new(accounts, total))
        };
        files::NoIncrementIsLost = |workload| {
            Some(files::NoIncrementIsLost::new(workload.counter_paths()?))
        };
    }
}

/// One that is on in every run.
fn always(_world: &World, invariant: impl Invariant<FileService> + 'static) -> Made {
    Some(Box::new(invariant))
}

/// One that is about managed membership.
fn managed(world: &World, invariant: impl Invariant<FileService> + 'static) -> Made {
    (world.config().membership == Membership::Managed).then(|| Box::new(invariant) as _)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::scenario::WorkloadKind;
    use crate::name::Name;
    use crate::quantity::{Ppb, SpanRange};
    use seedbed::proto::{Config, Settings};

    fn workload(kind: WorkloadKind) -> Workload {
        Workload {
            kind,
            operations: 1,
            paths: 2,
            think: SpanRange::from_millis(0, 1),
            at_once: 1,
            beyond_limits: Ppb::ZERO,
            named: Ppb::ZERO,
        }
    }

    #[test]
    fn every_invariant_is_on_in_some_run() {
        let settings = Settings { membership: Membership::Managed, ..Settings::default() };
        let world = World::of_config(Config::new(settings).unwrap(), 1);
        let bank = workload(WorkloadKind::Bank { balance: 1 });
        let workloads = [bank, workload(WorkloadKind::LockedCounter)];
        for &name in FileInvariant::ALL {
            let made = workloads.iter().find_map(|workload| make(name, &world, Some(workload)));
            assert!(made.is_some(), "{}", name.name());
        }
    }

    #[test]
    fn those_of_managed_membership_are_off_where_it_is_fixed_and_no_others() {
        let world = World::of_config(Config::new(Settings::default()).unwrap(), 1);
        let workloads = [WorkloadKind::Bank { balance: 1 }, WorkloadKind::LockedCounter];
        let is_on = |name: FileInvariant, kind: &WorkloadKind| {
            make(name, &world, Some(&workload(kind.clone()))).is_some()
        };
        for &name in FileInvariant::ALL {
            let is_off = !workloads.iter().any(|kind| is_on(name, kind));
            assert_eq!(is_off, name.is_of_managed_membership(), "{}", name.name());
        }
    }
}

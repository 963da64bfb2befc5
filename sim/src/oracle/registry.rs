//! Which checker stands behind the name of an invariant.
//!
//! The names, their meaning and the order in which they are judged stand in
//! [`invariant`](crate::invariant). A name without a checker does not compile.

use super::invariants::{commit, files, locks, membership, requests, simulator, transfer};
use super::{Invariant, Workload, World};
use crate::invariant::InvariantName;
use seedbed::proto::Membership;

/// The checker of an invariant; `None` where it is about another run than this one.
type Made = Option<Box<dyn Invariant>>;

/// Makes the checker of `name`, for a run that starts with `world` and has this workload; `None`
/// where the invariant is about another kind of membership or workload.
pub fn make(name: InvariantName, world: &World, workload: Option<&Workload>) -> Made {
    use InvariantName as Name;
    match name {
        Name::ViewsAreDecidedOnceAndInOrder => {
            managed(world, membership::ViewsAreDecidedOnceAndInOrder::default())
        }
        Name::AdmissionsAreUsedOnce => managed(world, membership::AdmissionsAreUsedOnce::default()),
        Name::EpochsOfANodeOnlyGrow => managed(world, membership::EpochsOfANodeOnlyGrow::default()),
        Name::AViewIsActiveAfterAllHaveLeft => {
            managed(world, membership::AViewIsActiveAfterAllHaveLeft::default())
        }
        Name::NoViewChangeWithoutACause => {
            managed(world, membership::NoViewChangeWithoutACause::default())
        }
        Name::KeysMoveOnlyToJoinersAndFromLeavers => {
            managed(world, membership::KeysMoveOnlyToJoinersAndFromLeavers)
        }
        Name::NoPathIsHandedOverInDoubt => {
            managed(world, transfer::NoPathIsHandedOverInDoubt::default())
        }
        Name::ClaimedCopiesAreKept => managed(world, transfer::ClaimedCopiesAreKept::default()),
        Name::OnlySettledEpochsGiveUpCopies => {
            managed(world, transfer::OnlySettledEpochsGiveUpCopies)
        }
        Name::NoClaimWithoutWhatItClaims => managed(world, transfer::NoClaimWithoutWhatItClaims),
        Name::HandOversKeepTokensAndAnswers => {
            managed(world, transfer::HandOversKeepTokensAndAnswers::default())
        }
        Name::CompleteOwnersHaveEveryDecidedWrite => {
            managed(world, transfer::CompleteOwnersHaveEveryDecidedWrite)
        }
        Name::OnlyLeasedMembersServeAndVote => {
            managed(world, membership::OnlyLeasedMembersServeAndVote)
        }
        Name::OnlyCompleteOwnersServeAndVote => {
            managed(world, transfer::OnlyCompleteOwnersServeAndVote)
        }
        Name::OneEpochIsServedAtOnce => {
            managed(world, membership::OneEpochIsServedAtOnce::default())
        }
        Name::AServingOwnerHasTheLastDecidedContents => {
            managed(world, transfer::AServingOwnerHasTheLastDecidedContents)
        }
        Name::TransactionIdsAreUsedOnce => boxed(commit::TransactionIdsAreUsedOnce),
        Name::VoteIsDurableBeforeItLeaves => boxed(commit::VoteIsDurableBeforeItLeaves),
        Name::DecisionIsDurableBeforeItLeaves => boxed(commit::DecisionIsDurableBeforeItLeaves),
        Name::AcknowledgementIsDurableBeforeItLeaves => {
            boxed(commit::AcknowledgementIsDurableBeforeItLeaves)
        }
        Name::PromiseIsDurableBeforeItLeaves => boxed(commit::PromiseIsDurableBeforeItLeaves),
        Name::DecisionsAreFinal => boxed(commit::DecisionsAreFinal),
        Name::CommitNeedsEveryYes => boxed(commit::CommitNeedsEveryYes),
        Name::AbortNeedsAReason => boxed(commit::AbortNeedsAReason),
        Name::ParticipantsAgree => boxed(commit::ParticipantsAgree),
        Name::AYesIsKeptUntilTheDecision => boxed(commit::AYesIsKeptUntilTheDecision::default()),
        Name::ACheckpointKeepsWhatItReplaces => {
            boxed(files::ACheckpointKeepsWhatItReplaces::default())
        }
        Name::CommitIsRememberedUntilAcknowledged => {
            boxed(commit::CommitIsRememberedUntilAcknowledged)
        }
        Name::NoPinIsOrphaned => boxed(commit::NoPinIsOrphaned),
        Name::InDoubtKeepsItsPins => boxed(commit::InDoubtKeepsItsPins::default()),
        Name::NoWriteBelowTheClaimedToken => boxed(files::NoWriteBelowTheClaimedToken),
        Name::ReplicasAgree => boxed(files::ReplicasAgree),
        Name::ReadsSeeOnlyWhatWasCommitted => boxed(files::ReadsSeeOnlyWhatWasCommitted),
        Name::ReadsOfOneTransactionAreOneMoment => boxed(commit::ReadsOfOneTransactionAreOneMoment),
        Name::VersionsGrow => boxed(files::VersionsGrow),
        Name::DeletedFilesStayDeleted => boxed(files::DeletedFilesStayDeleted),
        Name::AcknowledgedWritesSurvive => boxed(files::AcknowledgedWritesSurvive::default()),
        Name::NobodyIsInDoubtAtTheEnd => boxed(commit::NobodyIsInDoubtAtTheEnd),
        Name::EveryArcIsCompleteAndSettledAtTheEnd => {
            managed(world, transfer::EveryArcIsCompleteAndSettledAtTheEnd::default())
        }
        Name::NoCopiesElsewhereAtTheEnd => managed(world, transfer::NoCopiesElsewhereAtTheEnd),
        Name::ReplicasAreEqualAtTheEnd => boxed(files::ReplicasAreEqualAtTheEnd),
        Name::TimeNeverGoesBack => boxed(simulator::TimeNeverGoesBack::default()),
        Name::MessagesAreConserved => boxed(simulator::MessagesAreConserved::default()),
        Name::OwnersAgree => boxed(files::OwnersAgree::default()),
        Name::TokensGrow => boxed(locks::TokensGrow::default()),
        Name::GrantIsDurableBeforeItLeaves => boxed(locks::GrantIsDurableBeforeItLeaves::default()),
        Name::OneHolderPerLock => boxed(locks::OneHolderPerLock),
        Name::OnlyTheHolderReleases => boxed(locks::OnlyTheHolderReleases::default()),
        Name::GrantsGoToTheLiving => boxed(locks::GrantsGoToTheLiving),
        Name::GrantsFollowTheLine => boxed(locks::GrantsFollowTheLine),
        Name::NoFreeLockWithALiveWaiter => boxed(locks::NoFreeLockWithALiveWaiter::default()),
        Name::HoldersStopBelievingFirst => boxed(locks::HoldersStopBelievingFirst::default()),
        Name::AcquiredMeansHeld => boxed(locks::AcquiredMeansHeld::default()),
        Name::OneEffectPerRequest => boxed(requests::OneEffectPerRequest),
        Name::OneAnswerPerRequest => boxed(requests::OneAnswerPerRequest::default()),
        Name::RefusedMeansNoEffect => boxed(requests::RefusedMeansNoEffect::default()),
        Name::DoneMeansEffect => boxed(requests::DoneMeansEffect),
        Name::EveryRequestEnds => boxed(requests::EveryRequestEnds),
        Name::EveryLockIsFreeOrHeldByTheLiving => boxed(locks::EveryLockIsFreeOrHeldByTheLiving),
        Name::BankTotalNeverChanges => {
            let (accounts, total) = workload?.account_paths()?;
            boxed(files::BankTotalNeverChanges::new(accounts, total))
        }
        Name::NoIncrementIsLost => boxed(files::NoIncrementIsLost::new(workload?.counter_paths()?)),
    }
}

fn boxed(invariant: impl Invariant + 'static) -> Made {
    Some(Box::new(invariant))
}

/// One that is about managed membership.
fn managed(world: &World, invariant: impl Invariant + 'static) -> Made {
    (world.config().membership == Membership::Managed).then(|| Box::new(invariant) as _)
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
    fn every_invariant_goes_by_the_name_it_is_listed_under() {
        let settings = Settings { membership: Membership::Managed, ..Settings::default() };
        let world = World::new(Config::new(settings).unwrap(), 1);
        let bank = workload(WorkloadKind::Bank { balance: 1 });
        let workloads = [bank, workload(WorkloadKind::LockedCounter)];
        for &name in InvariantName::ALL {
            let made = workloads.iter().find_map(|workload| make(name, &world, Some(workload)));
            assert_eq!(made.map(|invariant| invariant.name()), Some(name.name()));
        }
    }
}

//! Locks: grants, leases, fencing tokens, and the order of waiting requests.

mod a_lease_that_is_over_is_given_up;
mod a_silent_holder_keeps_no_lock;
mod acquired_means_held;
mod effects_under_a_token_are_requested_by_its_holder;
mod every_lock_is_free_or_held_by_a_live_client;
mod grant_is_durable_before_it_leaves;
mod grants_follow_the_line;
mod grants_go_to_live_waiters;
mod holders_stop_believing_first;
mod lock_refusals_state_a_true_reason;
mod no_free_lock_with_a_live_waiter;
mod one_holder_per_lock;
mod only_its_own_keep_alive_moves_a_lease;
mod only_the_holder_releases;
mod operations_carry_the_tokens_of_held_locks;
mod tokens_grow;

pub(in crate::file_service::oracle) use a_lease_that_is_over_is_given_up::ALeaseThatIsOverIsGivenUp;
pub(in crate::file_service::oracle) use a_silent_holder_keeps_no_lock::ASilentHolderKeepsNoLock;
pub(in crate::file_service::oracle) use acquired_means_held::AcquiredMeansHeld;
pub(in crate::file_service::oracle) use effects_under_a_token_are_requested_by_its_holder::EffectsUnderATokenAreRequestedByItsHolder;
pub(in crate::file_service::oracle) use every_lock_is_free_or_held_by_a_live_client::EveryLockIsFreeOrHeldByALiveClient;
pub(in crate::file_service::oracle) use grant_is_durable_before_it_leaves::GrantIsDurableBeforeItLeaves;
pub(in crate::file_service::oracle) use grants_follow_the_line::GrantsFollowTheLine;
pub(in crate::file_service::oracle) use grants_go_to_live_waiters::GrantsGoToLiveWaiters;
pub(in crate::file_service::oracle) use holders_stop_believing_first::HoldersStopBelievingFirst;
pub(in crate::file_service::oracle) use lock_refusals_state_a_true_reason::LockRefusalsStateATrueReason;
pub(in crate::file_service::oracle) use no_free_lock_with_a_live_waiter::NoFreeLockWithALiveWaiter;
pub(in crate::file_service::oracle) use one_holder_per_lock::OneHolderPerLock;
pub(in crate::file_service::oracle) use only_its_own_keep_alive_moves_a_lease::OnlyItsOwnKeepAliveMovesALease;
pub(in crate::file_service::oracle) use only_the_holder_releases::OnlyTheHolderReleases;
pub(in crate::file_service::oracle) use operations_carry_the_tokens_of_held_locks::OperationsCarryTheTokensOfHeldLocks;
pub(in crate::file_service::oracle) use tokens_grow::TokensGrow;

use crate::file_service::oracle::SeenKinds;
use seedbed::proto::{MessageKind, RecordKind};

const LOCKS: &[RecordKind] = &[RecordKind::Queued, RecordKind::Granted, RecordKind::Left];

/// The lock server's log, and what a crash does to it.
fn lock_log() -> SeenKinds {
    SeenKinds::appended(LOCKS) | SeenKinds::durable(LOCKS) | SeenKinds::FORGOT | SeenKinds::STARTED
}

/// What asks for a place in line or keeps one.
fn keeps() -> SeenKinds {
    SeenKinds::received(&[MessageKind::Acquire, MessageKind::KeepAlive])
}

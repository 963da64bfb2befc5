//! Progress: what is asked gets done, and what is not done has a cause.

use seedbed::proto::{Action, Operation, Path};

use crate::oracle::Model;

mod a_client_keeps_trying;
mod a_lost_attempt_has_a_cause;
mod a_released_lock_is_free;
mod a_retry_asks_another_owner;
mod an_attempt_waits_only_for_younger_ones;
mod attempts_yield_only_to_older_ones;
mod every_decision_is_over;
mod nodes_forget_what_is_over;
mod probes_are_answered;
mod some_request_is_done_or_refused;
mod unknown_has_a_cause;

pub(in crate::oracle) use a_client_keeps_trying::AClientKeepsTrying;
pub(in crate::oracle) use a_lost_attempt_has_a_cause::ALostAttemptHasACause;
pub(in crate::oracle) use a_released_lock_is_free::AReleasedLockIsFree;
pub(in crate::oracle) use a_retry_asks_another_owner::ARetryAsksAnotherOwner;
pub(in crate::oracle) use an_attempt_waits_only_for_younger_ones::AnAttemptWaitsOnlyForYoungerOnes;
pub(in crate::oracle) use attempts_yield_only_to_older_ones::AttemptsYieldOnlyToOlderOnes;
pub(in crate::oracle) use every_decision_is_over::EveryDecisionIsOver;
pub(in crate::oracle) use nodes_forget_what_is_over::NodesForgetWhatIsOver;
pub(in crate::oracle) use probes_are_answered::ProbesAreAnswered;
pub(in crate::oracle) use some_request_is_done_or_refused::SomeRequestIsDoneOrRefused;
pub(in crate::oracle) use unknown_has_a_cause::UnknownHasACause;

/// The paths of a request, the target of a rename among them.
fn all_paths(operations: &[Operation]) -> impl Iterator<Item = Path> {
    operations.iter().flat_map(|operation| {
        let target = match &operation.action {
            Action::Rename(to, _) => Some(to.clone()),
            _ => None, // it has no other path
        };
        std::iter::once(operation.path.clone()).chain(target)
    })
}

/// Is there a view, and is everyone complete in the newest one?
fn has_settled(model: &Model) -> bool {
    let newest = model.views.newest().map(|newest| newest.is.epoch);
    newest.is_some() && model.views.settled().map(|settled| settled.is) == newest
}

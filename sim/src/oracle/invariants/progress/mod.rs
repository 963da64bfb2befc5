//! Progress: what is asked gets done, and what is not done has a cause.

mod a_client_keeps_trying;
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
pub(in crate::oracle) use a_released_lock_is_free::AReleasedLockIsFree;
pub(in crate::oracle) use a_retry_asks_another_owner::ARetryAsksAnotherOwner;
pub(in crate::oracle) use an_attempt_waits_only_for_younger_ones::AnAttemptWaitsOnlyForYoungerOnes;
pub(in crate::oracle) use attempts_yield_only_to_older_ones::AttemptsYieldOnlyToOlderOnes;
pub(in crate::oracle) use every_decision_is_over::EveryDecisionIsOver;
pub(in crate::oracle) use nodes_forget_what_is_over::NodesForgetWhatIsOver;
pub(in crate::oracle) use probes_are_answered::ProbesAreAnswered;
pub(in crate::oracle) use some_request_is_done_or_refused::SomeRequestIsDoneOrRefused;
pub(in crate::oracle) use unknown_has_a_cause::UnknownHasACause;

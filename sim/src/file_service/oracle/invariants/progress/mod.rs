//! Progress: what is asked gets done, and what is not done has a cause.

use std::cmp::Reverse;

use seedbed::machine::{Class, NodeId, RequestId, Span, Time};
use seedbed::proto::{Age, Membership, Path, Request};

use crate::file_service::World;
use crate::file_service::oracle::Model;
use crate::file_service::oracle::model::reference::program::paths;
use crate::text::Nanoseconds;

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

pub(in crate::file_service::oracle) use a_client_keeps_trying::AClientKeepsTrying;
pub(in crate::file_service::oracle) use a_lost_attempt_has_a_cause::ALostAttemptHasACause;
pub(in crate::file_service::oracle) use a_released_lock_is_free::AReleasedLockIsFree;
pub(in crate::file_service::oracle) use a_retry_asks_another_owner::ARetryAsksAnotherOwner;
pub(in crate::file_service::oracle) use an_attempt_waits_only_for_younger_ones::AnAttemptWaitsOnlyForYoungerOnes;
pub(in crate::file_service::oracle) use attempts_yield_only_to_older_ones::AttemptsYieldOnlyToOlderOnes;
pub(in crate::file_service::oracle) use every_decision_is_over::EveryDecisionIsOver;
pub(in crate::file_service::oracle) use nodes_forget_what_is_over::NodesForgetWhatIsOver;
pub(in crate::file_service::oracle) use probes_are_answered::ProbesAreAnswered;
pub(in crate::file_service::oracle) use some_request_is_done_or_refused::SomeRequestIsDoneOrRefused;
pub(in crate::file_service::oracle) use unknown_has_a_cause::UnknownHasACause;

/// The place of an age among all, the oldest first: by the power of two that the wait in
/// nanoseconds has reached, then the lower number, the lower client, its earlier life, the earlier
/// attempt. The protocol's own order of ages is not asked, because it may be wrong.
fn rank(age: Age) -> Rank {
    let power = age.waited.as_nanos().checked_ilog2();
    (Reverse(power), age.request.number, age.request, age.waited)
}

/// How long a request has waited at least, as attempts are compared by it: `8.39 ms or more`.
fn counted(age: Age) -> String {
    let power = age.waited.as_nanos().checked_ilog2();
    format!("{} or more", Nanoseconds(power.map_or(0, |power| 1 << power)))
}

/// The paths that a user asks about.
fn paths_of(request: RequestId, model: &Model) -> Vec<Path> {
    match model.requests.wanted(request) {
        Some(Request::Files { operations, .. }) => paths(operations).cloned().collect(),
        Some(Request::Acquire { path, .. } | Request::Release { path, .. }) => vec![path.clone()],
        None => Vec::new(),
    }
}

/// Compares like the age it was made of.
type Rank = (Reverse<Option<u32>>, u32, RequestId, Span);

/// Has a fault or a change of views touched a request of `client` since then? The central node
/// counts where it has a part in the request.
fn is_disturbed(client: NodeId, has_centre: bool, since: Time, model: &Model) -> bool {
    let is_one = |node: NodeId| match node.class() {
        Class::Control => has_centre,
        Class::Node => true,
        Class::Client => node == client,
    };
    model.disturbances.touched(is_one, since)
}

/// Have views changed since then, or has the newest one not settled?
fn is_moving(since: Time, model: &Model, world: &World) -> bool {
    let newest = model.views.newest().map(|newest| newest.is.epoch);
    let has_settled = newest.is_some() && model.views.settled().map(|at| at.is) == newest;
    let is_managed = world.config().membership == Membership::Managed;
    is_managed && (model.disturbances.views_changed(since) || !has_settled)
}

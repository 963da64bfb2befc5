//! What requests of a file do, as far as it matters for what can happen.

use seedbed::proto::{Action, Request};

use super::{Scenario, WorkloadKind};

pub(in crate::file_service) fn acquires(scenario: &Scenario) -> bool {
    let by_workload = scenario.workload.as_ref().is_some_and(|workload| match workload.kind {
        WorkloadKind::Files { .. } | WorkloadKind::LockedCounter => true,
        WorkloadKind::Bank { .. } => false,
    });
    let is_acquire = |request: &Request| matches!(request, Request::Acquire { .. });
    by_workload || scenario.requests().any(is_acquire)
}

/// A lock that no client holds may be answered as released.
pub(super) fn releases(scenario: &Scenario) -> bool {
    scenario.requests().any(|request| matches!(request, Request::Release { .. }))
}

pub(in crate::file_service) fn renames(scenario: &Scenario) -> bool {
    let by_workload = scenario.workload.as_ref().is_some_and(|workload| match workload.kind {
        WorkloadKind::Files { .. } => true,
        WorkloadKind::LockedCounter | WorkloadKind::Bank { .. } => false,
    });
    let has_rename = |request: &Request| match request {
        Request::Files { operations, .. } => {
            operations.iter().any(|operation| matches!(operation.action, Action::Rename(..)))
        }
        Request::Acquire { .. } | Request::Release { .. } => false,
    };
    by_workload || scenario.requests().any(has_rename)
}

//! What can never happen in a run of a file, from what the file leaves out.

use seedbed::machine::Class;
use seedbed::proto::{Command, CommitMode, Membership, MessageKind, RecordKind, Request};

use super::asked::{acquires, releases, renames};
use super::swarm::SwarmKey;
use super::wishes::{Wish, WishKind};
use super::{Answer, Scenario, Script, ScriptedFault, Workload};
use crate::cell::FaultKind;
use crate::fault::Fault;
use crate::file_service::Milestone;
use crate::file_service::invariant::FileInvariant;
use crate::file_service::refusal::Reason;
use crate::file_service::subject_of::Topic;
use crate::scenario::reading::{Table, must_be_possible};
use crate::scenario::swarm::Key;

/// Why no run can reach `milestone`; `None` if one may.
pub(in crate::file_service) fn why_never(
    milestone: Milestone,
    scenario: &Scenario,
) -> Option<&'static str> {
    if scenario.config.membership == Membership::Fixed && is_of_managed(milestone) {
        return Some("needs `membership = \"managed\"`");
    }
    if scenario.config.commit == CommitMode::TwoPhase && is_of_staged(milestone) {
        return Some("needs `commit = \"staged\"`");
    }
    let is_asked = goes_beyond_limits(scenario) && is_of_refused_locks(milestone);
    if is_of_locks(milestone) && !acquires(scenario) && !is_asked {
        return Some("needs a request that acquires a lock");
    }
    if is_of_renames(milestone) && !renames(scenario) {
        return Some("needs a request that renames a file");
    }
    if is_of_crashes(milestone) && !crashes(scenario) {
        return Some("needs a fault that crashes a machine");
    }
    let accepts = !scenario.struck(FaultKind::Operator(WishKind::AcceptLoss)).is_empty();
    (milestone == Milestone::LOSS_ACCEPTED && !accepts)
        .then_some("needs a fault with `accept_loss`")
}

/// Why no run can violate `invariant`; `None` if one may.
pub(in crate::file_service) fn why_never_violated(
    invariant: FileInvariant,
    scenario: &Scenario,
) -> Option<&'static str> {
    if scenario.config.membership == Membership::Fixed && invariant.is_of_managed_membership() {
        return Some("needs `membership = \"managed\"`");
    }
    if invariant.is_of_locks() && !acquires(scenario) && !releases(scenario) {
        return Some("needs a request that acquires a lock");
    }
    let workload = scenario.workload.as_ref();
    let (is_met, why) = match invariant {
        FileInvariant::BankTotalNeverChanges => (
            workload.is_some_and(|workload| workload.account_paths().is_some()),
            "needs a workload of kind `bank`",
        ),
        FileInvariant::NoIncrementIsLost => (
            workload.is_some_and(|workload| workload.counter_paths().is_some()),
            "needs a workload of kind `locked_counter` or `files`",
        ),
        FileInvariant::ProbesAreAnswered => {
            (scenario.phases.probes, "needs `probes = true` in `[phases]`")
        }
        _ => return None,
    };
    (!is_met).then_some(why)
}

/// Refuses an answer that no run gives, because no disk is ever full.
pub(in crate::file_service) fn check_answers(root: &Table<'_>, scenario: &Scenario) {
    let disk_full = Some(Answer::Refused(Some(Reason::DiskFull)));
    for (number, script) in scenario.script.iter().enumerate() {
        if let Some(step) = script.steps.iter().position(|step| step.answer == disk_full) {
            must_be_possible(Milestone::DISK_FULL, scenario, || {
                let script = root.get("script")?.item(number)?;
                let step = script.inside("steps").and_then(|steps| steps.item(step));
                step.unwrap_or(script).inside("answer")?.inside("refused")
            });
        }
    }
}

fn is_of_crashes(milestone: Milestone) -> bool {
    const ALL: [Milestone; 6] = [
        Milestone::CRASHED_PREPARING,
        Milestone::CRASHED_VOTING,
        Milestone::CRASHED_COMMITTING,
        Milestone::CRASHED_IN_DOUBT,
        Milestone::SOURCE_CRASHED,
        Milestone::RECEIVER_CRASHED,
    ];
    ALL.contains(&milestone)
}

fn crashes(scenario: &Scenario) -> bool {
    scenario.why_never(Milestone::CRASHED).is_none()
}

fn is_of_record(milestone: Milestone, kind: RecordKind) -> bool {
    [Milestone::appended(kind), Milestone::durable(kind)].contains(&Some(milestone))
}

fn is_of_message(milestone: Milestone, kind: MessageKind) -> bool {
    let all = [Milestone::Sent(kind), Milestone::Received(kind), Milestone::Lost(kind)];
    all.contains(&milestone)
}

/// Does it take a central node that decides which nodes are members?
pub fn is_of_managed(milestone: Milestone) -> bool {
    match milestone.topic() {
        Topic::View | Topic::Joiner | Topic::Leaver | Topic::Transfer | Topic::Presence => true,
        Topic::Transaction | Topic::Lock | Topic::File | Topic::Other => {
            const NAMED: [Milestone; 9] = [
                Milestone::EPOCH_LEFT_IN_DOUBT,
                Milestone::EPOCH_LEFT_UNDECIDED,
                Milestone::STALE_EPOCH_REFUSED,
                Milestone::NOT_READY_REFUSED,
                Milestone::LATE_DECISION,
                Milestone::DOUBT_RESOLVED,
                Milestone::IN_DOUBT_ON_A_MOVING_ARC,
                Milestone::LOSS_ACCEPTED,
                Milestone::VIEW_LEARNT,
            ];
            const MESSAGES: [MessageKind; 5] = [
                MessageKind::Admit,
                MessageKind::Admitted,
                MessageKind::Departed,
                MessageKind::Resolve,
                MessageKind::Resolved,
            ];
            const RECORDS: [RecordKind; 3] =
                [RecordKind::Admitted, RecordKind::Wanted, RecordKind::LossAccepted];
            NAMED.contains(&milestone)
                || MESSAGES.iter().any(|kind| is_of_message(milestone, *kind))
                || RECORDS.iter().any(|kind| is_of_record(milestone, *kind))
        }
    }
}

/// Does it take a commit in which participants say first that they are ready?
fn is_of_staged(milestone: Milestone) -> bool {
    let kinds = [MessageKind::Ready, MessageKind::Execute];
    milestone == Milestone::ALL_READY || kinds.iter().any(|kind| is_of_message(milestone, *kind))
}

fn is_of_locks(milestone: Milestone) -> bool {
    milestone.topic() == Topic::Lock || milestone == Milestone::WRITE_FENCED
}

/// Is it reached by a request for a lock that can only be refused?
fn is_of_refused_locks(milestone: Milestone) -> bool {
    const MESSAGES: [MessageKind; 4] = [
        MessageKind::Acquire,
        MessageKind::LockRefused,
        MessageKind::KeepAlive,
        MessageKind::NotKept,
    ];
    MESSAGES.iter().any(|kind| is_of_message(milestone, *kind))
}

fn is_of_renames(milestone: Milestone) -> bool {
    let kinds = [MessageKind::Fetch, MessageKind::Fetched];
    kinds.iter().any(|kind| is_of_message(milestone, *kind))
}

/// May a request of the workload be one beyond the limits?
pub(in crate::file_service) fn goes_beyond_limits(scenario: &Scenario) -> bool {
    let key = Key::System(SwarmKey::BeyondLimits);
    let share = |workload: &Workload| scenario.draws(key, workload.beyond_limits);
    scenario.workload.as_ref().is_some_and(share)
}

/// Can what these faults and scripts do block a run for good, where every machine restarts?
pub(in crate::file_service) fn may_block(faults: &[ScriptedFault], scripts: &[Script]) -> bool {
    is_bereft(faults) || may_deadlock(scripts)
}

/// Is a disk lost, and the operator never accepts that?
fn is_bereft(faults: &[ScriptedFault]) -> bool {
    let is_wipe = |fault: &ScriptedFault| matches!(fault.fault, Fault::Wipe { .. });
    let accepts = |fault: &ScriptedFault| {
        matches!(&fault.fault, Fault::Operator { wish: Wish::Other(Command::AcceptLoss(_)), .. })
    };
    faults.iter().any(is_wipe) && !faults.iter().any(accepts)
}

/// Can users wait for each other in a circle? It takes two locks and a client that waits for one of
/// them while another client holds it.
fn may_deadlock(script: &[Script]) -> bool {
    let all: Vec<_> = script
        .iter()
        .flat_map(|script| script.steps.iter().map(|step| (script.client, &step.request)))
        .filter_map(|(client, request)| match request {
            Request::Acquire { path, wait: true } => Some((client, path)),
            Request::Acquire { .. } | Request::Release { .. } | Request::Files { .. } => None,
        })
        .collect();
    all.iter().any(|(client, path)| all.iter().any(|(c, p)| c != client && p != path))
}

/// The machines that write such records.
pub(in crate::file_service) fn written_by(kind: RecordKind) -> &'static [Class] {
    if is_of_control(kind) { &[Class::Control] } else { &[Class::Node] }
}

/// Is it the central node that writes such records?
fn is_of_control(kind: RecordKind) -> bool {
    match kind {
        RecordKind::Queued | RecordKind::Granted | RecordKind::Left => true,
        RecordKind::LockOver | RecordKind::LastToken | RecordKind::LongestLease => true,
        RecordKind::Admitted | RecordKind::Wanted | RecordKind::Announced => true,
        RecordKind::Activated | RecordKind::Converged | RecordKind::LossAccepted => true,
        RecordKind::Recorded | RecordKind::Lost => true,
        RecordKind::Born | RecordKind::Entered | RecordKind::Pulled => false,
        RecordKind::Complete | RecordKind::Reset | RecordKind::GaveUp => false,
        RecordKind::Voted => false,
        RecordKind::Promised | RecordKind::Declined | RecordKind::Decided => false,
        RecordKind::Applied | RecordKind::RolledBack => false,
        RecordKind::Over | RecordKind::Stored | RecordKind::Answered => false,
        RecordKind::Settled | RecordKind::Mark | RecordKind::Forgotten => false,
    }
}

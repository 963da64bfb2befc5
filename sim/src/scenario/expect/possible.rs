//! What can never happen in a run of a file: a file that waits for it, or expects it, is refused.
//!
//! What is said here of a milestone is that it *cannot* come up, from what the file leaves out. A
//! milestone that passes may still not come up with any seed; then the file is vacuous. The same
//! goes for the invariant that a file says is violated.

use std::collections::BTreeSet;

use seedbed::proto::{Action, CommitMode, Membership, MessageKind, Path, RecordKind, Request};

use super::asked::{acquires, releases, renames};
use crate::cell::Cell;
use crate::fault::{ChaosKind, DiskTrouble, Fault};
use crate::file_service::InvariantName;
use crate::file_service::Milestone;
use crate::file_service::invariant::FileInvariant;
use crate::file_service::subject_of::Topic;
use crate::refusal::Reason;
use crate::scenario::reader::Table;
use crate::scenario::value::Value;
use crate::scenario::{Answer, Expected, Scenario, Target, Trigger};

/// Notes what a file names and what can never happen in its runs.
pub(in crate::scenario) fn check(root: &Table<'_>, scenario: &Scenario) {
    for (number, fault) in scenario.faults.iter().enumerate() {
        let place = || root.get("fault")?.item(number);
        must_begin(&fault.trigger, scenario, place);
        if let Some(until) = &fault.until {
            must_be_possible(until.milestone, scenario, || {
                place()?.inside("until")?.inside("milestone")
            });
        }
    }
    let moments = scenario.chaos.iter().flat_map(|chaos| &chaos.moments);
    for (number, moment) in moments.enumerate() {
        must_be_possible(*moment, scenario, || root.get("chaos")?.inside("moments")?.item(number));
    }
    for (number, script) in scenario.script.iter().enumerate() {
        must_begin(&script.begins, scenario, || root.get("script")?.item(number));
    }
    for (number, rule) in scenario.messages.iter().enumerate() {
        if let Some(begins) = &rule.begins {
            must_begin(begins, scenario, || root.get("message")?.item(number));
        }
        must_be_possible(Milestone::Sent(rule.kind), scenario, || {
            root.get("message")?.item(number)?.inside("kind")
        });
    }
    for (number, rule) in scenario.syncs.iter().enumerate() {
        let record = || root.get("sync")?.item(number)?.inside("record");
        match rule.record.map(Milestone::appended) {
            None => {}
            Some(Some(appended)) => {
                let (Some(why), Some(value)) = (scenario.why_never(appended), record()) else {
                    continue;
                };
                value.error(format!("{} can never be written here: {why}", value.found()));
            }
            Some(None) => {
                if let Some(value) = record() {
                    value.error("no log gets such a record: it stands in checkpoints only");
                }
            }
        }
    }
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
    let expect = || root.get("expect");
    match scenario.expect.verdict {
        Expected::Blocks(milestone) => {
            must_be_possible(milestone, scenario, || expect()?.inside("blocks"));
        }
        Expected::Violates(invariant) => must_be_breakable(invariant, scenario, expect()),
        Expected::Pass => {}
    }
    for (number, reach) in scenario.expect.reached.iter().enumerate() {
        must_be_possible(reach.milestone, scenario, || {
            let item = expect()?.inside("reached")?.item(number)?;
            item.inside("milestone").or(Some(item))
        });
    }
    for (number, milestone) in scenario.expect.never.iter().enumerate() {
        must_be_possible(*milestone, scenario, || expect()?.inside("never")?.item(number));
    }
    for (number, cell) in scenario.expect.covered.iter().enumerate() {
        let place = || expect()?.inside("covered")?.item(number);
        must_be_coverable(*cell, scenario, place());
    }
    must_be_written(scenario, expect());
}

/// What waits for a milestone waits for one that can be reached.
fn must_begin<'a>(
    begins: &Trigger,
    scenario: &Scenario,
    table: impl FnOnce() -> Option<Value<'a>>,
) {
    if let Some(occasion) = begins.occasion() {
        must_be_possible(occasion.milestone, scenario, || {
            table()?.inside("when")?.inside("milestone")
        });
    }
}

fn must_be_possible<'a>(
    milestone: Milestone,
    scenario: &Scenario,
    place: impl FnOnce() -> Option<Value<'a>>,
) {
    let Some(why) = scenario.why_never(milestone) else { return };
    let Some(value) = place() else { return };
    let message = format!("{} can never happen here: {why}", value.found());
    let possible = Milestone::all().filter(|other| scenario.why_never(*other).is_none());
    value.error_near(message, &milestone.name(), possible.map(Milestone::name));
}

fn must_be_coverable(cell: Cell, scenario: &Scenario, place: Option<Value<'_>>) {
    let Some(why) = scenario.why_never_covered(cell) else { return };
    let Some(value) = place else { return };
    let message = format!("{} can never happen here: {why}", value.found());
    let possible = Cell::names().filter(|(_, cell)| scenario.why_never_covered(*cell).is_none());
    value.error_near(message, &cell.to_string(), possible.map(|(name, _)| name));
}

/// An invariant that no run of the file can violate is not expected to be violated.
fn must_be_breakable(invariant: InvariantName, scenario: &Scenario, expect: Option<Value<'_>>) {
    let Some(why) = scenario.why_never_violated(invariant) else { return };
    if let Some(value) = expect.and_then(|expect| expect.inside("violates")) {
        value.error(format!("{} can never be violated here: {why}", value.found()));
    }
}

/// Contents can be stored only where some request writes.
fn must_be_written(scenario: &Scenario, expect: Option<Value<'_>>) {
    if scenario.workload.is_some() {
        return;
    }
    let mut written: BTreeSet<&Path> = BTreeSet::new();
    for request in scenario.requests() {
        let Request::Files { operations, .. } = request else { continue };
        for operation in operations.iter() {
            match &operation.action {
                Action::Create(_) | Action::Write(..) => written.insert(&operation.path),
                Action::Rename(to, _) => written.insert(to),
                Action::Read | Action::Delete(_) | Action::Claim => false,
                Action::Place(_) | Action::Remove(_) => false,
            };
        }
    }
    let Some(stored) = expect.and_then(|expect| expect.inside("stored")) else { return };
    for (number, wanted) in scenario.expect.stored.iter().enumerate() {
        let is_unwritten = wanted.contents.is_some() && !written.contains(&wanted.path);
        let place = || stored.item(number)?.inside("path");
        if let Some(value) = is_unwritten.then(place).flatten() {
            let message = format!("no request writes to {}", value.found());
            let written = written.iter().map(|path| path.as_str());
            value.error_near(message, wanted.path.as_str(), written);
        }
    }
}

impl Scenario {
    /// The requests of all scripts.
    pub(super) fn requests(&self) -> impl Iterator<Item = &Request> {
        self.script.iter().flat_map(|script| &script.steps).map(|step| &step.request)
    }

    /// Why no run can reach `milestone`; `None` if one may.
    pub fn why_never(&self, milestone: Milestone) -> Option<&'static str> {
        if self.config.membership == Membership::Fixed && is_of_managed(milestone) {
            return Some("needs `membership = \"managed\"`");
        }
        if self.config.commit == CommitMode::TwoPhase && is_of_staged(milestone) {
            return Some("needs `commit = \"staged\"`");
        }
        let is_asked = self.goes_beyond_limits() && is_of_refused_locks(milestone);
        if is_of_locks(milestone) && !acquires(self) && !is_asked {
            return Some("needs a request that acquires a lock");
        }
        if is_of_renames(milestone) && !renames(self) {
            return Some("needs a request that renames a file");
        }
        let needs = need(milestone)?;
        (!needs.is_met(self)).then_some(needs.why)
    }

    /// Why no run can violate `invariant`; `None` if one may.
    fn why_never_violated(&self, invariant: InvariantName) -> Option<&'static str> {
        if self.config.membership == Membership::Fixed && invariant.is_of_managed_membership() {
            return Some("needs `membership = \"managed\"`");
        }
        if invariant.is_of_locks() && !acquires(self) && !releases(self) {
            return Some("needs a request that acquires a lock");
        }
        let workload = self.workload.as_ref();
        let (is_met, why) = match invariant {
            InvariantName::System(FileInvariant::BankTotalNeverChanges) => (
                workload.is_some_and(|workload| workload.account_paths().is_some()),
                "needs a workload of kind `bank`",
            ),
            InvariantName::System(FileInvariant::NoIncrementIsLost) => (
                workload.is_some_and(|workload| workload.counter_paths().is_some()),
                "needs a workload of kind `locked_counter` or `files`",
            ),
            InvariantName::System(FileInvariant::ProbesAreAnswered) => {
                (self.phases.probes, "needs `probes = true` in `[phases]`")
            }
            _ => return None,
        };
        (!is_met).then_some(why)
    }
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

/// Faults of which one must be there for a milestone.
struct Needs {
    why: &'static str,
    drawn: &'static [ChaosKind],
    is_scripted: fn(&Fault<Target>) -> bool,
}

impl Needs {
    fn is_met(&self, scenario: &Scenario) -> bool {
        let drawn = scenario
            .chaos
            .as_ref()
            .is_some_and(|chaos| chaos.all_kinds().any(|kind| self.drawn.contains(&kind)));
        drawn || scenario.faults.iter().any(|fault| (self.is_scripted)(&fault.fault))
    }
}

/// The faults without which a milestone cannot come up, where it takes any.
fn need(milestone: Milestone) -> Option<Needs> {
    Some(match milestone {
        Milestone::CRASHED
        | Milestone::CRASHED_PREPARING
        | Milestone::CRASHED_VOTING
        | Milestone::CRASHED_COMMITTING
        | Milestone::CRASHED_IN_DOUBT
        | Milestone::SOURCE_CRASHED
        | Milestone::RECEIVER_CRASHED
        | Milestone::RESTARTED
        | Milestone::REFUSED_TO_START
        | Milestone::RECORDS_LOST
        | Milestone::RECORD_TORN
        | Milestone::RECORD_ZERO_FILLED
        | Milestone::RECORD_HOLED => Needs {
            why: "needs a fault that crashes a machine",
            drawn: &[
                ChaosKind::Crash,
                ChaosKind::BitRot,
                ChaosKind::Wipe,
                ChaosKind::Attrition,
                ChaosKind::RollingRestart,
            ],
            is_scripted: |fault| match fault {
                Fault::Crash { .. } | Fault::BitRot { .. } | Fault::Wipe { .. } => true,
                Fault::RollingRestart { .. } | Fault::Attrition { .. } => true,
                Fault::Pause { .. } | Fault::Cut { .. } | Fault::ClockJump { .. } => false,
                Fault::ClockDrift { .. } | Fault::Degrade { .. } | Fault::Operator(_) => false,
                Fault::Join(_) | Fault::Leave(_) | Fault::Drop(_) => false,
                Fault::Disk { .. } => false,
            },
        },
        Milestone::DISK_STALLED => Needs {
            why: "needs a fault with `stalled_disk`",
            drawn: &[ChaosKind::StalledDisk],
            is_scripted: |fault| matches!(fault, Fault::Disk { trouble: DiskTrouble::Stalled, .. }),
        },
        Milestone::DISK_FULL | Milestone::DISK_HAS_ROOM => Needs {
            why: "needs a fault with `full_disk`",
            drawn: &[ChaosKind::FullDisk],
            is_scripted: |fault| matches!(fault, Fault::Disk { trouble: DiskTrouble::Full, .. }),
        },
        Milestone::PAUSED | Milestone::RESUMED => Needs {
            why: "needs a fault that pauses a machine",
            drawn: &[ChaosKind::Pause],
            is_scripted: |fault| matches!(fault, Fault::Pause { .. }),
        },
        Milestone::PARTITIONED => Needs {
            why: "needs a fault that cuts links",
            drawn: &[
                ChaosKind::Partition,
                ChaosKind::Isolate,
                ChaosKind::Clog,
                ChaosKind::MajoritiesRing,
            ],
            is_scripted: |fault| matches!(fault, Fault::Cut { .. }),
        },
        Milestone::CLOCK_JUMPED => Needs {
            why: "needs a fault with `bump`",
            drawn: &[ChaosKind::Bump],
            is_scripted: |fault| matches!(fault, Fault::ClockJump { .. }),
        },
        Milestone::LOSS_ACCEPTED => Needs {
            why: "needs a fault with `accept_loss`",
            drawn: &[ChaosKind::AcceptLoss],
            is_scripted: |fault| {
                matches!(fault, Fault::Operator(seedbed::proto::Command::AcceptLoss(_)))
            },
        },
        _ => return None, // it may come up by itself
    })
}

//! What can never happen in a run of a file: a file that waits for it, or expects it, is refused.
//!
//! What is said here of a milestone is that it *cannot* come up, from what the file leaves out. A
//! milestone that passes may still not come up with any seed; then the file is vacuous. The same
//! goes for the invariant that a file says is violated.

use super::reader::Table;
use super::value::Value;
use super::{Expected, Scenario, Target, Trigger};
use crate::cell::Cell;
use crate::fault::{ChaosKind, DiskTrouble, Fault, GeneralChaos};
use crate::invariant::InvariantName;
use crate::milestone::{General, Milestone};
use crate::under_test::UnderTest;

/// Notes what a file names and what can never happen in its runs.
pub(super) fn check<S: UnderTest>(root: &Table<'_>, scenario: &Scenario<S>) {
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
}

/// What waits for a milestone waits for one that can be reached.
fn must_begin<'a, S: UnderTest>(
    begins: &Trigger<S>,
    scenario: &Scenario<S>,
    table: impl FnOnce() -> Option<Value<'a>>,
) {
    if let Some(occasion) = begins.occasion() {
        must_be_possible(occasion.milestone, scenario, || {
            table()?.inside("when")?.inside("milestone")
        });
    }
}

/// Refuses what stands at `place` if no run can reach `milestone`.
pub fn must_be_possible<'a, S: UnderTest>(
    milestone: Milestone<S>,
    scenario: &Scenario<S>,
    place: impl FnOnce() -> Option<Value<'a>>,
) {
    let Some(why) = scenario.why_never(milestone) else { return };
    let Some(value) = place() else { return };
    let message = format!("{} can never happen here: {why}", value.found());
    let possible = Milestone::all().filter(|other| scenario.why_never(*other).is_none());
    value.error_near(message, &milestone.name(), possible.map(Milestone::name));
}

fn must_be_coverable<S: UnderTest>(
    cell: Cell<S>,
    scenario: &Scenario<S>,
    place: Option<Value<'_>>,
) {
    let Some(why) = scenario.why_never_covered(cell) else { return };
    let Some(value) = place else { return };
    let message = format!("{} can never happen here: {why}", value.found());
    let possible = Cell::names().filter(|(_, cell)| scenario.why_never_covered(*cell).is_none());
    value.error_near(message, &cell.to_string(), possible.map(|(name, _)| name));
}

/// An invariant that no run of the file can violate is not expected to be violated.
fn must_be_breakable<S: UnderTest>(
    invariant: InvariantName<S>,
    scenario: &Scenario<S>,
    expect: Option<Value<'_>>,
) {
    let InvariantName::System(invariant) = invariant else { return };
    let Some(why) = S::why_never_violated(invariant, scenario) else { return };
    if let Some(value) = expect.and_then(|expect| expect.inside("violates")) {
        value.error(format!("{} can never be violated here: {why}", value.found()));
    }
}

impl<S: UnderTest> Scenario<S> {
    /// The requests of all scripts.
    pub fn requests(&self) -> impl Iterator<Item = &S::Request> {
        self.script.iter().flat_map(|script| &script.steps).map(|step| &step.request)
    }

    /// Why no run can reach `milestone`; `None` if one may.
    pub fn why_never(&self, milestone: Milestone<S>) -> Option<&'static str> {
        if let Some(why) = S::why_never(milestone, self) {
            return Some(why);
        }
        let Milestone::General(general) = milestone else { return None };
        let needs = need::<S>(general)?;
        (!needs.is_met(self)).then_some(needs.why)
    }
}

/// Faults of which one must be there for a milestone.
struct Needs<S: UnderTest> {
    why: &'static str,
    drawn: &'static [GeneralChaos],
    is_scripted: fn(&Fault<S, Target<S>>) -> bool,
}

impl<S: UnderTest> Needs<S> {
    fn is_drawn_by(&self, kind: ChaosKind<S>) -> bool {
        matches!(kind, ChaosKind::General(kind) if self.drawn.contains(&kind))
    }

    fn is_met(&self, scenario: &Scenario<S>) -> bool {
        let drawn = scenario
            .chaos
            .as_ref()
            .is_some_and(|chaos| chaos.all_kinds().any(|kind| self.is_drawn_by(kind)));
        drawn || scenario.faults.iter().any(|fault| (self.is_scripted)(&fault.fault))
    }
}

/// The faults without which a milestone cannot come up, where it takes any.
fn need<S: UnderTest>(milestone: General) -> Option<Needs<S>> {
    Some(match milestone {
        General::Crashed
        | General::Restarted
        | General::RefusedToStart
        | General::RecordsLost
        | General::RecordTorn
        | General::RecordZeroFilled
        | General::RecordHoled => Needs {
            why: "needs a fault that crashes a machine",
            drawn: &[
                GeneralChaos::Crash,
                GeneralChaos::BitRot,
                GeneralChaos::Wipe,
                GeneralChaos::Attrition,
                GeneralChaos::RollingRestart,
            ],
            is_scripted: |fault| match fault {
                Fault::Crash { .. } | Fault::BitRot { .. } | Fault::Wipe { .. } => true,
                Fault::RollingRestart { .. } | Fault::Attrition { .. } => true,
                Fault::Pause { .. } | Fault::Cut { .. } | Fault::ClockJump { .. } => false,
                Fault::ClockDrift { .. } | Fault::Degrade { .. } | Fault::Drop(_) => false,
                Fault::Operator { .. } => false,
                Fault::Disk { .. } => false,
            },
        },
        General::DiskStalled => Needs {
            why: "needs a fault with `stalled_disk`",
            drawn: &[GeneralChaos::StalledDisk],
            is_scripted: |fault| matches!(fault, Fault::Disk { trouble: DiskTrouble::Stalled, .. }),
        },
        General::DiskFull | General::DiskHasRoom => Needs {
            why: "needs a fault with `full_disk`",
            drawn: &[GeneralChaos::FullDisk],
            is_scripted: |fault| matches!(fault, Fault::Disk { trouble: DiskTrouble::Full, .. }),
        },
        General::Paused | General::Resumed => Needs {
            why: "needs a fault that pauses a machine",
            drawn: &[GeneralChaos::Pause],
            is_scripted: |fault| matches!(fault, Fault::Pause { .. }),
        },
        General::Partitioned => Needs {
            why: "needs a fault that cuts links",
            drawn: &[
                GeneralChaos::Partition,
                GeneralChaos::Isolate,
                GeneralChaos::Clog,
                GeneralChaos::MajoritiesRing,
            ],
            is_scripted: |fault| matches!(fault, Fault::Cut { .. }),
        },
        General::ClockJumped => Needs {
            why: "needs a fault with `bump`",
            drawn: &[GeneralChaos::Bump],
            is_scripted: |fault| matches!(fault, Fault::ClockJump { .. }),
        },
        _ => return None, // it may come up by itself
    })
}

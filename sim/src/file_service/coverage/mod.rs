//! What a run of the file service can try: the phases that a fault finds a machine in, situations,
//! and reasons of a refusal.

mod phase;
mod phases_of;
mod ready;
mod situation;
mod situations;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use seedbed::machine::{Class, NodeId, RequestId, Time};
use seedbed::proto::{
    CommitMode, Decided, FileService, LockAnswer, Membership, Message, Record, Reply, ToCentre,
    TxnId,
};

use super::oracle::{Model, Seen};
use super::refusal::Reason;
use super::scenario::{Scenario, WorkloadKind, acquires, goes_beyond_limits, is_possible, renames};
use super::{Step, World};
use crate::cell::{self, GeneralFault};
use crate::fault::Fault;
use crate::under_test::{Coverage, Scene};

pub use phase::{Needs, Phase};
pub use situation::{Situation, Takes};

use ready::Ready;

/// A kind of fault.
type FaultKind = cell::FaultKind<FileService>;

/// What the phases take beside model and milestones.
#[derive(Clone, Debug, Default)]
pub struct Followed {
    /// Decisions that are not durable, by the machine and the position in its log.
    deciding: BTreeMap<(NodeId, u64), TxnId>,
    ready: Ready,
    /// Requests for locks of which the client has the grant.
    granted: BTreeSet<RequestId>,
    /// When each machine started last, if it was not for the first time.
    restarted: BTreeMap<NodeId, Time>,
}

impl Followed {
    /// Has `node` appended its decision on `txn`, and is that not durable?
    fn decides(&self, node: NodeId, txn: TxnId) -> bool {
        let mut of_node = self.deciding.range((node, 0)..=(node, u64::MAX));
        of_node.any(|(_, decided)| *decided == txn)
    }

    fn forget(&mut self, node: NodeId) {
        self.deciding.retain(|(of, _), _| *of != node);
    }

    /// What was in the machine's memory is gone. What its disk loses is said after that.
    fn on_crashed(&mut self, node: NodeId) {
        self.ready.on_crashed(node);
        self.granted.retain(|request| request.client != node);
        self.restarted.remove(&node);
    }
}

impl Coverage<FileService> for Followed {
    type Phase = Phase;
    type Situation = Situation;
    type Reason = Reason;

    fn classes(phase: Phase) -> &'static [Class] {
        phase.roles()
    }

    fn see(&mut self, seen: &Seen<'_>, step: &Step) {
        match *seen {
            Seen::Received { to, message, .. } => {
                if let Message::LockAnswer(LockAnswer::Granted { request, .. }) = message {
                    self.granted.insert(*request);
                }
                self.ready.on_received(to, message);
            }
            Seen::Sent { from, message, .. } => self.ready.on_sent(from, message),
            Seen::Appended { node, position, record, .. } => {
                if let Record::Decided(Decided { txn, .. }) = record {
                    self.deciding.insert((node, position), *txn);
                }
                self.ready.on_appended(node, record);
            }
            Seen::Durable { node, position, .. } => {
                self.deciding.remove(&(node, position));
            }
            Seen::Forgot { node, .. } | Seen::Wiped { node } => self.forget(node),
            Seen::Crashed { node } => self.on_crashed(node),
            Seen::Started { node, incarnation } => {
                self.forget(node);
                if incarnation.0 > 1 {
                    self.restarted.insert(node, step.at);
                }
            }
            Seen::Replied { request, .. } => {
                self.granted.remove(&request);
            }
            _ => {} // no phase follows from it
        }
    }

    fn on_step(&mut self, step: &Step) {
        self.ready.on_step(step);
    }

    fn phases(&self, node: NodeId, scene: &Scene<'_, FileService>) -> BTreeSet<Phase> {
        let Scene { now, world, model, milestones, unsynced } = *scene;
        phases_of::phases_of(
            node,
            &phases_of::Scene { now, world, model, milestones, unsynced, followed: self },
        )
    }

    fn struck(
        kind: FaultKind,
        machine: NodeId,
        phases: &BTreeSet<Phase>,
        world: &World,
        model: &Model,
    ) -> Vec<Situation> {
        situations::struck(kind, machine, phases, world, model)
    }

    fn situation(seen: &Seen<'_>, model: &Model) -> Option<Situation> {
        situations::seen(seen, model)
    }

    /// It says so once it has all that it owns; only a member owns anything.
    fn made_good(seen: &Seen<'_>, model: &Model) -> Option<NodeId> {
        match seen {
            Seen::Sent {
                from,
                message: Message::ToCentre(ToCentre::Completed { epoch, .. }),
                ..
            } => model.views.member(*epoch, *from).map(|_| *from),
            _ => None, // it may lack something
        }
    }

    fn reason(reply: &Reply) -> Option<Reason> {
        match reply {
            Reply::Refused(refusal) => Reason::of(*refusal),
            Reply::Done(_) | Reply::Acquired(_) | Reply::Released | Reply::Unknown => None,
        }
    }

    fn why_never_in(phase: Phase, scenario: &Scenario) -> Option<String> {
        why_never_in(phase, scenario)
    }

    fn why_never_got_into(situation: Situation, scenario: &Scenario) -> Option<String> {
        why_never_taken_by(situation.takes(), scenario)
    }

    fn why_never_refused(reason: Reason, scenario: &Scenario) -> Option<String> {
        (!may_refuse(reason, scenario))
            .then(|| "needs a request that can be refused for that".to_owned())
    }
}

fn why_never_in(phase: Phase, scenario: &Scenario) -> Option<String> {
    let is_managed = scenario.config.membership == Membership::Managed;
    let (is_met, why) = match phase.needs() {
        Needs::Nothing => (true, ""),
        Needs::Rename => (renames(scenario), "needs a request that renames a file"),
        Needs::Staged => {
            (scenario.config.commit == CommitMode::Staged, "needs `commit = \"staged\"`")
        }
        Needs::Lock => {
            // A lock that can only be refused is waited for, too.
            let waits = phase == Phase::ClientWaiting && goes_beyond_limits(scenario);
            (acquires(scenario) || waits, "needs a request that acquires a lock")
        }
        Needs::Managed => (is_managed, "needs `membership = \"managed\"`"),
        Needs::LostDisk => (
            !scenario.struck(FaultKind::General(GeneralFault::Wipe)).is_empty(),
            "needs a fault of kind `wipe`",
        ),
    };
    (!is_met).then(|| why.to_owned())
}

fn why_never_taken_by(takes: Takes, scenario: &Scenario) -> Option<String> {
    let strikes = |is_it: fn(FaultKind) -> bool, role: Class| {
        FaultKind::all().any(|kind| is_it(kind) && scenario.struck(kind).contains(&role))
    };
    let (is_met, why) = match takes {
        Takes::AwayFault => (
            strikes(FaultKind::takes_away, Class::Node),
            "needs a fault that takes a storage node away",
        ),
        Takes::LostDisk => (
            !scenario.struck(FaultKind::General(GeneralFault::Wipe)).is_empty(),
            "needs a fault of kind `wipe`",
        ),
        Takes::LastCopy => (
            may_lose_last_copies(scenario),
            "needs a disk that is lost by a `[[fault]]` or with `last_copies` in `[chaos]`",
        ),
        Takes::Crash => {
            let crashes =
                |kind: FaultKind| kind.crashes() || kind == FaultKind::General(GeneralFault::Wipe);
            let is_met = strikes(crashes, Class::Node) || strikes(crashes, Class::Control);
            (is_met, "needs a fault that crashes a machine")
        }
        Takes::Managed => {
            (scenario.config.membership == Membership::Managed, "needs `membership = \"managed\"`")
        }
    };
    (!is_met).then(|| why.to_owned())
}

fn may_lose_last_copies(scenario: &Scenario) -> bool {
    let is_scripted =
        scenario.faults.iter().any(|scripted| matches!(scripted.fault, Fault::Wipe { .. }));
    is_scripted || scenario.chaos.as_ref().is_some_and(|chaos| chaos.options.last_copies)
}

fn may_refuse(reason: Reason, scenario: &Scenario) -> bool {
    let beyond = goes_beyond_limits(scenario);
    let fills_up = !scenario.struck(FaultKind::General(GeneralFault::FullDisk)).is_empty();
    let drawn = scenario.workload.as_ref().is_some_and(|workload| match workload.kind {
        WorkloadKind::Files { .. } => match reason {
            Reason::NotFound | Reason::Exists | Reason::VersionIs | Reason::Fenced => true,
            Reason::Held | Reason::NotHeld | Reason::QueueFull | Reason::Malformed => true,
            Reason::PathTooLong | Reason::ContentsTooLong | Reason::BadOperationCount => beyond,
            Reason::DiskFull => fills_up,
        },
        WorkloadKind::LockedCounter => match reason {
            Reason::Fenced | Reason::Held | Reason::NotHeld | Reason::QueueFull => true,
            Reason::NotFound | Reason::Exists | Reason::VersionIs | Reason::Malformed => false,
            Reason::PathTooLong | Reason::ContentsTooLong | Reason::BadOperationCount => beyond,
            Reason::DiskFull => fills_up,
        },
        WorkloadKind::Bank { .. } => match reason {
            Reason::Exists | Reason::VersionIs => true,
            Reason::NotFound | Reason::Fenced | Reason::Held | Reason::NotHeld => false,
            Reason::QueueFull | Reason::Malformed => false,
            Reason::PathTooLong | Reason::ContentsTooLong | Reason::BadOperationCount => beyond,
            Reason::DiskFull => fills_up,
        },
    });
    drawn || scenario.requests().any(|request| is_possible(reason, request))
}

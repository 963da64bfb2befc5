//! Which cells no run of a file can see, from what the file leaves out.

use std::collections::BTreeSet;

use seedbed::machine::Class;
use seedbed::proto::{CommitMode, Membership, MessageKind, RecordKind};

use super::answer::is_possible;
use super::asked::{acquires, renames};
use crate::cell::{Cell, FaultKind, MessageFate, Needs, Phase, RecordFate, Takes};
use crate::fault::{ChaosKind, Cut, Degradation, Fault};
use crate::file_service::Milestone;
use crate::quantity::Ppb;
use crate::refusal::Reason;
use crate::scenario::swarm::Key;
use crate::scenario::{Fate, Role as Part, Scenario, Target, Workload, WorkloadKind};

impl Scenario {
    /// Why no run can see `cell`; `None` if one may.
    pub fn why_never_covered(&self, cell: Cell) -> Option<String> {
        match cell {
            Cell::Strike(kind, phase) => {
                self.why_never_struck(kind, phase.roles()).or_else(|| self.why_never_in(phase))
            }
            Cell::Pair(first, then) => [first, then]
                .into_iter()
                .find_map(|kind| self.why_never_struck(kind, kind.strikes())),
            Cell::Message(fate, kind) => {
                let never = self.why_never(Milestone::Sent(kind)).map(str::to_owned);
                never.or_else(|| self.why_never_fated(fate, kind))
            }
            Cell::Record(fate, kind) => {
                let never =
                    Milestone::appended(kind).and_then(|at| self.why_never(at)).map(str::to_owned);
                never.or_else(|| self.why_never_taken(fate, kind))
            }
            Cell::Refused(reason) => (!self.may_refuse(reason))
                .then(|| "needs a request that can be refused for that".to_owned()),
            Cell::Situation(situation) => self.why_never_taken_by(situation.takes()),
        }
    }

    fn why_never_struck(&self, kind: FaultKind, roles: &[Class]) -> Option<String> {
        let struck = self.struck(kind);
        if struck.is_empty() {
            return Some(format!("needs a fault of kind `{kind}`"));
        }
        let meets = roles.iter().any(|role| struck.contains(role));
        (!meets).then(|| format!("no fault of kind `{kind}` strikes such a machine"))
    }

    fn why_never_in(&self, phase: Phase) -> Option<String> {
        let is_managed = self.config.membership == Membership::Managed;
        let (is_met, why) = match phase.needs() {
            Needs::Nothing => (true, ""),
            Needs::Rename => (renames(self), "needs a request that renames a file"),
            Needs::Staged => {
                (self.config.commit == CommitMode::Staged, "needs `commit = \"staged\"`")
            }
            Needs::Lock => {
                // A lock that can only be refused is waited for, too.
                let waits = phase == Phase::ClientWaiting && self.goes_beyond_limits();
                (acquires(self) || waits, "needs a request that acquires a lock")
            }
            Needs::Managed => (is_managed, "needs `membership = \"managed\"`"),
            Needs::LostDisk => {
                (!self.struck(FaultKind::Wipe).is_empty(), "needs a fault of kind `wipe`")
            }
        };
        (!is_met).then(|| why.to_owned())
    }

    fn why_never_taken_by(&self, takes: Takes) -> Option<String> {
        let strikes = |is_it: fn(FaultKind) -> bool, role: Class| {
            FaultKind::ALL.iter().any(|kind| is_it(*kind) && self.struck(*kind).contains(&role))
        };
        let (is_met, why) = match takes {
            Takes::AwayFault => (
                strikes(FaultKind::takes_away, Class::Node),
                "needs a fault that takes a storage node away",
            ),
            Takes::LostDisk => {
                (!self.struck(FaultKind::Wipe).is_empty(), "needs a fault of kind `wipe`")
            }
            Takes::LastCopy => (
                self.may_lose_last_copies(),
                "needs a disk that is lost by a `[[fault]]` or with `last_copies` in `[chaos]`",
            ),
            Takes::Crash => {
                let crashes = |kind: FaultKind| kind.crashes() || kind == FaultKind::Wipe;
                let is_met = strikes(crashes, Class::Node) || strikes(crashes, Class::Control);
                (is_met, "needs a fault that crashes a machine")
            }
            Takes::Managed => {
                (self.config.membership == Membership::Managed, "needs `membership = \"managed\"`")
            }
        };
        (!is_met).then(|| why.to_owned())
    }

    fn may_lose_last_copies(&self) -> bool {
        let is_scripted =
            self.faults.iter().any(|scripted| matches!(scripted.fault, Fault::Wipe { .. }));
        is_scripted || self.chaos.as_ref().is_some_and(|chaos| chaos.last_copies)
    }

    fn why_never_fated(&self, fate: MessageFate, kind: MessageKind) -> Option<String> {
        let network = &self.network;
        let is_by_rule =
            self.messages.iter().any(|rule| rule.kind == kind && does(rule.fate, fate));
        let is_struck = |of: FaultKind| !self.struck(of).is_empty();
        let (is_met, why) = match fate {
            MessageFate::Lost => (
                self.draws(Key::Loss, network.loss)
                    || network.links.iter().any(|link| link.loss.is_some())
                    || FaultKind::ALL.iter().any(|of| of.loses_messages() && is_struck(*of)),
                "needs a network or a fault that loses messages",
            ),
            MessageFate::Doubled => (
                self.draws(Key::Duplication, network.duplication)
                    || is_struck(FaultKind::Duplicate),
                "needs a network or a fault that doubles messages",
            ),
            MessageFate::Delayed => (
                self.draws(Key::Spike, network.spike) || is_struck(FaultKind::Delay),
                "needs a network or a fault that delays messages",
            ),
        };
        (!is_met && !is_by_rule).then(|| why.to_owned())
    }

    fn why_never_taken(&self, fate: RecordFate, kind: RecordKind) -> Option<String> {
        let role = if is_of_control(kind) { Class::Control } else { Class::Node };
        let crashes = FaultKind::ALL.iter().filter(|of| of.crashes());
        let is_met = crashes.into_iter().any(|of| self.struck(*of).contains(&role));
        let what = match fate {
            RecordFate::Lost => "loses",
            RecordFate::Torn => "tears",
        };
        (!is_met).then(|| format!("needs a fault that {what} a part of such a log"))
    }

    /// Is a probability, which is `usual` in the file, above zero with some seed?
    fn draws(&self, key: Key, usual: Ppb) -> bool {
        let drawn = self.swarm.as_ref().is_some_and(|swarm| swarm.ranges.contains_key(&key));
        drawn || usual != Ppb::ZERO
    }

    /// May a request of the workload be one beyond the limits?
    pub(super) fn goes_beyond_limits(&self) -> bool {
        let share = |workload: &Workload| self.draws(Key::BeyondLimits, workload.beyond_limits);
        self.workload.as_ref().is_some_and(share)
    }

    fn may_refuse(&self, reason: Reason) -> bool {
        let beyond = self.goes_beyond_limits();
        let fills_up = !self.struck(FaultKind::FullDisk).is_empty();
        let drawn = self.workload.as_ref().is_some_and(|workload| match workload.kind {
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
        drawn || self.requests().any(|request| is_possible(reason, request))
    }

    /// The roles of the machines that faults of this kind can strike in runs of the file.
    fn struck(&self, kind: FaultKind) -> BTreeSet<Class> {
        let scripted = self.faults.iter().map(|fault| &fault.fault);
        let mut roles: BTreeSet<Class> =
            scripted.filter(|fault| FaultKind::of(fault) == kind).flat_map(roles_of).collect();
        let kinds = self.chaos.iter().flat_map(|chaos| chaos.all_kinds());
        let drawn = kinds.filter(|drawn| FaultKind::of_drawn(*drawn) == kind);
        roles.extend(drawn.flat_map(|drawn| self.drawn_roles(drawn)));
        roles.retain(|role| kind.strikes().contains(role));
        roles
    }

    /// The roles of the machines that a drawn fault can strike.
    fn drawn_roles(&self, kind: ChaosKind) -> Vec<Class> {
        let Some(chaos) = &self.chaos else { return Vec::new() };
        let all = vec![Class::Control, Class::Node, Class::Client];
        let draws = |key| self.swarm.as_ref().is_some_and(|swarm| swarm.ranges.contains_key(&key));
        let may_be_away = |role: &Class| match role {
            Class::Control => chaos.budget.control_down || draws(Key::ControlDown),
            Class::Node => chaos.budget.storage_nodes_down > 0 || draws(Key::StorageNodesDown),
            Class::Client => chaos.budget.clients_down > 0 || draws(Key::ClientsDown),
        };
        match kind {
            ChaosKind::Crash | ChaosKind::Pause | ChaosKind::Isolate | ChaosKind::BitRot => {
                all.into_iter().filter(may_be_away).collect()
            }
            ChaosKind::StalledDisk => {
                vec![Class::Control, Class::Node].into_iter().filter(may_be_away).collect()
            }
            ChaosKind::FullDisk => vec![Class::Control, Class::Node],
            ChaosKind::Attrition | ChaosKind::RollingRestart => {
                vec![Class::Node].into_iter().filter(may_be_away).collect()
            }
            ChaosKind::Partition | ChaosKind::Clog | ChaosKind::Delay | ChaosKind::Loss => all,
            ChaosKind::Drop => all,
            ChaosKind::Duplicate | ChaosKind::SlowDisk | ChaosKind::Drift => all,
            ChaosKind::Join | ChaosKind::Leave => vec![Class::Control, Class::Node],
            ChaosKind::Wipe | ChaosKind::MajoritiesRing => vec![Class::Node],
            ChaosKind::Bump => vec![Class::Node, Class::Client],
            ChaosKind::Set | ChaosKind::AcceptLoss => vec![Class::Control],
        }
    }
}

/// The roles of the machines that a scripted fault strikes.
fn roles_of(fault: &Fault<Target>) -> Vec<Class> {
    match fault {
        Fault::Crash { node, .. } | Fault::BitRot { node, .. } | Fault::Wipe { node, .. } => {
            roles_at(node).to_vec()
        }
        Fault::Pause { node, .. } | Fault::ClockJump { node, .. } => roles_at(node).to_vec(),
        Fault::ClockDrift { node, .. } | Fault::Drop(node) => roles_at(node).to_vec(),
        Fault::Cut { links, .. } => match links {
            Cut::Isolate(node) => roles_at(node).to_vec(),
            Cut::Groups(groups) => groups.iter().flatten().flat_map(roles_at).copied().collect(),
            Cut::OneWay { from, to } => from.iter().chain(to).flat_map(roles_at).copied().collect(),
            Cut::MajoritiesRing => vec![Class::Node],
        },
        Fault::Degrade { what: Degradation { from, to, .. }, .. } => {
            from.iter().chain(to).flat_map(roles_at).copied().collect()
        }
        Fault::Disk { node, .. } => roles_at(node).to_vec(),
        Fault::RollingRestart { .. } | Fault::Attrition { .. } => vec![Class::Node],
        Fault::Join(_) | Fault::Leave(_) => vec![Class::Control, Class::Node],
        Fault::Operator(_) => vec![Class::Control],
    }
}

/// The roles of the machines that a target may stand for.
fn roles_at(target: &Target) -> &'static [Class] {
    match target {
        Target::Node(node) => match node.class() {
            Class::Control => &[Class::Control],
            Class::Node => &[Class::Node],
            Class::Client => &[Class::Client],
        },
        Target::Role(Part::There) | Target::All(Part::There) | Target::Rest => {
            &[Class::Control, Class::Node, Class::Client]
        }
        Target::Role(part) | Target::All(part) => match part.is_client() {
            true => &[Class::Client],
            false => &[Class::Node],
        },
    }
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

/// Does a rule do this to its messages?
fn does(rule: Fate, fate: MessageFate) -> bool {
    match (rule, fate) {
        (Fate::Drop, MessageFate::Lost) => true,
        (Fate::Delay(_), MessageFate::Delayed) => true,
        (Fate::Duplicate(_), MessageFate::Doubled) => true,
        (Fate::Latency(_), MessageFate::Delayed) => true,
        (Fate::Drop | Fate::Delay(_) | Fate::Duplicate(_) | Fate::Latency(_), _) => false,
    }
}

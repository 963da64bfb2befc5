//! Which cells no run of a file can see, from what the file leaves out.

use std::collections::BTreeSet;

use seedbed::machine::Class;

use super::swarm::{GeneralKey, Key};
use super::{Fate, Scenario, Target};
use crate::cell::{Cell, FaultKind, GeneralFault, MessageFate, RecordFate};
use crate::fault::{ChaosKind, Cut, Degradation, Fault, GeneralChaos};
use crate::milestone::Milestone;
use crate::quantity::Ppb;
use crate::role::Role;
use crate::under_test::{Coverage, Operator, UnderTest};

impl<S: UnderTest> Scenario<S> {
    /// Why no run can see `cell`; `None` if one may.
    pub fn why_never_covered(&self, cell: Cell<S>) -> Option<String> {
        match cell {
            Cell::Strike(kind, phase) => {
                let never = self.why_never_struck(kind, S::Coverage::classes(phase));
                never.or_else(|| S::Coverage::why_never_in(phase, self))
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
            Cell::Refused(reason) => S::Coverage::why_never_refused(reason, self),
            Cell::Situation(situation) => S::Coverage::why_never_got_into(situation, self),
        }
    }

    fn why_never_struck(&self, kind: FaultKind<S>, roles: &[Class]) -> Option<String> {
        let struck = self.struck(kind);
        if struck.is_empty() {
            return Some(format!("needs a fault of kind `{kind}`"));
        }
        let meets = roles.iter().any(|role| struck.contains(role));
        (!meets).then(|| format!("no fault of kind `{kind}` strikes such a machine"))
    }

    fn why_never_fated(&self, fate: MessageFate, kind: S::MessageKind) -> Option<String> {
        let network = &self.network;
        let is_by_rule =
            self.messages.iter().any(|rule| rule.kind == kind && does(rule.fate, fate));
        let is_struck = |of: FaultKind<S>| !self.struck(of).is_empty();
        let key = Key::General;
        let kind_of = FaultKind::General;
        let (is_met, why) = match fate {
            MessageFate::Lost => (
                self.draws(key(GeneralKey::Loss), network.loss)
                    || network.links.iter().any(|link| link.loss.is_some())
                    || FaultKind::all().any(|of| of.loses_messages() && is_struck(of)),
                "needs a network or a fault that loses messages",
            ),
            MessageFate::Doubled => (
                self.draws(key(GeneralKey::Duplication), network.duplication)
                    || is_struck(kind_of(GeneralFault::Duplicate)),
                "needs a network or a fault that doubles messages",
            ),
            MessageFate::Delayed => (
                self.draws(key(GeneralKey::Spike), network.spike)
                    || is_struck(kind_of(GeneralFault::Delay)),
                "needs a network or a fault that delays messages",
            ),
        };
        (!is_met && !is_by_rule).then(|| why.to_owned())
    }

    fn why_never_taken(&self, fate: RecordFate, kind: S::RecordKind) -> Option<String> {
        let mut crashes = FaultKind::all().filter(|of| of.crashes());
        let written_by = S::written_by(kind);
        let is_met =
            crashes.any(|of| written_by.iter().any(|class| self.struck(of).contains(class)));
        let what = match fate {
            RecordFate::Lost => "loses",
            RecordFate::Torn => "tears",
        };
        (!is_met).then(|| format!("needs a fault that {what} a part of such a log"))
    }

    /// Is a probability, which is `usual` in the file, above zero with some seed?
    pub fn draws(&self, key: Key<S>, usual: Ppb) -> bool {
        let drawn = self.swarm.as_ref().is_some_and(|swarm| swarm.ranges.contains_key(&key));
        drawn || usual != Ppb::ZERO
    }

    /// The roles of the machines that faults of this kind can strike in runs of the file.
    pub fn struck(&self, kind: FaultKind<S>) -> BTreeSet<Class> {
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
    fn drawn_roles(&self, kind: ChaosKind<S>) -> Vec<Class> {
        let Some(chaos) = &self.chaos else { return Vec::new() };
        let all = vec![Class::Control, Class::Node, Class::Client];
        let draws = |key| {
            let key = Key::General(key);
            self.swarm.as_ref().is_some_and(|swarm| swarm.ranges.contains_key(&key))
        };
        let may_be_away = |role: &Class| match role {
            Class::Control => chaos.budget.control_down || draws(GeneralKey::ControlDown),
            Class::Node => chaos.budget.nodes_down > 0 || draws(GeneralKey::NodesDown),
            Class::Client => chaos.budget.clients_down > 0 || draws(GeneralKey::ClientsDown),
        };
        let kind = match kind {
            ChaosKind::General(kind) => kind,
            ChaosKind::Operator(kind) => return S::Operator::strikes(kind).to_vec(),
        };
        match kind {
            GeneralChaos::Crash
            | GeneralChaos::Pause
            | GeneralChaos::Isolate
            | GeneralChaos::BitRot => all.into_iter().filter(may_be_away).collect(),
            GeneralChaos::StalledDisk => {
                vec![Class::Control, Class::Node].into_iter().filter(may_be_away).collect()
            }
            GeneralChaos::FullDisk => vec![Class::Control, Class::Node],
            GeneralChaos::Attrition | GeneralChaos::RollingRestart => {
                vec![Class::Node].into_iter().filter(may_be_away).collect()
            }
            GeneralChaos::Partition
            | GeneralChaos::Clog
            | GeneralChaos::Delay
            | GeneralChaos::Loss => all,
            GeneralChaos::Drop => all,
            GeneralChaos::Duplicate | GeneralChaos::SlowDisk | GeneralChaos::Drift => all,
            GeneralChaos::Wipe | GeneralChaos::MajoritiesRing => vec![Class::Node],
            GeneralChaos::Bump if S::CONTROL_CLOCK_JUMPS => all,
            GeneralChaos::Bump => vec![Class::Node, Class::Client],
        }
    }
}

/// The roles of the machines that a scripted fault strikes.
fn roles_of<S: UnderTest>(fault: &Fault<S, Target<S>>) -> Vec<Class> {
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
        Fault::Operator { wish, .. } => S::Operator::strikes(S::Operator::kind(wish)).to_vec(),
    }
}

/// The roles of the machines that a target may stand for.
fn roles_at<S: UnderTest>(target: &Target<S>) -> &'static [Class] {
    match target {
        Target::Node(node) => match node.class() {
            Class::Control => &[Class::Control],
            Class::Node => &[Class::Node],
            Class::Client => &[Class::Client],
        },
        Target::There | Target::Rest => &[Class::Control, Class::Node, Class::Client],
        Target::Role(part) | Target::All(part) => match part.is_client() {
            true => &[Class::Client],
            false => &[Class::Node],
        },
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

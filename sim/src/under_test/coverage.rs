//! What a run of a system can try: phases, situations and reasons, for the matrices of coverage.

use std::collections::BTreeSet;
use std::fmt::Debug;

use seedbed::machine::{Class, Never, NodeId, Time};

use super::UnderTest;
use crate::cell::FaultKind;
use crate::coverage::Unsynced;
use crate::name::Name;
use crate::oracle::Seen;
use crate::scenario::Scenario;
use crate::world::{Step, World};

/// What is known right before a fault takes hold.
pub struct Scene<'a, S: UnderTest> {
    /// True time.
    pub now: Time,
    /// The world as it is.
    pub world: &'a World<S>,
    /// What has happened so far.
    pub model: &'a S::Model,
    /// What was reached so far.
    pub milestones: &'a S::Watcher,
    /// Records that are appended and not durable.
    pub unsynced: &'a Unsynced<S>,
}

/// What runs of `S` can try. A value of it watches one run.
pub trait Coverage<S: UnderTest>: Clone + Debug + Default {
    /// What a machine can take part in when a fault strikes it.
    type Phase: Name;
    /// What a run can get into with more than one machine, or more than one fault, in it.
    type Situation: Name;
    /// Why a user is refused.
    type Reason: Name;

    /// The classes of the machines that can be in this phase.
    fn classes(phase: Self::Phase) -> &'static [Class];

    /// Takes over what was seen in a step.
    fn see(&mut self, _seen: &Seen<'_, S>, _step: &Step<S>) {}

    /// Takes over a step, all of which was seen.
    fn on_step(&mut self, _step: &Step<S>) {}

    /// Everything that `node`, which is up, takes part in.
    fn phases(&self, node: NodeId, scene: &Scene<'_, S>) -> BTreeSet<Self::Phase>;

    /// The situations that a run gets into when a fault strikes `machine`, which is in these
    /// phases.
    fn struck(
        _kind: FaultKind<S>,
        _machine: NodeId,
        _phases: &BTreeSet<Self::Phase>,
        _world: &World<S>,
        _model: &S::Model,
    ) -> Vec<Self::Situation> {
        Vec::new()
    }

    /// The situation that a run gets into with what is seen.
    fn situation(_seen: &Seen<'_, S>, _model: &S::Model) -> Option<Self::Situation> {
        None
    }

    /// The machine, if what is seen says that it has again all that its lost disk should have:
    /// until then coverage counts the loss as under way.
    fn made_good(seen: &Seen<'_, S>, _model: &S::Model) -> Option<NodeId> {
        match seen {
            Seen::Started { node, .. } => Some(*node),
            _ => None,
        }
    }

    /// Why a reply refuses.
    fn reason(_reply: &S::Reply) -> Option<Self::Reason> {
        None
    }

    /// Why no machine is in this phase in any run of a file; `None` if one may be.
    fn why_never_in(_phase: Self::Phase, _scenario: &Scenario<S>) -> Option<String> {
        None
    }

    /// Why no run of a file gets into this; `None` if one may.
    fn why_never_got_into(_situation: Self::Situation, _scenario: &Scenario<S>) -> Option<String> {
        None
    }

    /// Why no request of a file is refused for this; `None` if one may be.
    fn why_never_refused(_reason: Self::Reason, _scenario: &Scenario<S>) -> Option<String> {
        None
    }
}

/// A machine of a system that names no phases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Idle;

impl Name for Idle {
    const ALL: &'static [Idle] = &[Idle];

    fn name(self) -> &'static str {
        "idle"
    }

    fn summary(self) -> &'static str {
        "whatever the machine is doing"
    }
}

/// The coverage of a system without phases: which faults struck at all.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoCoverage;

impl<S: UnderTest> Coverage<S> for NoCoverage {
    type Phase = Idle;
    type Situation = Never;
    type Reason = Never;

    fn classes(_phase: Idle) -> &'static [Class] {
        &[Class::Control, Class::Node, Class::Client]
    }

    fn phases(&self, _node: NodeId, _scene: &Scene<'_, S>) -> BTreeSet<Idle> {
        BTreeSet::from([Idle])
    }
}

/// What a machine of `S` can take part in.
pub type Phase<S> = <<S as UnderTest>::Coverage as Coverage<S>>::Phase;
/// What a run of `S` can get into.
pub type Situation<S> = <<S as UnderTest>::Coverage as Coverage<S>>::Situation;
/// Why a user of `S` is refused.
pub type Reason<S> = <<S as UnderTest>::Coverage as Coverage<S>>::Reason;

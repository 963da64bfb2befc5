//! Faults that strike at milestones: where they are aimed, and at which machine.
//!
//! A moment of a protocol is short, so a fault at a drawn time seldom meets it. An aimed fault
//! waits for the moment and strikes a machine that plays a part in it.

use crate::under_test::UnderTest;
use std::collections::BTreeSet;

use seedbed::machine::NodeId;

use crate::aimed_moment::AimedMoment;
use crate::fault::ChaosKind;
use crate::milestone::Milestone;
use crate::scenario::{Occasion, Ordinals, Scenario, Target};
use crate::seed::Stream;

/// What aimed faults of a file may be aimed at.
#[derive(Clone, Debug)]
pub(super) struct Aims<S: UnderTest> {
    moments: Vec<AimedMoment<S>>,
}

/// An occasion and the machines that a fault strikes there.
pub(super) struct Aim<S: UnderTest> {
    pub occasion: Occasion<S>,
    pub target: Target<S>,
    /// Another machine of the moment, or the rest of them.
    pub other: Target<S>,
}

impl<S: UnderTest> Aims<S> {
    /// Those of the moments of the file that a run of `scenario` may reach.
    pub fn of(scenario: &Scenario<S>) -> Aims<S> {
        let is_named = |at: &Milestone<S>| {
            scenario.chaos.as_ref().is_some_and(|chaos| chaos.moments.contains(at))
        };
        let is_there = |moment: &AimedMoment<S>| {
            is_named(&moment.at) && scenario.why_never(moment.at).is_none()
        };
        Aims { moments: S::moments().into_iter().filter(is_there).collect() }
    }

    /// These moments.
    #[cfg(all(test, feature = "file-service"))]
    pub(super) fn at(moments: impl IntoIterator<Item = AimedMoment<S>>) -> Aims<S> {
        Aims { moments: moments.into_iter().collect() }
    }

    /// Draws a moment for a fault of this kind, which of its times, and the machines that it
    /// strikes.
    pub(super) fn draw(&self, kind: ChaosKind<S>, stream: &mut Stream) -> Option<Aim<S>> {
        let suits = |moment: &&AimedMoment<S>| moment.loses_disks || !kind.loses_a_disk();
        let suited = || self.moments.iter().filter(suits);
        // A group of few moments is no less worth a fault than one of many.
        let all: BTreeSet<u8> = suited().map(|moment| moment.group).collect();
        let chosen = *stream.pick(&Vec::from_iter(all))?;
        let its: Vec<Milestone<S>> =
            suited().filter(|of| of.group == chosen).map(|moment| moment.at).collect();
        let milestone = *stream.pick(&its)?;
        let nth = 1 + stream.below(4) as u32;
        // If the budget has no room at that time, the next will do.
        let times = Ordinals { nth, every: Some(1) };
        Some(Aim::at(Occasion { times, ..Occasion::first(milestone) }, stream))
    }
}

/// Any machine of this role, where several play it.
fn any_of<S: UnderTest>(target: Target<S>) -> Target<S> {
    match target {
        Target::Role(role) => Target::All(role),
        _ => target,
    }
}

impl<S: UnderTest> Aim<S> {
    /// Draws the machines that a fault strikes at this moment.
    pub fn at(occasion: Occasion<S>, stream: &mut Stream) -> Aim<S> {
        let roles = S::roles_of(occasion.milestone).iter().map(|role| Target::Role(*role));
        let mut roles: Vec<Target<S>> = roles.chain([Target::There]).collect();
        let target = roles.swap_remove(stream.below(roles.len() as u64) as usize);
        let other = match stream.below(2) {
            0 => Target::Rest,
            _ => stream.pick(&roles).map_or(Target::Rest, |role| *role),
        };
        Aim { occasion, target, other }
    }

    /// Draws the machines that another fault strikes at the same moment.
    pub fn beside(occasion: Occasion<S>, stream: &mut Stream) -> Aim<S> {
        let Aim { occasion, target, other } = Aim::at(occasion, stream);
        let target = match stream.below(4) {
            0 if S::HAS_CONTROL => Target::Node(NodeId::CONTROL),
            _ => any_of(target),
        };
        Aim { occasion, target, other: any_of(other) }
    }
}

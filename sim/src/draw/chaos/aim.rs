//! Faults that strike at milestones: where they are aimed, and at which machine.
//!
//! A fault at a drawn time meets a transaction in doubt as rarely as a dart thrown with closed eyes
//! meets the board's middle. An aimed fault waits for the moment and strikes a machine that plays a
//! part in it.

use std::collections::BTreeSet;

use seedbed::machine::NodeId;

use crate::fault::ChaosKind;
use crate::file_service::Milestone;
use crate::scenario::moment::{Of, moments, suits};
use crate::scenario::{Occasion, Ordinals, Role, Scenario, Target, roles_of};
use crate::seed::Stream;

/// What aimed faults of a file may be aimed at.
#[derive(Clone, Debug)]
pub(super) struct Aims {
    moments: Vec<(Of, Milestone)>,
}

/// An occasion and the machines that a fault strikes there.
pub(super) struct Aim {
    pub occasion: Occasion,
    pub target: Target,
    /// Another machine of the moment, or the rest of them.
    pub other: Target,
}

impl Aims {
    /// Those of the moments of the file that a run of `scenario` may reach.
    pub fn of(scenario: &Scenario) -> Aims {
        let is_named = |at: &Milestone| {
            scenario.chaos.as_ref().is_some_and(|chaos| chaos.moments.contains(at))
        };
        let is_there =
            |(_, at): &(Of, Milestone)| is_named(at) && scenario.why_never(*at).is_none();
        Aims { moments: moments().into_iter().filter(is_there).collect() }
    }

    /// These moments.
    #[cfg(test)]
    pub(super) fn at(moments: impl IntoIterator<Item = (Of, Milestone)>) -> Aims {
        Aims { moments: moments.into_iter().collect() }
    }

    /// Draws a moment for a fault of this kind, which of its times, and the machines that it
    /// strikes.
    pub(super) fn draw(&self, kind: ChaosKind, stream: &mut Stream) -> Option<Aim> {
        let suited = || self.moments.iter().filter(|(of, _)| suits(kind, *of));
        // A hand-over has fewer moments than a transaction, and is no less worth a fault.
        let all: BTreeSet<Of> = suited().map(|(of, _)| *of).collect();
        let chosen = *stream.pick(&Vec::from_iter(all))?;
        let its: Vec<Milestone> =
            suited().filter(|(of, _)| *of == chosen).map(|(_, milestone)| *milestone).collect();
        let milestone = *stream.pick(&its)?;
        let nth = 1 + stream.below(4) as u32;
        // If the budget has no room at that time, the next will do.
        let times = Ordinals { nth, every: Some(1) };
        Some(Aim::at(Occasion { times, ..Occasion::first(milestone) }, stream))
    }
}

/// Any machine of this role, where several play it.
fn any_of(target: Target) -> Target {
    match target {
        Target::Role(role) if role != Role::There => Target::All(role),
        _ => target,
    }
}

impl Aim {
    /// Draws the machines that a fault strikes at this moment.
    pub fn at(occasion: Occasion, stream: &mut Stream) -> Aim {
        let mut roles: Vec<Role> = roles_of(occasion.milestone).to_vec();
        roles.push(Role::There);
        let target = roles.swap_remove(stream.below(roles.len() as u64) as usize);
        let other = match stream.below(2) {
            0 => Target::Rest,
            _ => stream.pick(&roles).map_or(Target::Rest, |role| Target::Role(*role)),
        };
        Aim { occasion, target: Target::Role(target), other }
    }

    /// Draws the machines that another fault strikes at the same moment.
    pub fn beside(occasion: Occasion, stream: &mut Stream) -> Aim {
        let Aim { occasion, target, other } = Aim::at(occasion, stream);
        let target = match stream.below(4) {
            0 => Target::Node(NodeId::CONTROL),
            _ => any_of(target),
        };
        Aim { occasion, target, other: any_of(other) }
    }
}

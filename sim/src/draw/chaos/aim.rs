//! Faults that strike at milestones: where they are aimed, and at which machine.
//!
//! A fault at a drawn time meets a transaction in doubt as rarely as a dart thrown with closed eyes
//! meets the board's middle. An aimed fault waits for the moment and strikes a machine that plays a
//! part in it.

use std::collections::BTreeSet;

use seedbed::proto::{MessageKind, NodeId, RecordKind};

use crate::fault::ChaosKind;
use crate::milestone::Milestone;
use crate::scenario::{Occasion, Ordinals, Role, Scenario, Target, roles_of};
use crate::seed::Stream;

/// What a moment is one of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Of {
    Transaction,
    Lock,
    HandOver,
    View,
    Machine,
}

/// The moments in which a protocol has most to lose. Beside the roles that a milestone binds, the
/// machine at which it is reached is one to strike: the central node, where a view is announced.
fn moments() -> Vec<(Of, Milestone)> {
    let log = "logs get such records";
    let appended = |kind| Milestone::appended(kind).expect(log);
    let durable = |kind| Milestone::durable(kind).expect(log);
    vec![
        (Of::Transaction, Milestone::ALL_READY),
        (Of::Transaction, appended(RecordKind::Voted)),
        (Of::Transaction, Milestone::PARTICIPANT_IN_DOUBT),
        (Of::Transaction, Milestone::ALL_VOTED),
        (Of::Transaction, appended(RecordKind::Decided)),
        (Of::Transaction, Milestone::DECIDED),
        (Of::Transaction, Milestone::TRANSACTION_ABORTED),
        (Of::Transaction, Milestone::sent(MessageKind::Inquire)),
        (Of::Transaction, Milestone::sent(MessageKind::Resolve)),
        (Of::Transaction, Milestone::sent(MessageKind::Resolved)),
        (Of::Transaction, Milestone::EPOCH_LEFT_IN_DOUBT),
        (Of::Transaction, Milestone::EPOCH_LEFT_UNDECIDED),
        (Of::Transaction, Milestone::IN_DOUBT_ON_A_MOVING_ARC),
        (Of::Lock, Milestone::LOCK_QUEUED),
        (Of::Lock, appended(RecordKind::Granted)),
        (Of::Lock, Milestone::LOCK_GRANTED),
        (Of::Lock, Milestone::CLAIM_COMMITTED),
        (Of::Lock, Milestone::LEASE_EXPIRED),
        (Of::HandOver, Milestone::HAND_OVER_BEGUN),
        (Of::HandOver, Milestone::sent(MessageKind::Pull)),
        (Of::HandOver, Milestone::sent(MessageKind::Chunk)),
        (Of::HandOver, Milestone::ARC_COMPLETED),
        (Of::HandOver, Milestone::WITNESS_ANSWERED),
        (Of::View, Milestone::NODE_ADMITTED),
        (Of::View, appended(RecordKind::Announced)),
        (Of::View, Milestone::VIEW_ANNOUNCED),
        (Of::View, durable(RecordKind::Entered)),
        (Of::View, appended(RecordKind::Recorded)),
        (Of::View, Milestone::VIEW_ACTIVE),
        (Of::Machine, Milestone::CHECKPOINT_WRITTEN),
        (Of::Machine, Milestone::RESTARTED),
    ]
}

/// May a fault of this kind be aimed at such a moment? A disk is lost seldom, and then where what
/// is on it is wanted by others: in a transaction and in a hand-over.
fn suits(kind: ChaosKind, of: Of) -> bool {
    match of {
        Of::Transaction | Of::HandOver => true,
        Of::Lock | Of::View | Of::Machine => kind != ChaosKind::Wipe,
    }
}

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
    /// The moments that a run of `scenario` may reach.
    pub fn of(scenario: &Scenario) -> Aims {
        let possible = moments().into_iter().filter(|(_, at)| scenario.why_never(*at).is_none());
        Aims { moments: possible.collect() }
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

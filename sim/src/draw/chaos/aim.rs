//! Faults that strike at milestones: where they are aimed, and at which machine.
//!
//! A fault at a drawn time meets a transaction in doubt as rarely as a dart thrown with closed eyes
//! meets the board's middle. An aimed fault waits for the moment and strikes a machine that plays a
//! part in it.

use seedbed::proto::{MessageKind, RecordKind};

use crate::milestone::Milestone;
use crate::scenario::{Occasion, Ordinals, Role, Scenario, Target, roles_of};
use crate::seed::Stream;

/// The moments in which a protocol has most to lose. Beside the roles that a milestone binds, the
/// machine at which it is reached is one to strike: the central node, where a view is announced.
fn moments() -> Vec<Milestone> {
    let log = "logs get such records";
    let appended = |kind| Milestone::appended(kind).expect(log);
    let durable = |kind| Milestone::durable(kind).expect(log);
    vec![
        // a transaction
        Milestone::ALL_READY,
        appended(RecordKind::Voted),
        Milestone::PARTICIPANT_IN_DOUBT,
        Milestone::ALL_VOTED,
        appended(RecordKind::Decided),
        Milestone::DECIDED,
        Milestone::sent(MessageKind::Inquire),
        Milestone::sent(MessageKind::Recall),
        appended(RecordKind::Orphaned),
        Milestone::IN_DOUBT_ON_A_MOVING_ARC,
        // a lock
        Milestone::LOCK_QUEUED,
        appended(RecordKind::Granted),
        Milestone::LOCK_GRANTED,
        Milestone::CLAIM_COMMITTED,
        Milestone::LEASE_EXPIRED,
        // a hand-over
        Milestone::HAND_OVER_BEGUN,
        Milestone::sent(MessageKind::Pull),
        Milestone::sent(MessageKind::Chunk),
        Milestone::ARC_COMPLETED,
        Milestone::WITNESS_ANSWERED,
        // a view
        Milestone::NODE_ADMITTED,
        appended(RecordKind::Announced),
        Milestone::VIEW_ANNOUNCED,
        durable(RecordKind::Entered),
        Milestone::VIEW_ACTIVE,
        // a disk and a machine
        Milestone::CHECKPOINT_WRITTEN,
        Milestone::RESTARTED,
    ]
}

/// What aimed faults of a file may be aimed at.
#[derive(Clone, Debug)]
pub(super) struct Aims {
    moments: Vec<Milestone>,
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
        let possible = moments().into_iter().filter(|at| scenario.why_never(*at).is_none());
        Aims { moments: possible.collect() }
    }

    /// These moments.
    #[cfg(test)]
    pub(super) fn at(moments: impl IntoIterator<Item = Milestone>) -> Aims {
        Aims { moments: moments.into_iter().collect() }
    }

    /// Draws a moment, which of its times, and the machines that a fault strikes.
    pub(super) fn draw(&self, stream: &mut Stream) -> Aim {
        let milestone = *stream.pick(&self.moments).expect("every run can restart a machine");
        let nth = 1 + stream.below(4) as u32;
        let mut roles: Vec<Role> = roles_of(milestone).to_vec();
        roles.push(Role::There);
        let target = roles.swap_remove(stream.below(roles.len() as u64) as usize);
        let other = match stream.below(2) {
            0 => Target::Rest,
            _ => stream.pick(&roles).map_or(Target::Rest, |role| Target::Role(*role)),
        };
        // If the budget has no room at that time, the next will do.
        let times = Ordinals { nth, every: Some(1) };
        let occasion = Occasion { times, ..Occasion::first(milestone) };
        Aim { occasion, target: Target::Role(target), other }
    }
}

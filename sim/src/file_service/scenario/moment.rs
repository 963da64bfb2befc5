//! The moments of the file service at which a drawn fault is worth most.

use seedbed::proto::{FileService, MessageKind, RecordKind};

use crate::aimed_moment::AimedMoment;
use crate::file_service::Milestone;

/// The part of the protocol that a moment belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Of {
    Transaction,
    Lock,
    HandOver,
    View,
    Machine,
}

/// The moments in which a protocol has most to lose. Beside the roles that a milestone binds, the
/// machine at which it is reached is one to strike: the central node, where a view is announced.
pub fn moments() -> Vec<AimedMoment<FileService>> {
    let moment = |(of, at)| AimedMoment {
        group: of as u8,
        at,
        loses_disks: matches!(of, Of::Transaction | Of::HandOver),
    };
    all().into_iter().map(moment).collect()
}

fn all() -> Vec<(Of, Milestone)> {
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
        (Of::Transaction, Milestone::Sent(MessageKind::Inquire)),
        (Of::Transaction, Milestone::Sent(MessageKind::Resolve)),
        (Of::Transaction, Milestone::Sent(MessageKind::Resolved)),
        (Of::Transaction, Milestone::EPOCH_LEFT_IN_DOUBT),
        (Of::Transaction, Milestone::EPOCH_LEFT_UNDECIDED),
        (Of::Transaction, Milestone::IN_DOUBT_ON_A_MOVING_ARC),
        (Of::Lock, Milestone::LOCK_QUEUED),
        (Of::Lock, appended(RecordKind::Granted)),
        (Of::Lock, Milestone::LOCK_GRANTED),
        (Of::Lock, Milestone::CLAIM_COMMITTED),
        (Of::Lock, Milestone::LEASE_EXPIRED),
        (Of::HandOver, Milestone::HAND_OVER_BEGUN),
        (Of::HandOver, Milestone::Sent(MessageKind::Pull)),
        (Of::HandOver, Milestone::Sent(MessageKind::Chunk)),
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

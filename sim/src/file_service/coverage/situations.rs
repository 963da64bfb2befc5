//! Which situations a run gets into.

use std::collections::BTreeSet;

use seedbed::machine::{Class, NodeId};
use seedbed::proto::{FileService, Message, Record, ToCentre};

use super::phase::Phase;
use super::situation::Situation;
use crate::cell::{self, GeneralFault};
use crate::file_service::World;
use crate::file_service::oracle::{Model, Seen};

/// The situations that a run gets into when a fault strikes `machine`, which is in these phases.
pub(super) fn struck(
    kind: cell::FaultKind<FileService>,
    machine: NodeId,
    phases: &BTreeSet<Phase>,
    world: &World,
    model: &Model,
) -> Vec<Situation> {
    let is_storage = machine.class() == Class::Node;
    let is_in = |all: &[Phase]| all.iter().any(|phase| phases.contains(phase));
    let is_wipe = kind == cell::FaultKind::General(GeneralFault::Wipe);
    let is_down = kind.crashes() || is_wipe;
    let serves = |node: NodeId| node.class() != Class::Client;
    let is_beside = || {
        let mut others = world.machines().filter(|node| serves(*node) && *node != machine);
        serves(machine) && others.any(|node| !world.host(node).is_up())
    };
    let hand_over = [Phase::ReceiverAsking, Phase::ReceiverChunk, Phase::Source];
    let doubt = [Phase::ParticipantInDoubt, Phase::ParticipantOrphaned];
    let all = [
        (Situation::NodeAway, is_storage && kind.takes_away()),
        (Situation::CrashBesideAnother, is_down && is_beside()),
        (Situation::WipeInDoubt, is_wipe && is_in(&doubt)),
        (Situation::WipeInHandOver, is_wipe && is_in(&hand_over)),
        (Situation::LastCopyLost, is_wipe && model.has_a_last_copy(machine)),
    ];
    let there = all.into_iter().filter(|(_, is_there)| *is_there);
    there.map(|(situation, _)| situation).collect()
}

/// The situation that a run gets into with what is seen; the model has taken it over already.
pub(super) fn seen(seen: &Seen<'_>, model: &Model) -> Option<Situation> {
    match seen {
        Seen::Sent { message: Message::ToCentre(ToCentre::Resolve { txn, .. }), .. } => {
            model.coordinator_is_gone(*txn).map(|_| Situation::Orphaned)
        }
        Seen::Durable { record: Record::Announced { view }, .. } => {
            let settled = model.views.settled().map(|settled| settled.is);
            let mut before = model.views.open().filter(|older| older.is.epoch < view.epoch);
            let is_open = before.any(|older| settled.is_none_or(|last| older.is.epoch > last));
            is_open.then_some(Situation::ViewOverUnsettled)
        }
        _ => None, // it takes a fault
    }
}

//! What a machine takes part in at some moment.

use std::collections::BTreeSet;

use seedbed::machine::{Class, NodeId, RequestId, Span, Time};
use seedbed::proto::{Chunk, FileService, Message, RecordKind, Reply, Request};

use super::Followed;
use super::phase::Phase;
use crate::coverage::Unsynced;
use crate::file_service::World;
use crate::file_service::oracle::milestones::{self, Milestones};
use crate::file_service::oracle::{Asked, Model};

/// How long after its start a machine counts as just recovered.
const RECOVERY: Span = Span::from_secs(1);

/// What there is to look at.
pub(super) struct Scene<'a> {
    pub now: Time,
    pub world: &'a World,
    pub model: &'a Model,
    pub milestones: &'a Milestones,
    pub unsynced: &'a Unsynced<FileService>,
    pub followed: &'a Followed,
}

/// Everything that `node`, which is up, takes part in.
pub(super) fn phases_of(node: NodeId, scene: &Scene<'_>) -> BTreeSet<Phase> {
    let mut phases = BTreeSet::new();
    match node.class() {
        Class::Control => {
            scene.lock_server(&mut phases);
            scene.centre(&mut phases);
        }
        Class::Node => {
            scene.coordinator(node, &mut phases);
            scene.participant(node, &mut phases);
            scene.transfer(node, &mut phases);
            scene.member(node, &mut phases);
        }
        Class::Client => scene.client(node, &mut phases),
    }
    scene.machine(node, &mut phases);
    if phases.is_empty() {
        phases.insert(Phase::Idle);
    }
    phases
}

impl Scene<'_> {
    fn coordinator(&self, node: NodeId, phases: &mut BTreeSet<Phase>) {
        let followed = self.followed;
        let undecided =
            self.milestones.coordinated(node).filter(|(txn, _)| !followed.decides(node, *txn));
        phases.extend(undecided.map(|(_, phase)| match phase {
            milestones::Phase::Alone => Phase::CoordinatorFetching,
            milestones::Phase::Preparing => Phase::CoordinatorPreparing,
            milestones::Phase::Voting => Phase::CoordinatorVoting,
            milestones::Phase::Committing => Phase::CoordinatorCommitting,
        }));
        phases.extend(self.unsynced(node, &[RecordKind::Decided], Phase::CoordinatorDeciding));
    }

    fn participant(&self, node: NodeId, phases: &mut BTreeSet<Phase>) {
        if self.followed.ready.has(node) {
            phases.insert(Phase::ParticipantReady);
        }
        let outcomes = [RecordKind::Applied, RecordKind::RolledBack];
        phases.extend(self.unsynced(node, &[RecordKind::Voted], Phase::ParticipantVoting));
        phases.extend(self.unsynced(node, &outcomes, Phase::ParticipantApplying));
        phases.extend(self.model.doubts(node).map(
            |txn| match self.model.coordinator_is_gone(txn) {
                Some(_) => Phase::ParticipantOrphaned,
                None => Phase::ParticipantInDoubt,
            },
        ));
    }

    fn client(&self, node: NodeId, phases: &mut BTreeSet<Phase>) {
        let of_life =
            |number| RequestId { client: node, incarnation: self.model.life(node), number };
        let asked = self.model.requests.range(of_life(0)..of_life(u32::MAX));
        let open = asked.filter(|(_, asked)| asked.reply.is_none());
        phases.extend(open.map(|(request, asked)| match asked.wanted {
            Request::Acquire { .. } if self.followed.granted.contains(request) => {
                Phase::ClientClaiming
            }
            Request::Acquire { .. } => Phase::ClientWaiting,
            Request::Files { .. } | Request::Release { .. } => Phase::ClientAsking,
        }));
        let holders = self.model.locks.iter().filter_map(|(_, lock)| lock.durable.holder.as_ref());
        if holders.map(|holder| holder.is.0).any(|request| self.is_held(node, request)) {
            phases.insert(Phase::ClientHolding);
        }
    }

    /// Was the user of `node` told that the lock is acquired, in this life of the client?
    fn is_held(&self, node: NodeId, request: RequestId) -> bool {
        let is_own = request.client == node && request.incarnation == self.model.life(node);
        let is_told = |asked: &Asked| {
            asked.reply.as_ref().is_some_and(|reply| matches!(reply.is, Reply::Acquired(_)))
        };
        is_own && self.model.requests.get(&self.model.origin(request)).is_some_and(is_told)
    }

    fn lock_server(&self, phases: &mut BTreeSet<Phase>) {
        let granted = [RecordKind::Granted];
        phases.extend(self.unsynced(NodeId::CONTROL, &granted, Phase::LockServerGranting));
        if self.model.locks.iter().any(|(_, lock)| !lock.appended.line.is_empty()) {
            phases.insert(Phase::LockServerLine);
        }
    }

    fn centre(&self, phases: &mut BTreeSet<Phase>) {
        let views = &self.model.views;
        let Some(newest) = views.newest().map(|view| view.is.epoch) else { return };
        let has_settled = views.settled().is_some_and(|settled| settled.is >= newest);
        match views.activated(newest) {
            None => phases.insert(Phase::CentreAnnounced),
            Some(_) => !has_settled && phases.insert(Phase::CentreActive),
        };
    }

    fn transfer(&self, node: NodeId, phases: &mut BTreeSet<Phase>) {
        let has_chunk = || {
            let mut packets = self.world.network().packets();
            packets.any(|(_, packet)| {
                packet.to == node && matches!(*packet.message, Message::Chunk(Chunk { .. }))
            })
        };
        for pull in self.milestones.open_pulls() {
            if pull.source == node {
                phases.insert(Phase::Source);
            }
            if pull.receiver == node {
                let is_coming = has_chunk();
                phases.insert(if is_coming { Phase::ReceiverChunk } else { Phase::ReceiverAsking });
            }
        }
    }

    fn member(&self, node: NodeId, phases: &mut BTreeSet<Phase>) {
        let views = &self.model.views;
        let mut open = views.open();
        let Some(newest) = open.next() else { return };
        if views.settled().is_some_and(|settled| settled.is >= newest.is.epoch) {
            return;
        }
        let mut before = open.map(|view| view.is.member(node)).peekable();
        phases.extend(match newest.is.member(node) {
            // The first view of all has nothing before it that could settle.
            Some(_) if before.peek().is_none() => Some(Phase::MemberUnsettled),
            Some(member) => Some(match before.last().flatten() == Some(member) {
                true => Phase::MemberUnsettled,
                false => Phase::Joiner,
            }),
            None => before.any(|was| was.is_some()).then_some(Phase::Leaver),
        });
    }

    fn machine(&self, node: NodeId, phases: &mut BTreeSet<Phase>) {
        let disk = self.world.host(node).disk();
        if disk.is_syncing() {
            phases.insert(Phase::DiskSyncing);
        }
        if disk.is_checkpointing() {
            phases.insert(Phase::DiskCheckpointing);
        }
        let restarted = self.followed.restarted.get(&node);
        if restarted.is_some_and(|at| self.now <= *at + RECOVERY) {
            phases.insert(Phase::JustRecovered);
        }
    }

    /// The phase of a machine whose log has such records that are not durable.
    fn unsynced(&self, node: NodeId, kinds: &[RecordKind], phase: Phase) -> Option<Phase> {
        self.unsynced.has(node, kinds).then_some(phase)
    }
}

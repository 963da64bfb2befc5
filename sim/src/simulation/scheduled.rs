//! What is due, and the event that it becomes if it still makes sense in the world as it is.

use crate::under_test::UnderTest;
use std::sync::Arc;

use seedbed::machine::{Incarnation, NodeId, Span};

use crate::cell::GeneralFault;
use crate::fault::Restart;
use crate::world::{Event, World};
use crate::world::{Loss, PacketId};

use super::users::UserId;

/// Something that is due.
#[derive(Clone, Debug)]
pub(super) enum Due<S: UnderTest> {
    /// A message arrives, if the link and the machine are there.
    Arrive(PacketId),
    /// A message is lost.
    Lose(PacketId),
    /// A second copy of a message appears, and is under way for so much longer.
    Copy(PacketId, Span),
    /// A machine's deadline may have come.
    Wake(NodeId),
    /// A sync of this life is done.
    Synced(NodeId, Incarnation),
    /// A user asks, if the client is still in this life.
    Ask(UserId, Incarnation, Arc<S::Request>),
    /// The next step of the performance of this number is asked, by this client.
    Script(NodeId, usize),
    /// The message rule of this number begins to apply.
    Apply(usize),
    /// It applies no more.
    Unapply(usize),
    /// Something about faults.
    Inject(Act),
    /// Everything is healed.
    Heal,
    /// Everything had its time: the probes begin.
    Probe,
}

/// What there is to do about faults at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// The fault of this number strikes.
    Strike(usize),
    /// A fault strikes whose machines were bound when its milestone was reached.
    StrikeBound(usize),
    /// A machine crashes in its turn of a series of this kind, if nothing is healed yet.
    TakeDown(NodeId, Restart, GeneralFault),
    /// The operator says the next thing.
    Operate,
    /// The machine starts.
    Start(NodeId),
    /// The machine goes on.
    Resume(NodeId),
    /// The cut of this number is mended.
    Mend(u32),
    /// The link or the disk is as good as the scenario says again.
    Restore(u32),
    /// The machine's clock runs as the scenario says again.
    StopDrift(NodeId),
    /// The machine's disk does not stall any more.
    Unstall(NodeId),
    /// The machine's disk has room again.
    MakeRoom(NodeId),
}

impl<S: UnderTest> Due<S> {
    /// The machine for which this waits at its door: because it is paused, or because its disk
    /// stalls.
    pub fn held_by(&self, world: &World<S>) -> Option<NodeId> {
        let is_held = |node: &NodeId| {
            let host = world.host(*node);
            host.is_paused() || matches!(self, Due::Synced(..)) && host.disk().is_stalled()
        };
        self.whose(world).filter(is_held)
    }

    /// The machine that has to be running for this to happen.
    fn whose(&self, world: &World<S>) -> Option<NodeId> {
        match self {
            Due::Arrive(packet) => world.network().get(*packet).map(|packet| packet.to),
            Due::Wake(node) | Due::Synced(node, _) => Some(*node),
            Due::Ask(UserId { client, .. }, ..) | Due::Script(client, _) => Some(*client),
            Due::Lose(_) | Due::Copy(..) | Due::Inject(_) | Due::Heal | Due::Probe => None,
            Due::Apply(_) | Due::Unapply(_) => None,
        }
    }
}

/// An event that happens now, with its cause where what follows depends on that.
#[derive(Debug)]
pub(super) struct Pending<S: UnderTest> {
    pub event: Event<S>,
    pub cause: Cause,
}

/// Why an event happens, as far as that matters for what follows.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cause {
    /// A message is copied, and the copy is under way for so much longer than any first one.
    Copy(Span),
    /// This user of the workload asks, and waits for the answer.
    User(UserId),
    /// A probe asks, of this number in its round.
    Probe(usize),
    /// A step of the performance of this number is asked.
    Script(usize),
    /// It does not matter.
    Other,
}

impl<S: UnderTest> Pending<S> {
    /// An event whose cause does not matter.
    pub fn of(event: Event<S>) -> Pending<S> {
        Pending { event, cause: Cause::Other }
    }
}

/// A message arrives, or is lost where it would have.
pub(super) fn arrival<S: UnderTest>(id: PacketId, world: &World<S>) -> Option<Pending<S>> {
    let packet = world.network().get(id)?;
    let event = if !world.is_linked(packet.from, packet.to) {
        Event::Drop(id, Loss::Cut)
    } else if !world.host(packet.to).is_up() {
        Event::Drop(id, Loss::Down)
    } else {
        Event::Deliver(id)
    };
    Some(Pending::of(event))
}

/// A message is lost.
pub(super) fn loss<S: UnderTest>(id: PacketId, loss: Loss, world: &World<S>) -> Option<Pending<S>> {
    world.network().get(id)?;
    Some(Pending::of(Event::Drop(id, loss)))
}

/// A message is copied.
pub(super) fn copy<S: UnderTest>(
    id: PacketId,
    after: Span,
    world: &World<S>,
) -> Option<Pending<S>> {
    world.network().get(id)?;
    Some(Pending { event: Event::Duplicate(id), cause: Cause::Copy(after) })
}

/// A disk has synced, if its machine has not crashed meanwhile.
pub(super) fn synced<S: UnderTest>(
    node: NodeId,
    life: Incarnation,
    world: &World<S>,
) -> Option<Pending<S>> {
    is_in(node, life, world).then(|| Pending::of(Event::Synced(node)))
}

/// A user asks, if its client has not crashed meanwhile.
pub(super) fn ask<S: UnderTest>(
    user: UserId,
    life: Incarnation,
    request: Arc<S::Request>,
    world: &World<S>,
) -> Option<Pending<S>> {
    let client = user.client;
    let event = Event::Request { client, request };
    is_in(client, life, world).then_some(Pending { event, cause: Cause::User(user) })
}

/// Is the machine up and in this life?
fn is_in<S: UnderTest>(node: NodeId, life: Incarnation, world: &World<S>) -> bool {
    let host = world.host(node);
    host.is_up() && host.incarnation() == life
}

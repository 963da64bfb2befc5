//! Disks that stall or are full: how that begins and ends.

use crate::under_test::UnderTest;
use seedbed::machine::NodeId;

use super::queue::Turn;
use super::scheduled::Act;
use crate::world::{Event, World};

/// A disk stalls, unless it does already; and what ends that.
pub(super) fn stall<S: UnderTest>(node: NodeId, world: &World<S>) -> Option<(Event<S>, Act)> {
    let is_well = !world.host(node).disk().is_stalled();
    is_well.then_some((Event::Stall(node), Act::Unstall(node)))
}

/// A disk that stalls goes on; the sync that it has held up ends.
pub(super) fn unstall<S: UnderTest>(node: NodeId, world: &World<S>) -> Vec<Turn<S>> {
    match world.host(node).disk().is_stalled() {
        true => vec![Turn::Event(Event::Unstall(node)), Turn::Release(node)],
        false => Vec::new(),
    }
}

/// A disk is full, unless it is already; and what ends that.
pub(super) fn fill_up<S: UnderTest>(node: NodeId, world: &World<S>) -> Option<(Event<S>, Act)> {
    let has_room = !world.host(node).disk().is_full();
    has_room.then_some((Event::FillUp(node), Act::MakeRoom(node)))
}

/// A disk that is full has room again.
pub(super) fn make_room<S: UnderTest>(node: NodeId, world: &World<S>) -> Vec<Turn<S>> {
    match world.host(node).disk().is_full() {
        true => vec![Turn::Event(Event::MakeRoom(node))],
        false => Vec::new(),
    }
}

/// Every disk is well.
pub(super) fn heal<S: UnderTest>(world: &World<S>) -> Vec<Turn<S>> {
    world
        .machines()
        .flat_map(|node| [unstall(node, world), make_room(node, world)])
        .flatten()
        .collect()
}

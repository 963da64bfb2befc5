//! Disks that stall or are full: how that begins and ends.

use seedbed::machine::NodeId;

use super::queue::Turn;
use super::scheduled::Act;
use crate::file_service::{Event, World};

/// A disk stalls, unless it does already; and what ends that.
pub(super) fn stall(node: NodeId, world: &World) -> Option<(Event, Act)> {
    let is_well = !world.host(node).disk().is_stalled();
    is_well.then_some((Event::Stall(node), Act::Unstall(node)))
}

/// A disk that stalls goes on; the sync that it has held up ends.
pub(super) fn unstall(node: NodeId, world: &World) -> Vec<Turn> {
    match world.host(node).disk().is_stalled() {
        true => vec![Turn::Event(Event::Unstall(node)), Turn::Release(node)],
        false => Vec::new(),
    }
}

/// A disk is full, unless it is already; and what ends that.
pub(super) fn fill_up(node: NodeId, world: &World) -> Option<(Event, Act)> {
    let has_room = !world.host(node).disk().is_full();
    has_room.then_some((Event::FillUp(node), Act::MakeRoom(node)))
}

/// A disk that is full has room again.
pub(super) fn make_room(node: NodeId, world: &World) -> Vec<Turn> {
    match world.host(node).disk().is_full() {
        true => vec![Turn::Event(Event::MakeRoom(node))],
        false => Vec::new(),
    }
}

/// Every disk is well.
pub(super) fn heal(world: &World) -> Vec<Turn> {
    world
        .nodes()
        .flat_map(|node| [unstall(node, world), make_room(node, world)])
        .flatten()
        .collect()
}

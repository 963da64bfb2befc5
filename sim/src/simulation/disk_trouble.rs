//! Disks that stall or are full, and what ends it.

use seedbed::proto::{NodeId, Span, Time};

use super::inject::lasting;
use super::queue::Turn;
use super::scheduled::Act;
use crate::world::{Event, World};

/// A disk stalls, unless it does already.
pub(super) fn stall(node: NodeId, now: Time, lasts: Option<Span>, world: &World) -> Vec<Turn> {
    match world.host(node).disk().is_stalled() {
        true => Vec::new(),
        false => lasting(Event::Stall(node), Act::Unstall(node), now, lasts),
    }
}

/// A disk that stalls goes on; the sync that it has held up ends.
pub(super) fn unstall(node: NodeId, world: &World) -> Vec<Turn> {
    match world.host(node).disk().is_stalled() {
        true => vec![Turn::Event(Event::Unstall(node)), Turn::Release(node)],
        false => Vec::new(),
    }
}

/// A disk is full, unless it is already.
pub(super) fn fill_up(node: NodeId, now: Time, lasts: Option<Span>, world: &World) -> Vec<Turn> {
    match world.host(node).disk().is_full() {
        true => Vec::new(),
        false => lasting(Event::FillUp(node), Act::MakeRoom(node), now, lasts),
    }
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

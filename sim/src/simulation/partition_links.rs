//! Which links a cut is about, and what it loses.

use crate::under_test::UnderTest;
use std::collections::BTreeSet;
use std::sync::Arc;

use seedbed::machine::NodeId;

use crate::cast::Cast;
use crate::fault::Cut;
use crate::world::Network;
use crate::world::PacketId;
use crate::world::World;

/// Links, as (from, to).
pub(super) type Pairs = Arc<[(NodeId, NodeId)]>;

/// The links that `cut` is about, in order.
pub(super) fn links_of<S: UnderTest>(cut: &Cut, world: &World<S>, cast: Cast) -> Pairs {
    match cut {
        Cut::Isolate(node) => links(world, |from, to| from == *node || to == *node),
        Cut::Groups(groups) => {
            let group = |node| groups.iter().position(|group| group.contains(&node));
            links(world, |from, to| match (group(from), group(to)) {
                (Some(from), Some(to)) => from != to,
                (None, _) | (_, None) => false,
            })
        }
        Cut::OneWay { from, to } => links(world, |a, b| from.contains(&a) && to.contains(&b)),
        Cut::MajoritiesRing => {
            let nodes: Vec<NodeId> = cast.every_node().collect();
            majorities_ring(&nodes, world)
        }
    }
}

/// What is in flight on these links, in the order of sending. A cut loses it even if it is mended
/// before that would have arrived.
pub(super) fn in_flight<S: UnderTest>(
    links: &[(NodeId, NodeId)],
    network: &Network<S>,
) -> Vec<PacketId> {
    let links: BTreeSet<(NodeId, NodeId)> = links.iter().copied().collect();
    let stopped = network.packets().filter(|(_, packet)| links.contains(&(packet.from, packet.to)));
    stopped.map(|(id, _)| id).collect()
}

/// All links, in order, that `wanted` chooses.
fn links<S: UnderTest>(world: &World<S>, wanted: impl Fn(NodeId, NodeId) -> bool) -> Pairs {
    let pairs = world.machines().flat_map(|a| world.machines().map(move |b| (a, b)));
    pairs.filter(|(a, b)| a != b && wanted(*a, *b)).collect()
}

/// The links to cut so that each of `nodes` is linked with the majority around it only.
fn majorities_ring<S: UnderTest>(nodes: &[NodeId], world: &World<S>) -> Pairs {
    let n = nodes.len();
    // A majority of n is n / 2 + 1 nodes: itself and half of n / 2, rounded up, on either side.
    let reach = (n / 2).div_ceil(2);
    let place = |node| nodes.iter().position(|other| *other == node);
    links(world, |from, to| match (place(from), place(to)) {
        (Some(a), Some(b)) => a.abs_diff(b).min(n - a.abs_diff(b)) > reach,
        (None, _) | (_, None) => false,
    })
}

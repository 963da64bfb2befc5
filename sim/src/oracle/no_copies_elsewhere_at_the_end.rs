//! Copies go in the end.

use super::{Breach, Invariant, Model, Seen, SeenKinds};
use crate::world::World;
use seedbed::proto::{Arcs, NodeId};

/// When all faults are over and everything had its time, and the epoch in force has settled, no
/// node that is up stores a path that it does not own.
///
/// Copies that nobody tidies up fill the disks, and the one that is forgotten is the one that comes
/// back from the dead (Demers et al., "Epidemic Algorithms for Replicated Database Maintenance",
/// PODC 1987, on deletions that return).
#[derive(Clone, Debug, Default)]
pub struct NoCopiesElsewhereAtTheEnd;

impl Invariant for NoCopiesElsewhereAtTheEnd {
    fn name(&self) -> &'static str {
        "no_copies_elsewhere_at_the_end"
    }

    fn interest(&self) -> SeenKinds {
        SeenKinds::NONE
    }

    fn see(&mut self, _: &Seen<'_>, _: &Model, _: &World) -> Result<(), Breach> {
        Ok(())
    }

    fn at_end(&mut self, model: &Model, world: &World) -> Result<(), Breach> {
        let (Some(config), Some(settled)) = (model.disks.managed(), model.views.settled()) else {
            return Ok(());
        };
        let is_newest = model.views.newest().is_some_and(|newest| newest.is.epoch == settled.is);
        if !is_newest || !world.host(NodeId::CONTROL).is_up() {
            return Ok(());
        }
        let Some(placement) = model.views.placement(config, settled.is) else { return Ok(()) };
        for node in world.nodes().filter(|node| !world.host(*node).is_paused()) {
            let Some(storage) = world.host(node).storage() else { continue };
            let member = model.views.member(settled.is, node);
            let owned = member.map_or(Arcs::default(), |_| placement.owned_by(node));
            let is_elsewhere = |path: &&_| !owned.contains(config.position(path));
            if let Some(path) = storage.files().keys().find(is_elsewhere) {
                let earlier = format!("{} has settled, and {node} does not own {path}", settled.is);
                return model.breach(settled.step, earlier, format!("{node} still stores {path}"));
            }
        }
        Ok(())
    }
}

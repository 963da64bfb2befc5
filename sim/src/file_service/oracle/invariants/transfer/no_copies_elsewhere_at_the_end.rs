//! Copies go in the end.

use crate::file_service::oracle::{Breach, Evidence, Invariant, Moment, Seen, SeenKinds};
use seedbed::machine::NodeId;
use seedbed::proto::{Arcs, FileService};

/// When all faults are over and everything had its time, and the epoch in force has settled, no
/// node that is up stores a path that it does not own.
///
/// Copies that no node tidies up fill the disks, and the one that is forgotten is the one that
/// comes back from the dead (Demers et al., "Epidemic Algorithms for Replicated Database
/// Maintenance", PODC 1987, on deletions that return).
#[derive(Clone, Debug, Default)]
pub struct NoCopiesElsewhereAtTheEnd;

impl Invariant<FileService> for NoCopiesElsewhereAtTheEnd {
    fn interest(&self) -> SeenKinds {
        SeenKinds::NONE
    }

    fn see(&mut self, _: &Seen<'_>, _moment: &Moment<'_>) -> Result<(), Breach> {
        Ok(())
    }

    fn at_end(&mut self, Moment { model, world, .. }: &Moment<'_>) -> Result<(), Breach> {
        let (Some(config), Some(settled)) = (model.disks.managed(), model.views.settled()) else {
            return Ok(());
        };
        let is_newest = model.views.newest().is_some_and(|newest| newest.is.epoch == settled.is);
        if !is_newest || !world.host(NodeId::CONTROL).is_up() {
            return Ok(());
        }
        let Some(placement) = model.views.placement(config, settled.is) else { return Ok(()) };
        for node in world.machines().filter(|node| !world.host(*node).is_paused()) {
            let Some(storage) = world.host(node).storage() else { continue };
            let member = model.views.member(settled.is, node);
            let owned = member.map_or(Arcs::default(), |_| placement.owned_by(node));
            let is_elsewhere = |path: &&_| !owned.contains(config.position(path));
            if let Some(path) = storage.files().keys().find(is_elsewhere) {
                let earlier = format!("{} has settled, and {node} does not own {path}", settled.is);
                return Err(Breach::of(
                    Evidence::at(settled.step, earlier).about(settled.is).about(path),
                    Evidence::at(model.step, format!("{node} still stores {path}")).about(path),
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{Play, n};
    use seedbed::proto::{Epoch, Record};

    fn settled(epoch: u32) -> Record {
        Record::Converged { epoch: Epoch(epoch) }
    }

    /// The owners of /a store it, and the first epoch, of all three nodes, has settled.
    fn play() -> Play {
        let mut play = Play::managed(NoCopiesElsewhereAtTheEnd);
        let owner = play.owners("/a")[0];
        play.really_stores(owner, "/a", 1, "x");
        play.views(1, &[n(1), n(2), n(3)]);
        play.forces(NodeId::CONTROL, settled(1));
        play
    }

    /// The same, and a second view in which one of the owners is no member.
    fn an_owner_leaves() -> (Play, NodeId) {
        let mut play = play();
        let leaves = play.owners("/a")[0];
        let stay: Vec<NodeId> = (1..=3).map(n).filter(|node| *node != leaves).collect();
        play.views(2, &stay);
        (play, leaves)
    }

    #[test]
    fn a_copy_at_a_node_that_is_no_owner_any_more_is_a_breach() {
        let (mut play, left) = an_owner_leaves();
        play.forces(NodeId::CONTROL, settled(2));
        let breach = play.ends().breaks();
        assert_eq!(breach.earlier.is, format!("e2 has settled, and {left} does not own /a"));
        assert_eq!(breach.now.is, format!("{left} still stores /a"));
    }

    #[test]
    fn a_copy_at_an_owner_or_before_the_epoch_has_settled_is_none() {
        let mut play = play();
        play.ends();
        play.holds();
        let (mut unsettled, _) = an_owner_leaves();
        unsettled.ends();
        unsettled.holds();
    }
}

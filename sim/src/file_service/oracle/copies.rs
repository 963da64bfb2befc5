//! Which disks hold the only copy of something.
//!
//! What is promised of lost disks is that an acknowledged write survives as long as one owner that
//! was complete keeps its disk. So a disk may be lost as long as, of every piece of the ring,
//! another owner has what was committed there last.
//!
//! Two losses one upon the other may take a decision along, and a view that makes an owner of a
//! node whose disk is gone leaves no machine to say what was committed under it. So the next disk
//! may be lost when the loss before is *made good*, and the operator changes nothing before it is
//! *noticed*.
//!
//! A write commits in an epoch only if every owner of its path in that epoch is complete. So what
//! was committed last at a position stands in the newest view of which each owner is complete
//! there, or was until its disk was lost. An owner that is complete in a newer view has it as well:
//! it has pulled it.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use seedbed::machine::NodeId;
use seedbed::proto::{Config, Member, Path, TxnId, View};

use super::{Model, Placement};

/// Has the centre left every node whose disk was lost out of the newest view, under the admission
/// that it had?
pub fn is_every_loss_noticed(model: &Model) -> bool {
    let Some(newest) = model.views.newest() else { return true };
    newest.is.members.iter().all(|member| model.disks.gone(*member).is_none())
}

/// Is every owner complete again, and no participant in doubt for a coordinator whose disk was
/// lost?
fn is_every_loss_made_good(model: &Model) -> bool {
    let newest = model.views.newest().map(|newest| newest.is.epoch);
    let has_settled = model.views.settled().map(|settled| settled.is) == newest;
    let mut doubts = model.disks.iter().flat_map(|(_, disk)| disk.votes.keys());
    let is_orphaned = |txn: &TxnId| model.coordinator_is_gone(*txn).is_some();
    model.disks.gone.is_empty()
        || is_every_loss_noticed(model) && has_settled && !doubts.any(is_orphaned)
}

/// Would every acknowledged write survive the loss of the disk of `node` now? With fixed membership
/// a node whose disk is lost could not be told from the one that it was, so none may be.
pub fn may_be_lost(node: NodeId, model: &Model) -> bool {
    let Some(config) = model.disks.managed() else { return false };
    if !is_every_loss_made_good(model) {
        return false;
    }
    let placed = open_views(config, model);
    let ends = placed.iter().flat_map(|(_, placement)| placement.ends());
    let positions: BTreeSet<u64> = ends.collect();
    // Before the first view nothing is stored.
    positions.into_iter().all(|position| can_be_found(position, &placed, Some(node), model))
}

/// Do its owners find what was committed last on this path, or will the operator have to accept a
/// loss first?
pub fn needs_no_operator(path: &Path, model: &Model) -> bool {
    let Some(config) = model.disks.managed() else { return true };
    can_be_found(config.position(path), &open_views(config, model), None, model)
}

/// The views that have not settled, the newest first, and the last that has, each with its owners.
fn open_views<'m>(config: &Arc<Config>, model: &'m Model) -> Vec<(&'m View, Rc<Placement>)> {
    let views = model.views.open().map(|view| &view.is);
    views.filter_map(|view| Some((view, model.views.placement(config, view.epoch)?))).collect()
}

/// Is there a copy of what was committed last at `position`, and in each view an owner that can say
/// whether anything was committed there; beside those of the node `without`?
fn can_be_found(
    position: u64,
    views: &[(&View, Rc<Placement>)],
    without: Option<NodeId>,
    model: &Model,
) -> bool {
    let placed = || views.iter().map(|(view, placement)| (*view, &**placement));
    let is_other = |node: &NodeId| Some(*node) != without;
    let has_witness = |(view, of): (&View, &Placement)| {
        let others = of.owners_at(position).filter(is_other);
        others.filter_map(|owner| view.member(owner)).any(|owner| model.disks.gone(owner).is_none())
    };
    holders(position, placed(), model).iter().any(is_other) && placed().all(has_witness)
}

/// The nodes that have what was committed last at `position`; `views` are those that have not
/// settled, the newest first, and the last that has.
fn holders<'m>(
    position: u64,
    views: impl Iterator<Item = (&'m View, &'m Placement)>,
    model: &Model,
) -> Vec<NodeId> {
    let mut holders = Vec::new();
    for (view, placement) in views {
        let owners: Vec<Member> =
            placement.owners_at(position).filter_map(|owner| view.member(owner)).collect();
        let has_disk = |owner: &Member| model.disks.gone(*owner).is_none();
        let is_complete = |owner: &Member| {
            let disk = model.disks.get(owner.node);
            let disk = disk
                .filter(|disk| disk.born.as_ref().is_some_and(|born| born.is == owner.admission));
            disk.is_some_and(|disk| disk.claims(view.epoch, position).is_some())
        };
        holders.extend(owners.iter().filter(|owner| is_complete(owner)).map(|owner| owner.node));
        if owners.iter().all(|owner| is_complete(owner) || !has_disk(owner)) {
            break; // something may have been committed here, and is in no older view
        }
    }
    holders
}

#[cfg(test)]
mod tests {
    use seedbed::proto::{Admission, Arcs, Epoch, Record};

    use super::*;
    use crate::file_service::oracle::invariants::commit::ParticipantsAgree;
    use crate::file_service::oracle::tests::{Play, announced, complete, entered, n, txn, voted};

    const CONTROL: NodeId = NodeId::CONTROL;

    /// Two replicas at n1 and n2, which are complete, and the view has settled.
    fn settled() -> Play {
        let mut play = Play::managed(ParticipantsAgree);
        play.forces(CONTROL, announced(1, &[n(1), n(2)]));
        play.is_complete(n(1), 1);
        play.is_complete(n(2), 1);
        play.forces(CONTROL, Record::Converged { epoch: Epoch(1) });
        play
    }

    fn can_lose(play: &Play, node: NodeId) -> bool {
        may_be_lost(node, play.model())
    }

    #[test]
    fn one_of_two_complete_owners_may_lose_its_disk_and_then_the_other_not() {
        let mut play = settled();
        assert!(can_lose(&play, n(1)) && can_lose(&play, n(2)));
        play.loses_its_disk(n(1));
        assert!(!can_lose(&play, n(2)));
        assert!(!is_every_loss_noticed(play.model()));
    }

    #[test]
    fn a_new_owner_counts_when_it_is_complete_and_an_old_one_until_then() {
        let mut play = settled();
        play.forces(CONTROL, announced(2, &[n(1), n(3)]));
        for node in [n(1), n(2)] {
            play.forces(node, entered(2, Arcs::all()));
        }
        play.forces(n(3), Record::Born { admission: Admission(1) });
        play.forces(n(3), entered(2, Arcs::default()));
        assert!(can_lose(&play, n(1)), "n2 has everything still");
        play.forces(n(3), complete(2, Arcs::all()));
        assert!(can_lose(&play, n(1)) && can_lose(&play, n(2)));
        play.loses_its_disk(n(2));
        assert!(
            !can_lose(&play, n(3)),
            "the loss of n2 is not made good: the view has not settled"
        );
        play.forces(CONTROL, Record::Converged { epoch: Epoch(2) });
        assert!(is_every_loss_noticed(play.model()) && can_lose(&play, n(3)));
    }

    #[test]
    fn the_only_owner_in_an_open_view_may_not_lose_its_disk() {
        let mut play = settled();
        play.forces(CONTROL, announced(2, &[n(3)]));
        play.forces(n(3), Record::Born { admission: Admission(1) });
        assert!(
            !can_lose(&play, n(3)),
            "no other node knows what was committed in the second epoch"
        );
        assert!(can_lose(&play, n(1)) && can_lose(&play, n(2)));
    }

    #[test]
    fn a_doubt_that_a_lost_coordinator_left_comes_first() {
        let mut play = settled();
        play.forces(n(2), voted(txn(1), "/a", 1, "x"));
        play.loses_its_disk(n(1));
        play.forces(CONTROL, announced(2, &[n(2), n(3)]));
        play.forces(n(2), entered(2, Arcs::all()));
        play.is_complete(n(3), 2);
        play.forces(CONTROL, Record::Converged { epoch: Epoch(2) });
        assert!(!can_lose(&play, n(3)), "n2 is in doubt about a transaction of n1");
        play.forces(n(2), Record::RolledBack { txn: txn(1) });
        assert!(can_lose(&play, n(3)));
    }
}

//! Which owner cannot pull what it owns: no node is up that could hand it over, or witness that
//! nothing was committed there.
//!
//! A source hands over no path that it is in doubt about and says only after the last path what the
//! target is complete on. So one that is in doubt for ever, because the disk that could tell is
//! gone, neither hands over nor witnesses anything of what it is asked for together with that path.

use std::collections::BTreeSet;
use std::sync::Arc;

use seedbed::machine::NodeId;
use seedbed::proto::{Arcs, Config, Epoch, Member, Path, View};

use super::{StepTimes, Wait, kind};
use crate::file_service::World;
use crate::file_service::oracle::{Model, Placement};

/// A piece of the ring that a node owns and cannot pull.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::file_service::oracle) struct Missed {
    /// The new owner.
    pub owner: NodeId,
    /// The earlier epoch of which no machine that is up can tell.
    pub level: Epoch,
    /// What it misses.
    pub arcs: Arcs,
    /// The owners in that epoch whose word would do, and that are down.
    pub down: BTreeSet<NodeId>,
    /// The owners whose disk is gone.
    pub gone: BTreeSet<NodeId>,
    /// Those that are in doubt for ever.
    pub in_doubt: BTreeSet<NodeId>,
}

/// What the owners in an earlier epoch can tell a new owner of what it still needs.
struct Told {
    /// What they could hand over.
    has: Arcs,
    /// Where nothing was committed, or the operator has accepted that it is lost.
    witnessed: Arcs,
    /// The owners that are down.
    down: BTreeSet<NodeId>,
    /// The owners whose disk is gone.
    gone: BTreeSet<NodeId>,
    /// Those that are in doubt for ever about some path there.
    in_doubt: BTreeSet<NodeId>,
}

/// What members of the newest view cannot pull because no node is up that could hand it over or
/// witness that nothing was committed.
pub(in crate::file_service::oracle) fn missed_arcs(model: &Model, world: &World) -> Vec<Missed> {
    let (Some(config), Some(newest)) = (model.disks.managed(), model.views.newest()) else {
        return Vec::new();
    };
    let epoch = newest.is.epoch;
    let Some(placement) = model.views.placement(config, epoch) else { return Vec::new() };
    let members = newest.is.members.iter().map(|member| member.node);
    let up = members.filter(|node| world.host(*node).is_up());
    let open = |node| placement.owned_by(node).difference(&claimed(node, epoch, model));
    up.flat_map(|node| missed_by(node, open(node), epoch, config, (model, world))).collect()
}

/// What `owner` cannot pull of what it needs in `epoch`: it asks the owners of one epoch before
/// after the other, until each piece is handed over or missed.
fn missed_by(
    owner: NodeId,
    mut open: Arcs,
    epoch: Epoch,
    config: &Arc<Config>,
    (model, world): (&Model, &World),
) -> Vec<Missed> {
    let mut missed = Vec::new();
    for view in model.views.open().filter(|view| view.is.epoch < epoch) {
        let level = view.is.epoch;
        let Some(then) = model.views.placement(config, level).filter(|_| !open.is_empty()) else {
            break;
        };
        let told = what_is_told(&open, &view.is, &then, model, world);
        open = open.difference(&told.has);
        let arcs = open.difference(&told.witnessed);
        open = open.intersection(&told.witnessed);
        if !arcs.is_empty() {
            missed.push(told.missed(owner, level, arcs, &then));
        }
    }
    missed
}

fn what_is_told(open: &Arcs, view: &View, then: &Placement, model: &Model, world: &World) -> Told {
    let (mut has, mut witnessed) = (Arcs::default(), Arcs::default());
    let (mut down, mut gone, mut in_doubt) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut given_up = open.clone();
    for &member in view.members.iter() {
        let node = member.node;
        let owned = then.owned_by(node).intersection(open);
        if !model.is_loss_accepted(member) {
            given_up = given_up.difference(&owned);
        }
        if owned.is_empty() {
            continue;
        }
        if is_gone(member, model) {
            gone.insert(node);
        } else if !world.host(node).is_up() {
            down.insert(node);
        } else {
            let claimed = claimed(node, view.epoch, model);
            if is_in_doubt_for_ever(node, &owned.intersection(&claimed), model, world) {
                in_doubt.insert(node);
                continue;
            }
            has = has.union(&owned.intersection(&claimed));
            witnessed = witnessed.union(&owned.difference(&claimed));
        }
    }
    Told { has, witnessed: witnessed.union(&given_up), down, gone, in_doubt }
}

impl Told {
    /// The owners of `arcs` are missed.
    fn missed(self, owner: NodeId, level: Epoch, arcs: Arcs, then: &Placement) -> Missed {
        let Told { mut down, mut gone, mut in_doubt, .. } = self;
        let concerns = |node: &NodeId| !then.owned_by(*node).intersection(&arcs).is_empty();
        down.retain(concerns);
        gone.retain(concerns);
        in_doubt.retain(concerns);
        Missed { owner, level, arcs, down, gone, in_doubt }
    }
}

/// Where `node` claims to be complete in `epoch`.
fn claimed(node: NodeId, epoch: Epoch, model: &Model) -> Arcs {
    let claim = model.disks.get(node).and_then(|disk| disk.claims.get(&epoch));
    claim.map_or(Arcs::default(), |claim| claim.is.clone())
}

/// Is `node` in doubt about a path in `arcs`, and a machine down that it takes to end that?
fn is_in_doubt_for_ever(node: NodeId, arcs: &Arcs, model: &Model, world: &World) -> bool {
    let (Some(config), Some(disk)) = (model.disks.managed(), model.disks.get(node)) else {
        return false;
    };
    let is_there = |path: &Path| arcs.contains(config.position(path));
    let is_up = |node| world.host(node).is_up();
    let mut doubts = disk.votes.iter().filter(|(_, vote)| vote.paths.iter().any(is_there));
    doubts.any(|(txn, _)| !model.can_end_doubt(*txn, is_up))
}

/// Is the disk of this member lost?
fn is_gone(member: Member, model: &Model) -> bool {
    model.disks.gone(member).is_some()
}

/// Owners that cannot pull what they own.
pub(super) fn not_pulled(world: &World, model: &Model, times: &StepTimes, waits: &mut Vec<Wait>) {
    for Missed { owner, level, arcs, down, gone, in_doubt } in missed_arcs(model, world) {
        let names = |of: &BTreeSet<NodeId>| {
            of.iter().map(NodeId::to_string).collect::<Vec<_>>().join(" or ")
        };
        let (kind, released_by) = match down.is_empty() {
            false => (kind::NOT_PULLED, format!("{} starting again", names(&down))),
            true => {
                let says = match gone.is_empty() {
                    false => format!("the disk of {} is gone", names(&gone)),
                    true => {
                        let of = names(&in_doubt);
                        format!("{of} is in doubt, and a machine is down that it takes to end that")
                    }
                };
                (kind::LOST, format!("nothing but the operator: {says}"))
            }
        };
        let entered = model.disks.get(owner).map_or(0, |disk| disk.epoch.step);
        let for_what = format!("what was committed in {level} on {arcs}, which it owns now");
        waits.push(Wait { kind, machine: owner, for_what, since: times.of(entered), released_by });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::invariants::transfer::EveryArcIsCompleteAndSettledAtTheEnd;
    use crate::file_service::oracle::tests::{Play, born, entered, loss_accepted, n};
    use seedbed::proto::Record;

    /// n1 was complete in the first epoch, n2 was a member of the second and got nothing, n3 is the
    /// member of the third. Only n3 is up.
    fn play() -> Play {
        let mut play = Play::managed(EveryArcIsCompleteAndSettledAtTheEnd::default());
        play.views(1, &[n(1)]);
        play.is_complete(n(1), 1);
        play.forces(NodeId::CONTROL, Record::Converged { epoch: Epoch(1) });
        play.views(2, &[n(2)]);
        play.views(3, &[n(3)]);
        for (number, epoch) in [(2, 2), (3, 3)] {
            play.forces(n(number), born());
            play.forces(n(number), entered(epoch, Arcs::default()));
        }
        play.really_starts(n(3));
        play
    }

    fn missed(level: u32, down: &[NodeId], gone: &[NodeId]) -> Missed {
        let [down, gone] = [down, gone].map(|nodes| nodes.iter().copied().collect());
        let in_doubt = BTreeSet::new();
        Missed { owner: n(3), level: Epoch(level), arcs: Arcs::all(), down, gone, in_doubt }
    }

    #[test]
    fn without_a_witness_the_epoch_before_is_missed() {
        assert_eq!(play().missed(), [missed(2, &[n(2)], &[])]);
    }

    #[test]
    fn behind_a_witness_the_source_is_missed_until_it_is_up() {
        let mut play = play();
        play.really_starts(n(2));
        assert_eq!(play.missed(), [missed(1, &[n(1)], &[])]);
        play.really_starts(n(1));
        assert_eq!(play.missed(), []);
    }

    #[test]
    fn what_only_a_lost_disk_had_is_missed_until_the_operator_gives_it_up() {
        let mut play = play();
        play.really_starts(n(2));
        play.loses_its_disk(n(1));
        assert_eq!(play.missed(), [missed(1, &[], &[n(1)])]);
        play.forces(NodeId::CONTROL, loss_accepted(&[n(1)]));
        assert_eq!(play.missed(), []);
    }
}

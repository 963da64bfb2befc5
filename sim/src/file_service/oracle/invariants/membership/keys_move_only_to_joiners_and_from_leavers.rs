//! A change of members moves no more than it must.

use crate::file_service::oracle::{
    Breach, Evidence, Invariant, Model, Moment, Placement, Seen, SeenKinds,
};
use seedbed::machine::NodeId;
use seedbed::proto::{
    Arcs, Epoch, FileService, Message, MessageKind, Path, Pull, Record, RecordKind, View,
};

/// From one view to the next, with as many replicas and virtual nodes, a position has no more new
/// owners than members that have joined and own it now, and owners that have left. And a node pulls
/// only what it owns now, has not claimed, and the node that it asks has owned.
///
/// That only the keys of joiners and leavers are moved is what consistent hashing is for: Karger et
/// al., "Consistent Hashing and Random Trees", STOC 1997, section 4 (monotonicity). Owners are
/// worked out by the definition, so a node whose own ring has gone astray is seen here by what it
/// asks for.
#[derive(Clone, Debug, Default)]
pub struct KeysMoveOnlyToJoinersAndFromLeavers;

impl Invariant<FileService> for KeysMoveOnlyToJoinersAndFromLeavers {
    fn interest(&self) -> SeenKinds {
        SeenKinds::durable(&[RecordKind::Announced]) | SeenKinds::sent(&[MessageKind::Pull])
    }

    fn see(&mut self, seen: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        match *seen {
            Seen::Durable { record: Record::Announced { view }, .. } => on_announced(view, model),
            Seen::Sent {
                from,
                to,
                message: Message::Pull(Pull { epoch, level, arcs, after, .. }),
                ..
            } => on_pull((from, *epoch), (to, *level), arcs, after.as_ref(), model),
            _ => Ok(()),
        }
    }
}

fn on_announced(view: &View, model: &Model) -> Result<(), Breach> {
    let Some(config) = model.disks.managed() else { return Ok(()) };
    let Some(before) = model.views.view(Epoch(view.epoch.0.saturating_sub(1))) else {
        return Ok(());
    };
    let shape = |view: &View| (view.replicas, view.virtual_nodes);
    let placements = model.views.placement(config, before.is.epoch);
    let placements = placements.zip(model.views.placement(config, view.epoch));
    let (Some((old, new)), true) = (placements, shape(&before.is) == shape(view)) else {
        return Ok(());
    };
    let has = |view: &View, node: NodeId| view.member(node).is_some();
    for at in old.ends().into_iter().chain(new.ends()) {
        let owners = |placement: &Placement| placement.owners_at(at).collect::<Vec<NodeId>>();
        let (were, are) = (owners(&old), owners(&new));
        let moved = are.iter().filter(|node| !were.contains(node)).count();
        let joined = are.iter().filter(|node| !has(&before.is, **node)).count();
        let left = were.iter().filter(|node| !has(view, **node)).count();
        if moved > joined + left {
            let named = |nodes: &[NodeId]| {
                nodes.iter().map(NodeId::to_string).collect::<Vec<_>>().join(" ")
            };
            let epoch = before.is.epoch;
            let earlier = format!("in {epoch} {at:#x} of the ring belongs to {}", named(&were));
            let now = format!("in {} it belongs to {}", view.epoch, named(&are));
            return Err(Breach::of(
                Evidence::at(before.step, earlier).about(before.is.epoch),
                Evidence::at(model.step, now).about(view.epoch),
            ));
        }
    }
    Ok(())
}

fn on_pull(
    (asker, epoch): (NodeId, Epoch),
    (asked, level): (NodeId, Epoch),
    arcs: &Arcs,
    after: Option<&Path>,
    model: &Model,
) -> Result<(), Breach> {
    let Some(config) = model.disks.managed() else { return Ok(()) };
    let owned = |node, epoch| model.views.placement(config, epoch).map(|p| p.owned_by(node));
    let now = || {
        let is = format!("{asker} pulls {arcs} for {epoch} from {asked}, an owner in {level}");
        Evidence::at(model.step, is).about(epoch).about(level)
    };
    let step = |epoch| model.views.view(epoch).map_or(0, |view| view.step);
    for (node, of) in [(asker, epoch), (asked, level)] {
        if let Some(owned) = owned(node, of)
            && !arcs.difference(&owned).is_empty()
        {
            let earlier = format!("{node} owns {owned} in {of}");
            return Err(Breach::of(Evidence::at(step(of), earlier).about(of), now()));
        }
    }
    let claim = model.disks.get(asker).and_then(|disk| disk.claims.get(&epoch));
    match claim.filter(|claim| !claim.is.intersection(arcs).is_empty()) {
        // A pull begins with what is not there; what follows may be of what has come meanwhile.
        Some(claim) if after.is_none() && model.is_put_together_now(asker) => {
            let earlier = format!("{asker} claims to be complete on {} in {epoch}", claim.is);
            Err(Breach::of(Evidence::at(claim.step, earlier).about(epoch), now()))
        }
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{Play, born, entered, n};
    use seedbed::machine::Incarnation;
    use seedbed::proto::Config;

    fn play() -> Play {
        let mut play = Play::managed(KeysMoveOnlyToJoinersAndFromLeavers);
        play.views(1, &[n(1), n(2), n(3)]);
        play.views(2, &[n(1), n(2), n(3), n(4)]);
        play
    }

    fn pull(at: u64) -> Message {
        Message::Pull(Pull {
            epoch: Epoch(2),
            pull: 1,
            incarnation: Incarnation(1),
            level: Epoch(1),
            owner: Config::FIRST_ADMISSION,
            arcs: Arcs::of([(at, at)]),
            after: None,
        })
    }

    #[test]
    fn views_that_the_ring_allows_are_none() {
        let mut play = play();
        play.views(3, &[n(2), n(4)]);
        play.views(4, &[n(1), n(2), n(3)]);
        play.holds();
    }

    #[test]
    fn to_pull_what_is_owned_now_from_a_former_owner_is_none_and_all_else_a_breach() {
        let at = play().position("/a");
        let (owners, other) = play().owners_in(2, "/a");
        let (had, had_not) = play().owners_in(1, "/a");
        let mut lawful = play();
        lawful.sends(owners[0], had[0], pull(at));
        lawful.holds();
        let breach = play().sends(other, had[0], pull(at)).breaks();
        assert!(breach.earlier.is.starts_with(&format!("{other} owns")));
        play().sends(owners[0], had_not, pull(at)).breaks();
        let mut claimed = play();
        claimed.forces(owners[0], born());
        claimed.forces(owners[0], entered(2, Arcs::all()));
        let breach = claimed.sends(owners[0], had[0], pull(at)).breaks();
        assert!(breach.earlier.is.contains("claims to be complete"));
    }
}

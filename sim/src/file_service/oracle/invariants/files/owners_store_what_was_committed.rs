//! What owners store is what the operations of users have left.

use std::collections::BTreeMap;

use seedbed::machine::NodeId;
use seedbed::proto::{Decided, Epoch, File, FileService, Path, Record, RecordKind, TxnId};

use crate::file_service::World;
use crate::file_service::oracle::model::reference::{CommittedState, CommittedStates, Stored};
use crate::file_service::oracle::{Breach, Evidence, Invariant, Model, Moment, Seen, SeenKinds};

/// When its record of a commit becomes durable, when it starts, and at the end of the run, an owner
/// stores for each path what a sequential execution of all commits has left there: contents,
/// version, and fence.
///
/// An owner that is in doubt about the last commit to a path stores what was there before. The
/// owners are those of the model's own placement, and where membership is managed those that claim
/// the path; in an epoch that has settled each member must, whatever it claims. Two things others
/// judge, where they do harm: a fence that is lost at a start (by
/// `no_write_below_the_claimed_token`), and a commit of an earlier epoch that changes what was
/// pulled since (by `a_serving_owner_has_the_last_decided_contents`). If they do none, they are
/// seen here at the next commit to the path, or at the end. Where the operator has accepted a loss,
/// owners are compared with each other at the end. Convergence: Vogels, "Eventually Consistent",
/// 2008; state machine replication: Schneider, 1990; the storage as refinement of a reference
/// model: Bornholt et al., 2021.
#[derive(Default)]
pub struct OwnersStoreWhatWasCommitted {
    /// By node: the paths that its memory has changed by a decision that is not durable yet, with
    /// the position of the newest.
    ahead: BTreeMap<NodeId, BTreeMap<Path, u64>>,
}

impl Invariant<FileService> for OwnersStoreWhatWasCommitted {
    fn interest(&self) -> SeenKinds {
        SeenKinds::appended(&[RecordKind::Decided])
            | SeenKinds::durable(&[RecordKind::Decided, RecordKind::Applied])
            | SeenKinds::CRASHED
            | SeenKinds::STARTED
    }

    fn see(
        &mut self,
        seen: &Seen<'_>,
        Moment { model, world, .. }: &Moment<'_>,
    ) -> Result<(), Breach> {
        match *seen {
            Seen::Appended {
                node,
                position,
                record: Record::Decided(Decided { changes, .. }),
                ..
            } => {
                let ahead = self.ahead.entry(node).or_default();
                ahead.extend(changes.iter().map(|(path, _)| (path.clone(), position)));
                Ok(())
            }
            Seen::Durable {
                node,
                position,
                record: Record::Decided(Decided { txn, .. }) | Record::Applied { txn, .. },
            } => self.on_durable(node, position, *txn, model, world),
            Seen::Crashed { node } => {
                self.ahead.remove(&node);
                Ok(())
            }
            Seen::Started { node, .. } => judge_all(node, When::AtStart, model, world),
            _ => Ok(()),
        }
    }

    fn at_end(&mut self, Moment { model, world, .. }: &Moment<'_>) -> Result<(), Breach> {
        let nodes = model.lives.keys().filter(|node| world.host(**node).storage().is_some());
        nodes.into_iter().try_for_each(|node| judge_all(*node, When::Later, model, world))?;
        let paths = model.reference.paths();
        let uncertain = paths.filter(|(_, states)| states.current().stored.is_none());
        uncertain.into_iter().try_for_each(|(path, _)| judge_uncertain(path, model, world))
    }
}

impl OwnersStoreWhatWasCommitted {
    fn on_durable(
        &mut self,
        node: NodeId,
        position: u64,
        id: TxnId,
        model: &Model,
        world: &World,
    ) -> Result<(), Breach> {
        let Some(txn) = model.txns.get(&id) else { return Ok(()) };
        let Some(part) = txn.changes_at(id.coordinator, node) else { return Ok(()) };
        if model.disks.get(node).is_some_and(|disk| disk.epoch.is > txn.epoch) {
            return Ok(());
        }
        let ahead = self.ahead.entry(node).or_default();
        for (path, _) in part.iter() {
            match ahead.get(path) {
                Some(newest) if *newest > position => continue,
                Some(_) => ahead.remove(path),
                None => None,
            };
            judge(node, (path, model.reference.states(path)), When::Later, model, world)?;
        }
        Ok(())
    }
}

/// When an owner is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    AtStart,
    Later,
}

fn judge_all(node: NodeId, when: When, model: &Model, world: &World) -> Result<(), Breach> {
    if world.host(node).storage().is_none() {
        return Ok(());
    }
    model.reference.paths().try_for_each(|states| judge(node, states, when, model, world))
}

fn judge(
    node: NodeId,
    (path, states): (&Path, &CommittedStates),
    when: When,
    model: &Model,
    world: &World,
) -> Result<(), Breach> {
    let Some(storage) = world.host(node).storage() else { return Ok(()) };
    let last = states.current();
    let pin = model.memory.pins(node).and_then(|pins| pins.get(path));
    let doubted = last.txn.filter(|txn| pin.is_some_and(|pin| pin.is == *txn));
    let expected = if doubted.is_some() { states.before_current() } else { Some(last) };
    let Some(CommittedState { step, txn, stored: Some(stored) }) = expected else {
        return Ok(()); // it is uncertain
    };
    let nothing = File::default();
    let found = storage.files().get(path).unwrap_or(&nothing);
    let is_stored = match when {
        When::AtStart => (stored.version, &stored.contents) == (found.version, &found.contents),
        When::Later => stored.is(found),
    };
    if is_stored || !is_complete_owner(node, path, model, world) {
        return Ok(());
    }
    let leaves = match (doubted, txn) {
        (Some(doubted), _) => {
            format!("{path} is {stored} before {doubted}, about which {node} is in doubt")
        }
        (None, Some(txn)) => format!("{txn}, the last commit to {path}, leaves it as {stored}"),
        (None, None) => format!("nothing was ever committed to {path}"),
    };
    let verb = if when == When::AtStart { "starts with" } else { "stores" };
    let now = format!("{node} {verb} {path} as {}", Stored::of(found));
    let earlier = Evidence::at(*step, leaves).about_all(*txn).about_all(doubted).about(path);
    let is_missing = doubted.is_none() && txn.is_none();
    Err(Breach::of(
        if is_missing { earlier.absent() } else { earlier },
        Evidence::at(model.step, now).about(path),
    ))
}

/// Where a loss was accepted nothing is known of what owners should store, but that it is the same.
fn judge_uncertain(path: &Path, model: &Model, world: &World) -> Result<(), Breach> {
    let stores = |node: &NodeId| {
        let files = world.host(*node).storage()?.files();
        let pinned = model.memory.pins(*node).is_some_and(|pins| pins.contains_key(path));
        let counts = !pinned && is_complete_owner(*node, path, model, world);
        counts.then(|| (*node, files.get(path).cloned().unwrap_or_default()))
    };
    let mut stored = model.lives.keys().filter_map(stores);
    let Some((first, file)) = stored.next() else { return Ok(()) };
    let Some((second, other)) = stored.find(|(_, other)| *other != file) else { return Ok(()) };
    let is = |node: NodeId, file: &File| format!("{node} stores {path} as {}", Stored::of(file));
    Err(Breach::of(
        Evidence::at(model.step, is(first, &file)).about(path),
        Evidence::at(model.step, is(second, &other)).about(path),
    ))
}

/// Does `node` own `path`, and must it have all that was committed there?
fn is_complete_owner(node: NodeId, path: &Path, model: &Model, world: &World) -> bool {
    let epoch = model.views.active();
    let owns = || {
        let placement = model.views.placement(world.config(), epoch);
        placement.is_some_and(|all| all.owners(world.config(), path).contains(&node))
    };
    match model.disks.managed() {
        Some(_) => model.claims(node, path).is_some() || has_settled(node, epoch, model) && owns(),
        None => owns(),
    }
}

/// Is `node` a member in `epoch`, on the disk with which it became one, and has `epoch` settled?
fn has_settled(node: NodeId, epoch: Epoch, model: &Model) -> bool {
    let born = model.disks.get(node).and_then(|disk| disk.born.as_ref());
    let member = model.views.member(epoch, node);
    model.views.settled().is_some_and(|settled| settled.is == epoch)
        && born.zip(member).is_some_and(|(born, member)| born.is == member.admission)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{
        CONTROL, Play, born, changed, claim, decided_answer, decided_for, entered, fenced, n,
        request, txn, voted, write,
    };
    use seedbed::proto::Arcs;

    /// c1 writes `/a`, and all nodes really store `stored` there, once.
    fn written(contents: &str, stored: &str) -> Play {
        let mut play = Play::new(OwnersStoreWhatWasCommitted::default());
        play.really_stores(n(1), "/a", 1, stored);
        play.asks(request(1, 1), &[write("/a", contents)]);
        play.forces(n(1), decided_for(request(1, 1), txn(1), &[], "/a", 1, contents));
        play
    }

    #[test]
    fn an_owner_that_stores_something_else_when_it_has_committed_is_a_breach() {
        written("x", "x").holds();
        let breach = written("y", "x").breaks();
        assert_eq!(breach.earlier.is, "n1.1/1, the last commit to /a, leaves it as \"y\" at v1");
        assert_eq!(breach.now.is, "n1 stores /a as \"x\" at v1");
    }

    #[test]
    fn an_owner_that_starts_with_something_else_is_a_breach() {
        let mut play = written("x", "x");
        play.really_restarts(n(2)).holds();
        play.asks(request(1, 2), &[write("/a", "y")]);
        play.forces(n(3), voted(txn(2), "/a", 2, "y"));
        play.forces(n(1), decided_answer(request(1, 2), txn(2), &[changed(2)])).holds();
        assert_eq!(play.really_restarts(n(2)).breaks().now.is, "n2 starts with /a as \"x\" at v1");
    }

    #[test]
    fn a_fence_that_an_owner_lacks_at_the_end_is_a_breach() {
        let mut play = written("x", "x");
        play.asks(request(1, 2), &[claim("/a", 5)]);
        play.forces(n(1), fenced(request(1, 2), txn(2), "/a", 1, "x", 5));
        let breach = play.breaks();
        assert_eq!(
            breach.earlier.is,
            "n1.1/2, the last commit to /a, leaves it as \"x\" at v1 behind t5"
        );
    }

    /// All nodes really store "x" in `/a`, where the first commit has left `before`, and n2 starts
    /// in doubt about the second.
    fn in_doubt(before: &str) -> Play {
        let mut play = Play::new(OwnersStoreWhatWasCommitted::default());
        play.really_stores(n(1), "/a", 1, "x");
        play.asks(request(1, 1), &[write("/a", before)]);
        play.forces(n(3), voted(txn(1), "/a", 1, before));
        play.forces(n(1), decided_answer(request(1, 1), txn(1), &[changed(1)]));
        play.asks(request(1, 2), &[write("/a", "y")]);
        play.forces(n(2), voted(txn(2), "/a", 2, "y"));
        play.forces(n(1), decided_answer(request(1, 2), txn(2), &[changed(2)])).holds();
        play.really_restarts(n(2));
        play
    }

    #[test]
    fn an_owner_in_doubt_stores_what_was_there_before() {
        in_doubt("x").holds();
        let breach = in_doubt("w").breaks();
        assert_eq!(
            breach.earlier.is,
            "/a is \"w\" at v1 before n1.1/2, about which n2 is in doubt"
        );
        assert_eq!(breach.now.is, "n2 starts with /a as \"x\" at v1");
    }

    /// n2, a member that claims nothing, stores nothing where n1 has committed a write.
    fn unclaimed() -> Play {
        let mut play = Play::managed(OwnersStoreWhatWasCommitted::default());
        play.really_starts(n(2));
        play.views(1, &[n(1), n(2)]);
        play.is_complete(n(1), 1);
        play.forces(n(2), born()).forces(n(2), entered(1, Arcs::default()));
        play.asks(request(1, 1), &[write("/a", "x")]);
        play.forces(n(1), decided_for(request(1, 1), txn(1), &[], "/a", 1, "x"));
        play
    }

    #[test]
    fn a_member_that_claims_too_little_stores_all_that_it_owns_once_its_epoch_has_settled() {
        unclaimed().ends().holds();
        let mut play = unclaimed();
        play.forces(CONTROL, Record::Converged { epoch: Epoch(1) });
        assert_eq!(play.ends().breaks().now.is, "n2 stores /a as no file yet");
        let mut lost = unclaimed();
        lost.forces(CONTROL, Record::Converged { epoch: Epoch(1) });
        lost.loses_its_disk(n(2)).ends().holds();
    }
}

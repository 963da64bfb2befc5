//! Convergence.

use seedbed::proto::{File, Layout, NodeId, Path};

use crate::oracle::model::in_words;
use crate::oracle::{Breach, Evidence, Invariant, Model, Seen, SeenKinds};
use crate::world::World;

/// When all faults are over and everything had its time, every owner of a path that is up stores
/// what was committed there last.
///
/// The quiet end is where a change that one owner missed shows, however the reads went: Vogels,
/// "Eventually Consistent", 2008, for the term; here the owners must also agree with the decisions.
/// Where the operator has accepted that what was committed last is lost, the owners are compared
/// with each other. An owner in doubt with its coordinator down for good is blocked and is left out, and so is one
/// that has still to pull: that is for `every_arc_is_complete_and_settled_at_the_end`.
pub struct ReplicasAreEqualAtTheEnd;

impl Invariant for ReplicasAreEqualAtTheEnd {
    fn interest(&self) -> SeenKinds {
        SeenKinds::NONE
    }

    fn see(&mut self, _: &Seen<'_>, _: &Model, _: &World) -> Result<(), Breach> {
        Ok(())
    }

    fn at_end(&mut self, model: &Model, world: &World) -> Result<(), Breach> {
        let (nothing, layout) = (File::default(), model.views.layout(world.config()));
        for path in model.files.keys() {
            let Some(last) = model.last(path) else {
                owners_are_equal(path, &layout, model, world)?;
                continue;
            };
            for &owner in layout.ring().owners(path) {
                let Some(storage) = world.host(owner).storage() else { continue };
                if !is_judged(owner, path, model) {
                    continue;
                }
                let stored = storage.files().get(path).unwrap_or(&nothing);
                let is_last =
                    (stored.version, &stored.contents) == (last.file.version, &last.file.contents);
                if is_last {
                    continue;
                }
                let was = in_words(last.file.version, last.file.contents.as_ref());
                let is = in_words(stored.version, stored.contents.as_ref());
                let earlier = format!("{}, the last commit to {path}, left it as {was}", last.txn);
                let now = format!("{owner} stores {path} as {is}");
                return Err(Breach::of(
                    Evidence::at(last.step, earlier).about(last.txn).about(path),
                    Evidence::at(model.step, now).about(path),
                ));
            }
        }
        Ok(())
    }
}

/// Is `node` complete on `path` and not in doubt about it?
fn is_judged(node: NodeId, path: &Path, model: &Model) -> bool {
    let is_complete = model.disks.managed().is_none() || model.claims(node, path).is_some();
    is_complete && !model.memory.pins(node).is_some_and(|pins| pins.contains_key(path))
}

/// Where an accepted loss leaves open what was committed last, the owners have the same all the
/// same: whichever of the old states it is.
fn owners_are_equal(
    path: &Path,
    layout: &Layout,
    model: &Model,
    world: &World,
) -> Result<(), Breach> {
    let nothing = File::default();
    let mut first: Option<(NodeId, &File)> = None;
    for &owner in layout.ring().owners(path).iter().filter(|node| is_judged(**node, path, model)) {
        let Some(storage) = world.host(owner).storage() else { continue };
        let stored = storage.files().get(path).unwrap_or(&nothing);
        let (other, file) = *first.get_or_insert((owner, stored));
        if (stored.version, &stored.contents) != (file.version, &file.contents) {
            let says = |node: NodeId, file: &File| {
                let is = in_words(file.version, file.contents.as_ref());
                Evidence::at(model.step, format!("{node} stores {path} as {is}")).about(path)
            };
            return Err(Breach::of(says(other, file), says(owner, stored)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::tests::{Play, decided, lock, n, path, request, txn};
    use crate::world::Event;
    use seedbed::proto::{Reply, Token};

    #[test]
    fn an_owner_without_the_last_commit_is_a_breach() {
        let mut play = Play::new(ReplicasAreEqualAtTheEnd);
        let owner = play.owners("/a")[0];
        play.really_starts(owner);
        play.forces(n(1), decided(txn(1), &[], "/a", 1, "x"));
        let breach = play.ends().breaks();
        let earlier = "n1.1/1, the last commit to /a, left it as \"x\" at v1";
        assert_eq!(breach.earlier.is, earlier);
        assert_eq!(breach.now.is, format!("{owner} stores /a as no file yet"));
    }

    #[test]
    fn owners_that_have_it_or_are_down_are_none() {
        let mut play = Play::new(ReplicasAreEqualAtTheEnd);
        let owner = play.owners("/a")[0];
        play.really_stores(owner, "/a", 1, "x");
        play.forces(n(1), decided(txn(1), &[], "/a", 1, "x"));
        play.ends();
        play.holds();
    }

    #[test]
    fn owners_of_what_was_given_up_that_differ_are_a_breach() {
        let mut play = Play::new(ReplicasAreEqualAtTheEnd);
        play.really_stores(n(1), "/a", 1, "x");
        play.requests(request(1, 1), lock("/a"));
        play.replies(request(1, 1), Reply::Acquired(Token(1)));
        assert!(play.model().last(&path("/a")).is_none() && play.model().files.keys().count() == 1);
        play.ends();
        play.holds();
        play.stage.apply(Event::Wipe { node: n(2) });
        play.really_starts(n(2));
        let breach = play.ends().breaks();
        let stores = [breach.earlier.is, breach.now.is];
        assert!(stores.contains(&"n2 stores /a as no file yet".to_owned()), "{stores:?}");
    }
}

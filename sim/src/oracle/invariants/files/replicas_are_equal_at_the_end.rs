//! Convergence.

use seedbed::proto::File;

use crate::oracle::model::in_words;
use crate::oracle::{Breach, Evidence, Invariant, Model, Seen, SeenKinds};
use crate::world::World;

/// When all faults are over and everything had its time, every owner of a path that is up stores
/// what was committed there last.
///
/// The quiet end is where a change that one owner missed shows, however the reads went: Vogels,
/// "Eventually Consistent", 2008, for the term; here the owners must also agree with the decisions.
/// An owner in doubt with its coordinator down for good is blocked and is left out, and so is one
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
            let Some(last) = model.last(path) else { continue };
            for &owner in layout.ring().owners(path) {
                let Some(storage) = world.host(owner).storage() else { continue };
                if model.disks.managed().is_some() && model.claims(owner, path).is_none() {
                    continue;
                }
                let pinned = model.memory.pins(owner).is_some_and(|pins| pins.contains_key(path));
                let stored = storage.files().get(path).unwrap_or(&nothing);
                let is_last =
                    (stored.version, &stored.contents) == (last.file.version, &last.file.contents);
                if is_last || pinned {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::tests::{Play, decided, n, txn};

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
}

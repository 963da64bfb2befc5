//! No resurrection.

use seedbed::machine::{NodeId, RequestId};
use seedbed::proto::{FileService, Reply};

use crate::file_service::World;
use crate::file_service::oracle::model::files::answered_read::AnsweredRead;
use crate::file_service::oracle::model::{before, in_words};
use crate::file_service::oracle::{Breach, Evidence, Invariant, Model, Moment, Seen, SeenKinds};

/// After a client was told that it deleted version v, no later read finds contents of v or less,
/// and no owner starts with them.
///
/// A store that forgets its tombstones lets an old copy pass for a new file: Demers et al.,
/// "Epidemic Algorithms for Replicated Database Maintenance", 1987, section 2 (death certificates).
pub struct DeletedFilesStayDeleted;

impl Invariant<FileService> for DeletedFilesStayDeleted {
    fn interest(&self) -> SeenKinds {
        SeenKinds::REPLIED | SeenKinds::STARTED
    }

    fn see(
        &mut self,
        seen: &Seen<'_>,
        Moment { model, world, .. }: &Moment<'_>,
    ) -> Result<(), Breach> {
        match *seen {
            Seen::Replied { request, reply } => on_replied(request, reply, model),
            Seen::Started { node, .. } => on_started(node, model, world),
            _ => Ok(()),
        }
    }
}

fn on_replied(request: RequestId, reply: &Reply, model: &Model) -> Result<(), Breach> {
    for read in AnsweredRead::all(request, reply, model) {
        let path = read.path;
        let (Some(_), Some(history)) = (read.contents, model.files.get(path)) else { continue };
        let deleted = before(&history.deleted, read.asked);
        if let Some(deleted) = deleted.filter(|deleted| read.version <= deleted.is) {
            let earlier = format!("a client was told that {path} is deleted, at {}", deleted.is);
            let earlier = Evidence::at(deleted.step, earlier).about(path);
            return Err(Breach::of(earlier, read.fact(model)));
        }
    }
    Ok(())
}

fn on_started(node: NodeId, model: &Model, world: &World) -> Result<(), Breach> {
    let Some(storage) = world.host(node).storage() else { return Ok(()) };
    for (path, file) in storage.files().iter().filter(|(_, file)| file.contents.is_some()) {
        if model.disks.managed().is_some() && model.claims(node, path).is_none() {
            continue; // it is no owner, or has still to pull
        }
        // A participant that is in doubt about the deletion has it in its log and not yet in its
        // store.
        let may_lag = model.memory.pins(node).is_some_and(|pins| pins.contains_key(path));
        let deleted = model.files.get(path).and_then(|history| history.deleted.last());
        if let Some(deleted) = deleted.filter(|at| file.version <= at.is && !may_lag) {
            let earlier = format!("a client was told that {path} is deleted, at {}", deleted.is);
            let found = in_words(file.version, file.contents.as_ref());
            let now = format!("{node} starts with {path} as {found}");
            return Err(Breach::of(
                Evidence::at(deleted.step, earlier).about(path),
                Evidence::at(model.step, now).about(path),
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{
        Play, changed, decided, delete, deleted, done, found, n, read, request, txn, voted_gone,
    };

    fn gone() -> Play {
        let mut play = Play::new(DeletedFilesStayDeleted);
        play.forces(n(3), decided(txn(1), &[], "/a", 1, "x"));
        play.asks(request(1, 2), &[delete("/a")]);
        play.forces(n(3), deleted(request(1, 2), txn(2), "/a", 2));
        play
    }

    #[test]
    fn a_later_read_that_finds_the_old_file_is_a_breach() {
        let mut play = gone();
        play.replies(request(1, 2), done(&[changed(2)]));
        play.asks(request(1, 3), &[read("/a")]);
        let breach = play.replies(request(1, 3), done(&[found(1, Some("x"))])).breaks();
        assert_eq!(breach.earlier.is, "a client was told that /a is deleted, at v2");
        assert!(breach.now.is.ends_with("found \"x\" at v1"), "{}", breach.now.is);
    }

    #[test]
    fn a_tombstone_and_a_new_file_are_none() {
        let mut play = gone();
        play.asks(request(1, 3), &[read("/a")]);
        play.replies(request(1, 2), done(&[changed(2)]));
        play.replies(request(1, 3), done(&[found(1, Some("x"))]));
        play.asks(request(1, 4), &[read("/a")]);
        play.replies(request(1, 4), done(&[found(2, None)]));
        play.asks(request(1, 5), &[read("/a")]);
        play.replies(request(1, 5), done(&[found(3, Some("new"))]));
        play.holds();
    }

    #[test]
    fn an_owner_that_starts_with_the_old_file_is_a_breach() {
        let mut play = gone();
        play.replies(request(1, 2), done(&[changed(2)]));
        play.really_stores(n(1), "/a", 1, "x");
        let breach = play.really_restarts(n(1)).breaks();
        assert_eq!(breach.now.is, "n1 starts with /a as \"x\" at v1");
    }

    #[test]
    fn an_owner_that_starts_in_doubt_about_the_deletion_is_none() {
        let mut play = gone();
        play.replies(request(1, 2), done(&[changed(2)]));
        play.really_stores(n(1), "/a", 1, "x");
        play.forces(n(1), voted_gone(txn(2), "/a", 2));
        play.really_restarts(n(1));
        play.holds();
    }
}

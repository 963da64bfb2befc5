//! No commit that a complete owner does not hear of.

use crate::file_service::oracle::model::commit_points::{CommitPoint, commit_points};
use crate::file_service::oracle::model::in_words;
use crate::file_service::oracle::{Breach, Evidence, Invariant, Model, Moment, Seen, SeenKinds};
use seedbed::machine::RequestId;
use seedbed::proto::{FileService, Operation, Path, Reply, Request};

/// When a change is decided, and when a client is told of it, every node that claims to be complete
/// on its path in the epoch in force has it durably, or a vote for it that pins the path.
///
/// A transaction of an epoch that is over may still be decided; an owner that was complete before
/// has voted, and one that became complete since has waited until all was decided there. So no
/// majority is needed to find what was committed: any one complete owner will do. Durability across
/// reconfiguration: Lamport, Malkhi, Zhou, "Reconfiguring a State Machine", SIGACT News 2010.
#[derive(Clone, Debug, Default)]
pub struct CompleteOwnersHaveEveryDecidedWrite;

impl Invariant<FileService> for CompleteOwnersHaveEveryDecidedWrite {
    fn interest(&self) -> SeenKinds {
        commit_points() | SeenKinds::REPLIED
    }

    fn see(&mut self, seen: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        match *seen {
            Seen::Durable { .. } => {
                model.committed_by(seen).map_or(Ok(()), |c| on_commit(&c, model))
            }
            Seen::Replied { request, reply: Reply::Done(_) } => on_done(request, model),
            _ => Ok(()),
        }
    }
}

fn on_commit(commit: &CommitPoint<'_>, model: &Model) -> Result<(), Breach> {
    let CommitPoint { id, txn, .. } = *commit;
    let votes = txn.yes.values().flat_map(|yes| yes.is.iter());
    let mut paths = txn.own.iter().chain(votes).map(|(path, _)| path);
    let what = || Evidence::at(model.step, format!("{id} is decided")).about(id);
    paths.try_for_each(|path| judge(path, what, model))
}

fn on_done(request: RequestId, model: &Model) -> Result<(), Breach> {
    let wanted = model.requests.get(&request).map(|asked| &asked.wanted);
    let Some(Request::Files { operations, .. }) = wanted else { return Ok(()) };
    let changes = |operation: &&Operation| !operation.action.is_read();
    let what = || Evidence::at(model.step, format!("{request} is answered: done")).about(request);
    operations.iter().filter(changes).try_for_each(|operation| judge(&operation.path, what, model))
}

fn judge(path: &Path, what: impl FnOnce() -> Evidence, model: &Model) -> Result<(), Breach> {
    let Some(last) = model.last(path) else { return Ok(()) };
    let Some(config) = model.disks.managed() else { return Ok(()) };
    let (epoch, position) = (model.views.active(), config.position(path));
    for (node, disk) in model.disks.iter() {
        let Some(step) = disk.claims(epoch, position) else { continue };
        if disk.has(path, last, model.files.get(path)) {
            continue;
        }
        let earlier = format!("{node} claims to be complete on {path} in {epoch}");
        let was = in_words(last.file.version, last.file.contents.as_ref());
        let now = what().reworded(|what| format!("{what}, and {node} has not got {path} as {was}"));
        return Err(Breach::of(
            Evidence::at(step, earlier).about(path).about(epoch),
            now.about(path),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{
        CONTROL, Play, activated, applied, changed, decided, done, n, request, txn, txn_of, voted,
        write,
    };

    fn play() -> Play {
        let mut play = Play::managed(CompleteOwnersHaveEveryDecidedWrite);
        play.views(1, &[n(1), n(2)]);
        play.is_complete(n(1), 1);
        play.is_complete(n(2), 1);
        play
    }

    #[test]
    fn a_complete_owner_that_does_not_know_is_a_breach() {
        let decision = || decided(txn(1), &[], "/a", 1, "x");
        let breach = play().forces(n(1), decision()).breaks();
        assert_eq!(breach.earlier.is, "n2 claims to be complete on /a in e1");
        assert_eq!(breach.now.is, "n1.1/1 is decided, and n2 has not got /a as \"x\" at v1");
        let mut later = Play::managed(CompleteOwnersHaveEveryDecidedWrite);
        later.views(1, &[n(1), n(2)]);
        later.asks(request(1, 1), &[write("/a", "x")]);
        later.forces(n(1), decision());
        later.is_complete(n(2), 1);
        later.replies(request(1, 1), done(&[changed(1)])).breaks();
    }

    #[test]
    fn a_vote_for_it_that_pins_the_path_is_enough() {
        let mut play = play();
        play.forces(n(2), voted(txn(1), "/a", 1, "x"));
        play.forces(n(1), decided(txn(1), &[n(2)], "/a", 1, "x"));
        play.holds();
    }

    #[test]
    fn a_vote_for_another_is_not() {
        let mut play = play();
        play.forces(n(2), voted(txn(2), "/a", 1, "y"));
        let breach = play.forces(n(1), decided(txn(1), &[], "/a", 1, "x")).breaks();
        assert_eq!(breach.now.is, "n1.1/1 is decided, and n2 has not got /a as \"x\" at v1");
    }

    #[test]
    fn what_participants_commit_without_their_coordinator_counts_too() {
        let mut play = play();
        play.had_lost_its_disk(n(3));
        let of_lost = txn_of(n(3), 1);
        play.forces(n(2), voted(of_lost, "/a", 1, "x"));
        let breach = play.forces(n(2), applied(of_lost)).breaks();
        assert_eq!(breach.now.is, "n3.1/1 is decided, and n1 has not got /a as \"x\" at v1");
    }
    #[test]
    fn what_is_committed_when_its_file_has_begun_again_does_not_count() {
        for begins_again in [true, false] {
            let mut play = play();
            play.asks(request(1, 1), &[write("/a", "x")]);
            play.forces(n(2), voted(txn(1), "/a", 1, "x"));
            match begins_again {
                true => play.begins_again_without_n2().forces(CONTROL, activated(3)),
                false => play.loses_its_disk(n(1)).views(2, &[n(3)]).is_complete(n(3), 2),
            };
            play.forces(n(2), applied(txn(1)));
            assert_eq!(play.is_lawful(), begins_again);
        }
    }
}

//! One version, one content.

use seedbed::machine::NodeId;
use seedbed::proto::{File, FileService, Path};

use crate::file_service::World;
use crate::file_service::oracle::model::commit_points::{CommitPoint, commit_points};
use crate::file_service::oracle::model::in_words;
use crate::file_service::oracle::{
    Breach, Evidence, FileHistory, Invariant, Model, Moment, Seen, SeenKinds,
};

/// All owners of a path have the same bytes under the same version.
///
/// A read goes to any one owner, so owners that differ make a file's value depend on which one is
/// asked. It is judged when a commit is decided, by what each owner has promised to store, and at a
/// start, by what the node then stores. State machine replication needs no less: Schneider,
/// "Implementing Fault-Tolerant Services Using the State Machine Approach", 1990.
pub struct ReplicasAgree;

impl Invariant<FileService> for ReplicasAgree {
    fn interest(&self) -> SeenKinds {
        commit_points() | SeenKinds::STARTED
    }

    fn see(
        &mut self,
        seen: &Seen<'_>,
        Moment { model, world, .. }: &Moment<'_>,
    ) -> Result<(), Breach> {
        match *seen {
            Seen::Durable { .. } => {
                model.committed_by(seen).map_or(Ok(()), |c| on_commit(&c, model))
            }
            Seen::Started { node, .. } => on_started(node, model, world),
            _ => Ok(()),
        }
    }
}

/// What each owner that takes part would store must be the same.
fn on_commit(commit: &CommitPoint<'_>, model: &Model) -> Result<(), Breach> {
    let CommitPoint { id, txn, node, .. } = *commit;
    for (voter, yes) in &txn.yes {
        for (path, file) in yes.is.iter() {
            let others = txn.yes.range(..voter).flat_map(|(other, yes)| {
                yes.is.iter().map(move |change| (*other, yes.step, change))
            });
            let own = txn.own.iter().map(|change| (id.coordinator, model.step, change));
            let differs = |(_, _, (other_path, other)): &(NodeId, u64, &(Path, File))| {
                other_path == path && !same(other, file)
            };
            if let Some((other, step, (_, other_file))) = others.chain(own).find(differs) {
                let (here, there) = (words(file), words(other_file));
                let earlier = format!("{voter} voted yes to {id}, with {path} as {here}");
                let now = format!(
                    "{node} commits {id}, to which {other} agreed in step {step} with {path} as {there}"
                );
                return Err(Breach::of(
                    Evidence::at(yes.step, earlier).about(id).about(path),
                    Evidence::at(model.step, now).about(id).about(path),
                ));
            }
        }
    }
    Ok(())
}

/// What a node stores when it starts must be what was committed under that version.
fn on_started(node: NodeId, model: &Model, world: &World) -> Result<(), Breach> {
    let Some(storage) = world.host(node).storage() else { return Ok(()) };
    for (path, file) in storage.files() {
        let is_whole =
            |history: &&FileHistory| history.given_up.is_none() && history.too_late.is_empty();
        let history = model.files.get(path).filter(is_whole);
        let committed = history.and_then(|history| history.at_version(file.version));
        match committed {
            Some(committed) if !same(&committed.file, file) => {
                let (id, was) = (committed.txn, words(&committed.file));
                let earlier = format!("{id} was committed, with {path} as {was}");
                let now = format!("{node} starts with {path} as {}", words(file));
                return Err(Breach::of(
                    Evidence::at(committed.step, earlier).about(id).about(path),
                    Evidence::at(model.step, now).about(path),
                ));
            }
            Some(_) | None => {}
        }
    }
    Ok(())
}

fn same(one: &File, other: &File) -> bool {
    (one.version, &one.contents) == (other.version, &other.contents)
}

fn words(file: &File) -> String {
    in_words(file.version, file.contents.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{Play, applied, decided, n, txn, voted};

    #[test]
    fn two_owners_that_would_store_different_bytes_are_a_breach() {
        let mut play = Play::new(ReplicasAgree);
        play.forces(n(2), voted(txn(1), "/a", 1, "x"));
        let breach = play.forces(n(1), decided(txn(1), &[n(2)], "/a", 1, "y")).breaks();
        assert_eq!(breach.earlier.is, "n2 voted yes to n1.1/1, with /a as \"x\" at v1");
        assert!(breach.now.is.ends_with("with /a as \"y\" at v1"), "{}", breach.now.is);
    }

    #[test]
    fn owners_with_the_same_bytes_are_none() {
        let mut play = Play::new(ReplicasAgree);
        play.forces(n(2), voted(txn(1), "/a", 1, "x"));
        play.forces(n(3), voted(txn(1), "/b", 4, "y"));
        play.forces(n(1), decided(txn(1), &[n(2), n(3)], "/a", 1, "x"));
        play.holds();
    }

    #[test]
    fn a_node_that_starts_with_other_bytes_is_a_breach() {
        let mut play = Play::new(ReplicasAgree);
        play.really_stores(n(1), "/a", 1, "x");
        play.forces(n(3), decided(txn(1), &[], "/a", 1, "x"));
        play.really_restarts(n(1));
        play.holds();
        let mut play = Play::new(ReplicasAgree);
        play.really_stores(n(1), "/a", 1, "x");
        play.forces(n(3), decided(txn(1), &[], "/a", 1, "y"));
        let breach = play.really_restarts(n(1)).breaks();
        assert_eq!(breach.earlier.is, "n1.1/1 was committed, with /a as \"y\" at v1");
        assert_eq!(breach.now.is, "n1 starts with /a as \"x\" at v1");
    }

    #[test]
    fn participants_that_commit_it_without_their_coordinator_are_compared_too() {
        let mut play = Play::new(ReplicasAgree);
        play.had_lost_its_disk(n(1));
        play.forces(n(2), voted(txn(1), "/a", 1, "x"));
        play.forces(n(3), voted(txn(1), "/a", 1, "y"));
        let breach = play.forces(n(2), applied(txn(1))).breaks();
        assert!(breach.now.is.starts_with("n2 commits n1.1/1"), "{}", breach.now.is);
    }
}

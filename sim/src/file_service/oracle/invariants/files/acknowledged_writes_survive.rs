//! Durability.

use std::collections::BTreeMap;

use seedbed::machine::{NodeId, RequestId};
use seedbed::proto::{Decided, File, FileService, Path, Record, RecordKind, Reply, TxnId};

use crate::file_service::World;
use crate::file_service::oracle::model::files::answered_read::AnsweredRead;
use crate::file_service::oracle::model::{before, in_words};
use crate::file_service::oracle::{Breach, Evidence, Invariant, Model, Moment, Seen, SeenKinds};

/// A change that a client was told of is there for every read that is asked for later, and after
/// every restart of its owners.
///
/// Durability, the D of ACID (Haerder, Reuter, "Principles of Transaction-Oriented Database
/// Recovery", 1983), and the real-time half of linearizability for reads (Herlihy, Wing, 1990). At
/// a start the store must hold, for each path, at least what the node's durable log has committed
/// there. What a node has given up with a settled epoch, has replaced by what it pulled, or has
/// lost with its disk is not missed at its next start: others have it, which other invariants see
/// to.
#[derive(Default)]
pub struct AcknowledgedWritesSurvive {
    stores: BTreeMap<NodeId, Store>,
}

/// What a node's durable log has committed.
#[derive(Default)]
struct Store {
    files: BTreeMap<Path, (u64, TxnId, File)>,
    /// Committed since the last start, not looked at yet.
    since: Vec<(u64, TxnId)>,
}

impl Invariant<FileService> for AcknowledgedWritesSurvive {
    fn interest(&self) -> SeenKinds {
        SeenKinds::REPLIED
            | SeenKinds::STARTED
            | SeenKinds::durable(&[RecordKind::Applied, RecordKind::Decided])
    }

    fn see(
        &mut self,
        seen: &Seen<'_>,
        Moment { model, world, .. }: &Moment<'_>,
    ) -> Result<(), Breach> {
        match *seen {
            Seen::Durable {
                node,
                record: Record::Applied { txn, .. } | Record::Decided(Decided { txn, .. }),
                ..
            } => {
                if model.disks.managed().is_none() {
                    self.stores.entry(node).or_default().since.push((model.step, *txn));
                }
                Ok(())
            }
            Seen::Replied { request, reply } => on_replied(request, reply, model),
            Seen::Started { node, .. } => {
                if model.disks.managed().is_some() {
                    return on_managed_start(node, model, world);
                }
                let store = self.stores.entry(node).or_default();
                store.catch_up(node, model);
                store.compare(node, model, world)
            }
            _ => Ok(()),
        }
    }
}

/// Where views change, a node may have given copies up or pulled others since; what its disk then
/// holds must be there.
fn on_managed_start(node: NodeId, model: &Model, world: &World) -> Result<(), Breach> {
    let (Some(storage), Some(disk)) = (world.host(node).storage(), model.disks.get(node)) else {
        return Ok(());
    };
    let nothing = File::default();
    for (path, file) in &disk.files {
        let stored = storage.files().get(path).unwrap_or(&nothing);
        let is_same = (stored.version, &stored.contents) == (file.is.version, &file.is.contents);
        if stored.version > file.is.version || is_same {
            continue;
        }
        let was = in_words(file.is.version, file.is.contents.as_ref());
        let is = in_words(stored.version, stored.contents.as_ref());
        let earlier = format!("{node}'s log had {path} durably as {was}");
        let now = format!("{node} starts with {path} as {is}");
        return Err(Breach::of(
            Evidence::at(file.step, earlier).about(path),
            Evidence::at(model.step, now).about(path),
        ));
    }
    Ok(())
}

impl Store {
    /// Applies what was committed, in the order of the log.
    fn catch_up(&mut self, node: NodeId, model: &Model) {
        for (step, id) in self.since.drain(..) {
            let txn = model.txns.get(&id);
            let changes = txn.and_then(|txn| txn.changes_at(id.coordinator, node));
            for (path, file) in changes.into_iter().flat_map(|changes| changes.iter()) {
                self.files.insert(path.clone(), (step, id, file.clone()));
            }
        }
    }

    fn compare(&self, node: NodeId, model: &Model, world: &World) -> Result<(), Breach> {
        let Some(storage) = world.host(node).storage() else { return Ok(()) };
        let nothing = File::default();
        for (path, (step, id, file)) in &self.files {
            let stored = storage.files().get(path).unwrap_or(&nothing);
            let is_same = stored.version == file.version && stored.contents == file.contents;
            if stored.version > file.version || is_same {
                continue;
            }
            let was = in_words(file.version, file.contents.as_ref());
            let is = in_words(stored.version, stored.contents.as_ref());
            let earlier = format!("{node}'s log had {id} committed durably, with {path} as {was}");
            let now = format!("{node} starts with {path} as {is}");
            return Err(Breach::of(
                Evidence::at(*step, earlier).about(*id).about(path),
                Evidence::at(model.step, now).about(path),
            ));
        }
        Ok(())
    }
}

/// Reads must find what was acknowledged before they were asked for.
fn on_replied(request: RequestId, reply: &Reply, model: &Model) -> Result<(), Breach> {
    for read in AnsweredRead::all(request, reply, model) {
        let path = read.path;
        let Some(history) = model.files.get(path) else { continue };
        let known = before(&history.acknowledged, read.asked);
        if let Some(known) = known.filter(|known| known.is > read.version) {
            let earlier = format!("a client was told that {path} is at {}", known.is);
            let earlier = Evidence::at(known.step, earlier).about(path);
            return Err(Breach::of(earlier, read.fact(model)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{
        Play, changed, decided_for, done, found, n, read, request, txn, write,
    };

    fn written() -> Play {
        let mut play = Play::new(AcknowledgedWritesSurvive::default());
        play.asks(request(1, 1), &[write("/a", "x")]);
        play.forces(n(1), decided_for(request(1, 1), txn(1), &[], "/a", 1, "x"));
        play
    }

    #[test]
    fn a_later_read_that_finds_less_is_a_breach() {
        let mut play = written();
        play.replies(request(1, 1), done(&[changed(1)]));
        play.asks(request(1, 2), &[read("/a")]);
        let breach = play.replies(request(1, 2), done(&[found(0, None)])).breaks();
        assert_eq!(breach.earlier.is, "a client was told that /a is at v1");
        assert!(breach.now.is.ends_with("found no file yet"), "{}", breach.now.is);
    }

    #[test]
    fn a_read_that_was_asked_for_before_or_finds_it_is_none() {
        let mut play = written();
        play.asks(request(1, 2), &[read("/a")]);
        play.replies(request(1, 1), done(&[changed(1)]));
        play.asks(request(1, 3), &[read("/a")]);
        play.replies(request(1, 3), done(&[found(1, Some("x"))]));
        play.replies(request(1, 2), done(&[found(0, None)]));
        play.holds();
    }

    #[test]
    fn a_start_without_what_the_log_had_is_a_breach() {
        let mut play = written();
        let breach = play.really_starts(n(1)).breaks();
        let earlier = "n1's log had n1.1/1 committed durably, with /a as \"x\" at v1";
        assert_eq!(breach.earlier.is, earlier);
        assert_eq!(breach.now.is, "n1 starts with /a as no file yet");
    }

    #[test]
    fn a_start_with_what_the_log_had_is_none() {
        let mut play = written();
        play.really_stores(n(1), "/a", 1, "x");
        play.really_restarts(n(1));
        play.holds();
    }
}

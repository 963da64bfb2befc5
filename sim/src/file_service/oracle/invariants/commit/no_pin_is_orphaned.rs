//! No pin without a node that will decide.

use std::collections::BTreeSet;

use seedbed::proto::{FileService, Path, Record, RecordKind};

use crate::file_service::oracle::{Breach, Evidence, Invariant, Moment, Seen, SeenKinds};

/// No path stays pinned for a transaction that no node will ever decide.
///
/// Two ways lead there. A coordinator calls a transaction over while a participant is in doubt and
/// no other participant knows the outcome; or, without any vote, pins are simply not let go: when
/// everything had its time, no node that is up has a path pinned, but for one that it is in doubt
/// about (and that is `no_participant_is_in_doubt_at_the_end`). A lock held for a dead transaction
/// is the "orphan" of Lampson and Lomet, "A New Presumed Commit Optimization for Two Phase Commit",
/// 1993.
pub struct NoPinIsOrphaned;

impl Invariant<FileService> for NoPinIsOrphaned {
    fn interest(&self) -> SeenKinds {
        SeenKinds::durable(&[RecordKind::Over])
    }

    fn see(&mut self, seen: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        let Seen::Durable { node, record: Record::Over { txn: id }, .. } = *seen else {
            return Ok(());
        };
        let Some(txn) = model.txns.get(id) else { return Ok(()) };
        let in_doubt = txn.yes.iter().find(|(participant, _)| txn.is_in_doubt(**participant));
        let outcome_is_known = txn.outcomes.values().any(|outcome| outcome.is);
        match in_doubt {
            Some((participant, yes)) if !outcome_is_known => {
                let earlier = format!("{participant} voted yes to {id} and is in doubt");
                let now =
                    format!("{node} has called {id} over, and no other node knows its outcome");
                Err(Breach::of(
                    Evidence::at(yes.step, earlier).about(*id),
                    Evidence::at(model.step, now).about(*id),
                ))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn at_end(&mut self, Moment { model, world, .. }: &Moment<'_>) -> Result<(), Breach> {
        for id in world.machines() {
            let Some(node) = world.host(id).storage() else { continue };
            let in_doubt: BTreeSet<&Path> =
                model.doubts(id).flat_map(|txn| model.paths_pinned(id, txn)).collect();
            if let Some(path) = node.pinned().find(|path| !in_doubt.contains(path)) {
                let synced = model.log(id).synced;
                let earlier =
                    format!("{id}'s log has an outcome for every yes that it has given on {path}");
                return Err(Breach::of(
                    Evidence::at(synced, earlier).about(path),
                    Evidence::at(model.step, format!("{id} still has {path} pinned")).about(path),
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{
        Play, applied, decided, n, over, request, txn, txn_of, voted, write,
    };

    #[test]
    fn over_with_all_in_doubt_is_a_breach() {
        let mut play = Play::new(NoPinIsOrphaned);
        play.forces(n(2), voted(txn(1), "/a", 1, "x"));
        play.forces(n(1), decided(txn(1), &[n(2)], "/a", 1, "x"));
        let breach = play.forces(n(1), over(txn(1))).breaks();
        assert_eq!(breach.earlier.is, "n2 voted yes to n1.1/1 and is in doubt");
        assert!(breach.now.is.starts_with("n1 has called n1.1/1 over"));
    }

    #[test]
    fn over_with_all_done_or_a_node_to_ask_is_none() {
        let mut play = Play::new(NoPinIsOrphaned);
        play.forces(n(2), voted(txn(1), "/a", 1, "x"));
        play.forces(n(3), voted(txn(1), "/a", 1, "x"));
        play.forces(n(1), decided(txn(1), &[n(2), n(3)], "/a", 1, "x"));
        play.forces(n(2), applied(txn(1)));
        play.forces(n(1), over(txn(1)));
        play.holds();
    }

    #[test]
    fn a_pin_that_is_left_at_the_end_is_a_breach() {
        let mut play = Play::new(NoPinIsOrphaned);
        play.asks(request(1, 1), &[write("/a", "x")]);
        let owner = play.owners("/a")[0];
        play.really_starts(owner);
        play.ends();
        play.really_begins(owner, write("/a", "x"));
        let breach = play.ends().breaks();
        assert_eq!(breach.now.is, format!("{owner} still has /a pinned"));
    }

    #[test]
    fn a_pin_that_is_left_beside_a_doubt_is_a_breach_and_the_doubt_is_none() {
        let mut play = Play::new(NoPinIsOrphaned);
        play.asks(request(1, 1), &[write("/a", "x")]);
        let owner = play.owners("/a")[0];
        let other = play.owners("/a")[1];
        play.really_starts(owner);
        play.really_begins(owner, write("/a", "x"));
        play.forces(owner, voted(txn_of(other, 1), "/b", 1, "x"));
        play.ends().breaks();
        let mut play = Play::new(NoPinIsOrphaned);
        play.asks(request(1, 1), &[write("/a", "x")]);
        play.really_starts(owner);
        play.really_begins(owner, write("/a", "x"));
        play.forces(owner, voted(txn_of(other, 1), "/a", 1, "x"));
        play.ends();
        play.holds();
    }
}

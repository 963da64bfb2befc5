//! Versions count changes.

use seedbed::proto::{File, Operation, Path, Record, RecordKind};

use crate::oracle::{Breach, Evidence, Invariant, Model, Seen, SeenKinds, changes_path};
use crate::world::World;

/// Each commit to a path continues its version by the number of its changes to it.
///
/// A version that comes twice names two contents, and one that is skipped has lost a change:
/// conditions on versions (compare and set) then let through what they should stop. The version
/// order of Adya, "Weak Consistency", 1999, section 3.1, made a number.
pub struct VersionsGrow;

impl Invariant for VersionsGrow {
    fn interest(&self) -> SeenKinds {
        SeenKinds::durable(&[RecordKind::Decided])
    }

    fn see(&mut self, seen: &Seen<'_>, model: &Model, _: &World) -> Result<(), Breach> {
        let Seen::Durable { node, record: Record::Decided { txn: id, changes, .. }, .. } = *seen
        else {
            return Ok(());
        };
        let Some(txn) = model.txns.get(id) else { return Ok(()) };
        let asked = model.asked_by(*id).and_then(|asked| asked.operations.as_deref());
        let voted = txn.yes.values().flat_map(|yes| yes.is.iter());
        for (path, _) in voted.chain(changes.iter()) {
            let Some((newest, before)) = model.files.get(path).and_then(|h| h.newest(*id)) else {
                continue;
            };
            if newest.step != model.step {
                continue; // decided long ago; this is a copy
            }
            let history = model.files.get(path);
            if before.is_none() && history.is_some_and(|history| history.given_up.is_some()) {
                continue; // what was before was lost with the disks, and the operator knows
            }
            let nothing = File::default();
            let earlier = before.map_or(&nothing, |state| &state.file);
            if continues(earlier, &newest.file, path, asked) {
                continue;
            }
            let (was, is) = (earlier.version, newest.file.version);
            let earlier = match before {
                Some(state) => {
                    let left = format!("{} left {path} at {was}", state.txn);
                    Evidence::at(state.step, left).about(state.txn)
                }
                None => Evidence::at(0, format!("{path} was never changed, so at {was}")),
            };
            let now = format!("{node} commits {id}, with {path} at {is}");
            return Err(Breach::of(
                earlier.about(path),
                Evidence::at(model.step, now).about(*id).about(path),
            ));
        }
        Ok(())
    }
}

/// Does `newest` continue the count? If it is not known what was asked for, one change or more, or
/// none with equal contents, will do.
fn continues(earlier: &File, newest: &File, path: &Path, operations: Option<&[Operation]>) -> bool {
    match operations {
        Some(operations) => {
            let changes: u64 = operations.iter().map(|op| changes_path(op, path)).sum();
            newest.version.0 == earlier.version.0 + changes
        }
        None if newest.version == earlier.version => newest.contents == earlier.contents,
        None => newest.version > earlier.version,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::tests::{Play, decided, decided_for, fenced, n, request, txn, write};

    #[test]
    fn a_version_that_comes_twice_is_a_breach() {
        let mut play = Play::new(VersionsGrow);
        play.forces(n(1), decided(txn(1), &[], "/a", 1, "x"));
        let breach = play.forces(n(1), decided(txn(2), &[], "/a", 1, "y")).breaks();
        assert_eq!(breach.earlier.is, "n1.1/1 left /a at v1");
        assert_eq!(breach.now.is, "n1 commits n1.1/2, with /a at v1");
    }

    #[test]
    fn a_version_that_is_skipped_is_a_breach() {
        let mut play = Play::new(VersionsGrow);
        play.asks(request(1, 1), &[write("/a", "x")]);
        let breach =
            play.forces(n(1), decided_for(request(1, 1), txn(1), &[], "/a", 2, "x")).breaks();
        assert_eq!(breach.earlier.is, "/a was never changed, so at v0");
    }

    #[test]
    fn one_more_for_each_change_and_none_for_a_claim_is_none() {
        let mut play = Play::new(VersionsGrow);
        play.asks(request(1, 1), &[write("/a", "x"), write("/a", "y")]);
        play.forces(n(1), decided_for(request(1, 1), txn(1), &[], "/a", 2, "y"));
        play.forces(n(1), fenced(request(1, 9), txn(2), "/a", 2, "y", 3));
        play.asks(request(1, 3), &[write("/a", "z")]);
        play.forces(n(1), decided_for(request(1, 3), txn(3), &[], "/a", 3, "z"));
        play.holds();
    }
}

//! Copies stay as long as a node may ask for them.

use std::collections::BTreeMap;

use crate::file_service::World;
use crate::file_service::oracle::{Breach, Evidence, Invariant, Model, Moment, Seen, SeenKinds};
use seedbed::machine::NodeId;
use seedbed::proto::{Chunk, FileService, Message, MessageKind, Record, RecordKind};

/// A node stores what its log has of every path that it claims, in whatever epoch, until it has
/// given the claim up: looked at when it enters another epoch, and when it hands over.
///
/// The owners of an epoch that is over have what those of the next one have still to pull. To drop
/// it when one owns it no longer, and not when no other node needs it any more, is how a move loses
/// data; Corbett et al., "Spanner", OSDI 2012, section 2.2, and Adya et al., "Slicer", OSDI 2016,
/// keep the old copy until the new one is there.
#[derive(Clone, Debug, Default)]
pub struct ClaimedCopiesAreKept {
    /// Where in each log the last claims are given up.
    given_up: BTreeMap<NodeId, u64>,
}

impl Invariant<FileService> for ClaimedCopiesAreKept {
    fn interest(&self) -> SeenKinds {
        SeenKinds::appended(&[RecordKind::Entered, RecordKind::GaveUp, RecordKind::Reset])
            | SeenKinds::sent(&[MessageKind::Chunk])
            | SeenKinds::CRASHED
    }

    fn see(
        &mut self,
        seen: &Seen<'_>,
        Moment { model, world, .. }: &Moment<'_>,
    ) -> Result<(), Breach> {
        let (node, occasion) = match *seen {
            Seen::Appended {
                node,
                position,
                record: Record::GaveUp { .. } | Record::Reset { .. },
                ..
            } => {
                self.given_up.insert(node, position);
                return Ok(());
            }
            Seen::Crashed { node } => {
                self.given_up.remove(&node);
                return Ok(());
            }
            Seen::Appended { node, record: Record::Entered { epoch, .. }, .. } => {
                if model.views.settled().is_some_and(|settled| settled.is >= *epoch) {
                    return Ok(()); // it may give older claims up in the same step
                }
                let view = model.views.view(*epoch);
                if view.is_some_and(|view| !view.is.given_up.is_empty()) {
                    return Ok(()); // it may begin files again in the same step
                }
                (node, Occasion::EntersAnotherEpoch)
            }
            Seen::Sent { from, to, message: Message::Chunk(Chunk { .. }), .. } => {
                (from, Occasion::HandsOverTo(to))
            }
            _ => return Ok(()),
        };
        // What a sync lets go may be older than what it has made durable, and what is not durable
        // may have given the claims up.
        let durable = model.log(node).durable;
        let has_given_up = self.given_up.get(&node).is_some_and(|position| *position >= durable);
        match model.is_put_together_now(node) && !has_given_up {
            true => judge(node, occasion, model, world),
            false => Ok(()),
        }
    }
}

/// When it is looked at.
#[derive(Clone, Copy, Debug)]
enum Occasion {
    EntersAnotherEpoch,
    HandsOverTo(NodeId),
}

fn judge(node: NodeId, occasion: Occasion, model: &Model, world: &World) -> Result<(), Breach> {
    let (Some(config), Some(disk)) = (model.disks.managed(), model.disks.get(node)) else {
        return Ok(());
    };
    let Some(storage) = world.host(node).storage() else { return Ok(()) };
    for (path, file) in &disk.files {
        let position = config.position(path);
        let is_claimed = disk.claims.values().any(|claim| claim.is.contains(position));
        if is_claimed && !storage.files().contains_key(path) {
            let earlier = format!("{node} has {path} durably, and claims to be complete on it");
            let now = match occasion {
                Occasion::EntersAnotherEpoch => {
                    format!("{node} enters another epoch and has it no longer")
                }
                Occasion::HandsOverTo(to) => {
                    format!("{node} hands over to {to} and has it no longer")
                }
            };
            return Err(Breach::of(
                Evidence::at(file.step, earlier).about(path),
                Evidence::at(model.step, now).about(path),
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{Play, born, decided, entered, n, txn};
    use seedbed::proto::{Arcs, Epoch};

    fn play(claim: Arcs) -> Play {
        let mut play = Play::managed(ClaimedCopiesAreKept::default());
        play.really_starts(n(1));
        play.forces(n(1), born());
        play.forces(n(1), entered(1, claim));
        play.forces(n(1), decided(txn(1), &[], "/a", 1, "x"));
        play
    }

    #[test]
    fn a_copy_that_is_gone_while_it_is_claimed_is_a_breach() {
        let mut play = play(Arcs::all());
        let breach = play.appends(n(1), entered(2, Arcs::default())).breaks();
        assert_eq!(breach.earlier.is, "n1 has /a durably, and claims to be complete on it");
        assert_eq!(breach.now.is, "n1 enters another epoch and has it no longer");
    }

    #[test]
    fn one_that_is_not_claimed_or_was_given_up_is_none() {
        let mut unclaimed = play(Arcs::default());
        unclaimed.appends(n(1), entered(2, Arcs::default()));
        unclaimed.holds();
        let mut play = play(Arcs::all());
        play.forces(n(1), Record::GaveUp { epoch: Epoch(2), keeps: Arcs::default() });
        play.appends(n(1), entered(2, Arcs::default()));
        play.holds();
    }
}

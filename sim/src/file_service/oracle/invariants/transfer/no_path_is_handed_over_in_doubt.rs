//! What is handed over is settled.

use std::collections::BTreeMap;

use crate::file_service::oracle::{Breach, Evidence, Invariant, Moment, Seen, SeenKinds};
use seedbed::machine::NodeId;
use seedbed::proto::{Chunk, FileService, Message, MessageKind};

/// An owner hands a path over, or says that it has handed over all there is, only if no vote of its
/// own on the path, given in an earlier epoch, waits for a decision. (One that it has given in the
/// epoch of the hand-over needs the yes of the new owner too, which is complete then: what is
/// handed over answers a late copy of its question.)
///
/// The decision would come to the old owner only, and the new one would go on from what was before:
/// a commit that every participant has voted for and no client can see. Mohan, Lindsay, Obermarck,
/// 1986, section 2, ask the same of recovery: what is in doubt is locked.
#[derive(Clone, Debug, Default)]
pub struct NoPathIsHandedOverInDoubt {
    /// When each node was asked last.
    asked: BTreeMap<NodeId, u64>,
}

impl Invariant<FileService> for NoPathIsHandedOverInDoubt {
    fn interest(&self) -> SeenKinds {
        SeenKinds::received(&[MessageKind::Pull]) | SeenKinds::sent(&[MessageKind::Chunk])
    }

    fn see(&mut self, seen: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        match *seen {
            Seen::Received { to, .. } => {
                self.asked.insert(to, model.step);
                Ok(())
            }
            Seen::Sent {
                from,
                to,
                message: Message::Chunk(Chunk { epoch, files, end, .. }),
                ..
            } => {
                let Some(config) = model.disks.managed() else { return Ok(()) };
                let Some(pins) = model.memory.pins(from) else { return Ok(()) };
                // A vote that was given since is not in doubt when the chunk is put together.
                let asked = match model.is_put_together_now(from) {
                    true => model.step,
                    false => self.asked.get(&from).copied().unwrap_or_default(),
                };
                let is_handed = |path: &_| {
                    let all = end
                        .as_ref()
                        .is_some_and(|end| end.complete.contains(config.position(path)));
                    all || files.iter().any(|(handed, _)| handed == path)
                };
                let is_older = |txn| model.txns.get(txn).is_none_or(|known| known.epoch < *epoch);
                let found = pins
                    .iter()
                    .find(|(path, pin)| pin.step < asked && is_handed(path) && is_older(&pin.is));
                match found {
                    None => Ok(()),
                    Some((path, pin)) => {
                        let txn = pin.is;
                        let earlier = format!("{from} voted yes to {txn}, which changes {path}");
                        let now =
                            format!("{from}, in doubt about {txn}, hands {path} over to {to}");
                        Err(Breach::of(
                            Evidence::at(pin.step, earlier).about(txn).about(path),
                            Evidence::at(model.step, now).about(txn).about(path),
                        ))
                    }
                }
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{
        Play, n, path, prepare, rolled_back, txn, voted, voted_in,
    };
    use seedbed::machine::Incarnation;
    use seedbed::proto::{Arcs, Epoch, File, PullEnd, TxnMessage};

    fn chunk(files: &[&str], end: bool) -> Message {
        let complete = PullEnd { complete: Arcs::all(), witnessed: Arcs::default() };
        Message::Chunk(Chunk {
            epoch: Epoch(2),
            pull: 1,
            incarnation: Incarnation(1),
            after: None,
            files: files.iter().map(|at| (path(at), File::default())).collect(),
            doubtful: Arcs::default(),
            answers: [].into(),
            end: end.then_some(complete),
        })
    }

    fn play() -> Play {
        let mut play = Play::managed(NoPathIsHandedOverInDoubt::default());
        play.forces(n(1), voted(txn(1), "/b", 1, "x"));
        play
    }

    #[test]
    fn to_hand_over_what_is_in_doubt_is_a_breach() {
        let breach = play().sends(n(1), n(3), chunk(&["/b"], false)).breaks();
        assert_eq!(breach.earlier.is, "n1 voted yes to n1.1/1, which changes /b");
        assert_eq!(breach.now.is, "n1, in doubt about n1.1/1, hands /b over to n3");
        play().sends(n(1), n(3), chunk(&["/a"], true)).breaks();
    }

    #[test]
    fn what_comes_before_it_and_what_is_settled_are_none() {
        let mut play = play();
        play.sends(n(1), n(3), chunk(&["/a"], false));
        play.forces(n(1), rolled_back(txn(1)));
        play.sends(n(1), n(3), chunk(&["/a", "/b"], true));
        play.holds();
    }

    /// A chunk that a sync has held up leaves behind a vote of its own epoch which is not durable.
    #[test]
    fn a_vote_of_the_same_epoch_that_is_under_way_is_none() {
        let asked = |epoch| {
            let mut play = Play::managed(NoPathIsHandedOverInDoubt::default());
            let Message::Txn(TxnMessage::Prepare { header, terms, paths, work, .. }) =
                prepare(txn(1), &[n(1)], &["/b"])
            else {
                unreachable!("it is one")
            };
            let epoch = Epoch(epoch);
            play.sends(
                n(2),
                n(1),
                Message::Txn(TxnMessage::Prepare { header, epoch, terms, paths, work }),
            );
            play.appends(n(1), voted_in(epoch.0, txn(1), "/b", 1, "x"));
            play.sends(n(1), n(3), chunk(&["/b"], true));
            play
        };
        asked(2).holds();
        asked(1).breaks();
    }

    #[test]
    fn a_vote_of_the_same_epoch_is_none() {
        let mut play = Play::managed(NoPathIsHandedOverInDoubt::default());
        play.forces(n(1), voted_in(2, txn(1), "/b", 1, "x"));
        play.sends(n(1), n(3), chunk(&["/b"], true));
        play.holds();
    }
}

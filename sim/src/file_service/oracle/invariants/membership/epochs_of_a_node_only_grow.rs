//! No node goes back to an epoch.

use std::collections::BTreeMap;

use crate::file_service::oracle::{At, Breach, Evidence, Invariant, Moment, Seen, SeenKinds};
use seedbed::machine::NodeId;
use seedbed::proto::{
    Epoch, FileService, Message, MessageKind, Record, RecordKind, ToCentre, Voted,
};

/// A node says that it has left an epoch only once that is durable, and never enters an earlier one
/// again or votes in it, also across crashes.
///
/// The centre puts the next view into force on that word, and other owners take what a node claims
/// of an epoch that it has left for all that there will ever be. It is what a promise is in Paxos:
/// written before it is said (Lamport, "The Part-Time Parliament", 1998), or a crash takes it back.
#[derive(Clone, Debug, Default)]
pub struct EpochsOfANodeOnlyGrow {
    /// The epoch that each node has durably entered.
    entered: BTreeMap<NodeId, At<Epoch>>,
}

impl Invariant<FileService> for EpochsOfANodeOnlyGrow {
    fn interest(&self) -> SeenKinds {
        SeenKinds::sent(&[MessageKind::Entered, MessageKind::Departed])
            | SeenKinds::durable(&[RecordKind::Entered, RecordKind::Voted])
            | SeenKinds::WIPED
    }

    fn see(&mut self, seen: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        match *seen {
            Seen::Sent {
                from,
                message:
                    Message::ToCentre(
                        ToCentre::Entered { admission, epoch, .. }
                        | ToCentre::Departed { admission, epoch },
                    ),
                ..
            } => {
                let disk = model.disks.get(from);
                let is_it = |born: &At<_>| born.is == *admission;
                let disk = disk.filter(|disk| disk.born.as_ref().is_some_and(is_it));
                // An empty log is in no epoch, and that is what epoch 0 says.
                if *epoch == Epoch(0) || disk.is_some_and(|disk| disk.epoch.is >= *epoch) {
                    return Ok(());
                }
                let what = format_args!("record that it has entered {epoch}");
                let now = format!("{from} says that it has entered {epoch}");
                Err(Breach::of(
                    model.log_lacks(from, what).about(*epoch),
                    Evidence::at(model.step, now).about(*epoch),
                ))
            }
            Seen::Durable { node, record: Record::Entered { epoch, .. }, .. } => {
                let before = self.entered.insert(node, At { step: model.step, is: *epoch });
                match before.filter(|before| before.is >= *epoch) {
                    None => Ok(()),
                    Some(before) => Err(Breach::of(
                        had_entered(node, &before),
                        Evidence::at(model.step, format!("{node} enters {epoch}")).about(*epoch),
                    )),
                }
            }
            Seen::Durable { node, record: Record::Voted(Voted { epoch, txn, .. }), .. } => {
                match self.entered.get(&node).filter(|entered| entered.is > *epoch) {
                    None => Ok(()),
                    Some(before) => {
                        let now = format!("{node} votes yes to {txn} in {epoch}");
                        Err(Breach::of(
                            had_entered(node, before),
                            Evidence::at(model.step, now).about(*txn).about(*epoch),
                        ))
                    }
                }
            }
            Seen::Wiped { node } => {
                self.entered.remove(&node);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

fn had_entered(node: NodeId, epoch: &At<Epoch>) -> Evidence {
    Evidence::at(epoch.step, format!("{node} had entered {}", epoch.is)).about(epoch.is)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{Play, born, entered, n, txn, voted_in};
    use seedbed::proto::{Arcs, Config};

    fn play() -> Play {
        let mut play = Play::managed(EpochsOfANodeOnlyGrow::default());
        play.forces(n(1), born());
        play.forces(n(1), entered(2, Arcs::default()));
        play
    }

    fn says(epoch: u32) -> Message {
        Message::ToCentre(ToCentre::Entered {
            admission: Config::FIRST_ADMISSION,
            epoch: Epoch(epoch),
            open: [].into(),
        })
    }

    #[test]
    fn to_say_what_is_not_durable_is_a_breach() {
        let mut play = play();
        play.appends(n(1), entered(3, Arcs::default()));
        let breach = play.sends(n(1), NodeId::CONTROL, says(3)).breaks();
        assert!(breach.earlier.is.ends_with("no record that it has entered e3"));
    }

    #[test]
    fn to_go_back_is_a_breach() {
        let breach = play().forces(n(1), entered(1, Arcs::default())).breaks();
        assert_eq!(breach.earlier.is, "n1 had entered e2");
        play().forces(n(1), voted_in(1, txn(1), "/a", 1, "x")).breaks();
    }

    #[test]
    fn to_go_on_and_to_begin_anew_on_another_disk_is_none() {
        let mut play = play();
        play.sends(n(1), NodeId::CONTROL, says(2));
        play.forces(n(1), voted_in(2, txn(1), "/a", 1, "x"));
        play.forces(n(1), entered(3, Arcs::default()));
        play.sends(n(1), NodeId::CONTROL, says(3));
        play.loses_its_disk(n(1));
        play.forces(n(1), born());
        play.forces(n(1), entered(1, Arcs::default()));
        play.holds();
    }
}

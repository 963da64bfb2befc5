//! Every decision is acknowledged, and its coordinator knows.

use std::collections::BTreeSet;

use seedbed::machine::{Class, NodeId};
use seedbed::proto::{Decided, FileService, Record, TxnId};

use crate::file_service::World;
use crate::file_service::oracle::{Breach, Evidence, Invariant, Moment, Seen, SeenKinds, Txn};

/// When everything had its time, a coordinator that is up has called each of its decisions over
/// that every participant has carried out.
///
/// A decision that is never over is repeated for ever, is kept in every checkpoint, and holds the
/// low-water mark down, so that no participant forgets anything any more. `Over` is written lazily:
/// it need not be durable. Mohan, Lindsay, Obermarck, "Transaction Management in the R* Distributed
/// Database Management System", ACM TODS 11(4), 1986, for the end record.
#[derive(Clone, Debug)]
pub struct EveryDecisionIsOver;

impl Invariant<FileService> for EveryDecisionIsOver {
    fn interest(&self) -> SeenKinds {
        SeenKinds::NONE
    }

    fn see(&mut self, _seen: &Seen<'_>, _moment: &Moment<'_>) -> Result<(), Breach> {
        Ok(())
    }

    fn at_end(&mut self, Moment { model, world, .. }: &Moment<'_>) -> Result<(), Breach> {
        let nodes = world.machines().filter(|node| node.class() == Class::Node);
        for host in nodes.map(|node| world.host(node)).filter(|host| host.is_up()) {
            let mut kept = BTreeSet::new();
            for record in host.disk().records() {
                match record {
                    Record::Decided(Decided { txn, .. }) => _ = kept.insert(*txn),
                    Record::Over { txn } => _ = kept.remove(txn),
                    _ => {}
                }
            }
            let is_done = |txn: &&TxnId| {
                model.txns.get(txn).is_some_and(|known| is_carried_out(known, world))
            };
            if let Some(&txn) = kept.iter().find(is_done) {
                let decided = model.txns.get(&txn).and_then(|known| known.decided.as_ref());
                let step = decided.map_or(model.step, |decided| decided.step);
                let now =
                    format!("all participants have it, and {} has not called it over", host.id());
                return Err(Breach::of(
                    Evidence::at(step, format!("{txn} is decided")).about(txn),
                    Evidence::at(model.step, now).about(txn),
                ));
            }
        }
        Ok(())
    }
}

/// Has every participant carried it out, but for those whose disks are gone? One that is down may
/// have carried it out with its acknowledgement lost, and cannot repeat it.
fn is_carried_out(known: &Txn, world: &World) -> bool {
    let has_done = |node: &NodeId| {
        let has_applied = known.outcomes.contains_key(node) && world.host(*node).is_up();
        has_applied || known.gone.contains(node)
    };
    known.decided.is_some() && known.participants.iter().all(has_done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::*;

    #[test]
    fn a_decision_that_all_have_carried_out_is_kept() {
        let mut play = Play::new(EveryDecisionIsOver);
        let (coordinator, decision) = play.really_decides("/a");
        let Record::Decided(Decided { txn, participants, .. }) = decision.clone() else {
            unreachable!()
        };
        play.forces(coordinator, decision).ends().holds();
        for participant in participants.iter() {
            play.forces(participant.node, applied(txn));
        }
        let breach = play.ends().breaks();
        assert_eq!(breach.earlier.is, format!("{txn} is decided"));
        let now = format!("all participants have it, and {coordinator} has not called it over");
        assert_eq!(breach.now.is, now);
    }
}

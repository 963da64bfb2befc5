//! Attempts at one owner never wait for each other in a circle.

use std::collections::BTreeSet;

use seedbed::machine::NodeId;
use seedbed::proto::{Age, FileService, MessageKind, Path, TxnId};

use super::{Rank, counted, rank};
use crate::file_service::oracle::PerNode;
use crate::file_service::oracle::{Breach, Evidence, Invariant, Model, Moment, Seen, SeenKinds};

/// An attempt that begins to wait for pins at an owner finds them with younger attempts only, and
/// no older attempt waits there for one of its paths.
///
/// An attempt that waits, waits for a younger one, and a chain of those has an end. With both
/// directions allowed two attempts wait for each other until one of them runs out of time.
/// Rosenkrantz, Stearns, Lewis, "System Level Concurrency Control for Distributed Database
/// Systems", ACM TODS 3(2), 1978. Which attempts wait, and which have pins, is asked of the node,
/// because no message and no record says so.
#[derive(Clone, Debug, Default)]
pub struct AnAttemptWaitsOnlyForYoungerOnes {
    /// The attempts that were waiting already.
    waiting: PerNode<BTreeSet<TxnId>>,
}

/// A transaction that waits for pins or has them.
type Stands = (Age, TxnId);

impl Invariant<FileService> for AnAttemptWaitsOnlyForYoungerOnes {
    fn interest(&self) -> SeenKinds {
        SeenKinds::received(&[MessageKind::Begin, MessageKind::Prepare, MessageKind::Fetched])
    }

    fn see(
        &mut self,
        seen: &Seen<'_>,
        Moment { model, world, .. }: &Moment<'_>,
    ) -> Result<(), Breach> {
        let Seen::Received { to: node, .. } = *seen else { return Ok(()) };
        let Some(storage) = world.host(node).storage() else { return Ok(()) };
        let known = self.waiting.slot(node);
        if known.is_empty() && storage.waiting().next().is_none() {
            return Ok(());
        }
        let before = std::mem::take(known);
        for (age, txn, paths) in storage.waiting() {
            known.insert(txn);
            if before.contains(&txn) {
                continue;
            }
            let pins = |path: &Path| storage.pin_of(path);
            let others = storage.waiting().filter(|(_, other, _)| before.contains(other));
            if let Some((path, other)) = older(((age, txn), paths), pins, others) {
                return Err(breach(node, (age, txn), other, path, model));
            }
        }
        Ok(())
    }
}

/// An older transaction that has, or wants, one of the paths for which this one waits.
fn older<'a>(
    (this, paths): (Stands, &'a [Path]),
    pins: impl Fn(&Path) -> Option<Stands>,
    waiting: impl Iterator<Item = (Age, TxnId, &'a [Path])>,
) -> Option<(&'a Path, Stands)> {
    let is_older = |other: &Stands| place(*other) < place(this);
    let pinned = paths.iter().find_map(|path| Some((path, pins(path).filter(is_older)?)));
    pinned.or_else(|| {
        let mut waiting = waiting.filter(|(age, txn, _)| is_older(&(*age, *txn)));
        waiting.find_map(|(age, txn, wants)| {
            let path = paths.iter().find(|path| wants.contains(path))?;
            Some((path, (age, txn)))
        })
    })
}

/// The oldest first; the name makes the order strict.
fn place((age, txn): Stands) -> (Rank, TxnId) {
    (rank(age), txn)
}

fn breach(node: NodeId, this: Stands, other: Stands, path: &Path, model: &Model) -> Breach {
    let begun = model.txns.get(&other.1).and_then(|txn| txn.begun.as_ref());
    let told = |(age, txn): Stands| {
        format!("{txn}, of {}, which has waited {},", age.request, counted(age))
    };
    let earlier = format!("{} has pinned {path} at {node}, or waits for it", told(other));
    let now = format!("{} begins to wait for {path} at {node}", told(this));
    Breach::of(
        Evidence::at(begun.map_or(0, |begun| begun.step), earlier).about(other.1).about(path),
        Evidence::at(model.step, now).about(this.1).about(path),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::*;
    use seedbed::machine::Span;

    fn stands(client: u16, waited: u64) -> Stands {
        let age = Age { waited: Span::from_millis(waited), request: request(client, 1) };
        (age, txn(u32::from(client)))
    }

    /// The transaction that the newcomer may not wait for, if /a has this pin and this line.
    fn judged(newcomer: Stands, pin: Option<Stands>, line: &[Stands]) -> Option<TxnId> {
        let paths = [path("/a")];
        let line = line.iter().map(|(age, txn)| (*age, *txn, &paths[..]));
        let (_, (_, txn)) = older((newcomer, &paths), |_| pin, line)?;
        Some(txn)
    }

    #[test]
    fn to_wait_for_an_older_pin_is_a_breach() {
        assert_eq!(judged(stands(2, 5), Some(stands(1, 9)), &[]), Some(txn(1)));
        assert_eq!(judged(stands(2, 6), Some(stands(1, 5)), &[]), Some(txn(1)), "about as old");
        assert_eq!(judged(stands(1, 9), Some(stands(2, 5)), &[]), None);
    }

    #[test]
    fn to_wait_behind_an_older_one_is_a_breach() {
        let pin = Some(stands(3, 1));
        assert_eq!(judged(stands(2, 5), pin, &[stands(1, 9)]), Some(txn(1)));
        assert_eq!(judged(stands(1, 9), pin, &[stands(2, 5)]), None);
    }
}

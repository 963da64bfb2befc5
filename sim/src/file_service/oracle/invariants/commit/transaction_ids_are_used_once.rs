//! Ids are for ever.

use seedbed::machine::NodeId;
use seedbed::proto::{
    Decided, FileService, Message, MessageKind, Record, RecordKind, TxnId, TxnMessage,
};

use crate::file_service::oracle::{
    Begun, Breach, Evidence, Invariant, Model, Moment, Seen, SeenKinds,
};

/// A transaction id names one transaction: one attempt at one request, in one life of its
/// coordinator.
///
/// A counter that starts again after a restart gives an old id to a new transaction. The decision
/// about one then meets the participants of the other, which may still be in doubt. This is why ids
/// carry the incarnation: Mohan, Lindsay, Obermarck, 1986; Lampson, "How to Build a Highly
/// Available System Using Consensus", 1996, on unique ids across crashes.
pub struct TransactionIdsAreUsedOnce;

impl Invariant<FileService> for TransactionIdsAreUsedOnce {
    fn interest(&self) -> SeenKinds {
        SeenKinds::sent(&[MessageKind::Prepare]) | SeenKinds::appended(&[RecordKind::Decided])
    }

    fn see(&mut self, seen: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        match *seen {
            Seen::Sent {
                from,
                message: Message::Txn(TxnMessage::Prepare { header, terms, .. }),
                ..
            } => {
                let life = model.lives.get(&from).copied().unwrap_or_default();
                let (request, attempt) = (terms.request, terms.attempt);
                on_begun(from, header.txn, Begun { request, attempt, life }, model)
            }
            Seen::Appended {
                node, record: Record::Decided(Decided { txn, request, .. }), ..
            } => {
                let Some(known) = model.txns.get(txn) else { return Ok(()) };
                let now = || {
                    let is = format!("{node} decides to commit {txn} for {request}");
                    Evidence::at(model.step, is).about(*txn).about(*request)
                };
                if let (Some(decided), Some(first)) = (&known.decided, known.request) {
                    let earlier = format!("{node} decided to commit {txn} for {first}");
                    let earlier = Evidence::at(decided.step, earlier).about(*txn).about(first);
                    return Err(Breach::of(earlier, now()));
                }
                match &known.begun {
                    Some(begun) if begun.is.request != *request => {
                        Err(Breach::of(prepares(begun.step, node, *txn, begun.is), now()))
                    }
                    Some(_) | None => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }
}

fn on_begun(node: NodeId, id: TxnId, begun: Begun, model: &Model) -> Result<(), Breach> {
    let Some(known) = model.txns.get(&id) else { return Ok(()) };
    if let Some(first) = known.begun.as_ref().filter(|first| first.is != begun) {
        let earlier = prepares(first.step, node, id, first.is);
        return Err(Breach::of(earlier, prepares(model.step, node, id, begun)));
    }
    match &known.decided {
        Some(decided) => {
            let earlier = format!("{node} decided to commit {id}");
            let earlier = Evidence::at(decided.step, earlier).about(id);
            Err(Breach::of(earlier, prepares(model.step, node, id, begun)))
        }
        None => Ok(()),
    }
}

fn prepares(step: u64, node: NodeId, id: TxnId, begun: Begun) -> Evidence {
    let Begun { request, attempt, life } = begun;
    let is = format!("{node}, in its life {life}, prepares {id} for {request}, attempt {attempt}");
    Evidence::at(step, is).about(id).about(request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{Play, decided, n, prepare, txn, voted};

    #[test]
    fn an_id_that_comes_back_after_a_restart_is_a_breach() {
        let mut play = Play::new(TransactionIdsAreUsedOnce);
        play.starts(n(1));
        play.sends(n(1), n(2), prepare(txn(1), &[n(2)], &[]));
        play.crashes(n(1));
        play.starts(n(1));
        let breach = play.sends(n(1), n(2), prepare(txn(1), &[n(2)], &[])).breaks();
        assert_eq!(breach.earlier.is, "n1, in its life i1, prepares n1.1/1 for c1.1#1, attempt 1");
        assert_eq!(breach.now.is, "n1, in its life i2, prepares n1.1/1 for c1.1#1, attempt 1");
    }

    #[test]
    fn a_second_decision_is_a_breach() {
        let mut play = Play::new(TransactionIdsAreUsedOnce);
        play.forces(n(1), decided(txn(1), &[], "/a", 1, "x"));
        let breach = play.appends(n(1), decided(txn(1), &[], "/a", 2, "y")).breaks();
        assert_eq!(breach.now.is, "n1 decides to commit n1.1/1 for c1.1#1");
    }

    #[test]
    fn one_prepare_to_each_participant_and_one_decision_are_none() {
        let mut play = Play::new(TransactionIdsAreUsedOnce);
        play.starts(n(1));
        for participant in [n(2), n(3)] {
            play.sends(n(1), participant, prepare(txn(1), &[n(2), n(3)], &[]));
            play.forces(participant, voted(txn(1), "/a", 1, "x"));
        }
        play.forces(n(1), decided(txn(1), &[n(2), n(3)], "/a", 1, "x"));
        play.holds();
    }
}

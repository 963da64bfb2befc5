//! What a node remembers of finished work is bounded, and the bound moves.

use std::collections::BTreeMap;

use seedbed::machine::{Class, Incarnation, NodeId, RequestId};
use seedbed::proto::{
    Decided, FileRequest, FileService, LowWater, Member, Message, MessageKind, Record, RecordKind,
    TxnId, TxnMessage, Voted,
};

use crate::file_service::oracle::PerNode;
use crate::file_service::oracle::{Breach, Evidence, Invariant, Model, Moment, Seen, SeenKinds};

/// A storage node remembers no answer to a request, and no outcome of a transaction, that is below
/// a mark that it was told in this life; and a mark leaves nothing below which is over.
///
/// So by the end of a run a node remembers, for each client, at most one answer for each request
/// from the lowest number that it was told upwards, and for each coordinator at most one outcome
/// for each transaction above the low-water mark that it was told: as many as were open together
/// with the attempt that brought the mark, and have come after it.
///
/// A node has certainly been told the marks in the `Prepare` that it has voted on, and a
/// coordinator the client's in the attempt that it has decided. Marks of which only the memory
/// knows are gone after a crash. The number above a mark belongs to a transaction that is neither
/// aborted nor called over, and the lowest number of a client to a request that is not answered.
/// What a node remembers is not believed but measured: nothing else is judged by it. Mohan,
/// Lindsay, Obermarck, "Transaction Management in the R* Distributed Database Management System",
/// ACM TODS 11(4), 1986, for what may be forgotten; Lee et al., "Implementing Linearizability at
/// Large Scale and Low Latency" (RIFL), SOSP 2015, section 3.3, for collecting answers.
#[derive(Clone, Debug, Default)]
pub struct NodesForgetWhatIsOver {
    told: PerNode<Marks>,
}

/// What a node was told in its newest life, each with the step in which it has shown that it was.
#[derive(Clone, Debug, Default)]
struct Marks {
    clients: BTreeMap<NodeId, ((Incarnation, u32), u64)>,
    coordinators: BTreeMap<Member, (LowWater, u64)>,
}

impl Invariant<FileService> for NodesForgetWhatIsOver {
    fn interest(&self) -> SeenKinds {
        SeenKinds::sent(&[MessageKind::Begin, MessageKind::Prepare])
            | SeenKinds::appended(&[RecordKind::Voted, RecordKind::Decided])
            | SeenKinds::CRASHED
    }

    fn see(&mut self, seen: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        match *seen {
            Seen::Sent {
                message: Message::FileRequest(FileRequest::Begin { request, lowest, .. }),
                ..
            } => {
                let lowest = RequestId { number: *lowest, ..*request };
                return client_keeps_up(*request, lowest, model);
            }
            Seen::Sent {
                from, message: Message::Txn(TxnMessage::Prepare { header, .. }), ..
            } if model.is_put_together_now(from) => {
                return coordinator_keeps_up(header.txn, header.low_water, model);
            }
            Seen::Appended {
                node,
                record:
                    Record::Voted(Voted { txn, request, .. })
                    | Record::Decided(Decided { txn, request, .. }),
                ..
            } => self.told.slot(node).learn(node, *txn, *request, model),
            Seen::Crashed { node } => *self.told.slot(node) = Marks::default(),
            _ => {}
        }
        Ok(())
    }

    fn at_end(&mut self, Moment { model, world, .. }: &Moment<'_>) -> Result<(), Breach> {
        for node in world.machines().filter(|node| node.class() == Class::Node) {
            let Some(storage) = world.host(node).storage() else { continue };
            let told = self.told.slot(node);
            for request in storage.remembered_answers() {
                told.judge_answer(node, request, model)?;
            }
            for txn in storage.remembered_outcomes() {
                told.judge_outcome(node, txn, model)?;
            }
        }
        Ok(())
    }
}

impl Marks {
    /// `node` votes on the transaction, or decides it.
    fn learn(&mut self, node: NodeId, txn: TxnId, request: RequestId, model: &Model) {
        let Some(known) = model.txns.get(&txn) else { return };
        let told = self.clients.entry(request.client).or_default();
        let lowest = (request.incarnation, known.lowest);
        if lowest > told.0 {
            *told = (lowest, model.step);
        }
        if node != txn.coordinator {
            let told = self.coordinators.entry(txn.begun_by()).or_default();
            if known.low_water > told.0 {
                *told = (known.low_water, model.step);
            }
        }
    }

    fn judge_answer(&self, node: NodeId, request: RequestId, model: &Model) -> Result<(), Breach> {
        let RequestId { client, incarnation, number } = request;
        let Some(&((life, lowest), step)) = self.clients.get(&client) else { return Ok(()) };
        if (incarnation, number) >= (life, lowest) {
            return Ok(());
        }
        let first = RequestId { client, incarnation: life, number: lowest };
        let earlier =
            format!("{node} acts on an attempt that says: {client} waits for none before {first}");
        let now = format!("{node} remembers the answer to {request}");
        Err(Breach::of(
            Evidence::at(step, earlier).about(first),
            Evidence::at(model.step, now).about(request),
        ))
    }

    fn judge_outcome(&self, node: NodeId, txn: TxnId, model: &Model) -> Result<(), Breach> {
        match self.coordinators.get(&txn.begun_by()) {
            Some(&(mark, step)) if mark.covers(txn) && !is_resolved_by_the_centre(txn, model) => {
                let last = last_below(txn, mark);
                let earlier =
                    format!("{node} votes where it was told that all up to {last} is over");
                let now = format!("{node} remembers what became of {txn}");
                Err(Breach::of(
                    Evidence::at(step, earlier).about(last),
                    Evidence::at(model.step, now).about(txn),
                ))
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// Did the centre resolve it, after the coordinator lost its disk? The participants remember that,
/// and no mark comes any more.
fn is_resolved_by_the_centre(txn: TxnId, model: &Model) -> bool {
    let (Some(gone), Some(known)) = (model.coordinator_is_gone(txn), model.txns.get(&txn)) else {
        return false;
    };
    known.outcomes.values().any(|outcome| outcome.step > gone)
        && known.decided.as_ref().is_none_or(|decided| decided.step > gone)
}

/// Does the client of `request` still wait for the lowest that it says it waits for?
fn client_keeps_up(request: RequestId, lowest: RequestId, model: &Model) -> Result<(), Breach> {
    if lowest == request {
        return Ok(());
    }
    let asked = model.requests.get(&lowest);
    let Some(reply) = asked.and_then(|asked| asked.reply.as_ref()) else { return Ok(()) };
    let now = format!("an attempt at {request} leaves, and its client still waits for {lowest}");
    Err(Breach::of(
        Evidence::at(reply.step, format!("{lowest} is answered")).about(lowest),
        Evidence::at(model.step, now).about(request).about(lowest),
    ))
}

/// Is the first transaction above the mark one that is under way?
fn coordinator_keeps_up(txn: TxnId, mark: LowWater, model: &Model) -> Result<(), Breach> {
    let last = last_below(txn, mark);
    let next = TxnId { counter: mark.counter + 1, ..last };
    if next == txn {
        return Ok(());
    }
    let Some(known) = model.txns.get(&next) else { return Ok(()) };
    // A coordinator that has called a commit over answers a late message with `Abort`, and repeats
    // the commit if a crash takes the record that says so.
    let aborted = known.aborted.filter(|_| known.decided.is_none());
    let Some(step) = known.over.or(aborted) else { return Ok(()) };
    let now = format!("with {txn} its coordinator says that all up to {last} is over, and no more");
    Err(Breach::of(
        Evidence::at(step, format!("{next} is over")).about(next),
        Evidence::at(model.step, now).about(txn).about(last),
    ))
}

/// The last transaction of the coordinator of `txn` that its mark covers.
fn last_below(txn: TxnId, mark: LowWater) -> TxnId {
    TxnId { incarnation: mark.incarnation, counter: mark.counter, ..txn }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::*;
    use seedbed::proto::Reply;

    /// All nodes really store a file, which c1 has written with its first request. Then n2 votes
    /// where it was told these marks, and the run is over.
    fn is_told(lowest: u32, low_water: u32) -> Play {
        let mut play = Play::new(NodesForgetWhatIsOver::default());
        play.really_stores(n(2), "/a", 1, "1");
        let coordinator = (1..=3).map(n).find(|&node| {
            let storage = play.world().host(n(2)).storage().expect("it is up");
            storage.remembered_outcomes().any(|txn| txn.coordinator == node)
        });
        let new = txn_of(coordinator.unwrap_or(n(1)), 9);
        let mut message = prepare(new, &[n(2)], &["/b"]);
        let Message::Txn(TxnMessage::Prepare { header, terms, .. }) = &mut message else {
            unreachable!()
        };
        (terms.lowest, header.low_water.counter) = (lowest, low_water);
        play.sends(new.coordinator, n(2), message);
        play.appends(n(2), voted(new, "/b", 1, "1"));
        play
    }

    #[test]
    fn an_answer_is_kept_that_is_not_waited_for() {
        is_told(1, 0).ends().holds();
        let breach = is_told(2, 0).ends().breaks();
        let earlier = "n2 acts on an attempt that says: c1 waits for none before c1.1#2";
        assert_eq!(breach.earlier.is, earlier);
        assert_eq!(breach.now.is, "n2 remembers the answer to c1.1#1");
        is_told(2, 0).crashes(n(2)).ends().holds();
    }

    #[test]
    fn an_outcome_is_kept_that_is_below_the_mark() {
        let breach = is_told(1, 5).ends().breaks();
        assert!(breach.earlier.is.contains("it was told that all up to"), "{breach:?}");
        assert!(breach.now.is.contains("n2 remembers what became of"), "{breach:?}");
    }

    #[test]
    fn a_mark_stays_behind() {
        for ends in [abort(txn(1)), abort(txn(2))] {
            let mut play = Play::new(NodesForgetWhatIsOver::default());
            let is_first =
                matches!(&ends, Message::Txn(TxnMessage::Abort { header }) if header.txn == txn(1));
            play.sends(n(1), n(2), prepare(txn(1), &[n(2)], &["/a"]));
            play.sends(n(1), n(2), ends).sends(n(1), n(2), prepare(txn(3), &[n(2)], &["/a"]));
            assert_eq!(play.is_lawful(), !is_first);
        }
    }

    #[test]
    fn a_client_waits_for_what_is_answered() {
        let mut play = Play::new(NodesForgetWhatIsOver::default());
        play.asks(request(1, 1), &[write("/a", "1")]).replies(request(1, 1), Reply::Unknown);
        play.requests(request(1, 2), writes("/a", "1")).begins(request(1, 2), &[write("/a", "1")]);
        let breach = play.breaks();
        assert_eq!(breach.earlier.is, "c1.1#1 is answered");
    }
}

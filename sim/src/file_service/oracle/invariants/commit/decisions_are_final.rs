//! Stability.

use seedbed::machine::NodeId;
use seedbed::proto::{
    FileService, FromCentre, Known, Message, MessageKind, Record, RecordKind, TxnId, TxnMessage,
    Verdict, Voted,
};

use crate::file_service::oracle::{Breach, Evidence, Invariant, Model, Moment, Seen, SeenKinds};

/// Every node decides a transaction once, and stays with it, also across restarts.
///
/// AC4 of Bernstein, Hadzilacos, Goodman, 1987, chapter 7 ("a process cannot reverse its decision
/// after it has reached one"). A participant's log never says applied after rolled back, or the
/// reverse; a participant that has promised never to vote does not vote; and neither a coordinator
/// whose decision to commit is durable, nor a participant that has durably applied it, nor the
/// centre says aborted. One answer is let pass: once every participant has durably applied the
/// transaction, a late question may be answered with "aborted", which misleads no machine any more.
pub struct DecisionsAreFinal;

const OUTCOMES: &[RecordKind] =
    &[RecordKind::Applied, RecordKind::RolledBack, RecordKind::Promised, RecordKind::Voted];

impl Invariant<FileService> for DecisionsAreFinal {
    fn interest(&self) -> SeenKinds {
        SeenKinds::appended(OUTCOMES)
            | SeenKinds::durable(OUTCOMES)
            | SeenKinds::sent(&[MessageKind::Abort, MessageKind::Decline])
            | SeenKinds::sent(&[MessageKind::Told, MessageKind::Resolved])
    }

    fn see(&mut self, seen: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        match *seen {
            Seen::Appended { node, record, .. } | Seen::Durable { node, record, .. } => {
                on_outcome(node, record, model)
            }
            Seen::Sent {
                from,
                to,
                message:
                    Message::Txn(TxnMessage::Abort { header } | TxnMessage::Decline { header, .. }),
                ..
            } => on_abort(from, to, header.txn, model),
            Seen::Sent {
                from,
                to,
                message: Message::Txn(TxnMessage::Told { txn, known: Known::Aborted }),
                ..
            } => on_abort(from, to, *txn, model),
            Seen::Sent {
                from,
                to,
                message:
                    Message::FromCentre(FromCentre::Resolved { txn, verdict: Verdict::Aborted, .. }),
                ..
            } => on_resolved(from, to, *txn, model),
            _ => Ok(()),
        }
    }
}

/// A participant writes what became of a transaction, or votes for it.
fn on_outcome(node: NodeId, record: &Record, model: &Model) -> Result<(), Breach> {
    let (id, applied, what) = match record {
        Record::Applied { txn, .. } => (txn, Some(true), "applied it"),
        Record::RolledBack { txn } => (txn, Some(false), "rolled it back"),
        Record::Promised { txn } => (txn, Some(false), "promised never to vote for it"),
        Record::Voted(Voted { txn, .. }) => (txn, None, "voted yes to it"),
        _ => return Ok(()),
    };
    let Some(txn) = model.txns.get(id) else { return Ok(()) };
    let Some(outcome) = txn.outcomes.get(&node) else { return Ok(()) };
    if applied == Some(outcome.is) {
        return Ok(());
    }
    let earlier = match outcome.is {
        true => format!("{node} had applied {id}"),
        false if txn.yes.get(&node).is_some_and(|yes| yes.step < outcome.step) => {
            format!("{node} had rolled {id} back")
        }
        false => format!("{node} had promised never to vote for {id}"),
    };
    Err(Breach::of(
        Evidence::at(outcome.step, earlier).about(*id),
        Evidence::at(model.step, format!("{node} {what}")).about(*id),
    ))
}

/// A machine says that a transaction is aborted.
fn on_abort(from: NodeId, to: NodeId, id: TxnId, model: &Model) -> Result<(), Breach> {
    let Some(txn) = model.txns.get(&id).filter(|txn| !txn.is_applied_everywhere()) else {
        return Ok(());
    };
    let decided = txn.decided.as_ref().filter(|_| from == id.coordinator);
    let applied = txn.outcomes.get(&from).filter(|outcome| outcome.is);
    let earlier = match (decided, applied) {
        (Some(decided), _) => had_decided(decided.step, id),
        (None, Some(applied)) => {
            Evidence::at(applied.step, format!("{from} had applied {id}")).about(id)
        }
        (None, None) => return Ok(()),
    };
    Err(Breach::of(earlier, tells_of_abort(from, to, id, model)))
}

/// The centre says that a transaction aborts.
fn on_resolved(from: NodeId, to: NodeId, id: TxnId, model: &Model) -> Result<(), Breach> {
    let txn = model.txns.get(&id).filter(|txn| !txn.is_applied_everywhere());
    let Some(decided) = txn.and_then(|txn| txn.decided.as_ref()) else { return Ok(()) };
    Err(Breach::of(had_decided(decided.step, id), tells_of_abort(from, to, id, model)))
}

fn had_decided(step: u64, id: TxnId) -> Evidence {
    Evidence::at(step, format!("{} had decided to commit {id}", id.coordinator)).about(id)
}

fn tells_of_abort(from: NodeId, to: NodeId, id: TxnId, model: &Model) -> Evidence {
    Evidence::at(model.step, format!("{from} tells {to} that it is aborted")).about(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{
        Play, applied, decided, n, promised, resolved_aborted, rolled_back, told_aborted, txn,
        voted,
    };

    #[test]
    fn a_promise_after_a_commit_is_a_breach() {
        let mut play = Play::new(DecisionsAreFinal);
        play.forces(n(2), voted(txn(1), "/a", 1, "x"));
        play.forces(n(2), applied(txn(1)));
        play.crashes(n(2));
        let breach = play.appends(n(2), promised(txn(1))).breaks();
        assert_eq!(breach.earlier.is, "n2 had applied n1.1/1");
        assert_eq!(breach.now.is, "n2 promised never to vote for it");
    }

    #[test]
    fn a_yes_after_a_promise_is_a_breach() {
        let mut play = Play::new(DecisionsAreFinal);
        play.forces(n(2), promised(txn(1)));
        let breach = play.appends(n(2), voted(txn(1), "/a", 1, "x")).breaks();
        assert_eq!(breach.earlier.is, "n2 had promised never to vote for n1.1/1");
        assert_eq!(breach.now.is, "n2 voted yes to it");
    }

    #[test]
    fn a_coordinator_that_takes_its_commit_back_is_a_breach() {
        let mut play = Play::new(DecisionsAreFinal);
        play.forces(n(2), voted(txn(1), "/a", 1, "x"));
        play.forces(n(1), decided(txn(1), &[n(2)], "/a", 1, "x"));
        let breach = play.sends(n(1), n(2), told_aborted(txn(1))).breaks();
        assert_eq!(breach.earlier.is, "n1 had decided to commit n1.1/1");
        assert_eq!(breach.now.is, "n1 tells n2 that it is aborted");
    }

    #[test]
    fn a_centre_that_denies_what_was_decided_is_a_breach() {
        let mut play = Play::new(DecisionsAreFinal);
        play.forces(n(2), voted(txn(1), "/a", 1, "x"));
        play.sends(NodeId::CONTROL, n(2), resolved_aborted(txn(1)));
        play.holds();
        play.forces(n(1), decided(txn(1), &[n(2)], "/a", 1, "x"));
        let breach = play.sends(NodeId::CONTROL, n(2), resolved_aborted(txn(1))).breaks();
        assert_eq!(breach.earlier.is, "n1 had decided to commit n1.1/1");
    }

    #[test]
    fn a_participant_that_denies_what_it_has_applied_is_a_breach() {
        let mut play = Play::new(DecisionsAreFinal);
        play.forces(n(2), voted(txn(1), "/a", 1, "x"));
        play.forces(n(3), voted(txn(1), "/a", 1, "x"));
        play.forces(n(1), decided(txn(1), &[n(2), n(3)], "/a", 1, "x"));
        play.forces(n(2), applied(txn(1)));
        let breach = play.sends(n(2), n(3), told_aborted(txn(1))).breaks();
        assert_eq!(breach.earlier.is, "n2 had applied n1.1/1");
        assert_eq!(breach.now.is, "n2 tells n3 that it is aborted");
    }

    #[test]
    fn a_late_answer_about_what_all_have_applied_is_none() {
        let mut play = Play::new(DecisionsAreFinal);
        play.forces(n(2), voted(txn(1), "/a", 1, "x"));
        play.forces(n(1), decided(txn(1), &[n(2)], "/a", 1, "x"));
        play.forces(n(2), applied(txn(1)));
        play.sends(n(1), n(2), told_aborted(txn(1)));
        play.sends(n(2), n(3), told_aborted(txn(1)));
        play.forces(n(2), voted(txn(2), "/a", 2, "x"));
        play.forces(n(2), rolled_back(txn(2)));
        play.holds();
    }
}

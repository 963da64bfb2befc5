//! The window of two-phase commit.

use seedbed::machine::NodeId;
use seedbed::proto::{
    FileService, FromCentre, Known, Message, MessageKind, Record, RecordKind, TxnId, TxnMessage,
    Verdict,
};

use crate::file_service::oracle::{Breach, Evidence, Invariant, Moment, Seen, SeenKinds};

/// A participant that has voted yes gives that up only when it is told what became of the
/// transaction.
///
/// Between its yes and the decision a participant may neither commit nor abort on its own, however
/// long it waits: this is why two-phase commit blocks (Bernstein, Hadzilacos, Goodman, 1987,
/// section 7.3; Skeen 1981). `participants_agree` notices only once a decision is durable; that no
/// decision is made yet is no excuse. So the record that ends the doubt is appended in the very
/// step that brings the news: "aborted" or "committed" from the coordinator, another participant or
/// the centre. Whether those may say so is judged where they say it.
#[derive(Clone, Debug, Default)]
pub struct AYesIsKeptUntilTheDecision {
    news: Option<News>,
}

/// What a node was told last, and in which step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct News {
    step: u64,
    node: NodeId,
    txn: TxnId,
    commits: bool,
}

impl Invariant<FileService> for AYesIsKeptUntilTheDecision {
    fn interest(&self) -> SeenKinds {
        SeenKinds::received(&[MessageKind::Commit, MessageKind::Abort, MessageKind::Decline])
            | SeenKinds::received(&[MessageKind::Told, MessageKind::Resolved])
            | SeenKinds::appended(&[RecordKind::Applied, RecordKind::RolledBack])
    }

    fn see(&mut self, seen: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        let step = model.step;
        match *seen {
            Seen::Received { from, to, message, .. } => {
                if let Some((txn, commits)) = told(from, message) {
                    self.news = Some(News { step, node: to, txn, commits });
                }
                Ok(())
            }
            Seen::Appended { node, record, .. } => {
                let Some((txn, commits, what)) = end_of_doubt(record) else { return Ok(()) };
                let yes = model.txns.get(&txn).filter(|known| known.is_in_doubt(node));
                let Some(yes) = yes.and_then(|known| known.yes.get(&node)) else { return Ok(()) };
                let is_told = self.news == Some(News { step, node, txn, commits });
                if is_told {
                    return Ok(());
                }
                let now = format!("{node} {what}, and no message told it to");
                Err(Breach::of(
                    Evidence::at(yes.step, format!("{node} voted yes to {txn}")).about(txn),
                    Evidence::at(model.step, now).about(txn),
                ))
            }
            _ => Ok(()),
        }
    }
}

/// What a message says became of a transaction, if its sender can know.
fn told(from: NodeId, message: &Message) -> Option<(TxnId, bool)> {
    match message {
        Message::Txn(TxnMessage::Commit { header, .. }) if from == header.txn.coordinator => {
            Some((header.txn, true))
        }
        Message::Txn(TxnMessage::Abort { header } | TxnMessage::Decline { header, .. })
            if from == header.txn.coordinator =>
        {
            Some((header.txn, false))
        }
        Message::Txn(TxnMessage::Told { txn, known: Known::Committed(_) }) => Some((*txn, true)),
        Message::Txn(TxnMessage::Told { txn, known: Known::Aborted }) => Some((*txn, false)),
        Message::FromCentre(FromCentre::Resolved { txn, verdict, .. })
            if from == NodeId::CONTROL =>
        {
            Some((*txn, matches!(verdict, Verdict::Committed(_))))
        }
        _ => None,
    }
}

fn end_of_doubt(record: &Record) -> Option<(TxnId, bool, &'static str)> {
    match record {
        Record::Applied { txn, .. } => Some((*txn, true, "applies it")),
        Record::RolledBack { txn } => Some((*txn, false, "gives it up")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{
        Play, abort, applied, commit, n, resolved_aborted, rolled_back, told_aborted, txn, voted,
    };

    fn play() -> Play {
        let mut play = Play::new(AYesIsKeptUntilTheDecision::default());
        play.forces(n(2), voted(txn(1), "/a", 1, "x"));
        play
    }

    #[test]
    fn a_roll_back_without_a_message_is_a_breach() {
        let breach = play().appends(n(2), rolled_back(txn(1))).breaks();
        assert_eq!(breach.earlier.is, "n2 voted yes to n1.1/1");
        assert_eq!(breach.now.is, "n2 gives it up, and no message told it to");
        let mut play = play();
        play.receives(n(1), n(3), abort(txn(1)));
        play.receives(n(1), n(2), abort(txn(2)));
        play.appends(n(2), rolled_back(txn(1))).breaks();
    }

    #[test]
    fn the_other_outcome_than_the_one_told_is_a_breach() {
        play().receives(n(1), n(2), abort(txn(1))).and().appends(n(2), applied(txn(1))).breaks();
    }

    #[test]
    fn an_abort_by_another_than_the_coordinator_is_no_reason() {
        play()
            .receives(n(3), n(2), abort(txn(1)))
            .and()
            .appends(n(2), rolled_back(txn(1)))
            .breaks();
    }

    #[test]
    fn who_is_told_may_end_its_doubt() {
        let news = [
            (n(1), abort(txn(1)), rolled_back(txn(1))),
            (n(3), told_aborted(txn(1)), rolled_back(txn(1))),
            (n(1), commit(txn(1)), applied(txn(1))),
            (NodeId::CONTROL, resolved_aborted(txn(1)), rolled_back(txn(1))),
        ];
        for (from, message, record) in news {
            let mut play = play();
            play.receives(from, n(2), message).and().appends(n(2), record);
            play.syncs(n(2));
            play.holds();
        }
    }
}

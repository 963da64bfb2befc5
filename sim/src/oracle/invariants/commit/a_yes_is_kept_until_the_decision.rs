//! The window of two-phase commit.

use std::collections::BTreeMap;

use seedbed::proto::{
    Arcs, Epoch, Handed, Known, Member, Message, MessageKind, NodeId, Recollection, Record,
    RecordKind, TxnId,
};

use crate::oracle::{Breach, Evidence, Invariant, Model, Seen, SeenKinds};
use crate::world::World;

/// A participant that has voted yes gives that up only when it is told what became of the
/// transaction.
///
/// Between its yes and the decision a participant may neither commit nor abort on its own, however
/// long it waits: this is why two-phase commit blocks (Bernstein, Hadzilacos, Goodman, 1987,
/// section 7.3; Skeen 1981). `participants_agree` notices only once a decision is durable; that
/// nobody has decided yet is no excuse. So the record that ends the doubt is appended in the very
/// step that brings the news: "aborted" or "committed" from the coordinator or another participant.
/// Whether those may say so is judged where they say it. What a node was handed over when it pulled
/// it remembers.
#[derive(Clone, Debug, Default)]
pub struct AYesIsKeptUntilTheDecision {
    news: Option<News>,
    handed: BTreeMap<NodeId, HandedOver>,
}

/// What a node was handed over about transactions when it pulled.
#[derive(Clone, Debug, Default)]
struct HandedOver {
    settled: BTreeMap<TxnId, bool>,
    presumed: Vec<(Member, Epoch, Arcs)>,
}

impl HandedOver {
    fn take(&mut self, answers: &[Handed]) {
        for handed in answers {
            match handed {
                Handed::Settled(txn, answer) => {
                    self.settled.insert(*txn, answer.is_some());
                }
                Handed::Presumed(coordinator, epoch, arcs) => {
                    self.presumed.push((*coordinator, *epoch, arcs.clone()));
                }
                Handed::Done(..) | Handed::Declined(..) | Handed::Forgotten(..) => {}
            }
        }
    }

    /// Did it commit? `None` if nothing was said of it.
    fn outcome(&self, id: TxnId, node: NodeId, model: &Model) -> Option<bool> {
        let (txn, config) = (model.txns.get(&id)?, model.disks.managed()?);
        let paths = txn.pinned.get(&node)?;
        let mut presumed = self.presumed.iter().filter(|(coordinator, last, arcs)| {
            let is_one = |path| arcs.contains(config.position(path));
            *coordinator == id.begun_by() && txn.epoch <= *last && paths.iter().any(is_one)
        });
        self.settled.get(&id).copied().or_else(|| presumed.next().map(|_| false))
    }
}

/// What a node was told last, and in which step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct News {
    step: u64,
    node: NodeId,
    txn: TxnId,
    commits: bool,
}

impl Invariant for AYesIsKeptUntilTheDecision {
    fn interest(&self) -> SeenKinds {
        SeenKinds::received(&[MessageKind::Commit, MessageKind::Abort])
            | SeenKinds::received(&[MessageKind::Told, MessageKind::Recalled])
            | SeenKinds::appended(&[RecordKind::Applied, RecordKind::RolledBack])
            | SeenKinds::appended(&[RecordKind::Pulled])
    }

    fn see(&mut self, seen: &Seen<'_>, model: &Model, _: &World) -> Result<(), Breach> {
        let step = model.step;
        match *seen {
            Seen::Received { from, to, message, .. } => {
                if let Some((txn, commits)) = told(from, message) {
                    self.news = Some(News { step, node: to, txn, commits });
                }
                Ok(())
            }
            Seen::Appended { node, record: Record::Pulled { answers, .. }, .. } => {
                self.handed.entry(node).or_default().take(answers);
                Ok(())
            }
            Seen::Appended { node, record, .. } => {
                let Some((txn, commits, what)) = end_of_doubt(record) else { return Ok(()) };
                let yes = model.txns.get(&txn).filter(|known| known.is_in_doubt(node));
                let Some(yes) = yes.and_then(|known| known.yes.get(&node)) else { return Ok(()) };
                let is_told = self.news == Some(News { step, node, txn, commits });
                let handed =
                    self.handed.get(&node).and_then(|handed| handed.outcome(txn, node, model));
                if is_told || handed == Some(commits) || model.coordinator_is_gone(txn).is_some() {
                    return Ok(());
                }
                let now = format!("{node} {what}, and nobody told it to");
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
        Message::Commit { header, .. } if from == header.txn.coordinator => {
            Some((header.txn, true))
        }
        Message::Abort { header } if from == header.txn.coordinator => Some((header.txn, false)),
        Message::Told { txn, known: Known::Committed(_) } => Some((*txn, true)),
        Message::Told { txn, known: Known::Aborted } => Some((*txn, false)),
        Message::Recalled { txn, memory: Recollection::Committed(_), .. } => Some((*txn, true)),
        Message::Recalled { txn, memory: Recollection::Aborted, .. } => Some((*txn, false)),
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
    use crate::oracle::tests::{
        Play, abort, applied, commit, n, rolled_back, told_aborted, txn, voted,
    };
    use seedbed::proto::Config;

    fn play() -> Play {
        let mut play = Play::new(AYesIsKeptUntilTheDecision::default());
        play.forces(n(2), voted(txn(1), "/a", 1, "x"));
        play
    }

    #[test]
    fn a_roll_back_that_nobody_asked_for_is_a_breach() {
        let breach = play().appends(n(2), rolled_back(txn(1))).breaks();
        assert_eq!(breach.earlier.is, "n2 voted yes to n1.1/1");
        assert_eq!(breach.now.is, "n2 gives it up, and nobody told it to");
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
    fn who_was_handed_over_what_became_of_it_may_end_its_doubt() {
        let play = || {
            let mut play = Play::managed(AYesIsKeptUntilTheDecision::default());
            play.forces(n(2), voted(txn(1), "/a", 1, "x"));
            play
        };
        let coordinator = txn(1).begun_by();
        let pulls = |handed: Handed| Record::Pulled {
            files: [].into(),
            answers: [handed].into(),
            replaced: Arcs::default(),
        };
        let aborted = || [Handed::Settled(txn(1), None), presumed(coordinator)];
        let committed = || Handed::Settled(txn(1), Some([].into()));
        for handed in aborted() {
            let mut play = play();
            play.forces(n(2), pulls(handed));
            play.forces(n(2), rolled_back(txn(1)));
            play.holds();
        }
        for handed in aborted() {
            let mut play = play();
            play.forces(n(2), pulls(handed));
            play.appends(n(2), applied(txn(1))).breaks();
        }
        let mut play = play();
        play.forces(n(2), pulls(presumed(coordinator)));
        play.forces(n(2), pulls(committed()));
        play.appends(n(2), rolled_back(txn(1))).breaks();
    }

    fn presumed(coordinator: Member) -> Handed {
        Handed::Presumed(coordinator, Config::FIRST_EPOCH, Arcs::all())
    }

    #[test]
    fn who_is_told_may_end_its_doubt() {
        let news = [
            (n(1), abort(txn(1)), rolled_back(txn(1))),
            (n(3), told_aborted(txn(1)), rolled_back(txn(1))),
            (n(1), commit(txn(1)), applied(txn(1))),
        ];
        for (from, message, record) in news {
            let mut play = play();
            play.receives(from, n(2), message).and().appends(n(2), record);
            play.syncs(n(2));
            play.holds();
        }
    }
}

//! What a log says of transactions: votes, outcomes, marks, and decisions that are not over.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use seedbed::machine::{RequestId, Span};
use seedbed::proto::{
    Answer, Changes, Decided, Epoch, File, LowWater, Member, Outcome, Path, Record, TxnId, Voted,
};

use super::difference::differs;
use crate::file_service::oracle::{Evidence, Model};

/// What a log says of transactions.
#[derive(Clone, Debug, Default)]
pub(super) struct TransactionLog {
    votes: BTreeMap<TxnId, Vote>,
    /// The answer of a commit, `None` for an abort.
    outcomes: BTreeMap<TxnId, Option<Answer>>,
    marks: BTreeMap<Member, LowWater>,
    /// Decisions that are not over.
    open: BTreeMap<TxnId, Decision>,
}

/// A yes that has no outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Vote {
    epoch: Epoch,
    request: RequestId,
    waited: Span,
    participants: Arc<[Member]>,
    paths: Arc<[Path]>,
    voided: BTreeSet<Path>,
    changes: Vec<(Path, File)>,
    results: Arc<[(u8, Outcome)]>,
    operations: u8,
}

/// A decision to commit.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Decision {
    epoch: Epoch,
    request: RequestId,
    participants: Arc<[Member]>,
    answer: Answer,
}

impl TransactionLog {
    pub(super) fn take(&mut self, record: &Record) {
        match record {
            Record::Voted(Voted { txn, .. }) => {
                self.votes.extend(Vote::of(record).map(|vote| (*txn, vote)));
            }
            Record::Applied { txn, answer, .. } => self.end(*txn, Some(answer.clone())),
            Record::RolledBack { txn } => self.end(*txn, None),
            Record::Promised { txn } => {
                self.outcomes.insert(*txn, None);
            }
            Record::Settled { txn, answer } => {
                self.outcomes.insert(*txn, answer.clone());
            }
            Record::Mark { coordinator, low_water } => {
                self.marks.insert(*coordinator, *low_water);
            }
            Record::Decided(Decided { txn, epoch, request, participants, answer, .. }) => {
                let (epoch, request) = (*epoch, *request);
                let (participants, answer) = (participants.clone(), answer.clone());
                self.open.insert(*txn, Decision { epoch, request, participants, answer });
            }
            Record::Over { txn } => {
                self.open.remove(txn);
            }
            _ => unreachable!("the log passes on what is of its part"),
        }
    }

    /// What applying `txn` changes.
    pub(super) fn changes_of(&self, txn: TxnId) -> Changes {
        self.votes.get(&txn).map(|vote| vote.changes.clone().into()).unwrap_or_default()
    }

    /// Votes do not count any more on paths that have moved.
    pub(super) fn void(&mut self, has_moved: impl Fn(&Path) -> bool) {
        for vote in self.votes.values_mut() {
            vote.voided.extend(vote.paths.iter().filter(|path| has_moved(path)).cloned());
            vote.changes.retain(|(path, _)| !has_moved(path));
        }
    }

    fn end(&mut self, txn: TxnId, outcome: Option<Answer>) {
        self.votes.remove(&txn);
        self.outcomes.insert(txn, outcome);
    }

    fn covers(&self, txn: TxnId) -> bool {
        self.marks.get(&txn.begun_by()).is_some_and(|mark| mark.covers(txn))
    }

    /// What `is`, which a checkpoint begins, says otherwise.
    pub(super) fn difference(
        &self,
        is: &TransactionLog,
        told: &BTreeMap<Member, LowWater>,
        model: &Model,
    ) -> Option<Evidence> {
        self.votes_differ(is)
            .or_else(|| {
                let txn = differs(&self.open, &is.open)?;
                let is = format!("does not say the same of the decision to commit {txn}");
                Some(Evidence::at(0, is).about(*txn))
            })
            .or_else(|| self.marks_differ(is, told))
            .or_else(|| self.outcomes_differ(is, model))
    }

    fn votes_differ(&self, is: &TransactionLog) -> Option<Evidence> {
        let txn = differs(&self.votes, &is.votes)?;
        let is = match (self.votes.contains_key(txn), is.votes.contains_key(txn)) {
            (true, false) => format!("has forgotten that it voted yes to {txn}"),
            (false, _) => format!("is in doubt about {txn} again"),
            (true, true) => format!("has another vote for {txn}"),
        };
        Some(Evidence::at(0, is).about(*txn))
    }

    /// A mark is as high as in the log, and no higher than that or what the coordinator has said.
    fn marks_differ(
        &self,
        is: &TransactionLog,
        told: &BTreeMap<Member, LowWater>,
    ) -> Option<Evidence> {
        let of = |marks: &BTreeMap<Member, LowWater>, whose| marks.get(whose).copied();
        if let Some((whose, _)) =
            self.marks.iter().find(|(m, mark)| of(&is.marks, m) < Some(**mark))
        {
            let (node, is) = (whose.node, "has forgotten up to where all is over that is of");
            return Some(Evidence::at(0, format!("{is} {node}")).about(node));
        }
        let most = |whose| of(&self.marks, whose).max(of(told, whose)).unwrap_or_default();
        let (whose, mark) = is.marks.iter().find(|(whose, mark)| **mark > most(whose))?;
        let LowWater { incarnation, counter } = *mark;
        let node = whose.node;
        let is = format!("says that all is over up to {node}.{}/{counter}", incarnation.0);
        Some(Evidence::at(0, is).about(node))
    }

    /// What the checkpoint's own marks cover it need not know, and an abort that is one it may.
    fn outcomes_differ(&self, is: &TransactionLog, model: &Model) -> Option<Evidence> {
        let mut left = self.outcomes.iter().filter(|(txn, _)| !is.covers(**txn));
        if let Some((txn, _)) = left.find(|(txn, outcome)| is.outcomes.get(txn) != Some(outcome)) {
            let is = format!("has forgotten what became of {txn}");
            return Some(Evidence::at(0, is).about(*txn));
        }
        let is_decided = |txn| model.txns.get(txn).is_some_and(|txn| txn.decided.is_some());
        let is_new = |txn| !self.outcomes.contains_key(txn);
        let mut new = is.outcomes.iter().filter(|(txn, _)| is_new(txn));
        let is_open = |txn| self.votes.contains_key(txn);
        let (txn, _) =
            new.find(|(txn, outcome)| outcome.is_some() || is_decided(txn) || is_open(txn))?;
        let is = format!("has an outcome of {txn} that nothing tells");
        Some(Evidence::at(0, is).about(*txn))
    }
}

impl Vote {
    fn of(record: &Record) -> Option<Vote> {
        let Record::Voted(Voted {
            txn: _,
            epoch,
            request,
            waited,
            participants,
            paths,
            voided,
            changes,
            results,
            operations,
        }) = record
        else {
            return None;
        };
        Some(Vote {
            epoch: *epoch,
            request: *request,
            waited: *waited,
            participants: participants.clone(),
            paths: paths.clone(),
            voided: voided.iter().cloned().collect(),
            changes: changes.to_vec(),
            results: results.clone(),
            operations: *operations,
        })
    }
}

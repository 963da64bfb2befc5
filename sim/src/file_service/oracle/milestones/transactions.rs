//! The milestones of requests and their transactions: how far each is, as its messages and records
//! show, and what a crash finds it in.

use std::collections::BTreeSet;

use seedbed::machine::{NodeId, RequestId};
use seedbed::proto::{
    AttemptEnd, Decided, Ended, FileRequest, Known, LockRequest, Message, No, Record, Refusal,
    Request, Retry, TxnId, TxnMessage, Vote, Voted,
};

use super::{Hits, Milestones};
use crate::file_service::Milestone;
use crate::file_service::oracle::Model;
use crate::file_service::subject_of::Subjects;

/// A transaction whose coordinator is at work on it.
#[derive(Clone, Debug, Default)]
pub(super) struct Run {
    pub attempt: Option<(RequestId, u32)>,
    phase: Phase,
    pub participants: Vec<NodeId>,
    ready: BTreeSet<NodeId>,
    yes: BTreeSet<NodeId>,
    /// Has a participant refused it for a token?
    fenced: bool,
    /// Has a participant refused it for its epoch, or because it does not serve?
    turned_away: bool,
}

/// How far a transaction is, as its messages and records show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// No participant has heard of it.
    #[default]
    Alone,
    /// Its participants are to pin their paths.
    Preparing,
    /// Its participants are to vote.
    Voting,
    /// Its decision is durable.
    Committing,
}

impl Milestones {
    pub(super) fn txn_on_sent(&mut self, hits: &mut Hits, from: NodeId, message: &Message) {
        match message {
            Message::FileRequest(FileRequest::Begin { age, attempt, .. }) => {
                if *attempt == 1 {
                    self.attempts.insert(age.request, 0); // the claim of a lock counts anew
                }
                self.on_attempt(hits, from, age.request, *attempt);
            }
            Message::FileRequest(FileRequest::Read { request, attempt, .. }) => {
                self.on_attempt(hits, from, *request, *attempt)
            }
            Message::LockRequest(
                LockRequest::Acquire { request, .. } | LockRequest::Release { request, .. },
            ) => {
                let attempt = self.attempts.get(request).map_or(1, |newest| newest + 1);
                self.on_attempt(hits, from, *request, attempt);
            }
            Message::Txn(TxnMessage::Fetch { txn, .. }) => {
                self.run(hits, *txn);
            }
            Message::Txn(TxnMessage::Prepare { header, terms, work, .. }) => {
                let run = self.run(hits, header.txn);
                run.attempt = Some((terms.request, terms.attempt));
                if run.phase == Phase::Alone {
                    run.participants =
                        terms.participants.iter().map(|member| member.node).collect();
                    run.phase = match work {
                        Some(_) => Phase::Voting,
                        None => Phase::Preparing,
                    };
                }
            }
            Message::Txn(TxnMessage::Execute { header, .. }) => {
                self.run(hits, header.txn).phase = Phase::Voting
            }
            Message::Txn(TxnMessage::Executed {
                txn,
                vote: Vote::No(No::Refused { refusal, .. }),
            }) if is_fenced(*refusal) => {
                hits.hit_txn(Milestone::WRITE_FENCED, from, *txn);
            }
            Message::Txn(TxnMessage::Executed { txn, vote: Vote::No(No::Epoch(_)) }) => {
                hits.hit_txn(Milestone::STALE_EPOCH_REFUSED, from, *txn);
            }
            Message::Txn(TxnMessage::Executed { txn, vote: Vote::No(No::NotReady) }) => {
                hits.hit_txn(Milestone::NOT_READY_REFUSED, from, *txn);
            }
            Message::Txn(TxnMessage::Abort { header }) => self.on_aborted(hits, from, header.txn),
            Message::Txn(TxnMessage::Decline { header, refusal, .. }) => {
                let run = self.runs.get(&header.txn);
                if is_fenced(*refusal) && run.is_some_and(|run| !run.fenced) {
                    hits.hit_txn(Milestone::WRITE_FENCED, from, header.txn);
                }
                self.on_aborted(hits, from, header.txn);
            }
            Message::Ended(Ended { request, attempt, end }) => {
                self.on_ended(hits, from, *request, *attempt, end);
            }
            _ => {}
        }
    }

    /// The transaction `txn`, which begins here if it is new.
    fn run(&mut self, hits: &mut Hits, txn: TxnId) -> &mut Run {
        if !self.runs.contains_key(&txn) {
            hits.hit_txn(Milestone::TRANSACTION_BEGUN, txn.coordinator, txn);
            let begun = self.begun.filter(|(node, ..)| *node == txn.coordinator);
            let attempt = begun.map(|(_, request, attempt)| (request, attempt));
            self.runs.insert(txn, Run { attempt, ..Run::default() });
        }
        self.runs.entry(txn).or_default()
    }

    fn on_attempt(&mut self, hits: &mut Hits, from: NodeId, request: RequestId, attempt: u32) {
        let Some(newest) = self.attempts.get_mut(&request) else { return };
        if attempt > *newest {
            *newest = attempt;
            if attempt > 1 {
                hits.hit(Milestone::REQUEST_RETRIED, from, || Subjects::of(request));
            }
        }
    }

    fn on_ended(
        &mut self,
        hits: &mut Hits,
        from: NodeId,
        request: RequestId,
        attempt: u32,
        end: &AttemptEnd,
    ) {
        let txn = self.runs_of(from).find(|(_, run)| run.attempt == Some((request, attempt)));
        let fenced = txn.is_some_and(|(_, run)| run.fenced);
        let turned_away = txn.is_some_and(|(_, run)| run.turned_away);
        let txn = txn.map(|(txn, _)| *txn);
        let about = || txn.map_or(Subjects::of(request), Subjects::of);
        match end {
            AttemptEnd::Done(_) => return,
            AttemptEnd::Retry(Retry::Conflict) => hits.hit(Milestone::CONFLICT, from, about),
            // With a record and without a transaction it is an old refusal, told again.
            AttemptEnd::Refused { refusal, recorded }
                if is_fenced(*refusal) && !fenced && (txn.is_some() || !recorded) =>
            {
                hits.hit(Milestone::WRITE_FENCED, from, about);
            }
            AttemptEnd::Refused { .. } => {}
            // The coordinator passes on what a participant said.
            AttemptEnd::Retry(Retry::Epoch(_) | Retry::NotReady) if turned_away => {}
            AttemptEnd::Retry(Retry::Epoch(_)) => {
                hits.hit(Milestone::STALE_EPOCH_REFUSED, from, about);
            }
            AttemptEnd::Retry(Retry::NotReady) => {
                hits.hit(Milestone::NOT_READY_REFUSED, from, about);
            }
            AttemptEnd::Retry(Retry::NoAnswer | Retry::Session(_)) => {}
        }
        if let Some(txn) = txn {
            self.on_aborted(hits, from, txn);
        }
    }

    /// A coordinator says that a transaction has aborted: the first time it counts.
    fn on_aborted(&mut self, hits: &mut Hits, from: NodeId, txn: TxnId) {
        if from == txn.coordinator && self.runs.remove(&txn).is_some() {
            hits.hit_txn(Milestone::TRANSACTION_ABORTED, from, txn);
        }
    }

    pub(super) fn txn_on_received(
        &mut self,
        hits: &mut Hits,
        from: NodeId,
        to: NodeId,
        message: &Message,
    ) {
        match message {
            Message::FileRequest(FileRequest::Begin { request, attempt, .. }) => {
                self.begun = Some((to, *request, *attempt));
            }
            Message::Txn(TxnMessage::Ready { txn, .. }) => {
                let Some(run) = self.runs.get_mut(txn) else { return };
                if run.phase == Phase::Preparing && run.takes(from) && run.ready.insert(from) {
                    self.hit_if_all(hits, Milestone::ALL_READY, *txn, |run| &run.ready);
                }
            }
            Message::Txn(TxnMessage::Executed { txn, vote }) => {
                self.on_vote(hits, from, *txn, vote)
            }
            Message::Txn(TxnMessage::Told { txn, known: Known::Committed(_) | Known::Aborted }) => {
                let is_in_doubt = self.in_doubt.slot(to).get(txn) == Some(&false);
                if from != txn.coordinator && is_in_doubt {
                    hits.hit_txn(Milestone::TOLD_BY_PARTICIPANT, to, *txn);
                }
            }
            Message::LockRequest(LockRequest::Release { .. }) => {
                self.release = to == NodeId::CONTROL
            }
            _ => {}
        }
    }

    fn on_vote(&mut self, hits: &mut Hits, from: NodeId, txn: TxnId, vote: &Vote) {
        let Some(run) = self.runs.get_mut(&txn) else { return };
        match vote {
            Vote::Yes(_) => {
                if run.phase == Phase::Voting && run.takes(from) && run.yes.insert(from) {
                    self.hit_if_all(hits, Milestone::ALL_VOTED, txn, |run| &run.yes);
                }
            }
            Vote::No(No::Refused { refusal, .. }) => run.fenced |= is_fenced(*refusal),
            Vote::No(No::Epoch(_) | No::NotReady) => run.turned_away = true,
            Vote::No(No::Answered(_) | No::Conflict | No::Lost) => {}
        }
    }

    fn hit_if_all(
        &mut self,
        hits: &mut Hits,
        milestone: Milestone,
        txn: TxnId,
        of: fn(&Run) -> &BTreeSet<NodeId>,
    ) {
        if self.runs.get(&txn).is_some_and(|run| of(run).len() == run.participants.len()) {
            hits.hit_txn(milestone, txn.coordinator, txn);
        }
    }

    pub(super) fn txn_on_appended(
        &mut self,
        hits: &mut Hits,
        node: NodeId,
        record: &Record,
        model: &Model,
    ) {
        match record {
            Record::Decided(Decided { txn, participants, .. }) => {
                let run = self.run(hits, *txn);
                run.participants = participants.iter().map(|member| member.node).collect();
            }
            Record::Over { txn } => {
                let run = self.runs.remove(txn).map(|run| !run.participants.is_empty());
                let known = model.txns.get(txn).map(|txn| !txn.participants.is_empty());
                if run.or(known).unwrap_or_default() {
                    hits.hit_txn(Milestone::TRANSACTION_OVER, node, *txn);
                }
            }
            Record::Applied { txn, .. } | Record::RolledBack { txn } => {
                if let Some(learnt) = self.in_doubt.slot(node).get_mut(txn) {
                    *learnt = true;
                }
            }
            _ => {}
        }
    }

    pub(super) fn txn_on_durable(
        &mut self,
        hits: &mut Hits,
        node: NodeId,
        record: &Record,
        model: &Model,
    ) {
        match record {
            Record::Decided(Decided { txn, request, .. }) => {
                if let Some(run) = self.runs.get_mut(txn) {
                    run.phase = Phase::Committing;
                }
                hits.hit_txn(Milestone::DECIDED, node, *txn);
                let origin = model.txns.get(txn).and_then(|txn| txn.origin).unwrap_or(*request);
                if let Some(Request::Acquire { .. }) = model.requests.wanted(origin) {
                    hits.hit_txn(Milestone::CLAIM_COMMITTED, node, *txn);
                }
            }
            Record::Voted(Voted { txn, .. }) => {
                self.in_doubt.slot(node).insert(*txn, false);
                hits.hit_txn(Milestone::PARTICIPANT_IN_DOUBT, node, *txn);
            }
            Record::Applied { txn, .. } | Record::RolledBack { txn } => {
                self.in_doubt.slot(node).remove(txn);
            }
            Record::Entered { .. } => self.txn_on_left(hits, node),
            _ => {}
        }
    }

    /// `node` has left an epoch, durably.
    fn txn_on_left(&mut self, hits: &mut Hits, node: NodeId) {
        let undecided = self.in_doubt.slot(node).iter().filter(|(_, learnt)| !**learnt);
        let undecided: Vec<TxnId> = undecided.map(|(txn, _)| *txn).collect();
        for txn in undecided {
            hits.hit_txn(Milestone::EPOCH_LEFT_IN_DOUBT, node, txn);
        }
        let voting = self.runs_of(node).filter(|(_, run)| run.phase == Phase::Voting);
        let voting: Vec<TxnId> = voting.map(|(txn, _)| *txn).collect();
        for txn in voting {
            hits.hit_txn(Milestone::EPOCH_LEFT_UNDECIDED, node, txn);
        }
    }

    pub(super) fn txn_on_crashed(&mut self, hits: &mut Hits, node: NodeId) {
        let runs: Vec<(TxnId, Phase)> =
            self.runs_of(node).map(|(txn, run)| (*txn, run.phase)).collect();
        for (txn, phase) in runs {
            let milestone = match phase {
                Phase::Alone => None,
                Phase::Preparing => Some(Milestone::CRASHED_PREPARING),
                Phase::Voting => Some(Milestone::CRASHED_VOTING),
                Phase::Committing => Some(Milestone::CRASHED_COMMITTING),
            };
            milestone.into_iter().for_each(|milestone| hits.hit_txn(milestone, node, txn));
            if phase != Phase::Committing {
                self.runs.remove(&txn); // its coordinator will know nothing of it
            }
        }
        let in_doubt = std::mem::take(self.in_doubt.slot(node));
        for (txn, _) in in_doubt.iter().filter(|(_, learnt)| !**learnt) {
            hits.hit_txn(Milestone::CRASHED_IN_DOUBT, node, *txn);
        }
        // What it had learnt and not made durable it will have to learn again.
        *self.in_doubt.slot(node) = in_doubt.into_keys().map(|txn| (txn, false)).collect();
        self.attempts.retain(|request, _| request.client != node);
    }

    pub(super) fn on_replied(&mut self, request: RequestId) {
        self.attempts.remove(&request);
    }

    /// The transactions that `node` coordinates and is at work on, and how far each is.
    pub fn coordinated(&self, node: NodeId) -> impl Iterator<Item = (TxnId, Phase)> {
        self.runs_of(node).map(|(txn, run)| (*txn, run.phase))
    }

    /// The transactions that `node` coordinates and is at work on.
    pub(super) fn runs_of(&self, node: NodeId) -> impl Iterator<Item = (&TxnId, &Run)> {
        // A transaction's name begins with its coordinator, so they stand together.
        let (admission, incarnation) = Default::default();
        let first = TxnId { coordinator: node, admission, incarnation, counter: 0 };
        self.runs.range(first..).take_while(move |(txn, _)| txn.coordinator == node)
    }
}

impl Run {
    fn takes(&self, node: NodeId) -> bool {
        self.participants.contains(&node)
    }
}

fn is_fenced(refusal: Refusal) -> bool {
    matches!(refusal, Refusal::Fenced(_))
}

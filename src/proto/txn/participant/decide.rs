//! What a decision does here: commit, abort, and the promise that a refused request gets no yes.

use super::outcomes::End;
use super::{Part, Participant, no_because, send_vote};
use crate::machine::RequestId;
use crate::proto::Timer;
use crate::proto::owner::Answered;
use crate::proto::txn::Turn;
use crate::proto::{
    Admission, Answer, Defect, Epoch, Header, Known, Path, Record, Refusal, TxnId, TxnMessage, Vote,
};

/// What a coordinator asks a participant to decline.
pub(in crate::proto) struct Declining<'a> {
    pub epoch: Epoch,
    pub request: RequestId,
    pub refusal: Refusal,
    /// The paths of the request that the participant owns.
    pub paths: &'a [Path],
}

impl Participant {
    pub fn on_commit(
        &mut self,
        turn: &mut Turn<'_>,
        header: &Header,
        voter: Admission,
        answer: Answer,
    ) {
        let txn = header.txn;
        if voter != turn.standing.admission() {
            // The member that voted is gone with its disk and will never ask for the outcome.
            return turn.out.send(txn.coordinator, TxnMessage::Told { txn, known: Known::Gone });
        }
        self.outcomes.learn_mark(turn.config.defects, header);
        self.commit(turn, txn, answer);
    }

    pub fn on_abort(&mut self, turn: &mut Turn<'_>, header: &Header) {
        self.outcomes.learn_mark(turn.config.defects, header);
        self.abort_unless_left(turn, header.txn);
    }

    /// The coordinator wants a promise that no attempt at the request gets this owner's yes. One
    /// that is in doubt about another attempt cannot give it yet, and the client will try again.
    pub fn on_decline(&mut self, turn: &mut Turn<'_>, header: &Header, declining: Declining<'_>) {
        let txn = header.txn;
        let Declining { epoch, request, refusal, paths } = declining;
        self.outcomes.learn_mark(turn.config.defects, header);
        let had_voted = matches!(self.parts.get(&txn), Some(Part::InDoubt(_)));
        self.abort_unless_left(turn, txn);
        if let Err(closed) = turn.check(epoch, paths) {
            return send_vote(turn, txn, Vote::No(closed.into()));
        }
        if let Some(answered @ Answered::Done(_)) = turn.owner.answers.get(request) {
            return send_vote(turn, txn, Vote::No(no_because(answered)));
        }
        if self.is_in_doubt_about(request) {
            return;
        }
        turn.decline(request, refusal);
        if had_voted {
            // What was promised before may be durable, and the roll-back not.
            turn.out.force(Record::Declined { request, refusal });
        }
        turn.out.send(txn.coordinator, TxnMessage::Declined { txn });
    }

    /// Is it in doubt about an attempt at the request?
    pub fn is_in_doubt_about(&self, request: RequestId) -> bool {
        self.parts.values().any(|part| match part {
            Part::InDoubt(vote) => vote.voted.request == request,
            Part::Waiting(_) | Part::Ready(_) => false,
        })
    }

    /// Takes the word of another machine that the transaction has aborted, unless the node has left
    /// its epoch in doubt about it: its report says that it may commit, and the centre may have
    /// told others so.
    pub(super) fn abort_unless_left(&mut self, turn: &mut Turn<'_>, txn: TxnId) {
        let is_left = match self.parts.get(&txn) {
            Some(Part::InDoubt(vote)) => vote.voted.epoch < turn.standing.epoch(),
            Some(Part::Waiting(_) | Part::Ready(_)) | None => false,
        };
        if !is_left || turn.config.defects.has(Defect::AbortTakenAfterLeaving) {
            self.abort(turn, txn);
        }
    }

    pub(super) fn commit(&mut self, turn: &mut Turn<'_>, txn: TxnId, answer: Answer) {
        let vote = match self.parts.remove(&txn) {
            Some(Part::InDoubt(vote)) => vote,
            // Only one that voted yes can be told to commit, so this is a copy of what was done
            // before.
            Some(part @ (Part::Waiting(_) | Part::Ready(_))) => {
                self.parts.insert(txn, part);
                return;
            }
            None => {
                let known = self.outcomes.has_committed(txn);
                if known || self.outcomes.mark_covers(txn) {
                    turn.out.send(txn.coordinator, TxnMessage::Committed { txn });
                }
                return;
            }
        };
        let request = vote.voted.request;
        turn.timers.cancel(&Timer::Inquire(txn));
        if !turn.config.defects.has(Defect::CommitNotApplied) {
            turn.owner.apply(&vote.voted.changes);
        }
        turn.owner.unpin(txn, None, &vote.paths);
        turn.owner.answers.insert(request, Answered::Done(answer.clone()));
        if !turn.config.defects.has(Defect::OutcomeForgottenByParticipant) {
            self.outcomes.end(txn, End::Committed(answer.clone()));
        }
        turn.out.force(Record::Applied { txn, request, answer });
        turn.out.send(txn.coordinator, TxnMessage::Committed { txn });
    }

    pub(super) fn abort(&mut self, turn: &mut Turn<'_>, txn: TxnId) {
        match self.parts.remove(&txn) {
            Some(Part::InDoubt(vote)) => {
                turn.timers.cancel(&Timer::Inquire(txn));
                turn.owner.unpin(txn, None, &vote.paths);
                turn.out.write_lazily(Record::RolledBack { txn });
            }
            Some(Part::Waiting(prepared) | Part::Ready(prepared)) => {
                self.let_go(turn, txn, &prepared);
            }
            None if self.outcomes.has_committed(txn) => return,
            None if self.outcomes.mark_covers(txn) => return,
            None => {}
        }
        self.outcomes.end(txn, End::Aborted);
    }
}

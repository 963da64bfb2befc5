//! Up to the vote: pins, executes, says yes or no.

use std::sync::Arc;

use super::outcomes::End;
use super::{InDoubt, Part, Participant, Prepared, decline, no_because, send_vote};
use crate::machine::{Incarnation, RequestId};
use crate::proto::Timer;
use crate::proto::owner::Pinned;
use crate::proto::txn::Turn;
use crate::proto::{
    Changes, Defect, Epoch, Header, No, Results, Terms, TxnId, TxnMessage, Vote, Voted, Work,
};

impl Participant {
    pub fn on_prepare(&mut self, turn: &mut Turn<'_>, header: &Header, prepared: Prepared) {
        let txn = header.txn;
        self.outcomes.learn_mark(turn.config.defects, header);
        if self.parts.contains_key(&txn) {
            return; // a copy
        }
        if self.outcomes.is_over(txn) {
            return send_vote(turn, txn, Vote::No(No::Lost));
        }
        if let Err(closed) = turn.check(prepared.epoch, prepared.paths.iter()) {
            return self.vote_no(turn, txn, closed.into());
        }
        let RequestId { client, incarnation, .. } = prepared.terms.request;
        turn.owner.answers.forget_below(client, incarnation, prepared.terms.lowest);
        self.try_to_pin(turn, txn, prepared);
    }

    pub fn on_execute(
        &mut self,
        turn: &mut Turn<'_>,
        header: &Header,
        epoch: Epoch,
        pinned_in: Incarnation,
        work: Work,
    ) {
        let txn = header.txn;
        self.outcomes.learn_mark(turn.config.defects, header);
        match self.parts.remove(&txn) {
            Some(Part::Ready(prepared)) => {
                let closed = turn.check(epoch, prepared.paths.iter()).err().map(No::from);
                let lost = (pinned_in != turn.incarnation).then_some(No::Lost);
                match closed.or(lost) {
                    Some(no) => {
                        self.let_go(turn, txn, &prepared);
                        self.vote_no(turn, txn, no);
                    }
                    None => self.execute(turn, txn, Prepared { work: Some(work), ..prepared }),
                }
            }
            Some(part @ (Part::Waiting(_) | Part::InDoubt(_))) => {
                self.parts.insert(txn, part); // a copy of what has been answered
            }
            None if self.outcomes.is_over(txn) => send_vote(turn, txn, Vote::No(No::Lost)),
            None => self.vote_no(turn, txn, No::Lost),
        }
    }

    /// A transaction that waits for its pins gets another chance, unless the node's lease has ended
    /// meanwhile: with its pins it may vote.
    pub fn on_released(&mut self, turn: &mut Turn<'_>, txn: TxnId) {
        match self.parts.remove(&txn) {
            Some(Part::Waiting(prepared)) => {
                match turn.check(prepared.epoch, prepared.paths.iter()) {
                    Ok(()) => self.try_to_pin(turn, txn, prepared),
                    Err(closed) => {
                        self.let_go(turn, txn, &prepared);
                        self.vote_no(turn, txn, closed.into());
                    }
                }
            }
            Some(part @ (Part::Ready(_) | Part::InDoubt(_))) => {
                self.parts.insert(txn, part);
            }
            None => {}
        }
    }

    /// The coordinator of a transaction that is ready has gone quiet. Nothing was promised: let go.
    pub fn on_ready_timeout(&mut self, turn: &mut Turn<'_>, txn: TxnId) {
        let Some(Part::Ready(prepared)) = self.parts.remove(&txn) else {
            unreachable!("{txn} has a timer as one that is ready");
        };
        self.let_go(turn, txn, &prepared);
        self.outcomes.end(txn, End::VotedNo);
    }

    fn try_to_pin(&mut self, turn: &mut Turn<'_>, txn: TxnId, prepared: Prepared) {
        let age = prepared.terms.age;
        if let Some(answered) = turn.owner.answers.get(prepared.terms.request) {
            turn.owner.unpin(txn, Some(age), &[]);
            return self.vote_no(turn, txn, no_because(answered));
        }
        match turn.owner.pin(turn.config.defects, txn, age, &prepared.paths) {
            Pinned::Conflict => self.vote_no(turn, txn, No::Conflict),
            Pinned::Wait if turn.config.defects.has(Defect::WaitRefused) => {
                self.let_go(turn, txn, &prepared);
                self.vote_no(turn, txn, No::Conflict);
            }
            Pinned::Wait => {
                self.parts.insert(txn, Part::Waiting(prepared));
            }
            Pinned::All if prepared.work.is_some() => self.execute(turn, txn, prepared),
            Pinned::All => {
                let prepared_for = prepared.terms.attempt;
                self.parts.insert(txn, Part::Ready(prepared));
                // Longer than the coordinator waits, which has the first word.
                let patience = turn.vote_patience(prepared_for).times(2);
                turn.timers.set(Timer::Ready(txn), turn.now + patience);
                let ready = TxnMessage::Ready { txn, pinned_in: turn.incarnation };
                turn.out.send(txn.coordinator, ready);
            }
        }
    }

    /// Executes what is pinned, and votes.
    fn execute(&mut self, turn: &mut Turn<'_>, txn: TxnId, prepared: Prepared) {
        turn.timers.cancel(&Timer::Ready(txn));
        // It may have promised since it was ready that no attempt at the request gets its yes.
        if let Some(answered) = turn.owner.answers.get(prepared.terms.request) {
            self.let_go(turn, txn, &prepared);
            return self.vote_no(turn, txn, no_because(answered));
        }
        let work =
            prepared.work.as_ref().expect("Execute, or a Prepare with operations, brought it");
        match turn.execute(work) {
            Ok((changes, results)) => self.vote_yes(turn, txn, prepared, changes, results),
            Err(cannot) => {
                let no = decline(turn, prepared.terms.request, prepared.terms.attempt, cannot);
                self.let_go(turn, txn, &prepared);
                self.vote_no(turn, txn, no);
            }
        }
    }

    fn vote_yes(
        &mut self,
        turn: &mut Turn<'_>,
        txn: TxnId,
        prepared: Prepared,
        changes: Changes,
        results: Results,
    ) {
        let Prepared { terms, paths, .. } = prepared;
        let Terms { request, age, participants, operations, .. } = terms;
        let epoch = turn.standing.epoch();
        let has_pin = |path| turn.owner.pin_of(path).is_some_and(|(_, holder)| holder == txn);
        assert!(paths.iter().all(has_pin), "{txn}: yes without a pin");
        assert!(self.outcomes.get(txn).is_none(), "{txn}: yes after it has ended here");
        if turn.config.defects.has(Defect::ReadOnlyLeavesEarly) && changes.is_empty() {
            turn.owner.unpin(txn, None, &paths);
        }
        let voted = Voted {
            txn,
            epoch,
            request,
            waited: age.waited,
            participants,
            paths: paths.clone(),
            voided: Arc::default(),
            changes,
            results: results.clone(),
            operations,
        };
        let vote = InDoubt { voted, paths, inquiries: 0 };
        let record = vote.record();
        match turn.config.defects.has(Defect::VoteNotForced) {
            true => turn.out.write_lazily(record),
            false => turn.out.force(record),
        }
        send_vote(turn, txn, Vote::Yes(results));
        let before = self.parts.insert(txn, Part::InDoubt(vote));
        assert!(before.is_none(), "{txn}: a second yes, or one beside {before:?}");
        turn.timers.set(Timer::Inquire(txn), turn.now + turn.config.inquiry_interval);
    }

    fn vote_no(&mut self, turn: &mut Turn<'_>, txn: TxnId, no: No) {
        self.outcomes.end(txn, End::VotedNo);
        send_vote(turn, txn, Vote::No(no));
    }
}

//! In doubt: asks for the outcome of a transaction, and tells others that ask.

use super::outcomes::End;
use super::{InDoubt, Part, Participant};
use crate::machine::NodeId;
use crate::proto::Timer;
use crate::proto::txn::Turn;
use crate::proto::{
    Admission, Answer, Defect, Known, Outcome, Record, Results, ToCentre, TxnId, TxnMessage,
    Verdict,
};

impl Participant {
    /// Another participant asks; the coordinator itself is asked elsewhere.
    pub fn on_inquire(&mut self, turn: &mut Turn<'_>, from: NodeId, txn: TxnId, asked: Admission) {
        if asked != turn.standing.admission() {
            return; // what it knew was on the disk that this node had before
        }
        let known = match (self.parts.get(&txn), self.outcomes.get(txn)) {
            (Some(Part::InDoubt(_)), _) => Known::Undecided,
            (_, Some(End::Committed(answer))) => Known::Committed(answer.clone()),
            (_, Some(End::Aborted)) => Known::Aborted,
            _ if self.outcomes.mark_covers(txn) => Known::Aborted,
            (Some(Part::Waiting(_) | Part::Ready(_)) | None, Some(End::VotedNo) | None) => {
                self.promise(turn, txn);
                Known::Aborted
            }
        };
        turn.out.send(from, TxnMessage::Told { txn, known });
    }

    pub fn on_told(&mut self, turn: &mut Turn<'_>, txn: TxnId, known: &Known) {
        if !matches!(self.parts.get(&txn), Some(Part::InDoubt(_))) {
            return;
        }
        match known {
            Known::Committed(answer) => self.commit(turn, txn, answer.clone()),
            Known::Aborted => self.abort_unless_left(turn, txn),
            Known::Undecided | Known::Gone => {}
        }
    }

    /// The centre says how a transaction ends whose epoch the node has left.
    pub fn on_resolved(&mut self, turn: &mut Turn<'_>, txn: TxnId, verdict: &Verdict) {
        let Some(Part::InDoubt(vote)) = self.parts.get(&txn) else { return };
        match verdict {
            Verdict::Committed(results) => {
                let answer = vote.put_together(results);
                self.commit(turn, txn, answer);
            }
            Verdict::Aborted => self.abort(turn, txn),
        }
    }

    /// In doubt for too long: ask the coordinator, from the second time on all participants as
    /// well, and the centre if the epoch is left.
    pub fn on_inquiry_time(&mut self, turn: &mut Turn<'_>, txn: TxnId) {
        let Some(Part::InDoubt(vote)) = self.parts.get_mut(&txn) else {
            unreachable!("{txn} has a timer as one in doubt");
        };
        if turn.config.defects.has(Defect::AbortWhileInDoubt) && vote.inquiries == 2 {
            return self.abort(turn, txn);
        }
        let ask = |asked| TxnMessage::Inquire { txn, asked };
        turn.out.send(txn.coordinator, ask(txn.admission));
        if vote.inquiries > 0 {
            for other in vote.voted.participants.iter().filter(|other| other.node != turn.id) {
                turn.out.send(other.node, ask(other.admission));
            }
        }
        if vote.voted.epoch < turn.standing.epoch() {
            let (admission, epoch) = (turn.standing.admission(), vote.voted.epoch);
            let participants = vote.voted.participants.clone();
            let resolve = ToCentre::Resolve { admission, txn, epoch, participants };
            turn.out.send(NodeId::CONTROL, resolve);
        }
        vote.inquiries += 1;
        let pause = turn.config.inquiry_interval.times(1 << vote.inquiries.min(3));
        turn.timers.set(Timer::Inquire(txn), turn.now + pause);
    }

    /// Starts to ask about everything that the log left in doubt.
    pub fn on_start(&mut self, turn: &mut Turn<'_>) {
        for (txn, _) in self.parts.iter() {
            turn.timers.set(Timer::Inquire(*txn), turn.now);
        }
    }

    /// Gives the coordinator's transaction up for ever, so that others need not wait for it.
    fn promise(&mut self, turn: &mut Turn<'_>, txn: TxnId) {
        match self.parts.remove(&txn) {
            Some(Part::Waiting(prepared) | Part::Ready(prepared)) => {
                self.let_go(turn, txn, &prepared);
            }
            Some(Part::InDoubt(_)) => unreachable!("{txn}: a promise against its own yes"),
            None => {}
        }
        let record = Record::Promised { txn };
        match turn.config.defects.has(Defect::AbortToldBeforeItIsDurable) {
            true => turn.out.write_lazily(record),
            false => turn.out.force(record),
        }
        self.outcomes.end(txn, End::Aborted);
    }
}

impl InDoubt {
    /// The whole answer, of what is reported and what this vote said. The outcome of an
    /// operation that only a lost disk knew is lost.
    fn put_together(&self, reported: &Results) -> Answer {
        let mut answer = vec![Outcome::Lost; usize::from(self.voted.operations)];
        for (place, outcome) in reported.iter().chain(self.voted.results.iter()) {
            answer[usize::from(*place)] = outcome.clone();
        }
        answer.into()
    }
}

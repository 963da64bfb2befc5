//! What is decided: the commit point, the decision told until all have acknowledged it, and what
//! the log says of both.

use super::{Collecting, Committing, Coordinator, end_attempt, end_because};
use crate::machine::NodeId;
use crate::proto::Timer;
use crate::proto::owner::{Answered, Owner};
use crate::proto::txn::Turn;
use crate::proto::{
    Answer, AttemptEnd, Changes, Decided, Defect, Defects, Known, Member, Open, Outcome, Record,
    Refusal, Results, Retry, TxnId, TxnMessage,
};

impl Coordinator {
    /// All voted yes. The record is the commit point: client and participants hear only once it is
    /// durable.
    pub(super) fn commit(&mut self, turn: &mut Turn<'_>, txn: TxnId, collecting: Collecting) {
        // The record is also the vote of the coordinator's own part, if it has one.
        let closed = turn.check(collecting.epoch, collecting.own_paths.iter()).err();
        if let Some(closed) = closed.filter(|_| !collecting.own_paths.is_empty()) {
            return self.abort(turn, txn, collecting, None, end_because(closed.into()));
        }
        // Meanwhile it may have promised another attempt's coordinator that none gets its yes.
        // That its client has given the request up is no reason to abort.
        let answered = turn.owner.answers.get(collecting.attempt.request);
        if answered
            .is_some_and(|of| matches!(of, Answered::Declined(why) if why != Refusal::Forgotten))
        {
            let end = AttemptEnd::Retry(Retry::NoAnswer);
            return self.abort(turn, txn, collecting, None, end);
        }
        turn.timers.cancel(&Timer::Collect(txn));
        let Collecting { attempt, epoch, participants, own_paths, own, voted, .. } = collecting;
        let has_voted = |member: &Member| voted.contains_key(&member.node);
        assert!(participants.iter().all(has_voted), "{txn}: decided before every vote is in");
        let has_pin = |path| turn.owner.pin_of(path).is_some_and(|(_, holder)| holder == txn);
        assert!(own_paths.iter().all(has_pin), "{txn}: decided without a pin");
        let (changes, own_results) = own.expect("its own part was executed before it asked");
        let answer = merge(attempt.operations.len(), &own_results, voted.values());
        let request = attempt.request;
        let decided = Decided { txn, epoch, request, participants, changes, answer };
        let record = Record::Decided(decided.clone());
        match turn.config.defects.has(Defect::DecisionNotForced) {
            true => turn.out.write_lazily(record),
            false => turn.out.force(record),
        }
        turn.owner.apply(&decided.changes);
        turn.owner.unpin(txn, None, &own_paths);
        turn.owner.answers.insert(request, Answered::Done(decided.answer.clone()));
        end_attempt(turn, &attempt, AttemptEnd::Done(decided.answer.clone()));
        let committing = Committing::of(decided);
        let none_awaited = committing.awaited.is_empty();
        let before = self.committing.insert(txn, committing);
        assert!(before.is_none() || !turn.config.defects.is_empty(), "{txn}: decided twice");
        match none_awaited {
            true => self.finish(turn, txn),
            false => self.on_resend_time(turn, txn),
        }
    }

    pub fn on_committed(&mut self, turn: &mut Turn<'_>, from: NodeId, txn: TxnId) {
        let Some(committing) = self.committing.get_mut(&txn) else { return };
        if turn.config.defects.has(Defect::AcknowledgementIgnored) {
            return;
        }
        committing.awaited.retain(|member| member.node != from);
        let forgets_early = turn.config.defects.has(Defect::ForgetCommitAfterFirstAck);
        if committing.awaited.is_empty() || forgets_early {
            self.finish(turn, txn);
        }
    }

    /// A participant that voted is gone with its disk: no machine will ever ask in its name.
    pub fn on_gone(&mut self, turn: &mut Turn<'_>, from: NodeId, txn: TxnId) {
        self.on_committed(turn, from, txn);
    }

    /// Repeats a decision that not all have acknowledged.
    pub fn on_resend_time(&mut self, turn: &mut Turn<'_>, txn: TxnId) {
        let header = self.header(turn.config.defects, txn);
        let committing = self.committing.get_mut(&txn).expect("what is repeated is decided");
        // One that is given up never acknowledges, and asks nothing when its lease is over. That is
        // so when the view that names it is in force.
        if turn.standing.is_in_force(turn.config, turn.now) {
            committing.awaited.retain(|member| !turn.standing.is_given_up(*member));
        }
        if committing.awaited.is_empty() {
            return self.finish(turn, txn);
        }
        for &Member { node, admission: voter } in &committing.awaited {
            let (header, answer) = (header.clone(), committing.decided.answer.clone());
            turn.out.send(node, TxnMessage::Commit { header, voter, answer });
        }
        committing.repeats += 1;
        let pause = turn.config.inquiry_interval.times(1 << committing.repeats.min(3));
        turn.timers.set(Timer::Resend(txn), turn.now + pause);
    }

    /// Repeats every decision that the log holds and that is not over.
    pub fn on_start(&mut self, turn: &mut Turn<'_>) {
        let unfinished: Vec<TxnId> = self.committing.keys().copied().collect();
        for txn in unfinished {
            // One whose `Over` was lost and that awaits no participant is over.
            match self.committing[&txn].awaited.is_empty() {
                true => self.finish(turn, txn),
                false => turn.timers.set(Timer::Resend(txn), turn.now),
            }
        }
    }

    /// A participant in doubt asks.
    pub fn on_inquire(&mut self, turn: &mut Turn<'_>, from: NodeId, txn: TxnId) {
        if txn.begun_by() != turn.member() {
            return; // its outcome was on the disk that this node had before
        }
        let known = match self.committing.get(&txn) {
            Some(committing) => Known::Committed(committing.decided.answer.clone()),
            None if self.collecting.contains_key(&txn) => Known::Undecided,
            None => Known::Aborted,
        };
        turn.out.send(from, TxnMessage::Told { txn, known });
    }

    /// The transactions that are decided and not over.
    pub fn open(&self) -> impl Iterator<Item = Open> + '_ {
        self.committing.iter().map(|(&txn, committing)| Open {
            txn,
            results: (0..=u8::MAX).zip(committing.decided.answer.iter().cloned()).collect(),
        })
    }

    fn finish(&mut self, turn: &mut Turn<'_>, txn: TxnId) {
        self.committing.remove(&txn);
        turn.timers.cancel(&Timer::Resend(txn));
        turn.out.write_lazily(Record::Over { txn });
    }
}

/// Recovery and checkpoints.
impl Coordinator {
    /// Takes over what one record says.
    pub fn replay(&mut self, defects: Defects, owner: &mut Owner, record: &Record) {
        match record {
            Record::Decided(decided) => {
                let txn = decided.txn;
                owner.apply(&decided.changes);
                owner.answers.insert(decided.request, Answered::Done(decided.answer.clone()));
                let before = self.committing.insert(txn, Committing::of(decided.clone()));
                assert!(before.is_none() || !defects.is_empty(), "{txn}: decided twice");
            }
            Record::Over { txn } => {
                let before = self.committing.remove(txn);
                assert!(before.is_some() || !defects.is_empty(), "{txn}: over without a decision");
            }
            // The participant's.
            Record::Voted(_) | Record::Promised { .. } | Record::Applied { .. } => {}
            Record::RolledBack { .. } | Record::Settled { .. } | Record::Mark { .. } => {}
            // The node's own, in the same log.
            Record::Born { .. } | Record::Entered { .. } | Record::Complete { .. } => {}
            Record::Reset { .. } | Record::GaveUp { .. } | Record::Pulled { .. } => {}
            Record::Stored { .. } | Record::Answered { .. } | Record::Declined { .. } => {}
            Record::Forgotten { .. } => {}
            // Of the central node.
            Record::Queued { .. } | Record::Granted { .. } | Record::Left { .. } => {}
            Record::LockOver { .. } | Record::LastToken { .. } | Record::Admitted { .. } => {}
            Record::Recorded { .. } | Record::Lost { .. } | Record::Wanted { .. } => {}
            Record::Announced { .. } | Record::Activated { .. } | Record::Converged { .. } => {}
            Record::LossAccepted { .. } | Record::LongestLease { .. } => {}
        }
    }

    /// The records that give this state again; what was decided is stored already.
    pub fn snapshot(&self, records: &mut Vec<Record>) {
        let all = self.committing.values();
        records.extend(all.map(|committing| Record::Decided(committing.decided.clone())));
    }
}

impl Committing {
    /// Every participant is yet to acknowledge it.
    fn of(decided: Decided) -> Committing {
        let awaited = decided.participants.iter().copied().collect();
        let decided = Decided { changes: Changes::default(), ..decided };
        Committing { decided, awaited, repeats: 0 }
    }
}

/// The whole answer; every owner of a path gives the same outcome for an operation on it, so any
/// will do.
fn merge<'a>(
    operations: usize,
    own: &'a Results,
    others: impl Iterator<Item = &'a Results>,
) -> Answer {
    let mut answer = vec![Outcome::Changed(Default::default()); operations];
    for results in others.chain([own]) {
        for (place, outcome) in results.iter() {
            answer[usize::from(*place)] = outcome.clone();
        }
    }
    answer.into()
}

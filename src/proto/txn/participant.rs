//! The participant of a transaction: pins, votes, and then does what was decided.
//!
//! ```text
//!            Prepare              Prepare/Execute: force Voted
//!  unknown ----------> waiting -> ready ----------------------> in doubt --Commit: force Applied--> committed
//!     |  an older has the path |    | time-out, Abort,             |
//!     |  -> no                 |    | asked by another             +--Abort: Voted is void----------> aborted
//!     +------------------------+----+-----------------------------------------------------------> aborted
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Turn;
use crate::proto::owner::{Answered, CannotExecute, Owner, Pinned};
use crate::proto::timers::Timer;
use crate::proto::{
    Age, Answer, Changes, Config, Defect, Epoch, Header, Incarnation, Known, LowWater, Message, No,
    NodeId, Path, Record, RequestId, Results, Terms, Time, TxnId, Vote, Work,
};

/// All transactions in which this node is a participant and not the coordinator.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(in crate::proto) struct Participant {
    parts: BTreeMap<TxnId, Part>,
    outcomes: BTreeMap<TxnId, Outcome>,
    marks: BTreeMap<NodeId, LowWater>,
}

/// A transaction that is under way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Part {
    /// Wants pins.
    Waiting(Prepared),
    /// Has its pins; nothing is promised.
    Ready(Prepared),
    /// Has voted yes.
    InDoubt(InDoubt),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Prepared {
    terms: Terms,
    paths: Arc<[Path]>,
    work: Option<Work>,
}

/// The vote, as it stands in the log, and how often the decision was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct InDoubt {
    request: RequestId,
    participants: Arc<[NodeId]>,
    paths: Arc<[Path]>,
    changes: Changes,
    results: Results,
    inquiries: u32,
}

/// A transaction that is over here.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Outcome {
    Committed(Answer),
    /// By the decision, or by a promise that is forced.
    Aborted,
    /// This node's own no, which a crash would make it forget.
    VotedNo,
}

impl Participant {
    pub fn on_prepare(
        &mut self,
        turn: &mut Turn<'_>,
        header: Header,
        epoch: Epoch,
        terms: Terms,
        paths: Arc<[Path]>,
        work: Option<Work>,
    ) {
        let txn = header.txn;
        self.learn_mark(&header);
        if self.parts.contains_key(&txn) {
            return; // a copy
        }
        let owned = || paths.iter().all(|path| turn.config.ring().owns(turn.id, path));
        if self.is_over(txn) {
            return send_vote(turn, txn, Vote::No(No::Lost));
        }
        if epoch != Config::EPOCH || !owned() {
            return self.vote_no(turn, txn, No::Epoch(Config::EPOCH));
        }
        let RequestId { client, incarnation, .. } = terms.request;
        turn.owner.answers.forget_below(client, incarnation, terms.lowest);
        self.try_to_pin(turn, txn, Prepared { terms, paths, work });
    }

    pub fn on_execute(
        &mut self,
        turn: &mut Turn<'_>,
        header: Header,
        epoch: Epoch,
        pinned_in: Incarnation,
        work: Work,
    ) {
        let txn = header.txn;
        self.learn_mark(&header);
        match self.parts.remove(&txn) {
            Some(Part::Ready(prepared))
                if epoch == Config::EPOCH && pinned_in == turn.incarnation =>
            {
                self.execute(turn, txn, Prepared { work: Some(work), ..prepared });
            }
            Some(Part::Ready(prepared)) => {
                self.let_go(turn, txn, &prepared);
                self.vote_no(turn, txn, No::Lost);
            }
            Some(part @ (Part::Waiting(_) | Part::InDoubt(_))) => {
                self.parts.insert(txn, part); // a copy of what has been answered
            }
            None if self.is_over(txn) => send_vote(turn, txn, Vote::No(No::Lost)),
            None => self.vote_no(turn, txn, No::Lost),
        }
    }

    pub fn on_commit(&mut self, turn: &mut Turn<'_>, header: &Header, answer: Answer) {
        self.learn_mark(header);
        self.commit(turn, header.txn, answer);
    }

    pub fn on_abort(&mut self, turn: &mut Turn<'_>, header: &Header) {
        self.learn_mark(header);
        self.abort(turn, header.txn);
    }

    /// Another participant asks; the coordinator itself is asked elsewhere.
    pub fn on_inquire(&mut self, turn: &mut Turn<'_>, from: NodeId, txn: TxnId) {
        let known = match (self.parts.get(&txn), self.outcomes.get(&txn)) {
            (Some(Part::InDoubt(_)), _) => Known::Undecided,
            (_, Some(Outcome::Committed(answer))) => Known::Committed(answer.clone()),
            (_, Some(Outcome::Aborted)) => Known::Aborted,
            _ if self.mark_covers(txn) => Known::Aborted,
            (Some(Part::Waiting(_) | Part::Ready(_)) | None, Some(Outcome::VotedNo) | None) => {
                self.promise(turn, txn);
                Known::Aborted
            }
        };
        turn.out.send(from, Message::Told { txn, known });
    }

    pub fn on_told(&mut self, turn: &mut Turn<'_>, txn: TxnId, known: Known) {
        if !matches!(self.parts.get(&txn), Some(Part::InDoubt(_))) {
            return;
        }
        match known {
            Known::Committed(answer) => self.commit(turn, txn, answer),
            Known::Aborted => self.abort(turn, txn),
            Known::Undecided => {}
        }
    }

    /// A transaction that waits for its pins gets another chance.
    pub fn on_released(&mut self, turn: &mut Turn<'_>, txn: TxnId) {
        match self.parts.remove(&txn) {
            Some(Part::Waiting(prepared)) => self.try_to_pin(turn, txn, prepared),
            Some(part @ (Part::Ready(_) | Part::InDoubt(_))) => {
                self.parts.insert(txn, part);
            }
            None => {}
        }
    }

    /// The coordinator of a transaction that is ready has gone quiet. Nothing was promised: let go.
    pub fn on_ready_timeout(&mut self, turn: &mut Turn<'_>, txn: TxnId) {
        if let Some(Part::Ready(prepared)) = self.parts.remove(&txn) {
            self.let_go(turn, txn, &prepared);
            self.outcomes.insert(txn, Outcome::VotedNo);
        }
    }

    /// In doubt for too long: ask the coordinator, and from the second time on everyone.
    pub fn on_inquiry_time(&mut self, turn: &mut Turn<'_>, txn: TxnId) {
        let Some(Part::InDoubt(vote)) = self.parts.get_mut(&txn) else { return };
        if turn.config.defects.has(Defect::AbortWhileInDoubt) && vote.inquiries == 2 {
            return self.abort(turn, txn);
        }
        turn.out.send(txn.coordinator, Message::Inquire { txn });
        if vote.inquiries > 0 {
            for &other in vote.participants.iter().filter(|other| **other != turn.id) {
                turn.out.send(other, Message::Inquire { txn });
            }
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

    fn try_to_pin(&mut self, turn: &mut Turn<'_>, txn: TxnId, prepared: Prepared) {
        let age = prepared.terms.age;
        if let Some(answered) = turn.owner.answers.get(prepared.terms.request) {
            turn.owner.unpin(txn, Some(age), &[]);
            return self.vote_no(turn, txn, no_because(answered));
        }
        match turn.owner.pin(txn, age, &prepared.paths) {
            Pinned::Conflict => self.vote_no(turn, txn, No::Conflict),
            Pinned::Wait => {
                self.parts.insert(txn, Part::Waiting(prepared));
            }
            Pinned::All if prepared.work.is_some() => self.execute(turn, txn, prepared),
            Pinned::All => {
                self.parts.insert(txn, Part::Ready(prepared));
                // Longer than the coordinator waits, which has the first word.
                let patience = turn.config.vote_timeout.times(2);
                turn.timers.set(Timer::Ready(txn), turn.now + patience);
                let ready = Message::Ready { txn, pinned_in: turn.incarnation };
                turn.out.send(txn.coordinator, ready);
            }
        }
    }

    /// Executes what is pinned, and votes.
    fn execute(&mut self, turn: &mut Turn<'_>, txn: TxnId, prepared: Prepared) {
        turn.timers.cancel(&Timer::Ready(txn));
        let work =
            prepared.work.as_ref().expect("Execute, or a Prepare with operations, brought it");
        match turn.owner.execute(work) {
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
        let Prepared { terms: Terms { request, participants, .. }, paths, .. } = prepared;
        if turn.config.defects.has(Defect::ReadOnlyLeavesEarly) && changes.is_empty() {
            turn.owner.unpin(txn, None, &paths);
        }
        let record = Record::Voted {
            txn,
            request,
            participants: participants.clone(),
            paths: paths.clone(),
            changes: changes.clone(),
            results: results.clone(),
        };
        match turn.config.defects.has(Defect::VoteNotForced) {
            true => turn.out.write_lazily(record),
            false => turn.out.force(record),
        }
        send_vote(turn, txn, Vote::Yes(results.clone()));
        let vote = InDoubt { request, participants, paths, changes, results, inquiries: 0 };
        self.parts.insert(txn, Part::InDoubt(vote));
        turn.timers.set(Timer::Inquire(txn), turn.now + turn.config.inquiry_interval);
    }

    fn vote_no(&mut self, turn: &mut Turn<'_>, txn: TxnId, no: No) {
        self.outcomes.insert(txn, Outcome::VotedNo);
        send_vote(turn, txn, Vote::No(no));
    }

    fn commit(&mut self, turn: &mut Turn<'_>, txn: TxnId, answer: Answer) {
        match self.parts.get(&txn) {
            Some(Part::InDoubt(_)) => {}
            // Only one who voted yes can be told to commit, so this is a copy of what was done
            // before.
            Some(Part::Waiting(_) | Part::Ready(_)) => return,
            None => {
                let known = matches!(self.outcomes.get(&txn), Some(Outcome::Committed(_)));
                if known || self.mark_covers(txn) {
                    turn.out.send(txn.coordinator, Message::Committed { txn });
                }
                return;
            }
        }
        let Some(Part::InDoubt(vote)) = self.parts.remove(&txn) else { return };
        let request = vote.request;
        turn.timers.cancel(&Timer::Inquire(txn));
        turn.owner.apply(&vote.changes);
        turn.owner.unpin(txn, None, &vote.paths);
        turn.owner.answers.insert(request, Answered::Done(answer.clone()));
        if !turn.config.defects.has(Defect::OutcomeForgottenByParticipant) {
            self.outcomes.insert(txn, Outcome::Committed(answer.clone()));
        }
        turn.out.force(Record::Applied { txn, request, answer });
        turn.out.send(txn.coordinator, Message::Committed { txn });
    }

    fn abort(&mut self, turn: &mut Turn<'_>, txn: TxnId) {
        match self.parts.remove(&txn) {
            Some(Part::InDoubt(vote)) => {
                turn.timers.cancel(&Timer::Inquire(txn));
                turn.owner.unpin(txn, None, &vote.paths);
                turn.out.write_lazily(Record::RolledBack { txn });
            }
            Some(Part::Waiting(prepared) | Part::Ready(prepared)) => {
                self.let_go(turn, txn, &prepared);
            }
            None if matches!(self.outcomes.get(&txn), Some(Outcome::Committed(_))) => return,
            None if self.mark_covers(txn) => return,
            None => {}
        }
        self.outcomes.insert(txn, Outcome::Aborted);
    }

    /// Gives the coordinator's transaction up for ever, so that others need not wait for it.
    fn promise(&mut self, turn: &mut Turn<'_>, txn: TxnId) {
        if let Some(Part::Waiting(prepared) | Part::Ready(prepared)) = self.parts.remove(&txn) {
            self.let_go(turn, txn, &prepared);
        }
        let record = Record::Promised { txn };
        match turn.config.defects.has(Defect::NoToldBeforeItIsDurable) {
            true => turn.out.write_lazily(record),
            false => turn.out.force(record),
        }
        self.outcomes.insert(txn, Outcome::Aborted);
    }

    fn let_go(&mut self, turn: &mut Turn<'_>, txn: TxnId, prepared: &Prepared) {
        turn.timers.cancel(&Timer::Ready(txn));
        turn.owner.unpin(txn, Some(prepared.terms.age), &prepared.paths);
    }

    fn is_over(&self, txn: TxnId) -> bool {
        self.outcomes.contains_key(&txn) || self.mark_covers(txn)
    }

    fn mark_covers(&self, txn: TxnId) -> bool {
        self.marks.get(&txn.coordinator).is_some_and(|mark| mark.covers(txn))
    }

    /// Forgets the outcomes that the coordinator's low-water mark has passed.
    fn learn_mark(&mut self, header: &Header) {
        let TxnId { coordinator, admission, .. } = header.txn;
        let known = self.marks.entry(coordinator).or_default();
        if header.low_water <= *known {
            return;
        }
        let (old, new) = (std::mem::replace(known, header.low_water), header.low_water);
        let at = |mark: LowWater| TxnId {
            coordinator,
            admission,
            incarnation: mark.incarnation,
            counter: mark.counter,
        };
        while let Some((&txn, _)) = self.outcomes.range(at(old)..=at(new)).next() {
            self.outcomes.remove(&txn);
        }
    }
}

/// Recovery and checkpoints.
impl Participant {
    /// Takes over what one record says.
    pub fn replay(&mut self, config: &Config, owner: &mut Owner, record: &Record) {
        match record {
            Record::Voted { txn, request, participants, paths, changes, results } => {
                let holds_pins = !config.defects.has(Defect::RecoveryWithoutPins);
                if holds_pins {
                    owner.pin(*txn, pinned_before(*request), paths);
                }
                let vote = InDoubt {
                    request: *request,
                    participants: participants.clone(),
                    paths: paths.clone(),
                    changes: changes.clone(),
                    results: results.clone(),
                    inquiries: 0,
                };
                self.parts.insert(*txn, Part::InDoubt(vote));
            }
            Record::Applied { txn, request, answer } => {
                if let Some(Part::InDoubt(vote)) = self.parts.remove(txn) {
                    owner.apply(&vote.changes);
                    owner.unpin(*txn, None, &vote.paths);
                }
                owner.answers.insert(*request, Answered::Done(answer.clone()));
                self.outcomes.insert(*txn, Outcome::Committed(answer.clone()));
            }
            Record::RolledBack { txn } => {
                if let Some(Part::InDoubt(vote)) = self.parts.remove(txn) {
                    owner.unpin(*txn, None, &vote.paths);
                }
                self.outcomes.insert(*txn, Outcome::Aborted);
            }
            Record::Promised { txn } => {
                self.outcomes.insert(*txn, Outcome::Aborted);
            }
            Record::Settled { txn, answer } => {
                let outcome = answer.clone().map_or(Outcome::Aborted, Outcome::Committed);
                self.outcomes.insert(*txn, outcome);
            }
            Record::Mark { coordinator, low_water } => {
                self.marks.insert(*coordinator, *low_water);
            }
            Record::Born { .. } | Record::Declined { .. } | Record::Decided { .. } => {}
            Record::Over { .. } | Record::Stored { .. } | Record::Answered { .. } => {}
            Record::Forgotten { .. } | Record::Queued { .. } | Record::Granted { .. } => {}
            Record::Left { .. } | Record::LockOver { .. } | Record::LastToken { .. } => {}
        }
    }

    /// The records that give this state again.
    pub fn snapshot(&self, records: &mut Vec<Record>) {
        for (&coordinator, &low_water) in &self.marks {
            records.push(Record::Mark { coordinator, low_water });
        }
        for (&txn, outcome) in &self.outcomes {
            match outcome {
                Outcome::Committed(answer) => {
                    records.push(Record::Settled { txn, answer: Some(answer.clone()) });
                }
                Outcome::Aborted => records.push(Record::Settled { txn, answer: None }),
                Outcome::VotedNo => {}
            }
        }
        for (&txn, part) in &self.parts {
            if let Part::InDoubt(vote) = part {
                records.push(Record::Voted {
                    txn,
                    request: vote.request,
                    participants: vote.participants.clone(),
                    paths: vote.paths.clone(),
                    changes: vote.changes.clone(),
                    results: vote.results.clone(),
                });
            }
        }
    }
}

/// The age of a pin that was taken in an earlier life: older than everything, so whoever meets it
/// is refused and tries again.
fn pinned_before(request: RequestId) -> Age {
    Age { first_attempt: Time::ZERO, request }
}

fn send_vote(turn: &mut Turn<'_>, txn: TxnId, vote: Vote) {
    turn.out.send(txn.coordinator, Message::Executed { txn, vote });
}

/// What a vote says of a request that is answered already.
pub(in crate::proto) fn no_because(answered: Answered) -> No {
    match answered {
        Answered::Done(answer) => No::Answered(answer),
        Answered::Declined(refusal) => No::Refused { refusal, recorded: true },
    }
}

/// Refuses a request as an owner. A refusal of any attempt but the first is forced under the
/// request's id, because an earlier attempt may still be on its way, and the client can only
/// believe what holds for that too.
pub(in crate::proto) fn decline(
    turn: &mut Turn<'_>,
    request: RequestId,
    attempt: u32,
    cannot: CannotExecute,
) -> No {
    let refusal = match cannot {
        CannotExecute::Moved => return No::Conflict,
        CannotExecute::Refused(refusal) => refusal,
    };
    let recorded = attempt > 1;
    if recorded {
        turn.owner.answers.insert(request, Answered::Declined(refusal));
        turn.out.force(Record::Declined { request, refusal });
    }
    No::Refused { refusal, recorded }
}

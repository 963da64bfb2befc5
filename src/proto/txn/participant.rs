//! The participant of a transaction: pins, votes, and then does what was decided.
//!
//! ```text
//!            Prepare              Prepare/Execute: force Voted
//!  unknown ----------> waiting -> ready ----------------------> in doubt --Commit: force Applied--> committed
//!     |  an older has the path |    | time-out, Abort,             |
//!     |  -> no                 |    | asked by another             +--Abort: Voted is void----------> aborted
//!     +------------------------+----+-----------------------------------------------------------> aborted
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Turn;
use crate::machine::{Incarnation, NodeId, RequestId, Span};
use crate::proto::Timer;
use crate::proto::owner::{Answered, CannotExecute, Owner, Pinned};
use crate::proto::{
    Admission, Age, Answer, Changes, Config, Defect, Defects, Epoch, Header, Known, LowWater,
    Member, Membership, Message, No, Open, Outcome, Path, Record, Refusal, Results, Terms, TxnId,
    Verdict, Vote, Work,
};

/// All transactions in which this node is a participant and not the coordinator.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(in crate::proto) struct Participant {
    parts: BTreeMap<TxnId, Part>,
    outcomes: BTreeMap<TxnId, End>,
    marks: BTreeMap<Member, LowWater>,
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
    epoch: Epoch,
    terms: Terms,
    paths: Arc<[Path]>,
    work: Option<Work>,
}

/// The vote, as it stands in the log, and how often the decision was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct InDoubt {
    epoch: Epoch,
    request: RequestId,
    waited: Span,
    participants: Arc<[Member]>,
    /// What it was for.
    asked: Arc<[Path]>,
    /// What it still pins.
    paths: Arc<[Path]>,
    changes: Changes,
    results: Results,
    operations: u8,
    inquiries: u32,
}

/// A transaction that is over here.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum End {
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
        header: &Header,
        epoch: Epoch,
        terms: Terms,
        paths: Arc<[Path]>,
        work: Option<Work>,
    ) {
        let txn = header.txn;
        self.learn_mark(turn, header);
        if self.parts.contains_key(&txn) {
            return; // a copy
        }
        if self.is_over(txn) {
            return send_vote(turn, txn, Vote::No(No::Lost));
        }
        if let Err(closed) = turn.check(epoch, paths.iter()) {
            return self.vote_no(turn, txn, closed.into());
        }
        let RequestId { client, incarnation, .. } = terms.request;
        turn.owner.answers.forget_below(client, incarnation, terms.lowest);
        self.try_to_pin(turn, txn, Prepared { epoch, terms, paths, work });
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
        self.learn_mark(turn, header);
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
            None if self.is_over(txn) => send_vote(turn, txn, Vote::No(No::Lost)),
            None => self.vote_no(turn, txn, No::Lost),
        }
    }

    pub fn on_commit(
        &mut self,
        turn: &mut Turn<'_>,
        header: &Header,
        voter: Admission,
        answer: Answer,
    ) {
        let txn = header.txn;
        if voter != turn.standing.admission() {
            // Whoever voted is gone with its disk and will never ask what became of it.
            return turn.out.send(txn.coordinator, Message::Told { txn, known: Known::Gone });
        }
        self.learn_mark(turn, header);
        self.commit(turn, txn, answer);
    }

    pub fn on_abort(&mut self, turn: &mut Turn<'_>, header: &Header) {
        self.learn_mark(turn, header);
        self.abort_unless_left(turn, header.txn);
    }

    /// The coordinator wants a promise that no attempt at the request gets this owner's yes. One
    /// that is in doubt about another attempt cannot give it yet, and the client will try again.
    pub fn on_decline(
        &mut self,
        turn: &mut Turn<'_>,
        header: &Header,
        epoch: Epoch,
        (request, refusal): (RequestId, Refusal),
        paths: &[Path],
    ) {
        let txn = header.txn;
        self.learn_mark(turn, header);
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
        turn.out.send(txn.coordinator, Message::Declined { txn });
    }

    /// Is it in doubt about an attempt at the request?
    pub fn is_in_doubt_about(&self, request: RequestId) -> bool {
        self.parts.values().any(|part| match part {
            Part::InDoubt(vote) => vote.request == request,
            Part::Waiting(_) | Part::Ready(_) => false,
        })
    }

    /// Takes the word of another machine that the transaction has aborted, unless the node has left
    /// its epoch in doubt about it: its report says that it may commit, and the centre may have
    /// told others so.
    fn abort_unless_left(&mut self, turn: &mut Turn<'_>, txn: TxnId) {
        let is_left = match self.parts.get(&txn) {
            Some(Part::InDoubt(vote)) => vote.epoch < turn.standing.epoch(),
            Some(Part::Waiting(_) | Part::Ready(_)) | None => false,
        };
        if !is_left || turn.config.defects.has(Defect::AbortTakenAfterLeaving) {
            self.abort(turn, txn);
        }
    }

    /// Another participant asks; the coordinator itself is asked elsewhere.
    pub fn on_inquire(&mut self, turn: &mut Turn<'_>, from: NodeId, txn: TxnId, asked: Admission) {
        if asked != turn.standing.admission() {
            return; // what it knew was on the disk that this node had before
        }
        let known = match (self.parts.get(&txn), self.outcomes.get(&txn)) {
            (Some(Part::InDoubt(_)), _) => Known::Undecided,
            (_, Some(End::Committed(answer))) => Known::Committed(answer.clone()),
            (_, Some(End::Aborted)) => Known::Aborted,
            _ if self.mark_covers(txn) => Known::Aborted,
            (Some(Part::Waiting(_) | Part::Ready(_)) | None, Some(End::VotedNo) | None) => {
                self.promise(turn, txn);
                Known::Aborted
            }
        };
        turn.out.send(from, Message::Told { txn, known });
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
        if let Some(Part::Ready(prepared)) = self.parts.remove(&txn) {
            self.let_go(turn, txn, &prepared);
            self.end(txn, End::VotedNo);
        }
    }

    /// In doubt for too long: ask the coordinator, from the second time on everyone, and the centre
    /// if the epoch is left.
    pub fn on_inquiry_time(&mut self, turn: &mut Turn<'_>, txn: TxnId) {
        let Some(Part::InDoubt(vote)) = self.parts.get_mut(&txn) else { return };
        if turn.config.defects.has(Defect::AbortWhileInDoubt) && vote.inquiries == 2 {
            return self.abort(turn, txn);
        }
        let ask = |asked| Message::Inquire { txn, asked };
        turn.out.send(txn.coordinator, ask(txn.admission));
        if vote.inquiries > 0 {
            for other in vote.participants.iter().filter(|other| other.node != turn.id) {
                turn.out.send(other.node, ask(other.admission));
            }
        }
        if vote.epoch < turn.standing.epoch() {
            let (admission, epoch) = (turn.standing.admission(), vote.epoch);
            let participants = vote.participants.clone();
            let resolve = Message::Resolve { admission, txn, epoch, participants };
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
                let ready = Message::Ready { txn, pinned_in: turn.incarnation };
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
        if turn.config.defects.has(Defect::ReadOnlyLeavesEarly) && changes.is_empty() {
            turn.owner.unpin(txn, None, &paths);
        }
        let vote = InDoubt {
            epoch,
            request,
            waited: age.waited,
            participants,
            asked: paths.clone(),
            paths,
            changes,
            results: results.clone(),
            operations,
            inquiries: 0,
        };
        let record = vote.record(txn);
        match turn.config.defects.has(Defect::VoteNotForced) {
            true => turn.out.write_lazily(record),
            false => turn.out.force(record),
        }
        send_vote(turn, txn, Vote::Yes(results));
        self.parts.insert(txn, Part::InDoubt(vote));
        turn.timers.set(Timer::Inquire(txn), turn.now + turn.config.inquiry_interval);
    }

    fn vote_no(&mut self, turn: &mut Turn<'_>, txn: TxnId, no: No) {
        self.end(txn, End::VotedNo);
        send_vote(turn, txn, Vote::No(no));
    }

    fn commit(&mut self, turn: &mut Turn<'_>, txn: TxnId, answer: Answer) {
        match self.parts.get(&txn) {
            Some(Part::InDoubt(_)) => {}
            // Only one who voted yes can be told to commit, so this is a copy of what was done
            // before.
            Some(Part::Waiting(_) | Part::Ready(_)) => return,
            None => {
                let known = matches!(self.outcomes.get(&txn), Some(End::Committed(_)));
                if known || self.mark_covers(txn) {
                    turn.out.send(txn.coordinator, Message::Committed { txn });
                }
                return;
            }
        }
        let Some(Part::InDoubt(vote)) = self.parts.remove(&txn) else { return };
        let request = vote.request;
        turn.timers.cancel(&Timer::Inquire(txn));
        if !turn.config.defects.has(Defect::CommitNotApplied) {
            turn.owner.apply(&vote.changes);
        }
        turn.owner.unpin(txn, None, &vote.paths);
        turn.owner.answers.insert(request, Answered::Done(answer.clone()));
        if !turn.config.defects.has(Defect::OutcomeForgottenByParticipant) {
            self.outcomes.insert(txn, End::Committed(answer.clone()));
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
            None if matches!(self.outcomes.get(&txn), Some(End::Committed(_))) => return,
            None if self.mark_covers(txn) => return,
            None => {}
        }
        self.end(txn, End::Aborted);
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
        self.end(txn, End::Aborted);
    }

    fn let_go(&mut self, turn: &mut Turn<'_>, txn: TxnId, prepared: &Prepared) {
        turn.timers.cancel(&Timer::Ready(txn));
        turn.owner.unpin(txn, Some(prepared.terms.age), &prepared.paths);
    }

    /// Remembers how the transaction has ended here. What the mark has passed it has passed for
    /// good: an abort that is heard of only then says no more than the mark does.
    fn end(&mut self, txn: TxnId, end: End) {
        let is_said_by_mark = !matches!(end, End::Committed(_)) && self.mark_covers(txn);
        if !is_said_by_mark {
            self.outcomes.insert(txn, end);
        }
    }

    /// The transactions of which it remembers what became of them.
    pub fn remembered_outcomes(&self) -> impl Iterator<Item = TxnId> + '_ {
        self.outcomes.keys().copied()
    }

    fn is_over(&self, txn: TxnId) -> bool {
        self.outcomes.contains_key(&txn) || self.mark_covers(txn)
    }

    fn mark_covers(&self, txn: TxnId) -> bool {
        self.marks.get(&txn.begun_by()).is_some_and(|mark| mark.covers(txn))
    }

    /// Forgets the outcomes that the coordinator's low-water mark has passed.
    fn learn_mark(&mut self, turn: &Turn<'_>, header: &Header) {
        let TxnId { coordinator, admission, .. } = header.txn;
        let known = self.marks.entry(header.txn.begun_by()).or_default();
        if header.low_water <= *known {
            return;
        }
        let (old, new) = (std::mem::replace(known, header.low_water), header.low_water);
        if turn.config.defects.has(Defect::OutcomesKept) {
            return;
        }
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

impl InDoubt {
    /// The whole answer, of what is reported and what this vote said. What came of an operation
    /// that only a lost disk knew is lost.
    fn put_together(&self, reported: &Results) -> Answer {
        let mut answer = vec![Outcome::Lost; usize::from(self.operations)];
        for (place, outcome) in reported.iter().chain(self.results.iter()) {
            answer[usize::from(*place)] = outcome.clone();
        }
        answer.into()
    }

    fn record(&self, txn: TxnId) -> Record {
        Record::Voted {
            txn,
            epoch: self.epoch,
            request: self.request,
            waited: self.waited,
            participants: self.participants.clone(),
            paths: self.asked.clone(),
            voided: self.asked.iter().filter(|p| !self.paths.contains(p)).cloned().collect(),
            changes: self.changes.clone(),
            results: self.results.clone(),
            operations: self.operations,
        }
    }
}

/// Hand-overs.
impl Participant {
    /// Gives up every promise that is not a vote: the node leaves its epoch.
    pub fn on_leave(&mut self, turn: &mut Turn<'_>) {
        let is_promised = |part: &Part| matches!(part, Part::InDoubt(_));
        let parts = std::mem::take(&mut self.parts).into_iter();
        let (promised, open) = parts.partition(|(_, part)| is_promised(part));
        self.parts = promised;
        for (&txn, part) in &mut self.parts {
            if let Part::InDoubt(vote) = part {
                vote.inquiries = 0; // now the centre can be asked
                turn.timers.set(Timer::Inquire(txn), turn.now + turn.config.inquiry_interval);
            }
        }
        let open: BTreeMap<TxnId, Part> = open;
        for (txn, part) in open {
            if let Part::Waiting(prepared) | Part::Ready(prepared) = part {
                self.let_go(turn, txn, &prepared);
                self.end(txn, End::VotedNo);
            }
        }
    }

    /// The transactions that it has voted for or has applied, and that may not be over. It has left
    /// their epochs.
    pub fn open(&self, defects: Defects) -> impl Iterator<Item = Open> + '_ {
        let doubts = self.parts.iter().filter_map(|(&txn, part)| match part {
            Part::InDoubt(vote) => Some(Open { txn, results: vote.results.clone() }),
            Part::Waiting(_) | Part::Ready(_) => None,
        });
        let leaves_out = defects.has(Defect::AppliedLeftOut);
        let applied = self.outcomes.iter().filter_map(move |(&txn, end)| match end {
            End::Committed(answer) if !leaves_out => {
                Some(Open { txn, results: (0..=u8::MAX).zip(answer.iter().cloned()).collect() })
            }
            End::Committed(_) | End::Aborted | End::VotedNo => None,
        });
        doubts.chain(applied)
    }

    /// The paths that votes of epochs before this one pin, each once. A vote of this epoch needs
    /// the yes of each new owner too.
    pub fn paths_in_doubt(&self, epoch: Epoch) -> BTreeSet<&Path> {
        let votes = self.parts.values().filter_map(|part| match part {
            Part::InDoubt(vote) if vote.epoch < epoch => Some(vote),
            Part::InDoubt(_) | Part::Waiting(_) | Part::Ready(_) => None,
        });
        votes.flat_map(|vote| vote.paths.iter()).collect()
    }

    /// Is the node in doubt about anything?
    pub fn is_in_doubt(&self) -> bool {
        self.parts.values().any(|part| matches!(part, Part::InDoubt(_)))
    }

    /// Votes count no more on paths that `is_replaced` names: whoever these were pulled from has
    /// settled the transaction. What becomes of it is recorded and acknowledged as ever, and
    /// changes nothing there. (Such votes are of older epochs: a node votes where it is complete,
    /// and pulls where it is not.)
    pub fn void(
        &mut self,
        config: &Config,
        owner: &mut Owner,
        is_replaced: impl Fn(&Path) -> bool,
    ) {
        for (txn, part) in &mut self.parts {
            let Part::InDoubt(vote) = part else { continue };
            if !vote.paths.iter().any(&is_replaced) {
                continue;
            }
            let (gone, kept): (Vec<Path>, Vec<Path>) =
                vote.paths.iter().cloned().partition(&is_replaced);
            owner.unpin(*txn, None, &gone);
            vote.paths = kept.into();
            if !config.defects.has(Defect::LateDecisionAppliedAfterPull) {
                let changes = vote.changes.iter().filter(|(path, _)| !is_replaced(path));
                vote.changes = changes.cloned().collect();
            }
        }
    }
}

/// Recovery and checkpoints.
impl Participant {
    /// Takes over what one record says.
    pub fn replay(&mut self, config: &Config, owner: &mut Owner, record: &Record) {
        match record {
            Record::Voted {
                txn,
                epoch,
                request,
                waited,
                participants,
                paths,
                voided,
                changes,
                results,
                operations,
            } => {
                let asked = paths.clone();
                let left = paths.iter().filter(|path| !voided.contains(path));
                let paths: Arc<[Path]> = left.cloned().collect();
                let holds_pins = !config.defects.has(Defect::RecoveryWithoutPins);
                if holds_pins {
                    let age = Age { waited: *waited, request: *request };
                    let pinned = owner.pin(config.defects, *txn, age, &paths);
                    debug_assert!(
                        pinned == Pinned::All || !config.defects.is_empty(),
                        "{txn} voted with pins that another had"
                    );
                }
                let vote = InDoubt {
                    epoch: *epoch,
                    request: *request,
                    waited: *waited,
                    participants: participants.clone(),
                    asked,
                    paths,
                    changes: changes.clone(),
                    results: results.clone(),
                    operations: *operations,
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
                self.outcomes.insert(*txn, End::Committed(answer.clone()));
            }
            Record::RolledBack { txn } => {
                if let Some(Part::InDoubt(vote)) = self.parts.remove(txn) {
                    owner.unpin(*txn, None, &vote.paths);
                }
                self.end(*txn, End::Aborted);
            }
            Record::Promised { txn } => {
                self.end(*txn, End::Aborted);
            }
            Record::Settled { txn, answer } => {
                let outcome = answer.clone().map_or(End::Aborted, End::Committed);
                self.end(*txn, outcome);
            }
            Record::Mark { coordinator, low_water } => {
                self.marks.insert(*coordinator, *low_water);
            }
            _ => {} // somebody else's
        }
    }

    /// The records that give this state again.
    pub fn snapshot(&self, defects: Defects, records: &mut Vec<Record>) {
        for (&coordinator, &low_water) in &self.marks {
            let one_more = u32::from(defects.has(Defect::CheckpointMarkTooHigh));
            let low_water = LowWater { counter: low_water.counter + one_more, ..low_water };
            records.push(Record::Mark { coordinator, low_water });
        }
        for (&txn, outcome) in &self.outcomes {
            match outcome {
                End::Committed(answer) => {
                    records.push(Record::Settled { txn, answer: Some(answer.clone()) });
                }
                End::Aborted if defects.has(Defect::CheckpointWithoutPromises) => {}
                End::Aborted => records.push(Record::Settled { txn, answer: None }),
                End::VotedNo => {}
            }
        }
        for (&txn, part) in &self.parts {
            if let Part::InDoubt(vote) = part {
                records.push(vote.record(txn));
            }
        }
    }
}

fn send_vote(turn: &mut Turn<'_>, txn: TxnId, vote: Vote) {
    turn.out.send(txn.coordinator, Message::Executed { txn, vote });
}

/// What a vote says of a request that is answered already.
pub(in crate::proto) fn no_because(answered: Answered) -> No {
    match answered {
        Answered::Done(answer) if answer.contains(&Outcome::Lost) => No::Lost,
        Answered::Done(answer) => No::Answered(answer),
        Answered::Declined(refusal) => No::Refused { refusal, recorded: true },
    }
}

/// Refuses a request as an owner. With fixed membership a refusal of any attempt but the first is
/// forced under the request's id, because an earlier attempt may still be on its way, and the
/// client can only believe what holds for that too.
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
    // Where disks may be lost, the coordinator has every owner force it.
    let recorded = attempt > 1 && turn.config.membership == Membership::Fixed;
    if recorded {
        turn.decline(request, refusal);
    }
    No::Refused { refusal, recorded }
}

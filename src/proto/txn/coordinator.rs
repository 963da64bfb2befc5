//! The coordinator of a transaction: collects, decides, and repeats the decision until all have
//! acknowledged.
//!
//! ```text
//!  Begin -> fetching -> pinning -> preparing -> voting -> committing -> over
//!           (sources    (own       (staged:     (votes)   (force Decided,
//!            of renames) paths)     Ready)                 acknowledgements)
//!              |           |           |           |
//!              +-----------+-----------+-----------+--> abort: a no, or no answer in time; nothing is written
//!              |           |           |           |
//!              +-----------+-----------+-----------+--> refusing: the request is refused -> over
//!                                                       (managed: every owner forces `Declined`)
//! ```
//!
//! Everything up to the decision is volatile: a coordinator that restarts knows only what it
//! decided, and what it does not know has aborted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Turn;
use super::operations::{check, fill_in_source, paths_of_operation, split_renames};
use super::participant::{decline, no_because};
use crate::machine::{Incarnation, NodeId, RequestId};
use crate::proto::Timer;
use crate::proto::owner::{Answered, CannotExecute, Owner, Pinned};
use crate::proto::{
    Age, Answer, AttemptEnd, Changes, CommitMode, Config, Defect, Defects, Epoch, File, Header,
    Known, LowWater, Member, Membership, Message, No, Open, Operation, Outcome, Path, Record,
    Refusal, Results, Retry, Terms, TxnId, Vote, Work,
};

/// An attempt at a request, as it arrived.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::proto) struct Attempt {
    pub client: NodeId,
    pub request: RequestId,
    pub attempt: u32,
    pub lowest: u32,
    pub age: Age,
    pub operations: Arc<[Operation]>,
}

/// All transactions that this node coordinates.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(in crate::proto) struct Coordinator {
    /// The last number given to a transaction of this life.
    counter: u32,
    collecting: BTreeMap<TxnId, Collecting>,
    committing: BTreeMap<TxnId, Committing>,
}

/// A transaction that is not decided.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Collecting {
    attempt: Attempt,
    epoch: Epoch,
    phase: Phase,
    /// Every operation, on one path each, with its place in the request.
    work: Vec<(u8, Operation)>,
    /// The owners of the path of each of them.
    owners: Vec<Arc<[Member]>>,
    /// The sources of renames, as far as they were found, with the place of the rename.
    sources: Vec<(u8, Path, Option<File>)>,
    participants: Arc<[Member]>,
    /// Who has answered the question of the phase, and how.
    ready: BTreeMap<NodeId, Incarnation>,
    voted: BTreeMap<NodeId, Results>,
    own_paths: Arc<[Path]>,
    own: Option<(Changes, Results)>,
    /// The members that have promised that no attempt at the request gets its yes.
    declined: BTreeSet<NodeId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Phase {
    /// Asks for the files that are to be renamed.
    Fetching,
    /// Waits for its own pins.
    Pinning,
    /// Waits for everyone to be ready (staged only).
    Preparing,
    /// Waits for the votes.
    Voting,
    /// Waits until every participant has promised that no attempt at the request gets its yes.
    Refusing(Refusal),
}

/// A transaction that is decided and not over; `awaited` have not acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Committing {
    epoch: Epoch,
    request: RequestId,
    participants: Arc<[Member]>,
    awaited: BTreeSet<Member>,
    answer: Answer,
    repeats: u32,
}

impl Collecting {
    /// What `member` has to do as an owner.
    fn part_of(&self, member: Member) -> Work {
        self.parts_of(member).cloned().collect()
    }

    /// The paths of that, each once.
    fn paths_of(&self, member: Member) -> Arc<[Path]> {
        let paths: BTreeSet<&Path> = self.parts_of(member).map(|(_, op)| &op.path).collect();
        paths.into_iter().cloned().collect()
    }

    fn parts_of(&self, member: Member) -> impl Iterator<Item = &(u8, Operation)> {
        let parts = self.work.iter().zip(&self.owners);
        parts.filter(move |(_, owners)| owners.contains(&member)).map(|(part, _)| part)
    }

    fn has(&self, node: NodeId) -> bool {
        self.participants.iter().any(|member| member.node == node)
    }
}

impl Coordinator {
    /// Starts a transaction for `attempt`, unless the answer is known already. Is the node, as a
    /// participant, in doubt about another attempt at the request?
    pub fn on_begin(
        &mut self,
        turn: &mut Turn<'_>,
        epoch: Epoch,
        attempt: Attempt,
        is_in_doubt: bool,
    ) {
        if let Err(closed) = turn.check(epoch, []) {
            return end_attempt(turn, &attempt, end_because(closed.into()));
        }
        let RequestId { client, incarnation, .. } = attempt.request;
        turn.owner.answers.forget_below(client, incarnation, attempt.lowest);
        let refused = match turn.owner.answers.get(attempt.request) {
            Some(Answered::Declined(refusal)) if tells_all_owners(turn.config, refusal) => {
                if is_in_doubt {
                    return end_attempt(turn, &attempt, AttemptEnd::Retry(Retry::NoAnswer));
                }
                Some(refusal) // perhaps not all of them have been told
            }
            Some(answered) => {
                let end = end_because(no_because(answered));
                return end_attempt(turn, &attempt, end);
            }
            None => None,
        };
        if turn.config.defects.has(Defect::RefusedWithoutALook)
            && attempt.request.number.is_multiple_of(3)
        {
            let end = AttemptEnd::Refused { refusal: Refusal::NotFound, recorded: false };
            return end_attempt(turn, &attempt, end);
        }
        if let Err(refusal) = check(turn.config, &attempt.operations) {
            // It holds for every attempt there can be, so nothing needs to be recorded.
            let end = AttemptEnd::Refused { refusal, recorded: true };
            return end_attempt(turn, &attempt, end);
        }
        self.counter += 1;
        let txn = self.txn_id(turn, self.counter);
        let (work, sources) = split_renames(&attempt.operations);
        let patience = turn.vote_patience(attempt.attempt);
        let collecting = Collecting {
            attempt,
            epoch,
            phase: Phase::Fetching,
            work,
            owners: Vec::new(),
            sources,
            participants: Arc::default(),
            ready: BTreeMap::new(),
            voted: BTreeMap::new(),
            own_paths: Arc::default(),
            own: None,
            declined: BTreeSet::new(),
        };
        turn.timers.set(Timer::Collect(txn), turn.now + patience);
        match refused {
            Some(refusal) => self.refuse(turn, txn, collecting, refusal),
            None => self.fetch(turn, txn, collecting),
        }
    }

    pub fn on_fetched(
        &mut self,
        turn: &mut Turn<'_>,
        txn: TxnId,
        path: &Path,
        file: Result<File, No>,
    ) {
        let Some(mut collecting) = self.take(txn, Phase::Fetching) else { return };
        let file = match file {
            Ok(file) => file,
            Err(no) => return self.abort(turn, txn, collecting, None, end_because(no)),
        };
        for source in collecting.sources.iter_mut().filter(|source| source.1 == *path) {
            source.2 = Some(file.clone());
        }
        self.proceed_when_fetched(turn, txn, collecting);
    }

    pub fn on_ready(&mut self, turn: &mut Turn<'_>, from: NodeId, txn: TxnId, life: Incarnation) {
        if !self.collecting.contains_key(&txn) && !self.committing.contains_key(&txn) {
            let header = self.header(turn.config.defects, txn);
            return turn.out.send(from, Message::Abort { header }); // let the pins go
        }
        let Some(mut collecting) = self.take(txn, Phase::Preparing) else { return };
        if collecting.has(from) {
            collecting.ready.insert(from, life);
        }
        match collecting.ready.len() == collecting.participants.len() {
            true => self.execute_own_part(turn, txn, collecting),
            false => self.put(txn, collecting),
        }
    }

    pub fn on_executed(&mut self, turn: &mut Turn<'_>, from: NodeId, txn: TxnId, vote: Vote) {
        let Some(mut collecting) = self.collecting.remove(&txn) else { return };
        if !collecting.has(from) {
            return self.put(txn, collecting);
        }
        let results = match vote {
            Vote::Yes(results) => results,
            // The textbook's mistake: an executed step is a done step, whatever came of it.
            Vote::No(No::Refused { .. })
                if collecting.phase == Phase::Voting
                    && turn.config.defects.has(Defect::JudgeAfterCommit) =>
            {
                Results::default()
            }
            // Another has said the same before.
            Vote::No(No::Refused { .. }) if matches!(collecting.phase, Phase::Refusing(_)) => {
                return self.put(txn, collecting);
            }
            Vote::No(No::Refused { refusal, .. }) if tells_all_owners(turn.config, refusal) => {
                return self.refuse(turn, txn, collecting, refusal);
            }
            Vote::No(no) => return self.abort(turn, txn, collecting, Some(from), end_because(no)),
        };
        collecting.voted.insert(from, results);
        let all = collecting.voted.len() == collecting.participants.len();
        match all && collecting.phase == Phase::Voting {
            true => self.commit(turn, txn, collecting),
            false => self.put(txn, collecting),
        }
    }

    /// A participant has promised that no attempt at the request gets its yes.
    pub fn on_declined(&mut self, turn: &mut Turn<'_>, from: NodeId, txn: TxnId) {
        let Some(mut collecting) = self.collecting.remove(&txn) else { return };
        if collecting.has(from) {
            collecting.declined.insert(from);
        }
        self.end_if_all_have_declined(turn, txn, collecting);
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

    /// A participant that voted is gone with its disk: nobody will ever ask in its name.
    pub fn on_gone(&mut self, turn: &mut Turn<'_>, from: NodeId, txn: TxnId) {
        self.on_committed(turn, from, txn);
    }

    /// The node leaves its epoch, and gives up what it has not decided.
    pub fn on_leave(&mut self, turn: &mut Turn<'_>) {
        for (txn, collecting) in std::mem::take(&mut self.collecting) {
            let end = AttemptEnd::Retry(Retry::Epoch(turn.standing.epoch()));
            self.abort(turn, txn, collecting, None, end);
        }
    }

    /// Is nothing under way?
    pub fn is_idle(&self) -> bool {
        self.collecting.is_empty() && self.committing.is_empty()
    }

    /// The transactions that are decided and not over.
    pub fn open(&self) -> impl Iterator<Item = Open> + '_ {
        self.committing.iter().map(|(&txn, committing)| Open {
            txn,
            results: (0..=u8::MAX).zip(committing.answer.iter().cloned()).collect(),
        })
    }

    /// A participant in doubt asks.
    pub fn on_inquire(&mut self, turn: &mut Turn<'_>, from: NodeId, txn: TxnId) {
        if txn.begun_by() != turn.member() {
            return; // what became of it was on the disk that this node had before
        }
        let known = match self.committing.get(&txn) {
            Some(committing) => Known::Committed(committing.answer.clone()),
            None if self.collecting.contains_key(&txn) => Known::Undecided,
            None => Known::Aborted,
        };
        turn.out.send(from, Message::Told { txn, known });
    }

    /// A transaction that waits for its own pins gets another chance.
    pub fn on_released(&mut self, turn: &mut Turn<'_>, txn: TxnId) {
        if let Some(collecting) = self.take(txn, Phase::Pinning) {
            self.pin_own_paths(turn, txn, collecting);
        }
    }

    /// Something has not arrived in time: a reason to abort, as long as not all votes are in.
    pub fn on_collect_timeout(&mut self, turn: &mut Turn<'_>, txn: TxnId) {
        if let Some(collecting) = self.collecting.remove(&txn) {
            let end = AttemptEnd::Retry(Retry::NoAnswer);
            self.abort(turn, txn, collecting, None, end);
        }
    }

    /// Repeats a decision that not all have acknowledged.
    pub fn on_resend_time(&mut self, turn: &mut Turn<'_>, txn: TxnId) {
        let header = self.header(turn.config.defects, txn);
        let Some(committing) = self.committing.get_mut(&txn) else { return };
        // One that is given up never acknowledges, and asks nothing when its lease is over. That is
        // so when the view that names it is in force.
        if turn.standing.is_in_force(turn.config, turn.now) {
            committing.awaited.retain(|member| !turn.standing.is_given_up(*member));
        }
        if committing.awaited.is_empty() {
            return self.finish(turn, txn);
        }
        for &Member { node, admission: voter } in &committing.awaited {
            let (header, answer) = (header.clone(), committing.answer.clone());
            turn.out.send(node, Message::Commit { header, voter, answer });
        }
        committing.repeats += 1;
        let pause = turn.config.inquiry_interval.times(1 << committing.repeats.min(3));
        turn.timers.set(Timer::Resend(txn), turn.now + pause);
    }

    /// Repeats every decision that the log holds and that is not over.
    pub fn on_start(&mut self, turn: &mut Turn<'_>) {
        let unfinished: Vec<TxnId> = self.committing.keys().copied().collect();
        for txn in unfinished {
            // One whose `Over` was lost and that awaits nobody is over.
            match self.committing[&txn].awaited.is_empty() {
                true => self.finish(turn, txn),
                false => turn.timers.set(Timer::Resend(txn), turn.now),
            }
        }
    }

    fn fetch(&mut self, turn: &mut Turn<'_>, txn: TxnId, mut collecting: Collecting) {
        for (_, path, found) in &mut collecting.sources {
            let Err(closed) = turn.check(collecting.epoch, [&*path]) else {
                *found = Some(turn.owner.file(path));
                continue;
            };
            let (this, epoch) = (turn.member(), collecting.epoch);
            let other = turn.layout().owners(path).find(|owner| *owner != this);
            let Some(Member { node, .. }) = other else {
                let end = end_because(closed.into());
                return self.abort(turn, txn, collecting, None, end);
            };
            turn.out.send(node, Message::Fetch { txn, epoch, path: path.clone() });
        }
        self.proceed_when_fetched(turn, txn, collecting);
    }

    fn proceed_when_fetched(
        &mut self,
        turn: &mut Turn<'_>,
        txn: TxnId,
        mut collecting: Collecting,
    ) {
        if collecting.sources.iter().any(|(_, _, found)| found.is_none()) {
            return self.put(txn, collecting);
        }
        for (place, path, found) in std::mem::take(&mut collecting.sources) {
            let mut file = found.unwrap_or_default();
            if turn.config.defects.has(Defect::RenameLosesContents) {
                file.contents = None;
            }
            fill_in_source(&mut collecting.work, place, &path, file);
        }
        let (layout, this) = (turn.layout(), turn.member());
        let work = collecting.work.iter();
        collecting.owners = work.map(|(_, op)| layout.owners(&op.path).collect()).collect();
        collecting.own_paths = collecting.paths_of(this);
        let owners = collecting.owners.iter().flat_map(|owners| owners.iter().copied());
        let others: BTreeSet<Member> = owners.filter(|owner| *owner != this).collect();
        collecting.participants = others.into_iter().collect();
        self.pin_own_paths(turn, txn, collecting);
    }

    fn pin_own_paths(&mut self, turn: &mut Turn<'_>, txn: TxnId, mut collecting: Collecting) {
        if let Some(answered) = turn.owner.answers.get(collecting.attempt.request) {
            // An earlier attempt got its answer while this one was waiting.
            if let Answered::Declined(refusal) = answered
                && tells_all_owners(turn.config, refusal)
            {
                return self.refuse(turn, txn, collecting, refusal);
            }
            let end = end_because(no_because(answered));
            return self.abort(turn, txn, collecting, None, end);
        }
        if let Err(closed) = turn.check(collecting.epoch, collecting.own_paths.iter()) {
            let end = end_because(closed.into());
            return self.abort(turn, txn, collecting, None, end);
        }
        let defects = turn.config.defects;
        match turn.owner.pin(defects, txn, collecting.attempt.age, &collecting.own_paths) {
            Pinned::Conflict => {
                let end = AttemptEnd::Retry(Retry::Conflict);
                self.abort(turn, txn, collecting, None, end);
            }
            Pinned::Wait => {
                collecting.phase = Phase::Pinning;
                self.put(txn, collecting);
            }
            Pinned::All => match turn.config.commit {
                CommitMode::Staged if !collecting.participants.is_empty() => {
                    collecting.phase = Phase::Preparing;
                    self.send_prepare(turn, txn, &collecting, |_| None);
                    self.put(txn, collecting);
                }
                CommitMode::Staged | CommitMode::TwoPhase => {
                    self.execute_own_part(turn, txn, collecting);
                }
            },
        }
    }

    /// Executes the coordinator's own part, then asks for the votes.
    fn execute_own_part(&mut self, turn: &mut Turn<'_>, txn: TxnId, mut collecting: Collecting) {
        let work = collecting.part_of(turn.member());
        match turn.execute(&work) {
            Ok(own) => collecting.own = Some(own),
            Err(cannot) => return self.cannot_execute(turn, txn, collecting, cannot),
        }
        collecting.phase = Phase::Voting;
        match turn.config.commit {
            _ if collecting.participants.is_empty() => {
                return self.commit(turn, txn, collecting);
            }
            CommitMode::Staged => self.send_execute(turn, txn, &collecting),
            CommitMode::TwoPhase => {
                self.send_prepare(turn, txn, &collecting, |to| Some(collecting.part_of(to)));
            }
        }
        self.put(txn, collecting);
    }

    fn send_prepare(
        &self,
        turn: &mut Turn<'_>,
        txn: TxnId,
        collecting: &Collecting,
        work: impl Fn(Member) -> Option<Work>,
    ) {
        let Collecting { attempt, participants, .. } = collecting;
        let header = self.header(turn.config.defects, txn);
        let terms = Terms {
            request: attempt.request,
            attempt: attempt.attempt,
            lowest: attempt.lowest,
            age: attempt.age,
            participants: participants.clone(),
            // Checked to be at most 255.
            operations: u8::try_from(attempt.operations.len()).unwrap_or(u8::MAX),
        };
        for &to in participants.iter() {
            let paths = collecting.paths_of(to);
            let (header, terms, epoch) = (header.clone(), terms.clone(), collecting.epoch);
            let prepare = Message::Prepare { header, epoch, terms, paths, work: work(to) };
            turn.out.send(to.node, prepare);
        }
    }

    fn send_execute(&self, turn: &mut Turn<'_>, txn: TxnId, collecting: &Collecting) {
        let header = self.header(turn.config.defects, txn);
        for &to in collecting.participants.iter() {
            let Some(&pinned_in) = collecting.ready.get(&to.node) else { continue };
            let work = collecting.part_of(to);
            let (header, epoch) = (header.clone(), collecting.epoch);
            turn.out.send(to.node, Message::Execute { header, epoch, pinned_in, work });
        }
    }

    /// All voted yes. The record is the commit point: client and participants hear only once it is
    /// durable.
    fn commit(&mut self, turn: &mut Turn<'_>, txn: TxnId, collecting: Collecting) {
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
        let (changes, own_results) = own.unwrap_or_default();
        let answer = merge(attempt.operations.len(), &own_results, voted.values());
        let record = Record::Decided {
            txn,
            epoch,
            request: attempt.request,
            participants: participants.clone(),
            changes: changes.clone(),
            answer: answer.clone(),
        };
        match turn.config.defects.has(Defect::DecisionNotForced) {
            true => turn.out.write_lazily(record),
            false => turn.out.force(record),
        }
        turn.owner.apply(&changes);
        turn.owner.unpin(txn, None, &own_paths);
        turn.owner.answers.insert(attempt.request, Answered::Done(answer.clone()));
        end_attempt(turn, &attempt, AttemptEnd::Done(answer.clone()));
        let committing = Committing {
            epoch,
            request: attempt.request,
            awaited: participants.iter().copied().collect(),
            participants,
            answer,
            repeats: 0,
        };
        let nobody_awaited = committing.awaited.is_empty();
        self.committing.insert(txn, committing);
        match nobody_awaited {
            true => self.finish(turn, txn),
            false => self.on_resend_time(turn, txn),
        }
    }

    fn finish(&mut self, turn: &mut Turn<'_>, txn: TxnId) {
        self.committing.remove(&txn);
        turn.timers.cancel(&Timer::Resend(txn));
        turn.out.write_lazily(Record::Over { txn });
    }

    /// The coordinator's own part cannot be executed.
    fn cannot_execute(
        &mut self,
        turn: &mut Turn<'_>,
        txn: TxnId,
        collecting: Collecting,
        cannot: CannotExecute,
    ) {
        let Attempt { request, attempt, .. } = collecting.attempt;
        match decline(turn, request, attempt, cannot) {
            No::Refused { refusal, .. } if tells_all_owners(turn.config, refusal) => {
                self.refuse(turn, txn, collecting, refusal);
            }
            no => self.abort(turn, txn, collecting, None, end_because(no)),
        }
    }

    /// Has every owner of a path of the request promise that no attempt at it gets its yes, before
    /// the client hears that it is refused: an owner that has voted yes to an attempt may be left
    /// as the only one that knows of it, and then it commits.
    fn refuse(
        &mut self,
        turn: &mut Turn<'_>,
        txn: TxnId,
        mut collecting: Collecting,
        refusal: Refusal,
    ) {
        let request = collecting.attempt.request;
        if turn.config.defects.has(Defect::RefusalToldTooEarly) {
            let end = AttemptEnd::Refused { refusal, recorded: true };
            return self.abort(turn, txn, collecting, None, end);
        }
        let operations = collecting.attempt.operations.clone();
        let paths: BTreeSet<&Path> = operations.iter().flat_map(paths_of_operation).collect();
        let this = turn.member();
        // What a participant that declines must be, the coordinator must be as well.
        let own = paths.iter().copied().filter(|path| turn.layout().owns(this, path));
        if let Err(closed) = turn.check(collecting.epoch, own.collect::<Vec<_>>()) {
            return self.abort(turn, txn, collecting, None, end_because(closed.into()));
        }
        if let Some(answered @ Answered::Done(_)) = turn.owner.answers.get(request) {
            let end = end_because(no_because(answered));
            return self.abort(turn, txn, collecting, None, end);
        }
        turn.owner.unpin(txn, Some(collecting.attempt.age), &collecting.own_paths);
        turn.decline(request, refusal);
        let layout = turn.layout();
        let owners: BTreeSet<Member> = paths.iter().flat_map(|path| layout.owners(path)).collect();
        collecting.participants = owners.into_iter().filter(|owner| *owner != this).collect();
        collecting.phase = Phase::Refusing(refusal);
        let header = self.header(turn.config.defects, txn);
        for &to in collecting.participants.iter() {
            let owned = paths.iter().filter(|path| turn.layout().owns(to, path));
            let decline = Message::Decline {
                header: header.clone(),
                epoch: collecting.epoch,
                request,
                refusal,
                paths: owned.map(|path| Path::clone(path)).collect(),
            };
            turn.out.send(to.node, decline);
        }
        let patience = turn.vote_patience(collecting.attempt.attempt);
        turn.timers.set(Timer::Collect(txn), turn.now + patience);
        self.end_if_all_have_declined(turn, txn, collecting);
    }

    fn end_if_all_have_declined(
        &mut self,
        turn: &mut Turn<'_>,
        txn: TxnId,
        collecting: Collecting,
    ) {
        match collecting.phase {
            Phase::Refusing(refusal)
                if collecting.declined.len() == collecting.participants.len() =>
            {
                turn.timers.cancel(&Timer::Collect(txn));
                let end = AttemptEnd::Refused { refusal, recorded: true };
                end_attempt(turn, &collecting.attempt, end);
            }
            _ => self.put(txn, collecting),
        }
    }

    /// Gives up: nothing is written, because knowing nothing means abort.
    fn abort(
        &mut self,
        turn: &mut Turn<'_>,
        txn: TxnId,
        collecting: Collecting,
        no_from: Option<NodeId>,
        end: AttemptEnd,
    ) {
        turn.timers.cancel(&Timer::Collect(txn));
        turn.owner.unpin(txn, Some(collecting.attempt.age), &collecting.own_paths);
        end_attempt(turn, &collecting.attempt, end);
        if matches!(collecting.phase, Phase::Fetching | Phase::Pinning) {
            return; // no participant has heard of it
        }
        let header = self.header(turn.config.defects, txn);
        for to in collecting.participants.iter().filter(|to| Some(to.node) != no_from) {
            turn.out.send(to.node, Message::Abort { header: header.clone() });
        }
    }

    fn take(&mut self, txn: TxnId, phase: Phase) -> Option<Collecting> {
        match self.collecting.get(&txn)?.phase == phase {
            true => self.collecting.remove(&txn),
            false => None,
        }
    }

    fn put(&mut self, txn: TxnId, collecting: Collecting) {
        self.collecting.insert(txn, collecting);
    }

    fn header(&self, defects: Defects, txn: TxnId) -> Header {
        let first = |txn: &TxnId| (txn.incarnation, txn.counter);
        // One that is refused is over, but for what its client is told.
        let is_open =
            |(_, collecting): &(_, &Collecting)| !matches!(collecting.phase, Phase::Refusing(_));
        let collecting = self.collecting.iter().find(is_open).map(|(txn, _)| first(txn));
        let committing = self.committing.keys().next().map(first);
        let this = first(&txn);
        let active = collecting.into_iter().chain(committing).chain([this]).min();
        let (incarnation, counter) = active.unwrap_or(this);
        let counter = match defects.has(Defect::LowWaterTooHigh) {
            true => counter,
            false => counter - 1,
        };
        Header { txn, low_water: LowWater { incarnation, counter } }
    }

    fn txn_id(&self, turn: &Turn<'_>, counter: u32) -> TxnId {
        let incarnation = match turn.config.defects.has(Defect::TransactionIdReused) {
            true => Incarnation(1),
            false => turn.incarnation,
        };
        let Member { node: coordinator, admission } = turn.member();
        TxnId { coordinator, admission, incarnation, counter }
    }
}

/// Recovery and checkpoints.
impl Coordinator {
    /// Takes over what one record says.
    pub fn replay(&mut self, owner: &mut Owner, record: &Record) {
        match record {
            Record::Decided { txn, epoch, request, participants, changes, answer } => {
                owner.apply(changes);
                owner.answers.insert(*request, Answered::Done(answer.clone()));
                let committing = Committing {
                    epoch: *epoch,
                    request: *request,
                    participants: participants.clone(),
                    awaited: participants.iter().copied().collect(),
                    answer: answer.clone(),
                    repeats: 0,
                };
                self.committing.insert(*txn, committing);
            }
            Record::Over { txn } => {
                self.committing.remove(txn);
            }
            _ => {} // somebody else's
        }
    }

    /// The records that give this state again; what was decided is stored already.
    pub fn snapshot(&self, records: &mut Vec<Record>) {
        for (&txn, committing) in &self.committing {
            records.push(Record::Decided {
                txn,
                epoch: committing.epoch,
                request: committing.request,
                participants: committing.participants.clone(),
                changes: Changes::default(),
                answer: committing.answer.clone(),
            });
        }
    }
}

fn end_attempt(turn: &mut Turn<'_>, attempt: &Attempt, end: AttemptEnd) {
    let Attempt { client, request, attempt, .. } = *attempt;
    turn.out.send(client, Message::Ended { request, attempt, end });
}

fn end_because(no: No) -> AttemptEnd {
    match no {
        No::Answered(answer) => AttemptEnd::Done(answer),
        No::Refused { refusal, recorded } => AttemptEnd::Refused { refusal, recorded },
        No::Conflict => AttemptEnd::Retry(Retry::Conflict),
        No::Lost => AttemptEnd::Retry(Retry::NoAnswer),
        No::Epoch(epoch) => AttemptEnd::Retry(Retry::Epoch(epoch)),
        No::NotReady => AttemptEnd::Retry(Retry::NotReady),
    }
}

/// Is the client told of such a refusal only when every owner has forced it? A disk may be lost
/// where the centre manages the membership, and with it a no that only one owner had. What a client
/// does not wait for any more is refused by any owner.
fn tells_all_owners(config: &Config, refusal: Refusal) -> bool {
    config.membership == Membership::Managed && refusal != Refusal::Forgotten
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

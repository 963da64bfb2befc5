//! What is not decided: an attempt begins, sources are fetched, paths pinned, votes collected.

use std::collections::BTreeSet;

use super::{Attempt, Collecting, Coordinator, Phase, end_attempt, end_because, tells_all_owners};
use crate::machine::{Incarnation, NodeId, RequestId};
use crate::proto::Timer;
use crate::proto::owner::{Answered, CannotExecute, Pinned};
use crate::proto::txn::Turn;
use crate::proto::txn::operations::{Source, check, fill_in_source};
use crate::proto::txn::participant::{decline, no_because};
use crate::proto::{
    AttemptEnd, CommitMode, Defect, Epoch, File, Member, No, Path, Refusal, Results, Retry, Terms,
    TxnId, TxnMessage, Vote, Work,
};

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
        let refused = match earlier_refusal(turn, &attempt, is_in_doubt) {
            Ok(refused) => refused,
            Err(end) => return end_attempt(turn, &attempt, end),
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
        let patience = turn.vote_patience(attempt.attempt);
        let collecting = Collecting::new(epoch, attempt);
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
        for source in collecting.sources.iter_mut().filter(|source| source.path == *path) {
            source.file = Some(file.clone());
        }
        self.proceed_when_fetched(turn, txn, collecting);
    }

    pub fn on_ready(&mut self, turn: &mut Turn<'_>, from: NodeId, txn: TxnId, life: Incarnation) {
        if !self.collecting.contains_key(&txn) && !self.committing.contains_key(&txn) {
            let header = self.header(turn.config.defects, txn);
            return turn.out.send(from, TxnMessage::Abort { header }); // let the pins go
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
            // The textbook's mistake: an executed step is a done step, even where it failed.
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

    /// A transaction that waits for its own pins gets another chance.
    pub fn on_released(&mut self, turn: &mut Turn<'_>, txn: TxnId) {
        if let Some(collecting) = self.take(txn, Phase::Pinning) {
            self.pin_own_paths(turn, txn, collecting);
        }
    }

    /// Something has not arrived in time: a reason to abort, as long as not all votes are in.
    pub fn on_collect_timeout(&mut self, turn: &mut Turn<'_>, txn: TxnId) {
        let collecting = self.collecting.remove(&txn).expect("what is collected has a timer");
        let end = AttemptEnd::Retry(Retry::NoAnswer);
        self.abort(turn, txn, collecting, None, end);
    }

    /// The node leaves its epoch, and gives up what it has not decided.
    pub fn on_leave(&mut self, turn: &mut Turn<'_>) {
        for (txn, collecting) in std::mem::take(&mut self.collecting) {
            let end = AttemptEnd::Retry(Retry::Epoch(turn.standing.epoch()));
            self.abort(turn, txn, collecting, None, end);
        }
    }

    fn fetch(&mut self, turn: &mut Turn<'_>, txn: TxnId, mut collecting: Collecting) {
        for Source { path, file, .. } in &mut collecting.sources {
            let Err(closed) = turn.check(collecting.epoch, [&*path]) else {
                *file = Some(turn.owner.file(path));
                continue;
            };
            let (this, epoch) = (turn.member(), collecting.epoch);
            let other = turn.layout().owners(path).find(|owner| *owner != this);
            let Some(Member { node, .. }) = other else {
                let end = end_because(closed.into());
                return self.abort(turn, txn, collecting, None, end);
            };
            turn.out.send(node, TxnMessage::Fetch { txn, epoch, path: path.clone() });
        }
        self.proceed_when_fetched(turn, txn, collecting);
    }

    fn proceed_when_fetched(
        &mut self,
        turn: &mut Turn<'_>,
        txn: TxnId,
        mut collecting: Collecting,
    ) {
        if collecting.sources.iter().any(|source| source.file.is_none()) {
            return self.put(txn, collecting);
        }
        for Source { place, path, file } in std::mem::take(&mut collecting.sources) {
            let mut file = file.expect("each source has been found");
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
            operations: u8::try_from(attempt.operations.len()).expect("checked to be at most 255"),
        };
        for &to in participants.iter() {
            let paths = collecting.paths_of(to);
            let (header, terms, epoch) = (header.clone(), terms.clone(), collecting.epoch);
            let prepare = TxnMessage::Prepare { header, epoch, terms, paths, work: work(to) };
            turn.out.send(to.node, prepare);
        }
    }

    fn send_execute(&self, turn: &mut Turn<'_>, txn: TxnId, collecting: &Collecting) {
        let header = self.header(turn.config.defects, txn);
        for &to in collecting.participants.iter() {
            let pinned_in = *collecting.ready.get(&to.node).expect("every participant is ready");
            let work = collecting.part_of(to);
            let (header, epoch) = (header.clone(), collecting.epoch);
            turn.out.send(to.node, TxnMessage::Execute { header, epoch, pinned_in, work });
        }
    }
}

/// The refusal of an earlier attempt at the request, of which perhaps not all owners have been
/// told; or how the attempt ends, if there is nothing left to do for it.
fn earlier_refusal(
    turn: &mut Turn<'_>,
    attempt: &Attempt,
    is_in_doubt: bool,
) -> Result<Option<Refusal>, AttemptEnd> {
    let RequestId { client, incarnation, .. } = attempt.request;
    turn.owner.answers.forget_below(client, incarnation, attempt.lowest);
    match turn.owner.answers.get(attempt.request) {
        Some(Answered::Declined(refusal)) if tells_all_owners(turn.config, refusal) => {
            match is_in_doubt {
                true => Err(AttemptEnd::Retry(Retry::NoAnswer)),
                false => Ok(Some(refusal)),
            }
        }
        Some(answered) => Err(end_because(no_because(answered))),
        None => Ok(None),
    }
}

//! Two-phase commit: one transaction over all owners of all paths of a request, all or nothing.
//!
//! A *coordinator* ([`coordinator`]) runs the transaction, each other owner of a path in it is a
//! *participant* ([`participant`]). The coordinator may be an owner too; its own part needs no
//! messages and no vote record: it is executed before the votes are asked for, and it lives in the
//! decision record.
//!
//! T(x) = t_1(x) * ... * t_n(x): a transaction commits exactly if every part executed. So the parts
//! are executed first, then each participant votes, and the judgement is made before anything
//! becomes irrevocable. (The protocol is often told the other way round: commit once every
//! participant is "done", look at the results, and "roll back" if one failed. There is nothing to
//! roll back to once a client has read what was committed; the defect `judge_after_commit` shows
//! it.)
//!
//! # Staged, in seven steps
//!
//! | step | message | what it means |
//! |---|---|---|
//! | 1 | coordinator: `Prepare(paths)` | pin these |
//! | 2 | participant: `Ready` | pinned, nothing executed, nothing promised |
//! | 3 | coordinator: `Execute(operations)` | all are ready, and my own part executed |
//! | 4 | participant: force `Voted`, `Executed(yes)` | **a promise**: I can commit, whatever happens to me |
//! | 5 | coordinator: force `Decided`, `Commit(answer)` | **the commit point** is the record, not the message |
//! | 6 | participant: force `Applied`, `Committed` | done here; you need not remember it for me |
//! | 7 | coordinator: write `Over` lazily | all have acknowledged, the decision may be forgotten |
//!
//! With N participants apart from the coordinator a commit costs 6N messages (steps 1 to 6) and
//! 2N+1 forced records (N `Voted`, 1 `Decided`, N `Applied`). `Execute` names the life of the
//! participant that said `Ready`: one that restarted has lost that pin and votes no. An abort by
//! vote is decided at the first no: steps 1 to 4, then one `Abort` to every participant but the one
//! whose no it was, together 5N-1 messages, and y forced records if y voted yes; with a single no,
//! y = N-1, that is 4N+y messages. If the coordinator's own part is refused, in step 3, it is 3N
//! messages and no record.
//!
//! # Two-phase, the classic form
//!
//! `Prepare` carries the operations and is answered by the vote; steps 2 and 3 fall away. A commit
//! costs 4N messages and 2N+1 forced records, an abort by one no vote 2N+y messages and y forced
//! records (presumed abort: Mohan, Lindsay, Obermarck, "Transaction Management in the R*
//! Distributed Database Management System", 1986; an abort is neither forced nor acknowledged,
//! because knowing nothing means abort).
//!
//! # Refused
//!
//! Where the centre manages the membership, disks may be lost, and with one of them a no that only
//! its owner had: a participant that has voted yes may be left as the only one that knows of the
//! transaction, and then it commits. So a coordinator that has heard of a refusal sends `Decline`
//! to every owner of a path of the request. Each forces `Declined`, a promise that no attempt at
//! the request gets its yes, as soon as it is in doubt about none; when all have said so the client
//! hears of the refusal. That takes the place of `Abort` and costs N messages and N+1 forced
//! records more.
//!
//! # In doubt
//!
//! From its vote on a participant is *in doubt*: only the decision releases its pins, also across a
//! restart. It asks the coordinator, then the other participants too (cooperative termination:
//! Bernstein, Hadzilacos, Goodman, "Concurrency Control and Recovery in Database Systems", 1987,
//! section 7.4):
//!
//! | the node that is asked | knows | answers |
//! |---|---|---|
//! | coordinator | decided | committed |
//! | coordinator | still collecting | undecided |
//! | coordinator | nothing, its log replayed | aborted |
//! | participant | the outcome | the outcome |
//! | participant | in doubt as well | undecided |
//! | participant | it has not voted, or its no is not durable | forces `Promised`, then: aborted |
//!
//! If every participant is in doubt and the coordinator is down, all wait. That is no mistake: any
//! other answer could contradict a decision record that only the coordinator can see. If the
//! coordinator's *disk* is gone, or it has left the epoch, a participant that has left the epoch
//! too asks the centre (`reports`).
//!
//! # Epochs
//!
//! Reads, `Prepare` and `Execute` are for one epoch, and only a member with a running lease that is
//! complete on the paths takes them (`standing`). What has been promised belongs to the
//! transaction: decisions, inquiries and acknowledgements are taken from and by every node that
//! took part, whatever its epoch; but a participant that has left the epoch in doubt takes an abort
//! from the centre only. A node that leaves an epoch gives up what it has not promised: a
//! coordinator what it still collects, a participant its `Ready`. It reports the rest to the
//! centre.
//!
//! # What may be forgotten
//!
//! The coordinator forgets an abort at once and a commit when every acknowledgement is in. A
//! participant keeps an outcome until the coordinator's *low-water mark* has passed it (all
//! transactions up to there are over; the mark rides on the coordinator's messages). At or below
//! the mark it refuses to vote, answers abort, which can reach only a participant that has
//! acknowledged or will be told the same by the coordinator, and acknowledges a commit that it does
//! not know, because it is a copy of one that it has acknowledged before.

pub mod coordinator;
pub mod operations;
pub mod participant;

use super::Timers;
use super::owner::{Answered, CannotExecute, Owner};
use super::standing::{Closed, Standing};
use super::{
    Changes, Config, Defect, Epoch, Layout, Member, No, Outbox, Path, Record, Refusal, Results,
    Work,
};
use crate::machine::{Incarnation, NodeId, RequestId, Span, Time};

/// What a machine has at hand in one step.
pub(super) struct Turn<'a> {
    pub config: &'a Config,
    pub id: NodeId,
    pub incarnation: Incarnation,
    pub now: Time,
    pub standing: &'a Standing,
    pub disk_is_full: bool,
    pub owner: &'a mut Owner,
    pub timers: &'a mut Timers,
    pub out: &'a mut Outbox,
}

impl Turn<'_> {
    /// The layout of the node's epoch.
    ///
    /// # Panics
    /// If the node has not heard of its view in this life. It has if it was found open.
    pub fn layout(&self) -> &Layout {
        self.standing.layout().expect("a node that may act in an epoch knows its view")
    }

    /// This node, under its admission.
    pub fn member(&self) -> Member {
        Member { node: self.id, admission: self.standing.admission() }
    }

    /// How long a coordinator waits for votes in this attempt at a request. It doubles from attempt
    /// to attempt, up to an eighth of `request_timeout`: where votes take longer than
    /// `vote_timeout` no attempt would ever commit.
    pub fn vote_patience(&self, attempt: u32) -> Span {
        let most = self.config.vote_timeout.max(self.config.request_timeout.fraction(8));
        let doubled = 1 << attempt.saturating_sub(1).min(32);
        self.config.vote_timeout.times(doubled).min(most)
    }

    /// What `work` changes and gives at this owner. A full disk takes no change: it keeps what is
    /// left for the outcomes of what was promised before.
    pub fn execute(&self, work: &Work) -> Result<(Changes, Results), CannotExecute> {
        let (changes, results) = self.owner.execute(self.config.defects, work)?;
        match self.disk_is_full && !changes.is_empty() {
            true => Err(CannotExecute::Refused(Refusal::DiskFull)),
            false => Ok((changes, results)),
        }
    }

    /// Forces that no attempt at the request ever gets this owner's yes, unless it is answered
    /// already.
    pub fn decline(&mut self, request: RequestId, refusal: Refusal) {
        if self.owner.answers.get(request).is_some() {
            return;
        }
        self.owner.answers.insert(request, Answered::Declined(refusal));
        let record = Record::Declined { request, refusal };
        match self.config.defects.has(Defect::RefusalNotForced) {
            true => self.out.write_lazily(record),
            false => self.out.force(record),
        }
    }

    /// May the node serve or vote on `paths` in `epoch`?
    pub fn check<'p>(
        &self,
        epoch: Epoch,
        paths: impl IntoIterator<Item = &'p Path>,
    ) -> Result<(), Closed> {
        self.standing.check(self.config, self.now, epoch, paths)
    }
}

impl From<Closed> for No {
    fn from(closed: Closed) -> No {
        match closed {
            Closed::Epoch(epoch) => No::Epoch(epoch),
            Closed::NotReady => No::NotReady,
        }
    }
}

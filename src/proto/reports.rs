//! Transactions that a lost disk leaves open: the centre decides how they end, by what members
//! have reported.
//!
//! A participant is *in doubt* from its yes until it knows the decision. If the coordinator's disk
//! is lost, no machine may know that any more, and the participants cannot find out among
//! themselves: one that lost its disk too may have said no, and an owner in a newer epoch may serve
//! the files without the transaction. So every member says what it knows while it still can.
//!
//! | member | centre |
//! |---|---|
//! | forces that it leaves its epoch, gives up what it has not voted for; `Entered(open)` until `Noted` | forces `Recorded(open)`, unless it has one of that epoch or a newer; `Noted` |
//! | has `Noted`: serves in the newer epoch and hands over, without what it is in doubt about | |
//! | is in doubt about a transaction of an epoch that it has left: `Resolve` | `Resolved`, as soon as it can tell |
//!
//! A transaction is *open* at a coordinator that has decided to commit it, and at a participant
//! that has voted yes for it or has applied it, until the coordinator says that every participant
//! has it durably.
//!
//! ```text
//!  the coordinator has left the epoch: commit if the transaction is open there, else abort
//!  it is lost, and had not left:       wait until every participant has left or is lost; then
//!                                      abort if there is one that has left and at which it is not
//!                                      open, or one that is not recorded to have entered the
//!                                      epoch; else commit
//! ```
//!
//! A member is *lost* if its disk is, or if the operator says that it never returns, and in both
//! cases only once its lease is over. The centre takes no report of a lost member, and keeps those
//! that it has.
//!
//! # Why it is safe
//!
//! Within its epoch a transaction ends by the word of its coordinator, or of a participant that
//! will never vote for it or knows how it has ended. A participant that has left the epoch takes a
//! commit from any machine, and an abort from the centre only.
//!
//! Outside its epoch a transaction, or its absence, is seen only through a member whose report is
//! recorded and that is not in doubt. If such a member does not have the transaction, its report
//! says *not open*, or it was in doubt and the centre has told it to abort; and the centre never
//! contradicts a report. If the coordinator has decided, every participant had voted yes, durably:
//! no report says *not open* while another participant may be in doubt, and the centre commits,
//! whichever disks are lost. If the coordinator has not decided, no client was told that the
//! request is done, and a commit is right unless the absence of the transaction was seen.
//!
//! # Why it ends
//!
//! The next view is without a member whose disk is lost, and without one that the operator says
//! never returns. Every machine that runs learns of that view, leaves its epoch, reports, and
//! repeats its report until that is noted. So in the end each participant has left or is lost, and
//! so is the coordinator; and then the centre has a verdict.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Defect, Defects, Epoch, Member, Open, Outcome, Record, Results, TxnId, Verdict};

/// What members have reported. All of it is rebuilt from the log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Reports(BTreeMap<Member, Report>);

/// The newest report of a member.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Report {
    /// It has left every epoch before this one.
    entered: Epoch,
    /// The transactions of those that are open at it, with what it knows of their answers.
    open: BTreeMap<TxnId, Results>,
}

/// A question of a participant in doubt.
pub(super) struct Question<'a> {
    pub txn: TxnId,
    /// The epoch that the transaction was for.
    pub epoch: Epoch,
    /// The members that vote, without the coordinator.
    pub participants: &'a [Member],
}

impl Reports {
    /// Is it recorded that the member has left every epoch before this one?
    pub fn has_entered(&self, member: Member, epoch: Epoch) -> bool {
        self.0.get(&member).is_some_and(|report| report.entered >= epoch)
    }

    /// The newest epoch that the member is recorded to have entered.
    pub fn entered(&self, member: Member) -> Option<Epoch> {
        self.0.get(&member).map(|report| report.entered)
    }

    /// Takes the report of a member that has entered `entered`, in place of the one before. If a
    /// transaction is open in that one and not in this, no participant is in doubt about it, or the
    /// centre has aborted it.
    pub fn record(&mut self, member: Member, entered: Epoch, open: &[Open]) {
        let open = open.iter().map(|open| (open.txn, open.results.clone())).collect();
        self.0.insert(member, Report { entered, open });
    }

    /// How the transaction ends; `None` as long as that cannot be told.
    pub fn verdict(
        &self,
        defects: Defects,
        question: &Question<'_>,
        is_lost: impl Fn(Member) -> bool,
    ) -> Option<Verdict> {
        let coordinator = question.txn.begun_by();
        let is_open = match self.has_left(coordinator, question.epoch) {
            true => self.is_open(coordinator, question.txn),
            false if is_lost(coordinator) => self.may_be_decided(defects, question, is_lost)?,
            false => return None,
        };
        Some(match is_open {
            true => Verdict::Committed(self.results(question)),
            false => Verdict::Aborted,
        })
    }

    /// May every participant have voted yes? It is open at those that have left, and those that are
    /// lost had entered the epoch. `None` if a participant has not left and is not lost.
    fn may_be_decided(
        &self,
        defects: Defects,
        question: &Question<'_>,
        is_lost: impl Fn(Member) -> bool,
    ) -> Option<bool> {
        let mut is_open = true;
        for &participant in question.participants {
            match self.has_left(participant, question.epoch) {
                true => is_open &= self.is_open(participant, question.txn),
                false if is_lost(participant) => {
                    // The centre gives no lease before it has recorded the entry, and without a
                    // lease there is no yes.
                    let may_have_voted = self.has_entered(participant, question.epoch);
                    let counts = !defects.has(Defect::LostParticipantMeansAbort);
                    is_open &= may_have_voted && counts;
                }
                false if defects.has(Defect::ResolvedBeforeAllHaveLeft) => {}
                false => return None,
            }
        }
        Some(is_open)
    }

    fn has_left(&self, member: Member, epoch: Epoch) -> bool {
        self.has_entered(member, epoch.next())
    }

    fn is_open(&self, member: Member, txn: TxnId) -> bool {
        self.0.get(&member).is_some_and(|report| report.open.contains_key(&txn))
    }

    /// What is reported of the answer, in the order of the operations.
    fn results(&self, question: &Question<'_>) -> Results {
        let members = question.participants.iter().copied().chain([question.txn.begun_by()]);
        let reports = members.filter_map(|member| self.0.get(&member));
        let results = reports.filter_map(|report| report.open.get(&question.txn));
        let known = results.flat_map(|known| known.iter().map(|(place, of)| (*place, of)));
        let known: BTreeMap<u8, &Outcome> = known.filter(|(_, of)| **of != Outcome::Lost).collect();
        known.into_iter().map(|(place, outcome)| (place, outcome.clone())).collect()
    }

    /// The records that give this again.
    pub fn snapshot(&self) -> impl Iterator<Item = Record> + '_ {
        self.0.iter().map(|(&member, report)| {
            let open = report.open.iter();
            let open: Arc<[Open]> =
                open.map(|(&txn, results)| Open { txn, results: results.clone() }).collect();
            Record::Recorded { member, entered: report.entered, open }
        })
    }
}

//! The participant of a transaction: pins, votes, and then does what was decided.
//!
//! ```text
//!          Prepare            Prepare/Execute: force Voted      Commit: force Applied
//!  unknown --------> waiting -> ready --------------------> in doubt ----------------> committed
//!     |  an older    |            | time-out, Abort,            |
//!     |  attempt has |            | asked by another            | Abort: Voted is void
//!     |  the path    |            |                             |
//!     +--------------+------------+-----------------------------+--------------------> aborted
//! ```

mod decide;
mod inquire;
mod leave;
mod outcomes;
mod recovery;
mod vote;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Turn;
use crate::machine::RequestId;
use crate::proto::Timer;
use crate::proto::owner::{Answered, CannotExecute};
use crate::proto::{
    Epoch, Membership, No, Outcome, Path, Terms, TxnId, TxnMessage, Vote, Voted, Work,
};
pub(in crate::proto) use decide::Declining;
use outcomes::Outcomes;

/// All transactions in which this node is a participant and not the coordinator.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(in crate::proto) struct Participant {
    // Rebuilt from the log:
    /// Of these only the votes in doubt.
    parts: BTreeMap<TxnId, Part>,
    outcomes: Outcomes,
}

/// A transaction that is under way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Part {
    /// Wants pins. Volatile.
    Waiting(Prepared),
    /// Has its pins; nothing is promised. Volatile.
    Ready(Prepared),
    /// Has voted yes. Rebuilt from the log.
    InDoubt(InDoubt),
}

/// What a coordinator asks a participant to prepare.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::proto) struct Prepared {
    pub epoch: Epoch,
    pub terms: Terms,
    pub paths: Arc<[Path]>,
    /// The operations, once they have come.
    pub work: Option<Work>,
}

/// The vote, as it stands in the log, and how often the decision was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct InDoubt {
    // Rebuilt from the log:
    voted: Voted,
    /// What it still pins: all of the vote's paths but those that are voided.
    paths: Arc<[Path]>,

    // Volatile:
    inquiries: u32,
}

impl Participant {
    /// The transactions of which it remembers the outcome.
    pub fn remembered_outcomes(&self) -> impl Iterator<Item = TxnId> + '_ {
        self.outcomes.iter().map(|(txn, _)| txn)
    }

    fn let_go(&mut self, turn: &mut Turn<'_>, txn: TxnId, prepared: &Prepared) {
        turn.timers.cancel(&Timer::Ready(txn));
        turn.owner.unpin(txn, Some(prepared.terms.age), &prepared.paths);
    }
}

fn send_vote(turn: &mut Turn<'_>, txn: TxnId, vote: Vote) {
    turn.out.send(txn.coordinator, TxnMessage::Executed { txn, vote });
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

//! What messages are made of.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::machine::{Incarnation, NodeId, RequestId};
use crate::proto::{Age, Answer, Arcs, Epoch, Member, Operation, Outcome, Refusal, Token, TxnId};

/// A position in one client's session with one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Session {
    /// The life of the node that the session is with; the node refuses another's.
    pub node: Incarnation,
    /// Counts the messages of the session; the node takes each number once.
    pub number: u32,
    /// No number below this is still wanted, so the node may forget which of them it took.
    pub lowest: u32,
}

/// What `Prepare`, `Execute`, `Commit`, `Abort` and `Decline` carry: which transaction, and up to
/// where those of its coordinator are over.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Header {
    /// Which transaction.
    pub txn: TxnId,
    /// All transactions of this coordinator up to here are over: [`LowWater`].
    pub low_water: LowWater,
}

/// The last of a coordinator's transactions, in the order of (incarnation, counter), up to which
/// all are over: decided, and where the decision was to commit, acknowledged by every participant.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct LowWater {
    /// A life of the coordinator.
    pub incarnation: Incarnation,
    /// A transaction of that life; 0 stands for all of the lives before.
    pub counter: u32,
}

impl LowWater {
    /// Is `txn`, one of the coordinator whose mark this is, over?
    pub fn covers(self, txn: TxnId) -> bool {
        (txn.incarnation, txn.counter) <= (self.incarnation, self.counter)
    }
}

/// What a participant needs to know of a transaction before it can vote.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Terms {
    /// The request that the transaction serves.
    pub request: RequestId,
    /// Which attempt at it, from 1.
    pub attempt: u32,
    /// No request of the client below this number is still waited for.
    pub lowest: u32,
    /// Which attempt yields when two want one path.
    pub age: Age,
    /// The members that vote, without the coordinator.
    pub participants: Arc<[Member]>,
    /// How many operations the request has.
    pub operations: u8,
}

/// The operations of one participant, each with its place among all of the request's.
pub type Work = Arc<[(u8, Operation)]>;

/// The outcomes of one participant's operations, each with its place among all of the request's.
pub type Results = Arc<[(u8, Outcome)]>;

/// Something that an owner knows of requests, and hands over with the paths.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Handed {
    /// The request took effect, with this answer.
    Done(RequestId, Answer),
    /// An owner has promised never to vote for it.
    Declined(RequestId, Refusal),
    /// The client, in that life, waits for no number below this one.
    Forgotten(NodeId, Incarnation, u32),
}

/// What a participant answers when it is asked to prepare a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Vote {
    /// The participant can commit, whatever happens to it.
    Yes(Results),
    /// It cannot.
    No(No),
}

/// Why a vote is no.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum No {
    /// The request is already answered: an earlier attempt has committed.
    Answered(Answer),
    /// The request cannot be served; `recorded` says whether that was forced under its id.
    Refused {
        /// Why.
        refusal: Refusal,
        /// Was it forced?
        recorded: bool,
    },
    /// An older transaction has the path.
    Conflict,
    /// The pin that the coordinator builds on is gone, or the transaction is over.
    Lost,
    /// The epoch is not this one.
    Epoch(Epoch),
    /// The participant has no running lease, or has not yet pulled the path.
    NotReady,
}

/// What a machine that took part in a transaction knows of its decision.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Known {
    /// Commit, with the whole answer.
    Committed(Answer),
    /// Abort.
    Aborted,
    /// Not decided yet, or in doubt as well.
    Undecided,
    /// The member that voted is gone with its disk: it will never ask for the outcome.
    Gone,
}

/// A transaction that is open at a member that leaves its epoch, and of which operations the member
/// knows what came: those of its vote, or all if it knows the decision.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Open {
    /// Which transaction.
    pub txn: TxnId,
    /// What it knows of the answer.
    pub results: Results,
}

/// The centre's word on a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Verdict {
    /// It commits, with what is reported of the answer.
    Committed(Results),
    /// It aborts.
    Aborted,
}

/// What a keep-alive keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Keep {
    /// A place in line.
    Waiting(RequestId),
    /// The lock.
    Holding(Token),
}

/// What a pull comes to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PullEnd {
    /// Where the owner was complete: this has been handed over.
    pub complete: Arcs,
    /// Where it was not, and so never voted: nothing was committed here in that epoch.
    pub witnessed: Arcs,
}

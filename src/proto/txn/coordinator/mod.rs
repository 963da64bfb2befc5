//! The coordinator of a transaction: collects, decides, and repeats the decision until all have
//! acknowledged.
//!
//! ```text
//!  Begin -> fetching -> pinning -> preparing -> voting -> committing -> over
//!           (sources    (own       (staged:     (votes)   (force Decided,
//!            of renames) paths)     Ready)                 acknowledgements)
//!              |           |           |           |
//!              +-----------+-----------+-----------+--> abort: a no, or no answer in
//!              |           |           |           |    time; nothing is written
//!              +-----------+-----------+-----------+--> refusing: the request is refused -> over
//!                                                       (managed: every owner forces `Declined`)
//! ```
//!
//! Everything up to the decision is volatile: a coordinator that restarts knows only what it
//! decided, and what it does not know has aborted.

mod collect;
mod commit;
mod refuse;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Turn;
use super::operations::{Source, split_renames};
use crate::machine::{Incarnation, NodeId, RequestId};
use crate::proto::{
    Age, AttemptEnd, Changes, Config, Decided, Defect, Defects, Ended, Epoch, Header, LowWater,
    Member, Membership, No, Operation, Path, Refusal, Results, Retry, TxnId, Work,
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
    // Volatile:
    /// The last number given to a transaction of this life.
    counter: u32,
    collecting: BTreeMap<TxnId, Collecting>,

    // Rebuilt from the log:
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
    /// The sources of renames, as far as they were found.
    sources: Vec<Source>,
    participants: Arc<[Member]>,
    /// The participants that have answered the question of the phase, and how.
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
    /// Waits for every participant to be ready (staged only).
    Preparing,
    /// Waits for the votes.
    Voting,
    /// Waits until every participant has promised that no attempt at the request gets its yes.
    Refusing(Refusal),
}

/// A transaction that is decided and not over; `awaited` have not acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Committing {
    // Rebuilt from the log:
    /// Its changes are left out: they are stored already.
    decided: Decided,

    // Volatile: a new life awaits every participant again.
    awaited: BTreeSet<Member>,
    repeats: u32,
}

impl Collecting {
    fn new(epoch: Epoch, attempt: Attempt) -> Collecting {
        let (work, sources) = split_renames(&attempt.operations);
        Collecting {
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
        }
    }

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
    /// Is nothing under way?
    pub fn is_idle(&self) -> bool {
        self.collecting.is_empty() && self.committing.is_empty()
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
        let active = collecting.into_iter().chain(committing);
        let (incarnation, counter) = active.fold(this, Ord::min);
        let counter = match defects.has(Defect::LowWaterTooHigh) {
            true => counter,
            false => counter - 1,
        };
        Header { txn, low_water: LowWater { incarnation, counter } }
    }

    fn txn_id(&self, turn: &Turn<'_>, counter: u32) -> TxnId {
        let Member { node: coordinator, admission } = turn.member();
        let in_life = |incarnation| TxnId { coordinator, admission, incarnation, counter };
        if turn.config.defects.has(Defect::TransactionIdReused) {
            return in_life(Incarnation(1));
        }
        let txn = in_life(turn.incarnation);
        let is_known = self.collecting.contains_key(&txn) || self.committing.contains_key(&txn);
        assert!(!is_known, "{txn} is begun twice");
        txn
    }
}

fn end_attempt(turn: &mut Turn<'_>, attempt: &Attempt, end: AttemptEnd) {
    let Attempt { client, request, attempt, .. } = *attempt;
    turn.out.send(client, Ended { request, attempt, end });
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

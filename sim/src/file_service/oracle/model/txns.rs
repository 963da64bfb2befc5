//! What is known of each transaction, found without searching.

use std::collections::BTreeMap;
use std::sync::Arc;

use seedbed::machine::{Incarnation, NodeId, RequestId};
use seedbed::proto::{
    Admission, Answer, Changes, Decided, Epoch, File, FromCentre, Header, Known, LowWater, Member,
    Message, No, Path, Record, Terms, TxnId, TxnMessage, Verdict, Vote, Voted,
};

use crate::file_service::oracle::At;

/// A transaction.
#[derive(Clone, Debug, Default)]
pub struct Txn {
    /// The request that it serves.
    pub request: Option<RequestId>,
    /// The request that its age names: the one the user made.
    pub origin: Option<RequestId>,
    /// What its first `Prepare` began.
    pub begun: Option<At<Begun>>,
    /// What that said is the lowest number that the client of its request waits for.
    pub lowest: u32,
    /// What that said of the transactions before it.
    pub low_water: LowWater,
    /// The participants, the coordinator left out.
    pub participants: Arc<[NodeId]>,
    /// Likewise, under their admissions.
    pub members: Arc<[Member]>,
    /// Yes votes that are durable, with what they would change, by participant.
    pub yes: BTreeMap<NodeId, At<Changes>>,
    /// Paths that a yes vote pins, by participant.
    pub pinned: BTreeMap<NodeId, Arc<[Path]>>,
    /// The newest no vote that was sent, by participant.
    pub no: BTreeMap<NodeId, At<No>>,
    /// The votes that have arrived at the coordinator.
    pub heard: Heard,
    /// The epoch in which it is voted for and decided.
    pub epoch: Epoch,
    /// The decision to commit, once its record is durable.
    pub decided: Option<At<Answer>>,
    /// What the decision changes at the coordinator itself.
    pub own: Changes,
    /// Its place among all decisions, from 1, in the order in which they became durable.
    pub order: Option<u64>,
    /// The first abort that the coordinator announced, or the centre.
    pub aborted: Option<u64>,
    /// The outcome in each participant's log: true for applied, false for rolled back or
    /// promised.
    pub outcomes: BTreeMap<NodeId, At<bool>>,
    /// When the coordinator's log said that it is over.
    pub over: Option<u64>,
    /// The participants whose disk is gone: no machine will ever ask in their name, or answer.
    pub gone: Vec<NodeId>,
}

/// What a transaction was begun for, and in which life of its coordinator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Begun {
    /// The request.
    pub request: RequestId,
    /// Which attempt at it.
    pub attempt: u32,
    /// The life of the coordinator.
    pub life: Incarnation,
}

/// The votes on one transaction that its coordinator has received between two restarts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// In which life.
    pub life: Incarnation,
    /// The participants from which it has heard yes.
    pub yes: Vec<NodeId>,
    /// Has it heard a no?
    pub no: bool,
    /// When it had heard yes from all, and what its log must be durable up to before all that it
    /// had put together until then has left.
    pub all: Option<At<u64>>,
}

impl Txn {
    /// Has every participant durably applied it, or is it gone with its disk? Then nothing said of
    /// it can do any harm.
    pub fn is_applied_everywhere(&self) -> bool {
        let applied = |node| self.outcomes.get(node).is_some_and(|outcome| outcome.is);
        let is_done = |node| applied(node) || self.gone.contains(node);
        self.decided.is_some() && self.participants.iter().all(is_done)
    }

    /// Did its decision become durable in `step`?
    pub fn decided_in(&self, step: u64) -> bool {
        self.decided.as_ref().is_some_and(|decided| decided.step == step)
    }

    /// Is `node`'s yes durable and its outcome not?
    pub fn is_in_doubt(&self, node: NodeId) -> bool {
        let is_open = self.yes.contains_key(&node) && !self.outcomes.contains_key(&node);
        is_open && !self.gone.contains(&node)
    }

    /// All that it changes, at every node.
    pub fn changes(&self) -> impl Iterator<Item = &(Path, File)> {
        let votes = self.yes.values().flat_map(|yes| yes.is.iter());
        self.own.iter().chain(votes)
    }

    /// All that it changes, by node, its coordinator's part first.
    pub(super) fn parts(&self, coordinator: NodeId) -> Vec<(NodeId, Changes)> {
        let votes = self.yes.iter().map(|(node, yes)| (*node, yes.is.clone()));
        std::iter::once((coordinator, self.own.clone())).chain(votes).collect()
    }

    /// What `node` stores once it is committed.
    pub fn changes_at(&self, coordinator: NodeId, node: NodeId) -> Option<&Changes> {
        match node == coordinator {
            true => Some(&self.own),
            false => self.yes.get(&node).map(|yes| &yes.is),
        }
    }
}

/// All transactions. The ids of one life of a coordinator count from 1, so each is a place in the
/// list of that life; place 0 stays empty.
#[derive(Clone, Debug, Default)]
pub struct Txns {
    lives: BTreeMap<Life, Vec<Option<Box<Txn>>>>,
    /// The highest low-water mark that each coordinator has sent.
    marks: BTreeMap<Member, LowWater>,
}

/// A coordinator's life, as its ids name it.
type Life = (NodeId, Admission, Incarnation);

impl Txns {
    /// What is known of `id`.
    pub fn get(&self, id: &TxnId) -> Option<&Txn> {
        self.lives.get(&life_of(id))?.get(id.counter as usize)?.as_deref()
    }

    /// What is known of `id`, to add to it.
    pub fn entry(&mut self, id: TxnId) -> &mut Txn {
        let life = self.lives.entry(life_of(&id)).or_default();
        let place = id.counter as usize;
        if life.len() <= place {
            life.resize_with(place + 1, || None);
        }
        life[place].get_or_insert_default()
    }

    /// Every transaction, by coordinator, life and number.
    pub fn iter(&self) -> impl Iterator<Item = (TxnId, &Txn)> {
        self.lives.iter().flat_map(|(life, txns)| of_life(*life, 0, txns))
    }

    /// Every transaction of one coordinator, by life and number.
    pub fn of(&self, coordinator: Member) -> impl Iterator<Item = (TxnId, &Txn)> {
        let Member { node, admission } = coordinator;
        let lives = self.lives.range((node, admission, Incarnation::default())..);
        let lives = lives.take_while(move |((of, under, _), _)| (*of, *under) == (node, admission));
        lives.flat_map(|(life, txns)| of_life(*life, 0, txns))
    }

    /// The transactions of one coordinator behind the mark `old` and up to the mark `new`.
    pub fn covered_since(
        &self,
        coordinator: Member,
        old: LowWater,
        new: LowWater,
    ) -> impl Iterator<Item = (TxnId, &Txn)> {
        let Member { node, admission } = coordinator;
        let lives = (node, admission, old.incarnation)..=(node, admission, new.incarnation);
        self.lives.range(lives).flat_map(move |(life, txns)| {
            let is_between = move |id: &TxnId| new.covers(*id) && !old.covers(*id);
            let skipped = if life.2 == old.incarnation { old.counter as usize } else { 0 };
            let left = txns.get(skipped..).unwrap_or_default();
            let numbered = of_life(*life, skipped as u32, left);
            numbered
                .take_while(move |(id, _)| new.covers(*id))
                .filter(move |(id, _)| is_between(id))
        })
    }

    /// Every transaction.
    pub fn values(&self) -> impl Iterator<Item = &Txn> {
        self.iter().map(|(_, txn)| txn)
    }

    /// Is `txn` one that the coordinator has called over?
    pub fn is_below_the_mark(&self, txn: TxnId) -> bool {
        self.marks.get(&coordinator(txn)).is_some_and(|mark| mark.covers(txn))
    }
}

/// What happens.
impl Txns {
    /// A coordinator in its life `life` asks for the first votes, in an epoch.
    pub(super) fn on_prepare(
        &mut self,
        step: u64,
        life: Incarnation,
        (header, epoch): (&Header, Epoch),
        terms: &Terms,
    ) {
        self.on_mark(header);
        let txn = self.entry(header.txn);
        if txn.begun.is_none() {
            txn.epoch = epoch;
            let begun = Begun { request: terms.request, attempt: terms.attempt, life };
            txn.begun = Some(At { step, is: begun });
            (txn.lowest, txn.low_water) = (terms.lowest, header.low_water);
            txn.request = Some(terms.request);
            txn.origin = Some(terms.age.request);
            txn.participants = names(&terms.participants);
            txn.members = terms.participants.clone();
        }
    }

    /// Anything else is said of a transaction.
    pub(super) fn on_sent(&mut self, step: u64, from: NodeId, message: &Message) {
        match message {
            Message::Txn(
                TxnMessage::Execute { header, .. } | TxnMessage::Commit { header, .. },
            ) => {
                self.on_mark(header);
            }
            Message::Txn(TxnMessage::Abort { header } | TxnMessage::Decline { header, .. }) => {
                self.on_mark(header);
                self.entry(header.txn).aborted.get_or_insert(step);
            }
            Message::Txn(TxnMessage::Told { txn, known: Known::Aborted })
                if from == txn.coordinator =>
            {
                self.entry(*txn).aborted.get_or_insert(step);
            }
            Message::FromCentre(FromCentre::Resolved {
                txn, verdict: Verdict::Aborted, ..
            }) => {
                self.entry(*txn).aborted.get_or_insert(step);
            }
            Message::Txn(TxnMessage::Executed { txn, vote: Vote::No(no) }) => {
                self.entry(*txn).no.insert(from, At { step, is: no.clone() });
            }
            _ => {} // it names no outcome
        }
    }

    fn on_mark(&mut self, header: &Header) {
        let mark = self.marks.entry(coordinator(header.txn)).or_default();
        *mark = header.low_water.max(*mark);
    }

    /// A vote arrives at the coordinator, which is in its life `life` and has a log that reaches to
    /// `forced`.
    pub(super) fn on_vote(
        &mut self,
        id: TxnId,
        from: NodeId,
        vote: &Vote,
        life: Incarnation,
        forced: At<u64>,
    ) {
        let txn = self.entry(id);
        if txn.begun.as_ref().is_none_or(|begun| begun.is.life != life) {
            return; // a later life knows nothing of it and does not count votes
        }
        let heard = &mut txn.heard;
        heard.life = life;
        match vote {
            Vote::No(_) => heard.no = true,
            Vote::Yes(_) if heard.yes.contains(&from) => {}
            Vote::Yes(_) => {
                heard.yes.push(from);
                if txn.participants.iter().all(|node| heard.yes.contains(node)) {
                    heard.all = Some(forced);
                }
            }
        }
    }

    /// A yes is durable.
    pub(super) fn on_voted(&mut self, step: u64, node: NodeId, record: &Record) {
        let Record::Voted(Voted { txn: id, epoch, request, participants, paths, changes, .. }) =
            record
        else {
            return;
        };
        let txn = self.entry(*id);
        txn.request.get_or_insert(*request);
        txn.epoch = *epoch;
        if txn.participants.is_empty() {
            txn.participants = names(participants);
            txn.members = participants.clone();
        }
        txn.yes.insert(node, At { step, is: changes.clone() });
        txn.pinned.insert(node, paths.clone());
    }

    /// The operator gives members up: none of them will ever ask, or tell.
    pub(super) fn on_given_up(&mut self, members: &[Member]) {
        let txns = self.lives.values_mut().flatten().flatten();
        for txn in txns.filter(|_| !members.is_empty()) {
            let given_up = txn.members.iter().filter(|member| members.contains(member));
            let given_up = given_up.map(|member| member.node);
            txn.gone.extend(given_up.filter(|node| !txn.gone.contains(node)).collect::<Vec<_>>());
        }
    }

    pub(super) fn on_outcome(&mut self, node: NodeId, id: TxnId, outcome: At<bool>) {
        self.entry(id).outcomes.entry(node).or_insert(outcome);
    }

    /// Takes over what a decision says of its transaction, unless that has committed already: is
    /// this the commit point?
    pub(super) fn on_decided(&mut self, record: &Record) -> bool {
        let Record::Decided(Decided { txn: id, epoch, request, participants, changes, .. }) =
            record
        else {
            return false;
        };
        let txn = self.entry(*id);
        if txn.decided.is_some() {
            return false;
        }
        txn.request = Some(*request);
        txn.participants = names(participants);
        txn.members = participants.clone();
        txn.own = changes.clone();
        txn.epoch = *epoch;
        true
    }

    pub(super) fn on_over(&mut self, step: u64, id: TxnId) {
        self.entry(id).over.get_or_insert(step);
    }
}

/// The coordinator of a transaction: a name under an admission.
pub(super) fn coordinator(txn: TxnId) -> Member {
    Member { node: txn.coordinator, admission: txn.admission }
}

fn names(members: &[Member]) -> Arc<[NodeId]> {
    members.iter().map(|member| member.node).collect()
}

/// The transactions of a life, of which the first has this number.
fn of_life(
    life: Life,
    first: u32,
    txns: &[Option<Box<Txn>>],
) -> impl Iterator<Item = (TxnId, &Txn)> {
    let (coordinator, admission, incarnation) = life;
    (first..).zip(txns).filter_map(move |(counter, txn)| {
        let id = TxnId { coordinator, admission, incarnation, counter };
        Some((id, txn.as_deref()?))
    })
}

fn life_of(id: &TxnId) -> Life {
    (id.coordinator, id.admission, id.incarnation)
}

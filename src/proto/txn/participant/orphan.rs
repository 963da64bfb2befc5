//! Settling what is in doubt without the coordinator, whose disk is gone.
//!
//! If all participants are in doubt they commit, because that is what the coordinator may have told
//! its client. (It may as well have given up, but then it has told nobody of a refusal: giving up
//! without a no vote leaves the outcome unknown.) An `Abort` that the coordinator sent before it
//! lost its disk may still be under way, so a participant first forces that it believes the other
//! participants only (`Orphaned`), and only answers that say so count for "all are in doubt".
//!
//! # Heirs
//!
//! One thing may have outlived that disk: a *copy*. A coordinator that was an owner as well and
//! left its epoch has given up what it had not decided; if it then handed its files over, the new
//! owner serves them without the transaction, and a commit would come too late. So with its files
//! it hands over what became of its transactions (those it has decided and that are not over, and
//! that all others up to its last epoch have aborted), and so does everyone in its line. Before
//! participants commit by the rule above they ask these *heirs*, which are the owners of the paths
//! in every later view up to the time when they learnt of the loss. One that was handed over
//! nothing drops the pull that is under way, as does a participant that agrees: a chunk might be of
//! that line.
//!
//! # More lost disks
//!
//! What an heir handed over before it lost its disk, or before it left and a later view settled,
//! may have arrived since the others answered, so they are asked again, in a new round. If a
//! participant's disk is gone too, the others wait: it may have said no. They wait until the
//! operator accepts the loss, and then those who are left are all.

use std::collections::{BTreeMap, BTreeSet};

use super::super::Turn;
use super::{End, InDoubt, Part, Participant};
use crate::proto::{
    Admission, Arcs, Config, Epoch, Handed, Incarnation, Member, Message, NodeId, Outcome, Path,
    Recollection, Record, Results, Span, Time, TxnId,
};

/// What is known of a vote whose coordinator's disk is gone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Orphan {
    /// When this life learnt that.
    pub(super) since: Time,
    /// Has this life given its word that it would commit if all others do?
    pub(super) has_agreed: bool,
    /// Participants that are in doubt as well and believe each other only, with what they voted.
    pub(super) agreed: BTreeMap<NodeId, Results>,
    /// Participants whose disks are gone, and the numbers of those who have their names.
    pub(super) gone: BTreeMap<NodeId, Admission>,
    /// When the present round of questions began, and which epoch had settled then.
    pub(super) round: (Time, Epoch),
    /// Heirs that were handed over nothing about the transaction, and have said so in this round.
    pub(super) unaware: BTreeSet<Member>,
    /// Heirs that are gone with their disks.
    pub(super) lost: BTreeSet<Member>,
}

impl Orphan {
    /// Gives the node's word that it would commit. Is it the first time in this life?
    fn agree(&mut self) -> bool {
        !std::mem::replace(&mut self.has_agreed, true)
    }
}

/// What is done without the coordinator.
impl Participant {
    /// An heir of the coordinator answers.
    pub fn on_recalled(
        &mut self,
        turn: &mut Turn<'_>,
        heir: Member,
        txn: TxnId,
        round: (Incarnation, Time),
        memory: Recollection,
    ) {
        let Some(Part::InDoubt(vote)) = self.parts.get_mut(&txn) else { return };
        match memory {
            Recollection::Committed(answer) => self.commit(turn, txn, answer),
            Recollection::Aborted => self.abort(turn, txn),
            Recollection::Nothing | Recollection::Gone => {
                let Some(orphan) = &mut vote.orphan else { return };
                if memory == Recollection::Gone && orphan.lost.insert(heir) {
                    // What it handed over before may have arrived since the others answered.
                    orphan.begin_round(turn);
                    return self.ask_heirs(turn, txn);
                }
                if memory == Recollection::Nothing && round == (turn.incarnation, orphan.round.0) {
                    orphan.unaware.insert(heir);
                }
                self.settle_orphan(turn, txn);
            }
        }
    }

    /// What was handed over about a transaction that was for `epoch`, with copies of `paths`.
    pub fn recall(
        &self,
        config: &Config,
        txn: TxnId,
        epoch: Epoch,
        paths: &[Path],
    ) -> Recollection {
        let (first, last) = ((txn.begun_by(), epoch), (txn.begun_by(), Epoch(u32::MAX)));
        let mut presumed = self.presumed.range(first..=last).map(|(_, arcs)| arcs);
        let is_one = |arcs: &Arcs| paths.iter().any(|path| arcs.contains(config.position(path)));
        match self.outcomes.get(&txn) {
            Some(End::Committed(answer)) => Recollection::Committed(answer.clone()),
            Some(End::Aborted) => Recollection::Aborted,
            _ if presumed.any(is_one) => Recollection::Aborted,
            _ => Recollection::Nothing,
        }
    }

    /// Ends a doubt that what was handed over leaves no room for.
    pub(super) fn settle_by_memory(&mut self, turn: &mut Turn<'_>, txn: TxnId) {
        let Some(Part::InDoubt(vote)) = self.parts.get(&txn) else { return };
        match self.recall(turn.config, txn, vote.epoch, &vote.asked) {
            Recollection::Committed(answer) => self.commit(turn, txn, answer),
            Recollection::Aborted => self.abort(turn, txn),
            Recollection::Nothing | Recollection::Gone => {}
        }
    }

    /// Would it commit, if all other participants do? From the first time on, no chunk that was
    /// under way then is taken any more: it might be of the lost coordinator's line.
    pub(super) fn agrees(&mut self, turn: &Turn<'_>, txn: TxnId) -> bool {
        let Some(Part::InDoubt(vote)) = self.parts.get_mut(&txn) else { return false };
        let agrees = vote.is_left_alone(turn, txn);
        if let Some(orphan) = vote.orphan.as_mut().filter(|_| agrees) {
            self.agreed |= orphan.agree();
        }
        agrees
    }

    /// Has the node just given its word that it would commit an orphan?
    pub fn take_agreed(&mut self) -> bool {
        std::mem::take(&mut self.agreed)
    }

    /// The coordinator's disk is gone. From here on nothing that it said counts, unless it is a
    /// commit, with which all who are in doubt agree anyway.
    pub(super) fn believe_participants_only(&mut self, turn: &mut Turn<'_>, txn: TxnId) {
        let Some(Part::InDoubt(vote)) = self.parts.get_mut(&txn) else { return };
        if vote.orphan.is_none() {
            let mut orphan = Orphan { since: turn.now, ..Orphan::default() };
            orphan.begin_round(turn);
            vote.orphan = Some(orphan);
            turn.out.force(Record::Orphaned { txn });
            self.settle_orphan(turn, txn);
        }
    }

    /// If all participants are in doubt and believe each other only, and no heir of the coordinator
    /// knows more, they commit. The whole answer is lost with the coordinator, so it is put
    /// together again; where a part of it was the coordinator's alone, so was the path, and what
    /// became of the transaction cannot be proved.
    pub(super) fn settle_orphan(&mut self, turn: &mut Turn<'_>, txn: TxnId) {
        self.settle_by_memory(turn, txn);
        if !self.agrees(turn, txn) {
            return;
        }
        let Some(Part::InDoubt(vote)) = self.parts.get(&txn) else { return };
        let Some(Orphan { agreed, gone, .. }) = &vote.orphan else { return };
        let is_given_up = |node: &NodeId| {
            gone.get(node).is_some_and(|successor| turn.standing.is_loss_accepted(*successor))
        };
        let mut others = vote.participants.iter().map(|other| &other.node);
        let is_for_it =
            |node: &NodeId| *node == turn.id || agreed.contains_key(node) || is_given_up(node);
        if others.all(is_for_it) {
            let results = agreed.values().chain([&vote.results]);
            let known: BTreeMap<u8, &Outcome> =
                results.flat_map(|r| r.iter()).map(|(place, outcome)| (*place, outcome)).collect();
            if known.len() == usize::from(vote.operations) {
                let answer = known.into_values().cloned().collect();
                self.commit(turn, txn, answer);
            }
        }
    }

    /// Asks every heir what it was handed over.
    pub(super) fn ask_heirs(&mut self, turn: &mut Turn<'_>, txn: TxnId) {
        let Some(Part::InDoubt(vote)) = self.parts.get_mut(&txn) else { return };
        let Some(orphan) = &mut vote.orphan else { return };
        // Who has left since that epoch settled is no heir any more, but what it handed over may
        // have arrived since those who are left answered.
        if orphan.round.1 != turn.standing.settled() {
            orphan.begin_round(turn);
        }
        let round = (turn.incarnation, orphan.round.0);
        for Member { node, admission: asked } in vote.heirs(turn, txn) {
            let (epoch, paths) = (vote.epoch, vote.asked.clone());
            turn.out.send(node, Message::Recall { txn, epoch, paths, asked, round });
        }
    }

    pub(super) fn is_orphan(&self, txn: TxnId) -> bool {
        matches!(self.parts.get(&txn), Some(Part::InDoubt(InDoubt { orphan: Some(_), .. })))
    }
}

/// What became of transactions, as it travels with copies.
impl Participant {
    /// What became of transactions, for somebody else.
    pub fn hand_over<'a>(&'a self, arcs: &'a Arcs) -> impl Iterator<Item = Handed> + 'a {
        let outcomes = self.outcomes.iter().filter_map(|(&txn, end)| match end {
            End::Committed(answer) => Some(Handed::Settled(txn, Some(answer.clone()))),
            End::Aborted => Some(Handed::Settled(txn, None)),
            End::VotedNo => None,
        });
        let presumed = self.presumed.iter().map(|(of, all)| (of, all.intersection(arcs)));
        let presumed = presumed.filter(|(_, arcs)| !arcs.is_empty());
        outcomes.chain(
            presumed
                .map(|(&(coordinator, epoch), arcs)| Handed::Presumed(coordinator, epoch, arcs)),
        )
    }

    /// Takes over what was handed over of transactions.
    pub fn remember(&mut self, handed: &Handed) {
        match handed {
            Handed::Settled(txn, _) if self.mark_covers(*txn) => {}
            Handed::Settled(txn, answer) => {
                let end = answer.clone().map_or(End::Aborted, End::Committed);
                self.outcomes.insert(*txn, end);
            }
            Handed::Presumed(coordinator, epoch, arcs) => self.presume(*coordinator, *epoch, arcs),
            Handed::Done(..) | Handed::Declined(..) | Handed::Forgotten(..) => {}
        }
    }

    pub(super) fn presume(&mut self, coordinator: Member, epoch: Epoch, arcs: &Arcs) {
        let known = self.presumed.entry((coordinator, epoch)).or_default();
        *known = known.union(arcs);
    }
}

impl Orphan {
    /// What was answered before counts no more.
    fn begin_round(&mut self, turn: &Turn<'_>) {
        // Two rounds of one moment would have one name.
        let begins = turn.now.max(self.round.0 + Span::from_nanos(1));
        self.round = (begins, turn.standing.settled());
        self.unaware.clear();
    }
}

impl InDoubt {
    /// Is the coordinator's disk gone, and all that it has told of the transaction? Every path of
    /// it has a participant that asks, or the whole answer cannot be put together.
    fn is_left_alone(&self, turn: &Turn<'_>, txn: TxnId) -> bool {
        self.orphan.as_ref().is_some_and(|orphan| {
            turn.standing.is_up_to_date(orphan.since)
                && orphan.round.1 == turn.standing.settled()
                && self
                    .heirs(turn, txn)
                    .iter()
                    .all(|heir| orphan.unaware.contains(heir) || orphan.lost.contains(heir))
        })
    }

    /// Who may have pulled from the coordinator what the vote was for: every later owner.
    pub(super) fn heirs(&self, turn: &Turn<'_>, txn: TxnId) -> BTreeSet<Member> {
        let layouts = turn.standing.layouts_after(self.epoch);
        let owners = layouts.flat_map(|layout| self.asked.iter().flat_map(|p| layout.owners(p)));
        let is_heir = |owner: &Member| *owner != txn.begun_by() && *owner != turn.member();
        owners.filter(is_heir).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_given_for_the_first_time_once() {
        let mut orphan = Orphan::default();
        assert!(orphan.agree(), "chunks that are under way are not taken any more");
        assert!(!orphan.agree());
    }
}

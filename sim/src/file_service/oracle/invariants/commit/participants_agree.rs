//! Agreement.

use seedbed::machine::NodeId;
use seedbed::proto::{Decided, FileService, Record, RecordKind, TxnId};

use crate::file_service::oracle::model::requests::effects_of_requests::is_part_of;
use crate::file_service::oracle::{
    Breach, Evidence, Invariant, Model, Moment, Seen, SeenKinds, Txn,
};
use crate::file_service::trace;

/// No node commits a transaction while another aborts it, and all that commit it record one answer.
/// An abort does not count that is lost with a disk before its participant had reported.
///
/// This is what atomic commitment is for: AC1 of Bernstein, Hadzilacos, Goodman, "Concurrency
/// Control and Recovery in Database Systems", 1987, chapter 7 ("all processes that reach a decision
/// reach the same one"). A coordinator decides by its decision record, a participant by recording
/// that it applied or rolled back, or promised never to vote. A node acts on a record from the
/// moment it is appended, so the newer of two contradicting facts counts from there; the older one
/// must be durable, else a crash could undo it. A participant remembers the answer to tell it when
/// the coordinator's own is lost on the way.
pub struct ParticipantsAgree;

const DECISIONS: &[RecordKind] =
    &[RecordKind::Decided, RecordKind::Applied, RecordKind::RolledBack, RecordKind::Promised];

impl Invariant<FileService> for ParticipantsAgree {
    fn interest(&self) -> SeenKinds {
        SeenKinds::appended(DECISIONS) | SeenKinds::durable(DECISIONS)
    }

    fn see(&mut self, seen: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        let (Seen::Appended { node, record, .. } | Seen::Durable { node, record, .. }) = *seen
        else {
            return Ok(());
        };
        let Some((id, commits, what)) = decision(record) else { return Ok(()) };
        let Some(txn) = model.txns.get(&id) else { return Ok(()) };
        match other_answer(record, id, txn).or_else(|| other_than(commits, id, node, model)) {
            Some(earlier) => {
                let now = Evidence::at(model.step, format!("{node} {what} {id}")).about(id);
                Err(Breach::of(earlier, now))
            }
            None => Ok(()),
        }
    }
}

fn decision(record: &Record) -> Option<(TxnId, bool, &'static str)> {
    match record {
        Record::Decided(Decided { txn, .. }) => Some((*txn, true, "decided to commit")),
        Record::Applied { txn, .. } => Some((*txn, true, "committed and applied")),
        Record::RolledBack { txn } => Some((*txn, false, "rolled back")),
        Record::Promised { txn } => Some((*txn, false, "promised never to vote for")),
        _ => None,
    }
}

/// With which answer the transaction was decided, if a participant records another.
fn other_answer(record: &Record, id: TxnId, txn: &Txn) -> Option<Evidence> {
    let Record::Applied { answer, .. } = record else { return None };
    let decided = txn.decided.as_ref().filter(|decided| !is_part_of(answer, &decided.is))?;
    let (was, is) = (trace::answer(&decided.is), trace::answer(answer));
    let is = format!("{id} was decided with the answer {was}, and not {is}");
    Some(Evidence::at(decided.step, is).about(id))
}

/// What another node's log says against committing, or aborting, the transaction.
fn other_than(commits: bool, id: TxnId, node: NodeId, model: &Model) -> Option<Evidence> {
    let (txn, coordinator) = (model.txns.get(&id)?, id.coordinator);
    if let (false, Some(decided)) = (commits, &txn.decided)
        && coordinator != node
    {
        let is = format!("{coordinator} decided to commit {id}");
        return Some(Evidence::at(decided.step, is).about(id));
    }
    let counts = |other: NodeId| other != node && !(commits && is_lost_abort(other, txn, model));
    let opposite =
        txn.outcomes.iter().find(|(other, outcome)| outcome.is != commits && counts(**other));
    let (other, outcome) = opposite?;
    let voted = txn.yes.contains_key(other);
    let is = match (outcome.is, voted) {
        (true, _) => format!("{other} committed and applied {id}"),
        (false, true) => format!("{other} rolled back {id}"),
        (false, false) => format!("{other} promised never to vote for {id}"),
    };
    Some(Evidence::at(outcome.step, is).about(id))
}

/// Is what the participant's log says lost with its disk, and had it not reported that it left the
/// epoch? Then nothing outside the epoch has seen that it aborted, and those that are left may
/// commit.
fn is_lost_abort(participant: NodeId, txn: &Txn, model: &Model) -> bool {
    let member = txn.members.iter().find(|member| member.node == participant);
    let lost = member.filter(|member| model.is_out(**member));
    lost.is_some_and(|member| !model.views.has_left(*member, txn.epoch))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{
        Play, applied, changed, decided, n, promised, request, rolled_back, txn, voted,
    };

    #[test]
    fn a_commit_beside_a_roll_back_is_a_breach() {
        let mut play = Play::new(ParticipantsAgree);
        play.forces(n(2), voted(txn(1), "/a", 1, "x"));
        play.forces(n(1), decided(txn(1), &[n(2)], "/a", 1, "x"));
        let breach = play.appends(n(2), rolled_back(txn(1))).breaks();
        assert_eq!(breach.earlier.is, "n1 decided to commit n1.1/1");
        assert_eq!(breach.now.is, "n2 rolled back n1.1/1");
        assert!(breach.earlier.step < breach.now.step);
    }

    #[test]
    fn a_commit_after_a_promise_and_two_participants_apart_are_breaches() {
        let mut play = Play::new(ParticipantsAgree);
        play.forces(n(2), promised(txn(1)));
        let breach = play.appends(n(1), decided(txn(1), &[n(2)], "/a", 1, "x")).breaks();
        assert_eq!(breach.earlier.is, "n2 promised never to vote for n1.1/1");
        let mut play = Play::new(ParticipantsAgree);
        play.forces(n(2), applied(txn(1)));
        let breach = play.appends(n(3), rolled_back(txn(1))).breaks();
        assert_eq!(breach.earlier.is, "n2 committed and applied n1.1/1");
    }

    fn applied_with(version: u64) -> Record {
        let answer = [changed(version)].into();
        Record::Applied { txn: txn(1), request: request(1, 1), answer }
    }

    #[test]
    fn another_answer_than_was_decided_is_a_breach() {
        let mut play = Play::new(ParticipantsAgree);
        play.forces(n(2), voted(txn(1), "/a", 1, "x"));
        play.forces(n(1), decided(txn(1), &[n(2)], "/a", 1, "x"));
        let breach = play.appends(n(2), applied_with(2)).breaks();
        assert!(breach.earlier.is.contains("the answer v1 now, and not v2 now"), "{breach:?}");
    }

    #[test]
    fn a_commit_that_all_follow_is_none() {
        let mut play = Play::new(ParticipantsAgree);
        play.forces(n(2), voted(txn(1), "/a", 1, "x"));
        play.forces(n(1), decided(txn(1), &[n(2)], "/a", 1, "x"));
        play.forces(n(2), applied_with(1));
        play.forces(n(3), rolled_back(txn(2)));
        play.holds();
    }
}

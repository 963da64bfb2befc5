//! Validity of a commit.

use seedbed::machine::NodeId;
use seedbed::proto::{Decided, FileService, Member, No, Record, RecordKind};

use crate::file_service::oracle::{At, Breach, Evidence, Invariant, Moment, Seen, SeenKinds};
use crate::file_service::trace;

/// A coordinator decides to commit only if every participant's yes is durable and none said no
/// after it.
///
/// AC2 of Bernstein, Hadzilacos, Goodman, 1987, chapter 7 ("commit only if all processes voted
/// yes"). It is judged when the decision is *appended*: the coordinator goes on in memory from
/// there, and every vote it built on must have been durable before it left. A no that came before
/// the yes is lawful: it was no promise, and a participant that has forgotten it in a crash may
/// vote again.
pub struct CommitNeedsEveryYes;

impl Invariant<FileService> for CommitNeedsEveryYes {
    fn interest(&self) -> SeenKinds {
        SeenKinds::appended(&[RecordKind::Decided])
    }

    fn see(&mut self, seen: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        let Seen::Appended { node, record, .. } = *seen else { return Ok(()) };
        let Record::Decided(Decided { txn: id, participants, .. }) = record else { return Ok(()) };
        let txn = model.txns.get(id);
        for Member { node: voter, .. } in participants.iter() {
            let yes = txn.and_then(|txn| txn.yes.get(voter));
            let no = txn.and_then(|txn| txn.no.get(voter));
            let earlier = match (yes, no) {
                (Some(yes), Some(no)) if no.step > yes.step => voted_no(*voter, no),
                (Some(_), _) => continue,
                (None, Some(no)) => voted_no(*voter, no),
                (None, None) => model.log_lacks(*voter, format_args!("yes to {id}")),
            };
            let now = format!("{node} decides to commit {id}, for which {voter} must have voted");
            return Err(Breach::of(earlier.about(*id), Evidence::at(model.step, now).about(*id)));
        }
        Ok(())
    }
}

fn voted_no(voter: NodeId, no: &At<No>) -> Evidence {
    Evidence::at(no.step, format!("{voter} voted no: {}", trace::no(&no.is)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{Play, decided, n, txn, vote_no, voted};

    #[test]
    fn a_commit_without_a_durable_yes_is_a_breach() {
        let mut play = Play::new(CommitNeedsEveryYes);
        play.forces(n(2), voted(txn(1), "/a", 1, "x"));
        play.appends(n(3), voted(txn(1), "/a", 1, "x"));
        let decision = decided(txn(1), &[n(2), n(3)], "/a", 1, "x");
        let breach = play.appends(n(1), decision).breaks();
        assert_eq!(breach.earlier.is, "n3's log is durable for 0 records and has no yes to n1.1/1");
        assert!(breach.now.is.contains("n1 decides to commit n1.1/1"));
    }

    #[test]
    fn a_commit_after_a_no_is_a_breach() {
        let mut play = Play::new(CommitNeedsEveryYes);
        play.sends(n(2), n(1), vote_no(txn(1)));
        let decision = decided(txn(1), &[n(2)], "/a", 1, "x");
        let breach = play.appends(n(1), decision).breaks();
        assert!(breach.earlier.is.starts_with("n2 voted no"), "{}", breach.earlier.is);
    }

    #[test]
    fn a_commit_with_every_yes_is_none_even_where_a_no_was_forgotten() {
        let mut play = Play::new(CommitNeedsEveryYes);
        play.sends(n(2), n(1), vote_no(txn(1)));
        play.crashes(n(2));
        play.forces(n(2), voted(txn(1), "/a", 1, "x"));
        play.appends(n(1), decided(txn(1), &[n(2)], "/a", 1, "x"));
        play.holds();
    }
}

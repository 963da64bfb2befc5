//! No forgetting.

use seedbed::proto::{FileService, Record, RecordKind};

use crate::file_service::oracle::{Breach, Evidence, Invariant, Moment, Seen, SeenKinds};

/// A coordinator calls a commit over only when every participant has durably applied it or is gone
/// with its disk.
///
/// With presumed abort, a coordinator that knows nothing answers "aborted". So one that forgets a
/// commit too early answers wrongly to a participant that is still in doubt: Mohan, Lindsay,
/// Obermarck, "Transaction Management in the R* Distributed Database Management System", 1986,
/// section 3. A participant that is gone with its disk never asks.
pub struct CommitIsRememberedUntilAcknowledged;

impl Invariant<FileService> for CommitIsRememberedUntilAcknowledged {
    fn interest(&self) -> SeenKinds {
        SeenKinds::appended(&[RecordKind::Over])
    }

    fn see(&mut self, seen: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        let Seen::Appended { node, record: Record::Over { txn: id }, .. } = *seen else {
            return Ok(());
        };
        let Some(txn) = model.txns.get(id) else { return Ok(()) };
        let applied =
            |p| txn.outcomes.get(p).is_some_and(|outcome| outcome.is) || txn.gone.contains(p);
        let Some(missing) = txn.participants.iter().find(|participant| !applied(*participant))
        else {
            return Ok(());
        };
        let earlier = match txn.yes.get(missing) {
            Some(yes) => {
                let is =
                    format!("{missing} voted yes to {id} and has not durably applied it since");
                Evidence::at(yes.step, is).absent()
            }
            None => model.log_lacks(*missing, format_args!("record that it applied {id}")),
        };
        let now = format!("{node} calls {id} over and forgets it");
        Err(Breach::of(earlier.about(*id), Evidence::at(model.step, now).about(*id)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{Play, applied, decided, n, over, txn, voted};

    fn play() -> Play {
        let mut play = Play::new(CommitIsRememberedUntilAcknowledged);
        play.forces(n(2), voted(txn(1), "/a", 1, "x"));
        play.forces(n(3), voted(txn(1), "/a", 1, "x"));
        play.forces(n(1), decided(txn(1), &[n(2), n(3)], "/a", 1, "x"));
        play.forces(n(2), applied(txn(1)));
        play
    }

    #[test]
    fn forgetting_with_a_participant_in_doubt_is_a_breach() {
        let mut play = play();
        play.appends(n(3), applied(txn(1)));
        let breach = play.appends(n(1), over(txn(1))).breaks();
        let yes = "n3 voted yes to n1.1/1 and has not durably applied it since";
        assert_eq!(breach.earlier.is, yes);
        assert_eq!(breach.now.is, "n1 calls n1.1/1 over and forgets it");
    }

    #[test]
    fn forgetting_when_all_have_applied_is_none() {
        let mut play = play();
        play.forces(n(3), applied(txn(1)));
        play.appends(n(1), over(txn(1)));
        play.holds();
    }
}

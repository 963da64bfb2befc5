//! Write-ahead: votes.

use seedbed::proto::{FileService, Message, MessageKind, TxnMessage, Vote};

use crate::file_service::oracle::{Breach, Evidence, Invariant, Moment, Seen, SeenKinds};

/// A yes leaves a participant only once the vote is durable.
///
/// A yes is a promise to be able to commit, whatever happens; one that a crash can make the
/// participant forget is none. The rule is write-ahead logging applied to the vote: Gray, "Notes on
/// Data Base Operating Systems", 1978; Mohan, Lindsay, Obermarck, "Transaction Management in the R*
/// Distributed Database Management System", 1986, section 2.
pub struct VoteIsDurableBeforeItLeaves;

impl Invariant<FileService> for VoteIsDurableBeforeItLeaves {
    fn interest(&self) -> SeenKinds {
        SeenKinds::sent(&[MessageKind::Executed])
    }

    fn see(&mut self, seen: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        let Seen::Sent { from, to, message, .. } = *seen else { return Ok(()) };
        let Message::Txn(TxnMessage::Executed { txn: id, vote: Vote::Yes(_) }) = message else {
            return Ok(());
        };
        if model.txns.get(id).is_some_and(|txn| txn.yes.contains_key(&from)) {
            return Ok(());
        }
        Err(Breach::of(
            model.log_lacks(from, format_args!("yes to {id}")).about(*id),
            Evidence::at(model.step, format!("{from} sends {to} its yes to {id}")).about(*id),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{Play, n, txn, vote_no, vote_yes, voted};

    #[test]
    fn a_yes_that_is_only_appended_is_a_breach() {
        let mut play = Play::new(VoteIsDurableBeforeItLeaves);
        play.appends(n(2), voted(txn(1), "/a", 1, "x"));
        let breach = play.sends(n(2), n(1), vote_yes(txn(1))).breaks();
        assert_eq!(breach.earlier.is, "n2's log is durable for 0 records and has no yes to n1.1/1");
        assert_eq!(breach.now.is, "n2 sends n1 its yes to n1.1/1");
    }

    #[test]
    fn a_durable_yes_and_a_no_are_none() {
        let mut play = Play::new(VoteIsDurableBeforeItLeaves);
        play.forces(n(2), voted(txn(1), "/a", 1, "x"));
        play.sends(n(2), n(1), vote_yes(txn(1)));
        play.sends(n(3), n(1), vote_no(txn(1)));
        play.holds();
    }
}

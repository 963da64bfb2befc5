//! Write-ahead: decisions.

use seedbed::proto::{AttemptEnd, Ended, FileService, Known, Message, MessageKind, TxnMessage};

use crate::file_service::oracle::{
    Breach, Evidence, Invariant, Moment, Seen, SeenKinds, single_read,
};

/// No machine hears of a commit before the decision is durable: no participant, no node in doubt,
/// no client.
///
/// The decision record is the commit point. Announced before, a crash turns the commit into an
/// abort by presumption, after a machine has acted on it: Gray, "Notes on Data Base Operating
/// Systems", 1978; Mohan, Lindsay, Obermarck, 1986, section 2.
pub struct DecisionIsDurableBeforeItLeaves;

impl Invariant<FileService> for DecisionIsDurableBeforeItLeaves {
    fn interest(&self) -> SeenKinds {
        SeenKinds::sent(&[MessageKind::Commit, MessageKind::Told, MessageKind::Ended])
    }

    fn see(&mut self, seen: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        let Seen::Sent { from, to, message, .. } = *seen else { return Ok(()) };
        let id = match message {
            Message::Txn(TxnMessage::Commit { header, .. }) => header.txn,
            Message::Txn(TxnMessage::Told { txn, known: Known::Committed(_) }) => *txn,
            Message::Ended(Ended { request, end: AttemptEnd::Done(_), .. }) => {
                let Some(asked) = model.requests.get(&model.origin(*request)) else {
                    return Ok(());
                };
                if single_read(&asked.wanted).is_some() || !asked.effects.is_empty() {
                    return Ok(());
                }
                let lacks = format!("no log has a decision for {request}, asked here");
                let now = format!("{from} tells {to} that {request} is done");
                return Err(Breach::of(
                    Evidence::at(asked.asked.step, lacks).absent().about(*request),
                    Evidence::at(model.step, now).about(*request),
                ));
            }
            _ => return Ok(()),
        };
        if model.txns.get(&id).is_some_and(|txn| txn.decided.is_some()) {
            return Ok(());
        }
        let now = format!("{from} tells {to} that {id} is committed");
        Err(Breach::of(
            model.log_lacks(id.coordinator, format_args!("decision on {id}")).about(id),
            Evidence::at(model.step, now).about(id),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{
        Play, c, commit, decided_for, ended_done, n, request, txn, voted, write,
    };

    #[test]
    fn a_commit_that_is_only_appended_is_a_breach() {
        let mut play = Play::new(DecisionIsDurableBeforeItLeaves);
        play.forces(n(2), voted(txn(1), "/a", 1, "x"));
        play.appends(n(1), decided_for(request(1, 1), txn(1), &[n(2)], "/a", 1, "x"));
        let breach = play.sends(n(1), n(2), commit(txn(1))).breaks();
        assert!(breach.earlier.is.ends_with("has no decision on n1.1/1"), "{}", breach.earlier.is);
        assert_eq!(breach.now.is, "n1 tells n2 that n1.1/1 is committed");
    }

    #[test]
    fn an_answer_before_the_decision_is_a_breach() {
        let mut play = Play::new(DecisionIsDurableBeforeItLeaves);
        play.asks(request(1, 1), &[write("/a", "x")]);
        play.appends(n(1), decided_for(request(1, 1), txn(1), &[n(2)], "/a", 1, "x"));
        let breach = play.sends(n(1), c(1), ended_done(request(1, 1), &[])).breaks();
        assert_eq!(breach.now.is, "n1 tells c1 that c1.1#1 is done");
    }

    #[test]
    fn what_is_said_after_the_decision_is_durable_is_none() {
        let mut play = Play::new(DecisionIsDurableBeforeItLeaves);
        play.asks(request(1, 1), &[write("/a", "x")]);
        play.forces(n(1), decided_for(request(1, 1), txn(1), &[n(2)], "/a", 1, "x"));
        play.sends(n(1), n(2), commit(txn(1)));
        play.sends(n(1), c(1), ended_done(request(1, 1), &[]));
        play.holds();
    }
}

//! Write-ahead: promises.

use seedbed::proto::{FileService, Known, Message, MessageKind, TxnMessage};

use crate::file_service::oracle::{Breach, Evidence, Invariant, Moment, Seen, SeenKinds};

/// A participant says "aborted" only if the abort is decided, or if nothing can make it vote yes
/// any more.
///
/// In cooperative termination (Bernstein, Hadzilacos, Goodman, 1987, section 7.4) a participant
/// that has not voted decides the outcome by aborting on its own. If a crash can make it forget
/// that, it may vote yes afterwards, and the participant that was told and the coordinator
/// disagree. It may also repeat what is decided elsewhere: by the coordinator's word, by another's
/// durable promise or roll-back, by the low-water mark. A participant that has voted yes has only
/// these to go by. One that has an outcome is judged by `decisions_are_final`.
pub struct PromiseIsDurableBeforeItLeaves;

impl Invariant<FileService> for PromiseIsDurableBeforeItLeaves {
    fn interest(&self) -> SeenKinds {
        SeenKinds::sent(&[MessageKind::Told])
    }

    fn see(&mut self, seen: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        let Seen::Sent { from, to, message, .. } = *seen else { return Ok(()) };
        let Message::Txn(TxnMessage::Told { txn: id, known: Known::Aborted }) = message else {
            return Ok(());
        };
        if from == id.coordinator {
            return Ok(());
        }
        let txn = model.txns.get(id);
        let has_outcome = txn.is_some_and(|txn| {
            let is_aborted = || txn.outcomes.values().any(|outcome| !outcome.is);
            txn.outcomes.contains_key(&from) || txn.aborted.is_some() || is_aborted()
        });
        if has_outcome || model.is_below_the_mark(*id) {
            return Ok(());
        }
        let earlier = match txn.and_then(|txn| txn.yes.get(&from)) {
            Some(yes) => {
                let is = format!("{from} voted yes to {id}, which no node has aborted");
                Evidence::at(yes.step, is)
            }
            None => {
                let what =
                    format_args!("promise never to vote for {id}, which no node has aborted");
                model.log_lacks(from, what)
            }
        };
        let now = format!("{from} tells {to} that {id} is aborted");
        Err(Breach::of(earlier.about(*id), Evidence::at(model.step, now).about(*id)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{
        Play, abort, abort_marked, n, promised, rolled_back, told_aborted, txn, voted,
    };

    #[test]
    fn a_promise_that_is_only_appended_is_a_breach() {
        let mut play = Play::new(PromiseIsDurableBeforeItLeaves);
        play.appends(n(2), promised(txn(1)));
        let breach = play.sends(n(2), n(3), told_aborted(txn(1))).breaks();
        assert!(breach.earlier.is.contains("no promise never to vote for n1.1/1"));
        assert_eq!(breach.now.is, "n2 tells n3 that n1.1/1 is aborted");
    }

    #[test]
    fn who_is_in_doubt_and_says_aborted_lies() {
        let mut play = Play::new(PromiseIsDurableBeforeItLeaves);
        play.forces(n(2), voted(txn(1), "/a", 1, "x"));
        let breach = play.sends(n(2), n(3), told_aborted(txn(1))).breaks();
        assert_eq!(breach.earlier.is, "n2 voted yes to n1.1/1, which no node has aborted");
        assert_eq!(breach.now.is, "n2 tells n3 that n1.1/1 is aborted");
    }

    #[test]
    fn who_voted_yes_and_was_told_aborted_may_tell_it_on() {
        let mut play = Play::new(PromiseIsDurableBeforeItLeaves);
        play.forces(n(2), voted(txn(1), "/a", 1, "x"));
        play.forces(n(3), promised(txn(1)));
        play.sends(n(3), n(2), told_aborted(txn(1)));
        play.appends(n(2), rolled_back(txn(1)));
        play.sends(n(2), n(3), told_aborted(txn(1)));
        play.holds();
    }

    #[test]
    fn a_durable_promise_the_coordinators_word_and_the_mark_are_none() {
        let mut play = Play::new(PromiseIsDurableBeforeItLeaves);
        play.forces(n(2), promised(txn(1)));
        play.sends(n(2), n(3), told_aborted(txn(1)));
        play.sends(n(1), n(3), abort(txn(2)));
        play.sends(n(3), n(2), told_aborted(txn(2)));
        play.sends(n(1), n(3), abort_marked(txn(9), 3));
        play.sends(n(2), n(3), told_aborted(txn(3)));
        play.holds();
        play.sends(n(2), n(3), told_aborted(txn(4))).breaks();
    }
}

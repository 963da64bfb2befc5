//! In doubt means pinned.

use std::collections::BTreeMap;

use seedbed::machine::{NodeId, RequestId};
use seedbed::proto::{
    AttemptEnd, Decided, Ended, FileRequest, FileService, Message, MessageKind, Path, Record,
    RecordKind, TxnId, Voted,
};

use crate::file_service::oracle::{
    At, Breach, Evidence, Invariant, Model, Moment, Seen, SeenKinds,
};

/// While a participant is in doubt about a change of a path, it serves no read of it and lets no
/// other transaction change it, also after a restart.
///
/// Recovery that forgets the locks of prepared transactions lets a client read, or build on, what
/// the decision is about to replace: a lost update. Mohan, Lindsay, Obermarck, 1986, section 2
/// (recovery reacquires the locks of those in doubt before it serves).
///
/// A node may go on once it has appended an outcome; what it then says waits for that record. So
/// what counts is what it had appended, or what a crash left of that, when the question came in;
/// and an answer may have been given before the vote and held back by a forced record. A path that
/// the vote only reads is judged by what comes of it: see
/// `reads_of_one_transaction_are_one_moment`.
#[derive(Default)]
pub struct InDoubtKeepsItsPins {
    /// Reads that came in while their path was pinned.
    waiting: BTreeMap<(NodeId, RequestId, u32), Waiting>,
}

/// A read that must wait.
struct Waiting {
    path: Path,
    /// Which transaction has the path pinned.
    txn: TxnId,
    /// How far the log must be durable before everything has left that was said before the read
    /// came in.
    held_back: u64,
}

impl Invariant<FileService> for InDoubtKeepsItsPins {
    fn interest(&self) -> SeenKinds {
        SeenKinds::received(&[MessageKind::Read])
            | SeenKinds::sent(&[MessageKind::Ended])
            | SeenKinds::appended(&[RecordKind::Voted, RecordKind::Decided])
    }

    fn see(&mut self, seen: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        match *seen {
            Seen::Received {
                to,
                message: Message::FileRequest(FileRequest::Read { request, attempt, path, .. }),
                ..
            } => {
                self.on_read(to, (*request, *attempt), path, model);
                Ok(())
            }
            Seen::Sent {
                from, message: Message::Ended(Ended { request, attempt, end }), ..
            } => match end {
                AttemptEnd::Done(_) => self.on_answer(from, (*request, *attempt), model),
                AttemptEnd::Refused { .. } | AttemptEnd::Retry(_) => Ok(()),
            },
            Seen::Appended { node, record, .. } => on_change(node, record, model),
            _ => Ok(()),
        }
    }
}

impl InDoubtKeepsItsPins {
    fn on_read(&mut self, node: NodeId, read: (RequestId, u32), path: &Path, model: &Model) {
        let key = (node, read.0, read.1);
        match pin(node, path, model) {
            Some(pin) => {
                let (txn, held_back) = (pin.is, model.log(node).forced);
                self.waiting.insert(key, Waiting { path: path.clone(), txn, held_back });
            }
            None if self.waiting.is_empty() => {}
            None => {
                self.waiting.remove(&key);
            }
        }
    }

    fn on_answer(
        &mut self,
        node: NodeId,
        (request, attempt): (RequestId, u32),
        model: &Model,
    ) -> Result<(), Breach> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let Some(waiting) = self.waiting.remove(&(node, request, attempt)) else { return Ok(()) };
        let Waiting { path, txn, held_back } = waiting;
        if model.log(node).durable_before(model.step) < held_back {
            return Ok(());
        }
        match pin(node, &path, model) {
            Some(pin) if pin.is == txn => {
                let now =
                    format!("{node}, in doubt about {txn}, answers the read {request} of {path}");
                let now = Evidence::at(model.step, now).about(txn).about(request).about(&path);
                Err(Breach::of(voted_yes(node, &path, pin), now))
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// Another vote, or a decision, that changes a pinned path.
fn on_change(node: NodeId, record: &Record, model: &Model) -> Result<(), Breach> {
    let (id, changes, what) = match record {
        Record::Voted(Voted { txn, changes, .. }) => (txn, changes, "votes yes to"),
        Record::Decided(Decided { txn, changes, .. }) => (txn, changes, "decides to commit"),
        _ => return Ok(()),
    };
    for (path, _) in changes.iter() {
        match pin(node, path, model) {
            Some(pin) if pin.is != *id => {
                let now = format!("{node}, still in doubt, {what} {id}, which changes {path} too");
                let now = Evidence::at(model.step, now).about(*id).about(path);
                return Err(Breach::of(voted_yes(node, path, pin), now));
            }
            Some(_) | None => {}
        }
    }
    Ok(())
}

fn voted_yes(node: NodeId, path: &Path, pin: &At<TxnId>) -> Evidence {
    let is = format!("{node} voted yes to {}, which changes {path}", pin.is);
    Evidence::at(pin.step, is).about(pin.is).about(path)
}

fn pin<'a>(node: NodeId, path: &Path, model: &'a Model) -> Option<&'a At<TxnId>> {
    model.memory.pins(node).filter(|pins| !pins.is_empty())?.get(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{
        Play, applied, c, decided, ended_done, n, read_of, request, rolled_back, txn, txn_of, voted,
    };

    fn in_doubt() -> Play {
        let mut play = Play::new(InDoubtKeepsItsPins::default());
        play.forces(n(2), voted(txn(1), "/a", 1, "x"));
        play
    }

    #[test]
    fn a_read_of_what_is_in_doubt_is_a_breach_also_after_a_restart() {
        let mut play = in_doubt();
        play.appends(n(2), applied(txn(1)));
        play.crashes(n(2));
        play.starts(n(2));
        play.receives(c(1), n(2), read_of(request(1, 1), "/a"));
        let breach = play.sends(n(2), c(1), ended_done(request(1, 1), &[])).breaks();
        assert_eq!(breach.earlier.is, "n2 voted yes to n1.1/1, which changes /a");
        assert_eq!(breach.now.is, "n2, in doubt about n1.1/1, answers the read c1.1#1 of /a");
    }

    #[test]
    fn another_vote_or_decision_on_the_path_is_a_breach() {
        let mut play = in_doubt();
        let other = voted(txn(2), "/a", 1, "y");
        let breach = play.appends(n(2), other).breaks();
        assert_eq!(breach.earlier.is, "n2 voted yes to n1.1/1, which changes /a");
        assert!(breach.now.is.contains("votes yes to n1.1/2"));
        let mut play = in_doubt();
        let own = decided(txn_of(n(2), 1), &[n(3)], "/a", 1, "y");
        let breach = play.appends(n(2), own).breaks();
        assert!(breach.now.is.contains("decides to commit n2.1/1"));
    }

    #[test]
    fn an_answer_that_waited_for_the_outcome_is_none() {
        let mut play = in_doubt();
        play.receives(c(1), n(2), read_of(request(1, 1), "/a"));
        play.receives(c(1), n(2), read_of(request(1, 2), "/b"));
        play.sends(n(2), c(1), ended_done(request(1, 2), &[]));
        play.forces(n(2), applied(txn(1)));
        play.sends(n(2), c(1), ended_done(request(1, 1), &[]));
        play.forces(n(2), voted(txn(2), "/a", 2, "y"));
        play.forces(n(2), rolled_back(txn(2)));
        play.appends(n(2), voted(txn(3), "/a", 2, "y"));
        play.holds();
    }

    #[test]
    fn an_answer_given_before_the_vote_and_held_back_is_none() {
        let mut play = Play::new(InDoubtKeepsItsPins::default());
        play.appends(n(2), voted(txn(7), "/z", 1, "z"));
        play.receives(c(1), n(2), read_of(request(1, 1), "/a"));
        play.appends(n(2), voted(txn(1), "/a", 1, "x"));
        play.receives(c(1), n(2), read_of(request(1, 1), "/a")); // a copy
        play.syncs(n(2)).and().sends(n(2), c(1), ended_done(request(1, 1), &[]));
        play.holds();
    }
}

//! No dirty reads.

use seedbed::proto::{
    AttemptEnd, Contents, Message, MessageKind, NodeId, Outcome, Path, Record, RecordKind, TxnId,
    Version,
};

use crate::oracle::model::in_words;
use crate::oracle::{
    Breach, Committed, Evidence, Invariant, Model, Seen, SeenKinds, reads, single_read,
};
use crate::world::World;

/// A read, alone or in a transaction that commits, finds a state that a commit has left behind by
/// then.
///
/// Not what a transaction wrote that aborted (G1a), nor what one wrote on its way to something else
/// (G1b): Adya, "Weak Consistency: A Generalized Theory and Optimistic Implementations for
/// Distributed Transactions", 1999, section 3.1. That it is not too old a state is for
/// `acknowledged_writes_survive` to say.
pub struct ReadsSeeOnlyWhatWasCommitted;

impl Invariant for ReadsSeeOnlyWhatWasCommitted {
    fn interest(&self) -> SeenKinds {
        SeenKinds::sent(&[MessageKind::Ended]) | SeenKinds::durable(&[RecordKind::Decided])
    }

    fn see(&mut self, seen: &Seen<'_>, model: &Model, _: &World) -> Result<(), Breach> {
        match *seen {
            Seen::Sent { from, message: Message::Ended { request, end, .. }, .. } => {
                let AttemptEnd::Done(answer) = end else { return Ok(()) };
                let asked = model.requests.get(request).map(|asked| &asked.wanted);
                let Some(path) = asked.and_then(single_read) else { return Ok(()) };
                let Some(Outcome::Found(version, contents)) = answer.first() else { return Ok(()) };
                let reader = || {
                    let is = format!("{from} answers the read {request}");
                    Evidence::at(model.step, is).about(*request)
                };
                check(path, *version, contents.as_ref(), None, reader, model)
            }
            Seen::Durable { node, record: Record::Decided { txn, answer, .. }, .. } => {
                on_decided(node, *txn, answer, model)
            }
            _ => Ok(()),
        }
    }
}

fn on_decided(node: NodeId, id: TxnId, answer: &[Outcome], model: &Model) -> Result<(), Breach> {
    let asked = model.asked_by(id).and_then(|asked| asked.operations.as_deref());
    for (path, version, contents) in reads(asked.unwrap_or_default(), answer) {
        let reader = || Evidence::at(model.step, format!("{node} commits {id}")).about(id);
        check(path, version, contents, Some(id), reader, model)?;
    }
    Ok(())
}

/// What was found must have been committed, by another than the reader itself.
fn check(
    path: &Path,
    version: Version,
    contents: Option<&Contents>,
    reader: Option<TxnId>,
    what: impl FnOnce() -> Evidence,
    model: &Model,
) -> Result<(), Breach> {
    let history = model.files.get(path);
    let state = history.and_then(|history| history.at_version(version));
    let state = state.filter(|state| Some(state.txn) != reader || version == Version::default());
    let earlier = match state {
        Some(state) if state.file.contents.as_ref() == contents => return Ok(()),
        Some(state) => {
            let is = in_words(version, state.file.contents.as_ref());
            let earlier = format!("{} was committed, with {path} as {is}", state.txn);
            Evidence::at(state.step, earlier).about(state.txn).about(path)
        }
        None if version == Version::default() && contents.is_none() => return Ok(()),
        None => newest_commit(path, history.and_then(|history| history.committed.last())),
    };
    let found = in_words(version, contents);
    let now = what().reworded(|what| format!("{what}: a read of {path} found {found}"));
    Err(Breach::of(earlier, now.about(path)))
}

fn newest_commit(path: &Path, newest: Option<&Committed>) -> Evidence {
    match newest {
        Some(newest) => {
            let was = in_words(newest.file.version, newest.file.contents.as_ref());
            let is = format!("{} left {path} as {was}, the newest commit", newest.txn);
            Evidence::at(newest.step, is).about(newest.txn).about(path)
        }
        None => Evidence::at(0, format!("nothing was ever committed to {path}")).about(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::tests::{
        Play, c, changed, decided, decided_answer, ended_done, found, n, read, request, txn, write,
    };

    fn play() -> Play {
        let mut play = Play::new(ReadsSeeOnlyWhatWasCommitted);
        play.forces(n(1), decided(txn(1), &[], "/a", 1, "x"));
        play.asks(request(1, 2), &[read("/a")]);
        play
    }

    #[test]
    fn a_read_of_what_nobody_committed_is_a_breach() {
        let mut play = play();
        let dirty = ended_done(request(1, 2), &[found(2, Some("y"))]);
        let breach = play.sends(n(1), c(1), dirty).breaks();
        assert_eq!(breach.earlier.is, "n1.1/1 left /a as \"x\" at v1, the newest commit");
        assert!(breach.now.is.ends_with("a read of /a found \"y\" at v2"), "{}", breach.now.is);
        let mut play = self::play();
        let wrong = ended_done(request(1, 2), &[found(1, Some("y"))]);
        let breach = play.sends(n(1), c(1), wrong).breaks();
        assert_eq!(breach.earlier.is, "n1.1/1 was committed, with /a as \"x\" at v1");
    }

    #[test]
    fn a_transaction_that_read_what_nobody_committed_is_a_breach() {
        let mut play = play();
        play.asks(request(1, 3), &[read("/a"), read("/b")]);
        let answer = [found(1, Some("x")), found(1, Some("z"))];
        let breach = play.forces(n(1), decided_answer(request(1, 3), txn(3), &answer)).breaks();
        assert_eq!(breach.earlier.is, "nothing was ever committed to /b");
        assert!(breach.now.is.starts_with("n1 commits n1.1/3: a read of /b found"));
    }

    #[test]
    fn reads_of_what_was_committed_and_of_ones_own_changes_are_none() {
        let mut play = play();
        play.sends(n(1), c(1), ended_done(request(1, 2), &[found(1, Some("x"))]));
        play.asks(request(1, 3), &[read("/b"), write("/b", "y"), read("/b")]);
        let answer = [found(0, None), changed(1), found(1, Some("y"))];
        play.forces(n(1), decided_answer(request(1, 3), txn(3), &answer));
        play.holds();
    }
}

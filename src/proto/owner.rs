//! What a storage node does as an owner of paths: store files, pin paths, execute operations,
//! remember answers.
//!
//! A *pin* keeps a path for one transaction, from before it executes until its decision is known.
//! Pins are handed out by age, so that two transactions can never wait for each other:
//!
//! | the path is pinned by | the newcomer |
//! |---|---|
//! | no transaction, and no older one waits for it | pins |
//! | a younger transaction | waits |
//! | an older one, or an older one waits for it | is refused, and its client tries again |
//!
//! A transaction begins to wait only for a younger one, and a chain of those has an end
//! ("wait-die": Rosenkrantz, Stearns, Lewis, "System Level Concurrency Control for Distributed
//! Database Systems", 1978). A transaction takes all its pins on one node at once or none. That
//! alone would let a stream of young ones pass by an old one that waits for two paths, each of which
//! is free now and then; so no transaction takes a path that an older one waits for. Whenever a pin
//! goes, those that wait are looked at again, oldest first; one that meets an older one then is
//! refused.
//!
//! # Ages
//!
//! An age is how long the request has waited, by its client's clock, when the attempt is sent, and
//! counts in powers of two; among those of one power the name of the request decides ([`Age`]).
//! Readings of two clocks are not compared: a client whose clock is ahead would be younger than
//! every other, and starve.
//!
//! *No deadlock.* An attempt keeps one stamp for its life, which its coordinator gives to every
//! owner, which stands in the vote and so outlives a restart, and which the id of the transaction
//! makes unique. So all attempts there are stand in one strict order, the same at every owner. What
//! still waits when no pin goes any more waits for a transaction that comes after it in that order:
//! a circle of them would have to come after itself. That the next attempt at a request has another
//! stamp changes nothing, because it is another attempt with pins of its own.
//!
//! *No starvation.* While a request's wait is in one power, from 2^n to 2^(n+1), only requests that
//! have waited for 2^n go before it. What a user asks for after the request has waited for 2^n
//! reaches that when the request has left the power. So each user has at most one request that goes
//! before it in a power, and one more attempt that was stamped before. Powers double in length,
//! and the time that it takes to serve so many does not: in the end the request is the first of
//! all, and no attempt drives it out.
//!
//! *Attempts at one request.* The earlier one is the older, unless the wait has reached the next
//! power between them. So an attempt that its client has given up, but that may still get done, is
//! not driven out by the next. An attempt that meets the vote of an earlier one in doubt is refused
//! or waits, and the request is answered, or free to be tried again, when the doubt is over.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{
    Action, Age, Answer, Changes, Defect, Defects, File, Handed, Operation, Outcome, Path, Refusal,
    Results, Token, TxnId, Work,
};
use crate::machine::{Incarnation, NodeId, RequestId};

/// Why a transaction did not get its pins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pinned {
    /// It has them all.
    All,
    /// A younger one has some: wait.
    Wait,
    /// An older one has some: give up.
    Conflict,
}

/// Why operations cannot be executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CannotExecute {
    /// The request is refused.
    Refused(Refusal),
    /// The source of a rename changed after the coordinator looked: worth another attempt.
    Moved,
}

/// What is known of a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Answered {
    /// It took effect, with this answer.
    Done(Answer),
    /// This owner has promised never to vote for it.
    Declined(Refusal),
}

/// What clients have been, or would be, told of their requests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Answers {
    answers: BTreeMap<RequestId, Answered>,
    /// By client: its newest life, and the lowest request number of that life that it waits for.
    lowest: BTreeMap<NodeId, (Incarnation, u32)>,
}

impl Answers {
    /// Remembers `answered`, unless nobody waits for it.
    pub fn insert(&mut self, request: RequestId, answered: Answered) {
        if !self.is_forgotten(request) {
            self.answers.insert(request, answered);
        }
    }

    /// Remembers `answered` unless something is known of the request already.
    pub fn insert_if_new(&mut self, request: RequestId, answered: Answered) {
        if !self.answers.contains_key(&request) {
            self.insert(request, answered);
        }
    }

    /// Everything known of requests, for somebody else.
    pub fn hand_over(&self) -> impl Iterator<Item = Handed> + '_ {
        let marks = self.marks().map(|(client, life, low)| Handed::Forgotten(client, life, low));
        let answers = self.iter().map(|(request, answered)| match answered {
            Answered::Done(answer) => Handed::Done(*request, answer.clone()),
            Answered::Declined(refusal) => Handed::Declined(*request, *refusal),
        });
        marks.chain(answers)
    }

    /// What is known of `request`; one that its client does not wait for is refused for good.
    pub fn get(&self, request: RequestId) -> Option<Answered> {
        match self.is_forgotten(request) {
            true => Some(Answered::Declined(Refusal::Forgotten)),
            false => self.answers.get(&request).cloned(),
        }
    }

    /// Learns that the client of `request`, in that life, waits for no number below `lowest`.
    pub fn forget_below(&mut self, client: NodeId, incarnation: Incarnation, lowest: u32) {
        let known = self.lowest.entry(client).or_default();
        if (incarnation, lowest) <= *known {
            return;
        }
        *known = (incarnation, lowest);
        let first = RequestId { client, incarnation: Incarnation(0), number: 0 };
        let end = RequestId { client, incarnation, number: lowest };
        while let Some((&old, _)) = self.answers.range(first..end).next() {
            self.answers.remove(&old);
        }
    }

    /// All answers, for a checkpoint.
    pub fn iter(&self) -> impl Iterator<Item = (&RequestId, &Answered)> {
        self.answers.iter()
    }

    /// The requests whose answers are remembered.
    pub fn requests(&self) -> impl Iterator<Item = RequestId> + '_ {
        self.answers.keys().copied()
    }

    /// All marks, for a checkpoint.
    pub fn marks(&self) -> impl Iterator<Item = (NodeId, Incarnation, u32)> {
        self.lowest.iter().map(|(&client, &(incarnation, lowest))| (client, incarnation, lowest))
    }

    fn is_forgotten(&self, request: RequestId) -> bool {
        self.lowest
            .get(&request.client)
            .is_some_and(|&mark| (request.incarnation, request.number) < mark)
    }
}

/// The files of one node, and who has them pinned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Owner {
    pub files: BTreeMap<Path, File>,
    pub answers: Answers,
    pins: BTreeMap<Path, (Age, TxnId)>,
    /// Those who wait for pins, and for which.
    waiting: BTreeMap<(Age, TxnId), Arc<[Path]>>,
    /// Has a pin gone since this was last asked?
    released: bool,
}

impl Owner {
    /// What is stored for `path`; nothing is version 0 of every path.
    pub fn file(&self, path: &Path) -> File {
        self.files.get(path).cloned().unwrap_or_default()
    }

    /// Pins all of `paths` for `txn` or none. One that is to wait is looked at again in
    /// [`Owner::waiting`], until it gets its pins or [`Owner::unpin`] lets it go.
    pub fn pin(&mut self, defects: Defects, txn: TxnId, age: Age, paths: &Arc<[Path]>) -> Pinned {
        let this = (age, txn);
        let yields = !defects.has(Defect::WaitsForOlderOnes);
        self.waiting.remove(&this);
        let mut older = self.waiting.range(..this);
        if older.any(|(_, wanted)| wanted.iter().any(|path| paths.contains(path))) && yields {
            return Pinned::Conflict;
        }
        let mut verdict = Pinned::All;
        for path in paths.iter() {
            match self.pins.get(path) {
                None => {}
                Some(&holder) if holder == this => {}
                Some(&holder) if holder < this && yields => return Pinned::Conflict,
                Some(_) => verdict = Pinned::Wait,
            }
        }
        match verdict {
            Pinned::All => self.pins.extend(paths.iter().map(|path| (path.clone(), this))),
            Pinned::Wait => {
                self.waiting.insert(this, paths.clone());
            }
            Pinned::Conflict => {}
        }
        verdict
    }

    /// Those who wait for pins, oldest first, each with the paths that it wants.
    pub fn waiting(&self) -> impl Iterator<Item = (Age, TxnId, &[Path])> {
        self.waiting.iter().map(|(&(age, txn), paths)| (age, txn, &paths[..]))
    }

    /// The transaction that has `path` pinned, with its age.
    pub fn pin_of(&self, path: &Path) -> Option<(Age, TxnId)> {
        self.pins.get(path).copied()
    }

    /// The paths that are pinned, by name.
    pub fn pinned(&self) -> impl Iterator<Item = &Path> {
        self.pins.keys()
    }

    /// Is `path` pinned?
    pub fn is_pinned(&self, path: &Path) -> bool {
        self.pins.contains_key(path)
    }

    /// Releases the pins of `txn`, which is so old, among `paths`, or its wish for them.
    pub fn unpin(&mut self, txn: TxnId, age: Option<Age>, paths: &[Path]) {
        if let Some(age) = age {
            // Younger ones may have been kept away by it.
            self.released |= self.waiting.remove(&(age, txn)).is_some();
        }
        for path in paths {
            if self.pins.get(path).is_some_and(|(_, holder)| *holder == txn) {
                self.pins.remove(path);
                self.released = true;
            }
        }
    }

    /// Has a pin gone since this was last asked? Then those who wait are worth another look.
    pub fn take_released(&mut self) -> bool {
        std::mem::take(&mut self.released)
    }

    /// Takes over `changes`.
    pub fn apply(&mut self, changes: &Changes) {
        for (path, file) in changes.iter() {
            self.files.insert(path.clone(), file.clone());
        }
    }

    /// What `work` would change and give, in its order, each operation seeing those before it.
    pub fn execute(
        &self,
        defects: Defects,
        work: &Work,
    ) -> Result<(Changes, Results), CannotExecute> {
        let mut changed: Vec<(Path, File)> = Vec::new();
        let mut results = Vec::with_capacity(work.len());
        for (place, operation) in work.iter() {
            let known = changed.iter().position(|(path, _)| *path == operation.path);
            let mut file = match known {
                Some(at) => changed[at].1.clone(),
                None => self.file(&operation.path),
            };
            if let Some(outcome) = execute(defects, operation, &mut file)? {
                results.push((*place, outcome));
            }
            match known {
                _ if operation.action.is_read() => {}
                Some(at) => changed[at].1 = file,
                None => changed.push((operation.path.clone(), file)),
            }
        }
        Ok((changed.into(), results.into()))
    }
}

/// Executes one operation on one file; the source's half of a rename has no outcome of its own.
fn execute(
    defects: Defects,
    operation: &Operation,
    file: &mut File,
) -> Result<Option<Outcome>, CannotExecute> {
    let refuse = |refusal| Err(CannotExecute::Refused(refusal));
    let exists = file.contents.is_some();
    if !operation.action.is_read() {
        check_fence(operation.token, file.fence)?;
    }
    let expected = match &operation.action {
        Action::Write(_, expected) | Action::Delete(expected) => *expected,
        Action::Read | Action::Create(_) | Action::Rename(..) => None,
        Action::Place(_) | Action::Remove(_) | Action::Claim => None,
    };
    if expected.is_some_and(|version| version != file.version) {
        return refuse(Refusal::VersionIs(file.version));
    }
    let contents = match &operation.action {
        Action::Read => return Ok(Some(Outcome::Found(file.version, file.contents.clone()))),
        Action::Claim => {
            // The check above let only a token pass that is at least the fence.
            if !defects.has(Defect::ClaimRaisesNoFence) {
                file.fence = operation.token.unwrap_or(file.fence);
            }
            return Ok(Some(Outcome::Changed(file.version)));
        }
        Action::Create(_) if exists && !defects.has(Defect::CreateOverwrites) => {
            return refuse(Refusal::Exists);
        }
        Action::Place(_) if exists => return refuse(Refusal::Exists),
        Action::Delete(_) | Action::Remove(_) if !exists => return refuse(Refusal::NotFound),
        Action::Remove(version) if *version != file.version => return Err(CannotExecute::Moved),
        Action::Rename(..) => return refuse(Refusal::Malformed),
        Action::Remove(_) if defects.has(Defect::RenameLeavesItsSource) => return Ok(None),
        Action::Create(contents) | Action::Place(contents) | Action::Write(contents, _) => {
            Some(contents.clone())
        }
        Action::Delete(_) | Action::Remove(_) => None,
    };
    file.version = file.version.next();
    file.contents = contents;
    let outcome = Outcome::Changed(file.version);
    Ok((!matches!(operation.action, Action::Remove(_))).then_some(outcome))
}

/// A change with a lower token than the highest one claimed, or with none, comes from someone who
/// has lost the lock; an equal one from the holder itself.
fn check_fence(token: Option<Token>, fence: Token) -> Result<(), CannotExecute> {
    match token.unwrap_or_default() < fence {
        true => Err(CannotExecute::Refused(Refusal::Fenced(fence))),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Span;
    use crate::proto::Admission;

    fn txn(counter: u32) -> TxnId {
        let (coordinator, admission) = (NodeId::storage(1), Admission(1));
        TxnId { coordinator, admission, incarnation: Incarnation(1), counter }
    }

    fn age(client: u16, waited: u64) -> Age {
        let (client, incarnation) = (NodeId::client(client), Incarnation(1));
        let request = RequestId { client, incarnation, number: 1 };
        Age { waited: Span::from_nanos(waited), request }
    }

    fn paths() -> Arc<[Path]> {
        [Path::new("/a").expect("a path")].into()
    }

    #[test]
    fn an_attempt_waits_for_a_younger_one_and_is_refused_by_an_older_one() {
        let mut owner = Owner::default();
        assert_eq!(owner.pin(Defects::NONE, txn(1), age(2, 8), &paths()), Pinned::All);
        assert_eq!(owner.pin(Defects::NONE, txn(2), age(1, 7), &paths()), Pinned::Conflict);
        assert_eq!(owner.pin(Defects::NONE, txn(3), age(3, 16), &paths()), Pinned::Wait);
        assert_eq!(
            owner.pin(Defects::NONE, txn(4), age(4, 15), &paths()),
            Pinned::Conflict,
            "one waits"
        );
    }

    #[test]
    fn of_two_that_have_waited_about_as_long_the_name_decides() {
        let mut owner = Owner::default();
        assert_eq!(owner.pin(Defects::NONE, txn(1), age(2, 8), &paths()), Pinned::All);
        assert_eq!(owner.pin(Defects::NONE, txn(2), age(3, 15), &paths()), Pinned::Conflict);
        assert_eq!(owner.pin(Defects::NONE, txn(3), age(1, 8), &paths()), Pinned::Wait);
    }

    #[test]
    fn those_who_wait_are_looked_at_when_a_pin_or_an_older_wish_goes() {
        let mut owner = Owner::default();
        assert_eq!(owner.pin(Defects::NONE, txn(1), age(2, 8), &paths()), Pinned::All);
        assert_eq!(owner.pin(Defects::NONE, txn(2), age(3, 16), &paths()), Pinned::Wait);
        assert!(!owner.take_released());
        owner.unpin(txn(2), Some(age(3, 16)), &[]);
        assert!(owner.take_released(), "younger ones may have been kept away by it");
        owner.unpin(txn(1), None, &paths());
        owner.unpin(txn(3), Some(age(4, 1)), &[]);
        assert!(owner.take_released(), "a pin has gone, whatever came after it");
    }

    #[test]
    fn an_attempt_yields_to_an_earlier_one_until_it_has_waited_twice_as_long() {
        let mut owner = Owner::default();
        assert_eq!(owner.pin(Defects::NONE, txn(9), age(1, 8), &paths()), Pinned::All);
        assert_eq!(owner.pin(Defects::NONE, txn(2), age(1, 15), &paths()), Pinned::Conflict);
        assert_eq!(owner.pin(Defects::NONE, txn(2), age(1, 16), &paths()), Pinned::Wait);
    }
}

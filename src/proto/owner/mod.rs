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
//! alone would let a stream of young ones pass by an old one that waits for two paths, each of
//! which is free now and then; so no transaction takes a path that an older one waits for. Whenever
//! a pin goes, those that wait are looked at again, oldest first; one that meets an older one then
//! is refused.
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

mod answers;
mod execute;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Age, Changes, Defect, Defects, File, Path, TxnId};
pub(super) use answers::{Answered, Answers};
pub(super) use execute::CannotExecute;

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

/// The files of one node, and the transactions that have them pinned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Owner {
    // Rebuilt from the log:
    pub files: BTreeMap<Path, File>,
    pub answers: Answers,
    /// Of these only the pins of votes in doubt.
    pins: BTreeMap<Path, (Age, TxnId)>,

    // Volatile:
    /// The transactions that wait for pins, and for which.
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

    /// The transactions that wait for pins, oldest first, each with the paths that it wants.
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

    /// Has a pin gone since this was last asked? Then what waits is worth another look.
    pub fn take_released(&mut self) -> bool {
        std::mem::take(&mut self.released)
    }

    /// Takes over `changes`.
    pub fn apply(&mut self, changes: &Changes) {
        for (path, file) in changes.iter() {
            self.files.insert(path.clone(), file.clone());
        }
    }
}

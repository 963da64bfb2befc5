//! Is a history of transactions strictly serializable, given the order in which they committed?
//!
//! To find such an order is NP-complete (Papadimitriou, "The Serializability of Concurrent Database
//! Updates", JACM 26(4), 1979; for registers Gibbons and Korach, "Testing Shared Memories", 1997).
//! To check a given one takes linear time. The *witness* is that order: each transaction that took
//! effect has one *point* in it.
//!
//! A history is a sequence of events in the order of real time: a request is asked, a transaction
//! has its point, a request is told its answer. One request *precedes* another if it was told
//! before the other was asked. The checker accepts a history if and only if
//!
//! | request | condition |
//! |---|---|
//! | told done, with a point | the point lies between asking and telling, and the answer is what executing the transactions in the order of their points gives |
//! | told done, without a point | it only reads, and all that it found was current together at some moment between asking and telling |
//! | told refused | it has no point |
//! | told unknown, or nothing | it has at most one point, anywhere after asking |
//!
//! # Why what is accepted is strictly serializable
//!
//! Every request that is told done has a moment between its asking and its telling: its point, or,
//! if it has none, a moment at which all that it found was current. Order the requests by these
//! moments. If one request precedes another, its moment lies before its telling, which lies before
//! the asking of the other, which lies before the other's moment: so the order respects real time
//! (Herlihy and Wing, "Linearizability", TOPLAS 12(3), 1990, section 2.3, call it the linearization
//! point). Executing the requests in this order gives every answer: those with a point by the first
//! row; one without a point changes nothing, and finds what the points before its moment have left.
//!
//! Reads without a point need no comparison with each other. What is current is a function of the
//! moment alone, so a read that precedes another can never have found a newer state than the later
//! one, if each has a moment of its own. A read that finds several files has one moment for all.
//!
//! # Why nothing else is refused
//!
//! The points are given, so each row is not only sufficient but necessary for *this* witness: no
//! request depends on which moment another without a point takes. A history that is refused may
//! have another witness; the one that is offered is wrong.
//!
//! # Memory
//!
//! A file's states are kept from the one that was current when its oldest open read was asked.
//! Beyond those, each request that is not told done or refused is kept, because it may yet have its
//! point.

mod execution;
#[cfg(test)]
mod tests;
mod timeline;

use std::collections::BTreeMap;

use execution::{Executed, Expected, execute};
use timeline::Timeline;

pub use execution::{Operation, Outcome, State};

/// What a request was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told<V> {
    /// It took effect, with these outcomes.
    Done(Vec<Outcome<V>>),
    /// It did not and will not.
    Refused,
    /// It may have, or may yet.
    Unknown,
}

/// Why the witness does not explain the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contradiction<V> {
    /// A point of a request that was never asked, or has been told done or refused already.
    PointOutsideTheRequest,
    /// A second point of one request.
    SecondPoint,
    /// A request that changes files is told done before it has a point.
    DoneWithoutAPoint,
    /// A request with a point is told that it was refused.
    RefusedWithAPoint,
    /// The outcome at this place differs from what execution in the order of the points gives.
    OtherOutcome {
        /// The place among the request's operations.
        place: usize,
        /// What execution gives, if it gives anything there.
        expected: Option<Outcome<V>>,
    },
    /// What the read at this place found was current at no moment between asking and telling.
    NeverCurrent {
        /// The place among the request's operations.
        place: usize,
    },
    /// What the reads found was current between asking and telling, but never all of it at once.
    NeverCurrentTogether,
    /// A request is told something that was not asked, or for the second time.
    NotAsked,
}

/// A history that is being checked.
///
/// `Id` names a request, `P` a file, `V` is what a file contains.
#[derive(Clone, Debug)]
pub struct Witness<Id, P, V> {
    open: BTreeMap<Id, Open<P, V>>,
    files: BTreeMap<P, Timeline<V>>,
    /// How many points there were. The time between two points is one *position* in the order.
    points: u64,
}

/// A request that is not told done or refused.
#[derive(Clone, Debug)]
struct Open<P, V> {
    operations: Vec<Operation<P, V>>,
    /// The position in which it was asked; none once it is told that it is unknown.
    reads_from: Option<u64>,
    /// What it must be told, once it has its point.
    expected: Option<Vec<Expected<V>>>,
}

impl<Id, P, V> Default for Witness<Id, P, V> {
    fn default() -> Self {
        Witness { open: BTreeMap::new(), files: BTreeMap::new(), points: 0 }
    }
}

impl<Id: Ord + Clone, P: Ord + Clone, V: Clone + PartialEq> Witness<Id, P, V> {
    /// A user asks for `operations`, all or nothing, in their order.
    pub fn asked(&mut self, id: Id, operations: Vec<Operation<P, V>>) {
        let reads_from = is_read_only(&operations).then_some(self.points);
        if let Some(position) = reads_from {
            for path in operations.iter().map(Operation::path) {
                self.files.entry(path.clone()).or_default().opens(position);
            }
        }
        self.open.insert(id, Open { operations, reads_from, expected: None });
    }

    /// The transaction of this request has its point: all of it happens now.
    ///
    /// # Errors
    /// If it may not have one here.
    pub fn point(&mut self, id: &Id) -> Result<(), Contradiction<V>> {
        let open = self.open.get_mut(id).ok_or(Contradiction::PointOutsideTheRequest)?;
        if open.expected.is_some() {
            return Err(Contradiction::SecondPoint);
        }
        self.points += 1;
        let Executed { expected, changed } =
            execute(&open.operations, |path| match self.files.get(path) {
                Some(timeline) => timeline.newest().clone(),
                None => State::default(),
            });
        open.expected = Some(expected);
        for (path, state) in changed {
            self.files.entry(path).or_default().changes(self.points, state);
        }
        Ok(())
    }

    /// A user is told an answer.
    ///
    /// # Errors
    /// If that contradicts the points.
    pub fn told(&mut self, id: &Id, told: &Told<V>) -> Result<(), Contradiction<V>> {
        let Some(mut open) = self.open.remove(id) else { return Err(Contradiction::NotAsked) };
        let judged = match told {
            Told::Done(outcomes) => self.judge(&open, outcomes),
            Told::Refused if open.expected.is_some() => Err(Contradiction::RefusedWithAPoint),
            Told::Refused | Told::Unknown => Ok(()),
        };
        if let Some(position) = open.reads_from.take() {
            for path in open.operations.iter().map(Operation::path) {
                let file = self.files.get_mut(path).expect("it was opened");
                file.closes(position, self.points);
            }
        }
        if *told == Told::Unknown {
            self.open.insert(id.clone(), open);
        }
        judged
    }

    /// The open requests among these are never told anything: they count as unknown.
    pub fn abandoned(&mut self, is_abandoned: impl Fn(&Id) -> bool) {
        let ids: Vec<Id> = self.open.keys().filter(|id| is_abandoned(id)).cloned().collect();
        for id in ids {
            let unknown = self.told(&id, &Told::Unknown);
            debug_assert!(unknown.is_ok(), "nothing contradicts unknown");
        }
    }

    /// From now on a file is in this state, whatever was there before; parts of it may be
    /// uncertain, and any answer agrees with those.
    pub fn replaced(&mut self, path: P, state: State<V>) {
        self.points += 1;
        self.files.entry(path).or_default().changes(self.points, state);
    }

    /// The newest point has left a file in this state: what it was executed on was uncertain.
    pub fn corrected(&mut self, path: P, state: State<V>) {
        self.files.entry(path).or_default().is_corrected(self.points, state);
    }

    /// Is all of a file's state certain?
    pub fn is_certain(&self, path: &P) -> bool {
        self.files.get(path).is_none_or(|timeline| timeline.newest().is_certain())
    }

    /// How many states of files and requests are kept.
    pub fn kept(&self) -> usize {
        self.files.values().map(Timeline::len).sum::<usize>() + self.open.len()
    }

    fn judge(&self, open: &Open<P, V>, told: &[Outcome<V>]) -> Result<(), Contradiction<V>> {
        if let Some(expected) = &open.expected {
            return compare(expected, told);
        }
        let Some(from) = open.reads_from else { return Err(Contradiction::DoneWithoutAPoint) };
        if open.operations.len() != told.len() {
            let place = open.operations.len().min(told.len());
            return Err(Contradiction::OtherOutcome { place, expected: None });
        }
        let reads: Vec<(&Timeline<V>, &Outcome<V>)> =
            open.operations.iter().map(|read| &self.files[read.path()]).zip(told).collect();
        let is_current = |(file, found): &(&Timeline<V>, &Outcome<V>), position| {
            file.at(position).is_found_by(found)
        };
        // A file changes only at these positions, so no other need be tried.
        let never = reads.iter().position(|read| {
            let mut moments = std::iter::once(from).chain(read.0.changed_after(from));
            !moments.any(|at| is_current(read, at))
        });
        if let Some(place) = never {
            return Err(Contradiction::NeverCurrent { place });
        }
        let changes = reads.iter().flat_map(|(file, _)| file.changed_after(from));
        let mut moments = std::iter::once(from).chain(changes);
        match moments.any(|at| reads.iter().all(|read| is_current(read, at))) {
            true => Ok(()),
            false => Err(Contradiction::NeverCurrentTogether),
        }
    }
}

fn is_read_only<P, V>(operations: &[Operation<P, V>]) -> bool {
    operations.iter().all(|operation| matches!(operation, Operation::Read(_)))
}

fn compare<V: Clone + PartialEq>(
    expected: &[Expected<V>],
    told: &[Outcome<V>],
) -> Result<(), Contradiction<V>> {
    let other = |place: usize| {
        let expected = expected.get(place).and_then(Expected::certain);
        Err(Contradiction::OtherOutcome { place, expected })
    };
    let differs = expected.iter().zip(told).position(|(expected, told)| !expected.allows(told));
    match differs {
        Some(place) => other(place),
        None if expected.len() != told.len() => other(expected.len().min(told.len())),
        None => Ok(()),
    }
}

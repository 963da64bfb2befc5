//! The deadlines of one machine, each with what it is for: a machine need not use this, but most
//! have more than one.

use std::collections::{BTreeMap, BTreeSet};

use super::Time;

/// A set of timers, each armed at most once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Timers<T> {
    in_order: BTreeSet<(Time, T)>,
    armed: BTreeMap<T, Time>,
}

impl<T> Default for Timers<T> {
    fn default() -> Timers<T> {
        Timers { in_order: BTreeSet::new(), armed: BTreeMap::new() }
    }
}

impl<T: Clone + Ord> Timers<T> {
    /// Arms `timer` for `at`, wherever it stood before.
    pub fn set(&mut self, timer: T, at: Time) {
        match self.armed.get(&timer) {
            Some(&old) if old == at => return,
            Some(&old) => {
                self.in_order.remove(&(old, timer.clone()));
            }
            None => {}
        }
        self.in_order.insert((at, timer.clone()));
        self.armed.insert(timer, at);
    }

    /// Arms `timer` for `at`, unless it goes off sooner.
    pub fn set_by(&mut self, timer: T, at: Time) {
        let is_sooner = self.armed.get(&timer).is_some_and(|&armed| armed <= at);
        if !is_sooner {
            self.set(timer, at);
        }
    }

    /// Disarms `timer`.
    pub fn cancel(&mut self, timer: &T) {
        if let Some((timer, at)) = self.armed.remove_entry(timer) {
            self.in_order.remove(&(at, timer));
        }
    }

    /// Is `timer` armed?
    pub fn is_set(&self, timer: &T) -> bool {
        self.armed.contains_key(timer)
    }

    /// The next deadline and what it is for.
    pub fn next(&self) -> Option<(Time, &T)> {
        self.in_order.first().map(|(at, timer)| (*at, timer))
    }
}

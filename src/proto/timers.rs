//! The deadlines of one machine, each with what it is for.

use std::collections::{BTreeMap, BTreeSet};

use super::{Path, Time, TxnId};

/// What a machine wants to be woken for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// Any machine: say what a restarted machine has to say.
    Start,
    /// Coordinator: stop collecting what has not arrived.
    Collect(TxnId),
    /// Coordinator: send the decision again to those who have not acknowledged.
    Resend(TxnId),
    /// Participant: the coordinator of a transaction that is ready has gone quiet.
    Ready(TxnId),
    /// Participant: ask what became of a transaction in doubt.
    Inquire(TxnId),
    /// Lock server: the lease of a holder or waiter runs out.
    Lease(Path),
    /// Centre: the lease of a member runs out, or the first members have had their time to come.
    Members,
    /// Storage: ask to be admitted, or send a heartbeat.
    Heartbeat,
    /// Storage: ask for the next chunk, or somebody else.
    Pull,
    /// Client: this attempt at a request gets no answer, or it is time for the next.
    Attempt(u32),
    /// Client: stop trying.
    GiveUp(u32),
    /// Client: keep a lock or a place in line alive.
    KeepAlive(Path),
    /// Client: the lease of a lock is over.
    LeaseEnd(Path),
}

/// A set of timers, each armed at most once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Timers {
    in_order: BTreeSet<(Time, Timer)>,
    armed: BTreeMap<Timer, Time>,
}

impl Timers {
    /// Arms `timer` for `at`, wherever it stood before.
    pub fn set(&mut self, timer: Timer, at: Time) {
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
    pub fn set_by(&mut self, timer: Timer, at: Time) {
        let is_sooner = self.armed.get(&timer).is_some_and(|&armed| armed <= at);
        if !is_sooner {
            self.set(timer, at);
        }
    }

    /// Disarms `timer`.
    pub fn cancel(&mut self, timer: &Timer) {
        if let Some((timer, at)) = self.armed.remove_entry(timer) {
            self.in_order.remove(&(at, timer));
        }
    }

    /// Is `timer` armed?
    pub fn is_set(&self, timer: &Timer) -> bool {
        self.armed.contains_key(timer)
    }

    /// The next deadline and what it is for.
    pub fn next(&self) -> Option<(Time, &Timer)> {
        self.in_order.first().map(|(at, timer)| (*at, timer))
    }
}

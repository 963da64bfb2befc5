//! Which faults are in effect: those that have taken hold and have not let go.

use std::collections::{BTreeMap, BTreeSet};

use super::Grip;
use crate::cell::FaultKind;
use crate::oracle::Seen;
use crate::under_test::{Coverage, UnderTest};

/// The faults that are in effect.
#[derive(Clone, Debug)]
pub(super) struct InEffect<S: UnderTest>(BTreeMap<Grip, FaultKind<S>>);

impl<S: UnderTest> Default for InEffect<S> {
    fn default() -> InEffect<S> {
        InEffect(BTreeMap::new())
    }
}

impl<S: UnderTest> InEffect<S> {
    /// Their kinds, each once.
    pub fn kinds(&self) -> impl Iterator<Item = FaultKind<S>> {
        self.0.values().copied().collect::<BTreeSet<_>>().into_iter()
    }

    pub fn add(&mut self, grip: Grip, kind: FaultKind<S>) {
        if grip != Grip::Moment {
            self.0.insert(grip, kind);
        }
    }

    pub fn remove(&mut self, grip: Grip) {
        self.0.remove(&grip);
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// What steps show ends some of them. A machine that refuses to start stays down.
    pub fn on_seen(&mut self, seen: &Seen<'_, S>, model: &S::Model) {
        if let Some(node) = S::Coverage::made_good(seen, model) {
            self.remove(Grip::Bereft(node));
        }
        match *seen {
            Seen::Started { node, .. } => self.remove(Grip::Down(node)),
            Seen::Resumed { node } | Seen::Crashed { node } => self.remove(Grip::Paused(node)),
            Seen::DiskStalled { node, is_stalled: false } => self.remove(Grip::Stalled(node)),
            Seen::DiskFilled { node, is_full: false } => self.remove(Grip::Full(node)),
            _ => {} // it ends no fault
        }
    }
}

//! Which faults are in effect: those that have taken hold and have not let go.

use std::collections::{BTreeMap, BTreeSet};

use seedbed::proto::Message;

use super::Grip;
use crate::cell::FaultKind;
use crate::file_service::oracle::{Model, Seen};

/// The faults that are in effect.
#[derive(Clone, Debug, Default)]
pub(super) struct InEffect(BTreeMap<Grip, FaultKind>);

impl InEffect {
    /// Their kinds, each once.
    pub fn kinds(&self) -> impl Iterator<Item = FaultKind> {
        self.0.values().copied().collect::<BTreeSet<_>>().into_iter()
    }

    pub fn add(&mut self, grip: Grip, kind: FaultKind) {
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
    pub fn on_seen(&mut self, seen: &Seen<'_>, model: &Model) {
        match *seen {
            Seen::Started { node, .. } => self.remove(Grip::Down(node)),
            Seen::Resumed { node } | Seen::Crashed { node } => self.remove(Grip::Paused(node)),
            Seen::DiskStalled { node, is_stalled: false } => self.remove(Grip::Stalled(node)),
            Seen::DiskFilled { node, is_full: false } => self.remove(Grip::Full(node)),
            // It says so once it has all that it owns; only a member owns anything.
            Seen::Sent { from, message: Message::Completed { epoch, .. }, .. }
                if model.views.member(*epoch, from).is_some() =>
            {
                self.remove(Grip::Bereft(from));
            }
            _ => {} // it ends no fault
        }
    }
}

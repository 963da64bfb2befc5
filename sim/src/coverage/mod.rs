//! What a run has tried: which faults met which phases, and what became of messages and records.
//!
//! A run is watched from outside, like the oracle does it: from steps and from what oracle and
//! milestones make of them. The simulation adds what no step shows: which fault has taken hold of
//! which machines, when it lets go of them, and that a message is under way for long.
//!
//! A fault *takes hold* before its first event: the machine is in the phase in which the fault
//! finds it. A machine that is down is in none.

#![deny(clippy::disallowed_types, clippy::disallowed_methods)]

mod hold;
mod in_effect;
mod phases;
mod ready;
mod situations;
pub mod table;
#[cfg(test)]
mod tests;
mod unsynced;

use std::collections::{BTreeMap, BTreeSet};

use seedbed::machine::{NodeId, RequestId, Time};
use seedbed::proto::{Message, MessageKind, Reply};

use crate::cell::{Cell, MessageFate, RecordFate};
use crate::file_service::oracle::milestones::Milestones;
use crate::file_service::oracle::{Model, Seen, seen};
use crate::file_service::{Event, Step, World};
use crate::refusal::Reason;

pub use hold::{Grip, Hold};

use in_effect::InEffect;
use phases::{Scene, phases_of};
use ready::Ready;
use unsynced::Unsynced;

/// What one run has tried so far.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    cells: BTreeSet<Cell>,
    followed: Followed,
    in_effect: InEffect,
    /// Does what is seen count no more?
    is_over: bool,
}

/// What the phases take beside model and milestones.
#[derive(Clone, Debug, Default)]
struct Followed {
    unsynced: Unsynced,
    ready: Ready,
    /// Requests for locks of which the client has the grant.
    granted: BTreeSet<RequestId>,
    /// When each machine started last, if it was not for the first time.
    restarted: BTreeMap<NodeId, Time>,
}

impl Coverage {
    /// What was seen.
    pub fn into_cells(self) -> BTreeSet<Cell> {
        self.cells
    }

    /// From now on nothing counts: a file is about what happens before the probes.
    pub fn stop(&mut self) {
        self.is_over = true;
    }

    /// Looks at a step; the model has taken it over already.
    pub fn observe(&mut self, step: &Step, model: &Model) {
        if self.is_over {
            return;
        }
        for seen in seen(step) {
            self.see(&seen, step);
            self.cells.extend(situations::seen(&seen, model).map(Cell::Situation));
            self.in_effect.on_seen(&seen, model);
        }
        self.followed.ready.on_step(step);
        if let (Event::Duplicate(_), Some(packet)) = (&step.event, &step.packet) {
            self.on_message(MessageFate::Doubled, packet.message.kind());
        }
    }

    /// A message of this kind is under way for longer than its link takes at most.
    pub fn on_delayed(&mut self, kind: MessageKind) {
        self.on_message(MessageFate::Delayed, kind);
    }

    /// A fault takes hold of machines, or lets go of them; the world is as it is before that.
    pub fn on_hold(
        &mut self,
        hold: Hold,
        now: Time,
        world: &World,
        model: &Model,
        milestones: &Milestones,
    ) {
        if self.is_over {
            return;
        }
        match hold {
            Hold::Takes { kind, grip, machines } => {
                let pairs = self.in_effect.kinds().map(|first| Cell::Pair(first, kind));
                self.cells.extend(pairs.filter(|cell| cell.is_possible()));
                let scene = Scene { now, world, model, milestones, followed: &self.followed };
                for machine in machines.into_iter().filter(|node| world.host(*node).is_up()) {
                    let phases = phases_of(machine, &scene);
                    let situations = situations::struck(kind, machine, &phases, world, model);
                    self.cells.extend(situations.map(Cell::Situation));
                    self.cells.extend(phases.into_iter().map(|phase| Cell::Strike(kind, phase)));
                }
                self.in_effect.add(grip, kind);
            }
            Hold::LetsGo(grip) => self.in_effect.remove(grip),
            Hold::AllEnd => self.in_effect.clear(),
        }
    }

    fn see(&mut self, seen: &Seen<'_>, step: &Step) {
        let followed = &mut self.followed;
        match *seen {
            Seen::Lost { message, .. } => self.on_message(MessageFate::Lost, message.kind()),
            Seen::Received { to, message, .. } => {
                if let Message::Granted { request, .. } = message {
                    followed.granted.insert(*request);
                }
                followed.ready.on_received(to, message);
            }
            Seen::Sent { from, message, .. } => followed.ready.on_sent(from, message),
            Seen::Appended { node, position, record, .. } => {
                followed.unsynced.on_appended(node, position, record);
                followed.ready.on_appended(node, record);
            }
            Seen::Durable { node, position, .. } => followed.unsynced.on_durable(node, position),
            Seen::Forgot { node, from, torn, .. } => self.on_forgot(node, from, torn),
            Seen::Crashed { node } => followed.on_crashed(node),
            Seen::Wiped { node } => followed.unsynced.forget(node),
            Seen::Started { node, incarnation } => {
                followed.unsynced.forget(node);
                if incarnation.0 > 1 {
                    followed.restarted.insert(node, step.at);
                }
            }
            Seen::Replied { request, reply } => {
                followed.granted.remove(&request);
                self.on_replied(reply);
            }
            Seen::Requested { .. } | Seen::Copied { .. } | Seen::Checkpointed { .. } => {}
            Seen::RefusedToStart { .. } | Seen::Paused { .. } | Seen::Resumed { .. } => {}
            Seen::Cut { .. } | Seen::Mended { .. } | Seen::ClockJumped { .. } => {}
            Seen::Woken { .. } | Seen::Noticed { .. } | Seen::Commanded { .. } => {}
            Seen::DiskStalled { .. } | Seen::DiskFilled { .. } | Seen::ToldOfDisk { .. } => {}
        }
    }

    fn on_message(&mut self, fate: MessageFate, kind: MessageKind) {
        if !self.is_over {
            self.cells.insert(Cell::Message(fate, kind));
        }
    }

    /// A crash has lost the records of a log from a position on; of the first a part may be left.
    fn on_forgot(&mut self, node: NodeId, from: u64, torn: u32) {
        for (position, kind) in self.followed.unsynced.from(node, from) {
            self.cells.insert(Cell::Record(RecordFate::Lost, kind));
            if torn > 0 && position == from {
                self.cells.insert(Cell::Record(RecordFate::Torn, kind));
            }
        }
        self.followed.unsynced.forget(node);
    }

    fn on_replied(&mut self, reply: &Reply) {
        match reply {
            Reply::Refused(refusal) => {
                self.cells.extend(Reason::of(*refusal).map(Cell::Refused));
            }
            Reply::Done(_) | Reply::Acquired(_) | Reply::Released | Reply::Unknown => {}
        }
    }
}

impl Followed {
    /// What was in the machine's memory is gone. What its disk loses is said after that.
    fn on_crashed(&mut self, node: NodeId) {
        self.ready.on_crashed(node);
        self.granted.retain(|request| request.client != node);
        self.restarted.remove(&node);
    }
}

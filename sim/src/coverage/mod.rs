//! What a run has tried: which faults met which phases, and which messages and records were lost,
//! delayed, doubled or torn.
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
pub mod table;
mod unsynced;

use std::collections::BTreeSet;

use seedbed::machine::{NodeId, Time};

use crate::cell::{Cell, MessageFate, RecordFate};
use crate::oracle::Seen;
use crate::under_test::{Coverage as _, Scene, UnderTest};
use crate::world::{Event, Step, World};

pub use hold::{Grip, Hold};

use in_effect::InEffect;
pub use unsynced::Unsynced;

/// What one run has tried so far.
#[derive(Clone, Debug)]
pub struct Coverage<S: UnderTest> {
    cells: BTreeSet<Cell<S>>,
    /// What the system watches for its phases.
    of_system: S::Coverage,
    unsynced: Unsynced<S>,
    in_effect: InEffect<S>,
    /// Does what is seen count no more?
    is_over: bool,
}

impl<S: UnderTest> Default for Coverage<S> {
    fn default() -> Coverage<S> {
        Coverage {
            cells: BTreeSet::new(),
            of_system: S::Coverage::default(),
            unsynced: Unsynced::default(),
            in_effect: InEffect::default(),
            is_over: false,
        }
    }
}

impl<S: UnderTest> Coverage<S> {
    /// What was seen.
    pub fn into_cells(self) -> BTreeSet<Cell<S>> {
        self.cells
    }

    /// From now on nothing counts: a file is about what happens before the probes.
    pub fn stop(&mut self) {
        self.is_over = true;
    }

    /// Looks at one thing that was seen in `step`; the model has taken the step over already.
    pub fn see(&mut self, seen: &Seen<'_, S>, step: &Step<S>, model: &S::Model) {
        if self.is_over {
            return;
        }
        self.take_over(seen, step);
        self.cells.extend(S::Coverage::situation(seen, model).map(Cell::Situation));
        self.in_effect.on_seen(seen, model);
    }

    /// Looks at a step as a whole, after all that was seen in it.
    pub fn end_step(&mut self, step: &Step<S>) {
        if self.is_over {
            return;
        }
        self.of_system.on_step(step);
        if let (Event::Duplicate(_), Some(packet)) = (&step.event, &step.packet) {
            self.on_message(MessageFate::Doubled, S::message_kind(&packet.message));
        }
    }

    /// A message of this kind is under way for longer than its link takes at most.
    pub fn on_delayed(&mut self, kind: S::MessageKind) {
        self.on_message(MessageFate::Delayed, kind);
    }

    /// A fault takes hold of machines, or lets go of them; the rest is as it is before that.
    pub fn on_hold(
        &mut self,
        hold: Hold<S>,
        now: Time,
        world: &World<S>,
        model: &S::Model,
        milestones: &S::Watcher,
    ) {
        if self.is_over {
            return;
        }
        match hold {
            Hold::Takes { kind, grip, machines } => {
                let pairs = self.in_effect.kinds().map(|first| Cell::Pair(first, kind));
                self.cells.extend(pairs.filter(|cell| cell.is_possible()));
                let scene = Scene { now, world, model, milestones, unsynced: &self.unsynced };
                for machine in machines.into_iter().filter(|node| world.host(*node).is_up()) {
                    let phases = self.of_system.phases(machine, &scene);
                    let situations = S::Coverage::struck(kind, machine, &phases, world, model);
                    self.cells.extend(situations.into_iter().map(Cell::Situation));
                    self.cells.extend(phases.into_iter().map(|phase| Cell::Strike(kind, phase)));
                }
                self.in_effect.add(grip, kind);
            }
            Hold::LetsGo(grip) => self.in_effect.remove(grip),
            Hold::AllEnd => self.in_effect.clear(),
        }
    }

    fn take_over(&mut self, seen: &Seen<'_, S>, step: &Step<S>) {
        self.of_system.see(seen, step);
        match *seen {
            Seen::Lost { message, .. } => {
                self.on_message(MessageFate::Lost, S::message_kind(message));
            }
            Seen::Forgot { node, from, torn, .. } => self.on_forgot(node, from, torn),
            Seen::Replied { reply, .. } => {
                self.cells.extend(S::Coverage::reason(reply).map(Cell::Refused));
            }
            _ => {} // it is no cell by itself
        }
        self.unsynced.see(seen);
    }

    fn on_message(&mut self, fate: MessageFate, kind: S::MessageKind) {
        if !self.is_over {
            self.cells.insert(Cell::Message(fate, kind));
        }
    }

    /// A crash has lost the records of a log from a position on; of the first a part may be left.
    fn on_forgot(&mut self, node: NodeId, from: u64, torn: u32) {
        for (position, kind) in self.unsynced.from(node, from) {
            self.cells.insert(Cell::Record(RecordFate::Lost, kind));
            if torn > 0 && position == from {
                self.cells.insert(Cell::Record(RecordFate::Torn, kind));
            }
        }
    }
}

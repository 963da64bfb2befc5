//! Which milestones a run has reached: what faults strike at and scenarios demand.
//!
//! Everything here is worked out from what is to be seen of a step, like the invariants.

use seedbed::machine::NodeId;

use super::{Seen, seen};
use crate::milestone::Milestone;
use crate::outcome::Outcome;
use crate::subject::{self, Subjects};
use crate::under_test::{MilestoneWatcher, UnderTest};
use crate::world::{Event, Step, Tear, World};

/// A milestone that was reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached<S: UnderTest> {
    /// Which.
    pub milestone: Milestone<S>,
    /// The machine that did it, or to which it happened; for a lost message the one that should
    /// have got it.
    pub node: NodeId,
    /// What it is about.
    pub about: Subjects<S::Subject>,
    /// What is meant, where whatever waits for it names one of several things that it is about.
    pub meant: S::Filter,
}

impl<S: UnderTest> Reached<S> {
    /// The same, where this is meant.
    #[must_use]
    pub fn meaning(&self, meant: &S::Filter) -> Reached<S> {
        Reached { meant: meant.clone(), ..self.clone() }
    }
}

/// What a run has reached.
#[derive(Clone, Debug)]
pub struct Hits<S: UnderTest> {
    counts: Vec<u64>,
    /// The first step of each; 0 for none.
    first: Vec<u64>,
    watched: Vec<bool>,
    /// Does what is reached count?
    is_counting: bool,
    reached: Vec<Reached<S>>,
    /// The step under way.
    step: u64,
}

impl<S: UnderTest> Hits<S> {
    fn new() -> Hits<S> {
        let places = Milestone::<S>::PLACES;
        Hits {
            counts: vec![0; places],
            first: vec![0; places],
            watched: vec![true; places],
            is_counting: true,
            reached: Vec::new(),
            step: 0,
        }
    }

    /// `node` has reached `milestone`.
    pub fn hit(
        &mut self,
        milestone: Milestone<S>,
        node: NodeId,
        about: impl FnOnce() -> Subjects<S::Subject>,
    ) {
        if !self.is_counting {
            return;
        }
        let at = milestone.index();
        self.counts[at] += 1;
        if self.counts[at] == 1 {
            self.first[at] = self.step;
        }
        if self.watched[at] {
            let meant = S::Filter::default();
            self.reached.push(Reached { milestone, node, about: about(), meant });
        }
    }

    /// `node` has reached `milestone`, which is about itself.
    pub fn hit_node(&mut self, milestone: Milestone<S>, node: NodeId) {
        self.hit(milestone, node, || Subjects::of(node));
    }
}

/// Counts what a run reaches.
#[derive(Clone, Debug)]
pub struct Milestones<S: UnderTest> {
    hits: Hits<S>,
    of_system: S::Watcher,
}

impl<S: UnderTest> Default for Milestones<S> {
    fn default() -> Milestones<S> {
        Milestones::new()
    }
}

impl<S: UnderTest> Milestones<S> {
    /// Counts all milestones and says of each that was reached what it is about.
    pub fn new() -> Milestones<S> {
        Milestones { hits: Hits::new(), of_system: S::Watcher::default() }
    }

    /// Counts all milestones, and says only of these what they are about: a run with few triggers
    /// need not name every message.
    pub fn watching(milestones: impl IntoIterator<Item = Milestone<S>>) -> Milestones<S> {
        let mut all = Milestones::new();
        all.hits.watched.fill(false);
        for milestone in milestones {
            all.hits.watched[milestone.index()] = true;
        }
        all
    }

    /// From now on nothing counts: a file is about what happens before the probes.
    pub fn stop_counting(&mut self) {
        self.hits.is_counting = false;
    }

    /// Looks at a step that was applied to `world`; the model has taken it over already.
    pub fn observe(&mut self, world: &World<S>, step: &Step<S>, model: &S::Model) {
        self.begin(step.index);
        seen(step).for_each(|seen| self.see(&seen, model, world.config()));
        self.end_step(step);
    }

    /// Looks at a step as a whole, after all that was seen in it.
    pub(crate) fn end_step(&mut self, step: &Step<S>) {
        if let (Event::Duplicate(_), Some(packet)) = (&step.event, &step.packet) {
            let about = || subject::of_message::<S>(packet.from, packet.to, &packet.message);
            self.hits.hit(Milestone::MESSAGE_DUPLICATED, packet.to, about);
        }
    }

    /// A step begins; nothing was reached in it yet.
    pub(crate) fn begin(&mut self, step: u64) {
        self.hits.reached.clear();
        self.hits.step = step;
        self.of_system.on_step();
    }

    /// Looks at one thing that was seen in the step.
    pub(crate) fn see(&mut self, seen: &Seen<'_, S>, model: &S::Model, config: &S::Config) {
        self.see_general(seen);
        self.of_system.see(seen, model, config, &mut self.hits);
    }

    /// What only this system has reached.
    pub fn of_system(&self) -> &S::Watcher {
        &self.of_system
    }

    /// What the last step has reached, in order.
    pub fn reached(&self) -> &[Reached<S>] {
        &self.hits.reached
    }

    /// How often each milestone was reached, by [`Milestone::index`].
    pub fn counts(&self) -> &[u64] {
        &self.hits.counts
    }

    /// How often `milestone` was reached.
    pub fn count(&self, milestone: Milestone<S>) -> u64 {
        self.hits.counts[milestone.index()]
    }

    /// The first step that reached `milestone`.
    pub fn first_step(&self, milestone: Milestone<S>) -> Option<u64> {
        Some(self.hits.first[milestone.index()]).filter(|step| *step > 0)
    }

    /// What any system reaches with this.
    fn see_general(&mut self, seen: &Seen<'_, S>) {
        let hits = &mut self.hits;
        match *seen {
            Seen::Sent { from, to, message, .. } => {
                let about = || subject::of_message::<S>(from, to, message);
                hits.hit(Milestone::Sent(S::message_kind(message)), from, about);
            }
            Seen::Received { from, to, message, .. } => {
                let about = || subject::of_message::<S>(from, to, message);
                hits.hit(Milestone::Received(S::message_kind(message)), to, about);
            }
            Seen::Lost { from, to, message, .. } => {
                let about = || subject::of_message::<S>(from, to, message);
                hits.hit(Milestone::Lost(S::message_kind(message)), to, about);
                hits.hit(Milestone::MESSAGE_LOST, to, about);
            }
            Seen::Appended { node, record, .. } => {
                if let Some(milestone) = Milestone::appended(S::record_kind(record)) {
                    hits.hit(milestone, node, || subject::of_record::<S>(node, record));
                }
            }
            Seen::Durable { node, record, .. } => {
                if let Some(milestone) = Milestone::durable(S::record_kind(record)) {
                    hits.hit(milestone, node, || subject::of_record::<S>(node, record));
                }
            }
            Seen::Forgot { node, torn, tear, .. } => {
                hits.hit_node(Milestone::RECORDS_LOST, node);
                if torn > 0 {
                    hits.hit_node(Milestone::RECORD_TORN, node);
                    match tear {
                        Tear::Prefix => {}
                        Tear::Zeros => hits.hit_node(Milestone::RECORD_ZERO_FILLED, node),
                        Tear::Hole { .. } => hits.hit_node(Milestone::RECORD_HOLED, node),
                    }
                }
            }
            Seen::DiskStalled { node, is_stalled: true } => {
                hits.hit_node(Milestone::DISK_STALLED, node);
            }
            Seen::DiskFilled { node, is_full: true } => hits.hit_node(Milestone::DISK_FULL, node),
            Seen::DiskFilled { node, is_full: false } => {
                hits.hit_node(Milestone::DISK_HAS_ROOM, node);
            }
            Seen::Started { node, incarnation } if incarnation.0 > 1 => {
                hits.hit_node(Milestone::RESTARTED, node);
            }
            Seen::Crashed { node } => hits.hit_node(Milestone::CRASHED, node),
            Seen::Replied { request, reply } => {
                let milestone = match S::outcome(reply) {
                    Outcome::Done => Milestone::REQUEST_DONE,
                    Outcome::Refused => Milestone::REQUEST_REFUSED,
                    Outcome::Unknown => Milestone::REQUEST_UNKNOWN,
                };
                hits.hit(milestone, request.client, || Subjects::of(request));
            }
            Seen::Checkpointed { node, .. } => hits.hit_node(Milestone::CHECKPOINT_WRITTEN, node),
            Seen::RefusedToStart { node } => hits.hit_node(Milestone::REFUSED_TO_START, node),
            Seen::Paused { node } => hits.hit_node(Milestone::PAUSED, node),
            Seen::Resumed { node } => hits.hit_node(Milestone::RESUMED, node),
            Seen::Cut { links } => {
                let from = links.first().map_or(NodeId::CONTROL, |(from, _)| *from);
                hits.hit_node(Milestone::PARTITIONED, from);
            }
            Seen::ClockJumped { node } => hits.hit_node(Milestone::CLOCK_JUMPED, node),
            Seen::DiskStalled { is_stalled: false, .. } | Seen::ToldOfDisk { .. } => {}
            Seen::Started { .. } | Seen::Requested { .. } | Seen::Wiped { .. } => {}
            Seen::Commanded { .. } | Seen::Copied { .. } | Seen::Mended { .. } => {}
            Seen::Woken { .. } | Seen::Noticed { .. } => {}
        }
    }
}

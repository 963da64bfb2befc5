//! Which milestones a run has reached: what faults strike at and scenarios demand.
//!
//! Everything here is worked out from what is to be seen of a step, like the invariants: the steps
//! of a transaction from its messages and records, the state of a lock from the lock server's log,
//! views from the centre's log, hand-overs from what is asked and sent. With fixed membership the
//! last two cost nothing: none of their messages and records comes up.

mod locks;
mod roles;
#[cfg(test)]
mod tests;
mod transactions;
mod transfer;
mod views;

use std::collections::BTreeMap;

use seedbed::machine::{NodeId, RequestId};
use seedbed::proto::{Config, Notice, Path, Record, TxnId};

use crate::file_service::Milestone;
use crate::file_service::oracle::PerNode;
use crate::file_service::oracle::blocked::{StepTimes, Wait, deadlock, waits};
use crate::file_service::oracle::{Model, Seen, seen};
use crate::file_service::subject_of::Subjects;
use crate::file_service::{Event, Step, World};
use crate::world::Tear;

pub use transactions::Phase;
use transactions::Run;
use transfer::Moves;
pub use transfer::OpenPull;
use views::ViewsSeen;

/// A milestone that was reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    /// Which.
    pub milestone: Milestone,
    /// Where: who did it, or to whom it happened. For a lost message who should have got it.
    pub node: NodeId,
    /// What it is about.
    pub about: Subjects,
    /// The file that is meant, where whatever waits for it names one: a transaction has several.
    pub path: Option<Path>,
}

impl Reached {
    /// The same, where this file is meant.
    pub fn about_path(&self, path: &Option<Path>) -> Reached {
        Reached { path: path.clone(), ..self.clone() }
    }
}

/// Counts what a run reaches.
#[derive(Clone, Debug)]
pub struct Milestones {
    counts: Vec<u64>,
    /// The first step of each; 0 for none.
    first: Vec<u64>,
    watched: Vec<bool>,
    /// Does what is reached count?
    is_counting: bool,
    reached: Vec<Reached>,
    runs: BTreeMap<TxnId, Run>,
    /// By node the transactions it has voted yes in, and whether it has learnt the decision.
    in_doubt: PerNode<BTreeMap<TxnId, bool>>,
    /// Requests that are not answered, with the newest attempt seen.
    attempts: BTreeMap<RequestId, u32>,
    views: ViewsSeen,
    moves: Moves,
    times: StepTimes,
    /// The step under way.
    step: u64,
    /// Is the step one in which a release reached the lock server?
    release: bool,
    /// The attempt that the step brought to a storage node.
    begun: Option<(NodeId, RequestId, u32)>,
}

impl Default for Milestones {
    fn default() -> Milestones {
        Milestones::new()
    }
}

/// What is asked of it.
impl Milestones {
    /// Counts all milestones and says of each that was reached what it is about.
    pub fn new() -> Milestones {
        Milestones {
            counts: vec![0; Milestone::PLACES],
            first: vec![0; Milestone::PLACES],
            watched: vec![true; Milestone::PLACES],
            is_counting: true,
            reached: Vec::new(),
            runs: BTreeMap::new(),
            in_doubt: PerNode::default(),
            attempts: BTreeMap::new(),
            views: ViewsSeen::default(),
            moves: Moves::default(),
            times: StepTimes::default(),
            step: 0,
            release: false,
            begun: None,
        }
    }

    /// Counts all milestones, and says only of these what they are about: a run with few triggers
    /// need not name every message.
    pub fn watching(milestones: impl IntoIterator<Item = Milestone>) -> Milestones {
        let mut watched = vec![false; Milestone::PLACES];
        for milestone in milestones {
            watched[milestone.index()] = true;
        }
        Milestones { watched, ..Milestones::new() }
    }

    /// From now on nothing counts: a file is about what happens before the probes.
    pub fn stop_counting(&mut self) {
        self.is_counting = false;
    }

    /// Looks at a step that was applied to `world`; the model has taken it over already.
    pub fn observe(&mut self, world: &World, step: &Step, model: &Model) {
        self.reached.clear();
        (self.step, self.release, self.begun) = (step.index, false, None);
        self.times.observe(step);
        for seen in seen(step) {
            self.see(&seen, model, world.config());
        }
        if let (Event::Duplicate(_), Some(packet)) = (&step.event, &step.packet) {
            let about = || Subjects::of_message(packet.from, packet.to, &packet.message);
            self.hit(Milestone::MESSAGE_DUPLICATED, packet.to, about);
        }
    }

    /// Who is up and waits.
    pub fn waits(&self, world: &World, model: &Model) -> Vec<Wait> {
        waits(world, model, &self.times)
    }

    /// The circle of waits for locks that `request` stands in.
    pub fn deadlock(&self, request: RequestId, world: &World, model: &Model) -> Vec<Wait> {
        deadlock(request, world, model, &self.times)
    }

    /// What the last step has reached, in order.
    pub fn reached(&self) -> &[Reached] {
        &self.reached
    }

    /// How often each milestone was reached, by [`Milestone::index`].
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// How often `milestone` was reached.
    pub fn count(&self, milestone: Milestone) -> u64 {
        self.counts[milestone.index()]
    }

    /// The first step that reached `milestone`.
    pub fn first_step(&self, milestone: Milestone) -> Option<u64> {
        Some(self.first[milestone.index()]).filter(|step| *step > 0)
    }
}

/// What happens.
impl Milestones {
    /// A disk is gone: its node has promised nothing any more and will learn no decision.
    fn on_wiped(&mut self, node: NodeId) {
        self.in_doubt.slot(node).clear();
        self.moves.forget_all(node);
    }

    fn hit(&mut self, milestone: Milestone, node: NodeId, about: impl FnOnce() -> Subjects) {
        if !self.is_counting {
            return;
        }
        let at = milestone.index();
        self.counts[at] += 1;
        if self.counts[at] == 1 {
            self.first[at] = self.step;
        }
        if self.watched[at] {
            self.reached.push(Reached { milestone, node, about: about(), path: None });
        }
    }

    fn hit_txn(&mut self, milestone: Milestone, node: NodeId, txn: TxnId) {
        self.hit(milestone, node, || Subjects::of(txn));
    }

    fn hit_node(&mut self, milestone: Milestone, node: NodeId) {
        self.hit(milestone, node, || Subjects::of(node));
    }

    fn see(&mut self, seen: &Seen<'_>, model: &Model, config: &Config) {
        match *seen {
            Seen::Sent { from, to, message, .. } => {
                let about = || Subjects::of_message(from, to, message);
                self.hit(Milestone::Sent(message.kind()), from, about);
                self.txn_on_sent(from, message);
                self.move_on_sent(from, to, message);
            }
            Seen::Received { from, to, message, .. } => {
                let about = || Subjects::of_message(from, to, message);
                self.hit(Milestone::Received(message.kind()), to, about);
                self.txn_on_received(from, to, message);
                self.view_on_received(from, to, message);
                self.move_on_received(from, to, message);
            }
            Seen::Lost { from, to, message, .. } => {
                let about = || Subjects::of_message(from, to, message);
                self.hit(Milestone::Lost(message.kind()), to, about);
                self.hit(Milestone::MESSAGE_LOST, to, about);
            }
            Seen::Appended { node, position, record, .. } => {
                let about = || Subjects::of_record(node, record);
                if let Some(milestone) = Milestone::appended(record.kind()) {
                    self.hit(milestone, node, about);
                }
                self.txn_on_appended(node, record, model);
                self.lock_on_appended(node, position, record, model);
                self.view_on_appended(record);
                self.move_on_appended(node, record);
            }
            Seen::Durable { node, record, .. } => {
                let about = || Subjects::of_record(node, record);
                if let Some(milestone) = Milestone::durable(record.kind()) {
                    self.hit(milestone, node, about);
                }
                self.txn_on_durable(node, record, model);
                self.lock_on_durable(node, record, model);
                self.move_on_durable(node, record, model, config);
                self.view_on_durable(node, record, config);
                if let Record::Announced { .. } = record {
                    self.move_on_announced(model);
                }
            }
            Seen::Forgot { node, torn, tear, .. } => {
                self.hit_node(Milestone::RECORDS_LOST, node);
                if torn > 0 {
                    self.hit_node(Milestone::RECORD_TORN, node);
                    match tear {
                        Tear::Prefix => {}
                        Tear::Zeros => self.hit_node(Milestone::RECORD_ZERO_FILLED, node),
                        Tear::Hole { .. } => self.hit_node(Milestone::RECORD_HOLED, node),
                    }
                }
            }
            Seen::DiskStalled { node, is_stalled: true } => {
                self.hit_node(Milestone::DISK_STALLED, node);
            }
            Seen::DiskFilled { node, is_full: true } => self.hit_node(Milestone::DISK_FULL, node),
            Seen::DiskFilled { node, is_full: false } => {
                self.hit_node(Milestone::DISK_HAS_ROOM, node);
            }
            Seen::DiskStalled { is_stalled: false, .. } | Seen::ToldOfDisk { .. } => {}
            Seen::Started { node, incarnation } => {
                if incarnation.0 > 1 {
                    self.hit_node(Milestone::RESTARTED, node);
                }
            }
            Seen::Crashed { node } => {
                self.hit_node(Milestone::CRASHED, node);
                self.txn_on_crashed(node);
                self.view_on_crashed(node);
                self.move_on_crashed(node);
            }
            Seen::Requested { request, .. } => {
                self.attempts.insert(request, 0);
            }
            Seen::Replied { request, reply } => self.on_replied(request, reply),
            Seen::Checkpointed { node, .. } => self.hit_node(Milestone::CHECKPOINT_WRITTEN, node),
            Seen::RefusedToStart { node } => self.hit_node(Milestone::REFUSED_TO_START, node),
            Seen::Paused { node } => self.hit_node(Milestone::PAUSED, node),
            Seen::Resumed { node } => self.hit_node(Milestone::RESUMED, node),
            Seen::Cut { links } => {
                let from = links.first().map_or(NodeId::CONTROL, |(from, _)| *from);
                self.hit_node(Milestone::PARTITIONED, from);
            }
            Seen::ClockJumped { node } => self.hit_node(Milestone::CLOCK_JUMPED, node),
            Seen::Wiped { node } => self.on_wiped(node),
            Seen::Commanded { .. } => {}
            Seen::Copied { .. } | Seen::Mended { .. } => {}
            Seen::Noticed { client, notice: Notice::View(view) } => {
                self.hit(Milestone::VIEW_LEARNT, client, || Subjects::of(view.epoch));
            }
            Seen::Woken { .. } | Seen::Noticed { .. } => {}
        }
    }
}

//! One machine: the process that runs on it, its outbox, its disk and its clock.
//!
//! This is the driver of the protocol machines: it appends records at once, syncs while anything
//! waits for one, and lets effects go as far as the log is durable.

use std::sync::Arc;

use seedbed::machine::{
    Boot, Effect, Incarnation, Input, Machine, NodeId, Outbox, RequestId, Snapshot, Span, System,
    Time,
};

use super::{Clock, Disk, Fact, Rot, Step, Tear};

/// A machine.
#[derive(Clone, Debug)]
pub struct Host<S: System> {
    config: Arc<S::Config>,
    id: NodeId,
    incarnation: Incarnation,
    process: Option<S::Machine>,
    outbox: Outbox<S>,
    disk: Disk<S>,
    clock: Clock,
    is_paused: bool,
    /// Does anything wait for the records that the sync under way does not reach?
    wants_sync: bool,
    /// Has the process been told that the disk is full?
    knows_full: bool,
    requests: u32,
}

impl<S: System> Host<S> {
    pub(super) fn new(config: Arc<S::Config>, id: NodeId) -> Host<S> {
        Host {
            config,
            id,
            incarnation: Incarnation(0),
            process: None,
            outbox: Outbox::new(0),
            disk: Disk::default(),
            clock: Clock::new(Span::ZERO, 0),
            is_paused: false,
            wants_sync: false,
            knows_full: false,
            requests: 0,
        }
    }

    /// Its name.
    pub fn id(&self) -> NodeId {
        self.id
    }

    /// Which life it is in; 0 before the first.
    pub fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    /// Is a process running, paused or not?
    pub fn is_up(&self) -> bool {
        self.process.is_some()
    }

    /// Is the process stopped for a while?
    pub fn is_paused(&self) -> bool {
        self.is_paused
    }

    /// The process, if one is running.
    pub fn process(&self) -> Option<&S::Machine> {
        self.process.as_ref()
    }

    /// The same machine under other settings, with this process.
    pub(super) fn reconfigure(&mut self, config: &Arc<S::Config>, process: Option<S::Machine>) {
        assert_eq!(process.is_some(), self.is_up(), "{} is up or down as before", self.id);
        self.config = config.clone();
        self.process = process;
    }

    /// Its disk.
    pub fn disk(&self) -> &Disk<S> {
        &self.disk
    }

    /// Its clock.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Its next deadline, by its own clock, and what it is for.
    pub fn next_deadline(&self) -> Option<(Time, S::Timer)> {
        let (at, timer) = self.deadline()?;
        Some((at, timer.clone()))
    }

    /// Its next deadline, in true time.
    pub fn next_wake(&self) -> Option<Time> {
        let (at, _) = self.deadline()?;
        Some(self.clock.true_time(at))
    }

    pub(super) fn clock_mut(&mut self) -> &mut Clock {
        &mut self.clock
    }

    pub(super) fn set_paused(&mut self, paused: bool) {
        self.is_paused = paused;
    }

    pub(super) fn disk_mut(&mut self) -> &mut Disk<S> {
        &mut self.disk
    }

    /// Whether the disk is full, if the process runs and believes otherwise.
    pub(super) fn take_news_of_disk(&mut self) -> Option<bool> {
        let is_full = self.disk.is_full();
        let listens = self.is_up() && !self.is_paused;
        (listens && is_full != self.knows_full).then(|| {
            self.knows_full = is_full;
            is_full
        })
    }

    pub(super) fn next_request(&mut self) -> RequestId {
        self.requests += 1;
        RequestId { client: self.id, incarnation: self.incarnation, number: self.requests }
    }

    /// Starts a new life on what the disk holds.
    pub(super) fn start(&mut self, now: Time, rot: Option<Rot>, step: &mut Step<S>) {
        assert!(self.process.is_none(), "{} is up already", self.id);
        let node = self.id;
        let recovered = match self.disk.read(rot, S::on_corruption(&self.config)) {
            Ok(recovered) => recovered,
            Err(corruption) => {
                let reason = corruption.to_string();
                step.facts.push(Fact::RefusedToStart { node, reason });
                return;
            }
        };
        self.incarnation = self.incarnation.next();
        self.outbox = Outbox::new(self.disk.end());
        (self.wants_sync, self.is_paused, self.requests) = (false, false, 0);
        self.knows_full = false;
        let reading = self.clock.reading(now);
        let (id, incarnation) = (self.id, self.incarnation);
        let boot = Boot { id, incarnation, now: reading, log: &recovered.records };
        self.process = Some(S::recover(&self.config, boot));
        step.facts.push(Fact::Started { node, incarnation: self.incarnation });
    }

    pub(super) fn crash(
        &mut self,
        (kept, torn, tear): (u32, u32, Tear),
        checkpointed: bool,
        step: &mut Step<S>,
    ) {
        self.process = None;
        self.is_paused = false;
        self.outbox = Outbox::new(0);
        let durable = self.disk.durable();
        let (from, count, torn) = self.disk.crash(kept, torn, tear);
        if durable < from {
            self.show_durable(durable, from, step);
            step.facts.push(Fact::Durable { node: self.id, from: durable, to: from });
        }
        if let Some(covers) = self.disk.end_checkpoint(checkpointed, &mut step.replaced) {
            step.facts.push(Fact::Checkpointed { node: self.id, covers });
        }
        if count > 0 {
            step.facts.push(Fact::Forgot { node: self.id, from, count, torn, tear });
        }
    }

    /// A crash after which the disk is a new one. The count of incarnations is the driver's and
    /// goes on: it never gives a number twice.
    pub(super) fn wipe(&mut self, step: &mut Step<S>) {
        assert!(self.process.is_some(), "{} is down already", self.id);
        self.process = None;
        self.is_paused = false;
        self.outbox = Outbox::new(0);
        self.disk.wipe();
        step.facts.push(Fact::Wiped { node: self.id });
    }

    /// Takes an input and appends the records it led to.
    pub(super) fn step(&mut self, now: Time, input: Input<'_, S>, step: &mut Step<S>) {
        let reading = self.clock.reading(now);
        let machine = self.process.as_mut().expect("a machine that is up");
        machine.step(reading, input, &mut self.outbox);
        while let Some(append) = self.outbox.take_record() {
            let (record, forced) = (append.record.clone(), append.forced);
            self.check_room(&record);
            let position = self.disk.append(append);
            self.wants_sync |= forced;
            step.facts.push(Fact::Appended { node: self.id, position, record, forced });
        }
    }

    /// A machine that knows that its disk is full begins nothing new.
    fn check_room(&self, record: &S::Record) {
        let may = !self.knows_full || S::fits_on_a_full_disk(&self.config, record);
        assert!(may, "{} begins new work, and knows that its disk is full", self.id);
    }

    pub(super) fn pop_effect(&mut self) -> Option<Effect<S>> {
        self.outbox.pop(self.disk.durable())
    }

    pub(super) fn write_checkpoint(&mut self, snapshot: Snapshot<S>) {
        self.disk.write_checkpoint(snapshot);
        self.wants_sync = true;
    }

    pub(super) fn sync_if_needed(&mut self, step: &mut Step<S>) {
        if self.wants_sync && self.disk.begin_sync() {
            self.wants_sync = false;
            step.facts.push(Fact::SyncBegan { node: self.id });
        }
    }

    pub(super) fn synced(&mut self, step: &mut Step<S>) {
        let (node, from) = (self.id, self.disk.durable());
        let end = self.disk.syncing_to();
        self.show_durable(from, end, step);
        if let Some(covers) = self.disk.finish_sync(&mut step.replaced) {
            step.facts.push(Fact::Checkpointed { node, covers });
        }
        step.facts.push(Fact::Durable { node, from, to: self.disk.durable() });
    }

    /// What a sync or a crash has left on the disk for good is a fact from here on.
    fn show_durable(&self, from: u64, to: u64, step: &mut Step<S>) {
        for position in from..to {
            step.durable.push((self.id, position, self.disk.record(position).clone()));
        }
    }

    fn deadline(&self) -> Option<(Time, &S::Timer)> {
        self.process.as_ref()?.next_deadline()
    }
}

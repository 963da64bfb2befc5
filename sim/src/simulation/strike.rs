//! Faults as they strike, and what undoes them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use seedbed::proto::{Command, NodeId, Span, Time};

use super::{Due, Simulation};
use crate::draw::chaos::{Drawn, RECOVERY};
use crate::draw::disks::Leftover;
use crate::fault::{Degradation, Worse};
use crate::scenario::{FaultAction, Restart, Target, Trigger};
use crate::seed::Stream;
use crate::world::{Event, Loss, PacketId, Rot, Watcher};

/// What has struck and is not over.
#[derive(Debug)]
pub(super) struct Strikes {
    /// For each scripted fault: how often its milestone was reached, and whether it has struck.
    scripted: Vec<(u32, bool)>,
    /// Links that are cut, by the fault that cut them.
    cuts: BTreeMap<u32, Arc<[(NodeId, NodeId)]>>,
    /// Machines that stay down until they are told otherwise, and those that stay down for good.
    down_for_good: BTreeSet<NodeId>,
    /// Machines whose clocks run at a drawn rate.
    drifting: BTreeSet<NodeId>,
    /// What reads wrong at a machine's next start.
    rot: BTreeMap<NodeId, Rot>,
    /// What the operator has to say, the first thing first, and which scripted fault it is.
    commands: VecDeque<(Option<usize>, Command)>,
    /// Counts what strikes.
    last: u32,
}

/// How long an operator waits who has found the central node down.
const OPERATOR_TRIES_AGAIN: Span = Span::from_secs(1);

/// What ends a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Undo {
    /// The machine starts.
    Start(NodeId),
    /// The machine goes on.
    Resume(NodeId),
    /// The cut of this number is mended.
    Mend(u32),
    /// The link or the disk is as good as the scenario says again.
    Restore(u32),
    /// The machine's clock runs as the scenario says again.
    Drift(NodeId),
}

impl Strikes {
    pub fn new(scripted: usize) -> Strikes {
        Strikes {
            scripted: vec![(0, false); scripted],
            cuts: BTreeMap::new(),
            down_for_good: BTreeSet::new(),
            drifting: BTreeSet::new(),
            rot: BTreeMap::new(),
            commands: VecDeque::new(),
            last: 0,
        }
    }

    /// For each scripted fault, whether it has struck.
    pub fn fired(&self) -> impl Iterator<Item = bool> {
        self.scripted.iter().map(|(_, fired)| *fired)
    }

    fn next(&mut self) -> u32 {
        self.last += 1;
        self.last
    }
}

impl Simulation<'_> {
    /// Lets those faults strike that wait for what has just been reached.
    pub(super) fn strike_at_milestones(&mut self, at: Time, watcher: &mut impl Watcher) {
        if self.scenario.faults.is_empty() || self.is_healed(at) {
            return;
        }
        let mut due = Vec::new();
        for reached in self.milestones.reached() {
            for (i, fault) in self.scenario.faults.iter().enumerate() {
                let Trigger::When { milestone, nth, node } = fault.trigger else { continue };
                if milestone != reached.milestone || node.is_some_and(|node| node != reached.node) {
                    continue;
                }
                let (count, fired) = &mut self.strikes.scripted[i];
                *count += 1;
                if *count == nth && !*fired {
                    due.push((i, reached.clone()));
                }
            }
        }
        for (i, reached) in due {
            self.strike(at, i, Some(&reached), watcher);
        }
    }

    /// The scripted fault `i` strikes; `reached` is what it waited for.
    pub(super) fn strike(
        &mut self,
        at: Time,
        i: usize,
        reached: Option<&crate::oracle::milestones::Reached>,
        watcher: &mut impl Watcher,
    ) {
        let scenario = self.scenario;
        let bound = |target: &Target| match target {
            Target::Node(node) => Some(*node),
            Target::Role(role) => reached.and_then(|reached| {
                self.milestones.bind(*role, reached, &self.world, self.oracle.model())
            }),
        };
        let action = &scenario.faults[i].action;
        let target = match action {
            FaultAction::Crash { target, .. } | FaultAction::Pause { target, .. } => bound(target),
            FaultAction::Isolate { target, .. } | FaultAction::Bump { target, .. } => bound(target),
            FaultAction::BitRot { target, .. } | FaultAction::Wipe { target, .. } => bound(target),
            FaultAction::Partition { .. } | FaultAction::Clog { .. } => Some(NodeId::CONTROL),
            FaultAction::MajoritiesRing { .. } | FaultAction::Operator(_) => Some(NodeId::CONTROL),
            FaultAction::RollingRestart { .. } | FaultAction::Attrition { .. } => {
                Some(NodeId::CONTROL)
            }
        };
        let Some(node) = target else { return };
        let fired = match action {
            FaultAction::Crash { restart, .. } => self.crash(at, node, *restart, watcher),
            FaultAction::BitRot { restart, .. } => {
                let mut stream = self.seed.stream("rot", i as u64);
                self.bit_rot(at, node, *restart, &mut stream, watcher)
            }
            FaultAction::Pause { lasts, .. } => self.pause(at, node, *lasts, watcher),
            FaultAction::Isolate { lasts, .. } => {
                let links = self.links(|from, to| from == node || to == node);
                self.cut(at, links, *lasts, watcher)
            }
            FaultAction::Partition { groups, one_way, lasts } => {
                let group = |node| groups.iter().position(|group| group.contains(&node));
                let links = self.links(|from, to| match (group(from), group(to)) {
                    (Some(from), Some(to)) => from != to && (!one_way || from < to),
                    (None, _) | (_, None) => false,
                });
                self.cut(at, links, *lasts, watcher)
            }
            FaultAction::Clog { from, to, lasts } => {
                let links = self.links(|a, b| (a, b) == (*from, *to));
                self.cut(at, links, *lasts, watcher)
            }
            FaultAction::MajoritiesRing { lasts } => {
                let links = self.majorities_ring();
                self.cut(at, links, *lasts, watcher)
            }
            FaultAction::Bump { by, .. } => {
                self.apply(at, Event::ClockJump { node, by: *by }, watcher);
                true
            }
            FaultAction::Wipe { restart, .. } => self.wipe(at, node, *restart, watcher),
            FaultAction::RollingRestart { down, pause } => {
                let nodes: Vec<NodeId> = scenario.cast.storage_nodes().collect();
                let apart = Span::from_nanos(down.as_nanos() + pause.as_nanos());
                self.take_down_all(at, &nodes, apart, Restart::After(*down), watcher)
            }
            FaultAction::Attrition { count, pause, restart } => {
                let mut stream = self.seed.stream("attrition", i as u64);
                let nodes = drawn_of(scenario.cast.storage_nodes(), *count, &mut stream);
                self.take_down_all(at, &nodes, *pause, *restart, watcher)
            }
            FaultAction::Operator(command) => {
                self.tell_operator(at, Some(i), command.clone(), watcher);
                false // not before the central node is told
            }
        };
        self.strikes.scripted[i].1 |= fired;
    }

    /// The drawn fault `i` strikes.
    pub(super) fn strike_drawn(&mut self, at: Time, i: usize, watcher: &mut impl Watcher) {
        let planned = self.plan[i].clone();
        let lasts = planned.until.since(at);
        let worse = |from, to, how| Some(Degradation::Link(from, to, how));
        let degradation = match planned.fault {
            Drawn::Crash(node) => {
                self.crash(at, node, Restart::After(lasts), watcher);
                None
            }
            Drawn::BitRot(node, record, bit) => {
                if self.crash(at, node, Restart::After(lasts), watcher) {
                    self.strikes.rot.insert(node, Rot { record, bit });
                }
                None
            }
            Drawn::Wipe(node) => {
                // The plan cannot know whom the centre will suspect. A disk that is the only one
                // to hold something is not in the budget.
                if self.everything_has_two_owners() {
                    self.wipe(at, node, Restart::After(lasts), watcher);
                }
                None
            }
            Drawn::Join(node) => {
                self.tell_operator(at, None, Command::Join(node), watcher);
                None
            }
            Drawn::Leave(node) => {
                self.tell_operator(at, None, Command::Leave(node), watcher);
                None
            }
            Drawn::Pause(node) => {
                self.pause(at, node, Some(lasts), watcher);
                None
            }
            Drawn::Isolate(node) => {
                let links = self.links(|from, to| from == node || to == node);
                self.cut(at, links, Some(lasts), watcher);
                None
            }
            Drawn::Partition(side) => {
                let links = self.links(|from, to| side.contains(&from) != side.contains(&to));
                self.cut(at, links, Some(lasts), watcher);
                None
            }
            Drawn::Clog(from, to) => {
                let links = self.links(|a, b| (a, b) == (from, to));
                self.cut(at, links, Some(lasts), watcher);
                None
            }
            Drawn::Drift(node, ppm) => {
                self.strikes.drifting.insert(node);
                self.put(planned.until, Due::Undo(Undo::Drift(node)));
                self.apply(at, Event::ClockDrift { node, ppm }, watcher);
                None
            }
            Drawn::Delay(from, to, by) => worse(from, to, Worse::Slow(by)),
            Drawn::Loss(from, to, share) => worse(from, to, Worse::Lossy(share)),
            Drawn::Duplicate(from, to, share) => worse(from, to, Worse::Doubling(share)),
            Drawn::SlowDisk(node, takes) => Some(Degradation::Disk(node, takes)),
        };
        if let Some(what) = degradation {
            let id = self.strikes.next();
            match what {
                Degradation::Link(from, to, how) => self.links.degrade(id, (from, to), how),
                Degradation::Disk(node, takes) => self.disks.slow_down(id, node, takes),
            }
            self.put(at + lasts, Due::Undo(Undo::Restore(id)));
        }
    }

    /// Is every owner in the newest view complete, and is it never the only one?
    fn everything_has_two_owners(&self) -> bool {
        let views = &self.oracle.model().views;
        let Some(newest) = views.newest() else { return false };
        let has_settled = views.settled().is_some_and(|settled| settled.is == newest.is.epoch);
        has_settled && newest.is.members.len().min(newest.is.replicas.into()) >= 2
    }

    /// A fault is over.
    pub(super) fn undo(&mut self, at: Time, undo: Undo, watcher: &mut impl Watcher) {
        match undo {
            Undo::Start(node) => self.start_machine(at, node, watcher),
            Undo::Resume(node) => self.resume(at, node, watcher),
            Undo::Mend(id) => {
                if let Some(links) = self.strikes.cuts.remove(&id) {
                    self.apply(at, Event::Mend(links), watcher);
                }
            }
            Undo::Restore(id) => {
                self.links.restore(id);
                self.disks.restore(id);
            }
            Undo::Drift(node) => {
                if self.strikes.drifting.remove(&node) {
                    self.stop_drifting(at, node, watcher);
                }
            }
        }
    }

    fn stop_drifting(&mut self, at: Time, node: NodeId, watcher: &mut impl Watcher) {
        let clock = self.scenario.clocks.iter().find(|clock| clock.node == node);
        let ppm = clock.map_or(0, |clock| clock.drift_ppm);
        self.apply(at, Event::ClockDrift { node, ppm }, watcher);
    }

    /// Ends every fault and starts every machine that is not down for good.
    pub(super) fn heal(&mut self, at: Time, watcher: &mut impl Watcher) {
        self.links.heal();
        self.disks.heal();
        self.strikes.rot.clear();
        self.users.values_mut().for_each(|asker| asker.user.stop());
        for (_, links) in std::mem::take(&mut self.strikes.cuts) {
            self.apply(at, Event::Mend(links), watcher);
        }
        for node in std::mem::take(&mut self.strikes.drifting) {
            self.stop_drifting(at, node, watcher);
        }
        let nodes: Vec<NodeId> = self.world.nodes().collect();
        for node in nodes {
            self.resume(at, node, watcher);
            self.start_machine(at, node, watcher);
        }
    }

    fn crash(
        &mut self,
        at: Time,
        node: NodeId,
        restart: Restart,
        watcher: &mut impl Watcher,
    ) -> bool {
        if !self.world.host(node).is_up() {
            return false;
        }
        let pending = self.world.host(node).disk().pending();
        let Leftover { kept, torn, checkpointed } = self.disks.crash(node, pending);
        self.put_restart(at, node, restart);
        self.apply(at, Event::Crash { node, kept, torn, checkpointed }, watcher);
        true
    }

    fn wipe(
        &mut self,
        at: Time,
        node: NodeId,
        restart: Restart,
        watcher: &mut impl Watcher,
    ) -> bool {
        if !self.world.host(node).is_up() {
            return false;
        }
        self.put_restart(at, node, restart);
        self.apply(at, Event::Wipe { node }, watcher);
        true
    }

    /// Puts what follows for a machine that goes down now.
    fn put_restart(&mut self, at: Time, node: NodeId, restart: Restart) {
        self.put_deferred(at, node); // to find the machine down
        match restart {
            Restart::After(span) => self.put(at + span, Due::Undo(Undo::Start(node))),
            Restart::WhenHealed => {}
            Restart::Never => {
                self.strikes.down_for_good.insert(node);
            }
        }
    }

    /// Takes the first of `nodes` down now and each of the others `apart` after the one before.
    fn take_down_all(
        &mut self,
        at: Time,
        nodes: &[NodeId],
        apart: Span,
        restart: Restart,
        watcher: &mut impl Watcher,
    ) -> bool {
        let Some((first, others)) = nodes.split_first() else { return false };
        for (place, node) in (1..).zip(others) {
            self.put(at + apart.times(place), Due::TakeDown(*node, restart));
        }
        self.take_down(at, *first, restart, watcher);
        true
    }

    /// A machine crashes in its turn, if nothing is healed yet.
    pub(super) fn take_down(
        &mut self,
        at: Time,
        node: NodeId,
        restart: Restart,
        watcher: &mut impl Watcher,
    ) {
        if !self.is_healed(at) {
            self.crash(at, node, restart, watcher);
        }
    }

    fn tell_operator(
        &mut self,
        at: Time,
        scripted: Option<usize>,
        command: Command,
        watcher: &mut impl Watcher,
    ) {
        self.strikes.commands.push_back((scripted, command));
        // With more than one to deliver, somebody is at it.
        if self.strikes.commands.len() == 1 {
            self.operate(at, watcher);
        }
    }

    /// The operator says what there is to say, in order, or tries again later if nobody listens.
    pub(super) fn operate(&mut self, at: Time, watcher: &mut impl Watcher) {
        while let Some((scripted, command)) = self.strikes.commands.front().cloned() {
            let control = self.world.host(NodeId::CONTROL);
            if !control.is_up() || control.is_paused() {
                return self.put(at + OPERATOR_TRIES_AGAIN, Due::Operator);
            }
            self.strikes.commands.pop_front();
            if let Some(i) = scripted {
                self.strikes.scripted[i].1 = true;
            }
            self.apply(at, Event::Command(command), watcher);
        }
    }

    fn bit_rot(
        &mut self,
        at: Time,
        node: NodeId,
        restart: Restart,
        stream: &mut Stream,
        watcher: &mut impl Watcher,
    ) -> bool {
        let fired = self.crash(at, node, restart, watcher);
        if fired {
            let (record, bit) = (stream.below(1 << 20) as u32, stream.below(1 << 20) as u32);
            self.strikes.rot.insert(node, Rot { record, bit });
        }
        fired
    }

    /// Starts a machine that is down; if its log reads wrong, somebody has a look and starts it
    /// again.
    fn start_machine(&mut self, at: Time, node: NodeId, watcher: &mut impl Watcher) {
        if self.world.host(node).is_up() || self.strikes.down_for_good.contains(&node) {
            return;
        }
        let rot = self.strikes.rot.remove(&node);
        self.apply(at, Event::Start { node, rot }, watcher);
        if !self.world.host(node).is_up() {
            self.put(at + RECOVERY, Due::Undo(Undo::Start(node)));
        }
    }

    fn pause(
        &mut self,
        at: Time,
        node: NodeId,
        lasts: Option<Span>,
        watcher: &mut impl Watcher,
    ) -> bool {
        let host = self.world.host(node);
        if !host.is_up() || host.is_paused() {
            return false;
        }
        if let Some(lasts) = lasts {
            self.put(at + lasts, Due::Undo(Undo::Resume(node)));
        }
        self.apply(at, Event::Pause(node), watcher);
        true
    }

    fn resume(&mut self, at: Time, node: NodeId, watcher: &mut impl Watcher) {
        if !self.world.host(node).is_paused() {
            return;
        }
        self.apply(at, Event::Resume(node), watcher);
        self.put_deferred(at, node);
    }

    fn put_deferred(&mut self, at: Time, node: NodeId) {
        for due in self.deferred.remove(&node).unwrap_or_default() {
            self.put(at, due);
        }
    }

    fn cut(
        &mut self,
        at: Time,
        links: Arc<[(NodeId, NodeId)]>,
        lasts: Option<Span>,
        watcher: &mut impl Watcher,
    ) -> bool {
        if links.is_empty() {
            return false;
        }
        let id = self.strikes.next();
        if let Some(lasts) = lasts {
            self.put(at + lasts, Due::Undo(Undo::Mend(id)));
        }
        self.strikes.cuts.insert(id, links.clone());
        self.apply(at, Event::Cut(links.clone()), watcher);
        self.lose_in_flight(at, &links, watcher);
        true
    }

    /// A cut stops what is in flight, even if it is mended before that would have arrived.
    fn lose_in_flight(&mut self, at: Time, links: &[(NodeId, NodeId)], watcher: &mut impl Watcher) {
        let links: BTreeSet<(NodeId, NodeId)> = links.iter().copied().collect();
        let packets = self.world.network().packets();
        let stopped = packets.filter(|(_, packet)| links.contains(&(packet.from, packet.to)));
        let stopped: Vec<PacketId> = stopped.map(|(id, _)| id).collect();
        for id in stopped {
            self.apply(at, Event::Drop(id, Loss::Cut), watcher);
        }
    }

    /// All links, in order, that `wanted` chooses.
    fn links(&self, wanted: impl Fn(NodeId, NodeId) -> bool) -> Arc<[(NodeId, NodeId)]> {
        let pairs = self.world.nodes().flat_map(|a| self.world.nodes().map(move |b| (a, b)));
        pairs.filter(|(a, b)| a != b && wanted(*a, *b)).collect()
    }

    /// The storage nodes in a ring, each linked with the majority around it only.
    fn majorities_ring(&self) -> Arc<[(NodeId, NodeId)]> {
        let ring: Vec<NodeId> = self.scenario.cast.storage_nodes().collect();
        let n = ring.len();
        // A majority of n is n / 2 + 1 nodes: itself and half of n / 2, rounded up, on either side.
        let reach = (n / 2).div_ceil(2);
        let place = |node| ring.iter().position(|other| *other == node);
        self.links(|from, to| match (place(from), place(to)) {
            (Some(a), Some(b)) => a.abs_diff(b).min(n - a.abs_diff(b)) > reach,
            (None, _) | (_, None) => false,
        })
    }
}

/// So many of `nodes`, none twice.
fn drawn_of(nodes: impl Iterator<Item = NodeId>, count: u16, stream: &mut Stream) -> Vec<NodeId> {
    let mut left: Vec<NodeId> = nodes.collect();
    let count = left.len().min(count.into());
    (0..count).map(|_| left.swap_remove(stream.below(left.len() as u64) as usize)).collect()
}

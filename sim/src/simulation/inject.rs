//! Faults become events.
//!
//! A fault that strikes is looked at once, in the world as it is then, and gives the [`Turn`]s that
//! follow from it, in order: events, and what ends it later. Nothing here applies an event.

use crate::under_test::{UnderTest, Wish};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use seedbed::machine::{Class, NodeId, Span, Time};

use super::binding::Binding;
use super::disk_trouble;
use super::holds::{end_of, lets_go, takes_hold};
use super::partition_links::{Pairs, links_of};
use super::queue::Turn;
use super::recording::as_it_struck;
use super::scheduled::{Act, Due};
use super::scripts::Scripts;
use crate::cell::FaultKind;
use crate::coverage::Hold;
use crate::draw::chaos::{Away, Planned, any_bit};
use crate::draw::message_delivery::Links;
use crate::draw::sync_and_crash::{Disks, Leftover};
use crate::fault::{Cut, Degradation, DiskTrouble, Fault, Leaves, Restart};
use crate::oracle::milestones::Milestones;
use crate::scenario::{Scenario, Trigger};
use crate::seed::{Seed, Stream};
use crate::world::Network;
use crate::world::{Event, World};
use crate::world::{Loss, Rot};

/// The faults of a run: those of the file, numbered from 0, and after them those of the plan.
#[derive(Debug)]
pub(super) struct Inject<'a, S: UnderTest> {
    pub(super) scenario: &'a Scenario<S>,
    seed: Seed,
    pub(super) plan: Vec<Planned<S>>,
    /// What the plan takes away, if there is one.
    pub(super) away: Option<Away>,
    /// For each fault how often it has struck.
    struck: Vec<u32>,
    /// Faults that strike some time after their milestone, with the fault's number.
    pub(super) bound: Vec<(usize, Fault<S>)>,
    /// Links that are cut, by the number of the cut.
    cuts: BTreeMap<u32, Pairs>,
    /// Machines that do not start again in this run.
    down_for_good: BTreeSet<NodeId>,
    /// Machines whose clocks run at a rate that the scenario does not say.
    drifting: BTreeSet<NodeId>,
    /// What reads wrong at a machine's next start.
    rot: BTreeMap<NodeId, Rot>,
    /// What the operator has to say, the first thing first, and by which fault.
    pub(super) wishes: VecDeque<(usize, Wish<S>, Option<NodeId>)>,
    /// What has taken hold of machines, or let go of them, since that was asked for.
    pub(super) holds: Vec<Hold<S>>,
    /// What ends the faults that a milestone ends, by fault, and those that have just struck.
    ends: BTreeMap<usize, Vec<Act>>,
    just_struck: Vec<usize>,
    /// Faults that a milestone has ended.
    ended: BTreeSet<usize>,
    /// Counts cuts and degradations.
    pub(super) last: u32,
    /// Are the faults that strike recorded?
    pub(super) is_recording: bool,
    /// Those that have struck.
    drawn: Vec<Fault<S>>,
    /// The places in the file of those that it says.
    scripted: Vec<usize>,
}

/// What a fault looks at when it strikes, and the links and disks that it makes worse.
pub(super) struct Scene<'s, 'a, S: UnderTest> {
    pub now: Time,
    pub world: &'s World<S>,
    pub model: &'s S::Model,
    pub milestones: &'s Milestones<S>,
    pub scripts: &'s Scripts<'a, S>,
    pub links: &'s mut Links<'a, S>,
    pub disks: &'s mut Disks<'a, S>,
}

impl<'a, S: UnderTest> Scene<'_, 'a, S> {
    /// What says which machines a target stands for.
    pub fn binding(&self) -> Binding<'_, 'a, S> {
        let Scene { world, model, milestones, scripts, .. } = *self;
        Binding { world, model, milestones, scripts }
    }
}

impl<'a, S: UnderTest> Inject<'a, S> {
    /// The faults of `scenario` and of the `plan` that was drawn for it; none has struck.
    pub fn new(scenario: &'a Scenario<S>, seed: Seed, plan: Vec<Planned<S>>) -> Inject<'a, S> {
        let budget = scenario.chaos.as_ref().map(|chaos| chaos.budget);
        Inject {
            away: budget.map(|budget| Away::new(budget, &plan)),
            scenario,
            seed,
            bound: Vec::new(),
            struck: vec![0; scenario.faults.len() + plan.len()],
            plan,
            cuts: BTreeMap::new(),
            down_for_good: BTreeSet::new(),
            drifting: BTreeSet::new(),
            rot: BTreeMap::new(),
            wishes: VecDeque::new(),
            holds: Vec::new(),
            ends: BTreeMap::new(),
            just_struck: Vec::new(),
            ended: BTreeSet::new(),
            last: 0,
            is_recording: false,
            drawn: Vec::new(),
            scripted: Vec::new(),
        }
    }

    /// When faults strike whose time is known from the start.
    pub fn schedule(&self) -> impl Iterator<Item = (Time, Act)> {
        let scripted = self.scenario.faults.iter().map(|fault| match fault.trigger {
            Trigger::At(at) => Some(Time::ZERO + at),
            Trigger::When(_) => None,
        });
        let planned = self.plan.iter().map(|planned| planned.aim.is_none().then_some(planned.at));
        let times = scripted.chain(planned).enumerate();
        times.filter_map(|(number, at)| Some((at?, Act::Strike(number))))
    }

    /// For each scripted fault, whether it has struck.
    pub fn fired(&self) -> impl Iterator<Item = bool> {
        self.struck.iter().take(self.scenario.faults.len()).map(|times| *times > 0)
    }

    /// The scripted faults that a milestone may end, each with whether one has.
    pub fn ended(&self) -> impl Iterator<Item = (usize, bool)> {
        let faults = self.scenario.faults.iter().enumerate();
        let ending = faults.filter(|(_, fault)| fault.until.is_some());
        ending.map(|(number, _)| (number, self.ended.contains(&number)))
    }

    /// Does what is due.
    pub fn act(&mut self, act: Act, scene: &mut Scene<'_, 'a, S>) -> Vec<Turn<S>> {
        self.holds.extend(lets_go(act));
        match act {
            Act::Strike(number) => self.strike(number, scene),
            Act::StrikeBound(place) => {
                let (number, fault) = self.bound[place].clone();
                if self.is_healed(scene) { Vec::new() } else { self.inject(number, fault, scene) }
            }
            Act::TakeDown(node, restart, kind) => self.take_down(node, restart, kind, scene),
            Act::Operate => self.operate(scene),
            Act::Start(node) => self.start(node, scene.world),
            Act::Resume(node) if scene.world.host(node).is_paused() => {
                vec![Turn::Event(Event::Resume(node)), Turn::Release(node)]
            }
            Act::Resume(_) => Vec::new(),
            Act::Mend(id) => self.cuts.remove(&id).map(mend).into_iter().collect(),
            Act::Restore(id) => {
                scene.links.restore(id);
                scene.disks.restore(id);
                Vec::new()
            }
            Act::StopDrift(node) if self.drifting.remove(&node) => vec![self.stop_drift(node)],
            Act::StopDrift(_) => Vec::new(),
            Act::Unstall(node) => disk_trouble::unstall(node, scene.world),
            Act::MakeRoom(node) => disk_trouble::make_room(node, scene.world),
        }
    }

    /// Ends every fault and starts every machine that is not down for good.
    pub fn heal(&mut self, scene: &mut Scene<'_, 'a, S>) -> Vec<Turn<S>> {
        scene.links.heal();
        scene.disks.heal();
        self.holds.push(Hold::AllEnd);
        self.rot.clear();
        let mended = std::mem::take(&mut self.cuts).into_values().map(mend);
        let drifting = std::mem::take(&mut self.drifting);
        let right = drifting.into_iter().map(|node| self.stop_drift(node));
        let disks = disk_trouble::heal(scene.world);
        let acts = scene.world.machines().flat_map(|node| [Act::Resume(node), Act::Start(node)]);
        mended.chain(right).chain(disks).chain(acts.map(now)).collect()
    }

    /// What follows from a fault; nothing if it cannot strike now.
    pub(super) fn inject(
        &mut self,
        number: usize,
        fault: Fault<S>,
        scene: &mut Scene<'_, 'a, S>,
    ) -> Vec<Turn<S>> {
        let (now, world) = (scene.now, scene.world);
        // It has struck even if nothing ends it.
        let is_degradation = matches!(
            fault,
            Fault::Disk { trouble: DiskTrouble::Slow(_), .. } | Fault::Degrade { .. }
        );
        let struck = fault.clone();
        let turns = match fault {
            Fault::Crash { node, leaves, restart } => self.crash(node, leaves, restart, scene),
            // The machine at which a milestone was reached may be one without such a disk.
            Fault::BitRot { node, .. } if node.class() == Class::Client => Vec::new(),
            Fault::Wipe { node, .. } | Fault::Operator { node: Some(node), .. }
                if node.class() != Class::Node =>
            {
                Vec::new()
            }
            Fault::BitRot { node, record, bit, restart } => {
                let any = any_bit(&mut self.stream("rot", number));
                let rot = Rot { record: record.unwrap_or(any.record), bit: bit.unwrap_or(any.bit) };
                let turns = self.crash(node, Leaves::default(), restart, scene);
                if !turns.is_empty() {
                    self.rot.insert(node, rot);
                }
                turns
            }
            Fault::Wipe { node, .. } if !world.host(node).is_up() => Vec::new(),
            Fault::Wipe { node, restart } => {
                self.going_down(node, restart, now, Event::Wipe { node })
            }
            Fault::Pause { node, lasts } => match world.host(node) {
                host if !host.is_up() || host.is_paused() => Vec::new(),
                _ => lasting(Event::Pause(node), Act::Resume(node), now, lasts),
            },
            Fault::Cut { links, lasts } => self.cut(&links, lasts, scene),
            Fault::Drop(node) => self.drop_some(number, node, world.network()),
            Fault::ClockJump { node, by } => vec![Turn::Event(Event::ClockJump { node, by })],
            Fault::ClockDrift { node, ppm, lasts } => {
                self.drifting.insert(node);
                lasting(Event::ClockDrift { node, ppm }, Act::StopDrift(node), now, lasts)
            }
            Fault::Disk { node, trouble: DiskTrouble::Slow(takes), lasts } => {
                let id = self.next();
                scene.disks.slow_down(id, node, takes);
                later(now, lasts, Act::Restore(id)).into_iter().collect()
            }
            Fault::Disk { node, trouble: DiskTrouble::Stalled, lasts } => {
                lasting_if(disk_trouble::stall(node, world), now, lasts)
            }
            Fault::Disk { node, trouble: DiskTrouble::Full, lasts } => {
                lasting_if(disk_trouble::fill_up(node, world), now, lasts)
            }
            Fault::Degrade { what, lasts } => {
                let id = self.next();
                let Degradation { from, to, how } = what;
                scene.links.degrade(id, (from, to), how);
                later(now, lasts, Act::Restore(id)).into_iter().collect()
            }
            Fault::RollingRestart { down, pause } => self.rolling_restart(down, pause, now),
            Fault::Attrition { count, pause, restart } => {
                self.attrition(number, count, pause, restart, now)
            }
            // It has not struck before the control node is told.
            Fault::Operator { wish, node } => {
                return self.tell_operator(number, wish, node, scene);
            }
        };
        if is_degradation || !turns.is_empty() {
            self.hold(number, &struck);
            self.record(number, || as_it_struck(&struck, &turns));
        }
        turns
    }

    /// The fault has struck, and takes hold of its machines.
    pub(super) fn hold(&mut self, number: usize, struck: &Fault<S>) {
        self.struck[number] += 1;
        let planned = number.checked_sub(self.scenario.faults.len());
        let kind = planned.map_or_else(|| FaultKind::of(struck), |place| self.plan[place].kind);
        let links = self.cuts.get(&self.last).map_or(&[][..], |links| links);
        if self.scenario.faults.get(number).is_some_and(|fault| fault.until.is_some()) {
            self.ends.entry(number).or_default().extend(end_of(struck, self.last));
            self.just_struck.push(number);
        }
        self.holds.extend(takes_hold(kind, struck, self.last, links));
    }

    /// The fault `number` has struck. Of a drawn one is kept how, which `fault` says.
    pub(super) fn record(&mut self, number: usize, fault: impl FnOnce() -> Fault<S>) {
        if self.is_recording {
            match number < self.scenario.faults.len() {
                true => self.scripted.push(number),
                false => self.drawn.push(fault()),
            }
        }
    }

    /// The milestone that ends the fault was reached: what the fault does is over so long after it.
    pub fn end(&mut self, number: usize, after: Span, at: Time) -> Vec<Turn<S>> {
        let acts = self.ends.remove(&number).unwrap_or_default().into_iter();
        self.ended.insert(number);
        match after {
            Span::ZERO => acts.map(now).collect(),
            after => acts.filter_map(|act| later(at, Some(after), act)).collect(),
        }
    }

    /// The places in the file of the faults that have struck since the last call and last until a
    /// milestone.
    pub fn take_just_struck(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.just_struck)
    }

    /// What has taken hold of machines, or let go of them, since this was asked last.
    pub fn take_holds(&mut self) -> Vec<Hold<S>> {
        std::mem::take(&mut self.holds)
    }

    /// The drawn faults that have struck since this was asked last.
    pub fn take_drawn(&mut self) -> Vec<Fault<S>> {
        std::mem::take(&mut self.drawn)
    }

    /// The scripted faults that have struck since this was asked last, by their place in the file.
    pub fn take_scripted(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.scripted)
    }

    pub(super) fn stream(&self, purpose: &str, number: usize) -> Stream {
        // A fault that strikes again draws anew.
        self.seed.stream(purpose, u64::from(self.struck[number]) << 32 | number as u64)
    }

    fn next(&mut self) -> u32 {
        self.last += 1;
        self.last
    }

    pub(super) fn crash(
        &mut self,
        node: NodeId,
        leaves: Leaves,
        restart: Restart,
        scene: &mut Scene<'_, 'a, S>,
    ) -> Vec<Turn<S>> {
        let host = scene.world.host(node);
        if !host.is_up() {
            return Vec::new();
        }
        let Leftover { kept, torn, tear, checkpointed } =
            scene.disks.crash(node, host.disk().pending(), leaves);
        let crash = Event::Crash { node, kept, torn, tear, checkpointed };
        self.going_down(node, restart, scene.now, crash)
    }

    fn going_down(
        &mut self,
        node: NodeId,
        restart: Restart,
        now: Time,
        event: Event<S>,
    ) -> Vec<Turn<S>> {
        // What waited for a machine that was paused finds it down, before it starts again.
        let mut turns = vec![Turn::Release(node)];
        match restart {
            Restart::After(span) => turns.extend(later(now, Some(span), Act::Start(node))),
            Restart::WhenHealed => {}
            Restart::Never => {
                self.down_for_good.insert(node);
            }
        }
        turns.push(Turn::Event(event));
        turns
    }

    pub(super) fn is_healed(&self, scene: &Scene<'_, 'a, S>) -> bool {
        scene.now >= Time::ZERO + self.scenario.phases.safety
    }

    fn start(&mut self, node: NodeId, world: &World<S>) -> Vec<Turn<S>> {
        if world.host(node).is_up() || self.down_for_good.contains(&node) {
            return Vec::new();
        }
        let rot = self.rot.remove(&node).and_then(|rot| world.host(node).disk().placed(rot));
        vec![Turn::Event(Event::Start { node, rot })]
    }

    fn cut(&mut self, cut: &Cut, lasts: Option<Span>, scene: &Scene<'_, 'a, S>) -> Vec<Turn<S>> {
        let links = links_of(cut, scene.world, self.scenario.cast);
        if links.is_empty() {
            return Vec::new();
        }
        let id = self.next();
        self.cuts.insert(id, links.clone());
        let mut turns = lasting(Event::Cut(links.clone()), Act::Mend(id), scene.now, lasts);
        turns.push(Turn::LoseInFlight(links));
        turns
    }

    fn drop_some(&self, number: usize, node: NodeId, network: &Network<S>) -> Vec<Turn<S>> {
        let mut stream = self.stream("drop", number);
        let its = network.packets().filter(|(_, packet)| packet.from == node);
        let lost = its.filter(|_| stream.below(2) == 0);
        lost.map(|(id, _)| Turn::Lose(id, Loss::Network)).collect()
    }

    fn stop_drift(&self, node: NodeId) -> Turn<S> {
        let clock = self.scenario.clocks.iter().find(|clock| clock.node == node);
        let ppm = clock.map_or(0, |clock| clock.drift_ppm);
        Turn::Event(Event::ClockDrift { node, ppm })
    }
}

pub(super) fn now<S: UnderTest>(act: Act) -> Turn<S> {
    Turn::Due(Due::Inject(act))
}

/// After `span`, or never.
pub(super) fn later<S: UnderTest>(now: Time, span: Option<Span>, act: Act) -> Option<Turn<S>> {
    span.map(|span| Turn::Later(now + span, Due::Inject(act)))
}

/// An event, and after `lasts` what ends it.
fn lasting<S: UnderTest>(
    event: Event<S>,
    end: Act,
    now: Time,
    lasts: Option<Span>,
) -> Vec<Turn<S>> {
    later(now, lasts, end).into_iter().chain([Turn::Event(event)]).collect()
}

/// The same of what can begin now.
fn lasting_if<S: UnderTest>(
    begins: Option<(Event<S>, Act)>,
    now: Time,
    lasts: Option<Span>,
) -> Vec<Turn<S>> {
    begins.map_or_else(Vec::new, |(event, end)| lasting(event, end, now, lasts))
}

fn mend<S: UnderTest>(links: Pairs) -> Turn<S> {
    Turn::Event(Event::Mend(links))
}

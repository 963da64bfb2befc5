//! Faults become events.
//!
//! A fault that strikes is looked at once, in the world as it is then, and gives the [`Turn`]s that
//! follow from it, in order: events, and what ends it later. Nothing here applies an event.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use seedbed::proto::{Command, NodeId, Span, Time};

use super::partition_links::{Pairs, links_of};
use super::queue::Turn;
use super::scheduled::{Act, Due};
use crate::draw::chaos::{Planned, any_bit};
use crate::draw::message_delivery::Links;
use crate::draw::sync_and_crash::{Disks, Leftover};
use crate::fault::{Cut, Degradation, Fault, Restart};
use crate::oracle::Model;
use crate::oracle::milestones::{Milestones, Reached};
use crate::scenario::{Scenario, Target, Trigger};
use crate::seed::{Seed, Stream};
use crate::world::{Event, Rot, World};

/// The faults of a run: those of the file, numbered from 0, and after them those of the plan.
#[derive(Debug)]
pub(super) struct Inject<'a> {
    scenario: &'a Scenario,
    seed: Seed,
    plan: Vec<Planned>,
    /// For each scripted fault how often its milestone was reached.
    reached: Vec<u32>,
    /// For each fault whether it has struck.
    has_struck: Vec<bool>,
    /// Links that are cut, by the number of the cut.
    cuts: BTreeMap<u32, Pairs>,
    /// Machines that do not start again in this run.
    down_for_good: BTreeSet<NodeId>,
    /// Machines whose clocks run at a rate that the scenario does not say.
    drifting: BTreeSet<NodeId>,
    /// What reads wrong at a machine's next start.
    rot: BTreeMap<NodeId, Rot>,
    /// What the operator has to say, the first thing first, and by which fault.
    commands: VecDeque<(usize, Command)>,
    /// Counts cuts and degradations.
    last: u32,
}

/// What a fault looks at when it strikes, and the links and disks that it makes worse.
pub(super) struct Scene<'s, 'a> {
    pub now: Time,
    pub world: &'s World,
    pub model: &'s Model,
    pub milestones: &'s Milestones,
    pub links: &'s mut Links<'a>,
    pub disks: &'s mut Disks<'a>,
}

/// How long an operator waits that has found the central node down.
const OPERATOR_TRIES_AGAIN: Span = Span::from_secs(1);

impl<'a> Inject<'a> {
    /// The faults of `scenario` and of the `plan` that was drawn for it; none has struck.
    pub fn new(scenario: &'a Scenario, seed: Seed, plan: Vec<Planned>) -> Inject<'a> {
        Inject {
            scenario,
            seed,
            reached: vec![0; scenario.faults.len()],
            has_struck: vec![false; scenario.faults.len() + plan.len()],
            plan,
            cuts: BTreeMap::new(),
            down_for_good: BTreeSet::new(),
            drifting: BTreeSet::new(),
            rot: BTreeMap::new(),
            commands: VecDeque::new(),
            last: 0,
        }
    }

    /// When faults strike whose time is known from the start.
    pub fn schedule(&self) -> impl Iterator<Item = (Time, Act)> {
        let scripted = self.scenario.faults.iter().map(|fault| match fault.trigger {
            Trigger::At(at) => Some(Time::ZERO + at),
            Trigger::When { .. } => None,
        });
        let planned = self.plan.iter().map(|planned| Some(planned.at));
        let times = scripted.chain(planned).enumerate();
        times.filter_map(|(number, at)| Some((at?, Act::Strike(number))))
    }

    /// For each scripted fault, whether it has struck, and how often came what it waits for.
    pub fn fired(&self) -> impl Iterator<Item = (bool, u32)> {
        self.has_struck.iter().copied().zip(self.reached.iter().copied())
    }

    /// The faults that wait for what has just been reached.
    pub fn at_milestones(&mut self, just_reached: &[Reached]) -> Vec<Turn> {
        let mut turns = Vec::new();
        for reached in just_reached {
            for (number, fault) in self.scenario.faults.iter().enumerate() {
                let Trigger::When { milestone, nth, node } = fault.trigger else { continue };
                if milestone != reached.milestone || node.is_some_and(|node| node != reached.node) {
                    continue;
                }
                self.reached[number] += 1;
                if self.reached[number] == nth {
                    turns.push(Turn::Strike(number, Box::new(reached.clone())));
                }
            }
        }
        turns
    }

    /// Does what is due.
    pub fn act(&mut self, act: Act, scene: &mut Scene<'_, 'a>) -> Vec<Turn> {
        match act {
            Act::Strike(number) => self.strike(number, None, scene),
            Act::TakeDown(node, restart) => self.take_down(node, restart, scene),
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
        }
    }

    /// Ends every fault and starts every machine that is not down for good.
    pub fn heal(&mut self, scene: &mut Scene<'_, 'a>) -> Vec<Turn> {
        scene.links.heal();
        scene.disks.heal();
        self.rot.clear();
        let mended = std::mem::take(&mut self.cuts).into_values().map(mend);
        let drifting = std::mem::take(&mut self.drifting);
        let right = drifting.into_iter().map(|node| self.stop_drift(node));
        let acts = scene.world.nodes().flat_map(|node| [Act::Resume(node), Act::Start(node)]);
        mended.chain(right).chain(acts.map(now)).collect()
    }

    /// The fault `number` strikes; `reached` is what it waited for.
    pub fn strike(
        &mut self,
        number: usize,
        reached: Option<&Reached>,
        scene: &mut Scene<'_, 'a>,
    ) -> Vec<Turn> {
        let fault = match number.checked_sub(self.scenario.faults.len()) {
            Some(planned) => self.planned(planned, scene.model),
            None => self.scenario.faults[number].fault.bind(|target| match target {
                Target::Node(node) => Some(*node),
                Target::Role(role) => {
                    scene.milestones.bind(*role, reached?, scene.world, scene.model)
                }
            }),
        };
        fault.map_or_else(Vec::new, |fault| self.inject(number, fault, scene))
    }

    /// The fault of the plan, if it is in the budget now. The plan cannot know which nodes the
    /// centre will suspect: a disk that is the only one to hold something is not in the budget.
    fn planned(&self, planned: usize, model: &Model) -> Option<Fault> {
        let fault = &self.plan[planned].fault;
        let is_within = !matches!(fault, Fault::Wipe { .. }) || everything_has_two_owners(model);
        is_within.then(|| fault.clone())
    }

    /// What follows from a fault; nothing if it cannot strike now.
    fn inject(&mut self, number: usize, fault: Fault, scene: &mut Scene<'_, 'a>) -> Vec<Turn> {
        let (now, world) = (scene.now, scene.world);
        let turns = match fault {
            Fault::Crash { node, restart } => self.crash(node, restart, scene),
            Fault::BitRot { node, rot, restart } => {
                let rot = rot.unwrap_or_else(|| any_bit(&mut self.stream("rot", number)));
                let turns = self.crash(node, restart, scene);
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
            Fault::ClockJump { node, by } => vec![Turn::Event(Event::ClockJump { node, by })],
            Fault::ClockDrift { node, ppm, lasts } => {
                self.drifting.insert(node);
                lasting(Event::ClockDrift { node, ppm }, Act::StopDrift(node), now, lasts)
            }
            Fault::Degrade { what, lasts } => {
                let id = self.next();
                match what {
                    Degradation::Link(from, to, how) => scene.links.degrade(id, (from, to), how),
                    Degradation::Disk(node, takes) => scene.disks.slow_down(id, node, takes),
                }
                self.has_struck[number] = true; // also if nothing ends it
                later(now, lasts, Act::Restore(id)).into_iter().collect()
            }
            Fault::RollingRestart { down, pause } => {
                let nodes = self.scenario.cast.storage_nodes().collect();
                let apart = Span::from_nanos(down.as_nanos() + pause.as_nanos());
                series(nodes, now, apart, Restart::After(down))
            }
            Fault::Attrition { count, pause, restart } => {
                let mut stream = self.stream("attrition", number);
                let nodes = drawn_of(self.scenario.cast.storage_nodes(), count, &mut stream);
                series(nodes, now, pause, restart)
            }
            // It has not struck before the central node is told.
            Fault::Operator(command) => return self.tell_operator(number, command, scene),
        };
        self.has_struck[number] |= !turns.is_empty();
        turns
    }

    fn stream(&self, purpose: &str, number: usize) -> Stream {
        self.seed.stream(purpose, number as u64)
    }

    fn next(&mut self) -> u32 {
        self.last += 1;
        self.last
    }

    fn crash(&mut self, node: NodeId, restart: Restart, scene: &mut Scene<'_, 'a>) -> Vec<Turn> {
        let host = scene.world.host(node);
        if !host.is_up() {
            return Vec::new();
        }
        let Leftover { kept, torn, checkpointed } = scene.disks.crash(node, host.disk().pending());
        self.going_down(node, restart, scene.now, Event::Crash { node, kept, torn, checkpointed })
    }

    fn going_down(&mut self, node: NodeId, restart: Restart, now: Time, event: Event) -> Vec<Turn> {
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

    /// A machine crashes in its turn, if nothing is healed yet.
    fn take_down(
        &mut self,
        node: NodeId,
        restart: Restart,
        scene: &mut Scene<'_, 'a>,
    ) -> Vec<Turn> {
        let is_healed = scene.now >= Time::ZERO + self.scenario.phases.safety;
        if is_healed { Vec::new() } else { self.crash(node, restart, scene) }
    }

    fn start(&mut self, node: NodeId, world: &World) -> Vec<Turn> {
        if world.host(node).is_up() || self.down_for_good.contains(&node) {
            return Vec::new();
        }
        vec![Turn::Event(Event::Start { node, rot: self.rot.remove(&node) })]
    }

    fn cut(&mut self, cut: &Cut, lasts: Option<Span>, scene: &Scene<'_, 'a>) -> Vec<Turn> {
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

    fn stop_drift(&self, node: NodeId) -> Turn {
        let clock = self.scenario.clocks.iter().find(|clock| clock.node == node);
        let ppm = clock.map_or(0, |clock| clock.drift_ppm);
        Turn::Event(Event::ClockDrift { node, ppm })
    }

    fn tell_operator(
        &mut self,
        number: usize,
        command: Command,
        scene: &Scene<'_, 'a>,
    ) -> Vec<Turn> {
        self.commands.push_back((number, command));
        // With more than one thing to say, the operator is at it.
        if self.commands.len() == 1 { self.operate(scene) } else { Vec::new() }
    }

    /// The operator says the next thing, or tries again later if the central node does not listen.
    fn operate(&mut self, scene: &Scene<'_, 'a>) -> Vec<Turn> {
        let control = scene.world.host(NodeId::CONTROL);
        let listens = control.is_up() && !control.is_paused();
        if !listens && !self.commands.is_empty() {
            return later(scene.now, Some(OPERATOR_TRIES_AGAIN), Act::Operate)
                .into_iter()
                .collect();
        }
        let Some((number, command)) = self.commands.pop_front() else { return Vec::new() };
        self.has_struck[number] = true;
        vec![Turn::Event(Event::Command(command)), now(Act::Operate)]
    }
}

fn now(act: Act) -> Turn {
    Turn::Due(Due::Inject(act))
}

/// After `span`, or never.
fn later(now: Time, span: Option<Span>, act: Act) -> Option<Turn> {
    span.map(|span| Turn::Later(now + span, Due::Inject(act)))
}

/// An event, and after `lasts` what ends it.
fn lasting(event: Event, end: Act, now: Time, lasts: Option<Span>) -> Vec<Turn> {
    later(now, lasts, end).into_iter().chain([Turn::Event(event)]).collect()
}

/// Takes the first of `nodes` down now and each of the others `apart` after the one before.
fn series(nodes: Vec<NodeId>, at: Time, apart: Span, restart: Restart) -> Vec<Turn> {
    let mut acts = nodes.into_iter().map(|node| Act::TakeDown(node, restart));
    let first = acts.next().map(now);
    let others =
        (1..).zip(acts).filter_map(|(place, act)| later(at, Some(apart.times(place)), act));
    others.chain(first).collect()
}

fn mend(links: Pairs) -> Turn {
    Turn::Event(Event::Mend(links))
}

/// Is every owner in the newest view complete, and is it never the only one?
fn everything_has_two_owners(model: &Model) -> bool {
    let views = &model.views;
    let Some(newest) = views.newest() else { return false };
    let has_settled = views.settled().is_some_and(|settled| settled.is == newest.is.epoch);
    has_settled && newest.is.members.len().min(newest.is.replicas.into()) >= 2
}

/// So many of `nodes`, none twice.
fn drawn_of(nodes: impl Iterator<Item = NodeId>, count: u16, stream: &mut Stream) -> Vec<NodeId> {
    let mut left: Vec<NodeId> = nodes.collect();
    let count = left.len().min(count.into());
    (0..count).map(|_| left.swap_remove(stream.below(left.len() as u64) as usize)).collect()
}

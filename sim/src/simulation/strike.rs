//! Which fault strikes, and on which machines.
//!
//! A scripted fault names them, or they play a role in what it has waited for. A drawn one has to
//! leave what is promised within reach, and an aimed one has to find room in the budget.

use crate::under_test::{Operator, UnderTest};
use seedbed::machine::{Class, NodeId, Span};

use super::inject::{Inject, Scene, later};
use super::queue::Turn;
use super::scheduled::Act;
use crate::draw::chaos::Away;
use crate::fault::Fault;
use crate::oracle::milestones::Reached;
use crate::scenario::Target;
use crate::seed::Stream;
use crate::world::World;

const BUDGET: &str = "a plan has a budget";

impl<'a, S: UnderTest> Inject<'a, S> {
    /// The fault `number` strikes, whose time was known from the start.
    pub(super) fn strike(&mut self, number: usize, scene: &mut Scene<'_, 'a, S>) -> Vec<Turn<S>> {
        let scripted = self.scenario.faults.len();
        let fault = match number.checked_sub(scripted) {
            Some(planned) => bound_at(&self.plan[planned].fault, scene.world)
                .filter(|fault| self.keeps_the_promise(fault, scene)),
            None => bound_at(&self.scenario.faults[number].fault, scene.world),
        };
        fault.map_or_else(Vec::new, |fault| self.inject(number, fault, scene))
    }

    /// What the aimed fault `number` of the plan has waited for was reached: it strikes, if it can
    /// and the budget has room.
    pub fn strike_aimed(
        &mut self,
        number: usize,
        reached: &Reached<S>,
        scene: &mut Scene<'_, 'a, S>,
    ) -> Vec<Turn<S>> {
        let planned = &self.plan[number];
        let lasts = planned.until.since(planned.at);
        let mut stream = self.stream("another", self.scenario.faults.len() + number);
        let machines = |target: &Target<S>| match target {
            Target::All(_) => self.another(*target, reached, scene, &mut stream),
            _ => scene.binding().machines(*target, Some(reached)),
        };
        let Some(fault) = planned.fault.bind(machines) else { return Vec::new() };
        // A machine that is down can be taken away no more.
        let away = fault.away().copied();
        let can = away.is_none_or(|node| {
            scene.world.host(node).is_up() && self.budget().has_room(node, scene.now, lasts)
        });
        if !can || !self.keeps_the_promise(&fault, scene) {
            return Vec::new();
        }
        if let Some(node) = away {
            self.budget().take(node, scene.now, lasts);
        }
        self.inject(self.scenario.faults.len() + number, fault, scene)
    }

    /// One of the machines that `target` stands for; one that no fault takes away at this moment,
    /// if there is one.
    fn another(
        &self,
        target: Target<S>,
        reached: &Reached<S>,
        scene: &Scene<'_, 'a, S>,
        stream: &mut Stream,
    ) -> Vec<NodeId> {
        let away = self.away.as_ref().expect(BUDGET);
        let all = scene.binding().machines(target, Some(reached));
        let is_left = |node: &NodeId| !away.went(*node, scene.now);
        let left: Vec<NodeId> = all.iter().copied().filter(is_left).collect();
        let among = if left.is_empty() { &all } else { &left };
        stream.pick(among).copied().into_iter().collect()
    }

    fn budget(&mut self) -> &mut Away {
        self.away.as_mut().expect(BUDGET)
    }

    /// Does a drawn fault leave what is promised within reach? The plan cannot know what is on
    /// which disk. See the table of promises in ARCHITECTURE.md.
    fn keeps_the_promise(&mut self, fault: &Fault<S>, scene: &Scene<'_, 'a, S>) -> bool {
        let options = &self.scenario.chaos.as_ref().expect(BUDGET).options;
        let keeps = || S::Operator::keeps_the_promise(fault, options, scene.model);
        match fault {
            Fault::Wipe { node, .. } => {
                let may = node.class() == Class::Node && scene.world.host(*node).is_up() && keeps();
                may && self.budget().take_disk()
            }
            _ => keeps(),
        }
    }

    /// What the scripted fault `number` has waited for was reached: its machines are bound, and it
    /// strikes now or some time after.
    pub fn strike_at(
        &mut self,
        number: usize,
        reached: &Reached<S>,
        scene: &mut Scene<'_, 'a, S>,
    ) -> Vec<Turn<S>> {
        let scripted = &self.scenario.faults[number];
        let machines = |target: &Target<S>| scene.binding().machines(*target, Some(reached));
        let Some(fault) = scripted.fault.bind(machines) else { return Vec::new() };
        match scripted.trigger.occasion().map_or(Span::ZERO, |occasion| occasion.after) {
            Span::ZERO => self.inject(number, fault, scene),
            after => {
                self.bound.push((number, fault));
                let act = Act::StrikeBound(self.bound.len() - 1);
                later(scene.now, Some(after), act).into_iter().collect()
            }
        }
    }
}

/// A fault whose time is known from the start: it names its machines, and perhaps the rest of them.
fn bound_at<S: UnderTest>(fault: &Fault<S, Target<S>>, world: &World<S>) -> Option<Fault<S>> {
    fault.bind(|target| match target {
        Target::Node(node) => vec![*node],
        Target::Rest => world.machines().collect(),
        Target::There | Target::Role(_) | Target::All(_) => {
            unreachable!("a role needs a milestone")
        }
    })
}

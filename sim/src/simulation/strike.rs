//! Which fault strikes, and on which machines.
//!
//! A scripted fault names them, or they play a role in what it has waited for. A drawn one has to
//! leave what is promised within reach, and an aimed one has to find room in the budget.

use seedbed::machine::{Class, NodeId, Span};
use seedbed::proto::Command;

use super::inject::{Inject, Scene, later};
use super::queue::Turn;
use super::scheduled::Act;
use crate::draw::chaos::Away;
use crate::fault::Fault;
use crate::file_service::World;
use crate::file_service::oracle::copies::{is_every_loss_noticed, may_be_lost};
use crate::file_service::oracle::milestones::Reached;
use crate::scenario::Target;
use crate::seed::Stream;

const BUDGET: &str = "a plan has a budget";

impl<'a> Inject<'a> {
    /// The fault `number` strikes, whose time was known from the start.
    pub(super) fn strike(&mut self, number: usize, scene: &mut Scene<'_, 'a>) -> Vec<Turn> {
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
        reached: &Reached,
        scene: &mut Scene<'_, 'a>,
    ) -> Vec<Turn> {
        let planned = &self.plan[number];
        let lasts = planned.until.since(planned.at);
        let mut stream = self.stream("another", self.scenario.faults.len() + number);
        let machines = |target: &Target| match target {
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
        target: Target,
        reached: &Reached,
        scene: &Scene<'_, 'a>,
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

    /// Does a drawn fault leave what is promised within reach? The plan cannot know what is on which
    /// disk. See the table of promises in ARCHITECTURE.md.
    fn keeps_the_promise(&mut self, fault: &Fault, scene: &Scene<'_, 'a>) -> bool {
        match fault {
            Fault::Join(_) | Fault::Leave(_) | Fault::Operator(Command::Set { .. }) => {
                is_every_loss_noticed(scene.model)
            }
            Fault::Wipe { node, .. } => {
                node.class() == Class::Node
                    && scene.world.host(*node).is_up()
                    && (self.loses_last_copies() || may_be_lost(*node, scene.model))
                    && self.budget().take_disk()
            }
            _ => true, // it loses nothing
        }
    }

    /// Does the operator of the file accept that what was on a disk is lost?
    fn loses_last_copies(&self) -> bool {
        self.scenario.chaos.as_ref().is_some_and(|chaos| chaos.last_copies)
    }

    /// What the scripted fault `number` has waited for was reached: its machines are bound, and it
    /// strikes now or some time after.
    pub fn strike_at(
        &mut self,
        number: usize,
        reached: &Reached,
        scene: &mut Scene<'_, 'a>,
    ) -> Vec<Turn> {
        let scripted = &self.scenario.faults[number];
        let machines = |target: &Target| scene.binding().machines(*target, Some(reached));
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
fn bound_at(fault: &Fault<Target>, world: &World) -> Option<Fault> {
    fault.bind(|target| match target {
        Target::Node(node) => vec![*node],
        Target::Rest => world.nodes().collect(),
        Target::Role(_) | Target::All(_) => unreachable!("a role needs a milestone"),
    })
}

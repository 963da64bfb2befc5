//! Which machines a target stands for, and whether something reached is what a file means.

use crate::under_test::{MilestoneWatcher, UnderTest};
use seedbed::machine::NodeId;

use super::scripts::Scripts;
use crate::oracle::milestones::{Milestones, Reached};
use crate::scenario::{About, Asked, Occasion, Target};
use crate::world::World;

/// What is known right after a step.
pub(super) struct Binding<'b, 'a, S: UnderTest> {
    pub world: &'b World<S>,
    pub model: &'b S::Model,
    pub milestones: &'b Milestones<S>,
    pub scripts: &'b Scripts<'a, S>,
}

impl<S: UnderTest> Clone for Binding<'_, '_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S: UnderTest> Copy for Binding<'_, '_, S> {}

impl<S: UnderTest> Binding<'_, '_, S> {
    /// The machines that `target` stands for; those of a role play it in what was reached.
    pub fn machines(&self, target: Target<S>, reached: Option<&Reached<S>>) -> Vec<NodeId> {
        match (target, reached) {
            (Target::Node(node), _) => vec![node],
            (Target::Rest, _) => self.world.machines().collect(),
            (Target::There | Target::Role(_) | Target::All(_), None) => Vec::new(),
            (Target::There, Some(reached)) => vec![reached.node],
            (Target::Role(role), Some(reached)) => self.bind(role, reached).into_iter().collect(),
            (Target::All(_), Some(reached)) => {
                self.world.machines().filter(|node| self.is(target, *node, reached)).collect()
            }
        }
    }

    /// The one machine that `target` stands for.
    pub fn machine(&self, target: Target<S>, reached: Option<&Reached<S>>) -> Option<NodeId> {
        self.machines(target, reached).first().copied()
    }

    /// Does `target` stand for this machine?
    pub fn is(&self, target: Target<S>, machine: NodeId, reached: &Reached<S>) -> bool {
        match target {
            Target::Node(node) => node == machine,
            // Of several the machine is meant at which the milestone is reached.
            Target::Rest | Target::There => true,
            Target::Role(role) | Target::All(role) => {
                let there = Reached { node: machine, ..reached.clone() };
                self.bind(role, &there) == Some(machine)
            }
        }
    }

    /// Is what was reached what `occasion` waits for?
    pub fn is_meant(&self, occasion: &Occasion<S>, reached: &Reached<S>) -> bool {
        occasion.milestone == reached.milestone
            && self.is_about(&occasion.about, reached)
            && occasion.node.is_none_or(|node| {
                self.is(node, reached.node, &reached.meaning(&occasion.about.of_system))
            })
    }

    /// Is what was reached about all of this?
    pub fn is_about(&self, about: &About<S>, reached: &Reached<S>) -> bool {
        let About { request, of_system } = about;
        let watcher = self.milestones.of_system();
        watcher.is_about(of_system, reached, self.model)
            && request.is_none_or(|asked| {
                let of = watcher.request_of(reached, self.model);
                of.is_some_and(|request| match asked {
                    Asked::Id(id) => id == request,
                    Asked::Script(script) => self.scripts.script_of(request) == Some(script),
                })
            })
    }

    /// The machine that plays `role` in what was reached.
    fn bind(&self, role: S::Role, reached: &Reached<S>) -> Option<NodeId> {
        self.milestones.of_system().bind(role, reached, self.world, self.model)
    }
}

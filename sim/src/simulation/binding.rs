//! Which machines a target stands for, and whether something reached is what a file means.

use seedbed::machine::NodeId;

use super::scripts::Scripts;
use crate::file_service::World;
use crate::file_service::oracle::Model;
use crate::file_service::oracle::milestones::{Milestones, Reached};
use crate::scenario::{About, Asked, Occasion, Target};

/// What is known right after a step.
#[derive(Clone, Copy)]
pub(super) struct Binding<'b, 'a> {
    pub world: &'b World,
    pub model: &'b Model,
    pub milestones: &'b Milestones,
    pub scripts: &'b Scripts<'a>,
}

impl Binding<'_, '_> {
    /// The machines that `target` stands for; those of a role play it in what was reached.
    pub fn machines(&self, target: Target, reached: Option<&Reached>) -> Vec<NodeId> {
        match (target, reached) {
            (Target::Node(node), _) => vec![node],
            (Target::Rest, _) => self.world.nodes().collect(),
            (Target::Role(_) | Target::All(_), None) => Vec::new(),
            (Target::Role(role), Some(reached)) => {
                self.milestones.bind(role, reached, self.world, self.model).into_iter().collect()
            }
            (Target::All(_), Some(reached)) => {
                self.world.nodes().filter(|node| self.is(target, *node, reached)).collect()
            }
        }
    }

    /// The one machine that `target` stands for.
    pub fn machine(&self, target: Target, reached: Option<&Reached>) -> Option<NodeId> {
        self.machines(target, reached).first().copied()
    }

    /// Does `target` stand for this machine?
    pub fn is(&self, target: Target, machine: NodeId, reached: &Reached) -> bool {
        match target {
            Target::Node(node) => node == machine,
            Target::Rest => true,
            Target::Role(role) | Target::All(role) => {
                // A role of several is played by the machine that the milestone is reached at.
                let there = Reached { node: machine, ..reached.clone() };
                self.milestones.bind(role, &there, self.world, self.model) == Some(machine)
            }
        }
    }

    /// Is what was reached what `occasion` waits for?
    pub fn is_meant(&self, occasion: &Occasion, reached: &Reached) -> bool {
        occasion.milestone == reached.milestone
            && self.is_about(&occasion.about, reached)
            && occasion.node.is_none_or(|node| {
                self.is(node, reached.node, &reached.about_path(&occasion.about.path))
            })
    }

    /// Is what was reached about all of this?
    pub fn is_about(&self, about: &About, reached: &Reached) -> bool {
        let About { path, lock, request, transaction } = about;
        let Binding { milestones, model, .. } = self;
        path.as_ref().is_none_or(|path| milestones.concerns(path, reached, model))
            && lock.as_ref().is_none_or(|path| milestones.concerns_lock(path, reached, model))
            && transaction.is_none_or(|name| {
                let is_it = |txn: seedbed::proto::TxnId| {
                    let named = (txn.coordinator, txn.incarnation.0, txn.counter);
                    named == (name.coordinator, name.incarnation, name.counter)
                };
                milestones.txn_of(reached, model).is_some_and(is_it)
            })
            && request.is_none_or(|asked| {
                let of = milestones.request_of(reached, model);
                of.is_some_and(|request| match asked {
                    Asked::Id(id) => id == request,
                    Asked::Script(script) => self.scripts.script_of(request) == Some(script),
                })
            })
    }
}

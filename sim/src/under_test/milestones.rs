//! What watches a run of a system for the milestones that it reaches.

use std::fmt::Debug;

use seedbed::machine::{Never, NodeId, RequestId};

use super::UnderTest;
use crate::name::Name;
use crate::oracle::Seen;
use crate::oracle::milestones::{Hits, Reached};
use crate::world::World;

/// Watches one run of `S` for what it reaches beside what any system reaches.
pub trait MilestoneWatcher<S: UnderTest>: Clone + Debug + Default {
    /// A step begins.
    fn on_step(&mut self) {}

    /// Looks at one thing that happened; the model has taken it over already.
    fn see(&mut self, seen: &Seen<'_, S>, model: &S::Model, config: &S::Config, hits: &mut Hits<S>);

    /// The machine that plays `role` in what was reached; `None` if none does. A system without
    /// roles is never asked.
    fn bind(
        &self,
        role: S::Role,
        _reached: &Reached<S>,
        _world: &World<S>,
        _model: &S::Model,
    ) -> Option<NodeId> {
        unreachable!("no machine is bound to {}", role.name())
    }

    /// The request that what was reached is about.
    fn request_of(&self, _reached: &Reached<S>, _model: &S::Model) -> Option<RequestId> {
        None
    }

    /// Is what was reached about all that `filter` names?
    fn is_about(&self, _filter: &S::Filter, _reached: &Reached<S>, _model: &S::Model) -> bool {
        true
    }
}

/// What watches a run of a system that names no milestones.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoMilestones;

impl<S: UnderTest<Role = Never>> MilestoneWatcher<S> for NoMilestones {
    fn see(&mut self, _: &Seen<'_, S>, _: &S::Model, _: &S::Config, _: &mut Hits<S>) {}
}

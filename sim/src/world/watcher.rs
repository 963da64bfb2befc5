//! How a step is shown to whatever wants to see it.

use seedbed::machine::System;

use super::{Step, World};

/// Sees every step of a run.
pub trait Watcher<S: System> {
    /// Sees one step, and the world after it.
    fn watch(&mut self, world: &World<S>, step: &Step<S>);
}

/// Watches nothing.
impl<S: System> Watcher<S> for () {
    fn watch(&mut self, _world: &World<S>, _step: &Step<S>) {}
}

impl<S: System, F: FnMut(&World<S>, &Step<S>)> Watcher<S> for F {
    fn watch(&mut self, world: &World<S>, step: &Step<S>) {
        self(world, step);
    }
}

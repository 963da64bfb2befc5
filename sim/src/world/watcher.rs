//! How a step is shown to whatever wants to see it.

use seedbed::machine::{System, Time};

use super::{Event, Step, World};

/// Sees every step of a run.
pub trait Watcher<S: System> {
    /// `event` is about to be applied to `world`. If that panics, no step follows.
    fn begins(&mut self, _world: &World<S>, _at: Time, _event: &Event<S>) {}

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

/// Both watch, the first one first.
impl<S: System, A: Watcher<S>, B: Watcher<S>> Watcher<S> for (A, B) {
    fn begins(&mut self, world: &World<S>, at: Time, event: &Event<S>) {
        self.0.begins(world, at, event);
        self.1.begins(world, at, event);
    }

    fn watch(&mut self, world: &World<S>, step: &Step<S>) {
        self.0.watch(world, step);
        self.1.watch(world, step);
    }
}

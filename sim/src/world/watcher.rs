//! How a step is shown to whatever wants to see it.

use super::{Step, World};

/// Sees every step of a run.
pub trait Watcher {
    /// Sees one step, and the world after it.
    fn watch(&mut self, world: &World, step: &Step);
}

/// Watches nothing.
impl Watcher for () {
    fn watch(&mut self, _world: &World, _step: &Step) {}
}

impl<F: FnMut(&World, &Step)> Watcher for F {
    fn watch(&mut self, world: &World, step: &Step) {
        self(world, step);
    }
}

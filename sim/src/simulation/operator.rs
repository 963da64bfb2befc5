//! What the operator says to the control node, one thing after the other.

use crate::under_test::{Operator, UnderTest, Wish};
use seedbed::machine::{NodeId, Span};

use super::inject::{Inject, Scene, later, now};
use super::queue::Turn;
use super::scheduled::Act;
use crate::fault::Fault;
use crate::world::Event;

/// How long an operator waits that has found the control node down.
const OPERATOR_TRIES_AGAIN: Span = Span::from_secs(1);

impl<'a, S: UnderTest> Inject<'a, S> {
    pub(super) fn tell_operator(
        &mut self,
        number: usize,
        wish: Wish<S>,
        node: Option<NodeId>,
        scene: &Scene<'_, 'a, S>,
    ) -> Vec<Turn<S>> {
        self.wishes.push_back((number, wish, node));
        // With more than one thing to say, the operator is at it.
        if self.wishes.len() == 1 { self.operate(scene) } else { Vec::new() }
    }

    /// The operator says the next thing, or tries again later if the control node does not listen.
    pub(super) fn operate(&mut self, scene: &Scene<'_, 'a, S>) -> Vec<Turn<S>> {
        let Some((_, wish, node)) = self.wishes.front() else { return Vec::new() };
        let command = S::Operator::command(wish, *node);
        let told = scene.world.host(S::commanded(&command));
        if !told.is_up() || told.is_paused() {
            return later(scene.now, Some(OPERATOR_TRIES_AGAIN), Act::Operate)
                .into_iter()
                .collect();
        }
        let (number, wish, node) = self.wishes.pop_front().expect("looked at above");
        let told = Fault::Operator { wish, node };
        self.hold(number, &told);
        self.record(number, || told);
        vec![Turn::Event(Event::Command(command)), now(Act::Operate)]
    }
}

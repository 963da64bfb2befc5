//! What the operator says to the central node, one thing after the other.

use seedbed::machine::{NodeId, Span};
use seedbed::proto::Command;

use super::inject::{Inject, Scene, later, now};
use super::queue::Turn;
use super::scheduled::Act;
use crate::fault::Fault;
use crate::file_service::Event;

/// How long an operator waits that has found the central node down.
const OPERATOR_TRIES_AGAIN: Span = Span::from_secs(1);

impl<'a> Inject<'a> {
    pub(super) fn tell_operator(
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
    pub(super) fn operate(&mut self, scene: &Scene<'_, 'a>) -> Vec<Turn> {
        let control = scene.world.host(NodeId::CONTROL);
        let listens = control.is_up() && !control.is_paused();
        if !listens && !self.commands.is_empty() {
            return later(scene.now, Some(OPERATOR_TRIES_AGAIN), Act::Operate)
                .into_iter()
                .collect();
        }
        let Some((number, command)) = self.commands.pop_front() else { return Vec::new() };
        self.hold(number, &Fault::Operator(command.clone()));
        vec![Turn::Event(Event::Command(command)), now(Act::Operate)]
    }
}

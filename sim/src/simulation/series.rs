//! Series of crashes: a rolling restart, and an attrition.

use crate::under_test::UnderTest;
use seedbed::machine::{NodeId, Span, Time};

use super::holds::takes_hold;
use super::inject::{Inject, Scene, later, now};
use super::queue::Turn;
use super::scheduled::Act;
use crate::cell::{FaultKind, GeneralFault};
use crate::fault::{Fault, Leaves, Restart};
use crate::seed::Stream;

impl<'a, S: UnderTest> Inject<'a, S> {
    /// Every node crashes in its turn.
    pub(super) fn rolling_restart(&self, down: Span, pause: Span, now: Time) -> Vec<Turn<S>> {
        let nodes = self.scenario.cast.every_node().collect();
        let apart = Span::from_nanos(down.as_nanos() + pause.as_nanos());
        series(nodes, now, apart, Restart::After(down), GeneralFault::RollingRestart)
    }

    /// So many nodes crash, drawn for the fault `number`.
    pub(super) fn attrition(
        &self,
        number: usize,
        count: u16,
        pause: Span,
        restart: Restart,
        now: Time,
    ) -> Vec<Turn<S>> {
        let mut stream = self.stream("attrition", number);
        let nodes = drawn_of(self.scenario.cast.every_node(), count, &mut stream);
        series(nodes, now, pause, restart, GeneralFault::Attrition)
    }

    /// A machine crashes in its turn, if nothing is healed yet.
    pub(super) fn take_down(
        &mut self,
        node: NodeId,
        restart: Restart,
        kind: GeneralFault,
        scene: &mut Scene<'_, 'a, S>,
    ) -> Vec<Turn<S>> {
        if self.is_healed(scene) {
            return Vec::new();
        }
        let leaves = Leaves::default();
        let turns = self.crash(node, leaves, restart, scene);
        if !turns.is_empty() {
            self.holds.extend(takes_hold(
                FaultKind::General(kind),
                &Fault::Crash { node, leaves, restart },
                self.last,
                &[],
            ));
        }
        turns
    }
}

/// Takes the first of `nodes` down now and each of the others `apart` after the one before.
fn series<S: UnderTest>(
    nodes: Vec<NodeId>,
    at: Time,
    apart: Span,
    restart: Restart,
    kind: GeneralFault,
) -> Vec<Turn<S>> {
    let mut acts = nodes.into_iter().map(|node| Act::TakeDown(node, restart, kind));
    let first = acts.next().map(now);
    let others =
        (1..).zip(acts).filter_map(|(place, act)| later(at, Some(apart.times(place)), act));
    others.chain(first).collect()
}

/// So many of `nodes`, none twice.
fn drawn_of(nodes: impl Iterator<Item = NodeId>, count: u16, stream: &mut Stream) -> Vec<NodeId> {
    let mut left: Vec<NodeId> = nodes.collect();
    let count = left.len().min(count.into());
    (0..count).map(|_| left.swap_remove(stream.below(left.len() as u64) as usize)).collect()
}

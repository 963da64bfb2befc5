//! Series of crashes: a rolling restart, and an attrition.

use seedbed::proto::{NodeId, Span, Time};

use super::holds::takes_hold;
use super::inject::{Inject, Scene, later, now};
use super::queue::Turn;
use super::scheduled::Act;
use crate::cell::FaultKind;
use crate::fault::{Fault, Leaves, Restart};
use crate::seed::Stream;

impl<'a> Inject<'a> {
    /// A machine crashes in its turn, if nothing is healed yet.
    pub(super) fn take_down(
        &mut self,
        node: NodeId,
        restart: Restart,
        kind: FaultKind,
        scene: &mut Scene<'_, 'a>,
    ) -> Vec<Turn> {
        if self.is_healed(scene) {
            return Vec::new();
        }
        let leaves = Leaves::default();
        let turns = self.crash(node, leaves, restart, scene);
        if !turns.is_empty() {
            self.holds.extend(takes_hold(
                kind,
                &Fault::Crash { node, leaves, restart },
                self.last,
                &[],
            ));
        }
        turns
    }
}

/// Takes the first of `nodes` down now and each of the others `apart` after the one before.
pub(super) fn series(
    nodes: Vec<NodeId>,
    at: Time,
    apart: Span,
    restart: Restart,
    kind: FaultKind,
) -> Vec<Turn> {
    let mut acts = nodes.into_iter().map(|node| Act::TakeDown(node, restart, kind));
    let first = acts.next().map(now);
    let others =
        (1..).zip(acts).filter_map(|(place, act)| later(at, Some(apart.times(place)), act));
    others.chain(first).collect()
}

/// So many of `nodes`, none twice.
pub(super) fn drawn_of(
    nodes: impl Iterator<Item = NodeId>,
    count: u16,
    stream: &mut Stream,
) -> Vec<NodeId> {
    let mut left: Vec<NodeId> = nodes.collect();
    let count = left.len().min(count.into());
    (0..count).map(|_| left.swap_remove(stream.below(left.len() as u64) as usize)).collect()
}

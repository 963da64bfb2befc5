//! Probes: what is asked of a system when the liveness phase is over.

use std::fmt::Debug;
use std::sync::Arc;

use seedbed::machine::{NodeId, RequestId, Span, Time};

use super::UnderTest;
use crate::scenario::Scenario;
use crate::seed::Seed;
use crate::world::World;

/// The probes of one run: rounds of requests, each begun when all of the one before is answered.
pub trait Probes<S: UnderTest>: Debug {
    /// The probes of a run; none has been asked.
    fn new(scenario: &Scenario<S>, seed: Seed) -> Self;

    /// Has any round begun?
    fn have_begun(&self) -> bool;

    /// How long all rounds may take together, with what follows from them.
    fn within(&self) -> Span;

    /// How long one round may take.
    fn round_within(&self) -> Span;

    /// How long the run goes on after the last answer.
    fn settles_within(&self) -> Span;

    /// Chooses what is probed in the world as it is, and begins the first round that asks anything;
    /// how much it asks.
    fn begin(&mut self, world: &World<S>, model: &S::Model) -> usize;

    /// What the round under way asks under this number, and of which client.
    fn ask(&self, number: usize) -> (NodeId, Arc<S::Request>);

    /// What the model is told of it; it must be answered by this time.
    fn told(&self, number: usize, by: Time) -> S::Probe;

    /// The ask `number` has become `request`.
    fn on_requested(&mut self, request: RequestId, number: usize);

    /// Takes an answer in; how much the next round asks, if it begins now.
    fn on_replied(
        &mut self,
        request: RequestId,
        reply: &S::Reply,
        world: &World<S>,
        model: &S::Model,
    ) -> usize;

    /// Has every round begun, and is every probe answered?
    fn are_over(&self) -> bool;
}

/// The probes of a system that is not probed.
#[derive(Clone, Copy, Debug)]
pub struct NoProbes;

impl<S: UnderTest> Probes<S> for NoProbes {
    fn new(_scenario: &Scenario<S>, _seed: Seed) -> NoProbes {
        NoProbes
    }

    fn have_begun(&self) -> bool {
        false
    }

    fn within(&self) -> Span {
        Span::ZERO
    }

    fn round_within(&self) -> Span {
        Span::ZERO
    }

    fn settles_within(&self) -> Span {
        Span::ZERO
    }

    fn begin(&mut self, _world: &World<S>, _model: &S::Model) -> usize {
        0
    }

    fn ask(&self, _number: usize) -> (NodeId, Arc<S::Request>) {
        unreachable!("nothing is asked")
    }

    fn told(&self, _number: usize, _by: Time) -> S::Probe {
        unreachable!("nothing is asked")
    }

    fn on_requested(&mut self, _request: RequestId, _number: usize) {}

    fn on_replied(
        &mut self,
        _request: RequestId,
        _reply: &S::Reply,
        _world: &World<S>,
        _model: &S::Model,
    ) -> usize {
        0
    }

    fn are_over(&self) -> bool {
        true
    }
}

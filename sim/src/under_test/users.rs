//! Users of a system: what is asked for, drawn from the seed.

use std::fmt::Debug;

use seedbed::machine::{Never, NodeId, Span};

use super::UnderTest;
use crate::scenario::Scenario;
use crate::seed::Seed;

/// A user of a client: it asks for one thing after the other, each after the answer to the one
/// before.
pub trait User<S: UnderTest>: Debug {
    /// How many users each client has.
    fn per_client(workload: &S::Workload) -> u16;

    /// The user at this place among those of `client`.
    fn new(workload: &S::Workload, scenario: &Scenario<S>, seed: Seed, of: (NodeId, u16)) -> Self;

    /// The first request of the user in a life of its client, and how long it thinks before; `None`
    /// if it is done.
    fn begin(&mut self) -> Option<(Span, S::Request)>;

    /// The request after `reply`, and how long it thinks before; `None` if it is done.
    fn on_reply(&mut self, reply: &S::Reply) -> Option<(Span, S::Request)>;

    /// It begins nothing new any more.
    fn stop(&mut self);
}

/// The users of a system without a workload: only scripts ask.
#[derive(Clone, Copy, Debug)]
pub struct NoUsers;

impl<S: UnderTest<Workload = Never>> User<S> for NoUsers {
    fn per_client(workload: &Never) -> u16 {
        match *workload {}
    }

    fn new(workload: &Never, _: &Scenario<S>, _: Seed, _: (NodeId, u16)) -> NoUsers {
        match *workload {}
    }

    fn begin(&mut self) -> Option<(Span, S::Request)> {
        None
    }

    fn on_reply(&mut self, _reply: &S::Reply) -> Option<(Span, S::Request)> {
        None
    }

    fn stop(&mut self) {}
}

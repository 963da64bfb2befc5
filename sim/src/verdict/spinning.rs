//! A run that takes more events than any use of the system explains.

use std::fmt;

use seedbed::machine::Time;

use crate::text::Thousands;

/// More events within one second of simulated time than a cluster of this size may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spinning {
    /// Beginning of the second, in true time.
    pub since: Time,
    /// Events that it may have.
    pub limit: u64,
    /// Machines of the cluster; the limit is a multiple of them.
    pub machines: u64,
    /// Events that were looked at once the limit was exceeded.
    pub sampled: u64,
    /// Kinds of these events, each with how often it comes, the most frequent first.
    pub kinds: Vec<(String, u64)>,
}

impl fmt::Display for Spinning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Spinning { since, limit, machines, .. } = self;
        let (limit, machines) = (Thousands(*limit), Thousands(*machines));
        write!(f, "more than {limit} events in the second from {since} on, at {machines} machines")
    }
}

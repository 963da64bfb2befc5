//! Probes: requests that are asked when everything had its time, and what each must be answered.
//!
//! A probe asks of a cluster in which nothing is under way, nothing fails and no message is lost.
//! So its answer is known beforehand, and is due when its client gives up.

use std::collections::BTreeMap;
use std::fmt;

use seedbed::machine::{RequestId, Time};
use seedbed::proto::{Contents, Outcome, Refusal, Reply, Version};

/// What a probe must be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeAnswer {
    /// Done, whatever the outcomes are.
    Done,
    /// Done: one file is found as it was written.
    Found(Version, Option<Contents>),
    /// The lock is acquired.
    Acquired,
    /// The lock is released.
    Released,
    /// The lock is released, or its lease has run out.
    ReleasedOrNotHeld,
}

impl ProbeAnswer {
    /// Is `reply` it?
    pub fn is_given_by(&self, reply: &Reply) -> bool {
        match (self, reply) {
            (ProbeAnswer::Done, Reply::Done(_)) => true,
            (ProbeAnswer::Found(version, contents), Reply::Done(answer)) => {
                **answer == [Outcome::Found(*version, contents.clone())]
            }
            (ProbeAnswer::Acquired, Reply::Acquired(_)) => true,
            (ProbeAnswer::Released | ProbeAnswer::ReleasedOrNotHeld, Reply::Released) => true,
            (ProbeAnswer::ReleasedOrNotHeld, Reply::Refused(Refusal::NotHeld)) => true,
            (ProbeAnswer::Done | ProbeAnswer::Found(..) | ProbeAnswer::Acquired, _) => false,
            (ProbeAnswer::Released | ProbeAnswer::ReleasedOrNotHeld, _) => false,
        }
    }
}

impl fmt::Display for ProbeAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProbeAnswer::Done => f.write_str("done"),
            ProbeAnswer::Found(version, contents) => {
                write!(f, "found {}", super::in_words(*version, contents.as_ref()))
            }
            ProbeAnswer::Acquired => f.write_str("acquired"),
            ProbeAnswer::Released => f.write_str("released"),
            ProbeAnswer::ReleasedOrNotHeld => f.write_str("released or not held"),
        }
    }
}

/// A probe that was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// What it must be answered.
    pub answer: ProbeAnswer,
    /// And by when, in true time.
    pub by: Time,
}

/// The probes of a run.
#[derive(Clone, Debug, Default)]
pub struct Probes {
    asked: BTreeMap<RequestId, Probe>,
    /// The one that is asked next.
    next: Option<Probe>,
}

impl Probes {
    /// What is known of a probe; `None` for any other request.
    pub fn get(&self, request: RequestId) -> Option<&Probe> {
        self.asked.get(&request)
    }

    /// Every probe, by client, life and number.
    pub fn iter(&self) -> impl Iterator<Item = (&RequestId, &Probe)> {
        self.asked.iter()
    }

    /// The next request is this probe.
    pub(in crate::file_service::oracle) fn on_told(&mut self, probe: Probe) {
        self.next = Some(probe);
    }

    pub(super) fn on_requested(&mut self, request: RequestId) {
        if let Some(probe) = self.next.take() {
            self.asked.insert(request, probe);
        }
    }
}

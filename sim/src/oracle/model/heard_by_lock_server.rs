//! When the lock server, since its last start, has heard of a waiting request or a holder, and
//! how long a lease that it then gave runs.

use std::collections::BTreeMap;

use seedbed::proto::{Config, Keep, Message, RequestId, Span, Time};

/// When something was heard, by true time and by the lock server's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeardAt {
    /// The step.
    pub step: u64,
    /// True time.
    pub time: Time,
    /// What the lock server's clock read.
    pub reading: Time,
    /// Until when, by its clock, the lock server owes what it then gave.
    pub until: Time,
}

impl HeardAt {
    /// In `step` at `time`, when the lock server's clock reads `reading` and it grants for `lease`.
    pub(super) fn new(
        (step, time): (u64, Time),
        reading: Time,
        lease: Span,
        config: &Config,
    ) -> HeardAt {
        HeardAt { step, time, reading, until: reading + owed(lease, config) }
    }

    /// Has the lock server to count a lease that it gave then as running at `reading`?
    pub fn is_within_a_lease(self, reading: Time) -> bool {
        reading < self.until
    }

    /// The lease of a holder that runs is never cut short.
    pub fn after(self, before: Option<HeardAt>) -> HeardAt {
        let until = before.map_or(self.until, |before| before.until.max(self.until));
        HeardAt { until, ..self }
    }
}

/// Which waiters the lock server has heard in its present life.
#[derive(Clone, Debug, Default)]
pub struct Hearing {
    newest: BTreeMap<RequestId, HeardAt>,
    /// The request that left a line last, and when it had been heard.
    left: Option<(RequestId, HeardAt)>,
    /// The step in which that life began.
    since: u64,
}

impl Hearing {
    /// When `request` was last heard.
    pub fn last(&self, request: RequestId) -> Option<HeardAt> {
        self.newest.get(&request).copied()
    }

    /// When `request`, which leaves a line just now, was last heard.
    pub fn before_leaving(&self, request: RequestId) -> Option<HeardAt> {
        self.left.filter(|(left, _)| *left == request).map(|(_, heard)| heard)
    }

    /// The step in which the lock server's present life began; 0 for the first.
    pub fn since(&self) -> u64 {
        self.since
    }

    /// Was `request` heard within a lease, as the server counts it?
    pub fn is_live(&self, request: RequestId, reading: Time) -> bool {
        self.last(request).is_some_and(|heard| heard.is_within_a_lease(reading))
    }

    pub(super) fn on_heard(&mut self, request: RequestId, when: HeardAt) {
        self.newest.insert(request, when);
    }

    pub(super) fn on_left(&mut self, request: RequestId) {
        self.left = self.newest.remove(&request).map(|heard| (request, heard));
    }

    pub(super) fn on_started(&mut self, step: u64) {
        *self = Hearing { since: step, ..Hearing::default() };
    }
}

/// The request whose place in line the message asks for or keeps.
pub(in crate::oracle) fn keeps_request(message: &Message) -> Option<RequestId> {
    match message {
        Message::Acquire { request, .. } => Some(*request),
        Message::KeepAlive { keep: Keep::Waiting(request), .. } => Some(*request),
        _ => None,
    }
}

/// How long the lock server must wait on its own clock before it may take a lock back: the length
/// of a lease and the drift bound, rounded up, and one nanosecond because a reading is cut to whole
/// ones.
fn owed(lease: Span, config: &Config) -> Span {
    const MILLION: u128 = 1_000_000;
    let length = u128::from(lease.as_nanos());
    let drift = (length * u128::from(config.drift_max_ppm)).div_ceil(MILLION);
    Span::from_nanos(u64::try_from(length + drift + 1).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_server_waits_longer_than_the_lease_is() {
        let settings = seedbed::proto::Settings { drift_max_ppm: 500, ..Default::default() };
        let config = Config::new(settings).expect("sound settings");
        let lease = Span::from_secs(2);
        assert_eq!(owed(lease, &config), lease + Span::from_millis(1) + Span::from_nanos(1));
    }
}

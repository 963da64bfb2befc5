//! When the lock server, since its last start, has heard of a waiting request or a holder, and
//! how long a lease that it then gave runs.

use std::collections::BTreeMap;

use seedbed::machine::{Incarnation, NodeId, RequestId, Span, Time};
use seedbed::proto::{Config, Keep, LockRequest, Message};

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
    pub(in crate::file_service::oracle::model) fn new(
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
///
/// An `Acquire` of a request below the lowest number that its client waits for is refused, so it
/// keeps no place and no lock. What the server learnt of that number before its last start a
/// record may have kept or not: then the `Acquire` was *perhaps* heard.
#[derive(Clone, Debug, Default)]
pub struct Hearing {
    newest: BTreeMap<RequestId, Newest>,
    /// The request that left a line last, and when it had surely been heard.
    left: Option<(RequestId, HeardAt)>,
    /// By client, its newest life and the lowest request of that life that it waits for.
    lowest: BTreeMap<NodeId, Lowest>,
    /// The step in which that life began.
    since: u64,
}

/// When a request was heard last.
#[derive(Clone, Copy, Debug)]
struct Newest {
    perhaps: HeardAt,
    surely: Option<HeardAt>,
}

/// What the lock server was told of the lowest request that a client waits for.
#[derive(Clone, Copy, Debug, Default)]
struct Lowest {
    in_this_life: (Incarnation, u32),
    in_any_life: (Incarnation, u32),
}

impl Hearing {
    /// When `request` was last heard, perhaps.
    pub fn last(&self, request: RequestId) -> Option<HeardAt> {
        self.newest.get(&request).map(|newest| newest.perhaps)
    }

    /// When `request` was last heard, surely.
    pub fn last_surely(&self, request: RequestId) -> Option<HeardAt> {
        self.newest.get(&request).and_then(|newest| newest.surely)
    }

    /// When `request`, which leaves a line just now, was last heard, surely.
    pub fn before_leaving(&self, request: RequestId) -> Option<HeardAt> {
        self.left.filter(|(left, _)| *left == request).map(|(_, heard)| heard)
    }

    /// The step in which the lock server's present life began; 0 for the first.
    pub fn since(&self) -> u64 {
        self.since
    }

    /// Was `request` surely heard within a lease, as the server counts it?
    pub fn is_live(&self, request: RequestId, reading: Time) -> bool {
        self.last_surely(request).is_some_and(|heard| heard.is_within_a_lease(reading))
    }

    /// May the lock server refuse the message, because its client waits for the request no more?
    pub fn is_perhaps_late(&self, message: &Message) -> bool {
        let lowest = self.lowest_of(message);
        lowest.is_some_and(|(request, lowest)| request < lowest.in_any_life)
    }

    /// Of an `Acquire`, the life and number of its request, and the lowest that the server knows.
    fn lowest_of(&self, message: &Message) -> Option<((Incarnation, u32), Lowest)> {
        let Message::LockRequest(LockRequest::Acquire { request, .. }) = message else {
            return None;
        };
        let lowest = self.lowest.get(&request.client).copied().unwrap_or_default();
        Some(((request.incarnation, request.number), lowest))
    }

    /// The lock server receives a message that asks for the place of `request` or keeps it.
    pub(in crate::file_service::oracle::model) fn on_received(
        &mut self,
        request: RequestId,
        message: &Message,
        when: HeardAt,
    ) {
        if let Message::LockRequest(LockRequest::Acquire { lowest, .. }) = message {
            let known = self.lowest.entry(request.client).or_default();
            let told = (request.incarnation, *lowest);
            known.in_this_life = known.in_this_life.max(told);
            known.in_any_life = known.in_any_life.max(told);
        }
        let lowest = self.lowest_of(message);
        if lowest.is_some_and(|(request, lowest)| request < lowest.in_this_life) {
            return;
        }
        let surely = Some(when).filter(|_| !self.is_perhaps_late(message));
        let newest = self.newest.entry(request).or_insert(Newest { perhaps: when, surely });
        *newest = Newest { perhaps: when, surely: surely.or(newest.surely) };
    }

    pub(in crate::file_service::oracle::model) fn on_left(&mut self, request: RequestId) {
        let newest = self.newest.remove(&request).and_then(|newest| newest.surely);
        self.left = newest.map(|heard| (request, heard));
    }

    pub(in crate::file_service::oracle::model) fn on_started(&mut self, step: u64) {
        let mut lowest = std::mem::take(&mut self.lowest);
        lowest.values_mut().for_each(|lowest| lowest.in_this_life = Default::default());
        *self = Hearing { since: step, lowest, ..Hearing::default() };
    }
}

/// The request whose place in line the message asks for or keeps.
pub(in crate::file_service::oracle) fn keeps_request(message: &Message) -> Option<RequestId> {
    match message {
        Message::LockRequest(LockRequest::Acquire { request, .. }) => Some(*request),
        Message::LockRequest(LockRequest::KeepAlive { keep: Keep::Waiting(request), .. }) => {
            Some(*request)
        }
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
    use crate::file_service::oracle::tests::{acquire, keeps_waiting, request};

    const LATER: Time = Time::from_nanos(9);

    /// An acquire of the first life of c1, then one of its next life.
    fn restarted() -> Hearing {
        let mut hearing = Hearing::default();
        hears(&mut hearing, request(1, 1), Time::ZERO);
        let next = RequestId { incarnation: Incarnation(2), ..request(1, 1) };
        hears(&mut hearing, next, Time::ZERO);
        hearing
    }

    fn hears(hearing: &mut Hearing, request: RequestId, reading: Time) {
        hearing.on_received(request, &acquire("/a", request), at(reading));
    }

    fn at(reading: Time) -> HeardAt {
        HeardAt { step: 1, time: reading, reading, until: reading + Span::from_secs(1) }
    }

    #[test]
    fn an_acquire_of_a_life_that_is_over_is_not_heard() {
        let mut hearing = restarted();
        hears(&mut hearing, request(1, 1), LATER);
        assert_eq!(hearing.last(request(1, 1)), Some(at(Time::ZERO)));
        let keeps = keeps_waiting("/a", request(1, 1));
        hearing.on_received(request(1, 1), &keeps, at(LATER));
        assert_eq!(hearing.last_surely(request(1, 1)), Some(at(LATER)), "a keep-alive is");
    }

    #[test]
    fn after_a_restart_of_the_lock_server_it_is_perhaps() {
        let mut hearing = restarted();
        hearing.on_started(2);
        hears(&mut hearing, request(1, 1), LATER);
        assert_eq!(hearing.last(request(1, 1)), Some(at(LATER)));
        assert!(!hearing.is_live(request(1, 1), LATER));
    }

    #[test]
    fn the_lock_server_waits_longer_than_the_lease_is() {
        let settings = seedbed::proto::Settings { drift_max_ppm: 500, ..Default::default() };
        let config = Config::new(settings).expect("sound settings");
        let lease = Span::from_secs(2);
        assert_eq!(owed(lease, &config), lease + Span::from_millis(1) + Span::from_nanos(1));
    }
}

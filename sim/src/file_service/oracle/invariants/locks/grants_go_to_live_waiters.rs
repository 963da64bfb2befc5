//! A lock is granted only to a waiter that was heard a moment ago.

use crate::file_service::oracle::{Breach, Evidence, Invariant, Moment, Seen, SeenKinds};
use seedbed::machine::NodeId;
use seedbed::proto::{FileService, Record, RecordKind};

/// A client that is granted a lock was heard within a lease, in the lock server's present life.
///
/// A grant to a client that is down costs all behind it in line a lease; one to a client that is
/// merely slow is worse: it wakes up with a grant that has run out. It is a classic mistake because
/// the waiter *was* alive when it joined the line, and the check is forgotten where it matters, at
/// the moment of granting (etcd issue 11456: the server "failed to check whether a lease was valid
/// after blocking for a lock"). The lease is counted here with the drift bound added, as the giver
/// must.
#[derive(Clone, Debug)]
pub struct GrantsGoToLiveWaiters;

impl Invariant<FileService> for GrantsGoToLiveWaiters {
    fn interest(&self) -> SeenKinds {
        SeenKinds::appended(&[RecordKind::Granted])
    }

    fn see(
        &mut self,
        seen: &Seen<'_>,
        Moment { model, world, .. }: &Moment<'_>,
    ) -> Result<(), Breach> {
        let Seen::Appended { node: NodeId::CONTROL, record, .. } = *seen else { return Ok(()) };
        let Record::Granted { path, request, .. } = record else { return Ok(()) };
        let reading = model.heard_now(world).reading;
        let earlier = match model.hearing.last(*request) {
            Some(heard) if heard.is_within_a_lease(reading) => return Ok(()),
            Some(heard) => {
                let is = format!("control heard of {request} for the last time, at {}", heard.time);
                Evidence::at(heard.step, is)
            }
            None => {
                let is = format!("since control started it has heard nothing of {request}");
                Evidence::at(model.hearing.since(), is)
            }
        };
        let lease = world.config().lock_lease;
        let now = format!(
            "at {} control grants the lock of {path} to {request}, of which it has not heard for \
             a lease, {lease}",
            model.now
        );
        let now = Evidence::at(model.step, now).about(path).about(*request);
        Err(Breach::of(earlier.about(*request), now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::*;

    #[test]
    fn a_grant_to_a_waiter_that_was_silent_for_more_than_a_lease() {
        let mut play = Play::new(GrantsGoToLiveWaiters);
        play.at(0).receives(c(2), CONTROL, acquire("/a", request(2, 1)));
        play.at_nanos(10_005_000_001).appends(CONTROL, granted("/a", request(2, 1), 1));
        play.is_broken_by("grants_go_to_live_waiters", (1, "c2.1#1 for the last time"), (2, "10s"));
    }

    #[test]
    fn a_grant_to_a_waiter_in_the_last_moment_of_its_lease() {
        let mut play = Play::new(GrantsGoToLiveWaiters);
        play.at(0).receives(c(2), CONTROL, acquire("/a", request(2, 1)));
        play.at_nanos(10_005_000_000).appends(CONTROL, granted("/a", request(2, 1), 1));
        play.holds();
    }

    #[test]
    fn a_keep_alive_counts() {
        let mut play = Play::new(GrantsGoToLiveWaiters);
        play.at(0).receives(c(2), CONTROL, acquire("/a", request(2, 1)));
        play.at(8_000).receives(c(2), CONTROL, keeps_waiting("/a", request(2, 1)));
        play.at(12_000).appends(CONTROL, granted("/a", request(2, 1), 1));
        play.holds();
    }

    #[test]
    fn a_lost_keep_alive_does_not_count() {
        let mut play = Play::new(GrantsGoToLiveWaiters);
        play.at(0).receives(c(2), CONTROL, acquire("/a", request(2, 1)));
        play.at(8_000).loses(c(2), CONTROL, keeps_waiting("/a", request(2, 1)));
        play.at(12_000).appends(CONTROL, granted("/a", request(2, 1), 1));
        play.is_broken_by("grants_go_to_live_waiters", (1, "c2.1#1"), (3, "c2.1#1"));
    }

    #[test]
    fn a_grant_after_a_restart_to_a_waiter_that_was_not_heard_again() {
        let mut play = Play::new(GrantsGoToLiveWaiters);
        play.at(0).receives(c(2), CONTROL, acquire("/a", request(2, 1)));
        play.at(1).crashes(CONTROL);
        play.at(2).starts(CONTROL);
        play.at(3).appends(CONTROL, granted("/a", request(2, 1), 1));
        play.is_broken_by("grants_go_to_live_waiters", (3, "nothing of c2.1#1"), (4, "c2.1#1"));
    }
}

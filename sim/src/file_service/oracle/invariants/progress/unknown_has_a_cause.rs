//! A request that ends `unknown` has met a fault.

use seedbed::machine::RequestId;
use seedbed::proto::{FileService, Membership, Refusal, Reply, Request};

use super::{is_disturbed, is_moving};
use crate::file_service::World;
use crate::file_service::oracle::{
    Asked, Breach, Evidence, Invariant, Model, Moment, Seen, SeenKinds,
};

/// A client that says `unknown` had a reason between being asked and saying so.
///
/// `unknown` is always a safe answer, so a service that gives no other breaks no promise about
/// files or locks. It is an honest one only if something has kept the request from getting done:
///
/// - the client, a storage node, or the centre was down or stood still, or its clock jumped;
/// - a link between two of them was cut, or lost a message;
/// - a message or a sync took more than a tenth of the shortest of `attempt_timeout`,
///   `vote_timeout` and `lock_lease`: a commit with its request and answer is ten such legs one
///   after the other;
/// - views changed, or the newest one had not settled, unless everything had been healed for
///   `request_timeout` when the client was asked;
/// - another request held the lock, or stood in line before this one;
/// - an owner of the path of a lock had a full disk: then a holder cannot raise the fence;
/// - another user of the client has given the lock back while it was being claimed.
///
/// The centre counts for locks, and where membership is managed. Any storage node counts, and not
/// only owners of the path, because a transaction that pins the path may wait for any of them.
/// Other clients do not. What ended before the client was asked is no cause. So once all faults are
/// over, everything is done or refused within twice `request_timeout`, but for what the network
/// loses or holds up. Chandra and Toueg, "Unreliable Failure Detectors for Reliable Distributed
/// Systems", Journal of the ACM 43(2), 1996, for accuracy: a suspicion without a cause is wrong.
#[derive(Clone, Debug)]
pub struct UnknownHasACause;

impl Invariant<FileService> for UnknownHasACause {
    fn interest(&self) -> SeenKinds {
        SeenKinds::REPLIED
    }

    fn see(
        &mut self,
        seen: &Seen<'_>,
        Moment { model, world, .. }: &Moment<'_>,
    ) -> Result<(), Breach> {
        let Seen::Replied { request, reply: Reply::Unknown } = *seen else { return Ok(()) };
        let Some(asked) = model.requests.get(&request) else { return Ok(()) };
        let is_meant = is_behind_another(request, asked, model)
            || is_given_back(request, asked, model)
            || has_a_cause(request, asked, model, world);
        if is_meant {
            return Ok(());
        }
        let earlier = format!("{request} was asked at {}", asked.asked.is);
        let now = format!(
            "{request} is answered at {}: unknown, and nothing has kept it from getting done",
            model.now
        );
        Err(Breach::of(
            Evidence::at(asked.asked.step, earlier).about(request),
            Evidence::at(model.step, now).about(request),
        ))
    }
}

fn has_a_cause(request: RequestId, asked: &Asked, model: &Model, world: &World) -> bool {
    let is_managed = world.config().membership == Membership::Managed;
    let is_of_lock = match &asked.wanted {
        Request::Acquire { .. } | Request::Release { .. } => true,
        Request::Files { .. } => false,
    };
    let since = asked.asked.is;
    let quiet = model.disturbances.healed.map(|healed| healed + world.config().request_timeout);
    let is_quiet = quiet.is_some_and(|quiet| since >= quiet);
    is_disturbed(request.client, is_managed || is_of_lock, since, model)
        || cannot_be_claimed(asked, model, world)
        || (!is_quiet && is_moving(since, model, world))
}

/// Is it for a lock that could be granted and not claimed, because the disk of an owner was full?
fn cannot_be_claimed(asked: &Asked, model: &Model, world: &World) -> bool {
    let Request::Acquire { path, .. } = &asked.wanted else { return false };
    let path = std::iter::once(path);
    model.disk_of_an_owner_was_full(path, asked.asked.step, world.config())
}

/// Did it wait for a lock that another had?
fn is_behind_another(request: RequestId, asked: &Asked, model: &Model) -> bool {
    let Request::Acquire { path, .. } = &asked.wanted else { return false };
    let lock = model.locks.appended(path);
    let is_held = lock.and_then(|lock| lock.holder.as_ref()).is_some_and(|at| at.is.0 != request);
    is_held || model.disturbances.was_locked_by_another(path, request, asked.asked.is)
}

/// Has its client, since it was asked, been asked to give the lock back, and had a lock to give?
fn is_given_back(request: RequestId, asked: &Asked, model: &Model) -> bool {
    let Request::Acquire { path, .. } = &asked.wanted else { return false };
    let not_held = Reply::Refused(Refusal::NotHeld);
    let last = RequestId { number: u32::MAX, ..request };
    model.requests.range(request..last).any(|(_, later)| match &later.wanted {
        Request::Release { path: released } => {
            released == path && later.reply.as_ref().is_none_or(|reply| reply.is != not_held)
        }
        Request::Acquire { .. } | Request::Files { .. } => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::Told;
    use crate::file_service::oracle::tests::*;
    use seedbed::machine::Time;

    fn asked() -> Play {
        let mut play = Play::new(UnknownHasACause);
        play.at(1).crashes(n(1));
        play.at(2).starts(n(1));
        play.at(10).requests(request(1, 1), writes("/a", "1"));
        play
    }

    fn is_unknown(play: &mut Play) {
        play.at(20).replies(request(1, 1), Reply::Unknown);
    }

    #[test]
    fn nothing_has_happened_since_it_was_asked() {
        let mut play = asked();
        is_unknown(&mut play);
        play.is_broken_by("unknown_has_a_cause", (3, "c1.1#1 was asked"), (4, "unknown"));
    }

    #[test]
    fn another_client_is_no_cause() {
        let mut play = asked();
        play.at(12).crashes(c(2));
        play.at(13).loses(c(2), n(1), release("/a", request(1, 1), 1));
        is_unknown(&mut play);
        assert!(!play.is_lawful());
    }

    #[test]
    fn the_centre_is_none_where_it_has_no_part() {
        let mut play = asked();
        play.at(12).crashes(CONTROL);
        is_unknown(&mut play);
        assert!(!play.is_lawful());
    }

    #[test]
    fn a_crash_a_loss_or_a_delay_is_a_cause() {
        let causes: [fn(&mut Play); 4] = [
            |play| _ = play.crashes(n(3)),
            |play| _ = play.loses(n(2), c(1), release("/a", request(1, 1), 1)),
            |play| _ = play.is_told(Told::HeldUp(n(2), n(1), Time::from_nanos(12_000_000))),
            |play| _ = play.is_told(Told::SlowSync(n(2), Time::from_nanos(12_000_000))),
        ];
        for cause in causes {
            let mut play = asked();
            cause(play.at(12));
            is_unknown(&mut play);
            play.holds();
        }
    }

    /// A request of a managed cluster in which no view ever settled ends unknown, when everything
    /// has been healed for so many seconds.
    fn unknown_once_healed(seconds: u64) -> bool {
        let mut play = Play::managed(UnknownHasACause);
        play.at(1_000).wakes(n(1)).is_told(Told::Healed(Time::from_nanos(1_000_000_000)));
        play.at(1_000 * (1 + seconds)).requests(request(1, 1), writes("/a", "1"));
        play.at(90_000).replies(request(1, 1), Reply::Unknown).is_lawful()
    }

    #[test]
    fn a_view_that_has_not_settled_is_a_cause_until_all_is_healed_for_long() {
        assert!(unknown_once_healed(29) && !unknown_once_healed(31));
    }

    #[test]
    fn the_full_disk_of_an_owner_is_a_cause_for_a_lock_alone() {
        let ends = |wanted, is_full| {
            let mut play = Play::new(UnknownHasACause);
            play.at(1).is_told_of_disk(n(2), true);
            play.at(2).is_told_of_disk(n(2), is_full);
            play.at(10).requests(request(1, 1), wanted);
            play.at(20).replies(request(1, 1), Reply::Unknown).is_lawful()
        };
        assert!(ends(lock("/a"), true));
        assert!(!ends(lock("/a"), false) && !ends(writes("/a", "1"), true));
    }

    #[test]
    fn a_disk_that_stalls_is_a_cause_until_it_goes_on() {
        let ends = |goes_on_at: u64| {
            let mut play = Play::new(UnknownHasACause);
            let stalls = |is_stalled| Seen::DiskStalled { node: n(2), is_stalled };
            play.at(1).sees(&stalls(true));
            play.at(2).crashes(n(2));
            play.at(3).starts(n(2));
            play.at(goes_on_at).sees(&stalls(false));
            play.at(10).requests(request(1, 1), writes("/a", "1"));
            play.at(30).replies(request(1, 1), Reply::Unknown).is_lawful()
        };
        assert!(ends(10) && !ends(5));
    }

    #[test]
    fn a_release_of_the_same_lock_is_a_cause_where_there_was_one_to_give() {
        let ends = |released: &str, reply| {
            let mut play = Play::new(UnknownHasACause);
            play.at(1).requests(request(1, 1), Request::Acquire { path: path("/a"), wait: true });
            play.at(2).requests(request(1, 2), Request::Release { path: path(released) });
            play.at(3).replies(request(1, 2), reply);
            is_unknown(&mut play);
            play.is_lawful()
        };
        let not_held = Reply::Refused(Refusal::NotHeld);
        assert!(ends("/a", Reply::Released));
        assert!(!ends("/a", not_held) && !ends("/b", Reply::Released));
    }

    #[test]
    fn the_lock_of_another_is_a_cause_and_ones_own_is_not() {
        for (holder, is_lawful) in [(request(2, 1), true), (request(1, 1), false)] {
            let mut play = Play::new(UnknownHasACause);
            play.at(1).requests(request(1, 1), Request::Acquire { path: path("/a"), wait: true });
            play.at(2).appends(CONTROL, granted("/a", holder, 1));
            is_unknown(&mut play);
            assert_eq!(play.is_lawful(), is_lawful, "{holder}");
        }
    }
}

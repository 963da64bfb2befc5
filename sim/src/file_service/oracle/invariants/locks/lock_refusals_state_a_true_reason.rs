//! No refusal of a lock without its reason.

use std::collections::{BTreeMap, BTreeSet};

use seedbed::machine::{NodeId, RequestId};
use seedbed::proto::{
    FileService, LockAnswer, Message, MessageKind, Notice, Path, Record, RecordKind, Refusal,
    Reply, Request,
};

use crate::file_service::World;
use crate::file_service::oracle::model::reference::limits;
use crate::file_service::oracle::{
    At, Breach, Evidence, Invariant, Lock, Model, Moment, Seen, SeenKinds,
};

/// What is refused to a user of locks is refused for a reason that is true.
///
/// | refusal | when the lock server, or the client, refuses |
/// |---|---|
/// | held | the user did not want to wait, and the lock was held or a waiter stood in line |
/// | queue full | as many as the limit stood in line |
/// | path too long | it is longer than the limit, which is the only reason then |
/// | disk full | the disk of the lock server was full at some time since the user asked |
/// | forgotten | the request held the lock before, was answered, or is of a life that is over; no user is told |
/// | not held | the client believed in no lock of that path |
///
/// An attempt to lock that is refused without a reason keeps its user out of a free lock for ever,
/// and breaks no exclusion. The specification of `tryLock`: Herlihy, Shavit, "The Art of
/// Multiprocessor Programming", 2008, ch. 7.
#[derive(Default)]
pub struct LockRefusalsStateATrueReason {
    /// Requests that the lock server has refused to take into the line.
    left_out: BTreeSet<RequestId>,
    /// Those of them that the disk had no room for.
    declined: BTreeSet<RequestId>,
    /// What the lock server has told clients about requests that are not answered.
    told: BTreeMap<RequestId, Refusal>,
    /// The locks that clients believe in, with the request that acquired each, and since when.
    held: BTreeMap<(NodeId, Path), u64>,
}

impl Invariant<FileService> for LockRefusalsStateATrueReason {
    fn interest(&self) -> SeenKinds {
        SeenKinds::appended(&[RecordKind::Left, RecordKind::Declined])
            | SeenKinds::sent(&[MessageKind::LockRefused])
            | SeenKinds::REPLIED
            | SeenKinds::NOTICED
            | SeenKinds::CRASHED
    }

    fn see(
        &mut self,
        seen: &Seen<'_>,
        Moment { model, world, .. }: &Moment<'_>,
    ) -> Result<(), Breach> {
        match *seen {
            Seen::Appended { position, record: Record::Left { path, request }, .. } => {
                self.on_left(position, path, *request, model, world)
            }
            Seen::Appended {
                node: NodeId::CONTROL,
                record: Record::Declined { request, refusal },
                ..
            } => self.on_declined(*request, *refusal, model),
            Seen::Sent {
                message: Message::LockAnswer(LockAnswer::LockRefused { request, path, refusal }),
                ..
            } => self.on_refused(*request, path, *refusal, model, world),
            Seen::Replied { request, reply } => {
                let said = self.told.remove(&request);
                match reply {
                    Reply::Refused(refusal) => self.on_told(request, *refusal, said, model),
                    _ => Ok(()),
                }
            }
            Seen::Noticed { client, notice } => {
                match notice {
                    Notice::Holding { path, .. } => {
                        self.held.entry((client, path.clone())).or_insert(model.step);
                    }
                    Notice::Lost { path, .. } => {
                        self.held.remove(&(client, path.clone()));
                    }
                    Notice::View(_) => {}
                }
                Ok(())
            }
            Seen::Crashed { node } => {
                self.held.retain(|(client, _), _| *client != node);
                self.told.retain(|request, _| request.client != node);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

impl LockRefusalsStateATrueReason {
    /// A request leaves the line or the lock, or never gets there: then it is refused.
    fn on_left(
        &mut self,
        position: u64,
        path: &Path,
        request: RequestId,
        model: &Model,
        world: &World,
    ) -> Result<(), Breach> {
        let Some(lock) = model.locks.before(position) else { return Ok(()) };
        if lock.is_held_by(request) || lock.waits(request) {
            return Ok(());
        }
        let Some(wait) = waits(request, model) else { return Ok(()) };
        let standing = standing(lock, model, world);
        let is_full = standing >= world.config().limits.queue;
        let is_taken = lock.holder.is_some() || standing > 0;
        if is_full || (!wait && is_taken) {
            self.left_out.insert(request);
            return Ok(());
        }
        let free = match &lock.newest {
            Some(newest) => {
                let is = format!("the lock of {path}, last granted to {}, is free", newest.is.0);
                Evidence::at(newest.step, is)
            }
            None => Evidence::at(0, format!("the lock of {path} was never granted")),
        };
        let earlier = match wait {
            true => Evidence::at(model.step, format!("{standing} stand in line")),
            false => free,
        };
        let is = format!("the lock server refuses {request}");
        let now = Evidence::at(model.step, is).about(request).about(path);
        Err(Breach::of(earlier.about(path), now))
    }

    /// The lock server writes down why a request gets no place.
    fn on_declined(
        &mut self,
        request: RequestId,
        refusal: Refusal,
        model: &Model,
    ) -> Result<(), Breach> {
        let Some(asked) = model.requests.get(&request) else { return Ok(()) };
        let since = asked.asked.step;
        if refusal == Refusal::DiskFull && model.full_disks.was_full_since(NodeId::CONTROL, since) {
            self.declined.insert(request);
            return Ok(());
        }
        let is = format!("the disk of the lock server has not been full since {request} was asked");
        let earlier = Evidence::at(since, is).about(request);
        let is = format!("the lock server records that {request} is refused: {refusal}");
        Err(Breach::of(earlier, Evidence::at(model.step, is).about(request)))
    }

    fn on_refused(
        &mut self,
        request: RequestId,
        path: &Path,
        refusal: Refusal,
        model: &Model,
        world: &World,
    ) -> Result<(), Breach> {
        let asked = model.requests.get(&request);
        if asked.is_some_and(|asked| asked.reply.is_none()) {
            self.told.insert(request, refusal);
        }
        let Some(wait) = waits(request, model) else { return Ok(()) };
        let is_short = limits::check_path(path, &world.config().limits).is_ok();
        let is_left_out = self.left_out.contains(&request);
        let is_true = match refusal {
            Refusal::PathTooLong => !is_short,
            Refusal::Held => is_short && !wait && is_left_out,
            Refusal::QueueFull => is_short && wait && is_left_out,
            Refusal::Forgotten => is_over(request, path, model),
            Refusal::DiskFull => is_short && self.declined.contains(&request),
            Refusal::NotFound | Refusal::Exists | Refusal::VersionIs(_) => false,
            Refusal::Fenced(_) | Refusal::NotHeld | Refusal::ContentsTooLong => false,
            Refusal::BadOperationCount | Refusal::Malformed => false,
        };
        if is_true {
            return Ok(());
        }
        let asked = model.requests.get(&request).map_or(0, |asked| asked.asked.step);
        let how = if wait { "in line" } else { "at once or not at all" };
        let is = format!("{request} wants the lock of {path} {how}, and that is not so");
        let earlier = Evidence::at(asked, is).about(request).about(path);
        let is = format!("the lock server refuses {request}: {refusal}");
        Err(Breach::of(earlier, Evidence::at(model.step, is).about(request)))
    }

    /// A client passes on what the lock server has said, or says that it does not hold the lock.
    fn on_told(
        &mut self,
        request: RequestId,
        refusal: Refusal,
        said: Option<Refusal>,
        model: &Model,
    ) -> Result<(), Breach> {
        let earlier = match model.requests.wanted(request) {
            Some(Request::Acquire { path, .. }) => {
                if said == Some(refusal) && refusal != Refusal::Forgotten {
                    return Ok(());
                }
                let is = format!("the lock server has not said so to {request}");
                Evidence::at(model.step, is).about(request).about(path)
            }
            Some(Request::Release { path }) => {
                let held = self.held.get(&(request.client, path.clone()));
                match held {
                    None if refusal == Refusal::NotHeld => return Ok(()),
                    None => {
                        let is = format!("{request} gives the lock of {path} back");
                        Evidence::at(model.step, is).about(request).about(path)
                    }
                    Some(step) => {
                        let is = format!("{} holds the lock of {path}", request.client);
                        Evidence::at(*step, is).about(path)
                    }
                }
            }
            Some(Request::Files { .. }) | None => return Ok(()),
        };
        let is = format!("{} tells its user that {request} is refused: {refusal}", request.client);
        Err(Breach::of(earlier, Evidence::at(model.step, is).about(request)))
    }
}

/// Does the request want to wait for its lock?
fn waits(request: RequestId, model: &Model) -> Option<bool> {
    match model.requests.wanted(request)? {
        Request::Acquire { wait, .. } => Some(*wait),
        Request::Files { .. } | Request::Release { .. } => None,
    }
}

/// How many stand in line. A waiter that the lock server has not heard for a lease has left the
/// line, whether or not that is written down already; one that was not heard since the start of the
/// lock server has a lease to be heard again.
fn standing(lock: &Lock, model: &Model, world: &World) -> usize {
    let reading = model.heard_now(world).reading;
    let stands = |waiting: &&At<RequestId>| {
        let heard = model.hearing.last(waiting.is);
        heard.is_none_or(|heard| heard.is_within_a_lease(reading))
    };
    lock.line.iter().filter(stands).count()
}

/// Has the request held the lock before, or does its client not wait for it? A request that holds
/// the lock now is granted it again.
fn is_over(request: RequestId, path: &Path, model: &Model) -> bool {
    let is_answered = model.requests.get(&request).is_some_and(|asked| asked.reply.is_some());
    let is_old = model.life(request.client) > request.incarnation;
    let holds = model.locks.appended(path).is_some_and(|lock| lock.is_held_by(request));
    is_answered || is_old || (model.locks.grants.newest(request).is_some() && !holds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{
        CONTROL, Play, acquire, c, granted, left, lock, queued, request, try_lock, unlock,
    };
    use seedbed::proto::Settings;

    fn refused(at: &str, request: RequestId, refusal: Refusal) -> Message {
        Message::LockAnswer(LockAnswer::LockRefused {
            request,
            path: Path::new(at).expect("a path"),
            refusal,
        })
    }

    /// c2 tries the lock of `/a`, and is refused.
    fn is_refused(play: &mut Play, refusal: Refusal) {
        play.requests(request(2, 1), try_lock("/a"));
        play.forces(CONTROL, left("/a", request(2, 1)));
        play.sends(CONTROL, c(2), refused("/a", request(2, 1), refusal));
        play.replies(request(2, 1), Reply::Refused(refusal));
    }

    fn play() -> Play {
        Play::new(LockRefusalsStateATrueReason::default())
    }

    #[test]
    fn a_lock_that_is_held_or_waited_for_may_be_refused_and_a_free_one_not() {
        let mut held = play();
        held.forces(CONTROL, queued("/a", request(1, 1)));
        held.forces(CONTROL, granted("/a", request(1, 1), 1));
        is_refused(&mut held, Refusal::Held);
        held.holds();
        let mut free = play();
        is_refused(&mut free, Refusal::Held);
        free.is_broken_by(
            "lock_refusals_state_a_true_reason",
            (0, "the lock of /a was never granted"),
            (2, "the lock server refuses c2.1#1"),
        );
        let mut wrong = play();
        wrong.forces(CONTROL, queued("/a", request(1, 1)));
        is_refused(&mut wrong, Refusal::QueueFull);
        assert!(!wrong.is_lawful());
    }

    #[test]
    fn a_line_that_is_not_full_is_no_reason() {
        let mut play = play();
        play.forces(CONTROL, queued("/a", request(1, 1)));
        play.requests(request(2, 1), lock("/a"));
        play.appends(CONTROL, left("/a", request(2, 1))).breaks();
    }

    #[test]
    fn a_full_disk_of_the_lock_server_is_a_reason_and_one_of_an_owner_is_none() {
        let refuses = |node, says| {
            let mut play = play();
            play.is_told_of_disk(node, true).requests(request(2, 1), lock("/a"));
            let (request, refusal) = (request(2, 1), Refusal::DiskFull);
            play.forces(CONTROL, Record::Declined { request, refusal });
            play.is_told_of_disk(node, false);
            play.sends(CONTROL, c(2), refused("/a", request, says));
            play
        };
        refuses(CONTROL, Refusal::DiskFull).holds();
        refuses(CONTROL, Refusal::QueueFull).breaks();
        let owner = refuses(NodeId::node(1), Refusal::DiskFull);
        assert!(!owner.is_lawful());
    }

    #[test]
    fn a_refusal_that_the_lock_server_never_gave_is_a_breach() {
        let mut play = play();
        play.requests(request(2, 1), try_lock("/a"));
        play.replies(request(2, 1), Reply::Refused(Refusal::Held)).breaks();
    }

    /// c1 holds the lock, and as many stand in line as may; c2 wants to wait as well, and is
    /// refused this long after they were heard.
    fn a_full_line(later: u64) -> Play {
        let mut settings = Settings::default();
        settings.limits.queue = 1;
        let mut play = Play::of(settings, LockRefusalsStateATrueReason::default());
        play.at(1).forces(CONTROL, granted("/a", request(1, 1), 1));
        play.at(2).receives(c(1), CONTROL, acquire("/a", request(1, 2)));
        play.and().appends(CONTROL, queued("/a", request(1, 2))).syncs(CONTROL);
        play.at(2 + later).requests(request(2, 1), lock("/a"));
        play.at(2 + later).appends(CONTROL, left("/a", request(2, 1)));
        play
    }

    #[test]
    fn a_waiter_that_was_not_heard_for_a_lease_fills_no_line() {
        // The lock server counts ten seconds and the drift bound.
        a_full_line(10_005).holds();
        let breach = a_full_line(10_006).breaks();
        assert_eq!(breach.earlier.is, "0 stand in line");
    }

    #[test]
    fn a_waiter_that_the_lock_server_has_still_to_hear_again_fills_the_line() {
        let mut play = a_full_line(0);
        play.crashes(CONTROL).starts(CONTROL);
        play.at(10_006).requests(request(2, 2), lock("/a"));
        play.appends(CONTROL, left("/a", request(2, 2)));
        play.holds();
    }

    #[test]
    fn a_request_that_held_the_lock_before_is_forgotten_and_no_other() {
        let forgets = |log: &[Record]| {
            let mut play = play();
            play.requests(request(2, 1), lock("/a"));
            for record in log {
                play.forces(CONTROL, record.clone());
            }
            play.sends(CONTROL, c(2), refused("/a", request(2, 1), Refusal::Forgotten));
            play
        };
        let (granted, left) = (granted("/a", request(2, 1), 1), left("/a", request(2, 1)));
        forgets(&[granted.clone(), left]).holds();
        forgets(&[granted]).breaks();
        forgets(&[]).breaks();
    }

    #[test]
    fn only_a_client_that_holds_nothing_is_told_that_it_does_not() {
        let releases = |believes: bool| {
            let mut play = play();
            if believes {
                play.believes("/a", request(1, 1), 1, 500);
            }
            play.requests(request(1, 2), unlock("/a"));
            play.replies(request(1, 2), Reply::Refused(Refusal::NotHeld));
            play
        };
        releases(false).holds();
        releases(true).breaks();
    }
}

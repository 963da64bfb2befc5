//! A client tries until its request is answered.

use seedbed::machine::{RequestId, Span, Time};
use seedbed::proto::{FileRequest, FileService, Keep, LockRequest, Message, MessageKind, Reply};

use crate::file_service::World;
use crate::file_service::oracle::model::answer_in_words;
use crate::file_service::oracle::per_request::PerRequest;
use crate::file_service::oracle::{Breach, Evidence, Invariant, Model, Moment, Seen, SeenKinds};

/// From the asking of a request to its answer, a client lets no more time pass between two attempts
/// than an attempt and the pause after it may take; one that waits in line keeps itself alive.
///
/// A client that stops trying, or never tries, says `unknown` of what could have been done. One
/// whose pauses grow without a bound keeps its user waiting for nothing. The bound is
/// `attempt_timeout` plus the longest pause, 33 times `retry_delay`, or for a waiter a quarter of
/// the lock's lease, by the client's clock. A time in which the client stood still, or its clock
/// jumped, does not count. End-to-end retry: Saltzer, Reed, Clark, "End-to-End Arguments in System
/// Design", ACM TOCS 2(4), 1984.
#[derive(Clone, Debug, Default)]
pub struct AClientKeepsTrying {
    /// In which step, and when, something was last sent for a request that is not answered.
    last: PerRequest<(u64, Time)>,
}

impl Invariant<FileService> for AClientKeepsTrying {
    fn interest(&self) -> SeenKinds {
        SeenKinds::REPLIED
            | SeenKinds::CRASHED
            | SeenKinds::sent(&[
                MessageKind::Begin,
                MessageKind::Read,
                MessageKind::Acquire,
                MessageKind::KeepAlive,
                MessageKind::Release,
            ])
    }

    fn see(
        &mut self,
        seen: &Seen<'_>,
        Moment { model, world, .. }: &Moment<'_>,
    ) -> Result<(), Breach> {
        match *seen {
            Seen::Sent { message, .. } => {
                let Some(request) = attempted(message) else { return Ok(()) };
                self.on_attempt(model.origin(request), model, world)
            }
            Seen::Replied { request, reply } => self.on_replied(request, reply, model, world),
            Seen::Crashed { node } => {
                self.last.forget(node);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

impl AClientKeepsTrying {
    fn on_attempt(
        &mut self,
        request: RequestId,
        model: &Model,
        world: &World,
    ) -> Result<(), Breach> {
        let Some(asked) = model.requests.get(&request).filter(|asked| asked.reply.is_none()) else {
            return Ok(()); // a lock that came too late is given back
        };
        let last = self.last.insert(request, (model.step, model.now));
        let last = last.unwrap_or((asked.asked.step, asked.asked.is));
        let now = || format!("the next attempt at {request} is sent at {}", model.now);
        judge(request, last, now, model, world)
    }

    fn on_replied(
        &mut self,
        request: RequestId,
        reply: &Reply,
        model: &Model,
        world: &World,
    ) -> Result<(), Breach> {
        let now = || format!("{request} is answered at {}: {}", model.now, answer_in_words(reply));
        if let Some(last) = self.last.remove(request) {
            return judge(request, last, now, model, world);
        }
        match model.requests.get(&request).filter(|_| *reply == Reply::Unknown) {
            Some(asked) => {
                let asked = &asked.asked;
                let is = format!("{request} was asked at {}, and no attempt was sent", asked.is);
                let earlier = Evidence::at(asked.step, is).about(request);
                Err(Breach::of(earlier, Evidence::at(model.step, now()).about(request)))
            }
            None => Ok(()), // the client knows the answer, and need not ask
        }
    }
}

/// Has too much time passed since the attempt before this moment?
fn judge(
    request: RequestId,
    (step, last): (u64, Time),
    now: impl FnOnce() -> String,
    model: &Model,
    world: &World,
) -> Result<(), Breach> {
    let is_in_time = model.now <= last + longest_silence(model, world);
    if is_in_time || model.disturbances.touched_machine(request.client, last) {
        return Ok(());
    }
    let earlier = format!("the last attempt at {request} was sent at {last}");
    let earlier = Evidence::at(step, earlier).about(request);
    Err(Breach::of(earlier, Evidence::at(model.step, now()).about(request)))
}

/// The request that a client's message is an attempt at, or keeps in line.
fn attempted(message: &Message) -> Option<RequestId> {
    match message {
        Message::FileRequest(FileRequest::Begin { age, .. }) => Some(age.request),
        Message::FileRequest(FileRequest::Read { request, .. })
        | Message::LockRequest(LockRequest::Acquire { request, .. }) => Some(*request),
        Message::LockRequest(LockRequest::KeepAlive { keep: Keep::Waiting(request), .. }) => {
            Some(*request)
        }
        Message::LockRequest(LockRequest::Release { request, .. }) => Some(*request),
        _ => None, // it is for no request in particular
    }
}

/// How long a client that tries may send nothing for a request, in true time.
fn longest_silence(model: &Model, world: &World) -> Span {
    let config = world.config();
    let attempt = config.attempt_timeout + config.retry_delay.times(33);
    let lease = model.views.longest_lock_lease(config);
    let longest = attempt.max(lease.fraction(4));
    // A clock that is slow by less than a half makes it less than twice as long.
    longest + longest.times(2 * u64::from(config.drift_max_ppm)).fraction(1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::*;

    #[test]
    fn a_client_that_never_tried() {
        let mut play = Play::new(AClientKeepsTrying::default());
        play.at(1).requests(request(1, 1), writes("/a", "1"));
        play.at(2).replies(request(1, 1), Reply::Unknown);
        play.is_broken_by("a_client_keeps_trying", (1, "no attempt"), (2, "unknown"));
    }

    #[test]
    fn a_client_that_stopped_trying() {
        for (at, is_lawful) in [(2_650, true), (2_700, false)] {
            let mut play = Play::new(AClientKeepsTrying::default());
            play.at(0).requests(request(1, 1), writes("/a", "1"));
            play.at(1).begins(request(1, 1), &[write("/a", "1")]);
            play.at(at).replies(request(1, 1), Reply::Unknown);
            assert_eq!(play.is_lawful(), is_lawful, "{at}");
        }
    }

    #[test]
    fn a_client_whose_pause_is_too_long() {
        for (at, is_lawful) in [(2_650, true), (2_700, false)] {
            let mut play = Play::new(AClientKeepsTrying::default());
            play.at(0).requests(request(1, 1), writes("/a", "1"));
            play.at(1).begins(request(1, 1), &[write("/a", "1")]);
            play.at(at).begins(request(1, 1), &[write("/a", "1")]);
            play.at(at + 1).replies(request(1, 1), Reply::Unknown);
            assert_eq!(play.is_lawful(), is_lawful, "{at}");
        }
    }

    #[test]
    fn a_client_that_stood_still() {
        let mut play = Play::new(AClientKeepsTrying::default());
        play.at(0).requests(request(1, 1), writes("/a", "1"));
        play.at(1).begins(request(1, 1), &[write("/a", "1")]);
        play.at(2).sees(&Seen::Paused { node: c(1) });
        play.at(40_000).sees(&Seen::Resumed { node: c(1) });
        play.at(40_000).replies(request(1, 1), Reply::Unknown);
        play.holds();
    }
}

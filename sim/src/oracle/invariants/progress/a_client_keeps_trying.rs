//! A client that gives up has tried until then.

use std::collections::BTreeMap;

use seedbed::proto::{Keep, Message, MessageKind, Reply, RequestId, Span, Time};

use crate::oracle::{Breach, Evidence, Invariant, Model, Seen, SeenKinds};
use crate::world::World;

/// Before a client says `unknown`, its last attempt was sent no longer ago than an attempt and the
/// pause after it may take; one that waits in line has kept itself alive.
///
/// A client that stops trying, or never tries, is a client that says `unknown` of what could have been done. The
/// bound is `attempt_timeout` plus the longest pause, 33 times `retry_delay`, or for a waiter a
/// quarter of the lock's lease, by the client's clock. What it did before it stood still or its
/// clock jumped does not count. End-to-end retry: Saltzer, Reed, Clark, "End-to-End Arguments in
/// System Design", ACM TOCS 2(4), 1984.
#[derive(Clone, Debug, Default)]
pub struct AClientKeepsTrying {
    /// When, and in which step, something was last sent for a request that is not answered.
    last: BTreeMap<RequestId, (u64, Time)>,
}

impl Invariant for AClientKeepsTrying {
    fn interest(&self) -> SeenKinds {
        SeenKinds::REPLIED
            | SeenKinds::sent(&[
                MessageKind::Begin,
                MessageKind::Read,
                MessageKind::Acquire,
                MessageKind::KeepAlive,
                MessageKind::Release,
            ])
    }

    fn see(&mut self, seen: &Seen<'_>, model: &Model, world: &World) -> Result<(), Breach> {
        match *seen {
            Seen::Sent { message, .. } => {
                if let Some(request) = attempted(message) {
                    self.last.insert(model.origin(request), (model.step, model.now));
                }
                Ok(())
            }
            Seen::Replied { request, reply } => {
                let last = self.last.remove(&request);
                if *reply == Reply::Unknown { judge(request, last, model, world) } else { Ok(()) }
            }
            _ => Ok(()),
        }
    }
}

fn judge(
    request: RequestId,
    last: Option<(u64, Time)>,
    model: &Model,
    world: &World,
) -> Result<(), Breach> {
    let Some(asked) = model.requests.get(&request) else { return Ok(()) };
    let earlier = match last {
        Some((_, at)) if model.now <= at + longest_silence(model, world) => return Ok(()),
        Some((_, at)) if model.disturbances.touched_machine(request.client, at) => return Ok(()),
        Some((step, at)) => {
            Evidence::at(step, format!("the last attempt at {request} was sent at {at}"))
        }
        None => {
            let asked = &asked.asked;
            let is = format!("{request} was asked at {}, and no attempt was sent", asked.is);
            Evidence::at(asked.step, is)
        }
    };
    let now = format!("{request} is answered at {}: unknown", model.now);
    Err(Breach::of(earlier.about(request), Evidence::at(model.step, now).about(request)))
}

/// The request that a client's message is an attempt at, or keeps in line.
fn attempted(message: &Message) -> Option<RequestId> {
    match message {
        Message::Begin { age, .. } => Some(age.request),
        Message::Read { request, .. } | Message::Acquire { request, .. } => Some(*request),
        Message::KeepAlive { keep: Keep::Waiting(request), .. } => Some(*request),
        Message::Release { request, .. } => Some(*request),
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
    use crate::oracle::tests::*;

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

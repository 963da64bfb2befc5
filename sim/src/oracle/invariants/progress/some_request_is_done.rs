//! A run in which something is asked gets something done.

use seedbed::proto::{NodeId, Reply, RequestId, Role};

use crate::oracle::{At, Breach, Evidence, Invariant, Model, Seen, SeenKinds};
use crate::world::World;

/// Of the answerable requests of a run at least one is done.
///
/// A service that refuses or times out every request breaks no promise about what it did, so
/// safety alone would let it pass: Alpern and Schneider, "Defining Liveness", Information
/// Processing Letters 21(4), 1985. A request is answerable if, from when it is asked to when it is
/// answered, its client, the storage nodes and the central node are up, run at their pace, and are
/// not cut off from each other. A loss of messages excuses nothing: a run that loses all of them
/// shows nothing. Probes do not count, because the network is calm for them. A file may be about
/// one refusal, so refusals alone are judged from [`SomeRequestIsDone::REFUSED`] requests on.
#[derive(Clone, Debug, Default)]
pub struct SomeRequestIsDone {
    is_any_done: bool,
    /// Answerable requests that were refused.
    refused: usize,
    /// Answerable requests that ended unknown.
    unknown: usize,
    /// The first of either.
    first: Option<At<RequestId>>,
}

impl SomeRequestIsDone {
    /// Least number of answerable requests that are judged if some of them are refused: one more
    /// than a file about a single conflict needs.
    const REFUSED: usize = 3;
}

impl Invariant for SomeRequestIsDone {
    fn interest(&self) -> SeenKinds {
        SeenKinds::REPLIED
    }

    fn see(&mut self, seen: &Seen<'_>, model: &Model, _world: &World) -> Result<(), Breach> {
        let Seen::Replied { request, reply } = *seen else { return Ok(()) };
        if self.is_any_done || model.probes.get(request).is_some() {
            return Ok(());
        }
        match reply {
            Reply::Done(_) | Reply::Acquired(_) | Reply::Released => self.is_any_done = true,
            Reply::Refused(_) | Reply::Unknown if !is_answerable(request, model) => {}
            Reply::Refused(_) => {
                self.refused += 1;
                self.first.get_or_insert(At { step: model.step, is: request });
            }
            Reply::Unknown => {
                self.unknown += 1;
                self.first.get_or_insert(At { step: model.step, is: request });
            }
        }
        Ok(())
    }

    fn at_end(&mut self, model: &Model, _world: &World) -> Result<(), Breach> {
        let Some(At { step, is: request }) = self.first else { return Ok(()) };
        let all = self.refused + self.unknown;
        if self.is_any_done || (self.refused > 0 && all < SomeRequestIsDone::REFUSED) {
            return Ok(());
        }
        let earlier = format!("{request} is not done, and every machine was up and connected");
        let (refused, unknown) = (self.refused, self.unknown);
        let now = format!(
            "the run is over: of {all} requests none is done, {refused} are refused, {unknown} unknown"
        );
        Err(Breach::of(
            Evidence::at(step, earlier).about(request),
            Evidence::at(model.step, now).about(request),
        ))
    }
}

fn is_answerable(request: RequestId, model: &Model) -> bool {
    let is_one = |node: NodeId| node.role() != Role::Client || node == request.client;
    let asked = model.requests.get(&request);
    asked.is_some_and(|asked| !model.disturbances.parted(is_one, asked.asked.is))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::tests::*;
    use seedbed::proto::Refusal;

    const EXISTS: Reply = Reply::Refused(Refusal::Exists);

    /// Each of several requests is answered like this.
    fn answered(replies: &[Reply]) -> Play {
        let mut play = Play::new(SomeRequestIsDone::default());
        for (number, reply) in (1..).zip(replies) {
            play.requests(request(1, number), writes("/a", "1"));
            play.loses(c(1), n(1), release("/a", request(1, number), 1));
            play.replies(request(1, number), reply.clone());
        }
        play
    }

    #[test]
    fn one_request_is_unknown_because_every_message_is_lost() {
        let breach = answered(&[Reply::Unknown]).ends().breaks();
        let now =
            "the run is over: of 1 requests none is done, 0 are refused, 1 unknown".to_owned();
        assert_eq!(breach.now.is, now);
    }

    #[test]
    fn three_requests_are_refused_or_unknown() {
        let breach = answered(&[Reply::Unknown, EXISTS, EXISTS]).ends().breaks();
        assert!(breach.now.is.ends_with("2 are refused, 1 unknown"), "{}", breach.now.is);
    }

    #[test]
    fn two_requests_are_refused() {
        answered(&[EXISTS, EXISTS]).ends().holds();
    }

    #[test]
    fn one_of_three_is_done() {
        answered(&[Reply::Unknown, Reply::Unknown, done_writing()]).ends().holds();
    }

    #[test]
    fn a_machine_is_down() {
        let mut play = Play::new(SomeRequestIsDone::default());
        play.at(1).requests(request(1, 1), writes("/a", "1"));
        play.at(2).crashes(n(2));
        play.at(3).replies(request(1, 1), Reply::Unknown);
        play.at(4).ends().holds();
    }
}

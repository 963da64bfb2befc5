//! A client answers each request once.

use std::collections::BTreeMap;

use crate::oracle::{Breach, Evidence, Invariant, Model, Seen, SeenKinds};
use crate::world::World;
use seedbed::proto::RequestId;

/// A client answers nothing that it was not asked, and nothing twice.
///
/// A user acts on the first answer; a second one, be it the same, belongs to nothing.
#[derive(Clone, Debug, Default)]
pub struct OneAnswerPerRequest {
    /// Requests that were made, with the step in which they were answered.
    answered: BTreeMap<RequestId, Option<u64>>,
}

impl Invariant for OneAnswerPerRequest {
    fn interest(&self) -> SeenKinds {
        SeenKinds::REQUESTED | SeenKinds::REPLIED
    }

    fn see(&mut self, seen: &Seen<'_>, model: &Model, _world: &World) -> Result<(), Breach> {
        match *seen {
            Seen::Requested { request, .. } => {
                self.answered.insert(request, None);
                Ok(())
            }
            Seen::Replied { request, reply } => {
                let earlier = match self.answered.insert(request, Some(model.step)) {
                    Some(None) => return Ok(()),
                    Some(Some(step)) => Evidence::at(step, format!("{request} was answered")),
                    None => Evidence::at(model.step, format!("nobody has asked for {request}")),
                };
                let now = format!("{request} is answered: {reply:?}");
                Err(Breach::of(
                    earlier.about(request),
                    Evidence::at(model.step, now).about(request),
                ))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::tests::*;
    use seedbed::proto::Reply;

    #[test]
    fn a_second_answer() {
        let mut play = Play::new(OneAnswerPerRequest::default());
        play.at(1).requests(request(1, 1), writes("/a", "1"));
        play.at(2).replies(request(1, 1), Reply::Unknown);
        play.at(3).replies(request(1, 1), Reply::Unknown);
        play.is_broken_by("one_answer_per_request", (2, "c1.1#1 was answered"), (3, "Unknown"));
    }

    #[test]
    fn an_answer_to_nothing() {
        let mut play = Play::new(OneAnswerPerRequest::default());
        play.at(1).replies(request(1, 1), Reply::Released);
        play.is_broken_by("one_answer_per_request", (1, "nobody has asked"), (1, "Released"));
    }

    #[test]
    fn one_answer_each() {
        let mut play = Play::new(OneAnswerPerRequest::default());
        play.at(1).requests(request(1, 1), writes("/a", "1"));
        play.at(2).requests(request(1, 2), writes("/a", "2"));
        play.at(3).replies(request(1, 2), Reply::Unknown);
        play.at(4).replies(request(1, 1), Reply::Unknown);
        play.holds();
    }
}

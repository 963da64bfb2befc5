//! A client answers each request once, and as it was asked.

use std::collections::BTreeMap;

use crate::file_service::oracle::{Breach, Evidence, Invariant, Moment, Seen, SeenKinds};
use crate::file_service::trace;
use seedbed::machine::RequestId;
use seedbed::proto::{FileService, Reply, Request};

/// A client answers nothing that it was not asked, nothing twice, and nothing otherwise than asked:
/// files are done, a lock is acquired or released, and any request is refused or unknown.
///
/// A user acts on the first answer; a second one, be it the same, belongs to nothing.
#[derive(Clone, Debug, Default)]
pub struct OneAnswerPerRequest {
    /// Requests that were made, with the step in which they were answered.
    answered: BTreeMap<RequestId, Option<u64>>,
}

impl Invariant<FileService> for OneAnswerPerRequest {
    fn interest(&self) -> SeenKinds {
        SeenKinds::REQUESTED | SeenKinds::REPLIED
    }

    fn see(&mut self, seen: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        match *seen {
            Seen::Requested { request, .. } => {
                self.answered.insert(request, None);
                Ok(())
            }
            Seen::Replied { request, reply } => {
                let wanted = model.requests.wanted(request);
                let fits = wanted.is_none_or(|wanted| fits(reply, wanted));
                let earlier = match self.answered.insert(request, Some(model.step)) {
                    Some(None) if fits => return Ok(()),
                    Some(None) => {
                        let asked = model.requests.get(&request).map_or(0, |it| it.asked.step);
                        Evidence::at(asked, format!("{request} asks for {}", kind(wanted)))
                    }
                    Some(Some(step)) => Evidence::at(step, format!("{request} was answered")),
                    None => Evidence::at(model.step, format!("no user has asked for {request}")),
                };
                let now = format!("{request} is answered: {}", trace::reply(reply));
                Err(Breach::of(
                    earlier.about(request),
                    Evidence::at(model.step, now).about(request),
                ))
            }
            _ => Ok(()),
        }
    }
}

/// Is `reply` one that a request for `wanted` may get?
fn fits(reply: &Reply, wanted: &Request) -> bool {
    match reply {
        Reply::Done(_) => matches!(wanted, Request::Files { .. }),
        Reply::Acquired(_) => matches!(wanted, Request::Acquire { .. }),
        Reply::Released => matches!(wanted, Request::Release { .. }),
        Reply::Refused(_) | Reply::Unknown => true,
    }
}

fn kind(wanted: Option<&Request>) -> &'static str {
    match wanted {
        Some(Request::Files { .. }) => "files",
        Some(Request::Acquire { .. }) => "a lock",
        Some(Request::Release { .. }) => "the end of a lock",
        None => "nothing",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::*;
    use seedbed::proto::Token;

    #[test]
    fn a_second_answer() {
        let mut play = Play::new(OneAnswerPerRequest::default());
        play.at(1).requests(request(1, 1), writes("/a", "1"));
        play.at(2).replies(request(1, 1), Reply::Unknown);
        play.at(3).replies(request(1, 1), Reply::Unknown);
        play.is_broken_by(
            "one_answer_per_request",
            (2, "c1.1#1 was answered"),
            (3, "answered: unknown"),
        );
    }

    #[test]
    fn an_answer_to_nothing() {
        let mut play = Play::new(OneAnswerPerRequest::default());
        play.at(1).replies(request(1, 1), Reply::Released);
        play.is_broken_by(
            "one_answer_per_request",
            (1, "no user has asked"),
            (1, "answered: released"),
        );
    }

    #[test]
    fn an_answer_of_another_kind() {
        let done = Reply::Done([].into());
        let acquired = Reply::Acquired(Token(1));
        let kinds =
            [(writes("/a", "1"), &done), (lock("/a"), &acquired), (unlock("/a"), &Reply::Released)];
        for (asked, (wanted, _)) in kinds.iter().enumerate() {
            for (told, (_, reply)) in kinds.iter().enumerate() {
                let mut play = Play::new(OneAnswerPerRequest::default());
                play.at(1).requests(request(1, 1), wanted.clone());
                play.at(2).replies(request(1, 1), (*reply).clone());
                assert_eq!(play.is_lawful(), asked == told, "{wanted:?}: {reply:?}");
            }
        }
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

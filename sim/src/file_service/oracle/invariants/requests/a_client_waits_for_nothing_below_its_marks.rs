//! What a client calls over is over.

use seedbed::machine::{Incarnation, NodeId, RequestId};
use seedbed::proto::{
    AttemptEnd, Ended, FileRequest, FileService, LockRequest, Message, MessageKind, Retry, Session,
};

use crate::file_service::oracle::PerNode;
use crate::file_service::oracle::{Breach, Evidence, Invariant, Model, Moment, Seen, SeenKinds};

/// A client that sends an attempt still waits for no request below the lowest number that it names,
/// and for no attempt below the lowest number of its session with that node.
///
/// Below the one an owner forgets what it has answered, and executes a request that is tried again
/// for a second time; the lock server forgets what it has refused. Below the other a node ignores
/// what arrives, so that the attempt is lost. That the marks move on is judged by
/// `nodes_forget_what_is_over`. Collecting results: Lee et al., "Implementing Linearizability at
/// Large Scale and Low Latency" (RIFL), SOSP 2015, section 3.3.
#[derive(Clone, Debug, Default)]
pub struct AClientWaitsForNothingBelowItsMarks {
    clients: PerNode<Waiting>,
}

/// What a client waits for.
#[derive(Clone, Debug, Default)]
struct Waiting {
    requests: Vec<RequestId>,
    sessions: Vec<Talk>,
}

/// The attempts that are not answered, in a session with this life of a node.
#[derive(Clone, Debug)]
struct Talk {
    node: NodeId,
    life: Incarnation,
    open: Vec<Attempt>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Attempt {
    request: RequestId,
    number: u32,
    /// Its number in the session.
    place: u32,
    /// The step in which it was sent.
    step: u64,
}

impl Invariant<FileService> for AClientWaitsForNothingBelowItsMarks {
    fn interest(&self) -> SeenKinds {
        SeenKinds::REQUESTED
            | SeenKinds::REPLIED
            | SeenKinds::sent(&[MessageKind::Begin, MessageKind::Acquire])
            | SeenKinds::received(&[MessageKind::Ended])
            | SeenKinds::CRASHED
    }

    fn see(&mut self, seen: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        match *seen {
            Seen::Requested { request, .. } => {
                self.clients.slot(request.client).requests.push(request);
            }
            Seen::Replied { request, .. } => self.clients.slot(request.client).ends(request),
            Seen::Sent {
                from,
                to,
                message:
                    Message::FileRequest(FileRequest::Begin {
                        session, request, attempt, lowest, ..
                    }),
                ..
            } => {
                let waiting = self.clients.slot(from);
                let request = model.origin(*request);
                waiting.judge_requests(RequestId { number: *lowest, ..request }, model)?;
                let (number, place) = (*attempt, session.number);
                let attempt = Attempt { request, number, place, step: model.step };
                return waiting.on_sent(to, *session, attempt);
            }
            Seen::Sent {
                from,
                message: Message::LockRequest(LockRequest::Acquire { request, lowest, .. }),
                ..
            } => {
                let lowest = RequestId { number: *lowest, ..*request };
                return self.clients.slot(from).judge_requests(lowest, model);
            }
            Seen::Received {
                from,
                to,
                message: Message::Ended(Ended { request, attempt, end }),
                ..
            } => {
                match end {
                    // In another session the same attempt is sent again.
                    AttemptEnd::Retry(Retry::Session(_)) => {}
                    AttemptEnd::Done(_) | AttemptEnd::Refused { .. } | AttemptEnd::Retry(_) => {
                        self.clients.slot(to).hears(from, model.origin(*request), *attempt);
                    }
                }
            }
            Seen::Crashed { node } => *self.clients.slot(node) = Waiting::default(),
            _ => {} // it ends no attempt
        }
        Ok(())
    }
}

impl Waiting {
    fn ends(&mut self, request: RequestId) {
        self.requests.retain(|open| *open != request);
        for talk in &mut self.sessions {
            talk.open.retain(|attempt| attempt.request != request);
        }
    }

    fn hears(&mut self, from: NodeId, request: RequestId, number: u32) {
        if let Some(talk) = self.sessions.iter_mut().find(|talk| talk.node == from) {
            talk.open.retain(|open| (open.request, open.number) != (request, number));
        }
    }

    fn judge_requests(&self, lowest: RequestId, model: &Model) -> Result<(), Breach> {
        let Some(first) = self.requests.iter().find(|open| **open < lowest) else {
            return Ok(());
        };
        let client = first.client;
        let step = model.requests.get(first).map_or(model.step, |asked| asked.asked.step);
        let earlier = Evidence::at(step, format!("{client} is asked for {first}"));
        let is = format!("{client} says that it waits for nothing before {lowest}");
        Err(Breach::of(earlier.about(*first), Evidence::at(model.step, is).about(*first)))
    }

    fn on_sent(&mut self, to: NodeId, session: Session, attempt: Attempt) -> Result<(), Breach> {
        let talk = self.talk(to, session.node);
        talk.open.push(attempt);
        let Some(first) = talk.open.iter().find(|open| open.place < session.lowest) else {
            return Ok(());
        };
        let Attempt { request, number: which, place, step } = *first;
        let client = request.client;
        let earlier = format!(
            "{client} makes attempt {which} at {request}, which is number {place} of its session with \
             {to}"
        );
        let now = format!(
            "{client} tells {to} that it waits for no number before {}, and has had no answer",
            session.lowest
        );
        Err(Breach::of(
            Evidence::at(step, earlier).about(request),
            Evidence::at(attempt.step, now).about(request),
        ))
    }

    /// The session with that life of `node`; one with another life of it is over.
    fn talk(&mut self, node: NodeId, life: Incarnation) -> &mut Talk {
        let at = self.sessions.iter().position(|talk| talk.node == node).unwrap_or_else(|| {
            self.sessions.push(Talk { node, life, open: Vec::new() });
            self.sessions.len() - 1
        });
        let talk = &mut self.sessions[at];
        if talk.life != life {
            *talk = Talk { node, life, open: Vec::new() };
        }
        talk
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::*;

    /// Attempt `number` at c1's request of the same number, with these marks.
    fn attempt(number: u32, (lowest_waited, of_session): (u32, u32)) -> Message {
        let mut message = begin(request(1, number), request(1, number), &[write("/a", "1")]);
        let Message::FileRequest(FileRequest::Begin { session, lowest, .. }) = &mut message else {
            unreachable!("it is a begin");
        };
        *lowest = lowest_waited;
        *session = Session { number, lowest: of_session, ..*session };
        message
    }

    fn two_are_asked() -> Play {
        let mut play = Play::new(AClientWaitsForNothingBelowItsMarks::default());
        play.at(1).requests(request(1, 1), writes("/a", "1"));
        play.and().sends(c(1), n(1), attempt(1, (1, 1)));
        play.at(2).requests(request(1, 2), writes("/a", "1"));
        play
    }

    #[test]
    fn a_mark_above_an_open_request_is_a_breach() {
        let breach = two_are_asked().sends(c(1), n(1), attempt(2, (2, 1))).breaks();
        assert_eq!(breach.earlier.is, "c1 is asked for c1.1#1");
        assert_eq!(breach.now.is, "c1 says that it waits for nothing before c1.1#2");
    }

    #[test]
    fn a_mark_above_an_open_attempt_is_a_breach() {
        let breach = two_are_asked().sends(c(1), n(1), attempt(2, (1, 2))).breaks();
        assert!(breach.earlier.is.ends_with("number 1 of its session with n1"));
        assert!(breach.now.is.starts_with("c1 tells n1 that it waits for no number before 2"));
    }

    #[test]
    fn a_new_session_begins_anew_and_the_news_of_it_ends_no_attempt() {
        let mut play = two_are_asked();
        let end = AttemptEnd::Retry(Retry::Session(Incarnation(2)));
        play.receives(
            n(1),
            c(1),
            Message::Ended(Ended { request: request(1, 1), attempt: 1, end }),
        );
        play.sends(c(1), n(1), attempt(2, (1, 2))).breaks();
        let mut anew = two_are_asked();
        let mut message = attempt(2, (1, 2));
        let Message::FileRequest(FileRequest::Begin { session, .. }) = &mut message else {
            unreachable!("it is a begin");
        };
        session.node = Incarnation(2);
        anew.sends(c(1), n(1), message).holds();
    }

    #[test]
    fn marks_above_what_is_answered_are_none() {
        two_are_asked().sends(c(1), n(1), attempt(2, (1, 1))).holds();
        let mut heard = two_are_asked();
        heard.receives(n(1), c(1), ended_done(request(1, 1), &[changed(1)]));
        heard.sends(c(1), n(1), attempt(2, (1, 2))).holds();
        let mut told = two_are_asked();
        told.replies(request(1, 1), done_writing());
        told.sends(c(1), n(1), attempt(2, (2, 2))).holds();
    }
}

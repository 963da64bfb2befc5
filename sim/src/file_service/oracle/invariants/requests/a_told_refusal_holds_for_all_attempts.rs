//! The refusal of one attempt is told to a user only if it is known to hold for the others.

use seedbed::machine::RequestId;
use seedbed::proto::{
    AttemptEnd, Ended, Epoch, FileRequest, FileService, Message, MessageKind, Reply,
};

use crate::file_service::oracle::per_request::PerRequest;
use crate::file_service::oracle::{At, Breach, Evidence, Invariant, Moment, Seen, SeenKinds};

/// A client that has made several attempts at a request tells its user that it is refused only if
/// an owner has recorded that, for an attempt in the newest epoch in which the client has tried.
///
/// An owner that has recorded a refusal gives no attempt its yes any more, but the owners of a
/// later epoch may be others, which know nothing of it. A client that believes more than that does
/// harm when a later attempt gets through meanwhile. Where that is seen, the run shows it;
/// otherwise the first such belief is told of at the end. Remembered results: Lee and others, RIFL,
/// SOSP 2015.
#[derive(Clone, Debug, Default)]
pub struct AToldRefusalHoldsForAllAttempts {
    attempts: PerRequest<Attempts>,
    first: Option<Breach>,
}

/// What a client has tried, and which refusal it has heard of.
#[derive(Clone, Debug)]
struct Attempts {
    newest: At<u32>,
    epoch: Epoch,
    first_of_epoch: u32,
    /// The last refusal that was heard: of which attempt, and whether it is said to be recorded.
    refused: Option<At<(u32, bool)>>,
}

impl Invariant<FileService> for AToldRefusalHoldsForAllAttempts {
    fn interest(&self) -> SeenKinds {
        SeenKinds::sent(&[MessageKind::Begin, MessageKind::Read])
            | SeenKinds::received(&[MessageKind::Ended])
            | SeenKinds::REPLIED
            | SeenKinds::CRASHED
    }

    fn see(&mut self, seen: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        match *seen {
            Seen::Sent {
                message:
                    Message::FileRequest(
                        FileRequest::Begin { request, attempt, epoch, .. }
                        | FileRequest::Read { request, attempt, epoch, .. },
                    ),
                ..
            } => self.on_sent(model.origin(*request), *attempt, *epoch, model.step),
            Seen::Received { message: Message::Ended(Ended { request, attempt, end }), .. } => {
                if let AttemptEnd::Refused { recorded, .. } = end
                    && let Some(attempts) = self.attempts.get_mut(model.origin(*request))
                {
                    let refused = (*attempt, *recorded);
                    attempts.refused = Some(At { step: model.step, is: refused });
                }
            }
            Seen::Replied { request, reply } => self.on_replied(request, reply, model.step),
            Seen::Crashed { node } => self.attempts.forget(node),
            _ => {} // not asked for
        }
        Ok(())
    }

    fn at_end(&mut self, _moment: &Moment<'_>) -> Result<(), Breach> {
        self.first.clone().map_or(Ok(()), Err)
    }
}

impl AToldRefusalHoldsForAllAttempts {
    fn on_sent(&mut self, request: RequestId, number: u32, epoch: Epoch, step: u64) {
        let first = || Attempts {
            newest: At { step, is: number },
            epoch,
            first_of_epoch: number,
            refused: None,
        };
        let Some(attempts) = self.attempts.get_mut(request) else {
            self.attempts.insert(request, first());
            return;
        };
        if epoch != attempts.epoch {
            (attempts.epoch, attempts.first_of_epoch) = (epoch, number);
        }
        attempts.newest = At { step, is: number };
    }

    fn on_replied(&mut self, request: RequestId, reply: &Reply, step: u64) {
        let Some(attempts) = self.attempts.remove(request) else { return };
        let Reply::Refused(_) = reply else { return };
        let Some(refused) = attempts.refused.filter(|refused| refused.step == step) else { return };
        let (attempt, recorded) = refused.is;
        let holds = recorded && attempt >= attempts.first_of_epoch;
        if attempts.newest.is > 1 && !holds && self.first.is_none() {
            let client = request.client;
            let earlier = format!(
                "{client} makes attempt {} at {request}, in {}",
                attempts.newest.is, attempts.epoch
            );
            let why = match recorded {
                true => "which was recorded in an earlier epoch",
                false => "which no owner has recorded",
            };
            let now = format!(
                "{client} tells its user that {request} is refused: by attempt {attempt}, {why}"
            );
            self.first = Some(Breach::of(
                Evidence::at(attempts.newest.step, earlier).about(request).about(attempts.epoch),
                Evidence::at(step, now).about(request),
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::*;
    use seedbed::proto::Refusal;

    const NAME: &str = "a_told_refusal_holds_for_all_attempts";

    fn read(attempt: u32, epoch: u32) -> Message {
        Message::FileRequest(FileRequest::Read {
            epoch: Epoch(epoch),
            request: request(1, 1),
            attempt,
            path: path("/a"),
        })
    }

    fn refused(attempt: u32, recorded: bool) -> Message {
        let end = AttemptEnd::Refused { refusal: Refusal::Exists, recorded };
        Message::Ended(Ended { request: request(1, 1), attempt, end })
    }

    /// Attempts in these epochs, of which this one is told to be refused.
    fn told(epochs: &[u32], attempt: u32, recorded: bool) -> Play {
        let mut play = Play::new(AToldRefusalHoldsForAllAttempts::default());
        play.at(1).requests(request(1, 1), reads(&["/a"]));
        for (number, epoch) in (1..).zip(epochs) {
            play.at(1 + u64::from(number)).sends(c(1), n(1), read(number, *epoch));
        }
        play.at(9).receives(n(1), c(1), refused(attempt, recorded));
        play.and().replies(request(1, 1), Reply::Refused(Refusal::Exists));
        play.ends();
        play
    }

    #[test]
    fn a_refusal_that_no_owner_has_recorded_is_a_breach_with_another_attempt() {
        let (then, now) = ((3, "makes attempt 2"), (4, "attempt 1, which no owner has recorded"));
        told(&[1, 1], 1, false).is_broken_by(NAME, then, now);
        told(&[1], 1, false).holds();
    }

    #[test]
    fn a_refusal_of_an_earlier_epoch_is_a_breach() {
        let (then, now) = ((3, "attempt 2 at c1.1#1, in e2"), (4, "in an earlier epoch"));
        told(&[1, 2], 1, true).is_broken_by(NAME, then, now);
        told(&[1, 2, 2], 2, true).holds();
        told(&[1, 1], 1, true).holds();
    }
}

//! An attempt that is not answered has met a fault or another request.

use seedbed::machine::{NodeId, RequestId, Time};
use seedbed::proto::{
    Age, AttemptEnd, Ended, FileRequest, FileService, Membership, Message, MessageKind, No, Retry,
    TxnId,
};

use super::{is_disturbed, is_moving, paths_of};
use crate::file_service::World;
use crate::file_service::oracle::model::txns::Txn;
use crate::file_service::oracle::per_request::PerRequest;
use crate::file_service::oracle::{Breach, Evidence, Invariant, Model, Moment, Seen, SeenKinds};

/// Where a client hears nothing of an attempt until it makes the next one, or a coordinator gives
/// an attempt up because it has waited too long, something has kept it from getting done meanwhile.
///
/// The next attempt goes to another owner and mostly gets done, so a node that ignores one kind of
/// message costs time and is seen nowhere else. Causes are
///
/// - those of `unknown_has_a_cause`: a machine that was away, a link that was cut, lost a message
///   or was slow, a slow disk, a change of views;
/// - another transaction that was under way for one of the paths, or pins one of them now, after a
///   late copy of its `Prepare`: the attempt may have waited for its pins;
/// - a participant that has lost the pins of the attempt and says so.
///
/// A participant may keep pins for twice the patience for votes after their transaction has
/// aborted, so a fault counts that ended no longer than that before the attempt was sent. Chandra
/// and Toueg, "Unreliable Failure Detectors for Reliable Distributed Systems", Journal of the ACM
/// 43(2), 1996, for accuracy.
#[derive(Clone, Debug, Default)]
pub struct ALostAttemptHasACause {
    /// The newest attempt at each request of which its client has heard nothing.
    asking: PerRequest<Attempt>,
}

#[derive(Clone, Copy, Debug)]
struct Attempt {
    number: u32,
    to: NodeId,
    step: u64,
    sent: Time,
}

impl Invariant<FileService> for ALostAttemptHasACause {
    fn interest(&self) -> SeenKinds {
        SeenKinds::sent(&[MessageKind::Begin, MessageKind::Read, MessageKind::Ended])
            | SeenKinds::received(&[MessageKind::Ended])
            | SeenKinds::REPLIED
            | SeenKinds::CRASHED
    }

    fn see(
        &mut self,
        seen: &Seen<'_>,
        Moment { model, world, .. }: &Moment<'_>,
    ) -> Result<(), Breach> {
        match *seen {
            Seen::Sent {
                to,
                message:
                    Message::FileRequest(
                        FileRequest::Begin { request, attempt, .. }
                        | FileRequest::Read { request, attempt, .. },
                    ),
                ..
            } => return self.on_asked(model.origin(*request), *attempt, to, model, world),
            Seen::Sent {
                from, message: Message::Ended(Ended { request, attempt, end }), ..
            } if *end == AttemptEnd::Retry(Retry::NoAnswer) => {
                return self.on_given_up(from, model.origin(*request), *attempt, model, world);
            }
            // In another session the same attempt is sent again.
            Seen::Received { message: Message::Ended(Ended { request, attempt, end }), .. }
                if !matches!(end, AttemptEnd::Retry(Retry::Session(_))) =>
            {
                let request = model.origin(*request);
                let newest = self.asking.get(request);
                if newest.is_some_and(|newest| newest.number == *attempt) {
                    self.asking.remove(request);
                }
            }
            Seen::Replied { request, .. } => _ = self.asking.remove(request),
            Seen::Crashed { node } => self.asking.forget(node),
            _ => {} // it says nothing of an attempt
        }
        Ok(())
    }
}

impl ALostAttemptHasACause {
    /// A client makes an attempt. Has it heard of the one before?
    fn on_asked(
        &mut self,
        request: RequestId,
        number: u32,
        to: NodeId,
        model: &Model,
        world: &World,
    ) -> Result<(), Breach> {
        let attempt = Attempt { number, to, step: model.step, sent: model.now };
        let before = self.asking.insert(request, attempt);
        match before.filter(|before| before.number < number) {
            Some(before) if !has_a_cause(request, &before, model, world) => {
                let client = request.client;
                let now = format!("{client} has heard nothing of it and makes attempt {number}");
                Err(breach(request, &before, now, model))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// A coordinator has waited too long. If the client has made another attempt, that was judged.
    fn on_given_up(
        &self,
        node: NodeId,
        request: RequestId,
        number: u32,
        model: &Model,
        world: &World,
    ) -> Result<(), Breach> {
        match self.asking.get(request).filter(|newest| newest.number == number) {
            Some(attempt) if !has_a_cause(request, attempt, model, world) => {
                let now = format!("{node} gives it up, because it has waited too long");
                Err(breach(request, attempt, now, model))
            }
            Some(_) | None => Ok(()),
        }
    }
}

fn has_a_cause(request: RequestId, lost: &Attempt, model: &Model, world: &World) -> bool {
    let config = world.config();
    let patience = config.vote_timeout.max(config.request_timeout.fraction(8)).times(2);
    let sent = lost.sent.as_nanos();
    let since = Time::from_nanos(sent.saturating_sub(patience.as_nanos()));
    let has_centre = config.membership == Membership::Managed;
    is_disturbed(request.client, has_centre, since, model)
        || is_moving(since, model, world)
        || has_met_another(request, lost, model)
        || is_its_answer_lost(request, model)
        || is_pinned_by_another(request, lost, model, world)
}

/// Has the request been done, and may a part of its answer be lost with the coordinator's disk?
fn is_its_answer_lost(request: RequestId, model: &Model) -> bool {
    let effect = model.effects.of(request);
    effect.is_some_and(|effect| model.coordinator_is_gone(effect.is.0).is_some())
}

/// Was another transaction for one of its paths under way since the attempt was sent, or has a
/// participant lost its pins?
fn has_met_another(request: RequestId, lost: &Attempt, model: &Model) -> bool {
    let paths = paths_of(request, model);
    model.txns.values().any(|txn| match is_of(txn, request, lost.number, model) {
        true => txn.no.values().any(|no| no.is == No::Lost),
        false => {
            let other = txn.origin.or(txn.request);
            is_open_since(txn, lost.step)
                && other.is_some_and(|other| {
                    paths_of(other, model).iter().any(|path| paths.contains(path))
                })
        }
    })
}

/// Is it the transaction of this attempt?
fn is_of(txn: &Txn, request: RequestId, attempt: u32, model: &Model) -> bool {
    txn.begun.as_ref().is_some_and(|begun| {
        (model.origin(begun.is.request), begun.is.attempt) == (request, attempt)
    })
}

/// Had it not ended everywhere before that step?
fn is_open_since(txn: &Txn, since: u64) -> bool {
    let ended = txn.decided.as_ref().map(|decided| decided.step).or(txn.aborted);
    let is_late = |step: u64| step >= since;
    let in_doubt = || txn.yes.keys().any(|node| !txn.outcomes.contains_key(node));
    ended.is_none_or(is_late)
        || in_doubt()
        || txn.outcomes.values().any(|outcome| is_late(outcome.step))
}

fn is_pinned_by_another(request: RequestId, lost: &Attempt, model: &Model, world: &World) -> bool {
    let paths = paths_of(request, model);
    let is_another = |(_, id): (Age, TxnId)| {
        model.txns.get(&id).is_none_or(|txn| !is_of(txn, request, lost.number, model))
    };
    let mut owners = world.machines().filter_map(|node| world.host(node).storage());
    owners.any(|owner| paths.iter().any(|path| owner.pin_of(path).is_some_and(is_another)))
}

fn breach(request: RequestId, lost: &Attempt, now: String, model: &Model) -> Breach {
    let earlier = format!("attempt {} at {request} is sent to {}", lost.number, lost.to);
    Breach::of(
        Evidence::at(lost.step, earlier).about(request),
        Evidence::at(model.step, now).about(request),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::*;
    use seedbed::proto::{Epoch, TxnMessage, Vote};

    const NAME: &str = "a_lost_attempt_has_a_cause";

    fn read(attempt: u32) -> Message {
        Message::FileRequest(FileRequest::Read {
            epoch: Epoch(1),
            request: request(1, 1),
            attempt,
            path: path("/a"),
        })
    }

    /// c1 reads /a from n1.
    fn reads_a() -> Play {
        let mut play = Play::new(ALostAttemptHasACause::default());
        play.at(1).requests(request(1, 1), reads(&["/a"]));
        play.and().sends(c(1), n(1), read(1));
        play
    }

    #[test]
    fn an_attempt_that_is_not_answered_is_a_breach() {
        let mut play = reads_a();
        play.at(2001).sends(c(1), n(2), read(2));
        play.is_broken_by(NAME, (1, "is sent to n1"), (2, "c1 has heard nothing of it"));
        let mut answered = reads_a();
        let end = AttemptEnd::Retry(Retry::NotReady);
        let message = Message::Ended(Ended { request: request(1, 1), attempt: 1, end });
        answered.at(2).receives(n(1), c(1), message);
        answered.at(2001).sends(c(1), n(2), read(2));
        answered.holds();
    }

    /// n1 gives up an attempt at a write of /a, for which it has sent a `Prepare` as this
    /// transaction, after something else.
    fn gives_up(before: impl Fn(&mut Play)) -> Play {
        let mut play = Play::new(ALostAttemptHasACause::default());
        play.at(1).requests(request(1, 1), writes("/a", "1"));
        play.and().sends(c(1), n(1), begin(request(1, 1), request(1, 1), &[write("/a", "1")]));
        play.at(2).sends(n(1), n(2), prepare_for(request(1, 1), txn(1), &[n(2)], &["/a"]));
        before(&mut play);
        let end = AttemptEnd::Retry(Retry::NoAnswer);
        play.at(5).sends(
            n(1),
            c(1),
            Message::Ended(Ended { request: request(1, 1), attempt: 1, end }),
        );
        play
    }

    #[test]
    fn an_attempt_that_its_coordinator_gives_up_is_a_breach() {
        let play = gives_up(|_| {});
        play.is_broken_by(NAME, (1, "is sent to n1"), (3, "n1 gives it up"));
        let no = |play: &mut Play| {
            let vote = Vote::No(No::Lost);
            play.at(3).sends(n(2), n(1), Message::Txn(TxnMessage::Executed { txn: txn(1), vote }));
        };
        gives_up(no).holds();
    }

    #[test]
    fn another_transaction_for_the_path_is_a_cause_until_it_has_ended() {
        let asks = |play: &mut Play| {
            play.at(3).requests(request(2, 1), writes("/a", "2"));
            play.and().sends(n(3), n(2), prepare_for(request(2, 1), txn(2), &[n(2)], &["/a"]));
        };
        gives_up(asks).holds();
        let mut ended = Play::new(ALostAttemptHasACause::default());
        asks(&mut ended);
        ended.at(4).sends(n(3), n(2), abort(txn(2)));
        ended.at(6).requests(request(1, 1), reads(&["/a"]));
        ended.and().sends(c(1), n(1), read(1));
        ended.at(2006).sends(c(1), n(2), read(2));
        assert!(!ended.is_lawful());
    }

    #[test]
    fn a_fault_is_a_cause() {
        let mut crashed = reads_a();
        crashed.at(5).crashes(n(3));
        crashed.at(2001).sends(c(1), n(2), read(2));
        crashed.holds();
        let mut lost = reads_a();
        lost.at(5).loses(c(1), n(1), read(1));
        lost.at(2001).sends(c(1), n(2), read(2));
        lost.holds();
    }
}

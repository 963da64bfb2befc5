//! Write-ahead: refusals.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use seedbed::machine::{NodeId, RequestId};
use seedbed::proto::{
    AttemptEnd, Ended, Epoch, FileService, Handed, LockAnswer, Message, MessageKind, No, Record,
    RecordKind, Refusal, TxnMessage, Vote,
};

use crate::file_service::oracle::model::reference::{operations, paths};
use crate::file_service::oracle::{
    Breach, Evidence, Invariant, Model, Moment, Placement, Seen, SeenKinds,
};

/// A refusal that is said to be recorded leaves only once its record is durable.
///
/// "Recorded" says that no attempt at the request ever gets this owner's yes, so a client believes
/// it although an earlier attempt may still be under way. If a crash takes the record, that attempt
/// finds an owner that knows nothing, and a request that its user was told is refused takes effect.
/// An owner's own log must have the record, written or handed over; a coordinator only passes the
/// refusal on, so for it the record of any owner will do. Where the centre manages the membership
/// disks may be lost, so a client may hear of it only when all owners of a path of the request have
/// it, in some view; those count whose disks are lost by now. A lock that is refused for good is
/// recorded in the same way, by a `declined` if the disk is full, else by a `left` of a request
/// that neither held the lock nor stood in line: one that leaves the line may ask again, and what
/// it is refused then has a record of its own. Write-ahead logging: Gray, "Notes on Data Base
/// Operating Systems", 1978; remembered results: Lee and others, RIFL, SOSP 2015, section 3.
#[derive(Clone, Debug, Default)]
pub struct RecordedRefusalIsDurableBeforeItLeaves {
    /// By request, under the id of its attempt: the nodes whose log has the refusal.
    refused: BTreeMap<RequestId, BTreeSet<NodeId>>,
    /// The nodes whose log had it, if their disk is lost by now too.
    ever_refused: BTreeMap<RequestId, BTreeSet<NodeId>>,
    /// By position in the lock server's log: the refusals that a crash may still take.
    appended: BTreeMap<u64, RequestId>,
}

/// A refusal that leaves a node.
struct Leaving<'a> {
    request: RequestId,
    from: NodeId,
    to: NodeId,
    refusal: &'a Refusal,
}

impl Invariant<FileService> for RecordedRefusalIsDurableBeforeItLeaves {
    fn interest(&self) -> SeenKinds {
        SeenKinds::sent(&[MessageKind::Executed, MessageKind::Ended, MessageKind::LockRefused])
            | SeenKinds::durable(&[RecordKind::Declined, RecordKind::Pulled, RecordKind::Left])
            | SeenKinds::appended(&[RecordKind::Left])
            | SeenKinds::FORGOT
            | SeenKinds::WIPED
    }

    fn see(&mut self, seen: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        match *seen {
            Seen::Appended { position, record: Record::Left { request, .. }, .. } => {
                self.on_left(position, *request, model);
            }
            Seen::Durable { node, position, record } => self.on_durable(node, position, record),
            Seen::Forgot { node: NodeId::CONTROL, from, .. } => _ = self.appended.split_off(&from),
            Seen::Wiped { node } => {
                self.refused.values_mut().for_each(|nodes| _ = nodes.remove(&node));
            }
            Seen::Sent { from, to, message, .. } => return self.on_sent(from, to, message, model),
            _ => {}
        }
        Ok(())
    }
}

impl RecordedRefusalIsDurableBeforeItLeaves {
    /// The lock server appends that a request has left, or that it never gets anywhere.
    fn on_left(&mut self, position: u64, request: RequestId, model: &Model) {
        let Some(lock) = model.locks.before(position) else { return };
        if !lock.is_held_by(request) && !lock.waits(request) {
            self.appended.insert(position, request);
        }
    }

    fn on_durable(&mut self, node: NodeId, position: u64, record: &Record) {
        match record {
            Record::Declined { request, .. } => {
                self.refuse(node, *request);
            }
            Record::Left { .. } => {
                if let Some(request) = self.appended.remove(&position) {
                    self.refuse(node, request);
                }
            }
            Record::Pulled { answers, .. } => {
                for handed in answers.iter() {
                    if let Handed::Declined(request, _) = handed {
                        self.refuse(node, *request);
                    }
                }
            }
            _ => {} // not asked for
        }
    }

    fn refuse(&mut self, node: NodeId, request: RequestId) {
        self.refused.entry(request).or_default().insert(node);
        self.ever_refused.entry(request).or_default().insert(node);
    }

    /// Has every owner of a path of the request forced it, in one of the views that there were?
    fn is_refused_by_all(&self, request: RequestId, model: &Model) -> bool {
        let (Some(config), Some(newest)) = (model.disks.managed(), model.views.newest()) else {
            return true;
        };
        let asked = model.requests.get(&model.origin(request));
        let operations = asked.and_then(operations);
        let (Some(operations), Some(nodes)) = (operations, self.ever_refused.get(&request)) else {
            return true;
        };
        let has_it = |placement: Rc<Placement>| {
            paths(&operations).all(|path| {
                placement.owners(config, path).iter().all(|owner| nodes.contains(owner))
            })
        };
        let mut epochs = (1..=newest.is.epoch.0).rev().map(Epoch);
        epochs.any(|epoch| model.views.placement(config, epoch).is_some_and(has_it))
    }

    fn on_sent(
        &self,
        from: NodeId,
        to: NodeId,
        message: &Message,
        model: &Model,
    ) -> Result<(), Breach> {
        let is_here = |nodes: &BTreeSet<NodeId>| nodes.contains(&from);
        match message {
            Message::Txn(TxnMessage::Executed {
                txn,
                vote: Vote::No(No::Refused { refusal, recorded: true }),
            }) => {
                let Some(request) = model.txns.get(txn).and_then(|txn| txn.request) else {
                    return Ok(());
                };
                self.judge(&Leaving { request, from, to, refusal }, is_here, model)
            }
            Message::Ended(Ended {
                request,
                end: AttemptEnd::Refused { refusal, recorded: true },
                ..
            }) => {
                let request = *request;
                if !is_waited_for(request, model) {
                    return Ok(()); // an owner need not keep it
                }
                self.judge(&Leaving { request, from, to, refusal }, |_| true, model)?;
                self.judge_owners(&Leaving { request, from, to, refusal }, model)
            }
            Message::LockAnswer(LockAnswer::LockRefused { request, refusal, .. }) => {
                let request = *request;
                self.judge(&Leaving { request, from, to, refusal }, is_here, model)
            }
            _ => Ok(()),
        }
    }

    fn judge(
        &self,
        leaving: &Leaving<'_>,
        will_do: impl FnOnce(&BTreeSet<NodeId>) -> bool,
        model: &Model,
    ) -> Result<(), Breach> {
        let Leaving { request, from, to, refusal } = *leaving;
        let is_there = || self.refused.get(&request).is_some_and(will_do);
        if !needs_a_record(*refusal) || is_there() {
            return Ok(());
        }
        let lacks = model.log_lacks(from, format_args!("refusal of {request}"));
        let now = format!("{from} tells {to} that {request} is refused for good: {refusal}");
        let now = Evidence::at(model.step, now).about(request);
        Err(Breach::of(lacks.about(request), now))
    }
}

impl RecordedRefusalIsDurableBeforeItLeaves {
    fn judge_owners(&self, leaving: &Leaving<'_>, model: &Model) -> Result<(), Breach> {
        let Leaving { request, from, to, refusal } = *leaving;
        if !needs_a_record(*refusal) || self.is_refused_by_all(request, model) {
            return Ok(());
        }
        let nodes = self.ever_refused.get(&request).into_iter().flatten();
        let nodes: Vec<String> = nodes.map(NodeId::to_string).collect();
        let is = format!("of the owners, {} have forced it", nodes.join(", "));
        let now = format!("{from} tells {to} that {request} is refused for good: {refusal}");
        Err(Breach::of(
            Evidence::at(model.step, is).about(request),
            Evidence::at(model.step, now).about(request),
        ))
    }
}

/// Does its client wait for the request still?
fn is_waited_for(request: RequestId, model: &Model) -> bool {
    let asked = model.requests.get(&model.origin(request));
    let is_answered = asked.is_some_and(|asked| asked.reply.is_some());
    model.life(request.client) <= request.incarnation && !is_answered
}

/// Could another attempt at the request, or a copy of the message, be answered otherwise? Not if
/// the request itself is wrong, and not if its client has said that it waits no more.
fn needs_a_record(refusal: Refusal) -> bool {
    match refusal {
        Refusal::Exists | Refusal::NotFound | Refusal::VersionIs(_) | Refusal::Fenced(_) => true,
        Refusal::Held | Refusal::QueueFull | Refusal::DiskFull => true,
        Refusal::BadOperationCount | Refusal::PathTooLong | Refusal::ContentsTooLong => false,
        Refusal::Malformed | Refusal::NotHeld | Refusal::Forgotten => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::*;

    const NAME: &str = "recorded_refusal_is_durable_before_it_leaves";

    fn declined() -> Record {
        Record::Declined { request: request(1, 1), refusal: Refusal::Exists }
    }

    fn refuses(refusal: Refusal, recorded: bool) -> Message {
        Message::Txn(TxnMessage::Executed {
            txn: txn(1),
            vote: Vote::No(No::Refused { refusal, recorded }),
        })
    }

    fn ended_refused() -> Message {
        let end = AttemptEnd::Refused { refusal: Refusal::Exists, recorded: true };
        Message::Ended(Ended { request: request(1, 1), attempt: 2, end })
    }

    fn play() -> Play {
        let mut play = Play::new(RecordedRefusalIsDurableBeforeItLeaves::default());
        play.at(1).sends(n(1), n(2), prepare(txn(1), &[n(2)], &["/a"]));
        play
    }

    #[test]
    fn a_recorded_refusal_that_is_only_appended_is_a_breach() {
        let mut play = play();
        play.at(2).appends(n(2), declined());
        play.at(3).sends(n(2), n(1), refuses(Refusal::Exists, true));
        play.is_broken_by(NAME, (0, "no refusal of c1.1#1"), (3, "n2 tells n1 that c1.1#1"));
        let mut play = self::play();
        play.at(2).appends(n(1), declined());
        play.at(3).sends(n(1), c(1), ended_refused());
        play.is_broken_by(NAME, (0, "no refusal of c1.1#1"), (3, "n1 tells c1 that c1.1#1"));
    }

    #[test]
    fn an_owner_with_the_record_of_another_is_a_breach() {
        let mut play = play();
        play.at(2).logs(n(3), declined());
        play.at(3).sends(n(2), n(1), refuses(Refusal::Exists, true));
        play.is_broken_by(NAME, (0, "no refusal of c1.1#1"), (3, "n2 tells n1 that c1.1#1"));
    }

    #[test]
    fn durable_handed_over_and_passed_on_are_none() {
        let mut play = play();
        play.at(2).logs(n(2), declined());
        play.at(3).sends(n(2), n(1), refuses(Refusal::Exists, true));
        play.at(4).loses_its_disk(n(2));
        play.at(5).sends(n(1), c(1), ended_refused());
        let answers = [Handed::Declined(request(1, 1), Refusal::Exists)].into();
        let pulled = Record::Pulled { files: [].into(), answers, replaced: Default::default() };
        play.at(6).logs(n(3), pulled);
        play.at(7).sends(n(3), n(1), refuses(Refusal::Exists, true));
        play.holds();
        play.at(8).sends(n(2), n(1), refuses(Refusal::Exists, true)).breaks();
    }

    #[test]
    fn what_is_not_said_to_be_recorded_or_never_changes_is_none() {
        let mut play = play();
        play.at(2).sends(n(2), n(1), refuses(Refusal::Exists, false));
        play.at(3).sends(n(2), n(1), refuses(Refusal::Malformed, true));
        play.holds();
    }

    fn lock_refused(refusal: Refusal) -> Message {
        Message::LockAnswer(LockAnswer::LockRefused {
            request: request(2, 1),
            path: path("/a"),
            refusal,
        })
    }

    #[test]
    fn a_lock_that_is_refused_before_that_is_durable_is_a_breach() {
        let mut play = play();
        play.at(2).appends(CONTROL, left("/a", request(2, 1)));
        play.at(3).sends(CONTROL, c(2), lock_refused(Refusal::Forgotten));
        play.holds();
        play.at(4).sends(CONTROL, c(2), lock_refused(Refusal::Held));
        play.is_broken_by(NAME, (0, "no refusal of c2.1#1"), (4, "control tells c2"));
        let mut play = self::play();
        play.at(2).logs(CONTROL, left("/a", request(2, 1)));
        play.at(3).sends(CONTROL, c(2), lock_refused(Refusal::Held));
        play.holds();
    }

    #[test]
    fn that_a_request_has_left_the_line_is_no_record_of_its_refusal() {
        let mut play = play();
        play.at(2).logs(CONTROL, queued("/a", request(2, 1)));
        play.at(3).logs(CONTROL, left("/a", request(2, 1)));
        play.at(4).appends(CONTROL, left("/a", request(2, 1)));
        play.at(5).syncs(CONTROL);
        play.at(6).sends(CONTROL, c(2), lock_refused(Refusal::QueueFull)).holds();
        let mut play = self::play();
        play.at(2).logs(CONTROL, queued("/a", request(2, 1)));
        play.at(3).logs(CONTROL, left("/a", request(2, 1)));
        play.at(4).appends(CONTROL, left("/a", request(2, 1)));
        play.at(5).sends(CONTROL, c(2), lock_refused(Refusal::QueueFull)).breaks();
    }

    #[test]
    fn a_refusal_that_a_crash_took_is_no_record() {
        let mut play = play();
        play.at(2).appends(CONTROL, left("/a", request(2, 1)));
        play.at(3).crashes(CONTROL).starts(CONTROL);
        play.at(4).logs(CONTROL, queued("/a", request(2, 1)));
        play.at(5).sends(CONTROL, c(2), lock_refused(Refusal::QueueFull)).breaks();
    }
}

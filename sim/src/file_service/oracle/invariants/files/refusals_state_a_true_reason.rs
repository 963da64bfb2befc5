//! No refusal without its reason.

use std::collections::BTreeSet;

use seedbed::machine::{NodeId, RequestId};
use seedbed::proto::{
    AttemptEnd, Ended, FileService, Message, MessageKind, Operation, Path, Record, RecordKind,
    Refusal, Reply, Request,
};

use crate::file_service::World;
use crate::file_service::oracle::model::reference::{limits, operations, program};
use crate::file_service::oracle::{
    Asked, Breach, Evidence, Invariant, Model, Moment, Seen, SeenKinds,
};

/// A request for files is refused only for a reason that is true: of what it asks, if it is beyond
/// the limits or makes no sense; otherwise of some committed state of one of its paths that was
/// current between the question and the refusal.
///
/// An owner that refuses for no reason breaks no promise about what is stored, so nothing else sees
/// it, and its users see nothing else. A request within the limits is never refused for them. What
/// is refused because its client does not wait for it any more is one that was answered, or one of
/// a life that is over. What is refused for a full disk changes a path of whose owners one had a
/// full disk meanwhile. With fixed membership that is the disk of the owner that records it; where
/// the centre manages the membership all owners record the refusal of one. Sequential specification
/// of failed operations: Herlihy, Wing, 1990, section 2.
#[derive(Clone, Debug)]
pub struct RefusalsStateATrueReason;

impl Invariant<FileService> for RefusalsStateATrueReason {
    fn interest(&self) -> SeenKinds {
        SeenKinds::durable(&[RecordKind::Declined])
            | SeenKinds::sent(&[MessageKind::Ended])
            | SeenKinds::REPLIED
    }

    fn see(
        &mut self,
        seen: &Seen<'_>,
        Moment { model, world, .. }: &Moment<'_>,
    ) -> Result<(), Breach> {
        let (node, says, request, refusal) = match *seen {
            // What the lock server records is for lock_refusals_state_a_true_reason to judge.
            Seen::Durable { node: NodeId::CONTROL, .. } => return Ok(()),
            Seen::Durable { node, record: Record::Declined { request, refusal }, .. } => {
                (node, "records", *request, *refusal)
            }
            Seen::Sent { from, message: Message::Ended(Ended { request, end, .. }), .. } => {
                match end {
                    AttemptEnd::Refused { refusal, .. } => (from, "answers", *request, *refusal),
                    AttemptEnd::Done(_) | AttemptEnd::Retry(_) => return Ok(()),
                }
            }
            Seen::Replied { request, reply: Reply::Refused(refusal) } => {
                (request.client, "tells its user", request, *refusal)
            }
            _ => return Ok(()),
        };
        let origin = model.origin(request);
        let Some(asked) = model.requests.get(&origin) else { return Ok(()) };
        let is_of_locks =
            matches!(seen, Seen::Replied { .. }) && !matches!(asked.wanted, Request::Files { .. });
        if is_of_locks {
            return Ok(()); // for lock_refusals_state_a_true_reason to say
        }
        let judged = match *seen {
            Seen::Replied { .. } if refusal == Refusal::Forgotten => {
                let is = format!("the client of {origin} has not answered it before");
                Err(Evidence::at(asked.asked.step, is))
            }
            Seen::Durable { .. }
                if refusal == Refusal::DiskFull
                    && model.disks.managed().is_none()
                    && !model.full_disks.was_full_since(node, asked.asked.step) =>
            {
                let is = format!("the disk of {node} has not been full since {origin} was asked");
                Err(Evidence::at(asked.asked.step, is))
            }
            _ => judge(origin, asked, refusal, model, world),
        };
        let Err(expected) = judged else { return Ok(()) };
        let is = format!("{node} {says} that {origin} is refused: {refusal}");
        Err(Breach::of(expected.about(origin), Evidence::at(model.step, is).about(origin)))
    }
}

/// Is the reason a true one?
fn judge(
    request: RequestId,
    asked: &Asked,
    refusal: Refusal,
    model: &Model,
    world: &World,
) -> Result<(), Evidence> {
    let since = asked.asked.step;
    let wanted = match (&asked.wanted, operations(asked)) {
        (_, Some(operations)) => operations,
        (Request::Files { operations, .. }, None) => operations.clone(),
        (Request::Acquire { .. } | Request::Release { .. }, None) => [].into(),
    };
    if refusal == Refusal::Forgotten {
        let is = format!("the client of {request} waits for it");
        let waits = asked.reply.is_none() && model.life(request.client) <= request.incarnation;
        return if waits { Err(Evidence::at(since, is)) } else { Ok(()) };
    }
    if let Err(right) = limits::check(&wanted, &world.config().limits) {
        let is = format!("{request} can only be refused as it stands: {right}");
        return if right == refusal { Ok(()) } else { Err(Evidence::at(since, is)) };
    }
    match refusal {
        Refusal::NotFound | Refusal::Exists | Refusal::VersionIs(_) | Refusal::Fenced(_) => {
            judge_by_state(request, &wanted, refusal, since, model)
        }
        Refusal::DiskFull => judge_by_disks(request, &wanted, since, model, world),
        Refusal::PathTooLong | Refusal::ContentsTooLong | Refusal::BadOperationCount => {
            Err(Evidence::at(since, format!("{request} is within the limits")))
        }
        Refusal::Malformed => Err(Evidence::at(since, format!("{request} makes sense"))),
        Refusal::Held | Refusal::NotHeld | Refusal::QueueFull | Refusal::Forgotten => {
            Err(Evidence::at(since, format!("{request} is for files")))
        }
    }
}

fn judge_by_disks(
    request: RequestId,
    operations: &[Operation],
    since: u64,
    model: &Model,
    world: &World,
) -> Result<(), Evidence> {
    let changing = operations.iter().filter(|operation| !operation.action.is_read());
    let changing: Vec<Operation> = changing.cloned().collect();
    if model.disk_of_an_owner_was_full(program::paths(&changing), since, world.config()) {
        return Ok(());
    }
    let is = format!("since then no owner of a path that {request} changes has had a full disk");
    Err(Evidence::at(since, is))
}

fn judge_by_state(
    request: RequestId,
    operations: &[Operation],
    refusal: Refusal,
    since: u64,
    model: &Model,
) -> Result<(), Evidence> {
    let paths: BTreeSet<&Path> = program::paths(operations).collect();
    let is_true = |path: &&Path| {
        let mut states = model.reference.states(path).since(since);
        states.any(|state| match &state.stored {
            Some(stored) => program::refusal_on(path, stored, operations) == Some(refusal),
            None => true, // it is uncertain
        })
    };
    if paths.iter().any(is_true) {
        return Ok(());
    }
    let (mut words, mut newest) = (Vec::new(), since);
    for path in &paths {
        for state in model.reference.states(path).since(since) {
            newest = newest.max(state.step);
            words.extend(state.stored.as_ref().map(|stored| format!("{path} was {stored}")));
        }
    }
    let is = format!("since {request} was asked, {}", words.join(", "));
    Err(Evidence::at(newest, is).about_all(paths))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{
        Play, begin, c, claim, create, decided_for, delete, deleted, fenced, files, n, read, reads,
        rename, request, txn, with_token, write,
    };
    use seedbed::proto::{Action, Token, Version};

    /// `/a` was written, `/c` was claimed under token 5.
    fn play() -> Play {
        let mut play = Play::new(RefusalsStateATrueReason);
        play.asks(request(1, 1), &[write("/a", "x")]);
        play.forces(n(1), decided_for(request(1, 1), txn(1), &[], "/a", 1, "x"));
        play.asks(request(1, 2), &[claim("/c", 5)]);
        play.forces(n(1), fenced(request(1, 2), txn(2), "/c", 0, "", 5));
        play
    }

    /// Is it right to refuse the operations?
    fn may_refuse(operations: &[Operation], refusal: Refusal) -> bool {
        let mut play = play();
        play.asks(request(1, 3), operations).replies(request(1, 3), Reply::Refused(refusal));
        play.is_lawful()
    }

    #[test]
    fn a_reason_that_is_true_is_none_and_any_other_is_a_breach() {
        let if_at = |version| Operation {
            action: Action::Write("y".into(), Some(Version(version))),
            ..write("/a", "")
        };
        let (fenced, version) = (Refusal::Fenced(Token(5)), Refusal::VersionIs(Version(1)));
        for (operation, refusal) in [
            (create("/a", "y"), Refusal::Exists),
            (delete("/b"), Refusal::NotFound),
            (rename("/b", "/d"), Refusal::NotFound),
            (if_at(2), version),
            (write("/c", "y"), fenced),
            (with_token(write("/c", "y"), 4), fenced),
            (rename("/a", "/c"), fenced),
        ] {
            let all = [Refusal::Exists, Refusal::NotFound, version, fenced];
            for other in all {
                let is_right = may_refuse(std::slice::from_ref(&operation), other);
                assert_eq!(is_right, other == refusal, "{operation:?}: {other}");
            }
        }
    }

    #[test]
    fn a_reason_that_was_true_for_a_while_is_none() {
        let mut play = play();
        play.asks(request(1, 3), &[delete("/a")]);
        play.requests(request(2, 1), files(&[create("/a", "y")]));
        play.forces(n(1), deleted(request(1, 3), txn(3), "/a", 2));
        play.replies(request(2, 1), Reply::Refused(Refusal::Exists)).holds();
        play.requests(request(2, 2), files(&[create("/a", "y")]));
        play.replies(request(2, 2), Reply::Refused(Refusal::Exists)).breaks();
    }

    #[test]
    fn several_operations_are_judged_path_by_path_in_their_order() {
        let both = [delete("/a"), create("/a", "y")];
        assert!(!may_refuse(&both, Refusal::Exists));
        assert!(may_refuse(&[both[0].clone(), both[0].clone()], Refusal::NotFound));
        assert!(may_refuse(&[create("/a", "y"), delete("/b")], Refusal::Exists));
        assert!(may_refuse(&[create("/a", "y"), delete("/b")], Refusal::NotFound));
    }

    #[test]
    fn limits_are_refused_for_the_right_reason_and_nothing_else_is() {
        let long = format!("/{}", "x".repeat(2000));
        assert!(may_refuse(&[read("/a"), read(&long)], Refusal::PathTooLong));
        assert!(!may_refuse(&[read("/a"), read(&long)], Refusal::BadOperationCount));
        assert!(!may_refuse(&[write("/a", "y")], Refusal::PathTooLong));
        assert!(!may_refuse(&[write("/a", "y")], Refusal::Malformed));
        assert!(may_refuse(&[rename("/a", "/b"), read("/a")], Refusal::Malformed));
        assert!(may_refuse(&[], Refusal::BadOperationCount));
        assert!(!may_refuse(&[], Refusal::NotFound));
        assert!(!may_refuse(&[write("/a", "y")], Refusal::Held));
    }

    #[test]
    fn a_full_disk_is_a_reason_for_what_changes_a_path_of_its_owner_since_it_was_asked() {
        let refuses = |filled: bool, emptied: bool, operation| {
            let mut play = play();
            if filled {
                play.is_told_of_disk(n(2), true);
            }
            if emptied {
                play.is_told_of_disk(n(2), false).wakes(n(2));
            }
            play.asks(request(1, 3), &[operation]);
            play.replies(request(1, 3), Reply::Refused(Refusal::DiskFull)).is_lawful()
        };
        assert!(refuses(true, false, write("/a", "y")));
        assert!(!refuses(true, true, write("/a", "y")), "it had room again");
        assert!(!refuses(false, false, write("/a", "y")));
        assert!(!refuses(true, false, read("/a")), "it changes nothing");
    }

    #[test]
    fn an_owner_records_its_own_full_disk_and_no_other() {
        let declines = |node| {
            let mut play = play();
            play.is_told_of_disk(n(2), true).asks(request(1, 3), &[write("/a", "y")]);
            let refusal = Refusal::DiskFull;
            play.forces(node, Record::Declined { request: request(1, 3), refusal });
            play
        };
        declines(n(2)).holds();
        declines(n(3)).breaks();
    }

    #[test]
    fn a_request_that_is_waited_for_is_not_forgotten() {
        let declines = |record| {
            let mut play = play();
            play.requests(request(1, 3), reads(&["/a", "/b"]));
            play.sends(c(1), n(1), begin(request(1, 3), request(1, 3), &[read("/a"), read("/b")]));
            if record {
                play.replies(request(1, 3), Reply::Unknown);
            }
            let refusal = Refusal::Forgotten;
            play.forces(n(2), Record::Declined { request: request(1, 3), refusal });
            play
        };
        declines(true).holds();
        declines(false).breaks();
        assert!(!may_refuse(&[write("/a", "y")], Refusal::Forgotten), "no user is told");
    }
    #[test]
    fn a_file_that_has_begun_again_is_not_there() {
        let refused = |operation, refusal| {
            let mut play = Play::managed(RefusalsStateATrueReason);
            play.is_complete(n(1), 1).asks(request(1, 1), &[write("/a", "x")]);
            play.forces(n(1), decided_for(request(1, 1), txn(1), &[], "/a", 1, "x"));
            play.loses_its_disk(n(1)).accepts_the_loss_of(&[n(1)]);
            play.asks(request(1, 2), &[operation]);
            play.replies(request(1, 2), Reply::Refused(refusal)).is_lawful()
        };
        assert!(!refused(create("/a", "y"), Refusal::Exists));
        assert!(refused(delete("/a"), Refusal::NotFound));
    }
}

//! An attempt that is refused for a conflict has met an older one.

use std::collections::BTreeMap;
use std::sync::Arc;

use seedbed::machine::{Incarnation, NodeId, RequestId};
use seedbed::proto::{
    Action, Age, AttemptEnd, Ended, FileRequest, FileService, Message, MessageKind, No, Path,
    Record, RecordKind, Retry, Session, TxnId, TxnMessage, Vote, Voted,
};

use super::{counted, rank};
use crate::file_service::oracle::PerNode;
use crate::file_service::oracle::model::reference::program::paths;
use crate::file_service::oracle::{Breach, Evidence, Invariant, Model, Moment, Seen, SeenKinds};

/// Where an owner refuses an attempt for a conflict, an older attempt that wants one of the same
/// paths was under way there at some time between the arrival of the one and its refusal.
///
/// So each refusal takes an older attempt, and the oldest of all is never refused: the attempts at
/// a request are bounded by the older ones that it meets. Rosenkrantz, Stearns, Lewis, "System
/// Level Concurrency Control for Distributed Database Systems", ACM TODS 3(2), 1978, for wait-die.
///
/// Ages and paths are those of `Begin`, `Prepare` and the vote. An attempt is under way from the
/// arrival of the message until the owner refuses it, is told that it has aborted, or has durably
/// recorded the outcome, at its coordinator until that says how it has ended; a crash ends all but
/// durable votes. When an owner gives up what it has pinned is not to be seen: such an attempt
/// counts until a younger one that comes later votes on its path. A rename may be refused because
/// its source has changed, and is left out; a coordinator may pass on the refusal of a participant.
#[derive(Clone, Debug, Default)]
pub struct AttemptsYieldOnlyToOlderOnes {
    owners: PerNode<Attempts>,
}

/// The attempts at one owner.
#[derive(Clone, Debug, Default)]
struct Attempts {
    under_way: Vec<Attempt>,
    /// By client: which messages of its session have been taken.
    taken: BTreeMap<NodeId, Taken>,
}

/// Messages of a session: each is taken once.
#[derive(Clone, Debug, Default)]
struct Taken {
    life: Incarnation,
    lowest: u32,
    numbers: Vec<u32>,
}

#[derive(Clone, Debug)]
struct Attempt {
    name: Name,
    request: RequestId,
    age: Age,
    paths: Arc<[Path]>,
    /// The step in which it has arrived.
    since: u64,
    /// Was an older one under way together with it?
    has_met_older: bool,
    stage: Stage,
}

/// The answer to a client names no transaction, and the vote of a participant no attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    Coordinated(RequestId, u32),
    Part(TxnId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// It wants pins, or has them.
    Open,
    /// It has a vote, which has this position in the log.
    Voted(u64),
    /// It is over; a refusal that was put together before may still leave.
    Over,
}

impl Invariant<FileService> for AttemptsYieldOnlyToOlderOnes {
    fn interest(&self) -> SeenKinds {
        SeenKinds::received(&[MessageKind::Begin, MessageKind::Prepare])
            | SeenKinds::received(&[MessageKind::Abort, MessageKind::Decline])
            | SeenKinds::sent(&[MessageKind::Executed, MessageKind::Ended])
            | SeenKinds::appended(&[RecordKind::Voted, RecordKind::Entered])
            | SeenKinds::durable(&[RecordKind::Applied, RecordKind::RolledBack])
            | SeenKinds::CRASHED
            | SeenKinds::WIPED
    }

    fn see(&mut self, seen: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        match *seen {
            Seen::Received { to, message, .. } => self.on_received(to, message, model),
            Seen::Sent { from, message, .. } => return self.on_sent(from, message, model),
            Seen::Appended { node, position, record, .. } => {
                self.on_appended(node, position, record, model.step);
            }
            Seen::Durable {
                node,
                record: Record::Applied { txn, .. } | Record::RolledBack { txn },
                ..
            } => {
                self.owners.slot(node).remove_if(Name::Part(*txn), |_| true);
            }
            Seen::Crashed { node } => self.owners.slot(node).on_crashed(model.log(node).durable),
            Seen::Wiped { node } => *self.owners.slot(node) = Attempts::default(),
            _ => {}
        }
        Ok(())
    }
}

impl AttemptsYieldOnlyToOlderOnes {
    fn on_received(&mut self, to: NodeId, message: &Message, model: &Model) {
        match message {
            Message::FileRequest(FileRequest::Begin {
                session,
                request,
                attempt,
                age,
                operations,
                ..
            }) => {
                let attempts = self.owners.slot(to);
                if session.node == model.life(to) && attempts.takes(*request, *session) {
                    let name = Name::Coordinated(*request, *attempt);
                    let paths = paths(operations).cloned().collect();
                    attempts.begin((name, *request), *age, paths, is_held(to, model), model.step);
                }
            }
            Message::Txn(TxnMessage::Prepare { header, terms, paths, .. }) => {
                let (name, attempts) = (Name::Part(header.txn), self.owners.slot(to));
                if attempts.get(name).is_none() {
                    let (name, held) = ((name, terms.request), is_held(to, model));
                    attempts.begin(name, terms.age, paths.clone(), held, model.step);
                }
            }
            Message::Txn(TxnMessage::Abort { header } | TxnMessage::Decline { header, .. }) => {
                if let Some(known) = self.owners.slot(to).get(Name::Part(header.txn)) {
                    known.let_go();
                }
            }
            _ => {}
        }
    }

    fn on_sent(&mut self, from: NodeId, message: &Message, model: &Model) -> Result<(), Breach> {
        let (name, is_conflict) = match message {
            Message::Txn(TxnMessage::Executed { txn, vote: Vote::No(no) }) => {
                let is_conflict = *no == No::Conflict;
                if is_conflict {
                    self.is_passed_on(*txn, model);
                }
                (Name::Part(*txn), is_conflict)
            }
            // It belongs to another life of the node.
            Message::Ended(Ended { end: AttemptEnd::Retry(Retry::Session(_)), .. }) => {
                return Ok(());
            }
            Message::Ended(Ended { request, attempt, end }) => {
                let is_conflict = *end == AttemptEnd::Retry(Retry::Conflict);
                (Name::Coordinated(*request, *attempt), is_conflict)
            }
            _ => return Ok(()),
        };
        // A vote may be followed by the no to a copy of the question.
        let has_no_vote = |known: &Attempt| !matches!(known.stage, Stage::Voted(_));
        match self.owners.slot(from).remove_if(name, has_no_vote) {
            Some(ended) if is_conflict => judge(from, &ended, model),
            Some(_) | None => Ok(()),
        }
    }

    /// The coordinator will refuse the attempt because a participant does, which is judged there.
    fn is_passed_on(&mut self, txn: TxnId, model: &Model) {
        let Some(begun) = model.txns.get(&txn).and_then(|known| known.begun.as_ref()) else {
            return;
        };
        let name = Name::Coordinated(begun.is.request, begun.is.attempt);
        if let Some(known) = self.owners.slot(txn.coordinator).get(name) {
            known.has_met_older = true;
        }
    }

    fn on_appended(&mut self, node: NodeId, position: u64, record: &Record, step: u64) {
        let attempts = self.owners.slot(node);
        match record {
            Record::Voted(Voted { txn, .. }) => attempts.on_voted(Name::Part(*txn), position),
            // The node gives up all that is no vote. What it coordinates ends with a message.
            Record::Entered { .. } => {
                let parts = attempts.under_way.iter_mut();
                let older = parts.filter(|known| known.since < step);
                older.filter(|known| matches!(known.name, Name::Part(_))).for_each(Attempt::let_go);
            }
            _ => {} // it begins and ends no attempt
        }
    }
}

impl Attempts {
    fn get(&mut self, name: Name) -> Option<&mut Attempt> {
        self.under_way.iter_mut().find(|known| known.name == name)
    }

    fn remove_if(&mut self, name: Name, is_it: impl Fn(&Attempt) -> bool) -> Option<Attempt> {
        let at = self.under_way.iter().position(|known| known.name == name)?;
        is_it(&self.under_way[at]).then(|| self.under_way.swap_remove(at))
    }

    /// The node is left with the votes that are durable.
    fn on_crashed(&mut self, durable: u64) {
        self.taken.clear();
        self.under_way.retain(|known| matches!(known.stage, Stage::Voted(at) if at < durable));
    }

    /// Is it the first copy of this message of the session?
    fn takes(&mut self, request: RequestId, session: Session) -> bool {
        let life = request.incarnation;
        let taken = self.taken.entry(request.client).or_default();
        if life > taken.life {
            *taken = Taken { life, ..Taken::default() };
        }
        if life < taken.life {
            return false; // it says nothing of the session of this life
        }
        let is_copy = session.number < taken.lowest || taken.numbers.contains(&session.number);
        if !is_copy {
            taken.numbers.push(session.number);
        }
        if session.lowest > taken.lowest {
            taken.lowest = session.lowest;
            taken.numbers.retain(|number| *number >= session.lowest);
        }
        !is_copy
    }

    /// An attempt has arrived: of two that meet, the younger one has met an older one.
    fn begin(
        &mut self,
        (name, request): (Name, RequestId),
        age: Age,
        paths: Arc<[Path]>,
        is_held: bool,
        since: u64,
    ) {
        self.under_way.retain(|known| is_held || known.stage != Stage::Over);
        let (has_met_older, stage) = (false, Stage::Open);
        let mut new = Attempt { name, request, age, paths, since, has_met_older, stage };
        for known in self.under_way.iter_mut().filter(|known| known.stage != Stage::Over) {
            if known.meets(&new.paths) {
                new.has_met_older |= rank(known.age) <= rank(age);
                known.has_met_older |= rank(age) <= rank(known.age);
            }
        }
        self.under_way.push(new);
    }

    /// `name` votes, so it got its pins after it had come. Any that had come before, is older,
    /// wants one of the paths and has no vote was over by then, and the node did not say so.
    fn on_voted(&mut self, name: Name, position: u64) {
        let Some(voted) = self.get(name) else { return };
        voted.stage = Stage::Voted(position);
        let (since, age, paths) = (voted.since, voted.age, voted.paths.clone());
        let parts = self.under_way.iter_mut();
        parts
            .filter(|known| matches!(known.name, Name::Part(_)) && known.since < since)
            .filter(|known| rank(known.age) < rank(age) && known.meets(&paths))
            .for_each(Attempt::let_go);
    }
}

impl Attempt {
    fn meets(&self, paths: &[Path]) -> bool {
        self.paths.iter().any(|path| paths.contains(path))
    }

    fn let_go(&mut self) {
        if self.stage == Stage::Open {
            self.stage = Stage::Over;
        }
    }
}

/// Does `node` hold back messages, until a record is durable?
fn is_held(node: NodeId, model: &Model) -> bool {
    let log = model.log(node);
    log.forced > log.durable
}

fn renames(request: RequestId, model: &Model) -> bool {
    let asked = model.requests.get(&model.origin(request));
    let operations = asked.and_then(|asked| asked.operations.as_ref());
    operations.is_none_or(|all| all.iter().any(|one| matches!(one.action, Action::Rename(..))))
}

/// Is `node` right to refuse it for a conflict?
fn judge(node: NodeId, refused: &Attempt, model: &Model) -> Result<(), Breach> {
    let request = refused.request;
    if refused.has_met_older || renames(request, model) {
        return Ok(());
    }
    let earlier = format!(
        "an attempt at {request}, which has waited {}, comes to {node}",
        counted(refused.age)
    );
    let now = format!(
        "{node} refuses the attempt at {request} for a conflict, and no older one for its paths was \
         under way there since"
    );
    Err(Breach::of(
        Evidence::at(refused.since, earlier).about(request),
        Evidence::at(model.step, now).about(request),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::*;
    use seedbed::machine::Span;
    use seedbed::proto::Operation;

    /// `Prepare` of an attempt at a request of this client that has waited so long.
    fn prepared(txn: TxnId, client: u16, waited: u64) -> Message {
        let mut message = prepare(txn, &[n(2)], &["/a"]);
        let Message::Txn(TxnMessage::Prepare { terms, .. }) = &mut message else { unreachable!() };
        terms.request = request(client, 1);
        terms.age = Age { waited: Span::from_nanos(waited), request: terms.request };
        message
    }

    fn c2_asks(operations: &[Operation]) -> Play {
        let mut play = Play::new(AttemptsYieldOnlyToOlderOnes::default());
        play.asks(request(2, 1), operations);
        play
    }

    /// An attempt of c1 and one of c2 that have waited so long come to n2, one after the other,
    /// and the second one is refused.
    fn second_is_refused(first: u64, second: u64) -> Play {
        let mut play = c2_asks(&[write("/a", "2")]);
        play.receives(n(1), n(2), prepared(txn(1), 1, first));
        play.receives(n(3), n(2), prepared(txn_of(n(3), 1), 2, second));
        play
    }

    fn refuses(play: &mut Play) -> &mut Play {
        play.sends(n(2), n(3), vote_no(txn_of(n(3), 1)))
    }

    #[test]
    fn an_attempt_is_refused_by_a_younger_one() {
        let breach = refuses(&mut second_is_refused(1, 2)).breaks();
        assert_eq!(
            breach.earlier.is,
            "an attempt at c2.1#1, which has waited 0.00 us or more, comes to n2"
        );
        assert!(breach.now.is.contains("n2 refuses the attempt at c2.1#1"), "{breach:?}");
        refuses(&mut second_is_refused(2, 1)).holds();
    }

    #[test]
    fn an_older_one_counts_by_its_name_and_also_if_it_comes_later() {
        refuses(&mut second_is_refused(1, 1)).holds();
        refuses(&mut second_is_refused(2, 3)).holds();
        let mut play = second_is_refused(1, 2);
        play.receives(n(1), n(2), prepared(txn(2), 1, 3));
        refuses(&mut play).holds();
    }

    #[test]
    fn one_that_was_over_before_does_not_count() {
        let mut play = second_is_refused(3, 1);
        play.receives(n(1), n(2), abort(txn(1)));
        refuses(&mut play).holds();
        let mut play = c2_asks(&[write("/a", "2")]);
        play.receives(n(1), n(2), prepared(txn(1), 1, 3)).receives(n(1), n(2), abort(txn(1)));
        play.receives(n(3), n(2), prepared(txn_of(n(3), 1), 2, 1));
        refuses(&mut play).breaks();
    }

    #[test]
    fn a_crash_leaves_what_is_voted_durably() {
        for (is_durable, is_lawful) in [(true, true), (false, false)] {
            let mut play = c2_asks(&[write("/a", "2")]);
            play.receives(n(1), n(2), prepared(txn(1), 1, 3));
            play.appends(n(2), voted(txn(1), "/a", 1, "1"));
            if is_durable {
                play.syncs(n(2));
            }
            play.crashes(n(2)).starts(n(2));
            play.receives(n(3), n(2), prepared(txn_of(n(3), 1), 2, 1));
            assert_eq!(refuses(&mut play).is_lawful(), is_lawful);
        }
    }

    #[test]
    fn what_comes_late_from_an_earlier_life_says_nothing_of_the_session_of_this_one() {
        let mut attempts = Attempts::default();
        let mut takes = |life, number| {
            let request = RequestId { incarnation: Incarnation(life), ..request(1, 1) };
            attempts.takes(request, Session { node: Incarnation(1), number, lowest: number })
        };
        let taken = [(2, 1), (1, 51), (2, 2), (2, 2)].map(|(life, number)| takes(life, number));
        assert_eq!(taken, [true, false, true, false]);
    }

    #[test]
    fn a_rename_may_find_that_its_source_has_moved() {
        let mut play = c2_asks(&[rename("/a", "/b")]);
        play.receives(n(3), n(2), prepared(txn_of(n(3), 1), 2, 1));
        refuses(&mut play).holds();
    }
}

//! What users are told is as if their requests had happened one at a time, each while it was open.

use crate::history::witness::{Contradiction, Operation, Outcome, State, Told, Witness};
use crate::oracle::model::in_words;
use crate::oracle::{Asked, Breach, Evidence, Invariant, Model, Seen, SeenKinds};
use crate::world::World;
use seedbed::proto::{
    Action, Contents, Operation as Asks, Outcome as Gave, Path, Record, RecordKind, Reply, Request,
    RequestId, Role, TxnId, Version,
};

/// The order of the commits explains every answer of a request on files: each took effect between
/// asking and answering, and was told what executing all of them in this order gives.
///
/// That is strict serializability of transactions (Papadimitriou, JACM 26(4), 1979), and for reads
/// of one file, which are no transactions, linearizability (Herlihy, Wing, "Linearizability",
/// TOPLAS 12(3), 1990). The commit point of a transaction is the step in which its decision becomes
/// durable; [`Witness`] says why this order is a proof. It is what a user can see of the whole
/// service, and so the last net: invariants that say which record is wrong stand before this one.
///
/// When the operator accepts a loss, the files concerned are in an uncertain state until the next
/// commit there, which is believed; that of a rename is believed on both of its files, because what
/// it moves is uncertain. What a refusal says of a file is judged elsewhere.
#[derive(Default)]
pub struct HistoriesAreStrictlySerializable {
    witness: Witness<RequestId, Path, Contents>,
    /// How many commits were taken over.
    commits: u64,
    /// Has the operator accepted the loss of a file?
    is_any_lost: bool,
}

impl Invariant for HistoriesAreStrictlySerializable {
    fn interest(&self) -> SeenKinds {
        SeenKinds::REQUESTED
            | SeenKinds::REPLIED
            | SeenKinds::CRASHED
            | SeenKinds::durable(&[
                RecordKind::Decided,
                RecordKind::Applied,
                RecordKind::LossAccepted,
            ])
    }

    fn see(&mut self, seen: &Seen<'_>, model: &Model, _: &World) -> Result<(), Breach> {
        match *seen {
            Seen::Requested { request, wanted: Request::Files { operations, .. } } => {
                self.witness.asked(request, operations.iter().map(operation).collect());
            }
            Seen::Durable {
                record: Record::Decided { txn, .. } | Record::Applied { txn, .. },
                ..
            } if model.commits > self.commits => {
                self.commits = model.commits;
                return self.on_commit(*txn, model);
            }
            Seen::Durable { record: Record::LossAccepted { .. }, .. } => self.on_loss(model),
            Seen::Replied { request, reply } if is_on_files(request, model) => {
                return self.on_replied(request, reply, model);
            }
            Seen::Crashed { node } if node.role() == Role::Client => {
                self.witness.abandoned(|request| request.client == node);
            }
            _ => {}
        }
        Ok(())
    }
}

impl HistoriesAreStrictlySerializable {
    fn on_commit(&mut self, id: TxnId, model: &Model) -> Result<(), Breach> {
        let Some(txn) = model.txns.get(&id) else { return Ok(()) };
        let Some(request) = txn.origin.or(txn.request) else { return Ok(()) };
        let has_a_point = is_on_files(request, model);
        if has_a_point {
            let had_its_point = self.witness.point(&request);
            had_its_point.map_err(|why| not_now(&why, request, id, model))?;
        }
        if !self.is_any_lost {
            return Ok(()); // all files are certain
        }
        for (path, file) in txn.changes() {
            if self.witness.is_certain(path) {
                continue;
            }
            // The first commit after a loss says what the file is.
            let contents = Some(file.contents.clone());
            let state = State { version: Some(file.version.0), contents };
            match has_a_point {
                true => self.witness.corrected(path.clone(), state),
                false => self.witness.replaced(path.clone(), state),
            }
        }
        Ok(())
    }

    fn on_loss(&mut self, model: &Model) {
        for path in model.files.given_up() {
            let history = model.files.get(path);
            if history.is_some_and(|history| history.given_up == Some(model.step)) {
                self.witness.replaced(path.clone(), State::UNCERTAIN);
                self.is_any_lost = true;
            }
        }
    }

    fn on_replied(
        &mut self,
        request: RequestId,
        reply: &Reply,
        model: &Model,
    ) -> Result<(), Breach> {
        let told = match reply {
            Reply::Done(answer) => Told::Done(answer.iter().map(outcome).collect()),
            Reply::Refused(_) => Told::Refused,
            Reply::Unknown => Told::Unknown,
            Reply::Acquired(_) | Reply::Released => return Ok(()), // of requests on locks
        };
        let judged = self.witness.told(&request, &told);
        judged.map_err(|why| not_explained(&why, request, reply, model))
    }
}

/// Is it a request on files, as far as is known?
fn is_on_files(request: RequestId, model: &Model) -> bool {
    match model.requests.wanted(request) {
        Some(Request::Files { .. }) | None => true,
        Some(Request::Acquire { .. } | Request::Release { .. }) => false,
    }
}

fn operation(asked: &Asks) -> Operation<Path, Contents> {
    let path = asked.path.clone();
    match &asked.action {
        Action::Read => Operation::Read(path),
        Action::Create(contents) | Action::Write(contents, _) | Action::Place(contents) => {
            Operation::Write(path, contents.clone())
        }
        Action::Delete(_) | Action::Remove(_) => Operation::Delete(path),
        Action::Rename(to, _) => Operation::Rename(path, to.clone()),
        Action::Claim => Operation::Touch(path),
    }
}

fn outcome(gave: &Gave) -> Outcome<Contents> {
    match gave {
        Gave::Found(version, contents) => Outcome::Found(version.0, contents.clone()),
        Gave::Changed(version) => Outcome::Changed(version.0),
    }
}

fn of_witness(outcome: &Outcome<Contents>) -> String {
    match outcome {
        Outcome::Found(version, contents) => in_words(Version(*version), contents.as_ref()),
        Outcome::Changed(version) => format!("v{version}"),
    }
}

/// A transaction commits when its request cannot take effect.
fn not_now(why: &Contradiction<Contents>, request: RequestId, id: TxnId, model: &Model) -> Breach {
    let client = request.client;
    let before = model.effects.of(request).filter(|first| first.is.0 != id);
    let reply = model.requests.get(&request).and_then(|asked| asked.reply.as_ref());
    let earlier = match (why, before, reply) {
        (Contradiction::SecondPoint, Some(first), _) => {
            let is = format!("transaction {} committed for {request}", first.is.0);
            Evidence::at(first.step, is).about(first.is.0)
        }
        (_, _, Some(reply)) => {
            let is = format!("{client} told its user of {request}: {}", told_in_words(&reply.is));
            Evidence::at(reply.step, is)
        }
        (_, _, None) => {
            Evidence::at(model.step, format!("no user has asked {client} for {request}"))
        }
    };
    let now = format!("transaction {id} commits for {request}, which is not open");
    Breach::of(earlier.about(request), Evidence::at(model.step, now).about(id).about(request))
}

/// The order of the commits does not explain an answer.
fn not_explained(
    why: &Contradiction<Contents>,
    request: RequestId,
    reply: &Reply,
    model: &Model,
) -> Breach {
    let asked = model.requests.get(&request);
    let effect = model.effects.of(request);
    let earlier = match (why, effect) {
        (Contradiction::OtherOutcome { place, expected }, Some(effect)) => {
            let (txn, number) = (effect.is.0, place + 1);
            let gives = expected.as_ref().map_or("nothing".to_owned(), of_witness);
            let is = format!(
                "{txn} committed for {request}; executed in the order of commits, its operation \
                 {number} gives {gives}"
            );
            Evidence::at(effect.step, is).about(txn)
        }
        (Contradiction::RefusedWithAPoint, Some(effect)) => {
            let is = format!("transaction {} committed for {request}", effect.is.0);
            Evidence::at(effect.step, is).about(effect.is.0)
        }
        (Contradiction::NeverCurrent { place }, _) => not_current(asked, *place, reply, model),
        (Contradiction::NeverCurrentTogether, _) => {
            let is = "what it found was never current at one moment since it was asked";
            Evidence::at(asked.map_or(model.step, |asked| asked.asked.step), is)
        }
        (Contradiction::NotAsked, _) => {
            Evidence::at(model.step, format!("no answer to {request} is due"))
        }
        (_, _) => Evidence::at(model.step, format!("no transaction has committed for {request}")),
    };
    let since =
        asked.map_or(String::new(), |asked| format!(", asked in step {}", asked.asked.step));
    let (client, told) = (request.client, told_in_words(reply));
    let now = format!("{client} tells its user of {request}{since}: {told}");
    Breach::of(earlier.about(request), Evidence::at(model.step, now).about(request))
}

/// What was committed instead of what the read at `place` found.
fn not_current(asked: Option<&Asked>, place: usize, reply: &Reply, model: &Model) -> Evidence {
    let (path, version) = match (asked.map(|asked| &asked.wanted), reply) {
        (Some(Request::Files { operations, .. }), Reply::Done(answer)) => {
            match (operations.get(place), answer.get(place)) {
                (Some(asks), Some(Gave::Found(version, _))) => (&asks.path, *version),
                (_, _) => return Evidence::at(model.step, "the answer is to another question"),
            }
        }
        (_, _) => return Evidence::at(model.step, "the answer is to another question"),
    };
    let history = model.files.get(path);
    let replaced = history.and_then(|history| history.after_version(version));
    match (replaced, history.and_then(|history| history.committed.last())) {
        (Some(next), _) => {
            let txn = next.txn;
            let is = format!("{txn} replaced {path} {version} by {}", next.file.version);
            Evidence::at(next.step, is).about(txn).about(path)
        }
        (None, Some(last)) => {
            let (txn, was) = (last.txn, in_words(last.file.version, last.file.contents.as_ref()));
            let is = format!("{txn} left {path} as {was}, the newest commit");
            Evidence::at(last.step, is).about(txn).about(path)
        }
        (None, None) => {
            Evidence::at(0, format!("nothing was ever committed to {path}")).about(path)
        }
    }
}

fn told_in_words(reply: &Reply) -> String {
    match reply {
        Reply::Done(answer) => {
            let outcomes: Vec<String> =
                answer.iter().map(|gave| of_witness(&outcome(gave))).collect();
            format!("done ({})", outcomes.join(", "))
        }
        Reply::Refused(refusal) => format!("refused, {refusal}"),
        Reply::Unknown => "unknown".to_owned(),
        Reply::Acquired(token) => format!("acquired under {token}"),
        Reply::Released => "released".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::tests::{
        CONTROL, Play, c, changed, decided_answer, decided_for, done, files, found, loss_accepted,
        n, read, rename, request, txn, txn_of, voted_gone, write,
    };
    use seedbed::proto::Refusal;

    const NAME: &str = "histories_are_strictly_serializable";

    /// c1 writes /a, which commits in step 2.
    fn written_in(mut play: Play) -> Play {
        play.requests(request(1, 1), files(&[write("/a", "x")]));
        play.logs(n(1), decided_for(request(1, 1), txn(1), &[], "/a", 1, "x"));
        play
    }

    fn written() -> Play {
        written_in(Play::new(HistoriesAreStrictlySerializable::default()))
    }

    #[test]
    fn of_two_reads_the_later_finds_an_older_state() {
        let mut play = written();
        play.requests(request(2, 1), files(&[read("/a")]));
        play.replies(request(2, 1), done(&[found(1, Some("x"))]));
        play.requests(request(2, 2), files(&[read("/a")]));
        play.replies(request(2, 2), done(&[found(0, None)]));
        let now = "of c2.1#2, asked in step 5: done (no file yet)";
        play.is_broken_by(NAME, (2, "n1.1/1 replaced /a v0 by v1"), (6, now));
    }

    #[test]
    fn a_read_finds_what_is_committed_only_later() {
        let mut play = written();
        play.requests(request(2, 1), files(&[read("/a")]));
        play.replies(request(2, 1), done(&[found(2, Some("y"))]));
        play.is_broken_by(NAME, (2, "left /a as \"x\" at v1, the newest"), (4, "\"y\" at v2"));
    }

    #[test]
    fn an_open_read_finds_the_old_state_or_the_new() {
        for (version, contents) in [(0, None), (1, Some("x"))] {
            let mut play = Play::new(HistoriesAreStrictlySerializable::default());
            play.requests(request(2, 1), files(&[read("/a")]));
            let mut play = written_in(play);
            play.replies(request(2, 1), done(&[found(version, contents)])).holds();
        }
    }

    #[test]
    fn a_transaction_is_told_another_place_in_the_order_than_it_has() {
        let mut play = written();
        play.requests(request(2, 1), files(&[write("/a", "y")]));
        play.logs(n(1), decided_for(request(2, 1), txn(2), &[], "/a", 2, "y"));
        play.replies(request(1, 1), done(&[changed(2)]));
        play.is_broken_by(NAME, (2, "its operation 1 gives v1"), (5, "done (v2)"));
    }

    #[test]
    fn done_before_the_commit_point_or_without_one() {
        let mut play = Play::new(HistoriesAreStrictlySerializable::default());
        play.requests(request(1, 1), files(&[write("/a", "x")]));
        play.replies(request(1, 1), done(&[changed(1)]));
        play.is_broken_by(NAME, (2, "no transaction has committed"), (2, "done (v1)"));
    }

    #[test]
    fn a_commit_of_what_is_not_open() {
        let mut play = Play::new(HistoriesAreStrictlySerializable::default());
        play.requests(request(1, 1), files(&[write("/a", "x")]));
        play.replies(request(1, 1), Reply::Refused(Refusal::Exists));
        let mut play = written_again(play);
        play.is_broken_by(NAME, (2, "a file is there already"), (3, "n1.1/1 commits"));
        play = written_again(Play::new(HistoriesAreStrictlySerializable::default()));
        play.is_broken_by(NAME, (1, "no user has asked c1"), (1, "which is not open"));
        play = written();
        play.logs(n(1), decided_for(request(1, 1), txn(2), &[], "/a", 2, "x"));
        play.is_broken_by(NAME, (2, "n1.1/1 committed"), (3, "n1.1/2 commits"));
        play = written();
        play.replies(request(1, 1), Reply::Refused(Refusal::Exists));
        play.is_broken_by(NAME, (2, "n1.1/1 committed"), (3, "refused"));
    }

    fn written_again(mut play: Play) -> Play {
        play.logs(n(1), decided_for(request(1, 1), txn(1), &[], "/a", 1, "x"));
        play
    }

    #[test]
    fn what_is_unknown_or_asked_by_a_client_that_crashes_may_commit_later() {
        let mut play = Play::new(HistoriesAreStrictlySerializable::default());
        play.requests(request(1, 1), files(&[write("/a", "x")]));
        play.replies(request(1, 1), Reply::Unknown);
        written_again(play).holds();
        play = Play::new(HistoriesAreStrictlySerializable::default());
        play.requests(request(1, 1), files(&[write("/a", "x")])).crashes(c(1));
        written_again(play).holds();
    }

    #[test]
    fn reads_of_a_transaction_are_at_its_commit_point() {
        let reads_it = |version: u64, contents: Option<&str>| {
            let mut play = written();
            play.requests(request(2, 1), files(&[read("/a"), read("/b")]));
            let answer = [found(version, contents), found(0, None)];
            play.logs(n(1), decided_answer(request(2, 1), txn(2), &answer));
            play.replies(request(2, 1), done(&answer));
            play
        };
        reads_it(1, Some("x")).holds();
        let gives = (4, "its operation 1 gives \"x\" at v1");
        reads_it(0, None).is_broken_by(NAME, gives, (5, "no file yet"));
    }

    #[test]
    fn after_an_accepted_loss_a_file_is_uncertain_until_it_is_written() {
        let reads_it = |play: &mut Play, number: u32, version: u64| {
            play.requests(request(2, number), files(&[read("/a")]));
            play.replies(request(2, number), done(&[found(version, None)]));
        };
        let mut play = written_in(Play::managed(HistoriesAreStrictlySerializable::default()));
        play.loses_its_disk(n(1)).forces(CONTROL, loss_accepted());
        reads_it(&mut play, 1, 0);
        play.requests(request(1, 2), files(&[write("/a", "y")]));
        play.logs(n(1), decided_for(request(1, 2), txn(2), &[], "/a", 3, "y"));
        play.replies(request(1, 2), done(&[changed(3)])).holds();
        reads_it(&mut play, 2, 0);
        play.is_broken_by(NAME, (10, "replaced /a v0 by v3"), (13, "no file yet"));
    }

    #[test]
    fn what_a_rename_moves_out_of_an_uncertain_file_is_believed_on_both_of_its_files() {
        let finds = |path: &str, version: u64, contents: Option<&str>| {
            let mut play = written_in(Play::managed(HistoriesAreStrictlySerializable::default()));
            play.loses_its_disk(n(1)).forces(CONTROL, loss_accepted());
            play.requests(request(2, 1), files(&[read(path)]));
            play.requests(request(1, 2), files(&[rename("/a", "/b")]));
            let id = txn_of(n(2), 1);
            play.logs(n(3), voted_gone(id, "/a", 4));
            play.logs(n(2), decided_for(request(1, 2), id, &[n(3)], "/b", 1, "y"));
            play.requests(request(2, 2), files(&[read(path)]));
            play.replies(request(2, 1), done(&[found(version, contents)]));
            play
        };
        for (path, version, contents) in [("/a", 4, None), ("/b", 1, Some("y"))] {
            let mut play = finds(path, version, contents);
            play.replies(request(2, 2), done(&[found(version, contents)])).holds();
        }
        finds("/b", 0, None).holds();
        let newest = (10, "left /b as \"y\" at v1");
        finds("/b", 1, Some("z")).is_broken_by(NAME, newest, (12, "\"z\" at v1"));
        let mut late = finds("/a", 2, Some("x"));
        late.replies(request(2, 2), done(&[found(2, Some("x"))]));
        late.is_broken_by(NAME, (10, "replaced /a v2 by v4"), (13, "\"x\" at v2"));
    }
}

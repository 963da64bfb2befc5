//! What users are told is as if their requests had happened one at a time, each while it was open.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use crate::file_service::history::witness::{
    Contradiction, Operation, Outcome, State, Told, Witness,
};
use crate::file_service::oracle::model::files::what_goes_back;
use crate::file_service::oracle::model::in_words;
use crate::file_service::oracle::{
    Asked, Breach, Evidence, Invariant, Model, Moment, Seen, SeenKinds, Txn,
};
use seedbed::machine::{Class, RequestId};
use seedbed::proto::{
    Action, Contents, Decided, FileService, Operation as Asks, Outcome as Gave, Path, Record,
    RecordKind, Reply, Request, TxnId, Version,
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
    /// Requests that are not judged: what they did was given up, and they were done again, or it
    /// came too late for a file.
    left_out: BTreeSet<RequestId>,
}

impl Invariant<FileService> for HistoriesAreStrictlySerializable {
    fn interest(&self) -> SeenKinds {
        SeenKinds::REQUESTED
            | SeenKinds::REPLIED
            | SeenKinds::CRASHED
            | SeenKinds::durable(&[RecordKind::Decided])
            | what_goes_back()
    }

    fn see(&mut self, seen: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        match *seen {
            Seen::Requested { request, wanted: Request::Files { operations, .. } } => {
                self.witness.asked(request, operations.iter().map(operation).collect());
            }
            Seen::Durable {
                record: Record::Decided(Decided { txn, .. }) | Record::Applied { txn, .. },
                ..
            } if model.commits > self.commits => {
                self.commits = model.commits;
                return self.on_commit(*txn, model);
            }
            Seen::Appended { .. } if model.files.have_gone_back_in(model.step) => {
                self.on_loss(model);
            }
            Seen::Replied { request, .. } if self.left_out.contains(&request) => {}
            // What it did is given up, and so is that it was done.
            Seen::Replied { request, reply: Reply::Refused(_) }
                if model.effects.of(request).is_some_and(|effect| model.is_undone(effect)) => {}
            Seen::Replied { request, reply } if is_on_files(request, model) => {
                return self.on_replied(request, reply, model);
            }
            Seen::Crashed { node } if node.class() == Class::Client => {
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
        let is_effect = model.effects.of(request).is_some_and(|effect| effect.is.0 == id);
        if !is_effect && !model.too_late().is_empty() {
            return Ok(()); // another has done it since
        }
        let is_left_out = is_done_again(request, id, model) || !model.too_late().is_empty();
        let has_a_point = is_on_files(request, model) && !is_left_out;
        if is_left_out {
            self.witness.abandoned(|other| *other == request);
            self.left_out.insert(request);
            self.is_any_lost = true;
        }
        if has_a_point {
            let had_its_point = self.witness.point(&request);
            had_its_point.map_err(|why| not_now(&why, request, id, model))?;
        }
        if self.is_any_lost {
            self.correct(txn, (has_a_point, is_left_out), model.too_late());
        }
        if model.files.have_gone_back_in(model.step) {
            self.on_loss(model); // what it has left of a file is uncertain
        }
        Ok(())
    }

    /// The first commit after a loss says what a file is, and so does one of a request that is left
    /// out, but for the files for which it comes too late.
    fn correct(
        &mut self,
        txn: &Txn,
        (has_a_point, is_left_out): (bool, bool),
        too_late: &BTreeSet<Path>,
    ) {
        for (path, file) in txn.changes() {
            if self.witness.is_certain(path) && !is_left_out || too_late.contains(path) {
                continue;
            }
            let contents = Some(file.contents.clone());
            let state = State { version: Some(file.version.0), contents };
            match has_a_point {
                true => self.witness.corrected(path.clone(), state),
                false => self.witness.replaced(path.clone(), state),
            }
        }
    }

    fn on_loss(&mut self, model: &Model) {
        for path in model.files.given_up() {
            let history = model.files.get(path);
            if history.is_some_and(|history| history.given_up == Some(model.step)) {
                // A file that has begun again is absent; of any other an older copy may be left.
                let state = match model.reference.stored(path) {
                    Some(_) => State::default(),
                    None => State::UNCERTAIN,
                };
                self.witness.replaced(path.clone(), state);
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

/// Has another transaction been its effect before, whose changes are given up?
fn is_done_again(request: RequestId, id: TxnId, model: &Model) -> bool {
    let effects = model.requests.get(&request).map_or(&[][..], |asked| &asked.effects[..]);
    let is_effect = model.effects.of(request).is_some_and(|effect| effect.is.0 == id);
    is_effect && effects.iter().any(|effect| *effect != id)
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
        Gave::Lost => Outcome::Changed(u64::MAX), // no client may be told this
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
        (_, _) => {
            let is = format!("no transaction has committed for {request}");
            Evidence::at(model.step, is).absent()
        }
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
            Evidence::at(0, format!("nothing was ever committed to {path}")).absent().about(path)
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

//! An increment that its client was told is done is in the counter.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use crate::file_service::oracle::model::files::amounts::{copies_left, decimal, stored};
use crate::file_service::oracle::model::files::what_goes_back;
use crate::file_service::oracle::model::single_read;
use crate::file_service::oracle::{
    At, Breach, Evidence, Invariant, Model, Moment, Seen, SeenKinds,
};
use seedbed::machine::RequestId;
use seedbed::proto::{Action, FileService, Operation, Path, Reply, Request};

/// Each increment of a counter that is done has written a value of its own, and all of them are in
/// the last one.
///
/// An increment reads and then writes one more, and between the two there is only a lock. If two
/// holders overlap, if an old holder's write arrives late, or if the new holder reads before it
/// does, both write the same value and one increment is lost: the lost update, P4 in Berenson et
/// al., "A Critique of ANSI SQL Isolation Levels", SIGMOD 1995. Increments whose answer is unknown
/// may be in the counter or not. Writing 0 makes a counter and is no increment.
///
/// If all that was left of a counter is given up with lost disks, its increments are given up with
/// it. It begins again with nothing, with an old copy that is left somewhere, or with what a client
/// writes that had read it before; only increments that have read it since are held to the promise.
#[derive(Clone, Debug)]
pub struct NoIncrementIsLost {
    counters: BTreeMap<Path, Counter>,
}

#[derive(Clone, Debug, Default)]
struct Counter {
    /// Requests that were told that they are done, by the value that they wrote.
    done: BTreeMap<i64, At<RequestId>>,
    /// The step in which what it held was given up.
    given_up: Option<u64>,
    /// The most that it may begin again with.
    begins: i64,
}

impl NoIncrementIsLost {
    /// The counters.
    pub fn new(counters: impl IntoIterator<Item = Path>) -> NoIncrementIsLost {
        let counters = counters.into_iter().map(|path| (path, Counter::default()));
        NoIncrementIsLost { counters: counters.collect() }
    }

    /// The increments that a request asks for: which counter, and what it would write there.
    fn increments<'a>(&self, wanted: &'a Request) -> Vec<(&'a Path, Option<i64>)> {
        let Request::Files { operations, .. } = wanted else { return Vec::new() };
        let on_counters = operations.iter().filter(|op| self.counters.contains_key(&op.path));
        let written = on_counters.filter_map(|op| Some((&op.path, written(op)?)));
        written.filter(|(_, value)| *value != Some(0)).collect()
    }

    fn on_done(&mut self, request: RequestId, model: &Model) -> Result<(), Breach> {
        let Some(asked) = model.requests.get(&request) else { return Ok(()) };
        for (path, value) in self.increments(&asked.wanted) {
            let step = model.step;
            let Some(value) = value else {
                let is = format!("{path} is a counter and holds a decimal number");
                let now = format!("{request} has written something else to it");
                return Err(Breach::of(
                    Evidence::at(model.step, is).about(path),
                    Evidence::at(model.step, now).about(request).about(path),
                ));
            };
            let counter = self.counters.entry(path.clone()).or_default();
            if counter.is_older(path, request, model) {
                counter.begins = counter.begins.max(value);
                continue;
            }
            if let Some(before) = counter.done.insert(value, At { step, is: request }) {
                let is = format!("{} was told that it has counted {path} up to {value}", before.is);
                let now = format!("{request} is told that it has counted {path} up to {value}");
                return Err(Breach::of(
                    Evidence::at(before.step, is).about(before.is).about(path),
                    Evidence::at(model.step, now).about(request).about(path),
                ));
            }
        }
        Ok(())
    }

    /// Counters of which no node has the last value begin again.
    fn on_going_back(&mut self, model: &Model) {
        for (path, counter) in &mut self.counters {
            if model.files.get(path).is_some_and(|history| history.given_up == Some(model.step)) {
                let begins = copies_left(path, model).filter_map(decimal).max().unwrap_or(0);
                *counter = Counter { done: BTreeMap::new(), given_up: Some(model.step), begins };
            }
        }
    }

    /// How many increments of each counter may have happened without their client being told. Those
    /// that are older than what was given up only say what it may begin again with.
    fn unknown(&mut self, model: &Model) -> BTreeMap<Path, i64> {
        let mut unknown = BTreeMap::new();
        for (request, asked) in model.requests.iter() {
            let is_open = match asked.reply.as_ref().map(|reply| &reply.is) {
                None | Some(Reply::Unknown) => true,
                Some(Reply::Done(_) | Reply::Refused(_)) => false,
                Some(Reply::Acquired(_) | Reply::Released) => false,
            };
            if is_open {
                for (path, value) in self.increments(&asked.wanted) {
                    let counter = self.counters.entry(path.clone()).or_default();
                    if counter.is_older(path, *request, model) {
                        counter.begins = counter.begins.max(value.unwrap_or(0));
                        continue;
                    }
                    *unknown.entry(path.clone()).or_default() += 1;
                }
            }
        }
        unknown
    }
}

impl Counter {
    /// Does `request` write what its client may have read before what the counter held was given
    /// up?
    fn is_older(&self, path: &Path, request: RequestId, model: &Model) -> bool {
        let Some(given_up) = self.given_up else { return false };
        let first = RequestId { number: 0, ..request };
        let mut earlier = model.requests.range(first..request).rev().map(|(_, asked)| asked);
        let read = earlier.find(|asked| single_read(&asked.wanted) == Some(path));
        let asked = read.or(model.requests.get(&request));
        asked.is_some_and(|asked| asked.asked.step < given_up)
    }

    /// What it may hold, `unknown` increments being open.
    fn may_hold(&self, unknown: i64) -> RangeInclusive<i64> {
        let done = self.done.len() as i64;
        let least = match self.given_up {
            // Where it has begun is not known, but it only ever grows.
            Some(_) => self.done.last_key_value().map_or(0, |(value, _)| *value),
            None => done,
        };
        least..=self.begins + done + unknown
    }
}

/// What the operation writes, if it writes: the number, or `None` where it is none.
fn written(operation: &Operation) -> Option<Option<i64>> {
    match &operation.action {
        Action::Write(contents, _) | Action::Create(contents) => Some(decimal(contents)),
        Action::Read | Action::Delete(_) | Action::Rename(..) | Action::Place(_) => None,
        Action::Remove(_) | Action::Claim => None,
    }
}

impl Invariant<FileService> for NoIncrementIsLost {
    fn interest(&self) -> SeenKinds {
        SeenKinds::REPLIED | what_goes_back()
    }

    fn see(&mut self, seen: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        if model.files.have_gone_back_in(model.step) {
            self.on_going_back(model);
        }
        match *seen {
            Seen::Replied { request, reply: Reply::Done(_) } => self.on_done(request, model),
            _ => Ok(()),
        }
    }

    fn at_end(&mut self, Moment { model, world, .. }: &Moment<'_>) -> Result<(), Breach> {
        let unknown = self.unknown(model);
        for (path, counter) in &self.counters {
            let done = counter.done.len() as i64;
            let unknown = unknown.get(path).copied().unwrap_or_default();
            let value = stored(path, model, world);
            let value = value.as_ref().map_or(Some(0), decimal);
            if value.is_some_and(|value| counter.may_hold(unknown).contains(&value)) {
                continue;
            }
            let last = counter.done.values().map(|at| at.step).max().unwrap_or(model.step);
            let since = if counter.given_up.is_some() { " since it was given up" } else { "" };
            let counted =
                format!("{done} increments of {path} are done{since}, and {unknown} more may be");
            let value = value.map_or("no number".to_owned(), |value| value.to_string());
            let now = format!("at the end {path} holds {value}");
            return Err(Breach::of(
                Evidence::at(last, counted).about(path),
                Evidence::at(model.step, now).about(path),
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::*;
    use seedbed::proto::{Config, Contents, Decided, File, Outcome, Record, Version};

    const NAME: &str = "no_increment_is_lost";

    fn two_increments(first: &str, second: &str) -> Play {
        let mut play = Play::new(NoIncrementIsLost::new([path("/count")]));
        play.at(1).requests(request(1, 1), writes("/count", first));
        play.at(2).requests(request(2, 1), writes("/count", second));
        play.at(3).replies(request(1, 1), done_writing());
        play
    }

    /// Storage holds `value` at last.
    fn holds_at_last(play: &mut Play, value: &str) {
        let contents = Some(Contents::from(value));
        let file = File { version: Version(2), contents, ..File::default() };
        let (txn, request, participants) = (txn(1), request(1, 1), [].into());
        let changes = [(path("/count"), file)].into();
        let answer = [Outcome::Changed(Version(2))].into();
        let epoch = Config::FIRST_EPOCH;
        let record =
            Record::Decided(Decided { txn, epoch, request, participants, changes, answer });
        play.and().logs(n(1), record);
    }

    #[test]
    fn two_write_the_same_value() {
        let mut play = two_increments("1", "1");
        play.at(4).replies(request(2, 1), done_writing());
        play.is_broken_by(NAME, (3, "c1.1#1 was told"), (4, "c2.1#1 is told"));
    }

    #[test]
    fn two_write_values_of_their_own() {
        let mut play = two_increments("1", "2");
        play.at(4).replies(request(2, 1), done_writing());
        holds_at_last(&mut play, "2");
        play.ends();
        play.holds();
    }

    #[test]
    fn one_is_lost_at_the_end() {
        let mut play = two_increments("1", "2");
        play.at(4).replies(request(2, 1), done_writing());
        holds_at_last(&mut play, "1");
        play.at(5).ends();
        play.is_broken_by(NAME, (4, "2 increments of /count are done"), (5, "/count holds 1"));
    }

    #[test]
    fn one_whose_answer_is_unknown_may_be_there_or_not() {
        for (value, lawful) in [("1", true), ("2", true), ("0", false), ("3", false)] {
            let mut play = two_increments("1", "2");
            play.at(4).replies(request(2, 1), Reply::Unknown);
            holds_at_last(&mut play, value);
            play.at(5).ends();
            assert_eq!(play.is_lawful(), lawful, "{value}");
        }
    }

    #[test]
    fn something_else_is_written() {
        let mut play = two_increments("one", "2");
        play.is_broken_by(NAME, (3, "decimal"), (3, "c1.1#1"));
        play = two_increments("0", "1");
        play.at(4).replies(request(2, 1), done_writing());
        play.holds();
    }

    /// Two increments of `/count` are done, and then the disk of n1 is lost, which had them. Is
    /// there another that has them?
    fn lost(also_on_n2: bool) -> Play {
        let mut play = Play::managed(NoIncrementIsLost::new([path("/count")]));
        for node in [1, 2] {
            play.is_complete(n(node), 1);
        }
        for (number, value) in [(1, "1"), (2, "2")] {
            play.requests(request(1, number), writes("/count", value));
            let (txn, version) = (txn(number), number.into());
            play.forces(n(1), decided(txn, &[], "/count", version, value));
            play.replies(request(1, number), done_writing());
        }
        if also_on_n2 {
            play.forces(n(2), pulled("/count", 2, "2"));
        }
        play.loses_its_disk(n(1));
        play.accepts_the_loss_of(&[n(1)]);
        play
    }

    /// c2 reads the counter and writes `value`, which n2 decides.
    fn increments<'a>(play: &'a mut Play, number: u32, value: &str) -> &'a mut Play {
        play.requests(request(2, number), reads(&["/count"]));
        play.replies(request(2, number), done_reading(&[None]));
        play.requests(request(2, number + 1), writes("/count", value));
        let txn = txn_of(n(2), number);
        play.forces(n(2), decided(txn, &[], "/count", number.into(), value));
        play.replies(request(2, number + 1), done_writing())
    }

    #[test]
    fn what_was_given_up_is_counted_again() {
        let mut play = lost(false);
        increments(&mut play, 1, "1");
        play.ends();
        play.holds();
        let mut kept = lost(true);
        let breach = increments(&mut kept, 1, "1").breaks();
        assert!(breach.earlier.is.starts_with("c1.1#1 was told"), "{}", breach.earlier.is);
    }

    #[test]
    fn what_was_counted_since_is_not_given_up() {
        let mut play = lost(false);
        increments(&mut play, 1, "1");
        let twice = increments(&mut play, 3, "1").breaks();
        assert!(twice.earlier.is.starts_with("c2.1#2 was told"), "{}", twice.earlier.is);
        let mut fewer = lost(false);
        increments(&mut fewer, 1, "1");
        increments(&mut fewer, 3, "2");
        fewer.forces(n(2), decided(txn(9), &[], "/count", 4, "1"));
        let breach = fewer.ends().breaks();
        assert!(breach.earlier.is.contains("done since it was given up"), "{}", breach.earlier.is);
    }

    #[test]
    fn who_read_it_before_may_carry_it_on() {
        let mut play = Play::managed(NoIncrementIsLost::new([path("/count")]));
        for node in [1, 2] {
            play.is_complete(n(node), 1);
        }
        play.requests(request(2, 1), reads(&["/count"]));
        play.requests(request(1, 1), writes("/count", "2"));
        play.forces(n(1), decided(txn(1), &[], "/count", 2, "2"));
        play.replies(request(1, 1), done_writing());
        play.replies(request(2, 1), done_reading(&[Some("2")]));
        play.loses_its_disk(n(1));
        play.accepts_the_loss_of(&[n(1)]);
        play.requests(request(2, 2), writes("/count", "3"));
        let carried = txn_of(n(2), 1);
        play.forces(n(2), decided(carried, &[], "/count", 1, "3"));
        play.replies(request(2, 2), done_writing());
        increments(&mut play, 3, "4");
        play.ends();
        play.holds();
    }
}

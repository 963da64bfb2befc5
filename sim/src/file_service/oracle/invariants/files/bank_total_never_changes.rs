//! Money moves between accounts and is neither made nor lost.

use std::collections::{BTreeMap, BTreeSet};

use crate::file_service::oracle::model::files::amounts::{Sum, copies_left, decimal, stored};
use crate::file_service::oracle::model::files::what_goes_back;
use crate::file_service::oracle::{
    At, Breach, Evidence, Invariant, Model, Moment, Seen, SeenKinds,
};
use seedbed::machine::RequestId;
use seedbed::proto::{Action, Answer, FileService, Operation, Outcome, Path, Reply, Request};

/// A transaction that reads all accounts finds the total, and so does a look at the end.
///
/// An account holds a decimal number. A transfer takes from one and gives to another; a reader that
/// sees the one without the other sees a total that never was. The bank of Jepsen and of Gray's
/// debit-credit benchmark ("A Measure of Transaction Processing Power", Datamation 31(7), 1985): it
/// needs no history, one sum will do.
///
/// If all that was left of an account is given up with lost disks, its money is given up with it,
/// and no other: the accounts that are left hold together what they held, but for transfers that
/// were under way between them and those that are lost. If an old copy of such an account is left
/// somewhere, it may be seen again.
#[derive(Clone, Debug)]
pub struct BankTotalNeverChanges {
    accounts: Vec<Path>,
    total: i64,
    /// The first time that a transaction found all accounts there.
    open: Option<At<RequestId>>,
    /// What was given up last.
    loss: Option<Loss>,
}

/// What was given up.
#[derive(Clone, Debug)]
struct Loss {
    step: u64,
    /// The accounts of which no node has the last contents, each with the amounts in the old copies
    /// of it that are left.
    accounts: BTreeMap<Path, BTreeSet<i64>>,
    /// What the other accounts held together.
    rest: i64,
}

impl BankTotalNeverChanges {
    /// The bank with these accounts, which hold `total` together once all of them exist.
    pub fn new(accounts: Vec<Path>, total: i64) -> BankTotalNeverChanges {
        BankTotalNeverChanges { accounts, total, open: None, loss: None }
    }

    /// The rule, as the earlier of the two facts.
    fn promise(&self, step: u64) -> Evidence {
        if let Some(loss) = &self.loss {
            let lost: Vec<&str> = loss.accounts.keys().map(Path::as_str).collect();
            let (lost, rest) = (lost.join(", "), loss.rest);
            let is = format!("the loss of {lost} is accepted, and the others hold {rest} together");
            return Evidence::at(loss.step, is).about_all(loss.accounts.keys());
        }
        let opened = self.open.as_ref().map_or(step, |open| open.step);
        let (count, total) = (self.accounts.len(), self.total);
        Evidence::at(opened, format!("all {count} accounts exist and hold {total} together"))
    }

    /// `asked`: when it was asked for.
    fn judge(
        &mut self,
        found: &[Sum],
        asked: u64,
        model: &Model,
        what: impl FnOnce() -> Evidence,
    ) -> Result<(), Breach> {
        let list = || found.iter().map(Sum::to_string).collect::<Vec<_>>().join(" + ");
        let sum = found.iter().try_fold(0i64, |sum, of| match of {
            Sum::Amount(amount) => Some(sum.saturating_add(*amount)),
            Sum::NoAccount | Sum::NoNumber => None,
        });
        let is_total = sum == Some(self.total);
        let is_lawful = match &self.loss {
            None => is_total,
            // It may have been read before.
            Some(loss) if asked < loss.step => is_total || self.is_left(loss, found, model),
            // A user has opened the bank again.
            Some(loss) if is_total && loss.accounts.len() == self.accounts.len() => {
                self.loss = None;
                true
            }
            Some(loss) => self.is_left(loss, found, model),
        };
        if is_lawful {
            return Ok(());
        }
        let now = what().reworded(|what| match sum {
            Some(sum) => format!("{what}: {} = {sum}", list()),
            None => format!("{what}: {}", list()),
        });
        Err(Breach::of(self.promise(model.step), now))
    }

    /// Is what was found what `loss` has left?
    fn is_left(&self, loss: &Loss, found: &[Sum], model: &Model) -> bool {
        let mut sum = 0i64;
        for (account, found) in self.accounts.iter().zip(found) {
            match found {
                Sum::Amount(amount) => sum = sum.saturating_add(*amount),
                Sum::NoAccount if loss.accounts.contains_key(account) => {}
                Sum::NoAccount | Sum::NoNumber => return false,
            }
        }
        // What may have been added to what is left, one thing after the other.
        let mut sums = BTreeSet::from([loss.rest]);
        let copies = loss.accounts.values().map(|amounts| amounts.iter().copied().collect());
        let halves = self.halves(loss, model).into_iter().map(|half| vec![half]);
        for ways in copies.chain(halves).collect::<Vec<Vec<i64>>>() {
            let with = |sum: &i64| ways.iter().map(|more| sum + more).collect::<Vec<_>>();
            let added: Vec<i64> = sums.iter().flat_map(with).collect();
            sums.extend(added);
        }
        sums.contains(&sum)
    }

    /// What each request that was under way when `loss` was accepted may still add to the accounts
    /// that are left, while what it changes elsewhere is lost.
    fn halves(&self, loss: &Loss, model: &Model) -> Vec<i64> {
        let under_way = model.requests.values().filter(|asked| {
            let decided = |txn| model.txns.get(txn)?.decided.as_ref().map(|decided| decided.step);
            let is_before = |txn| decided(txn).is_some_and(|step| step < loss.step);
            asked.asked.step < loss.step && !asked.effects.iter().any(is_before)
        });
        let halves = under_way.filter_map(|asked| {
            let Request::Files { operations, .. } = &asked.wanted else { return None };
            let is_lost = |op: &&Operation| loss.accounts.contains_key(&op.path);
            let is_writing = !operations.iter().all(|op| op.action.is_read());
            let more = || operations.iter().filter(|op| !is_lost(op)).map(|op| more(op, model));
            (is_writing && operations.iter().any(|op| is_lost(&op))).then(|| more().sum())
        });
        halves.filter(|more| *more != 0).collect()
    }

    fn on_going_back(&mut self, model: &Model) {
        let is_given_up = |account: &&Path| {
            model.files.get(account).is_some_and(|history| history.given_up == Some(model.step))
        };
        if !self.accounts.iter().any(|account| is_given_up(&account)) {
            return;
        }
        let mut loss = Loss { step: model.step, accounts: BTreeMap::new(), rest: 0 };
        for account in &self.accounts {
            match model.last(account).map(|last| last.file.contents.as_ref()) {
                Some(contents) => loss.rest += contents.and_then(decimal).unwrap_or(0),
                None => {
                    // What it held last may be found by a read that came first.
                    let held = model.files.get(account).and_then(|history| history.lost.last());
                    let held = held.and_then(|last| last.file.contents.as_ref());
                    let left = copies_left(account, model).chain(held).filter_map(decimal);
                    loss.accounts.insert(account.clone(), left.collect());
                }
            }
        }
        self.loss = Some(loss);
    }

    fn on_answer(
        &mut self,
        (request, asked): (RequestId, u64),
        operations: &[Operation],
        answer: &Answer,
        model: &Model,
    ) -> Result<(), Breach> {
        // What a transaction reads after its own changes is not what was there before.
        let reads = operations.iter().zip(answer.iter()).take_while(|(op, _)| op.action.is_read());
        let reads: Vec<(&Path, &Outcome)> = reads.map(|(op, found)| (&op.path, found)).collect();
        let found = |account| reads.iter().find(|(path, _)| *path == account);
        let found: Option<Vec<Sum>> =
            self.accounts.iter().map(|account| Some(Sum::of(found(account)?.1))).collect();
        let Some(found) = found else { return Ok(()) }; // it does not read all accounts
        let sees_all = found.iter().all(|sum| !matches!(sum, Sum::NoAccount));
        let is_since = self.loss.as_ref().is_none_or(|loss| asked > loss.step);
        if sees_all && is_since {
            self.open.get_or_insert(At { step: model.step, is: request });
        }
        match &self.open {
            // It was asked for before a transaction had found them, and may have come first.
            Some(open) if !sees_all && asked < open.step => Ok(()),
            Some(_) => self.judge(&found, asked, model, || {
                Evidence::at(model.step, format!("{request} reads them all")).about(request)
            }),
            None => Ok(()),
        }
    }
}

impl Invariant<FileService> for BankTotalNeverChanges {
    fn interest(&self) -> SeenKinds {
        SeenKinds::REPLIED | what_goes_back()
    }

    fn see(&mut self, seen: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        if model.files.have_gone_back_in(model.step) {
            self.on_going_back(model);
        }
        let Seen::Replied { request, reply: Reply::Done(answer) } = *seen else { return Ok(()) };
        let Some(asked) = model.requests.get(&request) else { return Ok(()) };
        match &asked.wanted {
            Request::Files { operations, .. } => {
                let request = (request, asked.asked.step);
                self.on_answer(request, operations, answer, model)
            }
            Request::Acquire { .. } | Request::Release { .. } => Ok(()),
        }
    }

    fn at_end(&mut self, Moment { model, world, .. }: &Moment<'_>) -> Result<(), Breach> {
        if self.open.is_none() {
            return Ok(());
        }
        let stored = |path| Sum::in_file(stored(path, model, world).as_ref());
        let found: Vec<Sum> = self.accounts.iter().map(stored).collect();
        let what = || Evidence::at(model.step, "at the end storage holds");
        self.judge(&found, model.step, model, what)
    }
}

/// What an operation adds to the account that it writes to.
fn more(operation: &Operation, model: &Model) -> i64 {
    let before = |version: &_| {
        let state = model.files.get(&operation.path)?.at_version(*version)?;
        state.file.contents.as_ref().and_then(decimal)
    };
    match &operation.action {
        Action::Write(contents, version) => {
            let before = version.as_ref().and_then(before);
            decimal(contents).unwrap_or(0) - before.unwrap_or(0)
        }
        Action::Create(contents) => decimal(contents).unwrap_or(0),
        Action::Read | Action::Delete(_) | Action::Rename(..) => 0,
        Action::Place(_) | Action::Remove(_) | Action::Claim => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::*;
    use seedbed::proto::{Contents, Refusal};

    fn bank() -> Play {
        let accounts = vec![path("/bank/0"), path("/bank/1")];
        let mut play = Play::new(BankTotalNeverChanges::new(accounts, 100));
        play.at(1).requests(request(1, 1), reads(&["/bank/1", "/bank/0"]));
        play.at(2).requests(request(1, 2), reads(&["/bank/0", "/bank/1"]));
        play
    }

    #[test]
    fn half_a_transfer_is_seen() {
        let mut play = bank();
        play.at(3).replies(request(1, 1), done_reading(&[Some("50"), Some("50")]));
        play.at(4).replies(request(1, 2), done_reading(&[Some("40"), Some("50")]));
        play.is_broken_by(
            "bank_total_never_changes",
            (3, "hold 100 together"),
            (4, "40 + 50 = 90"),
        );
    }

    #[test]
    fn a_whole_transfer_is_seen() {
        let mut play = bank();
        play.at(3).replies(request(1, 1), done_reading(&[Some("50"), Some("50")]));
        play.at(4).replies(request(1, 2), done_reading(&[Some("40"), Some("60")]));
        play.holds();
    }

    #[test]
    fn before_all_accounts_exist_nothing_is_promised() {
        let mut play = bank();
        play.at(3).replies(request(1, 1), done_reading(&[Some("50"), None]));
        play.at(4).replies(request(1, 2), Reply::Refused(Refusal::NotFound)).ends();
        play.holds();
    }

    #[test]
    fn an_account_disappears() {
        let mut play = bank();
        play.at(3).replies(request(1, 1), done_reading(&[Some("50"), Some("50")]));
        play.at(4).requests(request(1, 3), reads(&["/bank/0", "/bank/1"]));
        play.at(5).replies(request(1, 3), done_reading(&[Some("100"), None]));
        play.is_broken_by(
            "bank_total_never_changes",
            (3, "accounts exist"),
            (5, "100 + (no file)"),
        );
    }

    #[test]
    fn a_read_that_came_first_and_is_answered_last_sees_no_accounts() {
        let mut play = bank();
        play.at(3).replies(request(1, 1), done_reading(&[Some("50"), Some("50")]));
        play.at(4).replies(request(1, 2), done_reading(&[None, None]));
        play.holds();
    }

    #[test]
    fn who_reads_one_account_sees_no_total() {
        let mut play = bank();
        play.at(3).requests(request(2, 1), reads(&["/bank/0"]));
        play.at(4).replies(request(2, 1), done_reading(&[Some("7")]));
        play.holds();
    }

    #[test]
    fn at_the_end_storage_is_looked_at() {
        let mut play = bank();
        play.at(3).replies(request(1, 1), done_reading(&[Some("50"), Some("50")])).ends();
        // Nothing was ever committed in this world.
        play.is_broken_by("bank_total_never_changes", (3, "accounts exist"), (3, "(no file)"));
    }

    /// Two accounts of 50; the disk that has the second one is lost, and the operator accepts it.
    fn lost(also_on_n3: bool) -> Play {
        let accounts = vec![path("/bank/0"), path("/bank/1")];
        let mut play = Play::managed(BankTotalNeverChanges::new(accounts, 100));
        for node in [1, 2, 3] {
            play.is_complete(n(node), 1);
        }
        play.forces(n(1), decided(txn(1), &[], "/bank/0", 1, "50"));
        let second = txn_of(n(2), 1);
        play.forces(n(2), decided(second, &[], "/bank/1", 1, "50"));
        if also_on_n3 {
            play.forces(n(3), pulled("/bank/1", 1, "50"));
        }
        play.requests(request(1, 1), reads(&["/bank/0", "/bank/1"]));
        play.replies(request(1, 1), done_reading(&[Some("50"), Some("50")]));
        play.requests(request(1, 2), reads(&["/bank/0", "/bank/1"]));
        play.loses_its_disk(n(2));
        play.accepts_the_loss_of(&[n(2)]);
        play
    }

    /// A user asks for all accounts after that, and is told this.
    fn reads_all<'a>(play: &'a mut Play, contents: &[Option<&str>]) -> &'a mut Play {
        play.requests(request(2, 1), reads(&["/bank/0", "/bank/1"]));
        play.replies(request(2, 1), done_reading(contents))
    }

    #[test]
    fn the_money_on_lost_disks_is_given_up() {
        let mut play = lost(false);
        play.replies(request(1, 2), done_reading(&[Some("50"), Some("50")])); // read before
        reads_all(&mut play, &[Some("50"), None]);
        play.ends();
        play.holds();
    }

    #[test]
    fn the_money_that_is_left_is_not_given_up() {
        for contents in [&[Some("40"), None], &[None, None], &[None, Some("50")]] {
            let breach = reads_all(&mut lost(false), contents).breaks();
            let rest = "the loss of /bank/1 is accepted, and the others hold 50 together";
            assert_eq!(breach.earlier.is, rest);
        }
        let breach = reads_all(&mut lost(true), &[Some("50"), None]).breaks();
        assert_eq!(breach.earlier.is, "all 2 accounts exist and hold 100 together");
    }

    #[test]
    fn half_of_a_transfer_under_way_may_be_lost() {
        let accounts = vec![path("/bank/0"), path("/bank/1")];
        let mut play = Play::managed(BankTotalNeverChanges::new(accounts, 100));
        for node in [1, 2, 3] {
            play.is_complete(n(node), 1);
        }
        play.forces(n(1), decided(txn(1), &[], "/bank/0", 1, "50"));
        let second = txn_of(n(2), 1);
        play.forces(n(2), decided(second, &[], "/bank/1", 1, "50"));
        reads_all(&mut play, &[Some("50"), Some("50")]);
        let write = |at, contents: &str| {
            let write = Action::Write(Contents::from(contents), Some(seedbed::proto::Version(1)));
            operation(at, write)
        };
        play.asks(request(1, 1), &[write("/bank/0", "43"), write("/bank/1", "57")]);
        play.loses_its_disk(n(2));
        play.accepts_the_loss_of(&[n(2)]);
        let mut after = |number, contents: &[Option<&str>]| {
            play.requests(request(2, number), reads(&["/bank/0", "/bank/1"]));
            play.replies(request(2, number), done_reading(contents));
        };
        after(2, &[Some("50"), None]);
        after(3, &[Some("43"), None]);
        play.holds();
        play.requests(request(2, 4), reads(&["/bank/0", "/bank/1"]));
        play.replies(request(2, 4), done_reading(&[Some("44"), None])).breaks();
    }
}

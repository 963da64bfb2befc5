//! Money moves between accounts and is neither made nor lost.

use super::wording::{breach, fact};
use super::{At, Breach, Invariant, Model, Seen, SeenKinds};
use crate::world::World;
use seedbed::proto::{
    Answer, Contents, NodeId, Operation, Outcome, Path, Reply, Request, RequestId,
};

/// Whoever reads all accounts in one transaction finds the total, and so does who looks at the end.
///
/// An account holds a decimal number. A transfer takes from one and gives to another; a reader that
/// sees the one without the other sees a total that never was. The bank of Jepsen and of Gray's
/// debit-credit benchmark ("A Measure of Transaction Processing Power", Datamation 31(7), 1985): it
/// needs no history, one sum will do.
#[derive(Clone, Debug)]
pub struct BankTotalNeverChanges {
    accounts: Vec<Path>,
    total: i64,
    /// The first time that somebody found all accounts there.
    open: Option<At<RequestId>>,
}

impl BankTotalNeverChanges {
    /// The bank with these accounts, which hold `total` together once all of them exist.
    pub fn new(accounts: Vec<Path>, total: i64) -> BankTotalNeverChanges {
        BankTotalNeverChanges { accounts, total, open: None }
    }

    /// The rule, as the earlier of the two facts.
    fn promise(&self, step: u64) -> At<String> {
        let opened = self.open.as_ref().map_or(step, |open| open.step);
        let (count, total) = (self.accounts.len(), self.total);
        fact(opened, format!("all {count} accounts exist and hold {total} together"))
    }

    fn judge(&mut self, found: &[Sum], step: u64, what: &str) -> Result<(), Breach> {
        let list = || found.iter().map(Sum::to_string).collect::<Vec<_>>().join(" + ");
        let sum = found.iter().try_fold(0i64, |sum, of| match of {
            Sum::Amount(amount) => Some(sum.saturating_add(*amount)),
            Sum::NoAccount | Sum::NoNumber => None,
        });
        match sum {
            Some(sum) if sum == self.total => Ok(()),
            Some(sum) => {
                breach(self.promise(step), fact(step, format!("{what}: {} = {sum}", list())))
            }
            None => breach(self.promise(step), fact(step, format!("{what}: {}", list()))),
        }
    }

    fn on_answer(
        &mut self,
        (request, asked): (RequestId, u64),
        operations: &[Operation],
        answer: &Answer,
        step: u64,
    ) -> Result<(), Breach> {
        // What a transaction reads after its own changes is not what was there before.
        let reads = operations.iter().zip(answer.iter()).take_while(|(op, _)| op.action.is_read());
        let reads: Vec<(&Path, &Outcome)> = reads.map(|(op, found)| (&op.path, found)).collect();
        let found = |account| reads.iter().find(|(path, _)| *path == account);
        let found: Option<Vec<Sum>> =
            self.accounts.iter().map(|account| Some(Sum::of(found(account)?.1))).collect();
        let Some(found) = found else { return Ok(()) }; // it does not read all accounts
        let sees_all = found.iter().all(|sum| !matches!(sum, Sum::NoAccount));
        if sees_all {
            self.open.get_or_insert(At { step, is: request });
        }
        match &self.open {
            // It was asked for before anybody had found them, and may have come first.
            Some(open) if !sees_all && asked < open.step => Ok(()),
            Some(_) => self.judge(&found, step, &format!("{request} reads them all")),
            None => Ok(()),
        }
    }
}

/// What is in an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sum {
    Amount(i64),
    NoAccount,
    NoNumber,
}

impl Sum {
    fn of(outcome: &Outcome) -> Sum {
        match outcome {
            Outcome::Found(_, contents) => Sum::in_file(contents.as_ref()),
            Outcome::Changed(_) => Sum::NoNumber,
        }
    }

    fn in_file(contents: Option<&Contents>) -> Sum {
        match contents.map(decimal) {
            None => Sum::NoAccount,
            Some(None) => Sum::NoNumber,
            Some(Some(amount)) => Sum::Amount(amount),
        }
    }
}

impl std::fmt::Display for Sum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Sum::Amount(amount) => write!(f, "{amount}"),
            Sum::NoAccount => f.write_str("(no file)"),
            Sum::NoNumber => f.write_str("(not a number)"),
        }
    }
}

/// The number that a file holds as decimal text.
pub(super) fn decimal(contents: &Contents) -> Option<i64> {
    std::str::from_utf8(contents.as_bytes()).ok()?.parse().ok()
}

impl Invariant for BankTotalNeverChanges {
    fn name(&self) -> &'static str {
        "bank_total_never_changes"
    }

    fn interest(&self) -> SeenKinds {
        SeenKinds::REPLIED
    }

    fn see(&mut self, seen: &Seen<'_>, model: &Model, _world: &World) -> Result<(), Breach> {
        let Seen::Replied { request, reply: Reply::Done(answer) } = *seen else { return Ok(()) };
        let Some(asked) = model.requests.get(&request) else { return Ok(()) };
        match &asked.wanted {
            Request::Files { operations, .. } => {
                let request = (request, asked.asked.step);
                self.on_answer(request, operations, answer, model.step)
            }
            Request::Acquire { .. } | Request::Release { .. } => Ok(()),
        }
    }

    fn at_end(&mut self, model: &Model, world: &World) -> Result<(), Breach> {
        if self.open.is_none() {
            return Ok(());
        }
        let stored = |path| Sum::in_file(stored(path, model, world).as_ref());
        let found: Vec<Sum> = self.accounts.iter().map(stored).collect();
        self.judge(&found, model.step, "at the end storage holds")
    }
}

/// What the first owner that serves `path` would answer; if none does, what was committed last.
pub(super) fn stored(path: &Path, model: &Model, world: &World) -> Option<Contents> {
    let (config, epoch) = (world.config(), model.views.active());
    let layout = model.views.layout(config);
    let is_complete = |owner: &&NodeId| {
        let disk = model.disks.get(**owner);
        disk.is_none_or(|disk| disk.claims(epoch, config.position(path)).is_some())
    };
    let owners = layout.ring().owners(path).iter();
    let mut serving = owners
        .filter(is_complete)
        .filter_map(|owner| world.host(*owner).storage())
        .filter(|storage| !storage.is_pinned(path));
    match serving.next() {
        Some(storage) => storage.files().get(path)?.contents.clone(),
        None => model.files.get(path)?.committed.last()?.file.contents.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::txn_tests_support::*;
    use super::*;
    use seedbed::proto::Refusal;

    fn bank() -> Play<BankTotalNeverChanges> {
        let accounts = vec![path("/bank/0"), path("/bank/1")];
        let mut play = Play::new(BankTotalNeverChanges::new(accounts, 100));
        play.at(1).requests(request(1, 1), reads(&["/bank/1", "/bank/0"]));
        play.at(2).requests(request(1, 2), reads(&["/bank/0", "/bank/1"]));
        play
    }

    #[test]
    fn half_a_transfer_is_seen() {
        let mut play = bank();
        play.at(3).replies(request(1, 1), found(&[Some("50"), Some("50")]));
        play.at(4).replies(request(1, 2), found(&[Some("40"), Some("50")]));
        play.breaks("bank_total_never_changes", (3, "hold 100 together"), (4, "40 + 50 = 90"));
    }

    #[test]
    fn a_whole_transfer_is_seen() {
        let mut play = bank();
        play.at(3).replies(request(1, 1), found(&[Some("50"), Some("50")]));
        play.at(4).replies(request(1, 2), found(&[Some("40"), Some("60")]));
        play.holds();
    }

    #[test]
    fn before_all_accounts_exist_nothing_is_promised() {
        let mut play = bank();
        play.at(3).replies(request(1, 1), found(&[Some("50"), None]));
        play.at(4).replies(request(1, 2), Reply::Refused(Refusal::NotFound)).ends();
        play.holds();
    }

    #[test]
    fn an_account_disappears() {
        let mut play = bank();
        play.at(3).replies(request(1, 1), found(&[Some("50"), Some("50")]));
        play.at(4).requests(request(1, 3), reads(&["/bank/0", "/bank/1"]));
        play.at(5).replies(request(1, 3), found(&[Some("100"), None]));
        play.breaks("bank_total_never_changes", (3, "accounts exist"), (5, "100 + (no file)"));
    }

    #[test]
    fn a_read_that_came_first_and_is_answered_last_sees_no_accounts() {
        let mut play = bank();
        play.at(3).replies(request(1, 1), found(&[Some("50"), Some("50")]));
        play.at(4).replies(request(1, 2), found(&[None, None]));
        play.holds();
    }

    #[test]
    fn who_reads_one_account_sees_no_total() {
        let mut play = bank();
        play.at(3).requests(request(2, 1), reads(&["/bank/0"]));
        play.at(4).replies(request(2, 1), found(&[Some("7")]));
        play.holds();
    }

    #[test]
    fn at_the_end_storage_is_looked_at() {
        let mut play = bank();
        play.at(3).replies(request(1, 1), found(&[Some("50"), Some("50")])).ends();
        // Nothing was ever committed in this world.
        play.breaks("bank_total_never_changes", (3, "accounts exist"), (3, "(no file)"));
    }
}

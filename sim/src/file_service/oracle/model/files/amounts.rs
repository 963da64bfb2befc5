//! Files that hold a number, as the accounts of a bank and counters do: what a read, a disk or an
//! owner says that it is.

use crate::file_service::World;
use crate::file_service::oracle::Model;
use seedbed::machine::NodeId;
use seedbed::proto::{Contents, Outcome, Path};

/// What is in an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::file_service::oracle) enum Sum {
    Amount(i64),
    NoAccount,
    NoNumber,
}

impl Sum {
    pub fn of(outcome: &Outcome) -> Sum {
        match outcome {
            Outcome::Found(_, contents) => Sum::in_file(contents.as_ref()),
            Outcome::Changed(_) | Outcome::Lost => Sum::NoNumber,
        }
    }

    pub fn in_file(contents: Option<&Contents>) -> Sum {
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
pub(in crate::file_service::oracle) fn decimal(contents: &Contents) -> Option<i64> {
    std::str::from_utf8(contents.as_bytes()).ok()?.parse().ok()
}

/// What any disk has of `path`.
pub(in crate::file_service::oracle) fn copies_left<'a>(
    path: &'a Path,
    model: &'a Model,
) -> impl Iterator<Item = &'a Contents> {
    model.disks.iter().filter_map(|(_, disk)| disk.files.get(path)?.is.contents.as_ref())
}

/// What the first owner that serves `path` would answer; if none does, what was committed last.
pub(in crate::file_service::oracle) fn stored(
    path: &Path,
    model: &Model,
    world: &World,
) -> Option<Contents> {
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

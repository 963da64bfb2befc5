//! Files: what was committed to each path, what clients were told of it, and what the operator has
//! given up.

pub(in crate::file_service::oracle) mod amounts;
pub(in crate::file_service::oracle) mod answered_read;

use std::collections::{BTreeMap, BTreeSet};

use seedbed::machine::NodeId;
use seedbed::proto::{
    Action, Arcs, Changes, Contents, Epoch, File, Operation, Outcome, Path, RecordKind, Token,
    TxnId, Version,
};

use crate::file_service::oracle::{At, SeenKinds};

/// What is said of files that may go back, and not before: where an owner finds what is left, and
/// where a commit is lost in part.
pub(in crate::file_service::oracle) fn what_goes_back() -> SeenKinds {
    SeenKinds::appended(&[RecordKind::Entered, RecordKind::Complete, RecordKind::Reset])
        | SeenKinds::durable(&[RecordKind::Applied])
}

/// What was committed to a path.
#[derive(Clone, Debug, Default)]
pub struct FileHistory {
    /// Every committed state, in the order of commitment, so usually with growing versions.
    pub committed: Vec<Committed>,
    /// When the operator has given up what only lost disks had of it. What was committed before
    /// does not count any more, and all that was said of it is forgotten.
    pub given_up: Option<u64>,
    /// What was committed before that: whatever old copy is left may be seen again.
    pub lost: Vec<Committed>,
    /// Transactions that came too late: the file had begun again, without what they change.
    pub too_late: BTreeSet<TxnId>,
    /// Versions of changes that a client was told of, as far as each is higher than all before.
    pub acknowledged: Vec<At<Version>>,
    /// Versions of deletions that a client was told of, likewise.
    pub deleted: Vec<At<Version>>,
    /// The highest token claimed: by a commit, or by a client's word that it has the lock.
    pub claimed: Option<At<Token>>,
    /// The token claimed before the newest commit.
    pub claimed_before: Option<At<Token>>,
}

/// A committed state of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The step that made the decision durable.
    pub step: u64,
    /// The decision's place among all.
    pub order: u64,
    /// The transaction that it is of.
    pub txn: TxnId,
    /// The epoch in which it was voted for.
    pub epoch: Epoch,
    /// The state.
    pub file: File,
}

impl FileHistory {
    /// The committed state of `version`: the first one, where a claim left the version as it was.
    pub fn at_version(&self, version: Version) -> Option<&Committed> {
        let at = self.committed.partition_point(|state| state.file.version < version);
        let state = self.committed.get(at).filter(|state| state.file.version == version);
        state.or_else(|| self.lost.iter().find(|state| state.file.version == version))
    }

    /// The first committed state with a higher version.
    pub fn after_version(&self, version: Version) -> Option<&Committed> {
        let at = self.committed.partition_point(|state| state.file.version <= version);
        self.committed.get(at)
    }

    /// What `txn` committed as the newest state, and the state before.
    pub fn newest(&self, txn: TxnId) -> Option<(&Committed, Option<&Committed>)> {
        let (last, before) = self.committed.split_last()?;
        (last.txn == txn).then_some((last, before.last()))
    }

    /// What was committed last in `epoch` and before, of what still counts.
    fn last_in(&self, epoch: Epoch) -> Option<&Committed> {
        let last = self.committed.iter().rev().find(|last| last.epoch <= epoch);
        last.filter(|last| self.counts(last))
    }

    /// What was committed last, of what still counts.
    fn last(&self) -> Option<&Committed> {
        self.committed.last().filter(|last| self.counts(last))
    }

    /// Has what `txn` made of the file, in this step, been given up since or in that step?
    fn is_undone(&self, step: u64, txn: TxnId) -> bool {
        self.given_up.is_some_and(|given_up| given_up >= step) || self.too_late.contains(&txn)
    }

    fn counts(&self, committed: &Committed) -> bool {
        self.given_up.is_none_or(|step| committed.step > step)
    }

    fn claim(&mut self, step: u64, token: Token) {
        if token > self.claimed.as_ref().map_or(Token::default(), |claimed| claimed.is) {
            self.claimed = Some(At { step, is: token });
        }
    }

    fn commit(&mut self, committed: Committed) {
        self.claimed_before = self.claimed.clone();
        self.claim(committed.step, committed.file.fence);
        self.committed.push(committed);
    }

    /// The operator gives up all that was committed.
    fn give_up(&mut self, step: u64) {
        let mut lost = std::mem::take(&mut self.lost);
        lost.append(&mut self.committed);
        let too_late = std::mem::take(&mut self.too_late);
        *self = FileHistory { given_up: Some(step), lost, too_late, ..FileHistory::default() };
    }
}

/// All files.
#[derive(Clone, Debug, Default)]
pub struct Files {
    histories: BTreeMap<Path, FileHistory>,
    /// Where files have begun again, and in which view.
    beginnings: Vec<(Epoch, Arcs)>,
    /// The step in which a file went back last.
    newest_loss: u64,
}

impl Files {
    /// What was committed to `path`.
    pub fn get(&self, path: &Path) -> Option<&FileHistory> {
        self.histories.get(path)
    }

    /// Every path that anything was committed or claimed of, in order.
    pub fn keys(&self) -> impl Iterator<Item = &Path> {
        self.histories.keys()
    }

    /// The paths of which the operator has given up what only lost disks had.
    pub fn given_up(&self) -> impl Iterator<Item = &Path> {
        let given_up = self.histories.iter().filter(|(_, history)| history.given_up.is_some());
        given_up.map(|(path, _)| path)
    }

    /// Has a file gone back in `step`?
    pub fn have_gone_back_in(&self, step: u64) -> bool {
        self.newest_loss == step && step > 0
    }

    /// The paths of which the operator has given up in `step` what only lost disks had.
    pub fn given_up_in(&self, step: u64) -> impl Iterator<Item = &Path> {
        let given_up =
            self.histories.iter().filter(move |(_, history)| history.given_up == Some(step));
        given_up.map(|(path, _)| path)
    }

    /// What was committed to `path` last, of what still counts.
    pub fn last(&self, path: &Path) -> Option<&Committed> {
        self.histories.get(path)?.last()
    }

    /// What was committed to `path` last in `epoch` and before, of what still counts.
    pub fn last_in(&self, path: &Path, epoch: Epoch) -> Option<&Committed> {
        self.histories.get(path)?.last_in(epoch)
    }

    /// Has the file at this position begun again in a view after `epoch`?
    pub(super) fn has_begun_again(&self, position: u64, epoch: Epoch) -> bool {
        self.beginnings.iter().any(|(view, arcs)| *view > epoch && arcs.contains(position))
    }

    /// Has what `txn` made of the file, in this step, been given up since or in that step?
    pub(super) fn is_undone(&self, path: &Path, step: u64, txn: TxnId) -> bool {
        self.histories.get(path).is_some_and(|history| history.is_undone(step, txn))
    }

    /// A transaction commits: what each of its parts changes is committed now, as `committed` says.
    /// Where it `is_too_late` it does not count.
    pub(super) fn on_committed(
        &mut self,
        parts: &[(NodeId, Changes)],
        committed: impl Fn(&File) -> Committed,
        is_too_late: impl Fn(&Path) -> bool,
    ) {
        for (path, file) in committed_once(parts) {
            let history = self.histories.entry(path.clone()).or_default();
            let change = committed(file);
            match is_too_late(path) {
                true => _ = history.too_late.insert(change.txn),
                false => history.commit(change),
            }
        }
    }

    /// A client was told the answer to `operations`; `is_undone` says of a path whether that has
    /// been given up since it took effect.
    pub(super) fn on_done(
        &mut self,
        step: u64,
        (operations, answer): (&[Operation], &[Outcome]),
        is_undone: impl Fn(&Files, &Path) -> bool,
    ) {
        for (operation, outcome) in operations.iter().zip(answer) {
            let Outcome::Changed(version) = outcome else { continue };
            let path = changed_path(operation);
            if is_undone(self, path) {
                continue; // nothing is promised of that
            }
            let history = self.histories.entry(path.clone()).or_default();
            raise(&mut history.acknowledged, step, *version);
            if matches!(operation.action, Action::Delete(_)) {
                raise(&mut history.deleted, step, *version);
            }
        }
    }

    /// A client was told that it has the lock of `path`, and the file has not begun again since the
    /// claim.
    pub(super) fn on_acquired(&mut self, step: u64, path: &Path, token: Token) {
        self.histories.entry(path.clone()).or_default().claim(step, token);
    }

    /// An owner has found what is left of the files that `is_there` names, in a view that gives
    /// members up. One whose last committed state no node has any more goes back.
    pub(super) fn go_back(
        &mut self,
        step: u64,
        is_there: impl Fn(&Path) -> bool,
        is_left: impl Fn(&Path, &Committed) -> bool,
    ) {
        for (path, history) in &mut self.histories {
            let last = history.committed.last();
            if is_there(path) && last.is_some_and(|last| !is_left(path, last)) {
                history.give_up(step);
                self.newest_loss = step;
            }
        }
    }

    /// The files of `arcs` begin again in the view of `epoch`.
    pub(super) fn begin_again(&mut self, epoch: Epoch, arcs: Arcs) {
        self.beginnings.push((epoch, arcs));
    }

    /// What a commit has left of the file is uncertain.
    pub(super) fn lose(&mut self, step: u64, path: &Path) {
        self.histories.entry(path.clone()).or_default().give_up(step);
        self.newest_loss = step;
    }
}

/// The path of which a client is told a version.
fn changed_path(operation: &Operation) -> &Path {
    match &operation.action {
        Action::Rename(to, _) => to,
        Action::Read | Action::Create(_) | Action::Write(..) | Action::Delete(_) => &operation.path,
        Action::Place(_) | Action::Remove(_) | Action::Claim => &operation.path,
    }
}

/// The newest of `facts`, which are in the order of their steps, that is older than `step`.
pub fn before<T>(facts: &[At<T>], step: u64) -> Option<&At<T>> {
    facts[..facts.partition_point(|fact| fact.step < step)].last()
}

/// A state of a file in words.
pub(in crate::file_service::oracle) fn in_words(
    version: Version,
    contents: Option<&Contents>,
) -> String {
    match contents {
        Some(contents) => format!("{contents} at {version}"),
        None if version == Version::default() => "no file yet".to_owned(),
        None => format!("no file at {version}"),
    }
}

fn raise(versions: &mut Vec<At<Version>>, step: u64, version: Version) {
    if versions.last().is_none_or(|last| last.is < version) {
        versions.push(At { step, is: version });
    }
}

/// The changes of all parts, each path once: that all owners of a path agree is for an invariant to
/// say.
fn committed_once(parts: &[(NodeId, Changes)]) -> impl Iterator<Item = &(Path, File)> {
    parts.iter().enumerate().flat_map(move |(number, (_, part))| {
        let is_new = move |path: &Path| {
            parts[..number].iter().all(|(_, part)| part.iter().all(|(other, _)| other != path))
        };
        part.iter().filter(move |(path, _)| is_new(path))
    })
}

//! How a commit differs from what the reference does.

use std::collections::BTreeSet;

use seedbed::machine::NodeId;
use seedbed::proto::{Changes, File, Operation, Outcome, Path};

use super::{Commit, Effect, Stored, words};

/// How a commit differs from what the reference does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What the reference does.
    pub expected: String,
    /// What the commit does instead.
    pub found: String,
    /// The path that it is about, if it is about one.
    pub path: Option<Path>,
    /// Is it that a change is missing? It may be in a vote that is not durable yet.
    pub is_missing: bool,
}

/// How the answer differs, if it does.
pub(super) fn of_answers(
    commit: &Commit<'_>,
    operations: &[Operation],
    expected: &[Option<Outcome>],
) -> Option<Difference> {
    let (request, txn) = (commit.request, commit.txn);
    if commit.answer.len() != expected.len() {
        let expected = format!("{request} has {} operations", expected.len());
        let found = format!("{txn} commits with {} outcomes", commit.answer.len());
        return Some(Difference { expected, found, path: None, is_missing: false });
    }
    let mut outcomes = operations.iter().zip(expected).zip(commit.answer.iter()).zip(1..);
    outcomes.find_map(|(((operation, expected), found), place)| {
        let expected = expected.as_ref().filter(|expected| *expected != found)?;
        let (path, expected, found) = (&operation.path, words(expected), words(found));
        Some(Difference {
            expected: format!("operation {place} of {request}, on {path}, gives {expected}"),
            found: format!("{txn} commits with {found}"),
            path: Some(path.clone()),
            is_missing: false,
        })
    })
}

/// How the changes differ, if they do. The part of each owner changes those paths that the request
/// changes and the owner owns, and no others.
pub(super) fn of_changes(
    commit: &Commit<'_>,
    effect: &Effect,
    uncertain: &BTreeSet<&Path>,
) -> Option<Difference> {
    let on = |path: &Path, (expected, found): Words, is_missing: bool| {
        Some(Difference { expected, found, path: Some(path.clone()), is_missing })
    };
    for (node, changes) in commit.parts {
        for (path, file) in changes.iter().filter(|(path, _)| !uncertain.contains(path)) {
            let expected = effect.changes.get(path);
            if let Some(words) = of_change(commit, expected, (*node, path, file)) {
                return on(path, words, false);
            }
        }
    }
    let mut changes = effect.changes.iter();
    changes.find_map(|(path, stored)| {
        let (words, is_missing) = of_owners(commit, path, stored)?;
        on(path, words, is_missing)
    })
}

/// What the reference does, and what the commit does instead.
type Words = (String, String);

/// How the change that a part makes to a path differs from what the request makes of it.
fn of_change(
    Commit { txn, request, .. }: &Commit<'_>,
    expected: Option<&Stored>,
    (node, path, file): (NodeId, &Path, &File),
) -> Option<Words> {
    match expected {
        Some(stored) if stored.is(file) => None,
        Some(stored) => Some((
            format!("{request} leaves {path} as {stored}"),
            format!("{txn} leaves it as {} at {node}", Stored::of(file)),
        )),
        None => Some((
            format!("{request} does not change {path}"),
            format!("{txn} makes it {} at {node}", Stored::of(file)),
        )),
    }
}

/// How the nodes that change a path differ from its owners, and from those whose votes pin it; and
/// whether a change is missing.
fn of_owners(commit: &Commit<'_>, path: &Path, stored: &Stored) -> Option<(Words, bool)> {
    let Commit { txn, request, parts, pinned, .. } = commit;
    let leaves = || format!("{request} leaves {path} as {stored}");
    let is_changed_by = |changes: &Changes| changes.iter().any(|(of, _)| of == path);
    let owners = (commit.owners)(path);
    let owns = |node: &NodeId| owners.as_ref().map(|owners| owners.contains(node));
    let pins = |node: &NodeId| pinned.get(node).is_some_and(|pinned| pinned.contains(path));
    for (node, changes) in *parts {
        match is_changed_by(changes) {
            true if owns(node) == Some(false) => {
                let expected = format!("{node} does not own {path}");
                return Some(((expected, format!("{txn} makes it {stored} at {node}")), false));
            }
            false if owns(node) == Some(true) || pins(node) => {
                return Some(((leaves(), format!("{txn} does not change it at {node}")), true));
            }
            true | false => {}
        }
    }
    let is_changed = parts.iter().any(|(_, changes)| is_changed_by(changes));
    (!is_changed).then(|| ((leaves(), format!("{txn} does not change it")), true))
}

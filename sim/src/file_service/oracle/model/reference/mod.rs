//! The reference model: what users asked for, executed by a sequential program in the order of the
//! commits.
//!
//! The rest of the model knows what the protocols have decided; this part knows what they should
//! have. [`program`] is written from the table in `docs/semantics.md` and executes the operations
//! of a request when the request commits, on the states that the commits before it have left:
//!
//! | what | stands in the order where |
//! |---|---|
//! | a commit | its decision becomes durable, also by a crash that keeps the record |
//! | a commit whose coordinator's disk is lost, without a durable decision | the first participant durably applies it |
//! | a plain read | its owner puts the answer together |
//! | a refusal | any commit between the question and the refusal |
//!
//! After a loss that the operator has accepted, a path begins again, absent; or an older copy may
//! be left: then its state is uncertain, and the next commit there is believed.

mod committed_states;
mod difference;
pub(in crate::file_service::oracle) mod limits;
pub(in crate::file_service::oracle) mod program;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use seedbed::machine::{NodeId, RequestId};
use seedbed::proto::{
    Action, Answer, Changes, File, Limits, Operation, Outcome, Path, Refusal, Request, Token, TxnId,
};

use super::requests::Asked;
use crate::file_service::oracle::At;

pub use committed_states::{CommittedState, CommittedStates};
pub use difference::Difference;
pub use program::{Effect, Stored, paths};

/// The reference model.
#[derive(Clone, Debug, Default)]
pub struct Reference {
    /// What users may ask for; `None` in a test without a cluster, which asks for little.
    limits: Option<Limits>,
    paths: BTreeMap<Path, CommittedStates>,
    untouched: CommittedStates,
    /// The answers to requests that have committed: of each operation, unless it is uncertain.
    answers: BTreeMap<RequestId, At<Vec<Option<Outcome>>>>,
    /// How the newest commit differs from what the reference does, if it does.
    difference: Option<(TxnId, Difference)>,
}

/// A commit, as the protocols made it.
pub(super) struct Commit<'a> {
    pub step: u64,
    pub txn: TxnId,
    /// The user's request.
    pub request: RequestId,
    /// The operations of the request; `None` if no user made it.
    pub operations: Option<Arc<[Operation]>>,
    /// What each part changes, the coordinator's first; that one is left out if it is not known.
    pub parts: &'a [(NodeId, Changes)],
    /// The paths that a vote pins, by participant: those that it must change.
    pub pinned: &'a BTreeMap<NodeId, Arc<[Path]>>,
    /// The owners of a path in the epoch of the transaction; `None` if there is no such view.
    pub owners: &'a dyn Fn(&Path) -> Option<Arc<[NodeId]>>,
    pub answer: &'a Answer,
    /// Are all disks lost that have what it leaves of a path?
    pub is_lost: &'a dyn Fn(&Path) -> bool,
    /// Does it come too late for a path, which has begun again since the vote?
    pub is_too_late: &'a dyn Fn(&Path) -> bool,
    /// Has what an earlier commit did for the request been given up?
    pub is_again: bool,
}

/// What is asked of it.
impl Reference {
    /// The reference for a cluster with these limits.
    pub(super) fn of(limits: Limits) -> Reference {
        Reference { limits: Some(limits), ..Reference::default() }
    }

    /// The states of `path`.
    pub fn states(&self, path: &Path) -> &CommittedStates {
        self.paths.get(path).unwrap_or(&self.untouched)
    }

    /// The current state of `path`; `None` while it is uncertain.
    pub fn stored(&self, path: &Path) -> Option<&Stored> {
        self.states(path).current().stored.as_ref()
    }

    /// Every path that was ever committed to, in order.
    pub fn paths(&self) -> impl Iterator<Item = (&Path, &CommittedStates)> {
        self.paths.iter()
    }

    /// The answer to a request that has committed.
    pub fn answer(&self, request: RequestId) -> Option<&At<Vec<Option<Outcome>>>> {
        self.answers.get(&request)
    }

    /// How the commit of `txn`, the newest, differs from what the reference does, if it does.
    pub fn difference(&self, txn: TxnId) -> Option<&Difference> {
        self.difference.as_ref().filter(|(of, _)| *of == txn).map(|(_, difference)| difference)
    }
}

/// What happens.
impl Reference {
    /// A transaction commits: the reference executes its request.
    pub(super) fn on_commit(&mut self, commit: &Commit<'_>) {
        self.difference = None;
        let Some(operations) = &commit.operations else {
            self.adopt_all(commit);
            let expected = format!("no user has asked for {}", commit.request);
            let found = format!("{} commits for it", commit.txn);
            return self
                .differ(commit, Difference { expected, found, path: None, is_missing: false });
        };
        let uncertain = self.uncertain(operations, commit);
        let is_certain = |operation: &&Operation| !uncertain.contains(&operation.path);
        let certain: Cow<'_, [Operation]> = match uncertain.is_empty() {
            true => Cow::Borrowed(operations),
            false => operations.iter().filter(is_certain).cloned().collect(),
        };
        let effect = match self.execute(&certain) {
            Ok(effect) => effect,
            Err(refusals) => {
                self.adopt_all(commit);
                let words: Vec<String> = refusals.iter().map(ToString::to_string).collect();
                let expected = format!("{} must be refused: {}", commit.request, words.join(", "));
                let found = format!("{} commits", commit.txn);
                return self
                    .differ(commit, Difference { expected, found, path: None, is_missing: false });
            }
        };
        let mut outcomes = effect.answer.iter();
        let answer: Vec<Option<Outcome>> = operations
            .iter()
            .map(|operation| is_certain(&operation).then(|| outcomes.next().cloned()).flatten())
            .collect();
        let difference = difference::of_answers(commit, operations, &answer)
            .or_else(|| difference::of_changes(commit, &effect, &uncertain));
        if commit.is_again {
            self.answers.remove(&commit.request);
        }
        self.answers.entry(commit.request).or_insert(At { step: commit.step, is: answer });
        for (path, stored) in effect.changes {
            self.commit(commit, &path, stored);
        }
        self.adopt(commit, |path| uncertain.contains(path));
        for path in program::paths(operations).filter(|path| (commit.is_lost)(path)) {
            self.on_loss_accepted(commit.step, path);
        }
        if let Some(difference) = difference {
            self.differ(commit, difference);
        }
    }

    /// The operator accepts the loss of what was committed to `path`: an older copy may be left.
    pub(super) fn on_loss_accepted(&mut self, step: u64, path: &Path) {
        self.paths.entry(path.clone()).or_default().become_uncertain(step);
    }

    /// What was uncertain of these paths is absent: no copy is left.
    pub(super) fn on_begun_again(&mut self, step: u64, has_begun_again: impl Fn(&Path) -> bool) {
        for (path, states) in &mut self.paths {
            if states.current().stored.is_none() && has_begun_again(path) {
                states.begin_again(step);
            }
        }
    }

    fn execute(&self, operations: &[Operation]) -> Result<Effect, Vec<Refusal>> {
        if operations.is_empty() {
            return Ok(Effect::default()); // all of it is uncertain
        }
        let before = |path: &Path| self.stored(path).cloned().unwrap_or_default();
        match &self.limits {
            Some(limits) => program::execute(before, operations, limits),
            None => program::execute(before, operations, &UNLIMITED),
        }
    }

    /// The paths of operations whose outcome is uncertain: where a loss was accepted, where the
    /// commit itself is lost, and both paths of a rename that is on one of them.
    fn uncertain<'a>(
        &self,
        operations: &'a [Operation],
        commit: &Commit<'_>,
    ) -> BTreeSet<&'a Path> {
        let is_lost = |path: &&Path| {
            self.stored(path).is_none() || (commit.is_lost)(path) || (commit.is_too_late)(path)
        };
        let mut uncertain: BTreeSet<&Path> =
            program::paths(operations).filter(|path| is_lost(path)).collect();
        while !uncertain.is_empty() {
            let known = uncertain.len();
            for operation in operations {
                if let Action::Rename(to, _) = &operation.action
                    && (uncertain.contains(to) || uncertain.contains(&operation.path))
                {
                    uncertain.extend([to, &operation.path]);
                }
            }
            if uncertain.len() == known {
                break;
            }
        }
        uncertain
    }

    fn differ(&mut self, commit: &Commit<'_>, difference: Difference) {
        self.difference = Some((commit.txn, difference));
    }

    fn commit(&mut self, commit: &Commit<'_>, path: &Path, stored: Stored) {
        self.paths.entry(path.clone()).or_default().commit(commit.step, commit.txn, stored);
    }

    fn adopt_all(&mut self, commit: &Commit<'_>) {
        self.adopt(commit, |_| true);
    }

    /// Believes what a commit says of these paths, where the reference has nothing to say.
    fn adopt(&mut self, commit: &Commit<'_>, is_uncertain: impl Fn(&Path) -> bool) {
        let mut adopted = BTreeSet::new();
        let changes = commit.parts.iter().flat_map(|(_, changes)| changes.iter());
        let is_seen = |path: &Path| is_uncertain(path) && !(commit.is_too_late)(path);
        for (path, file) in changes.filter(|(path, _)| is_seen(path)) {
            if adopted.insert(path) {
                self.commit(commit, path, Stored::of(file));
            }
        }
    }
}

/// The operations of a request as a client sends them: those that the user asked for, with the
/// tokens that the client has added. `None` before it has sent any.
pub(in crate::file_service::oracle) fn operations(asked: &Asked) -> Option<Arc<[Operation]>> {
    let sent = asked.operations.as_ref()?;
    match &asked.wanted {
        Request::Files { operations, .. } => match is_same_but_for_tokens(operations, sent) {
            true => Some(sent.clone()),
            false => Some(operations.clone()),
        },
        Request::Acquire { path, .. } => {
            let token = sent.first().and_then(|operation| operation.token);
            Some([Operation { path: path.clone(), action: Action::Claim, token }].into())
        }
        Request::Release { .. } => None,
    }
}

fn is_same_but_for_tokens(wanted: &[Operation], sent: &[Operation]) -> bool {
    let is_same = |(wanted, sent): (&Operation, &Operation)| {
        let action = match (&wanted.action, &sent.action) {
            (Action::Rename(wanted, _), Action::Rename(sent, _)) => wanted == sent,
            (wanted, sent) => wanted == sent,
        };
        action && wanted.path == sent.path
    };
    wanted.len() == sent.len() && wanted.iter().zip(sent).all(is_same)
}

/// An outcome in words.
pub(in crate::file_service::oracle) fn words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Found(version, contents) => {
            format!("found {}", super::in_words(*version, contents.as_ref()))
        }
        Outcome::Changed(version) => format!("changed to {version}"),
        Outcome::Lost => "nothing that is not lost".to_owned(),
    }
}

const UNLIMITED: Limits = Limits {
    path_bytes: usize::MAX,
    contents_bytes: usize::MAX,
    operations: usize::MAX,
    nodes: usize::MAX,
    queue: usize::MAX,
};

impl Stored {
    /// What an owner stores, as a state of the reference.
    pub fn of(file: &File) -> Stored {
        let File { version, contents, fence } = file.clone();
        Stored { version, contents, fence }
    }

    /// Is it what an owner stores?
    pub fn is(&self, file: &File) -> bool {
        (self.version, self.fence) == (file.version, file.fence) && self.contents == file.contents
    }
}

impl fmt::Display for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&super::in_words(self.version, self.contents.as_ref()))?;
        match self.fence == Token::default() {
            true => Ok(()),
            false => write!(f, " behind {}", self.fence),
        }
    }
}

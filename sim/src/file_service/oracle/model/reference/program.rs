//! What operations do, as a sequential program: the table of `docs/semantics.md` in code, in the
//! order of the table.
//!
//! It is written from that table and shares nothing with the protocols but ids and the types of
//! requests and answers. One machine, one request at a time, no fault: what is right here is right.

use std::collections::BTreeMap;

use seedbed::proto::{Action, Contents, Limits, Operation, Outcome, Path, Refusal, Token, Version};

use super::limits;

/// What is stored under a path: its state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// The number of changes so far. 0: never written.
    pub version: Version,
    /// The bytes of the file; `None` before the first create and after a delete (a tombstone).
    pub contents: Option<Contents>,
    /// The highest token that was claimed.
    pub fence: Token,
}

/// What a transaction does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    /// One outcome for each operation.
    pub answer: Vec<Outcome>,
    /// The states of all paths with an operation other than a read, as they are afterwards.
    pub changes: BTreeMap<Path, Stored>,
}

/// What an operation does on one path. A rename is on two.
#[derive(Clone, Copy, Debug)]
enum Part<'a> {
    Operation(&'a Operation),
    /// The source of a rename, under the token of its lock.
    Source(Option<Token>),
    /// The target of a rename from this path, under the token of its lock.
    Target(&'a Path, Option<Token>),
}

/// Executes `operations` in their order, each on what those before it have left.
///
/// # Errors
/// For each path on which an operation is refused, the reason of the first: any of them is a right
/// answer, because each owner judges the paths that are its own.
pub fn execute(
    before: impl Fn(&Path) -> Stored,
    operations: &[Operation],
    limits: &Limits,
) -> Result<Effect, Vec<Refusal>> {
    limits::check(operations, limits).map_err(|refusal| vec![refusal])?;
    let mut effect = Effect::default();
    let mut refused: BTreeMap<&Path, Refusal> = BTreeMap::new();
    for operation in operations {
        for (path, part) in parts(operation) {
            if refused.contains_key(path) {
                continue;
            }
            let mut stored = effect.changes.get(path).cloned().unwrap_or_else(|| before(path));
            // Nothing else in the request may use the source of a rename, so it is as it was.
            let moved = |source: &Path| before(source).contents.unwrap_or_else(|| [].into());
            match apply(part, &mut stored, moved) {
                Ok(outcome) => effect.answer.extend(outcome),
                Err(refusal) => {
                    refused.insert(path, refusal);
                    continue;
                }
            }
            if !operation.action.is_read() {
                effect.changes.insert(path.clone(), stored);
            }
        }
    }
    match refused.is_empty() {
        true => Ok(effect),
        false => Err(refused.into_values().collect()),
    }
}

/// Why the operations on `path` among `operations` are refused if it is in the state `stored`.
pub fn refusal_on(path: &Path, stored: &Stored, operations: &[Operation]) -> Option<Refusal> {
    let mut stored = stored.clone();
    let mut here = operations.iter().flat_map(parts).filter(|(of, _)| *of == path);
    here.find_map(|(_, part)| apply(part, &mut stored, |_| [].into()).err())
}

/// The paths of `operations`, as often as they are used.
pub fn paths(operations: &[Operation]) -> impl Iterator<Item = &Path> {
    operations.iter().flat_map(parts).map(|(path, _)| path)
}

fn parts(operation: &Operation) -> impl Iterator<Item = (&Path, Part<'_>)> {
    let (path, token) = (&operation.path, operation.token);
    let (first, second) = match &operation.action {
        Action::Rename(target, its_token) => {
            (Part::Source(token), Some((target, Part::Target(path, *its_token))))
        }
        Action::Read | Action::Create(_) | Action::Write(..) | Action::Delete(_) => {
            (Part::Operation(operation), None)
        }
        Action::Claim | Action::Place(_) | Action::Remove(_) => (Part::Operation(operation), None),
    };
    std::iter::once((path, first)).chain(second)
}

/// One row of the table. The source of a rename has no outcome; the target has that of the rename.
fn apply(
    part: Part<'_>,
    stored: &mut Stored,
    moved: impl Fn(&Path) -> Contents,
) -> Result<Option<Outcome>, Refusal> {
    let operation = match part {
        Part::Source(token) => return rename_source(stored, token).map(|()| None),
        Part::Target(source, token) => {
            return rename_target(stored, token, moved(source)).map(Some);
        }
        Part::Operation(operation) => operation,
    };
    let token = operation.token;
    let outcome = match &operation.action {
        Action::Read => Ok(read(stored)),
        Action::Create(contents) => create(stored, token, contents.clone()),
        Action::Write(contents, version) => write(stored, token, contents.clone(), *version),
        Action::Delete(version) => delete(stored, token, *version),
        Action::Claim => claim(stored, token),
        Action::Rename(..) | Action::Place(_) | Action::Remove(_) => Err(Refusal::Malformed),
    };
    outcome.map(Some)
}

// One function for each section of the table. Refusals stand in the order in which they are judged.

fn read(stored: &Stored) -> Outcome {
    Outcome::Found(stored.version, stored.contents.clone())
}

fn create(
    stored: &mut Stored,
    token: Option<Token>,
    contents: Contents,
) -> Result<Outcome, Refusal> {
    if is_fenced(stored, token) {
        return Err(Refusal::Fenced(stored.fence));
    }
    if stored.contents.is_some() {
        return Err(Refusal::Exists);
    }
    Ok(change(stored, Some(contents)))
}

fn write(
    stored: &mut Stored,
    token: Option<Token>,
    contents: Contents,
    condition: Option<Version>,
) -> Result<Outcome, Refusal> {
    if is_fenced(stored, token) {
        return Err(Refusal::Fenced(stored.fence));
    }
    if condition.is_some_and(|version| version != stored.version) {
        return Err(Refusal::VersionIs(stored.version));
    }
    Ok(change(stored, Some(contents)))
}

fn delete(
    stored: &mut Stored,
    token: Option<Token>,
    condition: Option<Version>,
) -> Result<Outcome, Refusal> {
    if is_fenced(stored, token) {
        return Err(Refusal::Fenced(stored.fence));
    }
    if condition.is_some_and(|version| version != stored.version) {
        return Err(Refusal::VersionIs(stored.version));
    }
    if stored.contents.is_none() {
        return Err(Refusal::NotFound);
    }
    Ok(change(stored, None))
}

fn claim(stored: &mut Stored, token: Option<Token>) -> Result<Outcome, Refusal> {
    if is_fenced(stored, token) {
        return Err(Refusal::Fenced(stored.fence));
    }
    stored.fence = token.ok_or(Refusal::Malformed)?;
    Ok(Outcome::Changed(stored.version))
}

fn rename_source(stored: &mut Stored, token: Option<Token>) -> Result<(), Refusal> {
    if is_fenced(stored, token) {
        return Err(Refusal::Fenced(stored.fence));
    }
    if stored.contents.is_none() {
        return Err(Refusal::NotFound);
    }
    change(stored, None);
    Ok(())
}

fn rename_target(
    stored: &mut Stored,
    token: Option<Token>,
    contents: Contents,
) -> Result<Outcome, Refusal> {
    if is_fenced(stored, token) {
        return Err(Refusal::Fenced(stored.fence));
    }
    if stored.contents.is_some() {
        return Err(Refusal::Exists);
    }
    Ok(change(stored, Some(contents)))
}

/// No token counts as token 0, which is never granted.
fn is_fenced(stored: &Stored, token: Option<Token>) -> bool {
    token.unwrap_or(Token(0)) < stored.fence
}

fn change(stored: &mut Stored, contents: Option<Contents>) -> Outcome {
    stored.version = Version(stored.version.0 + 1);
    stored.contents = contents;
    Outcome::Changed(stored.version)
}

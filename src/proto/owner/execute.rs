//! What operations change and give.

use super::Owner;
use crate::proto::{
    Action, Changes, Defect, Defects, File, Operation, Outcome, Path, Refusal, Results, Token, Work,
};

/// Why operations cannot be executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::proto) enum CannotExecute {
    /// The request is refused.
    Refused(Refusal),
    /// The source of a rename changed after the coordinator looked: worth another attempt.
    Moved,
}

impl Owner {
    /// What `work` would change and give, in its order, each operation seeing those before it.
    pub fn execute(
        &self,
        defects: Defects,
        work: &Work,
    ) -> Result<(Changes, Results), CannotExecute> {
        let mut changed: Vec<(Path, File)> = Vec::new();
        let mut results = Vec::with_capacity(work.len());
        for (place, operation) in work.iter() {
            let known = changed.iter().position(|(path, _)| *path == operation.path);
            let mut file = match known {
                Some(at) => changed[at].1.clone(),
                None => self.file(&operation.path),
            };
            if let Some(outcome) = execute(defects, operation, &mut file)? {
                results.push((*place, outcome));
            }
            match known {
                _ if operation.action.is_read() => {}
                Some(at) => changed[at].1 = file,
                None => changed.push((operation.path.clone(), file)),
            }
        }
        Ok((changed.into(), results.into()))
    }
}

/// Executes one operation on one file; the source's half of a rename has no outcome of its own.
fn execute(
    defects: Defects,
    operation: &Operation,
    file: &mut File,
) -> Result<Option<Outcome>, CannotExecute> {
    let refuse = |refusal| Err(CannotExecute::Refused(refusal));
    let exists = file.contents.is_some();
    if !operation.action.is_read() {
        check_fence(operation.token, file.fence)?;
    }
    let expected = match &operation.action {
        Action::Write(_, expected) | Action::Delete(expected) => *expected,
        Action::Read | Action::Create(_) | Action::Rename(..) => None,
        Action::Place(_) | Action::Remove(_) | Action::Claim => None,
    };
    if expected.is_some_and(|version| version != file.version) {
        return refuse(Refusal::VersionIs(file.version));
    }
    let contents = match &operation.action {
        Action::Read => return Ok(Some(Outcome::Found(file.version, file.contents.clone()))),
        Action::Claim => {
            // The check above let only a token pass that is at least the fence.
            if !defects.has(Defect::ClaimRaisesNoFence) {
                file.fence = operation.token.expect("a claim without a token is malformed");
            }
            return Ok(Some(Outcome::Changed(file.version)));
        }
        Action::Create(_) if exists && !defects.has(Defect::CreateOverwrites) => {
            return refuse(Refusal::Exists);
        }
        Action::Place(_) if exists => return refuse(Refusal::Exists),
        Action::Delete(_) | Action::Remove(_) if !exists => return refuse(Refusal::NotFound),
        Action::Remove(version) if *version != file.version => return Err(CannotExecute::Moved),
        Action::Rename(..) => return refuse(Refusal::Malformed),
        Action::Remove(_) if defects.has(Defect::RenameLeavesItsSource) => return Ok(None),
        Action::Create(contents) | Action::Place(contents) | Action::Write(contents, _) => {
            Some(contents.clone())
        }
        Action::Delete(_) | Action::Remove(_) => None,
    };
    file.version = file.version.next();
    file.contents = contents;
    let outcome = Outcome::Changed(file.version);
    Ok((!matches!(operation.action, Action::Remove(_))).then_some(outcome))
}

/// A change with a lower token than the highest one claimed, or with none, comes from a client that
/// has lost the lock; an equal one from the holder itself.
fn check_fence(token: Option<Token>, fence: Token) -> Result<(), CannotExecute> {
    match token.unwrap_or_default() < fence {
        true => Err(CannotExecute::Refused(Refusal::Fenced(fence))),
        false => Ok(()),
    }
}

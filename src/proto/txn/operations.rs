//! The operations of a request: which make sense, and what each asks of the owners of one path.
//!
//! A rename has two paths. It becomes two operations, one for each, when the coordinator knows what
//! is at its source: the source goes, and the contents are placed at the target.

use crate::proto::{Action, Config, Contents, File, Operation, Path, Refusal};

/// The path of an operation, and that to which it renames.
pub(super) fn paths_of_operation(operation: &Operation) -> impl Iterator<Item = &Path> {
    let target = match &operation.action {
        Action::Rename(to, _) => Some(to),
        Action::Read | Action::Create(_) | Action::Write(..) | Action::Delete(_) => None,
        Action::Place(_) | Action::Remove(_) | Action::Claim => None,
    };
    std::iter::once(&operation.path).chain(target)
}

/// Does the request make sense, and is it within the limits?
pub(super) fn check(config: &Config, operations: &[Operation]) -> Result<(), Refusal> {
    if operations.is_empty() || operations.len() > config.limits.operations {
        return Err(Refusal::BadOperationCount);
    }
    for (i, operation) in operations.iter().enumerate() {
        check_path(config, &operation.path)?;
        match &operation.action {
            Action::Create(contents) | Action::Write(contents, _) => {
                check_contents(config, contents)?;
            }
            Action::Rename(to, _) => {
                check_path(config, to)?;
                // The coordinator looks at the source before the others are executed.
                let used = |other: &Operation| {
                    other.path == operation.path
                        || matches!(&other.action, Action::Rename(to, _) if *to == operation.path)
                };
                let others = operations.iter().enumerate().filter(|(j, _)| *j != i);
                if *to == operation.path || others.into_iter().any(|(_, other)| used(other)) {
                    return Err(Refusal::Malformed);
                }
            }
            Action::Claim if operation.token.is_none() => return Err(Refusal::Malformed),
            Action::Place(_) | Action::Remove(_) => return Err(Refusal::Malformed),
            Action::Read | Action::Delete(_) | Action::Claim => {}
        }
    }
    Ok(())
}

/// Is the path within the limit?
pub(in crate::proto) fn check_path(config: &Config, path: &Path) -> Result<(), Refusal> {
    match path.as_str().len() > config.limits.path_bytes {
        true => Err(Refusal::PathTooLong),
        false => Ok(()),
    }
}

fn check_contents(config: &Config, contents: &Contents) -> Result<(), Refusal> {
    match contents.as_bytes().len() > config.limits.contents_bytes {
        true => Err(Refusal::ContentsTooLong),
        false => Ok(()),
    }
}

/// The source of a rename, which must be looked at before the operations are executed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Source {
    /// The place of the rename in the request.
    pub place: u8,
    pub path: Path,
    /// What is there, once that is known.
    pub file: Option<File>,
}

/// The operations with their places in the request, and the sources of renames.
pub(super) fn split_renames(operations: &[Operation]) -> (Vec<(u8, Operation)>, Vec<Source>) {
    let mut work = Vec::with_capacity(operations.len());
    let mut sources = Vec::new();
    for (place, operation) in (0..=u8::MAX).zip(operations) {
        match &operation.action {
            Action::Rename(..) => {
                sources.push(Source { place, path: operation.path.clone(), file: None });
            }
            Action::Read | Action::Create(_) | Action::Write(..) | Action::Delete(_) => {}
            Action::Place(_) | Action::Remove(_) | Action::Claim => {}
        }
        work.push((place, operation.clone()));
    }
    (work, sources)
}

/// Turns a rename into its two halves, now that its source is known: the source goes if it is still
/// at the version that was looked at, the target takes the contents.
pub(super) fn fill_in_source(work: &mut Vec<(u8, Operation)>, place: u8, path: &Path, file: File) {
    let at = work.iter().position(|(p, op)| *p == place && op.path == *path);
    let at = at.expect("the rename is part of the work");
    let Action::Rename(to, token) = work[at].1.action.clone() else {
        unreachable!("only a rename has a source");
    };
    work[at].1.action = Action::Remove(file.version);
    let contents = file.contents.unwrap_or_else(|| Contents::from([]));
    let target = Operation { path: to, action: Action::Place(contents), token };
    work.insert(at + 1, (place, target));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::{Contents, Limits, Settings, Token};

    fn path(bytes: usize) -> Path {
        Path::new(&format!("/{}", "p".repeat(bytes - 1))).expect("it begins with a slash")
    }

    fn operation(path: Path, action: Action) -> Operation {
        Operation { path, action, token: None }
    }

    /// The answer to operations that are as large as the limits allow and `more`.
    fn checked(make: impl Fn(&Limits, usize) -> Vec<Operation>, more: usize) -> Option<Refusal> {
        let config = Config::new(Settings::default()).expect("sound settings");
        check(&config, &make(&config.limits, more)).err()
    }

    #[test]
    fn what_is_as_large_as_a_limit_is_within_it() {
        let operations = |limits: &Limits, more| {
            vec![operation(path(2), Action::Read); limits.operations + more]
        };
        let paths =
            |limits: &Limits, more| vec![operation(path(limits.path_bytes + more), Action::Read)];
        let targets = |limits: &Limits, more| {
            let target = path(limits.path_bytes + more);
            vec![operation(path(2), Action::Rename(target, None))]
        };
        let contents = |limits: &Limits, more| {
            let contents = Contents::from(vec![0; limits.contents_bytes + more]);
            vec![operation(path(2), Action::Write(contents, None))]
        };
        assert_eq!(checked(operations, 0), None);
        assert_eq!(checked(operations, 1), Some(Refusal::BadOperationCount));
        assert_eq!(checked(paths, 0), None);
        assert_eq!(checked(paths, 1), Some(Refusal::PathTooLong));
        assert_eq!(checked(targets, 0), None);
        assert_eq!(checked(targets, 1), Some(Refusal::PathTooLong));
        assert_eq!(checked(contents, 0), None);
        assert_eq!(checked(contents, 1), Some(Refusal::ContentsTooLong));
        assert_eq!(checked(|_, _| Vec::new(), 0), Some(Refusal::BadOperationCount));
    }

    #[test]
    fn the_source_of_a_rename_is_used_by_no_other_operation() {
        let rename = || operation(path(2), Action::Rename(path(3), None));
        let with = |other| checked(|_, _| vec![rename(), Operation::clone(&other)], 0);
        assert_eq!(with(operation(path(3), Action::Read)), None);
        assert_eq!(with(operation(path(2), Action::Read)), Some(Refusal::Malformed));
        let onto_source = operation(path(4), Action::Rename(path(2), None));
        assert_eq!(with(onto_source), Some(Refusal::Malformed));
        let to_itself = |_: &Limits, _| vec![operation(path(2), Action::Rename(path(2), None))];
        assert_eq!(checked(to_itself, 0), Some(Refusal::Malformed));
    }

    #[test]
    fn a_claim_has_a_token() {
        let claim = |token| {
            move |_: &Limits, _| vec![Operation { path: path(2), action: Action::Claim, token }]
        };
        assert_eq!(checked(claim(None), 0), Some(Refusal::Malformed));
        assert_eq!(checked(claim(Some(Token(1))), 0), None);
    }
}

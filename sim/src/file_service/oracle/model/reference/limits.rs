//! Which requests are refused for what they ask, whatever is stored: the table of limits of
//! `docs/semantics.md`, in its order.

use seedbed::proto::{Action, Contents, Limits, Operation, Path, Refusal};

/// Is the request within the limits, and does it make sense?
///
/// # Errors
/// The first reason why not: the number of operations, then operation by operation.
pub fn check(operations: &[Operation], limits: &Limits) -> Result<(), Refusal> {
    if operations.is_empty() || operations.len() > limits.operations {
        return Err(Refusal::BadOperationCount);
    }
    for operation in operations {
        check_path(&operation.path, limits)?;
        match &operation.action {
            Action::Read | Action::Delete(_) => {}
            Action::Create(contents) | Action::Write(contents, _) => {
                check_contents(contents, limits)?;
            }
            Action::Rename(target, _) => {
                check_path(target, limits)?;
                if *target == operation.path || is_used_by_others(operation, operations) {
                    return Err(Refusal::Malformed);
                }
            }
            Action::Claim if operation.token.is_some() => {}
            Action::Claim | Action::Place(_) | Action::Remove(_) => {
                return Err(Refusal::Malformed);
            }
        }
    }
    Ok(())
}

/// Is the path short enough?
///
/// # Errors
/// If it is not.
pub fn check_path(path: &Path, limits: &Limits) -> Result<(), Refusal> {
    match path.as_str().len() <= limits.path_bytes {
        true => Ok(()),
        false => Err(Refusal::PathTooLong),
    }
}

fn check_contents(contents: &Contents, limits: &Limits) -> Result<(), Refusal> {
    match contents.as_bytes().len() <= limits.contents_bytes {
        true => Ok(()),
        false => Err(Refusal::ContentsTooLong),
    }
}

/// Is the source of `rename` a path of any other operation?
fn is_used_by_others(rename: &Operation, operations: &[Operation]) -> bool {
    let others = operations.iter().filter(|other| !std::ptr::eq(*other, rename));
    others.into_iter().any(|other| {
        let target = match &other.action {
            Action::Rename(target, _) => Some(target),
            Action::Read | Action::Create(_) | Action::Write(..) | Action::Delete(_) => None,
            Action::Claim | Action::Place(_) | Action::Remove(_) => None,
        };
        other.path == rename.path || target == Some(&rename.path)
    })
}

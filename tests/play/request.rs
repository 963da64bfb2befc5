//! What a user asks for, as a play writes it.

use seedbed::proto::{Action, Contents, Operation, Request};

use super::Told;
use super::parse::{node, path, unknown};

const OPERATIONS: [&str; 8] =
    ["read", "create", "write", "delete", "rename", "acquire", "try", "release"];

/// `write /a x, read /b at n1`, `acquire /a`.
pub fn request(words: &[&str]) -> Told<Request> {
    let text = words.join(" ");
    let (text, coordinator) = match text.rsplit_once(" at ") {
        Some((text, name)) => (text.to_owned(), Some(node(name)?)),
        None => (text, None),
    };
    match text.split_whitespace().collect::<Vec<_>>().as_slice() {
        ["acquire", lock] => Ok(Request::Acquire { path: path(lock)?, wait: true }),
        ["try", lock] => Ok(Request::Acquire { path: path(lock)?, wait: false }),
        ["release", lock] => Ok(Request::Release { path: path(lock)? }),
        _ => {
            let operations = text.split(',').map(operation).collect::<Told<Vec<_>>>()?;
            Ok(Request::Files { operations: operations.into(), coordinator })
        }
    }
}

fn operation(text: &str) -> Told<Operation> {
    let (name, action) = match text.split_whitespace().collect::<Vec<_>>().as_slice() {
        ["read", name] => (path(name)?, Action::Read),
        ["create", name, data] => (path(name)?, Action::Create(Contents::from(data))),
        ["write", name, data] => (path(name)?, Action::Write(Contents::from(data), None)),
        ["delete", name] => (path(name)?, Action::Delete(None)),
        ["rename", name, to] => (path(name)?, Action::Rename(path(to)?, None)),
        [name, ..] if !OPERATIONS.contains(name) => {
            return Err(unknown("operation", name, OPERATIONS));
        }
        _ => return Err(format!("not a form of this operation: `{}`", text.trim())),
    };
    Ok(Operation { path: name, action, token: None })
}

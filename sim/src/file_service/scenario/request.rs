//! What a script asks the file service for.

pub(super) mod grammar;

use std::sync::Arc;

use seedbed::machine::NodeId;
use seedbed::proto::{Action, Contents, Operation, Request, Version};

use crate::scenario::reading::{Result, Table, Value, all};
use crate::scenario::written::{self, Keys};
use grammar::OPERATION;
pub use grammar::{Ask, Verb};

/// The key by which a script says which node is asked first.
pub(in crate::file_service) fn asked_first(ask: Ask) -> Option<&'static str> {
    match ask {
        Ask::Operation(Verb::Read) => Some("owner"),
        Ask::Operation(Verb::Create | Verb::Write | Verb::Delete | Verb::Rename) => {
            Some("coordinator")
        }
        Ask::Transaction => Some("coordinator"),
        Ask::Acquire | Ask::Release => None,
    }
}

/// The same request, for which this node is asked first.
pub(in crate::file_service) fn with_first(request: &Request, first: Option<NodeId>) -> Request {
    match request {
        Request::Files { operations, coordinator } => {
            Request::Files { operations: operations.clone(), coordinator: first.or(*coordinator) }
        }
        Request::Acquire { .. } | Request::Release { .. } => request.clone(),
    }
}

/// The keys by which a script says a request; `None` where contents are no text.
pub(in crate::file_service) fn written(request: &Request) -> Option<Keys> {
    let mut keys = Keys::new();
    match request {
        Request::Files { operations, coordinator } => {
            let mut all = operations.iter().map(written_operation).collect::<Option<Vec<_>>>()?;
            let first = match &operations[..] {
                [Operation { action: Action::Read, .. }] => "owner",
                _ => "coordinator",
            };
            match all.len() {
                1 => keys = all.remove(0),
                _ => {
                    let all: Vec<written::Value> = all.into_iter().map(Into::into).collect();
                    keys.insert("transaction".to_owned(), all.into());
                }
            }
            if let Some(node) = coordinator {
                keys.insert(first.to_owned(), written::name(*node));
            }
        }
        Request::Acquire { path, wait } => {
            keys.insert("acquire".to_owned(), path.as_str().into());
            if !wait {
                keys.insert("wait".to_owned(), false.into());
            }
        }
        Request::Release { path } => {
            keys.insert("release".to_owned(), path.as_str().into());
        }
    }
    Some(keys)
}

fn written_operation(operation: &Operation) -> Option<Keys> {
    let mut keys = Keys::new();
    let mut put = |key: &str, value: written::Value| keys.insert(key.to_owned(), value);
    let path = || written::Value::from(operation.path.as_str());
    let text =
        |data: &Contents| std::str::from_utf8(data.as_bytes()).ok().map(written::Value::from);
    let version = |version: &Option<Version>| match version {
        Some(Version(number)) => i64::try_from(*number).ok().map(|number| Some(number.into())),
        None => Some(None),
    };
    let is_at = match &operation.action {
        Action::Read => {
            put("read", path());
            None
        }
        Action::Create(data) => {
            put("create", path());
            put("data", text(data)?);
            None
        }
        Action::Write(data, is_at) => {
            put("write", path());
            put("data", text(data)?);
            version(is_at)?
        }
        Action::Delete(is_at) => {
            put("delete", path());
            version(is_at)?
        }
        Action::Rename(to, _) => {
            put("rename", path());
            put("to", to.as_str().into());
            None
        }
        Action::Place(_) | Action::Remove(_) | Action::Claim => return None, // no user asks for it
    };
    if let Some(number) = is_at {
        put("if_version", number);
    }
    Some(keys)
}

/// Reads a request of a script. No operation has a token: a client puts in that of the lock it
/// holds.
pub(in crate::file_service) fn read(
    ask: Ask,
    table: &Table<'_>,
    main: &Value<'_>,
) -> Result<Request> {
    let files = |operations| Request::Files { operations, coordinator: None };
    Ok(match ask {
        Ask::Operation(verb) => files(Arc::new([operation(table, verb, main)?])),
        Ask::Transaction => files(transaction(main)?),
        Ask::Acquire => {
            let (path, wait) = (main.path(), table.or("wait", true, |value| value.boolean()));
            Request::Acquire { path: path?, wait: wait? }
        }
        Ask::Release => Request::Release { path: main.path()? },
    })
}

fn transaction(main: &Value<'_>) -> Result<Arc<[Operation]>> {
    let read = |value: Value<'_>| {
        let table = value.table(&OPERATION)?;
        let (verb, main) = table.form(&OPERATION)?;
        operation(&table, verb, &main)
    };
    Ok(all(main.list()?.into_iter().map(read))?.into())
}

fn operation(table: &Table<'_>, verb: Verb, main: &Value<'_>) -> Result<Operation> {
    let path = main.path();
    let action = match verb {
        Verb::Read => Ok(Action::Read),
        Verb::Create => data(table).map(Action::Create),
        Verb::Write => {
            let (data, version) = (data(table), version(table));
            data.and_then(|data| Ok(Action::Write(data, version?)))
        }
        Verb::Delete => version(table).map(Action::Delete),
        Verb::Rename => {
            let to = table.need("to", "the new path").and_then(|to| to.path());
            to.map(|to| Action::Rename(to, None))
        }
    };
    Ok(Operation { path: path?, action: action?, token: None })
}

fn data(table: &Table<'_>) -> Result<Contents> {
    Ok(Contents::from(table.need("data", "the contents")?.string()?))
}

fn version(table: &Table<'_>) -> Result<Option<Version>> {
    table.maybe("if_version", |value| value.integer(0..=i64::MAX).map(Version))
}

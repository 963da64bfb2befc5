//! `[[script]]`: what clients ask for, request by request.

use std::sync::Arc;

use seedbed::proto::{Action, Contents, NodeId, Operation, Path, Request, Span, Version};

use super::cluster::Named;
use super::expect::answer::Answer;
use super::reader::{Form, Result, Table};
use super::value::Value;

/// One request of one client.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Script {
    /// The client that asks.
    pub client: NodeId,
    /// When, since the start of the run.
    pub at: Span,
    /// For what. No operation has a token: a client puts in that of the lock it holds.
    pub request: Request,
    /// The answer that it must get, if the file says so.
    pub answer: Option<Answer>,
}

#[derive(Clone, Copy)]
enum Verb {
    Read,
    Create,
    Write,
    Delete,
    Rename,
}

#[derive(Clone, Copy)]
enum Ask {
    Operation(Verb),
    Transaction,
    Acquire,
    Release,
}

const OPERATIONS: [Form<Verb>; 5] = [
    Form { key: "read", beside: &[], is: Verb::Read },
    Form { key: "create", beside: &["data"], is: Verb::Create },
    Form { key: "write", beside: &["data", "if_version"], is: Verb::Write },
    Form { key: "delete", beside: &["if_version"], is: Verb::Delete },
    Form { key: "rename", beside: &["to"], is: Verb::Rename },
];

// One read needs no transaction, and there is one lock server only: neither has a coordinator.
const REQUESTS: [Form<Ask>; 8] = [
    Form { key: "read", beside: &[], is: Ask::Operation(Verb::Read) },
    Form { key: "create", beside: &["data", "coordinator"], is: Ask::Operation(Verb::Create) },
    Form {
        key: "write",
        beside: &["data", "if_version", "coordinator"],
        is: Ask::Operation(Verb::Write),
    },
    Form {
        key: "delete",
        beside: &["if_version", "coordinator"],
        is: Ask::Operation(Verb::Delete),
    },
    Form { key: "rename", beside: &["to", "coordinator"], is: Ask::Operation(Verb::Rename) },
    Form { key: "transaction", beside: &["coordinator"], is: Ask::Transaction },
    Form { key: "acquire", beside: &["wait"], is: Ask::Acquire },
    Form { key: "release", beside: &[], is: Ask::Release },
];

pub(super) fn read(root: &Table<'_>, cast: Named, safety: Span) -> Result<Vec<Script>> {
    root.each("script", |value| script(&value, cast, safety))
}

fn script(value: &Value<'_>, cast: Named, safety: Span) -> Result<Script> {
    let (table, ask, main) = value.table_of(&["client", "at", "answer"], &REQUESTS)?;
    let client = table.need("client", "the client that asks")?.client(cast)?;
    let at = table.need("at", "a time such as \"1s\"")?.moment(safety)?;
    let request = request(&table, ask, &main, cast)?;
    let answer = table.maybe("answer", |value| value.answer(&request))?;
    Ok(Script { client, at, request, answer })
}

impl Value<'_> {
    /// A time within the safety phase: afterwards everything is healed and nothing new is asked.
    pub(super) fn moment(&self, safety: Span) -> Result<Span> {
        let at = self.span()?;
        if at < safety {
            Ok(at)
        } else {
            Err(self.not(&format!("a time before the end of the safety phase ({safety})")))
        }
    }
}

fn request(table: &Table<'_>, ask: Ask, main: &Value<'_>, cast: Named) -> Result<Request> {
    let coordinator = || table.maybe("coordinator", |value| value.storage_node(cast));
    Ok(match ask {
        Ask::Operation(verb) => {
            let operations = Arc::new([operation(table, verb, main)?]);
            let coordinator = if matches!(verb, Verb::Read) { None } else { coordinator()? };
            Request::Files { operations, coordinator }
        }
        Ask::Transaction => {
            Request::Files { operations: transaction(main)?, coordinator: coordinator()? }
        }
        Ask::Acquire => {
            Request::Acquire { path: main.path()?, wait: table.or("wait", true, |v| v.boolean())? }
        }
        Ask::Release => Request::Release { path: main.path()? },
    })
}

fn transaction(main: &Value<'_>) -> Result<Arc<[Operation]>> {
    let read = |value: Value<'_>| {
        let (table, verb, main) = value.table_of(&[], &OPERATIONS)?;
        operation(&table, verb, &main)
    };
    let operations = main.list()?.into_iter().map(read).collect::<Result<Arc<[_]>>>()?;
    if operations.is_empty() {
        Err(main.error("expected operations, found none"))
    } else {
        Ok(operations)
    }
}

fn operation(table: &Table<'_>, verb: Verb, main: &Value<'_>) -> Result<Operation> {
    let action = match verb {
        Verb::Read => Action::Read,
        Verb::Create => Action::Create(data(table)?),
        Verb::Write => Action::Write(data(table)?, version(table)?),
        Verb::Delete => Action::Delete(version(table)?),
        Verb::Rename => Action::Rename(target(table, main)?, None),
    };
    Ok(Operation { path: main.path()?, action, token: None })
}

fn data(table: &Table<'_>) -> Result<Contents> {
    Ok(Contents::from(table.need("data", "the contents")?.string()?))
}

fn version(table: &Table<'_>) -> Result<Option<Version>> {
    table.maybe("if_version", |value| value.integer(0..=i64::MAX).map(Version))
}

fn target(table: &Table<'_>, main: &Value<'_>) -> Result<Path> {
    let to = table.need("to", "the new path")?;
    let path = to.path()?;
    if path == main.path()? { Err(to.not("another path than `rename`")) } else { Ok(path) }
}

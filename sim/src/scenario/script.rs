//! `[[script]]`: what clients ask for, request by request.

use std::sync::Arc;

use seedbed::proto::{Action, Contents, NodeId, Operation, Path, Request, Span, Version};

use super::cluster::Named;
use super::error::all;
use super::expect::answer::Answer;
use super::grammar::{Form, Key, Style, TableGrammar};
use super::reader::{Result, Table};
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
pub(super) enum Verb {
    Read,
    Create,
    Write,
    Delete,
    Rename,
}

#[derive(Clone, Copy)]
pub(super) enum Ask {
    Operation(Verb),
    Transaction,
    Acquire,
    Release,
}

const DATA: Key = Key::needed("data", "text", "the contents");
const IF_VERSION: Key = Key::perhaps(
    "if_version",
    "whole number",
    "whatever the version",
    "only if the path is still at this version",
);
const TO: Key = Key::needed("to", "path", "the new path");
const COORDINATOR: Key = Key::perhaps(
    "coordinator",
    "storage node",
    "the client chooses",
    "the node that is asked first",
);

const fn operation_key(name: &'static str, meaning: &'static str) -> Key {
    Key::form(name, "path", meaning)
}

const READ: Key = operation_key("read", "reads the file");
const CREATE: Key = operation_key("create", "makes a file; refused if there is one");
const WRITE: Key =
    operation_key("write", "replaces the contents, and makes a file that is not there");
const DELETE: Key = operation_key("delete", "deletes the file; refused if there is none");
const RENAME: Key =
    operation_key("rename", "moves the contents; refused if there are none, or a file at `to`");

pub(super) const OPERATION: TableGrammar<Verb> = TableGrammar {
    name: "script.transaction",
    style: Style::InlineMany,
    meaning: "one operation of a transaction",
    keys: &[],
    forms: &[
        Form { key: READ, beside: &[], is: Verb::Read },
        Form { key: CREATE, beside: &[DATA], is: Verb::Create },
        Form { key: WRITE, beside: &[DATA, IF_VERSION], is: Verb::Write },
        Form { key: DELETE, beside: &[IF_VERSION], is: Verb::Delete },
        Form { key: RENAME, beside: &[TO], is: Verb::Rename },
    ],
    notes: &[],
    example: r#"
[[script]]
client = "c1"
at = "1s"
transaction = [{ write = "/a", data = "1" }, { read = "/b" }, { rename = "/c", to = "/d" }]
"#,
};

pub(super) const SCRIPT: TableGrammar<Ask> = TableGrammar {
    name: "script",
    style: Style::Many,
    meaning: "one request of one client, as written",
    keys: &[
        Key::needed("client", "client", "the client that asks"),
        Key::needed("at", "duration, within the safety phase", "when, from the start of the run"),
        Key::perhaps(
            "answer",
            "`\"done\"`, `\"refused\"`, `\"unknown\"` or a table, see `script.answer`",
            "anything",
            "what must be answered",
        ),
    ],
    // One read needs no transaction, and there is one lock server only: neither has a coordinator.
    forms: &[
        Form { key: READ, beside: &[], is: Ask::Operation(Verb::Read) },
        Form { key: CREATE, beside: &[DATA, COORDINATOR], is: Ask::Operation(Verb::Create) },
        Form {
            key: WRITE,
            beside: &[DATA, IF_VERSION, COORDINATOR],
            is: Ask::Operation(Verb::Write),
        },
        Form { key: DELETE, beside: &[IF_VERSION, COORDINATOR], is: Ask::Operation(Verb::Delete) },
        Form { key: RENAME, beside: &[TO, COORDINATOR], is: Ask::Operation(Verb::Rename) },
        Form {
            key: Key::form(
                "transaction",
                "array of tables, see `script.transaction`",
                "all of these operations or none",
            ),
            beside: &[COORDINATOR],
            is: Ask::Transaction,
        },
        Form {
            key: operation_key("acquire", "takes the lock of the path"),
            beside: &[Key::usually(
                "wait",
                "`true`, `false`",
                "true",
                "whether it stands in line for a lock that is held",
            )],
            is: Ask::Acquire,
        },
        Form {
            key: operation_key("release", "gives the lock of the path back"),
            beside: &[],
            is: Ask::Release,
        },
    ],
    notes: &[
        "A client that holds the lock of a path sends its token with what it writes there.",
        "One `read` is asked of an owner, without a transaction.",
    ],
    example: r#"
[[script]]
client = "c1"
at = "1s"
write = "/a"
data = "new"
coordinator = "n2"

[[script]]
client = "c1"
at = "2s"
read = "/a"
answer = { contents = "new" }
"#,
};

pub(super) fn read(root: &Table<'_>, cast: Named, safety: Span) -> Result<Vec<Script>> {
    root.each("script", |value| script(&value, cast, safety))
}

fn script(value: &Value<'_>, cast: Named, safety: Span) -> Result<Script> {
    let table = value.table(&SCRIPT)?;
    let client = table.need("client", "the client that asks").and_then(|value| value.client(cast));
    let at = table.need("at", "a time such as \"1s\"").and_then(|value| value.moment(safety));
    let request = table.form(&SCRIPT).and_then(|(ask, main)| request(&table, ask, &main, cast));
    let answer = table.maybe("answer", |value| match &request {
        Ok(request) => value.answer(request),
        Err(refused) => Err(*refused),
    });
    Ok(Script { client: client?, at: at?, request: request?, answer: answer? })
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
            let operation = operation(table, verb, main);
            let coordinator = if matches!(verb, Verb::Read) { Ok(None) } else { coordinator() };
            Request::Files { operations: Arc::new([operation?]), coordinator: coordinator? }
        }
        Ask::Transaction => {
            let (operations, coordinator) = (transaction(main), coordinator());
            Request::Files { operations: operations?, coordinator: coordinator? }
        }
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
    let operations: Arc<[_]> = all(main.list()?.into_iter().map(read))?.into();
    if operations.is_empty() {
        Err(main.error("expected operations, found none"))
    } else {
        Ok(operations)
    }
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
        Verb::Rename => target(table, &path).map(|to| Action::Rename(to, None)),
    };
    Ok(Operation { path: path?, action: action?, token: None })
}

fn data(table: &Table<'_>) -> Result<Contents> {
    Ok(Contents::from(table.need("data", "the contents")?.string()?))
}

fn version(table: &Table<'_>) -> Result<Option<Version>> {
    table.maybe("if_version", |value| value.integer(0..=i64::MAX).map(Version))
}

fn target(table: &Table<'_>, source: &Result<Path>) -> Result<Path> {
    let to = table.need("to", "the new path")?;
    let path = to.path()?;
    match source {
        Ok(source) if path == *source => Err(to.not("another path than `rename`")),
        Ok(_) | Err(_) => Ok(path),
    }
}

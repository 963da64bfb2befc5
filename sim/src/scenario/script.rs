//! `[[script]]`: what clients ask for, request by request.
//!
//! A script is one request or several *steps*, each asked when the one before is answered. It may be
//! repeated: after its answer, or every so long whether it is answered or not.

use std::sync::Arc;

use seedbed::proto::{Action, Contents, Operation, Path, Request, Span, Version};

use super::cluster::Named;
use super::expect::answer::Answer;
use super::occasion::{Names, Trigger, trigger};
use super::reader::{Form, Result, Table};
use super::role::Role as Part;
use super::target::{Binder, Target};
use super::value::Value;

/// Requests of one client.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Script {
    /// What filters call its requests, if the file says so.
    pub name: Option<String>,
    /// The client that asks.
    pub client: Target,
    /// When it begins.
    pub begins: Trigger,
    /// What is asked, each after the answer to the one before; at least one.
    pub steps: Vec<Step>,
    /// How often all of it is asked.
    pub rounds: Rounds,
}

/// One request of a script.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Step {
    /// How long the client waits before it, after the answer to the one before.
    pub pause: Span,
    /// For what. No operation has a token: a client puts in that of the lock it holds. No
    /// coordinator is named: see `first`.
    pub request: Request,
    /// The storage node that is asked first, if the file says so.
    pub first: Option<Target>,
    /// The answer that it must get, if the file says so.
    pub answer: Option<Answer>,
}

impl Step {
    /// A request that any node may be asked, at once, and any answer will do.
    pub fn of(request: Request) -> Step {
        Step { pause: Span::ZERO, request, first: None, answer: None }
    }
}

/// How often a script is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rounds {
    /// How often, at least once.
    pub count: u32,
    /// When the next round begins.
    pub next: Next,
}

/// When the next round of a script begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Next {
    /// This long after the last answer of the round before.
    AfterAnswer(Span),
    /// This long after the round before has begun, answered or not.
    Every(Span),
}

impl Rounds {
    /// One round.
    pub const ONCE: Rounds = Rounds { count: 1, next: Next::AfterAnswer(Span::ZERO) };
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

#[derive(Clone, Copy)]
enum Told {
    Once(Ask),
    Steps,
}

// One read needs no transaction, and there is one lock server only: neither has a coordinator.
const REQUESTS: [Form<Ask>; 8] = [
    Form { key: "read", beside: &["owner", "answer"], is: Ask::Operation(Verb::Read) },
    Form {
        key: "create",
        beside: &["data", "coordinator", "answer"],
        is: Ask::Operation(Verb::Create),
    },
    Form {
        key: "write",
        beside: &["data", "if_version", "coordinator", "answer"],
        is: Ask::Operation(Verb::Write),
    },
    Form {
        key: "delete",
        beside: &["if_version", "coordinator", "answer"],
        is: Ask::Operation(Verb::Delete),
    },
    Form {
        key: "rename",
        beside: &["to", "coordinator", "answer"],
        is: Ask::Operation(Verb::Rename),
    },
    Form { key: "transaction", beside: &["coordinator", "answer"], is: Ask::Transaction },
    Form { key: "acquire", beside: &["wait", "answer"], is: Ask::Acquire },
    Form { key: "release", beside: &["answer"], is: Ask::Release },
];

const COMMON: [&str; 7] = ["client", "at", "when", "name", "repeat", "pause", "every"];

/// The names of the scripts, in the order of the file: filters may use those of later ones.
pub(super) fn names(root: &Table<'_>) -> Result<Vec<Option<String>>> {
    let mut names: Vec<Option<String>> = Vec::new();
    root.each("script", |value| {
        let name = match value.inside("name") {
            None => None,
            Some(name) => Some(name.line()?.to_owned()),
        };
        if name.is_some() && names.contains(&name) {
            return Err(value.error("another script has this name"));
        }
        names.push(name);
        Ok(())
    })?;
    Ok(names)
}

pub(super) fn read(root: &Table<'_>, names: Names<'_>, safety: Span) -> Result<Vec<Script>> {
    let once = REQUESTS.iter().map(|form| Form {
        key: form.key,
        beside: form.beside,
        is: Told::Once(form.is),
    });
    let steps = Form { key: "steps", beside: &[], is: Told::Steps };
    let forms: Vec<Form<Told>> = once.chain([steps]).collect();
    root.each("script", |value| script(&value, &forms, names, safety))
}

fn script(
    value: &Value<'_>,
    forms: &[Form<Told>],
    names: Names<'_>,
    safety: Span,
) -> Result<Script> {
    let (table, told, main) = value.table_of(&COMMON, forms)?;
    let client = table.need("client", "the client that asks")?;
    let begins = trigger(&table, names, safety)?;
    let asking = Asking { cast: names.cast, binder: begins.binder() };
    let client = asking.client(&client)?;
    let name = table.maybe("name", |value| value.line())?.map(str::to_owned);
    let steps = match told {
        Told::Once(ask) => vec![asking.step(&table, ask, &main, Span::ZERO)?],
        Told::Steps => asking.steps(&main)?,
    };
    Ok(Script { name, client, begins, steps, rounds: rounds(&table)? })
}

fn rounds(table: &Table<'_>) -> Result<Rounds> {
    let count = table.maybe("repeat", |value| value.integer(1..=100_000))?;
    let next = match (table.get("pause"), table.get("every")) {
        (None, None) => Next::AfterAnswer(Span::ZERO),
        (Some(pause), None) => Next::AfterAnswer(pause.span()?),
        (None, Some(every)) => Next::Every(every.some_span()?),
        (Some(_), Some(every)) => return Err(every.error("does not go with `pause`")),
    };
    match count {
        Some(count) => Ok(Rounds { count, next }),
        None => match table.get("pause").or_else(|| table.get("every")) {
            Some(pace) => Err(pace.error("needs `repeat`")),
            None => Ok(Rounds::ONCE),
        },
    }
}

/// What the requests of a script may name.
#[derive(Clone, Copy)]
struct Asking {
    cast: Named,
    binder: Binder,
}

impl Asking {
    /// A client, or a role that one plays.
    fn client(self, value: &Value<'_>) -> Result<Target> {
        match Part::named(value.string()?) {
            None => value.client(self.cast).map(Target::Node),
            Some(part) if part.is_client() || part == Part::There => {
                value.target(self.cast, self.binder)
            }
            Some(_) => Err(value.not("a client")),
        }
    }

    /// A storage node, or a role that one plays.
    fn storage_node(self, value: &Value<'_>) -> Result<Target> {
        match Part::named(value.string()?) {
            None => value.storage_node(self.cast).map(Target::Node),
            Some(part) if part.is_client() => Err(value.not("a storage node")),
            Some(_) => value.target(self.cast, self.binder),
        }
    }

    fn steps(self, main: &Value<'_>) -> Result<Vec<Step>> {
        let read = |value: Value<'_>| {
            let (table, ask, main) = value.table_of(&["pause"], &REQUESTS)?;
            let pause = table.or("pause", Span::ZERO, |value| value.span())?;
            self.step(&table, ask, &main, pause)
        };
        let steps = main.list()?.into_iter().map(read).collect::<Result<Vec<_>>>()?;
        if steps.is_empty() { Err(main.error("expected steps, found none")) } else { Ok(steps) }
    }

    fn step(self, table: &Table<'_>, ask: Ask, main: &Value<'_>, pause: Span) -> Result<Step> {
        let request = request(table, ask, main)?;
        let first = match ask {
            Ask::Operation(Verb::Read) => Some("owner"),
            Ask::Operation(Verb::Create | Verb::Write | Verb::Delete | Verb::Rename) => {
                Some("coordinator")
            }
            Ask::Transaction => Some("coordinator"),
            Ask::Acquire | Ask::Release => None,
        };
        let first = match first {
            Some(key) => table.maybe(key, |value| self.storage_node(&value))?,
            None => None,
        };
        let answer = table.maybe("answer", |value| value.answer(&request))?;
        Ok(Step { pause, request, first, answer })
    }
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

fn request(table: &Table<'_>, ask: Ask, main: &Value<'_>) -> Result<Request> {
    let files = |operations| Request::Files { operations, coordinator: None };
    Ok(match ask {
        Ask::Operation(verb) => files(Arc::new([operation(table, verb, main)?])),
        Ask::Transaction => files(transaction(main)?),
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

//! `[[script]]`: what clients ask for, request by request.
//!
//! A script is one request or several *steps*, each asked when the one before is answered. It may be
//! repeated: after its answer, or every so long whether it is answered or not.

pub(super) mod grammar;

use std::sync::Arc;

use seedbed::machine::Span;
use seedbed::proto::{Action, Contents, Operation, Path, Request, Version};

use super::cluster::Named;
use super::error::all;
use super::expect::answer::Answer;
use super::occasion::{Names, Trigger, trigger};
use super::reader::{Result, Table};
use super::role::Role as Part;
use super::target::{Binder, Target};
use super::value::Value;
use grammar::{Ask, OPERATION, SCRIPT, STEPS, Verb, WHEN};

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

/// The names of the scripts, in the order of the file: filters may use those of later ones.
pub(super) fn names(root: &Table<'_>) -> Result<Vec<Option<String>>> {
    root.each("script", |value| {
        let name = value.inside("name").map(|name| name.line().map(str::to_owned));
        name.transpose()
    })
}

pub(super) fn read(root: &Table<'_>, names: Names<'_>, safety: Span) -> Result<Vec<Script>> {
    let mut known: Vec<String> = Vec::new();
    root.each("script", |value| {
        let script = script(&value, names, safety)?;
        if let Some(name) = &script.name {
            if known.contains(name) {
                let place = value.inside("name").unwrap_or(value);
                return Err(place.error("another script has this name"));
            }
            known.push(name.clone());
        }
        Ok(script)
    })
}

fn script(value: &Value<'_>, names: Names<'_>, safety: Span) -> Result<Script> {
    let table = value.table(&SCRIPT)?;
    let begins = trigger(&table, &WHEN, names, safety);
    let asking = Asking { cast: names.cast, binder: Trigger::binder(&begins) };
    let client = table.need("client", "the client that asks");
    let client = client.and_then(|client| asking.client(&client));
    let name = table.maybe("name", |value| value.line());
    let steps = table.form(&SCRIPT).and_then(|(ask, main)| match ask {
        Ask::Steps => asking.steps(&main),
        ask => Ok(vec![asking.step(&table, ask, &main, Ok(Span::ZERO))?]),
    });
    let rounds = rounds(&table);
    Ok(Script {
        name: name?.map(str::to_owned),
        client: client?,
        begins: begins?,
        steps: steps?,
        rounds: rounds?,
    })
}

fn rounds(table: &Table<'_>) -> Result<Rounds> {
    let count = table.maybe("repeat", |value| value.integer(1..=100_000));
    let next = match (table.get("pause"), table.get("every")) {
        (None, None) => Ok(Next::AfterAnswer(Span::ZERO)),
        (Some(pause), None) => pause.span().map(Next::AfterAnswer),
        (None, Some(every)) => every.some_span().map(Next::Every),
        (Some(_), Some(every)) => Err(every.error("does not go with `pause`")),
    };
    match (count?, next?) {
        (Some(count), next) => Ok(Rounds { count, next }),
        (None, _) => match table.get("pause").or_else(|| table.get("every")) {
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
            let table = value.table(&STEPS)?;
            let pause = table.or("pause", Span::ZERO, |value| value.span());
            let (ask, main) = table.form(&STEPS)?;
            self.step(&table, ask, &main, pause)
        };
        let steps = all(main.list()?.into_iter().map(read))?;
        if steps.is_empty() { Err(main.error("expected steps, found none")) } else { Ok(steps) }
    }

    fn step(
        self,
        table: &Table<'_>,
        ask: Ask,
        main: &Value<'_>,
        pause: Result<Span>,
    ) -> Result<Step> {
        let request = request(table, ask, main);
        let first = match ask {
            Ask::Operation(Verb::Read) => Some("owner"),
            Ask::Operation(Verb::Create | Verb::Write | Verb::Delete | Verb::Rename) => {
                Some("coordinator")
            }
            Ask::Transaction => Some("coordinator"),
            Ask::Acquire | Ask::Release | Ask::Steps => None,
        };
        let first = match first {
            Some(key) => table.maybe(key, |value| self.storage_node(&value)),
            None => Ok(None),
        };
        let answer = table.maybe("answer", |value| match &request {
            Ok(request) => value.answer(request),
            Err(refused) => Err(*refused),
        });
        Ok(Step { pause: pause?, request: request?, first: first?, answer: answer? })
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
            let (path, wait) = (main.path(), table.or("wait", true, |value| value.boolean()));
            Request::Acquire { path: path?, wait: wait? }
        }
        Ask::Release => Request::Release { path: main.path()? },
        Ask::Steps => unreachable!("each of them is a request"),
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

//! `[[script]]`: what clients ask for, request by request.
//!
//! A script is one request or several *steps*, each asked when the one before is answered. It may
//! be repeated: after its answer, or every so long whether it is answered or not.

pub(super) mod grammar;

use seedbed::machine::Span;

use super::cluster::Named;
use super::error::{Result, all};
use super::grammar::Extended;
use super::occasion::{Names, Trigger, trigger};
use super::reader::Table;
use super::target::{Binder, Target, is_role};
use super::value::Value;
use crate::role::Role;
use crate::under_test::UnderTest;
use grammar::{SCRIPT, STEPS, STEPS_FORM, WHEN};

/// Requests of one client.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Script<S: UnderTest> {
    /// What filters call its requests, if the file says so.
    pub name: Option<String>,
    /// The client that asks.
    pub client: Target<S>,
    /// When it begins.
    pub begins: Trigger<S>,
    /// What is asked, each after the answer to the one before; at least one.
    pub steps: Vec<Step<S>>,
    /// How often all of it is asked.
    pub rounds: Rounds,
}

/// One request of a script.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Step<S: UnderTest> {
    /// How long the client waits before it, after the answer to the one before.
    pub pause: Span,
    /// For what. It names no node that is asked first: see `first`.
    pub request: S::Request,
    /// The node that is asked first, if the file says so.
    pub first: Option<Target<S>>,
    /// The answer that it must get, if the file says so.
    pub answer: Option<S::Answer>,
}

impl<S: UnderTest> Step<S> {
    /// A request that any node may be asked, at once, and any answer will do.
    pub fn of(request: S::Request) -> Step<S> {
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

/// What a script asks for.
#[derive(Clone, Copy)]
pub(super) enum Ask<S: UnderTest> {
    /// This request.
    Request(S::Ask),
    /// Several, one after the other.
    Steps,
}

/// The table of a script, with the requests of the system.
pub(super) fn table<S: UnderTest>() -> Extended<Ask<S>> {
    let forms = S::REQUESTS.iter().map(|form| form.map(Ask::Request));
    SCRIPT
        .of::<S>()
        .map(|none| match none {})
        .or_else(forms)
        .or_else([STEPS_FORM.map(|()| Ask::Steps)])
}

/// The table of a step, with the requests of the system.
pub(super) fn steps<S: UnderTest>() -> Extended<S::Ask> {
    STEPS.of::<S>().map(|none| match none {}).or_else(S::REQUESTS.iter().copied())
}

/// The names of the scripts, in the order of the file: filters may use those of later ones.
pub(super) fn names(root: &Table<'_>) -> Result<Vec<Option<String>>> {
    root.each("script", |value| {
        let name = value.inside("name").map(|name| name.line().map(str::to_owned));
        name.transpose()
    })
}

pub(super) fn read<S: UnderTest>(
    root: &Table<'_>,
    names: Names<'_>,
    safety: Span,
) -> Result<Vec<Script<S>>> {
    let mut known: Vec<String> = Vec::new();
    root.each("script", |value| {
        let script = script::<S>(&value, names, safety)?;
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

fn script<S: UnderTest>(value: &Value<'_>, names: Names<'_>, safety: Span) -> Result<Script<S>> {
    let grammar = table::<S>();
    let table = value.table(&grammar)?;
    let begins = trigger(&table, &WHEN, names, safety);
    let asking = Asking { cast: names.cast, binder: Trigger::binder(&begins) };
    let client = table.need("client", "the client that asks");
    let client = client.and_then(|client| asking.client(&client));
    let name = table.maybe("name", |value| value.line());
    let steps = table.form(&grammar).and_then(|(ask, main)| match ask {
        Ask::Steps => asking.steps(&main),
        Ask::Request(ask) => Ok(vec![asking.step(&table, ask, &main, Ok(Span::ZERO))?]),
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
struct Asking<S: UnderTest> {
    cast: Named,
    binder: Binder<S>,
}

impl<S: UnderTest> Asking<S> {
    /// A client, or a role that one plays.
    fn client(self, value: &Value<'_>) -> Result<Target<S>> {
        if !is_role::<S>(value.string()?) {
            return value.client(self.cast).map(Target::Node);
        }
        match value.target(self.cast, self.binder)? {
            Target::Role(role) if !role.is_client() => Err(value.not("a client")),
            target => Ok(target),
        }
    }

    /// A node, or a role that one plays.
    fn node_or_role(self, value: &Value<'_>) -> Result<Target<S>> {
        if !is_role::<S>(value.string()?) {
            return value.node(self.cast).map(Target::Node);
        }
        match value.target(self.cast, self.binder)? {
            Target::Role(role) if role.is_client() => Err(value.not("a node")),
            target => Ok(target),
        }
    }

    fn steps(self, main: &Value<'_>) -> Result<Vec<Step<S>>> {
        let grammar = steps::<S>();
        let read = |value: Value<'_>| {
            let table = value.table(&grammar)?;
            let pause = table.or("pause", Span::ZERO, |value| value.span());
            let (ask, main) = table.form(&grammar)?;
            self.step(&table, ask, &main, pause)
        };
        let steps = all(main.list()?.into_iter().map(read))?;
        if steps.is_empty() { Err(main.error("expected steps, found none")) } else { Ok(steps) }
    }

    fn step(
        self,
        table: &Table<'_>,
        ask: S::Ask,
        main: &Value<'_>,
        pause: Result<Span>,
    ) -> Result<Step<S>> {
        let request = S::read_request(ask, table, main);
        let first = match S::asked_first(ask) {
            Some(key) => table.maybe(key, |value| self.node_or_role(&value)),
            None => Ok(None),
        };
        let read_answer = |value: Value<'_>| match &request {
            Ok(request) => S::read_answer(&value, request),
            Err(refused) => Err(*refused),
        };
        // A system need not be able to say what must be answered.
        let answer = table.maybe_known("answer", read_answer);
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

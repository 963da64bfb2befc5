//! `at` and `when`: the time or the milestone at which something begins.

use seedbed::machine::{NodeId, RequestId, Span};
use seedbed::proto::Path;

use super::cluster::Named;
use super::error::Refused;
use super::grammar::{Key, Style, TableGrammar};
use super::reader::{Result, Table};
use super::target::{Binder, Target};
use super::value::Value;
use crate::file_service::Milestone;
use crate::file_service::subject_of::Topic;

/// When something begins.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// This long after the start of the run.
    At(Span),
    /// At a milestone.
    When(Occasion),
}

impl Trigger {
    /// What it waits for, if it does.
    pub fn occasion(&self) -> Option<&Occasion> {
        match self {
            Trigger::At(_) => None,
            Trigger::When(occasion) => Some(occasion),
        }
    }

    /// Where roles get their machines from, if the trigger could be read.
    pub(super) fn binder(read: &Result<Trigger>) -> Binder {
        match read {
            Ok(Trigger::At(_)) => Binder::Nothing,
            Ok(Trigger::When(occasion)) => Binder::Milestone(occasion.milestone),
            Err(refused) => Binder::Unread(*refused),
        }
    }
}

/// A milestone that is waited for: which one, which of its times, and how long after.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Occasion {
    /// What is waited for.
    pub milestone: Milestone,
    /// Which of its times.
    pub times: Ordinals,
    /// How long after it.
    pub after: Span,
    /// Counts only what happens at this machine.
    pub node: Option<Target>,
    /// Counts only what is about this.
    pub about: About,
}

impl Occasion {
    /// The first time that a milestone is reached.
    pub fn first(milestone: Milestone) -> Occasion {
        let (times, about) = (Ordinals::first(), About::default());
        Occasion { milestone, times, after: Span::ZERO, node: None, about }
    }
}

/// Which of several: the `nth` from 1, and with `every` that many further on again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ordinals {
    /// The first of them.
    pub nth: u32,
    /// How many further on the next one is.
    pub every: Option<u32>,
}

impl Ordinals {
    /// The first, and no other.
    pub fn first() -> Ordinals {
        Ordinals { nth: 1, every: None }
    }

    /// All of them.
    pub fn all() -> Ordinals {
        Ordinals { nth: 1, every: Some(1) }
    }

    /// Is it this one, counted from 1?
    pub fn has(self, number: u32) -> bool {
        match (number.checked_sub(self.nth), self.every) {
            (None, _) => false,
            (Some(0), _) => true,
            (Some(further), Some(every)) => further % every == 0,
            (Some(_), None) => false,
        }
    }
}

/// What a milestone or a message has to be about. What is not named is not looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct About {
    /// This file, or the lock of its name.
    pub path: Option<Path>,
    /// The lock of this name.
    pub lock: Option<Path>,
    /// This request.
    pub request: Option<Asked>,
    /// This transaction.
    pub transaction: Option<TxnName>,
}

/// A request, as a file names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Asked {
    /// By its id: `c1.1#3`, or `c1#3` for one of the client's first life.
    Id(RequestId),
    /// Any that the script of this number asks.
    Script(usize),
}

/// A transaction, as traces name it: `n1.1/2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TxnName {
    /// Its coordinator.
    pub coordinator: NodeId,
    /// In which life.
    pub incarnation: u32,
    /// Counts the transactions of that life.
    pub counter: u32,
}

/// What a filter needs to know of the file: its machines, and the names of its scripts in order.
#[derive(Clone, Copy)]
pub(super) struct Names<'n> {
    pub cast: Named,
    pub scripts: Result<&'n [Option<String>]>,
}

/// `at`, beside `when`.
pub(super) const AT: Key = Key::perhaps(
    "at",
    "duration, within the safety phase",
    "`when` instead",
    "when it begins, from the start of the run",
);

/// `when`, beside `at`; it is a table of its own.
pub(super) const fn when_key(value: &'static str) -> Key {
    Key::perhaps("when", value, "`at` instead", "it begins when this milestone is reached")
}

/// Keys of a filter: what something has to be about.
pub(super) const PATH: Key =
    Key::perhaps("path", "path", "any", "only what is about this file, or the lock of its name");
pub(super) const LOCK: Key = Key::perhaps("lock", "path", "any", "only what is about this lock");
pub(super) const REQUEST: Key = Key::perhaps(
    "request",
    "`name` of a script, or a request such as `c1#3`",
    "any",
    "only what is about this request, or one of this script",
);
pub(super) const TRANSACTION: Key = Key::perhaps(
    "transaction",
    "transaction as traces name it, such as `n1.1/2`",
    "any",
    "only what is about this transaction",
);

/// Which of several.
pub(super) const EVERY: Key = Key::perhaps(
    "every",
    "whole number, at least 1",
    "no more",
    "after the `nth` every so many further on; without `nth` the first is this one",
);

const WHEN: [Key; 9] = [
    Key::needed("milestone", "milestone", "which; `seedbed milestones` lists them"),
    Key::perhaps("nth", "whole number, at least 1", "1, or `every`", "which of its times"),
    EVERY,
    Key::usually("after", "duration", "\"0s\"", "how long after it"),
    Key::perhaps("node", "target", "any", "only what happens at this machine"),
    PATH,
    LOCK,
    REQUEST,
    TRANSACTION,
];

/// The table of a milestone that is waited for, inside of the table `name` says.
pub(super) const fn when(name: &'static str, example: &'static str) -> TableGrammar {
    TableGrammar {
        name,
        style: Style::Inline,
        meaning: "a milestone that is waited for",
        keys: &WHEN,
        forms: &[],
        notes: &[
            "Times are counted of what all filters let through. Only the safety phase counts.",
            "Roles get their machines when the milestone is reached, also where `after` says later.",
            "`path`, `lock`, `request` and `transaction` choose by all that a transaction or a request \
             is about, not by what one message or record of it carries. With `path`, `owner` and \
             `participant`, and all of them, are owners of that file; where the coordinator is its only \
             owner there is no such participant.",
        ],
        example,
    }
}

/// `at` or `when` of a table that has exactly one of them; `grammar` is that of its `when`.
pub(super) fn trigger(
    table: &Table<'_>,
    grammar: &TableGrammar,
    names: Names<'_>,
    safety: Span,
) -> Result<Trigger> {
    match maybe_trigger(table, grammar, names, safety)? {
        Some(trigger) => Ok(trigger),
        None => {
            table.is_understood()?;
            Err(table.fault("expected `at` or `when`, found neither"))
        }
    }
}

/// `at` or `when` of a table that has one of them at most.
pub(super) fn maybe_trigger(
    table: &Table<'_>,
    grammar: &TableGrammar,
    names: Names<'_>,
    safety: Span,
) -> Result<Option<Trigger>> {
    Ok(match (table.get("at"), table.get("when")) {
        (Some(at), None) => Some(Trigger::At(at.moment(safety)?)),
        (None, Some(when)) => Some(Trigger::When(occasion(&when.table(grammar)?, names)?)),
        (Some(_), Some(_)) => return Err(table.fault("expected `at` or `when`, found both")),
        (None, None) => None,
    })
}

/// A milestone that is waited for.
pub(super) fn occasion(when: &Table<'_>, names: Names<'_>) -> Result<Occasion> {
    let milestone = when.need("milestone", "what to wait for").and_then(|value| value.milestone());
    let binder = match milestone {
        Ok(milestone) => Binder::Milestone(milestone),
        Err(refused) => Binder::Unread(refused),
    };
    let times = ordinals(when);
    let after = when.or("after", Span::ZERO, |value| value.span());
    let node = when.maybe("node", |value| value.target(names.cast, binder));
    let about = about(when, names, milestone);
    Ok(Occasion {
        milestone: milestone?,
        times: times?.unwrap_or(Ordinals::first()),
        after: after?,
        node: node?,
        about: about?,
    })
}

/// `nth` and `every`; `every` alone begins with itself: every fifth is the fifth, the tenth...
pub(super) fn ordinals(table: &Table<'_>) -> Result<Option<Ordinals>> {
    let number = |value: Value<'_>| value.integer(1..=u32::MAX.into());
    let (nth, every) = (table.maybe("nth", number), table.maybe("every", number));
    Ok(match (nth?, every?) {
        (None, None) => None,
        (nth, every) => Some(Ordinals { nth: nth.or(every).unwrap_or(1), every }),
    })
}

/// What it has to be about; `milestone` is what is filtered.
pub(super) fn about(
    table: &Table<'_>,
    names: Names<'_>,
    milestone: Result<Milestone>,
) -> Result<About> {
    let filter = |key: &'static str| -> Result<Option<Value<'_>>> {
        let (Some(value), milestone) = (table.get(key), milestone?) else { return Ok(None) };
        if has_one(milestone, key) { Ok(Some(value)) } else { Err(none_of(&value, milestone, key)) }
    };
    let path = filter("path").and_then(|value| value.map(|value| value.path()).transpose());
    let lock = filter("lock").and_then(|value| value.map(|value| value.path()).transpose());
    let request = filter("request").and_then(|value| value.map(|it| it.request(names)).transpose());
    let transaction =
        filter("transaction").and_then(|value| value.map(|it| it.transaction(names)).transpose());
    Ok(About { path: path?, lock: lock?, request: request?, transaction: transaction? })
}

fn none_of(value: &Value<'_>, milestone: Milestone, key: &str) -> Refused {
    value.error(format!("`{milestone}` is about no {key}"))
}

/// Is `milestone` ever about something of this kind?
fn has_one(milestone: Milestone, key: &str) -> bool {
    let of_requests = [
        Milestone::REQUEST_RETRIED,
        Milestone::REQUEST_DONE,
        Milestone::REQUEST_REFUSED,
        Milestone::REQUEST_UNKNOWN,
    ];
    let topic = milestone.topic();
    let of_request = of_requests.contains(&milestone);
    match key {
        "lock" => topic == Topic::Lock || of_request,
        "transaction" => topic == Topic::Transaction,
        _ => of_request || matches!(topic, Topic::Transaction | Topic::File | Topic::Lock),
    }
}

impl Value<'_> {
    /// A milestone.
    pub(super) fn milestone(&self) -> Result<Milestone> {
        let names = Milestone::all().map(|milestone| (milestone.name(), milestone));
        self.pick_listed("milestone", "milestones", names)
    }

    /// A request: its id, or the name of the script that asks it.
    fn request(&self, names: Names<'_>) -> Result<Asked> {
        let found = self.string()?;
        let scripts = names.scripts?;
        let named = scripts.iter().position(|name| name.as_deref() == Some(found));
        if let Some(script) = named {
            return Ok(Asked::Script(script));
        }
        match found.parse::<RequestId>() {
            Ok(id) if names.cast.has(id.client) => Ok(Asked::Id(id)),
            Ok(_) | Err(_) => {
                let expected = "the `name` of a script, or a request such as `c1#3` or `c1.2#3`";
                let message = format!("expected {expected}, found {}", self.found());
                let known = scripts.iter().flatten().map(String::as_str);
                Err(self.error_near(message, found, known))
            }
        }
    }

    /// A transaction, as traces name it.
    fn transaction(&self, names: Names<'_>) -> Result<TxnName> {
        let found = self.string()?;
        let parsed = || {
            let (life, counter) = found.split_once('/')?;
            let (coordinator, incarnation) = life.split_once('.')?;
            let coordinator: NodeId = coordinator.parse().ok()?;
            let is_there = names.cast.storage_nodes().any(|node| node == coordinator);
            let (incarnation, counter) = (incarnation.parse().ok()?, counter.parse().ok()?);
            is_there.then_some(TxnName { coordinator, incarnation, counter })
        };
        parsed().ok_or_else(|| self.not("a transaction such as `n1.1/2`, as traces name it"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinals_begin_with_the_nth_and_go_on_by_every() {
        let of = |nth, every| (1..=12).filter(|n| Ordinals { nth, every }.has(*n)).collect();
        let first: Vec<u32> = of(3, None);
        assert_eq!(first, [3]);
        let on: Vec<u32> = of(2, Some(5));
        assert_eq!(on, [2, 7, 12]);
        assert!((1..5).all(|number| Ordinals::all().has(number)));
    }
}

//! `at` and `when`: the time or the milestone at which something begins.

use seedbed::machine::{RequestId, Span};

use super::cluster::Named;
use super::error::Result;
use super::grammar::{Extended, Key, NoForm, Style, TableGrammar};
use super::reader::Table;
use super::target::{Binder, Target};
use super::value::Value;
use crate::milestone::Milestone;
use crate::under_test::UnderTest;

/// When something begins.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Trigger<S: UnderTest> {
    /// This long after the start of the run.
    At(Span),
    /// At a milestone.
    When(Occasion<S>),
}

impl<S: UnderTest> Trigger<S> {
    /// What it waits for, if it does.
    pub fn occasion(&self) -> Option<&Occasion<S>> {
        match self {
            Trigger::At(_) => None,
            Trigger::When(occasion) => Some(occasion),
        }
    }

    /// Where roles get their machines from, if the trigger could be read.
    pub(super) fn binder(read: &Result<Trigger<S>>) -> Binder<S> {
        match read {
            Ok(Trigger::At(_)) => Binder::Nothing,
            Ok(Trigger::When(occasion)) => Binder::Milestone(occasion.milestone),
            Err(refused) => Binder::Unread(*refused),
        }
    }
}

/// A milestone that is waited for: which one, which of its times, and how long after.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Occasion<S: UnderTest> {
    /// What is waited for.
    pub milestone: Milestone<S>,
    /// Which of its times.
    pub times: Ordinals,
    /// How long after it.
    pub after: Span,
    /// Counts only what happens at this machine.
    pub node: Option<Target<S>>,
    /// Counts only what is about this.
    pub about: About<S>,
}

impl<S: UnderTest> Occasion<S> {
    /// The first time that a milestone is reached.
    pub fn first(milestone: Milestone<S>) -> Occasion<S> {
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
pub struct About<S: UnderTest> {
    /// This request.
    pub request: Option<Asked>,
    /// What only this system can say.
    pub of_system: S::Filter,
}

/// A request, as a file names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Asked {
    /// By its id: `c1.1#3`, or `c1#3` for one of the client's first life.
    Id(RequestId),
    /// Any that the script of this number asks.
    Script(usize),
}

/// What a filter needs to know of the file: its machines, and the names of its scripts in order.
#[derive(Clone, Copy)]
pub struct Names<'n> {
    /// Its machines.
    pub cast: Named,
    /// The names of its scripts.
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

/// Key of a filter: what something has to be about.
pub(super) const REQUEST: Key = Key::perhaps(
    "request",
    "`name` of a script, or a request such as `c1#3`",
    "any",
    "only what is about this request, or one of this script",
);

/// Which of several.
pub(super) const EVERY: Key = Key::perhaps(
    "every",
    "whole number, at least 1",
    "no more",
    "after the `nth` every so many further on; without `nth` the first is this one",
);

const WHEN: [Key; 6] = [
    Key::needed("milestone", "milestone", "which; the command `milestones` lists them"),
    Key::perhaps("nth", "whole number, at least 1", "1, or `every`", "which of its times"),
    EVERY,
    Key::usually("after", "duration", "\"0s\"", "how long after it"),
    Key::perhaps("node", "target", "any", "only what happens at this machine"),
    REQUEST,
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
        ],
        example,
    }
}

/// The table of a milestone that is waited for, with the filters of the system.
pub(super) fn when_of<S: UnderTest>(grammar: &TableGrammar) -> Extended<NoForm> {
    grammar.of::<S>().filtered(S::FILTERS)
}

/// `at` or `when` of a table that has exactly one of them; `grammar` is that of its `when`.
pub(super) fn trigger<S: UnderTest>(
    table: &Table<'_>,
    grammar: &TableGrammar,
    names: Names<'_>,
    safety: Span,
) -> Result<Trigger<S>> {
    match maybe_trigger(table, grammar, names, safety)? {
        Some(trigger) => Ok(trigger),
        None => {
            table.is_understood()?;
            Err(table.fault("expected `at` or `when`, found neither"))
        }
    }
}

/// `at` or `when` of a table that has one of them at most.
pub(super) fn maybe_trigger<S: UnderTest>(
    table: &Table<'_>,
    grammar: &TableGrammar,
    names: Names<'_>,
    safety: Span,
) -> Result<Option<Trigger<S>>> {
    Ok(match (table.get("at"), table.get("when")) {
        (Some(at), None) => Some(Trigger::At(at.moment(safety)?)),
        (None, Some(when)) => {
            Some(Trigger::When(occasion(&when.table(&when_of::<S>(grammar))?, names)?))
        }
        (Some(_), Some(_)) => return Err(table.fault("expected `at` or `when`, found both")),
        (None, None) => None,
    })
}

/// A milestone that is waited for.
pub(super) fn occasion<S: UnderTest>(when: &Table<'_>, names: Names<'_>) -> Result<Occasion<S>> {
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
pub(super) fn about<S: UnderTest>(
    table: &Table<'_>,
    names: Names<'_>,
    milestone: Result<Milestone<S>>,
) -> Result<About<S>> {
    let request = filter(table, "request", milestone, S::is_about_a_request);
    let request = request.and_then(|value| value.map(|it| it.request(names)).transpose());
    let of_system = S::read_filter(table, names.cast, milestone);
    Ok(About { request: request?, of_system: of_system? })
}

/// The value of a filter, which `milestone` must be able to pass.
///
/// # Errors
/// The milestone is never about such a thing.
pub fn filter<'a, S: UnderTest>(
    table: &Table<'a>,
    key: &'static str,
    milestone: Result<Milestone<S>>,
    has_one: impl Fn(Milestone<S>) -> bool,
) -> Result<Option<Value<'a>>> {
    let (Some(value), milestone) = (table.get(key), milestone?) else { return Ok(None) };
    match has_one(milestone) {
        true => Ok(Some(value)),
        false => Err(value.error(format!("`{milestone}` is about no {key}"))),
    }
}

impl Value<'_> {
    /// A milestone.
    pub(super) fn milestone<S: UnderTest>(&self) -> Result<Milestone<S>> {
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

//! `[[message]]`: what happens to messages of one kind on their way.
//!
//! A rule looks at each message of its kind while its window is open: all the time, or from `at` or
//! `when` on and `for` so long. Of the messages that match it takes the `nth`, with `every` more of
//! them, or all. A role is played in what `when` has reached; without `when`, in what the message
//! itself is about.

use seedbed::machine::Span;

use super::error::Result;
use super::grammar::{Extended, Form, Key, Style, TableGrammar};
use super::occasion::{
    AT, About, EVERY, Names, Ordinals, REQUEST, Trigger, about, maybe_trigger, ordinals, when,
    when_key,
};
use super::reader::Table;
use super::target::{Binder, Target};
use super::value::Value;
use crate::milestone::Milestone;
use crate::name::Name;
use crate::under_test::UnderTest;

/// What happens to some messages on their way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MessageRule<S: UnderTest> {
    /// Messages of this kind.
    pub kind: S::MessageKind,
    /// Only those from this machine.
    pub from: Option<Target<S>>,
    /// Only those to this machine.
    pub to: Option<Target<S>>,
    /// Only those that are about this.
    pub about: About<S>,
    /// Which of those that match.
    pub times: Ordinals,
    /// When it begins to apply; `None` is from the start.
    pub begins: Option<Trigger<S>>,
    /// How long it applies; `None` is until the run heals.
    pub lasts: Option<Span>,
    /// What happens to them.
    pub fate: Fate,
}

/// What happens to a message on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fate {
    /// It does not arrive.
    Drop,
    /// It arrives this much later.
    Delay(Span),
    /// It arrives, and this much later once more.
    Duplicate(Span),
    /// It is under way for exactly this long.
    Latency(Span),
}

#[derive(Clone, Copy)]
pub(super) enum Kind {
    Drop,
    Delay,
    Duplicate,
    Latency,
}

pub(super) const MESSAGE: TableGrammar<Kind> = TableGrammar {
    name: "message",
    style: Style::Many,
    meaning: "what happens to messages of one kind on their way",
    keys: &[
        Key::needed("kind", "kind of message", "which; the command `grammar` lists them"),
        Key::perhaps("from", "target", "any", "only messages from it"),
        Key::perhaps("to", "target", "any", "only messages to it"),
        REQUEST,
        Key::perhaps("nth", "whole number, at least 1", "all", "the first of those that match"),
        EVERY,
        AT,
        when_key("table, see `message.when`"),
        Key::perhaps("for", "duration above zero", "until healed", "how long it applies"),
    ],
    forms: &[
        Form {
            key: Key::form("drop", "`true`", "it does not arrive"),
            beside: &[],
            is: Kind::Drop,
        },
        Form {
            key: Key::form("delay", "duration", "it arrives so much later"),
            beside: &[],
            is: Kind::Delay,
        },
        Form {
            key: Key::form("duplicate", "duration", "it arrives, and so much later once more"),
            beside: &[],
            is: Kind::Duplicate,
        },
        Form {
            key: Key::form("latency", "duration", "it is under way for exactly so long"),
            beside: &[],
            is: Kind::Latency,
        },
    ],
    notes: &[
        "Without `at` and `when` the rule applies from the start of the run. It ends when \
         everything is healed.",
        "With `when` a role is played in what the milestone is about, and what is sent in the step \
         that reaches it is under the rule. Without `when` a role is played in what the message \
         itself is about.",
        "With neither `nth` nor `every` all that match are taken. Each time that the rule begins to \
         apply it counts anew.",
    ],
    example: r#"
[[message]]
kind = "{message}"
to = "n1"
every = 3
at = "2s"
for = "5s"
drop = true
"#,
};

pub(super) const WHEN: TableGrammar = when(
    "message.when",
    r#"
[[message]]
kind = "{message}"
when = { milestone = "restarted" }
from = "c1"
drop = true

[[fault]]
at = "2s"
crash = "n1"
restart_after = "1s"
"#,
);

/// The table of a rule, with the filters of the system.
pub(super) fn table<S: UnderTest>() -> Extended<Kind> {
    MESSAGE.of::<S>().filtered(S::FILTERS)
}

pub(super) fn read<S: UnderTest>(
    root: &Table<'_>,
    names: Names<'_>,
    safety: Span,
) -> Result<Vec<MessageRule<S>>> {
    root.each("message", |value| rule(&value, names, safety))
}

fn rule<S: UnderTest>(value: &Value<'_>, names: Names<'_>, safety: Span) -> Result<MessageRule<S>> {
    let grammar = table::<S>();
    let table = value.table(&grammar)?;
    let kinds = S::MessageKind::ALL.iter().map(|kind| (kind.name(), *kind));
    let kind = table.need("kind", "a kind of message").and_then(|kind| kind.pick("message", kinds));
    let begins = maybe_trigger(&table, &WHEN, names, safety);
    let sent = kind.map(Milestone::Sent);
    let binder = match (&begins, sent) {
        (Ok(Some(Trigger::When(occasion))), _) => Binder::Milestone(occasion.milestone),
        (Ok(Some(Trigger::At(_)) | None), Ok(sent)) => Binder::Message(sent),
        (Err(refused), _) => Binder::Unread(*refused),
        (Ok(_), Err(refused)) => Binder::Unread(refused),
    };
    let end = |key| table.maybe(key, |value| value.target(names.cast, binder));
    let (from, to) = (end("from"), end("to"));
    let (about, times) = (about(&table, names, sent), ordinals(&table));
    let lasts = table.maybe("for", |value| value.some_span());
    let fate = table.form(&grammar).and_then(|(fate, main)| {
        Ok(match fate {
            Kind::Drop => main.yes().map(|()| Fate::Drop)?,
            Kind::Delay => Fate::Delay(main.span()?),
            Kind::Duplicate => Fate::Duplicate(main.span()?),
            Kind::Latency => Fate::Latency(main.span()?),
        })
    });
    Ok(MessageRule {
        kind: kind?,
        from: from?,
        to: to?,
        about: about?,
        times: times?.unwrap_or(Ordinals::all()),
        begins: begins?,
        lasts: lasts?,
        fate: fate?,
    })
}

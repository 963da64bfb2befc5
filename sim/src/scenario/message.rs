//! `[[message]]`: what happens to messages of one kind on their way.
//!
//! A rule looks at each message of its kind while its window is open: all the time, or from `at` or
//! `when` on and `for` so long. Of the messages that match it takes the `nth`, with `every` more of
//! them, or all. A role is played in what `when` has reached; without `when`, in what the message
//! itself is about.

use seedbed::proto::{MessageKind, Span};

use super::occasion::{About, Names, Ordinals, Trigger, about, maybe_trigger, ordinals};
use super::reader::{Form, Result, Table};
use super::target::{Binder, Target};
use super::value::Value;
use crate::milestone::Milestone;

/// What happens to some messages on their way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MessageRule {
    /// Messages of this kind.
    pub kind: MessageKind,
    /// Only those from this machine.
    pub from: Option<Target>,
    /// Only those to this machine.
    pub to: Option<Target>,
    /// Only those that are about this.
    pub about: About,
    /// Which of those that match.
    pub times: Ordinals,
    /// When it begins to apply; `None` is from the start.
    pub begins: Option<Trigger>,
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
enum Kind {
    Drop,
    Delay,
    Duplicate,
    Latency,
}

const FORMS: [Form<Kind>; 4] = [
    Form { key: "drop", beside: &[], is: Kind::Drop },
    Form { key: "delay", beside: &[], is: Kind::Delay },
    Form { key: "duplicate", beside: &[], is: Kind::Duplicate },
    Form { key: "latency", beside: &[], is: Kind::Latency },
];

const COMMON: [&str; 12] = [
    "kind", "from", "to", "nth", "every", "path", "lock", "request", "transaction", "at", "when",
    "for",
];

pub(super) fn read(root: &Table<'_>, names: Names<'_>, safety: Span) -> Result<Vec<MessageRule>> {
    root.each("message", |value| rule(&value, names, safety))
}

fn rule(value: &Value<'_>, names: Names<'_>, safety: Span) -> Result<MessageRule> {
    let (table, fate, main) = value.table_of(&COMMON, &FORMS)?;
    let kinds = MessageKind::ALL.iter().map(|kind| (kind.name(), *kind));
    let kind = table.need("kind", "a kind of message")?.pick("message", kinds)?;
    let begins = maybe_trigger(&table, names, safety)?;
    let sent = Milestone::sent(kind);
    let binder = match &begins {
        Some(Trigger::When(occasion)) => Binder::Milestone(occasion.milestone),
        Some(Trigger::At(_)) | None => Binder::Message(sent),
    };
    let end = |key| table.maybe(key, |value| value.target(names.cast, binder));
    Ok(MessageRule {
        kind,
        from: end("from")?,
        to: end("to")?,
        about: about(&table, names, sent)?,
        times: ordinals(&table)?.unwrap_or(Ordinals::all()),
        begins,
        lasts: table.maybe("for", |value| value.some_span())?,
        fate: match fate {
            Kind::Drop => main.yes().map(|()| Fate::Drop)?,
            Kind::Delay => Fate::Delay(main.span()?),
            Kind::Duplicate => Fate::Duplicate(main.span()?),
            Kind::Latency => Fate::Latency(main.span()?),
        },
    })
}

//! `[[message]]`: what happens to messages of one kind on their way.

use seedbed::proto::{MessageKind, NodeId, Span};

use super::cluster::Named;
use super::reader::{Form, Result, Table};
use super::value::Value;

/// What happens to some messages on their way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MessageRule {
    /// Messages of this kind.
    pub kind: MessageKind,
    /// Only those from this machine.
    pub from: Option<NodeId>,
    /// Only those to this machine.
    pub to: Option<NodeId>,
    /// Only this one of those that match, from 1; `None` is all of them.
    pub nth: Option<u32>,
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
}

#[derive(Clone, Copy)]
enum Kind {
    Drop,
    Delay,
    Duplicate,
}

const FORMS: [Form<Kind>; 3] = [
    Form { key: "drop", beside: &[], is: Kind::Drop },
    Form { key: "delay", beside: &[], is: Kind::Delay },
    Form { key: "duplicate", beside: &[], is: Kind::Duplicate },
];

pub(super) fn read(root: &Table<'_>, cast: Named) -> Result<Vec<MessageRule>> {
    root.each("message", |value| rule(&value, cast))
}

fn rule(value: &Value<'_>, cast: Named) -> Result<MessageRule> {
    let (table, fate, main) = value.table_of(&["kind", "from", "to", "nth"], &FORMS)?;
    let kinds = MessageKind::ALL.iter().map(|kind| (kind.name(), *kind));
    Ok(MessageRule {
        kind: table.need("kind", "a kind of message")?.pick("message", kinds)?,
        from: table.maybe("from", |value| value.node(cast))?,
        to: table.maybe("to", |value| value.node(cast))?,
        nth: table.maybe("nth", |value| value.integer(1..=u32::MAX.into()))?,
        fate: match fate {
            Kind::Drop => main.yes().map(|()| Fate::Drop)?,
            Kind::Delay => Fate::Delay(main.span()?),
            Kind::Duplicate => Fate::Duplicate(main.span()?),
        },
    })
}

//! `[[message]]`: what happens to messages of one kind on their way.

use seedbed::proto::{MessageKind, NodeId, Span};

use super::cluster::Named;
use super::grammar::{Form, Key, Style, TableGrammar};
use super::reader::{Result, Table};
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
pub(super) enum Kind {
    Drop,
    Delay,
    Duplicate,
}

pub(super) const MESSAGE: TableGrammar<Kind> = TableGrammar {
    name: "message",
    style: Style::Many,
    meaning: "what happens to messages of one kind on their way",
    keys: &[
        Key::needed("kind", "kind of message", "which; `seedbed grammar` lists them"),
        Key::perhaps("from", "machine", "any", "only messages from it"),
        Key::perhaps("to", "machine", "any", "only messages to it"),
        Key::perhaps("nth", "whole number, at least 1", "all", "only this one of those that match"),
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
    ],
    notes: &[],
    example: r#"
[[message]]
kind = "commit"
to = "n2"
nth = 1
drop = true
"#,
};

pub(super) fn read(root: &Table<'_>, cast: Named) -> Result<Vec<MessageRule>> {
    root.each("message", |value| rule(&value, cast))
}

fn rule(value: &Value<'_>, cast: Named) -> Result<MessageRule> {
    let table = value.table(&MESSAGE)?;
    let kinds = MessageKind::ALL.iter().map(|kind| (kind.name(), *kind));
    let kind = table.need("kind", "a kind of message").and_then(|kind| kind.pick("message", kinds));
    let from = table.maybe("from", |value| value.node(cast));
    let to = table.maybe("to", |value| value.node(cast));
    let nth = table.maybe("nth", |value| value.integer(1..=u32::MAX.into()));
    let (fate, main) = table.form(&MESSAGE)?;
    let fate = match fate {
        Kind::Drop => main.yes().map(|()| Fate::Drop),
        Kind::Delay => main.span().map(Fate::Delay),
        Kind::Duplicate => main.span().map(Fate::Duplicate),
    };
    Ok(MessageRule { kind: kind?, from: from?, to: to?, nth: nth?, fate: fate? })
}

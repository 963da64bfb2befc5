//! `[[sync]]`: how long single syncs take.

use seedbed::machine::{Class, NodeId};

use super::cluster::Named;
use super::error::Result;
use super::grammar::{Key, Style, TableGrammar};
use super::reader::Table;
use super::value::Value;
use crate::name::Name;
use crate::quantity::SpanRange;
use crate::under_test::UnderTest;

pub(super) const SYNC: TableGrammar = TableGrammar {
    name: "sync",
    style: Style::Many,
    meaning: "how long single syncs take",
    keys: &[
        Key::perhaps("node", "machine, but no client", "any", "only syncs of this machine"),
        Key::perhaps(
            "record",
            "kind of record",
            "any",
            "only syncs that carry a record of this kind",
        ),
        Key::perhaps("nth", "whole number, at least 1", "all", "only this one of those that match"),
        Key::needed("takes", "duration, or range of durations", "how long they take"),
    ],
    forms: &[],
    notes: &["Only syncs that begin in the safety phase count."],
    example: r#"
[[sync]]
node = "n1"
record = "{record}"
nth = 1
takes = "2s"
"#,
};

/// How long some syncs take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SyncRule<S: UnderTest> {
    /// Only those of this machine.
    pub node: Option<NodeId>,
    /// Only those that carry a record of this kind.
    pub record: Option<S::RecordKind>,
    /// Only this one of those that match, from 1; `None` is all of them.
    pub nth: Option<u32>,
    /// How long they take, in place of what is drawn for the disk.
    pub takes: SpanRange,
}

pub(super) fn read<S: UnderTest>(root: &Table<'_>, cast: Named) -> Result<Vec<SyncRule<S>>> {
    root.each("sync", |value| rule(&value, cast))
}

fn rule<S: UnderTest>(value: &Value<'_>, cast: Named) -> Result<SyncRule<S>> {
    let table = value.table(&SYNC.of::<S>())?;
    let kinds = S::RecordKind::ALL.iter().map(|kind| (kind.name(), *kind));
    let node = table.maybe("node", |value| value.node_with_a_disk(cast));
    let record = table.maybe("record", |value| value.pick("record", kinds));
    let nth = table.maybe("nth", |value| value.integer(1..=u32::MAX.into()));
    let takes = table.need("takes", "a duration, or a range of them");
    let takes = takes.and_then(|takes| takes.span_or_spans());
    Ok(SyncRule { node: node?, record: record?, nth: nth?, takes: takes? })
}

impl Value<'_> {
    /// A machine that has a disk.
    fn node_with_a_disk(&self, cast: Named) -> Result<NodeId> {
        let expected = "a machine with a disk, and a client has none";
        match self.known_machine(cast)? {
            Some(node) if node.class() != Class::Client => Ok(node),
            Some(_) => Err(self.not(expected)),
            None => Err(cast.absent(self, expected)),
        }
    }

    /// A duration, or two, the shorter one first.
    fn span_or_spans(&self) -> Result<SpanRange> {
        if self.value.is_array() {
            return self.spans();
        }
        let span = self.span()?;
        Ok(SpanRange { min: span, max: span })
    }
}

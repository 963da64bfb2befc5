//! The reference of the scenario file: its grammar, printed.
//!
//! `terminal.rs` prints it for the command `grammar`, `markdown.rs` for
//! `docs/scenario-reference.md`. What stands there of tables and keys is their declaration under
//! `scenario/`; what is said of all of them is in `conventions.rs`.

mod conventions;
mod markdown;
mod terminal;
#[cfg(all(test, feature = "file-service"))]
mod tests;

use crate::scenario::grammar::{Absent, Key, Style};
use crate::scenario::tables::{TableReference, tables};
use crate::text::nearest;
use crate::under_test::UnderTest;

pub use conventions::Convention;
pub use markdown::markdown;
pub use terminal::{overview, table_lines};

/// The name that the keys in front of the first table go by.
const FILE: &str = "file";

/// The table of this name: `fault`, `[[fault]]`, `fault.when`.
///
/// # Errors
/// There is none. The name that was meant, if one resembles it.
pub fn find<S: UnderTest>(name: &str) -> Result<TableReference, Option<&'static str>> {
    let plain = name.trim_matches(['[', ']']);
    let all = tables::<S>();
    let found = all.iter().find(|table| called(table) == plain);
    // The last key is enough where it says all.
    let short: Vec<_> = all.iter().filter(|table| table.key() == plain).collect();
    let only = if let [table] = short[..] { Some(table) } else { None };
    match found.or(only) {
        Some(table) => Ok(table.clone()),
        // Where several tables have it, the first is as good as any to name.
        None if !short.is_empty() => Err(short.first().map(|table| called(table))),
        None => Err(nearest(plain, all.iter().flat_map(|it| [called(it), it.key()]))),
    }
}

/// The names that [`find`] knows, in the order of the reference.
pub fn names<S: UnderTest>() -> Vec<&'static str> {
    tables::<S>().iter().map(called).collect()
}

fn called(table: &TableReference) -> &'static str {
    if table.name.is_empty() { FILE } else { table.name }
}

/// How the table is written.
fn heading(table: &TableReference) -> String {
    let TableReference { name, style, .. } = table;
    match style {
        Style::File => "the file itself".to_owned(),
        Style::Single => format!("[{name}]"),
        Style::Many => format!("[[{name}]]"),
        Style::Inline => format!("{name} = {{ ... }}"),
        Style::InlineMany => format!("{name} = [{{ ... }}, ...]"),
    }
}

/// What a key is where it is left out.
fn left_out(key: &Key) -> String {
    match key.absent {
        Absent::Needed => "must be there".to_owned(),
        Absent::Form => String::new(),
        Absent::Is(value) => format!("`{value}`"),
        Absent::Means(words) => words.to_owned(),
    }
}

/// A key where it stands in the list of a table.
struct Row {
    key: Key,
    /// Does it go with the key above it only?
    is_beside: bool,
}

fn common(table: &TableReference) -> Vec<Row> {
    table.keys.iter().map(|key| Row { key: *key, is_beside: false }).collect()
}

fn forms(table: &TableReference) -> Vec<Row> {
    let form = |(key, beside): &(Key, &'static [Key])| {
        let beside = beside.iter().map(|key| Row { key: *key, is_beside: true });
        [Row { key: *key, is_beside: false }].into_iter().chain(beside).collect::<Vec<_>>()
    };
    table.forms.iter().flat_map(form).collect()
}

/// What is said in front of the keys of which exactly one must be there.
const ONE_OF_THESE: &str = "exactly one of these, with what goes with it alone:";

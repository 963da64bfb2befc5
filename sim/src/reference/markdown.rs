//! The reference as `docs/scenario-reference.md`.

use super::conventions::{INTRODUCTION, conventions};
use super::{ONE_OF_THESE, Row, common, forms, heading, left_out};
use crate::scenario::tables::{TableReference, tables};
use crate::under_test::UnderTest;

/// The whole reference, as Markdown.
pub fn markdown<S: UnderTest>() -> String {
    let command = S::COMMAND.name;
    let mut text =
        format!("<!-- Printed by `{command} grammar --markdown`. -->\n\n# The scenario file\n");
    for paragraph in INTRODUCTION {
        text += &format!("\n{paragraph}\n");
    }
    text += "\n## How values are written\n\n| value | what it is |\n|---|---|\n";
    for convention in conventions::<S>() {
        text += &format!("| {} | {} |\n", convention.what, cell(&convention.text));
    }
    text += "\nA key in a line with `+` goes only with the key above that has none.\n";
    tables::<S>().iter().for_each(|table| text += &section(table));
    text
}

fn section(table: &TableReference) -> String {
    let heading = heading(table);
    let title =
        if table.name.is_empty() { "The file itself".into() } else { format!("`{heading}`") };
    let mut text = format!("\n## {title}\n\n{}.\n", capitalised(table.meaning));
    text += "\n| key | value | where it is left out | meaning |\n|---|---|---|---|\n";
    common(table).iter().for_each(|key| text += &row(key));
    if !table.forms.is_empty() {
        text += &format!("| | | | {ONE_OF_THESE} |\n");
        forms(table).iter().for_each(|key| text += &row(key));
    }
    for note in &table.notes {
        text += &format!("\n{note}\n");
    }
    text + &format!("\n```toml\n{}\n```\n", table.example.trim())
}

fn row(row: &Row) -> String {
    let plus = if row.is_beside { "+ " } else { "" };
    let usual = left_out(&row.key);
    let cells = [row.key.value, &usual, row.key.meaning].map(cell);
    format!("| {plus}`{}` | {} | {} | {} |\n", row.key.name, cells[0], cells[1], cells[2])
}

/// A vertical bar would end the cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

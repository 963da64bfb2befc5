//! The reference for a terminal: aligned columns, no line longer than [`WIDTH`].

use super::conventions::{INTRODUCTION, conventions};
use super::{ONE_OF_THESE, Row, called, common, forms, heading, left_out};
use crate::scenario::tables::{TableReference, tables};
use crate::text::wrapped;
use crate::under_test::UnderTest;

/// Characters of a line, at most.
const WIDTH: usize = 100;
/// Columns of the list of keys: the key, its value, what it is where it is left out. What is left
/// of a line is for the meaning.
const COLUMNS: [usize; 3] = [20, 28, 18];

/// How values are written, and every table with its keys.
pub fn overview<S: UnderTest>() -> Vec<String> {
    let mut lines = Vec::new();
    for text in INTRODUCTION {
        lines.extend(wrapped(text, WIDTH));
        lines.push(String::new());
    }
    for convention in conventions::<S>() {
        lines.extend(beside(convention.what, &convention.text, COLUMNS[0]));
    }
    for table in tables::<S>() {
        lines.push(String::new());
        lines.push(headline(&table));
        let mut known: Vec<&str> = Vec::new();
        for (_, key) in table.all_keys().filter(|(_, key)| !key.name.is_empty()) {
            if !known.contains(&key.name) {
                known.push(key.name);
            }
        }
        lines.extend(indented(&known.join(", ")));
    }
    lines.push(String::new());
    let command = S::COMMAND.name;
    let more = format!(
        "`{command} grammar TABLE` says what each key of a table is and shows the table, such as \
         `{command} grammar fault`; `{command} grammar file` those of the file itself."
    );
    lines.extend(wrapped(&more, WIDTH));
    lines
}

/// One table: its keys, what goes with what, an example.
pub fn table_lines(table: &TableReference) -> Vec<String> {
    let mut lines = vec![headline(table), String::new()];
    lines.extend(columns(&sized(["key", "value", "left out", "meaning"])));
    lines.extend(common(table).iter().flat_map(row));
    if !table.forms.is_empty() {
        lines.push(format!("  {ONE_OF_THESE}"));
        lines.extend(forms(table).iter().flat_map(row));
    }
    if !table.notes.is_empty() {
        lines.push(String::new());
        lines.extend(table.notes.iter().flat_map(|note| indented(note)));
    }
    lines.extend([String::new(), "  Example:".to_owned()]);
    lines.extend(
        table.example.trim().lines().map(|line| format!("    {line}").trim_end().to_owned()),
    );
    lines
}

fn headline(table: &TableReference) -> String {
    let name = if table.name.is_empty() { called(table).to_owned() } else { heading(table) };
    format!("{name}: {}", table.meaning)
}

fn indented(text: &str) -> impl Iterator<Item = String> {
    wrapped(text, WIDTH - 2).into_iter().map(|line| format!("  {line}"))
}

/// `left` in a column of its own, `right` beside it.
fn beside(left: &str, right: &str, width: usize) -> Vec<String> {
    columns(&[(left, width), (right, WIDTH - width - 4)])
}

fn row(row: &Row) -> Vec<String> {
    let name = format!("{}{}", if row.is_beside { "  " } else { "" }, row.key.name);
    columns(&sized([&name, row.key.value, &left_out(&row.key), row.key.meaning]))
}

/// The cells of a line of the list of keys, with their widths.
fn sized(cells: [&str; 4]) -> [(&str, usize); 4] {
    let [key, value, absent] = COLUMNS;
    let meaning = WIDTH - key - value - absent - 2 * 4;
    let [a, b, c, d] = cells;
    [(a, key), (b, value), (c, absent), (d, meaning)]
}

/// Cells side by side, each wrapped to its width.
fn columns(cells: &[(&str, usize)]) -> Vec<String> {
    let indent = |text: &str| text.len() - text.trim_start().len();
    let cells: Vec<(usize, Vec<String>)> = cells
        .iter()
        .map(|(text, width)| {
            let margin = " ".repeat(indent(text));
            let lines = wrapped(text.trim_start(), width - margin.len());
            (*width, lines.into_iter().map(|line| format!("{margin}{line}")).collect())
        })
        .collect();
    let height = cells.iter().map(|(_, lines)| lines.len()).max().unwrap_or_default();
    let line = |number: usize| {
        let cell = |(width, lines): &(usize, Vec<String>)| {
            let text = lines.get(number).map_or("", String::as_str);
            format!("  {text:<width$}", width = *width)
        };
        cells.iter().map(cell).collect::<String>().trim_end().to_owned()
    };
    (0..height).map(line).collect()
}

//! A space-time chart in text: one column for each machine that takes part, time flows down.
//! The others are named below.
//!
//! ```text
//!  left out   step        time  n1   n2   n3
//!               12   0.104310s  o    |    |     n1 <- c1 Begin c1.1#1; -> n2 Prepare n1.1/1; ...
//!               14   0.106310s  |--->o    |     n2 <- n1 Prepare n1.1/1; -> n1 Ready n1.1/1
//!               15   0.107002s  |------x  |     n1 -> n3 lost (the link is cut): Prepare n1.1/1
//!       +4      20   0.210000s  X    |    |     n1 crashes; log #3 is lost, it was not durable
//! ```

use std::collections::BTreeSet;

use seedbed::machine::NodeId;

use super::history::{History, machines_of};
use super::lifelines::{Columns, HEAD, Lives, join};
use super::rows::Row;
use crate::text::on_lines;
use crate::under_test::UnderTest;

/// What each mark means, in the order of the legend.
const MARKS: [(char, &str); 8] = [
    ('o', "o step"),
    ('>', "-> message"),
    ('x', "x lost message"),
    ('X', "X crash"),
    (':', ": down"),
    ('=', "= paused"),
    ('/', "/ link cut"),
    ('<', "-> message"),
];

/// How much higher a rank is at most because the step is long ago.
const MOST_FOR_AGE: usize = 5;

/// The most columns that there is room for.
const COLUMNS: usize = 9;

/// A mark in the margin.
#[derive(Debug)]
pub(super) struct Mark {
    /// How it looks.
    pub mark: char,
    /// What it means.
    pub meaning: &'static str,
    /// The steps that have it.
    pub places: Vec<usize>,
}

/// What is drawn, and how.
#[derive(Debug)]
pub(super) struct Chart<'a, S: UnderTest> {
    history: &'a History<S>,
    rows: &'a [Row],
    /// The marks in the margin.
    marks: &'a [Mark],
    width: usize,
    /// The most lines for what one step changed.
    lines_per_step: usize,
    /// The rows, by their place in the list, the lowest rank first.
    ranked: Vec<usize>,
}

/// A chart as text, and what of it was drawn.
#[derive(Debug, Default)]
pub(super) struct Drawn {
    pub lines: Vec<String>,
    /// How many steps the rows that were drawn stand for.
    pub steps: usize,
    /// The first of them, by its place in the history.
    #[cfg(feature = "madsim")]
    pub first: Option<usize>,
    /// The machines that have a column.
    #[cfg(feature = "madsim")]
    pub machines: Vec<NodeId>,
    /// What the marks mean that occur.
    pub legend: String,
    /// The machines that have no column, and why; no line where all have one.
    pub left_out: Vec<String>,
}

impl<'a, S: UnderTest> Chart<'a, S> {
    /// A chart of `rows`, with `marks` in the margin.
    pub fn new(
        history: &'a History<S>,
        rows: &'a [Row],
        marks: &'a [Mark],
        width: usize,
        lines_per_step: usize,
    ) -> Chart<'a, S> {
        // Eight steps earlier weigh as much as one rank; the two lowest ranks have no age.
        let age = |i: usize| ((rows.len() - 1 - i) / 8).min(MOST_FOR_AGE);
        let with_age = |(i, row): (usize, &Row)| match row.rank {
            rank @ 0..=1 => (rank, i),
            rank => (rank + age(i), i),
        };
        let mut ranked: Vec<(usize, usize)> = rows.iter().enumerate().map(with_age).collect();
        ranked.sort_by_key(|(rank, i)| (*rank, std::cmp::Reverse(*i)));
        let ranked = ranked.into_iter().map(|(_, i)| i).collect();
        Chart { history, rows, marks, width, lines_per_step, ranked }
    }

    /// Draws as many rows as fit into `room` lines.
    pub fn draw(&self, room: usize) -> Drawn {
        let most = self.ranked.len().min(room);
        let needed = self.rows.iter().filter(|row| row.rank == 0).count();
        for count in (1..=most).rev() {
            // The facts and the acts of a defect stay, however short they are told.
            let shortest = if count == needed { 1 } else { self.lines_per_step };
            for lines_per_step in [self.lines_per_step, shortest] {
                let drawn = self.drawn(&self.ranked[..count], lines_per_step);
                if drawn.lines.len() + drawn.left_out.len() <= room {
                    return drawn;
                }
            }
        }
        Drawn::default()
    }

    fn drawn(&self, ranked: &[usize], lines_per_step: usize) -> Drawn {
        let part = self.taking_part(ranked);
        let machines: Vec<NodeId> = part.iter().take(COLUMNS).copied().collect();
        let columns = Columns::of(machines.iter().copied().collect());
        let mut seen = BTreeSet::new();
        let lines = self.lines(ranked, &columns, lines_per_step, &mut seen);
        let steps = ranked.iter().map(|i| self.rows[*i].places.len()).sum();
        let mut legend: Vec<&str> = Vec::new();
        for (mark, meaning) in MARKS {
            if seen.contains(&mark) && !legend.contains(&meaning) {
                legend.push(meaning);
            }
        }
        let legend: Vec<String> = legend.into_iter().map(str::to_owned).collect();
        let is_drawn =
            |mark: &&Mark| ranked.iter().any(|i| mark.places.contains(&self.rows[*i].place));
        let margin = self.marks.iter().filter(is_drawn);
        let margin = margin.map(|Mark { mark, meaning, .. }| format!("{mark} {meaning}"));
        let legend: Vec<String> = legend.into_iter().chain(margin).collect();
        let legend = legend.join("   ");
        Drawn {
            lines,
            steps,
            #[cfg(feature = "madsim")]
            first: ranked.iter().min().map(|first| self.rows[*first].place),
            #[cfg(feature = "madsim")]
            machines,
            legend,
            left_out: self.machines_left_out(&part),
        }
    }

    /// A chart of these rows. Takes in the marks that it draws.
    fn lines(
        &self,
        ranked: &[usize],
        columns: &Columns,
        lines_per_step: usize,
        seen: &mut BTreeSet<char>,
    ) -> Vec<String> {
        let chosen: BTreeSet<usize> = ranked.iter().copied().collect();
        let mut lines = vec![columns.head()];
        let mut lives = Lives::default();
        let not_drawn = self.rows.iter().enumerate().filter(|(i, _)| !chosen.contains(i));
        let not_drawn: BTreeSet<usize> =
            not_drawn.flat_map(|(_, row)| &row.places).copied().collect();
        let (mut before, mut next) = (0, 0);
        for (_, row) in self.rows.iter().enumerate().filter(|(i, _)| chosen.contains(i)) {
            lives.pass(self.history, &mut next, row.place);
            let left_out = not_drawn.range(before..row.place).count();
            self.row(row, (left_out, lines_per_step), columns, &mut lives, &mut lines, seen);
            before = row.place;
            next = row.place + 1;
        }
        lines
    }

    /// The machines of these rows, those of the lowest ranks first.
    fn taking_part(&self, ranked: &[usize]) -> Vec<NodeId> {
        let mut part = Vec::new();
        let steps = ranked.iter().map(|i| self.history.at(self.rows[*i].place));
        for node in steps.flat_map(machines_of) {
            if !part.contains(&node) {
                part.push(node);
            }
        }
        part
    }

    /// The machines that have no column: those that are in no step of `part`, and those of it for
    /// which there is no room.
    fn machines_left_out(&self, part: &[NodeId]) -> Vec<String> {
        let machines = self.history.machines().iter().copied();
        let apart: BTreeSet<NodeId> = machines.filter(|node| !part.contains(node)).collect();
        let no_room: BTreeSet<NodeId> = part.iter().skip(COLUMNS).copied().collect();
        let named = [(apart, "no part in it"), (no_room, "no room for a column")];
        let said = named.iter().filter(|(nodes, _)| !nodes.is_empty());
        let said: Vec<String> =
            said.map(|(nodes, why)| format!("{} ({why})", in_short(nodes))).collect();
        match &said[..] {
            [] => Vec::new(),
            some => on_lines("    left out:", some.join("; ").split(' '), 14, self.width),
        }
    }

    fn row(
        &self,
        row: &Row,
        (left_out, lines_per_step): (usize, usize),
        columns: &Columns,
        lives: &mut Lives,
        lines: &mut Vec<String>,
        seen: &mut BTreeSet<char>,
    ) {
        let step = self.history.at(row.place);
        let marks = self.marks.iter().filter(|mark| mark.places.contains(&row.place));
        let mark: String = marks.map(|mark| mark.mark).collect();
        let mut cells = columns.cells(lives);
        columns.draw(step, &mut cells);
        lives.take(step);
        let left_out = if left_out == 0 { String::new() } else { format!("+{left_out}") };
        let head =
            format!("{mark:<2}{left_out:>4} {:>6} {:>11}  ", step.index, step.at.to_string());
        let room = self.width.saturating_sub(HEAD + columns.width() + 1).max(30);
        let most = match row.rank == 0 && lines_per_step > 1 {
            true => lines_per_step.saturating_mul(2),
            false => lines_per_step,
        };
        let mut text = broken(&row.text(), room, most).into_iter();
        lines.push(join(&head, &cells, &text.next().unwrap_or_default()));
        let below = columns.cells(lives);
        lines.extend(text.map(|more| join(&" ".repeat(HEAD), &below, &format!("  {more}"))));
        seen.extend(cells.iter().chain(&below).map(|cell| char::from(*cell)));
    }
}

/// The names of machines; of four or more that stand in a row the first and the last.
fn in_short(nodes: &BTreeSet<NodeId>) -> String {
    let mut rows: Vec<Vec<NodeId>> = Vec::new();
    for &node in nodes {
        let follows = |row: &&mut Vec<NodeId>| {
            let last = row.last();
            last.is_some_and(|last| {
                (last.class(), last.number() + 1) == (node.class(), node.number())
            })
        };
        match rows.last_mut().filter(follows) {
            Some(row) => row.push(node),
            None => rows.push(vec![node]),
        }
    }
    let named = rows.iter().flat_map(|row| match &row[..] {
        [first, _, _, .., last] => vec![format!("{first}..{last}")],
        few => few.iter().map(NodeId::to_string).collect(),
    });
    named.collect::<Vec<_>>().join(" ")
}

/// `text` on up to `most` lines of `width`, of which all but the first are indented by two; what
/// does not fit is left out, and `...` says so.
pub(super) fn broken(text: &str, width: usize, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split(' ') {
        let indent = if lines.len() == 1 { 0 } else { 2 };
        let line = lines.last().map_or(0, |line| line.chars().count());
        if line > 0 && indent + line + 1 + word.chars().count() > width {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(if line.is_empty() { "" } else { " " });
            line.push_str(&shorten(word, width.saturating_sub(2)));
        }
    }
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            let kept: String = last.chars().take(width.saturating_sub(6)).collect();
            *last = format!("{} ...", kept.trim_end_matches(['.', ' ']));
        }
    }
    lines
}

/// At most `width` characters of `text`.
pub(super) fn shorten(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(3)).collect();
    kept + "..."
}

//! A space-time chart in text: one column for each machine that takes part, time flows down.
//! The others are named below.
//!
//! ```text
//!    step        time  n1     n2     n3
//!      12   0.104310s  o      |      |       n1 <- c1 Begin c1.1#1; -> n2 Prepare n1.1/1; ...
//!      14   0.106310s  |----->o      |       n2 <- n1 Prepare n1.1/1; -> n1 Ready n1.1/1
//!      15   0.107002s  |---------x   |       n1 -> n3 lost (the network lost it): Prepare n1.1/1
//!      20   0.210000s  X      |      |       n1 crashes; log #3 is lost, it was not durable
//!                      :      |      |       ... 4 steps left out
//! ```

use std::collections::BTreeSet;

use seedbed::machine::NodeId;

use super::history::{History, machines_of};
use super::lifelines::{Columns, Lives, join};
use crate::subject::{self, Subjects};
use crate::text::on_lines;
use crate::trace::{self, Detail};
use crate::under_test::UnderTest;
use crate::world::{Fact, Step};

/// What the marks mean.
pub(super) const LEGEND: &str = "o step   -> message   x lost message   X crash   : down   = paused   / link cut   > the two facts";

/// How wide a line may be.
pub(super) const WIDTH: usize = 118;

/// The most columns that there is room for.
const COLUMNS: usize = 9;

/// The most lines for what one step changed.
const LINES_PER_STEP: usize = 3;

/// Steps to be drawn.
#[derive(Debug)]
pub(super) struct Chart<'a, S: UnderTest> {
    history: &'a History<S>,
    subjects: &'a Subjects<S::Subject>,
    facts: &'a [usize],
    /// All that are worth drawing, in order.
    worth: Vec<usize>,
    /// The same, what would be missed most first.
    ranked: Vec<usize>,
}

/// A chart as text, and what of it was drawn.
#[derive(Debug)]
pub(super) struct Drawn {
    pub lines: Vec<String>,
    pub steps: usize,
    /// The machines that have no column, and why; no line where all have one.
    pub left_out: Vec<String>,
}

impl<'a, S: UnderTest> Chart<'a, S> {
    /// A chart of `steps` (each with its weight), in which `facts` are marked.
    pub fn new(
        history: &'a History<S>,
        subjects: &'a Subjects<S::Subject>,
        facts: &'a [usize],
        steps: &[(usize, usize)],
    ) -> Chart<'a, S> {
        // A step is missed more the later it is: eight steps later weigh as much as one in kind.
        let late = |i: usize| (steps.len() - 1 - i) / 8;
        let mut ranked: Vec<(usize, usize)> = steps
            .iter()
            .enumerate()
            .map(|(i, (place, weight))| (if *weight == 0 { 0 } else { weight + late(i) }, *place))
            .collect();
        ranked.sort_by_key(|(rank, place)| (*rank, std::cmp::Reverse(*place)));
        let worth = steps.iter().map(|(place, _)| *place).collect();
        let ranked = ranked.into_iter().map(|(_, place)| place).collect();
        Chart { history, subjects, facts, worth, ranked }
    }

    /// Draws as many steps as fit into `room` lines.
    pub fn draw(&self, room: usize) -> Drawn {
        let most = self.ranked.len().min(room);
        for count in (1..=most).rev() {
            let part = self.taking_part(&self.ranked[..count]);
            let columns = Columns::of(part.iter().take(COLUMNS).copied().collect());
            let lines = self.lines(&self.ranked[..count], &columns);
            let left_out = self.machines_left_out(&part);
            if lines.len() + left_out.len() <= room {
                return Drawn { lines, steps: count, left_out };
            }
        }
        Drawn { lines: Vec::new(), steps: 0, left_out: Vec::new() }
    }

    /// A chart of these steps.
    fn lines(&self, ranked: &[usize], columns: &Columns) -> Vec<String> {
        let chosen: BTreeSet<usize> = ranked.iter().copied().collect();
        let mut lines = vec![columns.head()];
        let mut lives = Lives::default();
        let (mut left_out, mut next) = (0, 0);
        for &place in &self.worth {
            if !chosen.contains(&place) {
                left_out += 1;
                continue;
            }
            lives.pass(self.history, &mut next, place);
            if std::mem::take(&mut left_out) > 0 {
                let before = self.left_out(&chosen, place);
                lines.push(columns.gap(&lives, before));
            }
            self.row(place, columns, &mut lives, &mut lines);
            next = place + 1;
        }
        if left_out > 0 {
            lines.push(columns.gap(&lives, left_out));
        }
        lines
    }

    /// How many steps in front of `place` are left out, back to the one that is drawn before.
    fn left_out(&self, chosen: &BTreeSet<usize>, place: usize) -> usize {
        let at = self.worth.partition_point(|step| *step < place);
        self.worth[..at].iter().rev().take_while(|step| !chosen.contains(step)).count()
    }

    /// The machines of these steps, those of the steps that would be missed most first.
    fn taking_part(&self, ranked: &[usize]) -> Vec<NodeId> {
        let mut part = Vec::new();
        for node in ranked.iter().flat_map(|place| machines_of(self.history.at(*place))) {
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
            some => on_lines("    left out:", some.join("; ").split(' '), 14, WIDTH),
        }
    }

    fn row(&self, place: usize, columns: &Columns, lives: &mut Lives, lines: &mut Vec<String>) {
        let step = self.history.at(place);
        let mark = if self.facts.contains(&place) { '>' } else { ' ' };
        let mut cells = columns.cells(lives);
        columns.draw(step, &mut cells);
        lives.take(step);
        let head = format!("{mark}{:>7} {:>11}  ", step.index, step.at.to_string());
        let room = WIDTH.saturating_sub(head.len() + columns.width());
        let mut text = wrap(&self.words(step), room.max(30));
        if text.len() > LINES_PER_STEP {
            text.truncate(LINES_PER_STEP);
            text.iter_mut().last().into_iter().for_each(|last| last.push_str("; ..."));
        }
        let mut text = text.into_iter();
        lines.push(join(&head, &cells, &text.next().unwrap_or_default()));
        let below = columns.cells(lives);
        lines.extend(text.map(|more| join(&" ".repeat(head.len()), &below, &more)));
    }

    /// What happened in the step, and what it changed.
    fn words(&self, step: &Step<S>) -> Vec<String> {
        let event = trace::event(step, Detail::Brief);
        let mut words = vec![match step.place() {
            Some(node) => format!("{node} {event}"),
            None => event,
        }];
        let of_node = step.place().is_some();
        for (node, position, record) in &step.durable {
            if subject::of_record::<S>(*node, record).meet(self.subjects) {
                let durable = trace::durable::<S>(*position, record);
                words.push(if of_node { durable } else { format!("{node} {durable}") });
            }
        }
        words.extend(self.changes(step));
        words
    }

    /// The facts of the step; the same message to several machines is said once.
    fn changes(&self, step: &Step<S>) -> Vec<String> {
        let mut changes: Vec<(Vec<NodeId>, String)> = Vec::new();
        let is_wanted =
            |fact: &&Fact<S>| says_of_machine(fact) || subject::of_fact(fact).meet(self.subjects);
        for fact in step.facts.iter().filter(is_wanted) {
            if let Fact::Sent { to, message, .. } = fact {
                let said = S::message_in_words(message, Detail::Brief);
                match changes.last_mut() {
                    Some((receivers, last)) if !receivers.is_empty() && *last == said => {
                        receivers.push(*to);
                    }
                    Some(_) | None => changes.push((vec![*to], said)),
                }
            } else if let Some((_, what)) = trace::fact(fact, Detail::Brief) {
                changes.push((Vec::new(), what));
            }
        }
        let spelled = |(receivers, what): (Vec<NodeId>, String)| match &receivers[..] {
            [] => what,
            several => {
                let names: String = several.iter().map(|node| format!("{node} ")).collect();
                format!("-> {names}{what}")
            }
        };
        changes.into_iter().map(spelled).collect()
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

fn says_of_machine<S: UnderTest>(fact: &Fact<S>) -> bool {
    match fact {
        Fact::Wiped { .. } | Fact::ToldOfDisk { .. } => true,
        Fact::Forgot { .. } | Fact::Started { .. } | Fact::RefusedToStart { .. } => true,
        Fact::Requested { .. } | Fact::Sent { .. } | Fact::Copied { .. } => false,
        Fact::Appended { .. } | Fact::SyncBegan { .. } | Fact::Durable { .. } => false,
        Fact::Checkpointed { .. } | Fact::Replied { .. } | Fact::Noticed { .. } => false,
    }
}

/// Puts `words` onto lines of `width`, as many on each as fit; what is too long by itself is cut.
pub(super) fn wrap(words: &[String], width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 2 + word.chars().count() <= width => {
                line.push_str("; ");
                line.push_str(word);
            }
            Some(_) | None => lines.push(shorten(word, width)),
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

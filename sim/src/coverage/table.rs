//! What the seeds of a sweep have covered, as matrices in text.
//!
//! ```text
//!                          crash  pause
//!   participant_in_doubt      12      .
//!   client_waiting                    3
//!   empty: participant_in_doubt: pause
//! ```

use std::collections::{BTreeMap, BTreeSet};

use crate::cell::{Cell, FaultKind, MessageFate, RecordFate, Seeds};
use crate::name::Name;
use crate::scenario::Scenario;
use crate::text::{Thousands, on_lines};
use crate::under_test::{Phase, Reason, Situation, UnderTest};

/// How wide a line may be.
const WIDTH: usize = 160;

/// What the seeds of some files have covered, and could.
#[derive(Debug)]
pub struct Covered<'a, S: UnderTest> {
    seeds: &'a Seeds<S>,
    /// The cells that some run of the files may see, or has.
    possible: BTreeSet<Cell<S>>,
}

impl<'a, S: UnderTest> Covered<'a, S> {
    /// What the `seeds` of `scenarios` have covered.
    pub fn of(seeds: &'a Seeds<S>, scenarios: &[Scenario<S>]) -> Covered<'a, S> {
        let may_see = |cell: &Cell<S>| {
            let may = |scenario: &Scenario<S>| scenario.why_never_covered(*cell).is_none();
            seeds.of(*cell) > 0 || scenarios.iter().any(may)
        };
        Covered { seeds, possible: Cell::all().filter(may_see).collect() }
    }

    /// In how many seeds each cell was seen, by name; `None` where it cannot be.
    pub fn counts(&self) -> BTreeMap<String, Option<u64>> {
        Cell::names().map(|(name, cell)| (name, self.count(cell))).collect()
    }

    /// The matrices, and their empty cells in words.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "coverage: in how many of {} seeds each cell was seen; `.` is none, and a blank cannot \
             be in these files",
            Thousands(self.seeds.runs())
        )];
        self.matrices().iter().for_each(|matrix| matrix.put(&mut lines));
        lines
    }

    fn count(&self, cell: Cell<S>) -> Option<u64> {
        self.possible.contains(&cell).then(|| self.seeds.of(cell))
    }

    fn matrices(&self) -> [Matrix; 6] {
        let kinds: &Vec<FaultKind<S>> = &FaultKind::all().collect();
        [
            self.matrix("what a fault met", Phase::<S>::ALL, kinds, |phase, kind| {
                (phase.name(), kind.name(), Cell::Strike(*kind, *phase))
            }),
            self.matrix("what a fault struck while", kinds, kinds, |first, then| {
                (first.name(), then.name(), Cell::Pair(*first, *then))
            }),
            self.matrix("messages", MessageFate::ALL, S::MessageKind::ALL, |fate, kind| {
                (fate.name(), kind.name(), Cell::Message(*fate, *kind))
            }),
            self.matrix("records", RecordFate::ALL, S::RecordKind::ALL, |fate, kind| {
                (fate.name(), kind.name(), Cell::Record(*fate, *kind))
            }),
            self.matrix(
                "reasons that users were told",
                &["refused"],
                Reason::<S>::ALL,
                |row, reason| (*row, reason.name(), Cell::Refused(*reason)),
            ),
            self.matrix(
                "situations that a run got into",
                &["situation"],
                Situation::<S>::ALL,
                |row, situation| (*row, situation.name(), Cell::Situation(*situation)),
            ),
        ]
    }

    /// A matrix of these rows and columns, of each of which `cell` gives the two names and the
    /// cell.
    fn matrix<R, C>(
        &self,
        title: &'static str,
        rows: &[R],
        columns: &[C],
        cell: impl Fn(&R, &C) -> (&'static str, &'static str, Cell<S>),
    ) -> Matrix {
        let mut matrix = Matrix { title, columns: Vec::new(), rows: Vec::new() };
        for row in rows {
            let cells = columns.iter().map(|column| cell(row, column));
            let cells: Vec<_> = cells.collect();
            matrix.columns = cells.iter().map(|(_, column, _)| *column).collect();
            let counts = cells.iter().map(|(.., cell)| self.count(*cell)).collect();
            matrix.rows.extend(cells.first().map(|(row, ..)| (*row, counts)));
        }
        matrix.without_blank_columns()
    }
}

/// Counts by row and column; `None` is a cell that cannot be.
#[derive(Debug)]
struct Matrix {
    title: &'static str,
    columns: Vec<&'static str>,
    rows: Vec<(&'static str, Vec<Option<u64>>)>,
}

impl Matrix {
    /// A column that is blank from top to bottom takes room and says nothing.
    fn without_blank_columns(mut self) -> Matrix {
        let is_there = |at: usize| self.rows.iter().any(|(_, counts)| counts[at].is_some());
        let kept: Vec<usize> = (0..self.columns.len()).filter(|at| is_there(*at)).collect();
        self.columns = kept.iter().map(|at| self.columns[*at]).collect();
        for (_, counts) in &mut self.rows {
            *counts = kept.iter().map(|at| counts[*at]).collect();
        }
        self.rows.retain(|(_, counts)| counts.iter().any(Option::is_some));
        self
    }

    fn put(&self, lines: &mut Vec<String>) {
        if self.rows.is_empty() {
            lines.push(format!("  {}: no cell can be in these files", self.title));
            return;
        }
        let all = || self.rows.iter().flat_map(|(_, counts)| counts).flatten();
        let (seen, cells) = (all().filter(|count| **count > 0).count(), all().count());
        let (seen, cells) = (Thousands(seen as u64), Thousands(cells as u64));
        lines.push(format!("  {}: {seen} of {cells} cells", self.title));
        let names = self.rows.iter().map(|(name, _)| name.len());
        let stub = 4 + names.max().unwrap_or_default();
        for (from, to) in self.blocks(WIDTH - stub) {
            let heads = self.columns[from..to].iter();
            let head: String = heads.map(|name| format!("  {name:>0$}", width(name))).collect();
            lines.push(format!("{:stub$}{head}", ""));
            for (name, counts) in &self.rows {
                let cells = self.columns[from..to].iter().zip(&counts[from..to]);
                let cells: String = cells
                    .map(|(column, count)| format!("  {:>1$}", in_words(*count), width(column)))
                    .collect();
                let row = format!("    {name:<0$}{cells}", stub - 4);
                lines.push(row.trim_end().to_owned());
            }
        }
        self.put_empty(lines);
    }

    /// Where the columns are parted so that each part fits into `room`.
    fn blocks(&self, room: usize) -> Vec<(usize, usize)> {
        let mut blocks = vec![(0, 0)];
        let mut used = 0;
        for (at, name) in self.columns.iter().enumerate() {
            let needed = 2 + width(name);
            match blocks.last_mut() {
                Some(last) if used + needed <= room => {
                    last.1 = at + 1;
                    used += needed;
                }
                Some(_) | None => {
                    blocks.push((at, at + 1));
                    used = needed;
                }
            }
        }
        blocks
    }

    /// The empty cells, row by row.
    fn put_empty(&self, lines: &mut Vec<String>) {
        let mut is_any = false;
        for (name, counts) in &self.rows {
            let cells = self.columns.iter().zip(counts);
            let empty: Vec<&str> =
                cells.filter(|(_, count)| **count == Some(0)).map(|(column, _)| *column).collect();
            if !empty.is_empty() {
                is_any = true;
                lines.extend(on_lines(&format!("    empty: {name}:"), empty, 9, WIDTH));
            }
        }
        if !is_any {
            lines.push("    no cell is empty".to_owned());
        }
    }
}

/// How wide a column of this name is.
fn width(name: &str) -> usize {
    name.len().max("100,000".len() - 2)
}

fn in_words(count: Option<u64>) -> String {
    match count {
        None => String::new(),
        Some(0) => ".".to_owned(),
        Some(count) => Thousands(count).to_string(),
    }
}

#[cfg(all(test, feature = "file-service"))]
mod tests {
    use super::*;
    use crate::cell::GeneralFault;
    use crate::file_service::coverage::Phase;
    use crate::file_service::{Cell, ChaosKind, FaultKind, Scenario};

    fn scenario(text: &str) -> Scenario {
        let head = "title = 'x'\n[workload]\nkind = 'files'\n";
        Scenario::parse("x.toml", &format!("{head}{text}")).expect("a sound file")
    }

    fn crashes() -> Scenario {
        scenario("[chaos]\nkinds = ['crash', 'slow_disk']\nbudget = { nodes_down = 1 }\n")
    }

    #[test]
    fn what_cannot_be_is_blank_and_what_was_not_seen_is_a_dot() {
        let doubt =
            Cell::Strike(FaultKind::General(GeneralFault::Crash), Phase::ParticipantInDoubt);
        let mut seeds = Seeds::default();
        seeds.add(&BTreeSet::from([doubt]));
        let scenarios = [crashes()];
        let covered = Covered::of(&seeds, &scenarios);
        let counts = covered.counts();
        assert_eq!(counts["crash/participant_in_doubt"], Some(1));
        assert_eq!(counts["crash/participant_ready"], Some(0));
        assert_eq!(counts["crash/client_asking"], None, "no client is in the budget");
        assert_eq!(counts["slow_disk/disk_syncing"], Some(0));
        assert_eq!(counts["pause/idle"], None);
        let lines = covered.lines();
        let row = lines.iter().find(|line| line.starts_with("    participant_in_doubt "));
        let cells: Vec<&str> = row.expect("it can be").split_whitespace().skip(1).collect();
        assert_eq!(cells, ["1", "."]);
        let empty = "    empty: participant_in_doubt: slow_disk";
        assert!(lines.iter().any(|line| line == empty), "{lines:#?}");
        assert!(!lines.iter().any(|line| line.contains("pause")), "{lines:#?}");
    }

    #[test]
    fn no_line_is_too_wide_and_every_column_stands_over_its_counts() {
        let kinds = ChaosNames::all();
        let text =
            format!("[cluster]\nnodes = 4\nmembership = 'managed'\n[chaos]\nkinds = [{kinds}]\n");
        let budget = "budget = { control_down = true, clients_down = 1, wipes = 1 }\n";
        let scenarios = [scenario(&format!("{text}{budget}"))];
        let mut seeds = Seeds::default();
        seeds.add(&Cell::all().collect());
        let lines = Covered::of(&seeds, &scenarios).lines();
        assert!(lines.iter().all(|line| line.len() <= WIDTH), "{lines:#?}");
        let head = lines.iter().position(|line| line.trim_start().starts_with("crash "));
        let (head, row) = (&lines[head.unwrap()], &lines[head.unwrap() + 1]);
        let end = head.find("crash").expect("a column") + "crash".len();
        assert_eq!(&row[end - 2..end], " 1");
        assert!(lines.iter().any(|line| line == "    no cell is empty"));
    }

    struct ChaosNames;

    impl ChaosNames {
        fn all() -> String {
            let names = ChaosKind::all();
            names.map(|kind| format!("'{}'", kind.name())).collect::<Vec<_>>().join(", ")
        }
    }
}

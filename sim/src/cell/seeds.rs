//! In how many seeds each cell was seen.

use std::collections::{BTreeMap, BTreeSet};

use super::{Cell, FaultKind};
use crate::name::Name;
use crate::text::Thousands;
use crate::under_test::{Phase, UnderTest};

/// In how many seeds each cell was seen, and each row and column of strikes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seeds<S: UnderTest> {
    runs: u64,
    cells: BTreeMap<Cell<S>, u64>,
    kinds: BTreeMap<FaultKind<S>, u64>,
    phases: BTreeMap<Phase<S>, u64>,
}

impl<S: UnderTest> Default for Seeds<S> {
    fn default() -> Seeds<S> {
        let (cells, kinds, phases) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Seeds { runs: 0, cells, kinds, phases }
    }
}

impl<S: UnderTest> Seeds<S> {
    /// Takes in what the run of one more seed has seen.
    pub fn add(&mut self, seen: &BTreeSet<Cell<S>>) {
        let strikes = || {
            seen.iter().filter_map(|cell| match cell {
                Cell::Strike(kind, phase) => Some((*kind, *phase)),
                Cell::Pair(..) | Cell::Message(..) | Cell::Record(..) => None,
                Cell::Refused(_) | Cell::Situation(_) => None,
            })
        };
        let kinds: BTreeSet<FaultKind<S>> = strikes().map(|(kind, _)| kind).collect();
        let phases: BTreeSet<Phase<S>> = strikes().map(|(_, phase)| phase).collect();
        self.runs += 1;
        seen.iter().for_each(|cell| *self.cells.entry(*cell).or_default() += 1);
        kinds.into_iter().for_each(|kind| *self.kinds.entry(kind).or_default() += 1);
        phases.into_iter().for_each(|phase| *self.phases.entry(phase).or_default() += 1);
    }

    /// Takes in the seeds of another file.
    pub fn merge(&mut self, other: &Seeds<S>) {
        self.runs += other.runs;
        add_all(&mut self.cells, &other.cells);
        add_all(&mut self.kinds, &other.kinds);
        add_all(&mut self.phases, &other.phases);
    }

    /// How many seeds there are.
    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// In how many of them `cell` was seen.
    pub fn of(&self, cell: Cell<S>) -> u64 {
        self.cells.get(&cell).copied().unwrap_or(0)
    }

    /// In how many of them a fault of this kind struck.
    pub fn struck(&self, kind: FaultKind<S>) -> u64 {
        self.kinds.get(&kind).copied().unwrap_or(0)
    }

    /// That no seed has seen `cell`, and how near they came.
    pub fn why_not(&self, cell: Cell<S>) -> String {
        let runs = Thousands(self.runs);
        let struck = |kind| format!("`{kind}` struck in {}", Thousands(self.struck(kind)));
        let near = match cell {
            Cell::Strike(kind, phase) => {
                let met = Thousands(self.met(phase));
                format!("; {}, and a fault met `{}` in {met}", struck(kind), phase.name())
            }
            Cell::Pair(first, then) if first == then => format!("; {}", struck(first)),
            Cell::Pair(first, then) => format!("; {}, {}", struck(first), struck(then)),
            Cell::Message(..) | Cell::Record(..) => String::new(),
            Cell::Refused(_) | Cell::Situation(_) => String::new(),
        };
        format!("of {runs} seeds none covered `{cell}`{near}")
    }

    /// In how many of them a fault struck a machine in this phase.
    pub fn met(&self, phase: Phase<S>) -> u64 {
        self.phases.get(&phase).copied().unwrap_or(0)
    }
}

fn add_all<K: Copy + Ord>(to: &mut BTreeMap<K, u64>, from: &BTreeMap<K, u64>) {
    from.iter().for_each(|(key, count)| *to.entry(*key).or_default() += count);
}

#[cfg(all(test, feature = "file-service"))]
mod tests {
    use super::*;
    use crate::cell::GeneralFault;
    use crate::file_service::coverage::Phase;
    use crate::file_service::{Cell, FaultKind};

    #[test]
    fn a_seed_counts_once_in_its_row_and_column() {
        let doubt =
            Cell::Strike(FaultKind::General(GeneralFault::Crash), Phase::ParticipantInDoubt);
        let ready = Cell::Strike(FaultKind::General(GeneralFault::Crash), Phase::ParticipantReady);
        let mut seeds = Seeds::default();
        seeds.add(&BTreeSet::from([doubt, ready]));
        seeds.add(&BTreeSet::from([ready]));
        let mut twice = seeds.clone();
        twice.merge(&seeds);
        assert_eq!((seeds.runs(), seeds.of(doubt), seeds.of(ready)), (2, 1, 2));
        assert_eq!(seeds.struck(FaultKind::General(GeneralFault::Crash)), 2);
        assert_eq!((seeds.met(Phase::ParticipantInDoubt), seeds.met(Phase::Idle)), (1, 0));
        assert_eq!(
            (twice.runs(), twice.of(ready), twice.struck(FaultKind::General(GeneralFault::Crash))),
            (4, 4, 4)
        );
    }
}

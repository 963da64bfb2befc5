//! How the runs of a file went, all together.

use std::fmt;

use super::{RequestCounts, RunReport, Shares};
use crate::cell::{Cell, Seeds};
use crate::quantity::Ppb;
use crate::scenario::{Expected, Reach, Scenario};
use crate::text::Thousands;

/// How the runs of a file went, all together.
#[derive(Clone, Debug, Default)]
pub struct FileReport {
    /// Runs.
    pub runs: u64,
    /// Runs that ended as the file expects.
    pub as_expected: u64,
    /// The seeds of runs that contradict the file, with their verdicts; the first few.
    pub failures: Vec<RunReport>,
    /// How many contradict it.
    pub failed: u64,
    /// Milestones over all runs.
    pub counts: Vec<u64>,
    /// Users' requests of all runs by how they ended.
    pub requests: RequestCounts,
    /// Those of which the file does not say how they end.
    pub unstated: RequestCounts,
    /// The most of those that one run answered unknown, and its seed.
    pub most_unknown: Option<(u64, u64)>,
    /// What each client got done beside its equals.
    pub shares: Shares,
    /// By milestone: how often the run that reached it most often did.
    pub most: Vec<u64>,
    /// Scripted faults that struck in some run.
    pub fired: Vec<bool>,
    /// The first seed that showed what the file is about.
    pub first_as_expected: Option<u64>,
    /// In how many runs each cell was seen, if that was watched.
    pub covered: Seeds,
}

/// How a file did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileVerdict {
    /// As it says.
    AsExpected,
    /// Some run ended otherwise.
    Failed,
    /// No run ended otherwise, but the requests of all runs together were served badly.
    FallsShort {
        /// How.
        why: String,
        /// The seed of the run that did most to it.
        seed: u64,
    },
    /// No run ended otherwise, but what the file is about never came up: this is why.
    Vacuous(String),
}

impl FileReport {
    /// How many failing runs are kept whole.
    pub const KEPT: usize = 10;

    /// Least number of requests that the share of unknown is taken of: of fewer, one in twenty is
    /// chance.
    pub const JUDGED: u64 = 100;

    /// Takes in the report of one run of `scenario`.
    pub fn add(&mut self, scenario: &Scenario, run: RunReport) {
        self.runs += 1;
        // A run that panicked has counted nothing.
        self.counts.resize(self.counts.len().max(run.counts.len()), 0);
        self.counts.iter_mut().zip(&run.counts).for_each(|(sum, count)| *sum += count);
        self.most.resize(self.most.len().max(run.counts.len()), 0);
        self.most.iter_mut().zip(&run.counts).for_each(|(most, count)| *most = *count.max(most));
        self.requests += run.requests;
        self.unstated += run.unstated;
        let unknown = run.unstated.unknown;
        if self.most_unknown.is_none_or(|(most, _)| unknown > most) {
            self.most_unknown = Some((unknown, run.seed));
        }
        self.shares.add(run.seed, &run.shares);
        self.fired.resize(self.fired.len().max(run.fired.len()), false);
        self.fired.iter_mut().zip(&run.fired).for_each(|(any, fired)| *any |= fired);
        self.covered.add(&run.covered);
        let expected = &scenario.expect.verdict;
        if run.is_as_expected(expected) {
            self.as_expected += 1;
            let first = self.first_as_expected.get_or_insert(run.seed);
            *first = run.seed.min(*first);
        }
        if run.contradicts(expected) {
            self.failed += 1;
            if self.failures.len() < Self::KEPT {
                self.failures.push(run);
            }
        }
    }

    /// What is to be said of the file.
    pub fn verdict(&self, scenario: &Scenario) -> FileVerdict {
        if self.failed > 0 {
            return FileVerdict::Failed;
        }
        if let Some((why, seed)) = self.shortfall(scenario) {
            return FileVerdict::FallsShort { why, seed };
        }
        if self.as_expected == 0 {
            return FileVerdict::Vacuous(format!("no seed {}", Wanted(&scenario.expect.verdict)));
        }
        let most = |reach: &Reach| self.most.get(reach.milestone.index()).copied();
        let is_missed = |reach: &&Reach| most(reach).is_some_and(|most| most < reach.at_least);
        if let Some(reach) = scenario.expect.reached.iter().find(is_missed) {
            return FileVerdict::Vacuous(format!("no seed reached {reach}"));
        }
        let is_uncovered = |cell: &&Cell| self.covered.of(**cell) == 0;
        if let Some(cell) = scenario.expect.covered.iter().find(is_uncovered) {
            return FileVerdict::Vacuous(self.covered.why_not(*cell));
        }
        if let Some(fault) = self.fired.iter().position(|fired| !fired) {
            return FileVerdict::Vacuous(never_fired(scenario, fault));
        }
        FileVerdict::AsExpected
    }

    /// Why the requests of all runs together fall short, if they do, and with which seed most of it
    /// came about. A file that expects a violation has runs that end early, and a service that is
    /// wrong.
    fn shortfall(&self, scenario: &Scenario) -> Option<(String, u64)> {
        match scenario.expect.verdict {
            Expected::Violates(_) => None,
            Expected::Pass | Expected::Blocks(_) => {
                self.too_many_unknown(scenario).or_else(|| self.shares.unfair())
            }
        }
    }

    fn too_many_unknown(&self, scenario: &Scenario) -> Option<(String, u64)> {
        let (_, seed) = self.most_unknown?;
        let RequestCounts { asked, unknown, .. } = self.unstated;
        let share = scenario.expect.unknown;
        let parts = |count: u64, of: u32| u128::from(count) * u128::from(of);
        let of = asked.max(Self::JUDGED);
        (parts(unknown, Ppb::ONE.get()) > parts(of, share.get())).then(|| {
            let (asked, unknown) = (Thousands(asked), Thousands(unknown));
            let more = format!("more than the share of {share}");
            (format!("{unknown} of {asked} requests are unknown: {more}"), seed)
        })
    }
}

/// Of faults, rules of messages, rules of syncs and scripts, in this order, the one of this number
/// never fired.
fn never_fired(scenario: &Scenario, number: usize) -> String {
    let Some(rule) = number.checked_sub(scenario.faults.len()) else {
        return format!("fault number {} never struck", number + 1);
    };
    let Some(sync) = rule.checked_sub(scenario.messages.len()) else {
        return format!("message rule number {} never applied", rule + 1);
    };
    match sync.checked_sub(scenario.syncs.len()) {
        None => format!("sync rule number {} never applied", sync + 1),
        Some(script) => format!("script number {} never began", script + 1),
    }
}

struct Wanted<'a>(&'a Expected);

impl fmt::Display for Wanted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Expected::Pass => f.write_str("passed"),
            Expected::Violates(invariant) => write!(f, "violated `{invariant}`"),
            Expected::Blocks(milestone) => write!(f, "was blocked after `{milestone}`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::{FaultKind, Phase};
    use crate::milestone::Milestone;
    use crate::verdict::{Share, Verdict};
    use seedbed::proto::NodeId;

    fn scenario(expect: &str) -> Scenario {
        let text = format!("title = 'x'\n[workload]\nkind = 'files'\n[expect]\n{expect}\n");
        Scenario::parse("x.toml", &text).unwrap()
    }

    fn judged(expect: &str, runs: impl IntoIterator<Item = RunReport>) -> FileVerdict {
        let (scenario, mut file) = (scenario(expect), FileReport::default());
        runs.into_iter().for_each(|run| file.add(&scenario, run));
        file.verdict(&scenario)
    }

    fn falls_short(why: &str, seed: u64) -> FileVerdict {
        FileVerdict::FallsShort { why: why.to_owned(), seed }
    }

    fn unknown(asked: u64, unknown: u64) -> RunReport {
        let unstated = RequestCounts { asked, done: asked - unknown, unknown, refused: 0 };
        RunReport { unstated, ..RunReport::without_figures(1, Verdict::Pass) }
    }

    #[test]
    fn the_share_of_unknown_is_judged_over_all_runs_and_from_enough_requests_on() {
        let second = || RunReport { seed: 2, ..unknown(60, 6) };
        let runs = || [unknown(60, 1), second()];
        let why = "7 of 120 requests are unknown: more than the share of 0.05";
        assert_eq!(judged("", runs()), falls_short(why, 2));
        assert_eq!(judged("unknown = 0.06", runs()), FileVerdict::AsExpected);
        assert_eq!(judged("", [unknown(60, 1), unknown(60, 5)]), FileVerdict::AsExpected);
        assert_eq!(judged("", [unknown(99, 5)]), FileVerdict::AsExpected);
        let why = "6 of 99 requests are unknown: more than the share of 0.05";
        assert_eq!(judged("", [unknown(99, 6)]), falls_short(why, 1));
    }

    #[test]
    fn a_client_that_gets_little_makes_a_file_fall_short() {
        let share = Share { client: NodeId::client(2), done: 10, median: 100 };
        let run = || RunReport { shares: vec![share], ..unknown(0, 0) };
        let why = "c2 got 20 requests done and its equals 200: below 1/8";
        assert_eq!(judged("", [run(), run()]), falls_short(why, 1));
    }

    #[test]
    fn a_cell_that_no_seed_has_seen_makes_a_file_vacuous_and_says_how_near_it_came() {
        let text = "title = 'x'\n[workload]\nkind = 'files'\n[chaos]\nkinds = ['crash']\n\
                    [expect]\ncovered = ['crash/participant_in_doubt', 'crash+crash']\n";
        let scenario = Scenario::parse("x.toml", text).unwrap();
        let in_doubt = Cell::Strike(FaultKind::Crash, Phase::ParticipantInDoubt);
        let (idle, twice) = (
            Cell::Strike(FaultKind::Crash, Phase::Idle),
            Cell::Pair(FaultKind::Crash, FaultKind::Crash),
        );
        let judged = |runs: &[&[Cell]]| {
            let mut file = FileReport::default();
            for cells in runs {
                let covered = cells.iter().copied().collect();
                file.add(&scenario, RunReport { covered, ..unknown(0, 0) });
            }
            file.verdict(&scenario)
        };
        assert_eq!(judged(&[&[in_doubt], &[idle, twice]]), FileVerdict::AsExpected);
        let why = "of 3 seeds none covered `crash/participant_in_doubt`; `crash` struck in 2, and \
                   a fault met `participant_in_doubt` in 0";
        let missed = judged(&[&[idle, twice], &[idle], &[]]);
        assert_eq!(missed, FileVerdict::Vacuous(why.to_owned()));
        let why = "of 1 seeds none covered `crash+crash`; `crash` struck in 1";
        assert_eq!(judged(&[&[in_doubt]]), FileVerdict::Vacuous(why.to_owned()));
    }

    #[test]
    fn what_never_fired_is_named_by_its_kind_and_number() {
        let text = "title = 'x'\n[workload]\nkind = 'files'\n[[fault]]\nat = '1s'\ncrash = 'n1'\n\
                    [[message]]\nkind = 'commit'\ndrop = true\n[[sync]]\ntakes = '1s'\n\
                    [[sync]]\nnode = 'n1'\ntakes = '1s'\n";
        let scenario = Scenario::parse("x.toml", text).unwrap();
        let verdict = |unfired: usize| {
            let fired = (0..4).map(|number| number != unfired).collect();
            let mut file = FileReport::default();
            file.add(&scenario, RunReport { fired, ..unknown(0, 0) });
            file.verdict(&scenario)
        };
        let why = [
            "fault number 1 never struck",
            "message rule number 1 never applied",
            "sync rule number 1 never applied",
            "sync rule number 2 never applied",
        ];
        for (unfired, why) in why.into_iter().enumerate() {
            assert_eq!(verdict(unfired), FileVerdict::Vacuous(why.to_owned()));
        }
        assert_eq!(verdict(4), FileVerdict::AsExpected);
    }

    #[test]
    fn some_run_reaches_a_milestone_as_often_as_the_file_says() {
        let reached = |times| {
            let mut counts = vec![0; Milestone::COUNT];
            counts[Milestone::DECIDED.index()] = times;
            RunReport { counts, ..unknown(0, 0) }
        };
        let expect = "reached = [{ milestone = 'decided', at_least = 3_000 }]";
        assert_eq!(judged(expect, [reached(1), reached(3_000)]), FileVerdict::AsExpected);
        let why = "no seed reached `decided` 3,000 times";
        let twice = judged(expect, [reached(2), reached(2)]);
        assert_eq!(twice, FileVerdict::Vacuous(why.to_owned()));
    }
}

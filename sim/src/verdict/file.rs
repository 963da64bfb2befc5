//! How the runs of a file went, all together.

use std::fmt;

use super::{Effect, Most, Nearest, RequestCounts, RunReport, Shares};
use crate::cell::{Cell, Seeds};
use crate::milestone::Milestone;
use crate::quantity::Ppb;
use crate::scenario::{Expected, Reach, Scenario};
use crate::text::Thousands;
use crate::under_test::UnderTest;

/// How the runs of a file went, all together.
#[derive(Clone, Debug, Default)]
pub struct FileReport<S: UnderTest> {
    /// Runs.
    pub runs: u64,
    /// Runs that ended as the file expects.
    pub as_expected: u64,
    /// The seeds of runs that contradict the file, with their verdicts; the first few.
    pub failures: Vec<RunReport<S>>,
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
    pub most: Vec<Most>,
    /// By scripted fault and then by message rule: whether it struck or applied in some run, and
    /// the most that a run had of what it waits for.
    pub fired: Vec<(bool, Most)>,
    /// The first seed that showed what the file is about.
    pub first_as_expected: Option<u64>,
    /// In how many runs each cell was seen, if that was watched.
    pub covered: Seeds<S>,
}

/// How a file did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileVerdict<S: UnderTest> {
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
    /// No run ended otherwise, but what the file is about never came up.
    Vacuous {
        /// What did not.
        why: String,
        /// How near some run came, if any came near.
        nearest: Option<Nearest<S>>,
    },
}

impl<S: UnderTest> FileReport<S> {
    /// How many failing runs are kept whole.
    pub const KEPT: usize = 10;

    /// Least number of requests that the share of unknown is taken of: of fewer, one in twenty is
    /// chance.
    pub const JUDGED: u64 = 100;

    /// Takes in the report of one run of `scenario`.
    pub fn add(&mut self, scenario: &Scenario<S>, run: RunReport<S>) {
        self.runs += 1;
        // A run that panicked has counted nothing.
        self.counts.resize(self.counts.len().max(run.counts.len()), 0);
        self.counts.iter_mut().zip(&run.counts).for_each(|(sum, count)| *sum += count);
        self.most.resize(self.most.len().max(run.counts.len()), Most::default());
        self.most.iter_mut().zip(&run.counts).for_each(|(most, count)| most.add(*count, run.seed));
        self.requests += run.requests;
        self.unstated += run.unstated;
        let unknown = run.unstated.unknown;
        if self.most_unknown.is_none_or(|(most, _)| unknown > most) {
            self.most_unknown = Some((unknown, run.seed));
        }
        self.shares.add(run.seed, &run.shares);
        self.fired.resize(self.fired.len().max(run.fired.len()), (false, Most::default()));
        for ((any, most), fired) in self.fired.iter_mut().zip(&run.fired) {
            *any |= fired.has_fired;
            most.add(fired.times.into(), run.seed);
        }
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
    pub fn verdict(&self, scenario: &Scenario<S>) -> FileVerdict<S> {
        if self.failed > 0 {
            return FileVerdict::Failed;
        }
        if let Some((why, seed)) = self.shortfall(scenario) {
            return FileVerdict::FallsShort { why, seed };
        }
        if self.as_expected == 0 {
            let why = format!("no seed {}", Wanted(&scenario.expect.verdict));
            return FileVerdict::Vacuous { why, nearest: None };
        }
        let vacuous = self.unreached(scenario);
        let vacuous = vacuous.or_else(|| self.uncovered(scenario).map(|why| (why, None)));
        let vacuous = vacuous.or_else(|| self.unfired(scenario));
        let vacuous = vacuous.map(|(why, nearest)| FileVerdict::Vacuous { why, nearest });
        vacuous.unwrap_or(FileVerdict::AsExpected)
    }

    /// The most that a run had of `milestone`.
    fn most(&self, milestone: Milestone<S>) -> Most {
        self.most.get(milestone.index()).copied().unwrap_or_default()
    }

    /// The first of the milestones that some run must reach and none did. Where every run panicked
    /// nothing was counted.
    fn unreached(&self, scenario: &Scenario<S>) -> Option<(String, Option<Nearest<S>>)> {
        let is_missed = |reach: &&Reach<S>| self.most(reach.milestone).times < reach.at_least;
        let reach =
            scenario.expect.reached.iter().filter(|_| !self.most.is_empty()).find(is_missed)?;
        let Reach { milestone, at_least, .. } = *reach;
        let nearest = Nearest::to(milestone, at_least, self.most(milestone), |it| self.most(it));
        Some((format!("no seed reached {reach}"), nearest))
    }

    /// The first of the cells that some run must see and none did.
    fn uncovered(&self, scenario: &Scenario<S>) -> Option<String> {
        let is_uncovered = |cell: &&Cell<S>| self.covered.of(**cell) == 0;
        scenario.expect.covered.iter().find(is_uncovered).map(|cell| self.covered.why_not(*cell))
    }

    /// The first effect that the file writes out and no run came to.
    fn unfired(&self, scenario: &Scenario<S>) -> Option<(String, Option<Nearest<S>>)> {
        let effects = Effect::all(scenario).zip(&self.fired);
        let (effect, (_, most)) = effects.into_iter().find(|(_, (any, _))| !any)?;
        let nearest = effect.waits_for(scenario).and_then(|(milestone, wanted)| {
            Nearest::to(milestone, wanted.into(), *most, |it| self.most(it))
        });
        Some((effect.missing(), nearest))
    }

    /// Why the requests of all runs together fall short, if they do, and with which seed most of it
    /// came about. A file that expects a violation has runs that end early, and a system that is
    /// wrong.
    fn shortfall(&self, scenario: &Scenario<S>) -> Option<(String, u64)> {
        match scenario.expect.verdict {
            Expected::Violates(_) => None,
            Expected::Pass | Expected::Blocks(_) => {
                self.too_many_unknown(scenario).or_else(|| self.shares.unfair())
            }
        }
    }

    fn too_many_unknown(&self, scenario: &Scenario<S>) -> Option<(String, u64)> {
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

struct Wanted<'a, S: UnderTest>(&'a Expected<S>);

impl<S: UnderTest> fmt::Display for Wanted<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Expected::Pass => f.write_str("passed"),
            Expected::Violates(invariant) => write!(f, "violated `{invariant}`"),
            Expected::Blocks(milestone) => write!(f, "was blocked after `{milestone}`"),
        }
    }
}

#[cfg(all(test, feature = "file-service"))]
mod tests {
    use super::*;
    use crate::cell::GeneralFault;
    use crate::file_service::coverage::Phase;
    use crate::file_service::{
        Cell, FaultKind, FileReport, FileVerdict, Milestone, RunReport, Scenario, Verdict,
    };
    use crate::verdict::{Fired, Share};
    use seedbed::machine::NodeId;

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

    /// A file that shows nothing, and came near it nowhere.
    fn vacuous(why: &str) -> FileVerdict {
        FileVerdict::Vacuous { why: why.to_owned(), nearest: None }
    }

    #[test]
    fn a_cell_that_no_seed_has_seen_makes_a_file_vacuous_and_says_how_near_it_came() {
        let text = "title = 'x'\n[workload]\nkind = 'files'\n[chaos]\nkinds = ['crash']\n\
                    [expect]\ncovered = ['crash/participant_in_doubt', 'crash+crash']\n";
        let scenario = Scenario::parse("x.toml", text).unwrap();
        let in_doubt =
            Cell::Strike(FaultKind::General(GeneralFault::Crash), Phase::ParticipantInDoubt);
        let (idle, twice) = (
            Cell::Strike(FaultKind::General(GeneralFault::Crash), Phase::Idle),
            Cell::Pair(
                FaultKind::General(GeneralFault::Crash),
                FaultKind::General(GeneralFault::Crash),
            ),
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
        assert_eq!(missed, vacuous(why));
        let why = "of 1 seeds none covered `crash+crash`; `crash` struck in 1";
        assert_eq!(judged(&[&[in_doubt]]), vacuous(why));
    }

    #[test]
    fn what_never_fired_is_named_by_its_kind_and_number() {
        let text = "title = 'x'\n[workload]\nkind = 'files'\n[[fault]]\nat = '1s'\ncrash = 'n1'\n\
                    [[message]]\nkind = 'commit'\ndrop = true\n[[sync]]\ntakes = '1s'\n\
                    [[sync]]\nnode = 'n1'\ntakes = '1s'\n\
                    [[fault]]\nat = '2s'\npause = 'n1'\nuntil = { milestone = 'decided' }\n";
        let scenario = Scenario::parse("x.toml", text).unwrap();
        let verdict = |unfired: usize| {
            let fired = (0..6).map(|n| Fired { has_fired: n != unfired, times: 0 }).collect();
            let mut file = FileReport::default();
            file.add(&scenario, RunReport { fired, ..unknown(0, 0) });
            file.verdict(&scenario)
        };
        let why = [
            "fault number 1 never struck",
            "fault number 2 never struck",
            "message rule number 1 never applied",
            "sync rule number 1 never applied",
            "sync rule number 2 never applied",
            "fault number 2 never ended: its `until` did not come",
        ];
        for (unfired, why) in why.into_iter().enumerate() {
            assert_eq!(verdict(unfired), vacuous(why));
        }
        assert_eq!(verdict(6), FileVerdict::AsExpected);
    }

    #[test]
    fn some_run_reaches_a_milestone_as_often_as_the_file_says() {
        let reached = |times| {
            let mut counts = vec![0; Milestone::PLACES];
            counts[Milestone::DECIDED.index()] = times;
            RunReport { counts, ..unknown(0, 0) }
        };
        let expect = "reached = [{ milestone = 'decided', at_least = 3_000 }]";
        assert_eq!(judged(expect, [reached(1), reached(3_000)]), FileVerdict::AsExpected);
        let why = "no seed reached `decided` 3,000 times".to_owned();
        let twice = judged(expect, [reached(2), reached(2)]);
        let (milestone, most) = (Milestone::DECIDED, Most { times: 2, seed: 1 });
        let nearest = Some(Nearest { milestone, most, wanted: Some(3_000) });
        assert_eq!(twice, FileVerdict::Vacuous { why, nearest });
    }

    #[test]
    fn of_a_fault_or_rule_it_is_said_how_often_came_what_it_waits_for() {
        let fault = "[[fault]]\nwhen = { milestone = 'decided', nth = 9 }\npause = 'n1'\n";
        let rule = "[[message]]\nkind = 'commit'\nnth = 5\ndrop = true\n";
        let text = format!("title = 'x'\n[workload]\nkind = 'files'\n{fault}{rule}");
        let scenario = Scenario::parse("x.toml", &text).unwrap();
        let judged = |fired: [(bool, u32); 2]| {
            let fired = fired.map(|(has_fired, times)| Fired { has_fired, times }).to_vec();
            let mut file = FileReport::default();
            file.add(&scenario, RunReport { fired, ..unknown(0, 0) });
            match file.verdict(&scenario) {
                FileVerdict::Vacuous { why, nearest } => {
                    (why, nearest.map(|near| near.to_string()).unwrap_or_default())
                }
                other => panic!("{other:?}"),
            }
        };
        let said = |why: &str, near: &str| (why.to_owned(), near.to_owned());
        let near = "at most `decided` 4 of 9 times, with seed 1";
        assert_eq!(judged([(false, 4), (false, 0)]), said("fault number 1 never struck", near));
        let near = "at most `commit_sent` 3 of 5 times, with seed 1";
        let why = "message rule number 1 never applied";
        assert_eq!(judged([(true, 9), (false, 3)]), said(why, near));
        assert_eq!(judged([(true, 9), (false, 0)]), said(why, ""));
    }
}

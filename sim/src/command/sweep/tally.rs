//! What a sweep has seen of one file.

use std::num::NonZeroUsize;
use std::ops::Range;
use std::time::Duration;

use super::super::json;
use super::super::timed_run::Played;
use crate::figures::Figures;
use crate::invariant::InvariantName;
use crate::milestone::Milestone;
use crate::name::Name;
use crate::report::{Line, Tone, run_line};
use crate::scenario::Scenario;
use crate::text::{Nanoseconds, Thousands};
use crate::under_test::UnderTest;
use crate::verdict::{FileReport, FileVerdict, RunReport, Verdict};

/// The runs of one file, as far as they are done.
pub(super) struct Tally<S: UnderTest> {
    pub file: FileReport<S>,
    /// The first run that shows the defect.
    pub caught: Option<RunReport<S>>,
    /// How long it really took.
    pub took: Duration,
    /// Has Ctrl-C come?
    pub is_interrupted: bool,
    defect: Option<S::Defect>,
    seeds: Range<u64>,
    jobs: NonZeroUsize,
    steps: u64,
    sim_ns: u64,
}

impl<S: UnderTest> Tally<S> {
    pub fn new(defect: Option<S::Defect>, seeds: Range<u64>, jobs: NonZeroUsize) -> Tally<S> {
        let (file, took) = (FileReport::default(), Duration::ZERO);
        Tally {
            file,
            caught: None,
            took,
            is_interrupted: false,
            defect,
            seeds,
            jobs,
            steps: 0,
            sim_ns: 0,
        }
    }

    /// Takes in the next run; true if nothing more is wanted.
    pub fn add(&mut self, scenario: &Scenario<S>, played: Played<S>) -> bool {
        let run = played.run;
        self.steps += run.steps;
        self.sim_ns = self.sim_ns.saturating_add(run.sim_ns);
        let shows = match run.verdict {
            Verdict::Violation(_) | Verdict::Starved(_) => true,
            Verdict::Spinning(_) | Verdict::Panic(_) => true,
            Verdict::Pass | Verdict::Blocked(_) => false,
            Verdict::Unexpected(_) | Verdict::RuledOut { .. } => false,
        };
        if self.defect.is_some() && shows {
            self.caught = Some(run.clone());
        }
        self.file.add(scenario, run);
        self.caught.is_some()
    }

    /// Is all as the file, or the sweep, is about?
    pub fn is_as_expected(&self, scenario: &Scenario<S>) -> bool {
        self.verdict(scenario).0 == "as_expected"
    }

    /// The word for it, and why it is not the best one.
    fn verdict(&self, scenario: &Scenario<S>) -> (&'static str, Option<String>) {
        if let Some(how_far) = self.cut_short() {
            return ("interrupted", Some(how_far));
        }
        if let Some(defect) = self.defect {
            return match self.caught {
                Some(_) => ("as_expected", None),
                None => ("failed", Some(format!("no seed shows `{}`", defect.name()))),
            };
        }
        match self.file.verdict(scenario) {
            FileVerdict::AsExpected => ("as_expected", None),
            FileVerdict::Failed => {
                let (failed, runs) = (Thousands(self.file.failed), Thousands(self.file.runs));
                ("failed", Some(format!("{failed} of {runs} runs end otherwise")))
            }
            FileVerdict::FallsShort { why, seed } => {
                ("falls_short", Some(format!("{why}, most of all with seed {seed}")))
            }
            FileVerdict::Vacuous { why, nearest: None } => ("vacuous", Some(why)),
            FileVerdict::Vacuous { why, nearest: Some(nearest) } => {
                ("vacuous", Some(format!("{why}; nearest: {nearest}")))
            }
        }
    }

    /// How far it came if it was interrupted and has shown nothing that more runs would not change.
    fn cut_short(&self) -> Option<String> {
        let (runs, all) = (self.file.runs, self.seeds.end - self.seeds.start);
        let is_decided = self.caught.is_some() || (self.defect.is_none() && self.file.failed > 0);
        let is_cut_short = self.is_interrupted && runs < all && !is_decided;
        is_cut_short.then(|| format!("after {} of {} runs", Thousands(runs), Thousands(all)))
    }

    /// How near some run came to what the file is about, where none came to it.
    fn nearest(&self, scenario: &Scenario<S>) -> Option<json::Near> {
        if self.cut_short().is_some() {
            return None;
        }
        match self.file.verdict(scenario) {
            FileVerdict::Vacuous { nearest, .. } if self.defect.is_none() => {
                nearest.map(json::Near::of)
            }
            FileVerdict::Vacuous { .. } | FileVerdict::AsExpected => None,
            FileVerdict::Failed | FileVerdict::FallsShort { .. } => None,
        }
    }

    /// What `--json` says of the file.
    pub fn object<'a>(&self, scenario: &'a Scenario<S>) -> json::File<'a> {
        let (verdict, reason) = self.verdict(scenario);
        let caught = self.caught.as_ref();
        json::File {
            scenario: &scenario.file,
            verdict,
            reason,
            nearest: self.nearest(scenario),
            runs: self.file.runs,
            as_expected: self.file.as_expected,
            failed: self.file.failed,
            first_seed: match self.defect {
                Some(_) => caught.map(|run| run.seed),
                None => self.file.first_as_expected,
            },
            invariant: caught.and_then(|run| run.verdict.invariant()).map(InvariantName::name),
            defect: self.defect.map(Name::name),
            asked: self.file.requests.asked,
            done: self.file.requests.done,
            refused: self.file.requests.refused,
            unknown: self.file.requests.unknown,
            steps: self.steps,
            sim_ns: self.sim_ns,
            wall_ns: u64::try_from(self.took.as_nanos()).unwrap_or(u64::MAX),
            counts: json::counts(&S::figures(&scenario.config), |milestone| self.count(milestone)),
        }
    }

    /// What is said of the file to people.
    pub fn lines(&self, scenario: &Scenario<S>) -> Vec<Line> {
        let mut lines = vec![self.headline(scenario)];
        let mut plain = |text: String| lines.push(Line { tone: Tone::Plain, text });
        if let Some(run) = &self.caught {
            plain(format!("  {}", run.verdict));
            plain(format!("  {}", run_line(scenario, run.seed)));
        }
        if let FileVerdict::FallsShort { seed, .. } = self.file.verdict(scenario)
            && self.defect.is_none()
            && self.cut_short().is_none()
        {
            plain(format!("  {}", run_line(scenario, seed)));
        }
        let more = self.file.failed.saturating_sub(FileReport::<S>::KEPT as u64);
        if more > 0 && self.defect.is_none() {
            plain(format!("  {} more seeds fail", Thousands(more)));
        }
        plain("  per 1,000 seeds".to_owned());
        for Figures { name, counted } in S::figures(&scenario.config) {
            let figure =
                |(of, it): &(&str, Milestone<S>)| format!("{} {of}", self.per_thousand(*it));
            let counted: Vec<String> = counted.iter().map(figure).collect();
            plain(format!("    {name:<14}{}", counted.join(", ")));
        }
        if let Some((client, done, median)) = self.file.shares.least() {
            let (done, median) = (Thousands(done), Thousands(median));
            let text =
                format!("  the client that got least: {client}, {done} done; its equals {median}");
            lines.push(Line { tone: Tone::Plain, text });
        }
        lines.push(Line { tone: Tone::Faint, text: self.speed() });
        lines
    }

    fn headline(&self, scenario: &Scenario<S>) -> Line {
        let (verdict, reason) = self.verdict(scenario);
        let tone = if reason.is_none() { Tone::Good } else { Tone::Bad };
        let Range { start, end } = self.seeds;
        let said = match (&reason, &self.caught) {
            (Some(reason), _) => format!("{}: {reason}", verdict.replace('_', " ")),
            (None, Some(run)) => format!("`{}` caught with seed {}", self.defect_name(), run.seed),
            (None, None) => {
                let (shown, runs) = (Thousands(self.file.as_expected), Thousands(self.file.runs));
                format!("as expected: {shown} of {runs} runs show it")
            }
        };
        let requests = self.file.requests;
        let text = format!("{}: {said}; {requests} (seeds {start}..{end})", scenario.file);
        Line { tone, text }
    }

    fn defect_name(&self) -> &'static str {
        self.defect.map_or("", Name::name)
    }

    fn speed(&self) -> String {
        let ns = self.took.as_nanos().max(1);
        let per_second = |count: u64| {
            let rate = u128::from(count) * 1_000_000_000 / ns;
            Thousands(u64::try_from(rate).unwrap_or(u64::MAX))
        };
        format!(
            "  {} runs, {} steps in {} with {} at a time: {} steps/s, {} seeds/s",
            Thousands(self.file.runs),
            Thousands(self.steps),
            Nanoseconds(u64::try_from(ns).unwrap_or(u64::MAX)),
            self.jobs,
            per_second(self.steps),
            per_second(self.file.runs),
        )
    }

    fn count(&self, milestone: Milestone<S>) -> u64 {
        self.file.counts.get(milestone.index()).copied().unwrap_or(0)
    }

    /// How often it came up per 1,000 seeds; `0` only if it never did.
    fn per_thousand(&self, milestone: Milestone<S>) -> String {
        let (count, runs) = (u128::from(self.count(milestone)), u128::from(self.file.runs.max(1)));
        match count * 1000 / runs {
            0 if count > 0 => "under 1".to_owned(),
            rate => Thousands(u64::try_from(rate).unwrap_or(u64::MAX)).to_string(),
        }
    }
}

#[cfg(all(test, feature = "file-service"))]
mod tests {
    use seedbed::proto::{Defect, FileService};

    use super::*;
    use crate::file_service::{Scenario, Verdict};
    use crate::verdict::RequestCounts;

    fn scenario() -> Scenario {
        Scenario::parse("x.toml", "title = 'x'\n[workload]\nkind = 'files'").unwrap()
    }

    fn played(seed: u64, verdict: Verdict, done: u64) -> Played<FileService> {
        let mut counts = vec![0; Milestone::<FileService>::PLACES];
        counts[Milestone::<FileService>::REQUEST_DONE.index()] = done;
        let run = RunReport::without_figures(seed, verdict);
        let requests = RequestCounts { asked: done + 1, done, unknown: 1, refused: 0 };
        let run = RunReport { steps: 10, sim_ns: 5, counts, requests, ..run };
        Played { run, took: Duration::ZERO }
    }

    fn tally(defect: Option<Defect>) -> Tally<FileService> {
        Tally::new(defect, 0..10, NonZeroUsize::MIN)
    }

    #[test]
    fn a_defect_is_caught_by_the_first_violation_or_panic_and_by_nothing_else() {
        let scenario = scenario();
        let mut tally = tally(Some(Defect::VoteNotForced));
        assert!(!tally.add(&scenario, played(0, Verdict::Pass, 1)));
        assert!(!tally.add(&scenario, played(1, Verdict::Blocked(Vec::new()), 1)));
        assert!(!tally.is_as_expected(&scenario));
        assert!(tally.add(&scenario, played(2, Verdict::Panic("no".to_owned()), 1)));
        assert!(tally.is_as_expected(&scenario));
        let object = tally.object(&scenario);
        assert_eq!((object.first_seed, object.defect), (Some(2), Some("vote_not_forced")));
        assert!(tally.lines(&scenario)[0].text.contains("`vote_not_forced` caught with seed 2"));
    }

    #[test]
    fn a_file_that_falls_short_names_a_seed_to_replay() {
        let scenario = scenario();
        let mut tally = tally(None);
        let unstated = RequestCounts { asked: 100, done: 90, unknown: 10, refused: 0 };
        for (seed, unstated) in [(3, RequestCounts::default()), (4, unstated)] {
            let mut played = played(seed, Verdict::Pass, 1);
            played.run.unstated = unstated;
            tally.add(&scenario, played);
        }
        let lines = tally.lines(&scenario);
        assert!(lines[0].text.contains("0.05, most of all with seed 4;"), "{}", lines[0].text);
        assert_eq!(lines[1].text, "  seedbed run x.toml --seed 4");
    }

    #[test]
    fn figures_are_per_thousand_seeds_and_what_came_up_is_never_zero() {
        let scenario = scenario();
        let mut tally = tally(None);
        tally.add(&scenario, played(0, Verdict::Pass, 3));
        tally.add(&scenario, played(1, Verdict::Panic("no".to_owned()), 0));
        assert_eq!(tally.per_thousand(Milestone::REQUEST_DONE), "1,500");
        assert_eq!(tally.per_thousand(Milestone::REQUEST_UNKNOWN), "0");
        tally.file.runs = 100_000;
        assert_eq!(tally.per_thousand(Milestone::REQUEST_DONE), "under 1");
        assert_eq!(tally.object(&scenario).verdict, "failed");
    }
}

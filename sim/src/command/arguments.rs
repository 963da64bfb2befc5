//! What can be asked of the command.

use std::marker::PhantomData;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use seedbed::machine::NodeId;

use super::help::{self, filled};
use crate::name::Name;
use crate::scenario::Scenario;
use crate::text::nearest;
use crate::under_test::{CheckOption, UnderTest};

/// What is typed after the name of the command.
#[derive(Debug, Parser)]
#[command(
    name = S::COMMAND.name,
    bin_name = S::COMMAND.name,
    about = S::COMMAND.about,
    long_about = None,
    version,
    after_help = filled::<S>(help::EXAMPLES),
)]
pub(super) struct Arguments<S: UnderTest> {
    #[command(subcommand)]
    pub command: Command<S>,
}

impl<S: UnderTest> Arguments<S> {
    /// The arguments of the process; where they are wrong, the process ends here and says how.
    pub fn of_process() -> Arguments<S> {
        let mut command = Arguments::<S>::command();
        if S::HISTORY.is_none() {
            command = command
                .mut_subcommand("run", |run| run.mut_arg("history", |option| option.hide(true)));
        }
        Arguments::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit())
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum Command<S: UnderTest> {
    /// Runs a file once and explains how the run ended
    #[command(after_help = help::with_more::<S>(help::RUN, help_of_history::<S>()))]
    Run(RunArguments<S>),
    /// Runs files with many seeds
    #[command(after_help = filled::<S>(help::SWEEP))]
    Sweep(SweepArguments<S>),
    /// Runs again what is kept of a failing run, and says where the two differ
    #[command(after_help = filled::<S>(help::REPLAY))]
    Replay(ReplayArguments),
    /// Makes a failing run a small scenario file that fails in the same way
    #[command(after_help = filled::<S>(help::SHRINK))]
    Shrink(ShrinkArguments<S>),
    /// Reads files and says what is wrong with them
    #[command(after_help = help::with_more::<S>(help::CHECK, help_of_check::<S>()))]
    Check(CheckArguments<S>),
    /// Says what a scenario file may say
    #[command(after_help = filled::<S>(help::GRAMMAR))]
    Grammar(GrammarArguments),
    /// Lists the defects that `cluster.defects` and `sweep --defect` can switch on
    #[command(after_help = filled::<S>("Example:\n  {command} defects"))]
    Defects,
    /// Lists the invariants that `expect.violates` can name
    #[command(after_help = filled::<S>("Example:\n  {command} invariants"))]
    Invariants,
    /// Lists the milestones that `fault.when` and, of `expect`, `reached`, `never` and `blocks` can
    /// name
    #[command(after_help = filled::<S>(help::MILESTONES))]
    Milestones,
    /// Lists the cells that `expect.covered` can name and `sweep --coverage` counts
    #[command(after_help = filled::<S>("Example:\n  {command} cells | grep crash/"))]
    Cells,
}

#[derive(Debug, Args)]
pub(super) struct RunArguments<S: UnderTest> {
    /// The scenario file, or `-` for standard input
    pub file: PathBuf,
    /// The seed to run it with
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub seed: Option<u64>,
    /// Print every step with its facts, before the explanation
    #[arg(long, conflicts_with = "json")]
    pub trace: bool,
    /// Print one JSON object instead of an explanation
    #[arg(long)]
    pub json: bool,
    /// Switch this defect on in place of those of the file
    #[arg(long, value_name = "NAME", value_parser = defect::<S>)]
    pub defect: Option<S::Defect>,
    /// Explain with everything that is known, however many lines that takes
    #[arg(long)]
    pub full: bool,
    /// Draw the steps of the run, also of one that passes
    #[arg(long)]
    pub chart: bool,
    /// Show the run beside the same seed without its defects, from where they part
    #[arg(long, conflicts_with_all = ["json", "chart"])]
    pub compare: bool,
    /// Show what machines hold, and what is in flight, after this step
    #[arg(long, value_name = "STEP", conflicts_with_all = ["json", "trace", "chart", "compare", "history"])]
    pub at: Option<u64>,
    /// With --at: only these machines, such as n1,control
    #[arg(long, value_name = "NAMES", value_delimiter = ',', requires = "at")]
    pub show: Vec<NodeId>,
    /// Write what users asked and were told here, or alone to standard output (`-`)
    #[arg(long, value_name = "FILE")]
    pub history: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct SweepArguments<S: UnderTest> {
    /// Scenario files, folders with all `*.toml` in them and below, or `-` for standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The seeds to run them with, A up to and without B; else each file's own
    #[arg(long, value_name = "A..B", value_parser = seeds, allow_hyphen_values = true)]
    pub seeds: Option<Range<u64>>,
    /// How many runs at a time; without it, as many as there are cores
    #[arg(short, long, value_name = "N", value_parser = jobs, allow_hyphen_values = true)]
    pub jobs: Option<NonZeroUsize>,
    /// Switch this defect on and see whether it is caught
    #[arg(long, value_name = "NAME", value_parser = defect::<S>)]
    pub defect: Option<S::Defect>,
    /// Say at the end what the runs have tried: which faults met which phases
    #[arg(long)]
    pub coverage: bool,
    /// Print JSON objects, one in a line
    #[arg(long)]
    pub json: bool,
    /// Keep failing runs in this folder
    #[arg(long, value_name = "DIR")]
    pub artifacts: Option<PathBuf>,
    /// Keep no failing run
    #[arg(long, conflicts_with = "artifacts")]
    pub no_artifacts: bool,
}

#[derive(Debug, Args)]
pub(super) struct ReplayArguments {
    /// A file that a sweep or a test has kept of a run that fails
    pub artifact: PathBuf,
    /// Print one JSON object instead of an explanation
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub(super) struct ShrinkArguments<S: UnderTest> {
    /// The scenario file, or the artifact of a run that fails
    pub file: PathBuf,
    /// The seed of the run that fails; an artifact has one
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub seed: Option<u64>,
    /// Switch this defect on in place of those of the file
    #[arg(long, value_name = "NAME", value_parser = defect::<S>)]
    pub defect: Option<S::Defect>,
    /// Write the file here, where none may be yet; without it, to standard output
    #[arg(short, long, value_name = "OUT")]
    pub output: Option<PathBuf>,
    /// How many runs at a time; without it, as many as there are cores
    #[arg(short, long, value_name = "N", value_parser = jobs, allow_hyphen_values = true)]
    pub jobs: Option<NonZeroUsize>,
    /// How many runs the search may take, but for a few around it
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub runs: u64,
}

#[derive(Debug, Args)]
pub(super) struct CheckArguments<S: UnderTest> {
    #[command(flatten)]
    pub of_system: SystemOption<S>,
    /// Scenario files, folders with all `*.toml` in them and below, or `-` for standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct GrammarArguments {
    /// Only this table, key by key, with an example
    #[arg(value_name = "TABLE")]
    pub table: Option<String>,
    /// Print everything as Markdown
    #[arg(long, conflicts_with = "table")]
    pub markdown: bool,
}

/// What the parser calls the option of the system: no argument of the testbed has this name.
const SYSTEM_OPTION: &str = "option of the system";

/// The option of `check` that the system brings.
#[derive(Debug)]
pub(super) struct SystemOption<S: UnderTest> {
    is_asked: bool,
    of: PhantomData<S>,
}

impl<S: UnderTest> SystemOption<S> {
    /// What it tells of a file; nothing if it is not asked for.
    pub fn lines(&self, scenario: &Scenario<S>) -> Vec<String> {
        let option = S::CHECK_OPTION.filter(|_| self.is_asked);
        option.map_or_else(Vec::new, |option| (option.lines)(scenario))
    }
}

impl<S: UnderTest> Args for SystemOption<S> {
    fn augment_args(command: clap::Command) -> clap::Command {
        let Some(CheckOption { name, summary, .. }) = S::CHECK_OPTION else { return command };
        command.arg(Arg::new(SYSTEM_OPTION).long(name).help(summary).action(ArgAction::SetTrue))
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl<S: UnderTest> FromArgMatches for SystemOption<S> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<SystemOption<S>, clap::Error> {
        let is_asked = S::CHECK_OPTION.is_some() && matches.get_flag(SYSTEM_OPTION);
        Ok(SystemOption { is_asked, of: PhantomData })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = SystemOption::from_arg_matches(matches)?;
        Ok(())
    }
}

fn help_of_history<S: UnderTest>() -> &'static str {
    S::HISTORY.map_or("", |option| option.help)
}

fn help_of_check<S: UnderTest>() -> &'static str {
    S::CHECK_OPTION.map_or("", |option| option.help)
}

/// `A..B`, half open.
fn seeds(text: &str) -> Result<Range<u64>, String> {
    let Some((start, end)) = text.split_once("..") else {
        return Err("expected two numbers such as 0..100".to_owned());
    };
    let number = |text: &str| {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let not = || format!("expected two numbers such as 0..100, found `{text}` for one");
        if is_number { text.parse::<u64>().map_err(|_| not()) } else { Err(not()) }
    };
    let (start, end) = (number(start)?, number(end)?);
    if start >= end {
        return Err(format!("no seed lies from {start} up to and without {end}"));
    }
    Ok(start..end)
}

/// More threads than this do not make a sweep faster.
const MOST_JOBS: usize = 1024;

fn jobs(text: &str) -> Result<NonZeroUsize, String> {
    let jobs = text.parse().ok().and_then(NonZeroUsize::new);
    let jobs = jobs.filter(|jobs| jobs.get() <= MOST_JOBS);
    jobs.ok_or_else(|| format!("expected a whole number, 1 to {MOST_JOBS}"))
}

fn defect<S: UnderTest>(text: &str) -> Result<S::Defect, String> {
    let known = || S::Defect::ALL.iter().map(|it| it.name());
    S::Defect::named(text).ok_or_else(|| match nearest(text, known()) {
        Some(name) => format!("unknown defect; did you mean `{name}`?"),
        None => format!("unknown defect; `{} defects` lists them", S::COMMAND.name),
    })
}

#[cfg(all(test, feature = "file-service"))]
mod tests {
    use super::*;
    use clap::CommandFactory;
    use seedbed::proto::{Defect, FileService};

    #[test]
    fn the_arguments_are_declared_consistently() {
        Arguments::<FileService>::command().debug_assert();
    }

    #[test]
    fn a_range_is_half_open_and_not_empty() {
        assert_eq!(seeds("0..100"), Ok(0..100));
        assert_eq!(seeds("7..18446744073709551615"), Ok(7..u64::MAX));
        for wrong in ["", "..", "1", "1..", "..1", "1...3", "1..=3", "a..b", "-1..3", "+1..3"] {
            assert!(seeds(wrong).unwrap_err().starts_with("expected two numbers"), "{wrong}");
        }
        assert!(seeds("0..18446744073709551616").is_err());
        assert_eq!(seeds("3..3").unwrap_err(), "no seed lies from 3 up to and without 3");
        assert!(seeds("3..1").is_err());
    }

    #[test]
    fn a_misspelt_defect_gets_the_nearest_name() {
        assert_eq!(defect::<FileService>("vote_not_forced"), Ok(Defect::VoteNotForced));
        let error = defect::<FileService>("vote_not_forcd").unwrap_err();
        assert_eq!(error, "unknown defect; did you mean `vote_not_forced`?");
        assert_eq!(
            defect::<FileService>("zzz").unwrap_err(),
            "unknown defect; `seedbed defects` lists them"
        );
    }

    #[test]
    fn jobs_are_at_least_one_and_not_absurd() {
        assert_eq!(jobs("2").unwrap().get(), 2);
        for wrong in ["0", "-1", "x", "", "1025", "99999999999999999999"] {
            assert!(jobs(wrong).is_err(), "{wrong}");
        }
    }
}

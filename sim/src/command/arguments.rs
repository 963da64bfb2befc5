//! What can be asked of the command.

use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::name::Name;
use crate::text::nearest;
use crate::under_test::UnderTest;

/// Runs scenarios of a simulated cluster that stores files, and judges every step; the same file
/// and seed give the same run
#[derive(Debug, Parser)]
#[command(name = "seedbed", version, after_help = EXAMPLES)]
pub(super) struct Arguments<S: UnderTest> {
    #[command(subcommand)]
    pub command: Command<S>,
}

const EXAMPLES: &str = "\
Examples:
  seedbed run scenarios/mixed/files.toml              one run, explained
  seedbed run scenarios/mixed/files.toml --seed 17    the run of seed 17, the same every time
  seedbed sweep scenarios/commit                      every file with its own seeds
  seedbed sweep scenarios/mixed/files.toml --seeds 0..1000 -j 2
  seedbed grammar fault                               what a scenario file may say
  seedbed milestones | grep lease                     names that a scenario may use

Exit status: 0 as the files expect, 1 not as they expect, 2 the input is wrong or the output
cannot be written.";

#[derive(Debug, Subcommand)]
pub(super) enum Command<S: UnderTest> {
    /// Runs a file once and explains how the run ended
    #[command(after_help = RUN)]
    Run(RunArguments),
    /// Runs files with many seeds
    #[command(after_help = SWEEP)]
    Sweep(SweepArguments<S>),
    /// Reads files and says what is wrong with them
    #[command(after_help = CHECK)]
    Check(CheckArguments),
    /// Says what a scenario file may say
    #[command(after_help = GRAMMAR)]
    Grammar(GrammarArguments),
    /// Lists the defects that `cluster.defects` and `sweep --defect` can switch on
    #[command(after_help = "Example:\n  seedbed defects")]
    Defects,
    /// Lists the invariants that `expect.violates` can name
    #[command(after_help = "Example:\n  seedbed invariants")]
    Invariants,
    /// Lists the milestones that `fault.when` and, of `expect`, `reached`, `never` and `blocks` can
    /// name
    #[command(after_help = MILESTONES)]
    Milestones,
    /// Lists the cells that `expect.covered` can name and `sweep --coverage` counts
    #[command(after_help = "Example:\n  seedbed cells | grep wipe/")]
    Cells,
}

const MILESTONES: &str = "\
Each has a line, its name first. They are grouped by what they are about; the line of a group, which
begins with `#`, names the roles that its milestones bind. With (managed) it can be reached with
`membership = \"managed\"` only.

A fault that waits for a milestone strikes right after it, and may name a machine by its role:
  [[fault]]
  when = { milestone = \"all_voted\", nth = 2 }
  crash = \"coordinator\"
What must be reached, or never may be, keeps a file honest:
  [expect]
  reached = [\"participant_in_doubt\", { milestone = \"conflict\", at_least = 3 }]
  never = [\"lease_expired\"]

Examples:
  seedbed milestones
  seedbed milestones | grep lease
  seedbed milestones | grep '^#'";

const RUN: &str = "\
Without --seed: the first seed that shows what the file expects (`violates`, `blocks`), else the
file's first seed. The status is 0 if this one run ends as the file expects.

With --history: what users asked and were told, in the order of time, one JSON object a line, with
the fields of Jepsen: index, type (invoke; ok, fail, info), process, f (txn, acquire, release),
value, time in nanoseconds; beside them request, versions, token, wait and error. After an info the
process goes on under a new number. With `-` standard output has these lines alone: --trace and
--json are refused.

How a run can end:
  pass        every invariant held and every wait ended; the headline says what got done
  violation   an invariant was broken
  starved     an invariant of progress was broken: nothing wrong was done, and too little
  blocked     machines wait for ever, or users for each other's locks in a circle
  spinning    more events in a second of simulated time than a cluster of this size may have
  unexpected  another answer, or other contents at the end, than the file says
  ruled_out   a milestone was reached that the file says is never reached
  panic       the code under test, or the simulator, panicked
With --json `verdict` is one of these words, and `why` a line about it, null on a pass.

Examples:
  seedbed run scenarios/mixed/files.toml
  seedbed run scenarios/mixed/files.toml --seed 17
  seedbed run scenarios/mixed/files.toml --seed 17 --trace | grep n1.1/4
  seedbed run scenarios/mixed/files.toml --json | jq .digest
  seedbed run scenarios/mixed/files.toml --seed 17 --history history.jsonl
  seedbed run scenarios/mixed/files.toml --history - | jq -c 'select(.type == \"info\")'";

#[derive(Debug, Args)]
pub(super) struct RunArguments {
    /// The scenario file, or `-` for standard input
    pub file: PathBuf,
    /// The seed to run it with
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub seed: Option<u64>,
    /// Print every step and what came of it, before the explanation
    #[arg(long, conflicts_with = "json")]
    pub trace: bool,
    /// Print one JSON object instead of an explanation
    #[arg(long)]
    pub json: bool,
    /// Write what users asked and were told here, or alone to standard output (`-`)
    #[arg(long, value_name = "FILE")]
    pub history: Option<PathBuf>,
}

const SWEEP: &str = "\
Results come in the order of files and seeds, whatever -j. A file fails if one of its runs ends
otherwise than it expects; if of 100 requests or more a larger share is answered unknown than
`expect.unknown` allows (0.05); or if a client gets less than 1/8 done of what its equals get.

With --defect the defect is switched on in every file, and what the files expect does not count: the
sweep stops at the first seed that violates an invariant, starves, spins or panics, and the status
is 0; if there is none, it is 1.

With --json: one object for each run, as `run --json` prints it, then one for each file; its
`verdict` is as_expected, failed, falls_short (no run fails, but the requests of all runs together
were served badly) or vacuous (what the file is about did not come up), and `reason` says why. Of a
vacuous file `nearest` says what came nearest to it: a milestone, how many times of how many that
were wanted (null if it is only one that comes before), with which seed.

With --coverage matrices follow, of all files together. A number is in how many seeds a cell was
seen, `.` is none, a blank cannot be: a client has no disk, and no file has such a fault. The cells
that are empty stand below by row. A column is a kind of fault, and a row

  what a fault met            what the machine took part in that the fault struck
  what a fault struck while   a fault that was in effect: until it ended, a crash until the start,
                              a lost disk until its node is a member and complete again
  messages, records           what became of them
  reasons                     why users were refused

  seedbed sweep scenarios/swarm/*.toml --coverage
    what a fault met: 141 of 180 cells
                              crash  pause  isolate
      participant_in_doubt       12      7        .
      empty: participant_in_doubt: isolate

So no seed isolated a participant in doubt. `seedbed cells` lists the names, and `covered` under
`[expect]` demands some: covered = [\"isolate/participant_in_doubt\"]. With --json the last object has
each cell with its count, null where it cannot be.

Examples:
  seedbed sweep scenarios/commit
  seedbed sweep scenarios/mixed/files.toml --seeds 0..1000 -j 2
  seedbed sweep scenarios/mixed/files.toml --defect vote_not_forced
  seedbed sweep scenarios/swarm/*.toml --coverage
  seedbed sweep scenarios/mixed/files.toml --json | jq -c 'select(.verdict != \"pass\")'";

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
    #[arg(long, value_name = "NAME", value_parser = defect::<S::Defect>)]
    pub defect: Option<S::Defect>,
    /// Say at the end what the runs have tried: which faults met which phases
    #[arg(long)]
    pub coverage: bool,
    /// Print JSON objects, one in a line
    #[arg(long)]
    pub json: bool,
}

const CHECK: &str = "\
Examples:
  seedbed check scenarios/mixed/files.toml
  seedbed check scenarios
  seedbed check - < draft.toml
  seedbed check --owners scenarios/commit/participant_in_doubt.toml

With --owners: which nodes own each path that a script asks for or that must be stored, in the first
view, the primary first.
Where `[swarm]` draws the cluster, or a node is missing at the start, owners may be others.";

#[derive(Debug, Args)]
pub(super) struct CheckArguments {
    /// Print the owners of the paths that a file asks for, in its first view
    #[arg(long)]
    pub owners: bool,

    /// Scenario files, folders with all `*.toml` in them and below, or `-` for standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

const GRAMMAR: &str = "\
Without TABLE: how values are written, and every table with its keys.

Examples:
  seedbed grammar
  seedbed grammar fault
  seedbed grammar when
  seedbed grammar '[[network.link]]'";

#[derive(Debug, Args)]
pub(super) struct GrammarArguments {
    /// Only this table, key by key, with an example
    #[arg(value_name = "TABLE")]
    pub table: Option<String>,
    /// Print everything as Markdown, as it stands in docs/scenario-reference.md
    #[arg(long, conflicts_with = "table")]
    pub markdown: bool,
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

fn defect<D: Name>(text: &str) -> Result<D, String> {
    D::named(text).ok_or_else(|| match nearest(text, D::ALL.iter().map(|it| it.name())) {
        Some(name) => format!("unknown defect; did you mean `{name}`?"),
        None => "unknown defect; `seedbed defects` lists them".to_owned(),
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
        assert_eq!(defect("vote_not_forced"), Ok(Defect::VoteNotForced));
        let error = defect::<Defect>("vote_not_forcd").unwrap_err();
        assert_eq!(error, "unknown defect; did you mean `vote_not_forced`?");
        assert_eq!(
            defect::<Defect>("zzz").unwrap_err(),
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

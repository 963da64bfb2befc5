//! What is left of a failing run: one file that another process can replay.
//!
//! An artifact holds the scenario as text, the seed, what happened step by step, and how the run
//! ended. Nothing else is needed to run it again: the scenario file may have changed since, or be
//! gone. It is text of JSON lines, to be looked at with `head`, `grep` and `jq`:
//!
//! ```text
//! {"seedbed_artifact":1,"system":"seedbed","build":{...},"file":"mixed/files.toml","seed":4,...}
//! {"scenario":"title = \"...\"\n..."}
//! {"step":1,"at_ns":0,"machine":"control","event":"starts","digest":"68b1f2e9d04c7a35"}
//! ...
//! {"lines":59,"xxh3":"0e4d8d3f7a6b5c21"}
//! ```
//!
//! | line | says |
//! |---|---|
//! | first | the version of the format, the command that wrote it and its build, the name of the scenario file, the seed, and how the run ended ([`Header`]) |
//! | second | all that the scenario file says ([`ScenarioText`]) |
//! | one for each step | number, true time in nanoseconds, machine, event in words, and the [digest](crate::digest) of all steps so far ([`RecordedStep`]) |
//! | last | how many lines stand above it, and the xxh3-64 of their bytes ([`Closing`]): a file that was cut or changed is noticed |
//!
//! Digests and checksums are sixteen hexadecimal digits. They are chained, so two runs are the same
//! up to a step exactly if their digests after it are equal, and [`Replay`] compares nothing else:
//! words may change from build to build. The step in which the code under test has panicked comes
//! last and has no digest.
//!
//! The size of a file is bounded. The last [`KEPT`] steps are there in full; of those before, one
//! in 1,000 is there with its digest alone, so a replay that parts from it there says between which
//! two steps. [`Folder`] bounds how many files there are.
//!
//! A sweep keeps no steps: a run that fails is run once more with a [`Recorder`] watching.

mod build;
mod folder;
mod hex;
mod reading;
mod recorder;
mod replay;
#[cfg(feature = "madsim")]
#[cfg(all(test, feature = "file-service"))]
mod tests;
mod words;
mod writing;

use serde::{Deserialize, Serialize};

use crate::invariant::InvariantName;
use crate::under_test::UnderTest;
use crate::verdict::RunReport;

pub use build::Build;
pub use folder::Folder;
pub use hex::Hex;
pub use reading::{LONGEST, Unreadable};
pub use recorder::{KEPT, Recorder};
pub use replay::{Difference, Parting, Replay};
pub use writing::{Failing, replay_line};

/// The version of the format that is written, and the only one that is read.
pub const VERSION: u64 = 1;

/// A file that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// Its first line.
    pub header: Header,
    /// All that the scenario file says.
    pub scenario: String,
    /// The steps that were kept, in order.
    pub steps: Vec<RecordedStep>,
}

/// The first line: what the rest is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The version of the format.
    pub seedbed_artifact: u64,
    /// The command of the system that was run.
    pub system: String,
    /// What ran it.
    pub build: Build,
    /// The name of the scenario file.
    pub file: String,
    /// The seed.
    pub seed: u64,
    /// How the run ended.
    #[serde(flatten)]
    pub ending: Ending,
}

/// How a run has ended, as far as it can be said without the system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// The name of the verdict.
    pub verdict: String,
    /// The invariant that was broken.
    pub invariant: Option<String>,
    /// The first bad step.
    pub step: Option<u64>,
    /// The verdict in one line; nothing on a pass.
    pub why: Option<String>,
    /// Steps taken.
    pub steps: u64,
    /// Simulated nanoseconds.
    pub sim_ns: u64,
    /// The digest after the last step that was completed.
    pub digest: Hex,
}

/// The second line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScenarioText {
    /// All that the scenario file says.
    pub scenario: String,
}

/// A line for one step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedStep {
    /// Counts the steps of the run, from 1.
    pub step: u64,
    /// True time.
    pub at_ns: u64,
    /// Where it happened; nothing if between machines, or if the step is not kept in full.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub machine: Option<String>,
    /// What happened, in words; nothing if the step is not kept in full.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// The digest of all steps up to this one; nothing if the run has panicked in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<Hex>,
}

/// The last line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    /// How many lines stand above it.
    pub lines: u64,
    /// The xxh3-64 of their bytes, line ends included.
    pub xxh3: Hex,
}

impl Ending {
    /// The end of `run`, the steps of which have this digest: the report of a run that has panicked
    /// has none.
    pub fn of<S: UnderTest>(run: &RunReport<S>, digest: Hex) -> Ending {
        let verdict = run.verdict.name();
        Ending {
            verdict: verdict.to_owned(),
            invariant: run.verdict.invariant().map(InvariantName::name).map(str::to_owned),
            step: run.verdict.violation().map(|violation| violation.step),
            why: (verdict != "pass").then(|| words::shortened(&run.verdict.to_string())),
            steps: run.steps,
            sim_ns: run.sim_ns,
            digest,
        }
    }

    /// The verdict in one line.
    pub fn said(&self) -> &str {
        self.why.as_deref().unwrap_or(&self.verdict)
    }

    /// Is it the same verdict for the same reason? Words do not count.
    fn is_same(&self, other: &Ending) -> bool {
        let of = |it: &Ending| (it.verdict.clone(), it.invariant.clone(), it.step, it.steps);
        of(self) == of(other)
    }
}

impl RecordedStep {
    /// Where and what, in words.
    pub fn said(&self) -> String {
        match (&self.machine, &self.event) {
            (Some(machine), Some(event)) => format!("{machine} {event}"),
            (None, Some(event)) => event.clone(),
            (_, None) => "not kept".to_owned(),
        }
    }
}

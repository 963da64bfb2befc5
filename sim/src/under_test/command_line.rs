//! How the command of a system is called.

use super::{UnderTest, WrittenHistory};
use crate::scenario::Scenario;

/// How the command of a system is called, and what its help shows.
#[derive(Clone, Copy, Debug)]
pub struct CommandLine {
    /// What is typed in front of the arguments: `seedbed`, `cargo run --`.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub about: &'static str,
    /// A folder with scenario files, for the examples of the help.
    pub folder: &'static str,
    /// A scenario file, for the examples of the help.
    pub file: &'static str,
    /// A request as a script says it, for the examples of the reference: `write = "x"`.
    pub request: &'static str,
}

/// What writes down what users asked and were told, for `run --history`.
pub struct HistoryOption<S: UnderTest> {
    /// What the help of `run` says of it; `{command}` and `{file}` stand for those of the command.
    pub help: &'static str,
    /// An empty history, at the start of a run.
    pub empty: fn() -> Box<dyn WrittenHistory<S>>,
}

/// An option of `check` that only this system has: it tells more of a file that is sound.
pub struct CheckOption<S: UnderTest> {
    /// Its name, without the dashes.
    pub name: &'static str,
    /// What it does, in a line.
    pub summary: &'static str,
    /// What the help says of it below; `{command}` and `{file}` stand for those of the command.
    pub help: &'static str,
    /// What it tells, line by line.
    pub lines: fn(&Scenario<S>) -> Vec<String>,
}

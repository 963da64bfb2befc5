//! The command: scenario files from the shell.
//!
//! Exit status: 0 if everything is as the files expect, 1 if not, 2 if the input is wrong or the
//! output cannot be written, 130 if Ctrl-C has ended a search early. Nothing is coloured and no bar
//! is drawn but on a terminal; a reader that goes away ends the command and nothing else.

mod arguments;
mod artifacts;
mod check;
mod files;
mod grammar;
mod help;
mod history_file;
mod interrupt;
mod jobs;
mod json;
mod names;
mod output;
mod replay;
mod run;
mod shrink;
mod sweep;
mod timed_run;

use std::io;
use std::process::ExitCode;

use crate::under_test::UnderTest;
use arguments::{Arguments, Command};
use output::Output;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    /// As the files expect.
    AsExpected,
    /// Not as the files expect.
    NotAsExpected,
    /// The input is wrong; it has been said how.
    WrongInput,
    /// Ctrl-C came before all was done.
    Interrupted,
}

/// Reads the arguments of the process and does what they say.
pub fn main<S: UnderTest>() -> ExitCode {
    let arguments = Arguments::<S>::of_process();
    let mut output = Output::new();
    let done = match &arguments.command {
        Command::Run(arguments) => run::run::<S>(arguments, &mut output),
        Command::Sweep(arguments) => sweep::sweep(arguments, &mut output),
        Command::Replay(arguments) => replay::replay::<S>(arguments, &mut output),
        Command::Shrink(arguments) => shrink::shrink(arguments, &mut output),
        Command::Check(arguments) => check::check(arguments, &mut output),
        Command::Grammar(arguments) => grammar::grammar::<S>(arguments, &mut output),
        Command::Defects => names::defects::<S>(&mut output),
        Command::Invariants => names::invariants::<S>(&mut output),
        Command::Milestones => names::milestones::<S>(&mut output),
        Command::Cells => names::cells::<S>(&mut output),
    };
    match done.and_then(|status| output.finish().map(|()| status)) {
        Ok(Status::AsExpected) => ExitCode::SUCCESS,
        Ok(Status::NotAsExpected) => ExitCode::from(1),
        Ok(Status::WrongInput) => ExitCode::from(2),
        Ok(Status::Interrupted) => ExitCode::from(interrupt::STATUS),
        Err(error) => {
            output::complain(&format!("error: cannot write the output: {error}"));
            ExitCode::from(2)
        }
    }
}

type Done = io::Result<Status>;

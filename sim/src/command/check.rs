//! `check`: reads files and says what is wrong with them.

use super::arguments::CheckArguments;
use super::files::{load, named_by};
use super::output::Output;
use super::{Done, Status};

pub(super) fn check(arguments: &CheckArguments, output: &mut Output) -> Done {
    let mut status = Status::AsExpected;
    for file in named_by(&arguments.files) {
        match load(file) {
            Some(scenario) => output.line(&format!("{}: ok: {}", scenario.file, scenario.title))?,
            None => status = Status::WrongInput,
        }
    }
    Ok(status)
}

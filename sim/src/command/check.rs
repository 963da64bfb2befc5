//! `check`: reads files, says what is wrong with them, and runs nothing.

use super::arguments::CheckArguments;
use super::files::{load, named_by};
use super::output::Output;
use super::{Done, Status};
use crate::scenario::Scenario;
use crate::under_test::UnderTest;

pub(super) fn check<S: UnderTest>(arguments: &CheckArguments<S>, output: &mut Output) -> Done {
    let mut status = Status::AsExpected;
    for file in named_by(&arguments.files) {
        let Some(scenario): Option<Scenario<S>> = load(file) else {
            status = Status::WrongInput;
            continue;
        };
        output.line(&format!("{}: ok: {}", scenario.file, scenario.title))?;
        let more = arguments.of_system.lines(&scenario);
        more.iter().try_for_each(|line| output.line(line))?;
    }
    Ok(status)
}

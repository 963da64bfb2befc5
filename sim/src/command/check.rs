//! `seedbed check`: reads files, says what is wrong with them, and runs nothing.

use std::collections::BTreeSet;

use seedbed::proto::{Action, Path, Request};

use super::arguments::CheckArguments;
use super::files::{load, named_by};
use super::output::Output;
use super::{Done, Status};
use crate::scenario::Scenario;

pub(super) fn check(arguments: &CheckArguments, output: &mut Output) -> Done {
    let mut status = Status::AsExpected;
    for file in named_by(&arguments.files) {
        let Some(scenario) = load(file) else {
            status = Status::WrongInput;
            continue;
        };
        output.line(&format!("{}: ok: {}", scenario.file, scenario.title))?;
        if arguments.owners {
            let lines = owners(&scenario);
            lines.iter().try_for_each(|line| output.line(line))?;
        }
    }
    Ok(status)
}

/// A line for each path that the file names: the path and its owners in the first view.
fn owners(scenario: &Scenario) -> Vec<String> {
    let paths = paths(scenario);
    let width = paths.iter().map(|path| path.as_str().len()).max().unwrap_or_default();
    let ring = scenario.config.first_layout().ring();
    let line = |path: &Path| {
        let owners: Vec<String> = ring.owners(path).iter().map(ToString::to_string).collect();
        format!("  {:<width$}  {}", path.as_str(), owners.join(" "))
    };
    paths.into_iter().map(line).collect()
}

/// The files that scripts ask for and that are expected to be stored, each once.
fn paths(scenario: &Scenario) -> BTreeSet<&Path> {
    let steps = scenario.script.iter().flat_map(|script| &script.steps);
    let asked = steps.flat_map(|step| match &step.request {
        Request::Files { operations, .. } => &operations[..],
        Request::Acquire { .. } | Request::Release { .. } => &[],
    });
    let asked = asked.flat_map(|operation| {
        let target = match &operation.action {
            Action::Rename(target, _) => Some(target),
            _ => None,
        };
        [&operation.path].into_iter().chain(target)
    });
    asked.chain(scenario.expect.stored.iter().map(|stored| &stored.path)).collect()
}

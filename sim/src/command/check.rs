//! `seedbed check`: reads files, says what is wrong with them, and runs nothing.

use std::collections::BTreeSet;

use seedbed::proto::{Action, Operation, Path, Request};

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

/// A line for each path: the path and its owners in the first view.
fn owners(scenario: &Scenario) -> Vec<String> {
    let paths = paths(scenario);
    if paths.is_empty() {
        return vec!["  asks for no path by itself".to_owned()];
    }
    let width = paths.iter().map(|path| path.as_str().len()).max().unwrap_or_default();
    let ring = scenario.config.first_layout().ring();
    let line = |path: &Path| {
        let owners: Vec<String> = ring.owners(path).iter().map(ToString::to_string).collect();
        format!("  {:<width$}  {}", path.as_str(), owners.join(" "))
    };
    paths.into_iter().map(line).collect()
}

/// What scripts ask for and what must be stored, each path once. The fence of a lock is kept by the
/// owners of the file of its name.
fn paths(scenario: &Scenario) -> BTreeSet<&Path> {
    let steps = scenario.script.iter().flat_map(|script| &script.steps);
    let asked = steps.flat_map(|step| match &step.request {
        Request::Files { operations, .. } => operations.iter().flat_map(of_operation).collect(),
        Request::Acquire { path, .. } | Request::Release { path } => vec![path],
    });
    asked.chain(scenario.expect.stored.iter().map(|stored| &stored.path)).collect()
}

fn of_operation(operation: &Operation) -> impl Iterator<Item = &Path> {
    let target = match &operation.action {
        Action::Rename(target, _) => Some(target),
        _ => None,
    };
    [&operation.path].into_iter().chain(target)
}

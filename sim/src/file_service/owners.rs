//! Where the paths that a file asks for are stored.

use std::collections::BTreeSet;

use seedbed::proto::{Action, FileService, Operation, Path, Request};

use super::scenario::Scenario;
use crate::under_test::CheckOption;

/// `check --owners`
pub(super) const OPTION: CheckOption<FileService> = CheckOption {
    name: "owners",
    summary: "Print which nodes own the paths that a file asks for",
    help: HELP,
    lines,
};

const HELP: &str = "\
With --owners: which nodes own each path that a script asks for or that must be stored, in the first
view, the primary first.
Where `[swarm]` draws the cluster, or a node is missing at the start, owners may be others.

Example:
  {command} check --owners scenarios/commit/participant_in_doubt.toml";

/// A line for each path: the path and its owners in the first view.
pub(super) fn lines(scenario: &Scenario) -> Vec<String> {
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
    asked.chain(scenario.expect.at_end.iter().map(|stored| &stored.path)).collect()
}

fn of_operation(operation: &Operation) -> impl Iterator<Item = &Path> {
    let target = match &operation.action {
        Action::Rename(target, _) => Some(target),
        _ => None,
    };
    [&operation.path].into_iter().chain(target)
}

//! `defects`, `invariants`, `milestones`, `cells`: the names there are.

use seedbed::proto::Defect;

use super::output::Output;
use super::{Done, Status};
use crate::cell::Cell;
use crate::invariant::InvariantName;
use crate::milestone::Milestone;

pub(super) fn defects(output: &mut Output) -> Done {
    table(output, Defect::ALL.iter().map(|defect| (defect.name(), defect.summary().to_owned())))
}

pub(super) fn invariants(output: &mut Output) -> Done {
    let names = InvariantName::ALL.iter();
    table(output, names.map(|it| (it.name(), format!("{} ({})", it.summary(), it.source()))))
}

pub(super) fn milestones(output: &mut Output) -> Done {
    let reachable = Milestone::all().filter(|milestone| !milestone.is_of_checkpoints());
    table(output, reachable.map(|milestone| (milestone.name(), milestone.summary())))
}

pub(super) fn cells(output: &mut Output) -> Done {
    table(output, Cell::names().map(|(name, cell)| (name, cell.summary())))
}

/// Names on the left, what they mean on the right.
fn table(output: &mut Output, rows: impl Iterator<Item = (&'static str, String)>) -> Done {
    let rows: Vec<_> = rows.collect();
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    for (name, summary) in rows {
        output.line(&format!("{name:<width$}  {summary}"))?;
    }
    Ok(Status::AsExpected)
}

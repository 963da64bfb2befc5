//! `defects`, `invariants`, `milestones`, `cells`: the names there are.

use super::output::Output;
use super::{Done, Status};
use crate::cell::Cell;
use crate::invariant::InvariantName;
use crate::milestone::Milestone;
use crate::name::Name;
use crate::under_test::UnderTest;

pub(super) fn defects<S: UnderTest>(output: &mut Output) -> Done {
    let all = S::Defect::ALL.iter();
    table(output, all.map(|defect| (defect.name(), defect.summary().to_owned())))
}

pub(super) fn invariants<S: UnderTest>(output: &mut Output) -> Done {
    let names = InvariantName::<S>::all();
    table(output, names.map(|it| (it.name(), format!("{} ({})", it.summary(), it.source()))))
}

pub(super) fn milestones<S: UnderTest>(output: &mut Output) -> Done {
    let width = Milestone::<S>::all().map(|it| it.name().len()).max().unwrap_or_default();
    for (number, heading) in S::headings().iter().enumerate() {
        if number > 0 {
            output.line("")?;
        }
        output.line(&format!("# {heading}"))?;
        for milestone in Milestone::<S>::all().filter(|it| S::heading_of(*it) == number) {
            let needs = match S::needs(milestone) {
                "" => String::new(),
                needs => format!(" ({needs})"),
            };
            let (name, summary) = (milestone.name(), milestone.summary());
            output.line(&format!("{name:<width$}  {summary}{needs}"))?;
        }
    }
    Ok(Status::AsExpected)
}

pub(super) fn cells<S: UnderTest>(output: &mut Output) -> Done {
    table(output, Cell::<S>::names().map(|(name, cell)| (name, cell.summary())))
}

/// Names on the left, what they mean on the right.
fn table(output: &mut Output, rows: impl Iterator<Item = (impl AsRef<str>, String)>) -> Done {
    let rows: Vec<_> = rows.collect();
    let width = rows.iter().map(|(name, _)| name.as_ref().len()).max().unwrap_or_default();
    for (name, summary) in rows {
        output.line(&format!("{:<width$}  {summary}", name.as_ref()))?;
    }
    Ok(Status::AsExpected)
}

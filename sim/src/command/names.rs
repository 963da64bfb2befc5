//! `defects`, `invariants`, `milestones`, `cells`: the names there are.

use seedbed::proto::Defect;

use super::output::Output;
use super::{Done, Status};
use crate::cell::Cell;
use crate::file_service::InvariantName;
use crate::file_service::Milestone;
use crate::file_service::subject_of::Topic;
use crate::scenario::{is_of_managed, roles_of};

pub(super) fn defects(output: &mut Output) -> Done {
    table(output, Defect::ALL.iter().map(|defect| (defect.name(), defect.summary().to_owned())))
}

pub(super) fn invariants(output: &mut Output) -> Done {
    let names = InvariantName::all();
    table(output, names.map(|it| (it.name(), format!("{} ({})", it.summary(), it.source()))))
}

pub(super) fn milestones(output: &mut Output) -> Done {
    let width = Milestone::all().map(|it| it.name().len()).max().unwrap_or_default();
    for (number, topic) in Topic::ALL.iter().enumerate() {
        if number > 0 {
            output.line("")?;
        }
        let about = Milestone::all().filter(|milestone| milestone.topic() == *topic);
        let about: Vec<Milestone> = about.collect();
        output.line(&heading(*topic, about.first().copied()))?;
        for milestone in about {
            let managed = if is_of_managed(milestone) { " (managed)" } else { "" };
            let (name, summary) = (milestone.name(), milestone.summary());
            output.line(&format!("{name:<width$}  {summary}{managed}"))?;
        }
    }
    Ok(Status::AsExpected)
}

/// What milestones are about, and the roles that they bind.
fn heading(topic: Topic, one: Option<Milestone>) -> String {
    let about = match topic {
        Topic::Transaction => "transactions",
        Topic::File => "reads of one file",
        Topic::Lock => "locks",
        Topic::Transfer => "hand-overs",
        Topic::View => "views",
        Topic::Joiner => "nodes that come with a view",
        Topic::Leaver => "nodes that go with a view",
        Topic::Presence => "heartbeats, and which view is known",
        Topic::Other => "machines, links, requests",
    };
    match one.map_or(&[][..], roles_of) {
        [] => format!("# {about}; no role"),
        roles => {
            let names: Vec<&str> = roles.iter().map(|role| role.name()).collect();
            format!("# {about}; roles: {}", names.join(", "))
        }
    }
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

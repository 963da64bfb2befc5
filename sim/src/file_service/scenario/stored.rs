//! `stored` of `[expect]`: what every owner of a path must store at the end of a run.

use std::collections::BTreeSet;

use seedbed::proto::{Action, Contents, Path, Request};

use super::Scenario;
use crate::scenario::reading::{Extra, Key, Result, Style, Table, TableGrammar, Value};

/// What every owner of a path must store.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Stored {
    /// The path.
    pub path: Path,
    /// The contents; `None` for no file.
    pub contents: Option<Contents>,
}

/// What `[expect]` says beside.
pub(in crate::file_service) const EXPECT: Extra = Extra {
    keys: &[Key::perhaps(
        "stored",
        "array of tables, see `expect.stored`",
        "anything",
        "what all owners store at the end; it looks at owners that are up",
    )],
    notes: &[
        "Beside a machine that stays down, a `wipe` without an `accept_loss` blocks, and so do \
         scripts by which two clients acquire two locks.",
    ],
    example: None,
};

pub(in crate::file_service) const STORED: TableGrammar = TableGrammar {
    name: "expect.stored",
    style: Style::InlineMany,
    meaning: "what all owners of a path store at the end",
    keys: &[
        Key::needed("path", "path", "where"),
        Key::perhaps("contents", "text", "`absent` instead", "what is stored there"),
        Key::perhaps("absent", "`true`", "`contents` instead", "no file is stored there"),
    ],
    forms: &[],
    notes: &["`contents` needs a request that writes to the path."],
    example: r#"
[expect]
stored = [{ path = "/file0", contents = "gold" }, { path = "/b", absent = true }]
"#,
};

/// Reads `stored`.
pub(in crate::file_service) fn read(expect: &Table<'_>) -> Result<Vec<Stored>> {
    expect.or("stored", Vec::new(), stored)
}

/// Paths, each once, with what must be stored there.
fn stored(value: Value<'_>) -> Result<Vec<Stored>> {
    let mut paths: Vec<Path> = Vec::new();
    value.distinct(|value| {
        let table = value.table(&STORED)?;
        let path = stored_at(&table, &mut paths);
        let contents = match (table.get("contents"), table.get("absent")) {
            (Some(contents), None) => contents.string().map(|text| Some(Contents::from(text))),
            (None, Some(absent)) => absent.yes().map(|()| None),
            (Some(_), Some(_)) | (None, None) => {
                table.is_understood()?;
                Err(value.error("expected exactly one of `contents` or `absent`"))
            }
        };
        Ok(Stored { path: path?, contents: contents? })
    })
}

/// A path that is none of `paths` yet.
fn stored_at(table: &Table<'_>, paths: &mut Vec<Path>) -> Result<Path> {
    let value = table.need("path", "a path")?;
    let path = value.path()?;
    if paths.contains(&path) {
        return Err(value.error(format!("{} is there twice", value.found())));
    }
    paths.push(path.clone());
    Ok(path)
}

/// Contents can be stored only where some request writes.
pub(in crate::file_service) fn must_be_written(root: &Table<'_>, scenario: &Scenario) {
    if scenario.workload.is_some() {
        return;
    }
    let mut written: BTreeSet<&Path> = BTreeSet::new();
    for request in scenario.requests() {
        let Request::Files { operations, .. } = request else { continue };
        for operation in operations.iter() {
            match &operation.action {
                Action::Create(_) | Action::Write(..) => written.insert(&operation.path),
                Action::Rename(to, _) => written.insert(to),
                Action::Read | Action::Delete(_) | Action::Claim => false,
                Action::Place(_) | Action::Remove(_) => false,
            };
        }
    }
    let stored = root.get("expect").and_then(|expect| expect.inside("stored"));
    let Some(stored) = stored else { return };
    for (number, wanted) in scenario.expect.at_end.iter().enumerate() {
        let is_unwritten = wanted.contents.is_some() && !written.contains(&wanted.path);
        let place = || stored.item(number)?.inside("path");
        if let Some(value) = is_unwritten.then(place).flatten() {
            let message = format!("no request writes to {}", value.found());
            let written = written.iter().map(|path| path.as_str());
            value.error_near(message, wanted.path.as_str(), written);
        }
    }
}

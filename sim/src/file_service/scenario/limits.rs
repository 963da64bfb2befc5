//! `[limits]`: what users may ask for at most.

use seedbed::proto::{Limits, Settings};

use super::swarm::SwarmKey;
use super::{Scenario, Workload};
use crate::scenario::reading::{Key, Result, Style, Table, TableGrammar};
use crate::scenario::swarm;

pub(in crate::file_service) const LIMITS: TableGrammar = TableGrammar {
    name: "limits",
    style: Style::Single,
    meaning: "what users may ask for at most; a request beyond a limit is refused",
    keys: &[
        Key::usually("path_bytes", "whole number, 1 to 4096", "256", "bytes of a path"),
        Key::usually(
            "contents_bytes",
            "whole number, 64 to 16777216",
            "1048576",
            "bytes of the contents of a file",
        ),
        Key::usually("operations", "whole number, 1 to 255", "16", "operations of one request"),
        Key::usually(
            "queue",
            "whole number, 1 to 1000000",
            "1000",
            "requests that wait in line for one lock",
        ),
    ],
    forms: &[],
    notes: &[
        "What a `[workload]` asks for by its nature is within the limits: its paths, its contents, \
         4 operations with `kind = \"files\"`, and with `kind = \"bank\"` as many as there are \
         accounts. Probes of the end write up to 64 bytes.",
    ],
    example: r#"
[limits]
path_bytes = 32
contents_bytes = 100
operations = 8
queue = 2
"#,
};

pub(in crate::file_service) fn read(root: &Table<'_>) -> Result<Limits> {
    let table = root.section(&LIMITS);
    let usual = Settings::default().limits;
    let path_bytes = table.or("path_bytes", usual.path_bytes, |v| v.integer(1..=4096));
    let contents_bytes =
        table.or("contents_bytes", usual.contents_bytes, |v| v.integer(64..=16_777_216));
    let operations = table.or("operations", usual.operations, |v| v.integer(1..=255));
    let queue = table.or("queue", usual.queue, |v| v.integer(1..=1_000_000));
    Ok(Limits {
        path_bytes: path_bytes?,
        contents_bytes: contents_bytes?,
        operations: operations?,
        queue: queue?,
        nodes: usual.nodes,
    })
}

/// Refuses limits that the workload goes beyond by its nature, with some seed: all that it asks for
/// would be refused.
pub(in crate::file_service) fn check(root: &Table<'_>, scenario: &Scenario) {
    let Some(workload) = &scenario.workload else { return };
    let drawn = scenario.swarm.as_ref().map(|swarm| {
        let paths = swarm::Key::System(SwarmKey::Paths);
        *swarm.bounds(paths, workload.paths.into()).end() as u32
    });
    let workload = Workload { paths: drawn.unwrap_or(workload.paths), ..workload.clone() };
    let limits = &scenario.config.limits;
    let paths = ("path_bytes", limits.path_bytes, workload.longest_path());
    let operations = ("operations", limits.operations, workload.most_operations());
    let inside = |table, key| root.get(table)?.inside(key);
    for (limit, most, asked) in
        [paths, operations].into_iter().filter(|(_, most, asked)| asked > most)
    {
        let at_limit = inside("limits", limit);
        let at_paths = inside("swarm", "paths").or_else(|| inside("workload", "paths"));
        let message =
            format!("the workload asks for {asked}, expected at most {most} (`limits.{limit}`)");
        match (at_limit, at_paths) {
            (Some(value), _) => value.not(&format!("at least {asked}, as the workload asks for")),
            (None, Some(value)) => value.error(message),
            (None, None) => root.error("workload", message),
        };
    }
}

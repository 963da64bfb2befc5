//! `[workload]`: what clients ask for, drawn from the seed.

use seedbed::proto::Path;

use super::grammar::{Key, Style, TableGrammar};
use super::reader::{Result, Table};
use super::value::Value;
use crate::quantity::{Ppb, SpanRange};

/// Requests drawn from the seed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Workload {
    /// What they do.
    pub kind: WorkloadKind,
    /// How many there are, all clients together.
    pub operations: u32,
    /// How many files, counters or accounts they are about.
    pub paths: u32,
    /// How long a client waits between an answer and its next request.
    pub think: SpanRange,
}

/// What drawn requests do.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum WorkloadKind {
    /// Reads, writes, creations, deletions, renames and transactions of files.
    Files {
        /// How likely a request only reads.
        read_fraction: Ppb,
        /// How long the contents are, in bytes.
        contents_bytes: u32,
    },
    /// Counters, each incremented by a read and a write under its lock: no increment may get lost.
    LockedCounter,
    /// Transfers between accounts: the sum of all stays the same.
    Bank {
        /// What each account begins with.
        balance: u32,
    },
}

impl Workload {
    /// The accounts of a bank, and what they hold together once all of them exist; `None` for other
    /// workloads.
    pub fn account_paths(&self) -> Option<(Vec<Path>, i64)> {
        let WorkloadKind::Bank { balance } = self.kind else { return None };
        Some((self.paths_called("account"), i64::from(balance) * i64::from(self.paths)))
    }

    /// The files that all users share; `None` where there are none.
    pub fn file_paths(&self) -> Option<Vec<Path>> {
        let guarded = self.guarded_path()?;
        Some(self.paths_called("file").into_iter().chain([guarded]).collect())
    }

    /// The one of these that users also lock, beside the others; `None` where there is none.
    pub fn guarded_path(&self) -> Option<Path> {
        match self.kind {
            WorkloadKind::Files { .. } => Path::new("/guarded").ok(),
            WorkloadKind::LockedCounter | WorkloadKind::Bank { .. } => None,
        }
    }

    /// The counters that users increment under their locks; `None` where there are none.
    pub fn counter_paths(&self) -> Option<Vec<Path>> {
        match self.kind {
            WorkloadKind::LockedCounter => Some(self.paths_called("counter")),
            // Two of them, beside the files.
            WorkloadKind::Files { .. } => {
                Some(self.paths_called("locked").into_iter().take(2).collect())
            }
            WorkloadKind::Bank { .. } => None,
        }
    }

    /// The paths of the workload: `/<name>0` and so on.
    pub(crate) fn paths_called(&self, name: &str) -> Vec<Path> {
        let path = |i| Path::new(&format!("/{name}{i}")).expect("it starts with a slash");
        (0..self.paths).map(path).collect()
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Files,
    LockedCounter,
    Bank,
}

pub(super) const WORKLOAD: TableGrammar = TableGrammar {
    name: "workload",
    style: Style::Single,
    meaning: "what clients ask for, drawn from the seed",
    keys: &[
        Key::needed(
            "kind",
            "`\"files\"`, `\"locked_counter\"`, `\"bank\"`",
            "what requests do: reads, writes, creations, deletions, renames, transactions and \
             some locks; or increments, each by a read and a write under a lock; or transfers \
             between accounts",
        ),
        Key::usually(
            "operations",
            "whole number, 1 to 10000000",
            "200",
            "requests of all clients together",
        ),
        Key::usually(
            "paths",
            "whole number, 1 to 1000000",
            "8",
            "files, counters or accounts; of accounts 2 or more",
        ),
        Key::usually(
            "think",
            "range of durations",
            "[\"0ms\", \"50ms\"]",
            "from an answer to the next request of a client",
        ),
        Key::usually("read_fraction", "probability", "0.3", "`files`: that a request only reads"),
        Key::usually(
            "contents_bytes",
            "whole number, 0 to 1048576",
            "16",
            "`files`: how long contents are",
        ),
        Key::usually(
            "balance",
            "whole number, 0 to 1000000000",
            "100",
            "`bank`: what each account begins with",
        ),
    ],
    forms: &[],
    notes: &[
        "`read_fraction` and `contents_bytes` go with `kind = \"files\"` only, `balance` with \
         `kind = \"bank\"` only.",
        "A file has a `[workload]`, a `[[script]]` or both.",
    ],
    example: r#"
[workload]
kind = "bank"
operations = 500
paths = 4
balance = 1000
"#,
};

/// A kind, and the keys that go with no other.
struct Choice {
    name: &'static str,
    only: &'static [&'static str],
    is: Kind,
}

const CHOICES: [Choice; 3] = [
    Choice { name: "files", only: &["read_fraction", "contents_bytes"], is: Kind::Files },
    Choice { name: "locked_counter", only: &[], is: Kind::LockedCounter },
    Choice { name: "bank", only: &["balance"], is: Kind::Bank },
];

pub(super) fn read(root: &Table<'_>, contents_max: usize) -> Result<Option<Workload>> {
    root.maybe("workload", |value| workload(&value, contents_max))
}

fn workload(value: &Value<'_>, contents_max: usize) -> Result<Workload> {
    let table = value.table(&WORKLOAD)?;
    let kind = table
        .need("kind", "`files`, `locked_counter` or `bank`")
        .and_then(|kind| kind.pick("kind", CHOICES.iter().map(|choice| (choice.name, choice))))
        .and_then(|choice| kind_of(&table, choice, contents_max));
    // A transfer needs someone else.
    let fewest = if matches!(kind, Ok(WorkloadKind::Bank { .. })) { 2 } else { 1 };
    let operations = table.or("operations", 200, |value| value.integer(1..=10_000_000));
    let paths = table.or("paths", 8, |value| value.integer(fewest..=1_000_000));
    let think = table.or("think", SpanRange::from_millis(0, 50), |value| value.spans());
    Ok(Workload { kind: kind?, operations: operations?, paths: paths?, think: think? })
}

/// The kind, and that no key is there which goes with others only.
fn kind_of(table: &Table<'_>, chosen: &Choice, contents_max: usize) -> Result<WorkloadKind> {
    for other in CHOICES.iter().filter(|choice| choice.name != chosen.name) {
        for key in other.only.iter().filter(|key| table.get(key).is_some()) {
            table.error(key, format!("does not go with kind `{}`", chosen.name));
        }
    }
    kind(table, chosen.is, contents_max)
}

fn kind(table: &Table<'_>, kind: Kind, contents_max: usize) -> Result<WorkloadKind> {
    let usual = Ppb::new(300_000_000).unwrap_or(Ppb::ZERO);
    let contents_max = i64::try_from(contents_max).unwrap_or(i64::MAX);
    Ok(match kind {
        Kind::Files => {
            let read_fraction = table.or("read_fraction", usual, |value| value.probability());
            let contents_bytes = table.or("contents_bytes", 16, |v| v.integer(0..=contents_max));
            WorkloadKind::Files { read_fraction: read_fraction?, contents_bytes: contents_bytes? }
        }
        Kind::LockedCounter => WorkloadKind::LockedCounter,
        Kind::Bank => WorkloadKind::Bank {
            balance: table.or("balance", 100, |value| value.integer(0..=1_000_000_000))?,
        },
    })
}

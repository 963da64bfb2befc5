//! `[workload]`: what clients ask for, drawn from the seed.

use seedbed::proto::Path;

use crate::quantity::{Ppb, SpanRange};
use crate::scenario::reading::{Key, Result, Style, Table, TableGrammar, Value};

/// Requests drawn from the seed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Workload {
    /// What they do.
    pub kind: WorkloadKind,
    /// How many there are, all clients together.
    pub operations: u32,
    /// How many files, counters or accounts they are about.
    pub paths: u32,
    /// How long a user waits between an answer and its next request.
    pub think: SpanRange,
    /// How many requests a client has under way at once: it has so many users.
    pub at_once: u16,
    /// How likely a user asks, in place of a round, for something beyond the limits.
    pub beyond_limits: Ppb,
    /// How likely a request names a storage node to ask first, which perhaps owns none of its
    /// paths. One under a lock of `files` names none.
    pub named: Ppb,
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

    /// How long its paths are, in bytes.
    pub(in crate::file_service) fn longest_path(&self) -> usize {
        let of = |name: &str| format!("/{name}{}", self.paths - 1).len();
        match self.kind {
            // Beside them stand `/guarded`, and `/locked0` and `/locked1`.
            WorkloadKind::Files { .. } => of("file").max("/guarded".len()),
            WorkloadKind::LockedCounter => of("counter"),
            WorkloadKind::Bank { .. } => of("account"),
        }
    }

    /// How many operations a request has, at most.
    pub(in crate::file_service) fn most_operations(&self) -> usize {
        match self.kind {
            WorkloadKind::Files { .. } => MOST_OF_FILES,
            WorkloadKind::LockedCounter => 1,
            // All accounts are opened by one request.
            WorkloadKind::Bank { .. } => self.paths as usize,
        }
    }

    /// The paths of the workload: `/<name>0` and so on.
    pub fn paths_called(&self, name: &str) -> Vec<Path> {
        let path = |i| Path::new(&format!("/{name}{i}")).expect("it starts with a slash");
        (0..self.paths).map(path).collect()
    }
}

/// How many operations a request of `files` has, at most.
const MOST_OF_FILES: usize = 4;

#[derive(Clone, Copy)]
enum Kind {
    Files,
    LockedCounter,
    Bank,
}

pub(in crate::file_service) const WORKLOAD: TableGrammar = TableGrammar {
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
            "from an answer to the next request of a user",
        ),
        Key::usually(
            "at_once",
            "whole number, 1 to 100",
            "1",
            "requests that a client has under way at once: so many users, each waiting for its \
             own answers",
        ),
        Key::usually(
            "beyond_limits",
            "probability",
            "0",
            "that a user asks, in place of a round, for something beyond the limits (see \
             `[limits]`), which is refused for that: a path or contents are too long, or \
             operations are too many or none",
        ),
        Key::perhaps(
            "named",
            "probability",
            "0.125 with `kind = \"files\"`, else 0",
            "that a request names a storage node to ask first, which perhaps owns none of its \
             paths; those of `files` under a lock name none",
        ),
        Key::usually("read_fraction", "probability", "0.3", "`files`: that a request only reads"),
        Key::usually(
            "contents_bytes",
            "whole number, 0 to `limits.contents_bytes`",
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
        "A lock is its client's and not a user's, so the users of a client have counters of their \
         own: with `kind = \"locked_counter\"` there are at least `at_once` counters. Those of \
         `files` are two, which the first two users of a client have.",
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

pub(in crate::file_service) fn read(
    root: &Table<'_>,
    contents_max: usize,
) -> Result<Option<Workload>> {
    root.maybe("workload", |value| workload(&value, contents_max))
}

fn workload(value: &Value<'_>, contents_max: usize) -> Result<Workload> {
    let table = value.table(&WORKLOAD)?;
    let kind = table
        .need("kind", "`files`, `locked_counter` or `bank`")
        .and_then(|kind| kind.pick("kind", CHOICES.iter().map(|choice| (choice.name, choice))))
        .and_then(|choice| kind_of(&table, choice, contents_max));
    // A transfer needs two accounts.
    let fewest = if matches!(kind, Ok(WorkloadKind::Bank { .. })) { 2 } else { 1 };
    let operations = table.or("operations", 200, |value| value.integer(1..=10_000_000));
    let paths = table.or("paths", 8, |value| value.integer(fewest..=1_000_000));
    let think = table.or("think", SpanRange::from_millis(0, 50), |value| value.spans());
    let at_once = table.or("at_once", 1, |value| value.integer(1..=100));
    let beyond_limits = table.or("beyond_limits", Ppb::ZERO, |value| value.probability());
    let named = table.maybe("named", |value| value.probability());
    let (kind, paths, at_once) = (kind?, paths?, at_once?);
    check_counters(&table, &kind, paths, at_once)?;
    let named = named?.unwrap_or_else(|| usually_named(&kind));
    Ok(Workload {
        kind,
        operations: operations?,
        paths,
        think: think?,
        at_once,
        beyond_limits: beyond_limits?,
        named,
    })
}

/// Two users of one client may not count under one lock: it is their client's, so what one of them
/// writes after the lock was lost carries the token of the other, and no fence stops it.
fn check_counters(table: &Table<'_>, kind: &WorkloadKind, paths: u32, at_once: u16) -> Result<()> {
    match kind {
        WorkloadKind::LockedCounter if u32::from(at_once) > paths => {
            let message = format!(
                "{at_once} users of a client need as many counters, and there are {paths} \
                 (`paths`): a lock is its client's, so two users of one client may not share a counter"
            );
            Err(table.error("at_once", message))
        }
        WorkloadKind::LockedCounter => Ok(()),
        WorkloadKind::Files { .. } | WorkloadKind::Bank { .. } => Ok(()),
    }
}

fn usually_named(kind: &WorkloadKind) -> Ppb {
    match kind {
        WorkloadKind::Files { .. } => Ppb::new(125_000_000).unwrap_or(Ppb::ZERO),
        WorkloadKind::LockedCounter | WorkloadKind::Bank { .. } => Ppb::ZERO,
    }
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

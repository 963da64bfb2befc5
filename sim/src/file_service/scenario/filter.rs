//! What a milestone or a message of the file service has to be about, as a file says it.

use seedbed::machine::NodeId;
use seedbed::proto::{FileService, Path};

use crate::file_service::Milestone;
use crate::file_service::subject_of::Topic;
use crate::scenario::reading::{Extra, Key, Named, Result, Table, Value, filter};

/// What a milestone or a message has to be about. What is not named is not looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Filter {
    /// This file, or the lock of its name.
    pub path: Option<Path>,
    /// The lock of this name.
    pub lock: Option<Path>,
    /// This transaction.
    pub transaction: Option<TxnName>,
}

/// A transaction, as traces name it: `n1.1/2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TxnName {
    /// Its coordinator.
    pub coordinator: NodeId,
    /// In which life.
    pub incarnation: u32,
    /// Counts the transactions of that life.
    pub counter: u32,
}

/// The keys of a filter.
pub(in crate::file_service) const FILTERS: Extra = Extra {
    keys: &[
        Key::perhaps(
            "path",
            "path",
            "any",
            "only what is about this file, or the lock of its name",
        ),
        Key::perhaps("lock", "path", "any", "only what is about this lock"),
        Key::perhaps(
            "transaction",
            "transaction as traces name it, such as `n1.1/2`",
            "any",
            "only what is about this transaction",
        ),
    ],
    notes: &[
        "`path`, `lock`, `request` and `transaction` choose by all that a transaction or a request \
             is about, not by what one message or record of it carries. With `path`, `owner` and \
             `participant`, and all of them, are owners of that file; where the coordinator is its only \
             owner there is no such participant.",
    ],
    example: None,
};

/// Reads what `milestone` has to be about.
pub(in crate::file_service) fn read(
    table: &Table<'_>,
    cast: Named,
    milestone: Result<Milestone>,
) -> Result<Filter> {
    let filter = |key| filter::<FileService>(table, key, milestone, |it| has_one(it, key));
    let path = filter("path").and_then(|value| value.map(|value| value.path()).transpose());
    let lock = filter("lock").and_then(|value| value.map(|value| value.path()).transpose());
    let transaction =
        filter("transaction").and_then(|value| value.map(|it| it.transaction(cast)).transpose());
    Ok(Filter { path: path?, lock: lock?, transaction: transaction? })
}

/// Can `milestone` be about a request?
pub(in crate::file_service) fn is_about_a_request(milestone: Milestone) -> bool {
    has_one(milestone, "request")
}

/// Is `milestone` ever about something of this kind?
fn has_one(milestone: Milestone, key: &str) -> bool {
    let of_requests = [
        Milestone::REQUEST_RETRIED,
        Milestone::REQUEST_DONE,
        Milestone::REQUEST_REFUSED,
        Milestone::REQUEST_UNKNOWN,
    ];
    let topic = milestone.topic();
    let of_request = of_requests.contains(&milestone);
    match key {
        "lock" => topic == Topic::Lock || of_request,
        "transaction" => topic == Topic::Transaction,
        _ => of_request || matches!(topic, Topic::Transaction | Topic::File | Topic::Lock),
    }
}

impl Value<'_> {
    /// A transaction, as traces name it.
    fn transaction(&self, cast: Named) -> Result<TxnName> {
        let found = self.string()?;
        let parsed = || {
            let (life, counter) = found.split_once('/')?;
            let (coordinator, incarnation) = life.split_once('.')?;
            let coordinator: NodeId = coordinator.parse().ok()?;
            let is_there = cast.every_node().any(|node| node == coordinator);
            let (incarnation, counter) = (incarnation.parse().ok()?, counter.parse().ok()?);
            is_there.then_some(TxnName { coordinator, incarnation, counter })
        };
        parsed().ok_or_else(|| self.not("a transaction such as `n1.1/2`, as traces name it"))
    }
}

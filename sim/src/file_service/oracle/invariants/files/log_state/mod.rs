//! What a log says, read in the simplest way there is.

mod control_log;
mod difference;
mod storage_log;
mod transaction_log;

use std::collections::BTreeMap;

use seedbed::machine::{NodeId, RequestId};
use seedbed::proto::{
    Config, Decided, FileRequest, Header, LockRequest, LowWater, Member, Message, Record,
    TxnMessage,
};

use control_log::{LockLog, ViewLog};
use difference::Lowest;
use storage_log::StorageLog;
use transaction_log::TransactionLog;

use crate::file_service::oracle::{Evidence, Model};

/// What a node was told may be forgotten.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    /// By coordinator: the highest low-water mark.
    pub(super) marks: BTreeMap<Member, LowWater>,
    /// By client: the highest number below which it waits for no request.
    pub(super) lowest: BTreeMap<NodeId, Lowest>,
}

impl Told {
    pub(super) fn hear(&mut self, message: &Message) {
        match message {
            Message::FileRequest(FileRequest::Begin { request, lowest, .. })
            | Message::LockRequest(LockRequest::Acquire { request, lowest, .. }) => {
                self.hear_lowest(*request, *lowest);
            }
            Message::Txn(TxnMessage::Prepare { header, terms, .. }) => {
                self.hear_mark(header);
                self.hear_lowest(terms.request, terms.lowest);
            }
            Message::Txn(TxnMessage::Execute { header, .. }) => self.hear_mark(header),
            Message::Txn(TxnMessage::Commit { header, .. } | TxnMessage::Abort { header }) => {
                self.hear_mark(header)
            }
            Message::Txn(TxnMessage::Decline { header, .. }) => self.hear_mark(header),
            _ => {} // not asked for
        }
    }

    pub(super) fn hear_lowest(&mut self, request: RequestId, lowest: u32) {
        let known = self.lowest.entry(request.client).or_default();
        *known = (*known).max((request.incarnation, lowest));
    }

    pub(super) fn hear_mark(&mut self, header: &Header) {
        let known = self.marks.entry(header.txn.begun_by()).or_default();
        *known = (*known).max(header.low_water);
    }
}

/// What a log says, each kind of record in its part.
#[derive(Clone, Debug, Default)]
pub(super) struct LogState {
    storage: StorageLog,
    transactions: TransactionLog,
    locks: LockLog,
    views: ViewLog,
}

impl LogState {
    pub(super) fn of<'a>(log: impl Iterator<Item = &'a Record>, config: &Config) -> LogState {
        let mut state = LogState::default();
        log.for_each(|record| state.take(record, config));
        state
    }

    /// Takes over a record. A new kind must say here what it means, or this does not compile.
    fn take(&mut self, record: &Record, config: &Config) {
        match record {
            Record::Born { .. } | Record::Entered { .. } | Record::Complete { .. } => {
                self.storage.take_standing(record);
            }
            Record::GaveUp { keeps, .. } => {
                let is_dropped = |path: &_| !keeps.contains(config.position(path));
                self.storage.take_standing(record);
                self.transactions.void(is_dropped);
                self.storage.files.retain(|path, _| !is_dropped(path));
            }
            Record::Reset { arcs, .. } => {
                let is_dropped = |path: &_| arcs.contains(config.position(path));
                self.transactions.void(is_dropped);
                self.storage.files.retain(|path, _| !is_dropped(path));
                self.storage.take_standing(record);
            }
            Record::Pulled { files, answers, replaced } => {
                let is_replaced = |path: &_| {
                    let is_pulled = || files.iter().any(|(pulled, _)| pulled == path);
                    replaced.contains(config.position(path)) || is_pulled()
                };
                self.transactions.void(is_replaced);
                self.storage.store(files);
                for handed in answers.iter() {
                    self.storage.take_handed(handed);
                }
            }
            Record::Stored { path, file } => {
                self.storage.files.insert(path.clone(), file.clone());
            }
            Record::Answered { .. } => self.storage.take_answer(record),
            // Of owners or of the lock server: a log has one of the two.
            Record::Declined { .. } => {
                self.storage.take_answer(record);
                self.locks.take(record);
            }
            Record::Forgotten { client, incarnation, lowest } => {
                self.storage.forget_below(*client, (*incarnation, *lowest));
                self.locks.forget_below(*client, (*incarnation, *lowest));
            }
            Record::Applied { txn, .. } => {
                self.storage.store(&self.transactions.changes_of(*txn));
                self.storage.take_answer(record);
                self.transactions.take(record);
            }
            Record::Decided(Decided { changes, .. }) => {
                self.storage.store(changes);
                self.storage.take_answer(record);
                self.transactions.take(record);
            }
            Record::Voted(_) => self.transactions.take(record),
            Record::RolledBack { .. } | Record::Promised { .. } => self.transactions.take(record),
            Record::Settled { .. } | Record::Over { .. } => self.transactions.take(record),
            Record::Mark { .. } => self.transactions.take(record),
            Record::Queued { .. } | Record::Granted { .. } => self.locks.take(record),
            Record::Left { .. } | Record::LockOver { .. } => self.locks.take(record),
            Record::LastToken { .. } => self.locks.take(record),
            Record::Admitted { .. } | Record::Wanted { .. } => self.views.take(record),
            Record::Announced { .. } | Record::Activated { .. } => self.views.take(record),
            Record::Converged { .. } | Record::LossAccepted { .. } => self.views.take(record),
            Record::Recorded { .. } | Record::Lost { .. } => self.views.take(record),
            Record::LongestLease { .. } => self.views.take(record),
        }
    }

    /// What `is`, which a checkpoint begins, says otherwise.
    pub(super) fn difference(
        &self,
        is: &LogState,
        told: &Told,
        is_control: bool,
        (model, config): (&Model, &Config),
    ) -> Option<Evidence> {
        let LogState { storage, transactions, locks, views } = self;
        if is_control {
            let views = || views.difference(&is.views, config);
            return locks.difference(&is.locks, &told.lowest).or_else(views);
        }
        let storage = || storage.difference(&is.storage, &told.lowest);
        transactions.difference(&is.transactions, &told.marks, model).or_else(storage)
    }
}

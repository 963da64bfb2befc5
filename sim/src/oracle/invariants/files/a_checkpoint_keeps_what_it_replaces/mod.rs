//! What a checkpoint stands for.

mod control_log;
mod difference;
mod storage_log;
#[cfg(test)]
mod tests;
mod transaction_log;

use std::collections::BTreeMap;

use seedbed::proto::{
    Config, Header, LowWater, Member, Message, MessageKind, NodeId, Record, RequestId,
};

use control_log::{LockLog, ViewLog};
use difference::Lowest;
use storage_log::StorageLog;
use transaction_log::TransactionLog;

use crate::oracle::per_node::PerNode;
use crate::oracle::{Breach, Evidence, Invariant, Model, Seen, SeenKinds};
use crate::world::World;

/// A log whose head a checkpoint has replaced says the same as the whole log did.
///
/// Every other invariant looks at records as they are appended, and a checkpoint's are not. So the
/// log is read twice, in the simplest way there is: as it was written, and as the disk has it with
/// the checkpoint in place. Both must say the same of every kind of record. What a checkpoint may
/// leave out is what its own low-water marks say is over, and answers that it says are not waited
/// for; of both it may say no more than the node was told. It may also name an abort that the node
/// only remembered. Mohan and others, "ARIES", 1992, section 5.4.
#[derive(Clone, Debug, Default)]
pub struct ACheckpointKeepsWhatItReplaces {
    told: PerNode<Told>,
}

/// What a node was told may be forgotten.
#[derive(Clone, Debug, Default)]
struct Told {
    /// By coordinator: the highest low-water mark.
    marks: BTreeMap<Member, LowWater>,
    /// By client: the highest number below which it waits for no request.
    lowest: BTreeMap<NodeId, Lowest>,
}

impl Invariant for ACheckpointKeepsWhatItReplaces {
    fn interest(&self) -> SeenKinds {
        let tells = SeenKinds::received(&[
            MessageKind::Begin,
            MessageKind::Prepare,
            MessageKind::Execute,
            MessageKind::Commit,
            MessageKind::Abort,
            MessageKind::Acquire,
        ]);
        SeenKinds::CHECKPOINTED | SeenKinds::WIPED | tells
    }

    fn see(&mut self, seen: &Seen<'_>, model: &Model, world: &World) -> Result<(), Breach> {
        match *seen {
            Seen::Received { to, message, .. } => self.told.slot(to).hear(message),
            Seen::Wiped { node } => *self.told.slot(node) = Told::default(),
            Seen::Checkpointed { node, replaced } => {
                let (config, disk) = (world.config(), world.host(node).disk());
                let was = LogState::of(replaced.iter().chain(disk.durable_tail()), config);
                let is = LogState::of(disk.durable_records(), config);
                let (told, is_control) = (self.told.slot(node), node == NodeId::CONTROL);
                return match was.difference(&is, told, is_control, (model, config)) {
                    None => Ok(()),
                    Some(now) => Err(broken(node, now, model)),
                };
            }
            _ => {} // not asked for
        }
        Ok(())
    }
}

fn broken(node: NodeId, now: Evidence, model: &Model) -> Breach {
    let log = model.log(node);
    let earlier = format!("{node}'s log is durable for {} records and says otherwise", log.durable);
    let now = now.reworded(|now| format!("the checkpoint of {node} {now}"));
    let now = Evidence { step: model.step, ..now };
    Breach::of(Evidence::at(log.synced, earlier).about(node), now.about(node))
}

impl Told {
    fn hear(&mut self, message: &Message) {
        match message {
            Message::Begin { request, lowest, .. } | Message::Acquire { request, lowest, .. } => {
                self.hear_lowest(*request, *lowest);
            }
            Message::Prepare { header, terms, .. } => {
                self.hear_mark(header);
                self.hear_lowest(terms.request, terms.lowest);
            }
            Message::Execute { header, .. } => self.hear_mark(header),
            Message::Commit { header, .. } | Message::Abort { header } => self.hear_mark(header),
            _ => {} // not asked for
        }
    }

    fn hear_lowest(&mut self, request: RequestId, lowest: u32) {
        let known = self.lowest.entry(request.client).or_default();
        *known = (*known).max((request.incarnation, lowest));
    }

    fn hear_mark(&mut self, header: &Header) {
        let known = self.marks.entry(header.txn.begun_by()).or_default();
        *known = (*known).max(header.low_water);
    }
}

/// What a log says, each kind of record in its part.
#[derive(Clone, Debug, Default)]
struct LogState {
    storage: StorageLog,
    transactions: TransactionLog,
    locks: LockLog,
    views: ViewLog,
}

impl LogState {
    fn of<'a>(log: impl Iterator<Item = &'a Record>, config: &Config) -> LogState {
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
            Record::Pulled { files, answers, replaced } => {
                let is_replaced = |path: &_| {
                    let is_pulled = || files.iter().any(|(pulled, _)| pulled == path);
                    replaced.contains(config.position(path)) || is_pulled()
                };
                self.transactions.void(is_replaced);
                self.storage.store(files);
                for handed in answers.iter() {
                    self.storage.take_handed(handed);
                    self.transactions.take_handed(handed);
                }
            }
            Record::Stored { path, file } => {
                self.storage.files.insert(path.clone(), file.clone());
            }
            Record::Declined { .. } | Record::Answered { .. } => self.storage.take_answer(record),
            // Of owners or of the lock server: a log has one of the two.
            Record::Forgotten { client, incarnation, lowest } => {
                self.storage.forget_below(*client, (*incarnation, *lowest));
                self.locks.forget_below(*client, (*incarnation, *lowest));
            }
            Record::Applied { txn, .. } => {
                self.storage.store(&self.transactions.changes_of(*txn));
                self.storage.take_answer(record);
                self.transactions.take(record);
            }
            Record::Decided { changes, .. } => {
                self.storage.store(changes);
                self.storage.take_answer(record);
                self.transactions.take(record);
            }
            Record::Voted { .. } | Record::Orphaned { .. } => self.transactions.take(record),
            Record::RolledBack { .. } | Record::Promised { .. } => self.transactions.take(record),
            Record::Settled { .. } | Record::Over { .. } => self.transactions.take(record),
            Record::Mark { .. } | Record::Presumed { .. } => self.transactions.take(record),
            Record::Queued { .. } | Record::Granted { .. } => self.locks.take(record),
            Record::Left { .. } | Record::LockOver { .. } => self.locks.take(record),
            Record::LastToken { .. } => self.locks.take(record),
            Record::Admitted { .. } | Record::Wanted { .. } => self.views.take(record),
            Record::Announced { .. } | Record::Activated { .. } => self.views.take(record),
            Record::Converged { .. } | Record::LossAccepted { .. } => self.views.take(record),
            Record::LongestLease { .. } => self.views.take(record),
        }
    }

    /// What `is`, which a checkpoint begins, says otherwise.
    fn difference(
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

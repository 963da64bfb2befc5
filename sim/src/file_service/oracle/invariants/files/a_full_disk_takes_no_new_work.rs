//! What is left on a full disk is kept for what was promised.

use std::collections::BTreeMap;

use seedbed::machine::NodeId;
use seedbed::proto::{
    Decided, FileService, Message, MessageKind, Record, RecordKind, TxnId, TxnMessage, Voted,
};

use crate::file_service::oracle::{Breach, Evidence, Invariant, Model, Moment, Seen, SeenKinds};

/// A machine that was told that its disk is full begins nothing new on it until it is told that
/// there is room again.
///
/// | machine | begins |
/// |---|---|
/// | participant | a yes vote that changes something there |
/// | coordinator that owns some of the files | a transaction that changes something there: one that it decides alone, or whose first `Prepare` it has put together since |
/// | lock server | a request in line |
///
/// All else finishes what was begun while there was room, refuses, or moves what is there. A disk
/// that takes new work until no byte is left has none for the outcome of what it has promised, and
/// a machine that waits for that waits for ever. Reserved space: Gray, Reuter, "Transaction
/// Processing", 1993, section 9.4, for the log; ARIES: Mohan and others, 1992, section 4.
#[derive(Clone, Debug, Default)]
pub struct AFullDiskTakesNoNewWork {
    /// The transactions that coordinators have begun while they knew that their disk is full.
    begun: BTreeMap<TxnId, u64>,
}

impl Invariant<FileService> for AFullDiskTakesNoNewWork {
    fn interest(&self) -> SeenKinds {
        SeenKinds::appended(&[RecordKind::Voted, RecordKind::Decided, RecordKind::Queued])
            | SeenKinds::sent(&[MessageKind::Prepare])
            | SeenKinds::TOLD_OF_DISK
            | SeenKinds::CRASHED
    }

    fn see(&mut self, seen: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        match *seen {
            Seen::Appended { node, record, .. } => self.on_appended(node, record, model),
            Seen::Sent {
                from, message: Message::Txn(TxnMessage::Prepare { header, .. }), ..
            } => {
                if model.full_disks.knows(from).is_some() && model.is_put_together_now(from) {
                    self.begun.insert(header.txn, model.step);
                }
                Ok(())
            }
            // What it executes once there is room it may do.
            Seen::ToldOfDisk { node, .. } | Seen::Crashed { node } => {
                self.begun.retain(|txn, _| txn.coordinator != node);
                Ok(())
            }
            _ => Ok(()), // not asked for
        }
    }
}

impl AFullDiskTakesNoNewWork {
    fn on_appended(&self, node: NodeId, record: &Record, model: &Model) -> Result<(), Breach> {
        let Some(told) = model.full_disks.knows(node) else { return Ok(()) };
        let now = |is: String| Evidence::at(model.step, format!("{node} {is}"));
        let now = match record {
            Record::Voted(Voted { txn, changes, .. }) if !changes.is_empty() => {
                now(format!("votes yes to {txn}, which changes its files")).about(*txn)
            }
            Record::Decided(Decided { txn, participants, changes, .. })
                if !changes.is_empty()
                    && (participants.is_empty() || self.begun.contains_key(txn)) =>
            {
                now(format!("decides {txn}, which changes its files")).about(*txn)
            }
            Record::Queued { path, request } => {
                let is = format!("puts {request} into the line for the lock of {path}");
                now(is).about(*request).about(path)
            }
            _ => return Ok(()), // it is no new work
        };
        let earlier = Evidence::at(told, format!("{node} is told that its disk is full"));
        Err(Breach::of(earlier.about(node), now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{
        CONTROL, Play, decided, granted, n, prepare, queued, request, txn, voted,
    };

    const NAME: &str = "a_full_disk_takes_no_new_work";

    fn play() -> Play {
        Play::new(AFullDiskTakesNoNewWork::default())
    }

    fn full(node: NodeId) -> Play {
        let mut play = play();
        play.is_told_of_disk(node, true);
        play
    }

    #[test]
    fn a_vote_that_changes_something_is_a_breach_and_one_that_reads_is_none() {
        let mut breach = full(n(2));
        breach.appends(n(2), voted(txn(1), "/a", 1, "x"));
        breach.is_broken_by(NAME, (1, "n2 is told that its disk is full"), (2, "n2 votes yes"));
        let mut reads = voted(txn(1), "/a", 1, "x");
        if let Record::Voted(Voted { changes, .. }) = &mut reads {
            *changes = [].into();
        }
        full(n(2)).appends(n(2), reads).holds();
        full(n(3)).appends(n(2), voted(txn(1), "/a", 1, "x")).holds();
    }

    #[test]
    fn with_room_again_or_in_another_life_a_vote_is_none() {
        let mut room = full(n(2));
        room.is_told_of_disk(n(2), false).appends(n(2), voted(txn(1), "/a", 1, "x")).holds();
        let mut life = full(n(2));
        life.crashes(n(2)).starts(n(2)).appends(n(2), voted(txn(1), "/a", 1, "x")).holds();
    }

    #[test]
    fn a_decision_alone_is_a_breach_and_one_that_others_wait_for_is_none() {
        full(n(1)).appends(n(1), decided(txn(1), &[], "/a", 1, "x")).breaks();
        let mut begun = play();
        begun.sends(n(1), n(2), prepare(txn(1), &[n(2)], &["/a"]));
        begun.is_told_of_disk(n(1), true);
        begun.appends(n(1), decided(txn(1), &[n(2)], "/a", 1, "x")).holds();
    }

    #[test]
    fn a_transaction_that_is_begun_on_a_full_disk_is_a_breach_when_it_is_decided() {
        let begins = || {
            let mut play = full(n(1));
            play.sends(n(1), n(2), prepare(txn(1), &[n(2)], &["/a"]));
            play
        };
        begins().appends(n(1), decided(txn(1), &[n(2)], "/a", 1, "x")).breaks();
        let mut room = begins();
        room.is_told_of_disk(n(1), false).is_told_of_disk(n(1), true);
        room.appends(n(1), decided(txn(1), &[n(2)], "/a", 1, "x")).holds();
    }

    #[test]
    fn a_request_in_line_is_a_breach_and_a_grant_is_none() {
        full(CONTROL).appends(CONTROL, queued("/a", request(1, 1))).breaks();
        full(CONTROL).appends(CONTROL, granted("/a", request(1, 1), 1)).holds();
    }
}

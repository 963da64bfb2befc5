//! Mistakes of coordinators and participants that need code.

use seedbed::proto::{Decided, Header, LowWater, Message, Record, TxnMessage, Vote};
use seedbed_sim::file_service::oracle::Model;

use crate::mutation::altered_replay::Shown;

/// A participant acknowledges a commit in the step in which it appends it.
pub fn acknowledges_at_once(_: &Model, shown: &mut Shown<'_>) -> bool {
    let applied = shown.appended(|record| match record {
        Record::Applied { txn, .. } => Some(*txn),
        _ => None,
    });
    let Some((_, node, txn)) = applied else { return false };
    shown.send(node, txn.coordinator, Message::Txn(TxnMessage::Committed { txn }));
    true
}

/// A time-out that comes with the last yes is taken for one that came before it.
pub fn aborts_with_the_last_yes(_: &Model, shown: &mut Shown<'_>) -> bool {
    let Some((_, Message::Txn(TxnMessage::Executed { txn, vote: Vote::Yes(_) }))) = shown.arrived()
    else {
        return false;
    };
    let txn = *txn;
    let decided = shown.appended(|record| match record {
        Record::Decided(Decided { txn: of, participants, .. }) => {
            (*of == txn).then(|| participants.clone())
        }
        _ => None,
    });
    let Some((place, node, participants)) = decided else { return false };
    shown.step.facts.remove(place);
    for to in participants.iter() {
        let header = Header { txn, low_water: LowWater::default() };
        shown.send(node, to.node, Message::Txn(TxnMessage::Abort { header }));
    }
    true
}

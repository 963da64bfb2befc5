//! Which invariants want to see what.

use super::{Seen, SeenKinds};
use crate::name::Name;
use crate::under_test::UnderTest;

/// For each kind of thing seen the numbers of the invariants that want to see it.
#[derive(Debug)]
pub(super) struct Interested {
    others: Vec<Vec<u16>>,
    sent: Vec<Vec<u16>>,
    received: Vec<Vec<u16>>,
    appended: Vec<Vec<u16>>,
    durable: Vec<Vec<u16>>,
}

impl Interested {
    /// What each invariant in turn wants to see.
    pub fn of<S: UnderTest>(kinds: impl Iterator<Item = SeenKinds>) -> Interested {
        let (messages, records) = (S::MessageKind::ALL.len(), S::RecordKind::ALL.len());
        assert!(messages.max(records) <= 64, "a set holds 64 kinds of message and of record");
        let none = |kinds| vec![Vec::new(); kinds];
        let mut interested = Interested {
            others: none(SeenKinds::OTHERS),
            sent: none(messages),
            received: none(messages),
            appended: none(records),
            durable: none(records),
        };
        for (number, kinds) in (0..).zip(kinds) {
            add(number, kinds.others, &mut interested.others);
            add(number, kinds.sent, &mut interested.sent);
            add(number, kinds.received, &mut interested.received);
            add(number, kinds.appended, &mut interested.appended);
            add(number, kinds.durable, &mut interested.durable);
        }
        interested
    }

    /// The invariants that want to see this.
    pub fn in_this<S: UnderTest>(&self, seen: &Seen<'_, S>) -> &[u16] {
        match seen {
            Seen::Sent { message, .. } => &self.sent[S::message_kind(message).index()],
            Seen::Received { message, .. } => &self.received[S::message_kind(message).index()],
            Seen::Appended { record, .. } => &self.appended[S::record_kind(record).index()],
            Seen::Durable { record, .. } => &self.durable[S::record_kind(record).index()],
            other => &self.others[other.place()],
        }
    }
}

fn add(number: u16, kinds: u64, to: &mut [Vec<u16>]) {
    for (place, interested) in to.iter_mut().enumerate() {
        if kinds & 1 << place != 0 {
            interested.push(number);
        }
    }
}

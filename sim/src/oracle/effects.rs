//! Which transactions took effect for which request of a user.
//!
//! A transaction names the request that it serves. With the defect `retry_under_new_id` that is not
//! the one that the user made; the age of an attempt still is, so a `begin` message leads from the
//! one to the other.

use std::collections::BTreeMap;

use seedbed::proto::{Answer, Message, MessageKind, Record, RecordKind, RequestId, TxnId};

use super::{At, Seen, SeenKinds};

/// What it takes to know of every effect.
pub(super) const EFFECTS: SeenKinds =
    SeenKinds::sent(&[MessageKind::Begin]).and(SeenKinds::durable(&[RecordKind::Decided]));

/// What has taken effect.
#[derive(Clone, Debug, Default)]
pub(super) struct Effects {
    /// The user's request behind each that has another name.
    origins: BTreeMap<RequestId, RequestId>,
    /// The first transaction that committed for each request, with its answer.
    first: BTreeMap<RequestId, At<(TxnId, Answer)>>,
}

/// A decision that became durable.
#[derive(Clone, Debug)]
pub(super) struct Effect {
    /// The user's request.
    pub origin: RequestId,
    pub txn: TxnId,
    /// The transaction that had committed for the request before, if one had.
    pub before: Option<At<TxnId>>,
}

impl Effects {
    /// The first transaction that committed for a user's request.
    pub fn of(&self, request: RequestId) -> Option<&At<(TxnId, Answer)>> {
        self.first.get(&request)
    }

    /// Takes over what was seen; gives the effect, if it was one.
    pub fn see(&mut self, seen: &Seen<'_>, step: u64) -> Option<Effect> {
        match *seen {
            Seen::Sent { message: Message::Begin { request, age, .. }, .. } => {
                if *request != age.request {
                    self.origins.insert(*request, age.request);
                }
                None
            }
            Seen::Durable { record: Record::Decided { txn, request, answer, .. }, .. } => {
                let origin = self.origins.get(request).copied().unwrap_or(*request);
                let before = self.first.get(&origin);
                let before = before.map(|at| At { step: at.step, is: at.is.0 });
                if before.is_none() {
                    self.first.insert(origin, At { step, is: (*txn, answer.clone()) });
                }
                Some(Effect { origin, txn: *txn, before })
            }
            _ => None,
        }
    }
}

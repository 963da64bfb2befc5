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

#[cfg(test)]
mod tests {
    use super::super::testing::{c, decided_for, n, request, txn};
    use super::*;
    use crate::world::PacketId;
    use seedbed::proto::{Age, Epoch, Incarnation, Session, Time};

    fn decide(effects: &mut Effects, request: RequestId, txn: TxnId, step: u64) -> Effect {
        let record = &decided_for(request, txn, &[], "/a", step, "x");
        let effect = effects.see(&Seen::Durable { node: n(1), position: 0, record }, step);
        effect.expect("a decision is an effect")
    }

    #[test]
    fn the_second_effect_of_a_request_names_the_first() {
        let mut effects = Effects::default();
        assert!(decide(&mut effects, request(1), txn(1), 1).before.is_none());
        assert!(decide(&mut effects, request(2), txn(2), 2).before.is_none());
        let again = decide(&mut effects, request(1), txn(3), 3);
        assert_eq!(again.before, Some(At { step: 1, is: txn(1) }));
        assert!(effects.of(request(1)).is_some_and(|first| first.is.0 == txn(1)));
    }

    #[test]
    fn an_attempt_under_another_name_counts_for_the_request_of_its_age() {
        let mut effects = Effects::default();
        let session = Session { node: Incarnation(1), number: 1, lowest: 1 };
        let age = Age { first_attempt: Time::ZERO, request: request(1) };
        let message = &Message::Begin {
            session,
            epoch: Epoch(1),
            request: request(2),
            attempt: 1,
            lowest: 1,
            age,
            operations: [].into(),
        };
        let sent = Seen::Sent { packet: PacketId(0), from: c(1), to: n(1), message };
        assert!(effects.see(&sent, 1).is_none());
        assert_eq!(decide(&mut effects, request(2), txn(1), 2).origin, request(1));
    }
}

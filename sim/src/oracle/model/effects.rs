//! Which transactions took effect for which request of a user.
//!
//! A transaction names the request that it serves. With the defect `retry_under_new_id` that is not
//! the one that the user made; the age of an attempt still is, so a `begin` message leads from the
//! one to the other.
//!
//! A transaction whose coordinator's disk is gone may be settled by its participants among
//! themselves: then no log holds the decision, and it takes effect where it is first applied.

use std::collections::BTreeMap;

use seedbed::proto::{Answer, Message, MessageKind, Record, RecordKind, RequestId, TxnId};

use crate::oracle::{At, Model, Seen, SeenKinds};

/// What it takes to know of every effect.
pub(in crate::oracle) const EFFECTS: SeenKinds = SeenKinds::sent(&[MessageKind::Begin])
    .and(SeenKinds::durable(&[RecordKind::Decided, RecordKind::Applied]));

/// What has taken effect.
#[derive(Clone, Debug, Default)]
pub(in crate::oracle) struct Effects {
    /// The user's request behind each that has another name.
    origins: BTreeMap<RequestId, RequestId>,
    /// The first transaction that committed for each request, with its answer.
    first: BTreeMap<RequestId, At<(TxnId, Answer)>>,
}

/// A commit that became durable.
#[derive(Clone, Debug)]
pub(in crate::oracle) struct Effect {
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
    pub fn see(&mut self, seen: &Seen<'_>, model: &Model) -> Option<Effect> {
        match *seen {
            Seen::Sent { message: Message::Begin { request, age, .. }, .. } => {
                if *request != age.request {
                    self.origins.insert(*request, age.request);
                }
                None
            }
            Seen::Durable { record: Record::Decided { txn, request, answer, .. }, .. } => {
                Some(self.add(*txn, *request, answer, model.step))
            }
            Seen::Durable { record: Record::Applied { txn, request, answer }, .. }
                if is_settled_now(*txn, model) =>
            {
                Some(self.add(*txn, *request, answer, model.step))
            }
            _ => None,
        }
    }

    fn add(&mut self, txn: TxnId, request: RequestId, answer: &Answer, step: u64) -> Effect {
        let origin = self.origins.get(&request).copied().unwrap_or(request);
        let before = self.first.get(&origin).map(|at| At { step: at.step, is: at.is.0 });
        if before.is_none() {
            self.first.insert(origin, At { step, is: (txn, answer.clone()) });
        }
        Effect { origin, txn, before }
    }
}

/// Is this the step in which the participants of a lost coordinator settle its transaction?
fn is_settled_now(txn: TxnId, model: &Model) -> bool {
    let is_new = || model.txns.get(&txn).is_some_and(|known| known.decided_in(model.step));
    model.coordinator_is_gone(txn).is_some() && is_new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::tests::{applied, c, decided_for, n, request, txn, voted};
    use crate::world::PacketId;
    use seedbed::proto::{Age, Config, Epoch, Incarnation, Member, NodeId, Session, Time};

    fn at(step: u64) -> Model {
        Model { step, ..Model::default() }
    }

    fn decide(effects: &mut Effects, request: RequestId, txn: TxnId, step: u64) -> Effect {
        let record = &decided_for(request, txn, &[], "/a", step, "x");
        let effect = effects.see(&Seen::Durable { node: n(1), position: 0, record }, &at(step));
        effect.expect("a decision is an effect")
    }

    /// n2 and n3 vote for a transaction of n1 and apply it; which of that is an effect?
    fn two_apply(mut model: Model) -> [bool; 4] {
        let (voted, applied) = (voted(txn(1), "/a", 1, "x"), applied(txn(1)));
        let mut effects = Effects::default();
        let mut is_effect = |node: NodeId, record: &Record| {
            model.step += 1;
            let seen = Seen::Durable { node, position: 0, record };
            model.update(&seen);
            effects.see(&seen, &model).is_some()
        };
        [(n(2), &voted), (n(3), &voted), (n(2), &applied), (n(3), &applied)]
            .map(|(node, record)| is_effect(node, record))
    }

    #[test]
    fn what_the_participants_of_a_lost_coordinator_settle_is_an_effect_once() {
        let mut model = Model::default();
        model.gone.insert(Member { node: n(1), admission: Config::FIRST_ADMISSION }, 1);
        assert_eq!(two_apply(model), [false, false, true, false]);
    }

    #[test]
    fn what_participants_apply_for_a_coordinator_that_is_there_is_none() {
        assert_eq!(two_apply(Model::default()), [false; 4]);
    }

    #[test]
    fn the_second_effect_of_a_request_names_the_first() {
        let mut effects = Effects::default();
        assert!(decide(&mut effects, request(1, 1), txn(1), 1).before.is_none());
        assert!(decide(&mut effects, request(1, 2), txn(2), 2).before.is_none());
        let again = decide(&mut effects, request(1, 1), txn(3), 3);
        assert_eq!(again.before, Some(At { step: 1, is: txn(1) }));
        assert!(effects.of(request(1, 1)).is_some_and(|first| first.is.0 == txn(1)));
    }

    #[test]
    fn an_attempt_under_another_name_counts_for_the_request_of_its_age() {
        let mut effects = Effects::default();
        let session = Session { node: Incarnation(1), number: 1, lowest: 1 };
        let age = Age { first_attempt: Time::ZERO, request: request(1, 1) };
        let message = &Message::Begin {
            session,
            epoch: Epoch(1),
            request: request(1, 2),
            attempt: 1,
            lowest: 1,
            age,
            operations: [].into(),
        };
        let sent = Seen::Sent { packet: PacketId(0), from: c(1), to: n(1), message };
        assert!(effects.see(&sent, &at(1)).is_none());
        assert_eq!(decide(&mut effects, request(1, 2), txn(1), 2).origin, request(1, 1));
    }
}

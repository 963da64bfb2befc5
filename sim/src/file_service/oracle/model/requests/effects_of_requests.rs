//! Which transactions took effect for which request of a user.
//!
//! If the centre resolves a transaction whose coordinator's disk is gone, no log holds the
//! decision, and it takes effect where it is first applied.

use std::collections::BTreeMap;

use seedbed::machine::RequestId;
use seedbed::proto::{Answer, Outcome, Record, RecordKind, TxnId};

use crate::file_service::oracle::{At, Seen, SeenKinds};

/// What may be an effect.
pub(in crate::file_service::oracle) fn effects() -> SeenKinds {
    SeenKinds::durable(&[RecordKind::Decided, RecordKind::Applied])
}

/// What has taken effect.
#[derive(Clone, Debug, Default)]
pub struct Effects {
    /// The first transaction that committed for each request, with its answer.
    first: BTreeMap<RequestId, At<(TxnId, Answer)>>,
    /// The answers of transactions that committed for a request before, and whose changes were
    /// given up: an owner of another time may still remember them.
    undone: BTreeMap<RequestId, Vec<Answer>>,
    /// The effect that the last record which may be one was.
    newest: Option<Effect>,
}

/// A commit that became durable.
#[derive(Clone, Debug)]
pub struct Effect {
    /// The user's request.
    pub origin: RequestId,
    /// The transaction.
    pub txn: TxnId,
    /// The transaction that had committed for the request before, if one had.
    pub before: Option<At<TxnId>>,
    /// Does it leave nothing, because all that it changes is lost, or has begun again?
    pub is_lost: bool,
}

impl Effects {
    /// The first transaction that committed for a user's request.
    pub fn of(&self, request: RequestId) -> Option<&At<(TxnId, Answer)>> {
        self.first.get(&request)
    }

    /// Did a transaction that committed for the request before, and was given up since, give such
    /// an answer?
    pub fn was_answered(&self, request: RequestId, is_such: impl Fn(&Answer) -> bool) -> bool {
        self.undone.get(&request).is_some_and(|answers| answers.iter().any(is_such))
    }

    /// The effect that `seen`, the newest thing that was seen, was, if it was one.
    pub fn made_by(&self, seen: &Seen<'_>) -> Option<&Effect> {
        match seen {
            Seen::Durable { record: Record::Decided(_) | Record::Applied { .. }, .. } => {
                self.newest.as_ref()
            }
            _ => None,
        }
    }

    /// A transaction takes effect for a user's request. Has what the first one did for it been
    /// given up? Does this one leave nothing?
    pub(in crate::file_service::oracle::model) fn on_effect(
        &mut self,
        origin: RequestId,
        effect: At<(TxnId, Answer)>,
        is_undone: bool,
        is_lost: bool,
    ) {
        let txn = effect.is.0;
        let first = self.first.remove(&origin);
        let (counts, undone, before) = match first {
            None => (effect, None, None),
            Some(first) if is_undone => (effect, Some(first), None),
            Some(first) if is_lost => (first, Some(effect), None),
            Some(first) => {
                let before = At { step: first.step, is: first.is.0 };
                (first, None, Some(before))
            }
        };
        self.first.insert(origin, counts);
        if let Some(At { is: (_, answer), .. }) = undone {
            self.undone.entry(origin).or_default().push(answer);
        }
        self.newest = Some(Effect { origin, txn, before, is_lost });
    }

    /// A record that may be an effect was none.
    pub(in crate::file_service::oracle::model) fn on_none(&mut self) {
        self.newest = None;
    }
}

/// Is it the whole answer, but for outcomes that are lost with a disk?
pub(in crate::file_service::oracle) fn is_part_of(answer: &Answer, whole: &Answer) -> bool {
    let mut outcomes = answer.iter().zip(whole.iter());
    let is_same =
        |(one, other): (&Outcome, &Outcome)| one == other || [one, other].contains(&&Outcome::Lost);
    answer.len() == whole.len() && outcomes.all(is_same)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::World;
    use crate::file_service::oracle::Model;
    use crate::file_service::oracle::tests::{applied, c, decided_for, n, request, txn, voted};
    use crate::oracle::Model as _;
    use crate::world::PacketId;
    use seedbed::machine::{Incarnation, NodeId, Span};
    use seedbed::proto::{Age, Config, Epoch, FileRequest, Member, Message, Session, Settings};

    fn world() -> World {
        World::of_config(Config::new(Settings::default()).expect("sound settings"), 1)
    }

    fn decide(model: &mut Model, request: RequestId, txn: TxnId) -> Effect {
        model.step += 1;
        let record = &decided_for(request, txn, &[], "/a", model.step, "x");
        let seen = Seen::Durable { node: n(1), position: 0, record };
        model.update(&seen, &world());
        model.effects.made_by(&seen).cloned().expect("a decision is an effect")
    }

    /// n2 and n3 vote for a transaction of n1 and apply it; which of that is an effect?
    fn two_apply(mut model: Model) -> [bool; 4] {
        let (voted, applied) = (voted(txn(1), "/a", 1, "x"), applied(txn(1)));
        let mut is_effect = |node: NodeId, record: &Record| {
            model.step += 1;
            let seen = Seen::Durable { node, position: 0, record };
            model.update(&seen, &world());
            model.effects.made_by(&seen).is_some()
        };
        [(n(2), &voted), (n(3), &voted), (n(2), &applied), (n(3), &applied)]
            .map(|(node, record)| is_effect(node, record))
    }

    #[test]
    fn what_the_participants_of_a_lost_coordinator_commit_is_an_effect_once() {
        let mut model = Model::default();
        model.disks.gone.insert(Member { node: n(1), admission: Config::FIRST_ADMISSION }, 1);
        assert_eq!(two_apply(model), [false, false, true, false]);
    }

    #[test]
    fn what_participants_apply_for_a_coordinator_that_is_there_is_none() {
        assert_eq!(two_apply(Model::default()), [false; 4]);
    }

    #[test]
    fn the_second_effect_of_a_request_names_the_first() {
        let mut model = Model::default();
        assert!(decide(&mut model, request(1, 1), txn(1)).before.is_none());
        assert!(decide(&mut model, request(1, 2), txn(2)).before.is_none());
        let again = decide(&mut model, request(1, 1), txn(3));
        assert_eq!(again.before, Some(At { step: 1, is: txn(1) }));
        assert!(model.effects.of(request(1, 1)).is_some_and(|first| first.is.0 == txn(1)));
    }

    #[test]
    fn an_attempt_under_another_name_counts_for_the_request_of_its_age() {
        let mut model = Model::default();
        let session = Session { node: Incarnation(1), number: 1, lowest: 1 };
        let age = Age { waited: Span::ZERO, request: request(1, 1) };
        let message = &Message::FileRequest(FileRequest::Begin {
            session,
            epoch: Epoch(1),
            request: request(1, 2),
            attempt: 1,
            lowest: 1,
            age,
            operations: [].into(),
        });
        let sent = Seen::Sent { packet: PacketId(0), from: c(1), to: n(1), message };
        model.update(&sent, &world());
        assert!(model.effects.made_by(&sent).is_none());
        assert_eq!(decide(&mut model, request(1, 2), txn(1)).origin, request(1, 1));
    }
}

//! A request takes effect at most once, however often it was tried.

use crate::oracle::evidence::{breach, fact};
use crate::oracle::model::effects::{EFFECTS, Effect};
use crate::oracle::{Breach, Invariant, Model, Seen, SeenKinds};
use crate::world::World;

/// At most one transaction commits for each request of a user.
///
/// A lost answer looks like a lost request, so a client must try again without knowing; only the
/// request's name tells the owners that the second attempt is not a second request. The transaction
/// that claims a path belongs to the request that acquired its lock. Birrell and Nelson,
/// "Implementing Remote Procedure Calls", ACM TOCS 2(1), 1984; the two generals of Akkoyunlu et
/// al., 1975, are why it cannot be had without a name.
#[derive(Clone, Debug, Default)]
pub struct OneEffectPerRequest {}

impl Invariant for OneEffectPerRequest {
    fn name(&self) -> &'static str {
        "one_effect_per_request"
    }

    fn interest(&self) -> SeenKinds {
        EFFECTS
    }

    fn see(&mut self, seen: &Seen<'_>, model: &Model, _world: &World) -> Result<(), Breach> {
        match model.effects.made_by(seen) {
            Some(Effect { origin, txn, before: Some(before) }) => breach(
                fact(before.step, format!("transaction {} committed for {origin}", before.is)),
                fact(model.step, format!("transaction {txn} commits for {origin} as well")),
            ),
            Some(Effect { before: None, .. }) | None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::tests::testing::{applied, voted};
    use crate::oracle::tests::txn_tests_support::*;
    use seedbed::proto::{Config, Member};

    #[test]
    fn two_attempts_commit() {
        let mut play = Play::new(OneEffectPerRequest::default());
        play.at(1).durable(node(1), decided(txn(1, 1), request(1, 1), 1));
        play.at(2).durable(node(2), decided(txn(2, 1), request(1, 1), 1));
        play.breaks("one_effect_per_request", (1, "n1.1/1"), (2, "n2.1/1 commits for c1.1#1"));
    }

    #[test]
    fn two_attempts_under_two_names_commit() {
        let mut play = Play::new(OneEffectPerRequest::default());
        play.at(1).durable(node(1), decided(txn(1, 1), request(1, 1), 1));
        play.at(2).sends(client(1), node(2), begin(request(1, 900), request(1, 1), &["/a"]));
        play.at(3).durable(node(2), decided(txn(2, 1), request(1, 900), 2));
        play.breaks("one_effect_per_request", (1, "n1.1/1"), (3, "c1.1#1 as well"));
    }

    #[test]
    fn an_attempt_commits_and_another_was_settled_without_its_coordinator() {
        let mut play = Play::new(OneEffectPerRequest::default());
        play.model
            .disks
            .gone
            .insert(Member { node: node(1), admission: Config::FIRST_ADMISSION }, 1);
        play.at(1).durable(node(2), voted(txn(1, 1), "/a", 1, "x"));
        play.at(2).durable(node(2), applied(txn(1, 1)));
        play.at(3).durable(node(3), applied(txn(1, 1)));
        assert!(play.breach.is_none(), "one transaction is one effect, wherever it is applied");
        play.at(4).durable(node(2), decided(txn(2, 1), request(1, 1), 1));
        play.breaks("one_effect_per_request", (2, "n1.1/1"), (4, "n2.1/1 commits for c1.1#1"));
    }

    #[test]
    fn two_requests_commit_once_each() {
        let mut play = Play::new(OneEffectPerRequest::default());
        play.at(1).durable(node(1), decided(txn(1, 1), request(1, 1), 1));
        play.at(2).sends(client(1), node(2), begin(request(1, 2), request(1, 2), &["/a"]));
        play.at(3).durable(node(2), decided(txn(2, 1), request(1, 2), 2));
        play.holds();
    }
}

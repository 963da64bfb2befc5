//! A request takes effect at most once, however often it was tried.

use crate::file_service::oracle::model::requests::effects_of_requests::{Effect, effects};
use crate::file_service::oracle::{Breach, Evidence, Invariant, Moment, Seen, SeenKinds};
use seedbed::proto::FileService;

/// At most one transaction commits for each request of a user.
///
/// A lost answer looks like a lost request, so a client must try again without knowing; only the
/// request's name tells the owners that the second attempt is not a second request. The transaction
/// that claims a path belongs to the request that acquired its lock. Birrell and Nelson,
/// "Implementing Remote Procedure Calls", ACM TOCS 2(1), 1984; the two generals of Akkoyunlu et
/// al., 1975, are why it cannot be had without a name.
#[derive(Clone, Debug)]
pub struct OneEffectPerRequest;

impl Invariant<FileService> for OneEffectPerRequest {
    fn interest(&self) -> SeenKinds {
        effects()
    }

    fn see(&mut self, seen: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        match model.effects.made_by(seen) {
            Some(Effect { origin, txn, before: Some(before), .. }) => {
                let earlier = format!("transaction {} committed for {origin}", before.is);
                let now = format!("transaction {txn} commits for {origin} as well");
                Err(Breach::of(
                    Evidence::at(before.step, earlier).about(before.is).about(*origin),
                    Evidence::at(model.step, now).about(*txn).about(*origin),
                ))
            }
            Some(Effect { before: None, .. }) | None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::*;

    #[test]
    fn two_attempts_commit() {
        let mut play = Play::new(OneEffectPerRequest);
        play.at(1).logs(n(1), decided_answer(request(1, 1), txn(1), &[changed(1)]));
        play.at(2).logs(n(2), decided_answer(request(1, 1), txn_of(n(2), 1), &[changed(1)]));
        play.is_broken_by(
            "one_effect_per_request",
            (1, "n1.1/1"),
            (2, "n2.1/1 commits for c1.1#1"),
        );
    }

    #[test]
    fn two_attempts_under_two_names_commit() {
        let mut play = Play::new(OneEffectPerRequest);
        play.at(1).logs(n(1), decided_answer(request(1, 1), txn(1), &[changed(1)]));
        play.at(2).sends(c(1), n(2), begin(request(1, 900), request(1, 1), &[write("/a", "1")]));
        play.at(3).logs(n(2), decided_answer(request(1, 900), txn_of(n(2), 1), &[changed(2)]));
        play.is_broken_by("one_effect_per_request", (1, "n1.1/1"), (3, "c1.1#1 as well"));
    }

    #[test]
    fn an_attempt_commits_and_another_was_committed_without_its_coordinator() {
        let mut play = Play::new(OneEffectPerRequest);
        play.had_lost_its_disk(n(1));
        play.at(1).logs(n(2), voted(txn(1), "/a", 1, "x"));
        play.at(2).logs(n(2), applied(txn(1)));
        play.at(3).logs(n(3), applied(txn(1)));
        assert!(play.is_lawful(), "one transaction is one effect, wherever it is applied");
        play.at(4).logs(n(2), decided_answer(request(1, 1), txn_of(n(2), 1), &[changed(1)]));
        play.is_broken_by(
            "one_effect_per_request",
            (2, "n1.1/1"),
            (4, "n2.1/1 commits for c1.1#1"),
        );
    }

    #[test]
    fn two_requests_commit_once_each() {
        let mut play = Play::new(OneEffectPerRequest);
        play.at(1).logs(n(1), decided_answer(request(1, 1), txn(1), &[changed(1)]));
        play.at(2).sends(c(1), n(2), begin(request(1, 2), request(1, 2), &[write("/a", "1")]));
        play.at(3).logs(n(2), decided_answer(request(1, 2), txn_of(n(2), 1), &[changed(2)]));
        play.holds();
    }

    #[test]
    fn a_request_that_only_reads_may_be_executed_again_when_an_owner_is_given_up() {
        for lost in [n(2), n(4)] {
            let mut play = Play::managed(OneEffectPerRequest);
            play.views(1, &[n(1), n(2)]).asks(request(1, 1), &[read("/a")]);
            play.is_complete(n(1), 1).is_complete(n(2), 1).is_complete(n(4), 1);
            play.forces(n(1), decided_answer(request(1, 1), txn(1), &[changed(1)]));
            play.loses_its_disk(lost).accepts_the_loss_of(&[lost]);
            play.forces(n(1), decided_answer(request(1, 1), txn_of(n(1), 2), &[changed(1)]));
            assert_eq!(play.is_lawful(), lost == n(2), "n4 is no owner");
        }
    }

    #[test]
    fn what_is_lost_as_it_is_committed_may_be_done_again() {
        for is_owner_lost in [true, false] {
            let mut play = Play::managed(OneEffectPerRequest);
            play.views(1, &[n(2)]).asks(request(1, 1), &[write("/a", "x")]);
            play.is_complete(n(1), 1).is_complete(n(2), 1).is_complete(n(3), 1);
            play.sends(n(1), n(2), prepare(txn(1), &[n(2), n(3)], &[]));
            play.forces(n(2), voted(txn(1), "/a", 1, "x"));
            play.forces(n(3), voted(txn(1), "/a", 1, "x"));
            play.loses_its_disk(n(1));
            if is_owner_lost {
                play.loses_its_disk(n(2));
            }
            play.forces(n(3), applied(txn(1)));
            play.forces(n(3), decided_answer(request(1, 1), txn_of(n(3), 1), &[changed(1)]));
            assert_eq!(play.is_lawful(), is_owner_lost);
        }
    }
    #[test]
    fn what_is_committed_when_its_file_has_begun_again_may_have_been_done_again() {
        for begins_again in [true, false] {
            let mut play = Play::managed(OneEffectPerRequest);
            play.views(1, &[n(2)]).asks(request(1, 1), &[write("/a", "x")]);
            play.is_complete(n(1), 1).is_complete(n(2), 1).is_complete(n(3), 1);
            play.forces(n(2), voted(txn(1), "/a", 1, "x"));
            match begins_again {
                true => play.begins_again_without_n2(),
                false => play.loses_its_disk(n(1)),
            };
            play.forces(n(3), decided_answer(request(1, 1), txn_of(n(3), 1), &[changed(1)]));
            play.forces(n(2), applied(txn(1)));
            assert_eq!(play.is_lawful(), begins_again);
        }
    }
}

//! One view at a time.

use crate::file_service::oracle::model::served_in_epoch::{Service, services};
use crate::file_service::oracle::{At, Breach, Invariant, Moment, Seen, SeenKinds};
use seedbed::proto::FileService;

/// Once a node has served or voted in an epoch, no node serves or votes in an earlier one.
///
/// Two views that are served at once may have disjoint owners of a path, each of which takes it for
/// its own: a split brain. Epochs are what virtual synchrony calls views (Birman, Joseph,
/// "Exploiting Virtual Synchrony in Distributed Systems", SOSP 1987); here they are kept apart by
/// leases (Gray, Cheriton, "Leases", SOSP 1989), so the order is that of true time.
#[derive(Clone, Debug, Default)]
pub struct OneEpochIsServedAtOnce {
    newest: Option<At<Service>>,
}

impl Invariant<FileService> for OneEpochIsServedAtOnce {
    fn interest(&self) -> SeenKinds {
        services()
    }

    fn see(&mut self, seen: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        let Some(service) = model.services.given_by(seen) else { return Ok(()) };
        match &self.newest {
            Some(newest) if service.epoch < newest.is.epoch => match service.since > newest.step {
                true => Err(Breach::of(newest.is.fact(newest.step), service.fact(model.step))),
                false => Ok(()), // it may have been put together before
            },
            Some(newest) if service.epoch == newest.is.epoch => Ok(()),
            Some(_) | None => {
                self.newest = Some(At { step: model.step, is: service.clone() });
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{
        Play, c, ended_done, found, n, read_of, request, txn, voted_in,
    };

    fn play() -> Play {
        let mut play = Play::managed(OneEpochIsServedAtOnce::default());
        play.receives(c(1), n(2), read_of(request(1, 1), "/a"));
        play.forces(n(1), voted_in(2, txn(1), "/a", 1, "x"));
        play
    }

    #[test]
    fn a_vote_or_a_read_in_an_epoch_that_is_over_is_a_breach() {
        let breach = play().appends(n(2), voted_in(1, txn(2), "/b", 1, "x")).breaks();
        assert_eq!(breach.earlier.is, "n1 votes yes to n1.1/1 in e2");
        assert_eq!(breach.now.is, "n2 votes yes to n1.1/2 in e1");
        let answer = ended_done(request(1, 1), &[found(1, None)]);
        let breach = play().sends(n(2), c(1), answer).breaks();
        assert!(breach.now.is.starts_with("n2 answers the read c1.1#1 in e1"));
    }

    #[test]
    fn the_same_epoch_a_later_one_and_an_answer_that_was_held_back_are_none() {
        let mut play = play();
        play.appends(n(2), voted_in(2, txn(2), "/b", 1, "x"));
        play.syncs(n(2)).and().sends(n(2), c(1), ended_done(request(1, 1), &[found(1, None)]));
        play.appends(n(2), voted_in(3, txn(3), "/b", 1, "x"));
        play.holds();
    }
}

//! Termination.

use seedbed::proto::{FileService, TxnId};

use crate::file_service::oracle::{Breach, Evidence, Invariant, Moment, Seen, SeenKinds};

/// When all faults are over and everything had its time, no node that is up has a yes without an
/// outcome.
///
/// AC5 of Bernstein, Hadzilacos, Goodman, 1987, chapter 7 ("if all failures are repaired and no new
/// ones occur for long enough, all processes reach a decision"). A node that stays down, or waits
/// for one that does, is no breach: that is what blocking means. If the coordinator's disk is gone,
/// the centre decides when it has heard of every participant, or knows that its disk is lost.
pub struct NoParticipantIsInDoubtAtTheEnd;

impl Invariant<FileService> for NoParticipantIsInDoubtAtTheEnd {
    fn interest(&self) -> SeenKinds {
        SeenKinds::NONE
    }

    fn see(&mut self, _: &Seen<'_>, _moment: &Moment<'_>) -> Result<(), Breach> {
        Ok(())
    }

    fn at_end(&mut self, Moment { model, world, .. }: &Moment<'_>) -> Result<(), Breach> {
        for node in world.machines().filter(|node| world.host(*node).is_up()) {
            let can_end = |id: &TxnId| model.can_end_doubt(*id, |node| world.host(node).is_up());
            let doubt = model.doubts(node).find(can_end);
            let Some(id) = doubt else { continue };
            let yes = model.txns.get(&id).and_then(|txn| txn.yes.get(&node));
            let step = yes.map_or(0, |yes| yes.step);
            let now = match model.coordinator_is_gone(id) {
                None => format!("{node} is in doubt, and {} is up and can tell", id.coordinator),
                Some(_) => format!(
                    "{node} is in doubt, and the centre can decide in place of the lost coordinator"
                ),
            };
            return Err(Breach::of(
                Evidence::at(step, format!("{node} voted yes to {id}")).about(id),
                Evidence::at(model.step, now).about(id),
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{Play, n, rolled_back, txn, voted};

    fn in_doubt() -> Play {
        let mut play = Play::new(NoParticipantIsInDoubtAtTheEnd);
        play.really_starts(n(2));
        play.forces(n(2), voted(txn(1), "/a", 1, "x"));
        play
    }

    #[test]
    fn a_vote_without_an_outcome_is_a_breach() {
        let mut play = in_doubt();
        play.really_starts(n(1));
        let breach = play.ends().breaks();
        assert_eq!(breach.earlier.is, "n2 voted yes to n1.1/1");
        assert_eq!(breach.now.is, "n2 is in doubt, and n1 is up and can tell");
    }

    #[test]
    fn an_outcome_even_a_lazy_one_or_a_coordinator_that_is_down_is_none() {
        let mut down = in_doubt();
        down.ends();
        down.holds();
        let mut lazy = in_doubt();
        lazy.really_starts(n(1));
        lazy.appends(n(2), rolled_back(txn(1)));
        lazy.ends();
        lazy.holds();
    }
}

//! No service without what is to be served.

use crate::file_service::oracle::model::served_in_epoch::{What, durable_services};
use crate::file_service::oracle::{Breach, Evidence, Invariant, Moment, Seen, SeenKinds};
use seedbed::proto::FileService;

/// A node that serves a path or votes on it in an epoch owns it there, and has durably claimed to
/// be complete on it.
///
/// A new owner that serves before it has pulled tells of an empty store; one that votes before it
/// has said durably that it is complete may find after a crash that it was none, and would witness
/// that nothing was committed. The rule is that of reconfiguration in state machines: a new
/// configuration begins with the state of the old one (Lamport, Malkhi, Zhou, "Reconfiguring a
/// State Machine", SIGACT News 2010).
#[derive(Clone, Debug)]
pub struct OnlyCompleteOwnersServeAndVote;

impl Invariant<FileService> for OnlyCompleteOwnersServeAndVote {
    fn interest(&self) -> SeenKinds {
        durable_services()
    }

    fn see(&mut self, seen: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        let Some(service) = model.services.given_by(seen) else { return Ok(()) };
        let (node, epoch) = (service.node, service.epoch);
        let (Some(config), Some(disk)) = (model.disks.managed(), model.disks.get(node)) else {
            return Ok(());
        };
        if matches!(service.what, What::Read(..)) && epoch < disk.given_up {
            return Ok(()); // it has been held back until now, and the claim is given up
        }
        let placement = model.views.placement(config, epoch);
        for path in service.paths.iter() {
            let position = config.position(path);
            let owns = |p: &crate::file_service::oracle::Placement| {
                p.owners_at(position).any(|owner| owner == node)
            };
            if placement.as_ref().is_some_and(|placement| !owns(placement)) {
                let view = model.views.view(epoch).map_or(0, |view| view.step);
                let earlier = format!("{node} does not own {path} in {epoch}");
                return Err(Breach::of(
                    Evidence::at(view, earlier).about(path).about(epoch),
                    service.fact(model.step),
                ));
            }
            if disk.claims(epoch, position).is_none() {
                let what = format_args!("claim to be complete on {path} in {epoch}");
                let lacks = model.log_lacks(node, what).about(path).about(epoch);
                return Err(Breach::of(lacks, service.fact(model.step)));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{
        Play, born, c, complete, ended_done, entered, found, n, read_of, request, txn, voted_in,
    };
    use seedbed::proto::Arcs;

    fn play() -> Play {
        let mut play = Play::managed(OnlyCompleteOwnersServeAndVote);
        play.views(1, &[n(1), n(2)]);
        play.forces(n(1), born());
        play.forces(n(1), entered(1, Arcs::default()));
        play
    }

    #[test]
    fn a_vote_or_a_read_before_the_claim_is_a_breach() {
        let breach = play().forces(n(1), voted_in(1, txn(1), "/a", 1, "x")).breaks();
        assert!(breach.earlier.is.ends_with("no claim to be complete on /a in e1"));
        let mut reads = play();
        reads.receives(c(1), n(1), read_of(request(1, 1), "/a"));
        let answer = ended_done(request(1, 1), &[found(1, None)]);
        reads.sends(n(1), c(1), answer).breaks();
    }

    #[test]
    fn a_node_that_owns_nothing_there_is_a_breach() {
        let mut play = play();
        play.views(2, &[n(2), n(3)]);
        play.forces(n(1), entered(2, Arcs::all()));
        let breach = play.forces(n(1), voted_in(2, txn(1), "/a", 1, "x")).breaks();
        assert_eq!(breach.earlier.is, "n1 does not own /a in e2");
    }

    #[test]
    fn a_vote_behind_the_claim_is_none() {
        let mut play = play();
        play.appends(n(1), complete(1, Arcs::all()));
        play.appends(n(1), voted_in(1, txn(1), "/a", 1, "x"));
        play.syncs(n(1));
        play.holds();
    }
}

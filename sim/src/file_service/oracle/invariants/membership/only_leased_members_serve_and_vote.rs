//! No service without a lease.

use crate::file_service::oracle::model::leases::Lease;
use crate::file_service::oracle::model::served_in_epoch::services;
use crate::file_service::oracle::{Breach, Evidence, Invariant, Moment, Seen, SeenKinds};
use crate::file_service::subject_of::Subject;
use seedbed::proto::FileService;

/// A node that serves or votes in an epoch is a member of it and has, in this life, been given a
/// lease for it that still runs: in true time, and by its own clock, less the drift that any clock
/// may have.
///
/// A node that the others have given up may be alive, and only slow or cut off; it must have
/// stopped by itself before another node acts on its absence. Its lease counts from when it sent
/// the heartbeat that the centre has answered: Gray, Cheriton, "Leases", SOSP 1989.
#[derive(Clone, Debug)]
pub struct OnlyLeasedMembersServeAndVote;

impl Invariant<FileService> for OnlyLeasedMembersServeAndVote {
    fn interest(&self) -> SeenKinds {
        services()
    }

    fn see(
        &mut self,
        seen: &Seen<'_>,
        Moment { model, world, .. }: &Moment<'_>,
    ) -> Result<(), Breach> {
        let Some(service) = model.services.given_by(seen) else { return Ok(()) };
        let (node, epoch) = (service.node, service.epoch);
        if service.since < model.step {
            return Ok(()); // when it was put together is not known
        }
        if let Some(view) = model.views.view(epoch).filter(|view| view.is.member(node).is_none()) {
            let earlier = format!("{node} is no member of {epoch}");
            return Err(Breach::of(
                Evidence::at(view.step, earlier).about(epoch),
                service.fact(model.step),
            ));
        }
        let life = model.lives.get(&node).copied().unwrap_or_default();
        let drift = model.disks.managed().map_or(0, |config| config.drift_max_ppm);
        let clock = world.host(node).clock();
        let runs = |lease: &Lease| {
            model.now <= lease.ends() && clock.reading(model.now) < lease.believed_until(drift)
        };
        let earlier = match model.leases.held(node, life) {
            Some(lease) if lease.epoch == epoch && runs(lease) => return Ok(()),
            Some(lease) => {
                let (of, asked) = (lease.epoch, lease.asked.1);
                let ends = lease.ends().min(clock.true_time(lease.believed_until(drift)));
                let is = format!(
                    "{node}'s last lease is for {of}, from its heartbeat at {asked}, and ends at {ends}"
                );
                Evidence::at(lease.step, is).about(Subject::Lease(node)).about(of)
            }
            None => {
                let is = format!("{node} has been given no lease in this life");
                Evidence::at(0, is).about(Subject::Lease(node))
            }
        };
        let now = service.fact(model.step).reworded(|what| format!("at {} {what}", model.now));
        Err(Breach::of(earlier, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{Play, n, txn, voted_in};

    fn play() -> Play {
        let mut play = Play::managed(OnlyLeasedMembersServeAndVote);
        play.views(1, &[n(1), n(2)]);
        play.starts(n(1));
        play.at(1000).is_leased(n(1), 1);
        play
    }

    #[test]
    fn a_vote_after_the_lease_or_for_another_epoch_is_a_breach() {
        let mut late = play();
        let breach = late.at(3001).appends(n(1), voted_in(1, txn(1), "/a", 1, "x")).breaks();
        assert!(breach.earlier.is.starts_with("n1's last lease is for e1, from its heartbeat at"));
        assert!(breach.now.is.ends_with("n1 votes yes to n1.1/1 in e1"));
        let mut other = play();
        other.views(2, &[n(1), n(2)]);
        other.appends(n(1), voted_in(2, txn(1), "/a", 1, "x")).breaks();
    }

    #[test]
    fn a_vote_that_only_a_right_clock_makes_safe_is_a_breach() {
        // The lease is over at 3 s. With a drift of 500 ppm its holder stops 1 ms earlier.
        let breach = play().at(2999).appends(n(1), voted_in(1, txn(1), "/a", 1, "x")).breaks();
        assert!(breach.earlier.is.ends_with("and ends at 2.999000s"), "{}", breach.earlier.is);
    }

    #[test]
    fn a_life_that_was_never_given_a_lease_and_one_that_is_no_member_are_breaches() {
        let mut restarted = play();
        restarted.crashes(n(1));
        restarted.starts(n(1));
        let breach = restarted.appends(n(1), voted_in(1, txn(1), "/a", 1, "x")).breaks();
        assert_eq!(breach.earlier.is, "n1 has been given no lease in this life");
        let breach = play().appends(n(3), voted_in(1, txn(1), "/a", 1, "x")).breaks();
        assert_eq!(breach.earlier.is, "n3 is no member of e1");
    }

    #[test]
    fn a_vote_under_the_lease_is_none() {
        let mut play = play();
        play.at(2998).appends(n(1), voted_in(1, txn(1), "/a", 1, "x"));
        play.holds();
    }
}

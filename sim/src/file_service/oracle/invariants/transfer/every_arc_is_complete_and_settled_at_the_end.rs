//! Hand-overs end.

use crate::file_service::oracle::blocked::missed_arcs;
use crate::file_service::oracle::{Breach, Evidence, Invariant, Moment, Seen, SeenKinds};
use seedbed::machine::{NodeId, Span, Time};
use seedbed::proto::{Arcs, FileService, RecordKind};

/// When all faults are over and everything had its time, the newest view is in force, each of its
/// members claims all that it owns there, and the epoch has settled.
///
/// A hand-over that never ends keeps every promise by serving nothing. This is the liveness of
/// reconfiguration: Lamport, Malkhi, Zhou, "Reconfiguring a State Machine", SIGACT News 2010. A
/// piece whose every source is down, or is gone with its disk, is blocked or lost: its owners need
/// not claim it, and the epoch does not settle. All else that they own they must claim, and no
/// piece keeps a view from coming into force. A view that is younger than ten seconds has not had
/// its time: the network still loses messages, and now and then all heartbeats of a lease.
#[derive(Clone, Debug, Default)]
pub struct EveryArcIsCompleteAndSettledAtTheEnd {
    /// When the newest view was announced.
    since: Time,
}

/// How long a view may take to settle when nothing fails any more.
const TIME: Span = Span::from_secs(10);

impl Invariant<FileService> for EveryArcIsCompleteAndSettledAtTheEnd {
    fn interest(&self) -> SeenKinds {
        SeenKinds::durable(&[RecordKind::Announced])
    }

    fn see(&mut self, _: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        self.since = model.now;
        Ok(())
    }

    fn at_end(&mut self, Moment { model, world, .. }: &Moment<'_>) -> Result<(), Breach> {
        let Some(config) = model.disks.managed() else { return Ok(()) };
        let control = world.host(NodeId::CONTROL);
        let Some(newest) = model.views.newest() else { return Ok(()) };
        let epoch = newest.is.epoch;
        let members = || newest.is.members.iter().map(|member| member.node);
        let is_there = |node: NodeId| world.host(node).is_up() && !world.host(node).is_paused();
        let is_young = model.now < self.since + TIME;
        if is_young || !control.is_up() || !members().all(is_there) {
            return Ok(());
        }
        let announced = || Evidence::at(newest.step, format!("{epoch} was announced")).about(epoch);
        if model.views.active() != epoch {
            let now = Evidence::at(model.step, "at the end it is not in force").about(epoch);
            return Err(Breach::of(announced(), now));
        }
        let Some(placement) = model.views.placement(config, epoch) else { return Ok(()) };
        let missed = missed_arcs(model, world);
        for node in members() {
            let of_node = missed.iter().filter(|missed| missed.owner == node);
            let excused = of_node.fold(Arcs::default(), |all, missed| all.union(&missed.arcs));
            let claim = model.disks.get(node).and_then(|disk| disk.claims.get(&epoch));
            let claimed = claim.map_or(Arcs::default(), |claim| claim.is.clone());
            let missing = placement.owned_by(node).difference(&claimed).difference(&excused);
            if !missing.is_empty() {
                let now = format!("at the end {node} is not complete on {missing} of what it owns");
                return Err(Breach::of(announced(), Evidence::at(model.step, now).about(node)));
            }
        }
        let is_settled = model.views.settled().is_some_and(|settled| settled.is == epoch);
        match is_settled || !missed.is_empty() {
            true => Ok(()),
            false => {
                let now = Evidence::at(model.step, "at the end it has not settled").about(epoch);
                Err(Breach::of(announced(), now))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{Play, announced, born, entered, n};
    use seedbed::proto::{Epoch, Record};

    fn ends_later(play: &mut Play) -> &mut Play {
        play.at(20_000).ends()
    }

    fn play() -> Play {
        let mut play = Play::managed(EveryArcIsCompleteAndSettledAtTheEnd::default());
        play.really_starts(NodeId::CONTROL);
        play.really_starts(n(1));
        play.really_starts(n(2));
        play.views(1, &[n(1), n(2)]);
        play.is_complete(n(1), 1);
        play
    }

    #[test]
    fn an_owner_that_is_not_complete_is_a_breach() {
        let breach = ends_later(&mut play()).breaks();
        assert_eq!(breach.earlier.is, "e1 was announced");
        assert!(breach.now.is.starts_with("at the end n2 is not complete on"));
        let mut unsettled = play();
        unsettled.is_complete(n(2), 1);
        let breach = ends_later(&mut unsettled).breaks();
        assert_eq!(breach.now.is, "at the end it has not settled");
    }

    /// n1 and n2 are gone with their disks, and with those what only they owned. n3 is left, and
    /// claims what it had, or nothing.
    fn bereft(claims: bool) -> Play {
        let mut play = Play::managed(EveryArcIsCompleteAndSettledAtTheEnd::default());
        play.really_starts(NodeId::CONTROL);
        play.really_starts(n(3));
        play.views(1, &[n(1), n(2), n(3)]);
        for node in [n(1), n(2), n(3)] {
            play.forces(node, born());
            play.forces(node, entered(1, play.owned_in(1, node)));
        }
        play.forces(NodeId::CONTROL, Record::Converged { epoch: Epoch(1) });
        play.loses_its_disk(n(1));
        play.loses_its_disk(n(2));
        play.views(2, &[n(3)]);
        let had = play.owned_in(1, n(3));
        play.forces(n(3), entered(2, if claims { had } else { Arcs::default() }));
        assert_eq!(play.missed().len(), 1);
        play
    }

    #[test]
    fn what_is_lost_excuses_itself_and_that_the_view_does_not_settle() {
        let mut play = bereft(true);
        ends_later(&mut play);
        play.holds();
    }

    #[test]
    fn what_is_lost_excuses_nothing_else() {
        let breach = ends_later(&mut bereft(false)).breaks();
        assert!(breach.now.is.starts_with("at the end n3 is not complete on"));
        let mut play = bereft(true);
        play.forces(NodeId::CONTROL, announced(3, &[n(3)]));
        assert_eq!(ends_later(&mut play).breaks().now.is, "at the end it is not in force");
    }

    #[test]
    fn all_complete_or_a_member_that_is_down_is_none() {
        let mut play = play();
        play.is_complete(n(2), 1);
        play.forces(NodeId::CONTROL, Record::Converged { epoch: Epoch(1) });
        ends_later(&mut play);
        play.views(2, &[n(1), n(2), n(3)]);
        play.forces(n(1), entered(2, Arcs::default()));
        ends_later(&mut play);
        play.holds();
    }

    #[test]
    fn a_view_that_is_young_is_given_its_time() {
        let mut play = play();
        play.at(9_000).ends();
        play.holds();
    }
}

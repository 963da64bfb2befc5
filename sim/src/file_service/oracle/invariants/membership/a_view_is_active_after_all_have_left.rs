//! No member is declared gone too early.

use std::collections::BTreeMap;

use crate::file_service::oracle::{Breach, Evidence, Invariant, Model, Moment, Seen, SeenKinds};
use crate::file_service::subject_of::Subject;
use seedbed::machine::NodeId;
use seedbed::proto::{
    Epoch, FileService, FromCentre, Member, Message, MessageKind, Record, RecordKind,
};

/// A view comes into force when every member of the one before has durably left that, or the lease
/// that it was given last is over in true time, where a lease counts of which it has not left the
/// epoch; and from the announcement of a view on no lease is
/// given for the one before.
///
/// A slow node cannot be told from a dead one (Fischer, Lynch, Paterson, "Impossibility of
/// Distributed Consensus with One Faulty Process", JACM 1985; Chandra, Toueg, 1996). With leases
/// one need not: Gray, Cheriton, "Leases", SOSP 1989.
#[derive(Clone, Debug, Default)]
pub struct AViewIsActiveAfterAllHaveLeft {
    /// The newest epoch that each member has durably entered, also if its disk is gone since.
    entered: BTreeMap<Member, Epoch>,
}

impl Invariant<FileService> for AViewIsActiveAfterAllHaveLeft {
    fn interest(&self) -> SeenKinds {
        SeenKinds::appended(&[RecordKind::Activated])
            | SeenKinds::durable(&[RecordKind::Entered])
            | SeenKinds::sent(&[MessageKind::Alive])
    }

    fn see(&mut self, seen: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        match *seen {
            Seen::Appended { record: Record::Activated { epoch }, .. } => {
                self.on_activated(*epoch, model)
            }
            Seen::Durable { node, record: Record::Entered { epoch, .. }, .. } => {
                let born = model.disks.get(node).and_then(|disk| disk.born.as_ref());
                if let Some(admission) = born.map(|born| born.is) {
                    self.entered.insert(Member { node, admission }, *epoch);
                }
                Ok(())
            }
            Seen::Sent {
                from,
                to,
                message: Message::FromCentre(FromCentre::Alive { epoch, .. }),
                ..
            } => on_alive(from, to, *epoch, model),
            _ => Ok(()),
        }
    }
}

impl AViewIsActiveAfterAllHaveLeft {
    fn on_activated(&self, epoch: Epoch, model: &Model) -> Result<(), Breach> {
        let before = Epoch(epoch.0.saturating_sub(1));
        let Some(view) = model.views.view(before) else { return Ok(()) };
        for member in view.is.members.iter() {
            let entered = self.entered.get(member).copied().unwrap_or_default();
            if entered >= epoch {
                continue;
            }
            if let Some((ends, step, of)) = model.leases.given_in(member.node, entered..epoch)
                && ends > model.now
            {
                let earlier = format!("{member} was given a lease for {of} that ends at {ends}");
                let now = format!(
                    "at {} control puts {epoch} into force, and {member} has not durably left {before}",
                    model.now
                );
                let lease = Subject::Lease(member.node);
                return Err(Breach::of(
                    Evidence::at(step, earlier).about(lease).about(of),
                    Evidence::at(model.step, now).absent().about(epoch).about(before),
                ));
            }
        }
        Ok(())
    }
}

fn on_alive(from: NodeId, to: NodeId, epoch: Epoch, model: &Model) -> Result<(), Breach> {
    match model.views.newest() {
        Some(newest) if newest.is.epoch > epoch && model.is_put_together_now(from) => {
            let earlier = format!("{} was announced", newest.is.epoch);
            let now = format!("{from} gives {to} a lease for {epoch}");
            Err(Breach::of(
                Evidence::at(newest.step, earlier).about(newest.is.epoch),
                Evidence::at(model.step, now).about(Subject::Lease(to)).about(epoch),
            ))
        }
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{Play, activated, announced, entered, n};
    use seedbed::proto::Arcs;

    const CONTROL: NodeId = NodeId::CONTROL;

    fn play() -> Play {
        let mut play = Play::managed(AViewIsActiveAfterAllHaveLeft::default());
        play.views(1, &[n(1), n(2)]);
        play.is_complete(n(1), 1);
        play.is_complete(n(2), 1);
        play.starts(n(1));
        play.at(1000).is_leased(n(1), 1);
        play.forces(CONTROL, announced(2, &[n(2), n(3)]));
        play
    }

    #[test]
    fn a_member_that_may_still_serve_is_a_breach() {
        let mut play = play();
        play.at(2999).appends(n(1), entered(2, Arcs::default()));
        let breach = play.appends(CONTROL, activated(2)).breaks();
        assert!(breach.earlier.is.starts_with("n1 was given a lease for e1 that ends at"));
        assert!(breach.now.is.ends_with("and n1 has not durably left e1"));
    }

    #[test]
    fn a_lease_after_the_announcement_is_a_breach() {
        let breach = play().is_leased(n(1), 1).breaks();
        assert_eq!(breach.earlier.is, "e2 was announced");
        assert_eq!(breach.now.is, "control gives n1 a lease for e1");
    }

    #[test]
    fn members_that_have_left_or_whose_lease_is_over_are_none() {
        let mut left = play();
        left.forces(n(1), entered(2, Arcs::default()));
        left.appends(CONTROL, activated(2));
        left.holds();
        let mut gone = play();
        gone.forces(n(1), entered(2, Arcs::default()));
        gone.loses_its_disk(n(1));
        gone.appends(CONTROL, activated(2));
        gone.holds();
        let mut over = play();
        over.at(3000).appends(CONTROL, activated(2));
        over.holds();
    }
}

//! Copies go when no node needs them any more.

use crate::file_service::oracle::{Breach, Evidence, Invariant, Moment, Seen, SeenKinds};
use seedbed::proto::{Arcs, FileService, Member, Record, RecordKind};

/// A node gives up older claims, and copies that it does not own, only for an epoch that the centre
/// has durably called settled; it keeps exactly what it owns there; and an epoch is called settled
/// only when each of its members has durably claimed all that it owns.
///
/// Until then another node may still have to pull, from this very node. Reconfiguration may forget
/// the old configuration when the new one has taken over all of its state: Lamport, Malkhi, Zhou,
/// "Reconfiguring a State Machine", SIGACT News 2010, section 3.
#[derive(Clone, Debug, Default)]
pub struct CopiesAreGivenUpOnlyForSettledEpochs;

impl Invariant<FileService> for CopiesAreGivenUpOnlyForSettledEpochs {
    fn interest(&self) -> SeenKinds {
        SeenKinds::appended(&[RecordKind::GaveUp, RecordKind::Converged])
    }

    fn see(&mut self, seen: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        let Seen::Appended { node, record, .. } = *seen else { return Ok(()) };
        let Some(config) = model.disks.managed() else { return Ok(()) };
        match record {
            Record::GaveUp { epoch, keeps } => {
                let now = || {
                    let is = format!("{node} gives up what it claims of epochs before {epoch}");
                    Evidence::at(model.step, is).about(*epoch)
                };
                let settled = model.views.settled();
                if settled.is_none_or(|settled| settled.is < *epoch) {
                    let step = settled.map_or(0, |settled| settled.step);
                    let earlier = Evidence::at(step, format!("{epoch} has not settled"));
                    return Err(Breach::of(earlier.about(*epoch), now()));
                }
                // Under an older number it was another disk that owned anything.
                let born = model.disks.get(node).and_then(|disk| disk.born.as_ref());
                let member = model.views.member(*epoch, node);
                let is_member =
                    member.is_some_and(|m| born.is_some_and(|born| born.is == m.admission));
                let placement = model.views.placement(config, *epoch).filter(|_| is_member);
                let owned = placement.map_or(Arcs::default(), |p| p.owned_by(node));
                match *keeps == owned {
                    true => Ok(()),
                    false => {
                        let earlier = format!("{node} owns {owned} in {epoch}");
                        let step = model.views.view(*epoch).map_or(0, |view| view.step);
                        Err(Breach::of(
                            Evidence::at(step, earlier).about(*epoch),
                            now().reworded(|now| format!("{now} and keeps {keeps}")),
                        ))
                    }
                }
            }
            Record::Converged { epoch } => {
                let Some(view) = model.views.view(*epoch) else { return Ok(()) };
                let Some(placement) = model.views.placement(config, *epoch) else {
                    return Ok(());
                };
                // A member whose disk was lost since has said so before; the log that proves it is
                // lost.
                let left = |member: &&Member| model.disks.gone(**member).is_none();
                for member in view.is.members.iter().filter(left) {
                    let disk = model.disks.get(member.node);
                    let claim = disk.and_then(|disk| disk.claims.get(epoch));
                    let claimed = claim.map_or(Arcs::default(), |claim| claim.is.clone());
                    let missing = placement.owned_by(member.node).difference(&claimed);
                    if !missing.is_empty() {
                        let what = format_args!("claim on {missing} of what it owns in {epoch}");
                        let now = format!("{node} calls {epoch} settled");
                        return Err(Breach::of(
                            model.log_lacks(member.node, what).about(*epoch),
                            Evidence::at(model.step, now).about(*epoch),
                        ));
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{Play, n};
    use seedbed::machine::NodeId;
    use seedbed::proto::Epoch;

    fn play() -> Play {
        let mut play = Play::managed(CopiesAreGivenUpOnlyForSettledEpochs);
        play.views(1, &[n(1), n(2)]);
        play.is_complete(n(1), 1);
        play
    }

    fn gave_up(keeps: Arcs) -> Record {
        Record::GaveUp { epoch: Epoch(1), keeps }
    }

    const SETTLED: Record = Record::Converged { epoch: Epoch(1) };

    #[test]
    fn to_give_up_before_all_is_settled_or_more_than_is_lawful_is_a_breach() {
        let breach = play().appends(n(1), gave_up(Arcs::all())).breaks();
        assert_eq!(breach.earlier.is, "e1 has not settled");
        let breach = play().appends(NodeId::CONTROL, SETTLED).breaks();
        assert!(breach.earlier.is.contains("no claim on 1 arc, 100.0 % of what it owns in e1"));
        let mut keeps_nothing = play();
        keeps_nothing.is_complete(n(2), 1);
        keeps_nothing.forces(NodeId::CONTROL, SETTLED);
        keeps_nothing.appends(n(1), gave_up(Arcs::default())).breaks();
    }

    #[test]
    fn to_give_up_what_others_have_is_none() {
        let mut play = play();
        play.is_complete(n(2), 1);
        play.forces(NodeId::CONTROL, SETTLED);
        play.appends(n(1), gave_up(Arcs::all()));
        play.holds();
    }
}

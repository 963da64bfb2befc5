//! The order of views.

use crate::file_service::oracle::{
    At, Breach, Evidence, Invariant, Model, Moment, Seen, SeenKinds,
};
use seedbed::machine::NodeId;
use seedbed::proto::{Epoch, FileService, Message, MessageKind, Record, RecordKind, View, Views};

/// Views have epochs that grow by one, one content each, and at least one member; the next is
/// announced only when the newest is in force; only what was announced comes into force, and only
/// what is in force settles. And no machine is told of a view before it is durable.
///
/// Two members that follow two views of one number, or skip one in which something was committed,
/// disagree about which node owns what. One view at a time is also what makes leases enough to keep
/// epochs apart. Birman, Joseph, "Exploiting Virtual Synchrony in Distributed Systems", SOSP 1987;
/// Schiper, Toueg, "From Set Membership to Group Membership", 2006.
#[derive(Clone, Debug, Default)]
pub struct ViewsAreDecidedOnceAndInOrder {
    newest: Option<At<View>>,
    active: Option<At<Epoch>>,
    settled: Option<At<Epoch>>,
}

impl Invariant<FileService> for ViewsAreDecidedOnceAndInOrder {
    fn interest(&self) -> SeenKinds {
        let records = [RecordKind::Announced, RecordKind::Activated, RecordKind::Converged];
        SeenKinds::durable(&records) | SeenKinds::sent(&[MessageKind::Views])
    }

    fn see(&mut self, seen: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        match *seen {
            Seen::Durable { record: Record::Announced { view }, .. } => {
                self.on_announced(view, model)
            }
            Seen::Durable { record: Record::Activated { epoch }, .. } => {
                let at = At { step: model.step, is: *epoch };
                let announced = self.newest.as_ref().map_or(Epoch(0), |newest| newest.is.epoch);
                let before = self.active.replace(at);
                match *epoch == announced && before.as_ref().is_none_or(|b| b.is < *epoch) {
                    true => Ok(()),
                    false => {
                        let earlier = format!("the newest view announced is {announced}");
                        let step = self.newest.as_ref().map_or(0, |newest| newest.step);
                        Err(Breach::of(
                            Evidence::at(step, earlier).about(announced),
                            Evidence::at(model.step, format!("{epoch} comes into force"))
                                .about(*epoch),
                        ))
                    }
                }
            }
            Seen::Durable { record: Record::Converged { epoch }, .. } => {
                let at = At { step: model.step, is: *epoch };
                let (step, active) =
                    self.active.as_ref().map_or((0, Epoch(0)), |active| (active.step, active.is));
                let before = self.settled.replace(at);
                match *epoch == active && before.is_none_or(|before| before.is < *epoch) {
                    true => Ok(()),
                    false => {
                        let earlier = format!("{active} came into force last");
                        Err(Breach::of(
                            Evidence::at(step, earlier).about(active),
                            Evidence::at(model.step, format!("{epoch} settles")).about(*epoch),
                        ))
                    }
                }
            }
            Seen::Sent { from, to, message: Message::Views(Views { views, .. }), .. } => {
                for view in views.iter() {
                    let epoch = view.epoch;
                    let now = || {
                        let is = format!("{from} tells {to} of {epoch}");
                        Evidence::at(model.step, is).about(epoch)
                    };
                    let Some(durable) = model.views.view(epoch) else {
                        let lacks = model.log_lacks(from, format_args!("view {epoch}"));
                        return Err(Breach::of(lacks.about(epoch), now()));
                    };
                    if durable.is != *view {
                        let earlier = format!("{epoch} was announced with other contents");
                        let earlier = Evidence::at(durable.step, earlier).about(epoch);
                        return Err(Breach::of(earlier, now()));
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

impl ViewsAreDecidedOnceAndInOrder {
    fn on_announced(&mut self, view: &View, model: &Model) -> Result<(), Breach> {
        let at = At { step: model.step, is: view.clone() };
        let before = self.newest.replace(at);
        let epoch = view.epoch;
        let now = || Evidence::at(model.step, format!("{epoch} is announced")).about(epoch);
        let in_order = view.members.windows(2).all(|two| two[0].node < two[1].node);
        if view.members.is_empty() || !in_order {
            let is = "a view has members, each once and in the order of their names";
            return Err(Breach::of(Evidence::at(model.step, is), now()));
        }
        let Some(before) = before else { return Ok(()) };
        let newest = before.is.epoch;
        if epoch != newest.next() {
            let earlier = Evidence::at(before.step, format!("{newest} was announced last"));
            return Err(Breach::of(earlier.about(newest), now()));
        }
        match self.active.as_ref().is_some_and(|active| active.is == newest) {
            true => Ok(()),
            false => {
                let earlier = not_in_force(newest, model);
                Err(Breach::of(Evidence { step: before.step, ..earlier }, now()))
            }
        }
    }
}

/// The view has not come into force, and which members of the one before it waits for.
fn not_in_force(epoch: Epoch, model: &Model) -> Evidence {
    let is = format!("{epoch} was announced and has not come into force");
    let before = Epoch(epoch.0.saturating_sub(1));
    let members = model.views.view(before).map_or(&[][..], |view| &view.is.members);
    let waits_for = members.iter().filter(|member| !model.views.has_left(**member, before));
    let nodes: Vec<NodeId> = waits_for.map(|member| member.node).collect();
    let is = match &nodes[..] {
        [] => is,
        some => {
            let names: Vec<String> = some.iter().map(NodeId::to_string).collect();
            format!("{is}; still in {before}, as far as control knows: {}", names.join(" "))
        }
    };
    Evidence::at(model.step, is).about(epoch).about_all(nodes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{Play, activated, announced, n, view};
    use seedbed::machine::NodeId;

    const CONTROL: NodeId = NodeId::CONTROL;

    fn play() -> Play {
        let mut play = Play::managed(ViewsAreDecidedOnceAndInOrder::default());
        play.views(1, &[n(1), n(2)]);
        play
    }

    fn views(of: View) -> Message {
        Message::Views(Views {
            asked: None,
            views: [of].into(),
            settled: Epoch(0),
            lost: [].into(),
        })
    }

    #[test]
    fn a_view_that_is_skipped_repeated_empty_or_too_early_is_a_breach() {
        let again = announced(1, &[n(1)]);
        let breach = play().forces(CONTROL, again).breaks();
        assert_eq!(breach.earlier.is, "e1 was announced last");
        play().forces(CONTROL, announced(3, &[n(1)])).breaks();
        play().forces(CONTROL, announced(2, &[])).breaks();
        play().forces(CONTROL, activated(2)).breaks();
        play().forces(CONTROL, Record::Converged { epoch: Epoch(2) }).breaks();
        let mut early = play();
        early.forces(CONTROL, announced(2, &[n(1)]));
        let breach = early.forces(CONTROL, announced(3, &[n(2)])).breaks();
        let earlier = "e2 was announced and has not come into force; still in e1, as far as control \
                       knows: n1 n2";
        assert_eq!(breach.earlier.is, earlier);
    }

    #[test]
    fn a_view_that_is_told_before_it_is_durable_or_otherwise_than_it_is_is_a_breach() {
        play().sends(CONTROL, n(1), views(view(2, &[n(1)]))).breaks();
        play().sends(CONTROL, n(1), views(view(1, &[n(1)]))).breaks();
    }

    #[test]
    fn one_after_the_other_is_none() {
        let mut play = play();
        play.forces(CONTROL, Record::Converged { epoch: Epoch(1) });
        play.sends(CONTROL, n(1), views(view(1, &[n(1), n(2)])));
        play.views(2, &[n(1)]);
        play.views(3, &[n(1), n(2)]);
        play.holds();
    }
}

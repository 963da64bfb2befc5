//! A number names one disk.

use std::collections::BTreeMap;

use crate::file_service::oracle::{At, Breach, Evidence, Invariant, Moment, Seen, SeenKinds};
use seedbed::machine::{Incarnation, NodeId};
use seedbed::proto::{
    Admission, FileService, FromCentre, Member, Message, MessageKind, Record, RecordKind,
};

/// The centre gives each number once, and only the newest life of a node one, durably before it
/// says so, and only to that life; and a node takes one that it was given, on one disk.
///
/// A late copy of what an earlier life asked is answered with the number of that life, also if its
/// disk is lost by then: the answer names the life, and no later one takes it.
///
/// A node that lost its disk and comes back under its old name would be taken for one that has kept
/// its promises: it would be asked for its vote and deny it, and be believed. That is why
/// Viewstamped Replication lets a replica without its state back only by recovery (Liskov, Cowling,
/// "Viewstamped Replication Revisited", 2012, section 4.3), and why Kafka and etcd give each member
/// that joins a new id. And a node that has its number would be a stranger if it were given
/// another: it does not ask any more, so it is one for ever.
#[derive(Clone, Debug, Default)]
pub struct AdmissionsAreUsedOnce {
    given: BTreeMap<Admission, At<(NodeId, Incarnation)>>,
    asked: BTreeMap<NodeId, At<Incarnation>>,
    used: BTreeMap<Member, At<()>>,
}

impl Invariant<FileService> for AdmissionsAreUsedOnce {
    fn interest(&self) -> SeenKinds {
        SeenKinds::durable(&[RecordKind::Admitted, RecordKind::Born])
            | SeenKinds::sent(&[MessageKind::Admitted])
    }

    fn see(&mut self, seen: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        let step = model.step;
        match *seen {
            Seen::Durable { record: Record::Admitted { member, incarnation }, .. } => {
                let Member { node, admission } = *member;
                let now = || {
                    let is = format!("{node} in {incarnation} is given the number {admission}");
                    Evidence::at(model.step, is).about(node)
                };
                if let Some(before) =
                    self.given.insert(admission, At { step, is: (node, *incarnation) })
                {
                    return Err(Breach::of(was_given(&before, admission), now()));
                }
                match self.asked.insert(node, At { step, is: *incarnation }) {
                    Some(before) if before.is >= *incarnation => {
                        let earlier = format!("{node} in {} was given a number", before.is);
                        Err(Breach::of(Evidence::at(before.step, earlier).about(node), now()))
                    }
                    _ => Ok(()),
                }
            }
            Seen::Durable { node, record: Record::Born { admission }, .. } => {
                let member = Member { node, admission: *admission };
                let now = || Evidence::at(model.step, format!("{node} is {admission}")).about(node);
                if let Some(before) = self.used.insert(member, At { step, is: () }) {
                    let earlier = format!("{node} was {admission} on another disk");
                    let earlier = Evidence::at(before.step, earlier).about(node);
                    return Err(Breach::of(earlier, now()));
                }
                match self.given.get(admission) {
                    Some(given) if given.is.0 == node => Ok(()),
                    Some(given) => Err(Breach::of(was_given(given, *admission), now())),
                    None => {
                        let what = format_args!("number {admission} for {node}");
                        Err(Breach::of(model.log_lacks(NodeId::CONTROL, what).about(node), now()))
                    }
                }
            }
            Seen::Sent {
                from,
                to,
                message: Message::FromCentre(FromCentre::Admitted { admission, incarnation }),
                ..
            } => {
                let now = || {
                    let is = format!(
                        "{from} tells {to} in {incarnation} that its number is {admission}"
                    );
                    Evidence::at(model.step, is).about(to)
                };
                match self.given.get(admission).filter(|given| given.is.0 == to) {
                    Some(given) if given.is.1 == *incarnation => Ok(()),
                    Some(given) => {
                        let lost = model.disks.gone(Member { node: to, admission: *admission });
                        let is = format!("the disk of {to} that had this number was lost");
                        let lost = lost.map(|lost| Evidence::at(lost, is).about(to));
                        Err(Breach::of(lost.unwrap_or(was_given(given, *admission)), now()))
                    }
                    None => {
                        let what = format_args!("number {admission} for {to}");
                        Err(Breach::of(model.log_lacks(from, what).about(to), now()))
                    }
                }
            }
            _ => Ok(()),
        }
    }
}

fn was_given(given: &At<(NodeId, Incarnation)>, admission: Admission) -> Evidence {
    let (node, incarnation) = given.is;
    let is = format!("{node} in {incarnation} was given the number {admission}");
    Evidence::at(given.step, is).about(node)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{Play, born, n};
    use seedbed::proto::Config;

    const CONTROL: NodeId = NodeId::CONTROL;

    fn admitted(number: u16) -> Record {
        let member = Member { node: n(number), admission: Config::FIRST_ADMISSION };
        Record::Admitted { member, incarnation: Incarnation(1) }
    }

    fn tells(incarnation: u32) -> Message {
        let incarnation = Incarnation(incarnation);
        Message::FromCentre(FromCentre::Admitted {
            incarnation,
            admission: Config::FIRST_ADMISSION,
        })
    }

    fn play() -> Play {
        let mut play = Play::managed(AdmissionsAreUsedOnce::default());
        play.forces(CONTROL, admitted(1));
        play
    }

    #[test]
    fn a_number_for_two_nodes_or_two_disks_is_a_breach() {
        play().forces(CONTROL, admitted(2)).breaks();
        play().forces(n(2), born()).breaks();
        let mut wiped = play();
        wiped.forces(n(1), born());
        wiped.loses_its_disk(n(1));
        let mut told = wiped;
        told.sends(CONTROL, n(1), tells(1));
        let breach = told.sends(CONTROL, n(1), tells(2)).breaks();
        assert_eq!(breach.earlier.is, "the disk of n1 that had this number was lost");
        let breach = play().sends(CONTROL, n(1), tells(2)).breaks();
        assert_eq!(breach.earlier.is, "n1 in i1 was given the number a1");
        let mut again = play();
        again.forces(n(1), born());
        again.loses_its_disk(n(1));
        let breach = again.forces(n(1), born()).breaks();
        assert!(breach.earlier.is.ends_with("on another disk"));
    }

    #[test]
    fn two_numbers_for_one_life_or_one_for_an_older_life_are_a_breach() {
        let member = Member { node: n(1), admission: Config::FIRST_ADMISSION.next() };
        let second = |incarnation| Record::Admitted { member, incarnation };
        for incarnation in [Incarnation(0), Incarnation(1)] {
            let breach = play().forces(CONTROL, second(incarnation)).breaks();
            assert_eq!(breach.earlier.is, "n1 in i1 was given a number");
        }
        let mut newer = play();
        newer.forces(CONTROL, second(Incarnation(2)));
        newer.holds();
    }

    #[test]
    fn a_number_that_is_not_durable_is_a_breach() {
        let mut play = Play::managed(AdmissionsAreUsedOnce::default());
        play.appends(CONTROL, admitted(1));
        play.sends(CONTROL, n(1), tells(1)).breaks();
    }

    #[test]
    fn one_number_for_one_disk_is_none() {
        let mut play = play();
        play.sends(CONTROL, n(1), tells(1));
        play.sends(CONTROL, n(1), tells(1));
        play.forces(n(1), born());
        play.holds();
    }
}

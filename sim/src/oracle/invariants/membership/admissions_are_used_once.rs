//! A number names one disk.

use std::collections::BTreeMap;

use crate::oracle::{At, Breach, Invariant, Model, Seen, SeenKinds};
use crate::world::World;
use seedbed::proto::{
    Admission, Incarnation, Member, Message, MessageKind, NodeId, Record, RecordKind,
};

/// The centre gives each number once, and only the newest life of a node one, durably before it
/// says so; and a node takes one that it was given, on one disk.
///
/// A node that lost its disk and comes back under its old name would be taken for one that has kept
/// its promises: it would be asked for its vote and deny it, and be believed. That is why Viewstamped
/// Replication lets a replica without its state back only by recovery (Liskov, Cowling,
/// "Viewstamped Replication Revisited", 2012, section 4.3), and why Kafka and etcd give each member
/// that joins a new id. And a node that has its number would be a stranger if it were given another:
/// it does not ask any more, so it is one for ever.
#[derive(Clone, Debug, Default)]
pub struct AdmissionsAreUsedOnce {
    given: BTreeMap<Admission, At<NodeId>>,
    asked: BTreeMap<NodeId, At<Incarnation>>,
    used: BTreeMap<Member, At<()>>,
}

impl Invariant for AdmissionsAreUsedOnce {
    fn name(&self) -> &'static str {
        "admissions_are_used_once"
    }

    fn interest(&self) -> SeenKinds {
        SeenKinds::durable(&[RecordKind::Admitted, RecordKind::Born])
            | SeenKinds::sent(&[MessageKind::Admitted])
    }

    fn see(&mut self, seen: &Seen<'_>, model: &Model, _: &World) -> Result<(), Breach> {
        let step = model.step;
        match *seen {
            Seen::Durable { record: Record::Admitted { member, incarnation }, .. } => {
                let Member { node, admission } = *member;
                let now = format!("{node} in {incarnation} is given the number {admission}");
                if let Some(before) = self.given.insert(admission, At { step, is: node }) {
                    let earlier = format!("{} was given the number {admission}", before.is);
                    return model.breach(before.step, earlier, now);
                }
                match self.asked.insert(node, At { step, is: *incarnation }) {
                    Some(before) if before.is >= *incarnation => {
                        let earlier = format!("{node} in {} was given a number", before.is);
                        model.breach(before.step, earlier, now)
                    }
                    _ => Ok(()),
                }
            }
            Seen::Durable { node, record: Record::Born { admission }, .. } => {
                let member = Member { node, admission: *admission };
                if let Some(before) = self.used.insert(member, At { step, is: () }) {
                    let earlier = format!("{node} was {admission} on another disk");
                    return model.breach(before.step, earlier, format!("{node} is {admission}"));
                }
                match self.given.get(admission) {
                    Some(given) if given.is == node => Ok(()),
                    Some(given) => {
                        let earlier = format!("{} was given the number {admission}", given.is);
                        model.breach(given.step, earlier, format!("{node} is {admission}"))
                    }
                    None => {
                        let what = format_args!("number {admission} for {node}");
                        let (step, lacks) = model.log_lacks(NodeId::CONTROL, what);
                        model.breach(step, lacks, format!("{node} is {admission}"))
                    }
                }
            }
            Seen::Sent { from, to, message: Message::Admitted { admission, .. }, .. } => {
                let now = format!("{from} tells {to} that its number is {admission}");
                let member = Member { node: to, admission: *admission };
                if let Some(lost) = model.disks.gone(member) {
                    let earlier = format!("the disk of {to} that had this number was lost");
                    return model.breach(lost, earlier, now);
                }
                match self.given.get(admission).filter(|given| given.is == to) {
                    Some(_) => Ok(()),
                    None => {
                        let what = format_args!("number {admission} for {to}");
                        let (step, lacks) = model.log_lacks(from, what);
                        model.breach(step, lacks, now)
                    }
                }
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::tests::testing::{Play, born, n};
    use seedbed::proto::Config;

    const CONTROL: NodeId = NodeId::CONTROL;

    fn admitted(number: u16) -> Record {
        let member = Member { node: n(number), admission: Config::FIRST_ADMISSION };
        Record::Admitted { member, incarnation: Incarnation(1) }
    }

    fn tells() -> Message {
        Message::Admitted { incarnation: Incarnation(1), admission: Config::FIRST_ADMISSION }
    }

    fn play() -> Play<AdmissionsAreUsedOnce> {
        let mut play = Play::managed(AdmissionsAreUsedOnce::default());
        play.forces(CONTROL, admitted(1));
        play
    }

    #[test]
    fn a_number_for_two_nodes_or_two_disks_is_a_breach() {
        play().breaks(|play| play.forces(CONTROL, admitted(2)));
        play().breaks(|play| play.forces(n(2), born()));
        let mut wiped = play();
        wiped.forces(n(1), born());
        wiped.loses_its_disk(n(1));
        let mut told = wiped;
        let breach = told.breaks(|play| play.sends(CONTROL, n(1), tells()));
        assert_eq!(breach.earlier.is, "the disk of n1 that had this number was lost");
        let mut again = play();
        again.forces(n(1), born());
        again.loses_its_disk(n(1));
        let breach = again.breaks(|play| play.forces(n(1), born()));
        assert!(breach.earlier.is.ends_with("on another disk"));
    }

    #[test]
    fn two_numbers_for_one_life_or_one_for_an_older_life_are_a_breach() {
        let member = Member { node: n(1), admission: Config::FIRST_ADMISSION.next() };
        let second = |incarnation| Record::Admitted { member, incarnation };
        for incarnation in [Incarnation(0), Incarnation(1)] {
            let breach = play().breaks(|play| play.forces(CONTROL, second(incarnation)));
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
        play.breaks(|play| play.sends(CONTROL, n(1), tells()));
    }

    #[test]
    fn one_number_for_one_disk_is_none() {
        let mut play = play();
        play.sends(CONTROL, n(1), tells());
        play.sends(CONTROL, n(1), tells());
        play.forces(n(1), born());
        play.holds();
    }
}

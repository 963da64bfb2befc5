//! No lease before the entry is recorded.

use std::collections::BTreeMap;

use crate::file_service::oracle::{
    At, Breach, Evidence, Invariant, Model, Moment, Seen, SeenKinds,
};
use crate::file_service::subject_of::Subject;
use seedbed::machine::{Incarnation, NodeId};
use seedbed::proto::{
    Admission, Epoch, FileService, FromCentre, Member, Message, MessageKind, Record, RecordKind,
};

/// The centre gives a lease for an epoch only to a member of which it has durably recorded that it
/// has entered this epoch or a later one. The entry of the disk before does not count for a node
/// that has a new number.
///
/// When a disk is lost, the centre speaks for it: in an epoch that the member is not recorded to
/// have entered it has voted for nothing. A member serves and votes only under a lease, so the
/// record comes before the first vote, as the vote comes before its yes (Gray, "Notes on Data Base
/// Operating Systems", 1978). A lease that comes earlier lets a member commit in an epoch that
/// others are told it never was in.
#[derive(Clone, Debug, Default)]
pub struct LeasesFollowRecordedEntries {
    /// The number that was given to a life, under which it and those after it are members.
    numbers: BTreeMap<(NodeId, Incarnation), Admission>,
    /// The newest epoch that each member is recorded to have entered.
    recorded: BTreeMap<Member, At<Epoch>>,
}

impl Invariant<FileService> for LeasesFollowRecordedEntries {
    fn interest(&self) -> SeenKinds {
        SeenKinds::durable(&[RecordKind::Admitted, RecordKind::Recorded])
            | SeenKinds::sent(&[MessageKind::Alive])
    }

    fn see(&mut self, seen: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        match *seen {
            Seen::Durable { record: Record::Admitted { member, incarnation }, .. } => {
                self.numbers.insert((member.node, *incarnation), member.admission);
                Ok(())
            }
            Seen::Durable { record: Record::Recorded { member, entered, .. }, .. } => {
                self.recorded.insert(*member, At { step: model.step, is: *entered });
                Ok(())
            }
            Seen::Sent {
                from,
                to,
                message: Message::FromCentre(FromCentre::Alive { incarnation, epoch, .. }),
                ..
            } => self.on_alive(from, (to, *incarnation), *epoch, model),
            _ => Ok(()),
        }
    }
}

impl LeasesFollowRecordedEntries {
    fn on_alive(
        &self,
        from: NodeId,
        life: (NodeId, Incarnation),
        epoch: Epoch,
        model: &Model,
    ) -> Result<(), Breach> {
        let to = life.0;
        let recorded = self.member(life).and_then(|member| self.recorded.get(&member));
        let earlier = match recorded {
            Some(entered) if entered.is >= epoch => return Ok(()),
            Some(entered) => {
                let is = format!(
                    "the newest epoch that {to} is recorded to have entered is {}",
                    entered.is
                );
                Evidence::at(entered.step, is).about(entered.is)
            }
            None => {
                let what = format_args!("record that {to} has entered {epoch} under its number");
                model.log_lacks(from, what).about(epoch)
            }
        };
        let now = format!("{from} gives {to} a lease for {epoch}");
        let now = Evidence::at(model.step, now).about(Subject::Lease(to)).about(epoch);
        Err(Breach::of(earlier, now))
    }

    /// The member that this life of a node is.
    fn member(&self, (node, life): (NodeId, Incarnation)) -> Option<Member> {
        let lives = (node, Incarnation::default())..=(node, life);
        let (_, &admission) = self.numbers.range(lives).next_back()?;
        Some(Member { node, admission })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{Play, n};
    use seedbed::proto::Config;

    const CONTROL: NodeId = NodeId::CONTROL;

    fn member(admission: Admission) -> Member {
        Member { node: n(1), admission }
    }

    fn recorded(epoch: u32) -> Record {
        Record::Recorded {
            member: member(Config::FIRST_ADMISSION),
            entered: Epoch(epoch),
            open: [].into(),
        }
    }

    /// The life that n1 is in has its first number, and e1 is in force.
    fn play() -> Play {
        let mut play = Play::managed(LeasesFollowRecordedEntries::default());
        play.starts(n(1));
        admits(&mut play, Config::FIRST_ADMISSION);
        play.views(1, &[n(1), n(2)]);
        play
    }

    fn admits(play: &mut Play, admission: Admission) {
        let incarnation = play.model().life(n(1));
        play.forces(CONTROL, Record::Admitted { member: member(admission), incarnation });
    }

    #[test]
    fn a_lease_before_the_record_is_a_breach() {
        let breach = play().is_leased(n(1), 1).breaks();
        assert!(breach.earlier.is.ends_with("no record that n1 has entered e1 under its number"));
        assert_eq!(breach.now.is, "control gives n1 a lease for e1");
        let mut lazy = play();
        lazy.appends(CONTROL, recorded(1));
        lazy.is_leased(n(1), 1).breaks();
    }

    #[test]
    fn a_lease_for_a_later_epoch_than_is_recorded_is_a_breach() {
        let mut play = play();
        play.forces(CONTROL, recorded(1));
        play.views(2, &[n(1), n(2)]);
        let breach = play.is_leased(n(1), 2).breaks();
        assert_eq!(breach.earlier.is, "the newest epoch that n1 is recorded to have entered is e1");
    }

    #[test]
    fn an_entry_of_the_disk_before_does_not_count() {
        let mut play = play();
        play.forces(CONTROL, recorded(1));
        play.crashes(n(1));
        play.loses_its_disk(n(1));
        play.starts(n(1));
        admits(&mut play, Config::FIRST_ADMISSION.next());
        play.is_leased(n(1), 1).breaks();
    }

    #[test]
    fn a_lease_behind_the_record_is_none_also_in_a_later_life() {
        let mut play = play();
        play.forces(CONTROL, recorded(1));
        play.is_leased(n(1), 1);
        play.crashes(n(1));
        play.starts(n(1));
        play.is_leased(n(1), 1);
        play.holds();
    }
}

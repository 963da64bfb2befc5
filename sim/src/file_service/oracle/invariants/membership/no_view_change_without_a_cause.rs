//! Views change for a reason.

use std::collections::BTreeMap;

use crate::file_service::World;
use crate::file_service::oracle::{
    At, Breach, Evidence, Invariant, Model, Moment, Seen, SeenKinds,
};
use crate::file_service::trace;
use seedbed::machine::{NodeId, Span, Time};
use seedbed::proto::lease::LeaseTerms;
use seedbed::proto::{
    Admission, FileService, Member, Message, MessageKind, Record, RecordKind, ToCentre, View,
    Wanted,
};

/// A view differs from the one before, and only in what has a cause: a member is left out if the
/// operator does not want it or gives it up, if it has come back under another admission, or if for
/// a membership lease the centre has received no heartbeat from it in the epoch in force; one is
/// added if it is wanted and was heard by this life of the centre; all else is as the operator
/// wants it, and what that is only the operator changes. If no wanted node is there, the nodes of
/// the view before stay, under another admission if they have one. A heartbeat counts if its sender
/// was answered within two leases of the epoch in force: a node that does not hear the centre has
/// no lease, whatever it says.
///
/// A detector that suspects at random would keep every other promise and move files for ever. This
/// is the accuracy of failure detectors, as far as leases can give it: Chandra, Toueg, "Unreliable
/// Failure Detectors for Reliable Distributed Systems", JACM 1996. How long a lease is, the centre
/// counts by its own clock.
#[derive(Clone, Debug, Default)]
pub struct NoViewChangeWithoutACause {
    wanted: Remembered<Wanted>,
    newest: Remembered<View>,
    /// How long a lease is in the epoch in force, which may be the one before the newest.
    lease: Remembered<Span>,
    /// When the newest view came into force, or this life of the centre began, by its clock.
    since: At<Time>,
    /// The last heartbeat from each in this life of the centre.
    heard: BTreeMap<Member, At<Time>>,
    /// Likewise, in the newest view's epoch.
    served: BTreeMap<Member, At<Time>>,
    /// The last step in which the operator said something.
    commanded: Option<u64>,
    admissions: Remembered<BTreeMap<NodeId, Admission>>,
}

/// What the centre knows, and what a crash leaves of it.
#[derive(Clone, Debug)]
struct Remembered<T> {
    now: Option<At<T>>,
    durable: Option<At<T>>,
}

impl Invariant<FileService> for NoViewChangeWithoutACause {
    fn interest(&self) -> SeenKinds {
        let records = [
            RecordKind::Announced,
            RecordKind::Activated,
            RecordKind::Wanted,
            RecordKind::Admitted,
        ];
        SeenKinds::appended(&records)
            | SeenKinds::durable(&records)
            | SeenKinds::received(&[MessageKind::Heartbeat])
            | SeenKinds::STARTED
            | SeenKinds::CRASHED
            | SeenKinds::COMMANDED
    }

    fn see(
        &mut self,
        seen: &Seen<'_>,
        Moment { model, world, .. }: &Moment<'_>,
    ) -> Result<(), Breach> {
        let step = model.step;
        let reading = || world.host(NodeId::CONTROL).clock().reading(model.now);
        match *seen {
            Seen::Commanded { .. } => self.commanded = Some(step),
            Seen::Received {
                from,
                message:
                    Message::ToCentre(ToCentre::Heartbeat { admission, known, asked, answered, .. }),
                ..
            } => {
                let member = Member { node: from, admission: *admission };
                if self.newest.now.is_some() {
                    let lease = self.lease.now.as_ref().map(|lease| lease.is);
                    let patience = lease.unwrap_or(world.config().membership_lease).times(2);
                    if !answered.is_some_and(|answered| asked.since(answered) < patience) {
                        return Ok(());
                    }
                }
                let at = At { step, is: reading() };
                if self.newest.now.as_ref().is_some_and(|newest| newest.is.epoch == *known) {
                    self.served.insert(member, at.clone());
                }
                self.heard.insert(member, at);
            }
            Seen::Started { node: NodeId::CONTROL, .. } => {
                self.since = At { step, is: reading() };
            }
            Seen::Crashed { node: NodeId::CONTROL } => {
                self.wanted.forget();
                self.newest.forget();
                self.lease.forget();
                self.admissions.forget();
                self.heard.clear();
                self.served.clear();
            }
            Seen::Appended { record, .. } => match record {
                Record::Admitted { member, .. } => {
                    let known = self.admissions.now.get_or_insert_default();
                    known.is.insert(member.node, member.admission);
                }
                Record::Wanted { wanted } => {
                    let before = self.wanted.now.replace(At { step, is: wanted.clone() });
                    if let Some(before) = before
                        && self.commanded != Some(step)
                    {
                        let earlier = "the operator wanted the cluster otherwise";
                        let now = "control changes what is wanted, and no command told it to";
                        return Err(Breach::of(
                            Evidence::at(before.step, earlier),
                            Evidence::at(model.step, now).about(NodeId::CONTROL),
                        ));
                    }
                }
                Record::Announced { view } => {
                    let verdict = self.judge(view, reading(), model, world);
                    self.newest.now = Some(At { step, is: view.clone() });
                    self.served.clear();
                    return verdict;
                }
                Record::Activated { .. } => {
                    self.since = At { step, is: reading() };
                    self.lease.now = self.newest.now.as_ref().map(lease_of);
                }
                _ => {}
            },
            Seen::Durable { record, .. } => match record {
                Record::Admitted { member, .. } => {
                    let known = self.admissions.durable.get_or_insert_default();
                    known.is.insert(member.node, member.admission);
                }
                Record::Wanted { wanted } => {
                    self.wanted.durable = Some(At { step, is: wanted.clone() });
                }
                Record::Announced { view } => {
                    self.newest.durable = Some(At { step, is: view.clone() });
                }
                Record::Activated { .. } => {
                    self.lease.durable = self.newest.durable.as_ref().map(lease_of);
                }
                _ => {}
            },
            _ => {}
        }
        Ok(())
    }
}

impl NoViewChangeWithoutACause {
    fn judge(&self, view: &View, now: Time, model: &Model, world: &World) -> Result<(), Breach> {
        let Some(wanted) = &self.wanted.now else { return Ok(()) };
        let is = wanted.is.clone();
        let of_view = (view.replicas, view.virtual_nodes, view.lock_lease, view.membership_lease);
        let announces = |how: std::fmt::Arguments<'_>| {
            let is = format!("control announces {}{how}", view.epoch);
            Evidence::at(model.step, is).about(view.epoch)
        };
        if of_view != (is.replicas, is.virtual_nodes, is.lock_lease, is.membership_lease) {
            let earlier = format!("the operator wants {}", trace::wanted(&is));
            let now = announces(format_args!(" with {}", trace::settings(view)));
            return Err(Breach::of(Evidence::at(wanted.step, earlier), now));
        }
        let before = self.newest.now.as_ref();
        if let Some(before) = before {
            let as_before = View { epoch: before.is.epoch, ..view.clone() };
            if as_before == before.is {
                let earlier = format!("{} was announced", before.is.epoch);
                let earlier = Evidence::at(before.step, earlier).about(before.is.epoch);
                return Err(Breach::of(earlier, announces(format_args!(", just as it was"))));
            }
            let drift_max_ppm = world.config().drift_max_ppm;
            let length = before.is.membership_lease;
            let until = |at: &At<Time>| LeaseTerms { length, drift_max_ppm }.giver_until(at.is);
            let is_out = |member: &&Member| !view.has(**member) && !view.gives_up(**member);
            for member in before.is.members.iter().filter(is_out) {
                let admission = self.admissions.now.as_ref();
                let admission = admission.and_then(|known| known.is.get(&member.node));
                if !is.nodes.contains(&member.node) || admission != Some(&member.admission) {
                    continue;
                }
                let served = self.served.get(member).filter(|served| served.is >= self.since.is);
                let last = served.unwrap_or(&self.since);
                if until(last) > now {
                    let earlier = match served {
                        Some(_) => {
                            let is = format!("control heard {member}, by its clock at {}", last.is);
                            Evidence::at(last.step, is).about(member.node)
                        }
                        None => {
                            let is = format!("control began to count at {}, by its clock", last.is);
                            Evidence::at(last.step, is).about(NodeId::CONTROL)
                        }
                    };
                    let announces = announces(format_args!(" without {member}"));
                    let now = announces
                        .reworded(|announces| format!("at {now} by its clock {announces}"));
                    return Err(Breach::of(earlier, now));
                }
            }
        }
        let is_wanted = |member: &Member| is.nodes.contains(&member.node);
        let stays = |member: &Member| {
            let was_in =
                |before: &At<View>| before.is.members.iter().any(|of| of.node == member.node);
            before.is_some_and(was_in) && !view.members.iter().any(is_wanted)
        };
        let is_new = |member: &&Member| before.is_none_or(|before| !before.is.has(**member));
        for member in view.members.iter().filter(is_new) {
            if !is_wanted(member) && !stays(member) {
                let earlier = format!("the operator does not want {member}");
                let earlier = Evidence::at(wanted.step, earlier).about(member.node);
                return Err(Breach::of(earlier, announces(format_args!(" with {member}"))));
            }
            if !self.heard.contains_key(member) {
                let earlier = format!("control has not heard {member} since it began to count");
                let earlier = Evidence::at(self.since.step, earlier).about(member.node);
                return Err(Breach::of(earlier, announces(format_args!(" with {member}"))));
            }
        }
        Ok(())
    }
}

fn lease_of(view: &At<View>) -> At<Span> {
    At { step: view.step, is: view.is.membership_lease }
}

impl<T> Default for Remembered<T> {
    fn default() -> Remembered<T> {
        Remembered { now: None, durable: None }
    }
}

impl<T: Clone> Remembered<T> {
    /// A crash leaves what is durable.
    fn forget(&mut self) {
        self.now = self.durable.clone();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{Play, activated, announced, members, n, view};
    use seedbed::machine::Incarnation;
    use seedbed::proto::{Command, Config, Epoch, Settings};

    const CONTROL: NodeId = NodeId::CONTROL;

    fn admitted(number: u16) -> Record {
        let (node, admission) = (n(number), Config::FIRST_ADMISSION);
        Record::Admitted { member: Member { node, admission }, incarnation: Incarnation(1) }
    }

    fn wanted(nodes: &[NodeId]) -> Record {
        let config = Config::new(Settings::default()).expect("sound settings");
        Record::Wanted { wanted: Wanted { nodes: nodes.into(), ..config.wanted() } }
    }

    fn beat(known: u32) -> Message {
        let (admission, incarnation) = (Config::FIRST_ADMISSION, Incarnation(1));
        let (known, asked) = (Epoch(known), Time::ZERO);
        Message::ToCentre(ToCentre::Heartbeat {
            admission,
            incarnation,
            known,
            asked,
            answered: Some(asked),
        })
    }

    /// A view of all three, in force since 1,000 ms.
    fn play() -> Play {
        let mut play = Play::managed(NoViewChangeWithoutACause::default());
        play.starts(CONTROL);
        play.at(1000).forces(CONTROL, wanted(&[n(1), n(2), n(3)]));
        for number in 1..=3 {
            play.forces(CONTROL, admitted(number));
            play.receives(n(number), CONTROL, beat(0));
        }
        play.views(1, &[n(1), n(2), n(3)]);
        play
    }

    #[test]
    fn the_operator_may_give_up_a_member_that_is_heard() {
        let mut play = play();
        play.at(2500).receives(n(1), CONTROL, beat(1));
        play.receives(n(2), CONTROL, beat(1));
        let given_up = members(&[n(2)]);
        let view = View { given_up, ..view(2, &[n(1), n(3)]) };
        play.at(3500).appends(CONTROL, Record::Announced { view }).holds();
    }

    #[test]
    fn to_leave_out_a_node_that_was_heard_is_a_breach() {
        let mut play = play();
        play.at(2500).receives(n(1), CONTROL, beat(1));
        play.receives(n(2), CONTROL, beat(1));
        let breach = play.at(3500).appends(CONTROL, announced(2, &[n(1), n(3)])).breaks();
        assert!(breach.earlier.is.starts_with("control heard n2, by its clock at"));
        assert!(breach.now.is.ends_with("control announces e2 without n2"));
    }

    #[test]
    fn to_take_in_a_node_that_is_not_wanted_or_was_not_heard_is_a_breach() {
        let breach = play().appends(CONTROL, announced(2, &[n(1), n(2), n(3), n(4)])).breaks();
        assert_eq!(breach.earlier.is, "the operator does not want n4");
        let mut silent = Play::managed(NoViewChangeWithoutACause::default());
        silent.starts(CONTROL);
        silent.forces(CONTROL, wanted(&[n(1)]));
        let breach = silent.appends(CONTROL, announced(1, &[n(1)])).breaks();
        assert!(breach.earlier.is.starts_with("control has not heard n1"));
    }

    #[test]
    fn to_keep_an_unwanted_node_is_a_breach_unless_no_wanted_one_is_there() {
        let member = |node, admission| Member { node: n(node), admission };
        let again = member(1, Admission(9));
        let incarnation = Incarnation(2);
        let takes_back = |others: &[Member]| {
            let mut play = play();
            play.sees(&Seen::Commanded { command: &Command::Leave(n(1)) });
            play.and().forces(CONTROL, wanted(&[n(2)]));
            play.forces(CONTROL, Record::Admitted { member: again, incarnation });
            let (admission, known, asked) = (again.admission, Epoch(1), Time::ZERO);
            let answered = Some(asked);
            let beat = Message::ToCentre(ToCentre::Heartbeat {
                admission,
                incarnation,
                known,
                asked,
                answered,
            });
            play.at(9500).receives(n(1), CONTROL, beat);
            let Record::Announced { mut view } = announced(2, &[n(1)]) else { unreachable!() };
            view.members = [&[again], others].concat().into();
            play.appends(CONTROL, Record::Announced { view });
            play
        };
        takes_back(&[]).holds();
        let breach = takes_back(&[member(2, Config::FIRST_ADMISSION)]).breaks();
        assert!(breach.earlier.is.starts_with("the operator does not want n1"));
    }

    #[test]
    fn the_same_again_and_a_wish_without_a_command_are_breaches() {
        play().appends(CONTROL, announced(2, &[n(1), n(2), n(3)])).breaks();
        play().appends(CONTROL, wanted(&[n(1)])).breaks();
    }

    #[test]
    fn to_leave_out_a_silent_node_and_take_it_in_again_is_none() {
        let mut play = play();
        play.at(2500).receives(n(1), CONTROL, beat(1));
        play.receives(n(3), CONTROL, beat(1));
        play.receives(n(2), CONTROL, beat(0));
        play.at(3500).forces(CONTROL, announced(2, &[n(1), n(3)]));
        play.forces(CONTROL, activated(2));
        play.receives(n(2), CONTROL, beat(1));
        play.appends(CONTROL, announced(3, &[n(1), n(2), n(3)]));
        play.holds();
    }
}

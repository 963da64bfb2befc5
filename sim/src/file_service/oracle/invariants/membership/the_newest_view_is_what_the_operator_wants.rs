//! What the operator says is done.

use std::collections::{BTreeMap, BTreeSet};

use seedbed::machine::{NodeId, Span, Time};
use seedbed::proto::{
    Command, Epoch, FileService, Message, MessageKind, Record, RecordKind, ToCentre, View,
};

use crate::file_service::World;
use crate::file_service::oracle::PerNode;
use crate::file_service::oracle::{Breach, Evidence, Invariant, Model, Moment, Seen, SeenKinds};

/// When all faults are over and everything had its time, the newest view has the settings that the
/// operator has set, and of the nodes that it wants those that are heard, and no other.
///
/// A central node that takes no command keeps every other promise about views. The operator says a
/// command once. A command whose record a crash takes away counts as never said. A node is heard
/// if its heartbeats have come without a gap of a lease, and it heard the answers; one that was not
/// a short time ago need not be a member yet, or may still be one. This is the liveness of
/// reconfiguration: Lamport, Malkhi, Zhou, "Reconfiguring a State Machine", SIGACT News 2010.
#[derive(Clone, Debug, Default)]
pub struct TheNewestViewIsWhatTheOperatorWants {
    commands: Vec<Said>,
    /// Since when each node has been heard without a gap, and when it was heard last.
    heard: PerNode<Option<(Time, Time)>>,
    /// When the newest view was announced.
    announced: Time,
}

/// A command of the operator.
#[derive(Clone, Debug)]
struct Said {
    step: u64,
    at: Time,
    command: Command,
    /// Behind the last record of what is wanted that was appended until the end of that step.
    recorded: u64,
}

/// How long a change may take when nothing fails any more, and in leases of a member besides.
const TIME: Span = Span::from_secs(10);
const LEASES: u64 = 3;

impl Invariant<FileService> for TheNewestViewIsWhatTheOperatorWants {
    fn interest(&self) -> SeenKinds {
        SeenKinds::COMMANDED
            | SeenKinds::appended(&[RecordKind::Wanted])
            | SeenKinds::durable(&[RecordKind::Announced])
            | SeenKinds::received(&[MessageKind::Heartbeat])
            | SeenKinds::CRASHED
    }

    fn see(
        &mut self,
        seen: &Seen<'_>,
        Moment { model, world, .. }: &Moment<'_>,
    ) -> Result<(), Breach> {
        match *seen {
            Seen::Commanded { command } => {
                let recorded = self.commands.last().map_or(0, |before| before.recorded);
                let (step, at, command) = (model.step, model.now, command.clone());
                self.commands.push(Said { step, at, command, recorded });
            }
            Seen::Appended { record: Record::Wanted { .. }, position, .. } => {
                let last = self.commands.last_mut().filter(|last| last.step == model.step);
                if let Some(last) = last {
                    last.recorded = position + 1;
                }
            }
            Seen::Durable { record: Record::Announced { .. }, .. } => self.announced = model.now,
            Seen::Received {
                from,
                message: Message::ToCentre(ToCentre::Heartbeat { asked, answered, .. }),
                ..
            } => {
                self.on_heard(from, *asked, *answered, model, world);
            }
            Seen::Crashed { node: NodeId::CONTROL } => {
                let durable = model.log(NodeId::CONTROL).durable;
                self.commands.retain(|said| said.recorded <= durable);
                self.heard = PerNode::default();
            }
            _ => {} // not asked for
        }
        Ok(())
    }

    fn at_end(&mut self, Moment { model, world, .. }: &Moment<'_>) -> Result<(), Breach> {
        let Some(config) = model.disks.managed() else { return Ok(()) };
        let Some(newest) = model.views.newest() else { return Ok(()) };
        let wanted = Wanted::after(config.first_layout().view(), &config.members, &self.commands);
        let time = TIME + lease(model, world).times(LEASES);
        let Some(since) = model.now.as_nanos().checked_sub(time.as_nanos()) else {
            return Ok(());
        };
        let since = Time::from_nanos(since);
        let parted = |node: NodeId| {
            let is_one = |other| other == node || other == NodeId::CONTROL;
            !world.host(node).is_up() || model.disturbances.parted(is_one, since)
        };
        let is_late = self.commands.last().is_some_and(|said| said.at >= since);
        let is_young = self.announced >= since;
        let members = || newest.is.members.iter().map(|member| member.node);
        if is_late || is_young || parted(NodeId::CONTROL) || members().any(parted) {
            return Ok(());
        }
        let lease = lease(model, world);
        let heard: BTreeSet<NodeId> = (wanted.nodes.iter().copied())
            .filter(|node| self.is_heard(*node, since, model.now, lease))
            .collect();
        if heard.is_empty() {
            return Ok(()); // a view has at least one member
        }
        wanted.judge(&newest.is, &heard).map_err(|(step, earlier, now)| {
            let now = format!("at the end {now}");
            Breach::of(
                Evidence::at(step, earlier).about(newest.is.epoch),
                Evidence::at(model.step, now).about(newest.is.epoch),
            )
        })
    }
}

impl TheNewestViewIsWhatTheOperatorWants {
    /// A heartbeat comes; one whose sender was not answered within two leases is of a deaf node.
    fn on_heard(
        &mut self,
        node: NodeId,
        asked: Time,
        answered: Option<Time>,
        model: &Model,
        world: &World,
    ) {
        let lease = lease(model, world);
        let hears = answered.is_some_and(|answered| asked.since(answered) < lease.times(2));
        let heard = self.heard.slot(node);
        *heard = match *heard {
            _ if !hears => None,
            Some((since, last)) if model.now <= last + lease => Some((since, model.now)),
            Some(_) | None => Some((model.now, model.now)),
        };
    }

    fn is_heard(&mut self, node: NodeId, since: Time, now: Time, lease: Span) -> bool {
        self.heard.slot(node).is_some_and(|(first, last)| first <= since && now <= last + lease)
    }
}

/// How long a member's lease is in the newest view.
fn lease(model: &Model, world: &World) -> Span {
    let newest = model.views.newest();
    newest.map_or(world.config().membership_lease, |newest| newest.is.membership_lease)
}

/// What the operator wants.
struct Wanted {
    nodes: BTreeSet<NodeId>,
    settings: View,
    /// The step in which a node was last spoken of.
    said: BTreeMap<NodeId, u64>,
    /// The step in which settings were last set.
    set: u64,
}

impl Wanted {
    fn after(first: &View, members: &[NodeId], commands: &[Said]) -> Wanted {
        let mut wanted = Wanted {
            nodes: members.iter().copied().collect(),
            settings: first.clone(),
            said: BTreeMap::new(),
            set: 0,
        };
        for Said { step, command, .. } in commands {
            wanted.obey(*step, command);
        }
        wanted
    }

    fn obey(&mut self, step: u64, command: &Command) {
        match command {
            Command::Join(node) => {
                self.nodes.insert(*node);
                self.said.insert(*node, step);
            }
            Command::Leave(node) => {
                self.nodes.remove(node);
                self.said.insert(*node, step);
            }
            Command::Set { replicas, virtual_nodes, lock_lease, membership_lease } => {
                let of = &mut self.settings;
                of.replicas = replicas.unwrap_or(of.replicas);
                of.virtual_nodes = virtual_nodes.unwrap_or(of.virtual_nodes);
                of.lock_lease = lock_lease.unwrap_or(of.lock_lease);
                of.membership_lease = membership_lease.unwrap_or(of.membership_lease);
                self.set = step;
            }
            Command::AcceptLoss(_) => {} // the centre knows best which members are lost
        }
    }

    /// How `view` is otherwise: the step in which that was said, what was wanted, and what is.
    fn judge(&self, view: &View, heard: &BTreeSet<NodeId>) -> Result<(), (u64, String, String)> {
        let epoch: Epoch = view.epoch;
        let step = |node: &NodeId| self.said.get(node).copied().unwrap_or_default();
        let is_member = |node: &NodeId| view.members.iter().any(|member| member.node == *node);
        if let Some(node) = heard.iter().find(|node| !is_member(node)) {
            let now = format!("{node} is heard, and no member of {epoch}, the newest view");
            return Err((step(node), format!("the operator wants {node}"), now));
        }
        let mut members = view.members.iter().map(|member| member.node);
        if let Some(node) = members.find(|node| !self.nodes.contains(node)) {
            let now = format!("{node} is a member of {epoch}, the newest view");
            return Err((step(&node), format!("the operator does not want {node}"), now));
        }
        let (members, given_up) = (view.members.clone(), view.given_up.clone());
        let wanted = View { epoch, members, given_up, ..self.settings.clone() };
        match wanted == *view {
            true => Ok(()),
            false => {
                let now = format!("{epoch}, the newest view, has other settings");
                Err((self.set, "the operator set how the cluster is to be".to_owned(), now))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{Play, activated, n};
    use seedbed::machine::Incarnation;
    use seedbed::proto::Admission;

    const CONTROL: NodeId = NodeId::CONTROL;

    /// n3 has left, of three nodes; then the operator says this, which is recorded and durable.
    /// These nodes are heard until half a minute has passed.
    fn told(command: Option<Command>, heard: &[u16]) -> Play {
        let mut play = Play::managed(TheNewestViewIsWhatTheOperatorWants::default());
        for node in [CONTROL, n(1), n(2), n(3)] {
            play.really_starts(node);
        }
        play.views(1, &[n(1), n(2)]);
        for command in [Some(Command::Leave(n(3))), command].iter().flatten() {
            says(play.at(1000), command);
        }
        play.at(1001).syncs(CONTROL);
        are_heard(&mut play, heard, 1_000..30_000);
        play
    }

    /// The operator says something, and the central node records it.
    fn says(play: &mut Play, command: &Command) {
        play.sees(&Seen::Commanded { command });
        let wanted = play.world().config().wanted();
        play.and().appends(CONTROL, Record::Wanted { wanted });
    }

    /// These nodes send a heartbeat every half second, and each was answered.
    fn are_heard(play: &mut Play, nodes: &[u16], during: std::ops::Range<u64>) {
        for ms in during.step_by(500) {
            play.at(ms);
            for node in nodes {
                let asked = Time::from_nanos(ms * 1_000_000);
                let heartbeat = Message::ToCentre(ToCentre::Heartbeat {
                    admission: Admission((*node).into()),
                    incarnation: Incarnation(1),
                    asked,
                    answered: Some(asked),
                    known: Epoch(1),
                });
                play.receives(n(*node), CONTROL, heartbeat);
            }
        }
    }

    fn set(replicas: u16) -> Command {
        Command::Set {
            replicas: Some(replicas),
            virtual_nodes: None,
            lock_lease: None,
            membership_lease: None,
        }
    }

    #[test]
    fn a_command_that_nothing_comes_of_is_a_breach() {
        told(None, &[1, 2, 3]).ends().holds();
        let says = |command| told(Some(command), &[1, 2, 3]).ends().breaks().now.is.clone();
        let said = "at the end n3 is heard, and no member of e1, the newest view";
        assert_eq!(says(Command::Join(n(3))), said);
        assert_eq!(says(Command::Leave(n(2))), "at the end n2 is a member of e1, the newest view");
        assert_eq!(says(set(7)), "at the end e1, the newest view, has other settings");
    }

    #[test]
    fn a_command_that_is_late_or_for_a_node_that_is_not_heard_is_none() {
        let mut late = told(None, &[1, 2, 3]);
        says(&mut late, &Command::Join(n(3)));
        are_heard(&mut late, &[1, 2, 3], 30_000..35_000);
        late.ends().holds();
        told(Some(Command::Join(n(3))), &[1, 2]).ends().holds();
    }

    #[test]
    fn a_member_or_the_central_node_that_was_away_is_none() {
        for node in [n(1), CONTROL] {
            let mut play = told(Some(Command::Join(n(3))), &[1, 2, 3]);
            play.at(30_001).sees(&Seen::Crashed { node });
            play.at(30_002).starts(node);
            are_heard(&mut play, &[1, 2, 3], 30_500..36_000);
            play.ends().holds();
        }
    }

    #[test]
    fn a_command_whose_record_a_crash_took_is_none() {
        for is_kept in [false, true] {
            let mut play = told(None, &[1, 2, 3]);
            play.at(30_001).appends(CONTROL, activated(1));
            // The sync that ends has begun before the record.
            play.syncs(CONTROL);
            says(play.at(30_001), &Command::Join(n(3)));
            if is_kept {
                play.at(30_002).syncs(CONTROL);
            }
            play.at(30_003).crashes(CONTROL).starts(CONTROL);
            are_heard(&mut play, &[1, 2, 3], 31_000..90_000);
            assert_eq!(play.ends().is_lawful(), !is_kept);
        }
    }
}

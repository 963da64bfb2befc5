//! What the operator says is done.

use std::collections::{BTreeMap, BTreeSet};

use seedbed::proto::{Command, Epoch, NodeId, Span, Time, View};

use crate::oracle::{At, Breach, Evidence, Invariant, Model, Seen, SeenKinds};
use crate::world::World;

/// When all faults are over and everything had its time, the newest view has the settings that the
/// operator has set, and of the nodes that it wants those that are up, and no other.
///
/// A central node that takes no command keeps every other promise about views. It is told only when
/// it is up, and the operator's tool does not say again what was taken: so what a crash takes away
/// before the central node has synced its log counts as never said. A node that was away or cut off
/// from the central node a short time ago need not be a member yet, or may still be one. This is the
/// liveness of reconfiguration: Lamport, Malkhi, Zhou, "Reconfiguring a State Machine", SIGACT News
/// 2010.
#[derive(Clone, Debug, Default)]
pub struct TheNewestViewIsWhatTheOperatorWants {
    commands: Vec<At<(Time, Command)>>,
}

/// How long a change may take when nothing fails any more, and in leases of a member besides.
const TIME: Span = Span::from_secs(10);
const LEASES: u64 = 3;

impl Invariant for TheNewestViewIsWhatTheOperatorWants {
    fn interest(&self) -> SeenKinds {
        SeenKinds::COMMANDED | SeenKinds::CRASHED
    }

    fn see(&mut self, seen: &Seen<'_>, model: &Model, _: &World) -> Result<(), Breach> {
        match *seen {
            Seen::Commanded { command } => {
                self.commands.push(At { step: model.step, is: (model.now, command.clone()) });
            }
            Seen::Crashed { node: NodeId::CONTROL } => {
                let synced = model.log(NodeId::CONTROL).synced;
                self.commands.retain(|command| command.step < synced);
            }
            _ => {} // not asked for
        }
        Ok(())
    }

    fn at_end(&mut self, model: &Model, world: &World) -> Result<(), Breach> {
        let Some(config) = model.disks.managed() else { return Ok(()) };
        let Some(newest) = model.views.newest() else { return Ok(()) };
        let wanted = Wanted::after(config.first_layout().view(), &config.members, &self.commands);
        let time = TIME + wanted.settings.membership_lease.times(LEASES);
        let Some(since) = model.now.as_nanos().checked_sub(time.as_nanos()).map(Time::from_nanos)
        else {
            return Ok(());
        };
        let parted = |node: NodeId| {
            let is_one = |other| other == node || other == NodeId::CONTROL;
            !world.host(node).is_up() || model.disturbances.parted(is_one, since)
        };
        let is_late = self.commands.last().is_some_and(|command| command.is.0 >= since);
        // A cluster without nodes there is not.
        let is_excused = is_late || wanted.nodes.is_empty() || parted(NodeId::CONTROL);
        if is_excused || newest.is.members.iter().any(|member| parted(member.node)) {
            return Ok(());
        }
        let away = |node: &NodeId| parted(*node);
        wanted.judge(&newest.is, away).map_err(|(step, earlier, now)| {
            let now = format!("at the end {now}");
            Breach::of(
                Evidence::at(step, earlier).about(newest.is.epoch),
                Evidence::at(model.step, now).about(newest.is.epoch),
            )
        })
    }
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
    fn after(first: &View, members: &[NodeId], commands: &[At<(Time, Command)>]) -> Wanted {
        let mut wanted = Wanted {
            nodes: members.iter().copied().collect(),
            settings: first.clone(),
            said: BTreeMap::new(),
            set: 0,
        };
        for At { step, is: (_, command) } in commands {
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
            Command::AcceptLoss => {} // it changes no view
        }
    }

    /// How `view` is otherwise: the step in which that was said, what was wanted, and what is.
    fn judge(
        &self,
        view: &View,
        is_away: impl Fn(&NodeId) -> bool,
    ) -> Result<(), (u64, String, String)> {
        let epoch: Epoch = view.epoch;
        let step = |node: &NodeId| self.said.get(node).copied().unwrap_or_default();
        let is_member = |node: &NodeId| view.members.iter().any(|member| member.node == *node);
        if let Some(node) = self.nodes.iter().find(|node| !is_member(node) && !is_away(node)) {
            let now = format!("{node} is up and heard, and no member of {epoch}, the newest view");
            return Err((step(node), format!("the operator wants {node}"), now));
        }
        let mut members = view.members.iter().map(|member| member.node);
        if let Some(node) = members.find(|node| !self.nodes.contains(node)) {
            let now = format!("{node} is a member of {epoch}, the newest view");
            return Err((step(&node), format!("the operator does not want {node}"), now));
        }
        let wanted = View { epoch, members: view.members.clone(), ..self.settings.clone() };
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
    use crate::oracle::tests::{Play, activated, n};

    const CONTROL: NodeId = NodeId::CONTROL;

    /// n3 has left, of three nodes; then the operator says this, while these nodes are up.
    fn told(command: Option<Command>, up: &[u16]) -> Play {
        let mut play = Play::managed(TheNewestViewIsWhatTheOperatorWants::default());
        let nodes = up.iter().map(|number| n(*number));
        nodes.chain([CONTROL]).for_each(|node| _ = play.really_starts(node));
        play.views(1, &[n(1), n(2)]);
        for command in [Some(Command::Leave(n(3))), command].iter().flatten() {
            play.at(1000).sees(&Seen::Commanded { command });
        }
        play.at(1001).forces(CONTROL, activated(1));
        play.at(30_000);
        play
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
        let said = "at the end n3 is up and heard, and no member of e1, the newest view";
        assert_eq!(says(Command::Join(n(3))), said);
        assert_eq!(says(Command::Leave(n(2))), "at the end n2 is a member of e1, the newest view");
        assert_eq!(says(set(7)), "at the end e1, the newest view, has other settings");
    }

    #[test]
    fn a_command_that_is_late_or_for_a_node_that_is_away_is_none() {
        let mut late = told(None, &[1, 2, 3]);
        late.sees(&Seen::Commanded { command: &Command::Join(n(3)) });
        late.at(35_000).ends().holds();
        told(Some(Command::Join(n(3))), &[1, 2]).ends().holds();
    }

    #[test]
    fn a_command_that_a_crash_took_is_none() {
        let crashed = |is_synced: bool| {
            let mut play = told(None, &[1, 2, 3]);
            play.sees(&Seen::Commanded { command: &Command::Join(n(3)) });
            if is_synced {
                play.at(30_001).forces(CONTROL, activated(1));
            }
            play.at(30_002).sees(&Seen::Crashed { node: CONTROL });
            play.at(30_003).starts(CONTROL);
            play.at(90_000).ends();
            play
        };
        crashed(false).holds();
        assert!(crashed(true).breaks().now.is.contains("n3 is up and heard"));
    }
}

//! What the operator wants of the cluster, and the losses that it accepts.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Centre;
use crate::machine::NodeId;
use crate::proto::turn::Turn;
use crate::proto::{Command, Defect, Member, Record, Wanted};

impl Centre {
    pub fn on_command(&mut self, turn: &mut Turn<'_>, command: Command) {
        let Some(mut wanted) = self.wanted.clone() else { return };
        let mut nodes = wanted.nodes.to_vec();
        let ignores_joins = turn.config.defects.has(Defect::JoinIgnored);
        match command {
            Command::Join(node) if !nodes.contains(&node) && !ignores_joins => nodes.push(node),
            Command::Join(_) => {}
            Command::Leave(node) => nodes.retain(|other| *other != node),
            Command::Set { replicas, virtual_nodes, lock_lease, membership_lease } => {
                wanted.replicas = replicas.unwrap_or(wanted.replicas);
                wanted.virtual_nodes = virtual_nodes.unwrap_or(wanted.virtual_nodes);
                wanted.lock_lease = lock_lease.unwrap_or(wanted.lock_lease);
                wanted.membership_lease = membership_lease.unwrap_or(wanted.membership_lease);
            }
            Command::AcceptLoss(nodes) => return self.accept_loss(turn, &nodes),
        }
        nodes.sort_unstable();
        wanted.nodes = nodes.into();
        if Some(&wanted) != self.wanted.as_ref() {
            self.want(turn, wanted);
            self.proceed(turn);
        }
    }

    pub(super) fn want(&mut self, turn: &mut Turn<'_>, wanted: Wanted) {
        turn.out.force(Record::Wanted { wanted: wanted.clone() });
        self.wanted = Some(wanted);
    }

    /// Gives up every member that is known to be lost, and those of these names, which the operator
    /// says never return.
    fn accept_loss(&mut self, turn: &mut Turn<'_>, nodes: &[NodeId]) {
        let named = nodes.iter().filter_map(|node| self.current(*node));
        let named = named.filter(|member| self.has_been_in_a_view(*member));
        let lost: BTreeSet<Member> = self.lost.keys().copied().chain(named).collect();
        let members: Arc<[Member]> = lost.difference(&self.given_up).copied().collect();
        if members.is_empty() {
            return; // a loss is not accepted in advance
        }
        self.replay_accepted(&members);
        turn.out.force(Record::LossAccepted { members });
        self.proceed(turn);
    }

    pub(super) fn replay_accepted(&mut self, members: &[Member]) {
        for &member in members {
            self.lose(member);
            self.given_up.insert(member);
        }
    }
}

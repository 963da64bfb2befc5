//! Views: who is in the cluster, and what all of them agree on while that is so.
//!
//! A [`View`] is laid down by the central node and never changes; what changes is which view is in
//! force. A [`Layout`] is a view with the ring that follows from it, worked out once by each
//! machine that uses it.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::arcs::Arcs;
use super::lease::LeaseTerms;
use super::ring::Ring;
use super::{Admission, Config, Epoch, NodeId, Path, Span};

/// A storage node under one admission. A name alone is not enough: a node whose disk is gone comes
/// back under its old name and knows nothing of what it promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Member {
    /// Its name.
    pub node: NodeId,
    /// Which admission of that name.
    pub admission: Admission,
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.node.fmt(f)
    }
}

/// What the operator has given up of what only lost disks could prove.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct AcceptedLoss {
    /// The newest epoch then.
    pub epoch: Epoch,
    /// The last number that had been given. A disk counts as lost if its successor has one up to
    /// this; what is lost later has not been accepted.
    pub admission: Admission,
}

/// What the cluster agrees on for one epoch.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct View {
    /// Its number; each view's is one more than that of the view before.
    pub epoch: Epoch,
    /// The members, at least one, in the order of their names.
    pub members: Arc<[Member]>,
    /// How many owners a path has; all members if there are fewer.
    pub replicas: u16,
    /// Points on the ring per node.
    pub virtual_nodes: u32,
    /// How long a lock is granted for.
    pub lock_lease: Span,
    /// How long a node is a member for, from its heartbeat.
    pub membership_lease: Span,
}

impl View {
    /// Is it a member, under this admission?
    pub fn has(&self, member: Member) -> bool {
        self.members.binary_search(&member).is_ok()
    }

    /// The member of this name.
    pub fn member(&self, node: NodeId) -> Option<Member> {
        let at = self.members.binary_search_by_key(&node, |member| member.node);
        at.ok().map(|at| self.members[at])
    }
}

/// What the operator wants of the cluster; a view follows it as far as nodes are there.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Wanted {
    /// The nodes that are to be members whenever they are heard, in the order of their names.
    pub nodes: Arc<[NodeId]>,
    /// How many owners a path should have.
    pub replicas: u16,
    /// Points on the ring per node.
    pub virtual_nodes: u32,
    /// How long a lock is granted for.
    pub lock_lease: Span,
    /// How long a node is a member for, from its heartbeat.
    pub membership_lease: Span,
}

/// What an operator tells the central node.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Command {
    /// The node is to be a member.
    Join(NodeId),
    /// The node is to be one no longer.
    Leave(NodeId),
    /// Settings to change; what is `None` stays.
    Set {
        /// How many owners a path should have.
        replicas: Option<u16>,
        /// Points on the ring per node.
        virtual_nodes: Option<u32>,
        /// How long a lock is granted for.
        lock_lease: Option<Span>,
        /// How long a node is a member for, from its heartbeat.
        membership_lease: Option<Span>,
    },
    /// What was committed in the newest settled epoch and later, on arcs whose every owner has lost
    /// its disk, is given up: such arcs start again from what is left elsewhere, or empty.
    AcceptLoss,
}

/// A view and its ring.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Layout {
    view: View,
    ring: Ring,
}

impl Layout {
    /// The layout of `view`. Points that stand in `near`, the layout of another view, are taken
    /// from there.
    pub fn new(config: &Config, view: View, near: &Layout) -> Arc<Layout> {
        let nodes: Vec<NodeId> = view.members.iter().map(|member| member.node).collect();
        let same_points = near.view.virtual_nodes == view.virtual_nodes;
        let known = same_points.then_some(&near.ring);
        let ring = config.ring_of(known, view.virtual_nodes, view.replicas.into(), &nodes);
        Arc::new(Layout { view, ring })
    }

    pub(super) fn with_ring(view: View, ring: Ring) -> Arc<Layout> {
        Arc::new(Layout { view, ring })
    }

    /// The view.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// Its number.
    pub fn epoch(&self) -> Epoch {
        self.view.epoch
    }

    /// Where paths belong.
    pub fn ring(&self) -> &Ring {
        &self.ring
    }

    /// The owners of `path`, the primary first.
    pub fn owners(&self, path: &Path) -> impl Iterator<Item = Member> + '_ {
        let nodes = self.ring.owners(path).iter();
        nodes.map(|node| self.view.member(*node).expect("whoever is on the ring is a member"))
    }

    /// Is it one of the owners of `path`?
    pub fn owns(&self, member: Member, path: &Path) -> bool {
        self.ring.owns(member.node, path) && self.view.has(member)
    }

    /// All that it owns.
    pub fn owned_by(&self, member: Member) -> Arcs {
        match self.view.has(member) {
            true => self.ring.owned_by(member.node),
            false => Arcs::default(),
        }
    }

    /// The terms of a member's lease.
    pub fn membership_terms(&self, config: &Config) -> LeaseTerms {
        LeaseTerms { length: self.view.membership_lease, drift_max_ppm: config.drift_max_ppm }
    }
}

//! Views: which nodes are members of the cluster, and what all members agree on in one epoch.
//!
//! A [`View`] is laid down by the central node and never changes; what changes is which view is in
//! force. A [`Layout`] is a view with the ring that follows from it, worked out once by each
//! machine that uses it.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use super::arcs::Arcs;
use super::ring::Ring;
use super::{Epoch, Member, Path};
use crate::machine::{NodeId, Span};

/// A member that is lost: its disk is, and its node was admitted anew, or the operator says that it
/// never returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Lost {
    /// The member.
    pub member: Member,
    /// The newest epoch that the centre has recorded it to have entered. It never had a lease for a
    /// later one.
    pub entered: Epoch,
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
    /// All members whose loss the operator has ever accepted, in the order of their names: what
    /// only they knew is given up.
    pub given_up: Arc<[Member]>,
}

impl View {
    /// Is it a member, under this admission?
    pub fn has(&self, member: Member) -> bool {
        self.members.binary_search(&member).is_ok()
    }

    /// Has the operator accepted the loss of the member?
    pub fn gives_up(&self, member: Member) -> bool {
        self.given_up.binary_search(&member).is_ok()
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
    /// The operator accepts a loss: all members that are known to be lost are given up, and so is
    /// each current member named here, up or not. The next view lists them. A file that only they
    /// had begins again, and what only they knew of a transaction is not waited for. A node that
    /// was given up returns only with an empty disk, as a new member.
    AcceptLoss(Arc<[NodeId]>),
}

/// A view and its ring.
#[derive(Clone, Debug)]
pub struct Layout {
    view: View,
    ring: Ring,
    /// Worked out when it is first asked for: clients and fixed clusters never ask.
    owned: OnceLock<BTreeMap<NodeId, Arcs>>,
}

impl PartialEq for Layout {
    /// What is owned follows from the ring, whether it was asked for or not.
    fn eq(&self, other: &Layout) -> bool {
        (&self.view, &self.ring) == (&other.view, &other.ring)
    }
}

impl Eq for Layout {}

impl Hash for Layout {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.view, &self.ring).hash(state);
    }
}

impl Layout {
    /// The layout of a view whose ring is known.
    pub(super) fn with_ring(view: View, ring: Ring) -> Arc<Layout> {
        Arc::new(Layout { view, ring, owned: OnceLock::new() })
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
        nodes.map(|node| self.view.member(*node).expect("a node on the ring is a member"))
    }

    /// Is it one of the owners of `path`?
    pub fn owns(&self, member: Member, path: &Path) -> bool {
        self.ring.owns(member.node, path) && self.view.has(member)
    }

    /// All that it owns.
    pub fn owned_by(&self, member: Member) -> Arcs {
        let owned = self.owned.get_or_init(|| self.ring.owned());
        let of_member = owned.get(&member.node).filter(|_| self.view.has(member));
        of_member.cloned().unwrap_or_default()
    }
}

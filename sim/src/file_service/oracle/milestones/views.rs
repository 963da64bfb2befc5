//! The milestones of views: which nodes come and go, how far a view is.
//!
//! Views are told from the centre's log. That a lease has ended is told from its consequence: the
//! centre puts a view in force although a member of the one before has not said that it has left.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use seedbed::machine::NodeId;
use seedbed::proto::{Config, Epoch, Layout, Member, Message, Path, Record, ToCentre, View};

use super::{Hits, Milestones};
use crate::file_service::Milestone;
use crate::file_service::subject_of::Subjects;

/// The members that come or go with a view.
pub(super) type Changed = fn(&ViewsSeen, Epoch) -> Box<dyn Iterator<Item = Member> + '_>;

/// What was seen of views.
#[derive(Clone, Debug, Default)]
pub(super) struct ViewsSeen {
    /// Every view that was announced.
    all: BTreeMap<Epoch, View>,
    /// The layouts of those from the last that has settled on: between these, paths move.
    unsettled: BTreeMap<Epoch, Arc<Layout>>,
    /// The nodes that are wanted.
    wanted: BTreeSet<NodeId>,
    /// The nodes that were ever a member.
    known: BTreeSet<NodeId>,
    /// The newest epoch that each has told the centre, in its present life, to be in.
    entered: BTreeMap<Member, Epoch>,
    /// Whose lease has ended, as the record says that is not durable yet.
    lapsed: Vec<NodeId>,
    departed: BTreeSet<Member>,
}

impl ViewsSeen {
    /// The members of the view that the one before does not have; none for the first.
    pub fn joiners(&self, epoch: Epoch) -> Box<dyn Iterator<Item = Member> + '_> {
        Box::new(self.only_in(epoch, Some(epoch), before(epoch)))
    }

    /// The members of the view before that of `epoch` that this one lacks; none for the first view.
    pub fn leavers(&self, epoch: Epoch) -> Box<dyn Iterator<Item = Member> + '_> {
        Box::new(self.only_in(epoch, before(epoch), Some(epoch)))
    }

    fn only_in(
        &self,
        of: Epoch,
        one: Option<Epoch>,
        other: Option<Epoch>,
    ) -> impl Iterator<Item = Member> + '_ {
        let view = |epoch: Option<Epoch>| self.all.get(&epoch?);
        let both = view(one).zip(view(other)).filter(|_| self.all.contains_key(&of));
        both.into_iter().flat_map(|(one, other)| {
            one.members.iter().copied().filter(|member| !other.has(*member))
        })
    }

    /// Does `path` get an owner in a view that has not settled?
    pub fn moves(&self, path: &Path) -> bool {
        let later = self.unsettled.values().skip(1);
        self.unsettled
            .values()
            .zip(later)
            .any(|(before, after)| after.owners(path).any(|owner| !before.owns(owner, path)))
    }

    /// Is there a view that has not settled, and one before it?
    pub fn is_moving(&self) -> bool {
        self.unsettled.len() > 1
    }

    /// The nodes that may be in doubt: those that were ever a member.
    pub fn known(&self) -> &BTreeSet<NodeId> {
        &self.known
    }

    fn add(&mut self, view: &View, config: &Config) {
        let near = self.unsettled.last_key_value().map(|(_, layout)| layout);
        let layout = Layout::new(config, view.clone(), near.unwrap_or(config.first_layout()));
        self.unsettled.insert(view.epoch, layout);
        self.known.extend(view.members.iter().map(|member| member.node));
        self.all.insert(view.epoch, view.clone());
    }

    /// The members of the view before `epoch` that have not told the centre that they left it.
    fn silent(&self, epoch: Epoch) -> Vec<NodeId> {
        let view = before(epoch).and_then(|before| self.all.get(&before));
        let members = view.into_iter().flat_map(|view| view.members.iter());
        let has_left = |member: &Member| self.entered.get(member).is_some_and(|e| *e >= epoch);
        members.filter(|member| !has_left(member)).map(|member| member.node).collect()
    }
}

fn before(epoch: Epoch) -> Option<Epoch> {
    epoch.0.checked_sub(1).map(Epoch)
}

impl Milestones {
    pub(super) fn view_on_received(
        &mut self,
        hits: &mut Hits,
        from: NodeId,
        to: NodeId,
        message: &Message,
    ) {
        match message {
            _ if to != NodeId::CONTROL => {}
            Message::ToCentre(ToCentre::Entered { admission, epoch, .. }) => {
                let member = Member { node: from, admission: *admission };
                let newest = self.views.entered.entry(member).or_default();
                *newest = (*newest).max(*epoch);
            }
            Message::ToCentre(ToCentre::Departed { admission, .. }) => {
                self.on_departed(hits, Member { node: from, admission: *admission });
            }
            _ => {}
        }
    }

    /// A node says so again and again; it counts once.
    fn on_departed(&mut self, hits: &mut Hits, member: Member) {
        if self.views.departed.insert(member) {
            hits.hit_node(Milestone::NODE_DEPARTED, member.node);
        }
    }

    /// The centre's mind is made up: what it had heard until now is why.
    pub(super) fn view_on_appended(&mut self, record: &Record) {
        if let Record::Activated { epoch } = record {
            self.views.lapsed = self.views.silent(*epoch);
        }
    }

    pub(super) fn view_on_durable(
        &mut self,
        hits: &mut Hits,
        node: NodeId,
        record: &Record,
        config: &Config,
    ) {
        match record {
            Record::Admitted { member, .. } => {
                hits.hit_node(Milestone::NODE_ADMITTED, member.node);
            }
            Record::Wanted { wanted } => {
                self.views.wanted = wanted.nodes.iter().copied().collect();
            }
            Record::Announced { view } => self.on_announced(hits, node, view, config),
            Record::Activated { epoch } => {
                hits.hit(Milestone::VIEW_ACTIVE, node, || Subjects::of(*epoch));
                for silent in std::mem::take(&mut self.views.lapsed) {
                    let about = || Subjects::of(*epoch);
                    hits.hit(Milestone::MEMBERSHIP_LEASE_EXPIRED, silent, about);
                }
            }
            Record::Converged { epoch } => {
                self.views.unsettled.retain(|of, _| of >= epoch);
                hits.hit(Milestone::VIEW_SETTLED, node, || Subjects::of(*epoch));
            }
            Record::LossAccepted { .. } => {
                hits.hit(Milestone::LOSS_ACCEPTED, node, || Subjects::of_record(node, record));
            }
            _ => {} // not of views
        }
    }

    fn on_announced(&mut self, hits: &mut Hits, centre: NodeId, view: &View, config: &Config) {
        let epoch = view.epoch;
        let known = self.views.known.clone();
        self.views.add(view, config);
        hits.hit(Milestone::VIEW_ANNOUNCED, centre, || Subjects::of(epoch));
        let gone: Vec<Member> = self.views.leavers(epoch).collect();
        for Member { node, .. } in gone {
            let milestone = match self.views.wanted.contains(&node) {
                true => Milestone::NODE_DECLARED_GONE,
                false => Milestone::NODE_LEFT,
            };
            hits.hit(milestone, node, || Subjects::of(epoch));
        }
        let new: Vec<Member> = self.views.joiners(epoch).collect();
        for Member { node, .. } in new {
            let milestone = match known.contains(&node) {
                true => Milestone::NODE_REJOINED,
                false => Milestone::NODE_JOINED,
            };
            hits.hit(milestone, node, || Subjects::of(epoch));
        }
    }

    /// A new life of the centre has heard nothing yet.
    pub(super) fn view_on_crashed(&mut self, node: NodeId) {
        if node == NodeId::CONTROL {
            self.views.entered.clear();
        }
    }
}

//! Views: announced, activated, settled, and told.

use std::sync::Arc;

use super::{Beat, Centre};
use crate::machine::NodeId;
use crate::proto::turn::Turn;
use crate::proto::{Defect, Epoch, Member, Record, View, Views};

impl Centre {
    pub(super) fn activate_if_free(&mut self, turn: &mut Turn<'_>) {
        let newest = self.newest();
        if newest == self.active {
            return;
        }
        let before = self.views.get(&Epoch(newest.0 - 1));
        let is_known = before.is_some() || newest == Epoch(1);
        assert!(is_known || !turn.config.defects.is_empty(), "{newest} follows an unknown view");
        let members = before.map_or(&[][..], |view| &view.members);
        let too_early = turn.config.defects.has(Defect::DeclaredGoneTooEarly);
        let has_left = |member: &Member| {
            let is_over = self.nodes.get(member).is_none_or(|heard| heard.until <= turn.now);
            is_over || too_early || self.has_entered(*member, newest)
        };
        if !members.iter().all(has_left) {
            return;
        }
        turn.out.force(Record::Activated { epoch: newest });
        self.active = newest;
        self.begin_epoch(turn);
    }

    /// Gives leases to the members that are in the new epoch already, and the others time to come.
    fn begin_epoch(&mut self, turn: &mut Turn<'_>) {
        let view = self.views.get(&self.active).expect("the view in force is known").clone();
        self.longest_lock_lease = self.longest_lock_lease.max(view.lock_lease);
        let until = self.terms(turn.config).giver_until(turn.now);
        for &member in view.members.iter() {
            let heard = self.nodes.entry(member).or_default();
            heard.until = heard.until.max(until);
            let (beat, is_heard) = (heard.beat, heard.at.is_some());
            let is_there = beat.known == view.epoch && is_heard && self.is_current(member);
            if is_there && self.may_lease(turn, member, view.epoch) {
                self.give_lease(turn, member, beat);
            }
        }
        let watchers: Vec<NodeId> = self.watchers.keys().copied().collect();
        watchers.into_iter().for_each(|client| self.tell_watcher(turn, client));
    }

    pub(super) fn settle_if_complete(&mut self, turn: &mut Turn<'_>) {
        let epoch = self.active;
        let Some(view) = self.views.get(&epoch).filter(|_| self.settled < epoch) else { return };
        let completed = |member: &Member| {
            let has_said = self.nodes.get(member).is_some_and(|heard| heard.completed == epoch);
            // What a lost disk is taken to have entered must not fall behind what has settled.
            has_said && self.has_entered(*member, epoch)
        };
        if self.newest() == epoch && view.members.iter().all(completed) {
            turn.out.force(Record::Converged { epoch });
            self.replay_converged(epoch);
            self.broadcast(turn);
        }
    }

    pub(super) fn announce_if_changed(&mut self, turn: &mut Turn<'_>) {
        let replaces = turn.config.defects.has(Defect::ViewReplacedBeforeActive);
        if self.newest() != self.active && !replaces {
            return;
        }
        let Some(view) = self.next_view(turn) else { return };
        turn.out.force(Record::Announced { view: view.clone() });
        self.views.insert(view.epoch, view);
        self.broadcast(turn);
        self.activate_if_free(turn);
    }

    /// The next view, if it would differ.
    fn next_view(&self, turn: &Turn<'_>) -> Option<View> {
        let wanted = self.wanted.as_ref()?;
        let mut members: Vec<Member> =
            wanted.nodes.iter().filter_map(|node| self.is_there(turn, *node)).collect();
        let newest = self.views.get(&self.newest());
        if let Some(newest) = newest.filter(|_| members.is_empty()) {
            // A view has a member: those that are to leave stay until another node has come.
            let last = newest.members.iter().filter_map(|last| self.is_there(turn, last.node));
            members.extend(last);
        }
        if newest.is_none() && members.len() < wanted.nodes.len() && turn.now < self.patience {
            return None; // the cluster begins with all that are wanted, if they come soon
        }
        let view = View {
            epoch: self.newest().next(),
            members: members.into(),
            replicas: wanted.replicas,
            virtual_nodes: wanted.virtual_nodes,
            lock_lease: wanted.lock_lease,
            membership_lease: wanted.membership_lease,
            given_up: self.given_up.iter().copied().collect(),
        };
        let differs =
            newest.is_none_or(|newest| View { epoch: newest.epoch, ..view.clone() } != *newest);
        (differs && !view.members.is_empty()).then_some(view)
    }

    pub(super) fn replay_converged(&mut self, epoch: Epoch) {
        self.settled = epoch;
        self.views.retain(|of, _| *of >= epoch);
        let members = self.views.values().flat_map(|view| view.members.iter());
        let known: Vec<Member> = members.copied().collect();
        let mut nodes = std::mem::take(&mut self.nodes);
        nodes.retain(|member, _| known.contains(member) || self.is_current(*member));
        self.nodes = nodes;
    }

    pub(super) fn send_views(&self, turn: &mut Turn<'_>, to: NodeId, beat: Option<Beat>) {
        let asked = beat.map(|beat| (beat.incarnation, beat.asked));
        let views: Arc<[View]> = self.views.values().cloned().collect();
        if !views.is_empty() {
            let (settled, lost) = (self.settled, self.lost());
            turn.out.send(to, Views { asked, views, settled, lost });
        }
    }

    pub(super) fn broadcast(&self, turn: &mut Turn<'_>) {
        for node in self.admissions.keys() {
            self.send_views(turn, *node, None);
        }
    }

    /// A client wants to hear of every view after `known`.
    pub fn on_watch(&mut self, turn: &mut Turn<'_>, client: NodeId, known: Epoch) {
        self.watchers.insert(client, known);
        self.tell_watcher(turn, client);
    }

    /// Tells a client of the view in force, if it does not know it.
    fn tell_watcher(&mut self, turn: &mut Turn<'_>, client: NodeId) {
        let Some(view) = self.views.get(&self.active) else { return };
        let known = self.watchers.get_mut(&client).expect("a client that is told of views watches");
        if *known < view.epoch {
            *known = view.epoch;
            let (settled, lost) = (self.settled, self.lost());
            let views = [view.clone()].into();
            turn.out.send(client, Views { asked: None, views, settled, lost });
        }
    }
}

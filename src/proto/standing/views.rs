//! What a node knows of views, and what it is complete on when it enters one.

use std::sync::Arc;

use super::Standing;
use crate::machine::Time;
use crate::proto::{Arcs, Config, Epoch, Layout, Lost, Member, Record, View};

impl Standing {
    /// The layout of that epoch; after a restart it must be heard again.
    pub fn layout(&self) -> Option<&Arc<Layout>> {
        self.layouts.get(&self.epoch)
    }

    /// The newest view that this life has heard of: that of its epoch, or none yet.
    pub fn known(&self) -> Epoch {
        self.layout().map(|layout| layout.epoch()).unwrap_or_default()
    }

    /// The layout of an epoch since the last that has settled.
    pub fn layout_of(&self, epoch: Epoch) -> Option<&Arc<Layout>> {
        self.layouts.get(&epoch)
    }

    /// The last epoch that has settled, as far as the node knows.
    pub fn settled(&self) -> Epoch {
        self.settled
    }

    /// What is known of the member, if it is lost.
    pub fn lost(&self, member: Member) -> Option<&Lost> {
        self.lost.get(&member)
    }

    /// Is the view of the node's epoch in force, as the node knows by a lease or because it
    /// settled?
    pub fn is_in_force(&self, config: &Config, now: Time) -> bool {
        self.settled == self.epoch || self.check(config, now, self.epoch, []).is_ok()
    }

    /// Does the node's view say that the operator has accepted the loss of the member?
    pub fn is_given_up(&self, member: Member) -> bool {
        self.layout().is_some_and(|layout| layout.view().gives_up(member))
    }

    /// Learns of members that are lost. Is any of it news?
    pub fn learn_lost(&mut self, lost: &[Lost]) -> bool {
        let mut is_new = false;
        for lost in lost {
            is_new |= self.lost.insert(lost.member, *lost).is_none();
        }
        is_new
    }

    /// Learns of views, in the order of their epochs, from the last that has settled to the newest.
    /// Gives the record to be forced if that leads the node into another epoch.
    pub fn learn(
        &mut self,
        config: &Config,
        views: &[View],
        settled: Epoch,
        lost: &[Lost],
    ) -> Option<Record> {
        let newest = views.last().filter(|view| view.epoch >= self.epoch)?.epoch;
        let knew_its_view = self.layout().is_some();
        for view in views {
            if !self.layouts.contains_key(&view.epoch) {
                let near = self.layouts.last_key_value().map(|(_, layout)| layout);
                let near = near.unwrap_or(config.first_layout());
                let layout = Layout::new(config, view.clone(), near);
                self.layouts.insert(view.epoch, layout);
            }
        }
        self.learn_settled(settled);
        self.learn_lost(lost);
        if newest > self.epoch {
            return Some(self.enter(newest));
        }
        if !knew_its_view {
            self.find_missing(); // it recovered its claims, and what it owns it learns only now
        }
        None
    }

    /// Learns that every owner is complete in `settled`.
    pub fn learn_settled(&mut self, settled: Epoch) {
        self.settled = self.settled.max(settled);
        let oldest = self.settled.min(self.epoch);
        self.layouts.retain(|epoch, _| *epoch >= oldest);
        let layouts = &self.layouts;
        self.lost.retain(|member, _| layouts.values().any(|layout| layout.view().has(*member)));
    }

    fn enter(&mut self, epoch: Epoch) -> Record {
        assert!(epoch > self.epoch, "{} goes back from {} to {epoch}", self.node, self.epoch);
        let complete = self.stays_complete(epoch);
        self.epoch = epoch;
        self.leased_until = None;
        self.claims.insert(epoch, complete.clone());
        self.find_missing();
        Record::Entered { epoch, complete }
    }

    /// Where the node is complete from the start of `epoch`.
    fn stays_complete(&self, epoch: Epoch) -> Arcs {
        let Some(member) = self.member() else { return Arcs::default() };
        let mut stays = Arcs::all();
        for (&between, layout) in self.layouts.range(..=epoch).rev() {
            if between <= self.epoch {
                break;
            }
            stays = stays.intersection(&layout.owned_by(member));
        }
        // Without the views between nothing can be said, and nothing was claimed there.
        let knows_all = (self.epoch.0 + 1..=epoch.0).all(|e| self.layouts.contains_key(&Epoch(e)));
        match self.claims.get(&self.epoch).filter(|_| knows_all) {
            Some(claim) => stays.intersection(claim),
            None => Arcs::default(),
        }
    }

    fn find_missing(&mut self) {
        let owned = self.layout().zip(self.member());
        let owned = owned.map(|(layout, member)| layout.owned_by(member)).unwrap_or_default();
        let complete = self.claims.get(&self.epoch).cloned().unwrap_or_default();
        self.missing = owned.difference(&complete);
    }
}

//! Views and admissions, as the centre's log has them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use seedbed::machine::{NodeId, Span};
use seedbed::proto::{Admission, Config, Epoch, Layout, Member, Membership, Record, View};

use crate::file_service::oracle::At;
use crate::file_service::oracle::model::placement::Placement;

/// Every view that was announced, and every number that was given.
#[derive(Clone, Debug, Default)]
pub struct Views {
    announced: BTreeMap<Epoch, At<View>>,
    /// The epochs that came into force, with the step.
    activated: BTreeMap<Epoch, u64>,
    settled: Option<At<Epoch>>,
    /// The members that the operator has given up, and when.
    given_up: BTreeMap<Member, u64>,
    /// The newest epoch that each member is recorded to have entered.
    entered: BTreeMap<Member, Epoch>,
    admitted: BTreeMap<Admission, At<NodeId>>,
    /// The view announced last, and how long locks are granted for, as the centre's memory has it.
    announcing: Option<View>,
    lock_lease: Option<Span>,
    /// Worked out when they are first wanted.
    layouts: RefCell<BTreeMap<Epoch, Arc<Layout>>>,
    placements: RefCell<BTreeMap<Epoch, Rc<Placement>>>,
}

impl Views {
    /// Takes over a durable record of the centre.
    pub(in crate::file_service::oracle) fn on_durable(&mut self, step: u64, record: &Record) {
        match record {
            Record::Announced { view } => {
                self.announced.entry(view.epoch).or_insert(At { step, is: view.clone() });
            }
            Record::Activated { epoch } => {
                self.activated.entry(*epoch).or_insert(step);
            }
            Record::Converged { epoch } => self.settled = Some(At { step, is: *epoch }),
            Record::LossAccepted { members } => {
                self.given_up.extend(members.iter().map(|member| (*member, step)));
            }
            Record::Recorded { member, entered, .. } => _ = self.entered.insert(*member, *entered),
            Record::Admitted { member, .. } => {
                self.admitted.entry(member.admission).or_insert(At { step, is: member.node });
            }
            _ => {}
        }
    }

    /// Takes over what the centre appends: it grants locks by that.
    pub(in crate::file_service::oracle) fn on_appended(&mut self, record: &Record) {
        match record {
            Record::Announced { view } => self.announcing = Some(view.clone()),
            Record::Activated { epoch } => {
                // It may have been announced in an earlier life.
                let durable = || self.announced.get(epoch).map(|announced| &announced.is);
                let view = self.announcing.as_ref().filter(|view| view.epoch == *epoch);
                let view = view.or_else(durable);
                self.lock_lease = view.map(|view| view.lock_lease).or(self.lock_lease);
            }
            _ => {}
        }
    }

    /// The centre's memory goes back to what is durable.
    pub(in crate::file_service::oracle) fn on_crashed(&mut self) {
        let active = self.announced.get(&self.active());
        self.lock_lease = active.map(|view| view.is.lock_lease);
        self.announcing = None;
    }

    /// The lease of a lock that is granted at this moment; a view may change it.
    pub fn lock_lease(&self, config: &Config) -> Span {
        self.lock_lease.unwrap_or(config.lock_lease)
    }

    /// The longest lease of any view so far: the lock server waits for that one after a restart.
    pub fn longest_lock_lease(&self, config: &Config) -> Span {
        let leases = self.announced.values().map(|view| view.is.lock_lease);
        leases.fold(config.lock_lease.max(self.lock_lease(config)), Span::max)
    }

    /// The view of `epoch`.
    pub fn view(&self, epoch: Epoch) -> Option<&At<View>> {
        self.announced.get(&epoch)
    }

    /// The newest view that was announced.
    pub fn newest(&self) -> Option<&At<View>> {
        self.announced.last_key_value().map(|(_, view)| view)
    }

    /// The epoch in force; with fixed membership the first.
    pub fn active(&self) -> Epoch {
        self.activated.last_key_value().map_or(Config::FIRST_EPOCH, |(epoch, _)| *epoch)
    }

    /// In which step `epoch` came into force.
    pub fn activated(&self, epoch: Epoch) -> Option<u64> {
        self.activated.get(&epoch).copied()
    }

    /// The last epoch that has settled.
    pub fn settled(&self) -> Option<&At<Epoch>> {
        self.settled.as_ref()
    }

    /// Is it recorded that the member has left `epoch`?
    pub fn has_left(&self, member: Member, epoch: Epoch) -> bool {
        self.entered.get(&member).is_some_and(|entered| *entered > epoch)
    }

    /// Has the operator given the member up?
    pub fn is_given_up(&self, member: Member) -> bool {
        self.given_up.contains_key(&member)
    }

    /// When the operator gave the member up, if it did.
    pub fn given_up(&self, member: Member) -> Option<u64> {
        self.given_up.get(&member).copied()
    }

    /// The members that the operator has given up after this step.
    pub fn gave_up_since(&self, step: u64) -> Vec<Member> {
        let since = self.given_up.iter().filter(|(_, given_up)| **given_up > step);
        since.map(|(member, _)| *member).collect()
    }

    /// The views from `epoch` on that have the member.
    pub fn with(&self, member: Member, epoch: Epoch) -> impl Iterator<Item = &View> {
        let since = self.announced.range(epoch..).map(|(_, view)| &view.is);
        since.filter(move |view| view.has(member))
    }

    /// The node that a number was given to.
    pub fn admitted(&self, admission: Admission) -> Option<&At<NodeId>> {
        self.admitted.get(&admission)
    }

    /// The newest admission of `node`.
    pub fn admission(&self, node: NodeId) -> Option<Admission> {
        let of_node = self.admitted.iter().rev().find(|(_, to)| to.is == node);
        of_node.map(|(admission, _)| *admission)
    }

    /// The views from the last that has settled to the newest, the newest first.
    pub fn open(&self) -> impl Iterator<Item = &At<View>> {
        let settled = self.settled.as_ref().map_or(Epoch::default(), |settled| settled.is);
        self.announced.range(settled..).rev().map(|(_, view)| view)
    }

    /// The layout in force.
    pub fn layout(&self, config: &Config) -> Arc<Layout> {
        let first = config.first_layout();
        let Some(view) = self.announced.get(&self.active()) else { return first.clone() };
        let mut layouts = self.layouts.borrow_mut();
        let layout = layouts.entry(view.is.epoch);
        layout.or_insert_with(|| Layout::new(config, view.is.clone(), first)).clone()
    }

    /// Which nodes own what in `epoch`, by the oracle's own definition; `None` if there is no such
    /// view.
    pub fn placement(&self, config: &Arc<Config>, epoch: Epoch) -> Option<Rc<Placement>> {
        let mut placements = self.placements.borrow_mut();
        if let Some(known) = placements.get(&epoch) {
            return Some(known.clone());
        }
        let view = match config.membership {
            Membership::Fixed => Some(config.first_layout().view()).filter(|v| v.epoch == epoch),
            Membership::Managed => self.announced.get(&epoch).map(|view| &view.is),
        };
        let placement = Rc::new(Placement::of(config, view?));
        placements.insert(epoch, placement.clone());
        Some(placement)
    }

    /// The member of this name in `epoch`.
    pub fn member(&self, epoch: Epoch, node: NodeId) -> Option<Member> {
        self.announced.get(&epoch)?.is.member(node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{members, n};
    use seedbed::proto::Settings;

    #[test]
    fn a_layout_is_worked_out_once() {
        let config = Config::new(Settings::default()).expect("sound settings");
        let mut views = Views::default();
        assert!(Arc::ptr_eq(&views.layout(&config), config.first_layout()));
        let view = View {
            epoch: Epoch(1),
            members: members(&[n(1), n(2)]),
            replicas: 2,
            virtual_nodes: 5,
            lock_lease: Span::from_secs(1),
            membership_lease: Span::from_secs(1),
            given_up: [].into(),
        };
        views.on_durable(1, &Record::Announced { view });
        views.on_durable(2, &Record::Activated { epoch: Epoch(1) });
        let layout = views.layout(&config);
        assert_eq!(layout.view().members.len(), 2);
        assert!(Arc::ptr_eq(&layout, &views.layout(&config)));
        assert_eq!((views.active(), views.activated(Epoch(1))), (Epoch(1), Some(2)));
    }

    #[test]
    fn a_view_that_was_announced_before_a_crash_brings_its_lease() {
        let config = Config::new(Settings::default()).expect("sound settings");
        let view = |epoch, seconds| View {
            epoch: Epoch(epoch),
            members: members(&[n(1)]),
            replicas: 1,
            virtual_nodes: 5,
            lock_lease: Span::from_secs(seconds),
            membership_lease: Span::from_secs(1),
            given_up: [].into(),
        };
        let mut views = Views::default();
        for (epoch, seconds) in [(1, 8), (2, 3)] {
            views.on_appended(&Record::Announced { view: view(epoch, seconds) });
            views.on_durable(1, &Record::Announced { view: view(epoch, seconds) });
        }
        views.on_durable(2, &Record::Activated { epoch: Epoch(1) });
        views.on_crashed();
        assert_eq!(views.lock_lease(&config), Span::from_secs(8));
        views.on_appended(&Record::Activated { epoch: Epoch(2) });
        assert_eq!(views.lock_lease(&config), Span::from_secs(3));
    }
}

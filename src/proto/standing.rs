//! What a storage node is in the cluster: its admission, its epoch, its lease, and where it is a
//! complete owner.
//!
//! An owner is *complete* on a piece of the ring in an epoch if it has everything that was ever
//! committed there, or is in doubt about it. Only a complete owner serves or votes, and it forces
//! that it is complete before it does. It is complete
//!
//! - from the start of the epoch, if it was complete in an epoch before and has been an owner of
//!   the piece in every epoch since, whether it entered them or not: whatever is committed takes
//!   the vote of every owner;
//! - once it has pulled the piece ([`handover`](super::handover)).
//!
//! Its *claims* say where it was complete, epoch by epoch. They are what it hands over from, and
//! where it claims nothing although it was an owner it is a *witness*: nothing was committed there
//! in that epoch, because its vote would have been needed. So a claim on an epoch is never added to
//! once the node has left that epoch, and a node never goes back to an epoch: it forces an epoch
//! before it enters it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{
    Admission, Arcs, Config, Defect, Epoch, Layout, Lost, Member, Membership, Path, Record, Retry,
    View,
};
use crate::machine::{NodeId, Time};

/// Why a node does not serve or vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closed {
    /// It is in this epoch, and in this epoch owns what it owns.
    Epoch(Epoch),
    /// It has no running lease, or is not complete.
    NotReady,
}

impl From<Closed> for Retry {
    fn from(closed: Closed) -> Retry {
        match closed {
            Closed::Epoch(epoch) => Retry::Epoch(epoch),
            Closed::NotReady => Retry::NotReady,
        }
    }
}

/// A node's standing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Standing {
    node: NodeId,
    admission: Option<Admission>,
    /// The epoch that the node has entered; 0 before the first.
    epoch: Epoch,
    /// Where it was complete, in the epochs whose claims it has not given up.
    claims: BTreeMap<Epoch, Arcs>,
    /// Claims on epochs before this one are given up.
    given_up: Epoch,
    /// The end of the lease, which is for `epoch`.
    leased_until: Option<Time>,
    /// When this life last asked for views and got the answer: it knows all that there were then.
    up_to_date: Option<Time>,
    /// What this life knows of views: those since the last that has settled.
    layouts: BTreeMap<Epoch, Arc<Layout>>,
    /// The last epoch that has settled.
    settled: Epoch,
    /// Members of known views that are lost.
    lost: BTreeMap<Member, Lost>,
    /// What the node owns and is not complete on.
    missing: Arcs,
}

impl Standing {
    /// The standing of a node with an empty log.
    pub fn new(config: &Config, node: NodeId) -> Standing {
        let mut standing = Standing {
            node,
            admission: None,
            epoch: Epoch::default(),
            claims: BTreeMap::new(),
            given_up: Epoch::default(),
            leased_until: None,
            up_to_date: None,
            layouts: BTreeMap::new(),
            settled: Epoch::default(),
            lost: BTreeMap::new(),
            missing: Arcs::default(),
        };
        if config.membership == Membership::Fixed {
            // Everyone is a member for ever, of a cluster that began empty.
            let layout = config.first_layout();
            standing.epoch = layout.epoch();
            standing.leased_until = Some(Time::MAX);
            standing.layouts.insert(layout.epoch(), layout.clone());
        }
        standing
    }

    /// The node under its admission; `None` before it has one.
    pub fn member(&self) -> Option<Member> {
        Some(Member { node: self.node, admission: self.admission? })
    }

    /// Its admission, in what it says to others: it says nothing before it has one.
    pub fn admission(&self) -> Admission {
        self.admission.unwrap_or_default()
    }

    /// The epoch that the node has entered.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

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

    /// When it asked for views last and was answered, in this life.
    pub fn up_to_date(&self) -> Option<Time> {
        self.up_to_date
    }

    /// It knows every view that there was when it asked.
    pub fn learn_up_to_date(&mut self, asked: Time) {
        self.up_to_date = self.up_to_date.max(Some(asked));
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

    /// What the node owns and is not complete on.
    pub fn missing(&self) -> &Arcs {
        &self.missing
    }

    /// Is the node a member in its epoch?
    pub fn is_member(&self) -> bool {
        let view = self.layout().map(|layout| layout.view());
        view.zip(self.member()).is_some_and(|(view, member)| view.has(member))
    }

    /// Does the node own `path` in its epoch?
    pub fn owns(&self, path: &Path) -> bool {
        let layout = self.layout().zip(self.member());
        layout.is_some_and(|(layout, member)| layout.owns(member, path))
    }

    /// Where the node was complete in an earlier epoch; `None` if it has given such claims up and
    /// cannot tell any more.
    pub fn claim(&self, epoch: Epoch) -> Option<Arcs> {
        let can_tell = epoch >= self.given_up && epoch <= self.epoch;
        can_tell.then(|| self.claims.get(&epoch).cloned().unwrap_or_default())
    }

    /// May the node serve or vote on `paths` for somebody in `epoch`?
    pub fn check<'a>(
        &self,
        config: &Config,
        now: Time,
        epoch: Epoch,
        paths: impl IntoIterator<Item = &'a Path>,
    ) -> Result<(), Closed> {
        if epoch != self.epoch && !config.defects.has(Defect::EpochUnchecked) {
            return Err(Closed::Epoch(self.epoch));
        }
        let ignores_lease = config.defects.has(Defect::LeaseIgnoredByEvictedNode);
        let leased = |until| now < until || ignores_lease;
        if !self.leased_until.is_some_and(leased) {
            return Err(Closed::NotReady);
        }
        for path in paths {
            if !self.owns(path) {
                return Err(Closed::Epoch(self.epoch));
            }
            let is_missing = || self.missing.contains(config.position(path));
            let serves_early = config.defects.has(Defect::ServedBeforePulled);
            if !self.missing.is_empty() && is_missing() && !serves_early {
                return Err(Closed::NotReady);
            }
        }
        Ok(())
    }

    /// The lease for `epoch` lasts until then; it is only ever extended.
    pub fn extend_lease(&mut self, epoch: Epoch, until: Time) {
        if epoch == self.epoch {
            self.leased_until = self.leased_until.max(Some(until));
        }
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

    /// Learns that everyone is complete in `settled`.
    pub fn learn_settled(&mut self, settled: Epoch) {
        self.settled = self.settled.max(settled);
        let oldest = self.settled.min(self.epoch);
        self.layouts.retain(|epoch, _| *epoch >= oldest);
        let layouts = &self.layouts;
        self.lost.retain(|member, _| layouts.values().any(|layout| layout.view().has(*member)));
    }

    fn enter(&mut self, epoch: Epoch) -> Record {
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

    /// The node is complete on `arcs`, too.
    pub fn complete(&mut self, arcs: &Arcs) -> Record {
        self.replay_complete(self.epoch, arcs);
        self.missing = self.missing.difference(arcs);
        Record::Complete { epoch: self.epoch, arcs: arcs.clone() }
    }

    /// Nothing that was committed on `arcs` counts any more: the node is complete on them.
    pub fn begin_again(&mut self, arcs: &Arcs) -> Record {
        self.complete(arcs);
        Record::Reset { epoch: self.epoch, arcs: arcs.clone() }
    }

    /// If the node's epoch has settled and it has not done so yet, it gives up its older claims,
    /// and whatever it does not own.
    pub fn give_up(&mut self) -> Option<Record> {
        let (epoch, settled) = (self.epoch, self.settled);
        let layout = self.layout().filter(|_| settled == epoch && self.given_up < epoch)?;
        let keeps = layout.owned_by(self.member()?);
        self.replay_gave_up(epoch);
        Some(Record::GaveUp { epoch, keeps })
    }

    /// Has the node no part in the cluster any more, and given up all that it claimed?
    pub fn is_out(&self) -> bool {
        self.settled == self.epoch && self.given_up == self.epoch && !self.is_member()
    }
}

/// Recovery and checkpoints.
impl Standing {
    pub fn replay_born(&mut self, admission: Admission) {
        self.admission = Some(admission);
    }

    pub fn replay_entered(&mut self, epoch: Epoch, complete: &Arcs) {
        self.epoch = epoch;
        self.claims.insert(epoch, complete.clone());
    }

    pub fn replay_complete(&mut self, epoch: Epoch, arcs: &Arcs) {
        let claim = self.claims.entry(epoch).or_default();
        *claim = claim.union(arcs);
    }

    pub fn replay_gave_up(&mut self, epoch: Epoch) {
        self.given_up = epoch;
        self.claims.retain(|of, _| *of >= epoch);
    }

    /// The records that give this standing again; `keeps` of what was given up is for those who
    /// hold copies, and they hold none in a checkpoint.
    pub fn snapshot(&self, records: &mut Vec<Record>) {
        records.extend(self.admission.map(|admission| Record::Born { admission }));
        if self.given_up > Epoch::default() {
            records.push(Record::GaveUp { epoch: self.given_up, keeps: Arcs::default() });
        }
        for (&epoch, complete) in &self.claims {
            records.push(Record::Entered { epoch, complete: complete.clone() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Settings;
    use super::*;
    use crate::machine::Span;

    const NODE: u16 = 1;

    fn config() -> Arc<Config> {
        let members = (1..=4).map(NodeId::storage).collect();
        let membership = Membership::Managed;
        let settings = Settings { members, membership, replicas: 2, ..Settings::default() };
        Config::new(settings).expect("sound settings")
    }

    fn view(epoch: u32, members: &[u16]) -> View {
        let member =
            |n: &u16| Member { node: NodeId::storage(*n), admission: Admission((*n).into()) };
        View {
            epoch: Epoch(epoch),
            members: members.iter().map(member).collect(),
            replicas: 2,
            virtual_nodes: 8,
            lock_lease: Span::from_secs(10),
            membership_lease: Span::from_secs(2),
            given_up: Arc::default(),
        }
    }

    fn admitted(config: &Config) -> Standing {
        let mut standing = Standing::new(config, NodeId::storage(NODE));
        standing.replay_born(Admission(NODE.into()));
        standing
    }

    fn learn(standing: &mut Standing, config: &Config, views: &[View], settled: u32) {
        standing.learn(config, views, Epoch(settled), &[]);
    }

    fn pull_all(standing: &mut Standing) {
        let missing = standing.missing().clone();
        standing.complete(&missing);
    }

    #[test]
    fn a_node_stays_complete_where_it_has_been_an_owner_without_interruption() {
        let config = config();
        let mut standing = admitted(&config);
        learn(&mut standing, &config, &[view(1, &[1, 2, 3])], 0);
        pull_all(&mut standing);
        let before = standing.claim(Epoch(1)).expect("not given up");
        // It hears of two views at once, and was an owner in both.
        learn(&mut standing, &config, &[1, 2, 3].map(|e| view(e, &[1, 2, 3])), 1);
        assert_eq!(standing.claim(Epoch(3)), Some(before));
        assert!(standing.missing().is_empty());
        assert_eq!(standing.claim(Epoch(2)), Some(Arcs::default()), "it never entered that epoch");
    }

    #[test]
    fn a_node_is_not_complete_over_an_epoch_in_which_it_was_no_owner() {
        let config = config();
        let mut standing = admitted(&config);
        learn(&mut standing, &config, &[view(1, &[1, 2])], 0);
        pull_all(&mut standing);
        let views = [view(1, &[1, 2]), view(2, &[2, 3]), view(3, &[1, 2])];
        learn(&mut standing, &config, &views, 1);
        assert_eq!(standing.claim(Epoch(3)), Some(Arcs::default()));
        assert_eq!(*standing.missing(), Arcs::all());
    }

    #[test]
    fn without_the_views_between_nothing_stays_complete() {
        let config = config();
        let mut standing = admitted(&config);
        learn(&mut standing, &config, &[view(1, &[1, 2])], 0);
        pull_all(&mut standing);
        learn(&mut standing, &config, &[view(4, &[1, 2])], 4);
        assert_eq!(*standing.missing(), Arcs::all());
    }

    #[test]
    fn another_admission_of_the_name_owns_nothing() {
        let config = config();
        let mut standing = Standing::new(&config, NodeId::storage(NODE));
        standing.replay_born(Admission(9));
        learn(&mut standing, &config, &[view(1, &[1, 2])], 0);
        assert!(!standing.is_member() && standing.missing().is_empty());
        assert_eq!(standing.check(&config, Time::ZERO, Epoch(1), []), Err(Closed::NotReady));
    }

    #[test]
    fn a_lease_is_for_one_epoch_and_only_ever_extended() {
        let config = config();
        let mut standing = admitted(&config);
        learn(&mut standing, &config, &[view(1, &[1, 2])], 0);
        standing.extend_lease(Epoch(2), Time::MAX);
        let open = |standing: &Standing, at| standing.check(&config, at, Epoch(1), []).is_ok();
        assert!(!open(&standing, Time::ZERO), "the lease was for another epoch");
        standing.extend_lease(Epoch(1), Time::from_nanos(10));
        standing.extend_lease(Epoch(1), Time::from_nanos(5));
        assert!(open(&standing, Time::from_nanos(9)) && !open(&standing, Time::from_nanos(10)));
        learn(&mut standing, &config, &[view(1, &[1, 2]), view(2, &[1, 2, 3])], 1);
        assert!(!open(&standing, Time::ZERO));
    }

    #[test]
    fn what_was_given_up_can_be_told_no_more() {
        let config = config();
        let mut standing = admitted(&config);
        learn(&mut standing, &config, &[view(1, &[1, 2])], 0);
        pull_all(&mut standing);
        assert_eq!(standing.give_up(), None, "it has not settled");
        learn(&mut standing, &config, &[view(1, &[1, 2]), view(2, &[1, 2])], 0);
        standing.learn_settled(Epoch(2));
        let keeps = Arcs::all();
        assert_eq!(standing.give_up(), Some(Record::GaveUp { epoch: Epoch(2), keeps }));
        assert_eq!(standing.claim(Epoch(1)), None);
        assert_eq!(standing.give_up(), None, "once is enough");
    }

    #[test]
    fn recovery_gives_the_same_standing_but_for_what_only_a_life_knows() {
        let config = config();
        let mut standing = admitted(&config);
        let mut records = vec![Record::Born { admission: Admission(NODE.into()) }];
        records.extend(standing.learn(&config, &[view(1, &[1, 2])], Epoch(0), &[]));
        let missing = standing.missing().clone();
        records.push(standing.complete(&missing));
        let replayed = |records: &[Record]| {
            let mut standing = Standing::new(&config, NodeId::storage(NODE));
            for record in records {
                match record {
                    Record::Born { admission } => standing.replay_born(*admission),
                    Record::Entered { epoch, complete } => {
                        standing.replay_entered(*epoch, complete)
                    }
                    Record::Complete { epoch, arcs } => standing.replay_complete(*epoch, arcs),
                    Record::GaveUp { epoch, .. } => standing.replay_gave_up(*epoch),
                    _ => unreachable!("not about a standing"),
                }
            }
            standing
        };
        let again = replayed(&records);
        assert_eq!((again.epoch(), again.known()), (Epoch(1), Epoch(0)));
        assert_eq!(again.claim(Epoch(1)), standing.claim(Epoch(1)));
        let mut checkpoint = Vec::new();
        standing.snapshot(&mut checkpoint);
        assert_eq!(replayed(&checkpoint), again);
    }
}

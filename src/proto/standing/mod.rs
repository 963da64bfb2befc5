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

#[cfg(test)]
mod tests;
mod views;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{
    Admission, Arcs, Config, Defect, Epoch, Layout, Lost, Member, Membership, Path, Record, Retry,
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

    // Rebuilt from the log:
    admission: Option<Admission>,
    /// The epoch that the node has entered; 0 before the first.
    epoch: Epoch,
    /// Where it was complete, in the epochs whose claims it has not given up.
    claims: BTreeMap<Epoch, Arcs>,
    /// The first epoch that it can still have a claim on: older ones are given up.
    claims_from: Epoch,

    // Volatile:
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
            claims_from: Epoch::default(),
            leased_until: None,
            up_to_date: None,
            layouts: BTreeMap::new(),
            settled: Epoch::default(),
            lost: BTreeMap::new(),
            missing: Arcs::default(),
        };
        if config.membership == Membership::Fixed {
            // Every node is a member for ever, of a cluster that began empty.
            let layout = config.first_layout();
            standing.epoch = layout.epoch();
            standing.leased_until = Some(Time::MAX);
            standing.layouts.insert(layout.epoch(), layout.clone());
        }
        standing
    }

    /// The end of the lease, if there is one that ends.
    pub fn leased_until(&self) -> Option<Time> {
        self.leased_until.filter(|until| *until != Time::MAX)
    }

    /// The node under its admission; `None` before it has one.
    pub fn member(&self) -> Option<Member> {
        Some(Member { node: self.node, admission: self.admission? })
    }

    /// Its admission, in what it says to others: it says nothing before it has one, unless a defect
    /// has lost the record of it.
    pub fn admission(&self) -> Admission {
        self.admission.unwrap_or_default()
    }

    /// The epoch that the node has entered.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// When it asked for views last and was answered, in this life.
    pub fn up_to_date(&self) -> Option<Time> {
        self.up_to_date
    }

    /// It knows every view that there was when it asked.
    pub fn learn_up_to_date(&mut self, asked: Time) {
        self.up_to_date = self.up_to_date.max(Some(asked));
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
        let can_tell = epoch >= self.claims_from && epoch <= self.epoch;
        can_tell.then(|| self.claims.get(&epoch).cloned().unwrap_or_default())
    }

    /// May the node serve or vote on `paths` in `epoch`?
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

    /// The node is complete on `arcs`, too, which it owns.
    pub fn complete(&mut self, arcs: &Arcs) -> Record {
        assert!(
            arcs.difference(&self.missing).is_empty(),
            "{} completes what it does not miss",
            self.node
        );
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
    pub fn drop_older_claims(&mut self) -> Option<Record> {
        let (epoch, settled) = (self.epoch, self.settled);
        let layout = self.layout().filter(|_| settled == epoch && self.claims_from < epoch)?;
        let keeps = layout.owned_by(self.member()?);
        self.replay_gave_up(epoch);
        Some(Record::GaveUp { epoch, keeps })
    }

    /// Has the node no part in the cluster any more, and given up all that it claimed?
    pub fn is_out(&self) -> bool {
        self.settled == self.epoch && self.claims_from == self.epoch && !self.is_member()
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
        self.claims_from = epoch;
        self.claims.retain(|of, _| *of >= epoch);
    }

    /// The records that give this standing again. What a node keeps matters when it gives up
    /// copies, and a checkpoint has no others.
    pub fn snapshot(&self, records: &mut Vec<Record>) {
        records.extend(self.admission.map(|admission| Record::Born { admission }));
        if self.claims_from > Epoch::default() {
            records.push(Record::GaveUp { epoch: self.claims_from, keeps: Arcs::default() });
        }
        for (&epoch, complete) in &self.claims {
            records.push(Record::Entered { epoch, complete: complete.clone() });
        }
    }
}

//! Where a new owner gets what is missing: whom to ask for what, by what it was told so far.

use std::collections::BTreeMap;

use super::super::standing::Standing;
use super::super::{Admission, Arcs, Config, Defect, Epoch, Layout, Member};

/// An owner of an earlier epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Source {
    pub level: Epoch,
    pub owner: Member,
}

/// Where a new owner gets what is missing.
#[derive(Default)]
pub(super) struct Candidates {
    /// Whom to ask for what, the newest epoch first.
    pub sources: Vec<(Source, Arcs)>,
    /// What nobody needs to be asked for: what the node itself was complete on when anything was
    /// committed there last, and what is witnessed back to the beginning.
    pub at_hand: Arcs,
}

/// What the owners of earlier epochs have told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Told {
    /// Where a source has witnessed that nothing was committed in its epoch.
    witnesses: BTreeMap<Source, Arcs>,
    /// Sources that are gone with their disks, and the numbers of those who have their names.
    gone: BTreeMap<Source, Admission>,
}

impl Told {
    /// The source is gone with its disk, and its name has this number. Is that news?
    pub fn is_gone(&mut self, source: Source, successor: Admission) -> bool {
        self.gone.insert(source, successor).is_none()
    }

    /// Nothing was committed on `arcs` in the epoch of `source`, which must know. Is that news?
    pub fn witness(&mut self, source: Source, arcs: &Arcs) -> bool {
        let known = self.witnesses.entry(source).or_default();
        let before = std::mem::replace(known, known.union(arcs));
        before != *known
    }

    /// Where every owner in a view is gone with its disk, and the operator has accepted that.
    fn accepted_in(&self, layout: &Layout, standing: &Standing) -> Arcs {
        let level = layout.epoch();
        let is_accepted = |owner: &Member| {
            let successor = self.gone.get(&Source { level, owner: *owner });
            successor.is_some_and(|successor| standing.is_loss_accepted(*successor))
        };
        let members = layout.view().members.iter().copied();
        let left = members.filter(|owner| !is_accepted(owner));
        left.fold(Arcs::all(), |lost, owner| lost.difference(&layout.owned_by(owner)))
    }

    /// Where anybody has witnessed that nothing was committed in an epoch.
    fn witnessed_in(&self, level: Epoch) -> Arcs {
        let here = self.witnesses.iter().filter(|(source, _)| source.level == level);
        here.fold(Arcs::default(), |all, (_, arcs)| all.union(arcs))
    }

    /// Where the node was an owner without being complete, it is a witness itself.
    pub fn witness_for_itself(&mut self, standing: &Standing) {
        let Some(owner) = standing.member() else { return };
        for level in levels(standing) {
            let Some(layout) = standing.layout_of(level) else { continue };
            if let Some(claim) = standing.claim(level) {
                let arcs = layout.owned_by(owner).difference(&claim);
                self.witness(Source { level, owner }, &arcs);
            }
        }
    }

    /// Where what is missing can come from.
    pub fn candidates(&self, config: &Config, standing: &Standing) -> Candidates {
        let mut candidates = Candidates::default();
        // What is witnessed so far, and where the next older epoch may be asked.
        let mut witnessed = standing.missing().clone();
        let mut open = witnessed.clone();
        for level in levels(standing) {
            // Without this view nothing can be said of older ones either.
            let Some(layout) = standing.layout_of(level) else { return candidates };
            let own = standing.claim(level).unwrap_or_default().intersection(&open);
            candidates.at_hand = candidates.at_hand.union(&own);
            for &owner in layout.view().members.iter() {
                let source = Source { level, owner };
                let mut arcs = layout.owned_by(owner).intersection(&open);
                if let Some(witnessed) = self.witnesses.get(&source) {
                    arcs = arcs.difference(witnessed); // it has told all it knows
                }
                let is_other = Some(owner) != standing.member();
                if !arcs.is_empty() && is_other && !self.gone.contains_key(&source) {
                    candidates.sources.push((source, arcs));
                }
            }
            let here = self.witnessed_in(level).union(&self.accepted_in(layout, standing));
            witnessed = witnessed.intersection(&here);
            if !config.defects.has(Defect::WitnessRuleSkipped) {
                open = witnessed.clone();
            }
            if open.is_empty() {
                break;
            }
        }
        // Before the first epoch there was nothing.
        candidates.at_hand = candidates.at_hand.union(&witnessed);
        candidates
    }
}

/// The epochs whose owners can be asked: from the one before the node's own back to the last that
/// has settled.
fn levels(standing: &Standing) -> impl Iterator<Item = Epoch> + use<> {
    let oldest = standing.settled().0.max(1);
    (oldest..standing.epoch().0).rev().map(Epoch)
}

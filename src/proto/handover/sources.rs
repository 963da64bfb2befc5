//! Where a new owner gets what is missing: which sources to ask for what, by what they have told.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::standing::Standing;
use super::super::{Arcs, Config, Defect, Epoch, Layout, Member};

/// An owner of an earlier epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Source {
    pub level: Epoch,
    pub owner: Member,
}

/// How far back the search for what is missing goes.
#[derive(Default)]
pub(super) struct Trail {
    /// The views, the newest first, and for what their owners may be asked.
    levels: Vec<(Arc<Layout>, Arcs)>,
    /// What no source needs to be asked for: what the node itself was complete on when anything was
    /// committed there last, and what is witnessed back to the beginning.
    pub at_hand: Arcs,
    /// What the operator has given up: every owner in every view, back to the last that has settled
    /// and in that one too, is given up or was not complete.
    pub given_up: Arcs,
}

/// What the owners of earlier epochs have told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Told {
    /// Where a source has witnessed that nothing was committed in its epoch.
    witnesses: BTreeMap<Source, Arcs>,
    /// The same by epoch, of all its owners together.
    witnessed: BTreeMap<Epoch, Arcs>,
}

impl Told {
    /// Nothing was committed on `arcs` in the epoch of `source`, which must know. Is that news?
    pub fn witness(&mut self, source: Source, arcs: &Arcs) -> bool {
        let here = self.witnessed.entry(source.level).or_default();
        *here = here.union(arcs);
        let known = self.witnesses.entry(source).or_default();
        let before = std::mem::replace(known, known.union(arcs));
        before != *known
    }

    /// Where the node was an owner without being complete, it is a witness itself: once and for
    /// all, because nothing is added to a claim on an epoch that the node has left.
    fn witness_for_itself(&mut self, standing: &Standing, layout: &Layout) {
        let Some(owner) = standing.member() else { return };
        let source = Source { level: layout.epoch(), owner };
        if self.witnesses.contains_key(&source) {
            return;
        }
        if let Some(claim) = standing.claim(source.level) {
            self.witness(source, &layout.owned_by(owner).difference(&claim));
        }
    }

    /// Where an owner is gone with its disk that the centre has not recorded to have entered the
    /// view: it never had a lease there, so that nothing was committed.
    fn witness_for_lost(&mut self, standing: &Standing, layout: &Layout) {
        let level = layout.epoch();
        for &owner in layout.view().members.iter() {
            let lost = standing.lost(owner).filter(|lost| lost.entered < level);
            let source = Source { level, owner };
            if lost.is_some() && !self.witnesses.contains_key(&source) {
                self.witness(source, &layout.owned_by(owner));
            }
        }
    }

    /// Goes back from what is missing, view by view, as far as it is witnessed, or as far as each
    /// owner is given up or was not complete.
    pub fn trail(&mut self, config: &Config, standing: &Standing) -> Trail {
        let mut trail = Trail::default();
        // What is witnessed so far, where an owner may have a copy, and where the next older epoch
        // may be asked.
        let (mut witnessed, mut open) = (standing.missing().clone(), standing.missing().clone());
        let mut kept = Arcs::default();
        let is_any_given_up = is_any_given_up(config, standing);
        for level in levels(standing) {
            // Without this view nothing can be said of older ones either.
            let Some(layout) = standing.layout_of(level) else { return trail };
            self.witness_for_itself(standing, layout);
            self.witness_for_lost(standing, layout);
            let own = standing.claim(level).unwrap_or_default().intersection(&open);
            trail.at_hand = trail.at_hand.union(&own);
            trail.levels.push((layout.clone(), open.clone()));
            let here = self.witnessed.get(&level).cloned().unwrap_or_default();
            witnessed = witnessed.intersection(&here);
            let mut next = witnessed.clone();
            // While no member is given up, a view with no owner that was complete is witnessed.
            if is_any_given_up {
                kept = kept.union(&self.kept_in(config, layout, &open, standing));
                next = next.union(&standing.missing().difference(&kept));
            }
            if !config.defects.has(Defect::WitnessRuleSkipped) {
                open = next;
            }
            if open.is_empty() {
                break;
            }
        }
        // Before the first epoch there was nothing; in one that has settled every owner was
        // complete.
        if standing.settled() == Epoch(0) {
            trail.at_hand = trail.at_hand.union(&witnessed);
        }
        if is_any_given_up {
            trail.given_up = standing.missing().difference(&trail.at_hand).difference(&kept);
        }
        trail
    }

    /// Where an owner in a view may have been complete, and the operator has not given it up.
    fn kept_in(&self, config: &Config, layout: &Layout, open: &Arcs, standing: &Standing) -> Arcs {
        let (level, mut kept) = (layout.epoch(), Arcs::default());
        let members = layout.view().members.iter();
        for &owner in members.filter(|owner| !is_given_up(config, standing, **owner)) {
            let arcs = layout.owned_by(owner).intersection(open);
            let told = self.witnesses.get(&Source { level, owner });
            kept = kept.union(&told.map_or(arcs.clone(), |told| arcs.difference(told)));
        }
        kept
    }

    /// Of the sources on the trail that `is_wanted` lets through, those that have something to
    /// tell, and of what; the newest epoch first.
    pub fn sources(
        &self,
        standing: &Standing,
        trail: &Trail,
        is_wanted: impl Fn(&Source) -> bool,
    ) -> impl Iterator<Item = (Source, Arcs)> {
        let sources = trail.levels.iter().flat_map(|(layout, open)| {
            let level = layout.epoch();
            let members = layout.view().members.iter();
            members.map(move |owner| (Source { level, owner: *owner }, layout, open))
        });
        sources.filter_map(move |(source, layout, open)| {
            let is_gone =
                standing.lost(source.owner).is_some() || standing.is_given_up(source.owner);
            if is_gone || !is_wanted(&source) {
                return None;
            }
            let arcs = layout.owned_by(source.owner).intersection(open);
            let arcs = match self.witnesses.get(&source) {
                Some(witnessed) => arcs.difference(witnessed), // it has told all it knows
                None => arcs,
            };
            (!arcs.is_empty()).then_some((source, arcs))
        })
    }
}

fn is_any_given_up(config: &Config, standing: &Standing) -> bool {
    let view = standing.layout().map(|layout| layout.view());
    let unasked = config.defects.has(Defect::BeginsAgainUnasked);
    unasked || view.is_some_and(|view| !view.given_up.is_empty())
}

fn is_given_up(config: &Config, standing: &Standing, owner: Member) -> bool {
    let unasked = config.defects.has(Defect::BeginsAgainUnasked);
    standing.is_given_up(owner) || unasked && standing.lost(owner).is_some()
}

/// The epochs in which owners can be asked: from the one before the node's own back to the last
/// that has settled.
fn levels(standing: &Standing) -> impl Iterator<Item = Epoch> + use<> {
    let oldest = standing.settled().0.max(1);
    (oldest..standing.epoch().0).rev().map(Epoch)
}

#[cfg(test)]
mod tests {
    use super::super::super::{Admission, Lost, Membership, Record, Settings, View};
    use super::*;
    use crate::machine::{NodeId, Span};

    const NEWEST: u32 = 100;

    fn member(number: u16) -> Member {
        Member { node: NodeId::node(number), admission: Admission(number.into()) }
    }

    /// `n4` is a member of every other view.
    fn view(epoch: u32) -> View {
        let last = if epoch.is_multiple_of(2) { 4 } else { 3 };
        View {
            epoch: Epoch(epoch),
            members: (1..=last).map(member).collect(),
            replicas: 2,
            virtual_nodes: 8,
            lock_lease: Span::from_secs(10),
            membership_lease: Span::from_secs(2),
            given_up: Arc::default(),
        }
    }

    /// `n4` has entered the newest of a hundred views, of which only the first has settled.
    fn standing() -> (Arc<Config>, Standing) {
        standing_after(1)
    }

    /// The same, where that one is the last that has settled.
    fn standing_after(settled: u32) -> (Arc<Config>, Standing) {
        let members = (1..=4).map(NodeId::node).collect();
        let membership = Membership::Managed;
        let settings = Settings { members, membership, replicas: 2, ..Settings::default() };
        let config = Config::new(settings).expect("sound settings");
        let mut standing = Standing::new(&config, NodeId::node(4));
        standing.replay_born(Admission(4));
        let views: Vec<View> = (1..=NEWEST).map(view).collect();
        let entered = standing.learn(&config, &views, Epoch(settled), &[]);
        assert!(matches!(entered, Some(Record::Entered { epoch: Epoch(NEWEST), .. })));
        (config, standing)
    }

    fn levels_of(trail: &Trail) -> Vec<u32> {
        trail.levels.iter().map(|(layout, _)| layout.epoch().0).collect()
    }

    #[test]
    fn the_search_goes_back_only_as_far_as_it_is_witnessed() {
        let (config, standing) = standing();
        let mut told = Told::default();
        assert_eq!(levels_of(&told.trail(&config, &standing)), [99]);
        let source = Source { level: Epoch(99), owner: member(1) };
        assert!(told.witness(source, &Arcs::all()));
        assert!(!told.witness(source, &Arcs::all()), "it is no news any more");
        // In e98 the node was an owner itself, and never complete.
        assert_eq!(levels_of(&told.trail(&config, &standing)), [99, 98, 97]);
    }

    #[test]
    fn a_source_that_has_told_all_it_knows_is_asked_no_more() {
        let (config, standing) = standing();
        let mut told = Told::default();
        let trail = told.trail(&config, &standing);
        let (first, arcs) =
            told.sources(&standing, &trail, |_| true).next().expect("a source has it");
        let layout = standing.layout_of(Epoch(99)).expect("it is known");
        assert_eq!(arcs, layout.owned_by(first.owner).intersection(standing.missing()));
        told.witness(first, &arcs);
        let trail = told.trail(&config, &standing);
        assert!(told.sources(&standing, &trail, |_| true).all(|(source, _)| source != first));
    }

    #[test]
    fn what_is_witnessed_back_to_the_beginning_is_at_hand() {
        let (config, standing) = standing_after(0);
        let mut told = Told::default();
        for level in (1..NEWEST).map(Epoch) {
            assert!(told.trail(&config, &standing).at_hand.is_empty());
            told.witness(Source { level, owner: member(1) }, &Arcs::all());
        }
        assert_eq!(told.trail(&config, &standing).at_hand, *standing.missing());
    }

    /// The first three members are lost, as the centre says, which had entered that epoch.
    fn lose(standing: &mut Standing, entered: u32) {
        let lost = |number| Lost { member: member(number), entered: Epoch(entered) };
        standing.learn_lost(&[1, 2, 3].map(lost));
    }

    #[test]
    fn what_every_owner_of_every_view_is_given_up_for_begins_again() {
        let (config, mut standing) = standing();
        let mut told = Told::default();
        lose(&mut standing, 99);
        assert_eq!(levels_of(&told.trail(&config, &standing)), [99]);
        let given_up: Arc<[Member]> = (1..=3).map(member).collect();
        let next = View { given_up: given_up.clone(), members: [member(4)].into(), ..view(101) };
        let views: Vec<View> = (1..=NEWEST).map(view).chain([next]).collect();
        standing.learn(&config, &views, Epoch(1), &[]);
        let trail = told.trail(&config, &standing);
        assert!(levels_of(&trail).into_iter().eq((1..=NEWEST).rev()));
        assert_eq!(trail.given_up, *standing.missing(), "n4 has never been complete");
        assert!(trail.at_hand.is_empty());
    }

    #[test]
    fn a_lost_owner_that_is_not_recorded_to_have_entered_a_view_is_its_witness() {
        let (config, mut standing) = standing();
        lose(&mut standing, 98);
        let mut told = Told::default();
        let trail = told.trail(&config, &standing);
        assert_eq!(levels_of(&trail), [99, 98, 97]);
        assert!(told.sources(&standing, &trail, |_| true).all(|(s, _)| s.owner == member(4)));
    }

    #[test]
    fn behind_a_view_that_is_given_up_no_older_copy_is_taken_while_another_may_have_a_newer() {
        let of = |epoch, members: &[u16]| View {
            members: members.iter().copied().map(member).collect(),
            ..view(epoch)
        };
        let given_up: Arc<[Member]> = [member(1)].into();
        let newest = View { given_up, ..of(4, &[2, 4]) };
        // n3 may have pulled in e3 what was committed by n1 in e2.
        let views = [of(1, &[2]), of(2, &[1]), of(3, &[3, 4]), newest];
        let (config, _) = standing();
        let mut standing = Standing::new(&config, NodeId::node(4));
        standing.replay_born(Admission(4));
        standing.learn(&config, &views, Epoch(1), &[]);
        let mut told = Told::default();
        assert_eq!(levels_of(&told.trail(&config, &standing)), [3, 2]);
        told.witness(Source { level: Epoch(3), owner: member(3) }, &Arcs::all());
        assert_eq!(levels_of(&told.trail(&config, &standing)), [3, 2, 1]);
    }
}

//! What watches a run: for milestones, and for what the faults struck.

use std::collections::BTreeSet;

use seedbed::machine::{Class, Never, NodeId};
use seedbed_sim::milestone;
use seedbed_sim::oracle::Seen;
use seedbed_sim::oracle::milestones::Hits;
use seedbed_sim::under_test::{Coverage, MilestoneWatcher, Scene};

use super::names::{Milestone, Phase};
use super::oracle::Model;
use crate::protocol::{Config, Process, Record, Register, View};

/// The primary of the newest view that was entered by its primary; `None` before the second view.
#[derive(Clone, Debug, Default)]
pub struct Entered(Option<NodeId>);

impl MilestoneWatcher<Register> for Entered {
    fn see(&mut self, seen: &Seen<'_, Register>, _: &Model, _: &Config, hits: &mut Hits<Register>) {
        let Seen::Durable { node, record: Record::View(view), .. } = *seen else { return };
        if view.primary != node {
            return;
        }
        let before = self.0.replace(node).unwrap_or(View::default().primary);
        // A replica may skip a view, so that it is promoted and gets a backup in one.
        let mut hit = |it| hits.hit_node(milestone::Milestone::System(it), node);
        if before != node {
            hit(Milestone::Promoted);
        }
        match view.backup {
            Some(_) => hit(Milestone::Joined),
            None if before == node => hit(Milestone::LeftAlone),
            None => {}
        }
    }
}

/// What faults struck.
#[derive(Clone, Debug, Default)]
pub struct Struck;

impl Coverage<Register> for Struck {
    type Phase = Phase;
    type Situation = Never;
    type Reason = Never;

    fn classes(phase: Phase) -> &'static [Class] {
        match phase {
            Phase::Monitor => &[Class::Control],
            Phase::Client => &[Class::Client],
            Phase::PrimaryWithBackup | Phase::PrimaryAlone | Phase::NotPrimary => &[Class::Node],
        }
    }

    fn phases(&self, node: NodeId, scene: &Scene<'_, Register>) -> BTreeSet<Phase> {
        let phase = match scene.world.host(node).process() {
            Some(Process::Replica(replica)) if !replica.is_primary() => Phase::NotPrimary,
            Some(Process::Replica(replica)) if replica.view.backup.is_none() => Phase::PrimaryAlone,
            Some(Process::Replica(_)) => Phase::PrimaryWithBackup,
            Some(Process::Monitor(_)) => Phase::Monitor,
            _ => Phase::Client,
        };
        BTreeSet::from([phase])
    }
}

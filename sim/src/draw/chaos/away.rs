//! Which machines are away, so that a fault whose time was not known keeps to the budget.

use seedbed::machine::{NodeId, Span, Time};

use super::{Planned, RECOVERY};
use crate::scenario::Budget;
use crate::under_test::UnderTest;

/// The machines that the faults of a plan take away, and when.
#[derive(Clone, Debug)]
pub struct Away {
    budget: Budget,
    /// Those whose time was known, and those that an aimed fault has struck since.
    spells: Vec<Spell>,
    wipes: u16,
}

#[derive(Clone, Copy, Debug)]
struct Spell {
    node: NodeId,
    from: Time,
    until: Time,
}

impl Away {
    /// What is known of `plan` before the run.
    pub fn new<S: UnderTest>(budget: Budget, plan: &[Planned<S>]) -> Away {
        let timed = plan.iter().filter(|planned| planned.aim.is_none());
        let spell = |planned: &Planned<S>| {
            Some(Spell { node: planned.away()?, from: planned.at, until: planned.until })
        };
        Away { budget, spells: timed.filter_map(spell).collect(), wipes: 0 }
    }

    /// May `node` go away now for so long, beside all that are away meanwhile?
    pub fn has_room(&self, node: NodeId, from: Time, lasts: Span) -> bool {
        let until = from + lasts;
        let meets =
            |other: &&Spell| from <= other.until + RECOVERY && other.from <= until + RECOVERY;
        let mut others: Vec<NodeId> = self.spells.iter().filter(meets).map(|s| s.node).collect();
        others.retain(|other| *other != node && other.class() == node.class());
        others.sort_unstable();
        others.dedup();
        others.len() < self.budget.most_away(node.class())
    }

    /// Did `node` go away at this very time?
    pub fn went(&self, node: NodeId, at: Time) -> bool {
        self.spells.iter().any(|spell| spell.node == node && spell.from == at)
    }

    /// `node` goes away now for so long.
    pub fn take(&mut self, node: NodeId, from: Time, lasts: Span) {
        assert!(self.has_room(node, from, lasts), "{node} goes away beyond the budget");
        self.spells.push(Spell { node, from, until: from + lasts });
    }

    /// May another disk be lost? If so, it is.
    pub fn take_disk(&mut self) -> bool {
        let has_room = self.wipes < self.budget.wipes;
        self.wipes += u16::from(has_room);
        has_room
    }
}

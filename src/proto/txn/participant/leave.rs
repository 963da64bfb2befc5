//! What is left of transactions when the node leaves their epoch, and when paths are handed over.

use std::collections::{BTreeMap, BTreeSet};

use super::outcomes::End;
use super::{Part, Participant};
use crate::proto::Timer;
use crate::proto::owner::Owner;
use crate::proto::txn::Turn;
use crate::proto::{Config, Defect, Defects, Epoch, Open, Path, TxnId};

impl Participant {
    /// Gives up every promise that is not a vote: the node leaves its epoch.
    pub fn on_leave(&mut self, turn: &mut Turn<'_>) {
        let is_promised = |part: &Part| matches!(part, Part::InDoubt(_));
        let parts = std::mem::take(&mut self.parts).into_iter();
        let (promised, open) = parts.partition(|(_, part)| is_promised(part));
        self.parts = promised;
        for (&txn, part) in &mut self.parts {
            if let Part::InDoubt(vote) = part {
                vote.inquiries = 0; // now the centre can be asked
                turn.timers.set(Timer::Inquire(txn), turn.now + turn.config.inquiry_interval);
            }
        }
        let open: BTreeMap<TxnId, Part> = open;
        for (txn, part) in open {
            let (Part::Waiting(prepared) | Part::Ready(prepared)) = part else {
                unreachable!("{txn} is in doubt and given up");
            };
            self.let_go(turn, txn, &prepared);
            self.outcomes.end(txn, End::VotedNo);
        }
    }

    /// The transactions that it has voted for or has applied, and that may not be over. It has left
    /// their epochs.
    pub fn open(&self, defects: Defects) -> impl Iterator<Item = Open> + '_ {
        let doubts = self.parts.iter().filter_map(|(&txn, part)| match part {
            Part::InDoubt(vote) => Some(Open { txn, results: vote.voted.results.clone() }),
            Part::Waiting(_) | Part::Ready(_) => None,
        });
        let leaves_out = defects.has(Defect::AppliedLeftOut);
        let applied = self.outcomes.iter().filter_map(move |(txn, end)| match end {
            End::Committed(answer) if !leaves_out => {
                Some(Open { txn, results: (0..=u8::MAX).zip(answer.iter().cloned()).collect() })
            }
            End::Committed(_) | End::Aborted | End::VotedNo => None,
        });
        doubts.chain(applied)
    }

    /// The paths that votes of epochs before this one pin, each once. A vote of this epoch needs
    /// the yes of each new owner too.
    pub fn paths_in_doubt(&self, epoch: Epoch) -> BTreeSet<&Path> {
        let votes = self.parts.values().filter_map(|part| match part {
            Part::InDoubt(vote) if vote.voted.epoch < epoch => Some(vote),
            Part::InDoubt(_) | Part::Waiting(_) | Part::Ready(_) => None,
        });
        votes.flat_map(|vote| vote.paths.iter()).collect()
    }

    /// Is the node in doubt about anything?
    pub fn is_in_doubt(&self) -> bool {
        self.parts.values().any(|part| matches!(part, Part::InDoubt(_)))
    }

    /// Votes count no more on paths that `is_replaced` names: at the source of what was pulled the
    /// transaction has ended. Its outcome is recorded and acknowledged as ever, and changes
    /// nothing there. (Such votes are of older epochs: a node votes where it is complete, and pulls
    /// where it is not.)
    pub fn void(
        &mut self,
        config: &Config,
        owner: &mut Owner,
        is_replaced: impl Fn(&Path) -> bool,
    ) {
        for (txn, part) in &mut self.parts {
            let Part::InDoubt(vote) = part else { continue };
            if !vote.paths.iter().any(&is_replaced) {
                continue;
            }
            let (gone, kept): (Vec<Path>, Vec<Path>) =
                vote.paths.iter().cloned().partition(&is_replaced);
            owner.unpin(*txn, None, &gone);
            vote.paths = kept.into();
            if !config.defects.has(Defect::LateDecisionAppliedAfterPull) {
                let changes = vote.voted.changes.iter().filter(|(path, _)| !is_replaced(path));
                vote.voted.changes = changes.cloned().collect();
            }
        }
    }
}

//! What ends without a commit: every owner is told that a request is refused, or the attempt is
//! given up.

use std::collections::BTreeSet;

use super::{Collecting, Coordinator, Phase, end_attempt, end_because};
use crate::machine::NodeId;
use crate::proto::Timer;
use crate::proto::owner::Answered;
use crate::proto::txn::Turn;
use crate::proto::txn::operations::paths_of_operation;
use crate::proto::txn::participant::no_because;
use crate::proto::{AttemptEnd, Defect, Member, Path, Refusal, TxnId, TxnMessage};

impl Coordinator {
    /// Has every owner of a path of the request promise that no attempt at it gets its yes, before
    /// the client hears that it is refused: an owner that has voted yes to an attempt may be left
    /// as the only one that knows of it, and then it commits.
    pub(super) fn refuse(
        &mut self,
        turn: &mut Turn<'_>,
        txn: TxnId,
        mut collecting: Collecting,
        refusal: Refusal,
    ) {
        let request = collecting.attempt.request;
        if turn.config.defects.has(Defect::RefusalToldTooEarly) {
            let end = AttemptEnd::Refused { refusal, recorded: true };
            return self.abort(turn, txn, collecting, None, end);
        }
        let operations = collecting.attempt.operations.clone();
        let paths: BTreeSet<&Path> = operations.iter().flat_map(paths_of_operation).collect();
        let this = turn.member();
        // What a participant that declines must be, the coordinator must be as well.
        let own = paths.iter().copied().filter(|path| turn.layout().owns(this, path));
        if let Err(closed) = turn.check(collecting.epoch, own.collect::<Vec<_>>()) {
            return self.abort(turn, txn, collecting, None, end_because(closed.into()));
        }
        if let Some(answered @ Answered::Done(_)) = turn.owner.answers.get(request) {
            let end = end_because(no_because(answered));
            return self.abort(turn, txn, collecting, None, end);
        }
        turn.owner.unpin(txn, Some(collecting.attempt.age), &collecting.own_paths);
        turn.decline(request, refusal);
        let layout = turn.layout();
        let owners: BTreeSet<Member> = paths.iter().flat_map(|path| layout.owners(path)).collect();
        collecting.participants = owners.into_iter().filter(|owner| *owner != this).collect();
        collecting.phase = Phase::Refusing(refusal);
        let header = self.header(turn.config.defects, txn);
        for &to in collecting.participants.iter() {
            let owned = paths.iter().filter(|path| turn.layout().owns(to, path));
            let decline = TxnMessage::Decline {
                header: header.clone(),
                epoch: collecting.epoch,
                request,
                refusal,
                paths: owned.map(|path| Path::clone(path)).collect(),
            };
            turn.out.send(to.node, decline);
        }
        let patience = turn.vote_patience(collecting.attempt.attempt);
        turn.timers.set(Timer::Collect(txn), turn.now + patience);
        self.end_if_all_have_declined(turn, txn, collecting);
    }

    /// A participant has promised that no attempt at the request gets its yes.
    pub fn on_declined(&mut self, turn: &mut Turn<'_>, from: NodeId, txn: TxnId) {
        let Some(mut collecting) = self.collecting.remove(&txn) else { return };
        if collecting.has(from) {
            collecting.declined.insert(from);
        }
        self.end_if_all_have_declined(turn, txn, collecting);
    }

    fn end_if_all_have_declined(
        &mut self,
        turn: &mut Turn<'_>,
        txn: TxnId,
        collecting: Collecting,
    ) {
        match collecting.phase {
            Phase::Refusing(refusal)
                if collecting.declined.len() == collecting.participants.len() =>
            {
                turn.timers.cancel(&Timer::Collect(txn));
                let end = AttemptEnd::Refused { refusal, recorded: true };
                end_attempt(turn, &collecting.attempt, end);
            }
            Phase::Refusing(_) | Phase::Fetching | Phase::Pinning => self.put(txn, collecting),
            Phase::Preparing | Phase::Voting => self.put(txn, collecting),
        }
    }

    /// Gives up: nothing is written, because knowing nothing means abort.
    pub(super) fn abort(
        &mut self,
        turn: &mut Turn<'_>,
        txn: TxnId,
        collecting: Collecting,
        no_from: Option<NodeId>,
        end: AttemptEnd,
    ) {
        turn.timers.cancel(&Timer::Collect(txn));
        turn.owner.unpin(txn, Some(collecting.attempt.age), &collecting.own_paths);
        end_attempt(turn, &collecting.attempt, end);
        if matches!(collecting.phase, Phase::Fetching | Phase::Pinning) {
            return; // no participant has heard of it
        }
        let header = self.header(turn.config.defects, txn);
        for to in collecting.participants.iter().filter(|to| Some(to.node) != no_from) {
            turn.out.send(to.node, TxnMessage::Abort { header: header.clone() });
        }
    }
}

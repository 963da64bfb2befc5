//! Validity of an abort.

use seedbed::machine::NodeId;
use seedbed::proto::{FileService, Known, Message, MessageKind, TxnMessage};

use crate::file_service::World;
use crate::file_service::oracle::{Breach, Evidence, Invariant, Model, Moment, Seen, SeenKinds};

/// Once a coordinator has heard yes from every participant, and no from none, it does not abort.
///
/// AC3 of Bernstein, Hadzilacos, Goodman, 1987, chapter 7 says that without failures unanimous yes
/// votes lead to commit. Here it is narrower: a time-out is a reason to abort only for a vote that
/// has not arrived. A life of the coordinator that follows has heard nothing and may say aborted.
/// So may one that has left its epoch or whose membership lease is over, where membership is
/// managed. An abort that was put together before the last yes came may leave after it, held back
/// by a forced record, and is lawful too.
pub struct AbortNeedsAReason;

impl Invariant<FileService> for AbortNeedsAReason {
    fn interest(&self) -> SeenKinds {
        SeenKinds::sent(&[MessageKind::Abort, MessageKind::Decline, MessageKind::Told])
    }

    fn see(
        &mut self,
        seen: &Seen<'_>,
        Moment { model, world, .. }: &Moment<'_>,
    ) -> Result<(), Breach> {
        let Seen::Sent { from, to, message, .. } = *seen else { return Ok(()) };
        let id = match message {
            Message::Txn(TxnMessage::Abort { header } | TxnMessage::Decline { header, .. }) => {
                header.txn
            }
            Message::Txn(TxnMessage::Told { txn, known: Known::Aborted }) => *txn,
            _ => return Ok(()),
        };
        let Some(txn) = model.txns.get(&id).filter(|_| from == id.coordinator) else {
            return Ok(());
        };
        let Some(all) = &txn.heard.all else { return Ok(()) };
        let is_this_life = model.lives.get(&from).copied().unwrap_or_default() == txn.heard.life;
        let was_aborted = txn.aborted.is_some_and(|step| step < all.step);
        let may_be_old = model.log(from).durable_before(model.step) < all.is;
        let has_reason = txn.heard.no || was_aborted || may_be_old || txn.is_applied_everywhere();
        if !is_this_life || has_reason || txn.aborted != Some(model.step) {
            return Ok(());
        }
        if may_not_vote(from, all.step, model, world) {
            return Ok(());
        }
        let heard =
            format!("{from} has heard yes to {id} from every participant, and no from none");
        Err(Breach::of(
            Evidence::at(all.step, heard).about(id),
            Evidence::at(model.step, format!("{from} tells {to} that {id} is aborted")).about(id),
        ))
    }
}

/// The decision record is also the vote of the coordinator's own part. One that has left its epoch
/// since it had heard from all, or whose membership lease is over, does not give that vote.
fn may_not_vote(node: NodeId, since: u64, model: &Model, world: &World) -> bool {
    let Some(config) = model.disks.managed() else { return false };
    let life = model.lives.get(&node).copied().unwrap_or_default();
    let lease = model.leases.held(node, life).filter(|lease| lease.epoch == model.epoch(node));
    let reading = world.host(node).clock().reading(model.now);
    let is_leased = lease.is_some_and(|lease| reading < lease.believed_until(config.drift_max_ppm));
    let has_left = model.memory.epoch(node).is_some_and(|entered| entered.step >= since);
    has_left || !is_leased
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{
        Play, abort, n, prepare, promised, txn, txn_of, vote_no, vote_yes, voted,
    };

    fn play() -> Play {
        let mut play = Play::new(AbortNeedsAReason);
        play.starts(n(1));
        play.sends(n(1), n(2), prepare(txn(1), &[n(2), n(3)], &[]));
        play.receives(n(2), n(1), vote_yes(txn(1)));
        play
    }

    #[test]
    fn an_abort_after_every_yes_is_a_breach() {
        let mut play = play();
        play.receives(n(3), n(1), vote_yes(txn(1)));
        let breach = play.sends(n(1), n(2), abort(txn(1))).breaks();
        assert!(breach.earlier.is.starts_with("n1 has heard yes to n1.1/1 from every participant"));
        assert_eq!(breach.now.is, "n1 tells n2 that n1.1/1 is aborted");
    }

    #[test]
    fn an_abort_in_the_very_step_of_the_last_yes_is_a_breach() {
        let mut play = play();
        play.receives(n(3), n(1), vote_yes(txn(1))).and().sends(n(1), n(2), abort(txn(1))).breaks();
    }

    #[test]
    fn an_abort_with_a_vote_missing_or_a_no_is_none() {
        let mut missing = play();
        missing.sends(n(1), n(2), abort(txn(1)));
        missing.receives(n(3), n(1), vote_yes(txn(1)));
        missing.sends(n(1), n(3), abort(txn(1)));
        missing.holds();
        let mut refused = play();
        refused.receives(n(3), n(1), vote_no(txn(1)));
        refused.sends(n(1), n(2), abort(txn(1)));
        refused.holds();
    }

    #[test]
    fn an_abort_by_a_life_that_has_heard_nothing_is_none() {
        let mut play = play();
        play.receives(n(3), n(1), vote_yes(txn(1)));
        play.crashes(n(1));
        play.starts(n(1));
        play.sends(n(1), n(2), abort(txn(1)));
        play.holds();
    }

    #[test]
    fn votes_that_come_to_a_life_after_the_one_that_asked_do_not_count() {
        let mut play = play();
        play.crashes(n(1));
        play.starts(n(1));
        play.receives(n(2), n(1), vote_yes(txn(1)));
        play.receives(n(3), n(1), vote_yes(txn(1)));
        play.sends(n(1), n(2), abort(txn(1)));
        play.holds();
    }

    #[test]
    fn an_abort_that_a_forced_record_held_back_is_none() {
        let mut play = play();
        play.appends(n(1), voted(txn_of(n(3), 7), "/z", 1, "z"));
        play.receives(n(3), n(1), vote_yes(txn(1)));
        play.syncs(n(1)).and().sends(n(1), n(2), abort(txn(1)));
        play.holds();
        let mut later = self::play();
        later.appends(n(1), promised(txn_of(n(3), 7)));
        later.receives(n(3), n(1), vote_yes(txn(1)));
        later.syncs(n(1));
        later.sends(n(1), n(2), abort(txn(1))).breaks();
    }
}

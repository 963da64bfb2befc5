//! A free lock is granted at once if a live client waits for it.

use std::collections::BTreeSet;

use crate::file_service::oracle::invariants::locks::{keeps, lock_log};
use crate::file_service::oracle::model::locks::heard_by_lock_server::HeardAt;
use crate::file_service::oracle::model::locks::lock_of;
use crate::file_service::oracle::{
    At, Breach, Evidence, Invariant, Model, Moment, Seen, SeenKinds,
};
use seedbed::machine::{NodeId, RequestId};
use seedbed::proto::{FileService, LockRequest, Message, MessageKind, Path};

/// After every step of the lock server no lock that the step touched is free while a live waiter is
/// in line.
///
/// Otherwise nothing is left that would wake the waiter up: the lost wake-up, which is a property
/// of a *state*, so no lost message can excuse it. A waiter that the server has not heard since its
/// own restart does not count yet. After Lampson and Redell, "Experience with Processes and
/// Monitors in Mesa", CACM 23(2), 1980.
///
/// A step ends when the next one begins, so the judgement comes then; it names the step that it is
/// about. What would be judged if nothing more came of the step is kept until then, because by then
/// the model has gone on.
#[derive(Clone, Debug, Default)]
pub struct NoFreeLockWithALiveWaiter {
    touched: BTreeSet<Path>,
    /// The step that touched them.
    when: Option<HeardAt>,
    /// A lock that is free so far, and its first live waiter with when that was heard.
    free: Option<(Path, RequestId, HeardAt)>,
}

impl Invariant<FileService> for NoFreeLockWithALiveWaiter {
    fn interest(&self) -> SeenKinds {
        lock_log() | keeps() | SeenKinds::received(&[MessageKind::Release])
    }

    fn see(
        &mut self,
        seen: &Seen<'_>,
        Moment { model, world, .. }: &Moment<'_>,
    ) -> Result<(), Breach> {
        if self.when.is_some_and(|when| when.step < model.step) {
            self.judge()?;
        }
        if let Some(path) = touches(seen) {
            self.touched.insert(path.clone());
            self.when = Some(model.heard_now(world));
        }
        self.free = self.when.and_then(|when| self.first_free(when, model));
        Ok(())
    }

    fn at_end(&mut self, _moment: &Moment<'_>) -> Result<(), Breach> {
        self.judge()
    }
}

impl NoFreeLockWithALiveWaiter {
    /// The first lock touched that is free while a live waiter is in line.
    fn first_free(&self, when: HeardAt, model: &Model) -> Option<(Path, RequestId, HeardAt)> {
        self.touched.iter().find_map(|path| {
            let lock = model.locks.appended(path).filter(|lock| lock.holder.is_none())?;
            let live = |waiting: &&At<_>| model.hearing.is_live(waiting.is, when.reading);
            let waiting = lock.line.iter().find(live)?.is;
            Some((path.clone(), waiting, model.hearing.last_surely(waiting).unwrap_or(when)))
        })
    }

    fn judge(&mut self) -> Result<(), Breach> {
        self.touched.clear();
        let (Some(when), Some((path, waiting, heard))) = (self.when.take(), self.free.take())
        else {
            return Ok(());
        };
        let earlier = format!(
            "control heard at {} of {waiting}, which stands in line for the lock of {path}",
            heard.time
        );
        let now = format!("the lock of {path} is free, and control grants it to no client");
        Err(Breach::of(
            Evidence::at(heard.step, earlier).about(waiting).about(&path),
            Evidence::at(when.step, now).about(&path),
        ))
    }
}

/// The lock that the lock server had before it.
fn touches<'a>(seen: &Seen<'a>) -> Option<&'a Path> {
    match *seen {
        Seen::Received {
            to: NodeId::CONTROL,
            message:
                Message::LockRequest(
                    LockRequest::Acquire { path, .. }
                    | LockRequest::KeepAlive { path, .. }
                    | LockRequest::Release { path, .. },
                ),
            ..
        } => Some(path),
        Seen::Appended { node: NodeId::CONTROL, record, .. } => lock_of(record),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::*;

    fn one_holds_and_one_waits() -> Play {
        let mut play = Play::new(NoFreeLockWithALiveWaiter::default());
        play.at(1).receives(c(1), CONTROL, acquire("/a", request(1, 1)));
        play.and().appends(CONTROL, queued("/a", request(1, 1)));
        play.and().appends(CONTROL, granted("/a", request(1, 1), 1));
        play.at(2).receives(c(2), CONTROL, acquire("/a", request(2, 1)));
        play.and().appends(CONTROL, queued("/a", request(2, 1)));
        play
    }

    /// Something about another lock, with which the step before is over.
    fn another_step() -> Message {
        keeps_waiting("/b", request(1, 9))
    }

    #[test]
    fn the_lock_is_freed_and_the_waiter_forgotten() {
        let mut play = one_holds_and_one_waits();
        play.at(3).receives(c(1), CONTROL, release("/a", request(1, 2), 1));
        play.and().appends(CONTROL, left("/a", request(1, 1)));
        play.at(4).receives(c(1), CONTROL, another_step());
        let name = "no_free_lock_with_a_live_waiter";
        play.is_broken_by(name, (2, "c2.1#1, which stands in line"), (3, "/a is free"));
    }

    #[test]
    fn the_lock_is_freed_and_granted_in_the_same_step() {
        let mut play = one_holds_and_one_waits();
        play.at(3).receives(c(1), CONTROL, release("/a", request(1, 2), 1));
        play.and().appends(CONTROL, left("/a", request(1, 1)));
        play.and().appends(CONTROL, granted("/a", request(2, 1), 2));
        play.at(4).receives(c(1), CONTROL, another_step()).ends();
        play.holds();
    }

    #[test]
    fn the_lock_is_freed_in_the_last_step_of_the_run() {
        let mut play = one_holds_and_one_waits();
        play.at(3).appends(CONTROL, left("/a", request(1, 1))).ends();
        play.is_broken_by("no_free_lock_with_a_live_waiter", (2, "c2.1#1"), (3, "/a is free"));
    }

    #[test]
    fn a_waiter_that_has_gone_quiet_does_not_count() {
        let mut play = one_holds_and_one_waits();
        play.at(11_000).appends(CONTROL, left("/a", request(1, 1))).ends();
        play.holds();
    }

    #[test]
    fn after_a_restart_a_waiter_counts_once_it_is_heard_again() {
        let mut play = one_holds_and_one_waits();
        play.at(3).appends(CONTROL, left("/a", request(1, 1)));
        play.and().appends(CONTROL, granted("/a", request(2, 1), 2));
        play.at(4).crashes_keeping(CONTROL, 4);
        play.at(5).starts(CONTROL);
        play.at(6).receives(c(1), CONTROL, another_step());
        play.holds();
        play.at(7).receives(c(2), CONTROL, keeps_waiting("/a", request(2, 1)));
        play.at(8).receives(c(1), CONTROL, another_step());
        play.is_broken_by("no_free_lock_with_a_live_waiter", (7, "c2.1#1"), (7, "/a is free"));
    }
}

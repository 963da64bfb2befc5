//! A free lock is granted at once if anybody alive waits for it.

use std::collections::BTreeSet;

use crate::oracle::kinds::{KEEPS, LOCK_LOG};
use crate::oracle::model::lock_log::{Heard, HeardAt, LockLog, lock_of};
use crate::oracle::{Breach, Evidence, Invariant, Model, Seen, SeenKinds};
use crate::world::World;
use seedbed::proto::{Message, MessageKind, NodeId, Path};

/// After every step of the lock server no lock that the step touched is free while a live waiter is
/// in line.
///
/// Otherwise nothing is left that would wake the waiter up: the lost wake-up, which is a property
/// of a *state*, so no lost message can excuse it. A waiter that the server has not heard since its
/// own restart does not count yet. After Lampson and Redell, "Experience with Processes and
/// Monitors in Mesa", CACM 23(2), 1980.
///
/// A step ends when the next one begins, so the judgement comes then; it names the step that it is
/// about.
#[derive(Clone, Debug, Default)]
pub struct NoFreeLockWithALiveWaiter {
    log: LockLog,
    heard: Heard,
    touched: BTreeSet<Path>,
    /// The step that touched them.
    when: Option<HeardAt>,
}

impl Invariant for NoFreeLockWithALiveWaiter {
    fn name(&self) -> &'static str {
        "no_free_lock_with_a_live_waiter"
    }

    fn interest(&self) -> SeenKinds {
        LOCK_LOG.and(KEEPS).and(SeenKinds::received(&[MessageKind::Release]))
    }

    fn see(&mut self, seen: &Seen<'_>, model: &Model, world: &World) -> Result<(), Breach> {
        if self.when.is_some_and(|when| when.step < model.step) {
            self.judge()?;
        }
        self.heard.see(seen, model, world);
        self.log.see(seen, model.step);
        if let Some(path) = touches(seen) {
            self.touched.insert(path.clone());
            self.when = Some(HeardAt::now(model, world));
        }
        Ok(())
    }

    fn at_end(&mut self, _model: &Model, _world: &World) -> Result<(), Breach> {
        self.judge()
    }
}

impl NoFreeLockWithALiveWaiter {
    fn judge(&mut self) -> Result<(), Breach> {
        let Some(when) = self.when.take() else { return Ok(()) };
        for path in std::mem::take(&mut self.touched) {
            self.judge_lock(&path, when)?;
        }
        Ok(())
    }

    fn judge_lock(&self, path: &Path, when: HeardAt) -> Result<(), Breach> {
        let Some(lock) = self.log.lock(path) else { return Ok(()) };
        if lock.holder.is_some() {
            return Ok(());
        }
        let live = |waiting: &&crate::oracle::At<_>| self.heard.is_live(waiting.is, when.reading);
        let Some(waiting) = lock.line.iter().find(live) else { return Ok(()) };
        let heard = self.heard.last(waiting.is).unwrap_or(when);
        let earlier = format!(
            "control heard at {} of {}, which stands in line for the lock of {path}",
            heard.time, waiting.is
        );
        let now = format!("the lock of {path} is free, and control grants it to nobody");
        Err(Breach::of(
            Evidence::at(heard.step, earlier).about(waiting.is).about(path),
            Evidence::at(when.step, now).about(path),
        ))
    }
}

/// The lock that the lock server had before it.
fn touches<'a>(seen: &Seen<'a>) -> Option<&'a Path> {
    match *seen {
        Seen::Received {
            to: NodeId::CONTROL,
            message:
                Message::Acquire { path, .. }
                | Message::KeepAlive { path, .. }
                | Message::Release { path, .. },
            ..
        } => Some(path),
        Seen::Appended { node: NodeId::CONTROL, record, .. } => lock_of(record),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::tests::*;

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

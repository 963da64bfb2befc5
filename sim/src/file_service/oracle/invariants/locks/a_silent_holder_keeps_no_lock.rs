//! A holder that is silent loses its lock to a waiter.

use std::collections::BTreeMap;

use crate::file_service::World;
use crate::file_service::oracle::invariants::locks::lock_log;
use crate::file_service::oracle::{
    At, Breach, Evidence, Invariant, Lock, Model, Moment, Seen, SeenKinds,
};
use seedbed::machine::{NodeId, RequestId, Time};
use seedbed::proto::{FileService, Keep, LockRequest, Message, MessageKind, Path, Token};

/// While a live waiter stands in line, a holder that the lock server has not heard of for a lease
/// does not keep the lock for a quarter of a lease more.
///
/// The server counts from the grant, from the last keep-alive of the holder, or from its own first
/// step of a life, before which it may be paused. Its first step after that lease has run out may
/// come late, so the quarter begins there. A
/// lease that never ends makes the death of a holder a deadlock. Gray and Cheriton, "Leases", SOSP
/// 1989, section 2.
#[derive(Clone, Debug, Default)]
pub struct ASilentHolderKeepsNoLock {
    held: BTreeMap<Path, Held>,
    /// Has the server started, and taken no step yet?
    has_just_started: bool,
}

/// A lock that is held.
#[derive(Clone, Copy, Debug)]
struct Held {
    holder: RequestId,
    token: Token,
    /// In which step the server heard of the holder last.
    heard: u64,
    /// Until when it then owes the lease, by its clock.
    until: Time,
    /// True time at its first step after that.
    overdue: Option<Time>,
}

impl Invariant<FileService> for ASilentHolderKeepsNoLock {
    fn interest(&self) -> SeenKinds {
        let hears = [MessageKind::Acquire, MessageKind::KeepAlive, MessageKind::Release];
        lock_log() | SeenKinds::received(&hears) | SeenKinds::WOKEN
    }

    fn see(
        &mut self,
        seen: &Seen<'_>,
        Moment { model, world, .. }: &Moment<'_>,
    ) -> Result<(), Breach> {
        match *seen {
            Seen::Started { node: NodeId::CONTROL, .. } => {
                self.held.clear();
                self.has_just_started = true;
            }
            Seen::Appended { node: NodeId::CONTROL, record, .. } => {
                if let Some(path) = crate::file_service::oracle::model::locks::lock_of(record) {
                    self.on_changed(path, model, world);
                }
            }
            Seen::Received { to: NodeId::CONTROL, from, message, .. } => {
                self.on_step(model, world);
                self.on_received(from, message, model, world);
                return self.judge(model, world);
            }
            Seen::Woken { node: NodeId::CONTROL } => {
                self.on_step(model, world);
                return self.judge(model, world);
            }
            _ => {} // not of the lock server
        }
        Ok(())
    }
}

impl ASilentHolderKeepsNoLock {
    /// The server counts what its log says was granted from its first step.
    fn on_step(&mut self, model: &Model, world: &World) {
        if !std::mem::take(&mut self.has_just_started) {
            return;
        }
        let until = model.heard_at_a_start(world).until;
        for (path, lock) in model.locks.iter() {
            if let Some(At { is: (holder, token), .. }) = lock.appended.holder {
                let held = Held { until, ..Held::heard_now((holder, token), model, world) };
                self.held.insert(path.clone(), held);
            }
        }
    }

    /// The lock may have another holder.
    fn on_changed(&mut self, path: &Path, model: &Model, world: &World) {
        let lock = model.locks.appended(path);
        let Some(At { is: (holder, token), .. }) = lock.and_then(|lock| lock.holder.as_ref())
        else {
            self.held.remove(path);
            return;
        };
        let is_known = self.held.get(path).is_some_and(|held| held.token == *token);
        if !is_known {
            let held = Held::heard_now((*holder, *token), model, world);
            self.held.insert(path.clone(), held);
        }
    }

    fn on_received(&mut self, from: NodeId, message: &Message, model: &Model, world: &World) {
        let path = match message {
            Message::LockRequest(
                LockRequest::KeepAlive { path, .. } | LockRequest::Acquire { path, .. },
            ) => path,
            _ => return,
        };
        let Some(held) = self.held.get_mut(path) else { return };
        let is_of_holder = match message {
            Message::LockRequest(LockRequest::KeepAlive { keep: Keep::Holding(token), .. }) => {
                *token == held.token && from == held.holder.client
            }
            Message::LockRequest(LockRequest::KeepAlive {
                keep: Keep::Waiting(request), ..
            }) => *request == held.holder,
            Message::LockRequest(LockRequest::Acquire { request, .. }) => *request == held.holder,
            _ => false,
        };
        if is_of_holder {
            let until = held.until;
            *held = Held::heard_now((held.holder, held.token), model, world);
            held.until = held.until.max(until);
        }
    }

    fn judge(&mut self, model: &Model, world: &World) -> Result<(), Breach> {
        let reading = world.host(NodeId::CONTROL).clock().reading(model.now);
        let patience = model.views.longest_lock_lease(world.config()).fraction(4);
        for (path, held) in &mut self.held {
            if reading <= held.until {
                held.overdue = None;
                continue;
            }
            let overdue = *held.overdue.get_or_insert(model.now);
            let lock = model.locks.appended(path);
            let waiter = lock.and_then(|lock| live_waiter(lock, reading, model));
            if let Some(waiter) = waiter
                && model.now > overdue + patience
            {
                return Err(still_held(path, held, waiter, model));
            }
        }
        Ok(())
    }
}

impl Held {
    fn heard_now((holder, token): (RequestId, Token), model: &Model, world: &World) -> Held {
        let until = model.heard_now(world).until;
        Held { holder, token, heard: model.step, until, overdue: None }
    }
}

/// The first in line that the server has surely heard of within a lease.
fn live_waiter(lock: &Lock, reading: Time, model: &Model) -> Option<RequestId> {
    let mut line = lock.line.iter().map(|waiting| waiting.is);
    line.find(|waiting| model.hearing.is_live(*waiting, reading))
}

fn still_held(path: &Path, held: &Held, waiter: RequestId, model: &Model) -> Breach {
    let Held { holder, token, heard, .. } = *held;
    let earlier = format!("control hears of {holder}, which holds the lock of {path}, last");
    let now = format!("{holder} still holds the lock of {path} under {token}, and {waiter} waits");
    Breach::of(
        Evidence::at(heard, earlier).about(holder).about(path),
        Evidence::at(model.step, now).about(waiter).about(path),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::*;

    const NAME: &str = "a_silent_holder_keeps_no_lock";

    /// c1 holds the lock, and c2 stands in line and keeps its place; the lease is ten seconds.
    fn play() -> Play {
        let mut play = Play::new(ASilentHolderKeepsNoLock::default());
        play.at(1).appends(CONTROL, granted("/a", request(1, 1), 1));
        play.at(2).receives(c(2), CONTROL, acquire("/a", request(2, 1)));
        play.and().appends(CONTROL, queued("/a", request(2, 1)));
        play
    }

    fn waits(play: &mut Play, ms: u64) {
        play.at(ms).receives(c(2), CONTROL, keeps_waiting("/a", request(2, 1)));
    }

    #[test]
    fn a_silent_holder_keeps_its_lock_from_a_waiter() {
        let mut play = play();
        for ms in [4_000, 8_000, 12_000, 16_000] {
            waits(&mut play, ms);
        }
        play.is_broken_by(NAME, (1, "control hears of c1.1#1"), (6, "c2.1#1 waits"));
    }

    #[test]
    fn a_holder_that_is_heard_keeps_it() {
        let mut play = play();
        for ms in [4_000, 8_000, 12_000, 16_000] {
            play.at(ms).receives(c(1), CONTROL, keeps_holding("/a", 1));
            waits(&mut play, ms + 1);
        }
        play.holds();
    }

    /// The centre starts again at 2,000; c2 keeps its place from 5,000 on.
    fn starts_again(first_step: u64) -> Play {
        let mut play = play();
        play.at(1_000).crashes_keeping(CONTROL, 2);
        play.at(2_000).starts(CONTROL);
        play.at(first_step).wakes(CONTROL);
        for ms in [5_000, 9_000, 13_000, 15_600] {
            waits(&mut play, ms);
        }
        play
    }

    #[test]
    fn a_server_that_starts_counts_from_its_first_step() {
        starts_again(4_999).holds();
        starts_again(2_000).is_broken_by(NAME, (5, "control hears of c1.1#1"), (9, "c2.1#1 waits"));
    }

    #[test]
    fn a_silent_holder_without_a_waiter_does_no_harm() {
        let mut play = play();
        play.at(30_000).receives(c(3), CONTROL, keeps_holding("/b", 1));
        play.at(40_000).receives(c(3), CONTROL, keeps_holding("/b", 1));
        play.holds();
    }
}

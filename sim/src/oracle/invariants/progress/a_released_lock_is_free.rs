//! A release that is acknowledged has freed the lock.

use std::collections::BTreeMap;

use seedbed::proto::{Message, MessageKind, NodeId, RequestId, Time, Token};

use crate::oracle::{At, Breach, Evidence, Invariant, Model, Seen, SeenKinds};
use crate::world::World;

/// When the lock server acknowledges a release, the lock is not held under that token any more.
/// Only a crash of the server may bring the holding back, for one lease.
///
/// The end of a holding is written lazily, so a crash may take it, and after its start the server
/// counts the lock as held for the longest lease that there was. A release that is acknowledged and
/// ignored would cost everyone else a lease each time, and break no rule of mutual exclusion.
/// Burrows, "The Chubby Lock Service for Loosely-Coupled Distributed Systems", OSDI 2006, section 2.4.
#[derive(Clone, Debug, Default)]
pub struct AReleasedLockIsFree {
    /// The tokens that clients ask to release, until that is acknowledged.
    asked: BTreeMap<RequestId, Token>,
    /// By token: when its release was acknowledged.
    released: BTreeMap<Token, At<RequestId>>,
    /// When the lock server started last.
    started: Time,
}

impl Invariant for AReleasedLockIsFree {
    fn interest(&self) -> SeenKinds {
        SeenKinds::received(&[MessageKind::Release])
            | SeenKinds::sent(&[MessageKind::Released])
            | SeenKinds::STARTED
    }

    fn see(&mut self, seen: &Seen<'_>, model: &Model, _world: &World) -> Result<(), Breach> {
        match *seen {
            Seen::Received { message: Message::Release { request, token, .. }, .. } => {
                self.asked.insert(*request, *token);
            }
            Seen::Started { node: NodeId::CONTROL, .. } => {
                self.started = model.now;
                self.asked.clear();
            }
            Seen::Sent { message: Message::Released { request, path }, .. } => {
                let Some(token) = self.asked.remove(request) else { return Ok(()) };
                let lock = model.locks.appended(path);
                let holder = lock.and_then(|lock| lock.holder.as_ref());
                if let Some(At { step, is: (holder, held) }) = holder
                    && *held == token
                    && holder.client == request.client
                {
                    let is = format!("{path} is granted to {holder} under {held}");
                    let now = format!("control acknowledges {request}, and it is granted still");
                    return Err(Breach::of(
                        Evidence::at(*step, is).about(*holder).about(path),
                        Evidence::at(model.step, now).about(*request).about(path),
                    ));
                }
                self.released.insert(token, At { step: model.step, is: *request });
            }
            _ => {}
        }
        Ok(())
    }

    fn at_end(&mut self, model: &Model, world: &World) -> Result<(), Breach> {
        let lease = model.views.longest_lock_lease(world.config());
        // By the server's clock, which may be slow.
        let owed = self.started + lease.times(2);
        if model.now < owed || !world.host(NodeId::CONTROL).is_up() {
            return Ok(());
        }
        for (path, lock) in model.locks.iter() {
            let Some(At { is: (holder, token), .. }) = &lock.appended.holder else { continue };
            if let Some(released) = self.released.get(token) {
                let is = format!("{} has released {path} under {token}", released.is);
                let now = format!("at the end {path} is granted to {holder} under {token} still");
                return Err(Breach::of(
                    Evidence::at(released.step, is).about(released.is).about(path),
                    Evidence::at(model.step, now).about(*holder).about(path),
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::tests::*;

    fn released(path_of: &str) -> Message {
        Message::Released { request: request(1, 2), path: path(path_of) }
    }

    fn release() -> Message {
        Message::Release { request: request(1, 2), path: path("/a"), token: Token(1) }
    }

    fn held() -> Play {
        let mut play = Play::new(AReleasedLockIsFree::default());
        play.forces(CONTROL, granted("/a", request(1, 1), 1));
        play
    }

    #[test]
    fn a_release_that_is_acknowledged_and_ignored() {
        let mut play = held();
        play.at(3).receives(c(1), CONTROL, release());
        let breach = play.and().sends(CONTROL, c(1), released("/a")).breaks();
        assert_eq!(breach.earlier.is, "/a is granted to c1.1#1 under t1");
    }

    #[test]
    fn one_that_frees_the_lock() {
        let mut play = held();
        play.at(3).receives(c(1), CONTROL, release());
        play.and().appends(CONTROL, left("/a", request(1, 1)));
        play.and().sends(CONTROL, c(1), released("/a")).ends();
        play.holds();
    }

    #[test]
    fn a_holding_that_a_crash_brings_back_ends_with_its_lease() {
        let mut play = held();
        play.at(3).receives(c(1), CONTROL, release());
        play.and().appends(CONTROL, left("/a", request(1, 1)));
        play.and().sends(CONTROL, c(1), released("/a"));
        play.at(4).crashes(CONTROL).really_starts(CONTROL);
        play.at(60_000).ends();
        assert!(play.breaks().now.is.contains("granted to c1.1#1"));
    }
}

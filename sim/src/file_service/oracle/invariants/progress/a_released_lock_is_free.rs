//! A release that is acknowledged has freed the lock.

use std::collections::BTreeMap;

use seedbed::machine::{NodeId, RequestId, Time};
use seedbed::proto::{
    FileService, LockAnswer, LockRequest, Message, MessageKind, Path, Reply, Request, Token,
};

use crate::file_service::oracle::{
    At, Breach, Evidence, Invariant, Model, Moment, Seen, SeenKinds,
};

/// When the lock server acknowledges a release, the lock is not held under that token any more, and
/// a client says `released` only after that. Only a crash of the server may bring the holding back,
/// for one lease.
///
/// The end of a holding is written lazily, so a crash may take it, and after its start the server
/// counts the lock as held for the longest lease that there was. A release that is acknowledged and
/// ignored would cost all other clients a lease each time, and break no rule of mutual exclusion.
/// Burrows, "The Chubby Lock Service for Loosely-Coupled Distributed Systems", OSDI 2006, section
/// 2.4.
#[derive(Clone, Debug, Default)]
pub struct AReleasedLockIsFree {
    /// The tokens that clients ask to release, until that is acknowledged.
    asked: BTreeMap<RequestId, Token>,
    /// By token: when its release was acknowledged.
    released: BTreeMap<Token, At<RequestId>>,
    /// The requests whose release was acknowledged, and which lock that names.
    acknowledged: BTreeMap<RequestId, Path>,
    /// When the lock server started last.
    started: Time,
}

impl Invariant<FileService> for AReleasedLockIsFree {
    fn interest(&self) -> SeenKinds {
        SeenKinds::received(&[MessageKind::Release])
            | SeenKinds::sent(&[MessageKind::Released])
            | SeenKinds::STARTED
            | SeenKinds::REPLIED
    }

    fn see(&mut self, seen: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        match *seen {
            Seen::Received {
                message: Message::LockRequest(LockRequest::Release { request, token, .. }),
                ..
            } => {
                self.asked.insert(*request, *token);
            }
            Seen::Started { node: NodeId::CONTROL, .. } => {
                self.started = model.now;
                self.asked.clear();
            }
            Seen::Replied { request, reply } => {
                let acknowledged = self.acknowledged.remove(&request);
                if *reply == Reply::Released {
                    return judge_told(request, acknowledged.as_ref(), model);
                }
            }
            Seen::Sent {
                message: Message::LockAnswer(LockAnswer::Released { request, path }),
                ..
            } => {
                self.acknowledged.insert(*request, path.clone());
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

    fn at_end(&mut self, Moment { model, world, .. }: &Moment<'_>) -> Result<(), Breach> {
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

/// The client tells its user that the lock is released, of which path the server has said so.
fn judge_told(
    request: RequestId,
    acknowledged: Option<&Path>,
    model: &Model,
) -> Result<(), Breach> {
    let Some(Request::Release { path }) = model.requests.wanted(request) else { return Ok(()) };
    if acknowledged == Some(path) {
        return Ok(());
    }
    let earlier = match acknowledged {
        Some(other) => format!("control acknowledges that {other} is released, for {request}"),
        None => format!("control has acknowledged no release for {request}"),
    };
    let now = format!("{} tells its user that {path} is released", request.client);
    Err(Breach::of(
        Evidence::at(model.step, earlier).about(request).about(path),
        Evidence::at(model.step, now).about(request).about(path),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::*;

    fn released(path_of: &str) -> Message {
        Message::LockAnswer(LockAnswer::Released { request: request(1, 2), path: path(path_of) })
    }

    fn release() -> Message {
        Message::LockRequest(LockRequest::Release {
            request: request(1, 2),
            path: path("/a"),
            token: Token(1),
        })
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
    fn a_client_says_released_and_the_server_does_not() {
        let mut play = held();
        play.at(3).requests(request(1, 2), unlock("/a"));
        play.at(4).replies(request(1, 2), Reply::Released);
        assert!(play.breaks().earlier.is.contains("no release"));
        for (named, is_lawful) in [("/a", true), ("/b", false)] {
            let mut play = held();
            play.at(3).requests(request(1, 2), unlock("/a"));
            play.at(4).receives(c(1), CONTROL, release());
            play.and().appends(CONTROL, left("/a", request(1, 1)));
            play.and().sends(CONTROL, c(1), released(named));
            play.at(5).replies(request(1, 2), Reply::Released);
            assert_eq!(play.is_lawful(), is_lawful, "{named}");
        }
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

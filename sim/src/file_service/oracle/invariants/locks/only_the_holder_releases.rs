//! A lock is taken from its holder only by the holder's own release or by the end of its lease.

use std::collections::BTreeMap;

use crate::file_service::World;
use crate::file_service::oracle::invariants::locks::keeps;
use crate::file_service::oracle::model::Lock;
use crate::file_service::oracle::model::locks::heard_by_lock_server::{HeardAt, keeps_request};
use crate::file_service::oracle::{Breach, Evidence, Invariant, Model, Moment, Seen, SeenKinds};
use seedbed::machine::{NodeId, RequestId};
use seedbed::proto::{
    FileService, Keep, LockRequest, Message, MessageKind, Path, Record, RecordKind, Token,
};

/// A holder leaves its lock by a release that names it and its token, or when its lease is over.
///
/// A late copy of an old release must not free the lock under a new holder, nor may a release of
/// another client. The lease runs, by the lock server's clock and with the drift bound added, from
/// the last time the server granted or kept it; after a restart of the server from its start,
/// because a client may have been told so just before. Redis's `DEL` without comparing the value is
/// the well-known mistake (redis.io, "Distributed Locks with Redis").
#[derive(Clone, Debug, Default)]
pub struct OnlyTheHolderReleases {
    /// When the holder's lease began to run anew.
    kept: BTreeMap<Path, HeardAt>,
    /// The last release that arrived, and in which step.
    release: Option<(u64, NodeId, Path, Token)>,
}

impl Invariant<FileService> for OnlyTheHolderReleases {
    fn interest(&self) -> SeenKinds {
        SeenKinds::appended(&[RecordKind::Granted, RecordKind::Left])
            | SeenKinds::STARTED
            | keeps()
            | SeenKinds::received(&[MessageKind::Release])
    }

    fn see(
        &mut self,
        seen: &Seen<'_>,
        Moment { model, world, .. }: &Moment<'_>,
    ) -> Result<(), Breach> {
        match *seen {
            Seen::Received { from, to: NodeId::CONTROL, message, .. } => {
                self.hear(from, message, model, world);
            }
            Seen::Appended { node: NodeId::CONTROL, position, record, .. } => match record {
                Record::Granted { path, .. } => {
                    let kept = model.heard_now(world);
                    self.kept.insert(path.clone(), kept);
                }
                Record::Left { path, request } => {
                    let holder = model.locks.before(position).and_then(holder);
                    return self.judge(path, *request, holder, model, world);
                }
                _ => {}
            },
            Seen::Started { node: NodeId::CONTROL, .. } => {
                let start = model.heard_now(world);
                self.kept.values_mut().for_each(|kept| *kept = start);
            }
            _ => {}
        }
        Ok(())
    }
}

impl OnlyTheHolderReleases {
    fn hear(&mut self, from: NodeId, message: &Message, model: &Model, world: &World) {
        let held = |path| model.locks.appended(path).and_then(holder);
        let (path, keeps) = match message {
            Message::LockRequest(LockRequest::Release { path, token, .. }) => {
                self.release = Some((model.step, from, path.clone(), *token));
                return;
            }
            Message::LockRequest(LockRequest::KeepAlive {
                path,
                keep: Keep::Holding(token),
                ..
            }) => (path, held(path).is_some_and(|(of, held)| (of.client, held) == (from, *token))),
            // A copy that arrives when the client has its answer keeps nothing, nor does one of a
            // request that its client waits for no more.
            Message::LockRequest(
                LockRequest::Acquire { path, .. } | LockRequest::KeepAlive { path, .. },
            ) => {
                let request = keeps_request(message);
                let waits = |request| model.requests.get(request).is_none_or(|r| r.reply.is_none());
                let is_of_holder = held(path).map(|(of, _)| of) == request;
                let is_late = || model.hearing.is_perhaps_late(message);
                (path, is_of_holder && request.iter().all(waits) && !is_late())
            }
            _ => return,
        };
        if keeps {
            let kept = model.heard_now(world).after(self.kept.get(path).copied());
            self.kept.insert(path.clone(), kept);
        }
    }

    fn judge(
        &self,
        path: &Path,
        request: RequestId,
        holder: Option<(RequestId, Token)>,
        model: &Model,
        world: &World,
    ) -> Result<(), Breach> {
        let Some((_, token)) = holder.filter(|(holder, _)| *holder == request) else {
            return Ok(()); // a waiter leaves the line
        };
        let release = self.release.as_ref().filter(|(step, ..)| *step == model.step);
        let own = (model.step, request.client, path.clone(), token);
        if release == Some(&own) {
            return Ok(());
        }
        let now = model.heard_now(world);
        let kept = self.kept.get(path).copied().unwrap_or(now);
        if !kept.is_within_a_lease(now.reading) {
            return Ok(());
        }
        let earlier = format!(
            "control gave or kept the lock of {path} for {request} under {token} at {}, for one \
             lease",
            kept.time
        );
        let now = format!("at {} control takes the lock from {request}", model.now);
        let now = Evidence::at(model.step, now).about(path).about(request);
        let now = match release {
            Some((_, from, of, token)) => now
                .reworded(|takes| {
                    format!("{takes}, for a release of {of} from {from} under {token}")
                })
                .about(of),
            None => now,
        };
        Err(Breach::of(Evidence::at(kept.step, earlier).about(path).about(request), now))
    }
}

fn holder(lock: &Lock) -> Option<(RequestId, Token)> {
    lock.holder.as_ref().map(|holder| holder.is)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::*;

    fn one_holds() -> Play {
        let mut play = Play::new(OnlyTheHolderReleases::default());
        play.at(0).appends(CONTROL, granted("/a", request(1, 1), 5));
        play
    }

    #[test]
    fn another_client_releases() {
        let mut play = one_holds();
        play.at(1).receives(c(2), CONTROL, release("/a", request(2, 1), 5));
        play.and().appends(CONTROL, left("/a", request(1, 1)));
        let name = "only_the_holder_releases";
        play.is_broken_by(name, (1, "for c1.1#1 under t5"), (2, "a release of /a from c2"));
    }

    #[test]
    fn an_old_release_of_the_same_client_comes_late() {
        let mut play = one_holds();
        play.at(1).receives(c(1), CONTROL, release("/a", request(1, 2), 4));
        play.and().appends(CONTROL, left("/a", request(1, 1)));
        play.is_broken_by("only_the_holder_releases", (1, "under t5"), (2, "from c1 under t4"));
    }

    #[test]
    fn the_holder_releases() {
        let mut play = one_holds();
        play.at(1).receives(c(1), CONTROL, release("/a", request(1, 2), 5));
        play.and().appends(CONTROL, left("/a", request(1, 1)));
        play.holds();
    }

    #[test]
    fn a_release_that_arrived_earlier_is_no_excuse() {
        let mut play = one_holds();
        play.at(1).receives(c(1), CONTROL, release("/a", request(1, 2), 5));
        play.at(2).wakes(CONTROL).and().appends(CONTROL, left("/a", request(1, 1)));
        play.is_broken_by("only_the_holder_releases", (1, "c1.1#1"), (3, "from c1.1#1"));
    }

    #[test]
    fn the_lease_is_over() {
        let mut play = one_holds();
        play.at_nanos(10_005_000_001)
            .wakes(CONTROL)
            .and()
            .appends(CONTROL, left("/a", request(1, 1)));
        play.holds();
    }

    #[test]
    fn the_lease_is_not_quite_over() {
        let mut play = one_holds();
        play.at_nanos(10_005_000_000)
            .wakes(CONTROL)
            .and()
            .appends(CONTROL, left("/a", request(1, 1)));
        play.is_broken_by("only_the_holder_releases", (1, "for one lease"), (2, "from c1.1#1"));
    }

    #[test]
    fn a_keep_alive_and_a_restart_begin_the_lease_anew() {
        let mut play = one_holds();
        play.and().syncs(CONTROL);
        play.at(5_000).receives(c(1), CONTROL, keeps_holding("/a", 5));
        play.at(12_000).crashes(CONTROL);
        play.at(13_000).starts(CONTROL);
        play.at(16_000).wakes(CONTROL).and().appends(CONTROL, left("/a", request(1, 1)));
        play.is_broken_by("only_the_holder_releases", (4, "at 13.000000s"), (5, "from c1.1#1"));
    }

    #[test]
    fn a_waiter_leaves_the_line() {
        let mut play = one_holds();
        play.and().appends(CONTROL, queued("/a", request(2, 1)));
        play.at(1).appends(CONTROL, left("/a", request(2, 1)));
        play.holds();
    }
}

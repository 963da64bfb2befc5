//! No two clients believe at once that they hold a lock.

use std::collections::BTreeMap;

use crate::file_service::World;
use crate::file_service::oracle::{Breach, Evidence, Invariant, Model, Moment, Seen, SeenKinds};
use seedbed::machine::{NodeId, RequestId, Time};
use seedbed::proto::{FileService, Notice, Path, Record, RecordKind, Token};

/// When a lock is granted to a client, every other client has stopped believing that it holds it.
///
/// This is what a lease is for, and it is judged in true time: a holder's promise to itself, on its
/// own clock, against the moment in which the lock server makes up its mind. It holds as long as
/// every clock runs within the drift bound and none jumps. A client that is paused believes as long
/// as its clock says so (and may act on what it looked at before: against that there is the fence);
/// one that crashed believes nothing. It also covers the grants that a restarted server has to wait
/// for. Gray and Cheriton, "Leases", SOSP 1989.
#[derive(Clone, Debug, Default)]
pub struct HoldersStopBelievingFirst {
    beliefs: BTreeMap<Path, Vec<Belief>>,
}

#[derive(Clone, Debug)]
struct Belief {
    step: u64,
    request: RequestId,
    token: Token,
    /// Until when, by the client's clock.
    until: Time,
}

impl Invariant<FileService> for HoldersStopBelievingFirst {
    fn interest(&self) -> SeenKinds {
        SeenKinds::appended(&[RecordKind::Granted]) | SeenKinds::NOTICED | SeenKinds::CRASHED
    }

    fn see(
        &mut self,
        seen: &Seen<'_>,
        Moment { model, world, .. }: &Moment<'_>,
    ) -> Result<(), Breach> {
        let mut verdict = Ok(());
        match *seen {
            Seen::Noticed { client, notice } => match notice {
                Notice::Holding { path, request, token, until } => {
                    let step = model.step;
                    let belief = Belief { step, request: *request, token: *token, until: *until };
                    verdict = self.judge_belief(path, &belief, model, world);
                    self.believe(path, belief);
                }
                Notice::Lost { path, token } => self.forget(path, client, *token),
                Notice::View(_) => {}
            },
            Seen::Appended {
                node: NodeId::CONTROL,
                record: Record::Granted { path, request, token },
                ..
            } => verdict = self.judge_grant(path, *request, *token, model, world),
            Seen::Crashed { node } => {
                for beliefs in self.beliefs.values_mut() {
                    beliefs.retain(|belief| belief.request.client != node);
                }
            }
            _ => {}
        }
        verdict
    }
}

impl HoldersStopBelievingFirst {
    fn believe(&mut self, path: &Path, belief: Belief) {
        let beliefs = self.beliefs.entry(path.clone()).or_default();
        beliefs.retain(|other| other.request.client != belief.request.client);
        beliefs.push(belief);
    }

    fn forget(&mut self, path: &Path, client: NodeId, token: Token) {
        if let Some(beliefs) = self.beliefs.get_mut(path) {
            beliefs.retain(|b| b.request.client != client || b.token != token);
        }
    }

    /// A grant: does another client still believe?
    fn judge_grant(
        &self,
        path: &Path,
        request: RequestId,
        token: Token,
        model: &Model,
        world: &World,
    ) -> Result<(), Breach> {
        let mut beliefs = self.beliefs.get(path).into_iter().flatten();
        let other = |belief: &&Belief| {
            belief.request.client != request.client && belief.holds(model, world)
        };
        match beliefs.find(other) {
            None => Ok(()),
            Some(belief) => {
                let now = format!(
                    "at {} control grants the lock of {path} to {request} under {token}",
                    model.now
                );
                let now = Evidence::at(model.step, now).about(path).about(request);
                Err(Breach::of(belief.fact(path, world), now))
            }
        }
    }

    /// A belief: has the lock been granted to another client since?
    fn judge_belief(
        &self,
        path: &Path,
        belief: &Belief,
        model: &Model,
        world: &World,
    ) -> Result<(), Breach> {
        let newest = model.locks.appended(path).and_then(|lock| lock.newest.as_ref());
        let Some(newest) = newest else { return Ok(()) };
        let (request, token) = newest.is;
        let is_over = token > belief.token && request.client != belief.request.client;
        match is_over && belief.holds(model, world) {
            false => Ok(()),
            true => {
                let is = format!("control granted the lock of {path} to {request} under {token}");
                let granted = Evidence::at(newest.step, is).about(path).about(request);
                Err(Breach::of(granted, belief.fact(path, world)))
            }
        }
    }
}

impl Belief {
    fn holds(&self, model: &Model, world: &World) -> bool {
        world.host(self.request.client).clock().reading(model.now) < self.until
    }

    fn fact(&self, path: &Path, world: &World) -> Evidence {
        let Belief { step, request, token, until } = *self;
        let client = request.client;
        let until = world.host(client).clock().true_time(until);
        let is = format!(
            "{client} believes that it holds the lock of {path} for {request} under {token} until \
             {until}"
        );
        Evidence::at(step, is).about(path).about(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::*;
    use crate::world::Clock;
    use seedbed::machine::Span;

    const NAME: &str = "holders_stop_believing_first";

    fn one_believes() -> Play {
        let mut play = Play::new(HoldersStopBelievingFirst::default());
        play.at(0).appends(CONTROL, granted("/a", request(1, 1), 1));
        play.at(1).believes("/a", request(1, 1), 1, 9_000);
        play
    }

    #[test]
    fn the_lock_is_granted_while_the_old_holder_believes() {
        let mut play = one_believes();
        play.at(8_999).appends(CONTROL, granted("/a", request(2, 1), 2));
        play.is_broken_by(NAME, (2, "c1 believes"), (3, "to c2.1#1 under t2"));
    }

    #[test]
    fn the_lock_is_granted_when_the_old_holder_has_stopped() {
        let mut play = one_believes();
        play.at(9_000).appends(CONTROL, granted("/a", request(2, 1), 2));
        play.holds();
    }

    #[test]
    fn the_holder_gave_it_up_or_crashed() {
        let mut play = one_believes();
        play.at(5).gives_up("/a", request(1, 1), 1);
        play.at(6).appends(CONTROL, granted("/a", request(2, 1), 2));
        play.at(7).believes("/a", request(2, 1), 2, 9_000);
        play.at(8).crashes(c(2));
        play.at(9).appends(CONTROL, granted("/a", request(1, 2), 3));
        play.holds();
    }

    #[test]
    fn a_slow_clock_believes_for_longer() {
        let mut play = one_believes();
        play.has_clock(c(1), Clock::new(Span::ZERO, -100_000));
        play.at(9_999).appends(CONTROL, granted("/a", request(2, 1), 2));
        play.is_broken_by(NAME, (2, "until 10.000000s"), (3, "to c2.1#1"));
    }

    #[test]
    fn a_delayed_grant_is_believed_after_the_next_one() {
        let mut play = Play::new(HoldersStopBelievingFirst::default());
        play.at(0).appends(CONTROL, granted("/a", request(1, 1), 1));
        play.at(11_000).appends(CONTROL, left("/a", request(1, 1)));
        play.and().appends(CONTROL, granted("/a", request(2, 1), 2));
        play.at(12_000).believes("/a", request(1, 1), 1, 22_000);
        play.is_broken_by(NAME, (2, "to c2.1#1 under t2"), (3, "c1 believes"));
    }

    #[test]
    fn a_delayed_grant_that_has_run_out_is_not_believed() {
        let mut play = Play::new(HoldersStopBelievingFirst::default());
        play.at(0).appends(CONTROL, granted("/a", request(1, 1), 1));
        play.at(11_000).appends(CONTROL, left("/a", request(1, 1)));
        play.and().appends(CONTROL, granted("/a", request(2, 1), 2));
        play.at(12_000).believes("/a", request(1, 1), 1, 10_000);
        play.holds();
    }

    #[test]
    fn a_later_grant_that_a_crash_took_away_does_not_count() {
        let mut play = one_believes();
        play.and().syncs(CONTROL);
        play.at(9_000).appends(CONTROL, granted("/a", request(2, 1), 2));
        play.at(9_001).crashes(CONTROL);
        play.at(9_002).starts(CONTROL);
        play.at(9_003).believes("/a", request(1, 1), 1, 19_000);
        play.holds();
    }
}

//! A lock that was answered "acquired" is one that the client still believes it holds.

use std::collections::BTreeMap;

use crate::file_service::World;
use crate::file_service::oracle::{
    At, Breach, Evidence, Invariant, Model, Moment, Seen, SeenKinds,
};
use seedbed::machine::{RequestId, Time};
use seedbed::proto::{FileService, Notice, Reply, Token};

/// `acquired` is answered only while the client believes, by its own clock, in the lease of that
/// lock under that token.
///
/// A user takes the answer for the beginning of a time in which the lock is his. If that time was
/// over before, he works without a lock from the first moment on, and the client never tells him
/// that he lost it, because it did not hold it. A client that was paused must therefore look at its
/// clock before it answers, whatever waits for it first. Gray and Cheriton, "Leases", SOSP 1989.
#[derive(Clone, Debug, Default)]
pub struct AcquiredMeansHeld {
    /// By request, until it is answered and the lock is lost.
    beliefs: BTreeMap<RequestId, At<Belief>>,
}

/// What a client has said last of the lock that a request got.
#[derive(Clone, Copy, Debug)]
struct Belief {
    token: Token,
    /// Until when it holds it, by its own clock; `None` if it holds it no longer.
    until: Option<Time>,
}

impl Invariant<FileService> for AcquiredMeansHeld {
    fn interest(&self) -> SeenKinds {
        SeenKinds::NOTICED | SeenKinds::REPLIED | SeenKinds::CRASHED
    }

    fn see(
        &mut self,
        seen: &Seen<'_>,
        Moment { model, world, .. }: &Moment<'_>,
    ) -> Result<(), Breach> {
        let step = model.step;
        match *seen {
            Seen::Noticed { notice: Notice::Holding { request, token, until, .. }, .. } => {
                let is = Belief { token: *token, until: Some(*until) };
                self.beliefs.insert(*request, At { step, is });
            }
            Seen::Noticed { client, notice: Notice::Lost { token, .. } } => {
                let mut beliefs = self.beliefs.iter();
                let lost = beliefs.find(|(of, b)| of.client == client && b.is.token == *token);
                if let Some(request) = lost.map(|(request, _)| *request) {
                    self.on_lost(request, model);
                }
            }
            Seen::Replied { request, reply: Reply::Acquired(token) } => {
                return self.judge(request, *token, model, world);
            }
            Seen::Replied { request, .. } => _ = self.beliefs.remove(&request),
            Seen::Crashed { node } => self.beliefs.retain(|of, _| of.client != node),
            _ => {}
        }
        Ok(())
    }
}

impl AcquiredMeansHeld {
    fn on_lost(&mut self, request: RequestId, model: &Model) {
        let asked = model.requests.get(&request);
        if asked.is_some_and(|asked| asked.reply.is_some()) {
            self.beliefs.remove(&request);
        } else if let Some(belief) = self.beliefs.get_mut(&request) {
            *belief = At { step: model.step, is: Belief { until: None, ..belief.is } };
        }
    }

    fn judge(
        &self,
        request: RequestId,
        token: Token,
        model: &Model,
        world: &World,
    ) -> Result<(), Breach> {
        let client = request.client;
        let clock = world.host(client).clock();
        let lock = || format!("the lock that {request} got under");
        let earlier = match self.beliefs.get(&request) {
            None => {
                let is = format!("{client} has not said that it holds {} {token}", lock());
                Evidence::at(model.step, is)
            }
            Some(At { step, is: Belief { token: held, until: None } }) => {
                Evidence::at(*step, format!("{client} holds {} {held} no longer", lock()))
            }
            Some(At { step, is: Belief { token: held, until: Some(until) } }) => {
                if *held == token && clock.reading(model.now) < *until {
                    return Ok(());
                }
                let until = clock.true_time(*until);
                let lock = lock();
                let is = format!("{client} believes that it holds {lock} {held} until {until}");
                Evidence::at(*step, is)
            }
        };
        let now = format!("at {} {client} answers {request}: acquired under {token}", model.now);
        Err(Breach::of(earlier.about(request), Evidence::at(model.step, now).about(request)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::*;
    use crate::world::Clock;
    use seedbed::machine::Span;

    const NAME: &str = "acquired_means_held";

    fn one_believes() -> Play {
        let mut play = Play::new(AcquiredMeansHeld::default());
        play.at(1).believes("/a", request(1, 1), 1, 9_000);
        play
    }

    #[test]
    fn a_lock_is_acquired_while_its_lease_runs() {
        let mut play = one_believes();
        play.at(8_999).replies(request(1, 1), Reply::Acquired(Token(1)));
        play.holds();
    }

    #[test]
    fn a_lock_is_acquired_when_its_lease_is_over() {
        let mut play = one_believes();
        play.at(9_000).replies(request(1, 1), Reply::Acquired(Token(1)));
        play.is_broken_by(
            NAME,
            (1, "under t1 until 9.000000s"),
            (2, "at 9.000000s c1 answers c1.1#1"),
        );
    }

    #[test]
    fn a_lease_that_was_kept_alive_runs_longer() {
        let mut play = one_believes();
        play.at(5_000).believes("/a", request(1, 1), 1, 14_000);
        play.at(9_000).replies(request(1, 1), Reply::Acquired(Token(1)));
        play.holds();
    }

    #[test]
    fn the_clock_of_the_client_counts() {
        let mut play = one_believes();
        play.has_clock(c(1), Clock::new(Span::ZERO, -100_000));
        play.at(9_999).replies(request(1, 1), Reply::Acquired(Token(1)));
        play.holds();
        play.at(10_001).replies(request(1, 1), Reply::Acquired(Token(1)));
        play.is_broken_by(NAME, (1, "until 10.000000s"), (3, "acquired under t1"));
    }

    #[test]
    fn a_lock_is_acquired_that_was_given_up() {
        let mut play = one_believes();
        play.at(5).gives_up("/a", request(1, 1), 1);
        play.at(6).replies(request(1, 1), Reply::Acquired(Token(1)));
        play.is_broken_by(NAME, (2, "no longer"), (3, "acquired under t1"));
    }

    #[test]
    fn the_loss_of_another_lock_does_not_matter() {
        let mut play = one_believes();
        play.at(2).believes("/b", request(1, 2), 2, 9_000);
        play.at(3).gives_up("/b", request(1, 2), 2);
        play.at(4).replies(request(1, 1), Reply::Acquired(Token(1)));
        play.holds();
    }

    #[test]
    fn a_lock_is_acquired_that_no_client_held() {
        let mut play = one_believes();
        play.at(2).replies(request(2, 1), Reply::Acquired(Token(1)));
        play.is_broken_by(NAME, (2, "c2 has not said"), (2, "answers c2.1#1"));
    }

    #[test]
    fn a_lock_is_acquired_under_another_token() {
        let mut play = one_believes();
        play.at(2).replies(request(1, 1), Reply::Acquired(Token(2)));
        play.is_broken_by(NAME, (1, "under t1"), (2, "acquired under t2"));
    }

    #[test]
    fn a_lock_that_was_acquired_and_is_lost_is_forgotten() {
        let mut play = Play::new(AcquiredMeansHeld::default());
        play.requests(request(1, 1), lock("/a"));
        play.at(1).believes("/a", request(1, 1), 1, 9_000);
        play.at(2).replies(request(1, 1), Reply::Acquired(Token(1)));
        play.at(3).gives_up("/a", request(1, 1), 1);
        play.holds();
        play.at(4).replies(request(1, 1), Reply::Acquired(Token(1)));
        play.is_broken_by(NAME, (5, "has not said that it holds"), (5, "acquired under t1"));
    }

    #[test]
    fn other_answers_promise_nothing() {
        let mut play = one_believes();
        play.at(9_000).replies(request(1, 1), Reply::Unknown);
        play.and().replies(request(1, 2), Reply::Released);
        play.holds();
    }
}

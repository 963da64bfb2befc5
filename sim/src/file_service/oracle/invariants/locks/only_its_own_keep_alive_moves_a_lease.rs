//! A lease belongs to one holder under one token.

use std::collections::{BTreeMap, BTreeSet};

use crate::file_service::oracle::{
    At, Breach, Evidence, Invariant, Model, Moment, Seen, SeenKinds,
};
use seedbed::machine::{NodeId, RequestId, Span, Time};
use seedbed::proto::{
    Config, FileService, Keep, LockAnswer, LockRequest, Message, MessageKind, Notice, Path, Reply,
    Token,
};

/// The lock server acknowledges a keep-alive only if it came from the holder under its token. A
/// client believes in its lock for longer only by an answer, under that token, to a message that it
/// has sent itself in this life, and then for no longer than the lease that the answer names,
/// counted by the client's clock from that message and shortened by the drift bound.
///
/// A late keep-alive of an earlier holder that is acknowledged keeps a lock away from waiters that
/// wait, or makes the earlier holder believe again. A lease that is counted from the answer lasts
/// longer for the holder than for the lock server. That is judged here whether or not another
/// client wants the lock; `holders_stop_believing_first` judges what comes of it. Gray and
/// Cheriton, "Leases", SOSP 1989, section 2.
#[derive(Clone, Debug, Default)]
pub struct OnlyItsOwnKeepAliveMovesALease {
    /// By client and lock: the keep-alives of the holder that reached the lock server, by their
    /// token and when they were sent.
    kept: BTreeMap<(NodeId, Path), BTreeSet<(Token, Time)>>,
    /// By client and what it keeps: when it has asked for which lock, by its own clock, and in
    /// which step. It is forgotten when the client is done with what it keeps.
    asked: BTreeMap<(NodeId, Keep), BTreeMap<(Path, Time), u64>>,
    answered: Option<Answered>,
}

/// An answer to a client, under which token, to a message that it has sent.
#[derive(Clone, Debug)]
struct Answered {
    step: u64,
    client: NodeId,
    path: Path,
    token: Token,
    /// When the client has sent that message, by its clock.
    asked: At<Time>,
    /// How long the lease is that the answer names.
    lease: Span,
}

impl Invariant<FileService> for OnlyItsOwnKeepAliveMovesALease {
    fn interest(&self) -> SeenKinds {
        let asks = [MessageKind::Acquire, MessageKind::KeepAlive, MessageKind::KeptAlive];
        let answers = [MessageKind::KeepAlive, MessageKind::KeptAlive, MessageKind::Granted];
        SeenKinds::sent(&asks)
            | SeenKinds::received(&answers)
            | SeenKinds::NOTICED
            | SeenKinds::REPLIED
            | SeenKinds::CRASHED
    }

    fn see(
        &mut self,
        seen: &Seen<'_>,
        Moment { model, world, .. }: &Moment<'_>,
    ) -> Result<(), Breach> {
        match *seen {
            Seen::Sent { from, to, message, .. } => return self.on_sent(from, to, message, model),
            Seen::Received { from, to, message, .. } => self.on_received(from, to, message, model),
            Seen::Noticed { client, notice: Notice::Holding { path, token, until, .. } } => {
                let belief = (client, path, *token, *until);
                return self.judge_belief(belief, model, world.config());
            }
            Seen::Noticed { client, notice: Notice::Lost { token, .. } } => {
                self.asked.remove(&(client, Keep::Holding(*token)));
            }
            Seen::Replied { request, reply } => self.on_replied(request, reply),
            Seen::Crashed { node } => self.asked.retain(|(client, _), _| *client != node),
            _ => {} // not asked for
        }
        Ok(())
    }
}

impl OnlyItsOwnKeepAliveMovesALease {
    fn on_sent(
        &mut self,
        from: NodeId,
        to: NodeId,
        message: &Message,
        model: &Model,
    ) -> Result<(), Breach> {
        match message {
            Message::LockRequest(LockRequest::Acquire { path, request, asked, .. }) => {
                self.ask(from, Keep::Waiting(*request), path, *asked, model.step);
                Ok(())
            }
            Message::LockRequest(LockRequest::KeepAlive { path, keep, asked }) => {
                self.ask(from, *keep, path, *asked, model.step);
                Ok(())
            }
            Message::LockAnswer(LockAnswer::KeptAlive { path, token, asked, .. }) => {
                let kept = self.kept.get(&(to, path.clone()));
                match kept.is_some_and(|kept| kept.contains(&(*token, *asked))) {
                    true => Ok(()),
                    false => Err(not_the_holder(to, path, *token, model)),
                }
            }
            _ => Ok(()), // not asked for
        }
    }

    fn ask(&mut self, client: NodeId, keep: Keep, path: &Path, asked: Time, step: u64) {
        let all = self.asked.entry((client, keep)).or_default();
        all.entry((path.clone(), asked)).or_insert(step);
    }

    fn on_received(&mut self, from: NodeId, to: NodeId, message: &Message, model: &Model) {
        match message {
            Message::LockRequest(LockRequest::KeepAlive {
                path,
                keep: Keep::Holding(token),
                asked,
            }) => {
                let lock = model.locks.appended(path);
                let holder = lock.and_then(|lock| lock.holder.as_ref());
                if holder.is_some_and(|holder| (holder.is.0.client, holder.is.1) == (from, *token))
                {
                    let kept = self.kept.entry((from, path.clone())).or_default();
                    kept.retain(|(of, _)| of == token);
                    kept.insert((*token, *asked));
                }
            }
            Message::LockAnswer(LockAnswer::KeptAlive { path, token, asked, lease }) => {
                let keeps = [Keep::Holding(*token)];
                self.on_answer(to, &keeps, path, *token, (*asked, *lease), model.step);
            }
            // A grant that is sent again names whatever the holder has sent last.
            Message::LockAnswer(LockAnswer::Granted { request, path, token, asked, lease }) => {
                let keeps = [Keep::Waiting(*request), Keep::Holding(*token)];
                self.on_answer(to, &keeps, path, *token, (*asked, *lease), model.step);
            }
            _ => {} // not asked for
        }
    }

    /// An answer arrives that names a message of `client` about one of `keeps`, or another.
    fn on_answer(
        &mut self,
        client: NodeId,
        keeps: &[Keep],
        path: &Path,
        token: Token,
        (asked, lease): (Time, Span),
        step: u64,
    ) {
        let own = keeps.iter().find_map(|keep| {
            self.asked.get(&(client, *keep))?.get(&(path.clone(), asked)).copied()
        });
        self.answered = own.map(|asked_in| {
            let asked = At { step: asked_in, is: asked };
            Answered { step, client, path: path.clone(), token, asked, lease }
        });
    }

    /// A request that has got its lock goes on as its holder; any other keeps nothing any more.
    fn on_replied(&mut self, request: RequestId, reply: &Reply) {
        let client = request.client;
        let Some(waited) = self.asked.remove(&(client, Keep::Waiting(request))) else { return };
        if let Reply::Acquired(token) = reply {
            self.asked.entry((client, Keep::Holding(*token))).or_default().extend(waited);
        }
    }

    fn judge_belief(
        &self,
        (client, path, token, until): (NodeId, &Path, Token, Time),
        model: &Model,
        config: &Config,
    ) -> Result<(), Breach> {
        let step = model.step;
        let answered = self.answered.as_ref().filter(|answered| {
            (answered.step, answered.client) == (step, client)
                && (&answered.path, answered.token) == (path, token)
        });
        let (earlier, by) = match answered {
            Some(Answered { asked, lease, .. }) => {
                let longest = asked.is + believed(*lease, config);
                if until <= longest {
                    return Ok(());
                }
                let is = format!("{client} asks at {} for the lock of {path}", asked.is);
                let by = format!("until {until}, by an answer that gives it until {longest}");
                (Evidence::at(asked.step, is), by)
            }
            None => {
                let is = format!("no message of {client} for the lock of {path} is answered");
                (Evidence::at(step, is), "by no answer to what it asked".to_owned())
            }
        };
        let now = format!("{client} believes in {token} for longer, {by}");
        Err(Breach::of(earlier.about(path), Evidence::at(step, now).about(path)))
    }
}

/// How long a holder may believe in a lease, by its own clock: the length less the drift bound,
/// rounded down.
fn believed(lease: Span, config: &Config) -> Span {
    const MILLION: u128 = 1_000_000;
    let length = u128::from(lease.as_nanos());
    let drift = (length * u128::from(config.drift_max_ppm)).div_ceil(MILLION);
    Span::from_nanos(u64::try_from(length.saturating_sub(drift)).unwrap_or(u64::MAX))
}

fn not_the_holder(client: NodeId, path: &Path, token: Token, model: &Model) -> Breach {
    let lock = model.locks.appended(path);
    let earlier = match lock.and_then(|lock| lock.holder.as_ref()) {
        Some(holder) => {
            let (request, of) = holder.is;
            let is = format!("{request} holds the lock of {path} under {of}");
            Evidence::at(holder.step, is).about(request)
        }
        None => Evidence::at(model.step, format!("nothing holds the lock of {path}")),
    };
    let now = format!("control tells {client} that it keeps the lock of {path} under {token}");
    Breach::of(earlier.about(path), Evidence::at(model.step, now).about(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::*;
    use seedbed::proto::Settings;

    const NAME: &str = "only_its_own_keep_alive_moves_a_lease";

    fn kept(at: &str, token: u64) -> Message {
        let (token, asked, lease) = (Token(token), Time::ZERO, Settings::default().lock_lease);
        Message::LockAnswer(LockAnswer::KeptAlive { path: path(at), token, asked, lease })
    }

    /// c1 has the lock, and c2 gets it when c1 has left it.
    fn play() -> Play {
        let mut play = Play::new(OnlyItsOwnKeepAliveMovesALease::default());
        play.at(1).appends(CONTROL, granted("/a", request(1, 1), 1));
        play
    }

    #[test]
    fn a_keep_alive_under_a_token_that_is_over_is_acknowledged() {
        let mut play = play();
        play.at(2).appends(CONTROL, left("/a", request(1, 1)));
        play.at(3).appends(CONTROL, granted("/a", request(2, 1), 2));
        play.at(4).receives(c(1), CONTROL, keeps_holding("/a", 1));
        play.and().sends(CONTROL, c(1), kept("/a", 1));
        play.is_broken_by(NAME, (3, "c2.1#1 holds the lock of /a"), (4, "keeps the lock of /a"));
    }

    #[test]
    fn the_keep_alive_of_another_is_acknowledged() {
        let mut play = play();
        play.at(2).receives(c(2), CONTROL, keeps_holding("/a", 1));
        play.and().sends(CONTROL, c(2), kept("/a", 1));
        play.is_broken_by(NAME, (1, "c1.1#1 holds the lock of /a"), (2, "control tells c2"));
    }

    #[test]
    fn the_holder_is_acknowledged_also_when_that_leaves_late() {
        let mut play = play();
        play.at(2).sends(c(1), CONTROL, keeps_holding("/a", 1));
        play.at(3).receives(c(1), CONTROL, keeps_holding("/a", 1));
        play.at(4).appends(CONTROL, left("/a", request(1, 1)));
        play.at(5).sends(CONTROL, c(1), kept("/a", 1));
        play.at(6).receives(CONTROL, c(1), kept("/a", 1));
        play.and().believes("/a", request(1, 1), 1, 9_000);
        play.holds();
    }

    /// c1 asks for the lock at one second, and is granted it at four.
    fn granted_late() -> Play {
        let mut play = self::play();
        let (asked, lease) = (Time::from_nanos(1_000_000_000), Settings::default().lock_lease);
        let (path, request, token) = (path("/a"), request(1, 1), Token(1));
        let acquire = Message::LockRequest(LockRequest::Acquire {
            request,
            lowest: 1,
            path: path.clone(),
            wait: true,
            asked,
        });
        play.at(1_000).sends(c(1), CONTROL, acquire);
        let granted =
            Message::LockAnswer(LockAnswer::Granted { request, path, token, asked, lease });
        play.at(4_000).receives(CONTROL, c(1), granted);
        play
    }

    #[test]
    fn a_client_believes_for_longer_by_itself_or_by_the_answer_to_another() {
        let mut play = play();
        play.at(2).sends(c(1), CONTROL, acquire("/a", request(1, 1)));
        play.at(3).receives(CONTROL, c(1), grant("/a", request(1, 1), 1));
        play.and().believes("/a", request(1, 1), 1, 9_000);
        play.holds();
        play.at(4).believes("/a", request(1, 1), 1, 10_000);
        play.is_broken_by(NAME, (4, "no message of c1"), (4, "c1 believes in t1 for longer"));
        let mut play = self::play();
        play.at(2).receives(CONTROL, c(1), kept("/a", 1));
        play.and().believes("/a", request(1, 1), 1, 9_000);
        play.is_broken_by(NAME, (2, "no message of c1"), (2, "c1 believes in t1 for longer"));
    }

    #[test]
    fn a_belief_lasts_for_the_lease_from_the_question_less_the_drift() {
        // Ten seconds less 500 parts in a million.
        let mut play = granted_late();
        play.and().believes("/a", request(1, 1), 1, 10_995);
        play.holds();
        let mut play = granted_late();
        play.and().believes("/a", request(1, 1), 1, 10_996);
        play.is_broken_by(NAME, (2, "c1 asks at 1.000000s"), (3, "gives it until 10.995000s"));
    }

    #[test]
    fn what_an_earlier_life_asked_for_moves_nothing() {
        let mut play = play();
        play.at(2).sends(c(1), CONTROL, keeps_holding("/a", 1));
        play.at(3).crashes(c(1)).starts(c(1));
        play.at(4).receives(CONTROL, c(1), kept("/a", 1));
        play.and().believes("/a", request(1, 1), 1, 9_000);
        play.is_broken_by(NAME, (5, "no message of c1"), (5, "c1 believes in t1 for longer"));
    }

    #[test]
    fn what_a_client_is_done_with_is_forgotten() {
        let mut invariant = OnlyItsOwnKeepAliveMovesALease::default();
        let asks = |invariant: &mut OnlyItsOwnKeepAliveMovesALease, keep| {
            invariant.ask(c(1), keep, &path("/a"), Time::ZERO, 1);
        };
        asks(&mut invariant, Keep::Waiting(request(1, 1)));
        asks(&mut invariant, Keep::Waiting(request(1, 2)));
        invariant.on_replied(request(1, 1), &Reply::Acquired(Token(1)));
        invariant.on_replied(request(1, 2), &Reply::Unknown);
        let left: Vec<_> = invariant.asked.keys().copied().collect();
        assert_eq!(left, [(c(1), Keep::Holding(Token(1)))]);
    }
}

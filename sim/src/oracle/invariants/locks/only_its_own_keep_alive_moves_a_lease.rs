//! A lease belongs to one holder under one token.

use std::collections::{BTreeMap, BTreeSet};

use crate::oracle::{Breach, Evidence, Invariant, Model, Seen, SeenKinds};
use crate::world::World;
use seedbed::proto::{Keep, Message, MessageKind, NodeId, Notice, Path, Time, Token};

/// The lock server acknowledges a keep-alive only if it came from the holder under its token, and a
/// client believes in its lock for longer only by an answer, under that token, to a message that it
/// has sent itself.
///
/// A late keep-alive of an earlier holder that is acknowledged keeps a lock away from waiters that
/// wait, or makes the earlier holder believe again. How long a belief may last is for
/// `holders_stop_believing_first` to say. Gray and Cheriton, "Leases", SOSP 1989, section 2.
#[derive(Clone, Debug, Default)]
pub struct OnlyItsOwnKeepAliveMovesALease {
    /// By client and lock: the keep-alives of the holder that reached the lock server, by their
    /// token and when they were sent.
    kept: BTreeMap<(NodeId, Path), BTreeSet<(Token, Time)>>,
    /// By client and lock: when the client has asked for it or to keep it, by its own clock.
    asked: BTreeMap<(NodeId, Path), BTreeSet<Time>>,
    answered: Option<Answered>,
}

/// An answer to a client, under which token, to a message that it has sent.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Answered {
    step: u64,
    client: NodeId,
    path: Path,
    token: Token,
}

impl Invariant for OnlyItsOwnKeepAliveMovesALease {
    fn interest(&self) -> SeenKinds {
        let asks = [MessageKind::Acquire, MessageKind::KeepAlive, MessageKind::KeptAlive];
        let answers = [MessageKind::KeepAlive, MessageKind::KeptAlive, MessageKind::Granted];
        SeenKinds::sent(&asks) | SeenKinds::received(&answers) | SeenKinds::NOTICED
    }

    fn see(&mut self, seen: &Seen<'_>, model: &Model, _: &World) -> Result<(), Breach> {
        match *seen {
            Seen::Sent { from, to, message, .. } => return self.on_sent(from, to, message, model),
            Seen::Received { from, to, message, .. } => self.on_received(from, to, message, model),
            Seen::Noticed { client, notice: Notice::Holding { path, token, .. } } => {
                return self.judge_belief(client, path, *token, model);
            }
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
            Message::Acquire { path, asked, .. } | Message::KeepAlive { path, asked, .. } => {
                self.asked.entry((from, path.clone())).or_default().insert(*asked);
                Ok(())
            }
            Message::KeptAlive { path, token, asked, .. } => {
                let kept = self.kept.get(&(to, path.clone()));
                match kept.is_some_and(|kept| kept.contains(&(*token, *asked))) {
                    true => Ok(()),
                    false => Err(not_the_holder(to, path, *token, model)),
                }
            }
            _ => Ok(()), // not asked for
        }
    }

    fn on_received(&mut self, from: NodeId, to: NodeId, message: &Message, model: &Model) {
        match message {
            Message::KeepAlive { path, keep: Keep::Holding(token), asked } => {
                let lock = model.locks.appended(path);
                let holder = lock.and_then(|lock| lock.holder.as_ref());
                if holder.is_some_and(|holder| (holder.is.0.client, holder.is.1) == (from, *token))
                {
                    let kept = self.kept.entry((from, path.clone())).or_default();
                    kept.retain(|(of, _)| of == token);
                    kept.insert((*token, *asked));
                }
            }
            Message::KeptAlive { path, token, asked, .. }
            | Message::Granted { path, token, asked, .. } => {
                let own = self.asked.get(&(to, path.clone()));
                let is_own = own.is_some_and(|own| own.contains(asked));
                let (step, client) = (model.step, to);
                let answered = || Answered { step, client, path: path.clone(), token: *token };
                self.answered = is_own.then(answered);
            }
            _ => {} // not asked for
        }
    }

    fn judge_belief(
        &self,
        client: NodeId,
        path: &Path,
        token: Token,
        model: &Model,
    ) -> Result<(), Breach> {
        let step = model.step;
        let answered = Answered { step, client, path: path.clone(), token };
        if self.answered.as_ref() == Some(&answered) {
            return Ok(());
        }
        let last = self.asked.get(&(client, path.clone())).and_then(|asked| asked.last());
        let earlier = match last {
            Some(asked) => format!("{client} asked last for the lock of {path} at {asked}"),
            None => format!("{client} never asked for the lock of {path}"),
        };
        let now = format!("{client} believes in {token} for longer, by no answer to what it asked");
        let now = Evidence::at(step, now).about(path);
        Err(Breach::of(Evidence::at(step, earlier).about(path), now))
    }
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
    use crate::oracle::tests::*;
    use seedbed::proto::Settings;

    const NAME: &str = "only_its_own_keep_alive_moves_a_lease";

    fn kept(at: &str, token: u64) -> Message {
        let (token, asked, lease) = (Token(token), Time::ZERO, Settings::default().lock_lease);
        Message::KeptAlive { path: path(at), token, asked, lease }
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

    #[test]
    fn a_client_believes_for_longer_by_itself_or_by_the_answer_to_another() {
        let mut play = play();
        play.at(2).sends(c(1), CONTROL, acquire("/a", request(1, 1)));
        play.at(3).receives(CONTROL, c(1), grant("/a", request(1, 1), 1));
        play.and().believes("/a", request(1, 1), 1, 9_000);
        play.holds();
        play.at(4).believes("/a", request(1, 1), 1, 10_000);
        play.is_broken_by(NAME, (4, "c1 asked last"), (4, "c1 believes in t1 for longer"));
        let mut play = self::play();
        play.at(2).receives(CONTROL, c(1), kept("/a", 1));
        play.and().believes("/a", request(1, 1), 1, 9_000);
        play.is_broken_by(NAME, (2, "c1 never asked"), (2, "c1 believes in t1 for longer"));
    }
}

//! What is asked under a lock carries the token of that lock.

use std::collections::BTreeMap;

use crate::file_service::oracle::per_request::PerRequest;
use crate::file_service::oracle::{
    At, Breach, Evidence, Invariant, Model, Moment, Seen, SeenKinds,
};
use seedbed::machine::{NodeId, RequestId, Time};
use seedbed::proto::{
    Action, FileRequest, FileService, LockRequest, Message, MessageKind, Notice, Operation, Path,
    Request, Token,
};

/// Every `Begin` and `Release` carries, for each path, the token of the lock in which the client
/// believed by its own clock when the request was asked, and no token where it believed in none.
///
/// The fence tells a holder from an earlier one by this token alone. A holder whose write carries
/// none is refused, because its own claim has raised the fence. A write that is asked after the
/// loss of a lock and carries its token passes for one of the holder until the next one claims the
/// path. An attempt that is made after the loss keeps the token, because it belongs to a request
/// that was asked before: the fence judges it. A `Release` names the token that the client believed
/// in; with another it would free the lock of another client. No user asks for the claim of a new
/// holder, so that is for `effects_under_a_token_are_requested_by_its_holder` to judge. Sequencers:
/// Burrows, "The Chubby Lock Service", 2006, section 2.4.
#[derive(Clone, Debug, Default)]
pub struct OperationsCarryTheTokensOfHeldLocks {
    /// By client and path: the lock that the client believes in.
    beliefs: BTreeMap<(NodeId, Path), At<Belief>>,
    /// By request that is not answered: the locks of its paths that its client held when it was
    /// asked.
    held: PerRequest<BTreeMap<Path, At<Token>>>,
}

#[derive(Clone, Copy, Debug)]
struct Belief {
    token: Token,
    /// Until when, by the client's clock.
    until: Time,
}

impl Invariant<FileService> for OperationsCarryTheTokensOfHeldLocks {
    fn interest(&self) -> SeenKinds {
        SeenKinds::sent(&[MessageKind::Begin, MessageKind::Release])
            | SeenKinds::REQUESTED
            | SeenKinds::REPLIED
            | SeenKinds::NOTICED
            | SeenKinds::CRASHED
    }

    fn see(
        &mut self,
        seen: &Seen<'_>,
        Moment { model, world, .. }: &Moment<'_>,
    ) -> Result<(), Breach> {
        match *seen {
            Seen::Requested { request, wanted: Request::Files { operations, .. } } => {
                let reading = world.host(request.client).clock().reading(model.now);
                let held = self.held_at(reading, request.client, operations);
                self.held.insert(request, held);
            }
            Seen::Requested { request, wanted: Request::Release { path } } => {
                let belief = self.beliefs.get(&(request.client, path.clone()));
                let held = belief.map(|At { step, is }| At { step: *step, is: is.token });
                self.held
                    .insert(request, held.map(|held| (path.clone(), held)).into_iter().collect());
            }
            Seen::Sent {
                message: Message::LockRequest(LockRequest::Release { request, path, token }),
                ..
            } => {
                return self.judge_path(*request, path, Some(*token), model);
            }
            Seen::Sent {
                message: Message::FileRequest(FileRequest::Begin { request, operations, .. }),
                ..
            } => {
                return self.judge(model.origin(*request), operations, model);
            }
            Seen::Replied { request, .. } => _ = self.held.remove(request),
            Seen::Noticed { client, notice } => self.on_noticed(client, notice, model.step),
            Seen::Crashed { node } => {
                self.beliefs.retain(|(client, _), _| *client != node);
                self.held.forget(node);
            }
            _ => {} // not asked for
        }
        Ok(())
    }
}

impl OperationsCarryTheTokensOfHeldLocks {
    fn on_noticed(&mut self, client: NodeId, notice: &Notice, step: u64) {
        match notice {
            Notice::Holding { path, token, until, .. } => {
                let is = Belief { token: *token, until: *until };
                self.beliefs.insert((client, path.clone()), At { step, is });
            }
            Notice::Lost { path, .. } => _ = self.beliefs.remove(&(client, path.clone())),
            Notice::View(_) => {}
        }
    }

    /// The locks of what `operations` name that `client` holds when its clock shows `reading`.
    fn held_at(
        &self,
        reading: Time,
        client: NodeId,
        operations: &[Operation],
    ) -> BTreeMap<Path, At<Token>> {
        let paths = operations.iter().flat_map(carried).map(|(path, _)| path);
        let held = paths.filter_map(|path| {
            let At { step, is } = self.beliefs.get(&(client, path.clone()))?;
            (reading < is.until).then(|| (path.clone(), At { step: *step, is: is.token }))
        });
        held.collect()
    }

    /// An attempt at `request` leaves its client.
    fn judge(
        &self,
        request: RequestId,
        operations: &[Operation],
        model: &Model,
    ) -> Result<(), Breach> {
        let mut carried = operations.iter().flat_map(carried);
        carried.try_for_each(|(path, token)| self.judge_path(request, path, token, model))
    }

    /// A message for `request` carries this token for `path`.
    fn judge_path(
        &self,
        request: RequestId,
        path: &Path,
        token: Option<Token>,
        model: &Model,
    ) -> Result<(), Breach> {
        // A request that is not here is one for a lock: its client claims the path, or gives the
        // lock back because the user waits for it no more.
        let Some(held) = self.held.get(request).map(|held| held.get(path)) else { return Ok(()) };
        if token == held.map(|held| held.is) {
            return Ok(());
        }
        let earlier = when_asked(request, path, held, model);
        let under = token.map_or("no token".to_owned(), |token| token.to_string());
        let is = format!("an attempt at {request} asks for {path} under {under}");
        Err(Breach::of(earlier, Evidence::at(model.step, is).about(request).about(path)))
    }
}

/// What the client believed when `request` was asked.
fn when_asked(
    request: RequestId,
    path: &Path,
    held: Option<&At<Token>>,
    model: &Model,
) -> Evidence {
    let client = request.client;
    let fact = match held {
        Some(At { step, is: token }) => {
            let is = format!("{client} believes in {token} for {path} when {request} is asked");
            Evidence::at(*step, is)
        }
        None => {
            let asked = model.requests.get(&request).map_or(model.step, |asked| asked.asked.step);
            let is = format!("{client} believes in no lock of {path} when {request} is asked");
            Evidence::at(asked, is)
        }
    };
    fact.about(request).about(path)
}

/// The paths that an operation names, each with the token that it carries for it.
fn carried(operation: &Operation) -> impl Iterator<Item = (&Path, Option<Token>)> {
    let target = match &operation.action {
        Action::Rename(to, token) => Some((to, *token)),
        Action::Read | Action::Claim | Action::Create(_) | Action::Write(..) => None,
        Action::Delete(_) | Action::Place(_) | Action::Remove(_) => None,
    };
    std::iter::once((&operation.path, operation.token)).chain(target)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::*;
    use seedbed::proto::Reply;

    const NAME: &str = "operations_carry_the_tokens_of_held_locks";

    /// c1 believes in the lock of /a under t1 until its clock shows nine seconds.
    fn holder() -> Play {
        let mut play = Play::new(OperationsCarryTheTokensOfHeldLocks::default());
        play.at(1).believes("/a", request(1, 1), 1, 9_000);
        play
    }

    fn under(token: u64) -> Operation {
        with_token(write("/a", "x"), token)
    }

    /// The user asks c1 to write /a at this time, and an attempt leaves with this operation.
    fn asks_at(play: &mut Play, ms: u64, sent: Operation) {
        play.at(ms).requests(request(1, 2), writes("/a", "x"));
        play.at(ms).begins(request(1, 2), &[sent]);
    }

    #[test]
    fn a_holder_adds_its_token_and_its_alone() {
        let mut play = holder();
        asks_at(&mut play, 8_999, under(1));
        play.holds();
        for sent in [write("/a", "x"), under(2)] {
            let mut play = holder();
            asks_at(&mut play, 2, sent);
            play.is_broken_by(NAME, (1, "c1 believes in t1 for /a"), (3, "asks for /a under"));
        }
    }

    #[test]
    fn what_is_asked_after_the_loss_carries_no_token() {
        let lost: [fn(&mut Play); 3] = [
            |play| _ = play.at(5).gives_up("/a", request(1, 1), 1),
            |play| _ = play.at(5).crashes(c(1)),
            |play| _ = play.at(9_000), // the lease is over, and the client has not said so yet
        ];
        for lose in lost {
            let mut play = holder();
            lose(&mut play);
            asks_at(&mut play, 9_000, write("/a", "x"));
            play.holds();
            let mut play = holder();
            lose(&mut play);
            asks_at(&mut play, 9_000, under(1));
            let breach = play.breaks();
            assert!(breach.earlier.is.contains("c1 believes in no lock of /a"), "{breach:?}");
        }
    }

    #[test]
    fn an_attempt_after_the_loss_carries_what_the_first_one_did() {
        let again = |sent| {
            let mut play = holder();
            asks_at(&mut play, 2, under(1));
            play.at(5).gives_up("/a", request(1, 1), 1);
            play.at(6).believes("/a", request(1, 3), 4, 15_000);
            play.at(7).begins(request(1, 2), &[sent]);
            play
        };
        again(under(1)).holds();
        again(under(4)).breaks();
        again(write("/a", "x")).breaks();
    }

    #[test]
    fn each_half_of_a_rename_carries_the_token_of_its_own_lock() {
        let renames = |source: u64, target: Option<u64>| {
            let mut play = holder();
            play.at(2).believes("/b", request(1, 3), 2, 9_000);
            play.at(3).requests(request(1, 2), files(&[rename("/a", "/b")]));
            let action = Action::Rename(path("/b"), target.map(Token));
            play.begins(request(1, 2), &[with_token(operation("/a", action), source)]);
            play
        };
        renames(1, Some(2)).holds();
        renames(1, None).breaks();
        renames(2, Some(1)).breaks();
    }

    #[test]
    fn the_lock_of_another_path_or_client_adds_nothing() {
        let mut play = holder();
        play.at(2).asks(request(1, 2), &[write("/b", "x")]);
        play.at(3).requests(request(2, 2), writes("/a", "x"));
        play.sends(c(2), n(1), begin(request(2, 2), request(2, 2), &[write("/a", "x")]));
        play.holds();
        let again = begin(request(2, 3), request(2, 2), &[under(1)]);
        play.sends(c(2), n(1), again).breaks();
    }

    #[test]
    fn a_lock_is_given_back_under_its_token() {
        for (token, is_lawful) in [(1, true), (2, false)] {
            let mut play = holder();
            play.at(2).requests(request(1, 2), unlock("/a"));
            play.sends(c(1), CONTROL, release("/a", request(1, 2), token));
            assert_eq!(play.is_lawful(), is_lawful, "{token}");
        }
        let mut play = holder();
        play.at(2).requests(request(1, 2), unlock("/a"));
        play.sends(c(1), CONTROL, release("/b", request(1, 2), 1)).breaks();
    }

    #[test]
    fn a_claim_is_asked_by_no_user() {
        let mut play = holder();
        play.at(2).requests(request(1, 1), lock("/a")).begins(request(1, 1), &[claim("/a", 1)]);
        play.at(3).replies(request(1, 1), Reply::Acquired(Token(1)));
        play.holds();
    }
}

//! What takes effect under a lock is its holder's.

use std::collections::BTreeMap;

use crate::file_service::oracle::model::commit_points::{CommitPoint, commit_points};
use crate::file_service::oracle::{
    At, Breach, Evidence, Invariant, Model, Moment, Seen, SeenKinds,
};
use seedbed::machine::RequestId;
use seedbed::proto::{
    Action, FileService, LockAnswer, Message, MessageKind, Operation, Path, Token, TxnId,
};

/// Whatever takes effect on a path under a token is asked by the client life that the lock of that
/// path was granted to under it.
///
/// The fence alone lets two clients work under one token. `no_write_below_the_claimed_token` judges
/// that nothing takes effect under a lower token once a higher one has claimed the path. Both
/// together are the mutual exclusion that a user of a lock relies on, whatever clocks, pauses and
/// delays make of what the holders believe: a client claims the path before it says that it has the
/// lock, so the effects of one holder all come before those of the next. An effect is the commit of
/// a change or of a claim, also one that the participants of a lost coordinator end. Dijkstra,
/// "Solution of a Problem in Concurrent Programming Control", 1965; Burrows, "The Chubby Lock
/// Service", 2006, section 2.4.
#[derive(Default)]
pub struct EffectsUnderATokenAreRequestedByItsHolder {
    /// The grants that have left the lock server.
    grants: BTreeMap<Token, At<(Path, RequestId)>>,
}

impl Invariant<FileService> for EffectsUnderATokenAreRequestedByItsHolder {
    fn interest(&self) -> SeenKinds {
        SeenKinds::sent(&[MessageKind::Granted]) | commit_points()
    }

    fn see(&mut self, seen: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        if let Seen::Sent {
            message: Message::LockAnswer(LockAnswer::Granted { path, request, token, .. }),
            ..
        } = *seen
        {
            let is = (path.clone(), *request);
            self.grants.entry(*token).or_insert(At { step: model.step, is });
        }
        match model.committed_by(seen) {
            Some(CommitPoint { id, .. }) => self.on_commit(id, model),
            None => Ok(()),
        }
    }
}

impl EffectsUnderATokenAreRequestedByItsHolder {
    fn on_commit(&mut self, id: TxnId, model: &Model) -> Result<(), Breach> {
        let Some(txn) = model.txns.get(&id) else { return Ok(()) };
        let Some(request) = txn.origin.or(txn.request) else { return Ok(()) };
        let asked = model.requests.get(&request);
        let operations = asked.and_then(|asked| asked.operations.as_deref()).unwrap_or_default();
        for (path, token) in operations.iter().flat_map(effects) {
            self.judge_holder(path, token, request, model).map_err(|earlier| {
                let is =
                    format!("{id} commits for {request} and takes effect on {path} under {token}");
                let now = Evidence::at(model.step, is).about(id).about(request).about(path);
                Breach::of(earlier, now)
            })?;
        }
        Ok(())
    }

    /// Was the lock of `path` granted to the client of `request` under `token`?
    fn judge_holder(
        &self,
        path: &Path,
        token: Token,
        request: RequestId,
        model: &Model,
    ) -> Result<(), Evidence> {
        let life = |request: RequestId| (request.client, request.incarnation);
        match self.grants.get(&token) {
            Some(At { is: (of, to), .. }) if of == path && life(*to) == life(request) => Ok(()),
            Some(At { step, is: (of, to) }) => {
                let is = format!("control granted the lock of {of} to {to} under {token}");
                Err(Evidence::at(*step, is).about(of).about(*to))
            }
            None => {
                let is = format!("control has granted no lock under {token}");
                Err(Evidence::at(model.step, is))
            }
        }
    }
}

/// The paths that an operation changes or claims under a token, each with that token.
fn effects(operation: &Operation) -> impl Iterator<Item = (&Path, Token)> {
    let here = Some((&operation.path, operation.token));
    let (here, there) = match &operation.action {
        Action::Read => (None, None),
        Action::Rename(to, token) => (here, Some((to, *token))),
        Action::Create(_) | Action::Write(..) | Action::Delete(_) => (here, None),
        Action::Place(_) | Action::Remove(_) | Action::Claim => (here, None),
    };
    here.into_iter().chain(there).filter_map(|(path, token)| Some((path, token?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{
        CONTROL, Play, applied, c, claim, decided_for, fenced, files, grant, lock, n, request, txn,
        voted, with_token, write,
    };

    const NAME: &str = "effects_under_a_token_are_requested_by_its_holder";

    /// c1 holds the lock of /a under t1 and then c2 under t2; both have claimed it.
    fn both() -> Play {
        let mut play = Play::new(EffectsUnderATokenAreRequestedByItsHolder::default());
        for (number, token) in [(1, 1), (2, 2)] {
            let asked = request(number, 1);
            play.sends(CONTROL, c(number), grant("/a", asked, token));
            play.requests(asked, lock("/a")).begins(asked, &[claim("/a", token)]);
            play.logs(n(1), fenced(asked, txn(number.into()), "/a", 0, "", token));
        }
        play
    }

    fn writes(play: &mut Play, client: u16, token: Option<u64>) {
        let asked = request(client, 2);
        let plain = write("/a", "x");
        let operation = token.map_or(plain.clone(), |token| with_token(plain, token));
        play.requests(asked, files(std::slice::from_ref(&operation))).begins(asked, &[operation]);
        play.logs(n(1), decided_for(asked, txn(3), &[], "/a", 1, "x"));
    }

    #[test]
    fn another_client_writes_under_the_holders_token() {
        let mut play = both();
        writes(&mut play, 1, Some(2));
        play.is_broken_by(NAME, (5, "of /a to c2.1#1 under t2"), (11, "for c1.1#2"));
        play = both();
        writes(&mut play, 2, Some(3));
        play.is_broken_by(NAME, (11, "no lock under t3"), (11, "under t3"));
    }

    #[test]
    fn participants_commit_what_another_client_wrote_under_the_token() {
        let mut play = both();
        let write = with_token(write("/a", "x"), 2);
        let asked = request(1, 1);
        play.requests(asked, files(std::slice::from_ref(&write))).begins(asked, &[write]);
        play.had_lost_its_disk(n(1));
        play.logs(n(2), voted(txn(4), "/a", 1, "x")).logs(n(2), applied(txn(4)));
        play.is_broken_by(NAME, (5, "to c2.1#1 under t2"), (12, "n1.1/4 commits for c1.1#1"));
    }

    #[test]
    fn the_holder_writes_and_another_client_without_a_token() {
        for (client, token) in [(2, Some(2)), (1, Some(1)), (1, None)] {
            let mut play = both();
            writes(&mut play, client, token);
            play.holds();
        }
    }

    #[test]
    fn a_token_is_for_one_path() {
        let mut play = both();
        let write = with_token(write("/b", "x"), 2);
        play.requests(request(2, 2), files(std::slice::from_ref(&write)));
        play.begins(request(2, 2), &[write]);
        play.logs(n(1), decided_for(request(2, 2), txn(3), &[], "/b", 1, "x")).breaks();
    }
}

//! What two holders of a lock do is never mixed.

use std::collections::BTreeMap;

use crate::oracle::{At, Breach, Evidence, Invariant, Model, Seen, SeenKinds};
use crate::world::World;
use seedbed::proto::{
    Action, Message, MessageKind, Operation, Path, Record, RecordKind, RequestId, Token, TxnId,
};

/// Whatever takes effect on a path under a token is asked by the client life that the lock of that
/// path was granted to under it; and once a token has claimed the path, nothing takes effect there
/// under a lower one, or under none.
///
/// A client claims the path before it says that it has the lock. So the effects of one holder all
/// come before those of the next, whatever clocks, pauses and delays make of what the holders
/// believe: the mutual exclusion that a user of a lock relies on (Dijkstra, "Solution of a Problem
/// in Concurrent Programming Control", 1965; fencing: Burrows, "The Chubby Lock Service", 2006,
/// section 2.4). The fence alone lets two clients work under one token. An effect is the commit of
/// a change or of a claim, also one that the participants of a lost coordinator settle. After an
/// accepted loss a path has no fence until the next claim.
#[derive(Default)]
pub struct EffectsUnderALockNeverOverlap {
    /// The grants that have left the lock server.
    grants: BTreeMap<Token, At<(Path, RequestId)>>,
    /// By path: the highest token that has claimed it, and the transaction.
    claimed: BTreeMap<Path, At<(Token, TxnId)>>,
    /// How many commits were judged.
    commits: u64,
}

impl Invariant for EffectsUnderALockNeverOverlap {
    fn interest(&self) -> SeenKinds {
        SeenKinds::sent(&[MessageKind::Granted])
            | SeenKinds::durable(&[
                RecordKind::Decided,
                RecordKind::Applied,
                RecordKind::LossAccepted,
            ])
    }

    fn see(&mut self, seen: &Seen<'_>, model: &Model, _: &World) -> Result<(), Breach> {
        match *seen {
            Seen::Sent { message: Message::Granted { path, request, token, .. }, .. } => {
                let is = (path.clone(), *request);
                self.grants.entry(*token).or_insert(At { step: model.step, is });
            }
            Seen::Durable {
                record: Record::Decided { txn, .. } | Record::Applied { txn, .. },
                ..
            } if model.commits > self.commits => {
                self.commits = model.commits;
                return self.on_commit(*txn, model);
            }
            Seen::Durable { record: Record::LossAccepted { .. }, .. } => {
                let given_up = |path: &Path| {
                    let history = model.files.get(path);
                    history.is_some_and(|history| history.given_up == Some(model.step))
                };
                self.claimed.retain(|path, _| !given_up(path));
            }
            _ => {}
        }
        Ok(())
    }
}

impl EffectsUnderALockNeverOverlap {
    fn on_commit(&mut self, id: TxnId, model: &Model) -> Result<(), Breach> {
        let Some(txn) = model.txns.get(&id) else { return Ok(()) };
        let Some(request) = txn.origin.or(txn.request) else { return Ok(()) };
        let asked = model.requests.get(&request);
        let operations = asked.and_then(|asked| asked.operations.as_deref()).unwrap_or_default();
        for (path, token) in operations.iter().flat_map(effects) {
            let now = || {
                let under = token.map_or("no token".to_owned(), |token| token.to_string());
                let is =
                    format!("{id} commits for {request} and takes effect on {path} under {under}");
                Evidence::at(model.step, is).about(id).about(request).about(path)
            };
            if let Some(token) = token {
                self.judge_holder(path, token, request, model).map_err(|e| Breach::of(e, now()))?;
            }
            let token = token.unwrap_or_default();
            self.judge_order(path, token).map_err(|earlier| Breach::of(earlier, now()))?;
        }
        for claim in operations.iter().filter(|operation| operation.action == Action::Claim) {
            let is = (claim.token.unwrap_or_default(), id);
            self.claimed.insert(claim.path.clone(), At { step: model.step, is });
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

    /// Has no higher token claimed `path`?
    fn judge_order(&self, path: &Path, token: Token) -> Result<(), Evidence> {
        match self.claimed.get(path) {
            Some(At { step, is: (highest, by) }) if *highest > token => {
                let is = format!("{by} claimed {path} under {highest}");
                Err(Evidence::at(*step, is).about(*by).about(path))
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// The paths that an operation changes or claims, each with the token that it brings for it.
fn effects(operation: &Operation) -> impl Iterator<Item = (&Path, Option<Token>)> {
    let here = (&operation.path, operation.token);
    let (here, there) = match &operation.action {
        Action::Read => (None, None),
        Action::Rename(to, token) => (Some(here), Some((to, *token))),
        Action::Create(_) | Action::Write(..) | Action::Delete(_) => (Some(here), None),
        Action::Place(_) | Action::Remove(_) | Action::Claim => (Some(here), None),
    };
    here.into_iter().chain(there)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::tests::{
        CONTROL, Play, applied, begin, c, claim, decided_for, fenced, files, grant, lock,
        loss_accepted, n, request, txn, voted, with_token, write,
    };

    const NAME: &str = "effects_under_a_lock_never_overlap";

    /// c1 holds the lock of /a under t1 and then c2 under t2; both have claimed it.
    fn two_holders(mut play: Play) -> Play {
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

    fn both() -> Play {
        two_holders(Play::new(EffectsUnderALockNeverOverlap::default()))
    }

    #[test]
    fn the_holder_before_writes_after_the_claim() {
        for token in [None, Some(1)] {
            let mut play = both();
            writes(&mut play, 1, token);
            play.is_broken_by(NAME, (8, "n1.1/2 claimed /a under t2"), (11, "n1.1/3"));
        }
    }

    #[test]
    fn a_write_under_a_token_that_has_not_claimed_the_path_keeps_none_out() {
        let mut play = both();
        play.sends(CONTROL, c(2), grant("/b", request(2, 3), 3));
        let (asked, first) = (request(2, 4), [with_token(write("/b", "x"), 3)]);
        play.requests(asked, files(&first)).begins(asked, &first);
        play.logs(n(1), decided_for(asked, txn(5), &[], "/b", 1, "x"));
        let (asked, second) = (request(1, 4), [write("/b", "x")]);
        play.requests(asked, files(&second)).begins(asked, &second);
        play.logs(n(1), decided_for(asked, txn(6), &[], "/b", 2, "x"));
        play.holds();
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
    fn participants_settle_what_the_holder_before_wrote() {
        let mut play = both();
        let write = with_token(write("/a", "x"), 1);
        let asked = request(1, 1);
        play.sends(c(1), n(1), begin(asked, asked, &[write]));
        play.had_lost_its_disk(n(1));
        play.logs(n(2), voted(txn(4), "/a", 1, "x")).logs(n(2), applied(txn(4)));
        play.is_broken_by(NAME, (8, "n1.1/2 claimed"), (11, "n1.1/4 commits for c1.1#1"));
    }

    #[test]
    fn the_holder_writes_and_after_a_loss_anyone_without_a_token() {
        let mut play = both();
        writes(&mut play, 2, Some(2));
        play.holds();
        let managed = Play::managed(EffectsUnderALockNeverOverlap::default());
        let mut play = two_holders(managed);
        play.loses_its_disk(n(1)).forces(CONTROL, loss_accepted());
        writes(&mut play, 1, None);
        play.holds();
    }
}

//! Fencing.

use seedbed::proto::{Action, FileService, Operation, Path, Token};

use crate::file_service::oracle::model::commit_points::{CommitPoint, commit_points};
use crate::file_service::oracle::{Breach, Evidence, Invariant, Moment, Seen, SeenKinds};

/// Once a lock holder's token is claimed for a path, no change under a lower token, or under none,
/// commits there.
///
/// A lease tells a holder when to stop, but one that pauses between looking at its clock and
/// writing does not stop. The storage does, by the token that every write carries: Burrows, "The
/// Chubby Lock Service", 2006, section 2.4 (sequencers); Kleppmann, "How to do distributed
/// locking", 2016. A path is claimed by the commit of a claim, and for the user by the client's
/// word that it has the lock.
pub struct NoWriteBelowTheClaimedToken;

impl Invariant<FileService> for NoWriteBelowTheClaimedToken {
    fn interest(&self) -> SeenKinds {
        commit_points()
    }

    fn see(&mut self, seen: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        let Some(CommitPoint { id, node, .. }) = model.committed_by(seen) else { return Ok(()) };
        let Some(operations) = model.asked_by(id).and_then(|asked| asked.operations.as_ref())
        else {
            return Ok(());
        };
        for (path, token) in operations.iter().flat_map(tokens) {
            let Some(history) = model.files.get(path) else { continue };
            let Some((newest, _)) = history.newest(id) else { continue };
            let Some(claimed) = &history.claimed_before else { continue };
            if token.unwrap_or_default() < claimed.is {
                let earlier =
                    format!("{path} is claimed, or its lock acquired, under token {}", claimed.is);
                let with = match token {
                    Some(token) => format!("under token {token}"),
                    None => "under no token".to_owned(),
                };
                let version = newest.file.version;
                let now = format!("{node} commits {id}, which makes {path} {version} {with}");
                return Err(Breach::of(
                    Evidence::at(claimed.step, earlier).about(path),
                    Evidence::at(model.step, now).about(id).about(path),
                ));
            }
        }
        Ok(())
    }
}

/// The paths that an operation changes, each with the token that it brings for it.
fn tokens(operation: &Operation) -> Vec<(&Path, Option<Token>)> {
    let here = (&operation.path, operation.token);
    match &operation.action {
        Action::Read => vec![],
        Action::Rename(to, token) => vec![here, (to, *token)],
        Action::Create(_) | Action::Write(..) | Action::Delete(_) => vec![here],
        Action::Place(_) | Action::Remove(_) | Action::Claim => vec![here],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{
        Play, applied, claim, decided_for, fenced, lock, n, request, txn, txn_of, voted,
        with_token, write,
    };
    use seedbed::proto::Reply;

    fn play() -> Play {
        let mut play = Play::new(NoWriteBelowTheClaimedToken);
        play.requests(request(1, 1), lock("/a"));
        play.begins(request(1, 1), &[claim("/a", 5)]);
        play
    }

    #[test]
    fn a_write_under_an_old_token_after_the_claim_is_a_breach() {
        let mut play = play();
        play.forces(n(1), fenced(request(1, 1), txn(1), "/a", 0, "", 5));
        play.asks(request(1, 2), &[with_token(write("/a", "x"), 4)]);
        let breach =
            play.forces(n(1), decided_for(request(1, 2), txn(2), &[], "/a", 1, "x")).breaks();
        assert_eq!(breach.earlier.is, "/a is claimed, or its lock acquired, under token t5");
        assert_eq!(breach.now.is, "n1 commits n1.1/2, which makes /a v1 under token t4");
    }

    #[test]
    fn a_write_without_a_token_after_the_client_has_the_lock_is_a_breach() {
        let mut play = play();
        play.replies(request(1, 1), Reply::Acquired(Token(5)));
        play.asks(request(1, 2), &[write("/a", "x")]);
        let breach =
            play.forces(n(1), decided_for(request(1, 2), txn(2), &[], "/a", 1, "x")).breaks();
        assert_eq!(breach.now.is, "n1 commits n1.1/2, which makes /a v1 under no token");
    }

    #[test]
    fn writes_before_the_claim_and_under_its_token_are_none() {
        let mut play = play();
        play.asks(request(1, 2), &[write("/a", "x")]);
        play.forces(n(1), decided_for(request(1, 2), txn(2), &[], "/a", 1, "x"));
        play.forces(n(1), fenced(request(1, 1), txn(1), "/a", 1, "x", 5));
        play.replies(request(1, 1), Reply::Acquired(Token(5)));
        play.asks(request(1, 3), &[with_token(write("/a", "y"), 5)]);
        play.forces(n(1), fenced(request(1, 3), txn(3), "/a", 2, "y", 5));
        play.asks(request(1, 4), &[write("/b", "y")]);
        play.forces(n(1), decided_for(request(1, 4), txn(4), &[], "/b", 1, "y"));
        play.holds();
    }

    #[test]
    fn what_participants_commit_without_their_coordinator_counts_too() {
        let mut play = Play::new(NoWriteBelowTheClaimedToken);
        play.had_lost_its_disk(n(1));
        play.forces(n(3), fenced(request(2, 1), txn_of(n(3), 1), "/a", 1, "w", 2));
        play.asks(request(1, 1), &[write("/a", "x")]);
        play.forces(n(2), voted(txn(1), "/a", 2, "x"));
        let breach = play.forces(n(2), applied(txn(1))).breaks();
        assert_eq!(breach.now.is, "n2 commits n1.1/1, which makes /a v2 under no token");
    }

    #[test]
    fn a_claim_that_was_given_up_before_its_client_hears_of_it_is_none() {
        for is_given_up in [true, false] {
            let mut play = Play::managed(NoWriteBelowTheClaimedToken);
            play.is_complete(n(1), 1).requests(request(1, 1), lock("/a"));
            play.begins(request(1, 1), &[claim("/a", 5)]);
            play.forces(n(1), fenced(request(1, 1), txn(1), "/a", 1, "", 5));
            if is_given_up {
                play.loses_its_disk(n(1)).accepts_the_loss_of(&[n(1)]);
            }
            play.replies(request(1, 1), Reply::Acquired(Token(5)));
            play.asks(request(1, 2), &[write("/a", "x")]);
            play.forces(n(3), decided_for(request(1, 2), txn_of(n(3), 1), &[], "/a", 2, "x"));
            assert_eq!(play.is_lawful(), is_given_up);
        }
    }
}

//! No client is told of a grant that a crash could still make the lock server forget.

use crate::file_service::oracle::{Breach, Evidence, Invariant, Moment, Seen, SeenKinds};
use seedbed::proto::{FileService, LockAnswer, Message, MessageKind};

/// When a `granted` message leaves, its record is durable.
///
/// A lock server that says so first and writes it down later forgets its holder in a crash and
/// grants the lock to the next in line while the first still works. Write-ahead logging: Gray,
/// "Notes on Data Base Operating Systems", 1978; the mistake is the one Redis makes on
/// fail-over (Jepsen, "Redis-Raft", 2020).
#[derive(Clone, Debug)]
pub struct GrantIsDurableBeforeItLeaves;

impl Invariant<FileService> for GrantIsDurableBeforeItLeaves {
    fn interest(&self) -> SeenKinds {
        SeenKinds::sent(&[MessageKind::Granted])
    }

    fn see(&mut self, seen: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        let Seen::Sent { to, message, .. } = *seen else { return Ok(()) };
        let Message::LockAnswer(LockAnswer::Granted { request, path, token, .. }) = message else {
            return Ok(());
        };
        let grants = &model.locks.grants;
        let written = grants.get(*request, *token);
        let earlier = match written {
            Some(grant) if !grants.is_pending(grant) => return Ok(()),
            Some(grant) => {
                let is = format!(
                    "control appended to its log that {request} has the lock of {path} under \
                     {token}; the disk has not confirmed it, and a crash can take it away"
                );
                Evidence::at(grant.step, is)
            }
            None => {
                let is =
                    format!("control's log does not say that {request} has the lock of {path}");
                Evidence::at(model.step, is)
            }
        };
        let now = Evidence::at(model.step, format!("the grant leaves control for {to}"));
        let earlier = earlier.absent().about(*request).about(path);
        Err(Breach::of(earlier, now.about(*request).about(path)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::*;

    #[test]
    fn a_grant_leaves_before_it_is_durable() {
        let mut play = Play::new(GrantIsDurableBeforeItLeaves);
        play.at(1).appends(CONTROL, granted("/a", request(1, 1), 1));
        play.at(2).sends(CONTROL, c(1), grant("/a", request(1, 1), 1));
        let name = "grant_is_durable_before_it_leaves";
        play.is_broken_by(name, (1, "c1.1#1 has the lock of /a"), (2, "leaves control for c1"));
    }

    #[test]
    fn a_grant_leaves_once_it_is_durable() {
        let mut play = Play::new(GrantIsDurableBeforeItLeaves);
        play.at(1).appends(CONTROL, granted("/a", request(1, 1), 1));
        play.at(2).syncs(CONTROL).and().sends(CONTROL, c(1), grant("/a", request(1, 1), 1));
        play.holds();
    }

    #[test]
    fn a_grant_that_was_lost_in_a_crash_is_sent_again() {
        let mut play = Play::new(GrantIsDurableBeforeItLeaves);
        play.at(1).appends(CONTROL, granted("/a", request(1, 1), 1));
        play.at(2).crashes(CONTROL);
        play.at(3).starts(CONTROL);
        play.at(4).sends(CONTROL, c(1), grant("/a", request(1, 1), 1));
        let name = "grant_is_durable_before_it_leaves";
        play.is_broken_by(name, (4, "does not say"), (4, "leaves control"));
    }

    #[test]
    fn a_grant_that_survived_a_crash_is_sent_again() {
        let mut play = Play::new(GrantIsDurableBeforeItLeaves);
        play.at(1).appends(CONTROL, granted("/a", request(1, 1), 1));
        play.at(2).crashes_keeping(CONTROL, 1);
        play.at(3).starts(CONTROL);
        play.at(4).sends(CONTROL, c(1), grant("/a", request(1, 1), 1));
        play.holds();
    }
}

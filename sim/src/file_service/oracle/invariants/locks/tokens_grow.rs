//! Every grant has a higher token than all before it.

use std::collections::BTreeMap;

use crate::file_service::oracle::{At, Breach, Evidence, Invariant, Moment, Seen, SeenKinds};
use seedbed::machine::{NodeId, RequestId};
use seedbed::proto::{
    FileService, LockAnswer, Message, MessageKind, Path, Record, RecordKind, Token,
};

/// The token of a grant exceeds that of every grant before it, of whatever lock, across crashes.
///
/// Storage tells a holder from a client that has lost the lock by the token alone. A token that
/// comes twice, or a lower one after a higher one, makes the new holder look like the old. It holds
/// also for grants that were sent and whose record a crash took: a client may have them. A grant
/// that was neither sent nor kept never was. After Burrows, "The Chubby Lock Service", OSDI 2006,
/// section 2.4 (sequencers), and Kleppmann, "How to do distributed locking", 2016.
#[derive(Clone, Debug, Default)]
pub struct TokensGrow {
    /// Every grant that a client can know of, by its token.
    grants: BTreeMap<Token, At<(Path, RequestId)>>,
}

impl Invariant<FileService> for TokensGrow {
    fn interest(&self) -> SeenKinds {
        SeenKinds::sent(&[MessageKind::Granted])
            | SeenKinds::durable(&[RecordKind::Granted])
            | SeenKinds::STARTED
    }

    fn see(&mut self, seen: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        match *seen {
            Seen::Sent {
                message: Message::LockAnswer(LockAnswer::Granted { path, request, token, .. }),
                ..
            } => self.count(path, *request, *token, model.step),
            Seen::Durable {
                node: NodeId::CONTROL,
                record: Record::Granted { path, request, token },
                ..
            } => self.count(path, *request, *token, model.step),
            // What a crash has left is as good as durable.
            Seen::Started { node: NodeId::CONTROL, .. } => {
                let mut survivors = model.locks.grants.survivors();
                survivors.try_for_each(|(request, token, grant)| {
                    self.count(&grant.path, request, token, model.step)
                })
            }
            _ => Ok(()),
        }
    }
}

impl TokensGrow {
    fn count(
        &mut self,
        path: &Path,
        request: RequestId,
        token: Token,
        step: u64,
    ) -> Result<(), Breach> {
        if self.grants.get(&token).is_some_and(|known| known.is.0 == *path && known.is.1 == request)
        {
            return Ok(()); // the record of what was sent, or the same grant sent again
        }
        if let Some((newest, known)) = self.grants.last_key_value()
            && *newest >= token
        {
            let (old_path, old) = &known.is;
            let earlier = format!("control granted the lock of {old_path} to {old} under {newest}");
            let now = format!(
                "control grants the lock of {path} to {request} under {token}, which is not higher \
                 than {newest}"
            );
            return Err(Breach::of(
                Evidence::at(known.step, earlier).about(old_path).about(*old),
                Evidence::at(step, now).about(path).about(request),
            ));
        }
        self.grants.insert(token, At { step, is: (path.clone(), request) });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::*;

    #[test]
    fn the_counter_starts_again_after_a_crash() {
        let mut play = Play::new(TokensGrow::default());
        play.at(1).logs(CONTROL, granted("/a", request(1, 1), 1));
        play.at(2).crashes(CONTROL);
        play.at(3).starts(CONTROL);
        play.at(4).appends(CONTROL, granted("/b", request(2, 1), 1));
        play.at(5).syncs(CONTROL);
        play.is_broken_by(
            "tokens_grow",
            (1, "/a to c1.1#1 under t1"),
            (5, "/b to c2.1#1 under t1"),
        );
    }

    #[test]
    fn the_counter_goes_on_after_a_crash() {
        let mut play = Play::new(TokensGrow::default());
        play.at(1).logs(CONTROL, granted("/a", request(1, 1), 1));
        play.at(2).crashes(CONTROL);
        play.at(3).starts(CONTROL);
        play.at(4).appends(CONTROL, granted("/b", request(2, 1), 2));
        play.at(5).syncs(CONTROL);
        play.and().sends(CONTROL, c(2), grant("/b", request(2, 1), 2));
        play.holds();
    }

    #[test]
    fn a_grant_that_was_sent_counts_though_its_record_is_lost() {
        let mut play = Play::new(TokensGrow::default());
        play.at(1).appends(CONTROL, granted("/a", request(1, 1), 1));
        play.and().sends(CONTROL, c(1), grant("/a", request(1, 1), 1));
        play.at(2).crashes(CONTROL);
        play.at(3).starts(CONTROL);
        play.at(4).logs(CONTROL, granted("/a", request(2, 1), 1));
        play.is_broken_by("tokens_grow", (1, "c1.1#1 under t1"), (4, "c2.1#1 under t1"));
    }

    #[test]
    fn a_grant_that_no_client_saw_may_be_made_again() {
        let mut play = Play::new(TokensGrow::default());
        play.at(1).appends(CONTROL, granted("/a", request(1, 1), 1));
        play.at(2).crashes(CONTROL);
        play.at(3).starts(CONTROL);
        play.at(4).logs(CONTROL, granted("/a", request(2, 1), 1));
        play.holds();
    }

    #[test]
    fn a_grant_that_a_crash_left_on_the_disk_counts() {
        let mut play = Play::new(TokensGrow::default());
        play.at(1).appends(CONTROL, granted("/a", request(1, 1), 1));
        play.at(2).crashes_keeping(CONTROL, 1);
        play.at(3).starts(CONTROL);
        play.at(4).logs(CONTROL, granted("/a", request(2, 1), 1));
        play.is_broken_by("tokens_grow", (3, "c1.1#1 under t1"), (4, "c2.1#1 under t1"));
    }
}

//! A client's session with this life of the node, in which each message is taken once.

use std::collections::BTreeSet;

use super::Node;
use crate::machine::{Incarnation, Time};
use crate::proto::txn::coordinator::Attempt;
use crate::proto::{AttemptEnd, Ended, Epoch, Outbox, Retry, Session};

/// Which messages of a client's session have been taken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Taken {
    client_life: Incarnation,
    lowest: u32,
    numbers: BTreeSet<u32>,
}

impl Node {
    pub(super) fn on_begin(
        &mut self,
        now: Time,
        session: Session,
        epoch: Epoch,
        attempt: Attempt,
        out: &mut Outbox,
    ) {
        let Attempt { client, request, attempt: number, .. } = attempt;
        let retry = |why| {
            let end = AttemptEnd::Retry(why);
            Ended { request, attempt: number, end }
        };
        if session.node != self.incarnation {
            return out.send(client, retry(Retry::Session(self.incarnation)));
        }
        if !self.sessions.entry(client).or_default().take(request.incarnation, session) {
            return; // a copy
        }
        let (coordinator, participant, mut turn) = self.machines(now, out);
        let is_in_doubt = participant.is_in_doubt_about(request);
        coordinator.on_begin(&mut turn, epoch, attempt, is_in_doubt);
    }
}

impl Taken {
    /// Takes the message of `session`, once.
    fn take(&mut self, client_life: Incarnation, session: Session) -> bool {
        if client_life < self.client_life {
            return false;
        }
        if client_life > self.client_life {
            *self = Taken { client_life, ..Taken::default() };
        }
        let fresh = session.number >= self.lowest && self.numbers.insert(session.number);
        self.lowest = self.lowest.max(session.lowest);
        self.numbers = self.numbers.split_off(&self.lowest);
        fresh
    }
}

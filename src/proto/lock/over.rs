//! What is remembered of requests that are over.

use std::collections::BTreeMap;

use crate::machine::{Incarnation, RequestId};
use crate::proto::Refusal;

/// The requests of one client that are over and could still come back as copies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Overs {
    pub life: Incarnation,
    pub lowest: u32,
    pub numbers: BTreeMap<u32, Over>,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Over {
    /// It held the lock.
    Held,
    /// It was refused: the lock was held, or the line full.
    Refused,
    /// It was refused for another reason.
    Declined(Refusal),
}

impl Overs {
    pub fn forget_below(&mut self, life: Incarnation, lowest: u32) {
        if (life, lowest) <= (self.life, self.lowest) {
            return;
        }
        if life > self.life {
            self.numbers.clear();
        }
        (self.life, self.lowest) = (life, lowest);
        self.numbers = self.numbers.split_off(&lowest);
    }

    pub fn insert(&mut self, request: RequestId, over: Over) {
        self.forget_below(request.incarnation, 0);
        if request.incarnation == self.life && request.number >= self.lowest {
            self.numbers.insert(request.number, over);
        }
    }

    /// How `request` ended; one that its client does not wait for has got all that it will.
    pub fn get(&self, request: RequestId) -> Option<Over> {
        match (request.incarnation, request.number) < (self.life, self.lowest) {
            true => Some(Over::Held),
            false if request.incarnation == self.life => self.numbers.get(&request.number).copied(),
            false => None,
        }
    }
}

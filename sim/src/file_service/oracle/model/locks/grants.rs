//! Every grant in the lock server's log, and which of them a crash may still take.

use std::collections::BTreeMap;

use seedbed::machine::RequestId;
use seedbed::proto::{Path, Record, Token};

/// A grant in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The step that appended it.
    pub step: u64,
    /// Its position in the log.
    pub position: u64,
    /// The lock.
    pub path: Path,
}

/// All grants in the log.
#[derive(Clone, Debug, Default)]
pub struct Grants {
    written: BTreeMap<(RequestId, Token), Grant>,
    /// Those whose record a crash may take, by its position.
    pending: BTreeMap<u64, (RequestId, Token)>,
    /// Those that were pending when the lock server started last.
    survivors: Vec<(RequestId, Token)>,
}

/// What is asked of them.
impl Grants {
    /// The grant to `request` under `token`.
    pub fn get(&self, request: RequestId, token: Token) -> Option<&Grant> {
        self.written.get(&(request, token))
    }

    /// The grant to `request` with the highest token.
    pub fn newest(&self, request: RequestId) -> Option<(Token, &Grant)> {
        let all = (request, Token::default())..=(request, Token(u64::MAX));
        self.written.range(all).next_back().map(|(&(_, token), grant)| (token, grant))
    }

    /// Is `grant` not yet durable, so that a crash could still lose it?
    pub fn is_pending(&self, grant: &Grant) -> bool {
        self.pending.contains_key(&grant.position)
    }

    /// The grants that the last crash could have taken and left: as good as durable since the lock
    /// server's last start.
    pub fn survivors(&self) -> impl Iterator<Item = (RequestId, Token, &Grant)> {
        let of = |&(request, token)| Some((request, token, self.get(request, token)?));
        self.survivors.iter().filter_map(of)
    }
}

/// What happens.
impl Grants {
    pub(super) fn on_appended(&mut self, step: u64, position: u64, record: &Record) {
        if let Record::Granted { path, request, token } = record {
            let grant = Grant { step, position, path: path.clone() };
            self.written.insert((*request, *token), grant);
            self.pending.insert(position, (*request, *token));
        }
    }

    pub(super) fn on_durable(&mut self, position: u64) {
        self.pending.remove(&position);
    }

    pub(super) fn on_forgot(&mut self, from: u64) {
        for lost in self.pending.split_off(&from).into_values() {
            self.written.remove(&lost);
        }
    }

    pub(super) fn on_started(&mut self) {
        self.survivors = std::mem::take(&mut self.pending).into_values().collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{granted, request};

    fn one_and_two() -> Grants {
        let mut grants = Grants::default();
        grants.on_appended(1, 0, &granted("/a", request(1, 1), 1));
        grants.on_appended(2, 1, &granted("/b", request(1, 2), 2));
        grants
    }

    #[test]
    fn a_crash_takes_a_grant_unless_it_is_durable() {
        let mut grants = one_and_two();
        grants.on_durable(0);
        grants.on_forgot(0);
        let first = grants.get(request(1, 1), Token(1)).expect("it was durable");
        assert!(!grants.is_pending(first));
        assert_eq!(grants.newest(request(1, 2)), None);
    }

    #[test]
    fn what_a_crash_leaves_survives_once() {
        let mut grants = one_and_two();
        grants.on_durable(0);
        grants.on_started();
        let survivors: Vec<Token> = grants.survivors().map(|(_, token, _)| token).collect();
        assert_eq!(survivors, [Token(2)]);
        assert!(!grants.is_pending(grants.get(request(1, 2), Token(2)).expect("it survived")));
        grants.on_started();
        assert_eq!(grants.survivors().count(), 0);
    }
}

//! Locks, as the lock server's log has them.

use std::collections::BTreeMap;

use seedbed::proto::{Path, Record, RequestId, Token};

use crate::oracle::At;

/// What the lock server's durable records say of a lock.
#[derive(Clone, Debug, Default)]
pub struct LockHistory {
    /// Who stands in line, in durable order.
    pub line: Vec<At<RequestId>>,
    /// Who holds it.
    pub holder: Option<At<(RequestId, Token)>>,
    /// The last token granted.
    pub last_token: Option<At<Token>>,
}

/// All locks.
#[derive(Clone, Debug, Default)]
pub struct Locks(BTreeMap<Path, LockHistory>);

impl Locks {
    /// The lock of `path`, if the log ever named it.
    pub fn get(&self, path: &Path) -> Option<&LockHistory> {
        self.0.get(path)
    }

    /// Every lock that the log ever named.
    pub fn iter(&self) -> impl Iterator<Item = (&Path, &LockHistory)> {
        self.0.iter()
    }

    pub(super) fn on_durable(&mut self, step: u64, record: &Record) {
        match record {
            Record::Queued { path, request } => {
                let lock = self.0.entry(path.clone()).or_default();
                lock.line.push(At { step, is: *request });
            }
            Record::Granted { path, request, token } => {
                let lock = self.0.entry(path.clone()).or_default();
                lock.line.retain(|waiting| waiting.is != *request);
                lock.holder = Some(At { step, is: (*request, *token) });
                lock.last_token = Some(At { step, is: *token });
            }
            Record::Left { path, request } => {
                let lock = self.0.entry(path.clone()).or_default();
                lock.line.retain(|waiting| waiting.is != *request);
                lock.holder.take_if(|holder| holder.is.0 == *request);
            }
            _ => {} // not of locks
        }
    }
}

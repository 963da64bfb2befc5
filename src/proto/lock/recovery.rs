//! Recovery and checkpoints.

use super::LockServer;
use super::over::Over;
use super::queue::{Holder, Waiter};
use crate::machine::{RequestId, Time};
use crate::proto::{Config, Defect, Path, Record};

impl LockServer {
    /// Takes over what one record says; which clients are alive is seen from the start on.
    /// What is asserted holds of every log of a sound server; with a defect a log may say anything.
    pub fn replay(&mut self, config: &Config, record: &Record) {
        let has_defects = !config.defects.is_empty();
        match record {
            Record::Queued { path, request } => {
                let lock = self.locks.entry(path.clone()).or_default();
                assert!(!lock.has(*request) || has_defects, "{request} queues twice for {path}");
                lock.line.push(Waiter { request: *request, heard: None, until: Time::MAX });
            }
            Record::Granted { path, request, token } => {
                let lock = self.locks.entry(path.clone()).or_default();
                assert!(lock.holder.is_none() || has_defects, "{path} is granted twice");
                lock.line.retain(|waiter| waiter.request != *request);
                lock.holder = Some(Holder {
                    request: *request,
                    token: *token,
                    asked: Time::ZERO,
                    until: Time::MAX,
                });
                if !config.defects.has(Defect::TokenRestarts) {
                    self.last_token = self.last_token.max(*token);
                }
            }
            Record::Left { path, request } => self.replay_left(path, *request),
            Record::LockOver { request, refused } => {
                let over = if *refused { Over::Refused } else { Over::Held };
                self.over.entry(request.client).or_default().insert(*request, over);
            }
            Record::Declined { request, refusal } => {
                let over = Over::Declined(*refusal);
                self.over.entry(request.client).or_default().insert(*request, over);
            }
            Record::LastToken { token } => self.last_token = self.last_token.max(*token),
            Record::Forgotten { client, incarnation, lowest } => {
                self.over.entry(*client).or_default().forget_below(*incarnation, *lowest);
            }
            // The centre's, in the same log.
            Record::Admitted { .. } | Record::Recorded { .. } | Record::Lost { .. } => {}
            Record::Wanted { .. } | Record::Announced { .. } | Record::Activated { .. } => {}
            Record::Converged { .. } | Record::LossAccepted { .. } => {}
            Record::LongestLease { .. } => {}
            // Of storage nodes.
            Record::Born { .. } | Record::Entered { .. } | Record::Complete { .. } => {}
            Record::Reset { .. } | Record::GaveUp { .. } | Record::Pulled { .. } => {}
            Record::Stored { .. } | Record::Answered { .. } | Record::Voted(_) => {}
            Record::Promised { .. } | Record::Applied { .. } | Record::RolledBack { .. } => {}
            Record::Settled { .. } | Record::Mark { .. } | Record::Decided(_) => {}
            Record::Over { .. } => {}
        }
    }

    /// A request left the line, or the lock, or was refused before it got a place.
    fn replay_left(&mut self, path: &Path, request: RequestId) {
        let lock = self.locks.entry(path.clone()).or_default();
        let in_line = lock.line.iter().position(|waiter| waiter.request == request);
        let over = match in_line {
            Some(place) => {
                lock.line.remove(place);
                return; // it has had no effect, so it may come again
            }
            None if lock.holder.take_if(|holder| holder.request == request).is_some() => Over::Held,
            None => Over::Refused,
        };
        self.over.entry(request.client).or_default().insert(request, over);
    }

    /// The records that give this state again.
    pub fn snapshot(&self) -> Vec<Record> {
        let mut records = vec![Record::LastToken { token: self.last_token }];
        for (&client, overs) in &self.over {
            let incarnation = overs.life;
            records.push(Record::Forgotten { client, incarnation, lowest: overs.lowest });
            for (&number, over) in &overs.numbers {
                let request = RequestId { client, incarnation, number };
                records.push(match *over {
                    Over::Held => Record::LockOver { request, refused: false },
                    Over::Refused => Record::LockOver { request, refused: true },
                    Over::Declined(refusal) => Record::Declined { request, refusal },
                });
            }
        }
        for (path, lock) in &self.locks {
            if let Some(Holder { request, token, .. }) = lock.holder {
                records.push(Record::Granted { path: path.clone(), request, token });
            }
            for waiter in &lock.line {
                records.push(Record::Queued { path: path.clone(), request: waiter.request });
            }
        }
        records
    }
}

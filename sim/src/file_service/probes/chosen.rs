//! The paths that are probed, and what may be written to them.

use std::collections::BTreeSet;

use seedbed::machine::NodeId;
use seedbed::proto::{Action, Contents, Operation, Outcome, Path, Request, Version};

use crate::file_service::oracle::Model;

/// A path that is probed, and what is known of it.
#[derive(Clone, Debug)]
pub struct Probed {
    pub path: Path,
    pub client: NodeId,
    /// Its owners that are up.
    pub owners: Vec<NodeId>,
    /// Are all of its owners up, and do votes arrive in time?
    pub is_writable: bool,
    pub lock: Lock,
    pub kind: Kind,
    pub version: Version,
    pub contents: Option<Contents>,
    /// What was asked to be written, until that is done.
    pub written: Option<Contents>,
}

/// How a path is locked: one that ever was is written under its lock only, because of its fence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    NeverUsed,
    Used,
    Held,
}

/// What the workload keeps at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    Counter,
    Account,
}

impl Probed {
    pub fn take(&mut self, outcome: &Outcome) {
        (self.version, self.contents) = match outcome {
            Outcome::Found(version, contents) => (*version, contents.clone()),
            Outcome::Changed(version) => (*version, self.written.take()),
            Outcome::Lost => return, // no client is told this
        };
    }

    /// What is written next, if that is allowed and the workload has something to write.
    pub fn write(&mut self) -> Option<Operation> {
        if self.lock == Lock::Used || !self.is_writable {
            return None;
        }
        let contents = self.next_contents()?;
        self.written = Some(contents.clone());
        Some(operation(&self.path, Action::Write(contents, None)))
    }

    fn next_contents(&self) -> Option<Contents> {
        match self.kind {
            Kind::Text => Some(Contents::from(format!("probe after {}", self.version))),
            Kind::Account => self.contents.clone(),
            Kind::Counter => {
                let text = self.contents.as_ref().map_or(&b"0"[..], Contents::as_bytes);
                let count: u64 = std::str::from_utf8(text).ok()?.parse().ok()?;
                Some(Contents::from((count + 1).to_string()))
            }
        }
    }
}

/// Every path that a request has named, by name, but for those that are longer than a path may be.
pub fn paths_touched(model: &Model, longest: usize) -> Vec<Path> {
    let mut paths = BTreeSet::new();
    for asked in model.requests.values() {
        match &asked.wanted {
            Request::Files { operations, .. } => {
                for Operation { path, action, .. } in operations.iter() {
                    paths.insert(path);
                    if let Action::Rename(to, _) = action {
                        paths.insert(to);
                    }
                }
            }
            Request::Acquire { path, .. } | Request::Release { path } => {
                paths.insert(path);
            }
        }
    }
    paths.into_iter().filter(|path| path.as_str().len() <= longest).cloned().collect()
}

/// Every path that was used as a lock.
pub fn locks_used(model: &Model) -> BTreeSet<Path> {
    let acquired = model.requests.values().filter_map(|asked| match &asked.wanted {
        Request::Acquire { path, .. } => Some(path.clone()),
        Request::Files { .. } | Request::Release { .. } => None,
    });
    acquired.collect()
}

pub fn operation(path: &Path, action: Action) -> Operation {
    Operation { path: path.clone(), action, token: None }
}

//! What has happened so far, as far as the outside can tell.
//!
//! The model believes durable records, messages on the wire, and answers of clients. What a node thinks of
//! itself does not count. A record counts once it is durable, or once it has survived a crash.

use std::collections::{BTreeMap, BTreeSet};

use seedbed::proto::{
    Action, Answer, File, Message, No, NodeId, Path, Record, Refusal, Reply, Request, RequestId,
    Time, Token, TxnId, Version, Vote,
};

use super::Seen;

/// Everything the invariants share.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// The step under way, and its true time.
    pub step: u64,
    /// True time.
    pub now: Time,
    /// Transactions.
    pub txns: BTreeMap<TxnId, Txn>,
    /// Requests of users.
    pub requests: BTreeMap<RequestId, Asked>,
    /// Files, as committed.
    pub files: BTreeMap<Path, FileHistory>,
    /// Locks, as the lock server's log has them.
    pub locks: BTreeMap<Path, LockHistory>,
    /// Which machines are up.
    pub up: BTreeSet<NodeId>,
}

/// A fact and the step that made it one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At<T> {
    /// The step.
    pub step: u64,
    /// The fact.
    pub is: T,
}

/// A transaction.
#[derive(Clone, Debug, Default)]
pub struct Txn {
    /// The request that it serves, and the request that its age names: the one the user made.
    pub request: Option<RequestId>,
    /// Who made the request, by the age of the transaction.
    pub origin: Option<RequestId>,
    /// The participants, the coordinator left out.
    pub participants: Vec<NodeId>,
    /// Yes votes that are durable, with what they would change, by participant.
    pub yes: BTreeMap<NodeId, At<Vec<(Path, File)>>>,
    /// Paths that a yes vote pins, by participant.
    pub pinned: BTreeMap<NodeId, Vec<Path>>,
    /// No votes that were sent, by participant.
    pub no: BTreeMap<NodeId, At<No>>,
    /// The decision to commit, once its record is durable.
    pub decided: Option<At<Answer>>,
    /// An abort announced by the coordinator.
    pub aborted: Option<u64>,
    /// What each participant's log says became of it: true for applied, false for rolled back or promised.
    pub outcomes: BTreeMap<NodeId, At<bool>>,
    /// When the coordinator wrote that it is over.
    pub over: Option<u64>,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Asked {
    /// What was asked.
    pub wanted: Request,
    /// The step in which it was asked, and the true time.
    pub asked: At<Time>,
    /// The answer.
    pub reply: Option<At<Reply>>,
    /// Transactions that committed for it.
    pub effects: Vec<TxnId>,
    /// A refusal that an owner has forced.
    pub declined: Option<At<Refusal>>,
}

/// What was committed to a path.
#[derive(Clone, Debug, Default)]
pub struct FileHistory {
    /// Every committed state, in the order of commitment.
    pub committed: Vec<At<(TxnId, File)>>,
    /// The highest version that a client was told of.
    pub acknowledged: Option<At<Version>>,
    /// The highest token claimed.
    pub claimed: Option<At<Token>>,
}

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

impl Model {
    /// Takes over what was seen.
    pub fn update(&mut self, seen: &Seen<'_>) {
        match *seen {
            Seen::Requested { request, wanted } => self.on_requested(request, wanted),
            Seen::Sent { from, message, .. } => self.on_sent(from, message),
            Seen::Durable { node, record, .. } => self.on_durable(node, record),
            Seen::Replied { request, reply } => self.on_replied(request, reply),
            Seen::Started { node, .. } => {
                self.up.insert(node);
            }
            Seen::Crashed { node } => {
                self.up.remove(&node);
            }
            Seen::Received { .. } | Seen::Lost { .. } | Seen::Copied { .. } => {}
            Seen::Appended { .. } | Seen::Checkpointed { .. } | Seen::Forgot { .. } => {}
            Seen::RefusedToStart { .. } | Seen::Paused { .. } | Seen::Resumed { .. } => {}
            Seen::Cut { .. } | Seen::Mended { .. } | Seen::ClockJumped { .. } => {}
            Seen::Woken { .. } | Seen::Noticed { .. } => {}
        }
    }

    fn at<T>(&self, is: T) -> At<T> {
        At { step: self.step, is }
    }

    fn on_requested(&mut self, request: RequestId, wanted: &Request) {
        let asked = self.at(self.now);
        let asked = Asked {
            wanted: wanted.clone(),
            asked,
            reply: None,
            effects: Vec::new(),
            declined: None,
        };
        self.requests.insert(request, asked);
    }

    fn on_replied(&mut self, request: RequestId, reply: &Reply) {
        let at = self.at(reply.clone());
        if let Some(asked) = self.requests.get_mut(&request) {
            asked.reply.get_or_insert(at);
        }
    }

    fn on_sent(&mut self, from: NodeId, message: &Message) {
        let step = self.step;
        match message {
            Message::Begin { request, age, .. } => {
                // The ids of attempts lead to the request that the user made.
                let _ = (request, age);
            }
            Message::Prepare { header, terms, .. } => {
                let txn = self.txns.entry(header.txn).or_default();
                txn.request = Some(terms.request);
                txn.origin = Some(terms.age.request);
                if txn.participants.is_empty() {
                    txn.participants = terms.participants.to_vec();
                }
            }
            Message::Executed { txn, vote: Vote::No(no) } => {
                let txn = self.txns.entry(*txn).or_default();
                txn.no.entry(from).or_insert(At { step, is: no.clone() });
            }
            Message::Abort { header } => {
                self.txns.entry(header.txn).or_default().aborted.get_or_insert(step);
            }
            _ => {}
        }
    }

    fn on_durable(&mut self, node: NodeId, record: &Record) {
        let step = self.step;
        match record {
            Record::Voted { txn, paths, changes, .. } => {
                let txn = self.txns.entry(*txn).or_default();
                txn.yes.insert(node, At { step, is: changes.to_vec() });
                txn.pinned.insert(node, paths.to_vec());
            }
            Record::Promised { txn } | Record::RolledBack { txn } => {
                let txn = self.txns.entry(*txn).or_default();
                txn.outcomes.entry(node).or_insert(At { step, is: false });
            }
            Record::Applied { txn, .. } => {
                let txn = self.txns.entry(*txn).or_default();
                txn.outcomes.entry(node).or_insert(At { step, is: true });
            }
            Record::Decided { .. } => self.on_decided(record),
            Record::Over { txn } => {
                self.txns.entry(*txn).or_default().over.get_or_insert(step);
            }
            Record::Declined { request, refusal } => {
                if let Some(asked) = self.requests.get_mut(request) {
                    asked.declined.get_or_insert(At { step, is: *refusal });
                }
            }
            Record::Queued { path, request } => {
                let lock = self.locks.entry(path.clone()).or_default();
                lock.line.push(At { step, is: *request });
            }
            Record::Granted { path, request, token } => {
                let lock = self.locks.entry(path.clone()).or_default();
                lock.line.retain(|waiting| waiting.is != *request);
                lock.holder = Some(At { step, is: (*request, *token) });
                lock.last_token = Some(At { step, is: *token });
            }
            Record::Left { path, request } => {
                let lock = self.locks.entry(path.clone()).or_default();
                lock.line.retain(|waiting| waiting.is != *request);
                lock.holder.take_if(|holder| holder.is.0 == *request);
            }
            Record::Born { .. } | Record::Stored { .. } | Record::Answered { .. } => {}
            Record::Settled { .. } | Record::Mark { .. } | Record::Forgotten { .. } => {}
            Record::LastToken { .. } => {}
        }
    }

    /// The commit point: what every yes vote and the coordinator's own part would change is committed now.
    fn on_decided(&mut self, record: &Record) {
        let Record::Decided { txn: id, request, participants, changes, answer } = record else {
            return;
        };
        let step = self.step;
        let txn = self.txns.entry(*id).or_default();
        txn.request = Some(*request);
        txn.participants = participants.to_vec();
        if txn.decided.is_some() {
            return;
        }
        txn.decided = Some(At { step, is: answer.clone() });
        let origin = txn.origin.unwrap_or(*request);
        let mut committed: BTreeMap<Path, File> = BTreeMap::new();
        let votes = txn.yes.values().flat_map(|yes| yes.is.iter());
        committed.extend(votes.chain(changes.iter()).cloned());
        for (path, file) in committed {
            let history = self.files.entry(path).or_default();
            let before = history.committed.last().map(|at| at.is.1.fence).unwrap_or_default();
            if file.fence > before {
                history.claimed = Some(At { step, is: file.fence });
            }
            history.committed.push(At { step, is: (*id, file) });
        }
        if let Some(asked) = self.requests.get_mut(&origin) {
            asked.effects.push(*id);
        }
    }
}

/// Does the request change nothing, whatever its answer?
pub fn only_reads(request: &Request) -> bool {
    match request {
        Request::Files { operations, .. } => {
            operations.iter().all(|operation| matches!(operation.action, Action::Read))
        }
        Request::Acquire { .. } | Request::Release { .. } => false,
    }
}

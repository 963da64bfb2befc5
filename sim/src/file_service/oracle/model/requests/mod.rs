//! What users have asked for, under which names it was tried, and what they were answered.
//!
//! A transaction names the request that it serves. With the defect `retry_under_new_id` that is not
//! the one that the user made; the age of an attempt still is, so a `begin` message leads from the
//! one to the other.

pub(in crate::file_service::oracle) mod effects_of_requests;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use seedbed::machine::{NodeId, RequestId, Time};
use seedbed::proto::{
    Action, Contents, Operation, Outcome, Path, Refusal, Reply, Request, TxnId, Version,
};

use crate::file_service::World;
use crate::file_service::oracle::At;

/// A request.
#[derive(Clone, Debug)]
pub struct Asked {
    /// What was asked.
    pub wanted: Request,
    /// The step in which it was asked, and the true time.
    pub asked: At<Time>,
    /// What its attempts ask the storage nodes to do, tokens included, once one has been sent.
    pub operations: Option<Arc<[Operation]>>,
    /// The answer.
    pub reply: Option<At<Reply>>,
    /// Transactions that committed for it.
    pub effects: Vec<TxnId>,
    /// A refusal that an owner has forced.
    pub declined: Option<At<Refusal>>,
}

/// All requests of users.
#[derive(Clone, Debug, Default)]
pub struct Requests {
    asked: BTreeMap<RequestId, Asked>,
    /// The request that the user made, for attempts that go under another id.
    origins: BTreeMap<RequestId, RequestId>,
}

impl Requests {
    /// What is known of a user's request.
    pub fn get(&self, request: &RequestId) -> Option<&Asked> {
        self.asked.get(request)
    }

    /// What the user wants with `request`.
    pub fn wanted(&self, request: RequestId) -> Option<&Request> {
        Some(&self.asked.get(&request)?.wanted)
    }

    /// Every request, by client, life and number.
    pub fn iter(&self) -> impl Iterator<Item = (&RequestId, &Asked)> {
        self.asked.iter()
    }

    /// Every request.
    pub fn values(&self) -> impl Iterator<Item = &Asked> {
        self.asked.values()
    }

    /// The requests of a range of names, in their order.
    pub fn range(
        &self,
        range: Range<RequestId>,
    ) -> impl DoubleEndedIterator<Item = (&RequestId, &Asked)> {
        self.asked.range(range)
    }

    /// The request that the user made, given the id that an attempt at it goes under.
    pub fn origin(&self, request: RequestId) -> RequestId {
        self.origins.get(&request).copied().unwrap_or(request)
    }

    pub(super) fn on_requested(&mut self, request: RequestId, wanted: &Request, asked: At<Time>) {
        let asked = Asked {
            wanted: wanted.clone(),
            asked,
            operations: None,
            reply: None,
            effects: Vec::new(),
            declined: None,
        };
        self.asked.insert(request, asked);
    }

    /// An attempt at the request `origin` is sent, under the name `request`.
    pub(super) fn on_begin(
        &mut self,
        request: RequestId,
        origin: RequestId,
        operations: &Arc<[Operation]>,
    ) {
        if origin != request {
            self.origins.insert(request, origin);
        }
        if let Some(asked) = self.asked.get_mut(&origin) {
            asked.operations.get_or_insert_with(|| operations.clone());
        }
    }

    /// The first answer counts: gives the request if this is it.
    pub(super) fn on_replied(&mut self, request: RequestId, reply: At<Reply>) -> Option<&Asked> {
        let asked = self.asked.get_mut(&request).filter(|asked| asked.reply.is_none())?;
        asked.reply = Some(reply);
        Some(asked)
    }

    pub(super) fn on_declined(&mut self, request: RequestId, refusal: At<Refusal>) {
        if let Some(asked) = self.asked.get_mut(&self.origin(request)) {
            asked.declined.get_or_insert(refusal);
        }
    }

    /// `txn` has committed for the user's request.
    pub(super) fn on_committed(&mut self, origin: RequestId, txn: TxnId) {
        if let Some(asked) = self.asked.get_mut(&origin) {
            asked.effects.push(txn);
        }
    }
}

/// The path, if `request` is a read of one file and nothing else; `None` for any other.
pub fn single_read(request: &Request) -> Option<&Path> {
    match request {
        Request::Files { operations, .. } if operations.len() == 1 => {
            operations[0].action.is_read().then_some(&operations[0].path)
        }
        Request::Files { .. } | Request::Acquire { .. } | Request::Release { .. } => None,
    }
}

/// How often `operation` changes the contents of `path`.
pub fn changes_path(operation: &Operation, path: &Path) -> u64 {
    let here = u64::from(operation.path == *path);
    match &operation.action {
        Action::Read | Action::Claim => 0,
        Action::Rename(to, _) => here + u64::from(to == path),
        Action::Create(_) | Action::Write(..) | Action::Delete(_) => here,
        Action::Place(_) | Action::Remove(_) => here,
    }
}

/// The reads among `operations`, each with its outcome: those that see what was there before, not a
/// change made by an operation that precedes them.
pub fn reads<'a>(
    operations: &'a [Operation],
    answer: &'a [Outcome],
) -> impl Iterator<Item = (&'a Path, Version, Option<&'a Contents>)> {
    operations.iter().zip(answer).enumerate().filter_map(|(place, (operation, outcome))| {
        let Outcome::Found(version, contents) = outcome else { return None };
        let path = &operation.path;
        let own = operations[..place].iter().any(|earlier| changes_path(earlier, path) > 0);
        (!own).then_some((path, *version, contents.as_ref()))
    })
}

/// Does the life of the client that made the request go on?
pub fn is_alive(client: NodeId, request: RequestId, world: &World) -> bool {
    let host = world.host(client);
    host.is_up() && host.incarnation() == request.incarnation
}

/// What a user is told, in words.
pub fn answer_in_words(reply: &Reply) -> String {
    match reply {
        Reply::Done(answer) => match &answer[..] {
            [Outcome::Found(_, found)] => format!("{} found", contents_in_words(found.as_ref())),
            _ => "done".to_owned(),
        },
        Reply::Acquired(token) => format!("acquired under {token}"),
        Reply::Released => "released".to_owned(),
        Reply::Refused(refusal) => format!("refused: {refusal}"),
        Reply::Unknown => "unknown".to_owned(),
    }
}

/// What is stored, in words.
pub fn contents_in_words(contents: Option<&Contents>) -> String {
    contents.map_or_else(|| "no file".to_owned(), |contents| contents.to_string())
}

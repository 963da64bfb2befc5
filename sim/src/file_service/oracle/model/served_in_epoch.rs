//! What storage nodes serve, and in which epoch: reads, votes, and the own parts of decisions.
//!
//! A vote is given when its record is appended, and a coordinator's own vote is its decision. A
//! read is answered when the answer leaves, unless a sync has let it go: then it was put together
//! at some moment since the question came.

use std::collections::BTreeMap;
use std::sync::Arc;

use seedbed::machine::{NodeId, RequestId};
use seedbed::proto::{
    AttemptEnd, Contents, Decided, Ended, Epoch, FileRequest, Message, MessageKind, Outcome, Path,
    Record, RecordKind, TxnId, Version, Voted,
};

use crate::file_service::oracle::{Evidence, Seen, SeenKinds};

const VOTES: &[RecordKind] = &[RecordKind::Voted, RecordKind::Decided];

/// What may be a service when it is given.
pub(in crate::file_service::oracle) fn services() -> SeenKinds {
    SeenKinds::sent(&[MessageKind::Ended]) | SeenKinds::appended(VOTES)
}

/// What may be a service once what it builds on is durable.
pub(in crate::file_service::oracle) fn durable_services() -> SeenKinds {
    SeenKinds::sent(&[MessageKind::Ended]) | SeenKinds::durable(VOTES)
}

/// Something served.
#[derive(Clone, Debug)]
pub struct Service {
    /// The node that served it.
    pub node: NodeId,
    /// In which epoch.
    pub epoch: Epoch,
    /// What it is about.
    pub paths: Arc<[Path]>,
    /// What.
    pub what: What,
    /// Since which step it may have been given; this one, if it is known to be given now.
    pub since: u64,
}

/// What was served.
#[derive(Clone, Debug)]
pub enum What {
    /// A yes to a transaction.
    Vote(TxnId),
    /// A coordinator's own part of a transaction.
    OwnPart(TxnId),
    /// The answer to a read.
    Read(RequestId, Version, Option<Contents>),
}

impl Service {
    /// That it was given, in step `step`.
    pub fn fact(&self, step: u64) -> Evidence {
        let Service { node, epoch, .. } = self;
        let of = match &self.what {
            What::Vote(txn) => {
                Evidence::at(step, format!("{node} votes yes to {txn} in {epoch}")).about(*txn)
            }
            What::OwnPart(txn) => {
                let is = format!("{node} commits its own part of {txn} in {epoch}");
                Evidence::at(step, is).about(*txn)
            }
            What::Read(request, ..) => {
                let is = format!("{node} answers the read {request} in {epoch}");
                Evidence::at(step, is).about(*request)
            }
        };
        of.about(*epoch)
    }
}

/// What is served, and the reads that are not answered.
#[derive(Clone, Debug, Default)]
pub struct Services {
    asked: BTreeMap<(NodeId, RequestId, u32), (Epoch, Path, u64)>,
    /// The service that the last message or record which may be one was.
    newest: Option<Service>,
}

impl Services {
    /// The service that `seen`, the newest thing that was seen, was, if it was one.
    pub fn given_by(&self, seen: &Seen<'_>) -> Option<&Service> {
        match seen {
            Seen::Sent { message: Message::Ended(Ended { .. }), .. }
            | Seen::Appended { record: Record::Voted(_) | Record::Decided(_), .. }
            | Seen::Durable { record: Record::Voted(_) | Record::Decided(_), .. } => {
                self.newest.as_ref()
            }
            _ => None,
        }
    }

    /// A read arrives at a storage node.
    pub(super) fn on_read(&mut self, step: u64, to: NodeId, message: &Message) {
        let Message::FileRequest(FileRequest::Read { request, attempt, epoch, path }) = message
        else {
            return;
        };
        self.asked.insert((to, *request, *attempt), (*epoch, path.clone(), step));
    }

    /// The end of an attempt leaves a storage node, which has put it together now or before.
    pub(super) fn on_ended(&mut self, step: u64, from: NodeId, message: &Message, is_now: bool) {
        self.newest = self.read_answered(step, from, message, is_now);
    }

    fn read_answered(
        &mut self,
        step: u64,
        from: NodeId,
        message: &Message,
        is_now: bool,
    ) -> Option<Service> {
        let Message::Ended(Ended { request, attempt, end }) = message else { return None };
        let (epoch, path, asked) = self.asked.remove(&(from, *request, *attempt))?;
        let AttemptEnd::Done(answer) = end else { return None };
        let [Outcome::Found(version, contents)] = &answer[..] else { return None };
        Some(Service {
            node: from,
            epoch,
            paths: [path].into(),
            what: What::Read(*request, *version, contents.clone()),
            since: if is_now { step } else { asked },
        })
    }

    /// A vote or a decision is appended, or it is durable.
    pub(super) fn on_record(&mut self, step: u64, node: NodeId, record: &Record) {
        let service = |epoch, paths, what| Service { node, epoch, paths, what, since: step };
        self.newest = match record {
            Record::Voted(Voted { txn, epoch, paths, .. }) => {
                Some(service(*epoch, paths.clone(), What::Vote(*txn)))
            }
            Record::Decided(Decided { txn, epoch, changes, .. }) if !changes.is_empty() => {
                let paths = changes.iter().map(|(path, _)| path.clone()).collect();
                Some(service(*epoch, paths, What::OwnPart(*txn)))
            }
            _ => None, // it has no part of its own
        };
    }

    /// What a crashed node was asked it will not answer.
    pub(super) fn on_crashed(&mut self, node: NodeId) {
        self.asked.retain(|(of, ..), _| *of != node);
    }
}

//! What storage nodes serve, and in which epoch: reads, votes, and the own parts of decisions.
//!
//! A vote is given when its record is appended, and a coordinator's own vote is its decision. A
//! read is answered when the answer leaves, unless a sync has let it go: then it was put together
//! at some moment since the question came.

use std::collections::BTreeMap;

use seedbed::proto::{
    AttemptEnd, Contents, Epoch, Message, MessageKind, NodeId, Outcome, Path, Record, RecordKind,
    RequestId, TxnId, Version,
};

use crate::oracle::{Model, Seen, SeenKinds};

const VOTES: &[RecordKind] = &[RecordKind::Voted, RecordKind::Decided];

/// What it takes to see every service when it is given.
pub(in crate::oracle) const SERVICE: SeenKinds = READS.union(SeenKinds::appended(VOTES));

/// What it takes to see every service once what it builds on is durable.
pub(in crate::oracle) const DURABLE_SERVICE: SeenKinds = READS.union(SeenKinds::durable(VOTES));

const READS: SeenKinds = SeenKinds::received(&[MessageKind::Read])
    .union(SeenKinds::sent(&[MessageKind::Ended]))
    .union(SeenKinds::CRASHED);

/// Something served.
#[derive(Clone, Debug)]
pub(in crate::oracle) struct Service {
    pub node: NodeId,
    pub epoch: Epoch,
    pub paths: Vec<Path>,
    pub what: What,
    /// Since which step it may have been given; this one, if it is known to be given now.
    pub since: u64,
}

/// What was served.
#[derive(Clone, Debug)]
pub(in crate::oracle) enum What {
    Vote(TxnId),
    OwnPart(TxnId),
    Read(RequestId, Version, Option<Contents>),
}

impl Service {
    /// In words.
    pub fn words(&self) -> String {
        let Service { node, epoch, .. } = self;
        match &self.what {
            What::Vote(txn) => format!("{node} votes yes to {txn} in {epoch}"),
            What::OwnPart(txn) => format!("{node} commits its own part of {txn} in {epoch}"),
            What::Read(request, ..) => format!("{node} answers the read {request} in {epoch}"),
        }
    }
}

/// Reads that are not answered.
#[derive(Clone, Debug, Default)]
pub(in crate::oracle) struct Services {
    asked: BTreeMap<(NodeId, RequestId, u32), (Epoch, Path, u64)>,
}

impl Services {
    /// Takes over what was seen; gives the service, if it was one.
    pub fn see(&mut self, seen: &Seen<'_>, model: &Model) -> Option<Service> {
        let step = model.step;
        match *seen {
            Seen::Received {
                to, message: Message::Read { request, attempt, epoch, path }, ..
            } => {
                self.asked.insert((to, *request, *attempt), (*epoch, path.clone(), step));
                None
            }
            Seen::Sent { from, message: Message::Ended { request, attempt, end }, .. } => {
                let (epoch, path, asked) = self.asked.remove(&(from, *request, *attempt))?;
                let AttemptEnd::Done(answer) = end else { return None };
                let [Outcome::Found(version, contents)] = &answer[..] else { return None };
                let is_now = model.is_put_together_now(from);
                Some(Service {
                    node: from,
                    epoch,
                    paths: vec![path],
                    what: What::Read(*request, *version, contents.clone()),
                    since: if is_now { step } else { asked },
                })
            }
            Seen::Appended { node, record, .. } | Seen::Durable { node, record, .. } => {
                let (epoch, paths, what) = match record {
                    Record::Voted { txn, epoch, paths, .. } => {
                        (*epoch, paths.to_vec(), What::Vote(*txn))
                    }
                    Record::Decided { txn, epoch, changes, .. } if !changes.is_empty() => {
                        let paths = changes.iter().map(|(path, _)| path.clone()).collect();
                        (*epoch, paths, What::OwnPart(*txn))
                    }
                    _ => return None,
                };
                Some(Service { node, epoch, paths, what, since: step })
            }
            Seen::Crashed { node } => {
                self.asked.retain(|(of, ..), _| *of != node);
                None
            }
            _ => None,
        }
    }
}

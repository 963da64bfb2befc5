//! Makers of names and records, each with what the tests of invariants do not care about filled in.

use std::sync::Arc;

use seedbed::machine::{Incarnation, NodeId, RequestId, Span};
use seedbed::proto::{
    Arcs, Config, Contents, Decided, Epoch, File, Member, Outcome, Path, Record, Settings, Token,
    TxnId, Version, View, Voted,
};

use crate::file_service::oracle::tests::bench::messages::changed;

pub const CONTROL: NodeId = NodeId::CONTROL;

pub fn n(number: u16) -> NodeId {
    NodeId::node(number)
}

pub fn c(number: u16) -> NodeId {
    NodeId::client(number)
}

pub fn path(text: &str) -> Path {
    Path::new(text).expect("a path")
}

/// The request `number` of a client's first life.
pub fn request(client: u16, number: u32) -> RequestId {
    RequestId { client: c(client), incarnation: Incarnation(1), number }
}

/// A transaction of n1.
pub fn txn(counter: u32) -> TxnId {
    txn_of(n(1), counter)
}

pub fn txn_of(coordinator: NodeId, counter: u32) -> TxnId {
    let (admission, incarnation) = (Config::FIRST_ADMISSION, Incarnation(1));
    TxnId { coordinator, admission, incarnation, counter }
}

/// The nodes under their first admission.
pub fn members(nodes: &[NodeId]) -> Arc<[Member]> {
    nodes.iter().map(|&node| member(node)).collect()
}

/// A node under its first admission.
pub fn member(node: NodeId) -> Member {
    Member { node, admission: Config::FIRST_ADMISSION }
}

pub fn file(version: u64, contents: Option<&str>, fence: u64) -> File {
    let contents = contents.map(Contents::from);
    File { version: Version(version), contents, fence: Token(fence) }
}

fn vote_record(txn: TxnId, at: &str, file: File) -> Record {
    Record::Voted(Voted {
        txn,
        epoch: Config::FIRST_EPOCH,
        request: request(1, 1),
        waited: Span::ZERO,
        participants: [].into(),
        paths: [path(at)].into(),
        voided: [].into(),
        changes: [(path(at), file)].into(),
        results: [].into(),
        operations: 1,
    })
}

pub fn voted(txn: TxnId, at: &str, version: u64, contents: &str) -> Record {
    vote_record(txn, at, file(version, Some(contents), 0))
}

/// A vote in this epoch.
pub fn voted_in(epoch: u32, txn: TxnId, at: &str, version: u64, contents: &str) -> Record {
    let mut record = voted(txn, at, version, contents);
    if let Record::Voted(Voted { epoch: of, .. }) = &mut record {
        *of = Epoch(epoch);
    }
    record
}

pub fn voted_gone(txn: TxnId, at: &str, version: u64) -> Record {
    vote_record(txn, at, file(version, None, 0))
}

fn decision(
    request: RequestId,
    txn: TxnId,
    participants: &[NodeId],
    changes: &[(Path, File)],
    answer: &[Outcome],
) -> Record {
    let (participants, changes) = (members(participants), changes.into());
    let (epoch, answer) = (Config::FIRST_EPOCH, answer.into());
    Record::Decided(Decided { txn, epoch, request, participants, changes, answer })
}

pub fn decided(
    txn: TxnId,
    participants: &[NodeId],
    at: &str,
    version: u64,
    contents: &str,
) -> Record {
    decided_for(request(1, 1), txn, participants, at, version, contents)
}

pub fn decided_for(
    request: RequestId,
    txn: TxnId,
    participants: &[NodeId],
    at: &str,
    version: u64,
    contents: &str,
) -> Record {
    let changes = [(path(at), file(version, Some(contents), 0))];
    decision(request, txn, participants, &changes, &[changed(version)])
}

pub fn deleted(request: RequestId, txn: TxnId, at: &str, version: u64) -> Record {
    decision(request, txn, &[], &[(path(at), file(version, None, 0))], &[changed(version)])
}

/// A commit that leaves the path fenced with `token`.
pub fn fenced(
    request: RequestId,
    txn: TxnId,
    at: &str,
    version: u64,
    contents: &str,
    token: u64,
) -> Record {
    let contents = Some(contents).filter(|_| version > 0);
    let changes = [(path(at), file(version, contents, token))];
    decision(request, txn, &[], &changes, &[changed(version)])
}

/// A commit that changes nothing at its coordinator, which only answers.
pub fn decided_answer(request: RequestId, txn: TxnId, answer: &[Outcome]) -> Record {
    decision(request, txn, &[], &[], answer)
}

pub fn applied(txn: TxnId) -> Record {
    Record::Applied { txn, request: request(1, 1), answer: [].into() }
}

pub fn rolled_back(txn: TxnId) -> Record {
    Record::RolledBack { txn }
}

pub fn promised(txn: TxnId) -> Record {
    Record::Promised { txn }
}

pub fn over(txn: TxnId) -> Record {
    Record::Over { txn }
}

/// The view of these nodes, with two owners for each path.
pub fn view(epoch: u32, nodes: &[NodeId]) -> View {
    let Settings { virtual_nodes, lock_lease, membership_lease, .. } = Settings::default();
    let (epoch, members, replicas) = (Epoch(epoch), members(nodes), 2);
    let given_up = [].into();
    View { epoch, members, replicas, virtual_nodes, lock_lease, membership_lease, given_up }
}

pub fn announced(epoch: u32, nodes: &[NodeId]) -> Record {
    Record::Announced { view: view(epoch, nodes) }
}

pub fn activated(epoch: u32) -> Record {
    Record::Activated { epoch: Epoch(epoch) }
}

pub fn born() -> Record {
    Record::Born { admission: Config::FIRST_ADMISSION }
}

pub fn entered(epoch: u32, complete: Arcs) -> Record {
    Record::Entered { epoch: Epoch(epoch), complete }
}

pub fn complete(epoch: u32, arcs: Arcs) -> Record {
    Record::Complete { epoch: Epoch(epoch), arcs }
}

/// A part of what was pulled: this file.
pub fn pulled(at: &str, version: u64, contents: &str) -> Record {
    let files = [(path(at), file(version, Some(contents), 0))].into();
    Record::Pulled { files, answers: [].into(), replaced: Arcs::default() }
}

/// The operator gives these nodes up.
pub fn loss_accepted(nodes: &[NodeId]) -> Record {
    Record::LossAccepted { members: members(nodes) }
}

pub fn queued(at: &str, request: RequestId) -> Record {
    Record::Queued { path: path(at), request }
}

pub fn granted(at: &str, request: RequestId, token: u64) -> Record {
    Record::Granted { path: path(at), request, token: Token(token) }
}

pub fn left(at: &str, request: RequestId) -> Record {
    Record::Left { path: path(at), request }
}

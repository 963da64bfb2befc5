//! What the tests about requests and transactions are made of.

use seedbed::proto::{
    Action, Age, Changes, Config, Contents, Header, Incarnation, LowWater, Message, NodeId,
    Operation, Outcome, Record, Reply, Request, RequestId, Session, Terms, Time, TxnId, Version,
};

pub(in crate::oracle) use crate::oracle::tests::lock_tests_support::*;

pub(in crate::oracle) fn node(number: u16) -> NodeId {
    NodeId::storage(number)
}

pub(in crate::oracle) fn txn(coordinator: u16, counter: u32) -> TxnId {
    let incarnation = Incarnation(1);
    TxnId {
        coordinator: node(coordinator),
        admission: Config::FIRST_ADMISSION,
        incarnation,
        counter,
    }
}

/// A decision without participants and changes, with one outcome: this version.
pub(in crate::oracle) fn decided(txn: TxnId, request: RequestId, version: u64) -> Record {
    let answer = [Outcome::Changed(Version(version))].into();
    let (epoch, participants, changes) = (Config::FIRST_EPOCH, [].into(), Changes::default());
    Record::Decided { txn, epoch, request, participants, changes, answer }
}

pub(in crate::oracle) fn operation(at: &str, action: Action) -> Operation {
    Operation { path: path(at), action, token: None }
}

/// An attempt at a request, under a name of its own, that writes to these paths.
pub(in crate::oracle) fn begin(request: RequestId, origin: RequestId, paths: &[&str]) -> Message {
    let write = |at: &&str| operation(at, Action::Write(Contents::from("1"), None));
    Message::Begin {
        session: Session { node: Incarnation(1), number: 1, lowest: 1 },
        epoch: Config::FIRST_EPOCH,
        request,
        attempt: 1,
        lowest: 1,
        age: Age { first_attempt: Time::ZERO, request: origin },
        operations: paths.iter().map(write).collect(),
    }
}

pub(in crate::oracle) fn header(txn: TxnId) -> Header {
    Header { txn, low_water: LowWater::default() }
}

pub(in crate::oracle) fn prepare(
    txn: TxnId,
    request: RequestId,
    participants: &[NodeId],
    paths: &[&str],
) -> Message {
    let age = Age { first_attempt: Time::ZERO, request };
    let participants = crate::oracle::tests::testing::members(participants);
    Message::Prepare {
        header: header(txn),
        epoch: Config::FIRST_EPOCH,
        terms: Terms { request, attempt: 1, lowest: 1, age, participants, operations: 1 },
        paths: paths.iter().map(|at| path(at)).collect(),
        work: None,
    }
}

pub(in crate::oracle) fn writes(at: &str, contents: &str) -> Request {
    let write = operation(at, Action::Write(Contents::from(contents), None));
    Request::Files { operations: [write].into(), coordinator: None }
}

pub(in crate::oracle) fn reads(paths: &[&str]) -> Request {
    let operations = paths.iter().map(|at| operation(at, Action::Read)).collect();
    Request::Files { operations, coordinator: None }
}

/// Done: what was read.
pub(in crate::oracle) fn found(contents: &[Option<&str>]) -> Reply {
    let outcome = |text: &Option<&str>| Outcome::Found(Version(1), text.map(Contents::from));
    Reply::Done(contents.iter().map(outcome).collect())
}

/// Done: changed.
pub(in crate::oracle) fn changed() -> Reply {
    Reply::Done([Outcome::Changed(Version(1))].into())
}

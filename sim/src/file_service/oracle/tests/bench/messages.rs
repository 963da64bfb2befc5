//! Makers of messages, of what users ask for and of what they are told.

use seedbed::machine::{Incarnation, NodeId, RequestId, Span, Time};
use seedbed::proto::{
    Action, Age, AttemptEnd, Config, Contents, Ended, FileRequest, FromCentre, Header, Keep, Known,
    LockAnswer, LockRequest, LowWater, Message, No, Operation, Outcome, Reply, Request, Session,
    Settings, Terms, Token, TxnId, TxnMessage, Verdict, Version, Vote,
};

use crate::file_service::oracle::tests::bench::records::{members, path, request};

/// An attempt at a request, under a name of its own.
pub fn begin(request: RequestId, origin: RequestId, operations: &[Operation]) -> Message {
    Message::FileRequest(FileRequest::Begin {
        session: Session { node: Incarnation(1), number: 1, lowest: 1 },
        epoch: Config::FIRST_EPOCH,
        request,
        attempt: 1,
        lowest: 1,
        age: Age { waited: Span::ZERO, request: origin },
        operations: operations.into(),
    })
}

fn header(txn: TxnId, low_water: u32) -> Header {
    let low_water = LowWater { incarnation: txn.incarnation, counter: low_water };
    Header { txn, low_water }
}

pub fn prepare(txn: TxnId, participants: &[NodeId], paths: &[&str]) -> Message {
    prepare_for(request(1, 1), txn, participants, paths)
}

/// Likewise, for the first attempt at this request.
pub fn prepare_for(
    request: RequestId,
    txn: TxnId,
    participants: &[NodeId],
    paths: &[&str],
) -> Message {
    let terms = Terms {
        request,
        attempt: 1,
        lowest: 1,
        age: Age { waited: Span::ZERO, request },
        participants: members(participants),
        operations: 1,
    };
    let (header, epoch) = (header(txn, 0), Config::FIRST_EPOCH);
    let paths = paths.iter().map(|at| path(at)).collect();
    Message::Txn(TxnMessage::Prepare { header, epoch, terms, paths, work: None })
}

pub fn vote_yes(txn: TxnId) -> Message {
    Message::Txn(TxnMessage::Executed { txn, vote: Vote::Yes([].into()) })
}

pub fn vote_no(txn: TxnId) -> Message {
    Message::Txn(TxnMessage::Executed { txn, vote: Vote::No(No::Conflict) })
}

pub fn commit(txn: TxnId) -> Message {
    let voter = Config::FIRST_ADMISSION;
    Message::Txn(TxnMessage::Commit { header: header(txn, 0), voter, answer: [].into() })
}

pub fn committed(txn: TxnId) -> Message {
    Message::Txn(TxnMessage::Committed { txn })
}

pub fn abort(txn: TxnId) -> Message {
    abort_marked(txn, 0)
}

pub fn abort_marked(txn: TxnId, low_water: u32) -> Message {
    Message::Txn(TxnMessage::Abort { header: header(txn, low_water) })
}

pub fn told_aborted(txn: TxnId) -> Message {
    Message::Txn(TxnMessage::Told { txn, known: Known::Aborted })
}

/// The centre's word.
pub fn resolved_aborted(txn: TxnId) -> Message {
    let admission = Config::FIRST_ADMISSION;
    Message::FromCentre(FromCentre::Resolved { admission, txn, verdict: Verdict::Aborted })
}

pub fn read_of(request: RequestId, at: &str) -> Message {
    Message::FileRequest(FileRequest::Read {
        epoch: Config::FIRST_EPOCH,
        request,
        attempt: 1,
        path: path(at),
    })
}

pub fn ended_done(request: RequestId, answer: &[Outcome]) -> Message {
    Message::Ended(Ended { request, attempt: 1, end: AttemptEnd::Done(answer.into()) })
}

pub fn acquire(at: &str, request: RequestId) -> Message {
    let (path, asked) = (path(at), Time::ZERO);
    Message::LockRequest(LockRequest::Acquire { request, lowest: 1, path, wait: true, asked })
}

/// The message that grants.
pub fn grant(at: &str, request: RequestId, token: u64) -> Message {
    let (asked, lease) = (Time::ZERO, Settings::default().lock_lease);
    Message::LockAnswer(LockAnswer::Granted {
        request,
        path: path(at),
        token: Token(token),
        asked,
        lease,
    })
}

pub fn keeps_waiting(at: &str, request: RequestId) -> Message {
    Message::LockRequest(LockRequest::KeepAlive {
        path: path(at),
        keep: Keep::Waiting(request),
        asked: Time::ZERO,
    })
}

pub fn keeps_holding(at: &str, token: u64) -> Message {
    Message::LockRequest(LockRequest::KeepAlive {
        path: path(at),
        keep: Keep::Holding(Token(token)),
        asked: Time::ZERO,
    })
}

pub fn release(at: &str, request: RequestId, token: u64) -> Message {
    Message::LockRequest(LockRequest::Release { request, path: path(at), token: Token(token) })
}

pub fn operation(at: &str, action: Action) -> Operation {
    Operation { path: path(at), action, token: None }
}

pub fn write(at: &str, contents: &str) -> Operation {
    operation(at, Action::Write(contents.into(), None))
}

pub fn create(at: &str, contents: &str) -> Operation {
    operation(at, Action::Create(contents.into()))
}

pub fn read(at: &str) -> Operation {
    operation(at, Action::Read)
}

pub fn delete(at: &str) -> Operation {
    operation(at, Action::Delete(None))
}

pub fn rename(from: &str, to: &str) -> Operation {
    operation(from, Action::Rename(path(to), None))
}

pub fn claim(at: &str, token: u64) -> Operation {
    with_token(operation(at, Action::Claim), token)
}

pub fn with_token(operation: Operation, token: u64) -> Operation {
    Operation { token: Some(Token(token)), ..operation }
}

pub fn files(operations: &[Operation]) -> Request {
    Request::Files { operations: operations.into(), coordinator: None }
}

/// A user chooses the coordinator too.
pub fn files_at(coordinator: NodeId, operations: &[Operation]) -> Request {
    Request::Files { operations: operations.into(), coordinator: Some(coordinator) }
}

pub fn writes(at: &str, contents: &str) -> Request {
    files(&[write(at, contents)])
}

pub fn reads(paths: &[&str]) -> Request {
    let operations = paths.iter().map(|at| read(at)).collect();
    Request::Files { operations, coordinator: None }
}

pub fn lock(at: &str) -> Request {
    Request::Acquire { path: path(at), wait: true }
}

pub fn try_lock(at: &str) -> Request {
    Request::Acquire { path: path(at), wait: false }
}

pub fn unlock(at: &str) -> Request {
    Request::Release { path: path(at) }
}

pub fn changed(version: u64) -> Outcome {
    Outcome::Changed(Version(version))
}

pub fn found(version: u64, contents: Option<&str>) -> Outcome {
    Outcome::Found(Version(version), contents.map(Contents::from))
}

pub fn done(answer: &[Outcome]) -> Reply {
    Reply::Done(answer.into())
}

/// Done: what was read, all of it at the first version.
pub fn done_reading(contents: &[Option<&str>]) -> Reply {
    Reply::Done(contents.iter().map(|text| found(1, *text)).collect())
}

/// Done: changed, to the first version.
pub fn done_writing() -> Reply {
    done(&[changed(1)])
}

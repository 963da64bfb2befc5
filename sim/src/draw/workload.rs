//! Users: what clients are asked for, one request after the other.
//!
//! A user waits for the answer, thinks, and asks for the next thing; what it asks for may depend on
//! what it was told. Its draws come from a stream of its own.
//!
//! | kind | a round |
//! |---|---|
//! | `files` | one operation or a transaction of two or three on a few files that all users share; now and then a locked update |
//! | `locked_counter` | acquire, read, write one more, release |
//! | `bank` | read two accounts, move money if neither has changed since; now and then read all of them |

use std::sync::Arc;

use seedbed::proto::{
    Action, Answer, Contents, Operation, Outcome, Path, Reply, Request, Span, Version,
};

use crate::quantity::Ppb;
use crate::scenario::{Workload, WorkloadKind};
use crate::seed::Stream;

/// The user of one client.
#[derive(Clone, Debug)]
pub struct User {
    workload: Workload,
    stream: Stream,
    /// Requests that may still be made.
    left: u32,
    state: State,
    paths: Vec<Path>,
    locked: Vec<Path>,
    /// Is this the user who opens the accounts?
    opens_accounts: bool,
}

/// What the user's last request was.
#[derive(Clone, Debug, PartialEq)]
enum State {
    /// Nothing that the next one depends on.
    Idle,
    /// Opening the accounts of the bank.
    Opening,
    /// Waiting for a lock.
    Acquiring(Path),
    /// Reading under a lock.
    Reading(Path),
    /// Writing under a lock.
    Writing(Path),
    /// Giving a lock back.
    Releasing,
    /// Reading two accounts, to move this much from the first to the second.
    Looking(Path, Path, u64),
}

impl User {
    /// The user of client number `number` of `clients`; together they make the workload's
    /// operations.
    pub fn new(workload: &Workload, stream: Stream, number: u16, clients: u16) -> User {
        let (number, clients) = (u32::from(number), u32::from(clients));
        let share = workload.operations / clients;
        let rest = u32::from(number <= workload.operations % clients);
        let shared = match workload.kind {
            WorkloadKind::Files { .. } => workload.paths_called("file"),
            WorkloadKind::LockedCounter => Vec::new(),
            WorkloadKind::Bank { .. } => workload.account_paths().unwrap_or_default().0,
        };
        User {
            workload: workload.clone(),
            stream,
            left: share + rest,
            state: State::Idle,
            paths: shared,
            locked: workload.counter_paths().unwrap_or_default(),
            opens_accounts: number == 1,
        }
    }

    /// The first request of the user's client in a life, and how long it thinks before; `None` if
    /// it is done.
    pub fn begin(&mut self) -> Option<(Span, Request)> {
        self.state = State::Idle;
        self.next()
    }

    /// The request after `reply`, and how long it thinks before; `None` if it is done.
    pub fn on_reply(&mut self, reply: &Reply) -> Option<(Span, Request)> {
        let state = std::mem::replace(&mut self.state, State::Idle);
        match (state, reply) {
            (State::Opening, Reply::Refused(_)) => self.opens_accounts = false, // they are open
            (State::Opening, Reply::Done(_)) => self.opens_accounts = false,
            (State::Acquiring(path), Reply::Acquired(_)) => {
                self.state = State::Reading(path.clone());
                return self.ask(files([operation(&path, Action::Read)]));
            }
            (State::Reading(path), Reply::Done(answer)) => {
                if let Some(number) = number(answer, 0) {
                    self.state = State::Writing(path.clone());
                    let write = Action::Write(decimal(number + 1), None);
                    return self.ask(files([operation(&path, write)]));
                }
                return self.release(path);
            }
            // Whatever came of it, the lock goes back; it may be lost already, and the client says
            // so.
            (State::Reading(path) | State::Writing(path), _) => return self.release(path),
            (State::Looking(from, to, amount), Reply::Done(answer)) => {
                if let Some(transfer) = transfer(&from, &to, amount, answer) {
                    return self.ask(transfer);
                }
            }
            (State::Idle | State::Opening | State::Acquiring(_), _) => {}
            (State::Releasing | State::Looking(..), _) => {}
        }
        self.next()
    }

    /// No round begins any more; the one under way is finished.
    pub fn stop(&mut self) {
        self.left = 0;
    }

    fn next(&mut self) -> Option<(Span, Request)> {
        if self.left == 0 {
            return None;
        }
        let request = match self.workload.kind.clone() {
            WorkloadKind::Files { read_fraction, contents_bytes } => {
                self.files_round(read_fraction, contents_bytes)
            }
            WorkloadKind::LockedCounter => self.locked_round(),
            WorkloadKind::Bank { balance } => self.bank_round(balance),
        };
        self.ask(request)
    }

    /// Asks; a round that has begun is finished even when no request is left, or a lock would be
    /// kept for ever.
    fn ask(&mut self, request: Request) -> Option<(Span, Request)> {
        self.left = self.left.saturating_sub(1);
        Some((self.stream.span(self.workload.think), request))
    }

    fn release(&mut self, path: Path) -> Option<(Span, Request)> {
        self.state = State::Releasing;
        self.ask(Request::Release { path })
    }

    fn locked_round(&mut self) -> Request {
        let path = self.stream.pick(&self.locked).expect("there are locked files").clone();
        self.state = State::Acquiring(path.clone());
        let wait = self.stream.below(8) > 0;
        Request::Acquire { path, wait }
    }

    fn files_round(&mut self, read_fraction: Ppb, contents_bytes: u32) -> Request {
        if self.stream.below(12) == 0 {
            return self.locked_round();
        }
        if self.stream.chance(read_fraction) {
            let path = self.path();
            return files([operation(&path, Action::Read)]);
        }
        match self.stream.below(12) {
            0..=4 => files([self.change(contents_bytes)]),
            5 => {
                let (from, to) = (self.path(), self.path());
                files([operation(&from, Action::Rename(to, None))])
            }
            6 => files([operation(&self.path(), Action::Delete(None))]),
            7 => {
                // Somebody else's version, more often than not.
                let expected = Some(Version(self.stream.below(4)));
                let write = Action::Write(self.contents(contents_bytes), expected);
                files([operation(&self.path(), write)])
            }
            _ => self.transaction(contents_bytes),
        }
    }

    /// Two or three operations on different files.
    fn transaction(&mut self, contents_bytes: u32) -> Request {
        let mut operations: Vec<Operation> = Vec::new();
        for _ in 0..2 + self.stream.below(2) {
            let operation = match self.stream.below(3) {
                0 => operation(&self.path(), Action::Read),
                _ => self.change(contents_bytes),
            };
            if operations.iter().all(|other| other.path != operation.path) {
                operations.push(operation);
            }
        }
        files(operations)
    }

    fn change(&mut self, contents_bytes: u32) -> Operation {
        let contents = self.contents(contents_bytes);
        let path = self.path();
        let action = match self.stream.below(6) {
            0 => Action::Create(contents),
            _ => Action::Write(contents, None),
        };
        operation(&path, action)
    }

    fn bank_round(&mut self, balance: u32) -> Request {
        if self.opens_accounts {
            self.state = State::Opening;
            let open = |path| operation(path, Action::Create(decimal(balance.into())));
            return files(self.paths.iter().map(open).collect::<Vec<_>>());
        }
        if self.stream.below(4) == 0 {
            let audit = self.paths.iter().map(|path| operation(path, Action::Read));
            return files(audit.collect::<Vec<_>>());
        }
        let first = self.stream.below(self.paths.len() as u64);
        let other = self.stream.below(self.paths.len() as u64 - 1);
        let second = if other < first { other } else { other + 1 };
        let (from, to) = (self.paths[first as usize].clone(), self.paths[second as usize].clone());
        let look = files([operation(&from, Action::Read), operation(&to, Action::Read)]);
        self.state = State::Looking(from, to, 1 + self.stream.below(9));
        look
    }

    fn path(&mut self) -> Path {
        self.stream.pick(&self.paths).expect("a workload has paths").clone()
    }

    fn contents(&mut self, bytes: u32) -> Contents {
        let text = format!("{:016x}", self.stream.below(u64::MAX));
        let bytes: Vec<u8> = text.bytes().cycle().take(bytes as usize).collect();
        Contents::from(bytes)
    }
}

/// The transfer of `amount`, if both accounts are open and the first has enough. It holds only if
/// neither has changed since it was read.
fn transfer(from: &Path, to: &Path, amount: u64, answer: &Answer) -> Option<Request> {
    let (has, gets) = (open_account(answer, 0)?, open_account(answer, 1)?);
    let rest = has.1.checked_sub(amount)?;
    let write = |contents, version| Action::Write(decimal(contents), Some(version));
    Some(files([
        operation(from, write(rest, has.0)),
        operation(to, write(gets.1 + amount, gets.0)),
    ]))
}

fn open_account(answer: &Answer, place: usize) -> Option<(Version, u64)> {
    match answer.get(place)? {
        Outcome::Found(version, Some(contents)) => Some((*version, parse(contents)?)),
        Outcome::Found(_, None) | Outcome::Changed(_) => None,
    }
}

/// The number that was read; a file that is not there counts as 0.
fn number(answer: &Answer, place: usize) -> Option<u64> {
    match answer.get(place)? {
        Outcome::Found(_, Some(contents)) => parse(contents),
        Outcome::Found(_, None) => Some(0),
        Outcome::Changed(_) => None,
    }
}

fn parse(contents: &Contents) -> Option<u64> {
    std::str::from_utf8(contents.as_bytes()).ok()?.parse().ok()
}

fn decimal(number: u64) -> Contents {
    Contents::from(number.to_string())
}

fn operation(path: &Path, action: Action) -> Operation {
    Operation { path: path.clone(), action, token: None }
}

fn files(operations: impl Into<Arc<[Operation]>>) -> Request {
    Request::Files { operations: operations.into(), coordinator: None }
}

//! Users: what clients are asked for, by each of their users one request after the other.
//!
//! A user waits for the answer, thinks, and asks for the next thing; what it asks for may depend on
//! what it was told. Its draws come from streams of its own. A lock is its client's and not a
//! user's, so what is right only while no other user holds the lock (a counter) has one user of
//! each client.
//!
//! | kind | a round |
//! |---|---|
//! | `files` | one operation or several on files that all users share; now and then under a lock |
//! | `locked_counter` | acquire, read, write one more, release |
//! | `bank` | read two accounts, move money if neither has changed since; now and then read all of them |
//!
//! Some requests name a node to ask first, which perhaps owns none of their paths. In place of a
//! round a user perhaps asks for something beyond the limits.

mod beyond_limits;
mod files;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use seedbed::machine::{NodeId, Span};
use seedbed::proto::{
    Action, Answer, Contents, FileService, Operation, Outcome, Path, Refusal, Reply, Request,
    Version,
};

use super::scenario::{Scenario, Workload, WorkloadKind};
use crate::quantity::Ppb;
use crate::seed::{Seed, Stream, code};
use crate::under_test;
use beyond_limits::BeyondLimits;
use files::SharedFiles;

/// A user of a client.
#[derive(Clone, Debug)]
pub struct User {
    workload: Workload,
    stream: Stream,
    /// Requests that may still be made.
    left: u32,
    state: State,
    files: SharedFiles,
    accounts: Vec<Path>,
    /// Those that no other user of the client counts up; perhaps none.
    counters: Vec<Path>,
    /// The file that is changed under its lock, and by others without it.
    guarded: Option<Path>,
    naming: Naming,
    /// What is drawn of nodes to ask first for counters and accounts.
    named: Stream,
    beyond_limits: BeyondLimits,
    /// Is this the user who opens the accounts?
    opens_accounts: bool,
}

/// What the user's last request was.
#[derive(Clone, Debug, PartialEq)]
enum State {
    /// Nothing that the next one depends on.
    Idle,
    /// These operations.
    Changing(Arc<[Operation]>),
    /// These, while the user should hold the lock of the file; so many requests more go that way.
    ChangingUnder(Path, Arc<[Operation]>, u64),
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

/// Which node is asked first.
#[derive(Clone, Copy, Debug)]
struct Naming {
    /// How likely it is one that the user names.
    probability: Ppb,
    /// How many storage nodes may be named.
    nodes: u16,
}

impl Naming {
    /// The node that is named, if one is.
    fn node(self, stream: &mut Stream) -> Option<NodeId> {
        let is_named = stream.chance(self.probability);
        is_named.then(|| NodeId::node(1 + stream.below(self.nodes.into()) as u16))
    }
}

impl under_test::User<FileService> for User {
    fn per_client(workload: &Workload) -> u16 {
        workload.at_once
    }

    /// The user at this place among those of `client`; all users together make the workload's
    /// operations.
    fn new(
        workload: &Workload,
        scenario: &Scenario,
        seed: Seed,
        (client, place): (NodeId, u16),
    ) -> User {
        let (clients, at_once) = (u32::from(scenario.cast.clients), u32::from(workload.at_once));
        let number = u32::from(place) * clients + u32::from(client.number()) - 1;
        let share = workload.operations / (clients * at_once);
        let rest = u32::from(number < workload.operations % (clients * at_once));
        // The streams of the first user of a client are named after the client alone.
        let object = u64::from(code(client)) | u64::from(place) << 16;
        let stream = |purpose| seed.stream(purpose, object);
        let naming = Naming { probability: workload.named, nodes: scenario.cast.nodes };
        let contents_bytes = match workload.kind {
            WorkloadKind::Files { contents_bytes, .. } => contents_bytes,
            WorkloadKind::LockedCounter | WorkloadKind::Bank { .. } => 0,
        };
        let beyond_limits = BeyondLimits {
            probability: workload.beyond_limits,
            limits: scenario.config.limits.clone(),
            think: workload.think,
            naming,
            stream: stream("beyond_limits"),
        };
        User {
            workload: workload.clone(),
            stream: stream("user"),
            left: share + rest,
            state: State::Idle,
            files: SharedFiles::new(workload.file_paths().unwrap_or_default(), contents_bytes),
            accounts: workload.account_paths().unwrap_or_default().0,
            counters: own_counters(workload, place),
            guarded: workload.guarded_path(),
            naming,
            named: stream("named"),
            beyond_limits,
            opens_accounts: number == 0,
        }
    }

    fn begin(&mut self) -> Option<(Span, Request)> {
        self.state = State::Idle;
        self.next()
    }

    fn on_reply(&mut self, reply: &Reply) -> Option<(Span, Request)> {
        let state = std::mem::replace(&mut self.state, State::Idle);
        match (state, reply) {
            (State::Opening, Reply::Refused(Refusal::DiskFull)) => {} // it tries again
            (State::Opening, Reply::Refused(_)) => self.opens_accounts = false, // they are open
            (State::Opening, Reply::Done(_)) => self.opens_accounts = false,
            (State::Changing(operations), Reply::Done(answer)) => {
                self.files.learn(&operations, answer);
            }
            (State::ChangingUnder(path, operations, left), reply) => {
                if let Reply::Done(answer) = reply {
                    self.files.learn(&operations, answer);
                }
                return match left {
                    0 => self.release(path),
                    _ => self.change_under(path, left - 1),
                };
            }
            (State::Acquiring(path), Reply::Acquired(_))
                if self.guarded.as_ref() == Some(&path) =>
            {
                let left = self.stream.below(3);
                return self.change_under(path, left);
            }
            (State::Acquiring(path), Reply::Acquired(_)) => {
                self.state = State::Reading(path.clone());
                let read = self.files([operation(&path, Action::Read)]);
                return self.ask(read);
            }
            (State::Reading(path), Reply::Done(answer)) => {
                if let Some(number) = number(answer, 0) {
                    self.state = State::Writing(path.clone());
                    let write = Action::Write(decimal(number + 1), None);
                    let write = self.files([operation(&path, write)]);
                    return self.ask(write);
                }
                return self.release(path);
            }
            // Whatever the answer, the lock goes back; it may be lost already, and the client says
            // so.
            (State::Reading(path) | State::Writing(path), _) => return self.release(path),
            (State::Looking(from, to, amount), Reply::Done(answer)) => {
                if let Some(transfer) = transfer(&from, &to, amount, answer) {
                    let transfer = self.files(transfer);
                    return self.ask(transfer);
                }
            }
            (State::Idle | State::Opening | State::Acquiring(_), _) => {}
            (State::Releasing | State::Looking(..) | State::Changing(_), _) => {}
        }
        self.next()
    }

    /// No round begins any more; the one under way is finished.
    fn stop(&mut self) {
        self.left = 0;
    }
}

impl User {
    fn next(&mut self) -> Option<(Span, Request)> {
        if self.left == 0 {
            return None;
        }
        let paths = [&self.files.paths, &self.accounts, &self.counters];
        let paths = paths.into_iter().find(|paths| !paths.is_empty());
        if let Some(next) = self.beyond_limits.next(paths.map_or(&[], |paths| paths)) {
            self.left -= 1;
            return Some(next);
        }
        let request = match self.workload.kind.clone() {
            WorkloadKind::Files { read_fraction, .. } => self.files_round(read_fraction),
            WorkloadKind::LockedCounter => self.counter_round(),
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

    fn change_under(&mut self, path: Path, left: u64) -> Option<(Span, Request)> {
        let operations: Arc<[_]> = self.files.changes(&mut self.stream, Some(&path)).into();
        self.state = State::ChangingUnder(path, operations.clone(), left);
        self.ask(Request::Files { operations, coordinator: None })
    }

    fn counter_round(&mut self) -> Request {
        let path = self.stream.pick(&self.counters).expect("there are counters").clone();
        self.acquire(path)
    }

    fn acquire(&mut self, path: Path) -> Request {
        self.state = State::Acquiring(path.clone());
        let wait = self.stream.below(8) > 0;
        Request::Acquire { path, wait }
    }

    fn files_round(&mut self, read_fraction: Ppb) -> Request {
        match (self.stream.below(24), &self.guarded) {
            (0..=1, _) if !self.counters.is_empty() => return self.counter_round(),
            (2, Some(guarded)) => return self.acquire(guarded.clone()),
            _ => {}
        }
        let operations: Arc<[_]> = match self.stream.chance(read_fraction) {
            true => [operation(&self.files.path(&mut self.stream, None), Action::Read)].into(),
            false => self.files.changes(&mut self.stream, None).into(),
        };
        self.state = State::Changing(operations.clone());
        let coordinator = self.naming.node(&mut self.stream);
        Request::Files { operations, coordinator }
    }

    /// A request that is about counters or accounts.
    fn files(&mut self, operations: impl Into<Arc<[Operation]>>) -> Request {
        let coordinator = match self.workload.kind {
            WorkloadKind::Files { .. } => None,
            WorkloadKind::LockedCounter | WorkloadKind::Bank { .. } => {
                self.naming.node(&mut self.named)
            }
        };
        Request::Files { operations: operations.into(), coordinator }
    }

    fn bank_round(&mut self, balance: u32) -> Request {
        if self.opens_accounts {
            self.state = State::Opening;
            let open = |path| operation(path, Action::Create(decimal(balance.into())));
            let open = self.accounts.iter().map(open).collect::<Vec<_>>();
            return self.files(open);
        }
        if self.stream.below(4) == 0 {
            let audit = self.accounts.iter().map(|path| operation(path, Action::Read));
            let audit = audit.collect::<Vec<_>>();
            return self.files(audit);
        }
        let first = self.stream.below(self.accounts.len() as u64);
        let other = self.stream.below(self.accounts.len() as u64 - 1);
        let second = if other < first { other } else { other + 1 };
        let (from, to) =
            (self.accounts[first as usize].clone(), self.accounts[second as usize].clone());
        let look = self.files([operation(&from, Action::Read), operation(&to, Action::Read)]);
        self.state = State::Looking(from, to, 1 + self.stream.below(9));
        look
    }
}

/// The counters that only the user at this place among those of its client counts up.
fn own_counters(workload: &Workload, place: u16) -> Vec<Path> {
    let all = workload.counter_paths().unwrap_or_default().into_iter();
    all.skip(place.into()).step_by(workload.at_once.into()).collect()
}

/// The transfer of `amount`, if both accounts are open and the first has enough. It holds only if
/// neither has changed since it was read.
fn transfer(from: &Path, to: &Path, amount: u64, answer: &Answer) -> Option<[Operation; 2]> {
    let (has, gets) = (open_account(answer, 0)?, open_account(answer, 1)?);
    let rest = has.1.checked_sub(amount)?;
    let write = |contents, version| Action::Write(decimal(contents), Some(version));
    Some([operation(from, write(rest, has.0)), operation(to, write(gets.1 + amount, gets.0))])
}

fn open_account(answer: &Answer, place: usize) -> Option<(Version, u64)> {
    match answer.get(place)? {
        Outcome::Found(version, Some(contents)) => Some((*version, parse(contents)?)),
        Outcome::Found(_, None) | Outcome::Changed(_) | Outcome::Lost => None,
    }
}

/// The number that was read; a file that is not there counts as 0.
fn number(answer: &Answer, place: usize) -> Option<u64> {
    match answer.get(place)? {
        Outcome::Found(_, Some(contents)) => parse(contents),
        Outcome::Found(_, None) => Some(0),
        Outcome::Changed(_) | Outcome::Lost => None,
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

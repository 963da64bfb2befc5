//! Probes: what clients ask when the liveness phase is over.
//!
//! Of the paths that a request touched at most `MOST` are drawn. Each belongs to a client that is
//! up, which asks for it in every round. A round begins when all of the one before is answered:
//!
//! | round | what is asked | must be |
//! |---|---|---|
//! | release | every holder gives its lock back | released, or lost already |
//! | look | each path is read through each of its owners | done |
//! | write | each path that was never locked is written | done |
//! | find | each path is read through each of its owners | found as it was written |
//! | acquire | each lock that was used is acquired, which claims its path | acquired |
//! | write under the lock | each of these paths is written, with the token | done |
//! | all at once | each client writes its paths in one transaction | done |
//! | give back | each of these locks is released | released |
//! | find again | each path is read through each of its owners | found as it was written |
//!
//! The network loses, doubles and delays nothing beyond its latency. An owner that stays down is
//! not asked, and a path that it owns is only read, because a write needs every owner. What cannot
//! get done for its timing is not asked: a write where votes take longer than a coordinator waits
//! for them, an acquire where a lease is shorter than four round trips.
//!
//! What is written is true to the workload: the account of a bank keeps its balance, a counter is
//! counted up by one.

mod chosen;

use std::collections::BTreeMap;
use std::sync::Arc;

use seedbed::machine::{Class, NodeId, RequestId, Span, Time};
use seedbed::proto::lease::LeaseTerms;
use seedbed::proto::{Action, Config, FileService, Operation, Path, Reply, Request, Version};

use chosen::{Kind, Lock, Probed, locks_used, operation, paths_touched};

use crate::file_service::World;
use crate::file_service::oracle::{Model, Probe, ProbeAnswer, is_alive};
use crate::file_service::scenario::Scenario;
use crate::seed::{Seed, Stream};
use crate::under_test;

/// How many paths are probed, at most.
const MOST: usize = 32;
/// How many paths a transaction writes, at most, if so many are within the limits.
const MOST_AT_ONCE: usize = 8;

/// A request of a probe, what it must be answered, and the places of the paths that it is about.
#[derive(Clone, Debug)]
struct Ask {
    client: NodeId,
    request: Arc<Request>,
    answer: ProbeAnswer,
    places: Vec<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Round {
    Release,
    Look,
    Write,
    Find,
    Acquire,
    WriteUnderLock,
    AllAtOnce,
    GiveBack,
    FindAgain,
}

const ROUNDS: [Round; 9] = [
    Round::Release,
    Round::Look,
    Round::Write,
    Round::Find,
    Round::Acquire,
    Round::WriteUnderLock,
    Round::AllAtOnce,
    Round::GiveBack,
    Round::FindAgain,
];

/// The probes of a run.
#[derive(Debug)]
pub struct Probes {
    stream: Stream,
    counters: Vec<Path>,
    accounts: Vec<Path>,
    /// How many paths a transaction writes, at most.
    most_at_once: usize,
    round_within: Span,
    settles_within: Span,
    /// A question and its answer, with a sync between them, at most.
    round_trip: Span,
    paths: Vec<Probed>,
    /// How many rounds have begun.
    begun: usize,
    /// What the round under way asks.
    asks: Vec<Ask>,
    /// How much of that has been asked.
    asked: usize,
    /// What is not answered, by its number in the round.
    open: BTreeMap<RequestId, usize>,
}

impl under_test::Probes<FileService> for Probes {
    fn new(scenario: &Scenario, seed: Seed) -> Probes {
        let workload = scenario.workload.as_ref();
        let accounts = workload.and_then(|workload| workload.account_paths());
        let counters = workload.and_then(|workload| workload.counter_paths());
        Probes {
            stream: seed.stream("probes", 0),
            counters: counters.unwrap_or_default(),
            accounts: accounts.map_or_else(Vec::new, |(paths, _)| paths),
            most_at_once: MOST_AT_ONCE.min(scenario.config.limits.operations),
            round_within: round_within(&scenario.config),
            settles_within: settles_within(scenario),
            round_trip: round_trip(scenario),
            paths: Vec::new(),
            begun: 0,
            asks: Vec::new(),
            asked: 0,
            open: BTreeMap::new(),
        }
    }

    fn have_begun(&self) -> bool {
        self.begun > 0
    }

    fn within(&self) -> Span {
        self.round_within.times(ROUNDS.len() as u64) + self.settles_within
    }

    fn round_within(&self) -> Span {
        self.round_within
    }

    fn settles_within(&self) -> Span {
        self.settles_within
    }

    fn begin(&mut self, world: &World, model: &Model) -> usize {
        let is_client = |node: &NodeId| node.class() == Class::Client && world.host(*node).is_up();
        let clients: Vec<NodeId> = world.machines().filter(is_client).collect();
        let mut touched = paths_touched(model, world.config().limits.path_bytes);
        while touched.len() > MOST {
            touched.remove(self.stream.below(touched.len() as u64) as usize);
        }
        let first = self.stream.below(clients.len() as u64) as usize;
        let (locks, layout) = (locks_used(model), model.views.layout(world.config()));
        let config = world.config();
        let patience = config.vote_timeout.max(config.request_timeout.fraction(8));
        let votes_arrive = patience >= self.round_trip.times(2);
        for (place, path) in touched.into_iter().enumerate() {
            let Some(&client) = clients.get((first + place) % clients.len().max(1)) else {
                break; // no client is left to ask
            };
            let owners = layout.ring().owners(&path);
            let up = owners.iter().copied().filter(|owner| world.host(*owner).is_up());
            let up: Vec<NodeId> = up.collect();
            self.paths.push(Probed {
                client,
                is_writable: up.len() == owners.len() && votes_arrive,
                owners: up,
                lock: if locks.contains(&path) { Lock::Used } else { Lock::NeverUsed },
                kind: self.kind_of(&path),
                version: Version::default(),
                contents: None,
                written: None,
                path,
            });
        }
        self.next_round(world, model)
    }

    fn ask(&self, number: usize) -> (NodeId, Arc<Request>) {
        let Ask { client, request, .. } = &self.asks[number];
        (*client, request.clone())
    }

    fn told(&self, number: usize, by: Time) -> Probe {
        Probe { answer: self.asks[number].answer.clone(), by }
    }

    fn on_requested(&mut self, request: RequestId, number: usize) {
        self.asked += 1;
        self.open.insert(request, number);
    }

    fn on_replied(
        &mut self,
        request: RequestId,
        reply: &Reply,
        world: &World,
        model: &Model,
    ) -> usize {
        let Some(number) = self.open.remove(&request) else { return 0 };
        let places = std::mem::take(&mut self.asks[number].places);
        match reply {
            Reply::Done(answer) => {
                let probed = places.iter().zip(answer.iter());
                probed.for_each(|(place, outcome)| self.paths[*place].take(outcome));
            }
            Reply::Acquired(_) => places.iter().for_each(|i| self.paths[*i].lock = Lock::Held),
            Reply::Released => places.iter().for_each(|i| self.paths[*i].lock = Lock::Used),
            Reply::Refused(_) | Reply::Unknown => {} // the oracle says what is wrong with that
        }
        if self.is_round_over() { self.next_round(world, model) } else { 0 }
    }

    fn are_over(&self) -> bool {
        self.begun == ROUNDS.len() && self.is_round_over()
    }
}

impl Probes {
    fn is_round_over(&self) -> bool {
        self.open.is_empty() && self.asked == self.asks.len()
    }

    fn kind_of(&self, path: &Path) -> Kind {
        if self.counters.contains(path) {
            Kind::Counter
        } else if self.accounts.contains(path) {
            Kind::Account
        } else {
            Kind::Text
        }
    }

    /// Begins the next round that asks anything; how much it asks.
    fn next_round(&mut self, world: &World, model: &Model) -> usize {
        (self.asks, self.asked) = (Vec::new(), 0);
        while let Some(round) = ROUNDS.get(self.begun).filter(|_| self.asks.is_empty()) {
            self.begun += 1;
            self.asks = self.asks_of(*round, world, model);
        }
        self.asks.len()
    }

    fn asks_of(&mut self, round: Round, world: &World, model: &Model) -> Vec<Ask> {
        match round {
            Round::Release => releases(world, model),
            Round::Look => self.reads(|_| ProbeAnswer::Done),
            Round::Find | Round::FindAgain => {
                self.reads(|probed| ProbeAnswer::Found(probed.version, probed.contents.clone()))
            }
            Round::Write | Round::WriteUnderLock => self.writes(round == Round::WriteUnderLock),
            Round::Acquire if !self.locks_can_be_kept(world, model) => Vec::new(),
            Round::Acquire => self.of_locks(Lock::Used, ProbeAnswer::Acquired, |path| {
                Request::Acquire { path, wait: true }
            }),
            Round::AllAtOnce => self.all_at_once(),
            Round::GiveBack => {
                self.of_locks(Lock::Held, ProbeAnswer::Released, |path| Request::Release { path })
            }
        }
    }

    fn locks_can_be_kept(&self, world: &World, model: &Model) -> bool {
        let lease = model.views.lock_lease(world.config());
        world.host(NodeId::CONTROL).is_up() && lease >= self.round_trip.times(4)
    }

    /// Reads each path through each of its owners.
    fn reads(&self, answer: impl Fn(&Probed) -> ProbeAnswer) -> Vec<Ask> {
        let mut asks = Vec::new();
        for (place, probed) in self.paths.iter().enumerate() {
            for &owner in &probed.owners {
                let operations = [operation(&probed.path, Action::Read)];
                let request = files(operations, Some(owner));
                asks.push(Ask::of(probed.client, request, answer(probed), vec![place]));
            }
        }
        asks
    }

    /// Writes each path under its lock, or each that was never locked.
    fn writes(&mut self, under_lock: bool) -> Vec<Ask> {
        let mut asks = Vec::new();
        for (place, probed) in self.paths.iter_mut().enumerate() {
            if (probed.lock == Lock::Held) == under_lock
                && let Some(write) = probed.write()
            {
                let request = files([write], None);
                asks.push(Ask::of(probed.client, request, ProbeAnswer::Done, vec![place]));
            }
        }
        asks
    }

    fn all_at_once(&mut self) -> Vec<Ask> {
        let mut all: BTreeMap<NodeId, (Vec<Operation>, Vec<usize>)> = BTreeMap::new();
        for (place, probed) in self.paths.iter_mut().enumerate() {
            let (operations, places) = all.entry(probed.client).or_default();
            if operations.len() < self.most_at_once
                && let Some(write) = probed.write()
            {
                operations.push(write);
                places.push(place);
            }
        }
        all.retain(|_, (operations, _)| !operations.is_empty());
        let ask = |(client, (operations, places))| {
            Ask::of(client, files::<Vec<_>>(operations, None), ProbeAnswer::Done, places)
        };
        all.into_iter().map(ask).collect()
    }

    /// Asks for something about each path whose lock is in this state.
    fn of_locks(
        &self,
        lock: Lock,
        answer: ProbeAnswer,
        request: impl Fn(Path) -> Request,
    ) -> Vec<Ask> {
        let locks = self.paths.iter().enumerate();
        let locks = locks.filter(|(_, probed)| probed.lock == lock && probed.is_writable);
        let ask = |(place, probed): (usize, &Probed)| {
            Ask::of(probed.client, request(probed.path.clone()), answer.clone(), vec![place])
        };
        locks.map(ask).collect()
    }
}

impl Ask {
    fn of(client: NodeId, request: Request, answer: ProbeAnswer, places: Vec<usize>) -> Ask {
        Ask { client, request: Arc::new(request), answer, places }
    }
}

/// A request gives up after its time, by a clock that may be slow.
fn round_within(config: &Config) -> Span {
    let length = config.request_timeout;
    let terms = LeaseTerms { length, drift_max_ppm: config.drift_max_ppm };
    terms.giver_until(Time::ZERO).since(Time::ZERO)
}

/// The last commit arrives, is applied and acknowledged, and that is written.
fn settles_within(scenario: &Scenario) -> Span {
    (latency(scenario) + scenario.disk.sync.max).times(8)
}

fn round_trip(scenario: &Scenario) -> Span {
    latency(scenario).times(2) + scenario.disk.sync.max
}

/// The longest of any link.
fn latency(scenario: &Scenario) -> Span {
    let network = &scenario.network;
    let of_links = network.links.iter().filter_map(|link| Some(link.latency?.max));
    of_links.fold(network.latency.max, Span::max)
}

/// Clients that hold a lock give it back.
fn releases(world: &World, model: &Model) -> Vec<Ask> {
    let held = model.locks.iter().filter_map(|(path, lock)| {
        let (request, _) = lock.appended.holder.as_ref()?.is;
        is_alive(request.client, request, world).then_some((request.client, path.clone()))
    });
    let release = |(client, path)| {
        let answer = ProbeAnswer::ReleasedOrNotHeld;
        Ask::of(client, Request::Release { path }, answer, Vec::new())
    };
    held.map(release).collect()
}

fn files<O: Into<Arc<[Operation]>>>(operations: O, coordinator: Option<NodeId>) -> Request {
    Request::Files { operations: operations.into(), coordinator }
}

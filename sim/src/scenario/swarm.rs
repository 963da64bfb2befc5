//! `[swarm]`: keys whose values are drawn from the seed before the run.
//!
//! One file then stands for many clusters, and a sweep meets combinations that nobody thought of.
//! Each key has a stream of its own, so that taking one out changes no other value. Values that
//! depend on each other are drawn so that they go together: no more replicas than nodes, fewer
//! storage nodes down at once than there are replicas. What no seed could make valid is refused
//! when the file is read.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;

use seedbed::proto::{Config, Settings, Span};

use super::Scenario;
use super::cluster::{Cast, Named, POINTS, need_managed, points, too_many};
use super::error::ScenarioError;
use super::reader::{Result, Table};
use super::value::Value;
use crate::fault::ChaosKind;
use crate::quantity::{Ppb, SpanRange};
use crate::seed::{Seed, Stream};

/// Values that are drawn from the seed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Swarm {
    ranges: BTreeMap<Key, Range>,
    /// Is it drawn which of the kinds of `[chaos]` there are?
    draws_kinds: bool,
}

/// What is drawn. A key comes after those that its values depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Key {
    Nodes,
    Spare,
    Clients,
    Replicas,
    VirtualNodes,
    RingBits,
    ChunkPaths,
    CheckpointRecords,
    LockLease,
    MembershipLease,
    AttemptTimeout,
    VoteTimeout,
    InquiryInterval,
    ChunkPause,
    Loss,
    Duplication,
    Spike,
    LatencyMax,
    SyncMax,
    ChaosIntervalMax,
    ChaosDurationMax,
    StorageNodesDown,
    Wipes,
}

/// What the values of a key are.
#[derive(Clone, Copy)]
enum Unit {
    /// Whole numbers of this range.
    Count(i64, i64),
    /// Probabilities.
    Share,
    /// Durations.
    Time,
    /// Durations that are not shorter than a microsecond.
    Lease,
    /// Durations that are not shorter than a millisecond.
    Interval,
}

/// Values from `min` to `max`, `step` apart: counts, parts per billion or nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Range {
    min: u64,
    max: u64,
    step: u64,
}

/// Storage nodes there may be.
const NODES: i64 = 1000;

const FORMS: [(&str, Key, Unit); 23] = [
    ("nodes", Key::Nodes, Unit::Count(1, NODES)),
    ("spare", Key::Spare, Unit::Count(0, NODES)),
    ("clients", Key::Clients, Unit::Count(1, 32_767)),
    ("replicas", Key::Replicas, Unit::Count(1, NODES)),
    ("virtual_nodes", Key::VirtualNodes, Unit::Count(1, 10_000)),
    ("ring_bits", Key::RingBits, Unit::Count(1, 64)),
    ("chunk_paths", Key::ChunkPaths, Unit::Count(1, u32::MAX as i64)),
    ("checkpoint_records", Key::CheckpointRecords, Unit::Count(1, u32::MAX as i64)),
    ("lock_lease", Key::LockLease, Unit::Lease),
    ("membership_lease", Key::MembershipLease, Unit::Lease),
    ("attempt_timeout", Key::AttemptTimeout, Unit::Lease),
    ("vote_timeout", Key::VoteTimeout, Unit::Lease),
    ("inquiry_interval", Key::InquiryInterval, Unit::Lease),
    ("chunk_pause", Key::ChunkPause, Unit::Lease),
    ("loss", Key::Loss, Unit::Share),
    ("duplication", Key::Duplication, Unit::Share),
    ("spike", Key::Spike, Unit::Share),
    ("latency_max", Key::LatencyMax, Unit::Time),
    ("sync_max", Key::SyncMax, Unit::Time),
    ("chaos_interval_max", Key::ChaosIntervalMax, Unit::Interval),
    ("chaos_duration_max", Key::ChaosDurationMax, Unit::Time),
    ("storage_nodes_down", Key::StorageNodesDown, Unit::Count(0, NODES)),
    ("wipes", Key::Wipes, Unit::Count(0, u16::MAX as i64)),
];

const KINDS: &str = "kinds";

/// Reads `[swarm]`.
pub(super) fn read(root: &Table<'_>, cast: Cast, config: &Config) -> Result<Option<Swarm>> {
    root.maybe("swarm", |value| {
        let known: Vec<&str> = FORMS.iter().map(|(name, ..)| *name).chain([KINDS]).collect();
        let table = value.table(&known)?;
        let mut ranges = BTreeMap::new();
        for (name, key, unit) in FORMS {
            if let Some(range) = table.maybe(name, |value| range(&value, unit))? {
                ranges.insert(key, range);
            }
        }
        let kinds = table.maybe(KINDS, |value| value.pick("choice of kinds", [("any", ())]))?;
        let swarm = Swarm { ranges, draws_kinds: kinds.is_some() };
        if swarm.ranges.is_empty() && !swarm.draws_kinds {
            return Err(value.error("expected at least one key, found none"));
        }
        swarm.check(&table, root.get("chaos").is_some(), cast, config)?;
        Ok(swarm)
    })
}

/// Two values, the smaller one first.
fn range(value: &Value<'_>, unit: Unit) -> Result<Range> {
    let ends = value.list()?;
    let [min, max] = &ends[..] else {
        let found = ends.len();
        return Err(value.error(format!("expected two values, found {found}")));
    };
    let number = |value: &Value<'_>| -> Result<u64> {
        match unit {
            Unit::Count(least, most) => value.integer(least..=most),
            Unit::Share => value.probability().map(|share| share.get().into()),
            Unit::Time => value.span().map(Span::as_nanos),
            Unit::Lease => value.lease().map(Span::as_nanos),
            Unit::Interval => match value.span()? {
                span if span < Span::from_millis(1) => Err(value.not("at least \"1ms\"")),
                span => Ok(span.as_nanos()),
            },
        }
    };
    let (min, max) = (number(min)?, number(max)?);
    if min > max {
        return Err(value.error("expected the smaller value first"));
    }
    Ok(Range { min, max, step: step(min, max, unit) })
}

/// Durations are drawn as round as the ends of their range are.
fn step(min: u64, max: u64, unit: Unit) -> u64 {
    match unit {
        Unit::Count(..) => 1,
        Unit::Share => 1_000, // a millionth is fine enough
        Unit::Time | Unit::Lease | Unit::Interval => {
            let goes = |step: &u64| min.is_multiple_of(*step) && max.is_multiple_of(*step);
            [1_000_000, 1_000].into_iter().find(goes).unwrap_or(1)
        }
    }
}

impl Range {
    fn draw(self, most: u64, stream: &mut Stream) -> u64 {
        let width = self.max.min(most).saturating_sub(self.min);
        self.min + stream.below(width / self.step + 1) * self.step
    }
}

impl Swarm {
    /// The machines that are there whatever the seed: a file names no others.
    pub(super) fn fewest(&self, cast: Cast) -> Named {
        let nodes = self.bounds(Key::Nodes, cast.nodes.into());
        let spare = self.bounds(Key::Spare, cast.spare.into());
        let clients = self.bounds(Key::Clients, cast.clients.into());
        let storage = (nodes.start() + spare.start()).min(cast.storage().into());
        let clients = (*clients.start()).min(cast.clients.into());
        let fewest = Cast { nodes: storage as u16, spare: 0, clients: clients as u16 };
        let is_drawn = (fewest.storage(), fewest.clients) != (cast.storage(), cast.clients);
        Named { cast: fewest, is_drawn }
    }

    /// May a seed lose a disk, if the budget of the file itself is `wipes`?
    pub(super) fn may_wipe(&self, wipes: u16) -> bool {
        *self.bounds(Key::Wipes, wipes.into()).end() > 0
    }

    /// From the least to the most that a key may have, which is `usual` if it is not drawn.
    fn bounds(&self, key: Key, usual: u64) -> RangeInclusive<u64> {
        self.ranges.get(&key).map_or(usual..=usual, |range| range.min..=range.max)
    }

    /// Refuses what some seed could not draw so that it makes sense.
    fn check(&self, table: &Table<'_>, chaos: bool, cast: Cast, config: &Config) -> Result<()> {
        let given = |name| table.known_value(name);
        for name in
            ["chaos_interval_max", "chaos_duration_max", "storage_nodes_down", "wipes", KINDS]
        {
            if let Some(value) = given(name).filter(|_| !chaos) {
                return Err(value.error("needs `[chaos]`"));
            }
        }
        for name in ["spare", "wipes"] {
            given(name).map_or(Ok(()), |value| need_managed(&value, config))?;
        }
        let nodes = self.bounds(Key::Nodes, cast.nodes.into());
        let spare = self.bounds(Key::Spare, cast.spare.into());
        let replicas = self.bounds(Key::Replicas, config.replicas as u64);
        let most = nodes.end() + spare.end();
        if most > NODES as u64 {
            let message = format!("up to {most} storage nodes in all, expected at most {NODES}");
            return Err(at(table, &["spare", "nodes"], &message));
        }
        if replicas.start() > nodes.start() {
            let (replicas, nodes) = (replicas.start(), nodes.start());
            let message = format!("at least {replicas} replicas do not go with {nodes} nodes");
            return Err(at(table, &["replicas", "nodes"], &message));
        }
        let virtual_nodes = self.bounds(Key::VirtualNodes, config.virtual_nodes.into());
        match points(*virtual_nodes.end() as u32, most as u16) {
            found if found > POINTS => {
                return Err(at(table, &["virtual_nodes", "nodes", "spare"], &too_many(found)));
            }
            _ => {}
        }
        let down = self.bounds(Key::StorageNodesDown, 0);
        if down.start() >= replicas.start() {
            let (down, replicas) = (down.start(), replicas.start());
            let message = format!("at least {down} down do not go with {replicas} replicas");
            return Err(at(table, &["storage_nodes_down"], &message));
        }
        Ok(())
    }

    /// What `seed` draws.
    fn draw(&self, scenario: &Scenario, seed: Seed) -> Drawn {
        let mut values: BTreeMap<Key, u64> = BTreeMap::new();
        for (key, range) in &self.ranges {
            let value = |key, usual| values.get(&key).copied().unwrap_or(usual);
            let most = match key {
                Key::Replicas => value(Key::Nodes, scenario.cast.nodes.into()),
                Key::StorageNodesDown => {
                    value(Key::Replicas, scenario.config.replicas as u64).saturating_sub(1)
                }
                _ => u64::MAX,
            };
            let drawn = range.draw(most, &mut seed.stream("swarm", *key as u64));
            values.insert(*key, drawn);
        }
        let kinds =
            scenario.chaos.as_ref().filter(|_| self.draws_kinds).map(|chaos| {
                some_of(&chaos.kinds, &mut seed.stream("swarm", Key::Wipes as u64 + 1))
            });
        Drawn { values, kinds }
    }
}

/// A choice of `kinds`, each as likely as any other, of at least one.
fn some_of(kinds: &[ChaosKind], stream: &mut Stream) -> Vec<ChaosKind> {
    loop {
        let some: Vec<ChaosKind> = kinds.iter().copied().filter(|_| stream.below(2) == 0).collect();
        if !some.is_empty() {
            return some;
        }
    }
}

/// An error at the first of `keys` that is there.
fn at(table: &Table<'_>, keys: &[&'static str], message: &str) -> ScenarioError {
    match keys.iter().find_map(|key| table.get(key)) {
        Some(value) => value.error(message),
        None => table.fault(message),
    }
}

/// What a seed has drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Drawn {
    values: BTreeMap<Key, u64>,
    kinds: Option<Vec<ChaosKind>>,
}

impl fmt::Display for Drawn {
    /// `nodes 5, loss 0.01, kinds crash+pause`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = |(name, key, unit): &(&str, Key, Unit)| {
            let value = *self.values.get(key)?;
            Some(match unit {
                Unit::Count(..) => format!("{name} {value}"),
                Unit::Share => format!("{name} {}", share(value)),
                Unit::Time | Unit::Lease | Unit::Interval => {
                    format!("{name} {}", Span::from_nanos(value))
                }
            })
        };
        let kinds = self.kinds.as_ref().map(|kinds| {
            let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
            format!("{KINDS} {}", names.join("+"))
        });
        let all: Vec<String> = FORMS.iter().filter_map(value).chain(kinds).collect();
        f.write_str(&all.join(", "))
    }
}

fn share(parts: u64) -> Ppb {
    Ppb::new(parts as u32).expect("between two probabilities")
}

impl Scenario {
    /// The scenario that `seed` runs: this one, with what `[swarm]` draws in place of what the
    /// other tables say.
    pub fn for_seed(&self, seed: u64) -> Cow<'_, Scenario> {
        match &self.swarm {
            Some(swarm) => Cow::Owned(self.with_drawn(&swarm.draw(self, Seed(seed)))),
            None => Cow::Borrowed(self),
        }
    }

    /// What `[swarm]` draws from `seed`, in one line.
    pub fn drawn(&self, seed: u64) -> Option<String> {
        self.swarm.as_ref().map(|swarm| swarm.draw(self, Seed(seed)).to_string())
    }

    fn with_drawn(&self, drawn: &Drawn) -> Scenario {
        let mut scenario = Scenario { swarm: None, ..self.clone() };
        let mut settings = Settings::clone(&self.config);
        for (&key, &value) in &drawn.values {
            put(key, value, &mut scenario, &mut settings);
        }
        settings.members = scenario.cast.members().collect();
        if let Some(chaos) = &mut scenario.chaos {
            if let Some(kinds) = &drawn.kinds {
                chaos.kinds.clone_from(kinds);
            }
            let bearable = settings.replicas.saturating_sub(1) as u16;
            chaos.budget.storage_nodes_down = chaos.budget.storage_nodes_down.min(bearable);
        }
        scenario.config = Config::new(settings).expect("ranges that were checked");
        scenario
    }
}

fn put(key: Key, value: u64, scenario: &mut Scenario, settings: &mut Settings) {
    let span = Span::from_nanos(value);
    let up_to = |range: &mut SpanRange| {
        *range = SpanRange { min: range.min.min(span), max: span };
    };
    let Scenario { cast, network, disk, chaos, .. } = scenario;
    let chaos = chaos.iter_mut();
    match key {
        Key::Nodes => cast.nodes = value as u16,
        Key::Spare => cast.spare = value as u16,
        Key::Clients => cast.clients = value as u16,
        Key::Replicas => settings.replicas = value as usize,
        Key::VirtualNodes => settings.virtual_nodes = value as u32,
        Key::RingBits => settings.ring_bits = value as u32,
        Key::ChunkPaths => settings.chunk_paths = value as u32,
        Key::CheckpointRecords => settings.checkpoint_records = value as u32,
        Key::LockLease => settings.lock_lease = span,
        Key::MembershipLease => settings.membership_lease = span,
        Key::AttemptTimeout => settings.attempt_timeout = span,
        Key::VoteTimeout => settings.vote_timeout = span,
        Key::InquiryInterval => settings.inquiry_interval = span,
        Key::ChunkPause => settings.chunk_pause = span,
        Key::Loss => network.loss = share(value),
        Key::Duplication => network.duplication = share(value),
        Key::Spike => network.spike = share(value),
        Key::LatencyMax => up_to(&mut network.latency),
        Key::SyncMax => up_to(&mut disk.sync),
        Key::ChaosIntervalMax => chaos.for_each(|chaos| up_to(&mut chaos.interval)),
        Key::ChaosDurationMax => chaos.for_each(|chaos| up_to(&mut chaos.duration)),
        Key::StorageNodesDown => {
            chaos.for_each(|chaos| chaos.budget.storage_nodes_down = value as u16);
        }
        Key::Wipes => chaos.for_each(|chaos| chaos.budget.wipes = value as u16),
    }
}

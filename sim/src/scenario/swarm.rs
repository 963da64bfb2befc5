//! `[swarm]`: keys whose values are drawn from the seed before the run.
//!
//! One file then stands for many clusters, and a sweep meets combinations that no file names.
//! What no seed could make valid is refused here; the values are drawn in
//! [`draw::swarm`](crate::draw::swarm).

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use seedbed::proto::{Config, Span};

use super::cluster::{Cast, Cluster, Named, POINTS, need_managed, points, too_many};
use super::error::{Refused, all};
use super::grammar::{self, Style, TableGrammar};
use super::reader::{Result, Table};
use super::value::Value;

/// Values that are drawn from the seed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Swarm {
    /// The keys that are drawn, in the order in which they are.
    pub(crate) ranges: BTreeMap<Key, Range>,
    /// Is it drawn which of the kinds of `[chaos]` there are?
    pub(crate) draws_kinds: bool,
}

/// What is drawn. A key comes after those that its values depend on. Its place is the number of the
/// stream that it is drawn from: a new key changes no drawn run only at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Key {
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

impl Key {
    /// The number of the stream that the kinds of chaos are drawn from: the one behind the keys.
    pub(crate) const KINDS_STREAM: u64 = Key::Wipes as u64 + 1;
}

/// What the values of a key are.
#[derive(Clone, Copy)]
pub(crate) enum Unit {
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
pub(crate) struct Range {
    pub(crate) min: u64,
    pub(crate) max: u64,
    pub(crate) step: u64,
}

/// Storage nodes there may be.
const NODES: i64 = 1000;

/// The names of the keys, and what their values are.
pub(crate) const FORMS: [(&str, Key, Unit); 23] = [
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

/// The key that says that kinds are drawn.
pub(crate) const KINDS: &str = "kinds";

const COUNTS: &str = "two whole numbers, the smaller first";
const SPANS: &str = "range of durations";
const SHARES: &str = "two probabilities, the smaller first";

const fn drawn(name: &'static str, value: &'static str, meaning: &'static str) -> grammar::Key {
    grammar::Key::perhaps(name, value, "not drawn", meaning)
}

pub(super) const SWARM: TableGrammar = TableGrammar {
    name: "swarm",
    style: Style::Single,
    meaning: "a cluster of its own for every seed: what is drawn replaces what other tables say",
    keys: &[
        drawn("nodes", COUNTS, "storage nodes that are members at first"),
        drawn("spare", COUNTS, "storage nodes that are there and not wanted as members at first"),
        drawn("clients", COUNTS, "clients"),
        drawn("replicas", COUNTS, "owners of a path, drawn up to the nodes there are"),
        drawn("virtual_nodes", COUNTS, "points of a node on the ring"),
        drawn("ring_bits", COUNTS, "how many bits of a hash count"),
        drawn("chunk_paths", COUNTS, "paths in a chunk of a hand-over, at most"),
        drawn("checkpoint_records", COUNTS, "records of a log between two checkpoints"),
        drawn("lock_lease", SPANS, "`timing.lock_lease`"),
        drawn("membership_lease", SPANS, "`timing.membership_lease`"),
        drawn("attempt_timeout", SPANS, "`timing.attempt_timeout`"),
        drawn("vote_timeout", SPANS, "`timing.vote_timeout`"),
        drawn("inquiry_interval", SPANS, "`timing.inquiry_interval`"),
        drawn("chunk_pause", SPANS, "`timing.chunk_pause`"),
        drawn("loss", SHARES, "`network.loss`"),
        drawn("duplication", SHARES, "`network.duplication`"),
        drawn("spike", SHARES, "`network.spike`"),
        drawn(
            "latency_max",
            SPANS,
            "the longer end of `network.latency`; it lowers the shorter end if that is above it",
        ),
        drawn("sync_max", SPANS, "the longer end of `disk.sync`"),
        drawn("chaos_interval_max", SPANS, "the longer end of `chaos.interval`"),
        drawn("chaos_duration_max", SPANS, "the longer end of `chaos.duration`"),
        drawn("storage_nodes_down", COUNTS, "of the budget, drawn up to `replicas` less one"),
        drawn("wipes", COUNTS, "of the budget"),
        drawn(KINDS, "`\"any\"`", "some of the kinds of `[chaos]`, at least one"),
    ],
    forms: &[],
    notes: &[
        "At least one key is there. `spare` and `wipes` need `membership = \"managed\"`; the keys \
         about chaos and its budget, and `kinds`, need a `[chaos]`.",
        "No budget is larger than `replicas` less one.",
        "Machines that a file names are there whatever is drawn, so it names only those of the \
         smallest cluster.",
    ],
    example: r#"
[chaos]
kinds = ["crash", "partition", "pause"]

[swarm]
nodes = [3, 6]
replicas = [2, 3]
loss = [0.0, 0.05]
latency_max = ["1ms", "50ms"]
kinds = "any"
"#,
};

/// Reads `[swarm]`.
pub(super) fn read(root: &Table<'_>, cluster: &Cluster) -> Result<Option<Swarm>> {
    root.maybe("swarm", |value| {
        let table = value.table(&SWARM)?;
        let ranges = FORMS.iter().map(|(name, key, unit)| {
            let range = table.maybe(name, |value| range(&value, *unit))?;
            Ok(range.map(|range| (*key, range)))
        });
        let ranges = all(ranges);
        let kinds = table.maybe(KINDS, |value| value.pick("choice of kinds", [("any", ())]));
        let ranges = ranges?.into_iter().flatten().collect();
        let swarm = Swarm { ranges, draws_kinds: kinds?.is_some() };
        if swarm.ranges.is_empty() && !swarm.draws_kinds {
            return Err(value.error("expected at least one key, found none"));
        }
        swarm.check(&table, root.get("chaos").is_some(), cluster)?;
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
    let (min, max) = (number(min), number(max));
    let (min, max) = (min?, max?);
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
        Named { cast: fewest, is_drawn, is_known: true }
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
    fn check(&self, table: &Table<'_>, chaos: bool, cluster: &Cluster) -> Result<()> {
        let given = |name: &&str| table.known_value(name);
        let of_chaos =
            ["chaos_interval_max", "chaos_duration_max", "storage_nodes_down", "wipes", KINDS];
        for value in of_chaos.iter().filter(|_| !chaos).filter_map(given) {
            value.error("needs `[chaos]`");
        }
        let config = cluster.lenient();
        let of_managed = ["spare", "wipes"];
        all(of_managed.iter().filter_map(given).map(|value| need_managed(&value, &config)))?;
        self.check_numbers(table, cluster.cast?, cluster.config.as_deref().map_err(|no| *no)?)
    }

    /// Refuses numbers that do not go with each other.
    fn check_numbers(&self, table: &Table<'_>, cast: Cast, config: &Config) -> Result<()> {
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
}

/// Notes an error at the first of `keys` that is there.
fn at(table: &Table<'_>, keys: &[&'static str], message: &str) -> Refused {
    match keys.iter().find_map(|key| table.get(key)) {
        Some(value) => value.error(message),
        None => table.fault(message),
    }
}

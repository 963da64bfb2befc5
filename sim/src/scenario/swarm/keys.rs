//! What a `[swarm]` may draw: each key with its name, what its values are, and what it says.

use seedbed::machine::Span;

use crate::scenario::error::Result;
use crate::scenario::grammar::{self, Style, TableGrammar};
use crate::scenario::value::Value;

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
    /// Durations that are not shorter than the shortest lease of a member.
    MembershipLease,
    /// Durations that are not shorter than a millisecond.
    Interval,
    /// Any of these names: the file says `"any"`.
    Any(&'static [&'static str]),
}

/// Values from `min` to `max`, `step` apart: counts, parts per billion, nanoseconds, or places in a
/// list of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Range {
    pub(crate) min: u64,
    pub(crate) max: u64,
    pub(crate) step: u64,
}

/// Storage nodes there may be.
pub(super) const NODES: i64 = 1000;

/// The key that says that kinds are drawn.
pub(crate) const KINDS: &str = "kinds";

const MANY: i64 = u32::MAX as i64;

macro_rules! keys {
    ($($key:ident = $name:literal, $unit:expr, $of:literal, $meaning:literal;)*) => {
        /// What is drawn. A key comes after those that its values depend on.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) enum Key { $($key,)* }

        /// The names of the keys, and what their values are.
        pub(crate) const FORMS: &[(&str, Key, Unit)] = &[$(($name, Key::$key, $unit),)*];

        impl Key {
            /// The key of another table that it takes the place of, as `table.key`.
            pub(crate) fn replaces(self) -> &'static str {
                match self { $(Key::$key => $of,)* }
            }
        }

        const GRAMMAR: &[grammar::Key] = &[
            $(grammar::Key::perhaps($name, $unit.written(), "not drawn", $meaning),)*
            grammar::Key::perhaps(
                KINDS,
                "`\"any\"`",
                "not drawn",
                "some of the kinds of `[chaos]`, at least one",
            ),
        ];
    };
}

keys! {
    Nodes = "nodes", Unit::Count(1, NODES), "cluster.nodes", "storage nodes that are members at first";
    Spare = "spare", Unit::Count(0, NODES), "cluster.spare", "storage nodes that are there and not wanted as members at first";
    Clients = "clients", Unit::Count(1, 32_767), "cluster.clients", "clients";
    Replicas = "replicas", Unit::Count(1, NODES), "cluster.replicas", "owners of a path, drawn up to the nodes there are";
    VirtualNodes = "virtual_nodes", Unit::Count(1, 10_000), "cluster.virtual_nodes", "points of a node on the ring";
    RingBits = "ring_bits", Unit::Count(1, 64), "cluster.ring_bits", "how many bits of a hash count";
    Hash = "hash", Unit::Any(&["sha1", "md5"]), "cluster.hash", "`cluster.hash`";
    Commit = "commit", Unit::Any(&["staged", "two_phase"]), "cluster.commit", "`cluster.commit`";
    ChunkPaths = "chunk_paths", Unit::Count(1, MANY), "cluster.chunk_paths", "paths in a chunk of a hand-over, at most";
    CheckpointRecords = "checkpoint_records", Unit::Count(1, MANY), "cluster.checkpoint_records", "records of a log between two checkpoints";
    LockLease = "lock_lease", Unit::Lease, "timing.lock_lease", "`timing.lock_lease`";
    MembershipLease = "membership_lease", Unit::MembershipLease, "timing.membership_lease", "`timing.membership_lease`";
    RequestTimeout = "request_timeout", Unit::Lease, "timing.request_timeout", "`timing.request_timeout`";
    AttemptTimeout = "attempt_timeout", Unit::Lease, "timing.attempt_timeout", "`timing.attempt_timeout`";
    RetryDelay = "retry_delay", Unit::Lease, "timing.retry_delay", "`timing.retry_delay`";
    VoteTimeout = "vote_timeout", Unit::Lease, "timing.vote_timeout", "`timing.vote_timeout`";
    InquiryInterval = "inquiry_interval", Unit::Lease, "timing.inquiry_interval", "`timing.inquiry_interval`";
    ChunkPause = "chunk_pause", Unit::Lease, "timing.chunk_pause", "`timing.chunk_pause`";
    DriftMaxPpm = "drift_max_ppm", Unit::Count(0, 499_999), "timing.drift_max_ppm", "`timing.drift_max_ppm`";
    Queue = "queue", Unit::Count(1, 1_000_000), "limits.queue", "`limits.queue`";
    Loss = "loss", Unit::Share, "network.loss", "`network.loss`";
    Duplication = "duplication", Unit::Share, "network.duplication", "`network.duplication`";
    Spike = "spike", Unit::Share, "network.spike", "`network.spike`";
    SpikeLatencyMax = "spike_latency_max", Unit::Time, "network.spike_latency", "the longer end of `network.spike_latency`; it lowers the shorter end if that is above it";
    LatencyMax = "latency_max", Unit::Time, "network.latency", "the longer end of `network.latency`; it lowers the shorter end if that is above it";
    LatencyMin = "latency_min", Unit::Time, "network.latency", "the shorter end of `network.latency`, drawn up to the longer one";
    SyncMax = "sync_max", Unit::Time, "disk.sync", "the longer end of `disk.sync`";
    SyncMin = "sync_min", Unit::Time, "disk.sync", "the shorter end of `disk.sync`, drawn up to the longer one";
    ClockOffsetMax = "clock_offset_max", Unit::Time, "clock.offset", "each clock without a `[[clock]]` is ahead by a drawn time up to this";
    Operations = "operations", Unit::Count(1, 100_000_000), "workload.operations", "`workload.operations`";
    Paths = "paths", Unit::Count(1, 1_000_000), "workload.paths", "`workload.paths`";
    ThinkMax = "think_max", Unit::Time, "workload.think", "the longer end of `workload.think`";
    AtOnce = "at_once", Unit::Count(1, 100), "workload.at_once", "`workload.at_once`; of kind `locked_counter` drawn up to the counters there are";
    BeyondLimits = "beyond_limits", Unit::Share, "workload.beyond_limits", "`workload.beyond_limits`";
    Named = "named", Unit::Share, "workload.named", "`workload.named`";
    ReadFraction = "read_fraction", Unit::Share, "workload.read_fraction", "`workload.read_fraction`, of kind `files`";
    ContentsBytes = "contents_bytes", Unit::Count(0, 1 << 20), "workload.contents_bytes", "`workload.contents_bytes`, of kind `files`";
    Safety = "safety", Unit::Lease, "phases.safety", "`phases.safety`";
    ChaosIntervalMax = "chaos_interval_max", Unit::Interval, "chaos.interval", "the longer end of `chaos.interval`";
    ChaosDurationMax = "chaos_duration_max", Unit::Time, "chaos.duration", "the longer end of `chaos.duration`";
    Aimed = "aimed", Unit::Share, "chaos.aimed", "`chaos.aimed`";
    Together = "together", Unit::Share, "chaos.together", "`chaos.together`";
    StorageNodesDown = "storage_nodes_down", Unit::Count(0, NODES), "chaos.budget.storage_nodes_down", "of the budget, drawn up to all there are";
    ControlDown = "control_down", Unit::Any(&["false", "true"]), "chaos.budget.control_down", "of the budget";
    ClientsDown = "clients_down", Unit::Count(0, 32_767), "chaos.budget.clients_down", "of the budget, drawn up to all there are";
    Wipes = "wipes", Unit::Count(0, u16::MAX as i64), "chaos.budget.wipes", "of the budget";
}

impl Key {
    /// Is it about drawn faults?
    pub(super) fn is_of_chaos(self) -> bool {
        self >= Key::ChaosIntervalMax
    }

    /// Is it about drawn requests?
    pub(super) fn is_of_workload(self) -> bool {
        (Key::Operations..=Key::ContentsBytes).contains(&self)
    }

    /// Is it about a workload of kind `files`?
    pub(super) fn is_of_files(self) -> bool {
        (Key::ReadFraction..=Key::ContentsBytes).contains(&self)
    }
}

impl Unit {
    /// What stands at such a key.
    const fn written(self) -> &'static str {
        match self {
            Unit::Count(..) => "two whole numbers, the smaller first",
            Unit::Share => "two probabilities, the smaller first",
            Unit::Time | Unit::Lease | Unit::MembershipLease | Unit::Interval => {
                "range of durations"
            }
            Unit::Any(_) => "`\"any\"`",
        }
    }

    /// Reads the two ends of a range, the smaller one first; of names, that any will do.
    pub(super) fn read(self, value: &Value<'_>) -> Result<Range> {
        if let Unit::Any(names) = self {
            value.pick("choice", [("any", ())])?;
            return Ok(Range { min: 0, max: names.len() as u64 - 1, step: 1 });
        }
        let ends = value.list()?;
        let [min, max] = &ends[..] else {
            let found = ends.len();
            return Err(value.error(format!("expected two values, found {found}")));
        };
        let (min, max) = (self.number(min), self.number(max));
        let (min, max) = (min?, max?);
        if min > max {
            return Err(value.error("expected the smaller value first"));
        }
        Ok(Range { min, max, step: self.step(min, max) })
    }

    fn number(self, value: &Value<'_>) -> Result<u64> {
        match self {
            Unit::Count(least, most) => value.integer(least..=most),
            Unit::Share => value.probability().map(|share| share.get().into()),
            Unit::Time => value.span().map(Span::as_nanos),
            Unit::Lease => value.lease().map(Span::as_nanos),
            Unit::MembershipLease => value.membership_lease().map(Span::as_nanos),
            Unit::Interval => match value.span()? {
                span if span < Span::from_millis(1) => Err(value.not("at least \"1ms\"")),
                span => Ok(span.as_nanos()),
            },
            Unit::Any(_) => unreachable!("it has no ends"),
        }
    }

    /// Durations are drawn as round as the ends of their range are.
    fn step(self, min: u64, max: u64) -> u64 {
        match self {
            Unit::Count(..) | Unit::Any(_) => 1,
            Unit::Share => 1_000, // a millionth is fine enough
            Unit::Time | Unit::Lease | Unit::MembershipLease | Unit::Interval => {
                let goes = |step: &u64| min.is_multiple_of(*step) && max.is_multiple_of(*step);
                [1_000_000, 1_000].into_iter().find(goes).unwrap_or(1)
            }
        }
    }
}

pub(in crate::scenario) const SWARM: TableGrammar = TableGrammar {
    name: "swarm",
    style: Style::Single,
    meaning: "a cluster of its own for every seed: what is drawn replaces what other tables say",
    keys: GRAMMAR,
    forms: &[],
    notes: &[
        "At least one key is there. `spare` and `wipes` need `membership = \"managed\"`; the keys \
         about chaos and its budget, and `kinds`, need a `[chaos]`, those about the workload a \
         `[workload]`.",
        "Machines that a file names are there whatever is drawn, so it names only those of the \
         smallest cluster. The same goes for times within the safety phase.",
    ],
    example: r#"
[chaos]
kinds = ["crash", "partition", "pause"]

[swarm]
nodes = [3, 6]
replicas = [2, 3]
commit = "any"
loss = [0.0, 0.05]
latency_max = ["1ms", "50ms"]
kinds = "any"
"#,
};

//! What a `[swarm]` of the file service may draw, beside what every system may.

use seedbed::machine::Span;
use seedbed::proto::ring::HashKind;
use seedbed::proto::{CommitMode, Config, Settings};

use super::shared::{POINTS, need_managed, points, too_many};
use super::{Scenario, Swarm, Workload, WorkloadKind};
use crate::cast::Cast;
use crate::fault::Fault;
use crate::name::Name;
use crate::quantity::{Ppb, SpanRange, by_a_slow_clock};
use crate::scenario::reading::{
    Key as TableKey, Listed, MOST_NODES, Result, Table, Unit, Value, at,
};
use crate::scenario::swarm::{GeneralKey, Key};

const MANY: i64 = u32::MAX as i64;

macro_rules! keys {
    ($($key:ident = $name:literal, $unit:expr, $of:literal, $meaning:literal;)*) => {
        crate::names! {
            /// A key. It comes after those that its values depend on.
            pub enum SwarmKey { $(#[doc = $meaning] $key = $name,)* }
        }

        impl SwarmKey {
            /// What is listed of it.
            pub(in crate::file_service) fn listed(self) -> Listed {
                match self { $(SwarmKey::$key => Listed { unit: $unit, replaces: $of },)* }
            }
        }

        /// The keys, for the table.
        pub(in crate::file_service) const KEYS: &[TableKey] = &[
            $(TableKey::perhaps($name, $unit.written(), "not drawn", $meaning),)*
        ];
    };
}

keys! {
    Replicas = "replicas", Unit::Count(1, MOST_NODES), "cluster.replicas", "owners of a path, drawn up to the nodes there are";
    VirtualNodes = "virtual_nodes", Unit::Count(1, 10_000), "cluster.virtual_nodes", "points of a node on the ring";
    RingBits = "ring_bits", Unit::Count(1, 64), "cluster.ring_bits", "how many bits of a hash count";
    Hash = "hash", Unit::Any(&["sha1", "md5"]), "cluster.hash", "`cluster.hash`";
    Commit = "commit", Unit::Any(&["staged", "two_phase"]), "cluster.commit", "`cluster.commit`";
    ChunkPaths = "chunk_paths", Unit::Count(1, MANY), "cluster.chunk_paths", "paths in a chunk of a hand-over, at most";
    CheckpointRecords = "checkpoint_records", Unit::Count(1, MANY), "cluster.checkpoint_records", "records of a log between two checkpoints";
    LockLease = "lock_lease", Unit::Span(|value| value.bounded_span()), "timing.lock_lease", "`timing.lock_lease`";
    MembershipLease = "membership_lease", Unit::Span(|value| value.membership_lease()), "timing.membership_lease", "`timing.membership_lease`";
    RequestTimeout = "request_timeout", Unit::Span(|value| value.bounded_span()), "timing.request_timeout", "`timing.request_timeout`";
    AttemptTimeout = "attempt_timeout", Unit::Span(|value| value.bounded_span()), "timing.attempt_timeout", "`timing.attempt_timeout`";
    RetryDelay = "retry_delay", Unit::Span(|value| value.bounded_span()), "timing.retry_delay", "`timing.retry_delay`";
    VoteTimeout = "vote_timeout", Unit::Span(|value| value.bounded_span()), "timing.vote_timeout", "`timing.vote_timeout`";
    InquiryInterval = "inquiry_interval", Unit::Span(|value| value.bounded_span()), "timing.inquiry_interval", "`timing.inquiry_interval`";
    ChunkPause = "chunk_pause", Unit::Span(|value| value.bounded_span()), "timing.chunk_pause", "`timing.chunk_pause`";
    DriftMaxPpm = "drift_max_ppm", Unit::Count(0, 499_999), "timing.drift_max_ppm", "`timing.drift_max_ppm`";
    Queue = "queue", Unit::Count(1, 1_000_000), "limits.queue", "`limits.queue`";
    Operations = "operations", Unit::Count(1, 100_000_000), "workload.operations", "`workload.operations`";
    Paths = "paths", Unit::Count(1, 1_000_000), "workload.paths", "`workload.paths`";
    ThinkMax = "think_max", Unit::Span(|value| value.span()), "workload.think", "the longer end of `workload.think`";
    AtOnce = "at_once", Unit::Count(1, 100), "workload.at_once", "`workload.at_once`; of kind `locked_counter` drawn up to the counters there are";
    BeyondLimits = "beyond_limits", Unit::Share, "workload.beyond_limits", "`workload.beyond_limits`";
    Named = "named", Unit::Share, "workload.named", "`workload.named`";
    ReadFraction = "read_fraction", Unit::Share, "workload.read_fraction", "`workload.read_fraction`, of kind `files`";
    ContentsBytes = "contents_bytes", Unit::Count(0, 1 << 20), "workload.contents_bytes", "`workload.contents_bytes`, of kind `files`";
}

impl SwarmKey {
    /// Is it about a workload of kind `files`?
    fn is_of_files(self) -> bool {
        (SwarmKey::ReadFraction..=SwarmKey::ContentsBytes).contains(&self)
    }
}

/// Refuses what some seed could not draw so that it makes sense.
pub(in crate::file_service) fn check(
    table: &Table<'_>,
    swarm: &Swarm,
    cast: Cast,
    config: &Config,
) -> Result<()> {
    if let Some(value) = table.known_value(GeneralKey::Spare.name()) {
        need_managed(&value, config)?;
    }
    let general = |key, usual: u16| swarm.bounds(Key::General(key), usual.into());
    let (nodes, spare) =
        (general(GeneralKey::Nodes, cast.nodes), general(GeneralKey::Spare, cast.spare));
    let replicas = swarm.bounds(Key::System(SwarmKey::Replicas), config.replicas as u64);
    let most = nodes.end() + spare.end();
    if replicas.start() > nodes.start() {
        let (replicas, nodes) = (replicas.start(), nodes.start());
        let message = format!("at least {replicas} replicas do not go with {nodes} nodes");
        return Err(at(table, &["replicas", "nodes"], &message));
    }
    let virtual_nodes =
        swarm.bounds(Key::System(SwarmKey::VirtualNodes), config.virtual_nodes.into());
    match points(*virtual_nodes.end() as u32, most as u16) {
        found if found > POINTS => {
            return Err(at(table, &["virtual_nodes", "nodes", "spare"], &too_many(found)));
        }
        _ => {}
    }
    Ok(())
}

/// Refuses what the rest of the file does not go with, whatever the seed.
pub(in crate::file_service) fn check_with_file(root: &Table<'_>, scenario: &Scenario) {
    let Some(swarm) = &scenario.swarm else { return };
    let place = |key: &str| root.get("swarm").and_then(|swarm| swarm.inside(key));
    let kind = scenario.workload.as_ref().map(|workload| &workload.kind);
    for key in SwarmKey::ALL.iter().filter(|key| swarm.draws(Key::System(**key))) {
        let Some(value) = place(key.name()) else { continue };
        if key.is_of_files() && !matches!(kind, Some(WorkloadKind::Files { .. })) {
            value.error("needs `workload.kind = \"files\"`");
        }
    }
    let of = |key, usual: u64| swarm.bounds(Key::System(key), usual);
    if matches!(kind, Some(WorkloadKind::Bank { .. })) && *of(SwarmKey::Paths, 2).start() < 2 {
        place("paths").map(|value| value.error("a bank has 2 accounts or more"));
    }
    if let Some(workload) = &scenario.workload {
        check_counters(swarm, workload, place);
    }
    let (config, phases) = (&scenario.config, &scenario.phases);
    let longest = *of(SwarmKey::ContentsBytes, 0).end();
    if longest > config.limits.contents_bytes as u64 {
        let message =
            format!("expected at most {} (`limits.contents_bytes`)", config.limits.contents_bytes);
        place("contents_bytes").map(|value| value.error(message));
    }
    let drift_max_ppm = *of(SwarmKey::DriftMaxPpm, config.drift_max_ppm.into()).end() as u32;
    let longest = *of(SwarmKey::RequestTimeout, config.request_timeout.as_nanos()).end();
    if phases.liveness < by_a_slow_clock(Span::from_nanos(longest), drift_max_ppm) {
        let message = format!("the liveness phase ({}) is too short for that", phases.liveness);
        place("request_timeout").or(place("drift_max_ppm")).map(|value| value.error(message));
    }
    let least = *of(SwarmKey::DriftMaxPpm, config.drift_max_ppm.into()).start();
    let drifts = scenario.faults.iter().filter_map(|scripted| match scripted.fault {
        Fault::ClockDrift { ppm, .. } => Some(ppm.unsigned_abs()),
        _ => None, // its clocks keep their rate
    });
    if let Some(most) = drifts.max().filter(|most| u64::from(*most) > least) {
        let message = format!("a fault lets a clock drift by {most} ppm: expected at least that");
        place("drift_max_ppm").map(|value| value.error(message));
    }
}

/// The fewest users of a client that are drawn have a counter each in the fewest that are drawn.
fn check_counters<'a>(
    swarm: &Swarm,
    workload: &Workload,
    place: impl Fn(&str) -> Option<Value<'a>>,
) {
    let paths = *swarm.bounds(Key::System(SwarmKey::Paths), workload.paths.into()).start();
    let users = *swarm.bounds(Key::System(SwarmKey::AtOnce), workload.at_once.into()).start();
    let is_short = users > paths;
    match workload.kind {
        WorkloadKind::LockedCounter if is_short => {
            let message = format!("{users} users of a client (`at_once`) need {users} counters");
            place("paths").or_else(|| place("at_once")).map(|value| value.error(message));
        }
        WorkloadKind::LockedCounter | WorkloadKind::Files { .. } | WorkloadKind::Bank { .. } => {}
    }
}

/// The most that may be drawn for a key.
pub(in crate::file_service) fn most_drawn(
    key: SwarmKey,
    scenario: &Scenario,
    drawn: &dyn Fn(Key<seedbed::proto::FileService>, u64) -> u64,
) -> u64 {
    match key {
        SwarmKey::Replicas => drawn(Key::General(GeneralKey::Nodes), scenario.cast.nodes.into()),
        SwarmKey::AtOnce => {
            most_at_once(scenario, |usual| drawn(Key::System(SwarmKey::Paths), usual))
        }
        _ => u64::MAX, // it depends on no other
    }
}

/// How many users a client may have, if the workload has so many paths as `paths` makes of what the
/// file says: each has a counter of its own.
fn most_at_once(scenario: &Scenario, paths: impl Fn(u64) -> u64) -> u64 {
    let most = |workload: &Workload| match workload.kind {
        WorkloadKind::LockedCounter => paths(workload.paths.into()),
        WorkloadKind::Files { .. } | WorkloadKind::Bank { .. } => u64::MAX,
    };
    scenario.workload.as_ref().map_or(u64::MAX, most)
}

/// Puts what was drawn in place of what the file says.
pub(in crate::file_service) fn put_drawn(scenario: &mut Scenario, drawn: &[(SwarmKey, u64)]) {
    let mut settings = Settings::clone(&scenario.config);
    for (key, value) in drawn {
        put(*key, *value, scenario, &mut settings);
    }
    settings.members = scenario.cast.first_nodes().collect();
    scenario.config = Config::new(settings).expect("ranges that were checked");
}

fn put(key: SwarmKey, value: u64, scenario: &mut Scenario, settings: &mut Settings) {
    let span = Span::from_nanos(value);
    let up_to = |range: &mut SpanRange| {
        *range = SpanRange { min: range.min.min(span), max: span };
    };
    let workload = scenario.workload.iter_mut();
    match key {
        SwarmKey::Replicas => settings.replicas = value as usize,
        SwarmKey::VirtualNodes => settings.virtual_nodes = value as u32,
        SwarmKey::RingBits => settings.ring_bits = value as u32,
        SwarmKey::Hash => settings.hash = [HashKind::Sha1, HashKind::Md5][value as usize],
        SwarmKey::Commit => {
            settings.commit = [CommitMode::Staged, CommitMode::TwoPhase][value as usize]
        }
        SwarmKey::ChunkPaths => settings.chunk_paths = value as u32,
        SwarmKey::CheckpointRecords => settings.checkpoint_records = value as u32,
        SwarmKey::LockLease => settings.lock_lease = span,
        SwarmKey::MembershipLease => settings.membership_lease = span,
        SwarmKey::RequestTimeout => settings.request_timeout = span,
        SwarmKey::AttemptTimeout => settings.attempt_timeout = span,
        SwarmKey::RetryDelay => settings.retry_delay = span,
        SwarmKey::VoteTimeout => settings.vote_timeout = span,
        SwarmKey::InquiryInterval => settings.inquiry_interval = span,
        SwarmKey::ChunkPause => settings.chunk_pause = span,
        SwarmKey::DriftMaxPpm => settings.drift_max_ppm = value as u32,
        SwarmKey::Queue => settings.limits.queue = value as usize,
        SwarmKey::Operations => workload.for_each(|workload| workload.operations = value as u32),
        SwarmKey::Paths => workload.for_each(|workload| workload.paths = value as u32),
        SwarmKey::ThinkMax => workload.for_each(|workload| up_to(&mut workload.think)),
        SwarmKey::AtOnce => workload.for_each(|workload| workload.at_once = value as u16),
        SwarmKey::BeyondLimits => {
            workload.for_each(|workload| workload.beyond_limits = share(value))
        }
        SwarmKey::Named => workload.for_each(|workload| workload.named = share(value)),
        SwarmKey::ReadFraction => workload.for_each(|workload| {
            if let WorkloadKind::Files { read_fraction, .. } = &mut workload.kind {
                *read_fraction = share(value);
            }
        }),
        SwarmKey::ContentsBytes => workload.for_each(|workload| {
            if let WorkloadKind::Files { contents_bytes, .. } = &mut workload.kind {
                *contents_bytes = value as u32;
            }
        }),
    }
}

fn share(parts: u64) -> Ppb {
    Ppb::new(parts as u32).expect("between two probabilities")
}

//! `[swarm]`: what the seed puts in place of what the other tables say.
//!
//! Each key has a stream of its own, so that taking one out changes no other value. Values that
//! depend on each other are drawn so that they go together: no more replicas than nodes, no more
//! machines away than there are.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use seedbed::machine::Span;
use seedbed::proto::ring::HashKind;
use seedbed::proto::{CommitMode, Config, Settings};

use crate::fault::ChaosKind;
use crate::quantity::{Ppb, SpanRange};
use crate::scenario::swarm::{FORMS, KINDS, Key, Range, Swarm, Unit};
use crate::scenario::{Cast, Clock, Scenario, Workload, WorkloadKind};
use crate::seed::{Seed, Stream, code};

#[cfg(test)]
mod tests;

/// The scenario that `seed` runs: this one, with what `[swarm]` draws in place of what the other
/// tables say.
pub fn for_seed(scenario: &Scenario, seed: u64) -> Cow<'_, Scenario> {
    match &scenario.swarm {
        Some(swarm) => {
            let seed = Seed(seed);
            Cow::Owned(with_drawn(scenario, &draw(swarm, scenario, seed, None), seed))
        }
        None => Cow::Borrowed(scenario),
    }
}

/// A key that a `[swarm]` draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DrawnKey {
    /// Its name.
    pub name: &'static str,
    /// The key of another table that it takes the place of, as `table.key`.
    pub replaces: &'static str,
    key: Key,
    range: Range,
}

/// The keys that the `[swarm]` of a file draws.
pub fn keys(scenario: &Scenario) -> Vec<DrawnKey> {
    let ranges = scenario.swarm.iter().flat_map(|swarm| &swarm.ranges);
    let drawn = ranges.map(|(key, range)| DrawnKey {
        name: name_of(*key),
        replaces: key.replaces(),
        key: *key,
        range: *range,
    });
    drawn.collect()
}

/// The scenarios that `seed` would run if it drew the least for `key`, and if it drew the most.
pub fn at_both_ends(scenario: &Scenario, seed: u64, key: DrawnKey) -> [Scenario; 2] {
    let seed = Seed(seed);
    let DrawnKey { range, key, .. } = key;
    let swarm = scenario.swarm.as_ref().expect("a key of a swarm");
    [range.min, range.max]
        .map(|end| with_drawn(scenario, &draw(swarm, scenario, seed, Some((key, end))), seed))
}

/// What `[swarm]` draws from `seed`, in one line; `None` where the file has none.
pub fn drawn(scenario: &Scenario, seed: u64) -> Option<String> {
    scenario.swarm.as_ref().map(|swarm| draw(swarm, scenario, Seed(seed), None).to_string())
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
                Unit::Any(names) => format!("{name} {}", names[value as usize]),
                Unit::Time | Unit::Lease | Unit::MembershipLease | Unit::Interval => {
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

/// What `seed` draws; the `pinned` key has this value, or the nearest that goes with the others.
fn draw(swarm: &Swarm, scenario: &Scenario, seed: Seed, pinned: Option<(Key, u64)>) -> Drawn {
    let mut values: BTreeMap<Key, u64> = BTreeMap::new();
    for (key, range) in &swarm.ranges {
        let value = |key, usual| values.get(&key).copied().unwrap_or(usual);
        let nodes = value(Key::Nodes, scenario.cast.nodes.into());
        let most = match key {
            Key::Replicas => nodes,
            Key::StorageNodesDown => nodes + value(Key::Spare, scenario.cast.spare.into()),
            Key::ClientsDown => value(Key::Clients, scenario.cast.clients.into()),
            Key::AtOnce => most_at_once(scenario, |usual| value(Key::Paths, usual)),
            Key::LatencyMin => value(Key::LatencyMax, scenario.network.latency.max.as_nanos()),
            Key::SyncMin => value(Key::SyncMax, scenario.disk.sync.max.as_nanos()),
            _ => u64::MAX, // it depends on no other
        };
        let drawn = match pinned {
            Some((of, value)) if of == *key => value.min(most).max(range.min),
            Some(_) | None => value_of(*range, most, &mut seed.stream(name_of(*key), SWARM)),
        };
        values.insert(*key, drawn);
    }
    let wipes = values.get(&Key::Wipes).map(|wipes| *wipes > 0);
    let kinds = scenario
        .chaos
        .as_ref()
        .filter(|_| swarm.draws_kinds)
        .map(|chaos| some_of(&chaos.kinds, wipes, &mut seed.stream(KINDS, SWARM)));
    Drawn { values, kinds }
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

/// The object of the streams that keys are drawn from; each has one of its name, so that a new key
/// changes no other.
const SWARM: u64 = 0x5357_4152_4d00;

fn name_of(key: Key) -> &'static str {
    let (name, ..) = FORMS.iter().find(|(_, other, _)| *other == key).expect("every key has one");
    name
}

/// A value of `range` that is at most `most`; the least one if all are above that.
fn value_of(range: Range, most: u64, stream: &mut Stream) -> u64 {
    let width = range.max.min(most).saturating_sub(range.min);
    range.min + stream.below(width / range.step + 1) * range.step
}

/// A choice of `kinds`, each as likely as any other, of at least one. Where it is drawn how many
/// disks may be lost, it is drawn by that whether any is.
fn some_of(kinds: &[ChaosKind], wipes: Option<bool>, stream: &mut Stream) -> Vec<ChaosKind> {
    let is_in = |kind: &ChaosKind, stream: &mut Stream| {
        let is_drawn = stream.below(2) == 0;
        match kind {
            ChaosKind::Wipe => wipes.unwrap_or(is_drawn),
            _ => is_drawn, // no key of the budget is about this kind
        }
    };
    // Of lost disks alone there may be none.
    let is_possible = kinds.iter().any(|kind| *kind != ChaosKind::Wipe || wipes != Some(false));
    loop {
        let some: Vec<ChaosKind> =
            kinds.iter().copied().filter(|kind| is_in(kind, stream)).collect();
        if !some.is_empty() {
            return some;
        }
        if !is_possible {
            return kinds.to_vec(); // the budget allows none of them
        }
    }
}

fn with_drawn(base: &Scenario, drawn: &Drawn, seed: Seed) -> Scenario {
    let mut scenario = Scenario { swarm: None, ..base.clone() };
    let mut settings = Settings::clone(&base.config);
    for (&key, &value) in &drawn.values {
        put(key, value, seed, &mut scenario, &mut settings);
    }
    settings.members = scenario.cast.members().collect();
    if let (Some(chaos), Some(kinds)) = (&mut scenario.chaos, &drawn.kinds) {
        chaos.kinds.clone_from(kinds);
    }
    scenario.config = Config::new(settings).expect("ranges that were checked");
    scenario
}

fn put(key: Key, value: u64, seed: Seed, scenario: &mut Scenario, settings: &mut Settings) {
    let span = Span::from_nanos(value);
    let up_to = |range: &mut SpanRange| {
        *range = SpanRange { min: range.min.min(span), max: span };
    };
    let from = |range: &mut SpanRange| range.min = span.min(range.max);
    let Scenario { cast, network, disk, clocks, chaos, workload, phases, .. } = scenario;
    let (chaos, workload) = (chaos.iter_mut(), workload.iter_mut());
    match key {
        Key::Nodes => cast.nodes = value as u16,
        Key::Spare => cast.spare = value as u16,
        Key::Clients => cast.clients = value as u16,
        Key::Replicas => settings.replicas = value as usize,
        Key::VirtualNodes => settings.virtual_nodes = value as u32,
        Key::RingBits => settings.ring_bits = value as u32,
        Key::Hash => settings.hash = [HashKind::Sha1, HashKind::Md5][value as usize],
        Key::Commit => settings.commit = [CommitMode::Staged, CommitMode::TwoPhase][value as usize],
        Key::ChunkPaths => settings.chunk_paths = value as u32,
        Key::CheckpointRecords => settings.checkpoint_records = value as u32,
        Key::LockLease => settings.lock_lease = span,
        Key::MembershipLease => settings.membership_lease = span,
        Key::RequestTimeout => settings.request_timeout = span,
        Key::AttemptTimeout => settings.attempt_timeout = span,
        Key::RetryDelay => settings.retry_delay = span,
        Key::VoteTimeout => settings.vote_timeout = span,
        Key::InquiryInterval => settings.inquiry_interval = span,
        Key::ChunkPause => settings.chunk_pause = span,
        Key::DriftMaxPpm => settings.drift_max_ppm = value as u32,
        Key::Queue => settings.limits.queue = value as usize,
        Key::Loss => network.loss = share(value),
        Key::Duplication => network.duplication = share(value),
        Key::Spike => network.spike = share(value),
        Key::SpikeLatencyMax => up_to(&mut network.spike_latency),
        Key::LatencyMax => up_to(&mut network.latency),
        Key::LatencyMin => from(&mut network.latency),
        Key::SyncMax => up_to(&mut disk.sync),
        Key::SyncMin => from(&mut disk.sync),
        Key::ClockOffsetMax => set_ahead(clocks, *cast, span, seed),
        Key::Operations => workload.for_each(|workload| workload.operations = value as u32),
        Key::Paths => workload.for_each(|workload| workload.paths = value as u32),
        Key::ThinkMax => workload.for_each(|workload| up_to(&mut workload.think)),
        Key::AtOnce => workload.for_each(|workload| workload.at_once = value as u16),
        Key::BeyondLimits => workload.for_each(|workload| workload.beyond_limits = share(value)),
        Key::Named => workload.for_each(|workload| workload.named = share(value)),
        Key::ReadFraction => workload.for_each(|workload| {
            if let WorkloadKind::Files { read_fraction, .. } = &mut workload.kind {
                *read_fraction = share(value);
            }
        }),
        Key::ContentsBytes => workload.for_each(|workload| {
            if let WorkloadKind::Files { contents_bytes, .. } = &mut workload.kind {
                *contents_bytes = value as u32;
            }
        }),
        Key::Safety => phases.safety = span,
        Key::ChaosIntervalMax => chaos.for_each(|chaos| up_to(&mut chaos.interval)),
        Key::ChaosDurationMax => chaos.for_each(|chaos| up_to(&mut chaos.duration)),
        Key::Aimed => chaos.for_each(|chaos| chaos.aimed = share(value)),
        Key::Together => chaos.for_each(|chaos| chaos.together = share(value)),
        Key::StorageNodesDown => {
            chaos.for_each(|chaos| chaos.budget.storage_nodes_down = value as u16);
        }
        Key::ControlDown => chaos.for_each(|chaos| chaos.budget.control_down = value == 1),
        Key::ClientsDown => chaos.for_each(|chaos| chaos.budget.clients_down = value as u16),
        Key::Wipes => chaos.for_each(|chaos| chaos.budget.wipes = value as u16),
    }
}

/// Sets every clock of which the file says nothing ahead by a drawn time.
fn set_ahead(clocks: &mut Vec<Clock>, cast: Cast, most: Span, seed: Seed) {
    for node in cast.machines() {
        if clocks.iter().all(|clock| clock.node != node) {
            let mut stream = seed.stream("clock_offset", code(node).into());
            let offset = stream.span(SpanRange { min: Span::ZERO, max: most });
            clocks.push(Clock { node, offset, drift_ppm: 0 });
        }
    }
}

fn share(parts: u64) -> Ppb {
    Ppb::new(parts as u32).expect("between two probabilities")
}

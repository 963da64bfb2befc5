//! `[swarm]`: what the seed puts in place of what the other tables say.
//!
//! Each key has a stream of its own, so that taking one out changes no other value. Values that
//! depend on each other are drawn so that they go together: no more replicas than nodes, fewer
//! storage nodes down at once than there are replicas.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use seedbed::proto::{Config, Settings, Span};

use crate::fault::ChaosKind;
use crate::quantity::{Ppb, SpanRange};
use crate::scenario::Scenario;
use crate::scenario::swarm::{FORMS, KINDS, Key, Range, Swarm, Unit};
use crate::seed::{Seed, Stream};

#[cfg(test)]
mod tests;

/// The scenario that `seed` runs: this one, with what `[swarm]` draws in place of what the other
/// tables say.
pub fn for_seed(scenario: &Scenario, seed: u64) -> Cow<'_, Scenario> {
    match &scenario.swarm {
        Some(swarm) => Cow::Owned(with_drawn(scenario, &draw(swarm, scenario, Seed(seed)))),
        None => Cow::Borrowed(scenario),
    }
}

/// What `[swarm]` draws from `seed`, in one line; `None` where the file has none.
pub fn drawn(scenario: &Scenario, seed: u64) -> Option<String> {
    scenario.swarm.as_ref().map(|swarm| draw(swarm, scenario, Seed(seed)).to_string())
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

/// What `seed` draws.
fn draw(swarm: &Swarm, scenario: &Scenario, seed: Seed) -> Drawn {
    let mut values: BTreeMap<Key, u64> = BTreeMap::new();
    for (key, range) in &swarm.ranges {
        let value = |key, usual| values.get(&key).copied().unwrap_or(usual);
        let most = match key {
            Key::Replicas => value(Key::Nodes, scenario.cast.nodes.into()),
            Key::StorageNodesDown => {
                value(Key::Replicas, scenario.config.replicas as u64).saturating_sub(1)
            }
            Key::Nodes | Key::Spare | Key::Clients | Key::VirtualNodes | Key::RingBits => u64::MAX,
            Key::ChunkPaths | Key::CheckpointRecords | Key::LockLease => u64::MAX,
            Key::MembershipLease | Key::AttemptTimeout | Key::VoteTimeout => u64::MAX,
            Key::InquiryInterval | Key::ChunkPause | Key::Loss | Key::Duplication => u64::MAX,
            Key::Spike | Key::LatencyMax | Key::SyncMax | Key::ChaosIntervalMax => u64::MAX,
            Key::ChaosDurationMax | Key::Wipes => u64::MAX,
        };
        let drawn = value_of(*range, most, &mut seed.stream("swarm", *key as u64));
        values.insert(*key, drawn);
    }
    let kinds = scenario
        .chaos
        .as_ref()
        .filter(|_| swarm.draws_kinds)
        .map(|chaos| some_of(&chaos.kinds, &mut seed.stream("swarm", Key::KINDS_STREAM)));
    Drawn { values, kinds }
}

/// A value of `range` that is at most `most`; the least one if all are above that.
fn value_of(range: Range, most: u64, stream: &mut Stream) -> u64 {
    let width = range.max.min(most).saturating_sub(range.min);
    range.min + stream.below(width / range.step + 1) * range.step
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

fn with_drawn(base: &Scenario, drawn: &Drawn) -> Scenario {
    let mut scenario = Scenario { swarm: None, ..base.clone() };
    let mut settings = Settings::clone(&base.config);
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

fn share(parts: u64) -> Ppb {
    Ppb::new(parts as u32).expect("between two probabilities")
}

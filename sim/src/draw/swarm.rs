//! `[swarm]`: what the seed puts in place of what the other tables say.
//!
//! Each key has a stream of its own, so that taking one out changes no other value. Values that
//! depend on each other are drawn so that they go together: no more machines are away than there
//! are.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use seedbed::machine::Span;

use crate::cast::Cast;
use crate::fault::ChaosKind;
use crate::quantity::{Ppb, SpanRange};
use crate::scenario::swarm::{GeneralKey, KINDS, Key, Range, Swarm, Unit};
use crate::scenario::{Clock, Scenario, written};
use crate::seed::{Seed, Stream, code};
use crate::under_test::UnderTest;

#[cfg(all(test, feature = "file-service"))]
mod tests;

/// The scenario that `seed` runs: this one, with what `[swarm]` draws in place of what the other
/// tables say.
pub fn for_seed<S: UnderTest>(scenario: &Scenario<S>, seed: u64) -> Cow<'_, Scenario<S>> {
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
pub struct DrawnKey<S: UnderTest> {
    /// Its name.
    pub name: &'static str,
    /// The key of another table that it takes the place of, as `table.key`.
    pub replaces: &'static str,
    key: Key<S>,
    range: Range,
}

/// The keys that the `[swarm]` of a file draws.
pub fn keys<S: UnderTest>(scenario: &Scenario<S>) -> Vec<DrawnKey<S>> {
    let ranges = scenario.swarm.iter().flat_map(|swarm| &swarm.ranges);
    let drawn = ranges.map(|(key, range)| DrawnKey {
        name: key.name(),
        replaces: key.replaces(),
        key: *key,
        range: *range,
    });
    drawn.collect()
}

/// The scenarios that `seed` would run if it drew the least for `key`, and if it drew the most.
pub fn at_both_ends<S: UnderTest>(
    scenario: &Scenario<S>,
    seed: u64,
    key: DrawnKey<S>,
) -> [Scenario<S>; 2] {
    let seed = Seed(seed);
    let DrawnKey { range, key, .. } = key;
    let swarm = scenario.swarm.as_ref().expect("a key of a swarm");
    [range.min, range.max]
        .map(|end| with_drawn(scenario, &draw(swarm, scenario, seed, Some((key, end))), seed))
}

/// What `[swarm]` draws from `seed`, in one line; `None` where the file has none.
pub fn drawn<S: UnderTest>(scenario: &Scenario<S>, seed: u64) -> Option<String> {
    scenario.swarm.as_ref().map(|swarm| draw(swarm, scenario, Seed(seed), None).to_string())
}

/// What `[swarm]` draws from `seed`, as the tables say it whose keys it takes the place of; without
/// what is one end of a range, or is about drawn faults and requests.
pub fn drawn_keys<S: UnderTest>(scenario: &Scenario<S>, seed: u64) -> Vec<(String, toml::Value)> {
    let Some(swarm) = &scenario.swarm else { return Vec::new() };
    let is_whole = |key: &Key<S>| match key {
        Key::General(
            GeneralKey::SpikeLatencyMax
            | GeneralKey::LatencyMax
            | GeneralKey::LatencyMin
            | GeneralKey::SyncMax
            | GeneralKey::SyncMin
            | GeneralKey::ClockOffsetMax,
        ) => false,
        key => !key.is_of_chaos() && !key.is_of_workload(),
    };
    let drawn = draw(swarm, scenario, Seed(seed), None).values.into_iter();
    drawn
        .filter(|(key, _)| is_whole(key))
        .map(|(key, value)| (key.replaces().to_owned(), value_written(key, value)))
        .collect()
}

fn value_written<S: UnderTest>(key: Key<S>, value: u64) -> toml::Value {
    match key.unit() {
        Unit::Count(..) => i64::try_from(value).unwrap_or(i64::MAX).into(),
        Unit::Share => written::share(share(value)),
        Unit::Any(names) => match names[value as usize] {
            "true" => true.into(),
            "false" => false.into(),
            name => name.into(),
        },
        Unit::Span(_) => written::duration(Span::from_nanos(value)),
    }
}

/// What a seed has drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Drawn<S: UnderTest> {
    values: BTreeMap<Key<S>, u64>,
    kinds: Option<Vec<ChaosKind<S>>>,
}

impl<S: UnderTest> fmt::Display for Drawn<S> {
    /// `nodes 5, loss 0.01, kinds crash+pause`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = |(key, value): (&Key<S>, &u64)| {
            let (name, value) = (key.name(), *value);
            match key.unit() {
                Unit::Count(..) => format!("{name} {value}"),
                Unit::Share => format!("{name} {}", share(value)),
                Unit::Any(names) => format!("{name} {}", names[value as usize]),
                Unit::Span(_) => format!("{name} {}", Span::from_nanos(value)),
            }
        };
        let kinds = self.kinds.as_ref().map(|kinds| {
            let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
            format!("{KINDS} {}", names.join("+"))
        });
        let all: Vec<String> = self.values.iter().map(value).chain(kinds).collect();
        f.write_str(&all.join(", "))
    }
}

/// What `seed` draws; the `pinned` key has this value, or the nearest that goes with the others.
fn draw<S: UnderTest>(
    swarm: &Swarm<S>,
    scenario: &Scenario<S>,
    seed: Seed,
    pinned: Option<(Key<S>, u64)>,
) -> Drawn<S> {
    let mut values: BTreeMap<Key<S>, u64> = BTreeMap::new();
    for (key, range) in &swarm.ranges {
        let value = |key: Key<S>, usual| values.get(&key).copied().unwrap_or(usual);
        let most = match key {
            Key::General(key) => {
                most_drawn(*key, scenario, |key, usual| value(Key::General(key), usual))
            }
            Key::System(key) => S::most_drawn(*key, scenario, &value),
        };
        let drawn = match pinned {
            Some((of, value)) if of == *key => value.min(most).max(range.min),
            Some(_) | None => value_of(*range, most, &mut seed.stream(purpose(*key), SWARM)),
        };
        values.insert(*key, drawn);
    }
    let wipes = values.get(&Key::General(GeneralKey::Wipes)).map(|wipes| *wipes > 0);
    let kinds = scenario
        .chaos
        .as_ref()
        .filter(|_| swarm.draws_kinds)
        .map(|chaos| some_of(&chaos.kinds, wipes, &mut seed.stream(KINDS, SWARM)));
    Drawn { values, kinds }
}

/// The most that may be drawn for a key.
fn most_drawn<S: UnderTest>(
    key: GeneralKey,
    scenario: &Scenario<S>,
    value: impl Fn(GeneralKey, u64) -> u64,
) -> u64 {
    let Scenario { cast, network, disk, .. } = scenario;
    match key {
        GeneralKey::NodesDown => {
            value(GeneralKey::Nodes, cast.nodes.into())
                + value(GeneralKey::Spare, cast.spare.into())
        }
        GeneralKey::ClientsDown => value(GeneralKey::Clients, cast.clients.into()),
        GeneralKey::LatencyMin => value(GeneralKey::LatencyMax, network.latency.max.as_nanos()),
        GeneralKey::SyncMin => value(GeneralKey::SyncMax, disk.sync.max.as_nanos()),
        _ => u64::MAX, // it depends on no other
    }
}

/// What the stream of a key is for: its name, so that a new key changes no other.
fn purpose<S: UnderTest>(key: Key<S>) -> &'static str {
    match key {
        // Seeds draw what they drew when the key had this name.
        Key::General(GeneralKey::NodesDown) => "storage_nodes_down",
        key => key.name(),
    }
}

/// The object of the streams that keys are drawn from.
const SWARM: u64 = 0x5357_4152_4d00;

/// A value of `range` that is at most `most`; the least one if all are above that.
fn value_of(range: Range, most: u64, stream: &mut Stream) -> u64 {
    let width = range.max.min(most).saturating_sub(range.min);
    range.min + stream.below(width / range.step + 1) * range.step
}

/// A choice of `kinds`, each as likely as any other, of at least one. Where it is drawn how many
/// disks may be lost, it is drawn by that whether any is.
fn some_of<S: UnderTest>(
    kinds: &[ChaosKind<S>],
    wipes: Option<bool>,
    stream: &mut Stream,
) -> Vec<ChaosKind<S>> {
    let is_in = |kind: &ChaosKind<S>, stream: &mut Stream| {
        let is_drawn = stream.below(2) == 0;
        match kind.loses_a_disk() {
            true => wipes.unwrap_or(is_drawn),
            false => is_drawn, // no key of the budget is about this kind
        }
    };
    // Of lost disks alone there may be none.
    let is_possible = kinds.iter().any(|kind| !kind.loses_a_disk() || wipes != Some(false));
    loop {
        let some: Vec<ChaosKind<S>> =
            kinds.iter().copied().filter(|kind| is_in(kind, stream)).collect();
        if !some.is_empty() {
            return some;
        }
        if !is_possible {
            return kinds.to_vec(); // the budget allows none of them
        }
    }
}

fn with_drawn<S: UnderTest>(base: &Scenario<S>, drawn: &Drawn<S>, seed: Seed) -> Scenario<S> {
    let mut scenario = Scenario { swarm: None, ..base.clone() };
    let mut of_system = Vec::new();
    for (key, value) in &drawn.values {
        match key {
            Key::General(key) => put(*key, *value, seed, &mut scenario),
            Key::System(key) => of_system.push((*key, *value)),
        }
    }
    if let (Some(chaos), Some(kinds)) = (&mut scenario.chaos, &drawn.kinds) {
        chaos.kinds.clone_from(kinds);
    }
    S::put_drawn(&mut scenario, &of_system);
    scenario
}

fn put<S: UnderTest>(key: GeneralKey, value: u64, seed: Seed, scenario: &mut Scenario<S>) {
    let span = Span::from_nanos(value);
    let up_to = |range: &mut SpanRange| {
        *range = SpanRange { min: range.min.min(span), max: span };
    };
    let from = |range: &mut SpanRange| range.min = span.min(range.max);
    let Scenario { cast, network, disk, clocks, chaos, phases, .. } = scenario;
    let chaos = chaos.iter_mut();
    match key {
        GeneralKey::Nodes => cast.nodes = value as u16,
        GeneralKey::Spare => cast.spare = value as u16,
        GeneralKey::Clients => cast.clients = value as u16,
        GeneralKey::Loss => network.loss = share(value),
        GeneralKey::Duplication => network.duplication = share(value),
        GeneralKey::Spike => network.spike = share(value),
        GeneralKey::SpikeLatencyMax => up_to(&mut network.spike_latency),
        GeneralKey::LatencyMax => up_to(&mut network.latency),
        GeneralKey::LatencyMin => from(&mut network.latency),
        GeneralKey::SyncMax => up_to(&mut disk.sync),
        GeneralKey::SyncMin => from(&mut disk.sync),
        GeneralKey::ClockOffsetMax => set_ahead(clocks, *cast, span, seed),
        GeneralKey::Safety => phases.safety = span,
        GeneralKey::ChaosIntervalMax => chaos.for_each(|chaos| up_to(&mut chaos.interval)),
        GeneralKey::ChaosDurationMax => chaos.for_each(|chaos| up_to(&mut chaos.duration)),
        GeneralKey::Aimed => chaos.for_each(|chaos| chaos.aimed = share(value)),
        GeneralKey::Together => chaos.for_each(|chaos| chaos.together = share(value)),
        GeneralKey::NodesDown => {
            chaos.for_each(|chaos| chaos.budget.nodes_down = value as u16);
        }
        GeneralKey::ControlDown => chaos.for_each(|chaos| chaos.budget.control_down = value == 1),
        GeneralKey::ClientsDown => chaos.for_each(|chaos| chaos.budget.clients_down = value as u16),
        GeneralKey::Wipes => chaos.for_each(|chaos| chaos.budget.wipes = value as u16),
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

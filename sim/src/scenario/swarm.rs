//! `[swarm]`: keys whose values are drawn from the seed before the run.
//!
//! One file then stands for many clusters, and a sweep meets combinations that no file names.
//! What no seed could make valid is refused here; the values are drawn in
//! [`draw::swarm`](crate::draw::swarm).

mod keys;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use seedbed::machine::{Span, Time};
use seedbed::proto::Config;
use seedbed::proto::lease::LeaseTerms;

use super::cluster::{Cast, Cluster, Named, POINTS, need_managed, points, too_many};
use super::error::{Refused, all};
use super::reader::{Result, Table};
use super::value::Value;
use super::{Scenario, Workload, WorkloadKind};
use crate::fault::Fault;
use crate::quantity::Ppb;

use keys::NODES;
pub(super) use keys::SWARM;
pub(crate) use keys::{FORMS, KINDS, Key, Range, Unit};

/// Values that are drawn from the seed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Swarm {
    /// The keys that are drawn, in the order in which they are.
    pub(crate) ranges: BTreeMap<Key, Range>,
    /// Is it drawn which of the kinds of `[chaos]` there are?
    pub(crate) draws_kinds: bool,
}

/// Reads `[swarm]`.
pub(super) fn read(root: &Table<'_>, cluster: &Cluster) -> Result<Option<Swarm>> {
    root.maybe("swarm", |value| {
        let table = value.table(&SWARM)?;
        let ranges = FORMS.iter().map(|(name, key, unit)| {
            let range = table.maybe(name, |value| unit.read(&value))?;
            Ok(range.map(|range| (*key, range)))
        });
        let ranges = all(ranges);
        let kinds = table.maybe(KINDS, |value| value.pick("choice of kinds", [("any", ())]));
        let ranges = ranges?.into_iter().flatten().collect();
        let swarm = Swarm { ranges, draws_kinds: kinds?.is_some() };
        if swarm.ranges.is_empty() && !swarm.draws_kinds {
            return Err(value.error("expected at least one key, found none"));
        }
        let has = |table| root.get(table).is_some();
        swarm.check(&table, has("chaos"), has("workload"), cluster)?;
        Ok(swarm)
    })
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

    /// May a seed aim a fault, if the file itself says `aimed`?
    pub(super) fn may_aim(&self, aimed: Ppb) -> bool {
        *self.bounds(Key::Aimed, aimed.get().into()).end() > 0
    }

    /// The most paths of a workload, if the file itself says `paths`.
    pub(super) fn most_paths(&self, paths: u32) -> u32 {
        *self.bounds(Key::Paths, paths.into()).end() as u32
    }

    /// From the least to the most that a key may have, which is `usual` if it is not drawn.
    fn bounds(&self, key: Key, usual: u64) -> RangeInclusive<u64> {
        self.ranges.get(&key).map_or(usual..=usual, |range| range.min..=range.max)
    }

    /// The shortest safety phase, if that of the file itself is `safety`.
    pub(super) fn shortest_safety(&self, safety: Span) -> Span {
        Span::from_nanos(*self.bounds(Key::Safety, safety.as_nanos()).start()).min(safety)
    }

    /// Refuses what some seed could not draw so that it makes sense.
    fn check(
        &self,
        table: &Table<'_>,
        chaos: bool,
        workload: bool,
        cluster: &Cluster,
    ) -> Result<()> {
        for (name, key, _) in FORMS {
            let Some(value) = table.known_value(name) else { continue };
            if key.is_of_chaos() && !chaos {
                value.error("needs `[chaos]`");
            }
            if key.is_of_workload() && !workload {
                value.error("needs `[workload]`");
            }
        }
        if let Some(value) = table.known_value(KINDS).filter(|_| !chaos) {
            value.error("needs `[chaos]`");
        }
        let config = cluster.lenient();
        let given = |name: &&str| table.known_value(name);
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
        Ok(())
    }
}

/// Refuses what the rest of the file does not go with, whatever the seed.
pub(super) fn check_with_file(root: &Table<'_>, scenario: &Scenario) {
    let Some(swarm) = &scenario.swarm else { return };
    let place = |key: &str| root.get("swarm").and_then(|swarm| swarm.inside(key));
    let kind = scenario.workload.as_ref().map(|workload| &workload.kind);
    for (name, key, _) in FORMS.iter().filter(|(_, key, _)| swarm.ranges.contains_key(key)) {
        let Some(value) = place(name) else { continue };
        if key.is_of_files() && !matches!(kind, Some(WorkloadKind::Files { .. })) {
            value.error("needs `workload.kind = \"files\"`");
        }
    }
    let of = |key, usual: u64| swarm.bounds(key, usual);
    if matches!(kind, Some(WorkloadKind::Bank { .. })) && *of(Key::Paths, 2).start() < 2 {
        place("paths").map(|value| value.error("a bank has 2 accounts or more"));
    }
    if let Some(workload) = &scenario.workload {
        check_counters(swarm, workload, place);
    }
    let (config, phases) = (&scenario.config, &scenario.phases);
    let longest = *of(Key::ContentsBytes, 0).end();
    if longest > config.limits.contents_bytes as u64 {
        let message =
            format!("expected at most {} (`limits.contents_bytes`)", config.limits.contents_bytes);
        place("contents_bytes").map(|value| value.error(message));
    }
    let drift_max_ppm = *of(Key::DriftMaxPpm, config.drift_max_ppm.into()).end() as u32;
    let longest = *of(Key::RequestTimeout, config.request_timeout.as_nanos()).end();
    let terms = LeaseTerms { length: Span::from_nanos(longest), drift_max_ppm };
    if phases.liveness < terms.giver_until(Time::ZERO).since(Time::ZERO) {
        let message = format!("the liveness phase ({}) is too short for that", phases.liveness);
        place("request_timeout").or(place("drift_max_ppm")).map(|value| value.error(message));
    }
    let least = *of(Key::DriftMaxPpm, config.drift_max_ppm.into()).start();
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
    let paths = *swarm.bounds(Key::Paths, workload.paths.into()).start();
    let users = *swarm.bounds(Key::AtOnce, workload.at_once.into()).start();
    let is_short = users > paths;
    match workload.kind {
        WorkloadKind::LockedCounter if is_short => {
            let message = format!("{users} users of a client (`at_once`) need {users} counters");
            place("paths").or_else(|| place("at_once")).map(|value| value.error(message));
        }
        WorkloadKind::LockedCounter | WorkloadKind::Files { .. } | WorkloadKind::Bank { .. } => {}
    }
}

/// Notes an error at the first of `keys` that is there.
fn at(table: &Table<'_>, keys: &[&'static str], message: &str) -> Refused {
    match keys.iter().find_map(|key| table.get(key)) {
        Some(value) => value.error(message),
        None => table.fault(message),
    }
}

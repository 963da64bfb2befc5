//! `[swarm]`: keys whose values are drawn from the seed before the run.
//!
//! One file then stands for many clusters, and a sweep meets combinations that no file names.
//! What no seed could make valid is refused here; the values are drawn in
//! [`draw::swarm`](crate::draw::swarm).

mod keys;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use seedbed::machine::Span;

use super::cluster::{Cluster, MOST_NODES, Named};
use super::error::Result;
use super::error::{Refused, all};
use super::reader::Table;
use crate::cast::Cast;
use crate::name::Name;
use crate::quantity::Ppb;
use crate::under_test::UnderTest;

pub(super) use keys::SWARM;
pub use keys::{GeneralKey, KINDS, Key, Listed, Range, Unit};

/// Values that are drawn from the seed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Swarm<S: UnderTest> {
    /// The keys that are drawn, in the order in which they are.
    pub(crate) ranges: BTreeMap<Key<S>, Range>,
    /// Is it drawn which of the kinds of `[chaos]` there are?
    pub(crate) draws_kinds: bool,
}

/// Reads `[swarm]`.
pub(super) fn read<S: UnderTest>(
    root: &Table<'_>,
    cluster: &Cluster<S>,
) -> Result<Option<Swarm<S>>> {
    root.maybe("swarm", |value| {
        let table = value.table(&SWARM.of::<S>())?;
        let ranges = Key::<S>::all().map(|key| {
            let range = table.maybe(key.name(), |value| key.unit().read(&value))?;
            Ok(range.map(|range| (key, range)))
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

impl<S: UnderTest> Swarm<S> {
    /// The machines that are there whatever the seed: a file names no others.
    pub(super) fn fewest(&self, cast: Cast) -> Named {
        let nodes = self.bounds(Key::General(GeneralKey::Nodes), cast.nodes.into());
        let spare = self.bounds(Key::General(GeneralKey::Spare), cast.spare.into());
        let clients = self.bounds(Key::General(GeneralKey::Clients), cast.clients.into());
        let fewest_nodes = (nodes.start() + spare.start()).min(cast.all_nodes().into());
        let clients = (*clients.start()).min(cast.clients.into());
        let fewest = Cast { nodes: fewest_nodes as u16, spare: 0, clients: clients as u16, ..cast };
        let is_drawn = (fewest.all_nodes(), fewest.clients) != (cast.all_nodes(), cast.clients);
        Named { cast: fewest, is_drawn, is_known: true }
    }

    /// May a seed lose a disk, if the budget of the file itself is `wipes`?
    pub(super) fn may_wipe(&self, wipes: u16) -> bool {
        *self.bounds(Key::General(GeneralKey::Wipes), wipes.into()).end() > 0
    }

    /// May a seed aim a fault, if the file itself says `aimed`?
    pub(super) fn may_aim(&self, aimed: Ppb) -> bool {
        *self.bounds(Key::General(GeneralKey::Aimed), aimed.get().into()).end() > 0
    }

    /// Is this key drawn?
    pub fn draws(&self, key: Key<S>) -> bool {
        self.ranges.contains_key(&key)
    }

    /// From the least to the most that a key may have, which is `usual` if it is not drawn.
    pub fn bounds(&self, key: Key<S>, usual: u64) -> RangeInclusive<u64> {
        self.ranges.get(&key).map_or(usual..=usual, |range| range.min..=range.max)
    }

    /// The shortest safety phase, if that of the file itself is `safety`.
    pub(super) fn shortest_safety(&self, safety: Span) -> Span {
        Span::from_nanos(*self.bounds(Key::General(GeneralKey::Safety), safety.as_nanos()).start())
            .min(safety)
    }

    /// Refuses what some seed could not draw so that it makes sense.
    fn check(
        &self,
        table: &Table<'_>,
        chaos: bool,
        workload: bool,
        cluster: &Cluster<S>,
    ) -> Result<()> {
        for key in Key::<S>::all() {
            let Some(value) = table.known_value(key.name()) else { continue };
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
        if let Some(value) = table.known_value(GeneralKey::Wipes.name()) {
            S::may_lose_a_disk(&cluster.lenient).map_err(|why| value.error(why))?;
        }
        let cast = cluster.cast?;
        S::check_swarm(table, self, cast, &cluster.lenient)?;
        cluster.config.as_deref().map_err(|no| *no)?;
        self.check_numbers(table, cast)
    }

    /// Refuses numbers that do not go with each other.
    fn check_numbers(&self, table: &Table<'_>, cast: Cast) -> Result<()> {
        let nodes = self.bounds(Key::General(GeneralKey::Nodes), cast.nodes.into());
        let spare = self.bounds(Key::General(GeneralKey::Spare), cast.spare.into());
        let most = nodes.end() + spare.end();
        if most > MOST_NODES as u64 {
            let message = format!("up to {most} nodes in all, expected at most {MOST_NODES}");
            return Err(at(table, &["spare", "nodes"], &message));
        }
        Ok(())
    }
}

/// Notes an error at the first of `keys` that is there.
pub fn at(table: &Table<'_>, keys: &[&'static str], message: &str) -> Refused {
    match keys.iter().find_map(|key| table.known_value(key)) {
        Some(value) => value.error(message),
        None => table.fault(message),
    }
}

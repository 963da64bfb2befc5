//! `[chaos]`: faults drawn from the seed, within a budget.

use seedbed::proto::{Config, Role, Span};

use super::cluster::{Named, need_managed};
use super::reader::{Result, Table};
use super::value::Value;
use crate::fault::ChaosKind;
use crate::quantity::{Ppb, SpanRange};

/// Faults drawn from the seed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Chaos {
    /// What may happen: at least one kind, each once.
    pub kinds: Vec<ChaosKind>,
    /// How much may fail at once.
    pub budget: Budget,
    /// How long it is from one fault to the next.
    pub interval: SpanRange,
    /// How long each of them lasts.
    pub duration: SpanRange,
    /// How likely one of them waits for a milestone instead of a time.
    pub aimed: Ppb,
}

/// How much may fail at once: a drawn plan never exceeds it, so a run that does not go on is a bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Budget {
    /// Storage nodes that may be down, paused or cut off.
    pub storage_nodes_down: u16,
    /// May the central node be?
    pub control_down: bool,
    /// Clients that may be.
    pub clients_down: u16,
    /// Disks that may be lost in a run.
    pub wipes: u16,
}

impl Budget {
    /// How many machines of this role may be away at once.
    pub fn most_away(&self, role: Role) -> usize {
        match role {
            Role::Control => self.control_down.into(),
            Role::Storage => self.storage_nodes_down.into(),
            Role::Client => self.clients_down.into(),
        }
    }
}

pub(super) const KEYS: &[&str] = &["kinds", "budget", "interval", "duration", "aimed"];
const BUDGET: &[&str] = &["storage_nodes_down", "control_down", "clients_down", "wipes"];

pub(super) fn read(root: &Table<'_>, cast: Named, config: &Config) -> Result<Option<Chaos>> {
    root.maybe("chaos", |value| {
        let table = value.table(KEYS)?;
        let budget = budget(&table.section("budget", BUDGET)?, cast, config)?;
        let kinds = table.need("kinds", "kinds of faults")?;
        Ok(Chaos {
            kinds: kinds.distinct(|value| kind(value, config))?,
            budget,
            interval: table.or("interval", SpanRange::from_millis(500, 4_000), interval)?,
            duration: table.or("duration", SpanRange::from_millis(200, 5_000), |v| v.spans())?,
            aimed: table.or("aimed", Ppb::ZERO, |value| value.probability())?,
        })
    })
}

fn kind(value: &Value<'_>, config: &Config) -> Result<ChaosKind> {
    let names = ChaosKind::ALL.iter().map(|kind| (kind.name(), *kind));
    let kind = value.pick("kind of fault", names)?;
    if kind.is_of_managed() {
        need_managed(value, config)?;
    }
    Ok(kind)
}

fn budget(table: &Table<'_>, cast: Named, config: &Config) -> Result<Budget> {
    if let Some(wipes) = table.known_value("wipes") {
        need_managed(&wipes, config)?;
    }
    let down = |key, usual, all: u16| table.or(key, usual, |value| value.integer(0..=all.into()));
    Ok(Budget {
        storage_nodes_down: down("storage_nodes_down", 1, cast.storage())?,
        control_down: table.or("control_down", false, |value| value.boolean())?,
        clients_down: down("clients_down", 0, cast.clients)?,
        wipes: down("wipes", 0, u16::MAX)?,
    })
}

/// The time between faults: not so short that a run is nothing else.
fn interval(value: Value<'_>) -> Result<SpanRange> {
    let range = value.spans()?;
    let ok = range.min >= Span::from_millis(1);
    if ok { Ok(range) } else { Err(value.error("expected at least \"1ms\" between faults")) }
}

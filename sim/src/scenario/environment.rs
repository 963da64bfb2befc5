//! `[network]`, `[disk]` and `[[clock]]`: what the cluster runs on.

use seedbed::proto::{NodeId, Span};

use super::cluster::Named;
use super::reader::{Result, Table};
use super::value::Value;
use crate::quantity::{Ppb, SpanRange};

const NETWORK: &[&str] = &["latency", "loss", "duplication", "spike", "spike_latency", "link"];
const LINK: &[&str] = &["from", "to", "latency", "loss"];
const CLOCK: &[&str] = &["node", "offset", "drift_ppm", "beyond_bound"];

/// How links behave while no fault touches them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Network {
    /// How long a message is under way.
    pub latency: SpanRange,
    /// How likely a message is lost.
    pub loss: Ppb,
    /// How likely a message arrives twice.
    pub duplication: Ppb,
    /// How likely a message takes [`Network::spike_latency`] instead.
    pub spike: Ppb,
    /// How long a message is under way that meets a spike.
    pub spike_latency: SpanRange,
    /// Links that differ; no two of the same two ends.
    pub links: Vec<Link>,
}

impl Network {
    /// How the link differs, if it does.
    pub fn link(&self, from: NodeId, to: NodeId) -> Option<&Link> {
        self.links.iter().find(|link| (link.from, link.to) == (from, to))
    }
}

/// How one direction of one link differs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Link {
    /// The sender.
    pub from: NodeId,
    /// The receiver.
    pub to: NodeId,
    /// Replaces [`Network::latency`].
    pub latency: Option<SpanRange>,
    /// Replaces [`Network::loss`].
    pub loss: Option<Ppb>,
}

/// How disks behave.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Disk {
    /// How long it takes to make records durable.
    pub sync: SpanRange,
}

/// A clock that differs from true time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Clock {
    /// The machine whose clock it is.
    pub node: NodeId,
    /// How far it is ahead at the start.
    pub offset: Span,
    /// How fast it is, in parts per million of true time; negative where it is slow.
    pub drift_ppm: i32,
}

pub(super) fn network(root: &Table<'_>, cast: Named) -> Result<Network> {
    let table = root.section("network", NETWORK)?;
    let spans = |key, usual| table.or(key, usual, |value| value.spans());
    let probability = |key| table.or(key, Ppb::ZERO, |value| value.probability());
    let network = Network {
        latency: spans("latency", SpanRange::from_millis(1, 10))?,
        loss: probability("loss")?,
        duplication: probability("duplication")?,
        spike: probability("spike")?,
        spike_latency: spans("spike_latency", SpanRange::from_millis(100, 1_000))?,
        links: links(&table, cast)?,
    };
    Ok(network)
}

fn links(network: &Table<'_>, cast: Named) -> Result<Vec<Link>> {
    let mut ends = std::collections::BTreeSet::new();
    network.each("link", |value| {
        let link = link(&value, cast)?;
        let (from, to) = (link.from, link.to);
        if ends.insert((from, to)) {
            Ok(link)
        } else {
            Err(value.error(format!("the link from `{from}` to `{to}` is there twice")))
        }
    })
}

fn link(value: &Value<'_>, cast: Named) -> Result<Link> {
    let table = value.table(LINK)?;
    let (from, to) = ends(&table, cast)?;
    let latency = table.maybe("latency", |value| value.spans())?;
    let loss = table.maybe("loss", |value| value.probability())?;
    if latency.is_none() && loss.is_none() {
        return Err(value.error("expected `latency` or `loss`, found neither"));
    }
    Ok(Link { from, to, latency, loss })
}

/// `from` and `to`, the two ends of a link.
pub(super) fn ends(table: &Table<'_>, cast: Named) -> Result<(NodeId, NodeId)> {
    let from = table.need("from", "the node that sends")?.node(cast)?;
    let receiver = table.need("to", "the node that receives")?;
    let to = receiver.node(cast)?;
    if from == to { Err(receiver.not("another node than `from`")) } else { Ok((from, to)) }
}

pub(super) fn disk(root: &Table<'_>) -> Result<Disk> {
    let usual = SpanRange { min: Span::from_micros(100), max: Span::from_millis(2) };
    Ok(Disk { sync: root.section("disk", &["sync"])?.or("sync", usual, |value| value.spans())? })
}

pub(super) fn clocks(root: &Table<'_>, cast: Named, drift_max_ppm: u32) -> Result<Vec<Clock>> {
    let mut seen = std::collections::BTreeSet::new();
    root.each("clock", |value| {
        let clock = clock(&value, cast, drift_max_ppm)?;
        if seen.insert(clock.node) {
            Ok(clock)
        } else {
            Err(value.error(format!("the clock of `{}` is there twice", clock.node)))
        }
    })
}

fn clock(value: &Value<'_>, cast: Named, drift_max_ppm: u32) -> Result<Clock> {
    // A clock that stands still or runs backwards is no clock, whatever the bound.
    const FASTEST: i64 = 900_000;
    let table = value.table(CLOCK)?;
    let node = table.need("node", "the node whose clock it is")?.node(cast)?;
    let offset = table.or("offset", Span::ZERO, |value| value.span())?;
    let drift_ppm: i32 = table.or("drift_ppm", 0, |value| value.integer(-FASTEST..=FASTEST))?;
    let beyond = table.or("beyond_bound", false, |value| value.boolean())?;
    if drift_ppm.unsigned_abs() > drift_max_ppm && !beyond {
        let expected = format!(
            "expected -{drift_max_ppm} to {drift_max_ppm} (`timing.drift_max_ppm`) or \
             `beyond_bound = true`, found `{drift_ppm}`"
        );
        return Err(table.error("drift_ppm", expected));
    }
    Ok(Clock { node, offset, drift_ppm })
}

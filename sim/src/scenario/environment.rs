//! `[network]`, `[disk]` and `[[clock]]`: what the cluster runs on.

use seedbed::machine::{NodeId, Span};

use super::cluster::Named;
use super::error::Result;
use super::grammar::{Key, Style, TableGrammar};
use super::reader::Table;
use super::value::Value;
use crate::quantity::{Ppb, SpanRange};
use crate::under_test::UnderTest;

const LATENCY: &str = "range of durations";

pub(super) const NETWORK: TableGrammar = TableGrammar {
    name: "network",
    style: Style::Single,
    meaning: "how links behave while no fault touches them",
    keys: &[
        Key::usually("latency", LATENCY, "[\"1ms\", \"10ms\"]", "how long a message is under way"),
        Key::usually("loss", "probability", "0", "that a message is lost"),
        Key::usually("duplication", "probability", "0", "that a message arrives twice"),
        Key::usually("spike", "probability", "0", "that a message takes `spike_latency` instead"),
        Key::usually(
            "spike_latency",
            LATENCY,
            "[\"100ms\", \"1s\"]",
            "how long a message is under way that meets a spike",
        ),
        Key::perhaps("link", "tables, see `[[network.link]]`", "none", "links that differ"),
    ],
    forms: &[],
    notes: &[],
    example: r#"
[network]
latency = ["2ms", "20ms"]
loss = 0.01
"#,
};

pub(super) const LINK: TableGrammar = TableGrammar {
    name: "network.link",
    style: Style::Many,
    meaning: "one direction of one link that differs from the others",
    keys: &[
        Key::needed("from", "machine", "the machine that sends"),
        Key::needed("to", "machine", "the machine that receives"),
        Key::perhaps("latency", LATENCY, "as in `[network]`", "how long a message is under way"),
        Key::perhaps("loss", "probability", "as in `[network]`", "that a message is lost"),
    ],
    forms: &[],
    notes: &["At least one of `latency` and `loss` is there. No link is there twice."],
    example: r#"
[[network.link]]
from = "c1"
to = "n1"
latency = ["50ms", "80ms"]
"#,
};

pub(super) const DISK: TableGrammar = TableGrammar {
    name: "disk",
    style: Style::Single,
    meaning: "how disks work while no fault touches them",
    keys: &[Key::usually(
        "sync",
        "range of durations",
        "[\"100us\", \"2ms\"]",
        "how long it takes to make records durable",
    )],
    forms: &[],
    notes: &[],
    example: r#"
[disk]
sync = ["1ms", "20ms"]
"#,
};

pub(super) const CLOCK: TableGrammar = TableGrammar {
    name: "clock",
    style: Style::Many,
    meaning: "a clock that differs from true time",
    keys: &[
        Key::needed("node", "machine", "whose clock it is"),
        Key::usually("offset", "duration", "\"0s\"", "by which it is ahead at the start"),
        Key::usually(
            "drift_ppm",
            "whole number, -900000 to 900000",
            "0",
            "how much it is too fast, in parts per million; negative where it is slow",
        ),
        Key::usually(
            "beyond_bound",
            "`true`, `false`",
            "false",
            "whether the drift may exceed the bound that the machines are promised",
        ),
    ],
    forms: &[],
    notes: &["No clock is there twice."],
    example: r#"
[[clock]]
node = "n1"
offset = "5s"
drift_ppm = -200
"#,
};

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

/// `[[clock]]`: how far off the clock of one machine is at first, and how fast it drifts.
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
    let table = root.section(&NETWORK);
    let spans = |key, usual| table.or(key, usual, |value| value.spans());
    let probability = |key| table.or(key, Ppb::ZERO, |value| value.probability());
    let latency = spans("latency", SpanRange::from_millis(1, 10));
    let loss = probability("loss");
    let duplication = probability("duplication");
    let spike = probability("spike");
    let spike_latency = spans("spike_latency", SpanRange::from_millis(100, 1_000));
    let links = links(&table, cast);
    Ok(Network {
        latency: latency?,
        loss: loss?,
        duplication: duplication?,
        spike: spike?,
        spike_latency: spike_latency?,
        links: links?,
    })
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
    let table = value.table(&LINK)?;
    let ends = ends(&table, cast);
    let latency = table.maybe("latency", |value| value.spans());
    let loss = table.maybe("loss", |value| value.probability());
    let ((from, to), latency, loss) = (ends?, latency?, loss?);
    if latency.is_none() && loss.is_none() {
        return Err(value.error("expected `latency` or `loss`, found neither"));
    }
    Ok(Link { from, to, latency, loss })
}

/// `from` and `to`, the two ends of a link.
pub(super) fn ends(table: &Table<'_>, cast: Named) -> Result<(NodeId, NodeId)> {
    let from = table.need("from", "the machine that sends").and_then(|from| from.machine(cast));
    let receiver = table.need("to", "the machine that receives");
    let to = receiver.as_ref().map_err(|refused| *refused).and_then(|to| to.machine(cast));
    let (from, to, receiver) = (from?, to?, receiver?);
    if from == to { Err(receiver.not("another machine than `from`")) } else { Ok((from, to)) }
}

pub(super) fn disk(root: &Table<'_>) -> Result<Disk> {
    let usual = SpanRange { min: Span::from_micros(100), max: Span::from_millis(2) };
    Ok(Disk { sync: root.section(&DISK).or("sync", usual, |value| value.spans())? })
}

pub(super) fn clocks<S: UnderTest>(
    root: &Table<'_>,
    cast: Named,
    drift_max_ppm: Result<u32>,
) -> Result<Vec<Clock>> {
    let mut seen = std::collections::BTreeSet::new();
    root.each("clock", |value| {
        let clock = clock::<S>(&value, cast, drift_max_ppm)?;
        if seen.insert(clock.node) {
            Ok(clock)
        } else {
            Err(value.error(format!("the clock of `{}` is there twice", clock.node)))
        }
    })
}

fn clock<S: UnderTest>(
    value: &Value<'_>,
    cast: Named,
    drift_max_ppm: Result<u32>,
) -> Result<Clock> {
    // A clock that stands still or runs backwards is no clock, whatever the bound.
    const FASTEST: i64 = 900_000;
    let table = value.table(&CLOCK)?;
    let node =
        table.need("node", "the machine whose clock it is").and_then(|node| node.machine(cast));
    let offset = table.or("offset", Span::ZERO, |value| value.span());
    let drift_ppm = table.or("drift_ppm", 0_i32, |value| value.integer(-FASTEST..=FASTEST));
    let beyond = table.or("beyond_bound", false, |value| value.boolean());
    let (drift_ppm, beyond) = (drift_ppm?, beyond?);
    let drift_max_ppm = if beyond { u32::MAX } else { drift_max_ppm? };
    if drift_ppm.unsigned_abs() > drift_max_ppm {
        let bound = S::DRIFT_BOUND;
        let expected = format!(
            "expected -{drift_max_ppm} to {drift_max_ppm} ({bound}) or \
             `beyond_bound = true`, found `{drift_ppm}`"
        );
        return Err(table.error("drift_ppm", expected));
    }
    Ok(Clock { node: node?, offset: offset?, drift_ppm })
}

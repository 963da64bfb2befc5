//! What a `[swarm]` may draw: each key with its name, what its values are, and what it says.

use seedbed::machine::Span;

use crate::name::Name;
use crate::scenario::cluster::MOST_NODES;
use crate::scenario::error::Result;
use crate::scenario::grammar::{self, Style, TableGrammar};
use crate::scenario::value::Value;
use crate::under_test::UnderTest;

/// What the values of a key are.
#[derive(Clone, Copy)]
pub enum Unit {
    /// Whole numbers of this range.
    Count(i64, i64),
    /// Probabilities.
    Share,
    /// Durations that this reads.
    Span(fn(&Value<'_>) -> Result<Span>),
    /// Any of these names: the file says `"any"`.
    Any(&'static [&'static str]),
}

/// Values from `min` to `max`, `step` apart: counts, parts per billion, nanoseconds, or places in a
/// list of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Range {
    /// The least.
    pub min: u64,
    /// The most.
    pub max: u64,
    /// How far one is from the next.
    pub step: u64,
}

/// The key that says that kinds are drawn.
pub const KINDS: &str = "kinds";

/// What is listed of a key.
#[derive(Clone, Copy)]
pub struct Listed {
    /// What its values are.
    pub unit: Unit,
    /// The key of another table that it takes the place of, as `table.key`.
    pub replaces: &'static str,
}

/// What is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key<S: UnderTest> {
    /// In any system.
    General(GeneralKey),
    /// In this one only. It may depend on a general one, and on one that stands before it.
    System(S::SwarmKey),
}

impl<S: UnderTest> Key<S> {
    /// Every key that a file of the system may have.
    pub fn all() -> impl Iterator<Item = Key<S>> {
        let general = GeneralKey::ALL.iter().filter(|it| it.is_of::<S>());
        let general = general.map(|it| Key::General(*it));
        general.chain(S::SwarmKey::ALL.iter().map(|it| Key::System(*it)))
    }

    /// The name that the file uses.
    pub fn name(self) -> &'static str {
        match self {
            Key::General(it) => it.name(),
            Key::System(it) => it.name(),
        }
    }

    /// What its values are.
    pub fn unit(self) -> Unit {
        self.listed().unit
    }

    /// The key of another table that it takes the place of, as `table.key`.
    pub fn replaces(self) -> &'static str {
        self.listed().replaces
    }

    fn listed(self) -> Listed {
        match self {
            Key::General(it) => it.listed(),
            Key::System(it) => S::swarm_key(it),
        }
    }

    /// Is it about drawn faults?
    pub(crate) fn is_of_chaos(self) -> bool {
        self.replaces().starts_with("chaos.")
    }

    /// Is it about drawn requests?
    pub(crate) fn is_of_workload(self) -> bool {
        self.replaces().starts_with("workload.")
    }
}

/// Durations that are not shorter than a millisecond.
fn interval(value: &Value<'_>) -> Result<Span> {
    match value.span()? {
        span if span < Span::from_millis(1) => Err(value.not("at least \"1ms\"")),
        span => Ok(span),
    }
}

macro_rules! keys {
    ($($key:ident = $name:literal, $unit:expr, $of:literal, $meaning:literal;)*) => {
        crate::names! {
            /// A key of any system. A key comes after those that its values depend on.
            pub enum GeneralKey { $(#[doc = $meaning] $key = $name,)* }
        }

        impl GeneralKey {
            fn listed(self) -> Listed {
                match self { $(GeneralKey::$key => Listed { unit: $unit, replaces: $of },)* }
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
    Nodes = "nodes", Unit::Count(1, MOST_NODES), "cluster.nodes", "nodes that take part from the start";
    Spare = "spare", Unit::Count(0, MOST_NODES), "cluster.spare", "nodes that are there and take no part at first";
    Clients = "clients", Unit::Count(1, 32_767), "cluster.clients", "clients";
    Loss = "loss", Unit::Share, "network.loss", "`network.loss`";
    Duplication = "duplication", Unit::Share, "network.duplication", "`network.duplication`";
    Spike = "spike", Unit::Share, "network.spike", "`network.spike`";
    SpikeLatencyMax = "spike_latency_max", Unit::Span(|value| value.span()), "network.spike_latency", "the longer end of `network.spike_latency`; it lowers the shorter end if that is above it";
    LatencyMax = "latency_max", Unit::Span(|value| value.span()), "network.latency", "the longer end of `network.latency`; it lowers the shorter end if that is above it";
    LatencyMin = "latency_min", Unit::Span(|value| value.span()), "network.latency", "the shorter end of `network.latency`, drawn up to the longer one";
    SyncMax = "sync_max", Unit::Span(|value| value.span()), "disk.sync", "the longer end of `disk.sync`";
    SyncMin = "sync_min", Unit::Span(|value| value.span()), "disk.sync", "the shorter end of `disk.sync`, drawn up to the longer one";
    ClockOffsetMax = "clock_offset_max", Unit::Span(|value| value.span()), "clock.offset", "each clock without a `[[clock]]` is ahead by a drawn time up to this";
    Safety = "safety", Unit::Span(|value| value.bounded_span()), "phases.safety", "`phases.safety`";
    ChaosIntervalMax = "chaos_interval_max", Unit::Span(interval), "chaos.interval", "the longer end of `chaos.interval`";
    ChaosDurationMax = "chaos_duration_max", Unit::Span(|value| value.span()), "chaos.duration", "the longer end of `chaos.duration`";
    Aimed = "aimed", Unit::Share, "chaos.aimed", "`chaos.aimed`";
    Together = "together", Unit::Share, "chaos.together", "`chaos.together`";
    NodesDown = "nodes_down", Unit::Count(0, MOST_NODES), "chaos.budget.nodes_down", "of the budget, drawn up to all there are";
    ControlDown = "control_down", Unit::Any(&["false", "true"]), "chaos.budget.control_down", "of the budget";
    ClientsDown = "clients_down", Unit::Count(0, 32_767), "chaos.budget.clients_down", "of the budget, drawn up to all there are";
    Wipes = "wipes", Unit::Count(0, u16::MAX as i64), "chaos.budget.wipes", "of the budget";
}

impl GeneralKey {
    /// May a file of `S` draw it?
    fn is_of<S: UnderTest>(self) -> bool {
        grammar::why_not::<S>(self.name()).is_none()
    }
}

impl Unit {
    /// What stands at such a key.
    pub const fn written(self) -> &'static str {
        match self {
            Unit::Count(..) => "two whole numbers, the smaller first",
            Unit::Share => "two probabilities, the smaller first",
            Unit::Span(_) => "range of durations",
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
            Unit::Span(read) => read(value).map(Span::as_nanos),
            Unit::Any(_) => unreachable!("it has no ends"),
        }
    }

    /// Durations are drawn as round as the ends of their range are.
    fn step(self, min: u64, max: u64) -> u64 {
        match self {
            Unit::Count(..) | Unit::Any(_) => 1,
            Unit::Share => 1_000, // a millionth is fine enough
            Unit::Span(_) => {
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
        "At least one key is there. The keys \
         about chaos and its budget, and `kinds`, need a `[chaos]`, those about the workload a \
         `[workload]`.",
        "Machines that a file names are there whatever is drawn, so it names only those of the \
         smallest cluster. The same goes for times within the safety phase.",
    ],
    example: r#"
[chaos]
kinds = ["crash", "partition", "pause"]

[swarm]
clients = [1, 4]
loss = [0.0, 0.05]
latency_max = ["1ms", "50ms"]
kinds = "any"
"#,
};

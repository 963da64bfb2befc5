//! `[chaos]`: faults drawn from the seed, within a budget.

use seedbed::machine::{Class, Span};

use super::cluster::Named;
use super::error::Result;
use super::grammar::{Key, Style, TableGrammar};
use super::reader::Table;
use super::value::Value;
use crate::fault::{ChaosKind, GeneralChaos};
use crate::milestone::Milestone;
use crate::quantity::{Ppb, SpanRange};
use crate::under_test::{Operator, Options, UnderTest};

/// Faults drawn from the seed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Chaos<S: UnderTest> {
    /// What may happen: at least one kind, each once.
    pub kinds: Vec<ChaosKind<S>>,
    /// How much may fail at once.
    pub budget: Budget,
    /// How long it is from one fault to the next.
    pub interval: SpanRange,
    /// How long each of them lasts.
    pub duration: SpanRange,
    /// How likely one of them waits for a milestone instead of a time.
    pub aimed: Ppb,
    /// The moments that those wait for: at least one, each once.
    pub moments: Vec<Milestone<S>>,
    /// How likely one that waits for a milestone has another at the same moment, that one a third,
    /// and so on; and how likely what its machine has in flight is lost in part.
    pub together: Ppb,
    /// What is said of the operator.
    pub options: Options<S>,
}

impl<S: UnderTest> Chaos<S> {
    /// The kinds of all faults of a plan.
    pub fn all_kinds(&self) -> impl Iterator<Item = ChaosKind<S>> {
        let afterwards = S::Operator::afterwards(&self.options).into_iter();
        let afterwards = afterwards.map(|(_, wish)| ChaosKind::Operator(S::Operator::kind(&wish)));
        self.kinds.iter().copied().chain(afterwards)
    }
}

/// How much may fail at once: a drawn plan never exceeds it, so a run that does not go on is a bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Budget {
    /// Nodes that may be down, paused or cut off.
    pub nodes_down: u16,
    /// May the control node be?
    pub control_down: bool,
    /// Clients that may be.
    pub clients_down: u16,
    /// Disks that may be lost in a run.
    pub wipes: u16,
}

impl Budget {
    /// How many machines of this class may be down, paused or cut off at the same time.
    pub fn most_away(&self, class: Class) -> usize {
        match class {
            Class::Control => self.control_down.into(),
            Class::Node => self.nodes_down.into(),
            Class::Client => self.clients_down.into(),
        }
    }
}

pub(super) const CHAOS: TableGrammar = TableGrammar {
    name: "chaos",
    style: Style::Single,
    meaning: "what breaks, drawn from the seed, within a budget",
    keys: &[
        Key::needed("kinds", "array of kinds of chaos, each once", "what may happen"),
        Key::perhaps(
            "budget",
            "table, see `chaos.budget`",
            "one node",
            "how much may fail at once",
        ),
        Key::usually(
            "interval",
            "range of durations, at least 1ms",
            "[\"500ms\", \"4s\"]",
            "from one fault to the next",
        ),
        Key::usually(
            "duration",
            "range of durations",
            "[\"200ms\", \"5s\"]",
            "how long a fault lasts",
        ),
        Key::usually(
            "aimed",
            "probability",
            "0",
            "how likely a fault waits for a moment of a protocol and strikes a machine that has a \
             part in it, instead of a drawn time",
        ),
        Key::perhaps(
            "moments",
            "array of moments, each once",
            "all that the file can reach",
            "the moments that aimed faults wait for",
        ),
        Key::usually(
            "together",
            "probability",
            "0",
            "how likely an aimed fault has another at the same moment that keeps another machine \
             away, that one a third, and that one a fourth; and, with `drop`, how likely its \
             machine's messages in flight are lost in part",
        ),
    ],
    forms: &[],
    notes: &[
        "`wipe` needs `wipes` in the budget, of the file or drawn by `[swarm]`.",
        "No drawn plan exceeds the budget, so a run that gets stuck is a bug.",
    ],
    example: r#"
[chaos]
kinds = ["crash", "partition", "slow_disk"]
budget = { nodes_down = 1, clients_down = 1 }
interval = ["200ms", "2s"]
"#,
};

pub(super) const BUDGET: TableGrammar = TableGrammar {
    name: "chaos.budget",
    style: Style::Inline,
    meaning: "how much drawn faults may take away at once",
    keys: &[
        Key::usually(
            "nodes_down",
            "whole number, up to all of them",
            "1",
            "nodes that may be down, paused or cut off",
        ),
        Key::usually("control_down", "`true`, `false`", "false", "whether the control node may be"),
        Key::usually("clients_down", "whole number, up to all of them", "0", "clients that may be"),
        Key::perhaps("wipes", "whole number", "0", "disks that may be lost in a run"),
    ],
    forms: &[],
    notes: &[],
    example: r#"
[chaos]
kinds = ["pause"]
budget = { nodes_down = 2, clients_down = 1 }
"#,
};

pub(super) fn read<S: UnderTest>(
    root: &Table<'_>,
    cast: Named,
    config: &S::Config,
) -> Result<Option<Chaos<S>>> {
    root.maybe("chaos", |value| {
        let table = value.table(&CHAOS.of::<S>())?;
        let budget = budget::<S>(&table.section(&BUDGET.of::<S>()), cast, config);
        let kinds = table.need("kinds", "kinds of faults");
        let kinds = kinds.and_then(|kinds| kinds.distinct(|value| kind::<S>(value, cast, config)));
        let usual = SpanRange::from_millis(500, 4_000);
        let interval = table.or("interval", usual, interval);
        let usual = SpanRange::from_millis(200, 5_000);
        let duration = table.or("duration", usual, |value| value.spans());
        let aimed = table.or("aimed", Ppb::ZERO, |value| value.probability());
        let all = || S::moments().into_iter().map(|moment| moment.at);
        let moments = table.maybe("moments", |value| value.distinct(moment));
        let moments = moments.map(|some| some.unwrap_or_else(|| all().collect()));
        let together = table.or("together", Ppb::ZERO, |value| value.probability());
        let options = S::Operator::read_options(&table, config);
        Ok(Chaos {
            kinds: kinds?,
            budget: budget?,
            interval: interval?,
            duration: duration?,
            aimed: aimed?,
            moments: moments?,
            together: together?,
            options: options?,
        })
    })
}

fn kind<S: UnderTest>(value: &Value<'_>, cast: Named, config: &S::Config) -> Result<ChaosKind<S>> {
    let names = ChaosKind::all().map(|kind| (kind.name(), kind));
    let kind = value.pick("kind of fault", names)?;
    match kind {
        ChaosKind::Operator(kind) => S::Operator::may_be_drawn(kind, value, config)?,
        kind if kind.loses_a_disk() => {
            S::may_lose_a_disk(config).map_err(|why| value.error(why))?;
        }
        ChaosKind::General(GeneralChaos::Drift) if S::drift_max_ppm(config) == 0 => {
            return Err(value.error(format!("can never strike: {} is 0", S::DRIFT_BOUND)));
        }
        // Of three nodes each has a majority with its two neighbours: nothing would be cut.
        ChaosKind::General(GeneralChaos::MajoritiesRing)
            if cast.is_known && !cast.is_drawn && cast.all_nodes() < 4 =>
        {
            let found = cast.all_nodes();
            return Err(value.error(format!("needs 4 nodes, found {found}")));
        }
        ChaosKind::General(_) => {}
    }
    Ok(kind)
}

fn moment<S: UnderTest>(value: &Value<'_>) -> Result<Milestone<S>> {
    let all = S::moments().into_iter();
    value.pick("moment", all.map(|moment| (moment.at.name(), moment.at)))
}

/// A fault waits for moments only where some seed has aimed ones, and a disk is lost at few.
pub(super) fn check_moments<S: UnderTest>(root: &Table<'_>, chaos: &Chaos<S>, is_ever_aimed: bool) {
    let place = || root.get("chaos")?.inside("moments");
    if let Some(value) = place().filter(|_| !is_ever_aimed) {
        value.error("no fault waits for a moment: needs `chaos.aimed`, more than 0");
    }
    let mut named = S::moments().into_iter().filter(|moment| chaos.moments.contains(&moment.at));
    let loses_disks = chaos.kinds.iter().any(|kind| kind.loses_a_disk());
    if loses_disks && !named.any(|moment| moment.loses_disks) {
        let why = "no disk is lost at these: needs one at which others want what is on it";
        place().map(|value| value.error(why));
    }
}

fn budget<S: UnderTest>(table: &Table<'_>, cast: Named, config: &S::Config) -> Result<Budget> {
    let down = |key, usual, all: u16| table.or(key, usual, |value| value.integer(0..=all.into()));
    let nodes_down = down("nodes_down", 1, cast.all_nodes());
    let control_down = table.maybe_known("control_down", |value| value.boolean());
    let clients_down = down("clients_down", 0, cast.clients);
    let wipes = table.or("wipes", 0, |value| {
        S::may_lose_a_disk(config).map_err(|why| value.error(why))?;
        value.integer(0..=u16::MAX.into())
    });
    Ok(Budget {
        nodes_down: nodes_down?,
        control_down: control_down?.unwrap_or(false),
        clients_down: clients_down?,
        wipes: wipes?,
    })
}

/// The time between faults: not so short that a run is nothing else.
fn interval(value: Value<'_>) -> Result<SpanRange> {
    let range = value.spans()?;
    let ok = range.min >= Span::from_millis(1);
    if ok { Ok(range) } else { Err(value.error("expected at least \"1ms\" between faults")) }
}

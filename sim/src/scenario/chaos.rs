//! `[chaos]`: faults drawn from the seed, within a budget.

use seedbed::machine::{Class, Span};
use seedbed::proto::Config;

use super::cluster::{Named, need_managed};
use super::grammar::{Key, Style, TableGrammar};
use super::moment::{moments, suits};
use super::reader::{Result, Table};
use super::value::Value;
use crate::fault::ChaosKind;
use crate::file_service::Milestone;
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
    /// The moments that those wait for: at least one, each once.
    pub moments: Vec<Milestone>,
    /// How likely one that waits for a milestone has another at the same moment, that one a third,
    /// and so on; and how likely what its machine has in flight is lost in part.
    pub together: Ppb,
    /// Is a disk also lost where it holds the last copy of something? The operator accepts that.
    pub last_copies: bool,
}

impl Chaos {
    /// How long after the safety phase the operator accepts what was lost. A node that begins again
    /// late is not known to have lost its disk at the first time.
    pub const ACCEPTED_AFTER: [Span; 2] = [Span::from_secs(5), Span::from_secs(20)];

    /// The kinds of all faults of a plan.
    pub fn all_kinds(&self) -> impl Iterator<Item = ChaosKind> {
        let accepted = self.last_copies.then_some(ChaosKind::AcceptLoss);
        self.kinds.iter().copied().chain(accepted)
    }
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
    pub fn most_away(&self, role: Class) -> usize {
        match role {
            Class::Control => self.control_down.into(),
            Class::Node => self.storage_nodes_down.into(),
            Class::Client => self.clients_down.into(),
        }
    }
}

pub(super) const CHAOS: TableGrammar = TableGrammar {
    name: "chaos",
    style: Style::Single,
    meaning: "what breaks, drawn from the seed, within a budget",
    keys: &[
        Key::needed(
            "kinds",
            "array of kinds, each once",
            "what may happen: `crash`, `pause`, `partition`, `isolate`, `clog`, `delay`, `loss`, \
             `duplicate`, `drop`, `slow_disk`, `stalled_disk`, `full_disk`, `bit_rot`, `drift`, `bump`, \
             `majorities_ring`, `join`, `leave`, `set`, `accept_loss`, `wipe`, `attrition`, \
             `rolling_restart`",
        ),
        Key::perhaps(
            "budget",
            "table, see `chaos.budget`",
            "one storage node",
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
            "array of milestones, each once",
            "all that the file can reach",
            "the moments that aimed faults wait for, see below",
        ),
        Key::usually(
            "together",
            "probability",
            "0",
            "how likely an aimed fault has another at the same moment that keeps another machine \
             away, that one a third, and that one a fourth; and, with `drop`, how likely its \
             machine's messages in flight are lost in part",
        ),
        Key::usually(
            "last_copies",
            "`true`, `false`",
            "false",
            "whether a disk is also lost where it holds the last copy of something; the operator \
             accepts the loss 5 s and 20 s after the safety phase",
        ),
    ],
    forms: &[],
    notes: &[
        "The kinds `join`, `leave`, `set`, `accept_loss` and `wipe` need `membership = \"managed\"`; `wipe` needs \
         `wipes` in the budget, of the file or drawn by `[swarm]`.",
        "`last_copies` needs the kind `wipe`, and a liveness phase that is longer than 20 s.",
        "No drawn plan exceeds the budget, so a run that gets stuck is a bug.",
        "Moments are `all_ready`, `voted_appended`, `participant_in_doubt`, `all_voted`, \
         `decided_appended`, `decided`, `transaction_aborted`, `inquire_sent`, `resolve_sent`, \
         `resolved_sent`, `epoch_left_in_doubt`, `epoch_left_undecided`, \
         `in_doubt_on_a_moving_arc`, `lock_queued`, `grant_appended`, `lock_granted`, \
         `claim_committed`, `lease_expired`, `hand_over_begun`, `pull_sent`, `chunk_sent`, \
         `arc_completed`, `witness_answered`, `node_admitted`, `announced_appended`, \
         `view_announced`, `entered_durable`, `recorded_appended`, `view_active`, \
         `checkpoint_written` and `restarted`.",
    ],
    example: r#"
[chaos]
kinds = ["crash", "partition", "slow_disk"]
budget = { storage_nodes_down = 1, control_down = true }
interval = ["200ms", "2s"]
"#,
};

pub(super) const BUDGET: TableGrammar = TableGrammar {
    name: "chaos.budget",
    style: Style::Inline,
    meaning: "how much drawn faults may take away at once",
    keys: &[
        Key::usually(
            "storage_nodes_down",
            "whole number, up to all of them",
            "1",
            "storage nodes that may be down, paused or cut off",
        ),
        Key::usually("control_down", "`true`, `false`", "false", "whether the central node may be"),
        Key::usually("clients_down", "whole number, up to all of them", "0", "clients that may be"),
        Key::perhaps(
            "wipes",
            "whole number",
            "0",
            "disks that may be lost in a run; without `last_copies` each where another owner has \
             all of it",
        ),
    ],
    forms: &[],
    notes: &["`wipes` needs `membership = \"managed\"`."],
    example: r#"
[chaos]
kinds = ["pause"]
budget = { storage_nodes_down = 2, clients_down = 1 }
"#,
};

pub(super) fn read(root: &Table<'_>, cast: Named, config: &Config) -> Result<Option<Chaos>> {
    root.maybe("chaos", |value| {
        let table = value.table(&CHAOS)?;
        let budget = budget(&table.section(&BUDGET), cast, config);
        let kinds = table.need("kinds", "kinds of faults");
        let kinds = kinds.and_then(|kinds| kinds.distinct(|value| kind(value, config)));
        let usual = SpanRange::from_millis(500, 4_000);
        let interval = table.or("interval", usual, interval);
        let usual = SpanRange::from_millis(200, 5_000);
        let duration = table.or("duration", usual, |value| value.spans());
        let aimed = table.or("aimed", Ppb::ZERO, |value| value.probability());
        let all = || moments().into_iter().map(|(_, milestone)| milestone);
        let moments = table.maybe("moments", |value| value.distinct(moment));
        let moments = moments.map(|some| some.unwrap_or_else(|| all().collect()));
        let together = table.or("together", Ppb::ZERO, |value| value.probability());
        let last_copies = table.or("last_copies", false, |value| last_copies(&value, config));
        Ok(Chaos {
            kinds: kinds?,
            budget: budget?,
            interval: interval?,
            duration: duration?,
            aimed: aimed?,
            moments: moments?,
            together: together?,
            last_copies: last_copies?,
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

fn moment(value: &Value<'_>) -> Result<Milestone> {
    let all = moments().into_iter();
    value.pick("moment", all.map(|(_, milestone)| (milestone.name(), milestone)))
}

fn last_copies(value: &Value<'_>, config: &Config) -> Result<bool> {
    let may_be_lost = value.boolean()?;
    if may_be_lost {
        need_managed(value, config)?;
    }
    Ok(may_be_lost)
}

/// A fault waits for moments only where some seed has aimed ones, and a disk is lost at few.
pub(super) fn check_moments(root: &Table<'_>, chaos: &Chaos, is_ever_aimed: bool) {
    let place = || root.get("chaos")?.inside("moments");
    if let Some(value) = place().filter(|_| !is_ever_aimed) {
        value.error("no fault waits for a moment: needs `chaos.aimed`, more than 0");
    }
    let mut named = moments().into_iter().filter(|(_, moment)| chaos.moments.contains(moment));
    let loses_disks = chaos.kinds.iter().any(|kind| kind.loses_a_disk());
    if loses_disks && !named.any(|(of, _)| suits(ChaosKind::Wipe, of)) {
        place().map(|value| {
            value.error("no disk is lost at these: needs one of a transaction or a hand-over")
        });
    }
}

/// Last copies are lost only where a disk may be, and every request ends after that is accepted.
pub(super) fn check_last_copies(root: &Table<'_>, chaos: &Chaos, liveness: Span) {
    let place = || root.get("chaos")?.inside("last_copies");
    let Some(value) = place().filter(|_| chaos.last_copies) else { return };
    if !chaos.kinds.iter().any(|kind| kind.loses_a_disk()) {
        value.error("can never be lost: needs `wipe` in `chaos.kinds`");
    }
    let [.., last] = Chaos::ACCEPTED_AFTER;
    if liveness <= last {
        let what = format!("the liveness phase ({liveness}) is too short for that");
        value.error(format!("{what}: expected more than {last}"));
    }
}

fn budget(table: &Table<'_>, cast: Named, config: &Config) -> Result<Budget> {
    let down = |key, usual, all: u16| table.or(key, usual, |value| value.integer(0..=all.into()));
    let storage_nodes_down = down("storage_nodes_down", 1, cast.storage());
    let control_down = table.or("control_down", false, |value| value.boolean());
    let clients_down = down("clients_down", 0, cast.clients);
    let wipes = table.or("wipes", 0, |value| {
        need_managed(&value, config)?;
        value.integer(0..=u16::MAX.into())
    });
    Ok(Budget {
        storage_nodes_down: storage_nodes_down?,
        control_down: control_down?,
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

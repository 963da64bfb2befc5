//! `[[fault]]`: what breaks, when, and for how long.

pub(super) mod grammar;

use std::sync::Arc;

use seedbed::machine::{Class, NodeId, Span};
use seedbed::proto::{Command, Config};

use super::cluster::{Named, POINTS, need_managed, points, too_many};
use super::error::all;
use super::grammar::TableGrammar;
use super::occasion::{Names, Occasion, Trigger, occasion, trigger};
use super::reader::{Result, Table};
use super::role::Role;
use super::target::{Binder, Target};
use super::value::Value;
use crate::fault::{Cut, Degradation, DiskTrouble, Fault, Leaves, Restart, Torn, Worse};
use crate::quantity::Ppb;
use crate::text::one_of;
use grammar::{CLOG, FAULT, SET, SIDES, UNTIL, WHEN};

/// One scripted fault.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ScriptedFault {
    /// When it strikes.
    pub trigger: Trigger,
    /// What ends it, if a milestone does.
    pub until: Option<Occasion>,
    /// What it does.
    pub fault: Fault<Target>,
}

#[derive(Clone, Copy)]
pub(super) enum Kind {
    Crash,
    Pause,
    Isolate,
    Partition,
    Clog,
    MajoritiesRing,
    Delay,
    Loss,
    Duplicate,
    Drop,
    Bump,
    Drift,
    BitRot,
    SlowDisk,
    StalledDisk,
    FullDisk,
    Wipe,
    RollingRestart,
    Attrition,
    Join,
    Leave,
    Set,
    AcceptLoss,
}

pub(super) fn read(
    root: &Table<'_>,
    names: Names<'_>,
    config: &Config,
    safety: Span,
) -> Result<Vec<ScriptedFault>> {
    root.each("fault", |value| {
        let table = value.table(&FAULT)?;
        let trigger = trigger(&table, &WHEN, names, safety);
        let until = table.maybe("until", |value| occasion(&value.table(&UNTIL)?, names));
        let (kind, main) = table.form(&FAULT)?;
        let managed = if is_of_managed(kind) { need_managed(&main, config) } else { Ok(()) };
        let binder = Trigger::binder(&trigger);
        let fault =
            Place { table: &table, main: &main, cast: names.cast, binder }.fault(kind, config);
        let until = until.and_then(|until| ends(&table, kind, until));
        managed.and(Ok(ScriptedFault { trigger: trigger?, until: until?, fault: fault? }))
    })
}

/// What ends a fault of this kind at a milestone: only if it lasts, and nothing else ends it.
fn ends(table: &Table<'_>, kind: Kind, until: Option<Occasion>) -> Result<Option<Occasion>> {
    let Some(value) = table.get("until") else { return Ok(until) };
    let others = ["for", "restart_after", "restart"];
    if let Some(other) = others.iter().find(|key| table.get(key).is_some()) {
        return Err(value.error(format!("does not go with `{other}`")));
    }
    match lasts(kind) {
        true => Ok(until),
        false => Err(value.error("does not go with a fault that does not last")),
    }
}

/// Does it last, until it is ended or all is healed?
fn lasts(kind: Kind) -> bool {
    match kind {
        Kind::Crash | Kind::BitRot | Kind::Wipe | Kind::Pause | Kind::Isolate => true,
        Kind::Partition | Kind::Clog | Kind::MajoritiesRing | Kind::Delay | Kind::Loss => true,
        Kind::Duplicate | Kind::Drift | Kind::SlowDisk | Kind::StalledDisk => true,
        Kind::FullDisk => true,
        Kind::Drop | Kind::Bump | Kind::RollingRestart | Kind::Attrition => false,
        Kind::Join | Kind::Leave | Kind::Set | Kind::AcceptLoss => false,
    }
}

/// Does it need a central node that decides which nodes are members?
fn is_of_managed(kind: Kind) -> bool {
    match kind {
        Kind::Wipe | Kind::Join | Kind::Leave | Kind::Set | Kind::AcceptLoss => true,
        Kind::Crash | Kind::Pause | Kind::Isolate | Kind::Partition | Kind::Clog => false,
        Kind::MajoritiesRing | Kind::Delay | Kind::Loss | Kind::Duplicate => false,
        Kind::Drop | Kind::Bump | Kind::Drift | Kind::BitRot => false,
        Kind::SlowDisk | Kind::StalledDisk | Kind::FullDisk => false,
        Kind::RollingRestart | Kind::Attrition => false,
    }
}

/// A fault that is read: its table, the value of the key that says what it is, and what that may
/// name.
struct Place<'p> {
    table: &'p Table<'p>,
    main: &'p Value<'p>,
    cast: Named,
    binder: Binder,
}

impl Place<'_> {
    fn fault(&self, kind: Kind, config: &Config) -> Result<Fault<Target>> {
        let Place { table, main, cast, .. } = self;
        let span = |key, usual| table.or(key, usual, |value| value.span());
        Ok(match kind {
            Kind::Crash => {
                let (node, leaves, restart) = (self.target(), leaves(table), restart(table));
                let (node, leaves) = (node?, leaves?);
                if leaves != Leaves::default() {
                    logged(main, node)?;
                }
                Fault::Crash { node, leaves, restart: restart? }
            }
            Kind::Pause => {
                let (node, lasts) = (self.target(), self.lasts());
                Fault::Pause { node: node?, lasts: lasts? }
            }
            Kind::Isolate => self.cut(self.target().map(Cut::Isolate))?,
            Kind::Partition => self.cut(self.partition())?,
            Kind::Clog => self.cut(self.sides(&CLOG).map(|(from, to)| Cut::OneWay { from, to }))?,
            Kind::MajoritiesRing => self.cut(self.majorities_ring())?,
            Kind::Delay => {
                let by = table.need("by", "two durations, which are added to the latency");
                self.worse(&SIDES[0], by.and_then(|by| by.spans()).map(Worse::Slow))?
            }
            Kind::Loss => self.worse(&SIDES[1], self.share().map(Worse::Lossy))?,
            Kind::Duplicate => self.worse(&SIDES[2], self.share().map(Worse::Doubling))?,
            Kind::Drop => Fault::Drop(self.target()?),
            Kind::Bump => {
                let by = table.need("by", "how far, such as \"5s\"").and_then(|by| by.some_span());
                Fault::ClockJump { node: self.target()?, by: by? }
            }
            Kind::Drift => {
                let most = i64::from(config.drift_max_ppm);
                let ppm = table.need("ppm", "how many microseconds the clock gains a second");
                let ppm = ppm.and_then(|ppm| ppm.integer(-most..=most));
                let (node, lasts) = (self.target(), self.lasts());
                Fault::ClockDrift { node: node?, ppm: ppm?, lasts: lasts? }
            }
            Kind::BitRot => {
                let (node, restart) = (self.logged(), restart_after(table));
                Fault::BitRot { node: node?, rot: None, restart: restart? }
            }
            Kind::SlowDisk => {
                let sync = table.need("sync", "two durations such as [\"50ms\", \"80ms\"]");
                self.disk(sync.and_then(|sync| sync.spans()).map(DiskTrouble::Slow))?
            }
            Kind::StalledDisk => self.disk(Ok(DiskTrouble::Stalled))?,
            Kind::FullDisk => self.disk(Ok(DiskTrouble::Full))?,
            Kind::Wipe => {
                let node = self.target().and_then(|node| storing(main, node));
                let restart = restart_after(table);
                Fault::Wipe { node: node?, restart: restart? }
            }
            Kind::RollingRestart => {
                let all = main.yes();
                let down = span("down", Span::from_millis(500));
                let pause = span("pause", Span::from_secs(2));
                all?;
                Fault::RollingRestart { down: down?, pause: pause? }
            }
            Kind::Attrition => {
                let count = main.integer(1..=cast.storage().into());
                let (pause, restart) = (span("pause", Span::ZERO), restart_after(table));
                Fault::Attrition { count: count?, pause: pause?, restart: restart? }
            }
            Kind::Join => Fault::Join(self.storage_node()?),
            Kind::Leave => Fault::Leave(self.storage_node()?),
            Kind::Set => Fault::Operator(set(main, *cast)?),
            Kind::AcceptLoss => Fault::Operator(Command::AcceptLoss(lost_machines(main, *cast)?)),
        })
    }

    fn target(&self) -> Result<Target> {
        self.main.target(self.cast, self.binder)
    }

    fn logged(&self) -> Result<Target> {
        self.target().and_then(|node| logged(self.main, node))
    }

    fn lasts(&self) -> Result<Option<Span>> {
        self.table.maybe("for", |value| value.some_span())
    }

    fn cut(&self, links: Result<Cut<Target>>) -> Result<Fault<Target>> {
        let lasts = self.lasts();
        Ok(Fault::Cut { links: links?, lasts: lasts? })
    }

    fn worse(&self, sides: &TableGrammar, how: Result<Worse>) -> Result<Fault<Target>> {
        let (sides, lasts) = (self.sides(sides), self.lasts());
        let (from, to) = sides?;
        Ok(Fault::Degrade { what: Degradation { from, to, how: how? }, lasts: lasts? })
    }

    fn disk(&self, trouble: Result<DiskTrouble>) -> Result<Fault<Target>> {
        let (node, lasts) = (self.logged(), self.lasts());
        Ok(Fault::Disk { node: node?, trouble: trouble?, lasts: lasts? })
    }

    fn share(&self) -> Result<Ppb> {
        let share = self.table.need("share", "how many of the messages, 0 to 1")?;
        match share.probability()? {
            Ppb::ZERO => Err(share.not("a share above zero")),
            some => Ok(some),
        }
    }

    /// `{ from, to }`: links of one direction.
    fn sides(&self, grammar: &TableGrammar) -> Result<(Vec<Target>, Vec<Target>)> {
        let table = self.main.table(grammar)?;
        let from = table.need("from", "the machine that sends, or several");
        let to = table.need("to", "the machine that receives, or several");
        let senders = from.as_ref().map_err(|refused| *refused);
        let senders = senders.and_then(|from| from.side(self.cast, self.binder));
        let receivers = to.as_ref().map_err(|refused| *refused);
        let receivers = receivers.and_then(|to| to.side(self.cast, self.binder));
        let (from, to, senders, receivers) = (from?, to?, senders?, receivers?);
        if senders.contains(&Target::Rest) {
            return Err(
                from.error("`rest` is every machine that `from` does not name: only for `to`")
            );
        }
        match receivers.iter().find(|target| senders.contains(target)) {
            Some(_) => Err(to.not("another node than `from`")),
            None => Ok((senders, receivers)),
        }
    }

    fn partition(&self) -> Result<Cut<Target>> {
        let one_way = self.table.or("one_way", false, |value| value.boolean());
        let groups = self.main.groups(self.cast, self.binder, one_way)?;
        let one_way = one_way?;
        Ok(match <[Vec<Target>; 2]>::try_from(groups) {
            Ok([from, to]) if one_way => Cut::OneWay { from, to },
            Ok(two) => Cut::Groups(two.into()),
            Err(more) => Cut::Groups(more),
        })
    }

    fn majorities_ring(&self) -> Result<Cut<Target>> {
        self.main.yes()?;
        // Of three nodes each has a majority with its two neighbours: nothing would be cut.
        match self.cast.storage() {
            found @ ..4 => Err(self.main.error(format!("needs 4 storage nodes, found {found}"))),
            _ => Ok(Cut::MajoritiesRing),
        }
    }

    /// A storage node, or a role that one plays.
    fn storage_node(&self) -> Result<Target> {
        if Role::named(self.main.string()?).is_none() {
            return self.main.storage_node(self.cast).map(Target::Node);
        }
        match self.target()? {
            Target::Role(role) if role.is_client() => Err(self.main.not("a storage node")),
            target => Ok(target),
        }
    }
}

/// The storage nodes that the operator says never return: none if it accepts what it knows of.
fn lost_machines(main: &Value<'_>, cast: Named) -> Result<Arc<[NodeId]>> {
    if main.value.is_array() {
        let nodes = all(main.list()?.iter().map(|value| value.storage_node(cast)))?;
        return Ok(nodes.into());
    }
    main.yes().map(|()| Arc::default())
}

/// What a crash leaves of what was not synced.
fn leaves(table: &Table<'_>) -> Result<Leaves> {
    let kept = table.maybe("keeps", |value| match value.value.is_str() {
        true => value.pick("number of records", [("all", u32::MAX), ("none", 0)]),
        false => value.integer(0..=u32::MAX.into()),
    });
    let forms = [
        ("none", Torn::No),
        ("prefix", Torn::Prefix),
        ("zeros", Torn::Zeros),
        ("hole", Torn::Hole),
    ];
    let torn = table.maybe("torn", |value| value.pick("form of a torn record", forms));
    Ok(Leaves { kept: kept?, torn: torn? })
}

/// Settings to change, each within the range that it has in `[cluster]` or `[timing]`.
fn set(main: &Value<'_>, cast: Named) -> Result<Command> {
    let table = main.table(&SET)?;
    if SET.keys.iter().all(|key| table.get(key.name).is_none()) {
        table.is_understood()?;
        let message = format!("expected at least one of {}, found none", one_of(SET.known()));
        return Err(main.error(message));
    }
    let virtual_nodes = table.maybe("virtual_nodes", |value| {
        let number = value.integer(1..=10_000)?;
        match points(number, cast.storage()) {
            found if found > POINTS && cast.is_known => Err(value.error(too_many(found))),
            _ => Ok(number),
        }
    });
    let replicas = table.maybe("replicas", |value| value.integer(1..=cast.storage().into()));
    let lock_lease = table.maybe("lock_lease", |value| value.lease());
    let membership_lease = table.maybe("membership_lease", |value| value.membership_lease());
    Ok(Command::Set {
        replicas: replicas?,
        virtual_nodes: virtual_nodes?,
        lock_lease: lock_lease?,
        membership_lease: membership_lease?,
    })
}

fn restart(table: &Table<'_>) -> Result<Restart> {
    let Some(restart) = table.get("restart") else { return restart_after(table) };
    if table.get("restart_after").is_some() {
        return Err(restart.error("does not go with `restart_after`"));
    }
    restart.pick("restart", [("never", Restart::Never)])
}

fn restart_after(table: &Table<'_>) -> Result<Restart> {
    let after = table.maybe("restart_after", |value| value.span())?;
    Ok(after.map_or(Restart::WhenHealed, Restart::After))
}

/// `target`, which must have a log.
fn logged(main: &Value<'_>, target: Target) -> Result<Target> {
    let client = match target {
        Target::Node(node) => node.class() == Class::Client,
        Target::Role(role) | Target::All(role) => role.is_client(),
        Target::Rest => false,
    };
    if client { Err(main.not("a machine with a log, and a client has none")) } else { Ok(target) }
}

/// `target`, which must be a storage node: others have no disk, or none that can be replaced.
fn storing(main: &Value<'_>, target: Target) -> Result<Target> {
    match logged(main, target)? {
        Target::Node(NodeId::CONTROL) => Err(main.error(
            "the disk of `control` cannot be lost: views and locks stand nowhere else; \
             expected a storage node",
        )),
        target => Ok(target),
    }
}

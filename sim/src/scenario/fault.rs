//! `[[fault]]`: what breaks, when, and for how long.

use seedbed::proto::{Command, Config, NodeId, Span};

use super::cluster::{Named, POINTS, need_managed, points, too_many};
use super::occasion::{Names, Trigger, trigger};
use super::reader::{Form, Result, Table};
use super::role::Role;
use super::target::{Binder, Target};
use super::value::Value;
use crate::fault::{Cut, Degradation, DiskTrouble, Fault, Leaves, Restart, Torn, Worse};
use crate::quantity::Ppb;
use crate::text::one_of;

/// One scripted fault.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ScriptedFault {
    /// When it strikes.
    pub trigger: Trigger,
    /// What it does.
    pub fault: Fault<Target>,
}

#[derive(Clone, Copy)]
enum Kind {
    Crash,
    Pause,
    Isolate,
    Partition,
    Clog,
    MajoritiesRing,
    Delay,
    Loss,
    Duplicate,
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

const SETTINGS: &[&str] = &["replicas", "virtual_nodes", "lock_lease", "membership_lease"];

const FORMS: [Form<Kind>; 22] = [
    Form { key: "crash", beside: &["restart_after", "restart", "keeps", "torn"], is: Kind::Crash },
    Form { key: "pause", beside: &["for"], is: Kind::Pause },
    Form { key: "isolate", beside: &["for"], is: Kind::Isolate },
    Form { key: "partition", beside: &["one_way", "for"], is: Kind::Partition },
    Form { key: "clog", beside: &["for"], is: Kind::Clog },
    Form { key: "majorities_ring", beside: &["for"], is: Kind::MajoritiesRing },
    Form { key: "delay", beside: &["by", "for"], is: Kind::Delay },
    Form { key: "loss", beside: &["share", "for"], is: Kind::Loss },
    Form { key: "duplicate", beside: &["share", "for"], is: Kind::Duplicate },
    Form { key: "bump", beside: &["by"], is: Kind::Bump },
    Form { key: "drift", beside: &["ppm", "for"], is: Kind::Drift },
    Form { key: "bit_rot", beside: &["restart_after"], is: Kind::BitRot },
    Form { key: "slow_disk", beside: &["sync", "for"], is: Kind::SlowDisk },
    Form { key: "stalled_disk", beside: &["for"], is: Kind::StalledDisk },
    Form { key: "full_disk", beside: &["for"], is: Kind::FullDisk },
    Form { key: "wipe", beside: &["restart_after"], is: Kind::Wipe },
    Form { key: "rolling_restart", beside: &["down", "pause"], is: Kind::RollingRestart },
    Form { key: "attrition", beside: &["pause", "restart_after"], is: Kind::Attrition },
    Form { key: "join", beside: &[], is: Kind::Join },
    Form { key: "leave", beside: &[], is: Kind::Leave },
    Form { key: "set", beside: &[], is: Kind::Set },
    Form { key: "accept_loss", beside: &[], is: Kind::AcceptLoss },
];

pub(super) fn read(
    root: &Table<'_>,
    names: Names<'_>,
    config: &Config,
    safety: Span,
) -> Result<Vec<ScriptedFault>> {
    root.each("fault", |value| {
        let (table, kind, main) = value.table_of(&["at", "when"], &FORMS)?;
        let trigger = trigger(&table, names, safety)?;
        if is_of_managed(kind) {
            need_managed(&main, config)?;
        }
        let place = Place { table: &table, main: &main, cast: names.cast, trigger: &trigger };
        let fault = place.fault(kind, config)?;
        Ok(ScriptedFault { trigger, fault })
    })
}

/// Does it need a central node that decides which nodes are members?
fn is_of_managed(kind: Kind) -> bool {
    match kind {
        Kind::Wipe | Kind::Join | Kind::Leave | Kind::Set | Kind::AcceptLoss => true,
        Kind::Crash | Kind::Pause | Kind::Isolate | Kind::Partition | Kind::Clog => false,
        Kind::MajoritiesRing | Kind::Delay | Kind::Loss | Kind::Duplicate => false,
        Kind::Bump | Kind::Drift | Kind::BitRot => false,
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
    trigger: &'p Trigger,
}

impl Place<'_> {
    fn fault(&self, kind: Kind, config: &Config) -> Result<Fault<Target>> {
        let Place { table, main, cast, .. } = self;
        let span = |key, usual| table.or(key, usual, |value| value.span());
        Ok(match kind {
            Kind::Crash => {
                let (node, leaves) = (self.target()?, leaves(table)?);
                if leaves != Leaves::default() {
                    logged(main, node)?;
                }
                Fault::Crash { node, leaves, restart: restart(table)? }
            }
            Kind::Pause => Fault::Pause { node: self.target()?, lasts: self.lasts()? },
            Kind::Isolate => self.cut(Cut::Isolate(self.target()?))?,
            Kind::Partition => self.cut(self.partition()?)?,
            Kind::Clog => {
                let (from, to) = self.sides()?;
                self.cut(Cut::OneWay { from, to })?
            }
            Kind::MajoritiesRing => self.cut(self.majorities_ring()?)?,
            Kind::Delay => {
                let by = table.need("by", "two durations, which are added to the latency")?;
                self.worse(Worse::Slow(by.spans()?))?
            }
            Kind::Loss => self.worse(Worse::Lossy(self.share()?))?,
            Kind::Duplicate => self.worse(Worse::Doubling(self.share()?))?,
            Kind::Bump => Fault::ClockJump {
                node: self.target()?,
                by: table.need("by", "how far, such as \"5s\"")?.some_span()?,
            },
            Kind::Drift => {
                let most = i64::from(config.drift_max_ppm);
                let ppm = table.need("ppm", "how many microseconds the clock gains a second")?;
                let (node, lasts) = (self.target()?, self.lasts()?);
                Fault::ClockDrift { node, ppm: ppm.integer(-most..=most)?, lasts }
            }
            Kind::BitRot => {
                let node = logged(main, self.target()?)?;
                Fault::BitRot { node, rot: None, restart: restart_after(table)? }
            }
            Kind::SlowDisk => {
                let sync = table.need("sync", "two durations such as [\"50ms\", \"80ms\"]")?;
                self.disk(DiskTrouble::Slow(sync.spans()?))?
            }
            Kind::StalledDisk => self.disk(DiskTrouble::Stalled)?,
            Kind::FullDisk => self.disk(DiskTrouble::Full)?,
            Kind::Wipe => {
                let node = storing(main, self.target()?)?;
                Fault::Wipe { node, restart: restart_after(table)? }
            }
            Kind::RollingRestart => {
                main.yes()?;
                Fault::RollingRestart {
                    down: span("down", Span::from_millis(500))?,
                    pause: span("pause", Span::from_secs(2))?,
                }
            }
            Kind::Attrition => Fault::Attrition {
                count: main.integer(1..=cast.storage().into())?,
                pause: span("pause", Span::ZERO)?,
                restart: restart_after(table)?,
            },
            Kind::Join => Fault::Join(self.storage_node()?),
            Kind::Leave => Fault::Leave(self.storage_node()?),
            Kind::Set => Fault::Operator(set(main, *cast)?),
            Kind::AcceptLoss => {
                main.yes()?;
                Fault::Operator(Command::AcceptLoss)
            }
        })
    }

    fn binder(&self) -> Binder {
        self.trigger.binder()
    }

    fn target(&self) -> Result<Target> {
        self.main.target(self.cast, self.binder())
    }

    fn lasts(&self) -> Result<Option<Span>> {
        self.table.maybe("for", |value| value.some_span())
    }

    fn cut(&self, links: Cut<Target>) -> Result<Fault<Target>> {
        Ok(Fault::Cut { links, lasts: self.lasts()? })
    }

    fn worse(&self, how: Worse) -> Result<Fault<Target>> {
        let (from, to) = self.sides()?;
        Ok(Fault::Degrade { what: Degradation { from, to, how }, lasts: self.lasts()? })
    }

    fn disk(&self, trouble: DiskTrouble) -> Result<Fault<Target>> {
        let node = logged(self.main, self.target()?)?;
        Ok(Fault::Disk { node, trouble, lasts: self.lasts()? })
    }

    fn share(&self) -> Result<Ppb> {
        let share = self.table.need("share", "how many of the messages, 0 to 1")?;
        match share.probability()? {
            Ppb::ZERO => Err(share.not("a share above zero")),
            some => Ok(some),
        }
    }

    /// `{ from, to }`: links of one direction.
    fn sides(&self) -> Result<(Vec<Target>, Vec<Target>)> {
        let table = self.main.table(&["from", "to"])?;
        let from = table.need("from", "the machine that sends, or several")?;
        let to = table.need("to", "the machine that receives, or several")?;
        let senders = from.side(self.cast, self.binder())?;
        let receivers = to.side(self.cast, self.binder())?;
        if senders.contains(&Target::Rest) {
            return Err(from.error("`rest` is every machine that `from` does not name: only for `to`"));
        }
        match receivers.iter().find(|target| senders.contains(target)) {
            Some(_) => Err(to.not("another node than `from`")),
            None => Ok((senders, receivers)),
        }
    }

    fn partition(&self) -> Result<Cut<Target>> {
        let one_way = self.table.or("one_way", false, |value| value.boolean())?;
        let groups = self.main.groups(self.cast, self.binder(), one_way)?;
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

/// What a crash leaves of what was not synced.
fn leaves(table: &Table<'_>) -> Result<Leaves> {
    let kept = table.maybe("keeps", |value| match value.string() {
        Ok(_) => value.pick("number of records", [("all", u32::MAX), ("none", 0)]),
        Err(_) => value.integer(0..=u32::MAX.into()),
    })?;
    let forms = [
        ("none", Torn::No),
        ("prefix", Torn::Prefix),
        ("zeros", Torn::Zeros),
        ("hole", Torn::Hole),
    ];
    let torn = table.maybe("torn", |value| value.pick("form of a torn record", forms))?;
    Ok(Leaves { kept, torn })
}

/// Settings to change, each within the range that it has in `[cluster]` or `[timing]`.
fn set(main: &Value<'_>, cast: Named) -> Result<Command> {
    let table = main.table(SETTINGS)?;
    if SETTINGS.iter().all(|key| table.get(key).is_none()) {
        return Err(main.error(format!(
            "expected at least one of {}, found none",
            one_of(SETTINGS.iter().copied())
        )));
    }
    let virtual_nodes = table.maybe("virtual_nodes", |value| {
        let number = value.integer(1..=10_000)?;
        match points(number, cast.storage()) {
            found if found > POINTS => Err(value.error(too_many(found))),
            _ => Ok(number),
        }
    })?;
    Ok(Command::Set {
        replicas: table.maybe("replicas", |value| value.integer(1..=cast.storage().into()))?,
        virtual_nodes,
        lock_lease: table.maybe("lock_lease", |value| value.lease())?,
        membership_lease: table.maybe("membership_lease", |value| value.lease())?,
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
        Target::Node(node) => node.role() == seedbed::proto::Role::Client,
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

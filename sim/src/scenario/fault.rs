//! `[[fault]]`: what breaks, when, and for how long.

pub(super) mod grammar;

use seedbed::proto::{Command, Config, NodeId, Span};

use super::cluster::{Named, POINTS, need_managed, points, too_many};
use super::environment::ends;
use super::error::ScenarioError;
use super::reader::{Result, Table};
use super::role::{Role, roles_of};
use super::value::Value;
use crate::fault::{Cut, Fault, Restart};
use crate::milestone::Milestone;
use crate::text::one_of;
use grammar::{CLOG, FAULT, SET, WHEN};

/// One scripted fault.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ScriptedFault {
    /// When it strikes.
    pub trigger: Trigger,
    /// What it does.
    pub fault: Fault<Target>,
}

/// When a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// This long after the start of the run.
    At(Span),
    /// Right after the step in which the milestone is reached for the `nth` time.
    When {
        /// What it waits for.
        milestone: Milestone,
        /// Which occurrence, from 1.
        nth: u32,
        /// Counts only what happens at this machine.
        node: Option<NodeId>,
    },
}

/// The machine that a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// This machine.
    Node(NodeId),
    /// The machine that plays this part in what the trigger's milestone is about.
    Role(Role),
}

#[derive(Clone, Copy)]
pub(super) enum Kind {
    Crash,
    Pause,
    Isolate,
    Partition,
    Clog,
    MajoritiesRing,
    Bump,
    BitRot,
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
    cast: Named,
    config: &Config,
    safety: Span,
) -> Result<Vec<ScriptedFault>> {
    root.each("fault", |value| {
        let (table, kind, main) = value.table_of(&FAULT)?;
        let trigger = trigger(&table, cast, safety)?;
        if is_of_managed(kind) {
            need_managed(&main, config)?;
        }
        Ok(ScriptedFault { trigger, fault: fault(&table, kind, &main, cast, trigger)? })
    })
}

/// Does it need a central node that decides which nodes are members?
fn is_of_managed(kind: Kind) -> bool {
    match kind {
        Kind::Wipe | Kind::Join | Kind::Leave | Kind::Set | Kind::AcceptLoss => true,
        Kind::Crash | Kind::Pause | Kind::Isolate | Kind::Partition | Kind::Clog => false,
        Kind::MajoritiesRing | Kind::Bump | Kind::BitRot => false,
        Kind::RollingRestart | Kind::Attrition => false,
    }
}

fn trigger(table: &Table<'_>, cast: Named, safety: Span) -> Result<Trigger> {
    match (table.get("at"), table.get("when")) {
        (Some(at), None) => at.moment(safety).map(Trigger::At),
        (None, Some(when)) => occasion(&when.table(&WHEN)?, cast),
        (Some(_), Some(_)) => Err(table.fault("expected `at` or `when`, found both")),
        (None, None) => Err(table.fault("expected `at` or `when`, found neither")),
    }
}

fn occasion(when: &Table<'_>, cast: Named) -> Result<Trigger> {
    Ok(Trigger::When {
        milestone: when.need("milestone", "what to wait for")?.milestone()?,
        nth: when.or("nth", 1, |value| value.integer(1..=u32::MAX.into()))?,
        node: when.maybe("node", |value| value.node(cast))?,
    })
}

fn fault(
    table: &Table<'_>,
    kind: Kind,
    main: &Value<'_>,
    cast: Named,
    trigger: Trigger,
) -> Result<Fault<Target>> {
    let target = || main.target(cast, trigger);
    let lasts = || table.maybe("for", |value| value.some_span());
    let span = |key, usual| table.or(key, usual, |value| value.span());
    Ok(match kind {
        Kind::Crash => Fault::Crash { node: target()?, restart: restart(table)? },
        Kind::Pause => Fault::Pause { node: target()?, lasts: lasts()? },
        Kind::Isolate => Fault::Cut { links: Cut::Isolate(target()?), lasts: lasts()? },
        Kind::Partition => Fault::Cut { links: partition(table, main, cast)?, lasts: lasts()? },
        Kind::Clog => {
            let (from, to) = ends(&main.table(&CLOG)?, cast)?;
            let links = Cut::OneWay { from: vec![from], to: vec![to] };
            Fault::Cut { links, lasts: lasts()? }
        }
        Kind::MajoritiesRing => {
            main.yes()?;
            // Of three nodes each has a majority with its two neighbours: nothing would be cut.
            if cast.storage() < 4 {
                let found = cast.storage();
                return Err(main.error(format!("needs 4 storage nodes, found {found}")));
            }
            Fault::Cut { links: Cut::MajoritiesRing, lasts: lasts()? }
        }
        Kind::Bump => Fault::ClockJump {
            node: target()?,
            by: table.need("by", "how far, such as \"5s\"")?.some_span()?,
        },
        Kind::BitRot => {
            let node = logged(main, target()?)?;
            Fault::BitRot { node, rot: None, restart: restart_after(table)? }
        }
        Kind::Wipe => {
            Fault::Wipe { node: storing(main, target()?)?, restart: restart_after(table)? }
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
        Kind::Join => Fault::Operator(Command::Join(main.storage_node(cast)?)),
        Kind::Leave => Fault::Operator(Command::Leave(main.storage_node(cast)?)),
        Kind::Set => Fault::Operator(set(main, cast)?),
        Kind::AcceptLoss => {
            main.yes()?;
            Fault::Operator(Command::AcceptLoss)
        }
    })
}

fn partition(table: &Table<'_>, main: &Value<'_>, cast: Named) -> Result<Cut<Target>> {
    let one_way = table.or("one_way", false, |value| value.boolean())?;
    let groups = groups(main, cast, one_way)?;
    Ok(match <[Vec<NodeId>; 2]>::try_from(groups) {
        Ok([from, to]) if one_way => Cut::OneWay { from, to },
        Ok(two) => Cut::Groups(two.into()),
        Err(more) => Cut::Groups(more),
    })
}

/// Settings to change, each within the range that it has in `[cluster]` or `[timing]`.
fn set(main: &Value<'_>, cast: Named) -> Result<Command> {
    let table = main.table(&SET)?;
    if SET.keys.iter().all(|key| table.get(key.name).is_none()) {
        return Err(
            main.error(format!("expected at least one of {}, found none", one_of(SET.known())))
        );
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
        Target::Role(role) => role.is_client(),
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

fn groups(main: &Value<'_>, cast: Named, one_way: bool) -> Result<Vec<Vec<NodeId>>> {
    let mut grouped = std::collections::BTreeSet::new();
    let mut groups = Vec::new();
    for group in main.list()? {
        let members = group.distinct(|value| value.node(cast))?;
        if let Some(twice) = members.iter().find(|node| grouped.contains(*node)) {
            return Err(group.error(format!("`{twice}` is in another group as well")));
        }
        grouped.extend(members.iter().copied());
        groups.push(members);
    }
    match (groups.len(), one_way) {
        (2, true) | (2.., false) => Ok(groups),
        (found, true) => Err(main.error(format!("expected exactly 2 groups, found {found}"))),
        (found, false) => Err(main.error(format!("expected at least 2 groups, found {found}"))),
    }
}

impl Value<'_> {
    /// A milestone.
    pub(super) fn milestone(&self) -> Result<Milestone> {
        let names = Milestone::all().map(|milestone| (milestone.name(), milestone));
        self.pick_listed("milestone", "milestones", names)
    }

    /// A machine that exists, or a role that the trigger binds.
    fn target(&self, cast: Named, trigger: Trigger) -> Result<Target> {
        let found = self.string()?;
        let role = Role::ALL.iter().copied().find(|role| role.name() == found);
        match (role, trigger) {
            (None, _) => self.node(cast).map(Target::Node).map_err(|_| self.no_target(found, cast)),
            (Some(role), Trigger::At(_)) => Err(self.error(format!(
                "the role `{role}` needs a `when`: with `at` no machine is known to have it"
            ))),
            (Some(role), Trigger::When { milestone, .. }) => self.role(role, milestone),
        }
    }

    fn no_target(&self, found: &str, cast: Named) -> ScenarioError {
        let roles = Role::ALL.iter().map(|role| role.name());
        cast.absent(self, &format!("{} or a role", cast.described())).or_rather(found, roles)
    }

    fn role(&self, role: Role, milestone: Milestone) -> Result<Target> {
        let bound = match roles_of(milestone) {
            roles if roles.contains(&role) => return Ok(Target::Role(role)),
            [] => "no role".to_owned(),
            roles => one_of(roles.iter().map(|role| role.name())),
        };
        Err(self.error(format!("`{milestone}` binds {bound}, not `{role}`")))
    }
}

//! `[[fault]]`: what breaks, when, and for how long.

pub(super) mod grammar;

use seedbed::proto::{Command, Config, NodeId, Span};

use super::cluster::{Named, POINTS, need_managed, points, too_many};
use super::environment::ends;
use super::error::{Refused, all};
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
        let table = value.table(&FAULT)?;
        let trigger = trigger(&table, cast, safety);
        let (kind, main) = table.form(&FAULT)?;
        let managed = if is_of_managed(kind) { need_managed(&main, config) } else { Ok(()) };
        let fault = fault(&table, kind, &main, cast, trigger);
        managed.and(Ok(ScriptedFault { trigger: trigger?, fault: fault? }))
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
        (None, None) => {
            table.is_understood()?;
            Err(table.fault("expected `at` or `when`, found neither"))
        }
    }
}

fn occasion(when: &Table<'_>, cast: Named) -> Result<Trigger> {
    let milestone = when.need("milestone", "what to wait for").and_then(|value| value.milestone());
    let nth = when.or("nth", 1, |value| value.integer(1..=u32::MAX.into()));
    let node = when.maybe("node", |value| value.node(cast));
    Ok(Trigger::When { milestone: milestone?, nth: nth?, node: node? })
}

fn fault(
    table: &Table<'_>,
    kind: Kind,
    main: &Value<'_>,
    cast: Named,
    trigger: Result<Trigger>,
) -> Result<Fault<Target>> {
    let target = || main.target(cast, trigger);
    let lasts = || table.maybe("for", |value| value.some_span());
    let span = |key, usual| table.or(key, usual, |value| value.span());
    Ok(match kind {
        Kind::Crash => {
            let (node, restart) = (target(), restart(table));
            Fault::Crash { node: node?, restart: restart? }
        }
        Kind::Pause => {
            let (node, lasts) = (target(), lasts());
            Fault::Pause { node: node?, lasts: lasts? }
        }
        Kind::Isolate => cut(target().map(Cut::Isolate), lasts())?,
        Kind::Partition => cut(partition(table, main, cast), lasts())?,
        Kind::Clog => {
            let ends = main.table(&CLOG).and_then(|table| ends(&table, cast));
            let links = |(from, to)| Cut::OneWay { from: vec![from], to: vec![to] };
            cut(ends.map(links), lasts())?
        }
        Kind::MajoritiesRing => {
            main.yes()?;
            // Of three nodes each has a majority with its two neighbours: nothing would be cut.
            if cast.storage() < 4 {
                let found = cast.storage();
                return Err(main.error(format!("needs 4 storage nodes, found {found}")));
            }
            cut(Ok(Cut::MajoritiesRing), lasts())?
        }
        Kind::Bump => {
            let by = table.need("by", "how far, such as \"5s\"").and_then(|by| by.some_span());
            Fault::ClockJump { node: target()?, by: by? }
        }
        Kind::BitRot => {
            let (node, restart) = (target().and_then(|to| logged(main, to)), restart_after(table));
            Fault::BitRot { node: node?, rot: None, restart: restart? }
        }
        Kind::Wipe => {
            let (node, restart) = (target().and_then(|to| storing(main, to)), restart_after(table));
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
        Kind::Join => Fault::Operator(Command::Join(main.storage_node(cast)?)),
        Kind::Leave => Fault::Operator(Command::Leave(main.storage_node(cast)?)),
        Kind::Set => Fault::Operator(set(main, cast)?),
        Kind::AcceptLoss => {
            main.yes()?;
            Fault::Operator(Command::AcceptLoss)
        }
    })
}

fn cut(links: Result<Cut<Target>>, lasts: Result<Option<Span>>) -> Result<Fault<Target>> {
    Ok(Fault::Cut { links: links?, lasts: lasts? })
}

fn partition(table: &Table<'_>, main: &Value<'_>, cast: Named) -> Result<Cut<Target>> {
    let one_way = table.or("one_way", false, |value| value.boolean());
    let groups = groups(main, cast, one_way)?;
    let one_way = one_way?;
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
    let membership_lease = table.maybe("membership_lease", |value| value.lease());
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

fn groups(main: &Value<'_>, cast: Named, one_way: Result<bool>) -> Result<Vec<Vec<NodeId>>> {
    let mut grouped = std::collections::BTreeSet::new();
    let mut groups = Vec::new();
    let read =
        main.list()?.into_iter().map(|group| Ok((group.distinct(|it| it.node(cast))?, group)));
    for (members, group) in all(read)? {
        if let Some(twice) = members.iter().find(|node| grouped.contains(*node)) {
            return Err(group.error(format!("`{twice}` is in another group as well")));
        }
        grouped.extend(members.iter().copied());
        groups.push(members);
    }
    match (groups.len(), one_way?) {
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
    fn target(&self, cast: Named, trigger: Result<Trigger>) -> Result<Target> {
        let found = self.string()?;
        let role = Role::ALL.iter().copied().find(|role| role.name() == found);
        let Some(role) = role else {
            let node = self.machine(cast)?;
            return node.map(Target::Node).ok_or_else(|| self.no_target(cast));
        };
        match trigger? {
            Trigger::At(_) => Err(self.error(format!(
                "the role `{role}` needs a `when`: with `at` no machine is known to have it"
            ))),
            Trigger::When { milestone, .. } => self.role(role, milestone),
        }
    }

    fn no_target(&self, cast: Named) -> Refused {
        let (names, roles) = (cast.names(), Role::ALL.iter().map(|role| role.name()));
        let known = names.iter().map(String::as_str).chain(roles);
        cast.absent_or(self, &format!("{} or a role", cast.described()), known)
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

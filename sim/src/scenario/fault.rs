//! `[[fault]]`: what breaks, when, and for how long.

pub(super) mod grammar;

use seedbed::machine::{NodeId, Span};

use super::cluster::Named;
use super::error::Result;
use super::grammar::{Extended, TableGrammar};
use super::occasion::{Names, Occasion, Trigger, occasion, trigger, when_of};
use super::reader::Table;
use super::target::{Binder, Target, is_role};
use super::value::Value;
use crate::fault::{Cut, Degradation, DiskTrouble, Fault, Leaves, Restart, Torn, Worse};
use crate::quantity::Ppb;
use crate::role::Role;
use crate::under_test::{Operator, UnderTest, WishKind, has_operator};
use grammar::{CLOG, FAULT, SIDES, UNTIL, WHEN};

/// One scripted fault.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ScriptedFault<S: UnderTest> {
    /// When it strikes.
    pub trigger: Trigger<S>,
    /// What ends it, if a milestone does.
    pub until: Option<Occasion<S>>,
    /// What it does.
    pub fault: Fault<S, Target<S>>,
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
}

/// What a table of a fault is about.
#[derive(Clone, Copy)]
pub(super) enum Is<S: UnderTest> {
    /// What any system may meet.
    General(Kind),
    /// What the operator of this one wants.
    Operator(WishKind<S>),
}

/// The table of a fault, with what the operator can want.
pub(super) fn table<S: UnderTest>() -> Extended<Is<S>> {
    let table = FAULT.of::<S>().map(Is::General);
    if !has_operator::<S>() {
        return table;
    }
    let wishes = S::Operator::FORMS.iter().map(|form| form.map(Is::Operator));
    table.or_else(wishes).with_note(grammar::OPERATOR)
}

pub(super) fn read<S: UnderTest>(
    root: &Table<'_>,
    names: Names<'_>,
    config: &S::Config,
    safety: Span,
) -> Result<Vec<ScriptedFault<S>>> {
    let grammar = table::<S>();
    root.each("fault", |value| {
        let table = value.table(&grammar)?;
        let trigger = trigger(&table, &WHEN, names, safety);
        let until =
            table.maybe("until", |value| occasion(&value.table(&when_of::<S>(&UNTIL))?, names));
        let (form, main) = table.form(&grammar)?;
        let binder = Trigger::binder(&trigger);
        let place = FaultPlace { table: &table, main: &main, cast: names.cast, binder, config };
        let fault = match form {
            Is::General(kind) => place.fault(kind),
            Is::Operator(kind) => place.wish(kind),
        };
        let until = until.and_then(|until| ends(&table, form, until));
        Ok(ScriptedFault { trigger: trigger?, until: until?, fault: fault? })
    })
}

/// What ends a fault of this kind at a milestone: only if it lasts, and nothing else ends it.
fn ends<S: UnderTest>(
    table: &Table<'_>,
    form: Is<S>,
    until: Option<Occasion<S>>,
) -> Result<Option<Occasion<S>>> {
    let Some(value) = table.get("until") else { return Ok(until) };
    let others = ["for", "restart_after", "restart"];
    if let Some(other) = others.iter().find(|key| table.get(key).is_some()) {
        return Err(value.error(format!("does not go with `{other}`")));
    }
    match matches!(form, Is::General(kind) if lasts(kind)) {
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
    }
}

/// A fault that is read: its table, the value of the key that says what it is, and what that may
/// name.
pub struct FaultPlace<'p, S: UnderTest> {
    /// Its table.
    pub table: &'p Table<'p>,
    /// The value of the key that says what it is.
    pub main: &'p Value<'p>,
    /// The machines that it may name.
    pub cast: Named,
    /// Where roles get their machines from.
    pub binder: Binder<S>,
    /// What the machines agree on.
    pub config: &'p S::Config,
}

/// The machines at the two ends of links.
type Sides<S> = (Vec<Target<S>>, Vec<Target<S>>);

impl<S: UnderTest> FaultPlace<'_, S> {
    fn wish(&self, kind: WishKind<S>) -> Result<Fault<S, Target<S>>> {
        S::Operator::read(kind, self).map(|(wish, node)| Fault::Operator { wish, node })
    }

    fn fault(&self, kind: Kind) -> Result<Fault<S, Target<S>>> {
        let FaultPlace { table, main, cast, config, .. } = self;
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
                let most = i64::from(S::drift_max_ppm(config));
                let ppm = table.need("ppm", "how many microseconds the clock gains a second");
                let ppm = ppm.and_then(|ppm| ppm.integer(-most..=most));
                let (node, lasts) = (self.target(), self.lasts());
                Fault::ClockDrift { node: node?, ppm: ppm?, lasts: lasts? }
            }
            Kind::BitRot => {
                let record = table.maybe("record", |value| value.integer(1..=u32::MAX.into()));
                let bit = table.maybe("bit", |value| value.integer(0..=u32::MAX.into()));
                let (node, restart) = (self.logged(), restart_after(table));
                let record = record?.map(|number: u32| number - 1);
                Fault::BitRot { node: node?, record, bit: bit?, restart: restart? }
            }
            Kind::SlowDisk => {
                let sync = table.need("sync", "two durations such as [\"50ms\", \"80ms\"]");
                self.disk(sync.and_then(|sync| sync.spans()).map(DiskTrouble::Slow))?
            }
            Kind::StalledDisk => self.disk(Ok(DiskTrouble::Stalled))?,
            Kind::FullDisk => self.disk(Ok(DiskTrouble::Full))?,
            Kind::Wipe => {
                let may = S::may_lose_a_disk(config).map_err(|why| main.error(why));
                let node = self.target().and_then(|node| losing_its_disk(main, node));
                let restart = restart_after(table);
                may?;
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
                let count = main.integer(1..=cast.all_nodes().into());
                let (pause, restart) = (span("pause", Span::ZERO), restart_after(table));
                Fault::Attrition { count: count?, pause: pause?, restart: restart? }
            }
        })
    }

    fn target(&self) -> Result<Target<S>> {
        self.main.target(self.cast, self.binder)
    }

    fn logged(&self) -> Result<Target<S>> {
        self.target().and_then(|node| logged(self.main, node))
    }

    fn lasts(&self) -> Result<Option<Span>> {
        self.table.maybe("for", |value| value.some_span())
    }

    fn cut(&self, links: Result<Cut<Target<S>>>) -> Result<Fault<S, Target<S>>> {
        let lasts = self.lasts();
        Ok(Fault::Cut { links: links?, lasts: lasts? })
    }

    fn worse(&self, sides: &TableGrammar, how: Result<Worse>) -> Result<Fault<S, Target<S>>> {
        let (sides, lasts) = (self.sides(sides), self.lasts());
        let (from, to) = sides?;
        Ok(Fault::Degrade { what: Degradation { from, to, how: how? }, lasts: lasts? })
    }

    fn disk(&self, trouble: Result<DiskTrouble>) -> Result<Fault<S, Target<S>>> {
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
    fn sides(&self, grammar: &TableGrammar) -> Result<Sides<S>> {
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
            Some(_) => Err(to.not("another machine than `from`")),
            None => Ok((senders, receivers)),
        }
    }

    fn partition(&self) -> Result<Cut<Target<S>>> {
        let one_way = self.table.or("one_way", false, |value| value.boolean());
        let groups = self.main.groups(self.cast, self.binder, one_way)?;
        let one_way = one_way?;
        Ok(match <[Vec<Target<S>>; 2]>::try_from(groups) {
            Ok([from, to]) if one_way => Cut::OneWay { from, to },
            Ok(two) => Cut::Groups(two.into()),
            Err(more) => Cut::Groups(more),
        })
    }

    fn majorities_ring(&self) -> Result<Cut<Target<S>>> {
        self.main.yes()?;
        // Of three nodes each has a majority with its two neighbours: nothing would be cut.
        match self.cast.all_nodes() {
            found @ ..4 => Err(self.main.error(format!("needs 4 nodes, found {found}"))),
            _ => Ok(Cut::MajoritiesRing),
        }
    }

    /// A node, or a role that one plays.
    ///
    /// # Errors
    /// It is another machine, or none.
    pub fn node(&self) -> Result<Target<S>> {
        if !is_role::<S>(self.main.string()?) {
            return self.main.node(self.cast).map(Target::Node);
        }
        match self.target()? {
            Target::Role(role) if role.is_client() => Err(self.main.not("a node")),
            target => Ok(target),
        }
    }
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
fn logged<S: UnderTest>(main: &Value<'_>, target: Target<S>) -> Result<Target<S>> {
    if target.is_client() {
        Err(main.not("a machine with a log, and a client has none"))
    } else {
        Ok(target)
    }
}

/// `target`, which must be a node: no other machine may lose its disk.
fn losing_its_disk<S: UnderTest>(main: &Value<'_>, target: Target<S>) -> Result<Target<S>> {
    match logged(main, target)? {
        Target::Node(NodeId::CONTROL) => {
            Err(main.error("the disk of `control` cannot be lost, only that of a node"))
        }
        target => Ok(target),
    }
}

//! What the operator of the file service can want: members, settings, and to give up what was lost.

use std::collections::BTreeSet;
use std::sync::Arc;

use seedbed::machine::{Class, NodeId, Span};
use seedbed::proto::{Command, Config, FileService};

use super::shared::{POINTS, need_managed, points, too_many};
use crate::cast::Cast;
use crate::fault::Fault;
use crate::file_service::oracle::Model;
use crate::file_service::oracle::copies::{is_every_loss_noticed, may_be_lost};
use crate::names;
use crate::scenario::reading::{
    Extra, Form, Grammar, Key, Named, Result, Style, Table, TableGrammar, Value, all,
};
use crate::scenario::{Chaos, FaultPlace, Phases, Target, written};
use crate::seed::Stream;
use crate::text::one_of;
use crate::under_test::Operator;

names! {
    /// A kind of wish.
    pub enum WishKind {
        /// the operator lets a storage node in
        Join = "join",
        /// the operator tells a storage node to leave
        Leave = "leave",
        /// the operator changes settings
        Set = "set",
        /// the operator accepts that what lost disks had is lost
        AcceptLoss = "accept_loss",
    }
}

/// What the operator wants, but for the machine that it is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Wish {
    /// To let a storage node in.
    Join,
    /// That a storage node leaves.
    Leave,
    /// Other settings, or to accept losses.
    Other(Command),
}

/// What `[chaos]` says of the operator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Options {
    /// Is a disk also lost where it holds the last copy of something? The operator accepts that.
    pub last_copies: bool,
}

/// The operator of one drawn plan.
#[derive(Clone, Debug)]
pub struct Wishes {
    storage: Vec<NodeId>,
    /// The nodes that the operator wants as members.
    wanted: BTreeSet<NodeId>,
    /// Nodes that an aimed wish is about, which may come at any time: they get no other.
    wavering: BTreeSet<NodeId>,
    /// The most replicas that the operator ever wants.
    replicas: usize,
}

/// How long after the safety phase the operator accepts what was lost. A node that begins again
/// late is not known to have lost its disk at the first time.
const ACCEPTED_AFTER: [Span; 2] = [Span::from_secs(5), Span::from_secs(20)];

/// What `[chaos]` says beside.
pub(in crate::file_service) const CHAOS: Extra = Extra {
    keys: &[Key::usually(
        "last_copies",
        "`true`, `false`",
        "false",
        "whether a disk is also lost where it holds the last copy of something; the operator \
             accepts the loss 5 s and 20 s after the safety phase",
    )],
    notes: &[
        "The kinds `join`, `leave`, `set`, `accept_loss` and `wipe` need `membership = \"managed\"`; `wipe` needs \
         `wipes` in the budget, of the file or drawn by `[swarm]`.",
        "`last_copies` needs the kind `wipe`, and a liveness phase that is longer than 20 s.",
    ],
    example: None,
};

const fn form(key: Key, is: WishKind) -> Form<WishKind> {
    Form { key, beside: &[], is }
}

impl Operator<FileService> for Wishes {
    type Kind = WishKind;
    type Wish = Wish;
    type Options = Options;

    const FORMS: &'static [Form<WishKind>] = &[
        form(
            Key::form("join", "target that is a node", "the operator wants it as a member"),
            WishKind::Join,
        ),
        form(
            Key::form(
                "leave",
                "target that is a node",
                "the operator wants it as a member no more",
            ),
            WishKind::Leave,
        ),
        form(
            Key::form("set", "table, see `fault.set`", "the operator changes settings"),
            WishKind::Set,
        ),
        form(
            Key::form(
                "accept_loss",
                "`true`, or array of nodes",
                "the operator gives up the members whose disks are known to be lost, and the nodes \
                 named here, which never return",
            ),
            WishKind::AcceptLoss,
        ),
    ];

    fn kind(wish: &Wish) -> WishKind {
        match wish {
            Wish::Join => WishKind::Join,
            Wish::Leave => WishKind::Leave,
            Wish::Other(Command::Set { .. }) => WishKind::Set,
            Wish::Other(Command::AcceptLoss(_)) => WishKind::AcceptLoss,
            Wish::Other(Command::Join(_) | Command::Leave(_)) => {
                unreachable!("a wish about one machine says so")
            }
        }
    }

    fn read(
        kind: WishKind,
        place: &FaultPlace<'_, FileService>,
    ) -> Result<(Wish, Option<Target<FileService>>)> {
        let FaultPlace { main, cast, config, .. } = *place;
        let managed = need_managed(main, config);
        let read = match kind {
            WishKind::Join => place.node().map(|node| (Wish::Join, Some(node))),
            WishKind::Leave => place.node().map(|node| (Wish::Leave, Some(node))),
            WishKind::Set => set(main, cast).map(|set| (Wish::Other(set), None)),
            WishKind::AcceptLoss => {
                let lost = lost_machines(main, cast);
                lost.map(|lost| (Wish::Other(Command::AcceptLoss(lost)), None))
            }
        };
        managed.and(read)
    }

    fn written(wish: &Wish, node: Option<NodeId>) -> Option<(&'static str, written::Value)> {
        let one = || node.map(written::name);
        match wish {
            Wish::Join => Some(("join", one()?)),
            Wish::Leave => Some(("leave", one()?)),
            Wish::Other(Command::Set { replicas, virtual_nodes, lock_lease, membership_lease }) => {
                let number = |number: u32| written::Value::from(i64::from(number));
                let keys = [
                    ("replicas", replicas.map(|count| number(count.into()))),
                    ("virtual_nodes", virtual_nodes.map(number)),
                    ("lock_lease", lock_lease.map(written::duration)),
                    ("membership_lease", membership_lease.map(written::duration)),
                ];
                let said =
                    keys.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
                Some(("set", written::Keys::from_iter(said).into()))
            }
            Wish::Other(Command::AcceptLoss(nodes)) if nodes.is_empty() => {
                Some(("accept_loss", true.into()))
            }
            Wish::Other(Command::AcceptLoss(nodes)) => {
                let names: Vec<written::Value> =
                    nodes.iter().map(|it| written::name(*it)).collect();
                Some(("accept_loss", names.into()))
            }
            Wish::Other(Command::Join(_) | Command::Leave(_)) => None,
        }
    }

    fn command(wish: &Wish, node: Option<NodeId>) -> Command {
        let about_one = "it is about one machine";
        match wish {
            Wish::Join => Command::Join(node.expect(about_one)),
            Wish::Leave => Command::Leave(node.expect(about_one)),
            Wish::Other(command) => command.clone(),
        }
    }

    fn strikes(kind: WishKind) -> &'static [Class] {
        match kind {
            WishKind::Join | WishKind::Leave => &[Class::Control, Class::Node],
            WishKind::Set | WishKind::AcceptLoss => &[Class::Control],
        }
    }

    fn may_be_drawn(_kind: WishKind, value: &Value<'_>, config: &Config) -> Result<()> {
        need_managed(value, config)
    }

    fn read_options(chaos: &Table<'_>, config: &Config) -> Result<Options> {
        let last_copies = chaos.or("last_copies", false, |value| last_copies(&value, config))?;
        Ok(Options { last_copies })
    }

    fn check(root: &Table<'_>, chaos: &Chaos<FileService>, phases: &Phases) {
        check_last_copies(root, chaos, phases.liveness);
    }

    /// What is lost by the end of the safety phase is accepted, so that no request waits for it.
    fn afterwards(options: &Options) -> Vec<(Span, Wish)> {
        let accepts = |after| (after, Wish::Other(Command::AcceptLoss(Arc::default())));
        match options.last_copies {
            true => ACCEPTED_AFTER.into_iter().map(accepts).collect(),
            false => Vec::new(),
        }
    }

    fn new(cast: Cast, config: &Config) -> Wishes {
        Wishes {
            storage: cast.every_node().collect(),
            wanted: cast.first_nodes().collect(),
            wavering: BTreeSet::new(),
            replicas: config.replicas,
        }
    }

    fn draw(
        &mut self,
        kind: WishKind,
        may_come_late: bool,
        config: &Config,
        stream: &mut Stream,
    ) -> Option<(Wish, Option<NodeId>)> {
        match kind {
            WishKind::Join => self.join(may_come_late, stream).map(|node| (Wish::Join, Some(node))),
            WishKind::Leave => {
                self.leave(may_come_late, stream).map(|node| (Wish::Leave, Some(node)))
            }
            WishKind::Set => Some((Wish::Other(self.set(config, stream)), None)),
            WishKind::AcceptLoss => Some((Wish::Other(Command::AcceptLoss(Arc::default())), None)),
        }
    }

    /// A view changes only where every loss was noticed, and a disk is lost only where another
    /// owner has all that was on it, or where that is accepted. See the table of promises in
    /// ARCHITECTURE.md.
    fn keeps_the_promise(fault: &Fault<FileService>, options: &Options, model: &Model) -> bool {
        match fault {
            Fault::Operator { wish: Wish::Other(Command::AcceptLoss(_)), .. } => true,
            Fault::Operator { .. } => is_every_loss_noticed(model),
            Fault::Wipe { node, .. } => options.last_copies || may_be_lost(*node, model),
            _ => true, // it loses nothing
        }
    }
}

impl Wishes {
    fn join(&mut self, may_come_late: bool, stream: &mut Stream) -> Option<NodeId> {
        let is_out = |node: &NodeId| !self.wanted.contains(node) && !self.wavering.contains(node);
        let out: Vec<NodeId> = self.storage.iter().copied().filter(is_out).collect();
        let node = *stream.pick(&out)?;
        // A node that comes late is not counted on, so that enough stay whenever it comes.
        if may_come_late {
            self.wavering.insert(node);
        } else {
            self.wanted.insert(node);
        }
        Some(node)
    }

    fn leave(&mut self, may_come_late: bool, stream: &mut Stream) -> Option<NodeId> {
        let wanted: Vec<NodeId> = self.wanted.iter().copied().collect();
        let can = wanted.len() > self.replicas;
        let node = *stream.pick(&wanted).filter(|_| can)?;
        self.wanted.remove(&node);
        if may_come_late {
            self.wavering.insert(node);
        }
        Some(node)
    }

    /// One or two settings, drawn around those of the cluster.
    fn set(&mut self, config: &Config, stream: &mut Stream) -> Command {
        let around = |span: Span, stream: &mut Stream| {
            let percent = 50 + stream.below(151);
            Span::from_nanos((span.as_nanos() / 100 * percent).max(1_000))
        };
        let most = self.wanted.len().max(1) as u64;
        let mut set = [false; 4];
        for _ in 0..2 {
            set[stream.below(4) as usize] = true;
        }
        let [replicas, virtual_nodes, lock_lease, membership_lease] = set;
        let replicas = replicas.then(|| 1 + stream.below(most) as u16);
        self.replicas = self.replicas.max(replicas.unwrap_or_default().into());
        Command::Set {
            replicas,
            virtual_nodes: virtual_nodes.then(|| 1 + stream.below(24) as u32),
            lock_lease: lock_lease.then(|| around(config.lock_lease, stream)),
            membership_lease: membership_lease.then(|| {
                let drawn = around(config.membership_lease, stream);
                drawn.max(Config::LEAST_MEMBERSHIP_LEASE)
            }),
        }
    }
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
        match points(number, cast.all_nodes()) {
            found if found > POINTS && cast.is_known => Err(value.error(too_many(found))),
            _ => Ok(number),
        }
    });
    let replicas = table.maybe("replicas", |value| value.integer(1..=cast.all_nodes().into()));
    let lock_lease = table.maybe("lock_lease", |value| value.bounded_span());
    let membership_lease = table.maybe("membership_lease", |value| value.membership_lease());
    Ok(Command::Set {
        replicas: replicas?,
        virtual_nodes: virtual_nodes?,
        lock_lease: lock_lease?,
        membership_lease: membership_lease?,
    })
}

/// The storage nodes that the operator says never return: none if it accepts what it knows of.
fn lost_machines(main: &Value<'_>, cast: Named) -> Result<Arc<[NodeId]>> {
    if main.value.is_array() {
        let nodes = all(main.list()?.iter().map(|value| value.node(cast)))?;
        return Ok(nodes.into());
    }
    main.yes().map(|()| Arc::default())
}

pub(in crate::file_service) const SET: TableGrammar = TableGrammar {
    name: "fault.set",
    style: Style::Inline,
    meaning: "settings that the operator changes",
    keys: &[
        Key::perhaps("replicas", "whole number", "not changed", "owners of a path"),
        Key::perhaps(
            "virtual_nodes",
            "whole number, 1 to 10000",
            "not changed",
            "points of a node on the ring",
        ),
        Key::perhaps("lock_lease", "duration, 1us to one day", "not changed", "of every lock"),
        Key::perhaps(
            "membership_lease",
            "duration, 10ms to one day",
            "not changed",
            "of every member",
        ),
    ],
    forms: &[],
    notes: &["At least one key is there. It needs `membership = \"managed\"`."],
    example: r#"
[cluster]
membership = "managed"

[[fault]]
at = "3s"
set = { replicas = 3, membership_lease = "1s" }
"#,
};

fn last_copies(value: &Value<'_>, config: &Config) -> Result<bool> {
    let may_be_lost = value.boolean()?;
    if may_be_lost {
        need_managed(value, config)?;
    }
    Ok(may_be_lost)
}

/// Last copies are lost only where a disk may be, and every request ends after that is accepted.
fn check_last_copies(root: &Table<'_>, chaos: &Chaos<FileService>, liveness: Span) {
    let place = || root.get("chaos")?.inside("last_copies");
    let Some(value) = place().filter(|_| chaos.options.last_copies) else { return };
    if !chaos.kinds.iter().any(|kind| kind.loses_a_disk()) {
        value.error("can never be lost: needs `wipe` in `chaos.kinds`");
    }
    let [.., last] = ACCEPTED_AFTER;
    if liveness <= last {
        let what = format!("the liveness phase ({liveness}) is too short for that");
        value.error(format!("{what}: expected more than {last}"));
    }
}

//! `[cluster]`: the machines that take part, and the settings they agree on.

use std::ops::Deref;
use std::sync::Arc;

use seedbed::machine::{Class, NodeId};

use super::error::{Refused, Result, all};
use super::grammar::{Key, Style, TableGrammar};
use super::reader::Table;
use super::value::Value;
use crate::cast::Cast;
use crate::name::Name;
use crate::under_test::UnderTest;

/// Nodes that there may be, spare ones included.
pub const MOST_NODES: i64 = 1000;

pub(super) const CLUSTER: TableGrammar = TableGrammar {
    name: "cluster",
    style: Style::Single,
    meaning: "the machines that take part, and how they work together",
    keys: &[
        Key::usually(
            "nodes",
            "whole number, 1 to 1000",
            "3",
            "nodes that take part from the start",
        ),
        Key::usually(
            "spare",
            "whole number",
            "0",
            "nodes that are there and take no part before the operator lets them in; they come \
             after those of `nodes`",
        ),
        Key::usually("clients", "whole number, 1 to 32767", "1", "clients"),
        Key::usually(
            "defects",
            "array of defects",
            "[]",
            "mistakes to switch on; the command `defects` lists them",
        ),
    ],
    forms: &[],
    notes: &[],
    example: r#"
[cluster]
nodes = 2
clients = 2
"#,
};

/// The names of the nodes, for a message.
fn described_nodes(cast: Cast) -> String {
    run_of('n', cast.all_nodes())
}

/// The names of the clients, for a message.
fn described_clients(cast: Cast) -> String {
    run_of('c', cast.clients)
}

/// The names that are worth comparing with a misspelt one.
pub(super) fn names(cast: Cast) -> Vec<String> {
    cast.machines().take(100).map(|machine| machine.to_string()).collect()
}

fn run_of(letter: char, count: u16) -> String {
    match count {
        1 => format!("`{letter}1`"),
        _ => format!("`{letter}1` to `{letter}{count}`"),
    }
}

/// The machines that a file may name: those that are there with every seed.
#[derive(Clone, Copy)]
pub struct Named {
    /// These.
    pub cast: Cast,
    /// Are there only so few because of `[swarm]`?
    pub is_drawn: bool,
    /// Is it known which there are? Where that was not read, every machine counts as there.
    pub is_known: bool,
}

impl Deref for Named {
    type Target = Cast;

    fn deref(&self) -> &Cast {
        &self.cast
    }
}

impl Named {
    /// These, and no others.
    pub fn all(cast: Cast) -> Named {
        Named { cast, is_drawn: false, is_known: true }
    }

    /// Every machine that there may be.
    pub fn unknown() -> Named {
        let cast = Cast {
            control: true,
            nodes: NodeId::MAX_NUMBER,
            spare: 0,
            clients: NodeId::MAX_NUMBER,
        };
        Named { cast, is_drawn: false, is_known: false }
    }

    /// All names, for a message.
    pub fn described(self) -> String {
        let control = if self.cast.control { "`control`, " } else { "" };
        format!("{control}{}, {}", described_nodes(self.cast), described_clients(self.cast))
    }

    /// Notes that a machine was named which is not there, and those that are.
    pub fn absent(self, value: &Value<'_>, expected: &str) -> Refused {
        let names = names(self.cast);
        let names = names.iter().map(String::as_str);
        self.absent_or(value, expected, names)
    }

    /// Notes that what was named is none of `names`.
    pub fn absent_or<'a>(
        self,
        value: &Value<'_>,
        expected: &str,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Refused {
        let why = if self.is_drawn { ": `[swarm]` draws as few as these" } else { "" };
        let message = format!("expected {expected}, found {}{why}", value.found());
        value.error_near(message, value.value.as_str().unwrap_or_default(), names)
    }
}

impl Value<'_> {
    /// A machine that exists.
    pub fn machine(&self, cast: Named) -> Result<NodeId> {
        let node = self.known_machine(cast)?;
        node.ok_or_else(|| cast.absent(self, &cast.described()))
    }

    /// A machine; `None` if it does not exist.
    pub fn known_machine(&self, cast: Named) -> Result<Option<NodeId>> {
        Ok(self.string()?.parse().ok().filter(|node| cast.has(*node)))
    }

    /// A node that exists.
    pub fn node(&self, cast: Named) -> Result<NodeId> {
        match self.known_machine(cast)? {
            Some(node) if node.class() == Class::Node => Ok(node),
            Some(_) => Err(self.not("a node")),
            None => Err(cast.absent(self, &described_nodes(cast.cast))),
        }
    }

    /// A client that exists.
    pub fn client(&self, cast: Named) -> Result<NodeId> {
        match self.known_machine(cast)? {
            Some(node) if node.class() == Class::Client => Ok(node),
            Some(_) => Err(self.not("a client")),
            None => Err(cast.absent(self, &described_clients(cast.cast))),
        }
    }
}

/// What a system makes of the settings of a file.
pub struct ReadConfig<C> {
    /// What the machines agree on.
    pub config: Result<Arc<C>>,
    /// The same; where it could not be read, something that refuses nothing.
    pub lenient: Arc<C>,
}

impl<C: Default> ReadConfig<C> {
    /// These settings; where they could not be read, the usual ones refuse nothing.
    pub fn of(config: Result<C>) -> ReadConfig<C> {
        ReadConfig { config: config.map(Arc::new), lenient: Arc::default() }
    }
}

/// What `[cluster]` says, and what the settings are, as far as that was read.
pub(super) struct Cluster<S: UnderTest> {
    /// The machines.
    pub(super) cast: Result<Cast>,
    /// What they agree on.
    pub(super) config: Result<Arc<S::Config>>,
    /// The same without the mistakes that the file switches on.
    pub(super) without_defects: Result<Arc<S::Config>>,
    /// Those mistakes.
    pub(super) defects: Result<Vec<S::Defect>>,
    /// What they agree on; where it could not be read, something that refuses nothing.
    pub(super) lenient: Arc<S::Config>,
}

/// Reads `[cluster]` and the tables of settings of the system.
pub(super) fn read<S: UnderTest>(root: &Table<'_>) -> Cluster<S> {
    let cluster = root.section(&CLUSTER.of::<S>());
    let cast = read_cast::<S>(&cluster);
    let defects = cluster.or("defects", Vec::new(), |value| defects::<S>(&value));
    let ReadConfig { config, lenient } = S::read_config(root, &cluster, cast);
    let without_defects = config.clone();
    let config = match (config, &defects) {
        (Ok(config), Ok(defects)) => Ok(switched_on::<S>(config, defects)),
        (Err(refused), _) => Err(refused),
        (Ok(_), Err(refused)) => Err(*refused),
    };
    let lenient = config.clone().unwrap_or(lenient);
    Cluster { cast, config, without_defects, defects, lenient }
}

fn defects<S: UnderTest>(value: &Value<'_>) -> Result<Vec<S::Defect>> {
    let names = || S::Defect::ALL.iter().map(|defect| (defect.name(), *defect));
    all(value.list()?.iter().map(|value| value.pick_listed("defect", "defects", names())))
}

/// The same settings with these mistakes switched on.
fn switched_on<S: UnderTest>(config: Arc<S::Config>, defects: &[S::Defect]) -> Arc<S::Config> {
    defects.iter().fold(config, |config, defect| S::with_defect(&config, *defect))
}

fn read_cast<S: UnderTest>(cluster: &Table<'_>) -> Result<Cast> {
    let count = |value: Value<'_>| value.integer(1..=NodeId::MAX_NUMBER.into());
    let nodes = cluster.or("nodes", 3, count);
    let spare = cluster.maybe_known("spare", |value| value.integer(0..=MOST_NODES));
    let clients = cluster.or("clients", 1, count);
    Ok(Cast {
        control: S::HAS_CONTROL,
        nodes: nodes?,
        spare: spare?.unwrap_or(0),
        clients: clients?,
    })
}

//! `[cluster]` and `[timing]`: the machines that take part, and the settings they agree on.

pub(super) mod grammar;

use std::ops::Deref;
use std::sync::Arc;

use seedbed::machine::{Class, NodeId, Span};
use seedbed::proto::ring::HashKind;
use seedbed::proto::{
    CommitMode, Config, ConfigError, Defect, Defects, Limits, Membership, Settings,
};

use super::error::{Refused, all};
use super::limits;
use super::reader::{Result, Table};
use super::value::Value;
use grammar::{CLUSTER, TIMING};

/// Points on the ring that a file may ask for: enough for 1000 nodes, and placed in a moment.
pub(super) const POINTS: u64 = 1_000_000;

/// The machines of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cast {
    /// Storage nodes that are members at first, `n1` to `n<nodes>`.
    pub nodes: u16,
    /// Storage nodes that are there and not wanted as members at first; they come after those.
    pub spare: u16,
    /// Clients `c1` to `c<clients>`.
    pub clients: u16,
}

impl Cast {
    /// Does this machine exist?
    pub fn has(self, machine: NodeId) -> bool {
        match machine.class() {
            Class::Control => true,
            Class::Node => machine.number() <= self.storage(),
            Class::Client => machine.number() <= self.clients,
        }
    }

    /// How many storage nodes there are, spare ones included.
    pub fn storage(self) -> u16 {
        self.nodes + self.spare
    }

    /// The storage nodes, spare ones included.
    pub fn storage_nodes(self) -> impl Iterator<Item = NodeId> {
        (1..=self.storage()).map(NodeId::storage)
    }

    /// The storage nodes that are members at first.
    pub fn members(self) -> impl Iterator<Item = NodeId> {
        (1..=self.nodes).map(NodeId::storage)
    }

    /// The clients.
    pub fn clients(self) -> impl Iterator<Item = NodeId> {
        (1..=self.clients).map(NodeId::client)
    }

    /// Every machine: the central node, the storage nodes, the clients.
    pub fn machines(self) -> impl Iterator<Item = NodeId> {
        [NodeId::CONTROL].into_iter().chain(self.storage_nodes()).chain(self.clients())
    }

    /// The names of the storage nodes, for a message.
    fn describe_storage(self) -> String {
        run_of('n', self.storage())
    }

    /// The names of the clients, for a message.
    fn describe_clients(self) -> String {
        run_of('c', self.clients)
    }

    /// The names that are worth comparing with a misspelt one.
    pub(super) fn names(self) -> Vec<String> {
        self.machines().take(100).map(|machine| machine.to_string()).collect()
    }
}

fn run_of(letter: char, count: u16) -> String {
    match count {
        1 => format!("`{letter}1`"),
        _ => format!("`{letter}1` to `{letter}{count}`"),
    }
}

/// The machines that a file may name: those that are there with every seed.
#[derive(Clone, Copy)]
pub(super) struct Named {
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
    pub(super) fn all(cast: Cast) -> Named {
        Named { cast, is_drawn: false, is_known: true }
    }

    /// Every machine that there may be.
    pub(super) fn unknown() -> Named {
        let cast = Cast { nodes: NodeId::MAX_NUMBER, spare: 0, clients: NodeId::MAX_NUMBER };
        Named { cast, is_drawn: false, is_known: false }
    }

    /// All names, for a message.
    pub(super) fn described(self) -> String {
        format!("`control`, {}, {}", self.describe_storage(), self.describe_clients())
    }

    /// Notes that a machine was named which is not there, and those that are.
    pub(super) fn absent(self, value: &Value<'_>, expected: &str) -> Refused {
        let names = self.names();
        let names = names.iter().map(String::as_str);
        self.absent_or(value, expected, names)
    }

    /// Notes that what was named is none of `names`.
    pub(super) fn absent_or<'a>(
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
    pub(super) fn node(&self, cast: Named) -> Result<NodeId> {
        let node = self.machine(cast)?;
        node.ok_or_else(|| cast.absent(self, &cast.described()))
    }

    /// A machine, if it exists.
    pub(super) fn machine(&self, cast: Named) -> Result<Option<NodeId>> {
        Ok(self.string()?.parse().ok().filter(|node| cast.has(*node)))
    }

    /// A storage node that exists.
    pub(super) fn storage_node(&self, cast: Named) -> Result<NodeId> {
        match self.machine(cast)? {
            Some(node) if node.class() == Class::Node => Ok(node),
            Some(_) => Err(self.not("a storage node")),
            None => Err(cast.absent(self, &cast.describe_storage())),
        }
    }

    /// A client that exists.
    pub(super) fn client(&self, cast: Named) -> Result<NodeId> {
        match self.machine(cast)? {
            Some(node) if node.class() == Class::Client => Ok(node),
            Some(_) => Err(self.not("a client")),
            None => Err(cast.absent(self, &cast.describe_clients())),
        }
    }
}

/// What `[cluster]` and `[timing]` say, as far as it was read.
pub(super) struct Cluster {
    /// The machines.
    pub(super) cast: Result<Cast>,
    /// What they agree on.
    pub(super) config: Result<Arc<Config>>,
    membership: Result<Membership>,
}

impl Cluster {
    /// What they agree on; where that was not read, something that refuses nothing.
    pub(super) fn lenient(&self) -> Arc<Config> {
        let membership = self.membership.unwrap_or(Membership::Managed);
        let usual = || Config::new(Settings { membership, ..Settings::default() });
        self.config.clone().unwrap_or_else(|_| usual().expect("the usual settings go together"))
    }
}

/// Reads `[cluster]`, `[timing]` and `[limits]`.
pub(super) fn read(root: &Table<'_>) -> Cluster {
    let cluster = root.section(&CLUSTER);
    let timing = root.section(&TIMING);
    let cast = read_cast(&cluster);
    let usual = Settings::default().membership;
    let membership = cluster.or("membership", usual, |v| v.pick("kind of membership", MEMBERSHIPS));
    let limits = limits::read(root);
    let config = config(&cluster, &timing, cast, membership, limits);
    Cluster { cast, config, membership }
}

fn read_cast(cluster: &Table<'_>) -> Result<Cast> {
    let count = |value: Value<'_>| value.integer(1..=NodeId::MAX_NUMBER.into());
    let nodes = cluster.or("nodes", 3, count);
    let most = Settings::default().limits.nodes as i64;
    let spare = cluster.or("spare", 0, |value| value.integer(0..=most));
    let clients = cluster.or("clients", 1, count);
    Ok(Cast { nodes: nodes?, spare: spare?, clients: clients? })
}

fn config(
    cluster: &Table<'_>,
    timing: &Table<'_>,
    cast: Result<Cast>,
    membership: Result<Membership>,
    limits: Result<Limits>,
) -> Result<Arc<Config>> {
    let settings = settings(cluster, cast, membership);
    let settings = timed(timing, settings);
    let settings = Settings { limits: limits?, ..settings? };
    let cast = cast?;
    let spare = check_spare(cluster, &settings, cast);
    let points = points(settings.virtual_nodes, cast.storage());
    if points > POINTS {
        return Err(cluster.error("virtual_nodes", too_many(points)));
    }
    spare?;
    Config::new(settings).map_err(|error| located(cluster, timing, &error))
}

/// Points on the ring if all storage nodes are members.
pub(super) fn points(virtual_nodes: u32, storage: u16) -> u64 {
    u64::from(virtual_nodes) * u64::from(storage)
}

pub(super) fn too_many(points: u64) -> String {
    format!("{points} points on the ring in all, expected at most {POINTS}")
}

/// Spare machines are of use only where the central node may let them in, and count as storage
/// nodes.
fn check_spare(cluster: &Table<'_>, settings: &Settings, cast: Cast) -> Result<()> {
    if cast.spare == 0 {
        return Ok(());
    }
    if settings.membership == Membership::Fixed {
        let message = "a spare machine is of no use while membership is fixed: \
                       expected 0, or `membership = \"managed\"`";
        return Err(cluster.error("spare", message));
    }
    let (found, most) = (cast.storage(), settings.limits.nodes);
    if usize::from(found) > most {
        let message = format!("{found} storage nodes in all, expected at most {most}");
        return Err(cluster.error("spare", message));
    }
    Ok(())
}

/// Refuses a thing at `value` that the central node has to see to where it sees to nothing.
pub(super) fn need_managed(value: &Value<'_>, config: &Config) -> Result<()> {
    match config.membership {
        Membership::Managed => Ok(()),
        Membership::Fixed => Err(value.error("needs `cluster.membership = \"managed\"`")),
    }
}

fn settings(
    cluster: &Table<'_>,
    cast: Result<Cast>,
    membership: Result<Membership>,
) -> Result<Settings> {
    let usual = Settings::default();
    let whole = |value: Value<'_>| value.integer::<u32>(0..=u32::MAX.into());
    let fewest = cast.map_or(usual.replicas, |cast| usual.replicas.min(cast.nodes.into()));
    let replicas = cluster.or("replicas", fewest, |v| v.integer(0..=NodeId::MAX_NUMBER.into()));
    let virtual_nodes = cluster.or("virtual_nodes", usual.virtual_nodes, whole);
    let hash = cluster.or("hash", usual.hash, |v| v.pick("hash", HASHES));
    let ring_bits = cluster.or("ring_bits", usual.ring_bits, |v| v.integer(1..=64));
    let commit = cluster.or("commit", usual.commit, |v| v.pick("commit mode", COMMITS));
    let defects = cluster.or("defects", usual.defects, defects);
    let checkpoint_records = cluster.or("checkpoint_records", usual.checkpoint_records, whole);
    let chunk_paths = cluster.or("chunk_paths", usual.chunk_paths, whole);
    Ok(Settings {
        members: cast?.members().collect(),
        replicas: replicas?,
        membership: membership?,
        virtual_nodes: virtual_nodes?,
        hash: hash?,
        ring_bits: ring_bits?,
        commit: commit?,
        defects: defects?,
        checkpoint_records: checkpoint_records?,
        chunk_paths: chunk_paths?,
        ..usual
    })
}

const HASHES: [(&str, HashKind); 2] = [("sha1", HashKind::Sha1), ("md5", HashKind::Md5)];
const MEMBERSHIPS: [(&str, Membership); 2] =
    [("fixed", Membership::Fixed), ("managed", Membership::Managed)];
const COMMITS: [(&str, CommitMode); 2] =
    [("staged", CommitMode::Staged), ("two_phase", CommitMode::TwoPhase)];

fn defects(value: Value<'_>) -> Result<Defects> {
    Ok(all(value.list()?.iter().map(defect))?.into_iter().collect())
}

fn defect(value: &Value<'_>) -> Result<Defect> {
    value.pick_listed(
        "defect",
        "defects",
        Defect::ALL.iter().map(|defect| (defect.name(), *defect)),
    )
}

fn timed(timing: &Table<'_>, settings: Result<Settings>) -> Result<Settings> {
    let usual = Settings::default();
    let span = |key, usual: Span| timing.or(key, usual, |value| value.span());
    let whole = |value: Value<'_>| value.integer(0..=u32::MAX.into());
    let lock_lease = span("lock_lease", usual.lock_lease);
    let membership_lease = span("membership_lease", usual.membership_lease);
    let request_timeout = span("request_timeout", usual.request_timeout);
    let attempt_timeout = span("attempt_timeout", usual.attempt_timeout);
    let retry_delay = span("retry_delay", usual.retry_delay);
    let vote_timeout = span("vote_timeout", usual.vote_timeout);
    let inquiry_interval = span("inquiry_interval", usual.inquiry_interval);
    let chunk_pause = span("chunk_pause", usual.chunk_pause);
    let drift_max_ppm = timing.or("drift_max_ppm", usual.drift_max_ppm, whole);
    Ok(Settings {
        lock_lease: lock_lease?,
        membership_lease: membership_lease?,
        request_timeout: request_timeout?,
        attempt_timeout: attempt_timeout?,
        retry_delay: retry_delay?,
        vote_timeout: vote_timeout?,
        inquiry_interval: inquiry_interval?,
        chunk_pause: chunk_pause?,
        drift_max_ppm: drift_max_ppm?,
        ..settings?
    })
}

/// Notes what the settings have against themselves, at the key that says it.
fn located(cluster: &Table<'_>, timing: &Table<'_>, error: &ConfigError) -> Refused {
    match error {
        ConfigError::NoMembers | ConfigError::BadMember(_) | ConfigError::TooManyMembers { .. } => {
            cluster.error("nodes", error.to_string())
        }
        ConfigError::Replicas { .. } => cluster.error("replicas", error.to_string()),
        ConfigError::Range { name, expected, .. } => {
            let table = if TIMING.known().contains(name) { timing } else { cluster };
            match table.known_value(name) {
                Some(value) => value.not(expected),
                None => table.fault(error.to_string()),
            }
        }
    }
}

//! What a cluster agrees on before it starts, checked on construction.

use std::ops::Deref;
use std::sync::Arc;

use super::lease::LeaseTerms;
use super::ring::{HashKind, Ring, Ties};
use super::view::{Layout, View, Wanted};
use super::{Admission, Defect, Defects, Epoch, Member, Path};
use crate::machine::{Class, NodeId, Span};

/// How a transaction commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CommitMode {
    /// Seven steps: pin, then execute and vote, then decide.
    Staged,
    /// The classic two phases with presumed abort.
    TwoPhase,
}

/// What decides which nodes are members.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Membership {
    /// Nothing: the first members are members for ever, and no message is spent on it.
    Fixed,
    /// The central node, which announces each set of members as a view.
    Managed,
}

/// What users may ask for at most.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    /// Bytes of a path.
    pub path_bytes: usize,
    /// Bytes of a file.
    pub contents_bytes: usize,
    /// Operations of one request.
    pub operations: usize,
    /// Storage nodes of a cluster.
    pub nodes: usize,
    /// Requests in line for one lock.
    pub queue: usize,
}

/// The settings of a cluster, as written down; [`Config`] is what they become once checked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Settings {
    /// The storage nodes; with managed membership those that are wanted at first.
    pub members: Vec<NodeId>,
    /// What decides which nodes are members.
    pub membership: Membership,
    /// How many owners a path has.
    pub replicas: usize,
    /// Points on the ring per node.
    pub virtual_nodes: u32,
    /// The hash that places points and paths.
    pub hash: HashKind,
    /// How many bits of a hash count.
    pub ring_bits: u32,
    /// How transactions commit.
    pub commit: CommitMode,
    /// How long a lock is granted for, before it must be kept alive.
    pub lock_lease: Span,
    /// How long a node is a member for, before it must be heard again.
    pub membership_lease: Span,
    /// How far any node's clock may run fast or slow, in parts per million of true time.
    pub drift_max_ppm: u32,
    /// How long a client tries before it answers `Unknown`.
    pub request_timeout: Span,
    /// How long a client waits for one attempt.
    pub attempt_timeout: Span,
    /// The unit of a client's pause before it tries again.
    pub retry_delay: Span,
    /// How long a coordinator waits for votes in a first attempt; later attempts wait longer
    /// (`Turn::vote_patience`).
    pub vote_timeout: Span,
    /// How often a participant in doubt asks, and a coordinator repeats a decision.
    pub inquiry_interval: Span,
    /// How many paths a chunk of a hand-over holds at most.
    pub chunk_paths: u32,
    /// How long a node waits between two chunks that it pulls.
    pub chunk_pause: Span,
    /// Records appended between two checkpoints.
    pub checkpoint_records: u32,
    /// What users may ask for at most.
    pub limits: Limits,
    /// Defects that are switched on.
    pub defects: Defects,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            members: (1..=3).map(NodeId::node).collect(),
            membership: Membership::Fixed,
            replicas: 2,
            virtual_nodes: 100,
            hash: HashKind::Sha1,
            ring_bits: 64,
            commit: CommitMode::Staged,
            lock_lease: Span::from_secs(10),
            membership_lease: Span::from_secs(2),
            drift_max_ppm: 500,
            request_timeout: Span::from_secs(30),
            attempt_timeout: Span::from_secs(2),
            retry_delay: Span::from_millis(20),
            vote_timeout: Span::from_secs(1),
            inquiry_interval: Span::from_millis(500),
            chunk_paths: 64,
            chunk_pause: Span::from_millis(5),
            checkpoint_records: 10_000,
            limits: Limits {
                path_bytes: 256,
                contents_bytes: 1 << 20,
                operations: 16,
                nodes: 1000,
                queue: 1000,
            },
            defects: Defects::NONE,
        }
    }
}

/// Settings that make no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// No storage node.
    #[error("a cluster needs at least one storage node")]
    NoMembers,
    /// A member twice, or one that is no storage node.
    #[error("`{0}` is a member twice or is not a storage node")]
    BadMember(NodeId),
    /// Too many storage nodes.
    #[error("{found} storage nodes, expected at most {limit}")]
    TooManyMembers {
        /// How many there are.
        found: usize,
        /// How many there may be.
        limit: usize,
    },
    /// No replica, or more than there are nodes.
    #[error("{found} replicas, expected 1 to {members}, the number of storage nodes")]
    Replicas {
        /// How many there are.
        found: usize,
        /// How many storage nodes.
        members: usize,
    },
    /// A number outside its range.
    #[error("`{name}` is {found}, expected {expected}")]
    Range {
        /// The setting.
        name: &'static str,
        /// Its value.
        found: u64,
        /// What was expected.
        expected: &'static str,
    },
}

/// The settings of a cluster, checked, with what follows from them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    settings: Settings,
    first: Arc<Layout>,
}

impl Deref for Config {
    type Target = Settings;
    fn deref(&self) -> &Settings {
        &self.settings
    }
}

impl Config {
    /// The first epoch: with fixed membership the only one.
    pub const FIRST_EPOCH: Epoch = Epoch(1);
    /// The admission of every node while membership is fixed.
    pub const FIRST_ADMISSION: Admission = Admission(1);
    /// The shortest lease of a member. One that is over before a heartbeat is answered makes every
    /// member leave and come back all the time, and no view ever settles.
    pub const LEAST_MEMBERSHIP_LEASE: Span = Span::from_millis(10);

    /// Checks `settings` and places the members on the ring.
    ///
    /// # Errors
    /// The first setting that makes no sense.
    pub fn new(settings: Settings) -> Result<Arc<Config>, ConfigError> {
        settings.check()?;
        let Settings { hash, ring_bits, virtual_nodes, replicas, ref members, .. } = settings;
        let ring = Ring::coarse(hash, ring_bits, virtual_nodes, replicas, members);
        let first = Layout::with_ring(settings.first_view(), ring);
        Ok(Arc::new(Config { settings, first }))
    }

    /// The first view as it is if every node that is wanted is there. With fixed membership that is
    /// the truth; with managed membership it is where a client begins to ask.
    pub fn first_layout(&self) -> &Arc<Layout> {
        &self.first
    }

    /// Where `path` stands on the ring, whatever nodes are on it.
    pub fn position(&self, path: &Path) -> u64 {
        self.first.ring().position(path)
    }

    /// What is wanted of the cluster at first.
    pub fn wanted(&self) -> Wanted {
        let mut nodes = self.members.clone();
        nodes.sort_unstable();
        let View { replicas, virtual_nodes, lock_lease, membership_lease, .. } = *self.first.view();
        Wanted { nodes: nodes.into(), replicas, virtual_nodes, lock_lease, membership_lease }
    }

    /// The ring of `nodes`; points that stand on the ring `near` are taken from there.
    fn ring_of(
        &self,
        near: Option<&Ring>,
        virtual_nodes: u32,
        replicas: usize,
        nodes: &[NodeId],
    ) -> Ring {
        let ties = match self.defects.has(Defect::TieBrokenByJoinOrder) {
            true => Ties::AsMet,
            false => Ties::ByName,
        };
        match near {
            Some(near) => near.changed(virtual_nodes, replicas, nodes, ties),
            None => Ring::coarse(self.hash, self.ring_bits, virtual_nodes, replicas, nodes),
        }
    }
}

/// What a layout takes from the settings that no view changes.
impl Layout {
    /// The layout of `view`. Points that stand in `near`, the layout of another view, are taken
    /// from there.
    pub fn new(config: &Config, view: View, near: &Layout) -> Arc<Layout> {
        let nodes: Vec<NodeId> = view.members.iter().map(|member| member.node).collect();
        let same_points = near.view().virtual_nodes == view.virtual_nodes;
        let known = same_points.then_some(near.ring());
        let ring = config.ring_of(known, view.virtual_nodes, view.replicas.into(), &nodes);
        Layout::with_ring(view, ring)
    }

    /// The terms of a member's lease.
    pub fn membership_terms(&self, config: &Config) -> LeaseTerms {
        LeaseTerms { length: self.view().membership_lease, drift_max_ppm: config.drift_max_ppm }
    }
}

impl Settings {
    fn first_view(&self) -> View {
        let admission = Config::FIRST_ADMISSION;
        let mut members: Vec<Member> =
            self.members.iter().map(|&node| Member { node, admission }).collect();
        members.sort_unstable();
        View {
            epoch: Config::FIRST_EPOCH,
            members: members.into(),
            replicas: u16::try_from(self.replicas).unwrap_or(u16::MAX),
            virtual_nodes: self.virtual_nodes,
            lock_lease: self.lock_lease,
            membership_lease: self.membership_lease,
            given_up: Arc::default(),
        }
    }

    fn check(&self) -> Result<(), ConfigError> {
        let members = self.members.len();
        if members == 0 {
            return Err(ConfigError::NoMembers);
        }
        if members > self.limits.nodes {
            return Err(ConfigError::TooManyMembers { found: members, limit: self.limits.nodes });
        }
        for (i, &member) in self.members.iter().enumerate() {
            if member.class() != Class::Node || self.members[..i].contains(&member) {
                return Err(ConfigError::BadMember(member));
            }
        }
        if self.replicas == 0 || self.replicas > members {
            return Err(ConfigError::Replicas { found: self.replicas, members });
        }
        let range = |name, found, ok, expected| match ok {
            true => Ok(()),
            false => Err(ConfigError::Range { name, found, expected }),
        };
        let points = self.virtual_nodes;
        range("virtual_nodes", points.into(), (1..=10_000).contains(&points), "1 to 10000")?;
        let bits = self.ring_bits;
        range("ring_bits", bits.into(), (1..=64).contains(&bits), "1 to 64")?;
        let chunk = self.chunk_paths;
        range("chunk_paths", chunk.into(), chunk > 0, "at least 1")?;
        let drift = self.drift_max_ppm;
        range("drift_max_ppm", drift.into(), drift < 500_000, "less than 500000")?;
        let every = self.checkpoint_records;
        range("checkpoint_records", every.into(), every > 0, "at least 1")?;
        let operations = self.limits.operations;
        range("operations", operations as u64, (1..=255).contains(&operations), "1 to 255")?;
        let spans = [
            ("lock_lease", self.lock_lease),
            ("chunk_pause", self.chunk_pause),
            ("request_timeout", self.request_timeout),
            ("attempt_timeout", self.attempt_timeout),
            ("retry_delay", self.retry_delay),
            ("vote_timeout", self.vote_timeout),
            ("inquiry_interval", self.inquiry_interval),
        ];
        for (name, span) in spans {
            let ok = (1_000..=86_400_000_000_000).contains(&span.as_nanos());
            range(name, span.as_nanos(), ok, "1us to one day")?;
        }
        let (least, most) = (Config::LEAST_MEMBERSHIP_LEASE, Span::from_secs(86_400));
        let ok = (least..=most).contains(&self.membership_lease);
        range("membership_lease", self.membership_lease.as_nanos(), ok, "10ms to one day")?;
        Ok(())
    }
}

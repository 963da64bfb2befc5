//! The consistent-hash ring: which storage nodes own a path.
//!
//! Positions are 64-bit numbers on a circle. Every node stands on it V times: its points are the
//! hashes of `node#0`, `node#1`, ... `node#V-1` (*virtual nodes*). A path belongs to the first
//! point at or after its own hash, and beyond the last point the circle starts again; its R owners
//! are the first R *distinct* nodes met clockwise from there, the first of them the primary. The
//! scheme is that of Karger et al., "Consistent Hashing and Random Trees" (STOC 1997), with the
//! virtual nodes of Chord (SIGCOMM 2001) and the clockwise replica list of Dynamo (SOSP 2007,
//! section 4.3).
//!
//! Why not `hash mod N`: going from N to N+1 nodes would move N/(N+1) of all paths. On the ring a
//! new node takes the arcs that end at its own points, 1/(N+1) of all paths on average, and *no
//! path moves between two nodes that stay*. A node that leaves gives its arcs to their successors
//! and gets exactly them back when it returns.
//!
//! Why virtual nodes: the share of a node is the sum of V random arcs, so it varies from node to
//! node by sqrt((N-1)/(N*V+1)) of its mean. With one point each the fullest of ten nodes has about
//! three times the mean; with a hundred points, a sixth more than the mean.
//!
//! Two points may fall on the same position. If each machine then sorted them as it had met them,
//! two would own one arc. Points are therefore ordered by (hash, node, number), which is the same
//! everywhere.
//!
//! The owners of every arc are worked out when the ring is built. Walking the points *backwards*,
//! the owners that a point sees are its own node followed by those that the point after it sees: a
//! move-to-front list of length R. That makes building linear, and a lookup one hash and one binary
//! search.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use md5::Md5;
use serde::{Deserialize, Serialize};
use sha1::{Digest, Sha1};

use super::Path;
use super::arcs::Arcs;
use crate::machine::NodeId;

/// The hash that puts nodes and paths on the ring.
///
/// Only its evenness matters here, not its resistance to attack: both are broken as cryptography.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum HashKind {
    /// SHA-1, as Chord has it.
    #[default]
    Sha1,
    /// MD5, as Dynamo and libketama have it.
    Md5,
}

impl HashKind {
    /// Every hash there is.
    pub const ALL: &[HashKind] = &[HashKind::Sha1, HashKind::Md5];

    /// The name used in configurations.
    pub fn name(self) -> &'static str {
        match self {
            HashKind::Sha1 => "sha1",
            HashKind::Md5 => "md5",
        }
    }

    /// Where `text` stands on the circle: the first eight bytes of its hash, big-endian.
    pub fn position(self, text: &str) -> u64 {
        match self {
            HashKind::Sha1 => first_eight(&Sha1::digest(text)),
            HashKind::Md5 => first_eight(&Md5::digest(text)),
        }
    }
}

fn first_eight(digest: &[u8]) -> u64 {
    digest[..8].iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

impl fmt::Display for HashKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that no hash has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown hash `{0}`: expected `sha1` or `md5`")]
pub struct UnknownHash(pub String);

impl FromStr for HashKind {
    type Err = UnknownHash;

    fn from_str(name: &str) -> Result<HashKind, UnknownHash> {
        let known = HashKind::ALL.iter().copied().find(|kind| kind.name() == name);
        known.ok_or_else(|| UnknownHash(name.to_owned()))
    }
}

/// One of a node's points on the circle. The derived order is the order on the ring, ties included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Point {
    /// Where it stands. It ends the arc that it owns.
    pub hash: u64,
    /// The node that the point belongs to.
    pub node: NodeId,
    /// Which of the node's virtual nodes, from 0.
    pub number: u32,
}

/// Which of two points on the same position comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ties {
    /// The one that is first in the order of (node, number): the same on every machine.
    ByName,
    /// The one that the machine has met first.
    AsMet,
}

/// An immutable ring: a pure function of hash, virtual nodes, replicas and the set of members.
///
/// # Examples
///
/// ```
/// use seedbed::machine::NodeId;
/// use seedbed::proto::Path;
/// use seedbed::proto::ring::{HashKind, Ring};
///
/// let members = [1, 2, 3].map(NodeId::node);
/// let ring = Ring::new(HashKind::Sha1, 100, 2, &members);
/// let path = Path::new("/a")?;
/// let [primary, second] = ring.owners(&path) else { panic!("two replicas") };
/// assert_ne!(primary, second);
/// # Ok::<(), seedbed::proto::NotAPath>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Ring {
    hash: HashKind,
    /// Which bits of a hash count: all, but on a coarse ring.
    mask: u64,
    /// How many owners a path has: the replicas asked for, or all nodes if there are fewer.
    width: usize,
    /// Sorted, without repetitions.
    points: Vec<Point>,
    /// `width` owners for each point, in the order of the points.
    owners: Vec<NodeId>,
}

impl Ring {
    /// The ring of `members`, in whatever order they come. Without members, virtual nodes or
    /// replicas no path has an owner.
    pub fn new(hash: HashKind, virtual_nodes: u32, replicas: usize, members: &[NodeId]) -> Ring {
        Ring::coarse(hash, 64, virtual_nodes, replicas, members)
    }

    /// A ring on which only the first `bits` bits of a hash count, from 1 to 64: with few of them
    /// points fall on the same positions, as they hardly ever do on a ring of full width.
    pub fn coarse(
        hash: HashKind,
        bits: u32,
        virtual_nodes: u32,
        replicas: usize,
        members: &[NodeId],
    ) -> Ring {
        let members: BTreeSet<NodeId> = members.iter().copied().collect();
        let mask = u64::MAX << (64 - bits.clamp(1, 64));
        let points_of = |node| {
            let mut name = format!("{node}#");
            let prefix = name.len();
            (0..virtual_nodes).map(move |number| {
                name.truncate(prefix);
                name.push_str(&number.to_string());
                Point { hash: hash.position(&name) & mask, node, number }
            })
        };
        let mut points: Vec<Point> = members.into_iter().flat_map(points_of).collect();
        points.sort_unstable();
        Ring::arranged(hash, mask, replicas, points)
    }

    /// The ring with exactly these points, wherever they came from; `hash` is for the paths.
    ///
    /// The hashes of a real cluster hardly ever collide; this is how to see what happens if they
    /// do.
    pub fn from_points(hash: HashKind, replicas: usize, mut points: Vec<Point>) -> Ring {
        points.sort_unstable();
        points.dedup();
        Ring::arranged(hash, u64::MAX, replicas, points)
    }

    /// The ring with these points in this order, which is that of their hashes.
    fn arranged(hash: HashKind, mask: u64, replicas: usize, points: Vec<Point>) -> Ring {
        let nodes: BTreeSet<NodeId> = points.iter().map(|point| point.node).collect();
        let width = replicas.min(nodes.len());
        let owners = owners_of_each(&points, width);
        Ring { hash, mask, width, points, owners }
    }

    /// The distinct nodes that own `path`, the primary first: R of them, or all if there are fewer.
    pub fn owners(&self, path: &Path) -> &[NodeId] {
        self.owners_at(self.position(path))
    }

    /// The owners of whatever hashes to `position`.
    pub fn owners_at(&self, position: u64) -> &[NodeId] {
        let after = self.points.partition_point(|point| point.hash < position);
        let index = if after == self.points.len() { 0 } else { after };
        // An empty ring has an empty list of width 0, so even index 0 is inside.
        &self.owners[index * self.width..][..self.width]
    }

    /// Is `node` one of the owners of `path`?
    pub fn owns(&self, node: NodeId, path: &Path) -> bool {
        self.owners(path).contains(&node)
    }

    /// Where `path` stands on this ring's circle.
    pub fn position(&self, path: &Path) -> u64 {
        self.hash.position(path.as_str()) & self.mask
    }

    /// The ring of other `members`, or another number of replicas: points that stand here are
    /// taken over, the others are worked out. Both rings have `virtual_nodes` points for each node.
    pub fn changed(
        &self,
        virtual_nodes: u32,
        replicas: usize,
        members: &[NodeId],
        ties: Ties,
    ) -> Ring {
        let stays: BTreeSet<NodeId> = members.iter().copied().collect();
        let kept = self.points.iter().filter(|point| stays.contains(&point.node));
        let known: BTreeSet<NodeId> = self.points.iter().map(|point| point.node).collect();
        let new: Vec<NodeId> =
            members.iter().copied().filter(|member| !known.contains(member)).collect();
        let bits = 64 - self.mask.trailing_zeros();
        let added = Ring::coarse(self.hash, bits, virtual_nodes, replicas, &new);
        let mut points: Vec<Point> = kept.copied().chain(added.points()).collect();
        match ties {
            Ties::ByName => points.sort(), // merges what are two runs in order
            Ties::AsMet => points.sort_by_key(|point| point.hash),
        }
        Ring::arranged(self.hash, self.mask, replicas, points)
    }

    /// What each node owns: every position of which it is one of the owners. One walk for all of
    /// them.
    pub fn owned(&self) -> BTreeMap<NodeId, Arcs> {
        let ends = self.points.iter().map(|point| point.hash);
        let begins = ends.clone().cycle().skip(self.points.len().saturating_sub(1));
        let mut arcs: BTreeMap<NodeId, Vec<(u64, u64)>> = BTreeMap::new();
        for (index, (begin, end)) in begins.zip(ends).enumerate() {
            // Of several points in one place only the first ends an arc.
            if begin == end && index > 0 {
                continue;
            }
            for owner in &self.owners[index * self.width..][..self.width] {
                arcs.entry(*owner).or_default().push((begin.wrapping_add(1), end));
            }
        }
        arcs.into_iter().map(|(node, arcs)| (node, Arcs::of(arcs))).collect()
    }

    /// The points in ring order. Each ends an arc that begins behind the one before it; the first
    /// point's arc wraps around. Of several points in one place all but the first own nothing.
    pub fn points(&self) -> impl ExactSizeIterator<Item = Point> + '_ {
        self.points.iter().copied()
    }
}

/// The first `width` distinct nodes clockwise from each point, one list behind the other.
fn owners_of_each(points: &[Point], width: usize) -> Vec<NodeId> {
    let mut owners = Vec::with_capacity(points.len() * width);
    let mut line = Vec::with_capacity(width);
    if width == 0 {
        return owners;
    }
    // One round without writing, so that the last point sees across the top of the circle.
    for point in points.iter().rev() {
        move_to_front(&mut line, point.node, width);
    }
    for point in points.iter().rev() {
        move_to_front(&mut line, point.node, width);
        owners.extend(line.iter().rev());
    }
    owners.reverse();
    owners
}

/// Puts `node` first; if it is new to a full line, the last one drops out. `width` is not 0.
fn move_to_front(line: &mut Vec<NodeId>, node: NodeId, width: usize) {
    let seat = line.iter().position(|other| *other == node).unwrap_or_else(|| {
        if line.len() < width {
            line.push(node);
        }
        line.len() - 1
    });
    line[..=seat].rotate_right(1);
    line[0] = node;
}

impl fmt::Debug for Ring {
    /// Short: the points follow from what is shown, and there are hundreds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nodes: BTreeSet<NodeId> = self.points.iter().map(|point| point.node).collect();
        let Ring { hash, width, points, .. } = self;
        write!(f, "Ring({hash}, {width} owners, {} points, {nodes:?})", points.len())
    }
}

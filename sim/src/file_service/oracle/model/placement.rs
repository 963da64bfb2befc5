//! Which nodes own what in a view, worked out by the definition and not by the ring's tables.
//!
//! The owners of a position are the first R nodes in the order of how far clockwise from it their
//! nearest point is; of two that are equally far the one that comes first by name. Karger et al.,
//! "Consistent Hashing and Random Trees", STOC 1997; DeCandia et al., "Dynamo", SOSP 2007,
//! section 4.3.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use seedbed::machine::NodeId;
use seedbed::proto::{Arcs, Config, Path, View};

/// The nodes of a view and their points.
#[derive(Debug)]
pub struct Placement {
    points: Vec<(NodeId, Points)>,
    replicas: usize,
    owned: OnceLock<BTreeMap<NodeId, Arcs>>,
    /// The owners of the paths that were asked for.
    owners: RefCell<BTreeMap<Path, Arc<[NodeId]>>>,
}

/// The points of one node, in order.
type Points = Arc<[u64]>;

/// Points by how many there are and whose.
type Known = BTreeMap<(u32, NodeId), Points>;

thread_local! {
    /// The points under the configuration that was looked at last: the runs of a file have one, and
    /// the points follow from it.
    static LAST: RefCell<Option<(Arc<Config>, Known)>> = const { RefCell::new(None) };
}

impl Placement {
    /// The placement of `view`.
    pub fn of(config: &Arc<Config>, view: &View) -> Placement {
        let points = LAST.with_borrow_mut(|last| {
            if !last.as_ref().is_some_and(|(of, _)| Arc::ptr_eq(of, config)) {
                *last = Some((config.clone(), Known::new()));
            }
            let known = &mut last.as_mut().expect("it has just been set").1;
            let mut points_of = |node: NodeId| {
                let count = view.virtual_nodes;
                known.entry((count, node)).or_insert_with(|| points(config, node, count)).clone()
            };
            view.members.iter().map(|member| (member.node, points_of(member.node))).collect()
        });
        let (owned, owners) = (OnceLock::new(), RefCell::default());
        Placement { points, replicas: view.replicas.into(), owned, owners }
    }

    /// The owners of `position`, the primary first.
    pub fn owners_at(&self, position: u64) -> impl Iterator<Item = NodeId> {
        // The nearest point clockwise is the first one from there on, or the first of all.
        let distance = |points: &[u64]| {
            let next = points.partition_point(|at| *at < position);
            points.get(next).or(points.first()).map(|at| at.wrapping_sub(position))
        };
        let mut nodes: Vec<_> =
            self.points.iter().map(|(node, points)| (distance(points), *node)).collect();
        nodes.sort_unstable();
        nodes.into_iter().take(self.replicas).map(|(_, node)| node)
    }

    /// The owners of `path`, the primary first.
    pub fn owners(&self, config: &Config, path: &Path) -> Arc<[NodeId]> {
        let mut known = self.owners.borrow_mut();
        if let Some(owners) = known.get(path) {
            return owners.clone();
        }
        let owners: Arc<[NodeId]> = self.owners_at(config.position(path)).collect();
        known.insert(path.clone(), owners.clone());
        owners
    }

    /// All that `node` owns.
    pub fn owned_by(&self, node: NodeId) -> Arcs {
        self.owned.get_or_init(|| self.every_arc()).get(&node).cloned().unwrap_or_default()
    }

    /// Where the owners change, in order: at each of these positions and behind the one before it
    /// they are the same.
    pub fn ends(&self) -> Vec<u64> {
        let mut ends: Vec<u64> = self.points.iter().flat_map(|(_, p)| p.iter().copied()).collect();
        ends.sort_unstable();
        ends.dedup();
        ends
    }

    fn every_arc(&self) -> BTreeMap<NodeId, Arcs> {
        let mut line: Vec<(u64, NodeId)> = Vec::new();
        for (node, points) in &self.points {
            line.extend(points.iter().map(|at| (*at, *node)));
        }
        line.sort_unstable();
        line.dedup();
        let mut arcs: BTreeMap<NodeId, Vec<(u64, u64)>> = BTreeMap::new();
        for (index, &(end, _)) in line.iter().enumerate() {
            let before = line[(index + line.len() - 1) % line.len()].0;
            if index > 0 && before == end {
                continue; // the first of several in one place ends the arc
            }
            let mut owners: Vec<NodeId> = Vec::new();
            for (_, node) in line.iter().cycle().skip(index).take(line.len()) {
                if owners.len() == self.replicas {
                    break;
                }
                if !owners.contains(node) {
                    owners.push(*node);
                }
            }
            for owner in owners {
                arcs.entry(owner).or_default().push((before.wrapping_add(1), end));
            }
        }
        arcs.into_iter().map(|(node, arcs)| (node, Arcs::of(arcs))).collect()
    }
}

fn points(config: &Config, node: NodeId, count: u32) -> Points {
    let mask = u64::MAX << (64 - config.ring_bits);
    let position = |number| config.hash.position(&format!("{node}#{number}")) & mask;
    let mut points: Vec<u64> = (0..count).map(position).collect();
    points.sort_unstable();
    points.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::path;
    use seedbed::proto::Settings;
    use seedbed::proto::ring::{HashKind, Ring};

    #[test]
    fn the_definition_agrees_with_the_ring() {
        for (hash, virtual_nodes, ring_bits) in
            [(HashKind::Sha1, 7, 64), (HashKind::Md5, 100, 64), (HashKind::Sha1, 20, 6)]
        {
            let members: Vec<NodeId> = (1..=5).map(NodeId::node).collect();
            let ring = Ring::coarse(hash, ring_bits, virtual_nodes, 3, &members);
            let settings = Settings {
                members: members.clone(),
                hash,
                virtual_nodes,
                ring_bits,
                replicas: 3,
                ..Settings::default()
            };
            let config = Config::new(settings).expect("sound settings");
            let placement = Placement::of(&config, config.first_layout().view());
            for file in 0..500 {
                let path = path(&format!("/file/{file}"));
                let owners = placement.owners(&config, &path);
                assert_eq!(ring.owners(&path), &owners[..], "{path}");
                for node in &members {
                    let owned = placement.owned_by(*node);
                    assert_eq!(owned.contains(config.position(&path)), owners.contains(node));
                }
            }
            let owned = ring.owned();
            assert_eq!(owned.keys().copied().collect::<Vec<NodeId>>(), members);
            for (node, owned) in owned {
                assert_eq!(placement.owned_by(node), owned);
            }
        }
    }
}

//! Everyone who takes part in a transaction owns a path in it, and every owner takes part.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::wording::{breach, fact};
use super::{At, Breach, Invariant, Model, Seen, SeenKinds};
use crate::world::World;
use seedbed::proto::{
    Action, Config, Member, Message, MessageKind, NodeId, Operation, Path, Record, RecordKind,
    RequestId, TxnId,
};

/// The participants of a transaction, with its coordinator, are the owners of its paths, all of
/// them.
///
/// An owner that is left out does not hear of the change and serves the old contents; one too many
/// stores what nobody will ever look for. The owners are worked out here once more, by the
/// definition and not by the ring's tables: the nodes in the order of how far clockwise their
/// nearest point is. Karger et al., "Consistent Hashing and Random Trees", STOC 1997; DeCandia et
/// al., "Dynamo", SOSP 2007, section 4.3.
#[derive(Clone, Debug, Default)]
pub struct OwnersAgree {
    owners: BTreeMap<Path, BTreeSet<NodeId>>,
    points: Option<Arc<Points>>,
    /// What each request asks for that is to become a transaction.
    asked: BTreeMap<RequestId, Arc<Asked>>,
}

/// What a request is about.
#[derive(Debug)]
struct Asked {
    step: u64,
    paths: BTreeSet<Path>,
    /// The owners of all of them.
    owners: BTreeSet<NodeId>,
}

/// Who takes part, as somebody wrote or said it.
struct Part<'a> {
    txn: TxnId,
    request: RequestId,
    participants: &'a [Member],
    /// By what it was said, and in which step.
    said: At<&'static str>,
}

impl Invariant for OwnersAgree {
    fn name(&self) -> &'static str {
        "owners_agree"
    }

    fn interest(&self) -> SeenKinds {
        SeenKinds::sent(&[MessageKind::Begin, MessageKind::Prepare, MessageKind::Read])
            .and(SeenKinds::durable(&[RecordKind::Decided]))
    }

    fn see(&mut self, seen: &Seen<'_>, model: &Model, world: &World) -> Result<(), Breach> {
        let step = model.step;
        match *seen {
            Seen::Sent { to, message, .. } => match message {
                Message::Begin { request, operations, .. } => {
                    self.on_begin(*request, operations, step, world);
                    Ok(())
                }
                Message::Read { path, request, .. } => {
                    let what = || format!("{request} is sent to {to} to read {path}");
                    self.judge_owner(path, to, step, what, world)
                }
                Message::Prepare { header, terms, paths, .. } => {
                    let said = At { step, is: "a prepare message" };
                    let (txn, participants) = (header.txn, &terms.participants[..]);
                    let part = Part { txn, request: terms.request, participants, said };
                    self.judge_participants(&part)?;
                    self.judge_paths(&part, to, paths, world)
                }
                _ => Ok(()),
            },
            Seen::Durable {
                record: Record::Decided { txn, request, participants, .. }, ..
            } => {
                let said = At { step, is: "the decision record" };
                let part = Part { txn: *txn, request: *request, participants, said };
                self.judge_participants(&part)
            }
            _ => Ok(()),
        }
    }
}

impl OwnersAgree {
    fn on_begin(&mut self, request: RequestId, operations: &[Operation], step: u64, world: &World) {
        if self.asked.contains_key(&request) {
            return;
        }
        let paths: BTreeSet<Path> = operations.iter().flat_map(paths_of).cloned().collect();
        let mut owners = BTreeSet::new();
        for path in &paths {
            owners.extend(self.owners(path, world.config()));
        }
        self.asked.insert(request, Arc::new(Asked { step, paths, owners }));
    }

    /// Are the participants the owners of the request's paths, the coordinator left out?
    fn judge_participants(&self, part: &Part<'_>) -> Result<(), Breach> {
        let Part { txn, request, participants, ref said } = *part;
        let Some(asked) = self.asked.get(&request) else {
            return Ok(()); // a transaction that no attempt began is judged elsewhere
        };
        let others = || asked.owners.iter().filter(|owner| **owner != txn.coordinator);
        let are_owners = participants.len() == others().count()
            && others().all(|owner| participants.iter().any(|member| member.node == *owner));
        if are_owners {
            return Ok(());
        }
        let (paths, owners) = (in_words(&asked.paths), in_words(others()));
        let coordinator = txn.coordinator;
        let asks =
            format!("{request} asks for {paths}; the owners beside {coordinator} are {owners}");
        let names = format!("{} of {txn} names {}", said.is, in_words(participants));
        breach(fact(asked.step, asks), fact(said.step, names))
    }

    /// Is the participant asked to pin exactly those paths of the request that it owns?
    fn judge_paths(
        &mut self,
        part: &Part<'_>,
        to: NodeId,
        asked: &[Path],
        world: &World,
    ) -> Result<(), Breach> {
        let Part { txn, request, ref said, .. } = *part;
        for path in asked {
            let what = || format!("{} of {txn} asks {to} to pin {path}", said.is);
            self.judge_owner(path, to, said.step, what, world)?;
        }
        let Some(of_request) = self.asked.get(&request).cloned() else { return Ok(()) };
        for path in &of_request.paths {
            if !asked.contains(path) && self.owners(path, world.config()).contains(&to) {
                return breach(
                    fact(of_request.step, format!("{request} asks for {path}, which {to} owns")),
                    fact(said.step, format!("{} of {txn} to {to} leaves it out", said.is)),
                );
            }
        }
        Ok(())
    }

    fn judge_owner(
        &mut self,
        path: &Path,
        node: NodeId,
        step: u64,
        what: impl FnOnce() -> String,
        world: &World,
    ) -> Result<(), Breach> {
        let owners = self.owners(path, world.config());
        match owners.contains(&node) {
            true => Ok(()),
            false => {
                let owners = in_words(owners);
                breach(fact(step, format!("the owners of {path} are {owners}")), fact(step, what()))
            }
        }
    }

    fn owners(&mut self, path: &Path, config: &Arc<Config>) -> &BTreeSet<NodeId> {
        if !self.owners.contains_key(path) {
            let points = self.points.get_or_insert_with(|| points(config));
            let owners = nearest(points, config.hash.position(path.as_str()));
            let owners = owners.into_iter().take(config.replicas).collect();
            self.owners.insert(path.clone(), owners);
        }
        &self.owners[path]
    }
}

/// A list for a reader.
fn in_words<T: ToString>(list: impl IntoIterator<Item = T>) -> String {
    let list: Vec<String> = list.into_iter().map(|item| item.to_string()).collect();
    match list.is_empty() {
        true => "nobody".to_owned(),
        false => list.join(", "),
    }
}

/// Every point of the ring: whose, and where.
type Points = Vec<(NodeId, Vec<u64>)>;

thread_local! {
    /// The points of the cluster that was looked at last: the runs of a file have one
    /// configuration, and the points follow from it.
    static LAST: RefCell<Option<(Arc<Config>, Arc<Points>)>> = const { RefCell::new(None) };
}

fn points(config: &Arc<Config>) -> Arc<Points> {
    LAST.with_borrow_mut(|last| match last {
        Some((of, points)) if Arc::ptr_eq(of, config) => points.clone(),
        _ => {
            let points = Arc::new(every_point(config));
            *last = Some((config.clone(), points.clone()));
            points
        }
    })
}

fn every_point(config: &Config) -> Points {
    let points_of = |node: &NodeId| {
        let names = (0..config.virtual_nodes).map(|number| format!("{node}#{number}"));
        (*node, names.map(|name| config.hash.position(&name)).collect())
    };
    config.members.iter().map(points_of).collect()
}

/// The nodes, nearest first: how far it is clockwise from `position` to a node's nearest point.
fn nearest(points: &[(NodeId, Vec<u64>)], position: u64) -> Vec<NodeId> {
    let distance = |points: &[u64]| points.iter().map(|at| at.wrapping_sub(position)).min();
    let mut nodes: Vec<_> = points.iter().map(|(node, points)| (distance(points), *node)).collect();
    nodes.sort_unstable();
    nodes.into_iter().map(|(_, node)| node).collect()
}

/// The paths that an operation is on.
fn paths_of(operation: &Operation) -> impl Iterator<Item = &Path> {
    let target = match &operation.action {
        Action::Rename(to, _) => Some(to),
        Action::Read | Action::Create(_) | Action::Write(..) | Action::Delete(_) => None,
        Action::Place(_) | Action::Remove(_) | Action::Claim => None,
    };
    std::iter::once(&operation.path).chain(target)
}

#[cfg(test)]
mod tests {
    use super::super::txn_tests_support::*;
    use super::*;
    use seedbed::proto::Settings;
    use seedbed::proto::ring::{HashKind, Ring};

    /// The owners of `/a` among three nodes with two replicas, and the third node.
    fn owners_of_a(world: &World) -> (NodeId, NodeId, NodeId) {
        let &[first, second] = world.config().first_layout().ring().owners(&path("/a")) else {
            panic!("two replicas")
        };
        let third = [1, 2, 3].map(node).into_iter().find(|n| *n != first && *n != second);
        (first, second, third.expect("three nodes"))
    }

    fn play() -> (Play<OwnersAgree>, TxnId, NodeId, NodeId) {
        let mut play = Play::new(OwnersAgree::default());
        let (first, second, third) = owners_of_a(&play.world);
        let by = txn(first.number(), 1);
        play.at(1).sends(client(1), first, begin(request(1, 1), request(1, 1), &["/a"]));
        (play, by, second, third)
    }

    #[test]
    fn an_owner_is_left_out() {
        let (mut play, txn, _, _) = play();
        play.at(2).durable(txn.coordinator, decided(txn, request(1, 1), 1));
        play.breaks("owners_agree", (1, "c1.1#1 asks for"), (2, "names nobody"));
    }

    #[test]
    fn somebody_else_is_asked() {
        let (mut play, txn, _, third) = play();
        let prepare = prepare(txn, request(1, 1), &[third], &["/a"]);
        play.at(2).sends(txn.coordinator, third, prepare);
        play.breaks("owners_agree", (1, "c1.1#1 asks for"), (2, "names"));
    }

    #[test]
    fn a_path_is_pinned_where_it_does_not_belong() {
        let (mut play, txn, second, third) = play();
        let prepare = prepare(txn, request(1, 1), &[second], &["/a"]);
        play.at(2).sends(txn.coordinator, third, prepare);
        play.breaks("owners_agree", (2, "the owners of /a are"), (2, "to pin /a"));
    }

    #[test]
    fn a_path_is_not_pinned_where_it_belongs() {
        let (mut play, txn, second, _) = play();
        play.at(2).sends(txn.coordinator, second, prepare(txn, request(1, 1), &[second], &[]));
        play.breaks("owners_agree", (1, "asks for /a"), (2, "leaves it out"));
    }

    #[test]
    fn exactly_the_owners_are_asked() {
        let (mut play, txn, second, _) = play();
        play.at(2).sends(txn.coordinator, second, prepare(txn, request(1, 1), &[second], &["/a"]));
        play.holds();
    }

    #[test]
    fn a_read_goes_to_somebody_who_has_not_got_it() {
        let (mut play, _, second, third) = play();
        let read = |attempt| Message::Read {
            epoch: Config::FIRST_EPOCH,
            request: request(1, 2),
            attempt,
            path: path("/a"),
        };
        play.at(2).sends(client(1), second, read(1));
        play.holds();
        play.at(3).sends(client(1), third, read(2));
        play.breaks("owners_agree", (3, "the owners of /a are"), (3, "to read /a"));
    }

    #[test]
    fn the_definition_agrees_with_the_ring() {
        for (hash, virtual_nodes) in [(HashKind::Sha1, 7), (HashKind::Md5, 100)] {
            let members: Vec<NodeId> = (1..=5).map(node).collect();
            let ring = Ring::new(hash, virtual_nodes, 3, &members);
            let settings = Settings { members, hash, virtual_nodes, ..Settings::default() };
            let points = points(&Config::new(settings).expect("sound settings"));
            for file in 0..500 {
                let path = path(&format!("/file/{file}"));
                let nearest = nearest(&points, hash.position(path.as_str()));
                assert_eq!(ring.owners(&path), &nearest[..3], "{path}");
            }
        }
    }
}

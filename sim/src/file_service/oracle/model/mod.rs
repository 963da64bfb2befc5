//! What has happened so far, as far as the outside can tell.
//!
//! The model believes durable records, messages on the wire, and answers of clients. What a node
//! thinks of itself does not count. A record counts once it is durable, or once it has survived a
//! crash. Only pins are counted from the moment at which a record is appended, because a node's
//! memory is ahead of its disk, and go back to what is durable in a crash.

pub(in crate::file_service::oracle) mod askers;
pub(in crate::file_service::oracle) mod commit_points;
pub(in crate::file_service::oracle) mod disks;
pub(in crate::file_service::oracle) mod disturbances;
pub(in crate::file_service::oracle) mod files;
pub(in crate::file_service::oracle) mod full_disks;
pub(in crate::file_service::oracle) mod leases;
pub(in crate::file_service::oracle) mod locks;
pub(in crate::file_service::oracle) mod log_positions;
pub(in crate::file_service::oracle) mod placement;
pub(in crate::file_service::oracle) mod probes;
pub(in crate::file_service::oracle) mod reference;
pub(in crate::file_service::oracle) mod requests;
pub(in crate::file_service::oracle) mod served_in_epoch;
pub(in crate::file_service::oracle) mod txns;
mod update;
pub(in crate::file_service::oracle) mod views;
pub(in crate::file_service::oracle) mod volatile_state;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use seedbed::machine::{Incarnation, NodeId, RequestId, Span, Time};
use seedbed::proto::{Arcs, Config, Epoch, Member, Membership, Path, TxnId};

use crate::file_service::World;
use crate::file_service::oracle::Evidence;
use askers::Askers;
use disks::Disks;
use disturbances::Disturbances;
use files::Files;
use full_disks::FullDisks;
use leases::Leases;
use locks::Locks;
use locks::heard_by_lock_server::{HeardAt, Hearing};
use log_positions::Logs;
use probes::Probes;
use reference::Reference;
use requests::Requests;
use requests::effects_of_requests::Effects;
use served_in_epoch::Services;
use txns::{Txns, coordinator};
use views::Views;
use volatile_state::Memory;

pub use files::{Committed, FileHistory, before};
pub use locks::{Lock, LockHistory};
pub use log_positions::LogSeen;
pub use requests::{
    Asked, answer_in_words, changes_path, contents_in_words, is_alive, reads, single_read,
};

pub(in crate::file_service::oracle) use files::in_words;

/// Everything the invariants share.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// The step under way, and its true time.
    pub step: u64,
    /// True time.
    pub now: Time,
    /// Requests of users.
    pub requests: Requests,
    /// Which user of a client has asked each of them.
    pub askers: Askers,
    /// Those of them that are asked when everything had its time.
    pub probes: Probes,
    /// What may keep requests from getting done.
    pub disturbances: Disturbances,
    /// Which disks are full.
    pub full_disks: FullDisks,
    /// Transactions.
    pub txns: Txns,
    /// Decisions that are durable.
    pub commits: u64,
    /// The transaction that the newest durable record has committed, if it has.
    newly_committed: Option<TxnId>,
    /// The files for which it comes too late: they have begun again since it was voted for.
    too_late: BTreeSet<Path>,
    /// Which of them took effect for which request.
    pub effects: Effects,
    /// Files, as committed.
    pub files: Files,
    /// Files, as the operations of users leave them if they are executed in the order of commits.
    pub reference: Reference,
    /// Locks, as the lock server's log has them.
    pub locks: Locks,
    /// When the lock server has heard of each request.
    pub hearing: Hearing,
    /// The newest life of each machine.
    pub lives: BTreeMap<NodeId, Incarnation>,
    /// How far each machine's log reaches.
    pub logs: Logs,
    /// What each node's memory should hold.
    pub memory: Memory,
    /// What storage nodes have durably, where membership is managed.
    pub disks: Disks,
    /// Views, as the centre's log has them.
    pub views: Views,
    /// Membership leases.
    pub leases: Leases,
    /// What storage nodes serve, where membership is managed.
    pub services: Services,
}

/// What is asked of it that takes more than one of its parts.
impl Model {
    /// What is known before anything has happened to a cluster of this configuration.
    pub fn new(config: &Arc<Config>) -> Model {
        let reference = Reference::of(config.limits.clone());
        let disks = match config.membership {
            Membership::Fixed => Disks::default(),
            Membership::Managed => Disks::of(config.clone()),
        };
        Model { reference, disks, ..Model::default() }
    }

    /// The paths of which the operator has given up what only lost disks had.
    pub fn given_up(&self) -> impl Iterator<Item = &Path> {
        self.files.given_up()
    }

    /// The request that the user made, given the id that an attempt at it goes under.
    pub fn origin(&self, request: RequestId) -> RequestId {
        self.requests.origin(request)
    }

    /// The user's request that a transaction serves.
    pub fn asked_by(&self, txn: TxnId) -> Option<&Asked> {
        let txn = self.txns.get(&txn)?;
        self.requests.get(&txn.origin.or(txn.request)?)
    }

    /// The newest life of `node`.
    pub fn life(&self, node: NodeId) -> Incarnation {
        self.lives.get(&node).copied().unwrap_or_default()
    }

    /// How far `node`'s log reaches.
    pub fn log(&self, node: NodeId) -> LogSeen {
        self.logs.of(node)
    }

    /// That `node`'s log lacks something, since the step since which it is as it is. The caller
    /// says what `what` is about.
    pub fn log_lacks(&self, node: NodeId, what: impl std::fmt::Display) -> Evidence {
        let log = self.log(node);
        let durable = log.durable;
        let is = format!("{node}'s log is durable for {durable} records and has no {what}");
        Evidence::at(log.synced, is).absent()
    }

    /// Was a message that leaves `node` now put together in this very step? If a sync has let it
    /// go, then it is older.
    pub fn is_put_together_now(&self, node: NodeId) -> bool {
        self.log(node).synced != self.step
    }

    /// Is `txn` one that the coordinator has called over?
    pub fn is_below_the_mark(&self, txn: TxnId) -> bool {
        self.txns.is_below_the_mark(txn)
    }

    /// Has the disk of an owner of one of these paths been full since that step? The owners in any
    /// view count: a request may have been tried in several.
    pub fn disk_of_an_owner_was_full<'a>(
        &self,
        mut paths: impl Iterator<Item = &'a Path>,
        since: u64,
        config: &Arc<Config>,
    ) -> bool {
        let nodes = self.full_disks.nodes();
        let full: Vec<NodeId> =
            nodes.filter(|node| self.full_disks.was_full_since(*node, since)).collect();
        let newest = self.views.newest().map_or(Config::FIRST_EPOCH, |newest| newest.is.epoch);
        let owns = |epoch, path: &Path| {
            let placement = self.views.placement(config, Epoch(epoch));
            placement.is_some_and(|at| at.owners(config, path).iter().any(|of| full.contains(of)))
        };
        !full.is_empty() && paths.any(|path| (0..=newest.0).any(|epoch| owns(epoch, path)))
    }

    /// The transactions that `node` is in doubt about.
    pub fn doubts(&self, node: NodeId) -> impl Iterator<Item = TxnId> {
        self.memory.doubts(node)
    }

    /// The paths that `node`'s yes to `txn` pins.
    pub fn paths_pinned(&self, node: NodeId, txn: TxnId) -> impl Iterator<Item = &Path> {
        let left = self.disks.get(node).and_then(|disk| disk.votes.get(&txn));
        let given = self.txns.get(&txn).and_then(|txn| txn.pinned.get(&node));
        let paths = left.map(|promise| &promise.paths[..]).or(given.map(|paths| &paths[..]));
        paths.into_iter().flatten()
    }

    /// When the disk of the coordinator of `txn` was lost or the coordinator given up, if it was.
    pub fn coordinator_is_gone(&self, txn: TxnId) -> Option<u64> {
        let member = coordinator(txn);
        self.disks.gone(member).or(self.views.given_up(member))
    }

    /// Are all machines up that it takes to end a doubt about `txn`: its coordinator, and if that
    /// is lost, every participant? One that is given up is not waited for.
    pub fn can_end_doubt(&self, txn: TxnId, is_up: impl Fn(NodeId) -> bool) -> bool {
        let known = self.coordinator_is_gone(txn).and_then(|_| self.txns.get(&txn));
        let participants = known.map_or(&[][..], |known| &known.members[..]);
        let mut all = participants.iter().copied().chain([coordinator(txn)]);
        all.all(|member| is_up(member.node) || self.views.is_given_up(member))
    }

    /// Has the operator given up what only this member knew?
    pub fn is_loss_accepted(&self, member: Member) -> bool {
        self.views.is_given_up(member)
    }

    /// Is the disk of this member lost, or is the member given up?
    pub fn is_out(&self, member: Member) -> bool {
        self.disks.gone(member).is_some() || self.views.is_given_up(member)
    }

    /// Is the machine given up, under the admission that it has?
    pub fn is_given_up(&self, node: NodeId) -> bool {
        let admission = self.views.admission(node);
        admission.is_some_and(|admission| self.views.is_given_up(Member { node, admission }))
    }

    /// What was committed to `path` last, of what still counts.
    pub fn last(&self, path: &Path) -> Option<&Committed> {
        self.files.last(path)
    }

    /// What was committed to `path` last in `epoch` and before, of what still counts.
    pub fn last_in(&self, path: &Path, epoch: Epoch) -> Option<&Committed> {
        self.files.last_in(path, epoch)
    }

    /// Since which step `node` claims, durably, to be complete on `path` in the epoch in force.
    pub fn claims(&self, node: NodeId, path: &Path) -> Option<u64> {
        let (config, disk) = (self.disks.managed()?, self.disks.get(node)?);
        disk.claims(self.views.active(), config.position(path))
    }

    /// Every path in `arcs` with what was committed to it last in `epoch` and before: what a
    /// complete owner of those arcs must have.
    pub fn last_in_arcs<'a>(
        &'a self,
        arcs: &'a Arcs,
        epoch: Epoch,
    ) -> impl Iterator<Item = (&'a Path, &'a Committed)> {
        let config = self.disks.managed().filter(|_| !arcs.is_empty());
        let paths = config.into_iter().flat_map(move |config| {
            self.files.keys().filter(move |path| arcs.contains(config.position(path)))
        });
        paths.filter_map(move |path| Some((path, self.files.last_in(path, epoch)?)))
    }

    /// Is the disk of `node` the only one that has what was committed to some path last?
    pub fn has_a_last_copy(&self, node: NodeId) -> bool {
        let has_last = |path: &Path| {
            self.files.last(path).is_some_and(|last| self.disks.only_has(node, path, last))
        };
        self.disks.managed().is_some() && self.files.keys().any(has_last)
    }

    /// The epoch that `node` has entered, as its memory should have it.
    pub fn epoch(&self, node: NodeId) -> Epoch {
        self.memory.epoch(node).map_or(Epoch::default(), |epoch| epoch.is)
    }

    /// This moment, as the lock server counts leases from it.
    pub fn heard_now(&self, world: &World) -> HeardAt {
        self.heard_under(self.views.lock_lease(world.config()), world)
    }

    /// The same, as the lock server counts the longest lease that there was after its start.
    pub fn heard_at_a_start(&self, world: &World) -> HeardAt {
        self.heard_under(self.views.longest_lock_lease(world.config()), world)
    }

    fn heard_under(&self, lease: Span, world: &World) -> HeardAt {
        let reading = world.host(NodeId::CONTROL).clock().reading(self.now);
        HeardAt::new((self.step, self.now), reading, lease, world.config())
    }
}

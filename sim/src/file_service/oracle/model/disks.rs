//! What a storage node's durable records say of it and of what it stores, where membership is
//! managed: a node's disk as the oracle has it.
//!
//! A node may come back under another admission after its disk was lost, and is then another
//! member; so all of this goes with the disk.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use seedbed::machine::{NodeId, RequestId};
use seedbed::proto::{
    Admission, Answer, Arcs, Config, Decided, Epoch, File, Handed, Member, Path, Record, TxnId,
    Voted,
};

use super::files::{Committed, FileHistory};
use crate::file_service::oracle::At;

/// What the durable records of one storage node say that it holds; not the simulated disk, which is
/// [`world::Disk`](crate::world::Disk).
#[derive(Clone, Debug, Default)]
pub struct Disk {
    /// Its admission.
    pub born: Option<At<Admission>>,
    /// The epoch that it has entered; 0 before the first.
    pub epoch: At<Epoch>,
    /// Where it claims to be complete, by epoch, with the step that last added to it.
    pub claims: BTreeMap<Epoch, At<Arcs>>,
    /// The newest epoch before which it has dropped its claims (`GaveUp`).
    pub given_up: Epoch,
    /// What it stores: what was applied, decided or pulled last.
    pub files: BTreeMap<Path, At<File>>,
    /// The answers that it knows.
    pub answers: BTreeMap<RequestId, At<Answer>>,
    /// Its votes that have no outcome.
    pub votes: BTreeMap<TxnId, Promise>,
}

/// What is left of a vote that has no outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    /// The step that made it durable.
    pub step: u64,
    /// The paths that it pins.
    pub paths: Vec<Path>,
    /// What a commit would change.
    pub changes: Vec<(Path, File)>,
}

impl Disk {
    /// Takes over a durable record.
    pub(in crate::file_service::oracle) fn take(
        &mut self,
        step: u64,
        node: NodeId,
        record: &Record,
        config: &Config,
    ) {
        match record {
            Record::Born { admission } => {
                *self = Disk { born: Some(At { step, is: *admission }), ..Disk::default() };
            }
            Record::Entered { epoch, complete } => {
                self.epoch = At { step, is: *epoch };
                self.claims.insert(*epoch, At { step, is: complete.clone() });
            }
            Record::Complete { epoch, arcs } => {
                let claim = self.claims.entry(*epoch).or_default();
                *claim = At { step, is: claim.is.union(arcs) };
            }
            Record::Reset { epoch, arcs } => {
                let claim = self.claims.entry(*epoch).or_default();
                *claim = At { step, is: claim.is.union(arcs) };
                let is_dropped = |path: &Path| arcs.contains(config.position(path));
                self.void(is_dropped);
                self.files.retain(|path, _| !is_dropped(path));
            }
            Record::GaveUp { epoch, keeps } => {
                self.given_up = *epoch;
                self.claims.retain(|of, _| of >= epoch);
                let is_dropped = |path: &Path| !keeps.contains(config.position(path));
                self.void(is_dropped);
                self.files.retain(|path, _| !is_dropped(path));
            }
            Record::Pulled { files, answers, replaced } => {
                let is_in = |path: &Path| replaced.contains(config.position(path));
                self.void(|path| is_in(path) || files.iter().any(|(pulled, _)| pulled == path));
                for (path, file) in files.iter() {
                    self.files.insert(path.clone(), At { step, is: file.clone() });
                }
                for handed in answers.iter() {
                    if let Handed::Done(request, answer) = handed {
                        self.answers.insert(*request, At { step, is: answer.clone() });
                    }
                }
            }
            Record::Voted(Voted { txn, paths, voided, changes, .. }) => {
                let left = paths.iter().filter(|path| !voided.contains(path));
                let (paths, changes) = (left.cloned().collect(), changes.to_vec());
                self.votes.insert(*txn, Promise { step, paths, changes });
            }
            Record::Applied { txn, request, answer } => {
                if let Some(vote) = self.votes.remove(txn) {
                    self.store(step, &vote.changes);
                }
                self.answers.insert(*request, At { step, is: answer.clone() });
            }
            Record::RolledBack { txn } => {
                self.votes.remove(txn);
            }
            Record::Decided(Decided { txn, request, changes, answer, .. })
                if txn.coordinator == node =>
            {
                self.store(step, changes);
                self.answers.insert(*request, At { step, is: answer.clone() });
            }
            _ => {}
        }
    }

    /// Does it claim to be complete at `position` in `epoch`?
    pub fn claims(&self, epoch: Epoch, position: u64) -> Option<u64> {
        let claim = self.claims.get(&epoch)?;
        claim.is.contains(position).then_some(claim.step)
    }

    /// Does a vote for `txn` that has no outcome pin `path`?
    pub fn is_in_doubt(&self, txn: TxnId, path: &Path) -> bool {
        self.votes.get(&txn).is_some_and(|promise| promise.paths.contains(path))
    }

    /// Has it got what `last` left of `path`, or something newer that was committed? Or is it in
    /// doubt about that very transaction, so that it will find out before it says anything? A vote
    /// for any other is no excuse: what that one leads to is not what was committed.
    pub fn has(&self, path: &Path, last: &Committed, history: Option<&FileHistory>) -> bool {
        let file = &last.file;
        let is_same = |one: &File, other: &File| {
            (one.version, &one.contents) == (other.version, &other.contents)
        };
        let is_there = match self.files.get(path).map(|stored| &stored.is) {
            Some(stored) if stored.version > file.version => {
                let states = history.into_iter().flat_map(|of| of.committed.iter().chain(&of.lost));
                states.rev().any(|state| is_same(&state.file, stored))
            }
            Some(stored) => is_same(stored, file),
            None => *file == File { fence: file.fence, ..File::default() },
        };
        is_there || self.is_in_doubt(last.txn, path)
    }

    /// Does it hold just what `last` left of `path`, or a vote for it that has no outcome?
    fn holds(&self, path: &Path, last: &Committed) -> bool {
        let stored = self.files.get(path).is_some_and(|stored| stored.is == last.file);
        stored || self.is_in_doubt(last.txn, path)
    }

    /// Does it hold that as a complete owner, in the epoch of that commit or later? A former owner,
    /// from before the epoch that has settled last, is asked no more, whatever its doubts.
    fn can_show(&self, (path, position): (&Path, u64), settled: Epoch, last: &Committed) -> bool {
        let mut claims = self.claims.range(settled.max(last.epoch)..);
        let mut is_complete = || claims.any(|(_, claim)| claim.is.contains(position));
        self.holds(path, last) && is_complete()
    }

    fn store(&mut self, step: u64, changes: &[(Path, File)]) {
        for (path, file) in changes {
            self.files.insert(path.clone(), At { step, is: file.clone() });
        }
    }

    fn void(&mut self, is_replaced: impl Fn(&Path) -> bool) {
        for promise in self.votes.values_mut() {
            promise.paths.retain(|path| !is_replaced(path));
            promise.changes.retain(|(path, _)| !is_replaced(path));
        }
    }
}

/// The disks of a cluster whose membership is managed; with fixed membership there is nothing to
/// know that the transactions do not say.
#[derive(Clone, Debug, Default)]
pub struct Disks {
    config: Option<Arc<Config>>,
    disks: BTreeMap<NodeId, Disk>,
    /// Nodes whose disk is gone, under the admission that it held, with the step.
    pub(in crate::file_service::oracle) gone: BTreeMap<Member, u64>,
    /// Those disks, as they were.
    lost: BTreeMap<Member, Disk>,
}

impl Disks {
    /// The empty disks of a managed cluster.
    pub(in crate::file_service::oracle) fn of(config: Arc<Config>) -> Disks {
        Disks { config: Some(config), ..Disks::default() }
    }

    /// The configuration, if membership is managed.
    pub fn managed(&self) -> Option<&Arc<Config>> {
        self.config.as_ref()
    }

    /// What is known of the disk of `node`; `None` if nothing was ever written to it.
    pub fn get(&self, node: NodeId) -> Option<&Disk> {
        self.disks.get(&node)
    }

    /// Every disk that anything was written to.
    pub fn iter(&self) -> impl Iterator<Item = (NodeId, &Disk)> {
        self.disks.iter().map(|(node, disk)| (*node, disk))
    }

    /// A record of a storage node is durable.
    pub(super) fn on_durable(&mut self, step: u64, node: NodeId, record: &Record) {
        if let Some(config) = &self.config {
            self.disks.entry(node).or_default().take(step, node, record, config);
        }
    }

    /// The disk is gone, and what only it could tell. A node that comes back under its name is
    /// another member.
    pub(super) fn on_wiped(&mut self, step: u64, node: NodeId) {
        let Some(disk) = self.disks.remove(&node) else { return };
        let admission = disk.born.as_ref().map(|born| born.is);
        if let Some(admission) = admission {
            self.gone.insert(Member { node, admission }, step);
        }
        self.lost.insert(Member { node, admission: admission.unwrap_or_default() }, disk);
    }

    /// Can any disk still show what `last` left of `path`, which is at this position? That of a
    /// member that is given up does not count, neither does a copy that was pulled in part, nor one
    /// from before the epoch that has settled last.
    pub(super) fn have(
        &self,
        (path, position): (&Path, u64),
        settled: Epoch,
        last: &Committed,
        is_given_up: impl Fn(Member) -> bool,
    ) -> bool {
        let kept = self.disks.iter().filter(|(node, disk)| {
            let born = disk.born.as_ref();
            !born.is_some_and(|born| is_given_up(Member { node: **node, admission: born.is }))
        });
        kept.map(|(_, disk)| disk).any(|disk| disk.can_show((path, position), settled, last))
    }

    /// Did any disk hold that of a member that is given up? What no such disk held is not excused.
    pub(super) fn had(
        &self,
        path: &Path,
        last: &Committed,
        is_given_up: impl Fn(Member) -> bool,
    ) -> bool {
        let lost = self.lost.iter().map(|(member, disk)| (*member, disk));
        let here = self.disks.iter().filter_map(|(node, disk)| {
            let admission = disk.born.as_ref()?.is;
            Some((Member { node: *node, admission }, disk))
        });
        let named = lost.chain(here).filter(|(member, _)| is_given_up(*member));
        named.map(|(_, disk)| disk).any(|disk| disk.holds(path, last))
    }

    /// Where a member that is not given up claims to be complete in one of these epochs.
    pub(super) fn claimed(
        &self,
        epochs: Range<Epoch>,
        is_given_up: impl Fn(Member) -> bool,
    ) -> Arcs {
        let is_kept = |(node, disk): &(&NodeId, &Disk)| {
            let born = disk.born.as_ref();
            !born.is_some_and(|born| is_given_up(Member { node: **node, admission: born.is }))
        };
        let kept = self.disks.iter().filter(is_kept);
        let claims = kept.flat_map(|(_, disk)| disk.claims.range(epochs.clone()));
        claims.fold(Arcs::default(), |all, (_, claim)| all.union(&claim.is))
    }

    /// Does the disk of `node` hold just what `last` left of `path`, and no other disk?
    pub(super) fn only_has(&self, node: NodeId, path: &Path, last: &Committed) -> bool {
        let mut holders = self.disks.iter().filter(|(_, disk)| disk.holds(path, last));
        holders.next().is_some_and(|(holder, _)| *holder == node) && holders.next().is_none()
    }

    /// When the disk of `member` was lost, if it was.
    pub fn gone(&self, member: Member) -> Option<u64> {
        self.gone.get(&member).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::invariants::commit::NoParticipantIsInDoubtAtTheEnd;
    use crate::file_service::oracle::invariants::files::CommitsDoWhatWasAsked;
    use crate::file_service::oracle::tests::{
        CONTROL, Play, applied, decided, decided_for, entered, n, path, prepare, pulled, request,
        txn, txn_of, voted, write,
    };

    fn in_doubt(participants: &[NodeId]) -> Play {
        let mut play = Play::managed(NoParticipantIsInDoubtAtTheEnd);
        play.really_starts(n(1));
        play.really_starts(n(2));
        for node in participants {
            play.is_complete(*node, 1);
            play.sends(n(1), *node, prepare(txn(1), participants, &[]));
            play.forces(*node, voted(txn(1), "/a", 1, "x"));
        }
        play.is_complete(n(1), 1);
        play
    }

    #[test]
    fn who_waits_for_what_only_a_lost_disk_could_prove_is_not_late() {
        let mut play = in_doubt(&[n(2), n(3)]);
        play.loses_its_disk(n(3));
        play.loses_its_disk(n(1));
        play.ends();
        play.holds();
        let mut open = in_doubt(&[n(2), n(3)]);
        open.loses_its_disk(n(3));
        open.ends().breaks();
    }

    #[test]
    fn what_is_pulled_replaces_what_was_there_and_the_votes_on_it() {
        let config = Config::new(seedbed::proto::Settings::default()).expect("sound settings");
        let mut disk = Disk::default();
        disk.take(1, n(2), &voted(txn(1), "/a", 1, "x"), &config);
        assert!(disk.is_in_doubt(txn(1), &path("/a")));
        disk.take(2, n(2), &pulled("/a", 3, "z"), &config);
        assert!(!disk.is_in_doubt(txn(1), &path("/a")));
        disk.take(3, n(2), &applied(txn(1)), &config);
        assert_eq!(disk.files[&path("/a")].is.version.0, 3, "a late decision changes nothing");
    }

    #[test]
    fn what_only_lost_disks_had_begins_again_when_the_operator_gives_it_up() {
        let begun = || {
            let mut play = Play::managed(CommitsDoWhatWasAsked);
            play.is_complete(n(1), 1);
            play.asks(request(1, 1), &[write("/a", "x")]);
            play.forces(n(1), decided(txn(1), &[], "/a", 1, "x"));
            play.asks(request(1, 2), &[write("/a", "y")]);
            play
        };
        let again = || decided_for(request(1, 2), txn_of(n(3), 1), &[], "/a", 1, "y");
        let mut lost = begun();
        lost.loses_its_disk(n(1));
        lost.accepts_the_loss_of(&[n(1)]);
        lost.forces(n(3), again());
        lost.holds();
        let mut kept = begun();
        kept.accepts_the_loss_of(&[n(2)]);
        kept.forces(n(3), again()).breaks();
    }

    #[test]
    fn a_loss_that_is_accepted_excuses_only_what_the_lost_disk_held() {
        let mut play = Play::managed(NoParticipantIsInDoubtAtTheEnd);
        play.is_complete(n(2), 1);
        play.is_complete(n(1), 1);
        play.forces(n(1), decided(txn(1), &[], "/a", 1, "x"));
        play.forces(n(2), decided(txn_of(n(2), 1), &[], "/b", 1, "x"));
        play.forces(n(2), pulled("/b", 0, "old"));
        play.loses_its_disk(n(1));
        play.accepts_the_loss_of(&[n(1)]);
        let given_up: Vec<_> = play.model().given_up().cloned().collect();
        assert_eq!(given_up, [path("/a")], "/b is gone from a disk that was not lost");
    }
    #[test]
    fn a_doubt_of_a_former_owner_keeps_no_file_from_beginning_again() {
        for was_settled_since in [true, false] {
            let mut play = Play::managed(NoParticipantIsInDoubtAtTheEnd);
            play.views(1, &[n(1), n(2)]).is_complete(n(1), 1).is_complete(n(2), 1);
            play.forces(n(2), voted(txn(1), "/a", 1, "x"));
            play.forces(n(1), decided(txn(1), &[n(2)], "/a", 1, "x"));
            play.views(2, &[n(1)]).forces(n(1), entered(2, Arcs::all()));
            if was_settled_since {
                play.forces(CONTROL, Record::Converged { epoch: Epoch(2) });
            }
            play.loses_its_disk(n(1)).accepts_the_loss_of(&[n(1)]);
            assert_eq!(play.model().given_up().count(), usize::from(was_settled_since));
        }
    }
}

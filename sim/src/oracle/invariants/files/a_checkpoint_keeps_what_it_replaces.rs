//! What a checkpoint stands for.

use std::collections::{BTreeMap, BTreeSet};

use seedbed::proto::{File, LowWater, Member, NodeId, Path, Record, RequestId, Token, TxnId};

use crate::oracle::{At, Breach, Disk, Evidence, Invariant, Model, Seen, SeenKinds, Views};
use crate::world::World;

/// A log whose head a checkpoint has replaced says the same as the whole log did.
///
/// Every other invariant looks at records as they are appended, and a checkpoint's are not. So when
/// a node starts that has written one, what its disk holds is replayed in the simplest way there
/// is: it must be in doubt about the same transactions, must know every outcome and every decision
/// that somebody can still ask for, and the lock server the same holders, lines and last token.
/// Where membership is managed it must also store the same files and know every answer that is
/// waited for, under the same number, in the same epoch, with the same claims; and the centre the
/// same views and numbers.
/// Mohan and others, "ARIES", 1992, section 5.4.
#[derive(Clone, Debug, Default)]
pub struct ACheckpointKeepsWhatItReplaces {
    checkpointed: BTreeMap<NodeId, u64>,
}

/// What a log says.
#[derive(Default)]
struct Replayed {
    in_doubt: BTreeSet<TxnId>,
    outcomes: BTreeMap<TxnId, bool>,
    marks: BTreeMap<Member, LowWater>,
    undone: BTreeSet<TxnId>,
    locks: BTreeMap<Path, Lock>,
    last_token: Token,
    /// What it says of a storage node of a managed cluster.
    disk: Disk,
    /// What it says of views and admissions.
    views: Views,
}

#[derive(Default, PartialEq, Eq)]
struct Lock {
    holder: Option<(RequestId, Token)>,
    line: Vec<RequestId>,
}

impl Invariant for ACheckpointKeepsWhatItReplaces {
    fn interest(&self) -> SeenKinds {
        SeenKinds::CHECKPOINTED | SeenKinds::STARTED | SeenKinds::WIPED
    }

    fn see(&mut self, seen: &Seen<'_>, model: &Model, world: &World) -> Result<(), Breach> {
        match *seen {
            Seen::Checkpointed { node } => {
                self.checkpointed.insert(node, model.step);
                Ok(())
            }
            Seen::Wiped { node } => {
                self.checkpointed.remove(&node);
                Ok(())
            }
            Seen::Started { node, .. } => {
                let Some(&step) = self.checkpointed.get(&node) else { return Ok(()) };
                match lost(node, world.host(node).disk().durable_records(), model) {
                    Some(now) => {
                        let earlier = format!("{node} replaced the head of its log");
                        Err(Breach::of(Evidence::at(step, earlier).about(node), now))
                    }
                    None => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }
}

/// What `log`, which `node` starts on, says otherwise than all that was durable.
fn lost<'a>(
    node: NodeId,
    log: impl Iterator<Item = &'a Record>,
    model: &Model,
) -> Option<Evidence> {
    let mut replayed = Replayed::default();
    let managed = model.disks.managed();
    log.for_each(|record| {
        replayed.replay(record);
        if let Some(config) = managed {
            replayed.disk.replay(node, record, config);
            replayed.views.on_durable(0, record);
        }
    });
    match node == NodeId::CONTROL {
        true => replayed.lost_locks(model).or_else(|| replayed.lost_views(model)),
        false => replayed.lost_txns(node, model).or_else(|| replayed.lost_files(node, model)),
    }
}

impl Replayed {
    fn replay(&mut self, record: &Record) {
        match record {
            Record::Voted { txn, .. } => {
                self.in_doubt.insert(*txn);
            }
            Record::Applied { txn, .. } => self.end(*txn, true),
            Record::RolledBack { txn } | Record::Promised { txn } => self.end(*txn, false),
            Record::Settled { txn, answer } => self.end(*txn, answer.is_some()),
            Record::Mark { coordinator, low_water } => {
                self.marks.insert(*coordinator, *low_water);
            }
            Record::Decided { txn, .. } => {
                self.undone.insert(*txn);
            }
            Record::Over { txn } => {
                self.undone.remove(txn);
            }
            Record::Queued { path, request } => {
                self.locks.entry(path.clone()).or_default().line.push(*request);
            }
            Record::Granted { path, request, token } => {
                let lock = self.locks.entry(path.clone()).or_default();
                lock.line.retain(|waiting| waiting != request);
                lock.holder = Some((*request, *token));
                self.last_token = self.last_token.max(*token);
            }
            Record::Left { path, request } => {
                let lock = self.locks.entry(path.clone()).or_default();
                lock.line.retain(|waiting| waiting != request);
                lock.holder.take_if(|holder| holder.0 == *request);
            }
            Record::LastToken { token } => self.last_token = self.last_token.max(*token),
            Record::Born { .. } | Record::Declined { .. } | Record::Stored { .. } => {}
            Record::Answered { .. } | Record::Forgotten { .. } | Record::LockOver { .. } => {}
            _ => {}
        }
    }

    fn end(&mut self, txn: TxnId, applied: bool) {
        self.in_doubt.remove(&txn);
        self.outcomes.insert(txn, applied);
    }

    fn lost_txns(&self, node: NodeId, model: &Model) -> Option<Evidence> {
        let none = BTreeSet::new();
        let in_doubt = model.memory.durable_doubts(node).unwrap_or(&none);
        if let Some(txn) = in_doubt.difference(&self.in_doubt).next() {
            let is = format!("{node} starts and has forgotten that it voted yes to {txn}");
            return Some(Evidence::at(model.step, is).about(*txn));
        }
        if let Some(txn) = self.in_doubt.difference(in_doubt).next() {
            let is = format!("{node} starts and is in doubt about {txn} again");
            return Some(Evidence::at(model.step, is).about(*txn));
        }
        let born = model.disks.get(node).and_then(|disk| disk.born.as_ref());
        let since = born.map_or(0, |born| born.step);
        model.txns.iter().find_map(|(id, txn)| {
            if id.coordinator == node {
                if model.coordinator_is_gone(id).is_some() {
                    return None; // that was another disk
                }
                let is_undone = txn.decided.is_some() && txn.over.is_none();
                let is_lost = is_undone && !self.undone.contains(&id);
                return is_lost.then(|| {
                    let is = format!("{node} starts and has forgotten to commit {id}");
                    Evidence::at(model.step, is).about(id)
                });
            }
            let outcome = txn.outcomes.get(&node).filter(|_| !model.is_below_the_mark(id))?;
            if outcome.step < since {
                return None;
            }
            let whose = Member { node: id.coordinator, admission: id.admission };
            let is_marked = self.marks.get(&whose).is_some_and(|mark| mark.covers(id));
            let is_known = is_marked || self.outcomes.get(&id) == Some(&outcome.is);
            (!is_known).then(|| {
                let is = format!("{node} starts and has forgotten what became of {id}");
                Evidence::at(model.step, is).about(id)
            })
        })
    }

    /// Files, claims, and what else a managed node's disk holds.
    fn lost_files(&self, node: NodeId, model: &Model) -> Option<Evidence> {
        let (was, is) = (model.disks.get(node)?, &self.disk);
        let number = |disk: &Disk| disk.born.as_ref().map(|born| born.is);
        if (number(was), was.epoch.is, was.given_up) != (number(is), is.epoch.is, is.given_up) {
            let is = format!("{node} starts under another number or in another epoch");
            return Some(Evidence::at(model.step, is).about(node));
        }
        let claims = |disk: &Disk| -> Vec<_> {
            disk.claims.iter().map(|(epoch, claim)| (*epoch, claim.is.clone())).collect()
        };
        if claims(was) != claims(is) {
            let is = format!("{node} starts and claims otherwise than it did");
            return Some(Evidence::at(model.step, is).about(node));
        }
        let differs = |(path, file): &(&Path, &At<File>)| {
            is.files.get(*path).map(|stored| &stored.is) != Some(&file.is)
        };
        if let Some((path, _)) = was.files.iter().find(differs) {
            let is = format!("{node} starts and has forgotten what it had of {path}");
            return Some(Evidence::at(model.step, is).about(path));
        }
        if let Some(path) = is.files.keys().find(|path| !was.files.contains_key(*path)) {
            let is = format!("{node} starts and has {path} again, which it had given up");
            return Some(Evidence::at(model.step, is).about(path));
        }
        // An answer may be forgotten when nobody waits for it any more.
        let is_open = |request: &&RequestId| {
            let asked = model.requests.get(&model.origin(**request));
            asked.is_some_and(|asked| asked.reply.is_none())
        };
        let lost = |request: &&RequestId| !is.answers.contains_key(*request);
        let alive =
            |request: &&RequestId| model.lives.get(&request.client) == Some(&request.incarnation);
        let mut answers = was.answers.keys().filter(is_open).filter(alive);
        let request = answers.find(lost)?;
        let is = format!("{node} starts and has forgotten the answer to {request}");
        Some(Evidence::at(model.step, is).about(*request))
    }

    fn lost_views(&self, model: &Model) -> Option<Evidence> {
        model.disks.managed()?;
        let (was, is) = (&model.views, &self.views);
        let newest = |views: &Views| views.newest().map(|view| view.is.clone());
        let settled = |views: &Views| views.settled().map(|settled| settled.is);
        let accepted = |views: &Views| views.accepted().map(|accepted| accepted.is);
        if newest(was) != newest(is) || was.active() != is.active() {
            let is = "control starts with another view than it had";
            return Some(Evidence::at(model.step, is).about(NodeId::CONTROL));
        }
        if (settled(was), accepted(was)) != (settled(is), accepted(is)) {
            let is = "control starts with another epoch settled or given up";
            return Some(Evidence::at(model.step, is).about(NodeId::CONTROL));
        }
        let lost = |node: &NodeId| was.admission(*node) != is.admission(*node);
        let node = was.everyone_admitted().find(lost)?;
        let is = format!("control starts and has forgotten the number of {node}");
        Some(Evidence::at(model.step, is).about(node))
    }

    fn lost_locks(&self, model: &Model) -> Option<Evidence> {
        let grants = model.locks.iter().filter_map(|(_, lock)| lock.durable.newest.as_ref());
        if let Some(token) = grants.map(|grant| grant.is.1).max().filter(|t| *t > self.last_token) {
            let is = format!("control starts and has forgotten that it granted {token}");
            return Some(Evidence::at(model.step, is).about(NodeId::CONTROL));
        }
        let free = Lock::default();
        let durable = |path: &Path| {
            model.locks.get(path).map_or_else(Lock::default, |lock| Lock {
                holder: lock.durable.holder.as_ref().map(|holder| holder.is),
                line: lock.durable.line.iter().map(|waiting| waiting.is).collect(),
            })
        };
        let mut paths = model.locks.iter().map(|(path, _)| path).chain(self.locks.keys());
        let differs = |path: &&Path| *self.locks.get(*path).unwrap_or(&free) != durable(path);
        let path = paths.find(differs)?;
        let is = format!("control starts with another holder or line of {path} than it had");
        Some(Evidence::at(model.step, is).about(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::tests::{
        CONTROL, applied, decided, granted, left, n, over, path, queued, request, rolled_back, txn,
        txn_of, voted,
    };
    use seedbed::proto::{Config, Member, Settings};

    fn after(node: NodeId, records: &[Record]) -> Model {
        let settings = Settings::default();
        let world = World::new(Config::new(settings).expect("sound settings"), 1);
        let mut model = Model::default();
        for (position, record) in (0..).zip(records) {
            model.update(&Seen::Durable { node, position, record }, &world);
        }
        model
    }

    fn settled(txn: TxnId) -> Record {
        Record::Settled { txn, answer: None }
    }

    #[test]
    fn a_yes_an_outcome_and_a_decision_that_are_not_there_any_more_are_breaches() {
        let model = after(n(2), &[voted(txn(1), "/a", 1, "x")]);
        let found = lost(n(2), [].iter(), &model);
        assert!(found.is_some_and(|now| now.is.contains("it voted yes to n1.1/1")));
        let both = [voted(txn(1), "/a", 1, "x"), rolled_back(txn(1))];
        let model = after(n(2), &both);
        let found = lost(n(2), [].iter(), &model);
        assert!(found.is_some_and(|now| now.is.contains("what became of n1.1/1")));
        let found = lost(n(2), both[..1].iter(), &model);
        assert!(found.is_some_and(|now| now.is.contains("in doubt about n1.1/1 again")));
        assert!(lost(n(2), [applied(txn(1))].iter(), &model).is_some());
        let of_2 = txn_of(n(2), 1);
        let model = after(n(2), &[decided(of_2, &[n(3)], "/a", 1, "x")]);
        let found = lost(n(2), [].iter(), &model);
        assert!(found.is_some_and(|now| now.is.contains("to commit n2.1/1")));
    }

    #[test]
    fn the_same_in_fewer_records_is_none() {
        let of_2 = txn_of(n(2), 1);
        let log = [
            voted(txn(1), "/a", 1, "x"),
            rolled_back(txn(1)),
            voted(txn(2), "/a", 1, "x"),
            decided(of_2, &[n(3)], "/b", 1, "x"),
            over(of_2),
        ];
        let model = after(n(2), &log);
        assert_eq!(lost(n(2), [settled(txn(1)), log[2].clone()].iter(), &model), None);
        let low_water = LowWater { incarnation: txn(1).incarnation, counter: 1 };
        let coordinator = Member { node: n(1), admission: txn(1).admission };
        let mark = Record::Mark { coordinator, low_water };
        assert_eq!(lost(n(2), [mark, log[2].clone()].iter(), &model), None);
    }

    #[test]
    fn a_holder_a_place_in_line_and_a_token_are_kept() {
        let (one, two) = (request(1, 1), request(2, 1));
        let model = after(CONTROL, &[queued("/a", one), granted("/a", one, 1), queued("/a", two)]);
        let kept = [granted("/a", one, 1), queued("/a", two)];
        assert_eq!(lost(CONTROL, kept.iter(), &model), None);
        for missing in [&kept[..1], &kept[1..]] {
            assert!(lost(CONTROL, missing.iter(), &model).is_some());
        }
        let model = after(CONTROL, &[granted("/a", one, 1), left("/a", one)]);
        let kept = [Record::LastToken { token: Token(1) }, left("/", one)];
        assert_eq!(lost(CONTROL, kept.iter(), &model), None);
        let found = lost(CONTROL, kept[1..].iter(), &model);
        assert!(found.is_some_and(|now| now.is.contains("it granted t1")));
        assert!(model.locks.get(&path("/")).is_none());
    }
}

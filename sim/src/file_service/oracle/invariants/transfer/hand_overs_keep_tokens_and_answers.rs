//! What is handed over beside the contents.

use std::collections::BTreeSet;

use crate::file_service::oracle::model::requests::effects_of_requests::is_part_of;
use crate::file_service::oracle::{
    Breach, Disk, Evidence, Invariant, Model, Moment, Seen, SeenKinds,
};
use crate::file_service::trace;
use seedbed::machine::{NodeId, RequestId};
use seedbed::proto::{Answer, Arcs, Epoch, FileService, Handed, Record, RecordKind};

/// Where a node's log says that it is a complete owner, the log holds the token that was claimed of
/// every path, its version even if the file is gone, and the answer to every request that has taken
/// effect there and whose client has no answer yet; or a vote for what was committed there last.
/// And each answer that it takes over is the one that the commit gave.
///
/// An owner without the token lets a holder write whose lock is long another client's; one without
/// the version begins again at the first; and one without the answer executes a retry once more.
/// What makes requests take effect at most once must move with the data: Ongaro, "Consensus:
/// Bridging Theory and Practice", 2014, section 6.3; Lee et al., "Implementing Linearizability at
/// Large Scale and Low Latency" (RIFL), SOSP 2015, section 3.
#[derive(Clone, Debug, Default)]
pub struct HandOversKeepTokensAndAnswers {
    /// Requests of users that have no answer.
    open: BTreeSet<RequestId>,
}

impl Invariant<FileService> for HandOversKeepTokensAndAnswers {
    fn interest(&self) -> SeenKinds {
        SeenKinds::durable(&[RecordKind::Entered, RecordKind::Complete])
            | SeenKinds::appended(&[RecordKind::Pulled])
            | SeenKinds::REQUESTED
            | SeenKinds::REPLIED
            | SeenKinds::CRASHED
    }

    fn see(&mut self, seen: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        match *seen {
            Seen::Requested { request, .. } => {
                self.open.insert(request);
                Ok(())
            }
            Seen::Replied { request, .. } => {
                self.open.remove(&request);
                Ok(())
            }
            Seen::Crashed { node } => {
                self.open.retain(|request| request.client != node); // no client waits any more
                Ok(())
            }
            Seen::Durable {
                node,
                record: Record::Entered { epoch, complete: arcs } | Record::Complete { epoch, arcs },
                ..
            } => {
                let Some(disk) = model.disks.get(node) else { return Ok(()) };
                tokens((node, disk), *epoch, arcs, model)?;
                self.answers((node, disk), *epoch, arcs, model)
            }
            Seen::Appended { node, record: Record::Pulled { answers, .. }, .. } => {
                answers.iter().try_for_each(|handed| is_true(node, handed, model))
            }
            _ => Ok(()),
        }
    }
}

fn tokens(
    (node, disk): (NodeId, &Disk),
    epoch: Epoch,
    arcs: &Arcs,
    model: &Model,
) -> Result<(), Breach> {
    for (path, last) in model.last_in_arcs(arcs, epoch) {
        let stored = disk.files.get(path).map(|stored| stored.is.clone()).unwrap_or_default();
        let is_there = stored.fence >= last.file.fence && stored.version >= last.file.version;
        if is_there || disk.is_in_doubt(last.txn, path) {
            continue;
        }
        let (version, fence) = (last.file.version, last.file.fence);
        let earlier = format!("{} left {path} at {version}, claimed under {fence}", last.txn);
        let now = format!(
            "{node} claims to be complete on {path}, and has it at {}, claimed under {}",
            stored.version, stored.fence
        );
        return Err(Breach::of(
            Evidence::at(last.step, earlier).about(last.txn).about(path),
            Evidence::at(model.step, now).about(path),
        ));
    }
    Ok(())
}

/// Is an answer that is handed over one that was given? A request whose changes are given up with
/// an accepted loss may be done again, and have two.
fn is_true(node: NodeId, handed: &Handed, model: &Model) -> Result<(), Breach> {
    let was_given = |request, answer: &Answer| {
        model.effects.was_answered(request, |given| is_part_of(answer, given))
    };
    match handed {
        Handed::Done(request, answer) => match model.effects.of(model.origin(*request)) {
            Some(effect) if is_part_of(answer, &effect.is.1) => Ok(()),
            Some(_) if was_given(model.origin(*request), answer) => Ok(()),
            Some(effect) => {
                let (txn, decided) = &effect.is;
                let (was, is) = (trace::answer(decided), trace::answer(answer));
                let now = format!("{node} takes over that {request} is done with {is}");
                let is = format!("{txn} was committed for {request} with the answer {was}");
                Err(Breach::of(
                    Evidence::at(effect.step, is).about(*txn),
                    Evidence::at(model.step, now).about(*request),
                ))
            }
            None => Ok(()),
        },
        Handed::Declined(..) | Handed::Forgotten(..) => Ok(()),
    }
}

impl HandOversKeepTokensAndAnswers {
    fn answers(
        &self,
        (node, disk): (NodeId, &Disk),
        epoch: Epoch,
        arcs: &Arcs,
        model: &Model,
    ) -> Result<(), Breach> {
        let Some(config) = model.disks.managed().filter(|_| !arcs.is_empty()) else {
            return Ok(());
        };
        for origin in &self.open {
            let Some(asked) = model.requests.get(origin) else { continue };
            for id in &asked.effects {
                let Some(txn) = model.txns.get(id) else { continue };
                let Some(request) = txn.request else { continue };
                if disk.answers.contains_key(&request) || disk.votes.contains_key(id) {
                    continue;
                }
                let votes = txn.yes.values().flat_map(|yes| yes.is.iter());
                let is_kept = |path: &_| {
                    let history = model.files.get(path);
                    history.is_some_and(|of| of.committed.iter().any(|state| state.txn == *id))
                };
                let counts = |path: &_| txn.epoch <= epoch && is_kept(path);
                let mut changes = txn.own.iter().chain(votes);
                let Some((path, _)) =
                    changes.find(|(path, _)| arcs.contains(config.position(path)) && counts(path))
                else {
                    continue;
                };
                let step = txn.decided.as_ref().map_or(0, |decided| decided.step);
                let earlier = format!("{id} was committed for {request}, which waits");
                let now = format!(
                    "{node} claims to be complete on {path}, and does not know that answer"
                );
                return Err(Breach::of(
                    Evidence::at(step, earlier).about(*id).about(request),
                    Evidence::at(model.step, now).about(path),
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{
        Play, born, changed, complete, decided_for, done, entered, fenced, n, path, pulled,
        request, txn, txn_of, voted, write,
    };

    fn play(decision: Record) -> Play {
        let mut play = Play::managed(HandOversKeepTokensAndAnswers::default());
        play.views(1, &[n(1)]);
        play.is_complete(n(1), 1);
        play.asks(request(1, 1), &[write("/a", "x")]);
        play.forces(n(1), decision);
        play.views(2, &[n(1), n(3)]);
        play.forces(n(3), born());
        play.forces(n(3), entered(2, Arcs::default()));
        play
    }

    #[test]
    fn a_token_that_was_left_behind_is_a_breach() {
        let mut play = play(fenced(request(1, 1), txn(1), "/a", 1, "x", 7));
        play.replies(request(1, 1), done(&[changed(1)]));
        play.forces(n(3), pulled("/a", 1, "x"));
        let breach = play.forces(n(3), complete(2, Arcs::all())).breaks();
        assert_eq!(breach.earlier.is, "n1.1/1 left /a at v1, claimed under t7");
        assert!(breach.now.is.ends_with("has it at v1, claimed under t0"));
    }

    #[test]
    fn a_vote_excuses_a_missing_token_only_if_it_is_for_what_claimed_it() {
        let claimed_after_a_vote_for = |id| {
            let mut play = Play::managed(HandOversKeepTokensAndAnswers::default());
            play.views(1, &[n(1), n(3)]);
            play.is_complete(n(1), 1);
            play.is_complete(n(3), 1);
            play.forces(n(3), voted(id, "/a", 1, "x"));
            play.forces(n(1), fenced(request(1, 1), txn(1), "/a", 1, "x", 7));
            play.views(2, &[n(1), n(3)]);
            play
        };
        let mut play = claimed_after_a_vote_for(txn(1));
        play.forces(n(3), entered(2, Arcs::all()));
        play.holds();
        claimed_after_a_vote_for(txn(2)).forces(n(3), entered(2, Arcs::all())).breaks();
    }

    #[test]
    fn an_answer_that_was_left_behind_is_a_breach() {
        let mut play = play(decided_for(request(1, 1), txn(1), &[], "/a", 1, "x"));
        play.forces(n(3), pulled("/a", 1, "x"));
        let breach = play.forces(n(3), complete(2, Arcs::all())).breaks();
        assert_eq!(breach.earlier.is, "n1.1/1 was committed for c1.1#1, which waits");
    }

    fn takes_over_as_well<'a>(play: &'a mut Play, handed: &[Handed]) -> &'a mut Play {
        let (files, replaced) = ([].into(), Arcs::all());
        play.appends(n(3), Record::Pulled { files, answers: handed.into(), replaced })
    }

    #[test]
    fn an_answer_that_came_along_or_that_no_client_waits_for_is_none() {
        let decision = || decided_for(request(1, 1), txn(1), &[], "/a", 1, "x");
        let mut answered = play(decision());
        answered.replies(request(1, 1), done(&[changed(1)]));
        answered.forces(n(3), pulled("/a", 1, "x"));
        answered.forces(n(3), complete(2, Arcs::all()));
        answered.holds();
        let mut play = play(decision());
        let Record::Pulled { files, .. } = pulled("/a", 1, "x") else { unreachable!() };
        assert_eq!(files[0].0, path("/a"));
        let handed = |version| Handed::Done(request(1, 1), [changed(version)].into());
        takes_over_as_well(&mut self::play(decision()), &[handed(2)]).breaks();
        let answers = [handed(1)].into();
        play.forces(n(3), Record::Pulled { files, answers, replaced: Arcs::default() });
        play.forces(n(3), complete(2, Arcs::all()));
        play.holds();
    }

    #[test]
    fn a_request_that_is_given_up_and_done_again_has_two_answers() {
        let given_up_and_done_again = || {
            let mut play = Play::managed(HandOversKeepTokensAndAnswers::default());
            play.is_complete(n(1), 1).is_complete(n(2), 1);
            play.forces(n(1), decided_for(request(1, 1), txn(1), &[], "/a", 5, "x"));
            play.loses_its_disk(n(1)).loses_its_disk(n(2));
            play.accepts_the_loss_of(&[n(1), n(2)]);
            play.forces(n(3), decided_for(request(1, 1), txn_of(n(3), 1), &[], "/a", 1, "x"));
            play
        };
        let handed = |version| Handed::Done(request(1, 1), [changed(version)].into());
        for version in [1, 5] {
            takes_over_as_well(&mut given_up_and_done_again(), &[handed(version)]).holds();
        }
        takes_over_as_well(&mut given_up_and_done_again(), &[handed(2)]).breaks();
    }
}

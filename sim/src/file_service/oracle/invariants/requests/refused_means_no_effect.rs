//! A request that was refused has no effect, ever.

use std::collections::BTreeMap;

use crate::file_service::oracle::model::requests::effects_of_requests::effects;
use crate::file_service::oracle::{
    At, Breach, Evidence, Invariant, Model, Moment, Seen, SeenKinds,
};
use seedbed::machine::{NodeId, RequestId};
use seedbed::proto::{FileService, Record, RecordKind, Refusal, Reply};

/// After `refused` no transaction of the request has committed or commits, and no lock is granted
/// to it; unless all that it did was on files that were given up with lost disks.
///
/// "Refused" is a promise about all attempts, also those that are still on their way; a client that
/// cannot give it says `unknown`. A user who is told "refused" does it some other way, and then has
/// it twice. Jepsen's `:fail` as opposed to `:info`: what failed must never be seen to have
/// happened.
#[derive(Clone, Debug, Default)]
pub struct RefusedMeansNoEffect {
    refused: BTreeMap<RequestId, At<Refusal>>,
}

impl Invariant<FileService> for RefusedMeansNoEffect {
    fn interest(&self) -> SeenKinds {
        effects()
            | SeenKinds::REPLIED
            | SeenKinds::durable(&[RecordKind::Granted])
            | SeenKinds::STARTED
    }

    fn see(&mut self, seen: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        if let Some(effect) = model.effects.made_by(seen).filter(|effect| !effect.is_lost) {
            return self.judge_effect(effect.origin, || {
                let is = format!("transaction {} commits for {}", effect.txn, effect.origin);
                Evidence::at(model.step, is).about(effect.txn).about(effect.origin)
            });
        }
        match *seen {
            Seen::Replied { request, reply: Reply::Refused(refusal) } => {
                self.refused.insert(request, At { step: model.step, is: *refusal });
                self.judge_refusal(request, *refusal, model)
            }
            Seen::Durable {
                node: NodeId::CONTROL,
                record: Record::Granted { request, .. },
                ..
            } => self.judge_grant(*request, model),
            // What a crash has left is as good as durable.
            Seen::Started { node: NodeId::CONTROL, .. } => {
                let mut survivors = model.locks.grants.survivors();
                survivors.try_for_each(|(request, ..)| self.judge_grant(request, model))
            }
            _ => Ok(()),
        }
    }
}

impl RefusedMeansNoEffect {
    fn judge_effect(
        &self,
        request: RequestId,
        now: impl FnOnce() -> Evidence,
    ) -> Result<(), Breach> {
        match self.refused.get(&request) {
            Some(At { step, is: refusal }) => {
                Err(Breach::of(refused(request, *refusal, *step), now()))
            }
            None => Ok(()),
        }
    }

    fn judge_grant(&self, request: RequestId, model: &Model) -> Result<(), Breach> {
        let Some((token, grant)) = model.locks.grants.newest(request) else { return Ok(()) };
        self.judge_effect(request, || {
            let path = &grant.path;
            let is = format!("the lock of {path} is granted to {request} under {token}");
            Evidence::at(model.step, is).about(path).about(request)
        })
    }

    fn judge_refusal(
        &self,
        request: RequestId,
        refusal: Refusal,
        model: &Model,
    ) -> Result<(), Breach> {
        let step = model.step;
        let now = || refused(request, refusal, step);
        // What it did may have been given up, and its answer with it.
        let effect = model.effects.of(request).filter(|effect| !model.is_undone(effect));
        if let Some(At { step, is: (txn, _) }) = effect {
            let is = format!("transaction {txn} committed for {request}");
            return Err(Breach::of(Evidence::at(*step, is).about(*txn).about(request), now()));
        }
        let grants = &model.locks.grants;
        match grants.newest(request).filter(|(_, grant)| !grants.is_pending(grant)) {
            Some((token, grant)) => {
                let path = &grant.path;
                let is = format!("the lock of {path} was granted to {request} under {token}");
                Err(Breach::of(Evidence::at(grant.step, is).about(path).about(request), now()))
            }
            None => Ok(()),
        }
    }
}

fn refused(request: RequestId, refusal: Refusal, step: u64) -> Evidence {
    let client = request.client;
    let is = format!("{client} tells its user that {request} is refused: {refusal}");
    Evidence::at(step, is).about(request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::*;

    const NAME: &str = "refused_means_no_effect";

    #[test]
    fn a_refused_request_commits_later() {
        let mut play = Play::new(RefusedMeansNoEffect::default());
        play.at(1).replies(request(1, 1), Reply::Refused(Refusal::Exists));
        play.at(2).logs(n(1), decided_answer(request(1, 1), txn(1), &[changed(1)]));
        play.is_broken_by(NAME, (1, "a file is there already"), (2, "n1.1/1 commits for c1.1#1"));
    }

    #[test]
    fn a_refused_request_is_committed_without_its_coordinator() {
        let ends_with = |record| {
            let mut play = Play::new(RefusedMeansNoEffect::default());
            play.had_lost_its_disk(n(1));
            play.at(1).logs(n(2), voted(txn(1), "/a", 1, "x"));
            play.at(2).replies(request(1, 1), Reply::Refused(Refusal::Exists));
            play.at(3).logs(n(2), record);
            play
        };
        let (then, now) = ((2, "a file is there already"), (3, "n1.1/1 commits for c1.1#1"));
        ends_with(applied(txn(1))).is_broken_by(NAME, then, now);
        ends_with(rolled_back(txn(1))).holds();
    }

    #[test]
    fn a_committed_request_is_refused() {
        let mut play = Play::new(RefusedMeansNoEffect::default());
        play.at(1).sends(c(1), n(2), begin(request(1, 900), request(1, 1), &[write("/a", "1")]));
        play.at(2).logs(n(1), decided_answer(request(1, 900), txn(1), &[changed(1)]));
        play.at(3).replies(request(1, 1), Reply::Refused(Refusal::Exists));
        play.is_broken_by(NAME, (2, "n1.1/1 committed for c1.1#1"), (3, "refused"));
    }

    #[test]
    fn one_request_is_refused_and_another_commits() {
        let mut play = Play::new(RefusedMeansNoEffect::default());
        play.at(1).replies(request(1, 1), Reply::Refused(Refusal::Exists));
        play.at(2).logs(n(1), decided_answer(request(1, 2), txn(1), &[changed(1)]));
        play.at(3).replies(request(1, 2), Reply::Unknown);
        play.holds();
    }

    #[test]
    fn a_refused_lock_is_granted_later() {
        let mut play = Play::new(RefusedMeansNoEffect::default());
        play.at(1).replies(request(1, 1), Reply::Refused(Refusal::Held));
        play.at(2).appends(CONTROL, granted("/a", request(1, 1), 3));
        play.at(3).syncs(CONTROL);
        play.is_broken_by(NAME, (1, "the lock is held"), (3, "granted to c1.1#1 under t3"));
    }

    #[test]
    fn a_granted_lock_is_refused() {
        let mut play = Play::new(RefusedMeansNoEffect::default());
        play.at(1).logs(CONTROL, granted("/a", request(1, 1), 3));
        play.at(2).replies(request(1, 1), Reply::Refused(Refusal::Held));
        play.is_broken_by(NAME, (1, "was granted to c1.1#1"), (2, "the lock is held"));
    }

    #[test]
    fn a_grant_that_a_crash_took_is_no_effect() {
        let mut play = Play::new(RefusedMeansNoEffect::default());
        play.at(1).appends(CONTROL, granted("/a", request(1, 1), 3));
        play.at(2).crashes(CONTROL);
        play.at(3).starts(CONTROL);
        play.at(4).replies(request(1, 1), Reply::Refused(Refusal::Held));
        play.holds();
    }
    #[test]
    fn what_comes_too_late_for_its_file_is_no_effect() {
        for begins_again in [true, false] {
            let mut play = Play::managed(RefusedMeansNoEffect::default());
            play.views(1, &[n(2)]).asks(request(1, 1), &[write("/a", "x")]);
            play.is_complete(n(1), 1).is_complete(n(2), 1);
            play.forces(n(2), voted(txn(1), "/a", 1, "x"));
            match begins_again {
                true => play.begins_again_without_n2(),
                false => play.loses_its_disk(n(1)),
            };
            play.replies(request(1, 1), Reply::Refused(Refusal::NotFound));
            play.forces(n(2), applied(txn(1)));
            assert_eq!(play.is_lawful(), begins_again);
        }
    }
}

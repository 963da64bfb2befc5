//! What a client tells its user is what the operations give.

use std::collections::BTreeMap;

use seedbed::machine::{NodeId, RequestId};
use seedbed::proto::{
    Answer, AttemptEnd, Ended, FileService, Message, MessageKind, Outcome, Path, Reply,
};

use crate::file_service::World;
use crate::file_service::oracle::model::reference::{limits, words};
use crate::file_service::oracle::{
    Breach, Evidence, Invariant, Model, Moment, Seen, SeenKinds, single_read,
};

/// A client's `done` is what a sequential execution of all commits gives: for a transaction at its
/// place in the order of commits, for a plain read at the step in which the owner answered whose
/// answer the client passes on.
///
/// A plain read takes no part in the order of commits, so neither versions nor decisions say what
/// it should have found. An answer that a forced record held back was put together earlier, at some
/// time since the question. Linearizability: Herlihy, Wing, 1990.
#[derive(Default)]
pub struct AnswersFollowFromTheCommits {
    /// Answers to plain reads that have left owners.
    given: BTreeMap<RequestId, Vec<Given>>,
    /// The end of an attempt that has arrived last: in which step, from which node, which.
    arrived: Option<(u64, NodeId, RequestId, Answer)>,
}

/// An answer to a plain read, and how it is wrong, if it is.
struct Given {
    owner: NodeId,
    answer: Answer,
    step: u64,
    /// What it should have been instead, and since when.
    wrong: Option<Evidence>,
}

impl Invariant<FileService> for AnswersFollowFromTheCommits {
    fn interest(&self) -> SeenKinds {
        let ended = &[MessageKind::Ended];
        SeenKinds::sent(ended) | SeenKinds::received(ended) | SeenKinds::REPLIED
    }

    fn see(
        &mut self,
        seen: &Seen<'_>,
        Moment { model, world, .. }: &Moment<'_>,
    ) -> Result<(), Breach> {
        match *seen {
            Seen::Sent { from, message: Message::Ended(Ended { request, end, .. }), .. } => {
                if let AttemptEnd::Done(answer) = end {
                    self.on_given(from, *request, answer, model, world);
                }
                Ok(())
            }
            Seen::Received {
                from, message: Message::Ended(Ended { request, end, .. }), ..
            } => {
                if let AttemptEnd::Done(answer) = end {
                    self.arrived = Some((model.step, from, *request, answer.clone()));
                }
                Ok(())
            }
            Seen::Replied { request, reply: Reply::Done(answer) } => {
                self.on_done(request, answer, model)
            }
            _ => Ok(()),
        }
    }
}

impl AnswersFollowFromTheCommits {
    /// An owner answers a plain read.
    fn on_given(
        &mut self,
        owner: NodeId,
        request: RequestId,
        answer: &Answer,
        model: &Model,
        world: &World,
    ) {
        let Some(asked) = model.requests.get(&request) else { return };
        let Some(path) = single_read(&asked.wanted).filter(|_| asked.reply.is_none()) else {
            return;
        };
        let since = match model.is_put_together_now(owner) {
            true => model.step,
            false => asked.asked.step,
        };
        let wrong = match limits::check_path(path, &world.config().limits) {
            Ok(()) => wrong_read(path, answer, since, model),
            Err(refusal) => {
                let is = format!("{request} must be refused: {refusal}");
                Some(Evidence::at(asked.asked.step, is))
            }
        };
        let given = Given { owner, answer: answer.clone(), step: model.step, wrong };
        self.given.entry(request).or_default().push(given);
    }

    fn on_done(
        &mut self,
        request: RequestId,
        answer: &Answer,
        model: &Model,
    ) -> Result<(), Breach> {
        let wanted = model.requests.wanted(request);
        match wanted.and_then(single_read) {
            Some(path) => {
                let given = self.given.remove(&request).unwrap_or_default();
                self.judge_read(request, path, answer, &given, model)
            }
            None => judge_transaction(request, answer, model),
        }
    }

    fn judge_read(
        &self,
        request: RequestId,
        path: &Path,
        answer: &Answer,
        given: &[Given],
        model: &Model,
    ) -> Result<(), Breach> {
        let told = || told(request, answer, model).about(path);
        let arrived = self.arrived.as_ref();
        let Some((_, owner, _, arrived)) =
            arrived.filter(|(step, _, of, _)| (*step, *of) == (model.step, request))
        else {
            let is = format!("no owner has answered {request}");
            return Err(Breach::of(Evidence::at(model.step, is).about(request), told()));
        };
        if arrived != answer {
            let is = format!("{owner} answers {request} otherwise in the same step");
            return Err(Breach::of(Evidence::at(model.step, is).about(request), told()));
        }
        let mut same = given.iter().filter(|one| one.owner == *owner && one.answer == *answer);
        let Some(first) = same.next() else {
            let is = format!("{owner} has never given that answer to {request}");
            return Err(Breach::of(Evidence::at(model.step, is).about(request), told()));
        };
        match &first.wrong {
            Some(wrong) if same.all(|other| other.wrong.is_some()) => {
                let told = told().reworded(|told| {
                    format!("{told}, as {owner} has answered in step {}", first.step)
                });
                Err(Breach::of(wrong.clone().about(path), told))
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// What a plain read of `path` should have given instead of `answer`, if that is no state that was
/// current since `since`.
fn wrong_read(path: &Path, answer: &Answer, since: u64, model: &Model) -> Option<Evidence> {
    let states = model.reference.states(path);
    let is_right = |answer: &[Outcome]| {
        let [Outcome::Found(version, contents)] = answer else { return false };
        states.since(since).any(|state| match &state.stored {
            Some(stored) => (stored.version, &stored.contents) == (*version, contents),
            None => true, // it is uncertain
        })
    };
    if is_right(answer) {
        return None;
    }
    let current = states.current();
    let is = match (&current.stored, current.txn) {
        (Some(stored), Some(txn)) => format!("{txn}, the last commit to {path}, left {stored}"),
        _ => format!("nothing was ever committed to {path}"),
    };
    let earlier = Evidence::at(current.step, is).about_all(current.txn);
    Some(if current.txn.is_none() { earlier.absent() } else { earlier })
}

/// A transaction's answer is what its operations gave at its commit.
fn judge_transaction(request: RequestId, answer: &Answer, model: &Model) -> Result<(), Breach> {
    let Some(expected) = model.reference.answer(request) else {
        return Ok(()); // it has not committed: for done_means_effect to say
    };
    let outcomes = expected.is.iter().zip(answer.iter());
    let is_right = outcomes.into_iter().all(|(one, other)| one.as_ref().is_none_or(|o| o == other));
    if is_right && expected.is.len() == answer.len() {
        return Ok(());
    }
    let outcome = |outcome: &Option<Outcome>| outcome.as_ref().map_or("(unknown)".into(), words);
    let all: Vec<String> = expected.is.iter().map(outcome).collect();
    let earlier = format!("{request} commits and gives: {}", all.join(", "));
    let earlier = Evidence::at(expected.step, earlier).about(request);
    Err(Breach::of(earlier, told(request, answer, model)))
}

fn told(request: RequestId, answer: &Answer, model: &Model) -> Evidence {
    let all: Vec<String> = answer.iter().map(words).collect();
    let is =
        format!("{} tells its user that {request} is done: {}", request.client, all.join(", "));
    Evidence::at(model.step, is).about(request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{
        Play, begin, c, changed, decided_for, done, ended_done, found, n, read, request, txn, write,
    };

    /// c1 has written `/a`, and asks for it.
    fn asked() -> Play {
        let mut play = Play::new(AnswersFollowFromTheCommits::default());
        play.asks(request(1, 1), &[write("/a", "x")]);
        play.forces(n(1), decided_for(request(1, 1), txn(1), &[], "/a", 1, "x"));
        play.requests(request(1, 2), crate::file_service::oracle::tests::reads(&["/a"]));
        play
    }

    fn answers(play: &mut Play, answer: &[Outcome]) {
        play.sends(n(2), c(1), ended_done(request(1, 2), answer));
        play.receives(n(2), c(1), ended_done(request(1, 2), answer)).and();
        play.replies(request(1, 2), done(answer));
    }

    #[test]
    fn other_bytes_another_version_and_no_file_are_breaches() {
        for answer in [found(1, Some("y")), found(2, Some("x")), found(1, None), found(0, None)] {
            let mut play = asked();
            answers(&mut play, &[answer]);
            let breach = play.breaks();
            assert_eq!(breach.earlier.is, "n1.1/1, the last commit to /a, left \"x\" at v1");
        }
        let mut play = asked();
        answers(&mut play, &[found(1, Some("x"))]);
        play.holds();
    }

    #[test]
    fn what_was_current_when_the_owner_answered_is_none() {
        let mut play = asked();
        let answer = [found(1, Some("x"))];
        play.sends(n(2), c(1), ended_done(request(1, 2), &answer));
        play.sends(c(1), n(1), begin(request(2, 1), request(2, 1), &[write("/a", "y")]));
        play.forces(n(1), decided_for(request(2, 1), txn(2), &[], "/a", 2, "y"));
        play.receives(n(2), c(1), ended_done(request(1, 2), &answer)).and();
        play.replies(request(1, 2), done(&answer)).holds();
    }

    #[test]
    fn an_answer_that_was_replaced_when_the_owner_gave_it_is_a_breach() {
        let mut play = asked();
        play.asks(request(1, 3), &[write("/a", "y")]);
        play.forces(n(1), decided_for(request(1, 3), txn(2), &[], "/a", 2, "y"));
        answers(&mut play, &[found(1, Some("x"))]);
        let breach = play.breaks();
        assert_eq!(breach.earlier.is, "n1.1/2, the last commit to /a, left \"y\" at v2");
    }

    #[test]
    fn an_answer_that_no_owner_gave_is_a_breach() {
        let mut play = asked();
        play.replies(request(1, 2), done(&[found(1, Some("x"))]));
        assert_eq!(play.breaks().earlier.is, "no owner has answered c1.1#2");
        let mut other = asked();
        let given = ended_done(request(1, 2), &[found(1, Some("x"))]);
        other.sends(n(2), c(1), given.clone());
        other.receives(n(2), c(1), given).and().replies(request(1, 2), done(&[found(0, None)]));
        assert_eq!(other.breaks().earlier.is, "n2 answers c1.1#2 otherwise in the same step");
    }

    #[test]
    fn another_answer_than_that_of_the_commit_is_a_breach() {
        let mut play = asked();
        play.replies(request(1, 1), done(&[changed(1)])).holds();
        let mut play = asked();
        let breach = play.replies(request(1, 1), done(&[changed(2)])).breaks();
        assert_eq!(breach.earlier.is, "c1.1#1 commits and gives: changed to v1");
        let mut both = asked();
        both.asks(request(1, 3), &[read("/a"), read("/b")]);
        both.replies(request(1, 3), done(&[found(1, Some("x")), found(0, None)])).holds();
    }
}

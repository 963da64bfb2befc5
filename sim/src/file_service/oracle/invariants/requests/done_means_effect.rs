//! A request that was answered "done" has taken effect, durably, with exactly that answer.

use crate::file_service::oracle::{Breach, Evidence, Invariant, Model, Moment, Seen, SeenKinds};
use crate::file_service::trace;
use seedbed::machine::RequestId;
use seedbed::proto::{Answer, FileService, Reply, Request};

/// `done` comes after the decision of the request's transaction is durable, and says what that
/// decision says.
///
/// The decision record is the commit point; a user who heard "done" earlier could see it undone by
/// a crash. The answer is part of the record, so a retry that meets the committed transaction gives
/// the same one and not what the files hold by then. A single read is answered without a
/// transaction and is judged elsewhere. If what a request did is given up with an accepted loss, it
/// may be done again, and either answer was true. Gray and Reuter, "Transaction Processing", 1993.
#[derive(Clone, Debug)]
pub struct DoneMeansEffect;

impl Invariant<FileService> for DoneMeansEffect {
    fn interest(&self) -> SeenKinds {
        SeenKinds::REPLIED
    }

    fn see(&mut self, seen: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        match *seen {
            Seen::Replied { request, reply: Reply::Done(answer) }
                if is_a_transaction(request, model) =>
            {
                Self::judge(request, answer, model)
            }
            _ => Ok(()),
        }
    }
}

impl DoneMeansEffect {
    fn judge(request: RequestId, answer: &Answer, model: &Model) -> Result<(), Breach> {
        let earlier = match model.effects.of(request) {
            None => {
                let is = format!("no log durably holds a decision to commit {request}");
                Evidence::at(model.step, is).absent()
            }
            Some(_) if model.effects.was_answered(request, |other| other == answer) => {
                return Ok(());
            }
            Some(effect) if effect.is.1 != *answer => {
                let (txn, decided) = &effect.is;
                let answer = trace::answer(decided);
                let is =
                    format!("transaction {txn} committed for {request} with the answer {answer}");
                Evidence::at(effect.step, is).about(*txn)
            }
            Some(_) => return Ok(()),
        };
        let now = format!("{request} is answered: done, {}", trace::answer(answer));
        Err(Breach::of(earlier.about(request), Evidence::at(model.step, now).about(request)))
    }
}

/// Is anything but a single read wanted?
fn is_a_transaction(request: RequestId, model: &Model) -> bool {
    match model.requests.get(&request).map(|asked| &asked.wanted) {
        Some(Request::Files { operations, .. }) => match &operations[..] {
            [operation] => !operation.action.is_read(),
            _ => true,
        },
        Some(Request::Acquire { .. } | Request::Release { .. }) | None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::*;
    use seedbed::proto::{Outcome, Version};

    fn answer(version: u64) -> Reply {
        Reply::Done([Outcome::Changed(Version(version))].into())
    }

    fn one_writes() -> Play {
        let mut play = Play::new(DoneMeansEffect);
        play.at(1).requests(request(1, 1), writes("/a", "1"));
        play
    }

    #[test]
    fn done_before_the_decision_is_durable() {
        let mut play = one_writes();
        play.at(2).replies(request(1, 1), answer(1));
        play.at(3).logs(n(1), decided_answer(request(1, 1), txn(1), &[changed(1)]));
        play.is_broken_by("done_means_effect", (2, "no log durably holds"), (2, "answered: done"));
    }

    #[test]
    fn done_after_the_decision_is_durable() {
        let mut play = one_writes();
        play.at(2).logs(n(1), decided_answer(request(1, 1), txn(1), &[changed(1)]));
        play.at(3).replies(request(1, 1), answer(1));
        play.holds();
    }

    #[test]
    fn done_with_another_answer() {
        let mut play = one_writes();
        play.at(2).logs(n(1), decided_answer(request(1, 1), txn(1), &[changed(1)]));
        play.at(3).replies(request(1, 1), answer(2));
        play.is_broken_by("done_means_effect", (2, "n1.1/1 committed"), (3, "done, v2 now"));
    }

    #[test]
    fn a_single_read_needs_no_transaction() {
        let mut play = Play::new(DoneMeansEffect);
        play.at(1).requests(request(1, 1), reads(&["/a"]));
        play.at(2).replies(request(1, 1), done_reading(&[Some("1")]));
        play.holds();
    }

    #[test]
    fn two_reads_need_one() {
        let mut play = Play::new(DoneMeansEffect);
        play.at(1).requests(request(1, 1), reads(&["/a", "/b"]));
        play.at(2).replies(request(1, 1), done_reading(&[Some("1"), None]));
        play.is_broken_by("done_means_effect", (2, "no log durably holds"), (2, "done"));
    }

    #[test]
    fn done_with_the_answer_of_what_was_given_up_before_it_was_done_again() {
        let given_up_and_done_again = || {
            let mut play = Play::managed(DoneMeansEffect);
            play.is_complete(n(1), 1).requests(request(1, 1), writes("/a", "1"));
            play.forces(n(1), decided_for(request(1, 1), txn(1), &[], "/a", 5, "1"));
            play.loses_its_disk(n(1)).accepts_the_loss_of(&[n(1)]);
            play.forces(n(3), decided_for(request(1, 1), txn_of(n(3), 1), &[], "/a", 1, "1"));
            play
        };
        for version in [1, 5] {
            given_up_and_done_again().replies(request(1, 1), answer(version)).holds();
        }
        given_up_and_done_again().replies(request(1, 1), answer(2)).breaks();
    }
}

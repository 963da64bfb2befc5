//! A request that was answered "done" has taken effect, durably, with exactly that answer.

use crate::oracle::evidence::{breach, fact};
use crate::oracle::{Breach, Invariant, Model, Seen, SeenKinds};
use crate::world::World;
use seedbed::proto::{Answer, Reply, Request, RequestId};

/// `done` comes after the decision of the request's transaction is durable, and says what that
/// decision says.
///
/// The decision record is the commit point; a user who heard "done" earlier could see it undone by
/// a crash. The answer is part of the record, so a retry that meets the committed transaction gives
/// the same one and not what the files hold by then. A single read is answered without a
/// transaction and is judged elsewhere. Gray and Reuter, "Transaction Processing", 1993.
#[derive(Clone, Debug, Default)]
pub struct DoneMeansEffect {}

impl Invariant for DoneMeansEffect {
    fn name(&self) -> &'static str {
        "done_means_effect"
    }

    fn interest(&self) -> SeenKinds {
        SeenKinds::REPLIED
    }

    fn see(&mut self, seen: &Seen<'_>, model: &Model, _world: &World) -> Result<(), Breach> {
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
        let step = model.step;
        let now = fact(step, format!("{request} is answered: done, {answer:?}"));
        match model.effects.of(request) {
            None => {
                let is = format!("no log durably holds a decision to commit {request}");
                breach(fact(step, is), now)
            }
            Some(effect) if effect.is.1 != *answer => {
                let (txn, decided) = &effect.is;
                let is =
                    format!("transaction {txn} committed for {request} with answer {decided:?}");
                breach(fact(effect.step, is), now)
            }
            Some(_) => Ok(()),
        }
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
    use crate::oracle::tests::txn_tests_support::*;
    use seedbed::proto::{Outcome, Version};

    fn answer(version: u64) -> Reply {
        Reply::Done([Outcome::Changed(Version(version))].into())
    }

    fn one_writes() -> Play<DoneMeansEffect> {
        let mut play = Play::new(DoneMeansEffect::default());
        play.at(1).requests(request(1, 1), writes("/a", "1"));
        play
    }

    #[test]
    fn done_before_the_decision_is_durable() {
        let mut play = one_writes();
        play.at(2).replies(request(1, 1), answer(1));
        play.at(3).durable(node(1), decided(txn(1, 1), request(1, 1), 1));
        play.breaks("done_means_effect", (2, "no log durably holds"), (2, "answered: done"));
    }

    #[test]
    fn done_after_the_decision_is_durable() {
        let mut play = one_writes();
        play.at(2).durable(node(1), decided(txn(1, 1), request(1, 1), 1));
        play.at(3).replies(request(1, 1), answer(1));
        play.holds();
    }

    #[test]
    fn done_with_another_answer() {
        let mut play = one_writes();
        play.at(2).durable(node(1), decided(txn(1, 1), request(1, 1), 1));
        play.at(3).replies(request(1, 1), answer(2));
        play.breaks("done_means_effect", (2, "n1.1/1 committed"), (3, "Version(2)"));
    }

    #[test]
    fn a_single_read_needs_no_transaction() {
        let mut play = Play::new(DoneMeansEffect::default());
        play.at(1).requests(request(1, 1), reads(&["/a"]));
        play.at(2).replies(request(1, 1), found(&[Some("1")]));
        play.holds();
    }

    #[test]
    fn two_reads_need_one() {
        let mut play = Play::new(DoneMeansEffect::default());
        play.at(1).requests(request(1, 1), reads(&["/a", "/b"]));
        play.at(2).replies(request(1, 1), found(&[Some("1"), None]));
        play.breaks("done_means_effect", (2, "no log durably holds"), (2, "done"));
    }
}

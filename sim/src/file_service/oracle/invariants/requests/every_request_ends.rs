//! Every request of a client that lives on is answered.

use crate::file_service::oracle::model::is_alive;
use crate::file_service::oracle::{Breach, Evidence, Invariant, Moment, Seen, SeenKinds};
use seedbed::proto::FileService;

/// When a run is over, no client that has not crashed owes its user an answer.
///
/// `unknown` is an answer: this is a promise about the client, which gives up after its time, and
/// not about the cluster. Liveness cannot be seen to fail in a finite run but for a bound like this
/// one: Alpern and Schneider, "Defining Liveness", Information Processing Letters 21(4), 1985.
#[derive(Clone, Debug, Default)]
pub struct EveryRequestEnds;

impl Invariant<FileService> for EveryRequestEnds {
    fn interest(&self) -> SeenKinds {
        SeenKinds::NONE
    }

    fn see(&mut self, _seen: &Seen<'_>, _moment: &Moment<'_>) -> Result<(), Breach> {
        Ok(())
    }

    fn at_end(&mut self, Moment { model, world, .. }: &Moment<'_>) -> Result<(), Breach> {
        let open = model.requests.iter().find(|(request, asked)| {
            asked.reply.is_none() && is_alive(request.client, **request, world)
        });
        match open {
            None => Ok(()),
            Some((request, asked)) => {
                let earlier = format!("{request} was asked at {}", asked.asked.is);
                let now =
                    format!("the run is over at {}, and {request} is not answered", model.now);
                Err(Breach::of(
                    Evidence::at(asked.asked.step, earlier).about(*request),
                    Evidence::at(model.step, now).about(*request),
                ))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::*;
    use seedbed::proto::Reply;

    #[test]
    fn a_request_is_not_answered() {
        let mut play = Play::new(EveryRequestEnds);
        play.at(1).really_starts(c(1)).and().requests(request(1, 1), writes("/a", "1"));
        play.at(2).ends();
        play.is_broken_by("every_request_ends", (1, "c1.1#1 was asked"), (2, "not answered"));
    }

    #[test]
    fn a_request_is_answered() {
        let mut play = Play::new(EveryRequestEnds);
        play.at(1).really_starts(c(1)).and().requests(request(1, 1), writes("/a", "1"));
        play.at(2).replies(request(1, 1), Reply::Unknown).ends();
        play.holds();
    }

    #[test]
    fn the_client_crashed() {
        let mut play = Play::new(EveryRequestEnds);
        play.at(1).requests(request(1, 1), writes("/a", "1"));
        play.at(2).ends();
        play.holds();
    }
}

//! Every probe is answered as it must be, in its time.

use seedbed::machine::RequestId;
use seedbed::proto::FileService;

use crate::file_service::oracle::{Breach, Evidence, Invariant, Model, Moment, Seen, SeenKinds};
use crate::file_service::oracle::{Probe, answer_in_words, is_alive};

/// After the run is healed and quiet, what clients ask gets done before they give up, and a read
/// finds what was written before it.
///
/// A finite run cannot show that something never gets done. A cluster that is healed, idle and has
/// a network that loses nothing has no reason left to take longer than `request_timeout`, so a
/// probe that takes longer has met a state that the run has left behind: a path that stays pinned,
/// a lock that stays held, an owner that refuses for good. Alpern and Schneider, "Defining
/// Liveness", Information Processing Letters 21(4), 1985, for the bound; Jepsen's final reads for
/// the probe.
#[derive(Clone, Debug)]
pub struct ProbesAreAnswered;

impl Invariant<FileService> for ProbesAreAnswered {
    fn interest(&self) -> SeenKinds {
        SeenKinds::REPLIED
    }

    fn see(&mut self, seen: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        let Seen::Replied { request, reply } = *seen else { return Ok(()) };
        let Some(probe) = model.probes.get(request) else { return Ok(()) };
        match probe.answer.is_given_by(reply) && model.now <= probe.by {
            true => Ok(()),
            false => {
                let now = {
                    let answer = answer_in_words(reply);
                    format!("{request} is answered at {}: {answer}", model.now)
                };
                Err(breach(request, probe, now, model))
            }
        }
    }

    fn at_end(&mut self, Moment { model, world, .. }: &Moment<'_>) -> Result<(), Breach> {
        let is_open = |request: RequestId| {
            let asked = model.requests.get(&request);
            asked.is_some_and(|asked| asked.reply.is_none())
                && is_alive(request.client, request, world)
        };
        match model.probes.iter().find(|(request, _)| is_open(**request)) {
            None => Ok(()),
            Some((&request, probe)) => {
                let now =
                    format!("the run is over at {}, and {request} is not answered", model.now);
                Err(breach(request, probe, now, model))
            }
        }
    }
}

fn breach(request: RequestId, probe: &Probe, now: String, model: &Model) -> Breach {
    let asked = model.requests.get(&request);
    let step = asked.map_or(model.step, |asked| asked.asked.step);
    let Probe { answer, by } = probe;
    let earlier = format!("{request} is a probe and must be answered by {by}: {answer}");
    Breach::of(
        Evidence::at(step, earlier).about(request),
        Evidence::at(model.step, now).about(request),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::*;
    use crate::file_service::oracle::{ProbeAnswer, Told};
    use seedbed::machine::Time;
    use seedbed::proto::Reply;

    /// A write is probed, and must be done within a second.
    fn probed() -> Play {
        let mut play = Play::new(ProbesAreAnswered);
        let by = Time::from_nanos(1_000_000_000);
        play.is_told(Told::Probe(Probe { answer: ProbeAnswer::Done, by }));
        play.at(1).really_starts(c(1)).and().requests(request(1, 1), writes("/a", "1"));
        play
    }

    #[test]
    fn a_probe_that_is_done_in_time_is_answered() {
        let mut play = probed();
        play.at(999).replies(request(1, 1), done_writing()).ends();
        play.holds();
    }

    #[test]
    fn a_probe_that_is_unknown_is_not() {
        let mut play = probed();
        play.at(2).replies(request(1, 1), Reply::Unknown);
        play.is_broken_by("probes_are_answered", (1, "must be answered"), (2, "unknown"));
    }

    #[test]
    fn a_probe_that_is_done_too_late_is_not() {
        let mut play = probed();
        play.at(1_001).replies(request(1, 1), done_writing());
        play.is_broken_by("probes_are_answered", (1, "by 1.0"), (2, "answered at 1.001"));
    }

    #[test]
    fn a_probe_that_stays_open_is_not() {
        let mut play = probed();
        play.at(900).ends();
        play.is_broken_by("probes_are_answered", (1, "c1.1#1"), (2, "not answered"));
    }

    #[test]
    fn a_request_that_is_no_probe_may_be_answered_anything() {
        let mut play = probed();
        play.at(2).requests(request(2, 1), writes("/a", "1"));
        play.at(3).replies(request(2, 1), Reply::Unknown);
        play.holds();
    }
}

//! What is asked after everything is healed gets done.

use seedbed::proto::{NodeId, Reply, Role};

use super::unknown_has_a_cause::is_behind_another;
use crate::oracle::{Breach, Evidence, Invariant, Model, Seen, SeenKinds};
use crate::world::World;

/// A request that is asked after all faults are over, by as long as a request may take, ends done
/// or refused, so that within twice `request_timeout` nothing is left that is not known.
///
/// What the faults have left behind (doubt, leases, views, hand-overs) is cleaned up by then. Two
/// causes are left: a network that is lossy or slow even where nothing is wrong with it, and the
/// lock of another client.
#[derive(Clone, Debug)]
pub struct RequestsGetDoneOnceHealed;

impl Invariant for RequestsGetDoneOnceHealed {
    fn interest(&self) -> SeenKinds {
        SeenKinds::REPLIED
    }

    fn see(&mut self, seen: &Seen<'_>, model: &Model, world: &World) -> Result<(), Breach> {
        let Seen::Replied { request, reply: Reply::Unknown } = *seen else { return Ok(()) };
        let Some(healed) = model.disturbances.healed else { return Ok(()) };
        let Some(asked) = model.requests.get(&request) else { return Ok(()) };
        let since = asked.asked.is;
        let is_one = |node: NodeId| node.role() != Role::Client || node == request.client;
        let is_early = since < healed + world.config().request_timeout;
        if is_early
            || is_behind_another(request, asked, model)
            || model.disturbances.touched(is_one, since)
        {
            return Ok(());
        }
        let earlier =
            format!("all is healed since {healed}, and {request} was asked at {since} only");
        let now = format!("{request} is answered at {}: unknown", model.now);
        Err(Breach::of(
            Evidence::at(asked.asked.step, earlier).about(request),
            Evidence::at(model.step, now).about(request),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::Told;
    use crate::oracle::tests::*;
    use seedbed::proto::Time;

    /// All is healed at 1 s, and a request that is asked after so many seconds ends unknown.
    fn unknown(asked: u64) -> Play {
        let mut play = Play::new(RequestsGetDoneOnceHealed);
        play.at(1_000).wakes(n(1)).is_told(Told::Healed(Time::from_nanos(1_000_000_000)));
        play.at(asked * 1_000).requests(request(1, 1), writes("/a", "1"));
        play
    }

    #[test]
    fn one_that_is_asked_later_is_done() {
        let mut play = unknown(32);
        play.at(62_000).replies(request(1, 1), Reply::Unknown);
        play.is_broken_by(
            "requests_get_done_once_healed",
            (2, "all is healed since 1.0"),
            (3, "unknown"),
        );
    }

    #[test]
    fn one_that_is_asked_early_or_whose_message_is_lost_need_not_be() {
        let mut play = unknown(30);
        play.at(60_000).replies(request(1, 1), Reply::Unknown);
        play.holds();
        let mut play = unknown(32);
        play.at(33_000).loses(c(1), n(1), release("/a", request(1, 1), 1));
        play.at(62_000).replies(request(1, 1), Reply::Unknown);
        play.holds();
    }
}

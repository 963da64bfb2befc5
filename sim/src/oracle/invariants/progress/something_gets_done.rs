//! Some request of the run is answered with what became of it.

use seedbed::proto::{NodeId, Reply, RequestId, Role};

use crate::oracle::{At, Breach, Evidence, Invariant, Model, Seen, SeenKinds};
use crate::world::World;

/// Of a run's answerable requests some is done or refused.
///
/// A run that loses every message breaks nothing else, and shows nothing: a system in which nothing
/// happens is safe. A request is answerable if, from when it is asked to when it is answered, the
/// client, the storage nodes and the centre are up, run at their pace, and are not cut off from each
/// other. Probes do not count, because the network is calm for them. Lamport, "Proving the
/// Correctness of Multiprocess Programs", IEEE TSE 3(2), 1977.
#[derive(Clone, Debug, Default)]
pub struct SomethingGetsDone {
    /// Is some request done or refused?
    is_any: bool,
    /// How many answerable requests ended unknown.
    unknown: u64,
    /// The first of them.
    first: Option<At<RequestId>>,
}

impl Invariant for SomethingGetsDone {
    fn interest(&self) -> SeenKinds {
        SeenKinds::REPLIED
    }

    fn see(&mut self, seen: &Seen<'_>, model: &Model, _world: &World) -> Result<(), Breach> {
        let Seen::Replied { request, reply } = *seen else { return Ok(()) };
        if self.is_any || model.probes.get(request).is_some() {
            return Ok(());
        }
        self.is_any = *reply != Reply::Unknown;
        if !self.is_any && is_answerable(request, model) {
            self.unknown += 1;
            self.first.get_or_insert(At { step: model.step, is: request });
        }
        Ok(())
    }

    fn at_end(&mut self, model: &Model, _world: &World) -> Result<(), Breach> {
        match &self.first {
            Some(At { step, is: request }) if !self.is_any => {
                let is = format!("{request} ends unknown, and every machine was up and connected");
                let now =
                    format!("so ended {} requests, and none is done or refused", self.unknown);
                Err(Breach::of(
                    Evidence::at(*step, is).about(*request),
                    Evidence::at(model.step, now).about(*request),
                ))
            }
            Some(_) | None => Ok(()),
        }
    }
}

fn is_answerable(request: RequestId, model: &Model) -> bool {
    let is_one = |node: NodeId| node.role() != Role::Client || node == request.client;
    let asked = model.requests.get(&request);
    asked.is_some_and(|asked| !model.disturbances.parted(is_one, asked.asked.is))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::tests::*;

    fn one_asks() -> Play {
        let mut play = Play::new(SomethingGetsDone::default());
        play.at(1).requests(request(1, 1), writes("/a", "1"));
        play
    }

    #[test]
    fn nothing_is_done_because_every_message_is_lost() {
        let mut play = one_asks();
        play.at(2).loses(c(1), n(1), release("/a", request(1, 1), 1));
        play.at(3).replies(request(1, 1), Reply::Unknown);
        let breach = play.at(4).ends().breaks();
        assert_eq!(breach.now.is, "so ended 1 requests, and none is done or refused");
    }

    #[test]
    fn one_of_two_is_done() {
        let mut play = one_asks();
        play.at(2).replies(request(1, 1), Reply::Unknown);
        play.at(3).requests(request(1, 2), writes("/a", "1"));
        play.at(4).replies(request(1, 2), done_writing());
        play.at(5).ends().holds();
    }

    #[test]
    fn nothing_could_be_done_because_a_machine_was_down() {
        let mut play = one_asks();
        play.at(2).crashes(n(2));
        play.at(3).replies(request(1, 1), Reply::Unknown);
        play.at(4).ends().holds();
    }
}

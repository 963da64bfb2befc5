//! A retry goes to another owner than the attempt before.

use std::collections::BTreeSet;

use seedbed::machine::{NodeId, RequestId};
use seedbed::proto::{Epoch, FileRequest, FileService, Message, MessageKind, Notice, Path};

use crate::file_service::World;
use crate::file_service::oracle::per_request::PerRequest;
use crate::file_service::oracle::{
    At, Breach, Evidence, Invariant, Model, Moment, Seen, SeenKinds,
};

/// Two consecutive attempts at a request go to different nodes, if its path has several owners and
/// the client learns of no view in between.
///
/// So an owner that is down or cut off costs one attempt, and not the request. Not counted are the
/// first attempt, whose node the user may name; an attempt that is sent again because its node has
/// restarted, which is the same attempt; and an attempt before the client has learnt the first
/// view, because the order of owners that it presumed may be another. Failover: Dean and Barroso,
/// "The Tail at Scale", CACM 56(2), 2013.
#[derive(Clone, Debug, Default)]
pub struct ARetryAsksAnotherOwner {
    last: PerRequest<At<Attempt>>,
    /// Clients that know a view. The others presume one from their configuration, whatever the
    /// operator has wanted since.
    told: BTreeSet<NodeId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Attempt {
    number: u32,
    epoch: Epoch,
    to: NodeId,
}

impl Invariant<FileService> for ARetryAsksAnotherOwner {
    fn interest(&self) -> SeenKinds {
        SeenKinds::sent(&[MessageKind::Begin, MessageKind::Read])
            | SeenKinds::REPLIED
            | SeenKinds::NOTICED
            | SeenKinds::CRASHED
    }

    fn see(
        &mut self,
        seen: &Seen<'_>,
        Moment { model, world, .. }: &Moment<'_>,
    ) -> Result<(), Breach> {
        match *seen {
            Seen::Sent { to, message, .. } => return self.on_sent(to, message, model, world),
            Seen::Replied { request, .. } => _ = self.last.remove(request),
            Seen::Noticed { client, notice: Notice::View(_) } => {
                self.last.forget(client);
                self.told.insert(client);
            }
            Seen::Crashed { node } => {
                self.last.forget(node);
                self.told.remove(&node);
            }
            _ => {} // not asked for
        }
        Ok(())
    }
}

impl ARetryAsksAnotherOwner {
    fn on_sent(
        &mut self,
        to: NodeId,
        message: &Message,
        model: &Model,
        world: &World,
    ) -> Result<(), Breach> {
        let Some((request, number, epoch, path)) = attempt(message) else { return Ok(()) };
        let request = model.origin(request);
        let now = Attempt { number, epoch, to };
        let last = self.last.insert(request, At { step: model.step, is: now });
        let Some(At { step, is: last }) = last else { return Ok(()) };
        let is_next = last.number > 1 && number == last.number + 1 && epoch == last.epoch;
        if !is_next || to != last.to {
            return Ok(());
        }
        let has_several_owners = match self.told.contains(&request.client) {
            true => has_several_owners(path, epoch, model, world),
            false => {
                let presumed = world.config().first_layout().view();
                presumed.members.len().min(presumed.replicas.into()) > 1
            }
        };
        if !has_several_owners {
            return Ok(());
        }
        let earlier = format!("attempt {} at {request} is sent to {to}", last.number);
        let now = format!("attempt {number} at {request} is sent to {to} as well");
        Err(Breach::of(
            Evidence::at(step, earlier).about(request).about(path),
            Evidence::at(model.step, now).about(request).about(path),
        ))
    }
}

/// Which attempt a client's message is, in which epoch, and the path whose owners it may be sent
/// to.
fn attempt(message: &Message) -> Option<(RequestId, u32, Epoch, &Path)> {
    match message {
        Message::FileRequest(FileRequest::Begin {
            request, attempt, epoch, operations, ..
        }) => Some((*request, *attempt, *epoch, &operations.first()?.path)),
        Message::FileRequest(FileRequest::Read { request, attempt, epoch, path }) => {
            Some((*request, *attempt, *epoch, path))
        }
        _ => None, // it is no attempt
    }
}

fn has_several_owners(path: &Path, epoch: Epoch, model: &Model, world: &World) -> bool {
    let placement = model.views.placement(world.config(), epoch);
    placement.is_some_and(|placement| placement.owners(world.config(), path).len() > 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::*;
    use seedbed::proto::Settings;

    fn read(attempt: u32) -> Message {
        Message::FileRequest(FileRequest::Read {
            epoch: Epoch(1),
            request: request(1, 1),
            attempt,
            path: path("/a"),
        })
    }

    fn sent_to(nodes: &[NodeId]) -> Play {
        let mut play = Play::new(ARetryAsksAnotherOwner::default());
        play.at(1).requests(request(1, 1), reads(&["/a"]));
        for (number, node) in (1..).zip(nodes) {
            play.sends(c(1), *node, read(number));
        }
        play
    }

    #[test]
    fn a_retry_that_asks_the_same_owner_is_a_breach() {
        let mut play = sent_to(&[n(1), n(2), n(2)]);
        let breach = play.breaks();
        assert_eq!(breach.earlier.is, "attempt 2 at c1.1#1 is sent to n2");
        assert_eq!(breach.now.is, "attempt 3 at c1.1#1 is sent to n2 as well");
    }

    #[test]
    fn a_view_in_between_may_have_another_order() {
        let mut play = sent_to(&[n(1), n(2)]);
        let view = view(1, &[n(2), n(1)]);
        play.sees(&Seen::Noticed { client: c(1), notice: &Notice::View(view) });
        play.sends(c(1), n(2), read(3));
        play.holds();
    }

    #[test]
    fn a_client_that_knows_no_view_presumes_the_replicas_of_its_configuration() {
        let settings = Settings { replicas: 1, ..Settings::default() };
        let mut play = Play::of(settings, ARetryAsksAnotherOwner::default());
        play.at(1).requests(request(1, 1), reads(&["/a"]));
        play.views(1, &[n(1), n(2)]);
        for (number, node) in (1..).zip([n(1), n(1), n(1)]) {
            play.sends(c(1), node, read(number));
        }
        play.holds();
    }

    #[test]
    fn retries_that_go_round_are_none() {
        sent_to(&[n(1), n(2), n(1), n(2)]).holds();
        sent_to(&[n(2), n(2), n(1)]).holds();
    }
}

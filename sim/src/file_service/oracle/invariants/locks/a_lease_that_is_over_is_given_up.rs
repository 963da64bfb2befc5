//! A client gives up a lock when its lease is over.

use std::collections::BTreeMap;

use crate::file_service::World;
use crate::file_service::oracle::{Breach, Evidence, Invariant, Model, Moment, Seen, SeenKinds};
use seedbed::machine::{NodeId, Time};
use seedbed::proto::{FileService, MessageKind, Notice, Path, Token};

/// When a client's own clock has reached the end of its lease, the client tells its user that the
/// lock is lost, at the latest in the last step of the moment in which it next takes one.
///
/// The user works under the lock until it is told otherwise. Whether the lease ends early enough is
/// for `holders_stop_believing_first` to say. Gray and Cheriton, "Leases", SOSP 1989, section 2.
#[derive(Clone, Debug, Default)]
pub struct ALeaseThatIsOverIsGivenUp {
    beliefs: BTreeMap<(NodeId, Path), Belief>,
}

#[derive(Clone, Copy, Debug)]
struct Belief {
    token: Token,
    step: u64,
    /// By the client's clock.
    until: Time,
    /// True time at the client's first step after that.
    overdue: Option<Time>,
}

impl Invariant<FileService> for ALeaseThatIsOverIsGivenUp {
    fn interest(&self) -> SeenKinds {
        let hears = [
            MessageKind::Ended,
            MessageKind::Granted,
            MessageKind::KeptAlive,
            MessageKind::Views,
            MessageKind::NotKept,
            MessageKind::Released,
        ];
        SeenKinds::received(&hears) | SeenKinds::WOKEN | SeenKinds::NOTICED | SeenKinds::CRASHED
    }

    fn see(
        &mut self,
        seen: &Seen<'_>,
        Moment { model, world, .. }: &Moment<'_>,
    ) -> Result<(), Breach> {
        match *seen {
            Seen::Received { to: client, .. } | Seen::Woken { node: client } => {
                return self.judge(client, model, world);
            }
            Seen::Noticed { client, notice: Notice::Holding { path, token, until, .. } } => {
                let (step, overdue) = (model.step, None);
                let belief = Belief { token: *token, step, until: *until, overdue };
                self.beliefs.insert((client, path.clone()), belief);
            }
            Seen::Noticed { client, notice: Notice::Lost { path, .. } } => {
                self.beliefs.remove(&(client, path.clone()));
            }
            Seen::Crashed { node } => self.beliefs.retain(|(client, _), _| *client != node),
            _ => {} // not asked for
        }
        Ok(())
    }
}

impl ALeaseThatIsOverIsGivenUp {
    fn judge(&mut self, client: NodeId, model: &Model, world: &World) -> Result<(), Breach> {
        let own = self.beliefs.iter_mut().filter(|((of, _), _)| *of == client);
        for ((_, path), belief) in own {
            let reading = world.host(client).clock().reading(model.now);
            if reading < belief.until {
                belief.overdue = None;
            } else if *belief.overdue.get_or_insert(model.now) < model.now {
                return Err(believes_still(client, path, belief, reading, model));
            }
        }
        Ok(())
    }
}

fn believes_still(
    client: NodeId,
    path: &Path,
    belief: &Belief,
    reading: Time,
    model: &Model,
) -> Breach {
    let Belief { token, step, until, .. } = *belief;
    let earlier = format!("{client} holds the lock of {path} until its clock shows {until}");
    let now = format!("{client}'s clock shows {reading}, and it holds {path} under {token} still");
    Breach::of(Evidence::at(step, earlier).about(path), Evidence::at(model.step, now).about(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::*;

    const NAME: &str = "a_lease_that_is_over_is_given_up";

    /// c1 holds the lock until its clock shows nine seconds, and takes a step then.
    fn play() -> Play {
        let mut play = Play::new(ALeaseThatIsOverIsGivenUp::default());
        play.at(1).believes("/a", request(1, 1), 1, 9_000);
        play.at(9_000).wakes(c(1));
        play
    }

    #[test]
    fn a_client_goes_on_holding_a_lock_when_its_lease_is_over() {
        let mut play = play();
        play.at(9_001).wakes(c(1));
        play.is_broken_by(NAME, (1, "until its clock shows 9"), (3, "c1's clock shows 9.001"));
    }

    #[test]
    fn a_client_gives_it_up_in_that_moment_or_has_got_a_longer_one() {
        let mut play = self::play();
        play.at(9_000).gives_up("/a", request(1, 1), 1);
        play.at(9_001).wakes(c(1));
        play.holds();
        let mut play = self::play();
        play.at(9_000).believes("/a", request(1, 1), 1, 12_000);
        play.at(9_001).wakes(c(1));
        play.holds();
    }
}

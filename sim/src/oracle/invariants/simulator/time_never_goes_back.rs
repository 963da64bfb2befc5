//! Time goes forward: the true one, and that of every machine.

use crate::file_service::World;
use crate::oracle::per_node::PerNode;
use crate::oracle::{At, Breach, Evidence, Invariant, Model, Seen, SeenKinds};
use seedbed::machine::{NodeId, Time};

/// True time never goes back, nor does any machine's clock within one life of the machine.
///
/// This is about the simulator: the protocols are promised a monotonic clock, and every lease
/// builds on it. A machine may drift and its clock may jump, but only forward.
#[derive(Clone, Debug, Default)]
pub struct TimeNeverGoesBack {
    newest: Option<At<Time>>,
    readings: PerNode<Option<At<Time>>>,
}

impl Invariant for TimeNeverGoesBack {
    fn interest(&self) -> SeenKinds {
        SeenKinds::RECEIVED | SeenKinds::WOKEN | SeenKinds::STARTED
    }

    fn see(&mut self, seen: &Seen<'_>, model: &Model, world: &World) -> Result<(), Breach> {
        let newest = At { step: model.step, is: model.now };
        if let Some(earlier) = self.newest.replace(newest)
            && model.now < earlier.is
        {
            return Err(Breach::of(
                Evidence::at(earlier.step, format!("it was {}", earlier.is)),
                Evidence::at(model.step, format!("it is {}", model.now)),
            ));
        }
        match *seen {
            Seen::Received { to: node, .. } | Seen::Woken { node } => {
                let reading = world.host(node).clock().reading(model.now);
                self.read(node, reading, model.step)
            }
            Seen::Started { node, .. } => {
                *self.readings.slot(node) = None;
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

impl TimeNeverGoesBack {
    fn read(&mut self, node: NodeId, reading: Time, step: u64) -> Result<(), Breach> {
        match self.readings.slot(node).replace(At { step, is: reading }) {
            Some(earlier) if reading < earlier.is => {
                let showed = format!("the clock of {node} showed {}", earlier.is);
                Err(Breach::of(
                    Evidence::at(earlier.step, showed).about(node),
                    Evidence::at(step, format!("it shows {reading}")).about(node),
                ))
            }
            Some(_) | None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::tests::*;
    use crate::world::Clock;
    use seedbed::machine::Span;

    const NAME: &str = "time_never_goes_back";

    #[test]
    fn true_time_goes_back() {
        let mut play = Play::new(TimeNeverGoesBack::default());
        play.at(2).wakes(CONTROL);
        play.at(1).wakes(c(1));
        play.is_broken_by(NAME, (1, "it was 0.002000s"), (2, "it is 0.001000s"));
    }

    #[test]
    fn a_clock_goes_back() {
        let mut play = Play::new(TimeNeverGoesBack::default());
        play.has_clock(c(1), Clock::new(Span::from_secs(1), 0));
        play.at(1).wakes(c(1));
        play.has_clock(c(1), Clock::new(Span::ZERO, 0));
        play.at(2).wakes(CONTROL);
        play.at(3).wakes(c(1));
        play.is_broken_by(NAME, (1, "clock of c1 showed 1.001000s"), (3, "it shows 0.003000s"));
    }

    #[test]
    fn a_clock_is_behind_another_and_starts_anew_with_its_machine() {
        let mut play = Play::new(TimeNeverGoesBack::default());
        play.has_clock(c(1), Clock::new(Span::from_secs(1), 0));
        play.at(1).wakes(c(1));
        play.at(1).wakes(CONTROL);
        play.has_clock(c(1), Clock::new(Span::ZERO, 0));
        play.at(2).starts(c(1)).and().wakes(c(1));
        play.holds();
    }
}

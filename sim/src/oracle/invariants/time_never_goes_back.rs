//! Time goes forward: the true one, and that of every machine.

use crate::oracle::{At, Breach, Evidence, Invariant, Moment, PerNode, Seen, SeenKinds};
use crate::under_test::UnderTest;
use seedbed::machine::{NodeId, Time};

/// True time never goes back, nor does any machine's clock within one life of the machine.
///
/// This is about the simulator: the protocols are promised a monotonic clock. A clock may drift and
/// jump, but only forward.
#[derive(Clone, Debug, Default)]
pub struct TimeNeverGoesBack {
    newest: Option<At<Time>>,
    readings: PerNode<Option<At<Time>>>,
}

impl<S: UnderTest> Invariant<S> for TimeNeverGoesBack {
    fn interest(&self) -> SeenKinds {
        SeenKinds::RECEIVED | SeenKinds::WOKEN | SeenKinds::STARTED
    }

    fn see(&mut self, seen: &Seen<'_, S>, moment: &Moment<'_, S>) -> Result<(), Breach<S>> {
        let newest = At { step: moment.step, is: moment.now };
        if let Some(earlier) = self.newest.replace(newest)
            && moment.now < earlier.is
        {
            return Err(Breach::of(
                Evidence::at(earlier.step, format!("it was {}", earlier.is)),
                Evidence::at(moment.step, format!("it is {}", moment.now)),
            ));
        }
        match *seen {
            Seen::Received { to: node, .. } | Seen::Woken { node } => {
                let reading = moment.world.host(node).clock().reading(moment.now);
                self.read(node, reading, moment.step)
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
    fn read<S: UnderTest>(
        &mut self,
        node: NodeId,
        reading: Time,
        step: u64,
    ) -> Result<(), Breach<S>> {
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

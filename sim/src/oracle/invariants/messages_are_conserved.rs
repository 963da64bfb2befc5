//! No message appears from nowhere or vanishes.

use crate::oracle::{Breach, Evidence, Invariant, Moment, Seen, SeenKinds};
use crate::under_test::UnderTest;

/// Sent and copied messages are received, lost or in flight, after every step.
///
/// This is about the simulator and not about the system in it: a message that vanishes unseen is a
/// fault that no scenario has asked for, and one that arrives unsent makes every other verdict
/// worthless.
///
/// A step ends when the next one begins, so the judgement comes then; it names the step that it is
/// about.
#[derive(Clone, Debug, Default)]
pub struct MessagesAreConserved {
    sent: u64,
    copied: u64,
    received: u64,
    lost: u64,
    /// The last step that moved a message, and how many were in flight after it.
    after: Option<(u64, u64)>,
}

impl<S: UnderTest> Invariant<S> for MessagesAreConserved {
    fn interest(&self) -> SeenKinds {
        SeenKinds::SENT | SeenKinds::COPIED | SeenKinds::RECEIVED | SeenKinds::LOST
    }

    fn see(&mut self, seen: &Seen<'_, S>, moment: &Moment<'_, S>) -> Result<(), Breach<S>> {
        if self.after.is_some_and(|(step, _)| step < moment.step) {
            self.judge()?;
        }
        let count = match seen {
            Seen::Sent { .. } => &mut self.sent,
            Seen::Copied { .. } => &mut self.copied,
            Seen::Received { .. } => &mut self.received,
            Seen::Lost { .. } => &mut self.lost,
            _ => return Ok(()),
        };
        *count += 1;
        self.after = Some((moment.step, moment.world.network().in_flight() as u64));
        Ok(())
    }

    fn at_end(&mut self, moment: &Moment<'_, S>) -> Result<(), Breach<S>> {
        self.after = Some((moment.step, moment.world.network().in_flight() as u64));
        self.judge()
    }
}

impl MessagesAreConserved {
    fn judge<S: UnderTest>(&mut self) -> Result<(), Breach<S>> {
        let Some((step, in_flight)) = self.after.take() else { return Ok(()) };
        let MessagesAreConserved { sent, copied, received, lost, .. } = *self;
        match sent + copied == received + lost + in_flight {
            true => Ok(()),
            false => {
                let is =
                    format!("{received} were received, {lost} lost, {in_flight} are in flight");
                Err(Breach::of(
                    Evidence::at(step, format!("{sent} messages were sent and {copied} copied")),
                    Evidence::at(step, is),
                ))
            }
        }
    }
}

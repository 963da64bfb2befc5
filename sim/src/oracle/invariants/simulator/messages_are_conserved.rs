//! No message appears from nowhere or vanishes.

use crate::file_service::World;
use crate::oracle::{Breach, Evidence, Invariant, Model, Seen, SeenKinds};

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

impl Invariant for MessagesAreConserved {
    fn interest(&self) -> SeenKinds {
        SeenKinds::SENT | SeenKinds::COPIED | SeenKinds::RECEIVED | SeenKinds::LOST
    }

    fn see(&mut self, seen: &Seen<'_>, model: &Model, world: &World) -> Result<(), Breach> {
        if self.after.is_some_and(|(step, _)| step < model.step) {
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
        self.after = Some((model.step, world.network().in_flight() as u64));
        Ok(())
    }

    fn at_end(&mut self, model: &Model, world: &World) -> Result<(), Breach> {
        self.after = Some((model.step, world.network().in_flight() as u64));
        self.judge()
    }
}

impl MessagesAreConserved {
    fn judge(&mut self) -> Result<(), Breach> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::tests::*;
    use crate::world::PacketId;

    // The world of these plays has nothing in flight, ever.

    #[test]
    fn a_message_vanishes() {
        let mut play = Play::new(MessagesAreConserved::default());
        play.at(1).sends(c(1), CONTROL, acquire("/a", request(1, 1)));
        play.at(2).sends(c(1), CONTROL, acquire("/a", request(1, 1)));
        play.is_broken_by(
            "messages_are_conserved",
            (1, "1 messages were sent"),
            (1, "0 are in flight"),
        );
    }

    #[test]
    fn a_message_arrives_twice_without_a_copy() {
        let mut play = Play::new(MessagesAreConserved::default());
        play.at(1).sends(c(1), CONTROL, acquire("/a", request(1, 1)));
        play.and().receives(c(1), CONTROL, acquire("/a", request(1, 1)));
        play.at(2).receives(c(1), CONTROL, acquire("/a", request(1, 1)));
        play.ends();
        play.is_broken_by("messages_are_conserved", (2, "0 copied"), (2, "2 were received"));
    }

    #[test]
    fn a_message_and_its_copy_end_somewhere() {
        let mut play = Play::new(MessagesAreConserved::default());
        play.at(1).sends(c(1), CONTROL, acquire("/a", request(1, 1)));
        play.and().sees(&Seen::Copied { packet: PacketId(1) });
        play.and().receives(c(1), CONTROL, acquire("/a", request(1, 1)));
        play.and().loses(c(1), CONTROL, acquire("/a", request(1, 1)));
        play.at(2).ends();
        play.holds();
    }
}

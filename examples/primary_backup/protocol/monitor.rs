//! The monitor: hears the replicas' pings and announces views.

use std::collections::BTreeMap;

use seedbed::machine::{Boot, Input, NodeId, Outbox, Time, Timers};

use super::{HEARTBEAT, Message, Record, Register, SUSPECT_AFTER, Timer, View, other};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Monitor {
    view: View,
    /// When each replica was heard last, and the view of which it had the state.
    heard: BTreeMap<NodeId, (Time, u64)>,
    pub(super) timers: Timers<Timer>,
}

impl Monitor {
    pub fn recover(boot: &Boot<'_, Register>) -> Monitor {
        let view = match boot.log.last() {
            Some(Record::View(announced)) => *announced,
            _ => View::default(),
        };
        // No replica was heard before the start, so none is overdue yet.
        let heard = [1, 2].map(|number| (NodeId::node(number), (boot.now, 0))).into();
        let mut timers = Timers::default();
        timers.set(Timer::Heartbeat, boot.now);
        Monitor { view, heard, timers }
    }

    pub fn step(&mut self, now: Time, input: Input<'_, Register>, out: &mut Outbox<Register>) {
        match input {
            Input::Message(from, Message::Ping { state_of }) => {
                self.heard.insert(from, (now, *state_of));
                out.send(from, Message::View(self.view));
            }
            Input::Wake(_) => {
                self.timers.set(Timer::Heartbeat, now + HEARTBEAT);
                if let Some((primary, backup)) = self.better_view(now) {
                    self.view = View { number: self.view.number + 1, primary, backup };
                    out.force(Record::View(self.view));
                }
            }
            _ => {}
        }
    }

    /// Primary and backup of the next view, if the present one is not as good as it can be.
    ///
    /// A backup is promoted only if it has a state of this very view: then it has all that was
    /// answered before the view, and its primary answers nothing without it. A primary without a
    /// backup is never replaced.
    fn better_view(&self, now: Time) -> Option<(NodeId, Option<NodeId>)> {
        let is_up = |replica| now.since(self.heard[&replica].0) < SUSPECT_AFTER;
        let View { number, primary, backup } = self.view;
        match (is_up(primary), backup) {
            (false, Some(backup)) if is_up(backup) && self.heard[&backup].1 == number => {
                Some((backup, None))
            }
            (true, Some(backup)) if !is_up(backup) => Some((primary, None)),
            (true, None) if is_up(other(primary)) => Some((primary, Some(other(primary)))),
            _ => None,
        }
    }
}

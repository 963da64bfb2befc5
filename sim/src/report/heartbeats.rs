//! Which steps are background: heartbeats and their answers, many steps that tell little.

use seedbed::proto::{Message, Timer};

use crate::file_service::subject_of::Topic;
use crate::file_service::{Event, Fact, Step};

/// Is it only about which machines are there? Such steps are many and tell little.
pub(super) fn is_background(step: &Step) -> bool {
    let is_answer = |fact: &Fact| match fact {
        Fact::Sent { message, .. } => asks_who_is_there(message),
        _ => true,
    };
    only_answers_a_heartbeat(step) && step.facts.iter().all(is_answer)
}

/// Is it a heartbeat, or the time for one, that makes no machine do more than answer?
pub(super) fn only_answers_a_heartbeat(step: &Step) -> bool {
    let of_event = match &step.event {
        Event::Deliver(_) | Event::Drop(..) | Event::Duplicate(_) => {
            step.packet.as_ref().is_some_and(|packet| asks_who_is_there(&packet.message))
        }
        Event::Wake(_) => matches!(step.timer, Some(Timer::Heartbeat | Timer::Members)),
        _ => false,
    };
    let says = |fact: &Fact| matches!(fact, Fact::Sent { .. } | Fact::Copied { .. });
    of_event && step.durable.is_empty() && step.facts.iter().all(says)
}

fn asks_who_is_there(message: &Message) -> bool {
    Topic::of_message(message.kind()) == Topic::Presence
}

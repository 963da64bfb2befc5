//! Which steps are background: heartbeats and their answers, many steps that tell little.

use crate::under_test::UnderTest;
use crate::world::{Event, Fact, Step};

/// Is it only about which machines are there? Such steps are many and tell little.
pub(super) fn is_background<S: UnderTest>(step: &Step<S>) -> bool {
    let is_answer = |fact: &Fact<S>| match fact {
        Fact::Sent { message, .. } => S::is_a_heartbeat(message),
        _ => true,
    };
    only_answers_a_heartbeat(step) && step.facts.iter().all(is_answer)
}

/// Is it a heartbeat, or the time for one, that makes no machine do more than answer?
pub(super) fn only_answers_a_heartbeat<S: UnderTest>(step: &Step<S>) -> bool {
    let of_event = match &step.event {
        Event::Deliver(_) | Event::Drop(..) | Event::Duplicate(_) => {
            step.packet.as_ref().is_some_and(|packet| S::is_a_heartbeat(&packet.message))
        }
        Event::Wake(_) => step.timer.as_ref().is_some_and(S::is_time_for_a_heartbeat),
        _ => false,
    };
    let says = |fact: &Fact<S>| matches!(fact, Fact::Sent { .. } | Fact::Copied { .. });
    of_event && step.durable.is_empty() && step.facts.iter().all(says)
}

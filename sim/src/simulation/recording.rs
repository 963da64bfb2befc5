//! What a run has drawn, so that a scenario file can say it: requests, faults, how messages travel,
//! how long syncs take.

use std::sync::Arc;

use seedbed::machine::{Class, NodeId, Span, Time};

use crate::draw::message_delivery::Course;
use crate::fault::{Fault, Leaves, Torn};
use crate::milestone::Milestone;
use crate::under_test::UnderTest;
use crate::world::{Event, Loss, PacketId, Tear};

use super::queue::Turn;

/// What a run has drawn.
#[derive(Debug)]
pub struct Recording<S: UnderTest> {
    /// What users of the workload have asked, in order: when, which client, and for what. If they
    /// have asked for nothing, what would have come first.
    pub requests: Vec<(Time, NodeId, Arc<S::Request>)>,
    /// The drawn faults that have struck, in order.
    pub faults: Vec<DrawnFault<S>>,
    /// The scripted faults that have struck, in order: which of the file, from 0, and when.
    pub scripted: Vec<(usize, Time)>,
    /// The course of every message, in the order in which they left.
    pub messages: Vec<DrawnCourse<S>>,
    /// The messages that a drawn [`Fault::Drop`] has lost, by their place in `messages`.
    pub dropped: Vec<usize>,
    /// How long every sync has taken, by machine, in the order in which they began.
    pub syncs: Vec<(NodeId, Span)>,
}

impl<S: UnderTest> Default for Recording<S> {
    fn default() -> Recording<S> {
        Recording {
            requests: Vec::new(),
            faults: Vec::new(),
            scripted: Vec::new(),
            messages: Vec::new(),
            dropped: Vec::new(),
            syncs: Vec::new(),
        }
    }
}

impl<S: UnderTest> Recording<S> {
    /// Goes on with what `other` has drawn of requests and faults after `end`, but for messages
    /// that a fault drops.
    pub fn go_on_with(&mut self, other: Recording<S>, end: Time) {
        self.requests.retain(|(at, ..)| *at <= end);
        self.requests.extend(other.requests.into_iter().filter(|(at, ..)| *at > end));
        self.faults.extend(other.faults.into_iter().filter(|fault| fault.at > end));
    }

    /// A second copy of a message has this course.
    pub(super) fn on_copied(&mut self, original: PacketId, course: Course) {
        let place = self.messages.binary_search_by_key(&original, |message| message.packet);
        if let Some(message) = place.ok().and_then(|place| self.messages.get_mut(place)) {
            message.copy = Some(course);
        }
    }

    /// Drawn faults have struck, and this follows from them.
    pub(super) fn on_struck(&mut self, at: Time, faults: Vec<Fault<S>>, turns: &[Turn<S>]) {
        for turn in turns {
            if let Turn::Lose(packet, Loss::Network) = turn {
                // A copy is in no list: no file can say that it alone is lost.
                let place = self.messages.binary_search_by_key(packet, |message| message.packet);
                self.dropped.extend(place);
            }
        }
        self.faults.extend(faults.into_iter().map(|fault| DrawnFault { at, moment: None, fault }));
    }
}

/// A drawn fault that has struck.
#[derive(Debug)]
pub struct DrawnFault<S: UnderTest> {
    /// When.
    pub at: Time,
    /// The milestone at which it has struck, if it waited for one, and which of its times it was,
    /// from 1. An operator that could not tell it at once tells it in no moment of its own.
    pub moment: Option<(Milestone<S>, u64)>,
    /// What it is, and on which machines.
    pub fault: Fault<S>,
}

/// The course that a message has taken.
#[derive(Debug)]
pub struct DrawnCourse<S: UnderTest> {
    /// When it was sent.
    pub at: Time,
    /// Which message it is: later ones have higher numbers.
    pub packet: PacketId,
    /// The kind of message.
    pub kind: S::MessageKind,
    /// The machine that has sent it.
    pub from: NodeId,
    /// The machine that it is for.
    pub to: NodeId,
    /// Whether and when it arrives.
    pub course: Course,
    /// The same of its second copy, if it had one.
    pub copy: Option<Course>,
}

/// The fault; of a crash, with what it has left of the records that were not synced.
pub(super) fn as_it_struck<S: UnderTest>(fault: &Fault<S>, turns: &[Turn<S>]) -> Fault<S> {
    let Fault::Crash { node, leaves: _, restart } = fault else { return fault.clone() };
    if node.class() == Class::Client {
        return fault.clone(); // it has no log
    }
    let crash = turns.iter().find_map(|turn| match turn {
        Turn::Event(Event::Crash { kept, torn, tear, .. }) => Some((*kept, *torn, *tear)),
        _ => None,
    });
    let Some((kept, torn, tear)) = crash else { return fault.clone() };
    let torn = match tear {
        _ if torn == 0 => Torn::No,
        Tear::Prefix => Torn::Prefix,
        Tear::Zeros => Torn::Zeros,
        Tear::Hole { .. } => Torn::Hole,
    };
    let leaves = Leaves { kept: Some(kept), torn: Some(torn) };
    Fault::Crash { node: *node, leaves, restart: *restart }
}

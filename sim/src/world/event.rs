//! Events and the facts that follow from them: the one vocabulary for runs, traces, the oracle and
//! golden plays.

use std::sync::Arc;

use seedbed::machine::{Incarnation, NodeId, RequestId, Span, System, Time};
use serde::Serialize;

use super::{Packet, PacketId, Rot, Tear};

/// Something that happens to the world. What was drawn stands in it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(bound = "")]
pub enum Event<S: System> {
    /// A message arrives.
    Deliver(PacketId),
    /// A message is lost.
    Drop(PacketId, Loss),
    /// A copy of a message in flight appears.
    Duplicate(PacketId),
    /// A machine's next deadline has come.
    Wake(NodeId),
    /// A disk has finished the sync under way.
    Synced(NodeId),
    /// A machine starts, with a new incarnation.
    Start {
        /// Which.
        node: NodeId,
        /// A bit of the log that reads wrong this time.
        rot: Option<Rot>,
    },
    /// A machine stops and loses all that is not on its disk.
    Crash {
        /// Which.
        node: NodeId,
        /// How many of the records that were not synced are on the disk all the same.
        kept: u32,
        /// How many bytes of the record after those are.
        torn: u32,
        /// In which form that one is torn. A start cuts it whatever the form, so it is no part of
        /// the digest.
        #[serde(skip)]
        tear: Tear,
        /// Is a checkpoint that was being written in place? Only if all that it covers is on the
        /// disk.
        checkpointed: bool,
    },
    /// A machine stops and loses its disk too: whatever it ever wrote is gone.
    Wipe {
        /// Which.
        node: NodeId,
    },
    /// A machine stops for a while: messages wait, timers pass.
    Pause(NodeId),
    /// It goes on.
    Resume(NodeId),
    /// Links (from, to) are cut, also for what is in flight.
    Cut(Arc<[(NodeId, NodeId)]>),
    /// Links are whole again, each that no other cut still holds.
    Mend(Arc<[(NodeId, NodeId)]>),
    /// A machine's clock jumps forward.
    ClockJump {
        /// The machine.
        node: NodeId,
        /// How far.
        by: Span,
    },
    /// A machine's clock runs at another rate from now on.
    ClockDrift {
        /// The machine.
        node: NodeId,
        /// How many microseconds it gains each second.
        ppm: i32,
    },
    /// A user asks a client for something.
    Request {
        /// Which client.
        client: NodeId,
        /// What.
        request: Arc<S::Request>,
    },
    /// The operator tells the control node something.
    Command(S::Command),
    /// A disk stalls: no sync ends.
    Stall(NodeId),
    /// It goes on.
    Unstall(NodeId),
    /// A disk is full: there is room only for what was begun or promised.
    FillUp(NodeId),
    /// It has room again.
    MakeRoom(NodeId),
}

impl<S: System> Event<S> {
    /// The machine that goes down.
    pub fn takes_down(&self) -> Option<NodeId> {
        match self {
            Event::Crash { node, .. } | Event::Wipe { node } => Some(*node),
            Event::Deliver(_) | Event::Drop(..) | Event::Duplicate(_) | Event::Wake(_) => None,
            Event::Synced(_) | Event::Start { .. } | Event::Pause(_) | Event::Resume(_) => None,
            Event::Cut(_) | Event::Mend(_) | Event::Request { .. } | Event::Command(_) => None,
            Event::ClockJump { .. } | Event::ClockDrift { .. } => None,
            Event::Stall(_) | Event::Unstall(_) | Event::FillUp(_) | Event::MakeRoom(_) => None,
        }
    }

    /// The message that it is about.
    pub fn packet(&self) -> Option<PacketId> {
        match self {
            Event::Deliver(id) | Event::Drop(id, _) | Event::Duplicate(id) => Some(*id),
            Event::Wake(_) | Event::Synced(_) | Event::Start { .. } | Event::Crash { .. } => None,
            Event::Wipe { .. } | Event::Pause(_) | Event::Resume(_) => None,
            Event::Cut(_) | Event::Mend(_) | Event::Request { .. } | Event::Command(_) => None,
            Event::ClockJump { .. } | Event::ClockDrift { .. } => None,
            Event::Stall(_) | Event::Unstall(_) | Event::FillUp(_) | Event::MakeRoom(_) => None,
        }
    }

    /// The machine at which it happens; none if it happens between machines, or if only the
    /// message knows.
    pub fn node(&self) -> Option<NodeId> {
        match self {
            Event::Wake(node) | Event::Synced(node) => Some(*node),
            Event::Start { node, .. } | Event::Crash { node, .. } => Some(*node),
            Event::Wipe { node } | Event::Pause(node) | Event::Resume(node) => Some(*node),
            Event::ClockJump { node, .. } | Event::ClockDrift { node, .. } => Some(*node),
            Event::Stall(node) | Event::Unstall(node) => Some(*node),
            Event::FillUp(node) | Event::MakeRoom(node) => Some(*node),
            Event::Request { client, .. } => Some(*client),
            Event::Command(command) => Some(S::commanded(command)),
            Event::Deliver(_) | Event::Drop(..) | Event::Duplicate(_) => None,
            Event::Cut(_) | Event::Mend(_) => None,
        }
    }

    /// The machine that it stops or starts, or whose clock or disk it changes.
    pub fn changes_machine(&self) -> Option<NodeId> {
        match self {
            Event::Start { .. } | Event::Crash { .. } | Event::Wipe { .. } => self.node(),
            Event::Pause(_) | Event::Resume(_) => self.node(),
            Event::ClockJump { .. } | Event::ClockDrift { .. } => self.node(),
            Event::Stall(_) | Event::Unstall(_) | Event::FillUp(_) | Event::MakeRoom(_) => {
                self.node()
            }
            Event::Deliver(_) | Event::Drop(..) | Event::Duplicate(_) | Event::Wake(_) => None,
            Event::Synced(_) | Event::Cut(_) | Event::Mend(_) => None,
            Event::Request { .. } | Event::Command(_) => None,
        }
    }

    /// Does it move the deadline of the machine at which it happens, or when that comes?
    fn moves_deadline(&self) -> bool {
        match self {
            Event::Deliver(_) | Event::Wake(_) | Event::Start { .. } | Event::Resume(_) => true,
            Event::ClockJump { .. } | Event::ClockDrift { .. } => true,
            Event::Request { .. } | Event::Command(_) => true,
            Event::FillUp(_) | Event::MakeRoom(_) => true, // a machine that was not woken yet
            Event::Drop(..) | Event::Duplicate(_) | Event::Synced(_) | Event::Crash { .. } => false,
            Event::Wipe { .. } | Event::Pause(_) | Event::Cut(_) | Event::Mend(_) => false,
            Event::Stall(_) | Event::Unstall(_) => false,
        }
    }
}

/// Why a message was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Loss {
    /// The network lost it.
    Network,
    /// The link is cut.
    Cut,
    /// The machine it goes to is down.
    Down,
    /// The scenario says so.
    Rule,
}

/// What follows from an event.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(bound = "")]
pub enum Fact<S: System> {
    /// A user's request got its id.
    Requested {
        /// The id.
        request: RequestId,
    },
    /// A message left.
    Sent {
        /// Its number.
        packet: PacketId,
        /// Its sender.
        from: NodeId,
        /// The machine that it was sent to.
        to: NodeId,
        /// What it says.
        message: Arc<S::Message>,
    },
    /// A second copy of the event's message is in flight.
    Copied {
        /// Its number.
        packet: PacketId,
    },
    /// A record was appended to a log.
    Appended {
        /// The machine.
        node: NodeId,
        /// Where.
        position: u64,
        /// The record.
        record: S::Record,
        /// Does anything wait for it?
        forced: bool,
    },
    /// A disk began to sync all that is appended.
    SyncBegan {
        /// The machine.
        node: NodeId,
    },
    /// The records of a log from `from` up to and without `to` became durable; each stands here
    /// again.
    Durable {
        /// The machine.
        node: NodeId,
        /// The first.
        from: u64,
        /// The first that is not.
        to: u64,
    },
    /// A checkpoint replaced the head of a log.
    Checkpointed {
        /// The machine.
        node: NodeId,
        /// The first position that it does not cover.
        covers: u64,
    },
    /// A crash lost records that were not durable.
    Forgot {
        /// The machine.
        node: NodeId,
        /// The position of the first one lost.
        from: u64,
        /// How many.
        count: u64,
        /// How many bytes of the first are left.
        torn: u32,
        /// In which form it is torn; no part of the digest, as in [`Event::Crash`].
        #[serde(skip)]
        tear: Tear,
    },
    /// A disk lost all that was on it.
    Wiped {
        /// The machine.
        node: NodeId,
    },
    /// A machine is up.
    Started {
        /// Which.
        node: NodeId,
        /// In which life.
        incarnation: Incarnation,
    },
    /// A machine found its log corrupt and stays down.
    RefusedToStart {
        /// Which.
        node: NodeId,
        /// What it says.
        reason: String,
    },
    /// A client answered.
    Replied {
        /// What.
        request: RequestId,
        /// How.
        reply: S::Reply,
    },
    /// A client told its user something unasked.
    Noticed {
        /// Which client.
        client: NodeId,
        /// What.
        notice: S::Notice,
    },
    /// A machine was told that its disk is full, or has room again.
    ToldOfDisk {
        /// Which.
        node: NodeId,
        /// Is it full?
        is_full: bool,
    },
}

/// One event and the facts that follow from it. Buffers are kept from step to step.
#[derive(Clone, Debug)]
pub struct Step<S: System> {
    /// Counts the steps of a run, from 1.
    pub index: u64,
    /// True time.
    pub at: Time,
    /// What happened.
    pub event: Event<S>,
    /// The message of a `Deliver`, `Drop` or `Duplicate`.
    pub packet: Option<Packet<S>>,
    /// What a `Wake` was for.
    pub timer: Option<S::Timer>,
    /// The records that the step made durable, in order.
    pub durable: Vec<(NodeId, u64, S::Record)>,
    /// The head of the log that a checkpoint replaced, the checkpoint before it included.
    pub replaced: Vec<S::Record>,
    /// What follows from it, in order.
    pub facts: Vec<Fact<S>>,
}

impl<S: System> Step<S> {
    /// Room for steps.
    pub fn new() -> Step<S> {
        Step {
            index: 0,
            at: Time::ZERO,
            event: Event::Wake(NodeId::CONTROL),
            packet: None,
            timer: None,
            durable: Vec::new(),
            replaced: Vec::new(),
            facts: Vec::new(),
        }
    }

    /// The machine where it happened; none if it was between machines.
    pub fn place(&self) -> Option<NodeId> {
        match self.event {
            Event::Deliver(_) => self.packet.as_ref().map(|packet| packet.to),
            _ => self.event.node(),
        }
    }

    /// The machine that may have another deadline after the step, or reach it at another time.
    pub fn moves_deadline_of(&self) -> Option<NodeId> {
        if self.event.moves_deadline() { self.place() } else { None }
    }

    pub(super) fn begin(&mut self, index: u64, at: Time, event: Event<S>) {
        (self.index, self.at, self.event) = (index, at, event);
        self.packet = None;
        self.timer = None;
        self.durable.clear();
        self.replaced.clear();
        self.facts.clear();
    }
}

impl<S: System> Default for Step<S> {
    fn default() -> Step<S> {
        Step::new()
    }
}

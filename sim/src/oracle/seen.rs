//! What the oracle sees of a step: a flat list, the event first, then what came of it, in order.

use seedbed::proto::{
    Command, Incarnation, Message, NodeId, Notice, Record, Reply, Request, RequestId,
};

use crate::world::{Event, Fact, Loss, PacketId, Step};

/// One thing that the oracle sees happen. Its fields are named for what they are.
#[allow(missing_docs)]
#[derive(Clone, Copy, Debug)]
pub enum Seen<'a> {
    /// A user asked a client for something.
    Requested { request: RequestId, wanted: &'a Request },
    /// A message left a node.
    Sent { packet: PacketId, from: NodeId, to: NodeId, message: &'a Message },
    /// A message arrived. What the receiver does about it follows in the same step.
    Received { packet: PacketId, from: NodeId, to: NodeId, message: &'a Message },
    /// A message was lost.
    Lost { packet: PacketId, from: NodeId, to: NodeId, message: &'a Message, loss: Loss },
    /// A copy of a message is in flight.
    Copied { packet: PacketId },
    /// A record was appended; a crash may still lose it.
    Appended { node: NodeId, position: u64, record: &'a Record, forced: bool },
    /// A record became durable: from here on it is a fact.
    Durable { node: NodeId, position: u64, record: &'a Record },
    /// A checkpoint replaced the head of a log.
    Checkpointed { node: NodeId },
    /// A machine lost all but its disk.
    Crashed { node: NodeId },
    /// A crash lost the records from a position on that were not durable.
    Forgot { node: NodeId, from: u64, count: u64, torn: u32 },
    /// A machine is up, on what its disk held.
    Started { node: NodeId, incarnation: Incarnation },
    /// A machine found its log corrupt and stays down.
    RefusedToStart { node: NodeId },
    /// A machine stopped for a while.
    Paused { node: NodeId },
    /// It goes on.
    Resumed { node: NodeId },
    /// Links were cut.
    Cut { links: &'a [(NodeId, NodeId)] },
    /// Links are whole again.
    Mended { links: &'a [(NodeId, NodeId)] },
    /// A machine's clock jumped.
    ClockJumped { node: NodeId },
    /// A machine was woken for its deadline.
    Woken { node: NodeId },
    /// A client answered.
    Replied { request: RequestId, reply: &'a Reply },
    /// A client told its user something unasked.
    Noticed { client: NodeId, notice: &'a Notice },
    /// A machine lost its disk.
    Wiped { node: NodeId },
    /// The operator told the central node something.
    Commanded { command: &'a Command },
}

/// Everything that is to be seen in `step`, in order.
///
/// What a crash leaves on the disk was there before it: those records come first.
pub fn seen(step: &Step) -> impl Iterator<Item = Seen<'_>> {
    let durable = step.durable.iter();
    let durable = durable.map(|(node, position, record)| Seen::Durable {
        node: *node,
        position: *position,
        record,
    });
    let event = of_event(step).into_iter();
    let facts = step.facts.iter().filter_map(|fact| of_fact(step, fact));
    durable.chain(event).chain(facts)
}

fn of_event(step: &Step) -> Option<Seen<'_>> {
    let packet = step.packet.as_ref();
    Some(match &step.event {
        Event::Deliver(id) => {
            let packet = packet?;
            let (from, to, message) = (packet.from, packet.to, &packet.message);
            Seen::Received { packet: *id, from, to, message }
        }
        Event::Drop(id, loss) => {
            let packet = packet?;
            let (from, to, message) = (packet.from, packet.to, &packet.message);
            Seen::Lost { packet: *id, from, to, message, loss: *loss }
        }
        Event::Wake(node) => Seen::Woken { node: *node },
        Event::Pause(node) => Seen::Paused { node: *node },
        Event::Resume(node) => Seen::Resumed { node: *node },
        Event::Cut(links) => Seen::Cut { links },
        Event::Mend(links) => Seen::Mended { links },
        Event::ClockJump { node, .. } => Seen::ClockJumped { node: *node },
        Event::Duplicate(_) | Event::Synced(_) | Event::ClockDrift { .. } => return None,
        Event::Command(command) => Seen::Commanded { command },
        Event::Start { .. } | Event::Request { .. } => return None,
        event => Seen::Crashed { node: event.takes_down()? },
    })
}

fn of_fact<'a>(step: &'a Step, fact: &'a Fact) -> Option<Seen<'a>> {
    Some(match fact {
        Fact::Requested { request } => match &step.event {
            Event::Request { request: wanted, .. } => {
                Seen::Requested { request: *request, wanted: wanted.as_ref() }
            }
            _ => return None,
        },
        Fact::Sent { packet, from, to, message } => {
            Seen::Sent { packet: *packet, from: *from, to: *to, message }
        }
        Fact::Copied { packet } => Seen::Copied { packet: *packet },
        Fact::Appended { node, position, record, forced } => {
            Seen::Appended { node: *node, position: *position, record, forced: *forced }
        }
        Fact::Checkpointed { node, .. } => Seen::Checkpointed { node: *node },
        Fact::Forgot { node, from, count, torn } => {
            Seen::Forgot { node: *node, from: *from, count: *count, torn: *torn }
        }
        Fact::Started { node, incarnation } => {
            Seen::Started { node: *node, incarnation: *incarnation }
        }
        Fact::RefusedToStart { node, .. } => Seen::RefusedToStart { node: *node },
        Fact::Replied { request, reply } => Seen::Replied { request: *request, reply },
        Fact::Noticed { client, notice } => Seen::Noticed { client: *client, notice },
        Fact::Wiped { node } => Seen::Wiped { node: *node },
        Fact::SyncBegan { .. } | Fact::Durable { .. } => return None,
    })
}

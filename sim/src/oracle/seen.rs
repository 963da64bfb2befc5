//! What the oracle sees of a step: a flat list, the event first, then its facts, in order.

use seedbed::machine::{Incarnation, NodeId, RequestId};

use super::SeenKinds;
use crate::under_test::UnderTest;
use crate::world::{Event, Fact, Loss, PacketId, Step, Tear};

macro_rules! things_seen {
    (
        of_kinds {
            $($(#[$of_doc:meta])* $of:ident { $($of_field:ident: $of_type:ty),* $(,)? })*
        }
        others {
            $($(#[$doc:meta])* $thing:ident $name:ident { $($field:ident: $type:ty),* $(,)? })*
        }
    ) => {
        /// One thing that the oracle sees happen. Its fields are named for what they are.
        #[allow(missing_docs)]
        #[derive(Debug)]
        pub enum Seen<'a, S: UnderTest> {
            $($(#[$of_doc])* $of { $($of_field: $of_type),* },)*
            $($(#[$doc])* $thing { $($field: $type),* },)*
        }

        impl<S: UnderTest> Clone for Seen<'_, S> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<S: UnderTest> Copy for Seen<'_, S> {}

        /// A thing seen without what it says, if it is neither message nor record.
        #[derive(Clone, Copy)]
        enum Other {
            $($thing,)*
        }

        impl SeenKinds {
            /// How many kinds there are of what is neither message nor record.
            pub(super) const OTHERS: usize = [$(Other::$thing),*].len();

            $(
                #[doc = concat!("[`Seen::", stringify!($thing), "`]")]
                pub const $name: SeenKinds =
                    SeenKinds { others: 1 << Other::$thing as u64, ..SeenKinds::NONE };
            )*
        }

        impl<S: UnderTest> Seen<'_, S> {
            /// Its place among what is neither message nor record.
            pub(super) fn place(&self) -> usize {
                match self {
                    $(Seen::$of { .. } => unreachable!("it has a kind of its own"),)*
                    $(Seen::$thing { .. } => Other::$thing as usize,)*
                }
            }
        }
    };
}

things_seen! {
    of_kinds {
        /// A message left a node.
        Sent { packet: PacketId, from: NodeId, to: NodeId, message: &'a S::Message }
        /// A message arrived. What the receiver does about it follows in the same step.
        Received { packet: PacketId, from: NodeId, to: NodeId, message: &'a S::Message }
        /// A record was appended; a crash may still lose it.
        Appended { node: NodeId, position: u64, record: &'a S::Record, forced: bool }
        /// A record became durable: from here on it is a fact.
        Durable { node: NodeId, position: u64, record: &'a S::Record }
    }
    others {
        /// A user asked a client for something.
        Requested REQUESTED { request: RequestId, wanted: &'a S::Request }
        /// A message was lost.
        Lost LOST { packet: PacketId, from: NodeId, to: NodeId, message: &'a S::Message, loss: Loss }
        /// A copy of a message is in flight.
        Copied COPIED { packet: PacketId }
        /// A checkpoint replaced the head of a log.
        Checkpointed CHECKPOINTED { node: NodeId, replaced: &'a [S::Record] }
        /// A machine lost all but its disk.
        Crashed CRASHED { node: NodeId }
        /// A crash lost the records from a position on that were not durable.
        Forgot FORGOT { node: NodeId, from: u64, count: u64, torn: u32, tear: Tear }
        /// A machine is up, on what its disk held.
        Started STARTED { node: NodeId, incarnation: Incarnation }
        /// A machine found its log corrupt and stays down.
        RefusedToStart REFUSED_TO_START { node: NodeId }
        /// A machine stopped for a while.
        Paused PAUSED { node: NodeId }
        /// It goes on.
        Resumed RESUMED { node: NodeId }
        /// Links were cut.
        Cut CUT { links: &'a [(NodeId, NodeId)] }
        /// Links are whole again.
        Mended MENDED { links: &'a [(NodeId, NodeId)] }
        /// A machine's clock jumped.
        ClockJumped CLOCK_JUMPED { node: NodeId }
        /// A machine was woken for its deadline.
        Woken WOKEN { node: NodeId }
        /// A client answered.
        Replied REPLIED { request: RequestId, reply: &'a S::Reply }
        /// A client told its user something unasked.
        Noticed NOTICED { client: NodeId, notice: &'a S::Notice }
        /// A machine lost its disk.
        Wiped WIPED { node: NodeId }
        /// The operator told the control node something.
        Commanded COMMANDED { command: &'a S::Command }
        /// A disk stalled, or goes on.
        DiskStalled DISK_STALLED { node: NodeId, is_stalled: bool }
        /// A disk is full, or has room again.
        DiskFilled DISK_FILLED { node: NodeId, is_full: bool }
        /// A machine was told that its disk is full, or has room again.
        ToldOfDisk TOLD_OF_DISK { node: NodeId, is_full: bool }
    }
}

/// Everything that is to be seen in `step`, in order.
///
/// What a crash leaves on the disk was there before it: those records come first.
pub fn seen<S: UnderTest>(step: &Step<S>) -> impl Iterator<Item = Seen<'_, S>> {
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

fn of_event<S: UnderTest>(step: &Step<S>) -> Option<Seen<'_, S>> {
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
        Event::Stall(node) => Seen::DiskStalled { node: *node, is_stalled: true },
        Event::Unstall(node) => Seen::DiskStalled { node: *node, is_stalled: false },
        Event::FillUp(node) => Seen::DiskFilled { node: *node, is_full: true },
        Event::MakeRoom(node) => Seen::DiskFilled { node: *node, is_full: false },
        Event::Start { .. } | Event::Request { .. } => return None,
        Event::Crash { node, .. } | Event::Wipe { node } => Seen::Crashed { node: *node },
    })
}

fn of_fact<'a, S: UnderTest>(step: &'a Step<S>, fact: &'a Fact<S>) -> Option<Seen<'a, S>> {
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
        Fact::Checkpointed { node, .. } => {
            Seen::Checkpointed { node: *node, replaced: &step.replaced }
        }
        Fact::Forgot { node, from, count, torn, tear } => {
            let (node, from, count, torn, tear) = (*node, *from, *count, *torn, *tear);
            Seen::Forgot { node, from, count, torn, tear }
        }
        Fact::Started { node, incarnation } => {
            Seen::Started { node: *node, incarnation: *incarnation }
        }
        Fact::RefusedToStart { node, .. } => Seen::RefusedToStart { node: *node },
        Fact::Replied { request, reply } => Seen::Replied { request: *request, reply },
        Fact::Noticed { client, notice } => Seen::Noticed { client: *client, notice },
        Fact::Wiped { node } => Seen::Wiped { node: *node },
        Fact::ToldOfDisk { node, is_full } => Seen::ToldOfDisk { node: *node, is_full: *is_full },
        Fact::SyncBegan { .. } | Fact::Durable { .. } => return None,
    })
}

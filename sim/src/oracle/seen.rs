//! What the oracle sees of a step: a flat list, the event first, then what came of it, in order.

use seedbed::machine::{Incarnation, NodeId, RequestId};
use seedbed::proto::{Command, Message, MessageKind, Notice, Record, RecordKind, Reply, Request};

use super::SeenKinds;
use crate::file_service::{Event, Fact, Step};
use crate::world::{Loss, PacketId, Tear};

macro_rules! things_seen {
    ($($(#[$doc:meta])* $thing:ident $name:ident $(by $of:ident: $kind:ident)?
        { $($field:ident: $type:ty),* $(,)? })*) => {
        /// One thing that the oracle sees happen. Its fields are named for what they are.
        #[allow(missing_docs)]
        #[derive(Clone, Copy, Debug)]
        pub enum Seen<'a> {
            $($(#[$doc])* $thing { $($field: $type),* },)*
        }

        /// A thing seen without what it says.
        #[derive(Clone, Copy)]
        enum Thing {
            $($thing,)*
        }

        impl Thing {
            /// How many slots each takes: one, or one for each kind of message or record.
            const WIDTHS: &[usize] = &[$(1 $(* $kind::ALL.len())?,)*];
        }

        impl SeenKinds {
            $(
                #[doc = concat!("[`Seen::", stringify!($thing), "`]")]
                $(#[doc = concat!(" of any ", stringify!($of))])?
                pub const $name: SeenKinds = Thing::$thing.kinds();
            )*
        }

        impl Seen<'_> {
            /// The slot that it falls into.
            pub(super) fn slot(&self) -> usize {
                match self {
                    $(Seen::$thing { $($of,)? .. } => {
                        let first = const { Thing::$thing.first_slot() };
                        first $(+ $of.kind() as usize)?
                    })*
                }
            }
        }
    };
}

things_seen! {
    /// A user asked a client for something.
    Requested REQUESTED { request: RequestId, wanted: &'a Request }
    /// A message left a node.
    Sent SENT by message: MessageKind
        { packet: PacketId, from: NodeId, to: NodeId, message: &'a Message }
    /// A message arrived. What the receiver does about it follows in the same step.
    Received RECEIVED by message: MessageKind
        { packet: PacketId, from: NodeId, to: NodeId, message: &'a Message }
    /// A message was lost.
    Lost LOST { packet: PacketId, from: NodeId, to: NodeId, message: &'a Message, loss: Loss }
    /// A copy of a message is in flight.
    Copied COPIED { packet: PacketId }
    /// A record was appended; a crash may still lose it.
    Appended APPENDED by record: RecordKind
        { node: NodeId, position: u64, record: &'a Record, forced: bool }
    /// A record became durable: from here on it is a fact.
    Durable DURABLE by record: RecordKind { node: NodeId, position: u64, record: &'a Record }
    /// A checkpoint replaced the head of a log.
    Checkpointed CHECKPOINTED { node: NodeId, replaced: &'a [Record] }
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
    Replied REPLIED { request: RequestId, reply: &'a Reply }
    /// A client told its user something unasked.
    Noticed NOTICED { client: NodeId, notice: &'a Notice }
    /// A machine lost its disk.
    Wiped WIPED { node: NodeId }
    /// The operator told the central node something.
    Commanded COMMANDED { command: &'a Command }
    /// A disk stalled, or goes on.
    DiskStalled DISK_STALLED { node: NodeId, is_stalled: bool }
    /// A disk is full, or has room again.
    DiskFilled DISK_FILLED { node: NodeId, is_full: bool }
    /// A machine was told that its disk is full, or has room again.
    ToldOfDisk TOLD_OF_DISK { node: NodeId, is_full: bool }
}

impl Thing {
    /// The first of its slots: behind those of the things before it.
    const fn first_slot(self) -> usize {
        slots_of_first(self as usize)
    }

    /// All of its slots.
    const fn kinds(self) -> SeenKinds {
        SeenKinds::of_slots(self.first_slot(), Thing::WIDTHS[self as usize])
    }

    const fn of_messages(self, kinds: &[MessageKind]) -> SeenKinds {
        let (mut of, mut i) = (SeenKinds::NONE, 0);
        while i < kinds.len() {
            assert!((kinds[i] as usize) < Thing::WIDTHS[self as usize], "not seen by this kind");
            of = of.with(self.first_slot() + kinds[i] as usize);
            i += 1;
        }
        of
    }

    const fn of_records(self, kinds: &[RecordKind]) -> SeenKinds {
        let (mut of, mut i) = (SeenKinds::NONE, 0);
        while i < kinds.len() {
            assert!((kinds[i] as usize) < Thing::WIDTHS[self as usize], "not seen by this kind");
            of = of.with(self.first_slot() + kinds[i] as usize);
            i += 1;
        }
        of
    }
}

/// How many slots the first so many things take.
const fn slots_of_first(things: usize) -> usize {
    let (mut slots, mut i) = (0, 0);
    while i < things {
        slots += Thing::WIDTHS[i];
        i += 1;
    }
    slots
}

impl SeenKinds {
    /// How many slots there are.
    pub(super) const SLOTS: usize = slots_of_first(Thing::WIDTHS.len());

    /// Everything.
    pub const ALL: SeenKinds = SeenKinds::of_slots(0, SeenKinds::SLOTS);

    /// [`Seen::Sent`] of these messages.
    pub const fn sent(kinds: &[MessageKind]) -> SeenKinds {
        Thing::Sent.of_messages(kinds)
    }

    /// [`Seen::Received`] of these messages.
    pub const fn received(kinds: &[MessageKind]) -> SeenKinds {
        Thing::Received.of_messages(kinds)
    }

    /// [`Seen::Appended`] of these records.
    pub const fn appended(kinds: &[RecordKind]) -> SeenKinds {
        Thing::Appended.of_records(kinds)
    }

    /// [`Seen::Durable`] of these records.
    pub const fn durable(kinds: &[RecordKind]) -> SeenKinds {
        Thing::Durable.of_records(kinds)
    }
}

const _: () = assert!(SeenKinds::SLOTS <= SeenKinds::CAPACITY, "more slots than a set holds");

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
        Event::Stall(node) => Seen::DiskStalled { node: *node, is_stalled: true },
        Event::Unstall(node) => Seen::DiskStalled { node: *node, is_stalled: false },
        Event::FillUp(node) => Seen::DiskFilled { node: *node, is_full: true },
        Event::MakeRoom(node) => Seen::DiskFilled { node: *node, is_full: false },
        Event::Start { .. } | Event::Request { .. } => return None,
        Event::Crash { node, .. } | Event::Wipe { node } => Seen::Crashed { node: *node },
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

#[cfg(test)]
mod tests {
    use super::*;
    use seedbed::proto::Admission;

    #[test]
    fn what_is_seen_falls_into_the_kinds_that_name_it_and_no_others() {
        let (node, position) = (NodeId::storage(1), 0);
        let record = &Record::Born { admission: Admission(1) };
        let appended = Seen::Appended { node, position, record, forced: true }.slot();
        let durable = Seen::Durable { node, position, record }.slot();
        let crashed = Seen::Crashed { node }.slot();
        let kinds = SeenKinds::durable(&[RecordKind::Born]) | SeenKinds::CRASHED;
        assert_eq!([appended, durable, crashed].map(|slot| kinds.has(slot)), [false, true, true]);
        assert!(!SeenKinds::durable(&[RecordKind::Voted]).has(durable));
        for slot in [appended, durable, crashed] {
            assert!(SeenKinds::ALL.has(slot) && !SeenKinds::NONE.has(slot));
            assert!(slot < SeenKinds::SLOTS);
        }
    }

    /// Every kind that an invariant can ask for by itself.
    fn single_kinds() -> Vec<SeenKinds> {
        let of_messages = MessageKind::ALL
            .iter()
            .flat_map(|&kind| [SeenKinds::sent(&[kind]), SeenKinds::received(&[kind])]);
        let of_records = RecordKind::ALL
            .iter()
            .flat_map(|&kind| [SeenKinds::appended(&[kind]), SeenKinds::durable(&[kind])]);
        let others = [
            SeenKinds::REQUESTED,
            SeenKinds::LOST,
            SeenKinds::COPIED,
            SeenKinds::CHECKPOINTED,
            SeenKinds::CRASHED,
            SeenKinds::FORGOT,
            SeenKinds::STARTED,
            SeenKinds::REFUSED_TO_START,
            SeenKinds::PAUSED,
            SeenKinds::RESUMED,
            SeenKinds::CUT,
            SeenKinds::MENDED,
            SeenKinds::CLOCK_JUMPED,
            SeenKinds::WOKEN,
            SeenKinds::REPLIED,
            SeenKinds::NOTICED,
            SeenKinds::WIPED,
            SeenKinds::COMMANDED,
            SeenKinds::DISK_STALLED,
            SeenKinds::DISK_FILLED,
            SeenKinds::TOLD_OF_DISK,
        ];
        of_messages.chain(of_records).chain(others).collect()
    }

    #[test]
    fn each_kind_has_one_slot_and_no_two_have_the_same() {
        let kinds = single_kinds();
        assert_eq!(kinds.len(), SeenKinds::SLOTS);
        for slot in 0..SeenKinds::SLOTS {
            assert_eq!(kinds.iter().filter(|kind| kind.has(slot)).count(), 1, "slot {slot}");
        }
        let all = kinds.into_iter().fold(SeenKinds::NONE, SeenKinds::union);
        assert_eq!(all, SeenKinds::ALL);
    }
}

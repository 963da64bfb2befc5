//! Mistakes of the simulated world itself that need code.

use seedbed::machine::{Span, Time};
use seedbed::proto::{Message, TxnMessage};
use seedbed_sim::file_service::Fact;
use seedbed_sim::file_service::oracle::Model;
use seedbed_sim::world::{Clock, PacketId};

use crate::mutation::altered_replay::Shown;

/// A message arrives earlier than one that has arrived.
pub fn arrives_earlier(_: &Model, shown: &mut Shown<'_>) -> bool {
    let Some((_, Message::Txn(TxnMessage::Executed { .. }))) = shown.arrived() else {
        return false;
    };
    shown.step.at = Time::ZERO + Span::from_millis(500);
    true
}

/// A machine's clock is set back.
pub fn sets_a_clock_back(_: &Model, shown: &mut Shown<'_>) -> bool {
    let Some((to, Message::Txn(TxnMessage::Executed { .. }))) = shown.arrived() else {
        return false;
    };
    *shown.world.to_mut().clock_mut(to) = Clock::new(Span::ZERO, -500_000);
    true
}

/// A copy of a message is announced and not put on the network.
pub fn copies_nothing(_: &Model, shown: &mut Shown<'_>) -> bool {
    let Some((_, Message::Txn(TxnMessage::Prepare { .. }))) = shown.arrived() else { return false };
    shown.step.facts.push(Fact::Copied { packet: PacketId(u64::MAX) });
    true
}

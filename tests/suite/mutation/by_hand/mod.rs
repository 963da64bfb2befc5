//! Mistakes that need code: what is wrong depends on something else in the step or in the model.

mod commit;
mod files;
mod locks;
mod membership;
mod requests;
mod simulator;

use std::sync::Arc;

use seedbed::machine::{NodeId, RequestId};
use seedbed::proto::{Answer, Message, Operation, Outcome, Record, Reply, Request};
use seedbed_sim::file_service::{Event, Fact};
use seedbed_sim::world::PacketId;

use super::Change;
use super::altered_replay::Shown;

/// The change of this name.
pub fn find(name: &str) -> Option<Change> {
    Some(match name {
        "acknowledges_at_once" => Change::Step(commit::acknowledges_at_once),
        "aborts_with_the_last_yes" => Change::Step(commit::aborts_with_the_last_yes),
        "answers_from_memory" => Change::Step(files::answers_from_memory),
        "takes_one_owner_too_few" => Change::Step(files::takes_one_owner_too_few),
        "looks_at_no_version" => Change::Request(files::looks_at_no_version),
        "writes_what_it_read_before" => Change::Request(files::writes_what_it_read_before),
        "grants_the_last_in_line" => Change::Step(locks::grants_the_last_in_line),
        "goes_on_believing_after_a_release" => {
            Change::Step(locks::goes_on_believing_after_a_release)
        }
        "leaves_a_holder_out_of_a_checkpoint" => {
            Change::Step(locks::leaves_a_holder_out_of_a_checkpoint)
        }
        "goes_back_before_the_first_write" => {
            Change::Step(requests::goes_back_before_the_first_write)
        }
        "takes_a_refusal_for_success" => Change::Step(requests::takes_a_refusal_for_success),
        "says_unknown_for_no_reason" => Change::Step(requests::says_unknown_for_no_reason),
        "leaves_a_member_out" => Change::Step(membership::leaves_a_member_out),
        "pulls_the_whole_ring" => Change::Step(membership::pulls_the_whole_ring),
        "gives_up_too_early" => Change::Step(membership::gives_up_too_early),
        "claims_the_whole_ring" => Change::Step(membership::claims_the_whole_ring),
        "answers_for_an_epoch_it_has_left" => {
            Change::Step(membership::answers_for_an_epoch_it_has_left)
        }
        "arrives_earlier" => Change::Step(simulator::arrives_earlier),
        "sets_a_clock_back" => Change::Step(simulator::sets_a_clock_back),
        "copies_nothing" => Change::Step(simulator::copies_nothing),
        _ => return None,
    })
}

impl Shown<'_> {
    /// The message that arrives, and the machine that it reaches.
    fn arrived(&self) -> Option<(NodeId, &Message)> {
        let Event::Deliver(_) = self.step.event else { return None };
        self.step.packet.as_ref().map(|packet| (packet.to, packet.message.as_ref()))
    }

    /// The first record that is appended and wanted: its place among the facts, and the machine
    /// that appends it.
    fn appended<T>(&self, wanted: impl Fn(&Record) -> Option<T>) -> Option<(usize, NodeId, T)> {
        self.step.facts.iter().enumerate().find_map(|(place, fact)| match fact {
            Fact::Appended { node, record, .. } => Some((place, *node, wanted(record)?)),
            _ => None,
        })
    }

    /// Alters the first record that is appended and lets itself be altered.
    fn append_otherwise(&mut self, alter: impl Fn(&mut Record) -> bool) -> bool {
        self.step.facts.iter_mut().any(|fact| match fact {
            Fact::Appended { record, .. } => alter(record),
            _ => false,
        })
    }

    /// Alters the first message that leaves and lets itself be altered.
    fn sent(&mut self, alter: impl Fn(&mut Message) -> bool) -> bool {
        self.step.facts.iter_mut().any(|fact| match fact {
            Fact::Sent { message, .. } => alter(Arc::make_mut(message)),
            _ => false,
        })
    }

    /// Alters the first answer that lets itself be altered.
    fn replied(&mut self, alter: impl Fn(&RequestId, &mut Reply) -> bool) -> bool {
        self.step.facts.iter_mut().any(|fact| match fact {
            Fact::Replied { request, reply } => alter(request, reply),
            _ => false,
        })
    }

    /// A message leaves that did not.
    fn send(&mut self, from: NodeId, to: NodeId, message: Message) {
        let packet = PacketId(u64::MAX);
        self.step.facts.push(Fact::Sent { packet, from, to, message: message.into() });
    }
}

/// Alters the first outcome, if it lets itself be altered and is the only one.
fn first(answer: &mut Answer, alter: impl Fn(&mut Outcome) -> bool) -> bool {
    let [outcome] = &answer[..] else { return false };
    let mut outcome = outcome.clone();
    let is_altered = alter(&mut outcome);
    *answer = [outcome].into();
    is_altered
}

/// The same request with each of its operations altered.
fn each(request: &Request, alter: impl Fn(&mut Operation)) -> Request {
    let Request::Files { operations, coordinator } = request else {
        panic!("it asks for files: {request:?}");
    };
    let mut operations = operations.to_vec();
    operations.iter_mut().for_each(alter);
    Request::Files { operations: operations.into(), coordinator: *coordinator }
}

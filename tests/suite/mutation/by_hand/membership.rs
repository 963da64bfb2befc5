//! Mistakes of the centre and of nodes in a change of view that need code.

use std::collections::BTreeMap;

use seedbed::machine::NodeId;
use seedbed::proto::{
    Arcs, AttemptEnd, Config, Ended, Epoch, FromCentre, Member, Message, Outcome, Pull, Record,
    Retry, ToCentre, Version,
};
use seedbed_sim::file_service::Fact;
use seedbed_sim::file_service::oracle::Model;

use crate::mutation::altered_replay::Shown;

/// The centre leaves a member out that it hears, only because another joins.
pub fn leaves_a_member_out(_: &Model, shown: &mut Shown<'_>) -> bool {
    shown.append_otherwise(|record| match record {
        Record::Announced { view } if view.epoch > Config::FIRST_EPOCH => {
            let stays = |member: &&Member| member.node != NodeId::node(2);
            view.members = view.members.iter().filter(stays).copied().collect();
            true
        }
        _ => false,
    })
}

/// A new owner pulls the whole ring, and not only what it owns.
pub fn pulls_the_whole_ring(_: &Model, shown: &mut Shown<'_>) -> bool {
    shown.sent(|message| match message {
        Message::Pull(Pull { arcs, .. }) => {
            *arcs = Arcs::all();
            true
        }
        _ => false,
    })
}

/// A node gives its older claims up as soon as the next view is in force.
pub fn gives_up_too_early(model: &Model, shown: &mut Shown<'_>) -> bool {
    let Some((node, Message::FromCentre(FromCentre::Alive { epoch, .. }))) = shown.arrived() else {
        return false;
    };
    let (epoch, config) = (*epoch, shown.world.config());
    let settled = model.views.settled().map_or(Epoch::default(), |settled| settled.is);
    let placement = model.views.placement(config, epoch).filter(|_| settled < epoch);
    // Before the first view no node claims anything.
    let Some(placement) = placement.filter(|_| epoch > Config::FIRST_EPOCH) else {
        return false;
    };
    let keeps = placement.owned_by(node);
    let position = model.log(node).forced;
    let record = Record::GaveUp { epoch, keeps };
    shown.step.facts.push(Fact::Appended { node, position, record, forced: true });
    true
}

/// A new owner claims the whole ring, where no coordinator asks it for its vote.
pub fn claims_the_whole_ring(_: &Model, shown: &mut Shown<'_>) -> bool {
    let joiner = NodeId::node(4);
    let has_pulled = |files: &BTreeMap<_, _>| !files.is_empty();
    if !shown.world.host(joiner).storage().is_some_and(|node| has_pulled(node.files())) {
        return false; // it would lack what is there already
    }
    let is_last = |fact: &Fact| match fact {
        Fact::Sent { from, message, .. } => {
            *from == joiner && matches!(**message, Message::ToCentre(ToCentre::Completed { .. }))
        }
        _ => false,
    };
    if !shown.step.facts.iter().any(is_last) {
        return false; // another claim comes, and what it adds is compared with this one
    }
    shown.step.durable.iter_mut().any(|(node, _, record)| match record {
        Record::Complete { arcs, .. } if *node == joiner => {
            *arcs = Arcs::all();
            true
        }
        _ => false,
    })
}

/// A node that has left an epoch answers reads there until its lease is over.
pub fn answers_for_an_epoch_it_has_left(_: &Model, shown: &mut Shown<'_>) -> bool {
    shown.sent(|message| match message {
        // It comes from n1, whose lease for the second epoch is on its way.
        Message::Ended(Ended { end: end @ AttemptEnd::Retry(Retry::Epoch(_)), .. }) => {
            *end = AttemptEnd::Done([Outcome::Found(Version(0), None)].into());
            true
        }
        _ => false,
    })
}

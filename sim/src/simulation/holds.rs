//! Which machines a fault takes hold of, and when it lets go of them.

use crate::under_test::{Operator, UnderTest};
use seedbed::machine::NodeId;

use super::scheduled::Act;
use crate::cell::FaultKind;
use crate::coverage::{Grip, Hold};
use crate::fault::{Cut, Degradation, DiskTrouble, Fault};

/// What a fault of this kind that has just struck has hold of; `None` where it is a series, whose
/// crashes take hold one by one. `last` is the number of the newest cut or degradation, and `links`
/// are those that it cuts.
pub(super) fn takes_hold<S: UnderTest>(
    kind: FaultKind<S>,
    fault: &Fault<S>,
    last: u32,
    links: &[(NodeId, NodeId)],
) -> Option<Hold<S>> {
    let (grip, mut machines) = match fault {
        Fault::Crash { node, .. } | Fault::BitRot { node, .. } => (Grip::Down(*node), vec![*node]),
        Fault::Wipe { node, .. } => (Grip::Bereft(*node), vec![*node]),
        Fault::Pause { node, .. } => (Grip::Paused(*node), vec![*node]),
        // Those that it cannot reach any more are not cut off from each other.
        Fault::Cut { links: Cut::Isolate(node), .. } => (Grip::Numbered(last), vec![*node]),
        Fault::Cut { links: Cut::Groups(_) | Cut::OneWay { .. } | Cut::MajoritiesRing, .. } => {
            let ends = links.iter().flat_map(|(from, to)| [*from, *to]);
            (Grip::Numbered(last), ends.collect())
        }
        Fault::ClockJump { node, .. } | Fault::Drop(node) => (Grip::Moment, vec![*node]),
        Fault::ClockDrift { node, .. } => (Grip::Drifting(*node), vec![*node]),
        Fault::Degrade { what: Degradation { from, to, .. }, .. } => {
            (Grip::Numbered(last), [&from[..], &to[..]].concat())
        }
        Fault::Disk { node, trouble, .. } => {
            let grip = match trouble {
                DiskTrouble::Slow(_) => Grip::Numbered(last),
                DiskTrouble::Stalled => Grip::Stalled(*node),
                DiskTrouble::Full => Grip::Full(*node),
            };
            (grip, vec![*node])
        }
        Fault::RollingRestart { .. } | Fault::Attrition { .. } => return None,
        Fault::Operator { wish, node } => {
            let told = S::commanded(&S::Operator::command(wish, *node));
            (Grip::Moment, node.iter().copied().chain([told]).collect())
        }
    };
    machines.sort_unstable();
    machines.dedup();
    // A slow disk of a client slows nothing.
    machines.retain(|node| kind.strikes().contains(&node.class()));
    Some(Hold::Takes { kind, grip, machines })
}

/// What ends a fault, if it lasts; `last` is the number of the newest cut or degradation.
pub(super) fn end_of<S: UnderTest>(fault: &Fault<S>, last: u32) -> Option<Act> {
    match fault {
        Fault::Crash { node, .. } | Fault::BitRot { node, .. } | Fault::Wipe { node, .. } => {
            Some(Act::Start(*node))
        }
        Fault::Pause { node, .. } => Some(Act::Resume(*node)),
        Fault::Cut { .. } => Some(Act::Mend(last)),
        Fault::ClockDrift { node, .. } => Some(Act::StopDrift(*node)),
        Fault::Degrade { .. } => Some(Act::Restore(last)),
        Fault::Disk { node, trouble, .. } => Some(match trouble {
            DiskTrouble::Slow(_) => Act::Restore(last),
            DiskTrouble::Stalled => Act::Unstall(*node),
            DiskTrouble::Full => Act::MakeRoom(*node),
        }),
        Fault::ClockJump { .. } | Fault::RollingRestart { .. } | Fault::Attrition { .. } => None,
        Fault::Operator { .. } | Fault::Drop(_) => None,
    }
}

/// What lets go of its machines when this is done; steps show the end of the others.
pub(super) fn lets_go<S: UnderTest>(act: Act) -> Option<Hold<S>> {
    match act {
        Act::Mend(id) | Act::Restore(id) => Some(Hold::LetsGo(Grip::Numbered(id))),
        Act::StopDrift(node) => Some(Hold::LetsGo(Grip::Drifting(node))),
        Act::Strike(_) | Act::StrikeBound(_) | Act::TakeDown(..) | Act::Operate => None,
        Act::Start(_) | Act::Resume(_) | Act::Unstall(_) | Act::MakeRoom(_) => None,
    }
}

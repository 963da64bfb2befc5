//! When progress stops: which machine waits for what, since when, and what would release it.
//!
//! Being blocked is a result and not a time-out. Two-phase commit *must* block when every
//! machine that could know is gone (Skeen, "Nonblocking Commit Protocols", SIGMOD 1981), and a
//! report that names what is waited for is worth more than one that says that nothing happened.

mod deadlock;
mod transfer;

use seedbed::machine::NodeId;
use seedbed::proto::{Path, Request, TxnId};

use crate::file_service::World;
use crate::file_service::oracle::model::is_alive;
use crate::file_service::oracle::{At, Lock, Model, Txn};
pub use crate::oracle::blocked::{StepTimes, Wait};
use transfer::not_pulled;

pub use deadlock::deadlock;
pub(super) use transfer::missed_arcs;

#[cfg(test)]
pub(super) use transfer::Missed;

/// What a machine of the file service waits for.
pub mod kind {
    use crate::oracle::blocked::WaitKind;

    /// A participant that has voted yes, for the decision.
    pub const IN_DOUBT: WaitKind = WaitKind("in_doubt");
    /// A coordinator, for a participant to acknowledge its decision.
    pub const UNACKNOWLEDGED: WaitKind = WaitKind("unacknowledged");
    /// A client, for a lock whose holder is dead.
    pub const BEHIND_THE_DEAD: WaitKind = WaitKind("behind_the_dead");
    /// A client, for a lock whose holder waits for this client's in turn.
    pub const DEADLOCK: WaitKind = WaitKind::DEADLOCK;
    /// A client, for an answer.
    pub const UNANSWERED: WaitKind = WaitKind::UNANSWERED;
    /// A new owner of a piece of the ring, for an owner of an earlier epoch that is down.
    pub const NOT_PULLED: WaitKind = WaitKind("not_pulled");
    /// A machine, for a disk that is lost.
    pub const LOST: WaitKind = WaitKind("lost");
}

/// Every machine that is up and waits, in the order of what it waits for: decisions,
/// acknowledgements, locks, answers.
///
/// A roll-back and the end of a lease are written lazily, so a run may end before they are durable.
/// A machine that has appended them does not wait any more.
pub fn waits(world: &World, model: &Model, times: &StepTimes) -> Vec<Wait> {
    let mut waits = Vec::new();
    for (txn, known) in model.txns.iter() {
        in_doubt(txn, known, world, model, times, &mut waits);
        if model.coordinator_is_gone(txn).is_none() {
            unacknowledged(txn, known, world, times, &mut waits);
        }
    }
    for (path, lock) in model.locks.iter() {
        behind_the_dead(path.as_str(), &lock.appended, world, times, &mut waits);
    }
    not_pulled(world, model, times, &mut waits);
    waits
}

/// Participants that are up, whose vote is durable, and that have not even appended an outcome.
fn in_doubt(
    txn: TxnId,
    known: &Txn,
    world: &World,
    model: &Model,
    times: &StepTimes,
    waits: &mut Vec<Wait>,
) {
    for (&node, yes) in &known.yes {
        if !world.host(node).is_up() || !model.memory.is_in_doubt_about(node, txn) {
            continue;
        }
        let pins = known.pinned.get(&node).map_or(&[][..], |pins| &pins[..]);
        waits.push(Wait {
            kind: kind::IN_DOUBT,
            machine: node,
            for_what: format!(
                "the decision about {txn}, for which it has voted yes; it keeps {} pinned",
                pins.iter().map(Path::as_str).collect::<Vec<_>>().join(", ")
            ),
            since: times.of(yes.step),
            released_by: match model.coordinator_is_gone(txn) {
                Some(_) => what_the_centre_awaits(txn, known, world),
                None => sources_of_outcome(txn, known, node, world),
            },
        });
    }
}

/// What keeps the centre from deciding about a transaction whose coordinator's disk is gone.
fn what_the_centre_awaits(txn: TxnId, known: &Txn, world: &World) -> String {
    let members = known.participants.iter().copied().chain([txn.coordinator]);
    let down = members.filter(|node| !world.host(*node).is_up());
    let down: Vec<String> = down.map(|node| node.to_string()).collect();
    let coordinator = txn.coordinator;
    match down.is_empty() {
        true => format!("the next answer of the centre: the disk of {coordinator} is gone"),
        false => format!(
            "{} starting again: the disk of {coordinator}, which coordinated it, is gone, and the \
             centre decides when every participant has reported or is lost",
            down.join(" and ")
        ),
    }
}

/// The machines that could tell a participant what became of a transaction.
fn sources_of_outcome(txn: TxnId, known: &Txn, participant: NodeId, world: &World) -> String {
    let coordinator = txn.coordinator;
    let of_coordinator = match reach(coordinator, participant, world) {
        Reach::Down => format!("{coordinator}, which coordinates it, starting again"),
        Reach::Cut => format!("the link to {coordinator}, which coordinates it, being whole again"),
        Reach::Paused => format!("{coordinator}, which coordinates it, going on"),
        Reach::Yes => format!("the next answer of {coordinator}, which coordinates it"),
    };
    let others = known.participants.iter().filter(|other| **other != participant);
    let knows =
        |other: &&NodeId| known.outcomes.contains_key(other) || !known.yes.contains_key(other);
    let tellers: Vec<String> = others.filter(knows).map(NodeId::to_string).collect();
    match tellers.is_empty() {
        true => format!("{of_coordinator}; every other participant is in doubt as well"),
        false => format!("{of_coordinator}; or a word with {}", tellers.join(" or ")),
    }
}

/// How one machine stands to another.
enum Reach {
    Down,
    Paused,
    Cut,
    Yes,
}

fn reach(node: NodeId, from: NodeId, world: &World) -> Reach {
    let host = world.host(node);
    let is_linked = world.is_linked(from, node) && world.is_linked(node, from);
    match (host.is_up(), host.is_paused(), is_linked) {
        (false, _, _) => Reach::Down,
        (true, true, _) => Reach::Paused,
        (true, false, false) => Reach::Cut,
        (true, false, true) => Reach::Yes,
    }
}

/// Coordinators whose decision some participant has not made durable.
fn unacknowledged(
    txn: TxnId,
    known: &Txn,
    world: &World,
    times: &StepTimes,
    waits: &mut Vec<Wait>,
) {
    let Some(decided) = known.decided.as_ref().filter(|_| known.over.is_none()) else { return };
    let coordinator = txn.coordinator;
    if !world.host(coordinator).is_up() {
        return;
    }
    let is_open = |node: &&NodeId| !known.outcomes.contains_key(node) && !known.gone.contains(node);
    let awaited = known.participants.iter().filter(is_open);
    for &node in awaited {
        let released_by = match reach(node, coordinator, world) {
            Reach::Down => format!("{node} starting again"),
            Reach::Paused => format!("{node} going on"),
            Reach::Cut => format!("the link to {node} being whole again"),
            Reach::Yes => format!("{node} taking the next commit message"),
        };
        let for_what = format!("{node} to acknowledge the commit of {txn}");
        waits.push(Wait {
            kind: kind::UNACKNOWLEDGED,
            machine: coordinator,
            for_what,
            since: times.of(decided.step),
            released_by,
        });
    }
}

/// Live clients in line for a lock that is held in a life that is over.
fn behind_the_dead(
    path: &str,
    lock: &Lock,
    world: &World,
    times: &StepTimes,
    waits: &mut Vec<Wait>,
) {
    let Some(At { is: (holder, token), .. }) = &lock.holder else { return };
    if is_alive(holder.client, *holder, world) {
        return;
    }
    let released_by = match world.host(NodeId::CONTROL).is_up() {
        true => format!("the end of the lease of {}, which control counts", holder.client),
        false => "control starting again, and then one lease".to_owned(),
    };
    for waiting in lock.line.iter().filter(|w| is_alive(w.is.client, w.is, world)) {
        waits.push(Wait {
            kind: kind::BEHIND_THE_DEAD,
            machine: waiting.is.client,
            for_what: format!(
                "the lock of {path}, which {holder} held under {token} when it crashed"
            ),
            since: times.of(waiting.step),
            released_by: released_by.clone(),
        });
    }
}

/// What a request wants, in words.
pub fn wanted_in_words(wanted: &Request) -> String {
    match wanted {
        Request::Files { operations, .. } => {
            let paths: Vec<&str> = operations.iter().map(|op| op.path.as_str()).collect();
            format!("a transaction on {}", paths.join(", "))
        }
        Request::Acquire { path, .. } => format!("the lock of {path}"),
        Request::Release { path } => format!("to be rid of the lock of {path}"),
    }
}

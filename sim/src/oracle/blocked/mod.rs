//! When progress stops: who waits for what, since when, and what would release it.
//!
//! Being blocked is a result and not a time-out. Two-phase commit *must* block when everyone who
//! could know is gone (Skeen, "Nonblocking Commit Protocols", SIGMOD 1981), and a report that says
//! for whom everybody waits is worth more than one that says that nothing happened.

use std::collections::BTreeSet;

use seedbed::proto::{Arcs, Epoch, Member, NodeId, Path, Reply, Request, RequestId, Time, TxnId};

use crate::oracle::model::is_alive;
use crate::oracle::model::lock_log::{LockLog, LoggedLock};
use crate::oracle::{At, Model, Txn};
use crate::world::{Step, World};

/// Someone who waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// What kind of thing it waits for.
    pub kind: WaitKind,
    /// Who.
    pub who: NodeId,
    /// For what, in words.
    pub for_what: String,
    /// Since when, in true time.
    pub since: Time,
    /// What would end it, in words.
    pub released_by: String,
}

/// What somebody waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitKind {
    /// A participant that has voted yes, for the decision.
    InDoubt,
    /// A coordinator, for a participant to acknowledge its decision.
    Unacknowledged,
    /// A client, for a lock whose holder is dead.
    BehindTheDead,
    /// A client, for an answer.
    Unanswered,
    /// A new owner of a piece of the ring, for an owner of an earlier epoch that is down.
    NotPulled,
    /// Somebody, for what only a disk could prove that is gone.
    Lost,
}

/// When the steps were that made something durable: the model knows facts by their steps.
#[derive(Clone, Debug, Default)]
pub struct StepTimes(Vec<(u64, Time)>);

impl StepTimes {
    /// Takes note of a step.
    pub fn observe(&mut self, step: &Step) {
        if !step.durable.is_empty() {
            self.0.push((step.index, step.at));
        }
    }

    /// When `step` was, if it made something durable; else the last one before it that did.
    pub fn of(&self, step: u64) -> Time {
        let after = self.0.partition_point(|(index, _)| *index <= step);
        after.checked_sub(1).map_or(Time::ZERO, |last| self.0[last].1)
    }
}

/// Everyone who is up and waits, in the order of what they wait for: decisions, acknowledgements,
/// locks, answers.
///
/// A roll-back and the end of a lease are written lazily, so a run may end before they are durable.
/// Who has appended them does not wait any more.
pub(super) fn who_waits(
    world: &World,
    model: &Model,
    locks: &LockLog,
    times: &StepTimes,
) -> Vec<Wait> {
    let mut waits = Vec::new();
    for (txn, known) in model.txns.iter() {
        in_doubt(txn, known, world, model, times, &mut waits);
        if model.coordinator_is_gone(txn).is_none() {
            unacknowledged(txn, known, world, times, &mut waits);
        }
    }
    for (path, lock) in locks.locks() {
        behind_the_dead(path.as_str(), lock, world, times, &mut waits);
    }
    not_pulled(world, model, times, &mut waits);
    unanswered(world, model, &mut waits);
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
        if !world.host(node).is_up() || !model.is_in_doubt_about(node, txn) {
            continue;
        }
        let pins = known.pinned.get(&node).map_or(&[][..], |pins| &pins[..]);
        let is_lost = model.is_lost(txn);
        waits.push(Wait {
            kind: if is_lost { WaitKind::Lost } else { WaitKind::InDoubt },
            who: node,
            for_what: format!(
                "the decision about {txn}, for which it has voted yes; it keeps {} pinned",
                pins.iter().map(Path::as_str).collect::<Vec<_>>().join(", ")
            ),
            since: times.of(yes.step),
            released_by: match is_lost {
                true => format!(
                    "nothing: the disk of {}, which coordinated it, is gone, and nobody who is \
                     left can prove what became of it",
                    txn.coordinator
                ),
                false => who_can_tell(txn, known, node, world),
            },
        });
    }
}

/// Who could tell a participant what became of a transaction.
fn who_can_tell(txn: TxnId, known: &Txn, who: NodeId, world: &World) -> String {
    let coordinator = txn.coordinator;
    let of_coordinator = match reach(coordinator, who, world) {
        Reach::Down => format!("{coordinator}, which coordinates it, starting again"),
        Reach::Cut => format!("the link to {coordinator}, which coordinates it, being whole again"),
        Reach::Paused => format!("{coordinator}, which coordinates it, going on"),
        Reach::Yes => format!("the next answer of {coordinator}, which coordinates it"),
    };
    let others = known.participants.iter().filter(|other| **other != who);
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

/// Coordinators whose decision somebody has not made durable.
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
            kind: WaitKind::Unacknowledged,
            who: coordinator,
            for_what,
            since: times.of(decided.step),
            released_by,
        });
    }
}

/// A piece of the ring that a node owns and cannot pull.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Missed {
    /// The new owner.
    pub who: NodeId,
    /// The earlier epoch of which nobody who is up can tell.
    pub level: Epoch,
    /// What it misses.
    pub arcs: Arcs,
    /// The owners in that epoch whose word would do, and who are down.
    pub down: BTreeSet<NodeId>,
    /// Those whose disk is gone.
    pub gone: BTreeSet<NodeId>,
}

/// What members of the newest view cannot pull because nobody is up who could hand it over or
/// witness that nothing was committed.
pub(super) fn who_is_missed(model: &Model, world: &World) -> Vec<Missed> {
    let mut missed = Vec::new();
    let (Some(config), Some(newest)) = (model.disks.managed(), model.views.newest()) else {
        return missed;
    };
    let epoch = newest.is.epoch;
    let Some(placement) = model.views.placement(config, epoch) else { return missed };
    for who in newest.is.members.iter().map(|member| member.node) {
        let claim = model.disks.get(who).and_then(|disk| disk.claims.get(&epoch));
        let claimed = claim.map_or(Arcs::default(), |claim| claim.is.clone());
        let mut open = placement.owned_by(who).difference(&claimed);
        for view in model.views.open().filter(|view| view.is.epoch < epoch) {
            if open.is_empty() || !world.host(who).is_up() {
                break;
            }
            let level = view.is.epoch;
            let Some(then) = model.views.placement(config, level) else { break };
            let (mut has, mut witnesses) = (Arcs::default(), Arcs::default());
            let (mut down, mut gone) = (BTreeSet::new(), BTreeSet::new());
            let mut given_up = open.clone();
            for &member in view.is.members.iter() {
                let owned = then.owned_by(member.node).intersection(&open);
                if !is_given_up(member, model) {
                    given_up = given_up.difference(&owned);
                }
                match owned.is_empty() {
                    true => {}
                    false if is_gone(member, model) => {
                        gone.insert(member.node);
                    }
                    false if !world.host(member.node).is_up() => {
                        down.insert(member.node);
                    }
                    false => {
                        let disk = model.disks.get(member.node);
                        let claim = disk.and_then(|disk| disk.claims.get(&level));
                        let claim = claim.map_or(Arcs::default(), |claim| claim.is.clone());
                        has = has.union(&owned.intersection(&claim));
                        witnesses = witnesses.union(&owned.difference(&claim));
                    }
                }
            }
            open = open.difference(&has);
            witnesses = witnesses.union(&given_up);
            let arcs = open.difference(&witnesses);
            if !arcs.is_empty() {
                let concerns = |node: &NodeId| !then.owned_by(*node).intersection(&arcs).is_empty();
                down.retain(concerns);
                gone.retain(concerns);
                missed.push(Missed { who, level, arcs, down, gone });
            }
            open = open.intersection(&witnesses);
        }
    }
    missed
}

/// Has the operator given up what only the disk of this member could prove?
fn is_given_up(member: Member, model: &Model) -> bool {
    let successor = model.disks.get(member.node).and_then(|disk| disk.born.as_ref());
    let accepted = model.views.accepted();
    let is_accepted =
        successor.zip(accepted).is_some_and(|(born, all)| born.is <= all.is.admission);
    is_gone(member, model) && is_accepted
}

/// Is the disk of this member lost?
fn is_gone(member: Member, model: &Model) -> bool {
    model.gone.contains_key(&member)
}

fn not_pulled(world: &World, model: &Model, times: &StepTimes, waits: &mut Vec<Wait>) {
    for Missed { who, level, arcs, down, gone } in who_is_missed(model, world) {
        let names = |of: &BTreeSet<NodeId>| {
            of.iter().map(NodeId::to_string).collect::<Vec<_>>().join(" or ")
        };
        let (kind, released_by) = match down.is_empty() {
            false => (WaitKind::NotPulled, format!("{} starting again", names(&down))),
            true => {
                let of = names(&gone);
                let says = format!("nothing but the operator: the disk of {of} is gone");
                (WaitKind::Lost, says)
            }
        };
        let entered = model.disks.get(who).map_or(0, |disk| disk.epoch.step);
        let for_what = format!("what was committed in {level} on {arcs}, which it owns now");
        waits.push(Wait { kind, who, for_what, since: times.of(entered), released_by });
    }
}

/// Live clients in line for a lock that is held in a life that is over.
fn behind_the_dead(
    path: &str,
    lock: &LoggedLock,
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
            kind: WaitKind::BehindTheDead,
            who: waiting.is.client,
            for_what: format!(
                "the lock of {path}, which {holder} held under {token} when it crashed"
            ),
            since: times.of(waiting.step),
            released_by: released_by.clone(),
        });
    }
}

/// Requests that live clients have not answered.
fn unanswered(world: &World, model: &Model, waits: &mut Vec<Wait>) {
    for (&request, asked) in &model.requests {
        let reply: Option<&At<Reply>> = asked.reply.as_ref();
        if reply.is_some() || !is_alive(request.client, request, world) {
            continue;
        }
        let since = asked.asked.is;
        let gives_up = since + world.config().request_timeout;
        waits.push(Wait {
            kind: WaitKind::Unanswered,
            who: request.client,
            for_what: format!("the answer to {request}: {}", in_words(&asked.wanted)),
            since,
            released_by: released_by(request, gives_up, world),
        });
    }
}

fn released_by(request: RequestId, gives_up: Time, world: &World) -> String {
    match world.host(request.client).is_paused() {
        true => format!("{} going on", request.client),
        false => format!("an answer, or its client giving up at about {gives_up}"),
    }
}

fn in_words(wanted: &Request) -> String {
    match wanted {
        Request::Files { operations, .. } => {
            let paths: Vec<&str> = operations.iter().map(|op| op.path.as_str()).collect();
            format!("a transaction on {}", paths.join(", "))
        }
        Request::Acquire { path, .. } => format!("the lock of {path}"),
        Request::Release { path } => format!("to be rid of the lock of {path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::invariants::transfer::EveryArcIsCompleteAndSettledAtTheEnd;
    use crate::oracle::tests::{Play, born, entered, loss_accepted, n};
    use seedbed::proto::{Admission, Record};

    /// n1 was complete in the first epoch, n2 was a member of the second and got nothing, n3 is the
    /// member of the third. Only n3 is up.
    fn play() -> Play {
        let mut play = Play::managed(EveryArcIsCompleteAndSettledAtTheEnd::default());
        play.views(1, &[n(1)]);
        play.is_complete(n(1), 1);
        play.forces(NodeId::CONTROL, Record::Converged { epoch: Epoch(1) });
        play.views(2, &[n(2)]);
        play.views(3, &[n(3)]);
        for (number, epoch) in [(2, 2), (3, 3)] {
            play.forces(n(number), born());
            play.forces(n(number), entered(epoch, Arcs::default()));
        }
        play.really_starts(n(3));
        play
    }

    fn missed(level: u32, down: &[NodeId], gone: &[NodeId]) -> Missed {
        let [down, gone] = [down, gone].map(|nodes| nodes.iter().copied().collect());
        Missed { who: n(3), level: Epoch(level), arcs: Arcs::all(), down, gone }
    }

    #[test]
    fn without_a_witness_the_epoch_before_is_missed() {
        assert_eq!(play().missed(), [missed(2, &[n(2)], &[])]);
    }

    #[test]
    fn behind_a_witness_the_source_is_missed_until_it_is_up() {
        let mut play = play();
        play.really_starts(n(2));
        assert_eq!(play.missed(), [missed(1, &[n(1)], &[])]);
        play.really_starts(n(1));
        assert_eq!(play.missed(), []);
    }

    #[test]
    fn what_only_a_lost_disk_had_is_missed_until_the_operator_gives_it_up() {
        let mut play = play();
        play.really_starts(n(2));
        play.loses_its_disk(n(1));
        assert_eq!(play.missed(), [missed(1, &[], &[n(1)])]);
        play.forces(NodeId::CONTROL, loss_accepted());
        assert_eq!(play.missed(), [missed(1, &[], &[n(1)])], "nobody says yet that it is lost");
        play.forces(n(1), Record::Born { admission: Admission(9) });
        assert_eq!(play.missed(), []);
    }
}

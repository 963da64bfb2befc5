//! The bench: one invariant, and what it is shown, by hand, as the oracle would show it.
//!
//! Every verb is a step of its own. `at` begins a step at a time, and the verb behind it belongs to
//! that step. `and` goes on in the step of the verb before it:
//!
//! ```text
//! let mut play = Play::new(OneHolderPerLock);
//! play.at(10).receives(c(1), CONTROL, acquire("/a", request(1, 1)));
//! play.and().appends(CONTROL, granted("/a", request(1, 1), 1));
//! play.syncs(CONTROL);
//! let breach = play.appends(CONTROL, granted("/a", request(2, 1), 2)).breaks();
//! ```

pub(in crate::file_service::oracle) mod messages;
mod real_storage;
pub(in crate::file_service::oracle) mod records;
mod views;

use std::collections::BTreeMap;

use seedbed::machine::{Incarnation, NodeId, RequestId, Time};
use seedbed::proto::{
    Config, Membership, Message, Notice, Operation, Record, Reply, Request, Settings, Token,
};

use crate::file_service::oracle::registry::Named;
use crate::file_service::oracle::tests::bench::messages::{begin, files};
use crate::file_service::oracle::tests::bench::records::{c, member, n, path};
use crate::file_service::oracle::{Breach, Model, Oracle, Seen, Told, Violation};
use crate::file_service::{Stage, World};
use crate::world::{Clock, Loss, PacketId, Tear};

/// One invariant and what it is shown. Behind it is a world in which nothing happens but what a
/// `really_` verb makes happen.
pub struct Play {
    pub(super) oracle: Oracle,
    pub(super) stage: Stage<()>,
    logs: BTreeMap<NodeId, Log>,
    /// Does the next verb belong to the step under way?
    goes_on: bool,
    violation: Option<Violation>,
}

/// A log, as far as the play knows it.
#[derive(Default)]
struct Log {
    end: u64,
    /// What a crash can take.
    pending: Vec<(u64, Record)>,
}

impl Play {
    /// Three storage nodes, all of them owners of every path, and two clients.
    pub fn new(invariant: impl Named + 'static) -> Play {
        Play::of(Settings { replicas: 3, ..Settings::default() }, invariant)
    }

    /// Three storage nodes that wait for a view, two owners for each path, and two clients.
    pub fn managed(invariant: impl Named + 'static) -> Play {
        Play::of(Settings { membership: Membership::Managed, ..Settings::default() }, invariant)
    }

    /// A cluster as `settings` say, all of it down, and two clients.
    pub fn of<I: Named + 'static>(settings: Settings, invariant: I) -> Play {
        let world = World::of_config(Config::new(settings).expect("good settings"), 2);
        let oracle = Oracle::of(&world, vec![(I::NAME, Box::new(invariant))]);
        let (stage, logs) = (Stage::new(world, ()), BTreeMap::new());
        Play { oracle, stage, logs, goes_on: false, violation: None }
    }

    pub fn model(&self) -> &Model {
        self.oracle.model()
    }

    pub fn world(&self) -> &World {
        &self.stage.world
    }

    /// Begins a step at this many milliseconds.
    pub fn at(&mut self, ms: u64) -> &mut Play {
        self.at_nanos(ms * 1_000_000)
    }

    /// Begins a step at this many nanoseconds.
    pub fn at_nanos(&mut self, ns: u64) -> &mut Play {
        self.oracle.begin(self.oracle.step() + 1, Time::from_nanos(ns));
        self.and()
    }

    /// What comes next belongs to the same step.
    pub fn and(&mut self) -> &mut Play {
        self.goes_on = true;
        self
    }

    /// Shows something. The first breach counts; what comes after it is only taken over.
    pub fn sees(&mut self, seen: &Seen<'_>) -> &mut Play {
        if !std::mem::take(&mut self.goes_on) {
            self.oracle.begin(self.oracle.step() + 1, self.oracle.now());
        }
        match self.violation {
            None => self.violation = self.oracle.see(seen, &self.stage.world).err(),
            Some(_) => self.oracle.take_over(seen, &self.stage.world),
        }
        self
    }

    /// The simulation tells the oracle something.
    pub fn is_told(&mut self, told: Told) -> &mut Play {
        self.oracle.tell(told);
        self
    }

    pub fn sends(&mut self, from: NodeId, to: NodeId, message: Message) -> &mut Play {
        self.sees(&Seen::Sent { packet: PacketId(0), from, to, message: &message })
    }

    pub fn receives(&mut self, from: NodeId, to: NodeId, message: Message) -> &mut Play {
        self.sees(&Seen::Received { packet: PacketId(0), from, to, message: &message })
    }

    pub fn loses(&mut self, from: NodeId, to: NodeId, message: Message) -> &mut Play {
        let (packet, loss) = (PacketId(0), Loss::Network);
        self.sees(&Seen::Lost { packet, from, to, message: &message, loss })
    }

    pub fn wakes(&mut self, node: NodeId) -> &mut Play {
        self.sees(&Seen::Woken { node })
    }

    /// Appends a forced record; a crash may lose it.
    pub fn appends(&mut self, node: NodeId, record: Record) -> &mut Play {
        let log = self.logs.entry(node).or_default();
        let position = log.end;
        log.end += 1;
        log.pending.push((position, record.clone()));
        self.sees(&Seen::Appended { node, position, record: &record, forced: true })
    }

    /// All that it has appended is durable.
    pub fn syncs(&mut self, node: NodeId) -> &mut Play {
        for (position, record) in std::mem::take(&mut self.logs.entry(node).or_default().pending) {
            self.sees(&Seen::Durable { node, position, record: &record }).and();
        }
        self.goes_on = false;
        self
    }

    /// Appends a record, and syncs in a step after that.
    pub fn forces(&mut self, node: NodeId, record: Record) -> &mut Play {
        self.appends(node, record).syncs(node)
    }

    /// Appends a record and syncs, in one step.
    pub fn logs(&mut self, node: NodeId, record: Record) -> &mut Play {
        self.appends(node, record).and().syncs(node)
    }

    /// A machine stops and loses what was not durable.
    pub fn crashes(&mut self, node: NodeId) -> &mut Play {
        self.crashes_keeping(node, 0)
    }

    /// A machine stops, and so many of the records that were not durable stay on its disk.
    pub fn crashes_keeping(&mut self, node: NodeId, kept: u64) -> &mut Play {
        let log = self.logs.entry(node).or_default();
        let count = std::mem::take(&mut log.pending).len() as u64 - kept;
        log.end -= count;
        let from = log.end;
        self.sees(&Seen::Crashed { node });
        if count > 0 {
            let (torn, tear) = (0, Tear::default());
            self.and().sees(&Seen::Forgot { node, from, count, torn, tear });
        }
        self
    }

    /// The disk of a machine is full, or has room again, and the machine is told.
    pub fn is_told_of_disk(&mut self, node: NodeId, is_full: bool) -> &mut Play {
        self.sees(&Seen::DiskFilled { node, is_full });
        self.and().sees(&Seen::ToldOfDisk { node, is_full })
    }

    pub fn loses_its_disk(&mut self, node: NodeId) -> &mut Play {
        self.crashes(node);
        self.logs.remove(&node);
        self.sees(&Seen::Wiped { node })
    }

    /// The disk that a node had under its first admission has been lost already.
    pub fn had_lost_its_disk(&mut self, node: NodeId) -> &mut Play {
        self.oracle.model_mut().disks.gone.insert(member(node), 1);
        self
    }

    pub fn starts(&mut self, node: NodeId) -> &mut Play {
        let incarnation = self.model().lives.get(&node).copied().unwrap_or_default().next();
        self.sees(&Seen::Started { node, incarnation })
    }

    pub fn has_clock(&mut self, node: NodeId, clock: Clock) -> &mut Play {
        *self.stage.world.clock_mut(node) = clock;
        self
    }

    /// A user asks for something.
    pub fn requests(&mut self, request: RequestId, wanted: Request) -> &mut Play {
        self.sees(&Seen::Requested { request, wanted: &wanted })
    }

    /// A user asks for `operations`, and the client begins.
    pub fn asks(&mut self, request: RequestId, operations: &[Operation]) -> &mut Play {
        self.requests(request, files(operations)).begins(request, operations)
    }

    pub fn begins(&mut self, request: RequestId, operations: &[Operation]) -> &mut Play {
        self.sends(c(1), n(1), begin(request, request, operations))
    }

    pub fn replies(&mut self, request: RequestId, reply: Reply) -> &mut Play {
        self.sees(&Seen::Replied { request, reply: &reply })
    }

    /// A client says that it holds a lock until its clock shows this many milliseconds.
    pub fn believes(&mut self, at: &str, request: RequestId, token: u64, ms: u64) -> &mut Play {
        let (until, token) = (Time::from_nanos(ms * 1_000_000), Token(token));
        let notice = Notice::Holding { path: path(at), request, token, until };
        self.sees(&Seen::Noticed { client: request.client, notice: &notice })
    }

    /// A client says that it does not hold a lock any more.
    pub fn gives_up(&mut self, at: &str, request: RequestId, token: u64) -> &mut Play {
        let notice = Notice::Lost { path: path(at), token: Token(token) };
        self.sees(&Seen::Noticed { client: request.client, notice: &notice })
    }

    /// The run is over, and nothing was broken before that.
    #[track_caller]
    pub fn ends(&mut self) -> &mut Play {
        self.holds();
        self.goes_on = false;
        self.violation = self.oracle.at_end(&self.stage.world).err();
        self
    }

    /// Nothing is broken so far.
    #[track_caller]
    pub fn holds(&self) {
        assert_eq!(self.violation, None);
    }

    /// Is nothing broken so far?
    pub fn is_lawful(&self) -> bool {
        self.violation.is_none()
    }

    /// The last step breaks it, and none before.
    #[track_caller]
    pub fn breaks(&mut self) -> Breach {
        let Violation { breach, .. } = self.violation.take().expect("a breach");
        assert_eq!(breach.now.step, self.model().step, "what has happened now");
        *breach
    }

    /// The invariant `name` is broken by two facts, of these steps and with these words.
    #[track_caller]
    pub fn is_broken_by(&self, name: &str, earlier: (u64, &str), now: (u64, &str)) {
        let Violation { invariant, breach, .. } = self.violation.as_ref().expect("a breach");
        assert_eq!(invariant.name(), name);
        for (found, expected) in [(&breach.earlier, earlier), (&breach.now, now)] {
            assert_eq!(found.step, expected.0, "{breach:#?}");
            assert!(found.is.contains(expected.1), "no `{}` in {breach:#?}", expected.1);
        }
    }

    /// The life of a node that is up, as the play has it.
    pub(super) fn life(&self, node: NodeId) -> Incarnation {
        self.model().lives.get(&node).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::invariants::commit::ParticipantsAgree;
    use crate::file_service::oracle::tests::bench::records::{promised, txn};

    #[test]
    fn every_verb_is_a_step_but_what_is_joined() {
        let mut play = Play::new(ParticipantsAgree);
        assert_eq!(play.wakes(n(1)).wakes(n(2)).model().step, 2);
        assert_eq!(play.at(5).wakes(n(1)).and().wakes(n(2)).model().step, 3);
        assert_eq!(play.model().now.as_nanos(), 5_000_000);
        assert_eq!(play.forces(n(1), promised(txn(1))).model().step, 5);
        assert_eq!(play.logs(n(1), promised(txn(2))).model().step, 6);
        play.appends(n(1), promised(txn(3))).appends(n(1), promised(txn(4)));
        assert_eq!(play.syncs(n(1)).wakes(n(1)).model().step, 10);
        assert_eq!(play.at(6).ends().model().step, 11);
    }

    #[test]
    fn a_crash_takes_the_end_of_what_was_not_durable() {
        let mut play = Play::new(ParticipantsAgree);
        play.forces(n(1), promised(txn(1)));
        play.appends(n(1), promised(txn(2))).appends(n(1), promised(txn(3)));
        play.crashes_keeping(n(1), 1).starts(n(1));
        assert_eq!(play.model().log(n(1)).durable, 1, "what stayed is not shown again");
        assert_eq!(play.forces(n(1), promised(txn(4))).model().log(n(1)).durable, 3);
    }
}

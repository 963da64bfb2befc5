//! What follows from a step: a latency for each message, a time for each sync, the next request of
//! a user or of the probes.

use crate::outcome::Outcome;
use crate::under_test::{Probes, UnderTest};
use std::sync::Arc;

use seedbed::machine::{NodeId, RequestId};

use super::binding::Binding;
use super::message_rules::Sent;
use super::queue::Turn;
use super::scheduled::{Act, Cause, Due};
use super::users::Next;
use super::{DrawnCourse, Simulation};
use crate::draw::chaos::RECOVERY;
use crate::draw::message_delivery::{Arrival, Course};
use crate::oracle::Told;
use crate::world::PacketId;
use crate::world::{Event, Fact, Packet};

impl<S: UnderTest> Simulation<'_, S> {
    /// Puts what follows from the step into the queue.
    pub(super) fn follow_up(&mut self, cause: Cause) {
        let facts = std::mem::take(&mut self.step.facts);
        for fact in &facts {
            self.follow_fact(fact, cause);
        }
        self.step.facts = facts;
        if let Some(node) = self.step.moves_deadline_of() {
            self.put_wake(node);
        }
    }

    fn follow_fact(&mut self, fact: &Fact<S>, cause: Cause) {
        match fact {
            Fact::Sent { packet, from, to, message } => {
                self.messages += 1;
                let course = self.links.course(*from, *to);
                let course = self.by_rule(Sent { from: *from, to: *to, message }, course);
                let kind = S::message_kind(message);
                self.watch_course(*from, *to, kind, course);
                if let Some(recording) = &mut self.recording {
                    let (at, packet, from, to) = (self.queue.now(), *packet, *from, *to);
                    let copy = None;
                    recording.messages.push(DrawnCourse {
                        at,
                        packet,
                        kind,
                        from,
                        to,
                        course,
                        copy,
                    });
                }
                self.send(*packet, *from, *to, course);
            }
            Fact::Copied { packet } => self.send_copy(*packet, cause),
            Fact::SyncBegan { node } => {
                let host = self.world.host(*node);
                let (life, span) = (host.incarnation(), self.disks.sync(*node, host.disk()));
                if let Some(recording) = &mut self.recording {
                    recording.syncs.push((*node, span));
                }
                let synced = self.queue.now() + span;
                if span > self.affordable {
                    self.oracle.tell(Told::SlowSync(*node, synced));
                }
                self.queue.put(synced, Due::Synced(*node, life));
            }
            Fact::Requested { request } => self.on_requested(*request, cause),
            Fact::Replied { request, reply } => {
                self.on_replied(*request, reply);
                if let Some((pause, due)) = self.scripts.on_replied(*request) {
                    self.queue.put(self.queue.now() + pause, due);
                }
                if let Some(next) = self.users.on_replied(*request, reply) {
                    self.put_ask(next);
                }
                if self.probes.have_begun() {
                    let (world, model) = (&self.world, self.oracle.model());
                    let asks = self.probes.on_replied(*request, reply, world, model);
                    self.put_probes(asks);
                }
            }
            Fact::Started { node, .. } => {
                let all = self.users.on_started(*node);
                all.into_iter().for_each(|next| self.put_ask(next));
            }
            // The operator looks at the disk and starts the machine again.
            Fact::RefusedToStart { node, .. } => {
                let start = Due::Inject(Act::Start(*node));
                self.queue.first([Turn::Later(self.queue.now() + RECOVERY, start)]);
            }
            Fact::Appended { .. } | Fact::Durable { .. } | Fact::Checkpointed { .. } => {}
            Fact::Forgot { .. } | Fact::Wiped { .. } | Fact::Noticed { .. } => {}
            Fact::ToldOfDisk { .. } => {}
        }
    }

    /// The course of a message under the rules of the file.
    fn by_rule(&mut self, sent: Sent<'_, S>, course: Course) -> Course {
        if self.rules.is_empty() {
            return course;
        }
        let (world, model) = (&self.world, self.oracle.model());
        let binding =
            Binding { world, model, milestones: &self.milestones, scripts: &self.scripts };
        self.rules.course(&sent, course, binding)
    }

    /// A message that is under way for longer than its link takes at most.
    fn watch_course(&mut self, from: NodeId, to: NodeId, kind: S::MessageKind, course: Course) {
        let Some(coverage) = &mut self.coverage else { return };
        let is_late = course.latency > self.links.latency(from, to).max;
        if is_late && course.arrival == Arrival::Arrives {
            coverage.on_delayed(kind);
        }
    }

    fn send(&mut self, packet: PacketId, from: NodeId, to: NodeId, course: Course) {
        let now = self.queue.now();
        if course.latency > self.affordable {
            self.oracle.tell(Told::HeldUp(from, to, now + course.latency));
        }
        if course.arrival == Arrival::DroppedAtOnce {
            return self.queue.put(now, Due::Lose(packet));
        }
        if !self.world.is_linked(from, to) {
            return self.queue.put(now, Due::Arrive(packet));
        }
        if let Some(after) = course.copy_after {
            self.queue.put(now, Due::Copy(packet, after));
        }
        let due = match course.arrival {
            Arrival::Arrives => Due::Arrive(packet),
            Arrival::Lost | Arrival::DroppedAtOnce => Due::Lose(packet),
        };
        self.queue.put(now + course.latency, due);
    }

    fn send_copy(&mut self, packet: PacketId, cause: Cause) {
        let after = match cause {
            Cause::Copy(after) => after,
            Cause::User(_) | Cause::Script(_) | Cause::Probe(_) | Cause::Other => {
                unreachable!("a copy is made where one is due")
            }
        };
        if let Some(Packet { from, to, .. }) = self.world.network().get(packet) {
            let (from, to) = (*from, *to);
            let course = self.links.course_of_copy(from, to, after);
            if let (Some(recording), Event::Duplicate(original)) =
                (&mut self.recording, &self.step.event)
            {
                recording.on_copied(*original, course);
            }
            self.send(packet, from, to, course);
        }
    }

    fn on_requested(&mut self, request: RequestId, cause: Cause) {
        match cause {
            Cause::User(user) => {
                self.users.on_requested(user, request);
                if let (Some(recording), Event::Request { client, request }) =
                    (&mut self.recording, &self.step.event)
                {
                    recording.requests.push((self.queue.now(), *client, request.clone()));
                }
            }
            Cause::Script(performance) => self.scripts.on_requested(performance, request),
            Cause::Probe(number) => self.probes.on_requested(request, number),
            Cause::Copy(_) | Cause::Other => {}
        }
    }

    /// A request that times out in a circle of waits: only that ends the circle.
    fn on_replied(&mut self, request: RequestId, reply: &S::Reply) {
        if S::outcome(reply) == Outcome::Unknown {
            let model = self.oracle.model();
            let waits = S::deadlock(request, &self.world, model, &self.times);
            if self.verdict.is_none() && !waits.is_empty() {
                let counts = self.milestones.counts();
                self.verdict = Some(self.ending().verdict(waits, counts));
            }
        }
    }

    fn put_ask(&mut self, next: Next<S>) {
        let Next { user, think, request } = next;
        let life = self.world.host(user.client).incarnation();
        let ask = Due::Ask(user, life, Arc::new(request));
        self.queue.put(self.queue.now() + think, ask);
    }

    /// Sees to it that a machine is woken in time.
    pub(super) fn put_wake(&mut self, node: NodeId) {
        let Some(due) = self.world.next_wake(node) else { return };
        self.queue.put_wake(self.world.index(node), node, due.max(self.world.now()));
    }
}

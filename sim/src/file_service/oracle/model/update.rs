//! What happens, and which parts of the model take it over.
//!
//! Each kind of record stands in the match over durable records: so a new one does not go
//! unnoticed, and no part need name those that are not its own.

use std::sync::Arc;

use seedbed::machine::{NodeId, RequestId, Time};
use seedbed::proto::{
    Config, Decided, Ended, Epoch, FileRequest, FileService, FromCentre, LockRequest, Message,
    Path, Record, Reply, Request, ToCentre, TxnId, TxnMessage, Voted,
};

use super::Model;
use super::files::{Committed, Files};
use super::locks::heard_by_lock_server::keeps_request;
use crate::file_service::World;
use crate::file_service::oracle::{At, Seen, Told};
use crate::oracle;

impl oracle::Model<FileService> for Model {
    fn on_step(&mut self, step: u64, now: Time) {
        (self.step, self.now) = (step, now);
    }

    fn update(&mut self, seen: &Seen<'_>, world: &World) {
        match *seen {
            Seen::Requested { request, wanted } => {
                let at = At { step: self.step, is: self.now };
                self.requests.on_requested(request, wanted, at);
                self.askers.on_requested(request);
                self.probes.on_requested(request);
            }
            Seen::Sent { from, to, message, .. } => self.on_sent(from, to, message),
            Seen::Received { from, to, message, .. } => {
                self.on_received(from, to, message, world);
            }
            Seen::Appended { node, position, record, forced } => {
                if forced {
                    self.logs.on_forced(node, position);
                }
                self.on_appended(node, position, record);
                self.go_back(node, record, world);
            }
            Seen::Durable { node, position, record } => {
                self.logs.on_durable(self.step, node, position);
                self.on_durable(node, position, record, world.config());
            }
            Seen::Forgot { node: NodeId::CONTROL, from, .. } => {
                self.locks.on_forgot(self.step, from);
            }
            Seen::Replied { request, reply } => self.on_replied(request, reply),
            Seen::Started { node, incarnation } => {
                self.disturbances.on_seen(seen, self.now);
                self.lives.insert(node, incarnation);
                if node == NodeId::CONTROL {
                    self.locks.on_started();
                    self.hearing.on_started(self.step);
                }
            }
            Seen::Crashed { node } => {
                self.disturbances.on_seen(seen, self.now);
                self.on_crashed(node);
            }
            Seen::Wiped { node } => self.on_wiped(node),
            Seen::Lost { .. } | Seen::RefusedToStart { .. } | Seen::Paused { .. } => {
                self.disturbances.on_seen(seen, self.now);
            }
            Seen::Resumed { .. } | Seen::Cut { .. } | Seen::Mended { .. } => {
                self.disturbances.on_seen(seen, self.now);
            }
            Seen::ClockJumped { .. } | Seen::DiskStalled { .. } => {
                self.disturbances.on_seen(seen, self.now);
            }
            Seen::DiskFilled { node, is_full } => {
                self.full_disks.on_filled(self.step, node, is_full);
            }
            Seen::ToldOfDisk { node, is_full } => {
                self.full_disks.on_told(self.step, node, is_full);
            }
            Seen::Copied { .. } | Seen::Checkpointed { .. } | Seen::Forgot { .. } => {}
            Seen::Woken { .. } | Seen::Noticed { .. } | Seen::Commanded { .. } => {}
        }
    }

    fn on_told(&mut self, told: Told) {
        match told {
            Told::Asker(place) => self.askers.on_told(place),
            Told::Probe(probe) => self.probes.on_told(probe),
            Told::HeldUp(from, to, until) => self.disturbances.held_up(from, to, until),
            Told::SlowSync(node, until) => self.disturbances.slowed_down(node, until),
            Told::Healed(at) => self.disturbances.healed = Some(at),
        }
    }
}

impl Model {
    fn on_replied(&mut self, request: RequestId, reply: &Reply) {
        let step = self.step;
        let at = At { step, is: reply.clone() };
        let Some(asked) = self.requests.on_replied(request, at) else { return };
        let effect = self.effects.of(request);
        let is_undone = |files: &Files, path: &Path| match (effect, reply) {
            (Some(effect), Reply::Done(answer)) if effect.is.1 != *answer => {
                self.effects.was_answered(request, |undone| undone == answer)
            }
            (Some(effect), _) => files.is_undone(path, effect.step, effect.is.0),
            (None, _) => false,
        };
        match (reply, &asked.wanted) {
            (Reply::Done(answer), Request::Files { operations, .. }) => {
                self.files.on_done(step, (operations, answer), is_undone);
            }
            (Reply::Acquired(token), Request::Acquire { path, .. })
                if !is_undone(&self.files, path) =>
            {
                self.files.on_acquired(step, path, *token);
            }
            _ => {} // it says nothing of a file
        }
    }

    fn on_sent(&mut self, from: NodeId, to: NodeId, message: &Message) {
        let step = self.step;
        match message {
            Message::FileRequest(FileRequest::Begin { request, age, operations, .. }) => {
                self.requests.on_begin(*request, age.request, operations);
            }
            Message::Txn(TxnMessage::Prepare { header, epoch, terms, .. }) => {
                self.txns.on_prepare(step, self.life(from), (header, *epoch), terms);
            }
            Message::Txn(
                TxnMessage::Execute { .. } | TxnMessage::Commit { .. } | TxnMessage::Abort { .. },
            ) => {
                self.txns.on_sent(step, from, message);
            }
            Message::Txn(
                TxnMessage::Decline { .. } | TxnMessage::Told { .. } | TxnMessage::Executed { .. },
            ) => {
                self.txns.on_sent(step, from, message);
            }
            Message::FromCentre(FromCentre::Resolved { .. }) => {
                self.txns.on_sent(step, from, message);
            }
            Message::Ended(Ended { .. }) => {
                let is_now = self.is_put_together_now(from);
                self.services.on_ended(step, from, message, is_now);
            }
            Message::ToCentre(ToCentre::Heartbeat { .. })
            | Message::FromCentre(FromCentre::Alive { .. }) => {
                self.leases.on_sent((step, self.now), from, to, message, &self.views);
            }
            _ => {} // no part keeps what it says
        }
    }

    fn on_received(&mut self, from: NodeId, to: NodeId, message: &Message, world: &World) {
        match message {
            Message::FromCentre(FromCentre::Alive { .. }) => {
                let life = self.life(to);
                self.leases.on_received(self.step, to, life, message, &self.views);
            }
            Message::Txn(TxnMessage::Executed { txn, vote }) => {
                let forced = At { step: self.step, is: self.log(to).forced };
                self.txns.on_vote(*txn, from, vote, self.life(to), forced);
            }
            Message::FileRequest(FileRequest::Read { .. }) => {
                self.services.on_read(self.step, to, message);
            }
            Message::LockRequest(LockRequest::Acquire { .. } | LockRequest::KeepAlive { .. }) => {
                if let Some(request) = keeps_request(message).filter(|_| to == NodeId::CONTROL) {
                    self.hearing.on_received(request, message, self.heard_now(world));
                }
            }
            _ => {} // no part keeps what arrives
        }
    }

    /// What a node's memory does with a record that it appends.
    fn on_appended(&mut self, node: NodeId, position: u64, record: &Record) {
        match record {
            Record::Voted(Voted { txn, changes, .. }) => {
                self.memory.on_voted(self.step, node, *txn, changes);
                self.on_service(node, record);
            }
            Record::Decided(_) => self.on_service(node, record),
            Record::Applied { txn, .. } | Record::RolledBack { txn } => {
                self.memory.on_outcome(node, *txn);
            }
            Record::Announced { .. } | Record::Activated { .. } => self.views.on_appended(record),
            Record::Entered { epoch, .. } => self.memory.on_entered(self.step, node, *epoch),
            Record::Pulled { .. } | Record::GaveUp { .. } | Record::Reset { .. } => {
                if let Some(config) = self.disks.managed() {
                    self.memory.on_moved(node, record, config);
                }
            }
            Record::Queued { .. } | Record::Granted { .. } if node == NodeId::CONTROL => {
                self.locks.on_appended(self.step, position, record);
            }
            Record::Left { path, request } if node == NodeId::CONTROL => {
                self.disturbances.on_left(path, *request, self.now);
                self.locks.on_appended(self.step, position, record);
                self.hearing.on_left(*request);
            }
            _ => {} // it counts once it is durable: see there
        }
    }

    fn on_crashed(&mut self, node: NodeId) {
        if node == NodeId::CONTROL {
            self.views.on_crashed();
        }
        self.logs.on_crashed(node);
        match self.disks.managed() {
            Some(_) => self.memory.on_crashed(node, self.disks.get(node)),
            None => self.memory.on_crashed_with_fixed_members(node, &self.txns),
        }
        self.services.on_crashed(node);
        self.full_disks.on_crashed(node);
    }

    /// A disk is gone, and what only it could tell. A node that comes back under its name is
    /// another member.
    fn on_wiped(&mut self, node: NodeId) {
        self.logs.on_wiped(node);
        self.full_disks.on_wiped(self.step, node);
        self.disturbances.on_wiped(node, self.now);
        for txn in self.memory.on_wiped(node) {
            self.txns.entry(txn).gone.push(node);
        }
        self.disks.on_wiped(self.step, node);
    }

    fn on_durable(&mut self, node: NodeId, position: u64, record: &Record, config: &Arc<Config>) {
        let step = self.step;
        self.newly_committed = None;
        self.too_late.clear();
        match record {
            Record::Voted(Voted { txn, .. }) => {
                self.txns.on_voted(step, node, record);
                self.memory.on_durable_vote(node, *txn);
                self.on_service(node, record);
            }
            Record::Promised { txn } | Record::RolledBack { txn } => {
                self.on_outcome(node, *txn, false);
            }
            Record::Applied { txn, request, answer } => {
                self.resolve(*txn, answer, config);
                self.on_outcome(node, *txn, true);
                match self.is_resolved_now(*txn) {
                    true => self.on_effect(*txn, *request, answer),
                    false => self.effects.on_none(),
                }
            }
            Record::Decided(Decided { txn, request, answer, .. }) => {
                if self.txns.on_decided(record) {
                    self.commit(*txn, *request, answer, config);
                }
                self.on_effect(*txn, *request, answer);
                self.on_service(node, record);
            }
            Record::Over { txn } => self.txns.on_over(step, *txn),
            Record::Declined { request, refusal } => {
                self.requests.on_declined(*request, At { step, is: *refusal });
            }
            Record::Announced { .. } | Record::Activated { .. } | Record::Converged { .. } => {
                self.disturbances.on_views(self.now);
                self.views.on_durable(step, record);
                // By then the leases of those that it gives up are over.
                if let Record::Activated { epoch } = record
                    && let Some(view) = self.views.view(*epoch)
                {
                    self.txns.on_given_up(&view.is.given_up);
                }
            }
            Record::Admitted { .. } | Record::Recorded { .. } => {
                self.views.on_durable(step, record);
            }
            Record::LossAccepted { .. } => self.views.on_durable(step, record),
            // What of these is to be known the locks and the disks say, below.
            Record::Queued { .. } | Record::Granted { .. } | Record::Left { .. } => {}
            Record::Born { .. } | Record::Entered { .. } | Record::Pulled { .. } => {}
            Record::Complete { .. } | Record::Reset { .. } | Record::GaveUp { .. } => {}
            // A checkpoint writes these: they say what was known before.
            Record::Stored { .. } | Record::Answered { .. } | Record::LockOver { .. } => {}
            Record::Settled { .. } | Record::Mark { .. } => {}
            Record::Forgotten { .. } | Record::LastToken { .. } => {}
            Record::LongestLease { .. } | Record::Lost { .. } | Record::Wanted { .. } => {}
        }
        match node == NodeId::CONTROL {
            true => self.locks.on_durable(step, position, record),
            false => self.disks.on_durable(step, node, record),
        }
    }

    /// An owner finds what is left of files, and goes on from that. In a view that gives members
    /// up, what only they had does not count any more: the file goes back to what the owner has
    /// found.
    fn go_back(&mut self, node: NodeId, record: &Record, world: &World) {
        let (Record::Entered { epoch, complete: arcs }
        | Record::Complete { epoch, arcs }
        | Record::Reset { epoch, arcs }) = record
        else {
            return;
        };
        let Some(config) = self.disks.managed() else { return };
        let view = self.views.view(*epoch).filter(|view| !view.is.given_up.is_empty());
        let Some(view) = view else { return };
        let memory = world.host(node).storage().map(|owner| owner.files());
        let settled = self.views.settled().map_or(Epoch::default(), |settled| settled.is);
        let (step, disks, view) = (self.step, &self.disks, &view.is);
        let is_given_up = |member| view.gives_up(member);
        let is_left = |path: &Path, last: &Committed| {
            let at = (path, config.position(path));
            memory.is_some_and(|files| files.get(path) == Some(&last.file))
                || disks.have(at, settled, last, is_given_up)
                || !disks.had(path, last, is_given_up)
        };
        let is_there = |path: &Path| arcs.contains(config.position(path));
        self.files.go_back(step, is_there, is_left);
        for path in self.files.given_up_in(step).filter(|path| is_there(path)) {
            self.reference.on_loss_accepted(step, path);
        }
        if let Record::Reset { .. } = record {
            // What a member that is not given up may have does not begin again, whatever is said.
            let begun = arcs.difference(&disks.claimed(settled..*epoch, is_given_up));
            self.reference.on_begun_again(step, |path| begun.contains(config.position(path)));
            self.files.begin_again(*epoch, begun);
        }
    }

    /// A vote or a decision is one service when it is appended and one when it is durable.
    fn on_service(&mut self, node: NodeId, record: &Record) {
        self.services.on_record(self.step, node, record);
    }

    fn on_outcome(&mut self, node: NodeId, txn: TxnId, applied: bool) {
        self.txns.on_outcome(node, txn, At { step: self.step, is: applied });
        self.memory.on_durable_outcome(node, txn);
    }
}

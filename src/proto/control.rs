//! The central node, `control`: it runs the [lock server](super::lock) and lays down the
//! views (`membership`).

use std::sync::Arc;

use super::lock::{Acquire, LockServer};
use super::membership::{Beat, Centre};
use super::reports::Question;
use super::turn::Turn;
use super::{
    Admission, Config, Input, LockRequest, Member, Message, Outbox, Path, Record, ToCentre, Token,
};
use super::{Timer, Timers};
use crate::machine::{NodeId, RequestId, Time};

/// The central node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Control {
    config: Arc<Config>,

    // Rebuilt from the log, but for what each of them says is volatile:
    locks: LockServer,
    centre: Centre,

    // Volatile:
    timers: Timers,
    disk_is_full: bool,
    records_since_checkpoint: u32,
}

impl Control {
    /// The central node as its log left it; the first boot has an empty log. Emits nothing: what
    /// there is to say is said at the first step.
    pub fn recover(config: Arc<Config>, now: Time, log: &[Record]) -> Control {
        let mut locks = LockServer::default();
        let mut centre = Centre::new(&config);
        for record in log {
            locks.replay(&config, record);
            centre.replay(config.defects, record);
        }
        let mut timers = Timers::default();
        timers.set(Timer::Start, now);
        let (disk_is_full, records_since_checkpoint) = (false, 0);
        Control { config, timers, locks, centre, disk_is_full, records_since_checkpoint }
    }

    /// Takes one input; what it leads to goes into `out`, in order.
    pub fn step(&mut self, now: Time, input: Input, out: &mut Outbox) {
        if let Input::DiskFull(is_full) = input {
            // Nothing follows from it: it may come right at a start, before the log has been
            // looked at.
            self.disk_is_full = is_full;
            return;
        }
        let before = out.appended();
        let disk_is_full = self.disk_is_full;
        let Control { config, timers, locks, centre, .. } = self;
        let starts = timers.is_set(&Timer::Start);
        timers.cancel(&Timer::Start);
        let turn = &mut Turn { config, now, disk_is_full, timers, out };
        if starts {
            centre.on_start(turn);
            locks.on_start(turn, centre.longest_lock_terms(config));
        }
        centre.on_step(turn);
        locks.grant_under(centre.lock_terms(config));
        match input {
            Input::Message(from, message) => match message {
                Message::LockRequest(request) => on_lock_request(locks, turn, from, request),
                Message::ToCentre(message) => on_membership(centre, turn, from, message),
                // To storage nodes and clients.
                Message::FileRequest(_) | Message::Ended(_) | Message::Txn(_) => {}
                Message::LockAnswer(_) | Message::FromCentre(_) | Message::Views(_) => {}
                Message::Pull(_) | Message::Chunk(_) => {}
            },
            Input::Wake(timer) => {
                turn.timers.cancel(&timer);
                match timer {
                    Timer::Lease(path) => locks.on_lease_time(turn, &path),
                    Timer::Members => centre.on_time(turn),
                    // Of storage nodes and clients; what is to say at a start is said above.
                    Timer::Start | Timer::Heartbeat | Timer::Pull => {}
                    Timer::Collect(_) | Timer::Resend(_) | Timer::Ready(_) => {}
                    Timer::Inquire(_) | Timer::Attempt(_) | Timer::GiveUp(_) => {}
                    Timer::KeepAlive(_) | Timer::LeaseEnd(_) => {}
                }
            }
            Input::Command(command) => centre.on_command(turn, command.clone()),
            Input::Request(..) => {} // the central node is asked by message
            Input::DiskFull(_) => unreachable!("taken note of above"),
        }
        self.checkpoint_if_due(out.appended() - before, out);
    }

    /// The same state under other settings.
    pub(super) fn reconfigured(&self, config: Arc<Config>) -> Control {
        Control { config, ..self.clone() }
    }

    /// When to wake the node next, and for what.
    pub fn next_deadline(&self) -> Option<(Time, &Timer)> {
        self.timers.next()
    }

    /// The locks that are held: each with its request, its token, and when the lease ends by this
    /// node's clock.
    pub fn held_locks(&self) -> impl Iterator<Item = (&Path, RequestId, Token, Time)> {
        self.locks.held()
    }

    fn checkpoint_if_due(&mut self, appended: u64, out: &mut Outbox) {
        self.records_since_checkpoint += appended as u32;
        if self.records_since_checkpoint >= self.config.checkpoint_records {
            self.records_since_checkpoint = 0;
            out.checkpoint(self.durable_state());
        }
    }

    /// The records that give this node's durable state again, as a checkpoint writes them.
    pub fn durable_state(&self) -> Vec<Record> {
        let mut records = self.locks.snapshot();
        records.extend(self.centre.snapshot());
        records
    }
}

fn on_lock_request(
    locks: &mut LockServer,
    turn: &mut Turn<'_>,
    from: NodeId,
    request: &LockRequest,
) {
    match request {
        LockRequest::Acquire { request, lowest, path, wait, asked } => {
            let (request, lowest, path) = (*request, *lowest, path.clone());
            let (wait, asked) = (*wait, *asked);
            locks.on_acquire(turn, Acquire { request, lowest, path, wait, asked });
        }
        LockRequest::KeepAlive { path, keep, asked } => {
            locks.on_keep_alive(turn, from, path.clone(), *keep, *asked);
        }
        LockRequest::Release { request, path, token } => {
            locks.on_release(turn, from, *request, path.clone(), *token);
        }
    }
}

fn on_membership(centre: &mut Centre, turn: &mut Turn<'_>, node: NodeId, message: &ToCentre) {
    let member = |admission: &Admission| Member { node, admission: *admission };
    match message {
        ToCentre::Admit { incarnation } => centre.on_admit(turn, node, *incarnation),
        ToCentre::Heartbeat { admission, incarnation, known, asked, answered } => {
            let beat = Beat { incarnation: *incarnation, asked: *asked, known: *known };
            centre.on_heartbeat(turn, member(admission), beat, *answered);
        }
        ToCentre::Entered { admission, epoch, open } => {
            centre.on_entered(turn, member(admission), *epoch, open.clone());
        }
        ToCentre::Resolve { admission, txn, epoch, participants } => {
            let question = Question { txn: *txn, epoch: *epoch, participants };
            centre.on_resolve(turn, member(admission), &question);
        }
        ToCentre::Completed { admission, epoch } => {
            centre.on_completed(turn, member(admission), *epoch);
        }
        ToCentre::Departed { .. } => {} // for the operator to see
        ToCentre::Watch { known } => centre.on_watch(turn, node, *known),
    }
}

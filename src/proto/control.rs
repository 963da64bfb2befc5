//! The central node, `control`: it runs the [lock server](super::lock).

use std::sync::Arc;

use super::lock::{LockServer, Turn};
use super::timers::{Timer, Timers};
use super::{Config, Input, Message, NodeId, Outbox, Record, Time};

/// The central node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Control {
    config: Arc<Config>,
    timers: Timers,
    locks: LockServer,
    records_since_checkpoint: u32,
}

impl Control {
    /// The central node as its log left it; the first boot has an empty log. Emits nothing: what
    /// there is to say is said at the first step.
    pub fn recover(config: Arc<Config>, now: Time, log: &[Record]) -> Control {
        let mut locks = LockServer::default();
        for record in log {
            locks.replay(&config, record);
        }
        let mut timers = Timers::default();
        timers.set(Timer::Start, now);
        Control { config, timers, locks, records_since_checkpoint: 0 }
    }

    /// Takes one input; what it leads to goes into `out`, in order.
    pub fn step(&mut self, now: Time, input: Input, out: &mut Outbox) {
        let before = out.appended();
        let Control { config, timers, locks, .. } = self;
        let starts = timers.is_set(&Timer::Start);
        timers.cancel(&Timer::Start);
        let turn = &mut Turn { config, now, timers, out };
        if starts {
            locks.on_start(turn);
        }
        match input {
            Input::Message(from, message) => on_message(locks, turn, from, message),
            Input::Wake(timer) => {
                turn.timers.cancel(&timer);
                if let Timer::Lease(path) = timer {
                    locks.on_lease_time(turn, &path);
                }
            }
            Input::Request(..) => {} // nobody asks the central node but by message
        }
        self.checkpoint_if_due(out.appended() - before, out);
    }

    /// When to wake the node next, and for what.
    pub fn next_deadline(&self) -> Option<(Time, &Timer)> {
        self.timers.next()
    }

    fn checkpoint_if_due(&mut self, appended: u64, out: &mut Outbox) {
        self.records_since_checkpoint += appended as u32;
        if self.records_since_checkpoint >= self.config.checkpoint_records {
            self.records_since_checkpoint = 0;
            out.checkpoint(self.locks.snapshot());
        }
    }
}

fn on_message(locks: &mut LockServer, turn: &mut Turn<'_>, from: NodeId, message: Message) {
    match message {
        Message::Acquire { request, lowest, path, wait, asked } => {
            locks.on_acquire(turn, request, lowest, path, wait, asked);
        }
        Message::KeepAlive { path, keep, asked } => {
            locks.on_keep_alive(turn, from, path, keep, asked);
        }
        Message::Release { request, path, token } => {
            locks.on_release(turn, from, request, path, token);
        }
        Message::Begin { .. } | Message::Read { .. } | Message::Ended { .. } => {}
        Message::Fetch { .. } | Message::Fetched { .. } | Message::Prepare { .. } => {}
        Message::Ready { .. } | Message::Execute { .. } | Message::Executed { .. } => {}
        Message::Commit { .. } | Message::Committed { .. } | Message::Abort { .. } => {}
        Message::Inquire { .. } | Message::Told { .. } | Message::Granted { .. } => {}
        Message::KeptAlive { .. } | Message::NotKept { .. } => {}
        Message::LockRefused { .. } | Message::Released { .. } => {}
    }
}

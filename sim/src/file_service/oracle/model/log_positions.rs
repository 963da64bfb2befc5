//! How far the log of each machine reaches: appended, forced, durable.

use std::collections::BTreeMap;

use seedbed::machine::NodeId;

/// How far a machine's log reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogSeen {
    /// Behind the last record that holds back what follows it.
    pub forced: u64,
    /// Behind the last durable record.
    pub durable: u64,
    /// The step that brought it there.
    pub synced: u64,
    /// Where that was before that step.
    pub durable_before: u64,
}

impl LogSeen {
    /// How far the log was durable before `step`, the newest one.
    pub fn durable_before(&self, step: u64) -> u64 {
        if self.synced == step { self.durable_before } else { self.durable }
    }

    fn on_durable(&mut self, step: u64, position: u64) {
        if self.synced != step {
            (self.synced, self.durable_before) = (step, self.durable);
        }
        self.durable = position + 1;
    }
}

/// The logs of all machines.
#[derive(Clone, Debug, Default)]
pub struct Logs(BTreeMap<NodeId, LogSeen>);

impl Logs {
    /// How far `node`'s log reaches.
    pub fn of(&self, node: NodeId) -> LogSeen {
        self.0.get(&node).copied().unwrap_or_default()
    }

    /// A record was appended that holds back what follows it.
    pub(super) fn on_forced(&mut self, node: NodeId, position: u64) {
        self.0.entry(node).or_default().forced = position + 1;
    }

    pub(super) fn on_durable(&mut self, step: u64, node: NodeId, position: u64) {
        self.0.entry(node).or_default().on_durable(step, position);
    }

    pub(super) fn on_crashed(&mut self, node: NodeId) {
        let log = self.0.entry(node).or_default();
        log.forced = log.forced.min(log.durable);
    }

    /// The disk is gone, and the log with it.
    pub(super) fn on_wiped(&mut self, node: NodeId) {
        self.0.remove(&node);
    }
}
